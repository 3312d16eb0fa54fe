"""The evidence for K components, with all parameters integrated out and the allocations sampled one by one."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from tqdm.auto import tqdm

from ... import metrics, rng
from ...functional import log_mean_exp
from ..n08_mixtures.experiments import log_likelihood_by_components, parameters


class Prior(NamedTuple):
    r"""Weights uniform on the simplex; each component's variance inverse gamma, its mean Gaussian given the variance.

    .. math:: \sigma_k^2 \sim \mathrm{InvGamma}(2, b), \qquad
              \mu_k \mid \sigma_k^2 \sim \mathcal{N}(m, \sigma_k^2 / \kappa)

    The expected variance is b; means spread around `centre` with standard deviation `spread`, on average.
    Units:      centre, spread and width = sqrt(b) in the units of x.
    """

    width: float
    centre: float = 20.0
    spread: float = 10.0

    @property
    def kappa(self) -> float:
        """How many data the prior of a mean is worth."""
        return (self.width / self.spread) ** 2


class Clusters(NamedTuple):
    """What is known of K components after some data: counts, means and rates of the posterior, each (R, S, K)."""

    count: Tensor
    mean: Tensor
    rate: Tensor


class Found(NamedTuple):
    """R independent estimates of log p(D), (R,), and how many components hold data, on average (R,)."""

    log_evidence: Tensor
    occupied: Tensor


def log_evidence(x: Tensor, components: int, prior: Prior, generator: Generator, *, particles: int = 1000,
                 repeats: int = 8) -> Found:
    r"""Estimate log p(D) by a particle filter over allocations; every repeat sees the data in an order of its own.

    .. math:: p(\mathcal{D}) = \prod_i p(x_i \mid x_{1:i-1}), \qquad
              p(x_i \mid x_{1:i-1}, z_{1:i-1}) = \sum_k \frac{n_k + 1}{i - 1 + K} \; t_k(x_i)

    Given the allocations z, weights, means and variances integrate to the closed form on the right (t is Student's).
    exp of each estimate is unbiased.

    Shapes:     x (n,).
    Reference:  Fearnhead, Particle filters for mixture models with an unknown number of components, Statistics and
                Computing 14 (2004).
    """
    shape = (repeats, particles, components)
    orders = torch.stack([torch.randperm(len(x), generator=generator) for _ in range(repeats)])  # (R, n)
    state = Clusters(x.new_zeros(shape), x.new_full(shape, prior.centre), x.new_full(shape, prior.width**2))
    log_weights, total = x.new_zeros(shape[:-1]), x.new_zeros(repeats)
    shapes = 2 + 0.5 * torch.arange(len(x) + 1, dtype=x.dtype)  # of the posterior's gamma, for each count
    gammas = (shapes + 0.5).lgamma() - shapes.lgamma()  # looked up: lgamma is dear
    for i, value in enumerate(x[orders].mT):  # (R,)
        students = _predictive(value[:, None, None], state, prior) + gammas[state.count.long()]
        joint = students + ((state.count + 1) / (i + components)).log()
        step = joint.logsumexp(-1)  # (R, S)
        log_weights = log_weights + step
        chances = (joint - step[..., None]).exp()
        if (1 / log_weights.softmax(-1).square().sum(-1) < particles / 2).any():
            total = total + log_mean_exp(log_weights, -1)
            chosen = _systematic(log_weights, generator)[..., None].expand(shape)
            state, chances = Clusters(*(part.gather(1, chosen) for part in state)), chances.gather(1, chosen)
            log_weights = torch.zeros_like(log_weights)
        state = _take(value[:, None, None], state, _draw(chances, generator), prior)
    occupied = ((state.count > 0).sum(-1) * log_weights.softmax(-1)).sum(-1)
    return Found(total + log_mean_exp(log_weights, -1), occupied)


def _predictive(value: Tensor, state: Clusters, prior: Prior) -> Tensor:
    """log t_k(value), Student's t of 4 + n_k degrees of freedom, but for its gamma functions: (R, S, K)."""
    kappa, shape = prior.kappa + state.count, 2 + 0.5 * state.count
    square = (value - state.mean).square() * kappa / (kappa + 1)
    scale = -0.5 * (2 * math.pi * state.rate * (kappa + 1) / kappa).log()
    return scale - (shape + 0.5) * (0.5 * square / state.rate).log1p()


def _take(value: Tensor, state: Clusters, k: Tensor, prior: Prior) -> Clusters:
    """The clusters after `value` joined component k (R, S, 1)."""
    count, mean, rate = (part.gather(-1, k) for part in state)
    kappa, gap = prior.kappa + count, value - mean
    news = (count + 1, mean + gap / (kappa + 1), rate + 0.5 * gap.square() * kappa / (kappa + 1))
    return Clusters(*(part.scatter(-1, k, new) for part, new in zip(state, news, strict=True)))


def _draw(chances: Tensor, generator: Generator) -> Tensor:
    """One index for each row of probabilities (..., K) -> (..., 1)."""
    threshold = rng.uniform((*chances.shape[:-1], 1), generator, chances)
    return (threshold > chances.cumsum(-1)[..., :-1]).sum(-1, keepdim=True)


def _systematic(log_weights: Tensor, generator: Generator) -> Tensor:
    """As many copies of each particle as its weight asks for, up to rounding: (R, S) -> indices (R, S)."""
    repeats, particles = log_weights.shape
    even = (torch.arange(particles) + rng.uniform((repeats, 1), generator, log_weights)) / particles
    return torch.searchsorted(log_weights.softmax(-1).cumsum(-1), even).clamp_max(particles - 1)


PRIORS = {
    "as it is": Prior(1.0),
    "width halved": Prior(0.5),
    "width doubled": Prior(2.0),
    "width and spread doubled": Prior(2.0, spread=20.0),
}


def by_components(x: Tensor, most: int, seed: int) -> dict[str, list[Found]]:
    """The evidence for 1 to `most` components under each of PRIORS: x (n,)."""
    table: dict[str, list[Found]] = {name: [] for name in PRIORS}
    for name, components in tqdm([(p, k) for p in PRIORS for k in range(1, most + 1)], desc="evidence", leave=False):
        table[name].append(log_evidence(x, components, PRIORS[name], rng.seeded(seed + components)))
    return table


def bic_by_components(x: Tensor, most: int) -> Tensor:
    """Notebook 08's criterion for 1 to `most` components with own variances of at least 0.1²: x (n,) -> (most,)."""
    heights = log_likelihood_by_components(x, most, tied=False, variance_floor=0.1**2, seed=10, starts=20)
    sizes = torch.tensor([parameters(k, tied=False) for k in range(1, most + 1)])
    return metrics.bic(heights.nan_to_num(nan=-torch.inf).max(-1).values, sizes, n=len(x))


def combine(estimates: Tensor) -> tuple[float, float]:
    """The log of the mean of exp(estimates), (R,), and its standard error by the delta method."""
    weights = estimates.softmax(0) * len(estimates)
    return log_mean_exp(estimates).item(), (weights.std() / math.sqrt(len(estimates))).item()
