"""The larger figures of lesson 04, drawn from numbers that the notebook computes."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ... import plots
from .calibration import BINS, Reliability
from .experiments import Waves, wave
from .weather import Direction, Head


def digits_with_answers(x: Tensor, probabilities: Tensor, y: Tensor) -> Figure:
    """A row of pictures x (n, 784), and below each the probabilities (n, 10); a triangle points at the truth."""
    figure, axes = plots.figure(len(x), rows=2, height=1.75, width=9)
    for number, (picture, bars) in enumerate(axes.T):
        picture.imshow(x[number].reshape(28, 28).numpy(), cmap="gray_r", vmin=0, vmax=1)
        picture.set(title=f"a {int(y[number])}")
        picture.axis("off")
        bars.bar(range(10), probabilities[number], color=plots.MODEL)
        bars.plot(y[number], 1.12, "v", color=plots.TRUTH, ms=9, clip_on=False)
        bars.set(xticks=range(10), ylim=(0, 1.2), yticks=[0, 1])
        share, decided = probabilities[number].max(-1)
        bars.set_xlabel(f"{int(decided)} with {share:.1%}")
    axes[1, 0].set_ylabel("p(y | x)")
    return figure


def reliability_and_error(before: Reliability, after: Reliability, errors: dict[str, tuple[float, Tensor]]) -> Figure:
    """Left: accuracy against confidence, two times. Right: calibration errors over those of calibrated models."""
    figure, (diagram, null) = plots.figure(2, height=4, width=9.5)
    diagram.plot([0, 1], [0, 1], color=plots.TRUTH, ls=":", lw=1.5, label="calibrated")
    for number, (name, bins) in enumerate(zip(errors, (before, after), strict=True)):
        full = bins.count > 0
        colour, offset = plots.PALETTE[1 - number], 0.006 * (1 - 2 * number)
        whiskers = torch.stack([bins.accuracy - bins.low, bins.high - bins.accuracy])[:, full].clamp_min(0)
        diagram.errorbar(bins.confidence[full] + offset, bins.accuracy[full], whiskers, color=colour, ms=6, capsize=2,
                         fmt=plots.MARKERS[number], ls="", elinewidth=1.5, label=name)
    diagram.set(xlabel="confidence (mean of the bin)", ylabel="share that is right", xlim=(0.2, 1.03), ylim=(0, 1.03))
    diagram.legend(loc="upper left")
    for number, (name, (measured, calibrated)) in enumerate(errors.items()):
        colour, hatch = plots.PALETTE[1 - number], ("", "///")[number]
        null.hist(calibrated, bins=30, density=True, histtype="stepfilled", facecolor="none" if hatch else colour,
                  edgecolor=colour, hatch=hatch, alpha=0.5, label=f"{name}: if it were calibrated")
        null.axvline(measured, color=colour, ls=("-", "--")[number], lw=2.5, label=f"{name}: measured")
    null.set(xlabel=f"expected calibration error, {BINS} bins", yticks=[], ylabel="density")
    null.legend(fontsize="small", loc="upper right", bbox_to_anchor=(0.93, 1))  # left of the line of the first error
    return figure


def off_the_data(digits: Tensor, others: Tensor, factors: Tensor, along: dict[str, Tensor]) -> Figure:
    """Left: confidence on digits and on what is none, (n,). Right: mean confidence where pictures are made brighter."""
    figure, (ax, ray) = plots.figure(2, height=3.4, width=9)
    looks = {"digits": {"facecolor": plots.MODEL, "alpha": 0.5},
             "animals": {"facecolor": "none", "edgecolor": plots.LATENT, "hatch": "///"}}
    for (name, look), values in zip(looks.items(), (digits, others), strict=True):
        weights = torch.full_like(values, 1 / len(values))
        ax.hist(values, bins=20, range=(0, 1), weights=weights, histtype="stepfilled", lw=1.5, label=name, **look)
    ax.set(xlabel="largest probability", ylabel="share of the pictures")
    ax.legend(loc="upper left")
    for number, (name, values) in enumerate(along.items()):
        ray.plot(factors, values, marker=plots.MARKERS[number], ls=plots.DASHES[number], label=name)
    ray.set(xlabel="every pixel multiplied by", ylabel="mean largest probability", xscale="log", ylim=(0, 1.03))
    ray.legend(loc="lower right")
    return figure


def three_heads(directions: list[Direction], fitted: list[dict[str, Head]], rows: Tensor, scores: list[dict]) -> Figure:
    """p(y | x) as shades for each direction (rows) and head (columns), over the days `rows` that no head has seen."""
    figure, axes = plots.figure(3, rows=2, height=2.9, width=9.5)
    for line, data, heads, nats in zip(axes, directions, fitted, scores, strict=True):
        x, y = (torch.linspace(part.min(), part.max(), 120) for part in (data.x, data.y))
        extent = (x[0].item(), x[-1].item(), y[0].item(), y[-1].item())
        for ax, (name, head) in zip(line, heads.items(), strict=True):
            table = head.table(y, x)
            share = (table / table.max(-1, keepdim=True).values).mT  # each x has its own darkest
            ax.imshow(share.numpy(), origin="lower", aspect="auto", extent=extent, cmap="Blues", vmax=1.3)
            ax.plot(data.x[rows], data.y[rows], ".", color=plots.TRUTH, ms=2.5)
            ax.set(xlabel=data.x_name, title=f"{name}\n{nats[name]} nats")
            ax.title.set_fontsize("medium")
        line[0].set_ylabel(data.y_name)
    return figure


def hidden_mean(waves: Waves, network: int) -> Figure:
    """The means of both heads, with a band of two standard deviations, beside the true wave."""
    figure, axes = plots.figure(2, height=3.2, width=9, sharey=True)
    for head, (ax, name) in enumerate(zip(axes, ("constant variance", "learnt variance"), strict=True)):
        mean, scale = waves.mean[head, network], waves.log_scale[head, network].exp()
        ax.fill_between(waves.x, mean - 2 * scale, mean + 2 * scale, color=plots.MODEL, alpha=0.25,
                        label="mean ± 2 standard deviations")
        ax.plot(waves.x, mean, color=plots.MODEL, ls="-", label="mean")
        ax.plot(waves.x, wave(waves.x), color=plots.TRUTH, ls=":", label="true mean")
        ax.set(xlabel="x", xticks=[-1, -0.5, 0, 0.5, 1], ylim=(-2.4, 2.4))
        ax.set_title(f"{name}: {waves.nats[head, network]:.2f} nats", fontsize="medium")
    axes[0].set_ylabel("y")
    axes[0].legend(loc="upper left", ncols=2, fontsize="small")
    return figure
