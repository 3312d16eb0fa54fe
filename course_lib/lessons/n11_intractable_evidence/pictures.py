"""The larger figures of lesson 11, drawn from numbers that the notebook computes."""

import math

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ... import plots
from ...inference.annealing import Sandwich
from ...metrics import estimate
from .experiments import Block
from .grids import AGE_OF_THE_UNIVERSE, YEAR, Growth


def price_of_a_grid(dimensions: list[int], seconds: list[Tensor], line: Growth) -> Figure:
    """Left: seconds against the dimension, all repeats. Right: the line through the last three, to 64 dimensions."""
    figure, (near, far) = plots.figure(2, height=3.6, width=9)
    for ax, last in ((near, 5.4), (far, 66)):
        x = torch.linspace(1, last, 50)
        ax.plot(x, [10 ** line.log10_seconds(d).value for d in x.tolist()], color=plots.MODEL, ls="--",
                label="line through d = 3, 4, 5")
        for d, repeats in zip(dimensions, seconds):
            ax.plot([d] * len(repeats), repeats, "o", color=plots.DATA, ms=5, label="measured" if d == 1 else None)
        ax.set(xlabel="dimension d of z", yscale="log")
    for d in (20, 64):
        value, error = line.log10_seconds(d)
        low, middle, high = (10 ** (value + away * error) for away in (-2, 0, 2))
        far.errorbar([d], [middle], yerr=[[middle - low], [high - middle]], color=plots.LATENT, marker="s", ls="",
                     capsize=4)
    for height, name, look in ((YEAR, "a year", ":"), (AGE_OF_THE_UNIVERSE, "age of the universe", "-.")):
        far.axhline(height, color=plots.TRUTH, ls=look, lw=1.2)
        far.text(65, height * 4, name, ha="right", va="bottom", fontsize="small")
    near.set(ylabel="seconds for one digit")
    near.legend()
    far.set_yticks([10.0**power for power in (0, 20, 40, 60, 80)])
    far.minorticks_off()
    return figure


def disaster(log_weights: dict[int, Tensor]) -> Figure:
    """Histograms of log w - log p(x) under the prior, one panel a number of latents (S,), the truth at zero."""
    figure, axes = plots.figure(len(log_weights), height=3.2, width=10)
    for ax, (latents, values) in zip(axes, log_weights.items()):
        ax.hist(values, bins=50, color="#c8c8c8", edgecolor="white")
        ax.axvline(0, color=plots.TRUTH, ls="--", lw=2)
        largest, height = values.max().item(), ax.get_ylim()[1]
        ax.plot([largest], [0.03 * height], "v", color=plots.LATENT, ms=10, clip_on=False)
        said = f"largest: {largest:+,.1f}".replace("-", "−")
        ax.text(0.04, 0.97, said, transform=ax.transAxes, va="top", color="#a04000")
        ax.set(title=f"{latents} latents", xlabel="log w − log p(x) (nats)", ylim=(0, 1.25 * height))
        ax.locator_params(axis="x", nbins=4)
    axes[0].set_ylabel("draws")
    return figure


def bias(draws: list[int], measured: list[Tensor], predicted: list[Tensor], claimed: list[Tensor]) -> Figure:
    """How much too low the log of an average is: one value a digit, (n,), for each number of draws."""
    figure, ax = plots.figure(height=3.6)
    found = [estimate(-values) for values in measured]
    ax.errorbar(draws, [one.value for one in found], yerr=[2 * one.error for one in found], color=plots.MODEL,
                marker="o", ls="-", capsize=4, label="measured, ± 2 standard errors over digits")
    ax.plot(draws, [-values.mean() for values in predicted], color=plots.LATENT, marker="s", ls="--",
            label="delta method, true variance")
    ax.plot(draws, [-values.mean() for values in claimed], color=plots.WRONG, marker="^", ls=":",
            label="delta method, variance of the draws themselves")
    ax.axhline(0.5, color=plots.DATA, ls="-", lw=1)
    ax.text(draws[-1], 0.55, "half a nat", ha="right", va="bottom", fontsize="small")
    ax.set(xlabel="draws S", ylabel="too low by (nats)", xscale="log", yscale="log")
    ax.legend()
    return figure


def needed(latents: list[int], divergences: list[Tensor], decoder: Tensor) -> Figure:
    """log10 of exp(KL): median, and from the smallest to the largest digit, (n,) for each number of latents."""
    figure, ax = plots.figure(height=3.6)
    scale = 1 / math.log(10)
    middle = [values.median().item() * scale for values in divergences]
    ends = [[middle[i] - values.min().item() * scale for i, values in enumerate(divergences)],
            [values.max().item() * scale - middle[i] for i, values in enumerate(divergences)]]
    ax.errorbar(latents, middle, yerr=ends, color=plots.MODEL, marker="o", ls="-", capsize=4,
                label="PPCA: median, smallest and largest of all digits")
    middle, low, high = (value.item() * scale for value in (decoder.median(), decoder.min(), decoder.max()))
    ax.errorbar([0.7], [middle], yerr=[[middle - low], [high - middle]], color=plots.LATENT, marker="s", ls="",
                capsize=4, label="notebook 10's decoder (2 latents), likewise")
    for height, name in ((6, "a million: a second's work"), (9 + math.log10(YEAR), "a year of a billion a second")):
        ax.axhline(height, color=plots.TRUTH, ls=":", lw=1.2)
        ax.text(66, height + 0.8, name, ha="right", va="bottom", fontsize="small")
    ax.set(xlabel="latents M", ylabel="log10 of the draws needed", ylim=(0, None))
    ax.legend(loc="upper left")
    return figure


def honest(sizes: list[int], blocks: list[Block]) -> Figure:
    """The mean error of blocks of so many draws beside the mean standard error that they claim."""
    figure, ax = plots.figure(height=3.3)
    found = [estimate(-block.errors) for block in blocks]
    ax.errorbar(sizes, [one.value for one in found], yerr=[2 * one.error for one in found], color=plots.MODEL,
                marker="o", ls="-", capsize=4, label="error (± 2 standard errors over repeats)")
    ax.plot(sizes, [block.claimed.mean() for block in blocks], color=plots.WRONG, marker="^", ls=":",
            label="standard error that it claims")
    fall = [found[0].value * math.sqrt(sizes[0] / size) for size in sizes]
    ax.plot(sizes, fall, color=plots.TRUTH, ls="--", label="what $1/\\sqrt{S}$ would promise")
    ax.set(xlabel="draws S", ylabel="nats", xscale="log", yscale="log", ylim=(0.5, 3000))
    ax.legend(loc="lower left", bbox_to_anchor=(0.02, 0.12))
    return figure


def sandwich(steps: list[int], bounds: list[Sandwich]) -> Figure:
    """Lower and upper estimates minus the truth, (runs,) for each number of steps, squeezed towards zero."""
    figure, ax = plots.figure(height=3.6)
    looks = (("upper", plots.LATENT, "v", "--", "down from the posterior: too high on average"),
             ("lower", plots.MODEL, "^", "-", "up from the prior: too low on average"))
    for name, colour, marker, dashes, label in looks:
        found = [estimate(getattr(bound, name)) for bound in bounds]
        ax.errorbar(steps, [one.value for one in found], yerr=[2 * one.error for one in found], color=colour,
                    marker=marker, ls=dashes, capsize=4, label=label)
    ax.axhline(0, color=plots.TRUTH, ls=":", label="log p(x), closed form")
    ax.set_yscale("symlog", linthresh=1)
    ax.set(xlabel="steps of temperature T", ylabel="estimate − log p(x) (nats)", xscale="log")
    ax.set_yticks([-100, -10, -1, 0, 1, 10, 100], ["−100", "−10", "−1", "0", "1", "10", "100"])
    ax.set_ylim(-500, 2000)
    ax.set_xticks(steps, [str(T) for T in steps])
    ax.minorticks_off()
    ax.legend(loc="upper right")
    return figure


def budget(errors: dict[int, dict[str, Tensor]]) -> Figure:
    """Root mean square error of every way to spend the same number of evaluations, against the latents."""
    figure, ax = plots.figure(height=3.8)
    for number, name in enumerate(["grid", "draws from the prior", "annealing", "draws near the posterior"]):
        places = [latents for latents, row in errors.items() if name in row]
        heights = [errors[latents][name].square().mean().sqrt().clamp_min(1e-4) for latents in places]
        ax.plot(places, heights, color=plots.PALETTE[number], marker=plots.MARKERS[number], ls=plots.DASHES[number],
                label=name)
    least = errors[2]["grid"].abs().max().item()
    ax.annotate(f"grid, 2 latents:\n{least:.0e} nats, far below", (2, 1e-4), (2.4, 8e-5), fontsize="small",
                arrowprops={"arrowstyle": "-", "color": plots.DATA})
    ax.axhline(1, color=plots.DATA, lw=1, ls="-")
    ax.text(66, 1.15, "one nat", ha="right", va="bottom", fontsize="small")
    ax.set(xlabel="latents M", ylabel="root mean square error (nats)", xscale="log", yscale="log", ylim=(5e-5, 1e4))
    ax.set_xticks(list(errors), [str(latents) for latents in errors])
    ax.minorticks_off()
    ax.legend(loc="upper left", ncols=2)
    return figure
