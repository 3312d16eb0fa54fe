"""The larger figures of lesson 05, drawn from numbers that the notebook computes."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ... import plots
from ...metrics import Estimate
from ...models import BayesianNetwork

ASIA = {
    "asia": (0.0, 3.0), "smoke": (3.7, 3.0), "tub": (0.0, 2.0), "lung": (2.6, 2.0), "bronc": (4.9, 2.0),
    "either": (1.3, 1.0), "xray": (0.4, 0.0), "dysp": (3.4, 0.0),
}


def network(made: BayesianNetwork) -> Figure:
    """The graph of the chest clinic."""
    figure, ax = plots.figure(height=4.2, width=6.6)
    edges = [(parent, child) for child, parents in made.parents.items() for parent in parents]
    plots.graph(ax, ASIA, edges, observed=made.names)
    return figure


def arrival(history: dict[str, list[float]]) -> Figure:
    """How far gradient ascent's tables are from the counted ones, step by step."""
    figure, ax = plots.figure(height=3.0)
    ax.plot(history["step"], history["edge"], color=plots.WRONG, ls="--", label="rows in which a count is 0")
    ax.plot(history["step"], history["inside"], color=plots.MODEL, ls="-", label="all other rows")
    ax.set(xlabel="step of gradient ascent", ylabel="largest difference\nfrom the counts", xscale="log", yscale="log")
    ax.legend(loc="lower left")
    return figure


def smoothing(smoothings: list[float], curves: dict[str, Tensor]) -> Figure:
    """Mean KL to the truth, with its standard error, against the smoothing (which is above 0)."""
    figure, ax = plots.figure(height=3.0)
    for number, (name, values) in enumerate(curves.items()):
        mean, error = values.mean(0), values.std(0) / len(values) ** 0.5
        ax.errorbar(smoothings, mean, 2 * error, color=plots.PALETTE[number], marker=plots.MARKERS[number],
                    ls=plots.DASHES[number], capsize=3, label=name)
    ax.set(xlabel="smoothing: times each state is counted beforehand", ylabel="KL(truth, learnt) (nats)", xscale="log",
           yscale="log")
    ax.legend()
    return figure


def masks(layers: list[Tensor]) -> Figure:
    """The masks of a small network, and their product: who can hear whom in the end."""
    titles = ["hidden hears pixel", "output hears hidden", "output hears pixel"]
    paths = [*layers, (layers[1] @ layers[0] > 0).to(layers[0].dtype)]
    figure, axes = plots.figure(3, height=3.2, width=9, width_ratios=[mask.shape[1] for mask in paths])
    for ax, mask, title in zip(axes, paths, titles, strict=True):
        ax.imshow(mask.numpy(), cmap="Blues", vmin=0, vmax=1.4)
        for j, i in mask.nonzero().tolist():
            ax.text(i, j, "×", ha="center", va="center", fontsize="small", color="white")
        rows, columns = title.split(" hears ")
        ax.set(title=title, ylabel=rows, xlabel=columns, xticks=[], yticks=[], anchor="N")
    return figure


def ladder(scores: dict[str, Estimate]) -> Figure:
    """Held-out nats a digit, one bar a model, the best below, with two standard errors."""
    figure, ax = plots.figure(height=0.6 + 0.45 * len(scores))
    names = sorted(scores, key=lambda name: scores[name].value)
    values, errors = zip(*(scores[name] for name in names), strict=True)
    colours = [plots.MODEL if "pixel before" in name else plots.DATA for name in names]
    hatches = ["//" if colour == plots.MODEL else "" for colour in colours]
    ax.barh(names, values, xerr=[2 * error for error in errors], color=colours, hatch=hatches, edgecolor="white",
            capsize=3)
    ax.invert_yaxis()
    ax.set(xlabel="log p(x) of new digits (nats a digit, ± 2 standard errors)")
    return figure


def where_the_nats_fall(nats: dict[str, Tensor]) -> Figure:
    """The mean cost of the pixels written so far, one curve an order: nats (n, D) in the order of writing."""
    figure, ax = plots.figure(height=3.2)
    for number, (name, values) in enumerate(nats.items()):
        ax.plot(values.mean(0).cumsum(0), color=plots.PALETTE[number], ls=plots.DASHES[number], label=name)
    ax.set(xlabel="pixels written", ylabel="nats paid so far")
    ax.legend()
    return figure


def completions(x: Tensor, seen: Tensor, made: Tensor) -> Figure:
    """Each row: a digit x (m, 784), its seen part, and its completions made (m, times, 784)."""
    part = torch.where(seen, x, torch.nan)
    rows = torch.cat([x[:, None], part[:, None], made], 1)  # (m, times + 2, 784)
    figure, ax = plots.figure(width=8.4, height=0.15 + 0.78 * len(x))
    ax.imshow(plots.tiles(rows.flatten(0, 1), rows.shape[1]).numpy(), **plots.INK)
    middles = torch.arange(rows.shape[1]) * 28 + 13.5
    ax.set(yticks=[], xticks=middles[:2].tolist(), xticklabels=["new digit", "seen"])
    ax.xaxis.tick_top()
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.axvline(2 * 28 - 0.5, color=plots.LATENT, lw=2)
    return figure
