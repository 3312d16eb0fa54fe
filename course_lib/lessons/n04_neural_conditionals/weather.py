"""The weather in both directions, three heads each: the day gives the temperature, the temperature gives the day."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ... import datasets, rng
from ...models import ConditionalGaussian, ConditionalMixture
from ...models.base import Conditional
from ...training import fit, gradient_descent

CITY = "New York"
HALVES = ("2012 and 2013", "2014 and 2015")
FORTNIGHT = 15  # days: a block of the error bars
SMALL = functools.partial(torch.optim.Adam, fused=True, weight_decay=1e-3)  # keeps the weights of a network small


class Direction(NamedTuple):
    """What predicts what; in the units that `x_name` and `y_name` tell."""

    x: Tensor  # (n,)
    y: Tensor  # (n,)
    x_name: str
    y_name: str


class Head(NamedTuple):
    """A fitted model of standardised data, and what it takes to go back to their own units."""

    model: Conditional
    centre: tuple[Tensor, Tensor]  # of x and y
    spread: tuple[Tensor, Tensor]

    def standard(self, x: Tensor) -> Tensor:
        """x (n,) as the network takes it, (n, 1)."""
        return ((x - self.centre[0]) / self.spread[0])[:, None]

    @torch.no_grad()
    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """log p(y | x) in nats, y in its own units: a change of units divides the density by their ratio. (n,)"""
        standard = (y - self.centre[1]) / self.spread[1]
        standard = standard[:, None] if self.model.event_shape else standard
        return self.model.log_prob(standard, self.standard(x)) - self.spread[1].log()

    @torch.no_grad()
    def table(self, y: Tensor, x: Tensor) -> Tensor:
        """p(y | x) for all pairs: y (m,), x (n,) -> (n, m)."""
        pairs = torch.cartesian_prod(x, y)
        return self.log_prob(pairs[:, 1], pairs[:, 0]).exp().reshape(len(x), len(y))


def _gaussian(learnt: bool) -> Callable[[], Conditional]:
    return lambda: ConditionalGaussian(1, 1, hidden=(20,), heteroscedastic=learnt, generator=rng.seeded(0))


HEADS = {
    "constant variance": _gaussian(learnt=False),
    "learnt variance": _gaussian(learnt=True),
    "mixture of two": lambda: ConditionalMixture(1, 2, hidden=(20,), generator=rng.seeded(0)),
}
DIRECTIONS = ("day to temperature", "temperature to day")


@functools.cache
def later() -> Tensor:
    """Whether a day belongs to the later half of the years, (1461,)."""
    return datasets.weather(CITY).year >= 2014


@functools.cache
def direction(name: str) -> Direction:
    """One of DIRECTIONS, in float64."""
    table = datasets.weather(CITY)
    day, temperature = table.day.double() + 1, table.warmest.double()
    day_name, temperature_name = "day of the year", "warmest of the day (°C)"
    if name == DIRECTIONS[0]:
        return Direction(day, temperature, day_name, temperature_name)
    return Direction(temperature, day, temperature_name, day_name)


@functools.cache
def fitted(name: str, head: str, half: str = HALVES[0]) -> Head:
    """The head fitted to one of HALVES; always the same, so it is kept."""
    data, keep = direction(name), later() == HALVES.index(half)
    parts = data.x[keep], data.y[keep]
    result = Head(HEADS[head]().double(), *zip(*((part.mean(), part.std()) for part in parts)))
    y = (parts[1] - result.centre[1]) / result.spread[1]
    rows = (result.standard(parts[0]), y[:, None] if result.model.event_shape else y)
    fit(gradient_descent(result.model, rows, rng.seeded(1), steps=300, lr=2e-2, optimiser=SMALL))
    result.model.requires_grad_(False)
    return result


def held_out(name: str) -> dict[str, Tensor]:
    """log p(y | x) of every day under each head fitted to the other half, in nats: (n,) each."""
    data, scores = direction(name), {}
    for head in tqdm(HEADS, desc=name, leave=False):
        by_half = [fitted(name, head, half).log_prob(data.y, data.x) for half in HALVES]
        scores[head] = torch.where(later(), *by_half)
    return scores


def blocks(values: Tensor, size: int = FORTNIGHT) -> Tensor:
    """Means of `size` neighbours, whose errors are nearly independent where those of single days are not."""
    count = len(values) // size
    return values[: count * size].reshape(count, size).mean(-1)
