"""The experiments of lesson 08 that need many fits: many starts side by side, in one dimension."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from tqdm.auto import tqdm

from ... import metrics, rng
from ...errors import SingularCovariance
from ...functional import normal_log_prob
from ...models import Density, Gaussian, GaussianMixture
from ...training import expectation_maximisation, fit


class Fits(NamedTuple):
    """R mixtures of K Gaussians in one dimension, fitted side by side; collapsed ones hold NaN."""

    log_likelihood: Tensor  # (R,)
    log_weights: Tensor  # (R, K)
    loc: Tensor  # (R, K)
    log_scale: Tensor  # (R, K), or (R, 1) if tied

    def best(self) -> "Fits":
        """The mixture with the highest log-likelihood alone, R = 1."""
        first = self.log_likelihood.nan_to_num(nan=-torch.inf).argmax()
        return Fits(*(column[first, None] for column in self))


def log_joint(x: Tensor, fits: Fits) -> Tensor:
    """log p(x, z) under each of R mixtures: x (n,) -> (R, n, K)."""
    terms = normal_log_prob(x[:, None], fits.loc[:, None], fits.log_scale[:, None])
    return fits.log_weights[:, None] + terms


def random_starts(x: Tensor, components: int, starts: int, generator: Generator, tied: bool) -> Fits:
    """Means at different random rows of `x`, the variance of the data, equal weights."""
    rows = torch.stack([rng.rows(len(x), components, generator) for _ in range(starts)])  # (R, K)
    log_scale = x.std(correction=0).log().expand(starts, 1 if tied else components)
    weights = torch.full((starts, components), -math.log(components))
    return Fits(torch.full((starts,), -torch.inf), weights, x[rows], log_scale)


def em_step(x: Tensor, fits: Fits, variance_floor: float) -> Fits:
    """One step of EM for each mixture; the log-likelihood is that before the step."""
    table = log_joint(x, fits)  # (R, n, K)
    log_evidence = table.logsumexp(-1)  # (R, n)
    r = (table - log_evidence[..., None]).exp()  # (R, n, K)
    counts = r.sum(1)  # (R, K)
    loc = (r * x[:, None]).sum(1) / counts
    scatter = (r * (x[:, None] - loc[:, None]).square()).sum(1)  # (R, K)
    tied = fits.log_scale.shape[-1] < counts.shape[-1]
    variance = scatter.sum(-1, keepdim=True) / len(x) if tied else scatter / counts
    log_scale = 0.5 * variance.clamp_min(variance_floor).log()
    return Fits(log_evidence.sum(-1), (counts / len(x)).log(), loc, log_scale)


def em_many_starts(x: Tensor, components: int, *, starts: int, generator: Generator, tied: bool = False,
                   variance_floor: float = 0.0, steps: int = 300) -> Fits:
    """EM from `starts` random starts side by side: x (n,)."""
    fits = random_starts(x, components, starts, generator, tied)
    for _ in range(steps):
        fits = em_step(x, fits, variance_floor)
    return fits


def climbs(x: Tensor, components: int, *, starts: int, generator: Generator, steps: int) -> Tensor:
    """The mean log-likelihood of each of many EM runs after each step: x (n,) -> (starts, steps)."""
    fits, scores = random_starts(x, components, starts, generator, tied=False), x.new_empty(starts, steps)
    for step in range(steps):
        fits = em_step(x, fits, variance_floor=0.0)
        scores[:, step] = fits.log_likelihood / len(x)
    return scores


def parameters(components: int, tied: bool) -> int:
    """How many free numbers a mixture in one dimension has: weights, means, variances."""
    return (components - 1) + components + (1 if tied else components)


def log_likelihood_by_components(x: Tensor, most: int, *, tied: bool, variance_floor: float, seed: int,
                                 starts: int = 50) -> Tensor:
    """log p(D) where every start's EM ends with 1, 2, ..., `most` components: x (n,) -> (most, starts)."""
    return torch.stack([
        em_many_starts(x, components, starts=starts, generator=rng.seeded(seed + components), tied=tied,
                       variance_floor=variance_floor, steps=400).log_likelihood
        for components in tqdm(range(1, most + 1), desc="components", leave=False)
    ])


def held_out_by_components(x: Tensor, most: int, *, tied: bool, variance_floor: float, seed: int,
                           folds: int = 5, starts: int = 20) -> Tensor:
    """log p(x) of every row under mixtures fitted without its fold: x (n,) -> (most, n)."""
    fold = torch.randperm(len(x), generator=rng.seeded(seed)) % folds  # (n,)
    scores = torch.empty(most, len(x))
    for components in range(1, most + 1):
        for held in range(folds):
            fits = em_many_starts(x[fold != held], components, starts=starts, generator=rng.seeded(seed + components),
                                  tied=tied, variance_floor=variance_floor, steps=150)
            scores[components - 1, fold == held] = log_joint(x[fold == held], fits.best())[0].logsumexp(-1)
    return scores


def cross_validated_gain(x: Tensor, *, folds: int, seed: int) -> Tensor:
    """log p(x) of each row under two Gaussians minus under one, both fitted without its fold: x (n, D) -> (n,)."""
    fold = torch.randperm(len(x), generator=rng.seeded(seed)) % folds
    gain = torch.empty(len(x))
    for held in range(folds):
        train, test = x[fold != held], x[fold == held]
        one = Gaussian(x.shape[1], covariance="full")
        one.maximise(train)
        with torch.no_grad():
            gain[fold == held] = best_mixture(train, 2, starts=3, seed=seed).log_prob(test) - one.log_prob(test)
    return gain


def best_mixture(x: Tensor, components: int, *, starts: int, seed: int, steps: int = 40) -> GaussianMixture:
    """The best of several EM fits with full covariances: x (n, D)."""
    fitted = []
    for start in range(starts):
        model = GaussianMixture(components, x.shape[1], covariance="full").start_at(x, rng.seeded(seed + start))
        fit(expectation_maximisation(model, x, steps=steps))
        fitted.append(model)
    return max(fitted, key=lambda model: metrics.mean_log_prob(model, x).value)


def mixture(weights: Tensor, means: Tensor, variances: Tensor) -> GaussianMixture:
    """A mixture in one dimension with these weights, means and variances, each (K,)."""
    model = GaussianMixture(len(weights), 1)
    with torch.no_grad():
        model.logits.copy_(weights.log())
        model.loc.copy_(means[:, None])
        model.log_scale.copy_(0.5 * variances.log()[:, None])
    return model


def climb_with(x: Tensor, components: int, seed: int, shared_variance: Callable, steps: int = 100) -> list[float]:
    """The mean log-likelihood before each step of EM whose components share the variance that
    `shared_variance(x, r, means)` gives: x (n,).
    """
    means, variance = x[rng.rows(len(x), components, rng.seeded(seed))], x.var(correction=0)
    weights, climbed = torch.full((components,), 1 / components), []
    for _ in range(steps):
        table = weights.log() + normal_log_prob(x[:, None], means, 0.5 * variance.log())  # (n, K)
        climbed.append(table.logsumexp(-1).mean().item())
        r = table.softmax(-1)
        weights, means = r.mean(0), r.mT @ x / r.sum(0)
        variance = shared_variance(x, r, means)
    return climbed


def colleagues_variance(x: Tensor, r: Tensor, means: Tensor) -> Tensor:
    """The lab's planted fault: a plain mean of the components' variances, as if each had as many data."""
    own = (r * (x[:, None] - means).square()).sum(0) / r.sum(0)  # (K,)
    return own.mean()


def falls(runs: Tensor) -> Tensor:
    """The deepest fall from one step to the next in each run, 0 where it never falls: (runs, steps) -> (runs,)."""
    return (-runs.diff(dim=-1)).clamp_min(0).max(-1).values


def standard_errors(x: Tensor, model: GaussianMixture) -> tuple[Tensor, Tensor]:
    """(estimates, standard errors) of weights, means and standard deviations of a mixture in one dimension.

    The errors are the roots of the inverse of the observed information, the negative Hessian of log p(D), in
    these parameters (the last weight is one minus the others): x (n,) -> (3 K - 1,) each.
    """
    size = len(model.logits)
    estimates = torch.cat([model.weights[:-1], model.loc[:, 0], model.log_scale[:, 0].exp()]).detach()

    def log_likelihood(theta: Tensor) -> Tensor:
        weights, means, scales = theta.split([size - 1, size, size])
        weights = torch.cat([weights, 1 - weights.sum(0, keepdim=True)])
        return (weights.log() + normal_log_prob(x[:, None], means, scales.log())).logsumexp(-1).sum()

    information = -torch.autograd.functional.hessian(log_likelihood, estimates)
    return estimates, torch.linalg.inv(information).diagonal().sqrt()


def log_likelihood_from(x: Tensor, weights: Tensor, means: Tensor, variances: Tensor, steps: int = 200) -> float:
    """log p(D) where EM ends from this start, each (K,): infinite if a component collapses onto one value.

    Shapes:     x (n, 1).
    Raises:     NumericalError if a component is left without data.
    """
    model = mixture(weights, means, variances)
    try:
        fit(expectation_maximisation(model, x, steps=steps))
    except SingularCovariance:
        return math.inf
    return total_log_prob(model, x)


@torch.no_grad()
def total_log_prob(model: Density, x: Tensor) -> float:
    """The log-likelihood of the whole data set, in nats."""
    return model.log_prob(x).sum().item()
