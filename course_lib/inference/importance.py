"""Importance sampling: draw from a proposal, and let weights make up for the difference."""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Generator, Tensor

from ..errors import require_log_density, require_positive, require_values
from ..functional import log_mean_exp


class Proposal(Protocol):
    """What can be drawn from and knows its own density, such as a GaussianApproximation."""

    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws, shape (n, ..., d)."""

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z), exact and normalised: (n, ..., d) -> (n, ...)."""


class Weighted(NamedTuple):
    r"""S weighted draws: they estimate an integral, and expectations under the density that is integrated.

    .. math:: \hat p(x) = \frac{1}{S} \sum_{s=1}^{S} w_s, \qquad w_s = \frac{p(x, z_s)}{q(z_s)}, \qquad z_s \sim q

    The average of the weights is unbiased; its logarithm is not: by Jensen's inequality it is too small on average.

    Shapes:     z (S, ..., d); log_weights (S, ...): the first axis is that of the draws.
    Units:      log_weights in nats.
    Reference:  Owen, Monte Carlo theory, methods and examples (2013), chapter 9.
    """

    z: Tensor
    log_weights: Tensor

    @property
    def log_evidence(self) -> Tensor:
        """The log of the average weight (...): an estimate of log p(x), a lower bound on it on average."""
        return log_mean_exp(self.log_weights)

    @property
    def standard_error(self) -> Tensor:
        r"""The standard error of `log_evidence` (...), by the delta method; nan for a single draw.

        .. math:: \mathrm{se}(\log \hat p) \approx \mathrm{se}(\hat p) / \hat p

        It is itself an estimate: where few draws carry all the weight it is far too small.
        """
        return standard_error(self.log_weights.softmax(0)) * len(self.log_weights)

    @property
    def jensen_bias(self) -> Tensor:
        r"""The bias of `log_evidence` (...) to second order, -se^2 / 2: never positive, it vanishes like 1 / S."""
        return -0.5 * self.standard_error.square()

    @property
    def effective_sample_size(self) -> Tensor:
        """How many equally weighted draws these are worth (...)."""
        return effective_sample_size(self.log_weights)

    def expectation(self, values: Tensor) -> Tensor:
        r"""The self-normalised estimate of a posterior expectation.

        .. math:: \mathbb{E}[f(z) \mid x] \approx \sum_s w_s f(z_s) \Big/ \sum_s w_s

        Shapes:     values f(z), shape (S, ..., *event), where (S, ...) is or broadcasts against that of the weights;
                    gives (..., *event).
        Raises:     ValueError if `values` has fewer axes than the weights, or not one row a draw.
        """
        if values.ndim < self.log_weights.ndim or len(values) != len(self.log_weights):
            want = ", ".join(map(str, self.log_weights.shape))
            raise ValueError(f"`values` must have shape ({want}, ...); got {tuple(values.shape)}.")
        weights = self.log_weights.softmax(0)
        extra = (1,) * (values.ndim - weights.ndim)
        return (weights.reshape(*weights.shape, *extra) * values).sum(0)


def standard_error(values: Tensor) -> Tensor:
    """The standard error of the mean over the first axis (S, ...) -> (...); nan for a single value."""
    n = len(values)
    return ((values - values.mean(0)).square().sum(0) / (n - 1)).sqrt() / math.sqrt(n)


def effective_sample_size(log_weights: Tensor) -> Tensor:
    r"""How many equally weighted draws carry as much as these: from 1 (one has all the weight) to S.

    .. math:: \mathrm{ESS} = \Big(\sum_s w_s\Big)^2 \Big/ \sum_s w_s^2

    Shapes:     log_weights (S, ...) -> (...).
    Reference:  Kong, A note on importance sampling using standardized weights (1992).
    """
    return 1 / log_weights.softmax(0).square().sum(0)  # normalised first: logs of -1e6 would lose it to rounding


@torch.no_grad()
def naive_monte_carlo(
    log_likelihood: Callable[[Tensor], Tensor],
    sample_prior: Callable[[int, Generator], Tensor],
    draws: int,
    generator: Generator,
) -> Weighted:
    r"""Average the likelihood over draws from the prior: importance sampling with the prior as the proposal.

    .. math:: p(x) \approx \frac{1}{S} \sum_s p(x \mid z_s), \qquad z_s \sim p(z)

    Shapes:     `sample_prior(draws, generator)` gives z (S, ..., d); `log_likelihood(z)` then gives (S, ...). With z of
                shape (S, 1, d) all n data points share the draws, and (S, n) comes back.
    Raises:     ValueError for draws < 1 or a likelihood of another shape; NumericalError where it is nan.
    """
    no_ratio = lambda z: torch.zeros_like(z[..., 0])  # noqa: E731, the prior cancels
    return _weigh("log_likelihood", log_likelihood, sample_prior, no_ratio, draws, generator)


@torch.no_grad()
def importance_sampling(
    log_joint: Callable[[Tensor], Tensor], proposal: Proposal, draws: int, generator: Generator
) -> Weighted:
    r"""Draw from a proposal and weigh each draw with the ratio of the joint to the proposal's density.

    .. math:: w_s = p(x, z_s) / q(z_s), \qquad z_s \sim q(z)

    The proposal must reach wherever the joint does, with tails at least as heavy: else the weights have no
    variance, and the standard error is worth nothing.

    Shapes:     `proposal.sample(draws, generator)` gives z (S, ..., d); `log_joint(z)` and `proposal.log_prob(z)` then
                give (S, ...). With z of shape (S, 1, d) all n data points share the draws.
    Raises:     ValueError for draws < 1, a joint or a proposal's density of another shape; NumericalError where
                one is nan.
    Reference:  Owen, Monte Carlo theory, methods and examples (2013), chapter 9.
    """
    return _weigh("log_joint", log_joint, proposal.sample, proposal.log_prob, draws, generator)


def _weigh(
    name: str,
    log_target: Callable[[Tensor], Tensor],
    sample: Callable[[int, Generator], Tensor],
    log_proposal: Callable[[Tensor], Tensor],
    draws: int,
    generator: Generator,
) -> Weighted:
    require_positive("draws", draws, whole=True)
    z = sample(draws, generator)  # (S, ..., d)
    values, proposed = log_target(z), log_proposal(z)
    for function, given in ((name, values), ("proposal.log_prob", proposed)):
        require_values(function, given, z, broadcast=True)
        require_log_density(function, given)
    return Weighted(z, values - proposed)
