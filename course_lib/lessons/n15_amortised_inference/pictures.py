"""The larger figures of lesson 15, drawn from numbers that the notebook computes."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ... import metrics, plots
from .collapse import Patient
from .gradients import SignalToNoise
from .ladder import Rung

LOOKS = {  # of a family of rungs, by how its name begins: colour, marker
    "ELBO": (plots.LATENT, "s"), "IWAE": (plots.MODEL, "o"), "prior": ("#8c6d31", "^"), "annealing": ("#009E73", "D"),
}


def two_gaps(approximation: Tensor, amortisation: Tensor) -> Figure:
    """Left: both parts of the gap of every picture, the largest first. Right: their distributions, with the means."""
    figure, (ax, right) = plots.figure(2, height=3.8, width=10, width_ratios=(3, 2))
    order = (approximation + amortisation).argsort(descending=True)
    low, high = approximation[order], amortisation[order]
    place = torch.arange(len(order))
    ax.bar(place, low, width=1, color=plots.LATENT, label="approximation gap: left by the best of this shape")
    ax.bar(place, high, width=1, bottom=low, color=plots.MODEL, hatch="///", edgecolor="white", lw=0,
           label="amortisation gap: the network's is not the best")
    ax.set(xlabel="pictures, the largest gap first", ylabel="log p(x) − ELBO (nats)")
    ax.legend()
    edges = torch.logspace(-3, 2, 26)
    looks = {"approximation": (approximation, plots.LATENT, "-"), "amortisation": (amortisation, plots.MODEL, "--")}
    for height, (name, (values, colour, dash)) in enumerate(looks.items()):
        value, error = metrics.estimate(values)
        right.hist(values.clamp(1e-3, 99), bins=edges, histtype="step", color=colour, ls=dash, lw=2, label=name)
        right.errorbar(value, -2 - 2 * height, xerr=2 * error, color=colour, marker="o", capsize=4, ls="")
    right.axhline(0, color=plots.DATA, lw=0.8, ls="-")
    right.text(0.02, 0.02, "points: means ± 2 errors", transform=right.transAxes, fontsize="small")
    right.set(xscale="log", xlabel="gap (nats)", ylabel="pictures", xlim=(1e-3, 100))
    right.set_yticks([tick for tick in right.get_yticks() if tick >= 0])
    right.set_ylim(bottom=-6)
    right.legend(fontsize="small", loc="upper left")
    return figure


def more_draws(sizes: list[int], gaps: dict[str, Tensor], signals: dict[int, SignalToNoise]) -> Figure:
    """Left: how far the bound with K draws is below log p(x), gaps (sizes, n). Right: gradients' signal to noise."""
    figure, (ax, right) = plots.figure(2, height=3.6, width=10)
    for number, (name, values) in enumerate(gaps.items()):
        found = [metrics.estimate(row) for row in values]
        ax.errorbar(sizes, [gap.value for gap in found], yerr=[2 * gap.error for gap in found], capsize=3,
                    color=plots.PALETTE[number], marker=plots.MARKERS[number], ls=plots.DASHES[number], label=name)
    ax.set(xscale="log", yscale="log", xlabel="K, draws a picture", ylabel="log p(x) − bound (nats)")
    ax.legend(fontsize="small")
    for number, name in enumerate(("decoder", "encoder")):
        logs = [metrics.estimate(getattr(signal, name)) for signal in signals.values()]
        centre = torch.tensor([log.value for log in logs]).exp()
        factor = (2 * torch.tensor([log.error for log in logs])).exp()
        reach = torch.stack([centre - centre / factor, centre * factor - centre])
        look = {"color": plots.PALETTE[number + 2], "marker": plots.MARKERS[number + 2], "ls": plots.DASHES[number]}
        right.errorbar(list(signals), centre, yerr=reach, capsize=3, label=name, **look)
    right.set(xscale="log", yscale="log", xlabel="K, draws a picture", ylabel="signal / noise of a gradient")
    right.legend(fontsize="small")
    return figure


def bound_ladder(rungs: list[Rung]) -> Figure:
    """Every estimate, in nats from log p(x), with its error bar and what it costs; the truth is the line at 0."""
    figure, ax = plots.figure(height=0.27 * len(rungs) + 0.9, width=9)
    for place, rung in enumerate(rungs):
        colour, marker = next(look for start, look in LOOKS.items() if rung.name.startswith(start))
        value, error = rung.estimate
        ax.errorbar(value, place, xerr=2 * error, color=colour, marker=marker, ms=7, capsize=3, ls="")
        ax.text(1.02, place, f"{1e3 * rung.seconds:.2g} ms", transform=ax.get_yaxis_transform(), va="center", ha="left")
    ax.axvline(0, color=plots.TRUTH, ls="--", lw=1.5)
    ax.set_yticks(range(len(rungs)), [rung.name for rung in rungs])
    ax.set_xscale("symlog", linthresh=0.1)
    ticks = [-10, -3, -1, -0.3, -0.1, 0, 0.1]
    ax.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    ax.minorticks_off()
    ax.set(ylim=(len(rungs) - 0.4, -0.6),
           xlabel="estimate − exact log p(x), nats a digit (± 2 errors; linear between −0.1 and 0.1)",
           title="dashed: exact log p(x), on the grid            right: milliseconds a digit")
    return figure


def collapse(patients: dict[str, Patient]) -> Figure:
    """Every treatment by its two vital signs."""
    figure, ax = plots.figure(height=4, width=8)
    for number, (name, patient) in enumerate(patients.items()):
        kl, log_p = patient.signs
        ax.errorbar(kl.value + 1e-4, log_p.value, xerr=2 * kl.error, yerr=2 * log_p.error, capsize=3, ls="",
                    color=plots.PALETTE[number], marker=plots.MARKERS[number], ms=8, label=name)
    ax.axvspan(1e-4, 0.05, color="#e8e8e8", zorder=0)
    ax.text(0.004, ax.get_ylim()[0], "dead, in exercise 4", va="bottom", ha="center")
    ax.set(xscale="log", xlim=(3e-4, 5), xlabel="KL(q(z | x)‖prior), nats a digit", ylabel="log p(x), nats a digit")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    return figure


def few_labels(counts: list[int], found: dict[str, list[metrics.Estimate]]) -> Figure:
    """Right answers against labels a class, four ways to learn."""
    figure, ax = plots.figure(height=3.8, width=7.5)
    names = [name for name in found if name.startswith(("naive", "network"))]
    for number, name in enumerate(names):
        shift = [count * 1.06 ** (number - 1.5) for count in counts]
        values, errors = zip(*found[name])
        look = {"ls": "--"} if number % 2 else {"ls": ":", "mfc": "white"}
        ax.errorbar(shift, values, yerr=[2 * error for error in errors], capsize=3, color=plots.PALETTE[number // 2],
                    marker=plots.MARKERS[number], label=name, **look)
    ax.set(xscale="log", xlabel="labels a class", ylabel="right answers (%), ± 2 errors over deals")
    ax.set_xticks(counts, [str(count) for count in counts])
    ax.minorticks_off()
    ax.legend(fontsize="small", loc="lower right")
    return figure


def bits_ladder(bits: dict[str, metrics.Estimate], hidden: set[str]) -> Figure:
    """Held-out bits a pixel, best at the top; models with latents are hatched."""
    figure, ax = plots.figure(height=0.36 * len(bits) + 0.9, width=9)
    names = sorted(bits, key=lambda name: -bits[name].value)
    for place, name in enumerate(names):
        value, error = bits[name]
        latent = name in hidden
        ax.barh(place, value, xerr=2 * error, height=0.7, edgecolor="white", hatch="//" if latent else "",
                color=plots.LATENT if latent else plots.MODEL)
        ax.text(value + 2 * error + 0.004, place, f"{value:.3f}", va="center")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="bits a pixel (± 2 errors); hatched: with a latent variable",
           xlim=(0, 1.12 * bits[names[0]].value))
    return figure
