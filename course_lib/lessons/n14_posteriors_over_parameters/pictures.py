"""The larger figures of lesson 14, drawn from numbers that the notebook computes."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ... import plots
from . import network as net
from .components import Found, combine
from .langevin import Bias
from .learning_curve import SIZES, Curve
from .two_weights import NAMES


def parted(x: Tensor, y: Tensor, path: Tensor) -> Figure:
    """Left: patients (n, 2) by label, and the line where the last weights say one half. Right: the climb (T, 2)."""
    figure, (ax, climb) = plots.figure(2, height=3.6, width=9)
    for label, name in ((0.0, "healthy"), (1.0, "ill")):
        plots.points(ax, x[y == label], marker="os"[int(label)], ms=8, color=plots.PALETTE[int(label)], label=name)
    first = torch.linspace(-3, 3, 2)
    ax.plot(first, -path[-1, 0] / path[-1, 1] * first, color=plots.TRUTH, ls="--", label="p(ill) = ½")
    ax.set(xlabel=f"{NAMES[0]} (standardised)", ylabel=f"{NAMES[1]} (standardised)", xlim=(-3, 3), ylim=(-2, 3))
    ax.legend(loc="upper left")
    right = ((2 * y - 1) * (x @ path.mT).mT).sigmoid().log().sum(-1)  # log p(D | w), (T,)
    steps = range(1, len(path))
    climb.plot(steps, path[1:].norm(dim=-1), color=plots.WRONG, ls="-", label="length of w")
    climb.plot(steps, -right[1:], color=plots.MODEL, ls="--", label="−log p(D | w), nats")
    climb.set(xlabel="step of gradient ascent", xscale="log", yscale="log")
    climb.legend()
    return figure


def learning_curves(curves: dict[float, Curve], flat: Tensor) -> Figure:
    """Left: held-out log loss at the mode and averaged, by prior. Right: the gain with two standard errors."""
    figure, (ax, gain) = plots.figure(2, height=3.9, width=9.5)
    ax.plot(SIZES, flat.mean(-1), color=plots.TRUTH, marker="x", ls=":", label="almost no prior: mode")
    for number, (scale, curve) in enumerate(curves.items()):
        look = {"color": plots.PALETTE[number], "marker": plots.MARKERS[number]}
        ax.plot(SIZES, curve.at_mode.mean(-1), ls="--", mfc="white", **look, label=f"s = {scale:g}: mode")
        ax.plot(SIZES, curve.averaged.mean(-1), ls="-", **look, label=f"s = {scale:g}: average")
        error = 2 * curve.gain.std(-1) / curve.gain.shape[1] ** 0.5
        gain.errorbar([size * (1 + 0.04 * (number - 1)) for size in SIZES], curve.gain.mean(-1), yerr=error, capsize=3,
                      ls="-", **look, label=f"s = {scale:g}")
    ax.set(ylabel="held-out log loss (nats a patient)", ylim=(0.35, 1.5))
    gain.set(ylabel="gain of the average (nats)")
    gain.axhline(0, color=plots.DATA, lw=1, ls="-")
    for part in (ax, gain):
        part.set(xlabel="patients learnt from", xscale="log")
        part.set_xticks(SIZES, [str(size) for size in SIZES])
        part.minorticks_off()
    ax.legend(fontsize="small", loc="upper center")
    gain.legend()
    return figure


def bands(learn: net.Days, held: dict[str, net.Days], plug_in: Tensor, draws: Tensor) -> Figure:
    """Left: the maximum-likelihood network of every set (R, 50). Right: the posterior of the first (S, R, 50)."""
    figure, (left, right) = plots.figure(2, height=3.9, width=10, sharey=True)
    day = torch.arange(0.0, 366.0, 3.0)
    x = net.standard(day)
    centre, spread = learn.centre[:1], learn.spread[:1]
    for number, w in enumerate(plug_in):
        mean = net.network(w, x) * learn.spread[number] + learn.centre[number]
        label = "maximum likelihood, six sets" if number == 0 else None
        left.plot(day, mean, color=plots.WRONG, lw=1.2, ls=plots.DASHES[number], label=label)
    means = net.network(draws[:, 0], x)  # (S, m)
    noisy = means + draws[:, 0, -1:].exp() * torch.randn(means.shape, generator=torch.Generator().manual_seed(0))
    for values, colour, name in ((noisy, "#b9d7ea", "90 % of temperatures"), (means, "#5ba3cf", "90 % of mean curves")):
        lower, upper = values.quantile(torch.tensor([0.05, 0.95]), 0) * spread + centre
        right.fill_between(day, lower, upper, color=colour, label=name)
    right.plot(day, (means.mean(0) * spread + centre)[0], color=plots.TRUTH, ls="-", label="their mean")
    _days(left, learn, held)
    _days(right, learn, held)
    left.set(ylabel="warmest temperature (°C)", ylim=(-15, 50))
    return figure


def _days(ax: Axes, learn: net.Days, held: dict[str, net.Days]) -> None:
    def show(data: net.Days, **look) -> None:
        ax.plot(105 * data.x[0] + 182.5, data.y[0] * data.spread[0] + data.centre[0], ls="", **look)

    show(learn, marker="o", ms=4, color=plots.DATA, label="learnt from")
    show(held[net.PLACES[2]], marker="x", ms=5, color=plots.LATENT, label="summers, not seen")
    ax.axvspan(*net.GAP, color="#eeeeee", zorder=0)
    ax.set(xlabel="day of the year", xlim=(0, 365))
    ax.legend(fontsize="small", loc="upper left", ncols=2)


def step_size_bias(found: dict[str, Bias]) -> Figure:
    """How much too wide the chains settle: theory as lines, measured points with two standard errors."""
    figure, ax = plots.figure(height=3.4)
    for number, (name, one) in enumerate(found.items()):
        colour = plots.PALETTE[number]
        ax.plot(one.steps, one.theory, color=colour, ls=plots.DASHES[number], label=f"{name}: theory")
        ax.errorbar(one.steps, one.measured, yerr=2 * one.error, color=colour, marker=plots.MARKERS[number], ls="",
                    capsize=3, label=f"{name}: measured")
    ax.set(xlabel="step size (posterior standard deviations)", ylabel="variance, relative error", xscale="log",
           yscale="log")
    ticks = [0.1, 0.2, 0.3, 0.5, 1.0]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks([0.05, 0.1, 0.2, 0.5], ["5 %", "10 %", "20 %", "50 %"])
    ax.minorticks_off()
    ax.legend()
    return figure


def evidence_by_components(tables: dict[str, list[Found]], bic: Tensor) -> Figure:
    """log p(D | K) under several priors with two standard errors, and -BIC / 2."""
    figure, ax = plots.figure(height=4.2)
    for number, (name, row) in enumerate(tables.items()):
        values, errors = zip(*(combine(found.log_evidence) for found in row), strict=True)
        ax.errorbar(range(1, len(row) + 1), values, yerr=[2 * error for error in errors], capsize=3,
                    color=plots.PALETTE[number], marker=plots.MARKERS[number], ls=plots.DASHES[number],
                    label=f"evidence, prior {name}")
    ax.plot(range(1, len(bic) + 1), -bic / 2, color=plots.TRUTH, marker="x", ls=":", label="−BIC / 2 of notebook 08")
    ax.set(xlabel="components K", ylabel="log p(D | K) (nats)", ylim=(-250, -214), xticks=range(1, len(bic) + 1))
    ax.legend(loc="lower right")
    return figure
