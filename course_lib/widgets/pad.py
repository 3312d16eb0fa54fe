"""A pad to draw a picture on: its value is a tensor."""

from typing import Any

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from ..errors import require_choice
from .browser import BrowserExplorer
from .scripts import module

TOOLS = ("draw", "erase", "cover", "uncover")


class DrawDigit(BrowserExplorer):
    """A pad for drawing a picture by pointer, touch or keys, and for covering pixels.

    `value` is the ink, from 0 (paper) to 1 in steps of 1/255, shape (D,); `seen` is False where a pixel is
    covered, shape (D,). `on_change(callback)` calls `callback(state)` with value, seen and tool. The button
    "Centre" moves the centre of mass to the middle, where the digits of MNIST have it.

    Raises:     ValueError for a value, a mask or a tool that does not fit.
    """

    _esm = module("renderPad", "parts", "pad")
    ink_bytes = traitlets.CBytes().tag(sync=True)  # 0 to 255
    seen_bytes = traitlets.CBytes().tag(sync=True)  # 0 or 1
    tool = traitlets.Unicode("draw").tag(sync=True)

    def __init__(
        self, shape: tuple[int, int] = (28, 28), value: Tensor | None = None, *, title: str = "Draw a picture"
    ) -> None:
        size = shape[0] * shape[1]
        super().__init__(
            face={"title": title, "shape": list(shape)}, ink_bytes=bytes(size), seen_bytes=bytes([1]) * size)
        if value is not None:
            self.set(value=value)

    @property
    def value(self) -> Tensor:
        """The ink of each pixel, from 0 to 1, shape (D,)."""
        return ink_of(self.ink_bytes)

    @property
    def seen(self) -> Tensor:
        """True for each pixel that is not covered, shape (D,)."""
        return seen_of(self.seen_bytes)

    @property
    def state(self) -> dict[str, Any]:
        """The values that `set` takes: value, seen, tool."""
        return {"value": self.value, "seen": self.seen, "tool": self.tool}

    def _checked(self, name: str, value: Any) -> dict[str, Any]:
        return checked_drawing(name, value, len(self.ink_bytes))

    @property
    def alt(self) -> str:
        """What is on the pad, in words."""
        ink, covered = ((part.double().mean() * 100).round().int() for part in (self.value > 0.5, ~self.seen))
        return f"Drawing: {ink} % of the pixels have ink, {covered} % are covered."

    def figure(self) -> Figure:
        """The drawing, with covered pixels in orange."""
        figure = Figure(figsize=(2.5, 2.5))
        show_picture(figure.subplots(), self.value, self.face["shape"], self.seen)
        return figure


def ink_of(content: bytes) -> Tensor:
    """The ink in bytes from 0 to 255 as numbers from 0 to 1."""
    return torch.tensor(list(content), dtype=torch.get_default_dtype()) / 255


def seen_of(content: bytes) -> Tensor:
    """The mask in bytes, 0 or 1, as a boolean tensor."""
    return torch.tensor(list(content), dtype=torch.bool)


def ink_bytes(name: str, value: Tensor, shape: tuple[int, ...]) -> bytes:
    """Numbers from 0 to 1 as bytes.

    Raises:     ValueError for another shape, or numbers that are not from 0 to 1.
    """
    if not isinstance(value, Tensor) or tuple(value.shape) != shape:
        got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"`{name}` must be a tensor of shape {shape}; got {got}.")
    if not ((value >= 0) & (value <= 1)).all():
        raise ValueError(f"`{name}` must hold numbers from 0 to 1; got {value.min()} to {value.max()}.")
    return (value.detach().cpu() * 255).round().to(torch.uint8).numpy().tobytes()


def checked_drawing(name: str, value: Any, size: int) -> dict[str, Any]:
    """The trait that a new `value`, `seen` or `tool` of a pad comes to, or a ValueError."""
    if name == "value":
        return {"ink_bytes": ink_bytes(name, value, (size,))}
    if name == "tool":
        require_choice(name, value, TOOLS)
        return {"tool": value}
    if not isinstance(value, Tensor) or value.dtype != torch.bool or tuple(value.shape) != (size,):
        raise ValueError(f"`{name}` must be a boolean tensor of shape ({size},); got {value!r}.")
    return {"seen_bytes": value.cpu().numpy().astype(np.uint8).tobytes()}


def show_picture(ax: Any, value: Tensor, shape: list[int], seen: Tensor | None = None) -> None:
    """A picture, ink dark on light; what is not seen is orange."""
    colours = (1 - value.detach().cpu().double().numpy().reshape(shape))[..., None].repeat(3, -1)
    if seen is not None:
        colours[~seen.numpy().reshape(shape)] = (0.90, 0.62, 0.0)
    ax.imshow(colours, vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
