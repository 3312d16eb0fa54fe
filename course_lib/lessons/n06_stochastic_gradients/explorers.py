"""The explorers of lesson 06: a microscope for gradients, and a walk on a surface that can be seen."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from torch import Tensor

from ... import plots, rng
from ...widgets import Explorer, Player, choice, slider, toggle
from . import experiments
from .landscape import Spam, predicted_floor, stationary_covariance

TURN = torch.linspace(0, 2 * math.pi, 80, dtype=torch.float64)
CIRCLE = torch.stack([TURN.cos(), TURN.sin()])  # (2, 80)


def ellipse(covariance: Tensor, deviations: float = 2.0) -> Tensor:
    """The contour of a Gaussian around 0 at so many standard deviations: (2, 2) -> (2, 80)."""
    values, vectors = torch.linalg.eigh(covariance)
    return deviations * vectors @ (values.clamp_min(0).sqrt()[:, None] * CIRCLE)


# The gradient microscope ---------------------------------------------------------------------------------------------

STAGES = {"at the start": 0, "after 20 steps": 20, "after 200 steps": 200}
SIZES = [2**power for power in range(12)]
CLOUD = 100  # minibatches in the picture


class Slide(NamedTuple):
    """What lies under the microscope at one stage of training, in units of the whole gradient's length."""

    scale: float  # the variance of one row's gradient, all entries together
    covariance: Tensor  # of the rows' gradients in the plane of the picture, (2, 2)
    clouds: dict[bool, Tensor]  # with replacement or without: the minibatches' gradients (sizes, CLOUD, 2)
    angles: dict[bool, Tensor]  # the median angle to the whole gradient, in degrees, (sizes,)


def gradient_microscope() -> Explorer:
    """The whole gradient as an arrow, minibatch gradients around it, and the ellipse that the law predicts."""
    data = experiments.digits()
    slides = {name: _slide(data, steps) for name, steps in STAGES.items()}
    figure, ax = plots.figure(height=4.6, width=6.4)
    (cloud,) = ax.plot([], [], "o", color=plots.MODEL, ms=4, alpha=0.5, label=f"{CLOUD} minibatch gradients")
    (ring,) = ax.plot([], [], color=plots.LATENT, ls="--", label="2 standard deviations, by the law")
    ax.plot([0, 1], [0, 0], color=plots.TRUTH, ls="-", lw=4, marker=">", ms=13, markevery=[1], zorder=1.5,
            label="the whole gradient")
    ax.set(xlabel="along the whole gradient (in its lengths)", ylabel="across it, where the noise is largest",
           xlim=(-0.8, 2.8), ylim=(-3, 3))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.17), ncols=2, fontsize="small")
    said = ax.text(0.02, 0.98, "", transform=ax.transAxes, va="top")

    def draw(power: int, stage: str, replacement: bool) -> str:
        slide, size = slides[stage], SIZES[power]
        points, angle = slide.clouds[replacement][power], slide.angles[replacement][power].item()  # (CLOUD, 2)
        law = experiments.variance_law(1.0, len(data.x), size, replacement=replacement)
        cloud.set_data(*points.mT)
        ring.set_data(*(torch.tensor([[1.0], [0.0]], dtype=torch.float64) + ellipse(slide.covariance * law)))
        said.set_text(f"rows: {size}\nmedian angle to the\nwhole gradient: {angle:.0f}°")
        expected = math.degrees(math.atan((slide.scale * law) ** 0.5))
        return (
            f"{stage.capitalize()}, gradients of {CLOUD} minibatches, rows in each: {size}, drawn "
            f"with{'' if replacement else 'out'} replacement, around the whole gradient: half of them turn from it by "
            f"more than {angle:.0f} degrees (from the law: {expected:.0f}). Their standard deviation across it is "
            f"{points[:, 1].std():.2f} of its length; the law says {(slide.covariance[1, 1] * law).sqrt():.2f}."
        )

    return Explorer(
        figure, draw, title="The gradient microscope", moving=[cloud, ring, said],
        power=slider(0, len(SIZES) - 1, 4, label="minibatch, as a power of 2"),
        stage=choice(list(STAGES), "at the start", label="when"),
        replacement=toggle(False, label="with replacement"),
    )


def _slide(data: experiments.Digits, steps: int) -> Slide:
    values = experiments.gradients(experiments.climbed(data, steps, lr=1.0), data.x, data.y)  # (n, 650)
    values = values / values.mean(0).norm()
    along = values.mean(0)
    rest = values - along - ((values - along) @ along)[:, None] * along
    across = torch.linalg.eigh(rest.mT @ rest).eigenvectors[:, -1]
    plane = torch.stack([along, across], -1)  # (650, 2)
    covariance = (values @ plane).T.cov(correction=0)
    clouds, angles = {}, {}
    for replacement in (True, False):
        rows = experiments.minibatches(len(values), SIZES[-1], CLOUD, rng.seeded(6), replacement=replacement)
        means = torch.stack([  # the small ones lie in the large ones
            experiments.minibatch_means(values.float(), rows[:, :size]) for size in SIZES])  # (sizes, CLOUD, 650)
        clouds[replacement] = means.double() @ plane
        cosine = clouds[replacement][..., 0] / means.norm(dim=-1)
        angles[replacement] = cosine.clamp(-1, 1).arccos().rad2deg().median(-1).values
    return Slide(values.var(0, correction=0).sum().item(), covariance, clouds, angles)


# A walk on a surface -------------------------------------------------------------------------------------------------

FRAMES, EVERY = 60, 5  # steps between two frames
START = (-1.2, 0.6)


def walk_on_a_surface() -> Player:
    """Steps with minibatches on the log-likelihood of spam in two weights, beside the predicted ellipse and floor."""
    spam = Spam()
    figure, (ax, progress) = plots.figure(2, height=4.6, width=9.4, width_ratios=(6, 5))
    _contours(ax, spam)
    (path,) = ax.plot([], [], color=plots.MODEL, ls="-", lw=1, marker="o", ms=2, label="the walk")
    (ring,) = ax.plot([], [], color=plots.LATENT, ls="--", label="where it settles, by theory")
    (mean,) = ax.plot([], [], "s", color=plots.PALETTE[2], ms=10, mec="white", label="mean of its second half")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.24), ncols=2, fontsize="small")
    (gap,), floor = progress.plot([], [], color=plots.MODEL, ls="-"), _floor(progress)
    said = progress.text(0.5, 1.03, "", transform=progress.transAxes, ha="center")

    def draw(snapshot: tuple[Tensor, Tensor], power: int, lr: float, seed: int) -> str:
        places, gaps = snapshot
        second = places[len(places) // 2 :].mean(0)
        averaged, expected = spam.gap(second).item(), _expected(spam, power, lr)
        path.set_data(*places.mT)
        mean.set_data([second[0]], [second[1]])
        gap.set_data(range(len(gaps)), gaps.clamp_min(1e-6))
        ring.set_data(*_ring(spam, power, lr))
        floor.set_ydata([expected, expected])
        steps, size = len(gaps) - 1, _size(spam, power)
        said.set_text(f"{steps} steps, {steps * size:,} e-mails\ngap {gaps[-1]:.4f}, of the mean {averaged:.4f}")
        words = f"a floor of {expected:.4f}" if expected < math.inf else "no floor, for the steps overshoot"
        return (
            f"{steps} steps, e-mails in each: {size}, learning rate {lr:g}: the walk stands at ({places[-1, 0]:.2f}, "
            f"{places[-1, 1]:.2f}), {gaps[-1]:.4f} nats an e-mail below the summit; theory predicts {words}. The mean "
            f"of its second half lies {averaged:.4f} below."
        )

    return Player(
        figure, lambda **values: _walk(spam, **values), lambda step: step, draw, title="A walk on a surface",
        frames=FRAMES, moving=[path, ring, mean, gap, floor, said],
        power=slider(0, 7, 2, label="minibatch, as a power of 4 (7: all 4,597)"),
        lr=slider(0.5, 14.0, 2.0, label="learning rate", step=0.5),
        seed=slider(0, 20, 0, label="chance (seed)"),
    )


def _size(spam: Spam, power: int) -> int:
    return min(4**power, len(spam.x))


def _walk(spam: Spam, power: int, lr: float, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """All places so far and their gaps below the summit, every few steps."""
    theta, generator = torch.tensor([START], dtype=torch.float64), rng.seeded(seed)
    places, gaps = theta, spam.gap(theta)
    for _ in range(FRAMES):
        new = []
        for _ in range(EVERY):
            if power == 7:
                theta = theta + lr * spam.gradients(theta[0]).mean(0)
            else:
                theta = spam.climb(theta, lr, _size(spam, power), generator)
            new.append(theta)
        places, gaps = torch.cat([places, *new]), torch.cat([gaps, spam.gap(torch.cat(new))])
        yield places, gaps


def _ring(spam: Spam, power: int, lr: float) -> Tensor:
    """The ellipse in which a walk settles by theory, (2, 80): a point where there is none."""
    settled = torch.zeros(2, 2, dtype=torch.float64)
    if 0 < _expected(spam, power, lr) < math.inf:
        settled = stationary_covariance(spam.curvature(), spam.noise() / _size(spam, power), lr)
    return spam.best[:, None] + ellipse(settled)


def _expected(spam: Spam, power: int, lr: float) -> float:
    """The floor by theory: none with all rows, infinite where the steps overshoot for good."""
    if lr * torch.linalg.eigvalsh(spam.curvature())[-1] >= 2:
        return math.inf
    return predicted_floor(spam, lr, 4**power) if power < 7 else 0.0


def _contours(ax: Axes, spam: Spam) -> None:
    """The gap below the summit as a map, computed once."""
    across, up = torch.linspace(-1.5, 3.0, 50).double(), torch.linspace(-1.0, 3.0, 50).double()
    grid = torch.stack(torch.meshgrid(across, up, indexing="xy"), -1)  # (50, 50, 2)
    levels = [0.002, 0.008, 0.03, 0.08, 0.16, 0.3, 0.5, 0.8]
    gaps = torch.stack([spam.gap(row) for row in grid])  # row by row: all at once would fill the memory
    lines = ax.contour(across, up, gaps, levels, colors="#8a8a8a", linewidths=1)
    ax.clabel(lines, levels[2:], fmt="%g", fontsize=8, colors="#555555")
    ax.plot(*spam.best, "*", color=plots.TRUTH, ms=13, zorder=4)
    ax.set(xlabel="weight of the average run of capitals", ylabel="weight of the longest run")
    ax.set(xlim=(-1.5, 3), ylim=(-1, 3))


def _floor(ax: Axes) -> Line2D:
    last = FRAMES * EVERY
    ax.set(xlabel="step", ylabel="nats an e-mail below the summit", yscale="log", xlim=(0, last), ylim=(3e-5, 3))
    return ax.plot([0, last], [1, 1], color=plots.LATENT, ls="--")[0]
