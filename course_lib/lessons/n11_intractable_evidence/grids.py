"""The price of a grid: seconds against the dimension, and a line through them that reaches further than any clock."""

import time
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ...inference import oracle
from ...metrics import Estimate
from ...models import ProbabilisticPCA

AGE_OF_THE_UNIVERSE, YEAR = 4.35e17, 3.156e7  # seconds
MANY = 1_000_000  # points: beyond, a run is long enough to be timed once
ROWS = 2048  # points of a grid that are evaluated at once: a chunk stays in the cache


class Timed(NamedTuple):
    """A quadrature: its error in nats, and the seconds of each repeat (r,)."""

    error: float
    seconds: Tensor


def timed_quadratures(models: list[ProbabilisticPCA], x: Tensor, *, size: int, repeats: int) -> list[Timed]:
    """log p(x) of one row (1, D) under every model by `size` points an axis from -5 to 5.

    Each time is the fastest of up to five runs: what other programs take from the machine is no price of the grid.
    """
    found = []
    for model in tqdm(models, desc=f"{size} points an axis"):
        runs = 5 if size ** model.weight.shape[1] < MANY else 1
        made = [[_quadrature(model, x, size) for _ in range(runs)] for _ in range(repeats)]
        seconds = torch.tensor([min(seconds for _, seconds in again) for again in made])
        found.append(Timed((made[0][0][0] - model.log_prob(x)[0]).item(), seconds))
    return found


@torch.no_grad()
def _quadrature(model: ProbabilisticPCA, x: Tensor, size: int) -> tuple[Tensor, float]:
    begin = time.perf_counter()
    dimensions = model.weight.shape[1]
    axis, log_width = oracle.grid(-5, 5, size)
    digits = size ** torch.arange(dimensions)  # a point's number, written to the base `size`, has one digit an axis
    parts = []
    for number in torch.arange(size**dimensions).split(ROWS):  # never all points at once: they would fill the memory
        z = axis[number[:, None] // digits % size, 0]  # (ROWS, d)
        parts.append(model.log_joint(x, z[:, None])[:, 0].logsumexp(0))
    return torch.stack(parts).logsumexp(0) + dimensions * log_width[0], time.perf_counter() - begin


class Growth(NamedTuple):
    """A straight line through log10 seconds against the dimension, and how sure it is of its slope and of a place."""

    slope: Estimate
    intercept: float
    centre: float

    def log10_seconds(self, dimensions: float) -> Estimate:
        """log10 of the seconds at `dimensions`; the error is that of the slope times the distance."""
        away = abs(dimensions - self.centre)
        return Estimate(self.intercept + self.slope.value * dimensions, self.slope.error * away)


def growth(dimensions: list[int], seconds: Tensor) -> Growth:
    """Least squares of log10 seconds (d, r) on the dimensions (d,), with the textbook's standard error."""
    y = seconds.log10()
    x = torch.tensor(dimensions, dtype=y.dtype)[:, None].expand_as(y)
    away = x - x.mean()
    slope = (away * y).sum() / away.square().sum()
    rest = y - y.mean() - slope * away
    error = (rest.square().sum() / (y.numel() - 2) / away.square().sum()).sqrt()
    return Growth(Estimate(slope.item(), error.item()), (y.mean() - slope * x.mean()).item(), x.mean().item())
