"""Notebook 10's decoder on real digits: the truth on a fine grid, and thousands of draws that share their decoding."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import softplus
from tqdm.auto import tqdm

from ... import rng
from ...inference import oracle
from ...inference.annealing import annealed_importance_sampling, sigmoid_temperatures
from ...models import DeepLatentVariableModel
from .. import weights

AT_ONCE = 2048  # points that are decoded at once


class Truth(NamedTuple):
    """What the fine grid knows of each digit (n,): log p(x), KL(p(z | x) || p(z)), and log E[w^2] / p(x)^2."""

    log_evidence: Tensor
    divergence: Tensor
    log_mean_square: Tensor


def trained(dtype: torch.dtype) -> DeepLatentVariableModel:
    """The decoder that comes with the course."""
    return weights.trained(weights.PLANE).to(dtype)


def digits(n: int, dtype: torch.dtype) -> Tensor:
    """The first `n` binary digits that the decoder has never seen: (n, 784)."""
    return weights.digits()[1][:n].to(dtype)


@torch.no_grad()
def log_likelihoods(model: DeepLatentVariableModel, x: Tensor, z: Tensor) -> Tensor:
    """log p(x_i | z_j) for all pairs, z (m, 2) -> (m, n) in float64; a progress bar where the points are many."""
    parts, few = [], len(z) <= 10 * AT_ONCE
    for some in tqdm(z.to(x).split(AT_ONCE), desc="decoding", disable=few):
        logits = model.decode(some)  # (some, 784)
        parts.append((logits @ x.mT - softplus(logits).sum(-1, keepdim=True)).double())
    return torch.cat(parts)


def truth(model: DeepLatentVariableModel, x: Tensor, size: int = 200, reach: float = 4.0) -> Truth:
    """Sums over size × size places on the square from -reach to reach, its corners left out."""
    z, log_width = oracle.grid(-reach, reach, size, 2)
    kept = z.norm(dim=-1) < reach
    z, log_width = z[kept], log_width[kept]
    log_w = log_likelihoods(model, x, z)  # (m, n)
    log_prior = (-0.5 * z.square().sum(-1) - math.log(2 * math.pi) + log_width)[:, None]
    log_p = (log_prior + log_w).logsumexp(0)  # (n,)
    posterior = (log_prior + log_w - log_p).exp()
    divergence = (posterior * (log_w - log_p)).sum(0)
    return Truth(log_p, divergence, (log_prior + 2 * log_w).logsumexp(0) - 2 * log_p)


def naive_blocks(log_w: Tensor, draws: int) -> Tensor:
    """A table of weights (m, n) cut into blocks of `draws` rows: log of the average in each block, (blocks, n)."""
    blocks = len(log_w) // draws
    table = log_w[: blocks * draws].reshape(blocks, draws, -1)
    return table.logsumexp(1) - math.log(draws)


def annealed(model: DeepLatentVariableModel, x: Tensor, chains: tuple[int, int], steps: int, generator: Generator,
             *, leapfrog_steps: int = 4) -> Tensor:
    """Annealing up from the prior, (chains, runs) for each digit: the log of each run's average weight, (runs, n)."""
    start = rng.randn((*chains, len(x), 2), generator, x)
    temperatures = sigmoid_temperatures(steps).to(x)
    process = annealed_importance_sampling(
        model.log_prior, lambda z: model.log_joint(x, z), start, generator, temperatures=temperatures,
        step_size=0.6 / (1 + 600 * temperatures).sqrt(), leapfrog_steps=leapfrog_steps)
    *_, last = tqdm(process, total=steps, desc="annealing")
    return last.weighted.log_evidence.double()


def prior_draws(n: int, generator: Generator) -> Tensor:
    """`n` points of the latent plane from its prior: (n, 2)."""
    return rng.randn((n, 2), generator, torch.empty(()))
