"""The explorers of lesson 04: logits, decision regions, and a density that follows x."""

import math
from collections.abc import Iterator

import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.text import Text
from torch import Tensor

from ... import datasets, plots, rng
from ...datasets.penguins import SPECIES
from ...models import ConditionalCategorical
from ...training import gradient_descent
from ...widgets import Explorer, Player, choice, slider
from . import weather

# Logits and temperature ---------------------------------------------------------------------------------------------

NAMES = ("cat", "dog", "fox")


def logits_and_temperature() -> Explorer:
    """Three logits, a constant added to all, a temperature that divides them: three probabilities."""
    figure, (before, after) = plots.figure(2, height=3.4, width=9)
    bars, shares = (ax.bar(NAMES, [0.5] * 3, color=plots.PALETTE[:3], edgecolor="white") for ax in (before, after))
    for group in (bars, shares):
        for bar, hatch in zip(group, ("", "//", "..")):
            bar.set_hatch(hatch)
    before.axhline(0, color=plots.TRUTH, lw=1)
    before.set(ylabel="(logit + constant) / T, cut at ±12", ylim=(-12, 12))
    after.set(ylabel="probability, softmax", ylim=(0, 1.12))
    numbers = [after.text(k, 0, "", ha="center", va="bottom") for k in range(3)]
    said = before.text(0.02, 0.97, "", transform=before.transAxes, va="top")

    def draw(cat: float, dog: float, fox: float, constant: float, temperature: float) -> str:
        scaled = (torch.tensor([cat, dog, fox]) + constant) / temperature
        p = scaled.softmax(-1)
        entropy = -torch.special.xlogy(p, p).sum().item()
        for bar, share, number, height, probability in zip(bars, shares, numbers, scaled, p):
            bar.set_height(height.clamp(-12, 12))
            share.set_height(probability)
            number.set(text=f"{probability:.3f}", y=probability + 0.01)
        said.set_text(f"T = {temperature:.1f}\nentropy {entropy:.3f} nats (at most {math.log(3):.3f})")
        listed = ", ".join(f"{name} {probability:.3f}" for name, probability in zip(NAMES, p))
        return (f"Logits {cat:.1f}, {dog:.1f} and {fox:.1f}, all plus {constant:.1f}, at T = {temperature:.1f}: "
                f"probabilities {listed}; entropy {entropy:.3f} nats.")

    return Explorer(
        figure, draw, title="Logits and temperature", moving=[*bars, *shares, *numbers, said],
        cat=slider(-5.0, 5.0, 2.0, label="logit of cat", step=0.1),
        dog=slider(-5.0, 5.0, 0.0, label="logit of dog", step=0.1),
        fox=slider(-5.0, 5.0, -1.0, label="logit of fox", step=0.1),
        constant=slider(-5.0, 5.0, 0.0, label="constant added to all", step=0.1),
        temperature=slider(0.1, 10.0, 1.0, label="temperature T", step=0.1),
    )


# Decision regions while the network trains -----------------------------------------------------------------------

SIDE, EVERY, FRAMES = 60, 6, 60  # pixels of a plane, steps between frames, frames
REACH, FAR, SURE = 3.0, 10.0, 0.99  # standard deviations; times as far; a probability


def beaks() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Standardised length and depth of the bill, and the species: x, x_new, y, y_new; 120 birds are kept apart."""
    birds = datasets.penguins()
    x = torch.stack([birds.bill_length, birds.bill_depth], -1).float()
    whole = x.isfinite().all(-1)
    x, y = x[whole], birds.species[whole]
    return datasets.split((x - x.mean(0)) / x.std(0), y, held_out=120, generator=rng.seeded(0))


def _plane(reach: float) -> Tensor:
    """SIDE × SIDE points of the square from -reach to reach, row by row from below."""
    line = torch.linspace(-reach, reach, SIDE, dtype=torch.float32)
    return torch.cartesian_prod(line, line).flip(-1)


def tint(p: Tensor) -> Tensor:
    """The colour of a plane (SIDE², 3 classes): white where nothing is known, and a step darker where p > 0.99."""
    colours = torch.tensor([to_rgb(code) for code in plots.PALETTE[:3]])
    best, decided = p.max(-1)
    depth = torch.where(best > SURE, 0.75, 0.45 * (best - 1 / 3) / (2 / 3))[:, None]
    return (1 - depth + depth * colours[decided]).reshape(SIDE, SIDE, 3)


def watch_regions() -> Player:
    """A network learns three species of penguin from their bills, seen from near and from ten times as far."""
    x, x_new, y, y_new = beaks()
    planes = _plane(REACH), _plane(FAR * REACH)
    figure, maps, lines, titles = _draw_regions(x, y)

    def start(hidden: int, seed: int) -> Iterator[tuple]:
        sizes = (hidden, hidden) if hidden else ()
        model = ConditionalCategorical(2, 3, hidden=sizes, generator=rng.seeded(seed)).float()
        record: list[tuple[float, ...]] = []
        for step in gradient_descent(model, (x, y), rng.seeded(seed), steps=EVERY * FRAMES, lr=1e-2):
            if step.index % EVERY == 1:
                record.append(_marks(model, (x, y), (x_new, y_new)))
                yield [model.probabilities(plane).detach() for plane in planes], list(record)

    def draw(snapshot: tuple, hidden: int, seed: int) -> str:
        seen, record = snapshot[0], torch.tensor(snapshot[1])  # (frames, 3)
        for picture, p in zip(maps, seen):
            picture.set_data(tint(p).numpy())
        steps = EVERY * torch.arange(len(record)) + 1
        for line, losses in zip(lines, record.mT):
            line.set_data(steps, losses)
        train, new, right = record[-1].tolist()
        near, far = ((p.max(-1).values > SURE).float().mean().item() for p in seen)
        said = f"dark, surer than 99 %: {near:.0%}", f"from ten times as far: {far:.0%}", f"held out: {right:.0%} right"
        for title, words in zip(titles, said):
            title.set_text(words)
        return (f"A network with two hidden layers of {hidden} units (0: no such layer), start {seed}, after "
                f"{steps[-1]} steps: loss {train:.3f} nats in training, {new:.3f} held out, {right:.0%} of the held-out"
                f" birds right. Surer than 99 % on {near:.0%} of the near plane and on {far:.0%} of the far one.")

    return Player(
        figure, start, lambda step: step, draw, title="Decision regions while a network learns", frames=FRAMES,
        moving=[*maps, *lines, *titles], hidden=slider(0, 64, 32, label="units in each hidden layer"),
        seed=slider(0, 9, 0, label="start (seed)"),
    )


def _draw_regions(x: Tensor, y: Tensor) -> tuple[Figure, list[AxesImage], list[Line2D], list[Text]]:
    """The near and the far plane with the birds on them, two loss curves without points, and the titles."""
    figure, (left, right, curves) = plots.figure(3, height=3.5, width=10.5)
    maps = []
    for ax, reach in ((left, REACH), (right, FAR * REACH)):
        look = {"origin": "lower", "extent": (-reach, reach, -reach, reach), "interpolation": "nearest"}
        maps.append(ax.imshow(torch.ones(SIDE, SIDE, 3).numpy(), **look))
        for k, name in enumerate(SPECIES):
            look = {"color": plots.PALETTE[k], "marker": plots.MARKERS[k], "ms": 4 if ax is left else 1.5}
            ax.plot(*x[y == k].mT, ls="", markeredgecolor="white", markeredgewidth=0.4, label=name, **look)
        ax.set(xlabel="length of the bill (standardised)")
    left.set_ylabel("depth of the bill")
    left.legend(loc="lower right", fontsize="x-small", handletextpad=0.1, frameon=True)
    looks = {"training": {"color": plots.MODEL, "ls": "--"}, "held out": {"color": plots.LATENT, "ls": "-"}}
    lines = [curves.plot([], [], label=name, **look)[0] for name, look in looks.items()]
    curves.set(xlabel="step", ylabel="loss, nats a bird", xlim=(0, EVERY * FRAMES), ylim=(0, 1.2))
    curves.legend(loc="upper right")
    return figure, maps, lines, [ax.set_title(" ", fontsize="medium") for ax in (left, right, curves)]


@torch.no_grad()
def _marks(model: ConditionalCategorical, train: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor]) -> tuple:
    """Loss in training, loss on new birds, share of new birds that are right."""
    losses = [-model.log_prob(y, x).mean().item() for x, y in (train, new)]
    return *losses, (model.logits(new[0]).argmax(-1) == new[1]).float().mean().item()


# The whole density under a moving x ------------------------------------------------------------------------------

SHOWN = {f"{weather.HALVES[1]}, held out": True, f"{weather.HALVES[0]}, learnt from": False}
NEAR, MONTH = 1.5, 30.5  # °C; days
JULY = (182, 212)  # its first day and its last


def predictive_density() -> Explorer:
    """The temperature moves; three heads say which day of the year it was, and the days themselves are shown."""
    data, held = weather.direction(weather.DIRECTIONS[1]), weather.later()
    y = torch.linspace(1, 366, 366, dtype=torch.float64)
    heads = {name: weather.fitted(weather.DIRECTIONS[1], name) for name in weather.HEADS}
    temperatures = torch.arange(-12, 42.25, 0.5, dtype=torch.float64)
    tables = torch.stack([head.table(y, temperatures) for head in heads.values()])  # (3, temperatures, days)
    figure, ax = plots.figure(height=3.8, width=8.5)
    look = {"color": "#c8c8c8", "label": f"days within {NEAR:g} °C"}
    bars = ax.bar(MONTH * (torch.arange(12) + 0.5), [0] * 12, width=0.92 * MONTH, **look)
    looks = [{"color": plots.PALETTE[k], "ls": plots.DASHES[k], "label": name} for k, name in enumerate(heads)]
    lines = [ax.plot(y, 0 * y, **look)[0] for look in looks]
    ax.set(xlabel=data.y_name, ylabel="density (1/day)", ylim=(0, 0.035), xlim=(1, 366))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0)
    said = ax.text(0.99, 0.97, "", transform=ax.transAxes, ha="right", va="top")

    def draw(temperature: float, shown: str) -> str:
        densities = tables[:, int(2 * (temperature + 12))]
        keep = (held == SHOWN[shown]) & ((data.x - temperature).abs() <= NEAR)
        days = data.y[keep]
        counts = torch.histc(days, 12, 0, 12 * MONTH) if len(days) else torch.zeros(12)
        for bar, count in zip(bars, counts):
            bar.set_height(count / max(1, len(days)) / MONTH)
        for line, density in zip(lines, densities):
            line.set_ydata(density)
        nats = [density[days.long() - 1].log().mean() for density in densities] if len(days) else []
        means = ", ".join(f"{value:.2f}" for value in nats) or "no days"
        said.set_text(f"{temperature:g} °C: {len(days)} days\nof {shown}\nmean log density: {means}")
        peaks = ", ".join(f"{name}: day {int(y[density.argmax()])}" for name, density in zip(heads, densities))
        july = ((days >= JULY[0]) & (days <= JULY[1])).sum()
        return (f"{temperature:g} °C in New York. The most probable day: {peaks}. {len(days)} days of {shown}, were "
                f"within {NEAR:g} °C of it, {july} of them in July. Mean log density of these days: {means}.")

    return Explorer(
        figure, draw, title="Which day was it?", moving=[*bars, *lines, said],
        temperature=slider(-12.0, 42.0, 15.0, label="warmest of the day (°C)", step=0.5),
        shown=choice(tuple(SHOWN), next(iter(SHOWN)), label="days shown as bars"),
    )
