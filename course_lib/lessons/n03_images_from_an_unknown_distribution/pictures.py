"""The larger figures of lesson 03, drawn from numbers that the notebook computes."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ... import plots
from ...metrics import Estimate, estimate
from .divergence import PARAMETERS

GREY = "#c8c8c8"
LOOKS = [{"color": plots.PALETTE[n], "ls": plots.DASHES[n], "marker": plots.MARKERS[n]} for n in range(6)]


def asking_a_store(hits: dict[int, Tensor], sizes: Tensor, ks: Sequence[int], needed: Tensor, errors: Tensor,
                   slope: float) -> Figure:
    """Left: share of hits (sets, s) against the size of the store. Right: the size for one half, with its line."""
    figure, (left, right) = plots.figure(2, height=3.6, width=10)
    for look, (k, hit) in zip(LOOKS, hits.items()):
        left.plot(sizes, hit.mean(0), **look | {"marker": None}, label=f"{k} pixels")
        last = estimate(hit[:, -1])
        left.errorbar(sizes[-1], last.value, 2 * last.error, color=look["color"], marker=look["marker"], capsize=3)
    left.set(xlabel="images in the store", ylabel="share of questions with an answer", xscale="log", ylim=(-0.03, 1.03))
    left.legend(loc="upper left", fontsize="small")
    k = torch.tensor(ks, dtype=needed.dtype)
    right.errorbar(k, needed, 2 * errors, **LOOKS[0] | {"ls": ""}, capsize=4, label="measured, ± 2 standard errors")
    right.plot(k, needed.mean() + slope * (k - k.mean()), color=plots.TRUTH, ls="--", label="straight line")
    right.set(xlabel="pixels asked for", ylabel="log2 of the images needed\nto answer every second question")
    right.legend(loc="upper left")
    return figure


def tree_of_pixels(child: Tensor, parent: Tensor, mean: Tensor) -> Figure:
    """Left: the graph of a small tree. Right: edges (e,) between pixels, over the mean digit (784,)."""
    figure, (small, large) = plots.figure(2, height=4.2, width=9)
    places = {"$x_1$": (1.5, 2.2), "$x_2$": (0.5, 1.1), "$x_3$": (2.5, 1.1), "$x_4$": (-0.1, 0), "$x_5$": (1.2, 0)}
    names = list(places)
    edges = [(names[0], names[1]), (names[0], names[2]), (names[1], names[3]), (names[1], names[4])]
    plots.graph(small, places, edges, observed=names, plate=(-0.7, -0.6, 4.0, 3.4), repeats="$n$ images")
    large.imshow(mean.reshape(28, 28).numpy(), cmap="gray_r", vmin=0, vmax=1.4)
    ends = torch.stack([child, parent])  # (2, e)
    large.plot(ends % 28, ends // 28, color=plots.LATENT, ls="-", lw=1.4)
    large.set(xticks=[], yticks=[])
    large.spines[:].set_visible(False)
    small.set_title("a small tree")
    large.set_title("the learnt tree, over the mean digit")
    return figure


def learning_curves(sizes: Sequence[int], curves: dict[str, Tensor]) -> Figure:
    """The exact divergence (sizes, repeats) of each kind of model against the number of examples."""
    figure, ax = plots.figure(height=3.8)
    for look, (name, values) in zip(LOOKS, curves.items()):
        rows = [estimate(row) for row in values]
        ax.errorbar(sizes, [row.value for row in rows], [2 * row.error for row in rows], **look, capsize=3, ms=6,
                    label=f"{name}, {PARAMETERS[name]} parameters")
    ax.set(xlabel="examples n", ylabel="KL(p* ‖ model), nats", xscale="log", yscale="log")
    ax.legend()
    return figure


def ladders(panels: dict[str, dict[str, Estimate]], compressors: set[str]) -> Figure:
    """Bits an image with ± 2 standard errors, fewest at the top, one panel a resolution; compressors hatched.

    A bar above 784 bits is cut off.
    """
    figure, axes = plots.figure(len(panels), height=4.2, width=10, width_ratios=(5, 3))
    for ax, (title, bits) in zip(axes, panels.items()):
        names = sorted(bits, key=lambda name: -bits[name].value)
        most = 1.25 * max(value for value, _ in bits.values() if value < 784)
        for place, name in enumerate(names):
            value, error = bits[name]
            general = name in compressors
            ax.barh(place, value, xerr=2 * error, color=GREY if general else plots.MODEL,
                    hatch="//" if general else "", edgecolor="white", height=0.7)
            said = f"{value:.0f}" if value > 100 else f"{value:.1f}"
            if value < most:
                ax.text(value + 3 * error, place, f" {said}", va="center")
            else:  # a bar that is cut off
                ax.text(most, place, f" {said} →", va="center", ha="right", backgroundcolor="white")
        ax.set_yticks(range(len(names)), names)
        ax.set(xlabel="bits an unseen image", title=title, xlim=(0, most))
    return figure


def little_data(sizes: Sequence[int], scores: Tensor) -> Figure:
    """Held-out nats (sizes, repeats, 3) of three models against the number of digits that they learn from."""
    figure, (ax, gain) = plots.figure(2, height=3.5, width=10)
    for number, name in enumerate(("independent pixels", "any tree", "tree of neighbours")):
        ax.plot(sizes, scores[..., number].mean(-1), **LOOKS[number], ms=6, label=name)
    ax.set(xlabel="digits to learn from", ylabel="held-out log p(x), nats a digit", xscale="log")
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.45))
    gains = [estimate(row) for row in scores[..., 2] - scores[..., 1]]
    gain.errorbar(sizes, [row.value for row in gains], [2 * row.error for row in gains], **LOOKS[3], capsize=3)
    gain.axhline(0, color=plots.TRUTH, ls=":", lw=1.2)
    gain.set(xlabel="digits to learn from", ylabel="gain from being told\nwhich pixels touch (nats)", xscale="log")
    gain.set_yscale("symlog", linthresh=1)
    gain.set(ylim=(-1.5, 100))
    gain.set_yticks([-1, 0, 1, 10, 100], ["−1", "0", "1", "10", "100"])
    return figure


def new_or_copied(null: tuple[Tensor, Tensor], samples: dict[str, tuple[Tensor, Tensor]]) -> Figure:
    """Left: distances to the nearest training image. Right: their ratio to the second nearest. (n,) each."""
    figure, axes = plots.figure(2, height=3.6, width=10)
    labels = ("distance to the nearest training image (pixels)", "nearest / second nearest")
    for ax, label, honest, place in zip(axes, labels, null, (0, 1)):
        top = 150.0 if place == 0 else 1.05
        bins = torch.linspace(0, top, 41).tolist()
        plots.histogram(ax, honest, bins=bins, color=GREY, label="honest new digits")
        for number, (name, both) in enumerate(samples.items()):
            look = {"color": plots.PALETTE[number], "ls": plots.DASHES[number]}
            ax.hist(both[place].numpy(), bins=bins, density=True, histtype="step", lw=2, label=name, **look)
        ax.axvline(honest.quantile(0.05).item(), color=plots.TRUTH, ls=":", label="5 % of the honest lie left")
        ax.set(xlabel=label, ylabel="density", xlim=(0, top))
    axes[1].legend(loc="upper left", fontsize="small")
    return figure
