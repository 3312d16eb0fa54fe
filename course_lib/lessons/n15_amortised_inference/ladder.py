"""The bound ladder of lesson 15: many estimates of one log p(x), with what each of them costs."""

import time
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ... import rng
from ...functional import log_mean_exp
from ...inference.annealing import annealed_importance_sampling, sigmoid_temperatures
from ...inference.approximation import GaussianApproximation
from ...metrics import Estimate, estimate
from ...models import VAE
from .gaps import best_gaussian, exact_elbo, log_joint, log_joint_table, network_fit, network_gaussian


class Rung(NamedTuple):
    """One way to estimate log p(x): estimates of n images (n,) minus the truth, in nats, and seconds an image."""

    name: str
    error: Tensor
    seconds: float

    @property
    def estimate(self) -> Estimate:
        """Mean and standard error over the images."""
        return estimate(self.error)


@torch.no_grad()
def log_weights(
    model: VAE, x: Tensor, draws: int, generator: Generator, q: GaussianApproximation | None = None
) -> Tensor:
    """log p(x, z) - log q(z) of draws from q, by default the network's, (draws, n), in double precision."""
    q = q or network_gaussian(model, x)
    parts = [q.sample(min(64, draws - begin), generator) for begin in range(0, draws, 64)]
    return torch.cat([(model.log_joint(x, z) - q.log_prob(z)).double() for z in parts])


def in_blocks(log_w: Tensor, size: int) -> Tensor:
    """The log of the mean weight in every block of `size` draws: (draws, n) -> (blocks, n)."""
    blocks = log_w[: len(log_w) // size * size].unflatten(0, (-1, size))
    return log_mean_exp(blocks, dim=1)


def gaussian_rungs(model: VAE, x: Tensor, truth: Tensor) -> list[Rung]:
    """The bounds of the network's Gaussian, and of the best ones without and with correlations."""
    fits = {"ELBO, the network's q": network_fit(model, x), "ELBO, mean field": best_gaussian(model, x, "diagonal"),
            "ELBO, full covariance": best_gaussian(model, x, "full")}
    return [Rung(name, exact_elbo(model, x, fit.q) - truth, fit.seconds) for name, fit in fits.items()]


def iwae_rungs(model: VAE, x: Tensor, truth: Tensor, sizes: list[int], generator: Generator) -> list[Rung]:
    """The network's q with K weighted draws, for each K in `sizes`: means over blocks of 2,048 draws."""
    guess = network_fit(model, x)
    begin = time.perf_counter()
    log_w = log_weights(model, x, 2048, generator, guess.q)
    a_draw = (time.perf_counter() - begin) / log_w.numel()
    return [Rung(f"IWAE, K = {k}", in_blocks(log_w, k).mean(0) - truth, guess.seconds + k * a_draw) for k in sizes]


def naive_rungs(model: VAE, x: Tensor, truth: Tensor, sizes: list[int], generator: Generator) -> list[Rung]:
    """Draws from the prior, which all images share."""
    rungs = []
    for size in sizes:
        begin = time.perf_counter()
        z = rng.randn((size, model.latents), generator, x)
        table = (log_joint_table(model, x, z) - model.log_prior(z)).double()
        seconds = (time.perf_counter() - begin) / len(x)
        rungs.append(Rung(f"prior, S = {size:,}", log_mean_exp(table, dim=1) - truth, seconds))
    return rungs


def annealed_rungs(
    model: VAE, x: Tensor, truth: Tensor, lengths: list[int], generator: Generator, chains: int = 8
) -> list[Rung]:
    """Annealed importance sampling with so many temperatures."""
    rungs = []
    for length in lengths:
        begin = time.perf_counter()
        start = rng.randn((chains, len(x), model.latents), generator, x)
        temperatures = sigmoid_temperatures(length).to(x)
        process = annealed_importance_sampling(
            model.log_prior, log_joint(model, x), start, generator, temperatures=temperatures,
            step_size=0.3 * (0.03 / 0.3) ** temperatures, leapfrog_steps=3)
        for step in process:
            last = step
        seconds = (time.perf_counter() - begin) / len(x)
        rungs.append(Rung(f"annealing, T = {length}", last.weighted.log_evidence.double() - truth, seconds))
    return rungs
