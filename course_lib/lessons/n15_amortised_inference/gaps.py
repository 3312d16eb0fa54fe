"""The gap of lesson 15, image by image: exact evidence on a grid, the network's Gaussian, the best Gaussians."""

import time
from typing import NamedTuple

import torch
from torch import Tensor

from ... import rng
from ...inference import oracle
from ...inference.approximation import GaussianApproximation
from ...inference.variational import variational
from ...models import VAE

RADIUS = 7.0  # of the disc that is summed over: a network may send a picture far out, where the prior hardly goes


def log_joint(model: VAE, x: Tensor):
    """log p(x, z) as a function of z alone: z (..., n, d) -> (..., n)."""
    return lambda z: model.log_joint(x, z)


def network_gaussian(model: VAE, x: Tensor) -> GaussianApproximation:
    """q(z | x) as the encoder gives it, one for each row of x (n, D)."""
    loc, log_scale = model.posterior_approximation(x)
    return GaussianApproximation(loc.detach(), torch.diag_embed(log_scale.detach().exp()))


@torch.no_grad()
def log_joint_table(model: VAE, x: Tensor, z: Tensor) -> Tensor:
    """log p(x_i, z_j) for all pairs: x (n, D), z (m, d) -> (n, m). One matrix product: x a - sum log(1 + e^a)."""
    logits = model.decode(z)
    return x @ logits.mT - torch.nn.functional.softplus(logits).sum(-1) + model.log_prior(z)


def grid_evidence(model: VAE, x: Tensor, size: int = 560) -> Tensor:
    """log p(x), shape (n,), in double precision: a midpoint rule of two latents, `size` cells across a disc."""
    points, log_cell = oracle.grid(-RADIUS, RADIUS, size, dimensions=2)
    points = points[points.norm(dim=-1) < RADIUS]
    total = torch.full((len(x),), -torch.inf, dtype=torch.float64)  # one sum that grows: a list would scatter memory
    for part in points.to(x).split(2000):
        total = torch.logaddexp(total, log_joint_table(model, x, part).double().logsumexp(-1))
    return total + log_cell[0].double()


@torch.no_grad()
def exact_elbo(model: VAE, x: Tensor, q: GaussianApproximation, size: int = 16) -> Tensor:
    """E_q [log p(x, z) - log q(z)] for each row, (n,), by Gauss and Hermite's rule with size × size points."""
    nodes, log_weights = (part.to(x) for part in oracle.gauss_hermite(size, q.loc.shape[-1]))
    z = q.transform(nodes[:, None].expand(-1, *q.loc.shape))  # (m, n, d)
    weights = log_weights.exp()[:, None]
    parts = zip(z.split(8), weights.split(8))
    return sum((weight * (model.log_joint(x, part) - q.log_prob(part))).double().sum(0) for part, weight in parts)


class Fit(NamedTuple):
    """A Gaussian for each of n images, and the seconds that one image took."""

    q: GaussianApproximation
    seconds: float


def peaks(model: VAE, x: Tensor) -> Tensor:
    """Where the posterior of each image is highest, (n, 2), on a grid of cells 0.1 wide."""
    places = torch.cartesian_prod(*[torch.linspace(-6, 6, 121)] * 2).to(x)
    return places[log_joint_table(model, x, places).argmax(-1)]


def best_gaussian(
    model: VAE, x: Tensor, covariance: str, *, loc: Tensor | None = None, steps: int = 150, seed: int = 0
) -> Fit:
    """Notebook 13's variational inference for each image, all at once; it begins at the network's guess.

    With `loc` (n, d) it begins there, as wide as the guess.
    """
    begin = time.perf_counter()
    with torch.no_grad():
        start = network_gaussian(model, x)
    if loc is not None:
        start = GaussianApproximation(loc, start.scale_tril)
    process = variational(log_joint(model, x), start, rng.seeded(seed), steps=steps, lr=0.02, draws=4,
                          covariance=covariance)
    for step in process:
        last = step
    return Fit(last.approximation, (time.perf_counter() - begin) / len(x))


def better(model: VAE, x: Tensor, first: GaussianApproximation, second: GaussianApproximation) -> GaussianApproximation:
    """For each image that of two Gaussians which has the higher bound: an optimisation may end on a lesser hump."""
    swap = exact_elbo(model, x, second) > exact_elbo(model, x, first)
    return GaussianApproximation(torch.where(swap[:, None], second.loc, first.loc),
                                 torch.where(swap[:, None, None], second.scale_tril, first.scale_tril))


def network_fit(model: VAE, x: Tensor) -> Fit:
    """The network's Gaussians, one pass for all images; the seconds are those of the quickest of five passes."""
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        with torch.no_grad():
            q = network_gaussian(model, x)
        seconds.append(time.perf_counter() - begin)
    return Fit(q, min(seconds) / len(x))
