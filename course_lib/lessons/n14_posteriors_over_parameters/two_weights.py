"""Two weights of a logistic regression: their posterior on a grid, and five inferences beside it."""

import functools
import itertools
import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ... import datasets, rng
from ...functional import bernoulli_log_prob, categorical_kl, normal_log_prob
from ...inference import chains, importance, laplace, variational
from ...inference.approximation import GaussianApproximation

FEATURES, NAMES = (7, 9), ("highest heart rate", "sinking of ST")  # columns of `heart`
SIZES, SCALES = (4, 8, 16, 32, 64, 128), (0.5, 2.0, 5.0)  # patients, standard deviations of the prior
SETTINGS = tuple(itertools.product(SIZES, SCALES))
GAUSSIANS = ("Laplace", "mean-field VI", "full-covariance VI")
METHODS = (*GAUSSIANS, "HMC", "importance sampling")
FINE, BINS = 120, 12  # cells and bins along each side of a window
DRAWS = 2000  # of each sampler
TINY = 1e-300  # what a mass of zero is taken for in a log


def patients() -> tuple[Tensor, Tensor]:
    """All 270 in a fixed, shuffled order: x (270, 2), standardised, and y (270,), 1.0 for heart disease."""
    x, y = datasets.heart()
    x = x[:, list(FEATURES)].to(torch.get_default_dtype())
    order = torch.randperm(len(x), generator=rng.seeded(11))
    return ((x - x.mean(0)) / x.std(0))[order], y[order].to(x)


def log_joint(w: Tensor, x: Tensor, y: Tensor, scale: float) -> Tensor:
    """log p(w) + log p(y | x, w): w (..., 2), x (n, 2), y (n,) -> (...)."""
    prior = normal_log_prob(w, torch.zeros(()), torch.tensor(math.log(scale))).sum(-1)
    return prior + bernoulli_log_prob(y, w @ x.mT).sum(-1)


def climb(x: Tensor, y: Tensor, steps: int, rate: float) -> Tensor:
    """The weights after each step of gradient ascent on the mean log-likelihood, from 0: (steps + 1, 2)."""
    w = torch.zeros(x.shape[1])
    path = [w]
    for _ in range(steps):
        w = w + rate * (y - (x @ w).sigmoid()) @ x / len(x)
        path.append(w)
    return torch.stack(path)


def cells_needed(x: Tensor, y: Tensor, scale: float, tolerance: float) -> tuple[int, float]:
    """(cells, error): how many along each side of ±4 prior deviations keep log p(D) within `tolerance` from then on."""
    truth = _log_evidence(x, y, scale, 160)
    errors = [abs(_log_evidence(x, y, scale, cells) - truth) for cells in range(2, 121)]
    good = max(index for index, error in enumerate(errors) if error > tolerance) + 1
    return good + 2, errors[good]


def _log_evidence(x: Tensor, y: Tensor, scale: float, cells: int) -> float:
    points, area = window(torch.full((2,), -4 * scale), torch.full((2,), 4 * scale), cells)
    return log_joint(points, x, y, scale).logsumexp(0).item() + math.log(area)


def window(lower: Tensor, upper: Tensor, cells: int) -> tuple[Tensor, float]:
    """The centres of `cells` × `cells` equal cells between two corners, (cells², 2), and the area of a cell."""
    width = (upper - lower) / cells
    axes = lower + width * (torch.arange(cells)[:, None] + 0.5)  # (cells, 2)
    return torch.cartesian_prod(*axes.mT), width.prod().item()


class Beside(NamedTuple):
    """One posterior on its grid, and what five inferences make of it."""

    lower: Tensor  # (2,), a corner of the window
    upper: Tensor
    masses: Tensor  # (FINE, FINE), of the exact posterior
    log_evidence: float
    gaussians: tuple[GaussianApproximation, ...]  # those of GAUSSIANS
    draws: Tensor  # (DRAWS, 2), of the chains
    weighted: importance.Weighted
    kl: dict[str, float]  # KL(q || p) over BINS × BINS bins, in nats
    floor: float  # what DRAWS independent exact draws would have, on average


@functools.cache
def beside() -> dict[tuple[int, float], Beside]:
    """All five inferences for each of `SETTINGS`, all of them side by side."""
    x, y = patients()
    scales = torch.tensor([scale for _, scale in SETTINGS])
    seen = torch.tensor([[float(i < size) for i in range(max(SIZES))] for size, _ in SETTINGS])  # (C, n)
    x, y = x[: max(SIZES)], y[: max(SIZES)]

    def joint(w: Tensor) -> Tensor:  # (..., C, 2) -> (..., C)
        prior = normal_log_prob(w, torch.zeros(()), scales.log()[:, None]).sum(-1)
        return prior + (bernoulli_log_prob(y, w @ x.mT) * seen).sum(-1)

    gaussians = _gaussians(joint, len(SETTINGS))
    start = gaussians[0].sample(8, rng.seeded(2))
    process = chains.hamiltonian(joint, start, rng.seeded(3), step_size=0.3, leapfrog_steps=8, warm_up=100)
    draws = chains.collect(process, DRAWS // 8).z.flatten(0, 1)  # (DRAWS, C, 2)
    wide = GaussianApproximation(gaussians[0].loc, 1.5 * gaussians[0].scale_tril)
    weighted = importance.importance_sampling(joint, wide, DRAWS, rng.seeded(4))
    g = rng.seeded(5)
    found = {}
    for c, (size, scale) in enumerate(SETTINGS):
        parts = [GaussianApproximation(q.loc[c], q.scale_tril[c]) for q in gaussians]
        one = importance.Weighted(weighted.z[:, c], weighted.log_weights[:, c])
        found[size, scale] = _compare(x[:size], y[:size], scale, tuple(parts), draws[:, c], one, g)
    return found


def _gaussians(joint, settings: int) -> list[GaussianApproximation]:
    mode = laplace.maximum_a_posteriori(joint, torch.zeros(settings, 2))
    found = [laplace.laplace(joint, mode).approximation]
    for covariance in ("diagonal", "full"):
        process = variational.variational(joint, found[0], rng.seeded(1), steps=200, draws=16, covariance=covariance)
        *_, last = process
        found.append(last.approximation)
    return found


def _compare(x: Tensor, y: Tensor, scale: float, gaussians: tuple, draws: Tensor, weighted: importance.Weighted,
             g: Generator) -> Beside:
    margin = 0.25 * (draws.max(0).values - draws.min(0).values)
    lower, upper = draws.min(0).values - margin, draws.max(0).values + margin
    points, area = window(lower, upper, FINE)
    table = log_joint(points, x, y, scale) + math.log(area)
    masses = table.softmax(0)
    exact = binned(masses)

    def kl(q: Tensor) -> float:
        return categorical_kl(q, exact.clamp_min(TINY).log()).item()

    of_gaussians = [binned(q.log_prob(points).softmax(0)) for q in gaussians]
    even = torch.full((len(draws),), 1 / len(draws))
    shares = weighted.log_weights.softmax(0)
    sampled = [histogram(draws, even, lower, upper), histogram(weighted.z, shares, lower, upper)]
    free = points[torch.multinomial(masses, 20 * DRAWS, replacement=True, generator=g)].split(DRAWS)  # twenty times
    floor = sum(kl(histogram(part, even, lower, upper)) for part in free) / len(free)
    scores = {name: kl(q) for name, q in zip(METHODS, [*of_gaussians, *sampled], strict=True)}
    return Beside(lower, upper, masses.reshape(FINE, FINE), table.logsumexp(0).item(), gaussians, draws, weighted,
                  scores, floor)


def binned(masses: Tensor) -> Tensor:
    """Masses of FINE² cells -> masses of BINS² bins, (BINS²,)."""
    block = FINE // BINS
    return masses.reshape(BINS, block, BINS, block).sum((1, 3)).flatten()


def histogram(w: Tensor, weights: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """The share of weighted draws (S, 2) in each bin, (BINS²,); what lies outside the window counts in the nearest."""
    index = ((w - lower) / (upper - lower) * BINS).long().clamp(0, BINS - 1)  # (S, 2)
    return torch.zeros(BINS * BINS).index_add(0, index[:, 0] * BINS + index[:, 1], weights)
