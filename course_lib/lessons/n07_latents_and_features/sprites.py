"""A renderer: causes in, picture out; and the model that it makes with a prior and some noise."""

import math
from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ... import rng
from ...functional import normal_log_prob
from ...models.base import Card

WIDTH = 20  # pixels, each way
SHAPES = ("disc", "ellipse", "triangle", "square")
TURNS = (0, 2, 3, 4)  # so many angles of one turn give the same picture; 0: all of them
NUMBERS = ("size", "angle", "right", "down", "light")
LOWER = torch.tensor([2.5, 0.0, -2.5, -2.5, 0.4], dtype=torch.float64)
UPPER = torch.tensor([4.5, 2 * math.pi, 2.5, 2.5, 1.0], dtype=torch.float64)
NOISE = 0.1  # standard deviation of a pixel
BLUR = 0.35  # pixels over which an edge fades
CARD = Card(
    "Sprites",
    r"$p(x, z) = p(z) \; \mathcal{N}(x; \mathrm{render}(z), \sigma^2 I)$, with six causes $z$",
    evidence="a sum over a grid, $O(m^6)$ for $m$ points a cause",
    posterior="on the grid, $O(m^6)$",
    gradient="of the sum: exact",
    sampling="one picture",
)


class Causes(NamedTuple):
    """What made n pictures: shape (n,), 0 to 3, and numbers (n, 5): size, angle, right, down, light.

    Units:      size (the radius of a disc of the same area), right and down in pixels; angle in radians, clockwise;
                light from 0 to 1.
    """

    shape: Tensor
    numbers: Tensor


def sample_causes(n: int, generator: Generator, shapes: Iterable[int] = range(4), **fixed: float) -> Causes:
    """`n` draws from the prior: each cause on its own, all values alike; `fixed` causes have a given value."""
    allowed = torch.tensor(list(shapes))
    shape = allowed[torch.randint(len(allowed), (n,), generator=generator)]
    like = torch.empty(0)
    numbers = LOWER.to(like) + (UPPER - LOWER).to(like) * rng.uniform((n, 5), generator, like)
    for name, value in fixed.items():
        numbers[:, NUMBERS.index(name)] = value
    return Causes(shape, numbers)


def render(shape: Tensor, numbers: Tensor) -> Tensor:
    r"""The picture without noise: shape (n,), numbers (n, 5) -> (n, 400), differentiable in the numbers.

    .. math:: \mathrm{light} \cdot \sigma(-d / 0.35)

    with d the distance of a pixel from the outline, negative inside. A thousand at a time: more need more memory.
    """
    return torch.cat([_render(*rows) for rows in zip(shape.split(1000), numbers.split(1000))])


def _render(shape: Tensor, numbers: Tensor) -> Tensor:
    size, angle, right, down, light = (column[:, None] for column in numbers.unbind(-1))
    axis = torch.arange(WIDTH).to(numbers) - (WIDTH - 1) / 2
    x, y = axis.repeat(WIDTH) - right, axis.repeat_interleave(WIDTH) - down  # (n, 400)
    u, v = angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x  # along and across the shape
    distances = torch.empty_like(u)
    for number, outline in enumerate((_disc, _ellipse, _triangle, _square)):
        rows = shape == number
        distances[rows] = outline(u[rows], v[rows], size[rows])
    return light * (-distances / BLUR).sigmoid()


def _disc(u: Tensor, v: Tensor, size: Tensor) -> Tensor:
    return (u.square() + v.square() + 1e-9).sqrt() - size


def _ellipse(u: Tensor, v: Tensor, size: Tensor) -> Tensor:
    """Twice as long as wide: value over slope of the ellipse's equation, nearly the distance near the outline."""
    a, b = 2**0.5 * size, 2**-0.5 * size
    level = ((u / a).square() + (v / b).square() + 1e-9).sqrt()
    slope = ((u / a.square()).square() + (v / b.square()).square() + 1e-9).sqrt()
    return level * (level - 1) / slope


def _triangle(u: Tensor, v: Tensor, size: Tensor) -> Tensor:
    return _polygon(u, v, 3, size * (math.pi / 27**0.5) ** 0.5)


def _square(u: Tensor, v: Tensor, size: Tensor) -> Tensor:
    return _polygon(u, v, 4, size * math.pi**0.5 / 2)


def _polygon(u: Tensor, v: Tensor, sides: int, inner: Tensor) -> Tensor:
    """How far a point is outside the side that it is furthest outside of; `inner` is the inner radius."""
    turns = [2 * math.pi * side / sides for side in range(sides)]
    return reduce(torch.maximum, [u * math.cos(turn) + v * math.sin(turn) for turn in turns]) - inner


def sample(causes: Causes, generator: Generator, noise: float = NOISE) -> Tensor:
    """One noisy picture for each row of causes: (n, 400)."""
    clean = render(*causes)
    return clean + noise * rng.randn(tuple(clean.shape), generator, clean)


def log_likelihood(x: Tensor, clean: Tensor, noise: float = NOISE) -> Tensor:
    """log p(x | z) in nats, from the clean pictures of z: (..., 400) with (..., 400) -> (...)."""
    return normal_log_prob(x, clean, torch.tensor(noise).to(clean).log()).sum(-1)


def log_likelihood_table(x: Tensor, clean: Tensor, noise: float = NOISE) -> Tensor:
    """log p(x_i | z_j) in nats of all pairs, as one product of matrices: (n, D) with (m, D) -> (n, m)."""
    squared = x.square().sum(-1)[:, None] - 2 * x @ clean.mT + clean.square().sum(-1)
    return -0.5 * squared / noise**2 - x.shape[-1] * math.log(noise * (2 * math.pi) ** 0.5)
