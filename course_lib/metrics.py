"""Numbers that compare a model with data. All in nats."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .models import Density


class Estimate(NamedTuple):
    """A mean over data points and its standard error."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.error:.3f}"


def estimate(values: Tensor) -> Estimate:
    """Mean and standard error of `values`, shape (n,), n >= 2.

    Raises:     ValueError for another shape.
    """
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"`values` must have shape (n,), n >= 2; got {tuple(values.shape)}.")
    return Estimate(values.mean().item(), (values.std() / math.sqrt(len(values))).item())


@torch.no_grad()
def mean_log_prob(model: Density, x: Tensor) -> Estimate:
    """The mean of log p(x) over the rows of `x`, in nats a row, with its standard error."""
    return estimate(model.log_prob(x))


@torch.no_grad()
def gain(model: Density, baseline: Density, x: Tensor) -> Estimate:
    """How many nats a row `model` is better than `baseline`, paired row by row, with its standard error."""
    return estimate(model.log_prob(x) - baseline.log_prob(x))


def aic(log_likelihood: float | Tensor, parameters: int | Tensor, n: int) -> float | Tensor:
    """Akaike's information criterion, 2 k - 2 log L: smaller is better; the number of data `n` plays no part.

    Reference:  Akaike, A new look at the statistical model identification, IEEE Transactions on Automatic
                Control 19 (1974).
    """
    return 2 * parameters - 2 * log_likelihood


def bic(log_likelihood: float | Tensor, parameters: int | Tensor, n: int) -> float | Tensor:
    """The Bayesian information criterion, k log n - 2 log L: smaller is better.

    Reference:  Schwarz, Estimating the dimension of a model, Annals of Statistics 6 (1978).
    """
    return parameters * math.log(n) - 2 * log_likelihood
