"""The figures of lesson 01, drawn from numbers that the notebook computes."""

from collections.abc import Callable, Sequence

import contourpy
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from ... import plots
from ...models import GaussianMixture
from .curves import LEARNERS, Race

LOOKS = ({"color": plots.PALETTE[1], "marker": "o"}, {"color": plots.PALETTE[2], "marker": "^"})  # of the two classes
SPECIES = ("Adelie", "Chinstrap")
BILL = {"xlabel": "length of the bill (mm)", "ylabel": "depth of the bill (mm)"}
SCALE = 16  # a pixel holds 0 to 16 sixteenths


def birds(ax: Axes, x: Tensor, y: Tensor, names: Sequence[str] = SPECIES, **look) -> list[Line2D]:
    """Two classes of points, x (n, 2): orange circles and green triangles."""
    return [plots.points(ax, x[y == k], label=f"{name}", **LOOKS[k] | look) for k, name in enumerate(names)]


def scatter(x: Tensor, y: Tensor, stranger: Tensor) -> Figure:
    """The birds of both species, and one whose species is asked for."""
    figure, ax = plots.figure(height=3.4, width=6.5)
    birds(ax, x, y)
    ax.plot(*stranger.tolist(), "*", color=plots.TRUTH, ms=16, label="which?")
    ax.set(**BILL)
    ax.legend(loc="lower right")
    return figure


def level_line(first: Tensor, second: Tensor, values: Tensor, *levels: float) -> np.ndarray:
    """Where values (len(second), len(first)) cross a level (without any: 0): points (m, 2), pieces parted by NaN."""
    found = contourpy.contour_generator(first.numpy(), second.numpy(), values.numpy())
    lines = [line for level in levels or (0.0,) for line in found.lines(level)]
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for line in lines for part in (line, gap)]) if lines else gap


def lattice(first: Tensor, second: Tensor) -> Tensor:
    """All points of a grid, (len(second) * len(first), 2)."""
    return torch.stack(torch.meshgrid(first, second, indexing="xy"), -1).flatten(0, 1)


def boundaries(x: Tensor, y: Tensor, log_odds: dict[str, Callable[[Tensor], Tensor]]) -> Figure:
    """The birds, and for each rule the line on which both species are equally probable."""
    figure, ax = plots.figure(height=4.2, width=7.5)
    birds(ax, x, y, alpha=0.5)
    first, second = torch.linspace(31, 60, 150), torch.linspace(14.5, 22, 150)
    for number, (name, rule) in enumerate(log_odds.items()):
        with torch.no_grad():
            values = rule(lattice(first, second)).view(150, 150)
        line = level_line(first, second, values)
        look = {"color": plots.PALETTE[(0, 6, 3)[number]], "ls": plots.DASHES[number], "lw": 2}
        ax.plot(*line.T, label=name, **look)
    ax.set(xlim=(31, 60), ylim=(14.5, 22), **BILL)
    ax.legend(loc="lower right", fontsize="small")
    return figure


def learning_curves(races: dict[str, Race]) -> Figure:
    """Test error against the number of labels, a panel a data set, bands of two standard errors."""
    figure, axes = plots.figure(3, rows=2, height=2.7, width=10)
    for ax, (name, race) in zip(axes.flat, races.items()):
        for learner, colour, marker, dash in zip(LEARNERS, plots.PALETTE[1::-1], "os", ("-", "--")):
            curve(ax, race.sizes, race.errors[learner], color=colour, marker=marker, ls=dash, label=learner)
        ax.set(title=name, xscale="log", xlabel="labels", ylim=(0, None))
        _label_sizes(ax, race.sizes)
    for ax in axes[:, 0]:
        ax.set_ylabel("test error")
    axes.flat[-1].axis("off")
    axes.flat[-1].legend(*axes.flat[0].get_legend_handles_labels(), loc="center")
    return figure


def curve(ax: Axes, sizes: Tensor, errors: Tensor, **look) -> Line2D:
    """The mean of errors (m, splits) with a band of two standard errors."""
    mean, error = errors.mean(-1), 2 * errors.std(-1) / errors.shape[-1] ** 0.5
    ax.fill_between(sizes, mean - error, mean + error, color=look["color"], alpha=0.2, lw=0)
    return ax.plot(sizes, mean, ms=5, **look)[0]


def _label_sizes(ax: Axes, sizes: Tensor) -> None:
    ax.set_xticks(sizes[::2].tolist(), [str(size) for size in sizes[::2].tolist()])
    ax.minorticks_off()


def two_pairings(races: dict[str, Race]) -> Figure:
    """The difference of errors, naive Bayes minus logistic regression, with two standard errors, for both pairings."""
    figure, axes = plots.figure(2, height=3.8, width=10, sharey=True)
    titles = ("shared variances, hardly any penalty", "own variances, penalty 1")
    for ax, title, pair in zip(axes, titles, (LEARNERS[:2], LEARNERS[2:])):
        for number, (name, race) in enumerate(races.items()):
            gap, error = race.gap(*pair)
            ax.errorbar(race.sizes, gap, 2 * error, color=plots.PALETTE[number], ls=plots.DASHES[number], label=name,
                        marker=plots.MARKERS[number], ms=5, lw=1.5)
        ax.axhline(0, color=plots.TRUTH, lw=1)
        ax.set(title=title, xscale="log", xlabel="labels")
        _label_sizes(ax, next(iter(races.values())).sizes)
    axes[0].set_ylabel("error of naive Bayes minus\nerror of logistic regression")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def simulated(x: Tensor, y: Tensor, x_new: Tensor, y_new: Tensor, digits: Tensor, dreamt: Tensor) -> Figure:
    """Left and middle: real and simulated birds. Right: real digits above, simulated ones below."""
    figure, axes = plots.figure(3, height=3.4, width=11, width_ratios=(1, 1, 1.15))
    for ax, title, points, labels in zip(axes, ("real", "simulated"), (x, x_new), (y, y_new)):
        birds(ax, points, labels)
        ax.set(title=title, xlim=(31, 60), ylim=(14.5, 22), **BILL)
    axes[0].legend(loc="lower right", fontsize="small")
    axes[2].imshow(np.concatenate([tiles(digits, 10), np.full((2, 90), 0.4), tiles(dreamt, 10)]), **plots.INK)
    axes[2].set(title="above real digits, below simulated", xticks=[], yticks=[])
    axes[2].spines[:].set_visible(False)
    return figure


def tiles(pictures: Tensor, columns: int) -> np.ndarray:
    """Pictures (n, 64) side by side, each 8 × 8 with a margin of one pixel of paper."""
    square = torch.nn.functional.pad(pictures.detach().clamp(0, 1).view(-1, columns, 8, 8), (0, 1, 0, 1))
    return square.transpose(1, 2).flatten(2).flatten(0, 1).numpy()  # (9 rows, 9 columns)


def fillings(x: Tensor, seen: Tensor, expected: Tensor, draws: Tensor) -> Figure:
    """Digits x (n, 64), what is seen of them, what the model expects, and draws (rows, n, 64)."""
    figure, ax = plots.figure(height=4.4, width=8.6)
    n = len(x)
    rows = [tiles(part, n) for part in (x, torch.where(seen, x, torch.nan), expected, *draws)]
    ax.imshow(np.concatenate(rows), **plots.INK)
    names = ["whole", "covered", "expected", *(f"draw {k + 1}" for k in range(len(draws)))]
    ax.set_yticks([9 * k + 4 for k in range(len(names))], names)
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return figure


def surprise(scores: dict[str, Tensor], marks: dict[str, float]) -> Figure:
    """Histograms of log p(x), one row a kind of picture, and the values of single pictures as lines."""
    figure, axes = plots.figure(rows=len(scores), height=1.0, width=8.5, sharex=True)
    bins = torch.linspace(-450, 80, 107)
    for number, (ax, (name, values)) in enumerate(zip(axes, scores.items())):
        ax.hist(values.clamp(-450, 80), bins=bins, color=plots.PALETTE[number], label=name)
        ax.text(0.12, 0.85, name, transform=ax.transAxes, va="top")
        ax.set_yticks([])
        for place, (mark, value) in enumerate(marks.items()):
            ax.axvline(value, color=plots.TRUTH, ls=plots.DASHES[1 + 2 * place], lw=1.5, label=mark)
    handles = axes[0].get_lines()
    axes[-1].set(xlabel="log p(x), nats a picture (those below −450 are put there)")
    figure.legend(handles, list(marks), loc="outside upper right", ncols=len(marks), fontsize="small")
    return figure


def outline(model: GaussianMixture, k: int) -> Tensor:
    """The contour at two standard deviations of component k in two dimensions: (2, 80)."""
    turn = torch.linspace(0, 2 * torch.pi, 80)
    return (model.loc[k, :, None] + 2 * model.scale_tril[k] @ torch.stack([turn.cos(), turn.sin()])).detach()
