"""The latent plane: a point under the hand, the picture decoded from it, and the posterior of a picture."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import torch
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor, nn

from ..errors import require_positive
from ..functional import bernoulli_log_prob, normal_log_prob
from ..inference import oracle
from .browser import BrowserExplorer
from .decoder import described, quantised, require_sizes
from .pad import checked_drawing, ink_bytes, ink_of, seen_of, show_picture
from .scripts import module


class LatentPlane(BrowserExplorer):
    r"""A decoder's latent plane under the hand, computed in the browser.

    .. math:: p(z) = \mathcal{N}(z; 0, I), \qquad p(x \mid z) = \prod_d \mathrm{Bernoulli}(x_d; \sigma(f_d(z)))

    `decoder` is f, an nn.Sequential of linear layers and activations, from z (and a one-hot label, if `labels`
    names the labels) to one logit a pixel. With `images`, or with `draw`, which gives a pad, there is a picture x: its
    posterior p(z given x) over the plane, and log p(x), by the midpoint rule with cells × cells points on
    [-limit, limit]^2; with two images or more, a walk between the posteriors' modes. Grey pixels count as
    x log p + (1 - x) log(1 - p). Of more than two latents two are on the plane, and what is shown is given the others.

    State:      z; label; value (the picture), seen, tool, image (which one, None if drawn); axes (the latents
                on the plane); to and share (the walk, from 0 to 1).
    Shapes:     images (n, D) from 0 to 1; value, seen (D,), with D = shape[0] * shape[1].
    Raises:     ValueError for a decoder that the browser cannot compute, or a value that does not fit.
    """

    _esm = module("renderPlane", "parts", "pad", "network", "plane", "plane_view")
    FIXED = BrowserExplorer.FIXED | {"weights", "images"}
    weights = traitlets.Bytes().tag(sync=True)  # float32
    images = traitlets.Bytes().tag(sync=True)  # 0 to 255
    z = traitlets.List(traitlets.Float()).tag(sync=True)
    label = traitlets.Int(0).tag(sync=True)
    ink_bytes = traitlets.CBytes().tag(sync=True)
    seen_bytes = traitlets.CBytes().tag(sync=True)
    tool = traitlets.Unicode("draw").tag(sync=True)
    image = traitlets.Int(-1).tag(sync=True)  # -1: drawn
    axes = traitlets.List([0, 1]).tag(sync=True)
    to = traitlets.Int(0).tag(sync=True)
    share = traitlets.Float(0.0).tag(sync=True)

    def __init__(
        self, decoder: nn.Sequential, *, shape: tuple[int, int] = (28, 28), images: Tensor | None = None,
        draw: bool = False, labels: Sequence[str] = (), limit: float = 3.0, cells: int = 81,
        title: str = "The latent plane",
    ) -> None:
        require_positive("limit", limit)
        require_positive("cells", cells, whole=True)
        layers, numbers = described(decoder)
        dimensions, size = require_sizes(layers, len(labels), shape), shape[0] * shape[1]
        count = 0 if images is None else len(images)
        face = {
            "title": title, "shape": list(shape), "limit": limit, "cells": cells, "labels": list(labels),
            "layers": layers, "dimensions": dimensions, "count": count, "draws": draw,
        }
        super().__init__(
            face=face, weights=numbers.tobytes(), z=[0.0] * dimensions, ink_bytes=bytes(size),
            seen_bytes=bytes([1]) * size, images=b"" if images is None else ink_bytes("images", images, (count, size)))
        self._decoder = decoder
        if count:
            self.set(image=0, to=count - 1) if count > 1 else self.set(image=0)

    @property
    def state(self) -> dict[str, Any]:
        """The values that `set` takes, as far as this plane has them."""
        face, state = self.face, {"z": list(self.z)}
        if face["labels"]:
            state["label"] = self.label
        if face["draws"]:
            state |= {"value": ink_of(self.ink_bytes), "seen": seen_of(self.seen_bytes), "tool": self.tool}
        if face["count"]:
            state["image"] = self.image if self.image >= 0 else None
        if face["count"] > 1:
            state |= {"to": self.to, "share": self.share}
        if face["dimensions"] > 2:
            state["axes"] = list(self.axes)
        return state

    def _checked(self, name: str, value: Any) -> dict[str, Any]:
        """Traits for a new value; the picture and its number change together."""
        if name == "z":
            return {"z": self._checked_point(value)}
        if name == "axes":
            return {"axes": self._checked_axes(value)}
        if name == "share":
            return {"share": _number(name, value, 0, 1)}
        if name == "label":
            return {"label": _whole(name, value, len(self.face["labels"]))}
        if name == "to":
            return {"to": _whole(name, value, self.face["count"])}
        if name == "image":
            return {} if value is None else self._image(_whole(name, value, self.face["count"]))
        drawn = {"image": -1} if name == "value" else {}
        return checked_drawing(name, value, len(self.ink_bytes)) | drawn

    def _image(self, i: int) -> dict[str, Any]:
        size = len(self.ink_bytes)
        return {"image": i, "ink_bytes": self.images[i * size:(i + 1) * size]}

    def _checked_point(self, value: Any) -> list[float]:
        numbers = value.tolist() if isinstance(value, Tensor) else list(value)
        if len(numbers) != self.face["dimensions"]:
            raise ValueError(f"`z` must have {self.face['dimensions']} coordinates; got {value!r}.")
        return [_number("z", number, -self.face["limit"], self.face["limit"]) for number in numbers]

    def _checked_axes(self, value: Any) -> list[int]:
        axes = [_whole("axes", axis, self.face["dimensions"]) for axis in value]
        if len(set(axes)) != 2 or len(axes) != 2:
            raise ValueError(f"`axes` must be two different coordinates; got {value!r}.")
        return axes

    def _portable(self) -> dict[str, Any]:
        layers, whole = quantised(*described(self._decoder))
        return super()._portable() | {"face": self.face | {"layers": layers}, "weights": whole.tobytes()}

    @torch.no_grad()
    def _logits(self, z: Tensor) -> Tensor:
        """The decoder's logits (..., D) for z (..., d)."""
        like = next(self._decoder.parameters())
        one_hot = torch.tensor([float(k == self.label) for k in range(len(self.face["labels"]))])
        return self._decoder(torch.cat([z, one_hot.expand(*z.shape[:-1], -1)], -1).to(like)).to(z)

    def exact(self, cells: int | None = None) -> oracle.Exact:
        """log p(x) and the posterior's masses on the grid, as the browser computes them, by `oracle.quadrature`."""
        limit, seen = self.face["limit"], seen_of(self.seen_bytes)
        x = ink_of(self.ink_bytes)[None, seen]  # (1, seen)
        points, log_weights = oracle.grid(-limit, limit, cells or self.face["cells"], 2)

        def log_joint(point: Tensor) -> Tensor:
            z = torch.tensor(self.z).repeat(*point.shape[:-1], 1)
            z[..., self.axes] = point
            prior = normal_log_prob(point, torch.zeros(()), torch.zeros(())).sum(-1)
            return prior + bernoulli_log_prob(x, self._logits(z)[..., seen]).sum(-1)

        return oracle.quadrature(log_joint, points, log_weights, at_once=256)

    @property
    def alt(self) -> str:
        """The point, its prior density, and what is shown, in words."""
        z = torch.tensor(self.z)
        height = normal_log_prob(z, torch.zeros(()), torch.zeros(())).sum()
        ink = (self._logits(z) > 0).double().mean()
        label = f" and label {self.face['labels'][self.label]}" if self.face["labels"] else ""
        at = ", ".join(f"{value:.2f}" for value in self.z)
        text = (f"Latent plane with the point z = ({at}), log p(z) = {height:.2f} nats; {100 * ink:.0f} % of the "
                f"pixels decoded there{label} are more likely ink than paper")
        which = f"image {self.image}" if self.image >= 0 else "a drawn picture"
        return f"{text}; posterior of {which}." if self._has_picture else f"{text}."

    @property
    def _has_picture(self) -> bool:
        return bool(self.face["count"] or self.face["draws"])

    def figure(self) -> Figure:
        """The plane, the decoded picture and the picture whose posterior is shown, side by side."""
        figure = Figure(figsize=(10 if self._has_picture else 7, 3.4), layout="constrained")
        plane, decoded, *rest = figure.subplots(1, 3 if self._has_picture else 2)
        if self._has_picture:
            self._draw_posterior(plane)
            rest[0].set_title("picture x")
            show_picture(rest[0], ink_of(self.ink_bytes), self.face["shape"], seen_of(self.seen_bytes))
        first, second = self.axes
        plane.plot(self.z[first], self.z[second], "o", color="#D55E00", ms=8)
        for radius in (1, 2, 3):
            plane.add_patch(Circle((0, 0), radius, fill=False, color="#4d4d4d"))
        limits = (-self.face["limit"], self.face["limit"])
        plane.set(xlim=limits, ylim=limits, aspect="equal", xlabel=f"z{first + 1}", ylabel=f"z{second + 1}")
        decoded.set_title("decoded")
        show_picture(decoded, self._logits(torch.tensor(self.z)).sigmoid(), self.face["shape"])
        return figure

    def _draw_posterior(self, ax: Axes) -> None:
        cells, limit = 41, self.face["limit"]  # coarse, since it is made whenever the explorer is shown
        heights = self.exact(cells).log_posterior.reshape(cells, cells).cpu().numpy()
        ax.imshow(heights.T, origin="lower", extent=(-limit, limit, -limit, limit), cmap="Blues",
                  vmin=heights.max() - 10, vmax=heights.max())


def _number(name: str, value: Any, low: float, high: float) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"`{name}` must be a number from {low:g} to {high:g}; got {value!r}.")
    return float(value)


def _whole(name: str, value: Any, count: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < count:
        raise ValueError(f"`{name}` must be a whole number from 0 to {count - 1}; got {value!r}.")
    return value
