"""Variational inference: the Gaussian that makes a lower bound on the evidence as large as it gets."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..errors import NumericalError, require_choice, require_log_density, require_positive, require_values
from ..rng import randn
from .approximation import GaussianApproximation
from .importance import standard_error
from .moves import LogDensity


class Bound(NamedTuple):
    """An estimate of a bound (...), and its standard error (...), in nats."""

    value: Tensor
    standard_error: Tensor


class VariationalStep(NamedTuple):
    """One step: its number, from 1, an approximation, and the estimate of its bound (...)."""

    index: int
    elbo: Tensor
    approximation: GaussianApproximation


@torch.no_grad()
def elbo(log_joint: LogDensity, approximation: GaussianApproximation, draws: int, generator: Generator) -> Bound:
    r"""Estimate the evidence lower bound of an approximation.

    .. math:: \mathbb{E}_{q}\big[\log p(x, z) - \log q(z)\big]
              = \log p(x) - \mathrm{KL}\big(q(z) \,\|\, p(z \mid x)\big)

    With the exact posterior every draw gives log p(x): the standard error is zero.

    Shapes:     `log_joint(z)` takes z (draws, ..., d) and gives (draws, ...).
    Raises:     ValueError for draws < 1 or a wrong shape; NumericalError where `log_joint` is nan.
    """
    require_positive("draws", draws, whole=True)
    z = approximation.sample(draws, generator)
    log_ratio = _log_ratio(log_joint, approximation, z)  # (draws, ...)
    require_log_density("log_joint", log_ratio)
    return Bound(log_ratio.mean(0), standard_error(log_ratio))


def variational(
    log_joint: LogDensity,
    start: GaussianApproximation,
    generator: Generator,
    *,
    steps: int,
    lr: float = 0.05,
    draws: int = 8,
    covariance: str = "diagonal",
    gradient: str = "reparameterised",
) -> Iterator[VariationalStep]:
    r"""Climb the evidence lower bound with Adam, with a Gaussian of its own for each data point.

    .. math:: \max_{\mu, L} \; \mathbb{E}_{z \sim q} \big[\log p(x, z) - \log q(z)\big], \qquad
              q(z) = \mathcal{N}(z; \mu, L L^\top)

    Two unbiased estimates of the gradient: "reparameterised" goes through z = mu + L e and leaves out the score of q,
    zero on average, so that its noise dies out as q becomes exact; "score" needs no gradient of `log_joint`: it weighs
    the score of q by what each draw gives beyond the mean of the others. `lr` falls linearly to zero.

    Shapes:     start: loc (..., d), scale_tril (..., d, d); `log_joint(z)` takes (draws, ..., d), gives (draws, ...).
                With covariance="diagonal" (mean field) what lies below the diagonal of the start is left out.
    Units:      `lr` in the units of z for loc, and in nats for the logs of the scales.
    Raises:     ValueError for options out of range (the score needs draws >= 2), a wrong shape, or no gradient to go
                through; NumericalError if the bound stops being finite: the step before is still good.
    Reference:  Ranganath et al., Black box variational inference (2014); Roeder et al., Sticking the landing (2017).
    """
    _require_options(steps, lr, draws, covariance, gradient)
    parameters = _parameters(start, covariance)
    update = torch.optim.Adam(parameters, lr=lr)
    estimate = _reparameterised if gradient == "reparameterised" else _score
    for index in range(1, steps + 1):
        update.param_groups[0]["lr"] = lr * (1 - (index - 1) / steps)
        with torch.enable_grad():
            q = _gaussian(*parameters)
            bound, surrogate = estimate(log_joint, q, randn((draws, *q.loc.shape), generator, q.loc))  # (...), ()
            _require_finite_bound(bound, index)
            step = VariationalStep(index, bound, _detached(q))
            _climb(update, parameters, surrogate)
        yield step


def _reparameterised(log_joint: LogDensity, q: GaussianApproximation, noise: Tensor) -> tuple[Tensor, Tensor]:
    """The bound (...), and a number whose gradient is an estimate of the gradient of its sum."""
    log_ratio = _log_ratio(log_joint, _detached(q), q.transform(noise))
    bound = log_ratio.mean(0)
    return bound.detach(), bound.sum()


def _score(log_joint: LogDensity, q: GaussianApproximation, noise: Tensor) -> tuple[Tensor, Tensor]:
    """The same without a gradient of `log_joint`; the baseline of a draw is the mean of the others."""
    with torch.no_grad():
        z = q.transform(noise)
        log_ratio = _log_ratio(log_joint, q, z)
        bound = log_ratio.mean(0)
        advantage = (log_ratio - bound) * len(noise) / (len(noise) - 1)  # (draws, ...)
    return bound, (advantage * q.log_prob(z)).mean(0).sum()


def _log_ratio(log_joint: LogDensity, q: GaussianApproximation, z: Tensor) -> Tensor:
    values = log_joint(z)
    require_values("log_joint", values, z)
    if z.requires_grad and not values.requires_grad:
        raise ValueError("`log_joint` must have a gradient in z; got none. Remedy: gradient='score', which needs none.")
    return values - q.log_prob(z)


def _climb(update: torch.optim.Optimizer, parameters: list[Tensor], surrogate: Tensor) -> None:
    # only these gradients: the parameters of the model behind log_joint are not learnt here
    for parameter, slope in zip(parameters, torch.autograd.grad(-surrogate, parameters)):
        parameter.grad = slope
    update.step()


def _parameters(start: GaussianApproximation, covariance: str) -> list[Tensor]:
    """loc (..., d), the logs of the diagonal of L (..., d), and, if `covariance` is full, L (..., d, d) below it."""
    parts = [start.loc, start.scale_tril.diagonal(dim1=-2, dim2=-1).log()]
    if covariance == "full":
        parts.append(start.scale_tril.tril(-1))
    return [part.detach().clone().requires_grad_() for part in parts]


def _gaussian(loc: Tensor, log_scale: Tensor, lower: Tensor | None = None) -> GaussianApproximation:
    diagonal = torch.diag_embed(log_scale.exp())
    return GaussianApproximation(loc, diagonal if lower is None else diagonal + lower.tril(-1))


def _detached(q: GaussianApproximation) -> GaussianApproximation:
    return GaussianApproximation(q.loc.detach().clone(), q.scale_tril.detach())  # loc is the parameter: it will change


def _require_options(steps: int, lr: float, draws: int, covariance: str, gradient: str) -> None:
    require_positive("steps", steps, whole=True)
    require_positive("lr", lr)
    require_positive("draws", draws, whole=True)
    require_choice("covariance", covariance, ("diagonal", "full"))
    require_choice("gradient", gradient, ("reparameterised", "score"))
    if gradient == "score" and draws == 1:
        raise ValueError("`draws` must be at least 2 for the score gradient: its baseline is the other draws; got 1.")


def _require_finite_bound(bound: Tensor, index: int) -> None:
    if not bound.isfinite().all():
        raise NumericalError(
            f"The bound is not finite in step {index}, for {int((~bound.isfinite()).sum())} of {bound.numel()} points. "
            "Likely causes: too large an `lr`, or a `log_joint` that is nan or -infinity where q reaches. "
            "Remedy: a smaller `lr`, a `start` closer to the data. The approximation of the step before is good."
        )
