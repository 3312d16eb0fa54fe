"""The figures of lesson 12, drawn from numbers that the notebook computes."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ... import metrics, plots
from .experiments import SIDE, OneMore, Plane

NATS = 12.0  # below the highest point all is equally white


def covered(x: Tensor, seen: Tensor) -> Tensor:
    """A picture (784,) as (28, 28), NaN where it is covered."""
    return torch.where(seen, x, torch.nan).reshape(SIDE, SIDE)


def show_plane(ax: Axes, plane: Plane, heights: Tensor, **look):
    """Heights (m,) over the plane, z_1 to the right and z_2 up."""
    end = plane.size * plane.area**0.5 / 2
    image = ax.imshow(heights.reshape(plane.size, plane.size).mT.numpy(), origin="lower", extent=(-end, end, -end, end),
                      **{"cmap": "Blues", **look})
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    return image


def numerator_and_posterior(plane: Plane, joint: Tensor) -> Figure:
    """log p(x, z) over the plane, and what division by p(x) makes of it: log p(z | x), the same surface higher up."""
    figure, axes = plots.figure(2, height=3.6, width=9)
    log_density = joint - torch.tensor(plane.area).log()
    parts = (("numerator: log p(x, z)", log_density), ("posterior: log p(z | x)", log_density - joint.logsumexp(0)))
    for ax, (name, heights) in zip(axes, parts):
        top = heights.max().item()
        image = show_plane(ax, plane, heights, vmin=top - 400, vmax=top)
        show_plane_contour(ax, plane, heights, top)
        figure.colorbar(image, ax=ax, label="nats", extend="min")
        ax.set(title=name)
    return figure


def show_plane_contour(ax: Axes, plane: Plane, heights: Tensor, top: float) -> None:
    """The line that lies ten nats below the top."""
    axis = plane.points[:: plane.size, 0]
    ax.contour(axis, axis, heights.reshape(plane.size, plane.size).mT, levels=[top - 10], colors=[plots.LATENT],
               linestyles="-", linewidths=2)


def entropy_curves(by_rows: Tensor, by_pixels: Tensor, first: int) -> Figure:
    """Left: entropy (29, n) against rows, the mean and five pictures. Right: one picture's, pixel by pixel."""
    figure, (ax, one) = plots.figure(2, height=3.6, width=9)
    mean = by_rows.mean(-1)
    error = 2 * by_rows.std(-1) / by_rows.shape[-1] ** 0.5
    for k in range(5):
        ax.plot(range(29), by_rows[:, k], color=plots.DATA, lw=0.9, ls="-", label="five pictures" if k == 0 else None)
    ax.plot(range(29), mean, color=plots.MODEL, ls="-", lw=3, label=f"mean of {by_rows.shape[-1]} pictures")
    ax.fill_between(range(29), mean - error, mean + error, color=plots.MODEL, alpha=0.3, lw=0)
    ax.axhline(mean[0], color=plots.TRUTH, ls=":", label="prior")
    ax.set(xlabel="rows seen, from the top", ylabel="entropy of p(z | seen), nats")
    ax.legend(loc="upper right", bbox_to_anchor=(1, 0.93))
    steps = first + torch.arange(len(by_pixels))
    one.plot(steps, by_pixels, color=plots.MODEL, ls="-")
    worst = int(by_pixels.diff().argmax()) + 1
    place = (steps[worst].item(), by_pixels[worst].item())
    one.plot(*place, "o", color=plots.LATENT, ms=9)
    one.annotate("this pixel\nraised it most", place, (-10, -4), textcoords="offset points", ha="right", va="top")
    one.set(xlabel="pixels seen, row by row", ylabel="entropy, nats")
    return figure


def two_causes(plane: Plane, x: Tensor, seen: Tensor, masses: Tensor, places: Tensor, drawn: list[Tensor]) -> Figure:
    """What is seen, the posterior with its modes and mean at `places` (3, 2), and what each implies."""
    names = ("A draws", "B draws", "× draws", "mean of all")
    figure, axes = plots.figure(6, height=2.7, width=11, width_ratios=(1, 1.3, 1, 1, 1, 1))
    axes[0].imshow(covered(x, seen).numpy(), **plots.INK)
    axes[0].set(title="seen")
    heights = masses.log()
    show_plane(axes[1], plane, heights, vmin=heights.max().item() - NATS, vmax=heights.max().item())
    middle = places.mean(0)
    for place, mark in zip(places, "AB"):
        axes[1].text(*(place + torch.tensor([0.0, 0.35])), mark, fontsize=12, ha="center")
    axes[1].plot(*places[2], "X", color=plots.LATENT, ms=9, mec="white")
    (left, bottom), (right, top) = middle - 1.6, middle + 1.6
    axes[1].set(title="× is the mean", xlim=(left, right), ylim=(bottom, top))
    for ax, name, picture in zip(axes[2:], names, drawn):
        ax.imshow(picture.reshape(SIDE, SIDE).numpy(), **plots.INK)
        ax.set(title=name)
    for ax in (axes[0], *axes[2:]):
        ax.set(xticks=[], yticks=[])
    return figure


def one_more_pixel(x: Tensor, seen: Tensor, found: OneMore) -> Figure:
    """The picture, the expected change of entropy by each covered pixel, and the change that happens."""
    figure, (picture, *maps) = plots.figure(3, height=3.3, width=9, width_ratios=(1, 1.25, 1.25))
    picture.imshow(covered(x, seen).numpy(), **plots.INK)
    picture.contour(x.reshape(SIDE, SIDE), levels=[0.5], colors=[plots.DATA], linewidths=1, linestyles=":")
    picture.set(title="seen (dotted: the rest)")
    changes = {"expected": found.expected[0] - found.now[0], "as it happens": found.happens(x)[0] - found.now[0]}
    end = max(change[~seen].abs().max().item() for change in changes.values())
    for ax, (name, change) in zip(maps, changes.items()):
        ax.set_facecolor("#e8e8e8")
        image = ax.imshow(covered(change, ~seen).numpy(), cmap="PuOr_r", vmin=-end, vmax=end)
        ax.set(title=f"change of entropy, {name}")
        ax.title.set_fontsize(10)
        figure.colorbar(image, ax=ax, label="nats", shrink=0.8)
    for ax in (picture, *maps):
        ax.set(xticks=[], yticks=[])
    return figure


def learnt_with(curves: dict[str, list[float]], steps: list[int], losses: dict[str, list[metrics.Estimate]]) -> Figure:
    """Left: held-out nats while each posterior teaches. Right: what each costs at the end, in both settings."""
    figure, (ax, end) = plots.figure(2, height=3.8, width=10, width_ratios=(1.2, 1))
    for k, (name, curve) in enumerate(curves.items()):
        ax.plot(steps, curve, color=plots.PALETTE[k], ls=plots.DASHES[k], marker=plots.MARKERS[k], ms=5, label=name)
    ax.set(xlabel="steps with this posterior (¾ of all pixels covered)", ylabel="held-out log p(x), nats")
    ax.legend(loc=(0.55, 0.1), fontsize="small")
    names = [name for name in losses if name != "exact"]
    for k, (setting, marker) in enumerate((("all pixels seen", "o"), ("three quarters covered", "s"))):
        found = [losses[name][k] for name in names]
        places = torch.arange(len(names)) + 0.2 * k - 0.1
        end.errorbar([loss.value for loss in found], places, xerr=[2 * loss.error for loss in found], marker=marker,
                     color=plots.PALETTE[k], ls="", capsize=3, label=setting)
    end.axvline(0, color=plots.TRUTH, ls=":")
    end.set_yticks(range(len(names)), names)
    end.set(xlabel="nats beside exact, ± 2 standard errors", ylim=(len(names) - 0.5, -1.2))
    end.legend(loc="upper left", fontsize="small")
    return figure
