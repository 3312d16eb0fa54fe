"""Langevin steps with minibatches, on a posterior of one weight whose variance is known."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from tqdm.auto import tqdm

from ... import datasets, rng
from ...inference import chains


class Line(NamedTuple):
    """A straight line through the middle of standardised data, y = w x + noise; the prior of w is standard normal."""

    x: Tensor  # (n,)
    y: Tensor  # (n,)
    noise: float  # the standard deviation, known

    @property
    def precision(self) -> Tensor:
        """1 / variance of the posterior."""
        return 1 + self.x.square().sum() / self.noise**2

    @property
    def mean(self) -> Tensor:
        """The posterior's mean."""
        return self.x @ self.y / self.noise**2 / self.precision

    def log_joint(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """log p(w, y | x) up to a constant, guessed from `rows` (chains, M) if given: w (chains, 1) -> (chains,)."""
        x, y = (self.x, self.y) if rows is None else (self.x[rows], self.y[rows])
        scale = 1.0 if rows is None else len(self.x) / rows.shape[-1]
        return -0.5 * w.square().sum(-1) - 0.5 * scale * ((y - w * x) / self.noise).square().sum(-1)


def eruptions() -> Line:
    """The wait after an eruption of Old Faithful against its length, both standardised."""
    x, y = ((column - column.mean()) / column.std() for column in datasets.old_faithful().mT)
    slope = x @ y / (x @ x)
    return Line(x, y, (y - slope * x).std().item())


def stationary_variance(line: Line, step_size: float, batch: int | None = None) -> float:
    r"""The variance at which the unadjusted chain settles, exactly.

    .. math:: S = \frac{\epsilon^2 + \epsilon^4 V / 4}{1 - \mathbb{E}(1 - \epsilon^2 H / 2)^2}

    with H the minibatch's precision and V the variance of its gradient at the posterior's mean (0 for all data).
    """
    half, precision = 0.5 * step_size**2, line.precision
    own = line.x * (line.y - line.mean * line.x) / line.noise**2  # each row's gradient at the mean, (n,)
    curvature = line.x.square() / line.noise**2  # each row's precision
    share = 0.0 if batch is None else len(line.x) ** 2 / batch
    shrink = (1 - half * precision).square() + half**2 * share * curvature.var(correction=0)
    return ((step_size**2 + half**2 * share * own.var(correction=0)) / (1 - shrink)).item()


def measured_variance(line: Line, step_size: float, batch: int | None, generator: Generator, *, number: int = 1500,
                      draws: int = 60) -> tuple[float, float]:
    """(variance, standard error) of many chains: each begins at an exact draw, and settles before it counts."""
    start = line.mean + line.precision**-0.5 * torch.randn(number, 1, generator=generator)

    def guess(w: Tensor, g: Generator) -> Tensor:
        rows = None if batch is None else torch.randint(len(line.x), (number, batch), generator=g)
        return line.log_joint(w, rows)

    process = chains.stochastic_gradient_langevin(guess, start, generator, step_size=step_size)
    memory = 1 / (0.5 * step_size**2 * line.precision.item())  # steps
    thin = max(1, math.ceil(memory / 4))
    chains.collect(process, math.ceil(4 * memory) + 5)
    kept = torch.stack([chains.collect(process, thin).z[-1, :, 0] for _ in range(draws)])  # (draws, number)
    own = (kept - line.mean).square().mean(0)  # one value a chain, independent of the others
    return own.mean().item(), (own.std() / math.sqrt(number)).item()


class Bias(NamedTuple):
    """Relative errors of the variance against step sizes in posterior deviations."""

    steps: Tensor  # (m,)
    theory: Tensor  # (m,)
    measured: Tensor  # (m,)
    error: Tensor  # (m,)


def bias(line: Line, steps: Tensor, batch: int | None, seed: int) -> Bias:
    """The variance's relative error at each step size, by theory and measured."""
    deviation = line.precision.item() ** -0.5
    rows = []
    for step in tqdm(steps.tolist(), desc="step sizes", leave=False):
        theory = stationary_variance(line, step * deviation, batch) / deviation**2 - 1
        value, error = measured_variance(line, step * deviation, batch, rng.seeded(seed))
        rows.append((theory, value / deviation**2 - 1, error / deviation**2))
    return Bias(steps, *torch.tensor(rows).mT)


def slope(found: Bias) -> float:
    """Of log error against log step, by weighted least squares on the measured points."""
    x, y = found.steps.log(), found.measured.log()
    weight = (found.measured / found.error).square()
    x, mean = x - (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()
    return ((weight * x * (y - mean)).sum() / (weight * x.square()).sum()).item()
