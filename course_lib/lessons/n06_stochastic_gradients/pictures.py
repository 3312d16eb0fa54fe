"""The larger figures of lesson 06, drawn from numbers that the notebook computes."""

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator
from torch import Tensor

from ... import metrics, plots
from .experiments import Race
from .landscape import location_log_p


def estimates(clouds: dict[str, Tensor], truth: float) -> Figure:
    """Histograms of minibatch means (repeats,), one row a batch size, with the mean over all rows as a line."""
    figure, axes = plots.figure(rows=len(clouds), height=1.3, sharex=True)
    low, high = min(c.min() for c in clouds.values()).item(), max(c.max() for c in clouds.values()).item()
    bins = torch.linspace(low, high, 70).tolist()
    for ax, (name, cloud) in zip(axes, clouds.items()):
        plots.histogram(ax, cloud, bins=bins, color="#8fb8d8")
        ax.axvline(truth, color=plots.TRUTH, ls="--", label="mean over all rows")
        ax.set(yticks=[])
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
    axes[0].legend()
    axes[-1].set(xlabel="log p(y | x), mean over a minibatch (nats a digit)")
    return figure


def law(sizes: Tensor, measured: dict[str, list[metrics.Estimate]], curves: dict[str, Tensor]) -> Figure:
    """Variances against the batch size with two standard errors, and the law's curve on `sizes` for each."""
    figure, ax = plots.figure(height=4.0)
    for number, (name, found) in enumerate(measured.items()):
        look = {"color": plots.PALETTE[number], "marker": plots.MARKERS[number]}
        ax.errorbar(sizes, [one.value for one in found], yerr=[2 * one.error for one in found], ls="", capsize=3,
                    label=name, **look)
        ax.plot(*curves[name], color=plots.PALETTE[number], ls=plots.DASHES[number], lw=1.3)
    ax.plot([], [], color=plots.DATA, ls="-", lw=1.3, label="lines: the law, nothing fitted")
    ax.set(xlabel="rows in the minibatch", ylabel="variance of its gradient", xscale="log", yscale="log")
    ax.legend()
    return figure


def seconds_by_rows(rows: list[int], seconds: list[tuple[float, float]], place: str) -> Figure:
    """Seconds of one gradient against the number of rows: the first call, and the median of later ones."""
    figure, ax = plots.figure(height=3.4)
    first, later = zip(*seconds)
    ax.plot(rows, first, "o", mfc="none", color=plots.WRONG, label="first call")
    ax.plot(rows, later, marker="s", color=plots.MODEL, ls="-", label="later calls, median")
    ax.plot(rows, [later[-1] * n / rows[-1] for n in rows], color=plots.TRUTH, ls=":", label="proportional to N")
    ax.set(xlabel="rows N", ylabel=f"s for one gradient\n({place})", xscale="log", yscale="log")
    ax.legend()
    return figure


def race(found: list[Race], seconds_a_step: list[float]) -> Figure:
    """Steps, digits processed and seconds until the target, against the batch size."""
    figure, axes = plots.figure(3, height=3.4, width=10)
    sizes = [one.size for one in found]
    mean = torch.tensor([one.steps.mean().item() for one in found])
    error = torch.tensor([metrics.estimate(one.steps).error if len(one.steps) > 1 else 0.0 for one in found])
    size, seconds = torch.tensor(sizes), torch.tensor(seconds_a_step)
    names = ("steps", "digits processed", "seconds")
    for number, (ax, name, factor) in enumerate(zip(axes, names, (torch.ones(len(sizes)), size, seconds))):
        ax.errorbar(sizes, mean * factor, yerr=2 * error * factor, color=plots.PALETTE[number], capsize=3,
                    marker=plots.MARKERS[number], ls="-")
        ax.set(xlabel="rows in the minibatch", title=name, xscale="log", yscale="log")
        ax.yaxis.set(major_locator=LogLocator(subs=(1, 3)), major_formatter=FormatStrFormatter("%g"))
        ax.minorticks_off()
    ideal = [mean[0].item() * sizes[0] / n for n in sizes]
    axes[0].plot(sizes[:5], ideal[:5], color=plots.DATA, ls=":", label="twice the rows, half the steps")
    axes[0].legend(fontsize="small")
    return figure


def noise_floor(rates: Tensor, settled: list[metrics.Estimate], averaged: list[metrics.Estimate],
                predicted: list[float]) -> Figure:
    """The gap at which walks settle against the learning rate: measured, predicted, and that of their mean."""
    figure, ax = plots.figure(height=3.6)
    for number, (name, found) in enumerate({"the walk itself": settled, "mean of its steps": averaged}.items()):
        ax.errorbar(rates, [one.value for one in found], yerr=[2 * one.error for one in found], ls="", capsize=3,
                    color=plots.PALETTE[number], marker=plots.MARKERS[number], label=name)
    ax.plot(rates, predicted, color=plots.TRUTH, ls="--", label="theory for the walk")
    ax.set(xlabel="learning rate", ylabel="nats an e-mail\nbelow the summit", xscale="log", yscale="log")
    ax.set_xticks(rates.tolist(), [f"{rate:g}" for rate in rates])
    ax.minorticks_off()
    ax.legend()
    return figure


def low_bump(waits: Tensor, start: float, ends: dict[str, Tensor]) -> Figure:
    """The log-likelihood of one location, and where the walks of each batch size end."""
    figure, (ax, below) = plots.figure(rows=2, height=2.1, sharex=True)
    theta = torch.linspace(48, 84, 400)
    ax.plot(theta, location_log_p(theta, waits), color=plots.MODEL, ls="-")
    ax.axvline(start, color=plots.DATA, ls=":", label="start")
    stop = list(ends.values())[-1][:1]  # all rows: without chance
    ax.plot(stop, location_log_p(stop, waits), "v", color=plots.WRONG, ms=9, label="the whole gradient is 0: a bump")
    ax.set(ylabel="mean log p(x)\n(nats a wait)")
    ax.legend()
    for row, end in enumerate(ends.values()):
        below.plot(end, torch.full_like(end, row), "|", color=plots.PALETTE[row], ms=13)
    below.set_yticks(range(len(ends)), list(ends))
    below.set(xlabel="location θ (min)", ylim=(-0.6, len(ends) - 0.4))
    below.set_ylabel("rows")
    return figure
