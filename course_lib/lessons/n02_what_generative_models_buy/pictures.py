"""The larger figures of lesson 02, drawn from numbers that the notebook computes."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ... import plots
from ...metrics import Estimate
from ...models import WeatherGenerator
from .earthquakes import WIDTH
from .weather import YEAR

CITIES = {"Seattle": (plots.MODEL, "-"), "New York": (plots.LATENT, "--")}
MONTHS = ["Jan", "Apr", "Jul", "Oct"]


def counts(ax, magnitudes: Tensor, **look) -> None:
    """How many earthquakes each bin of magnitude holds, where it holds any, on a logarithmic axis."""
    values, number = (magnitudes / WIDTH).round().unique(return_counts=True)
    ax.plot(WIDTH * values, number, ls="", **{"ms": 5, **look})
    ax.set(yscale="log", xlabel="magnitude", ylabel="earthquakes a bin of 0.1")


def two_places(first: Tensor, second: Tensor, names: tuple[str, str]) -> Figure:
    """Counts of two places on one axes."""
    figure, ax = plots.figure(height=3.4)
    counts(ax, first, marker="o", color=plots.DATA, label=names[0])
    counts(ax, second, marker="^", color=plots.LATENT, label=names[1])
    ax.legend()
    return figure


def detectors(groups: dict[str, Tensor], one: Tensor, two: list[Tensor], m: Tensor) -> Figure:
    """Alaska's counts under one detector (left) and under two (right): expected counts on a grid m, (G,) each."""
    figure, (left, right) = plots.figure(2, height=3.6, width=9, sharey=True)
    counts(left, torch.cat(list(groups.values())), marker="o", color=plots.DATA, label="all of Alaska")
    left.plot(m, one, color=plots.WRONG, ls="-", label="one law, one detector")
    for k, (name, magnitudes) in enumerate(groups.items()):
        colour = plots.component_colour(k)
        counts(right, magnitudes, marker=plots.MARKERS[k], color=colour, label=name, alpha=0.6)
        right.plot(m, two[k], color=colour, ls=plots.DASHES[k], label=f"law × detector, {name}")
    for ax in (left, right):
        ax.set(ylim=(0.5, 150), xlim=(0, 5))
        ax.legend(fontsize="small", loc="upper left")
    right.set_ylabel("")
    return figure


def seasons(simulators: dict[str, WeatherGenerator]) -> Figure:
    """The three curves of the simulator through the year, for each city."""
    day = torch.arange(366)
    figure, axes = plots.figure(3, height=3.2, width=9.5)
    for name, model in simulators.items():
        colour, dash = CITIES[name]
        for ax, curve in zip(axes, (model.rain_after_dry, model.rain_after_wet, model.mean_amount), strict=True):
            ax.plot(day, curve(day), color=colour, ls=dash, label=name)
    titles = ("chance of rain after a dry day", "chance of rain after a wet day", "mean rain on a wet day (mm)")
    for ax, title in zip(axes, titles, strict=True):
        ax.set(title=title, xlabel="time of the year", xticks=[k * YEAR / 4 for k in range(4)], xticklabels=MONTHS)
        ax.set_ylim(0, 12 if "mm" in title else 1)
    axes[0].legend()
    return figure


def memory(dry: list[int], real: Tensor, errors: Tensor, simulated: Tensor) -> Figure:
    """The chance of rain after at least k dry days: the record (k,) and the simulations' middle and band (3, k)."""
    figure, ax = plots.figure(height=3.2)
    low, middle, high = simulated
    ax.fill_between(dry, low, high, color=plots.MODEL, alpha=0.25, label="95 % of the simulations")
    ax.plot(dry, middle, color=plots.MODEL, ls="--", label="simulations, middle")
    ax.errorbar(dry, real, errors, color=plots.DATA, marker="o", ls="", capsize=4, label="the record ± standard error")
    ax.set(xlabel="after at least so many dry days", ylabel="chance of rain", ylim=(0, 0.55), xticks=dry)
    ax.legend()
    return figure


def effects(estimates: dict[str, Estimate]) -> Figure:
    """The causal graph, and estimates of its effect with one standard error, one a line."""
    figure, (left, ax) = plots.figure(2, height=2.6, width=9, width_ratios=(2, 3))
    nodes = {"$x$": (1.1, 1.3), "$t$": (0, 0), "$y$": (2.2, 0), "$u$": (2.9, 1.3)}
    arrows = [("$x$", "$t$"), ("$x$", "$y$"), ("$t$", "$y$"), ("$u$", "$y$")]
    plots.graph(left, nodes, arrows, observed=["$x$", "$t$", "$y$"])
    for row, (value, error) in enumerate(estimates.values()):
        colour = plots.WRONG if row == 0 else plots.MODEL
        ax.errorbar(value, row, xerr=error, color=colour, marker=plots.MARKERS[row], ms=8, capsize=4)
    ax.axvline(0, color=plots.DATA, lw=1)
    ax.set(xlabel="kg gained by stopping, ± standard error", ylim=(len(estimates) - 0.4, -0.6))
    ax.set_yticks(range(len(estimates)), estimates)
    return figure


def galleries(rows: dict[str, Tensor]) -> Figure:
    """Rows of galaxies (n, 28, 28), each column as bright as the first row's picture."""
    columns = len(next(iter(rows.values())))
    figure, axes = plots.figure(columns, rows=len(rows), width=9, height=0.95)
    brightest = [picture.max().item() for picture in next(iter(rows.values()))]
    for line, (name, pictures) in zip(axes, rows.items(), strict=True):
        for ax, picture, top in zip(line, pictures, brightest, strict=True):
            ax.imshow(picture, cmap="gray", vmin=0, vmax=top)
            ax.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


def learning(panels: dict[str, dict[str, list[Estimate]]], counts: dict[str, list[int]]) -> Figure:
    """Accuracy against labels a class, from labels alone and with unlabelled digits: a panel for each experiment."""
    figure, axes = plots.figure(len(panels), height=3.6, width=9.5, sharey=True)
    for ax, (name, found) in zip(axes, panels.items(), strict=True):
        for number, line in enumerate(("labels alone", "with 4,000 unlabelled", "the same, light")):
            values, errors = zip(*found[line], strict=True)
            look = {"color": plots.PALETTE[number], "ls": ("--", "-", ":")[number], "marker": plots.MARKERS[number]}
            ax.errorbar(counts[name], values, errors, ms=5, capsize=3, label=line, **look)
        ax.set(title=name, xlabel="labels a class", xscale="log", xticks=[1, 10, 100], ylim=(0.45, 1))
        ax.set_xticklabels(["1", "10", "100"])
    axes[0].set_ylabel("share of right answers")
    axes[-1].legend(loc="lower right", fontsize="small")
    return figure
