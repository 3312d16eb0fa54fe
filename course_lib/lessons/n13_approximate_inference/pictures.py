"""The larger figures of lesson 13, drawn from numbers that the notebook computes."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter
from torch import Tensor

from ... import plots
from ...inference import oracle
from ...inference.approximation import GaussianApproximation
from ...models import DeepLatentVariableModel
from .race import Entry, Race
from .truth import Cells, log_joint_table

SHADE = {"cmap": "Greys", "vmin": 0}
LOOKS = {  # colour, marker, dash of each method
    "MAP": ("#000000", "X", "-"), "Laplace": ("#D55E00", "s", "--"), "mean field": ("#CC79A7", "D", "-."),
    "full covariance": ("#0072B2", "o", "-"), "importance sampling": ("#009E73", "P", "--"),
    "Metropolis": ("#56B4E9", "^", ":"), "Langevin": ("#E69F00", "v", "-."), "Hamiltonian": ("#8c6d31", "<", "-"),
    "AIS": ("#4d4d4d", "*", ":"),
}


def four_posteriors(race: Race, digits: list[int], fitted: dict[str, GaussianApproximation]) -> Figure:
    """The exact posteriors of four digits, and every method's Gaussian for them at two standard deviations."""
    figure, axes = plots.figure(4, height=3.2, width=11)
    for ax, digit in zip(axes, digits):
        mean, deviation = race.truth.mean[digit], race.truth.covariance[digit].diagonal().sqrt()
        window = torch.stack([mean - 3.5 * deviation, mean + 3.5 * deviation])
        ax.imshow(density_in(race.model, race.x[digit, None], window).mT.numpy(), origin="lower", aspect="auto",
                  extent=tuple(window.mT.flatten().tolist()), **SHADE)
        for name, gaussian in fitted.items():
            colour, _, dash = LOOKS[name]
            ax.plot(*ring(gaussian.loc[digit], gaussian.scale_tril[digit]), color=colour, ls=dash, lw=2, label=name)
        ax.set(xlim=window[:, 0].tolist(), ylim=window[:, 1].tolist(), xlabel="$z_1$", title=f"digit {digit}")
    axes[0].set_ylabel("$z_2$")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


@torch.no_grad()
def density_in(model: DeepLatentVariableModel, x: Tensor, window: Tensor, size: int = 60) -> Tensor:
    """p(z | x) relative to its maximum, on size × size points of a window (2, 2): z_1 along the rows."""
    unit = oracle.grid(0, 1, size, dimensions=2)[0].to(window)
    table = log_joint_table(model, x, torch.lerp(window[0], window[1], unit).to(x))[0]
    return (table - table.max()).exp().reshape(size, size)


def ring(loc: Tensor, root: Tensor, deviations: float = 2.0) -> Tensor:
    """The contour of N(loc, root root^T) at so many standard deviations, (2, 80)."""
    turn = torch.linspace(0, 2 * math.pi, 80, dtype=root.dtype)
    return loc[:, None] + deviations * root @ torch.stack([turn.cos(), turn.sin()])


def the_race(entries: list[Entry], floor: float, methods: list[str]) -> Figure:
    """Left: the mean divergence against seconds a digit, budget after budget. Right: every digit at the last one."""
    figure, (ax, strip) = plots.figure(2, height=5, width=11, sharey=True, width_ratios=(3, 2))
    for place, method in enumerate(methods):
        colour, marker, dash = LOOKS[method]
        runs = [entry for entry in entries if entry.method == method]
        values = torch.stack([run.divergence for run in runs])  # (budgets, n)
        errors = 2 * values.std(-1) / math.sqrt(values.shape[-1])
        ax.errorbar([1e3 * run.seconds for run in runs], values.mean(-1), yerr=errors, color=colour, marker=marker,
                    ls=dash, lw=1.5, ms=7, capsize=3, label=method)
        jitter = place + torch.linspace(-0.3, 0.3, values.shape[-1])
        strip.plot(jitter, values[-1], ls="", marker=marker, ms=4, color=colour, alpha=0.6)
        strip.plot([place - 0.4, place + 0.4], [values[-1].median()] * 2, color=plots.TRUTH, ls="-", lw=2)
    for axes in (ax, strip):
        _limits(axes, floor)
    ax.set(xscale="log", yscale="log", xlabel="milliseconds a digit, on this machine")
    ax.xaxis.set(major_locator=LogLocator(subs=(1, 3)), major_formatter=FormatStrFormatter("%g"),
                 minor_formatter=NullFormatter())
    ax.set(ylabel="KL(q‖p) in 36 cells (nats)")
    strip.set(xlabel="every digit at the largest budget; bar: the median")
    strip.set_xticks(range(len(methods)), methods, rotation=35, ha="right")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def _limits(ax: Axes, floor: float) -> None:
    """The two lines between which every divergence lies."""
    ax.axhline(math.log(Cells.number), color=plots.DATA, ls="--", lw=1.2)
    ax.axhline(floor, color=plots.TRUTH, ls=":", lw=1.5)
    right = {"transform": ax.get_yaxis_transform(), "ha": "right", "fontsize": "small"}
    ax.text(0.99, 1.05 * math.log(Cells.number), "all in one cell", va="bottom", **right)
    ax.text(0.99, 0.95 * floor, "exact draws", va="top", **right)


def evidence_errors(race: Race, methods: list[str]) -> Figure:
    """For each method that estimates log p(x): how far it is off, digit by digit."""
    figure, ax = plots.figure(height=3.6, width=8)
    for place, method in enumerate(methods):
        colour, marker, _ = LOOKS[method]
        off = race.last(method).log_evidence - race.truth.log_evidence
        ax.plot(off, place + torch.linspace(-0.3, 0.3, len(off)), ls="", marker=marker, ms=5, color=colour, alpha=0.7)
    ax.axvline(0, color=plots.TRUTH, ls="--", lw=1.2)
    ax.set_yticks(range(len(methods)), methods)
    ax.set_xscale("symlog", linthresh=0.1)
    ticks = [-10, -1, -0.1, 0, 0.1, 1]
    ax.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    ax.set(xlabel="estimate of log p(x) − truth (nats; linear between −0.1 and 0.1)", ylim=(len(methods) - 0.5, -0.5))
    ax.margins(x=0.05)
    return figure


def growth(sizes: list[int], seconds: list[float], together: tuple[int, float]) -> Figure:
    """Seconds against the number of digits, one after another, and at once."""
    figure, ax = plots.figure(height=3.2)
    reach = torch.tensor([1.0, 60_000.0])
    slope, shared = seconds[-1] / sizes[-1], together[1] / together[0]
    hours = "60,000 would take {:.1f} hours"
    ax.plot(reach, slope * reach, color=plots.MODEL, ls="--", lw=1.2, label=hours.format(slope * 60_000 / 3600))
    ax.plot(sizes, seconds, color=plots.MODEL, ls="", marker="o", ms=8, label="one after another")
    ax.plot(*together, color=plots.LATENT, ls="", marker="s", ms=8, label="all at once, in one batch")
    ax.plot(reach, shared * reach, color=plots.LATENT, ls=":", lw=1.2, label=hours.format(shared * 60_000 / 3600))
    ax.axvline(60_000, color=plots.DATA, ls=":", lw=1.2)
    ax.set(xscale="log", yscale="log", xlabel="digits (dotted: 60,000)", ylabel="seconds, on this machine")
    ax.legend()
    return figure


def traces(runs: dict[str, Tensor], centres: Tensor, verdicts: dict[str, str]) -> Figure:
    """The second coordinate of four chains (draws, 4, 2) for each way to begin; dashed: the two modes."""
    figure, axes = plots.figure(len(runs), height=3.2, width=9.5, sharey=True)
    for ax, (name, z) in zip(axes, runs.items()):
        for k in range(z.shape[1]):
            ax.plot(z[:, k, 1], color=plots.PALETTE[k], ls=plots.DASHES[k], lw=0.8)
        for centre in centres:
            ax.axhline(centre[1], color=plots.TRUTH, ls="--", lw=1)
        ax.set(xlabel="draw", title=f"{name}\n{verdicts[name]}")
    axes[0].set(ylabel="$z_2$")
    return figure
