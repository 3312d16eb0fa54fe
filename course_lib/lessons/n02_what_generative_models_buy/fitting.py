"""Maximum likelihood of a few parameters, with the standard errors that the curvature of the likelihood gives."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ...errors import NumericalError


class Maximum(NamedTuple):
    """The top of a log-likelihood: where it lies, how sharp it is, and how high."""

    theta: Tensor  # (P,)
    errors: Tensor  # (P,)
    log_likelihood: float


def maximum_likelihood(log_likelihood: Callable[[Tensor], Tensor], start: Tensor) -> Maximum:
    r"""Climb to the maximum of a smooth `log_likelihood` of theta (P,) -> (), from `start` (P,).

    .. math:: \text{errors} = \sqrt{\operatorname{diag} I^{-1}}, \qquad
              I = - \nabla^2 \log p(\mathcal{D}) \text{ at the top, the observed information}

    Raises:     NumericalError if there is no curved top: the data do not determine all parameters.
    """
    theta = start.clone().requires_grad_()
    climb = torch.optim.LBFGS([theta], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        climb.zero_grad()
        value = -log_likelihood(theta)
        value.backward()
        return value

    climb.step(loss)
    top = theta.detach()
    information = -torch.autograd.functional.hessian(log_likelihood, top)
    if not information.isfinite().all() or torch.linalg.eigvalsh(information).min() <= 0:
        raise NumericalError("The log-likelihood has no curved top here. Remedy: fewer parameters, or more data.")
    return Maximum(top, torch.linalg.inv(information).diagonal().sqrt(), log_likelihood(top).item())


class Test(NamedTuple):
    """A test against chi-square: statistic, degrees of freedom, and the chance of as much if nothing differs."""

    __test__ = False  # to pytest it would look like a test of ours

    statistic: float
    degrees: int
    p_value: float


def likelihood_ratio(together: float, apart: float, degrees: int) -> Test:
    """Twice the log-likelihood that `degrees` more parameters gain (Wilks 1938)."""
    return _chi_square(2 * (apart - together), degrees)


def one_number(values: Tensor, errors: Tensor) -> Test:
    """Are estimates (n,) with these standard errors of one and the same number?"""
    precision = errors.square().reciprocal()
    mean = (precision * values).sum() / precision.sum()
    return _chi_square((precision * (values - mean).square()).sum().item(), len(values) - 1)


def _chi_square(statistic: float, degrees: int) -> Test:
    half = torch.tensor([degrees / 2, max(statistic, 0.0) / 2], dtype=torch.float64)
    return Test(statistic, degrees, torch.special.gammaincc(half[0], half[1]).item())
