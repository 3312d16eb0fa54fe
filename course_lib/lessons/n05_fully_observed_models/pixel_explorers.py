"""The explorers of lesson 05 that draw digits: pixel by pixel, and the rest of a digit from its first rows."""

import functools
from collections.abc import Iterator

import torch
from torch import Tensor

from ... import datasets, plots, rng
from ...functional import bernoulli_log_prob
from ...models import MADE
from ...training import fit, gradient_descent
from ...widgets import Explorer, Player, choice, slider
from . import experiments

SIDE, STRIDE, SEEDS = 28, 14, 10
CUTS, TIMES = (2, 6, 10, 14, 18, 22), 12


@functools.cache
def quick() -> tuple[dict[str, tuple[MADE, Tensor]], Tensor]:
    """Regressions in two orders after a moment of training, and ten digits: what is shown if nothing is given."""
    x, y = datasets.mnist()
    x, made = datasets.binarise(x).float(), {}
    for name, order in list(experiments.orders(SIDE, rng.seeded(0)).items())[::2]:
        model = MADE(SIDE**2, (), generator=rng.seeded(0)).float()
        fit(gradient_descent(model, x[:1000, order], rng.seeded(0), steps=30, batch_size=200, lr=0.05))
        made[name] = model, order
    return made, torch.stack([x[y == digit][-1] for digit in range(10)])


def pixel_by_pixel(models: dict[str, tuple[MADE, Tensor]] | None = None) -> Player:
    """A picture is drawn, 14 pixels a frame: `models` maps a name to a model and the order in which it writes."""
    models = models or quick()[0]
    drawn = {name: _drawn(model) for name, (model, _) in models.items()}
    figure, (picture, belief, price) = plots.figure(3, height=3.3, width=9, width_ratios=(1, 1, 1.1))
    blank = torch.full((SIDE, SIDE), torch.nan).numpy()
    images = [ax.imshow(blank, **plots.INK) for ax in (picture, belief)]
    for ax, title in ((picture, "drawn so far"), (belief, "p(ink) when its turn came")):
        ax.set(xticks=[], yticks=[], xlabel=title)
    (line,) = price.plot([], [], color=plots.MODEL, ls="-")
    (dot,) = price.plot([], [], "o", color=plots.LATENT)
    said = price.text(0.98, 0.98, "", transform=price.transAxes, ha="right", va="top", fontsize="small")
    price.set(xlabel="pixels drawn", ylabel="log p of them (nats)", xlim=(0, SIDE**2), ylim=(-180, 5))

    def start(order: str, seed: int) -> Iterator[int]:
        return iter(range(0, SIDE**2 + 1, STRIDE))

    def draw(count: int, order: str, seed: int) -> str:
        x, p, total = (part[seed] for part in drawn[order])
        places = models[order][1][:count]
        for image, values in zip(images, (x, p), strict=True):
            canvas = torch.full_like(values, torch.nan)
            canvas[places] = values[:count]
            image.set_data(canvas.reshape(SIDE, SIDE).numpy())
        line.set_data(range(count + 1), total[: count + 1])
        dot.set_data([count], [total[count]])
        said.set_text(f"{order}, draw {seed}")
        return (f"{count} of {SIDE**2} pixels drawn {order}, draw {seed}: {int(x[:count].sum())} of them ink; "
                f"log p of what is drawn is {total[count]:.1f} nats.")

    return Player(
        figure, start, lambda count: count, draw, title="Pixel by pixel", frames=SIDE**2 // STRIDE + 1,
        moving=[*images, line, dot, said], order=choice(tuple(models), next(iter(models)), label="order of the pixels"),
        seed=slider(0, SEEDS - 1, 0, label="draw"),
    )


@torch.no_grad()
def _drawn(model: MADE) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (s, D), p(ink | before) of each pixel (s, D), and log p of the first d pixels, (s, D + 1)."""
    x = model.sample(SEEDS, rng.seeded(5))
    logits = model.conditionals(x)
    total = bernoulli_log_prob(x, logits).cumsum(-1)
    return x, logits.sigmoid(), torch.nn.functional.pad(total, (1, 0))


def complete_a_digit(model: MADE | None = None, digits: Tensor | None = None) -> Explorer:
    """Ten digits (10, 784), each completed twelve times from its first rows: all drawn once, beforehand."""
    model = model or quick()[0]["row by row"][0]
    digits = quick()[1] if digits is None else digits
    table = {cut: _completed(model, digits, cut) for cut in CUTS}
    figure, (given, drawn, words) = plots.figure(3, height=3.3, width=9, width_ratios=(3, 4, 2.6))
    left = given.imshow(torch.zeros(SIDE, SIDE).numpy(), **plots.INK)
    right = drawn.imshow(torch.zeros(3 * SIDE, 4 * SIDE).numpy(), **plots.INK)
    edge = given.axhline(0, color=plots.LATENT, lw=1.5, ls="--")
    for ax, title in ((given, "seen"), (drawn, "twelve completions"), (words, "")):
        ax.set(xticks=[], yticks=[], xlabel=title)
        ax.spines[:].set_visible(False)
    said = words.text(0, 0.9, "", transform=words.transAxes, va="top")

    def draw(digit: int, rows: str) -> str:
        cut = int(rows)
        pictures, left_open, differ = (part[digit] for part in table[cut])
        seen = digits[digit].reshape(SIDE, SIDE).clone()
        seen[cut:] = torch.nan
        left.set_data(seen.numpy())
        right.set_data(pictures.reshape(3, 4, SIDE, SIDE).transpose(1, 2).reshape(3 * SIDE, 4 * SIDE).numpy())
        edge.set_ydata([cut - 0.5, cut - 0.5])
        said.set_text(f"{cut} rows seen,\n{left_open:.1f} nats open;\ntwo completions differ\nin {differ:.0f} pixels")
        return (f"The first {cut} rows of a digit {digit}, and twelve completions: the rest is left open by about "
                f"{left_open:.1f} nats, and two completions differ in {differ:.1f} pixels on average.")

    return Explorer(
        figure, draw, title="Complete a digit", moving=[left, right, said, edge],
        digit=slider(0, 9, 8, label="digit"),
        rows=choice([str(cut) for cut in CUTS], "14", label="rows seen"),
    )


@torch.no_grad()
def _completed(model: MADE, digits: Tensor, cut: int) -> tuple[Tensor, Tensor, Tensor]:
    """Completions (10, 12, D), the mean of -log p(rest | seen) over them (10,), how many pixels differ (10,)."""
    seen = torch.arange(SIDE**2) < cut * SIDE
    made = experiments.completions(model, digits, seen, TIMES, rng.seeded(6))  # (10, 12, D)
    nats = experiments.nats_by_pixel(model, made.flatten(0, 1))[:, ~seen].sum(-1)
    return made, nats.unflatten(0, made.shape[:2]).mean(-1), experiments.pairwise_distance(made)
