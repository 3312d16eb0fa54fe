"""The larger figures of lesson 10, drawn from numbers that the notebook computes."""

from matplotlib.figure import Figure
from torch import Tensor

from ... import metrics, plots


def two_marginals(x: Tensor, z: Tensor, lines: dict[str, Tensor], densities: dict[str, Tensor]) -> Figure:
    """Left: the mean of x given z (m, 1), for each line. Right: the marginals that they make."""
    figure, (left, right) = plots.figure(2, height=3.0, width=9)
    for number, name in enumerate(lines):
        look = {"color": plots.PALETTE[number], "ls": plots.DASHES[number], "label": name}
        left.plot(z[:, 0], lines[name], **look)
        right.plot(x, densities[name], **look)
    left.set(xlabel="z, standard normal", ylabel="mean of x given z", xlim=(-3, 3))
    right.set(xlabel="x", ylabel="p(x)")
    right.legend()
    return figure


def map_of_the_plane(pictures: Tensor, z: Tensor, y: Tensor) -> Figure:
    """Left: what the decoder draws all over the plane. Right: where digits z (n, 2) with labels y (n,) lie."""
    figure, (plane, places) = plots.figure(2, height=4.4, width=9)
    plane.imshow(pictures.numpy(), **plots.INK)
    plane.set(xticks=[], yticks=[], xlabel="$z_1$, in equal masses", ylabel="$z_2$, in equal masses")
    for digit in range(10):
        colour = plots.PALETTE[digit % len(plots.PALETTE)]
        plots.points(places, z[y == digit], marker=f"${digit}$", color=colour, ms=6, alpha=0.8)
    places.set(xlabel="$z_1$", ylabel="$z_2$", xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    return figure


def ladder(scores: dict[str, metrics.Estimate], bounds: set[str]) -> Figure:
    """Held-out nats a digit, one bar a model, best at the top; lower bounds are hatched."""
    figure, ax = plots.figure(height=0.36 * len(scores) + 0.8, width=8)
    names = sorted(scores, key=lambda name: scores[name].value)
    for place, name in enumerate(names):
        value, error = scores[name]
        bound = name in bounds
        ax.barh(place, value, xerr=2 * error, color="#c8c8c8" if bound else plots.MODEL,
                hatch="//" if bound else "", edgecolor="white", height=0.7)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="held-out log p(x), nats a digit (whiskers: ± 2 standard errors)")
    return figure


def grid_error(sizes: list[int], errors: Tensor, z: Tensor, last: Tensor) -> Figure:
    """Left: errors (sizes, n) of rules of sizes × sizes points. Right: where digits at z (n, 2) err by `last`."""
    figure, (ax, places) = plots.figure(2, height=3.8, width=9)
    ax.plot(sizes, -errors.mean(-1), marker="o", ls="-", color=plots.MODEL, label="mean")
    ax.plot(sizes, -errors.min(-1).values, marker="s", ls="--", color=plots.LATENT, label="worst digit")
    ax.set(xlabel="points, each way", ylabel="too low by (nats)", xscale="log", yscale="log")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    ax.legend()
    size = 4 + 12 * last.abs()  # areas grow with the error
    shown = places.scatter(*z.mT, s=size, c=last, cmap="viridis")
    figure.colorbar(shown, ax=places, label="error with 30 × 30 points (nats)")
    places.set(xlabel="$z_1$", ylabel="$z_2$", xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal")
    return figure


def by_label(gains: Tensor, y: Tensor, limit: float) -> Figure:
    """The mean gain of each label with two standard errors, beside the most that a label can tell."""
    figure, ax = plots.figure(height=3.0)
    found = [metrics.estimate(gains[y == digit]) for digit in range(10)]
    ax.errorbar(range(10), [gain.value for gain in found], yerr=[2 * gain.error for gain in found],
                color=plots.MODEL, marker="o", ls="", capsize=4, label="gain, ± 2 standard errors")
    ax.axhline(limit, color=plots.TRUTH, ls="--", label="log 10: all that a label can tell")
    ax.axhline(0, color=plots.DATA, lw=1, ls="-")
    ax.set(xlabel="digit", ylabel="log p(x | y) − log p(x) (nats)", xticks=range(10))
    ax.legend()
    return figure
