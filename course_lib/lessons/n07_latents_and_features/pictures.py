"""The larger figures of lesson 07, drawn from numbers that the notebook computes."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from torch import Tensor

from ... import plots
from ...metrics import Estimate
from .sprites import SHAPES, WIDTH

GREY = {"cmap": "gray", "vmin": -0.2, "vmax": 1.1}


def picture(ax: Axes, x: Tensor, title: str = "") -> AxesImage:
    """One sprite x (400,)."""
    ax.set(xticks=[], yticks=[], title=title)
    return ax.imshow(x.reshape(WIDTH, WIDTH).numpy(), **GREY)


def gallery(x: Tensor, columns: int = 12) -> Figure:
    """Sprites x (n, 400)."""
    figure, axes = plots.figure(columns, rows=len(x) // columns, height=0.8, width=9)
    for ax, one in zip(axes.flat, x, strict=True):
        picture(ax, one)
    return figure


def rows_of(rows: dict[str, Tensor]) -> Figure:
    """One row of sprites (n, 400) for each name."""
    count = len(next(iter(rows.values())))
    figure, axes = plots.figure(count, rows=len(rows), height=0.78, width=9)
    for line, (name, pictures) in zip(axes, rows.items()):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for ax, one in zip(line, pictures, strict=True):
            picture(ax, one)
    return figure


def angles(x: Tensor, angle: Tensor, masses: Tensor, truth: float) -> Figure:
    """For each shape its picture x (4, 400), and below p(angle | x) as a density: masses (4, m) over angle (m,)."""
    figure, axes = plots.figure(4, rows=2, height=1.9, width=9.5)
    density = masses * (len(angle) / 360)
    for number, name in enumerate(SHAPES):
        picture(axes[0, number], x[number], name)
        axes[1, number].plot(57.29578 * angle, density[number], color=plots.LATENT, ls="-")
        axes[1, number].axvline(truth, color=plots.TRUTH, ls=":")
        axes[1, number].set(xticks=[0, 120, 240, 360], xlabel="angle (degrees)", ylim=(0, 1.1 * density.max()))
    axes[1, 0].set_ylabel("p(angle | x), per degree")
    return figure


def axes_needed(share: Tensor, most: int = 60) -> Figure:
    """The share of the variance that the first principal components hold, and where 95 % is passed."""
    figure, ax = plots.figure(height=2.9)
    ax.plot(range(1, most + 1), share[:most], color=plots.MODEL, ls="-", marker="o", ms=3)
    ax.axhline(0.95, color=plots.TRUTH, ls=":", label="95 %")
    ax.axvline(6, color=plots.LATENT, ls="--", label="six causes")
    ax.set(xlabel="principal components", ylabel="share of the variance", ylim=(0, 1.02))
    ax.legend()
    return figure


def seen(table: dict[str, dict[str, Estimate]]) -> Figure:
    """R squared for each target, one marker a code, with two standard errors."""
    figure, ax = plots.figure(height=3.9, width=9.5)
    for number, (name, row) in enumerate(table.items()):
        places = [place + 0.14 * (number - (len(table) - 1) / 2) for place in range(len(row))]
        ax.errorbar(places, [one.value for one in row.values()], yerr=[2 * one.error for one in row.values()], ls="",
                    marker=plots.MARKERS[number], color=plots.PALETTE[number], capsize=3, ms=6, label=name)
    ax.axhline(0, color=plots.DATA, lw=1, ls="-")
    ax.set_xticks(range(len(row)), [name.replace(": ", ":\n") for name in row])
    ax.set(ylabel="R² on new pictures (± 2 s.e.)", ylim=(-0.25, 1.05))
    ax.legend(ncols=len(table), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def kept_and_lost(worlds: dict[str, dict[str, tuple[Estimate, Estimate]]]) -> Figure:
    """For each world and model: log p of seen and of unseen combinations, joined by a line."""
    figure, axes = plots.figure(len(worlds), height=3.2, width=9.5, sharey=True, sharex=True)
    for ax, (title, models) in zip(axes, worlds.items()):
        for place, (seen_ones, unseen) in enumerate(models.values()):
            ax.plot([unseen.value, seen_ones.value], [place, place], color="#c8c8c8", ls="-", lw=3)
            for one, marker, colour in ((seen_ones, "o", plots.MODEL), (unseen, "X", plots.LATENT)):
                ax.errorbar(one.value, place, xerr=2 * one.error, marker=marker, color=colour, ms=8, capsize=3, ls="")
        ax.set_yticks(range(len(models)), models)
        ax.set(title=title, xlabel="log p(x), nats a picture", ylim=(-0.5, len(models) - 0.5))
    for marker, colour, name in (("o", plots.MODEL, "seen"), ("X", plots.LATENT, "unseen")):
        axes[0].plot([], [], marker=marker, color=colour, ls="", ms=8, label=f"{name} combinations")
    axes[0].legend(loc="upper left", fontsize="small")
    return figure


def heat(table: Tensor, rows: list[str], columns: list[str]) -> Figure:
    """Correlations (r, c) as numbers on colours."""
    figure, ax = plots.figure(height=0.42 * len(rows) + 1.2, width=9)
    ax.imshow(table.numpy(), cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    for row, line in enumerate(table.tolist()):
        for column, value in enumerate(line):
            colour = "white" if abs(value) > 0.6 else "black"
            ax.text(column, row, f"{value:+.2f}", ha="center", va="center", color=colour)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xticks(range(len(columns)), columns)
    return figure

