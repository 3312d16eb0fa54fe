"""The explorers of lesson 14: a posterior of two weights with five inferences, and functions that data tame."""

import itertools
import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ... import plots, rng
from ...widgets import Explorer, button, choice, handles, memory, slider, toggle
from .functions import BOUNDS, Fit, fit_functions
from .two_weights import FINE, METHODS, NAMES, SCALES, SIZES, Beside, beside

# One posterior, five inferences -------------------------------------------------------------------------------------

KEYS = ("laplace", "mean_field", "full_covariance", "chains", "weighted")  # of METHODS
LOOKS = {"laplace": (plots.PALETTE[1], "--"), "mean_field": (plots.PALETTE[2], "-."),
         "full_covariance": (plots.PALETTE[3], "-")}
MARKS = dict(zip(KEYS, ("- - ", "-·- ", "─── ", "··· ", "○○○ ")))
SHOWN = 400  # draws


def one_posterior_five_inferences() -> Explorer:
    """The exact posterior as a picture, over it the inferences that are switched on, and their KL to it."""
    found = beside()
    figure, (ax, table) = plots.figure(2, height=4.4, width=9, width_ratios=(3, 2))
    picture = ax.imshow(torch.zeros(FINE, FINE).numpy(), origin="lower", cmap="Greys", aspect="auto")
    rings = {key: [ax.plot([], [], color=colour, ls=ls)[0] for _ in range(2)] for key, (colour, ls) in LOOKS.items()}
    (walk,) = ax.plot([], [], ls="", marker=".", ms=3, color=plots.PALETTE[0])
    weighted = ax.scatter([], [], s=[], facecolors="none", edgecolors=plots.PALETTE[4], lw=1)
    ax.set(xlabel=f"weight of {NAMES[0]}", ylabel=f"weight of {NAMES[1]}")
    table.axis("off")
    lines = [table.text(0, 0.93 - 0.13 * i, "", transform=table.transAxes, family="monospace", fontsize=10)
             for i in range(7)]

    def draw(patients: str, prior: str, **on: bool) -> str:
        one = found[int(patients), float(prior)]
        extent = torch.stack([one.lower, one.upper], -1).flatten().tolist()  # left, right, bottom, top
        picture.set(data=one.masses.mT.numpy(), extent=extent, clim=(0, one.masses.max().item()))
        for key, q in zip(KEYS, one.gaussians):
            for ring, deviations in zip(rings[key], (1, 2)):
                ring.set_data(*(outline(q.loc, q.scale_tril, deviations) if on[key] else ([], [])))
        walk.set_data(*(one.draws[:: len(one.draws) // SHOWN].mT if on["chains"] else ([], [])))
        share = one.weighted.log_weights.softmax(0)[:SHOWN]
        weighted.set_offsets((one.weighted.z[:SHOWN] if on["weighted"] else torch.empty(0, 2)).numpy())
        weighted.set_sizes((8 * len(one.draws) * share).numpy() if on["weighted"] else [])
        ax.set(xlim=extent[:2], ylim=extent[2:])
        return _tell(lines, one, patients, prior, on)

    _settle_layout(figure, ax)
    switches = {key: toggle(key in KEYS[:2], label=name) for key, name in zip(KEYS, METHODS)}
    return Explorer(
        figure, draw, title="One posterior, five inferences",
        moving=[picture, *itertools.chain(*rings.values()), walk, weighted, *lines],
        patients=choice([str(size) for size in SIZES], "16", label="patients seen"),
        prior=choice([f"{scale:g}" for scale in SCALES], "5", label="standard deviation of the prior"), **switches)


def _settle_layout(figure: Figure, ax: Axes) -> None:
    """Make room for the widest numbers once; to do so again at every choice takes half of an answer's time."""
    ax.set(xlim=(-20, 20), ylim=(-12.5, 12.5))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _tell(lines: list, one: Beside, patients: str, prior: str, on: dict[str, bool]) -> str:
    """Write the table of KL beside the picture; its words."""
    texts = ["    KL(q || p), nats"]
    for key, name in zip(KEYS, METHODS):
        texts.append(f"{MARKS[key]:4s}{name:19s}{one.kl[name]:7.4f}" if on[key] else f"    ({name})")
        lines[len(texts) - 1].set_color(_colour(key) if on[key] else plots.DATA)
    texts.append(f"    {len(one.draws)} exact draws:{one.floor:9.4f}")
    for line, text in zip(lines, texts, strict=True):
        line.set_text(text)
    shown = ", ".join(f"{name} {one.kl[name]:.4f}" for key, name in zip(KEYS, METHODS) if on[key]) or "none is shown"
    return (f"The exact posterior of two weights after {patients} patients under a prior of standard deviation "
            f"{prior}; log evidence {one.log_evidence:.2f} nats. KL of the inferences shown: {shown}; "
            f"of {len(one.draws)} exact draws it would be {one.floor:.4f}.")


def _colour(key: str) -> str:
    return LOOKS[key][0] if key in LOOKS else plots.PALETTE[0] if key == "chains" else "#a86b00"


def outline(loc: Tensor, root: Tensor, deviations: float) -> Tensor:
    """The contour of a Gaussian at some standard deviations: (2,), (2, 2) -> (2, 60)."""
    turn = torch.linspace(0, 2 * math.pi, 60)
    return loc[:, None] + deviations * root @ torch.stack([turn.cos(), turn.sin()])


# Functions that data tame -------------------------------------------------------------------------------------------

START = [[-2.0, 0.5], [-1.2, -0.6], [1.6, 0.9]]
MOST = 40  # points


def draw_functions() -> Explorer:
    """Draws from an exact posterior over functions; a point is dragged to its place, and added by a button."""
    x = torch.linspace(*BOUNDS[0], 121)
    noise = rng.randn((12, 6), rng.seeded(4), x)  # the same for every state: what moves is the posterior
    figure, ax = plots.figure(height=4.2, width=8)
    artists = _artists(ax, x)
    note = ax.text(0.01, 0.98, "", transform=ax.transAxes, va="top", fontsize="small")

    def draw(next_point: list, points: list, sd: float, prior: float) -> str:
        fit = fit_functions(points, sd, prior)
        _move(artists, fit, x, noise, points, next_point[0])
        _, here = fit.at(torch.tensor([next_point[0][0]]))
        spread = fit.root.square().sum(-1).sqrt().mean().item()
        evidence = f"log evidence {fit.log_evidence:.2f} nats" if points else "no data yet"
        note.set_text(f"{len(points)} points, {evidence}; standard deviations: f at the orange point {here[0]:.2f}, "
                      f"a weight {spread:.2f}")
        return (f"Functions from the posterior after {len(points)} points; {evidence}. At x = {next_point[0][0]:.2f} "
                f"the function has standard deviation {here[0]:.2f}; a weight has {spread:.2f} on average, and "
                f"the prior {prior:.2f}.")

    return Explorer(
        figure, draw, title="Functions that data tame", moving=[*artists.values(), note],
        next_point=handles([[0.0, 0.5]], axes=ax, label="next point", bounds=BOUNDS),
        points=memory(START),
        add=button("Add the orange point", _added),
        remove=button("Remove the last", lambda values: {"points": values["points"][:-1]}),
        clear=button("Remove all", lambda values: {"points": []}),
        sd=slider(0.05, 1.0, 0.2, label="noise (standard deviation)", step=0.05),
        prior=slider(0.1, 3.0, 1.0, label="prior of a weight (standard deviation)", step=0.1))


def _added(values: dict) -> dict:
    return {"points": [*values["points"], *values["next_point"]][-MOST:]}


def _artists(ax: Axes, x: Tensor) -> dict:
    (upper,) = ax.plot(x, 0 * x, color=plots.TRUTH, lw=1, ls="--", label="mean ± 2 standard deviations")
    (lower,) = ax.plot(x, 0 * x, color=plots.TRUTH, lw=1, ls="--")
    (mean,) = ax.plot(x, 0 * x, color=plots.TRUTH, ls="-")
    draws = [ax.plot(x, 0 * x, color=plots.MODEL, lw=1, ls="-", alpha=0.7, label="draws" if i == 0 else None)[0]
             for i in range(6)]
    (dots,) = ax.plot([], [], ls="", marker="s", ms=7, color=plots.DATA, label="data")
    (place,) = ax.plot([], [], ls="", marker="o", ms=9, color=plots.LATENT, label="next point, drag it")
    ax.set(xlabel="x", ylabel="f(x)", xlim=BOUNDS[0], ylim=(-3, 4.2), yticks=range(-3, 4))
    ax.legend(loc="upper right", bbox_to_anchor=(1, 0.93), ncols=2, fontsize="small")
    return {"upper": upper, "lower": lower, "mean": mean, **{f"draw {i}": line for i, line in enumerate(draws)},
            "dots": dots, "place": place}


def _move(artists: dict, fit: Fit, x: Tensor, noise: Tensor, points: list, place: list) -> None:
    mean, deviation = fit.at(x)
    artists["mean"].set_ydata(mean)
    artists["upper"].set_ydata(mean + 2 * deviation)
    artists["lower"].set_ydata(mean - 2 * deviation)
    for i, curve in enumerate(fit.draws(x, noise).mT):
        artists[f"draw {i}"].set_ydata(curve)
    artists["dots"].set_data(*(zip(*points) if points else ([], [])))
    artists["place"].set_data([place[0]], [place[1]])
