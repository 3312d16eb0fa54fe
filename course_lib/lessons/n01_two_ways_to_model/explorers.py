"""The explorers of lesson 01: two classes under the hand, the race on real data, a digit behind a cover."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.text import Text
from torch import Tensor

from ... import datasets, plots, rng
from ...functional import multivariate_normal_log_prob
from ...models import GaussianMixture
from ...widgets import Explorer, button, choice, gaussians, memory, slider, toggle
from . import curves, experiments, pictures

# Two classes under the hand ------------------------------------------------------------------------------------------

SIDE = torch.linspace(-6, 6, 61, dtype=torch.float64)
LEVELS = [math.log(level) for level in (0.05, 0.02, 0.005)]  # of p(x, y), for both classes: a rare one has small rings
CELL = (12 / 60) ** 2  # the area of a cell of the lattice
POINTS = 120  # birds to learn from
RULES = ("truth", "Gaussians fitted", "logistic regression")
SHADES = LinearSegmentedColormap.from_list("classes", [pictures.LOOKS[0]["color"], "white", pictures.LOOKS[1]["color"]])
LINES = (plots.TRUTH, plots.PALETTE[0], plots.PALETTE[3])


class Two(NamedTuple):
    """Two Gaussians: log_prior (2,), loc (2, 2), root (2, 2, 2), the Cholesky factors."""

    log_prior: Tensor
    loc: Tensor
    root: Tensor

    def log_joint(self, x: Tensor) -> Tensor:
        """log p(x, y) for both classes: x (n, 2) -> (n, 2)."""
        return self.log_prior + multivariate_normal_log_prob(x, self.loc, self.root).mT


def two_classes() -> Explorer:
    """Two draggable Gaussians: their joint, the posterior, and three boundaries."""
    lattice = pictures.lattice(SIDE, SIDE)
    figure, (joint, posterior) = plots.figure(2, height=4.2, width=9.4)
    rings, dots, lines, image, said = _draw_classes(joint, posterior)
    figure.legend(handles=[*dots, *lines[:3]], loc="outside lower center", ncols=5, fontsize="small")

    def draw(classes: list, prior: float, own: bool, seed: int) -> str:
        truth = _as_two(classes, prior)
        x, y = _points(truth, prior, seed)
        table = truth.log_joint(lattice)  # (3721, 2)
        for k in (0, 1):
            rings[k].set_data(*pictures.level_line(SIDE, SIDE, table[:, k].view(61, 61), *LEVELS).T)
            dots[k].set_data(*x[y == k].mT.numpy())
        image.set_data(table.softmax(-1)[:, 1].view(61, 61).numpy())
        values = [rule(lattice) for rule in (_odds(truth), _odds(_fitted(x, y, own)), _logistic(x, y))]
        for line, value in zip(lines, 2 * values):
            line.set_data(*pictures.level_line(SIDE, SIDE, value.view(61, 61)).T)
        errors = [_error(table, value) for value in values]
        said.set_text("errors {:.3f} / {:.3f} / {:.3f}".format(*errors))
        return (f"Two classes, p(y = 1) = {prior:.2f}, {int(y.sum())} of {POINTS} points in class 1. Error of the true "
                f"boundary {errors[0]:.3f}; of fitted Gaussians with {'own' if own else 'one shared'} covariance "
                f"{errors[1]:.3f}; of logistic regression {errors[2]:.3f}.")

    shape = [[1.5, 0.5], [0.5, 1.0]]
    start = [{"mean": mean, "covariance": shape} for mean in ([-1.0, -0.5], [1.5, 0.5])]
    return Explorer(
        figure, draw, title="Two classes under your hand", moving=[*rings, *dots, *lines, image, said],
        classes=gaussians(start, axes=joint, label="class", bounds=((-4, 4), (-4, 4))),
        prior=slider(0.05, 0.95, 0.5, label="base rate, p(y = 1)", step=0.01),
        own=toggle(False, label="fit each class a covariance of its own"),
        seed=memory(0),
        again=button("Draw other points", lambda values: {"seed": values["seed"] + 1}),
    )


def _draw_classes(joint: Axes, posterior: Axes) -> tuple[list, list, list, AxesImage, Text]:
    rings = [joint.plot([], [], color=pictures.LOOKS[k]["color"], lw=1.2, ls=plots.DASHES[2 * k])[0] for k in (0, 1)]
    dots = [joint.plot([], [], ls="", ms=4, alpha=0.7, **pictures.LOOKS[k], label=f"class {k}")[0] for k in (0, 1)]
    look = {"extent": (-6, 6, -6, 6), "origin": "lower", "cmap": SHADES, "vmin": 0, "vmax": 1}
    image = posterior.imshow(torch.zeros(61, 61).numpy(), **look)
    lines = [ax.plot([], [], color=colour, ls=dash, label=name)[0] for ax in (joint, posterior)
             for name, colour, dash in zip(RULES, LINES, ("-", "--", ":"))]
    said = posterior.text(1, 1.02, "", transform=posterior.transAxes, ha="right", va="bottom", fontsize="small")
    for ax, title in ((joint, "joint p(x, y), and points"), (posterior, "posterior p(y | x)")):
        ax.set(xlim=(-6, 6), ylim=(-6, 6), xlabel="$x_1$", ylabel="$x_2$", title=title, aspect="equal")
    return rings, dots, lines, image, said


def _error(log_joint: Tensor, log_odds: Tensor) -> float:
    """The mass of p(x, y), (cells, 2), on the wrong side of a boundary."""
    other = (log_odds <= 0).long()  # the class that is not answered
    return (log_joint.gather(-1, other[:, None]).exp().sum() * CELL).item()


def _as_two(classes: list, prior: float) -> Two:
    covariance = torch.tensor([one["covariance"] for one in classes], dtype=torch.float64)
    means = torch.tensor([one["mean"] for one in classes], dtype=torch.float64)
    return Two(torch.tensor([1 - prior, prior], dtype=torch.float64).log(), means, torch.linalg.cholesky(covariance))


def _points(truth: Two, prior: float, seed: int) -> tuple[Tensor, Tensor]:
    """Points of both classes in proportion to the base rate; the same noise for the same seed."""
    ones = min(max(round(POINTS * prior), 4), POINTS - 4)
    y = (torch.arange(POINTS) < ones).long()
    noise = torch.randn(POINTS, 2, 1, generator=rng.seeded(seed), dtype=torch.float64)
    return truth.loc[y] + (truth.root[y] @ noise)[..., 0], y


def _fitted(x: Tensor, y: Tensor, own: bool) -> Two:
    model = GaussianMixture(2, 2, covariance="full", tied=not own).double()
    model.maximise_labelled(x, y, variance_floor=1e-6)
    return Two(model.log_prior().detach(), model.loc.detach(), model.scale_tril.detach())


def _odds(two: Two) -> Callable[[Tensor], Tensor]:
    return lambda x: two.log_joint(x)[:, 1] - two.log_joint(x)[:, 0]


def _logistic(x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
    w = curves.logistic_regression(curves.with_ones(x)[None], y[None], ridge=1e-2, steps=15)[0]
    return lambda x: curves.with_ones(x) @ w


# The race on real data -----------------------------------------------------------------------------------------------


def the_race(races: dict[str, curves.Race] | None = None) -> Explorer:
    """How many labels until the lead changes: five data sets, two pairings, every single split."""
    races = races or {name: curves.race(name, splits=4) for name in curves.SPLITS}
    figure, (curve, splits) = plots.figure(2, height=3.8, width=9.4)
    lines, here = _draw_curves(curve)
    dots, said = _draw_splits(splits)

    def draw(data: str, doublings: int, pairing: str) -> str:
        race = races[data]
        pair = curves.LEARNERS[:2] if pairing == PAIRINGS[0] else curves.LEARNERS[2:]
        at = min(doublings, len(race.sizes) - 1)
        errors = [race.errors[learner] for learner in pair]  # (m, splits) each
        for line, error in zip(lines, errors):
            line.set_data(race.sizes.numpy(), error.mean(-1).numpy())
        size = int(race.sizes[at])
        here.set_data([size, size], [0, 0.35])
        dots.set_data(*(error[at].clamp_max(EDGE).numpy() for error in errors[::-1]))
        wins, ties = int((errors[0][at] < errors[1][at]).sum()), int((errors[0][at] == errors[1][at]).sum())
        gap, error = (part[at] for part in race.gap(*pair))
        said.set_text(f"{size} labels\nnaive Bayes wins {wins} of {errors[0].shape[-1]} splits (ties: {ties})")
        return (f"{data}, {pairing}, {size} labels: error of naive Bayes {errors[0][at].mean():.3f}, of logistic "
                f"regression {errors[1][at].mean():.3f}, difference {gap:+.3f} ± {error:.3f}; naive Bayes wins "
                f"{wins} of {errors[0].shape[-1]} splits (ties: {ties}).")

    return Explorer(
        figure, draw, title="How many labels until the lead changes?", moving=[*lines, here, dots, said],
        data=choice(list(races), next(iter(races)), label="data"),
        doublings=slider(0, 7, 2, label="labels: 10, doubled so many times"),
        pairing=choice(PAIRINGS, PAIRINGS[0], label="pairing"),
    )


EDGE = 0.4  # of the errors shown: beyond it there are only few
PAIRINGS = ("shared variances, hardly any penalty", "own variances, penalty 1")


def _draw_curves(ax: Axes) -> tuple[list[Line2D], Line2D]:
    looks = [{"color": plots.PALETTE[1 - k], "ls": plots.DASHES[k], "marker": "os"[k], "ms": 5} for k in (0, 1)]
    lines = [ax.plot([], [], label=("naive Bayes", "logistic regression")[k], **looks[k])[0] for k in (0, 1)]
    (here,) = ax.plot([], [], color=plots.TRUTH, lw=1)
    ax.set(xlabel="labels", ylabel="test error", xscale="log", xlim=(8, 1600), ylim=(0, 0.35))
    ax.set_xticks(curves.SIZES, [str(size) for size in curves.SIZES])
    ax.minorticks_off()
    ax.legend(loc="upper right")
    return lines, here


def _draw_splits(ax: Axes) -> tuple[Line2D, Text]:
    (dots,) = ax.plot([], [], "o", color=plots.DATA, alpha=0.6, ms=5, clip_on=False)
    ax.plot([0, 1], [0, 1], color=plots.TRUTH, lw=1)
    ax.text(0.97, 0.05, "naive Bayes better", transform=ax.transAxes, ha="right")
    ax.set(xlabel="error of logistic regression", ylabel="error of naive Bayes", xlim=(0, EDGE), ylim=(0, EDGE))
    ax.set_title(f"each dot a split; {EDGE:g} and more stand at the edge", fontsize="small")
    return dots, ax.text(0.03, 0.97, "", transform=ax.transAxes, va="top")


# A digit behind a cover -----------------------------------------------------------------------------------------------


def cover_a_digit() -> Explorer:
    """Cover rows of a new writer's digit: what the joint makes of the rest, and what a network fed zeros does."""
    model, network = experiments.digit_model().double(), experiments.network()
    x, y = datasets.optical_digits("new")
    x, y = x[:40].double(), y[:40]
    figure, (paper, bars) = plots.figure(2, height=3.4, width=9.4, width_ratios=(3, 2))
    image = paper.imshow(pictures.tiles(x[:4], 4), **plots.INK)
    paper.set_xticks([4, 13, 22, 31], ["whole", "seen", "expected", "one draw"])
    paper.set(yticks=[])
    paper.spines[:].set_visible(False)
    looks = ({"color": plots.MODEL, "label": "joint"}, {"color": plots.WRONG, "hatch": "///", "label": "net, zeros"})
    kinds = [bars.bar([place - 0.2 + 0.4 * k for place in range(10)], 0, 0.4, edgecolor="white", **look)
             for k, look in enumerate(looks)]
    bars.set(xticks=range(10), xlabel="digit", ylabel="p(digit | what is seen)", ylim=(0, 1.25))
    bars.legend(loc="upper center", ncols=2, fontsize="small")

    def draw(digit: int, rows: int, side: str, seed: int) -> str:
        row, seen = x[digit, None], _seen(rows, side)
        expected, drawn = model.expected(row, seen), model.complete(row, seen, rng.seeded(seed))
        image.set_data(pictures.tiles(torch.cat([row, torch.where(seen, row, torch.nan), expected, drawn]), 4))
        beliefs = model.posterior(row, seen=seen)[0], network.probabilities(torch.where(seen, row, 0.0))[0]
        for bar, belief in zip(kinds, beliefs):
            for one, height in zip(bar, belief):
                one.set_height(height.item())
        best = [int(belief.argmax()) for belief in beliefs]
        return (f"A {int(y[digit])} with {rows} of 8 {'rows' if side in ('top', 'bottom') else 'columns'} covered from "
                f"the {side}. The joint: {best[0]} with probability {beliefs[0].max():.2f}; the network that is fed "
                f"zeros: {best[1]} with {beliefs[1].max():.2f}.")

    return Explorer(
        figure, draw, title="A digit behind a cover", moving=[image, *map(list, kinds)],
        digit=slider(0, 39, 9, label="which digit"),
        rows=slider(0, 8, 4, label="rows (columns) covered"),
        side=choice(["top", "bottom", "left", "right"], "top", label="from the"),
        seed=memory(0),
        again=button("Another draw", lambda values: {"seed": values["seed"] + 1}),
    )


def _seen(rows: int, side: str) -> Tensor:
    """The pixels that are left, (64,), when so many rows or columns are covered from one side."""
    place = torch.arange(8)
    left = place >= rows if side in ("top", "left") else place < 8 - rows
    seen = left[:, None].expand(8, 8) if side in ("top", "bottom") else left.expand(8, 8)
    return seen.flatten()
