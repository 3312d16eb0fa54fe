"""Figures: every function draws on an axes and returns its artist; `show` needs an alternative text."""

import base64
import html
import io
import math
from collections.abc import Iterable
from typing import Any

import matplotlib
import numpy as np
import torch
from cycler import cycler
from IPython.display import HTML, display
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Ellipse, FancyArrowPatch, Rectangle
from torch import Tensor

from .models import Density, GaussianMixture

# One colour a concept in all notebooks (Okabe and Ito's palette, safe for colour-blind readers).
DATA, MODEL, LATENT, TRUTH, WRONG = "#4d4d4d", "#0072B2", "#D55E00", "#000000", "#CC79A7"
COVERED = "#E69F00"  # pixels that are not seen, in figures and widgets
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8c6d31"]
DASHES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2))]
MARKERS = "osD^vPX*"
INK = {"cmap": matplotlib.colormaps["gray_r"].with_extremes(bad=COVERED), "vmin": 0, "vmax": 1}  # NaN: covered
RADIUS = 0.3  # of a node of a graph
CAPTION = "max-width:48em;font-size:0.9em;color:var(--jp-ui-font-color2,#555)"


def style(scale: float = 1.0) -> None:
    """Set the course's look for every figure made from now on; `scale` enlarges type and lines (lectures)."""
    size = 11 * scale
    matplotlib.rcParams.update({
        "font.size": size, "axes.titlesize": size, "axes.labelsize": size, "legend.fontsize": 0.9 * size,
        "xtick.labelsize": 0.9 * size, "ytick.labelsize": 0.9 * size, "lines.linewidth": 2 * scale,
        "axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left",
        "axes.prop_cycle": cycler(color=PALETTE, linestyle=DASHES), "legend.frameon": False,
        "figure.dpi": 110, "figure.facecolor": "white", "figure.constrained_layout.use": True,
    })


style()


def figure(
    columns: int = 1, *, rows: int = 1, width: float = 7.5, height: float = 3.2, **options: Any
) -> tuple[Figure, Any]:
    """A figure and its axes: one axes, or an array of them; sizes in inches."""
    made = Figure(figsize=(width, height * rows))
    return made, made.subplots(rows, columns, **options)


def show(made: Figure, *, alt: str) -> None:
    """Show a figure as a picture; `alt` says in words what it shows, and stands below it as the caption.

    Raises:     ValueError if `alt` is empty.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"`alt` must say in words what the figure shows; got {alt!r}.")
    file = io.BytesIO()
    made.savefig(file, format="png")
    data = base64.b64encode(file.getvalue()).decode()
    picture = f'<img alt="{html.escape(alt)}" style="max-width:100%" src="data:image/png;base64,{data}">'
    caption = f'<figcaption aria-hidden="true" style="{CAPTION}">{html.escape(alt)}</figcaption>'
    display(HTML(f'<figure style="margin:0">{picture}{caption}</figure>'))


def histogram(ax: Axes, x: Tensor, *, bins: int = 30, **look) -> BarContainer:
    """A normalised histogram of `x`, shape (n,): bars whose areas add up to one."""
    values = x.detach().cpu().numpy()
    return ax.hist(values, bins=bins, density=True, **{"color": "#c8c8c8", "edgecolor": "white", **look})[2]


def strip(ax: Axes, x: Tensor, **look) -> Line2D:
    """Every value of `x`, shape (n,), as a tick on the horizontal axis: the data themselves."""
    values = x.detach().cpu()
    return ax.plot(values, torch.zeros_like(values), **{"color": DATA, "marker": "|", "ls": "", "ms": 12, **look})[0]


def points(ax: Axes, x: Tensor, **look) -> Line2D:
    """A scatter of `x`, shape (n, 2)."""
    first, second = x.detach().cpu().unbind(-1)
    return ax.plot(first, second, **{"color": DATA, "marker": "o", "ls": "", "ms": 4, "alpha": 0.7, **look})[0]


@torch.no_grad()
def density_curve(ax: Axes, model: Density, lower: float, upper: float, *, size: int = 400, **look) -> Line2D:
    """p(x) of a density in one dimension between `lower` and `upper`."""
    like = next(model.parameters())
    x = torch.linspace(lower, upper, size, dtype=like.dtype)
    return ax.plot(x, model.log_prob(x[:, None].to(like.device)).exp().cpu(), **{"color": MODEL, **look})[0]


@torch.no_grad()
def component_curves(ax: Axes, model: GaussianMixture, lower: float, upper: float, *, size: int = 400) -> list[Line2D]:
    """The terms of the sum, pi_k N(x; mu_k, sigma_k^2), one curve a component, in one dimension."""
    x = torch.linspace(lower, upper, size, dtype=model.loc.dtype)
    terms = model.log_joint(x[:, None].to(model.loc.device)).exp().cpu()  # (size, K)
    looks = [{"color": component_colour(k), "ls": DASHES[k % len(DASHES)], "lw": 1.5} for k in range(terms.shape[1])]
    return [ax.plot(x, term, **look)[0] for term, look in zip(terms.mT, looks)]


def component_colour(k: int) -> str:
    """The colour of component `k`, the same in all figures: orange, green, pink, ..."""
    return [*PALETTE[1:6], *PALETTE[7:]][k % 6]


@torch.no_grad()
def ellipses(ax: Axes, model: GaussianMixture, *, deviations: float = 2.0) -> list[Ellipse]:
    """The contour at `deviations` standard deviations of every component of a mixture in two dimensions."""
    made = []
    for k, (loc, root) in enumerate(zip(model.loc, model.scale_tril)):
        axes, lengths, _ = torch.linalg.svd(root)
        angle = math.degrees(math.atan2(axes[1, 0], axes[0, 0]))
        width, height = (2 * deviations * lengths).tolist()
        made.append(ax.add_patch(Ellipse(loc.tolist(), width, height, angle=angle, fill=False, lw=2,
                                         color=component_colour(k), ls=DASHES[k % len(DASHES)])))
    return made


def history(ax: Axes, columns: dict[str, list[float]], *names: str) -> list[Line2D]:
    """Columns of a training history against the step."""
    lines = [ax.plot(columns["step"], columns[name], label=name)[0] for name in names]
    ax.set(xlabel="step", ylabel="nats a row")
    return lines


def tiles(pictures: Tensor, columns: int) -> Tensor:
    """Pictures (n, 784) side by side, row after row, as one picture (rows * 28, columns * 28)."""
    return pictures.reshape(-1, columns, 28, 28).transpose(1, 2).reshape(-1, columns * 28)


def rows_of_pictures(rows: dict[str, Tensor]) -> Figure:
    """One row of pictures (n, 784) for each name."""
    made, axes = figure(rows=len(rows), height=0.75, width=8.4, squeeze=False)
    for ax, (name, pictures) in zip(axes[:, 0], rows.items()):
        ax.imshow(tiles(pictures, len(pictures)).numpy(), **INK)
        ax.set(xticks=[], yticks=[])
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
        ax.spines[:].set_visible(False)
    return made


def graph(ax: Axes, nodes: dict[str, tuple[float, float]], edges: Iterable[tuple[str, str]], *,
          observed: Iterable[str] = (), plate: tuple[float, float, float, float] | None = None,
          repeats: str = "") -> None:
    """A directed graphical model: circles (shaded if observed), arrows, and a plate (x, y, width, height)."""
    ax.set_aspect("equal")
    ax.axis("off")
    for start, end in edges:
        way = np.subtract(nodes[end], nodes[start])
        way = RADIUS * way / np.linalg.norm(way)  # from a circle's centre to its rim
        rims = nodes[start] + way, nodes[end] - way
        ax.add_patch(FancyArrowPatch(*rims, arrowstyle="-|>", mutation_scale=18, shrinkA=0, shrinkB=0, color=TRUTH))
    for name, place in nodes.items():
        face = "#d0d0d0" if name in observed else "white"
        ax.add_patch(Circle(place, RADIUS, facecolor=face, edgecolor=TRUTH, lw=1.5, zorder=3))
        ax.text(*place, name, ha="center", va="center", zorder=4)
    if plate:
        ax.add_patch(Rectangle(plate[:2], *plate[2:], fill=False, lw=1.2, color=DATA))
        ax.text(plate[0] + plate[2] - 0.08, plate[1] + 0.08, repeats, ha="right", va="bottom")
    ax.autoscale_view()
