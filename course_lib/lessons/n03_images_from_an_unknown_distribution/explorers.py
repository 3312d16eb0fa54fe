"""The explorers of lesson 03 that show numbers: the count of images, and two divergences by hand."""

import math

from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection

from ... import plots
from ...widgets import Explorer, button, choice, gaussians, slider
from . import divergence, experiments
from .divergence import DRAWN, LINE, STEP

# How many images -----------------------------------------------------------------------------------------------------

CHANNELS = {"grey": 1, "colour": 3}


def log10_images(side: int, bits: int, colours: str) -> float:
    """log10 of the number of square images of this side, with 2^bits levels in each channel of a pixel."""
    return side**2 * CHANNELS[colours] * bits * math.log10(2)


def how_many_images() -> Explorer:
    """Size, depth and colour of an image, and how many such images there are."""
    large = experiments.large_numbers()
    sides = range(2, 65)
    figure, ax = plots.figure(height=4.2)
    (line,) = ax.plot(sides, [1] * len(sides), color=plots.MODEL, ls="-")
    (here,) = ax.plot([28], [1], "o", color=plots.LATENT, ms=10)
    said = ax.text(0.03, 0.95, "", transform=ax.transAxes, va="top", fontweight="bold")
    for number, (name, exponent) in enumerate(large.items()):
        ax.axhline(exponent, color=plots.DATA, ls=plots.DASHES[number + 1], lw=1.2)
        above = number > 0  # the lowest line has its name below
        ax.text(64, exponent * (1.08 if above else 0.92), f"{name}: $10^{{{exponent:.0f}}}$", ha="right",
                va="bottom" if above else "top", fontsize="small")
    ax.set(xlabel="side of the image (pixels)", ylabel="digits of the number of images", yscale="log")
    ax.set(xlim=(2, 65), ylim=(1, 1e5))

    def draw(side: int, bits: int, colours: str) -> str:
        exponent = log10_images(side, bits, colours)
        line.set_ydata([log10_images(n, bits, colours) for n in sides])
        here.set_data([side], [exponent])
        said.set_text(f"{side} × {side}: $10^{{{exponent:,.1f}}}$ images, {exponent / math.log10(2):,.0f} bits each")
        passed = [name for name, other in large.items() if exponent > other]
        return (f"{side} × {side} pixels, {CHANNELS[colours]} channels of {2**bits} levels: 10 to the power "
                f"{exponent:,.1f} images. More than: {', '.join(passed) or 'none of the large numbers shown'}.")

    return Explorer(
        figure, draw, title="How many images are there?", moving=[line, here, said],
        side=slider(2, 64, 28, label="side (pixels)"),
        bits=slider(1, 8, 1, label="bits a channel"),
        colours=choice(list(CHANNELS), "grey", label="channels"),
    )


# The divergences by hand ---------------------------------------------------------------------------------------------

CUT = (-0.5, 3.0)  # where the areas are cut off
X = LINE[DRAWN].numpy()  # (641,)
START = [{"mean": [0.5], "covariance": [[2.25]]}]


def kl_by_hand() -> Explorer:
    """A Gaussian q is dragged against two humps p: both divergences, each with its integrand as an area."""
    figure, axes = plots.figure(3, height=3.6, width=10)
    top, *areas = axes
    (target,) = top.plot(X, 0 * X, color=plots.TRUTH, ls="--", label="target p")
    (mine,) = top.plot(X, 0 * X, color=plots.MODEL, ls="-", label="your q")
    top.set(xlabel="x", ylabel="density", ylim=(0, 0.85), xlim=(-8, 8))
    top.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)
    shapes = [_area(ax, colour) for ax, colour in zip(areas, (plots.LATENT, plots.MODEL))]
    names = ("KL(p ‖ q)", "KL(q ‖ p)")
    titles = [ax.text(0.02, 0.98, "", transform=ax.transAxes, va="top", fontweight="bold") for ax in areas]
    areas[0].set(ylabel="p log (p / q)", title="forward")
    areas[1].set(ylabel="q log (q / p)", title="reverse")

    def draw(weight: float, distance: float, q: list) -> str:
        log_p = divergence.two_humps(weight, distance)
        mean, scale = _mean_and_scale(q)
        log_q = divergence.gaussian(mean, math.log(scale))
        target.set_ydata(log_p[DRAWN].exp().numpy())
        mine.set_ydata(log_q[DRAWN].exp().numpy())
        values = []
        for shape, title, name, y in zip(shapes, titles, names, divergence.integrands(log_p, log_q)):
            shape.set_data(X, 0 * X, y[DRAWN].clamp(*CUT).numpy())
            values.append(STEP * y.sum().item())
            title.set_text(f"{name} = {values[-1]:.3f} nats")
        return (f"A Gaussian with mean {mean:.2f} and standard deviation {scale:.2f} against two humps {distance:.1f} "
                f"apart, the left with weight {weight:.2f}: forward KL {values[0]:.3f} nats, reverse {values[1]:.3f}.")

    return Explorer(
        figure, draw, title="Two divergences by hand", moving=[target, mine, *shapes, *titles],
        q=gaussians(START, axes=top, label="your Gaussian q", bounds=((-6, 6), (0, 0.85)), height=0.06),
        distance=slider(0.0, 8.0, 6.0, label="distance of the humps", step=0.1),
        weight=slider(0.05, 0.95, 0.35, label="weight of the left hump", step=0.01),
        forward=button("Let gradient descent finish: forward", lambda values: _finished(**values, forward=True)),
        reverse=button("Let gradient descent finish: reverse", lambda values: _finished(**values, forward=False)),
        reset=button("Start again", lambda values: {"q": START}),
    )


def _area(ax: Axes, colour: str) -> FillBetweenPolyCollection:
    """An area over X that `set_data` reshapes."""
    shape = ax.fill_between(X, 0 * X, 0 * X, facecolor=colour, edgecolor=colour, alpha=0.5)
    ax.axhline(0, color=plots.DATA, lw=1, ls="-")
    ax.set(xlabel="x", xlim=(-8, 8), ylim=(CUT[0], CUT[1] + 0.6))  # room for the value
    return shape


def _mean_and_scale(q: list) -> tuple[float, float]:
    """A hand can make any Gaussian: the standard deviation is kept where LINE can hold it."""
    return q[0]["mean"][0], min(max(math.sqrt(q[0]["covariance"][0][0]), 0.1), 10.0)


def _finished(weight: float, distance: float, q: list, forward: bool) -> dict:
    mean, scale = divergence.descend(divergence.two_humps(weight, distance), *_mean_and_scale(q), forward=forward)
    return {"q": [{"mean": [min(max(mean, -6.0), 6.0)], "covariance": [[scale**2]]}]}
