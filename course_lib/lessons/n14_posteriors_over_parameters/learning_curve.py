"""Logistic regression on all features of the patients: the highest point of the posterior against its average."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
from tqdm.auto import tqdm

from ... import datasets, rng
from ...functional import bernoulli_log_prob, log_mean_exp, normal_log_prob
from ...inference import chains, laplace

SIZES, SCALES = (5, 10, 20, 40, 80, 160), (0.5, 1.0, 3.0)
HELD_OUT = 100
NEARLY_FLAT = 100.0  # a prior so wide that its mode stands in for maximum likelihood where that has no maximum


class Splits(NamedTuple):
    """R random orders of the 270 patients: x (R, 270, 14), standardised, with a column of ones; y (R, 270)."""

    x: Tensor
    y: Tensor


def splits(count: int, seed: int) -> Splits:
    """Random orders of the patients."""
    x, y = datasets.heart()
    x = x.to(torch.get_default_dtype())
    x = torch.cat([(x - x.mean(0)) / x.std(0), torch.ones(len(x), 1)], -1)
    order = torch.stack([torch.randperm(len(x), generator=rng.seeded(seed + r)) for r in range(count)])
    return Splits(x[order], y[order].to(x))


class Curve(NamedTuple):
    """Held-out log loss, nats a patient, of one prior: each (len(SIZES), R)."""

    at_mode: Tensor
    averaged: Tensor
    mean_weights: Tensor

    @property
    def gain(self) -> Tensor:
        """What the average saves beside the mode, (len(SIZES), R)."""
        return self.at_mode - self.averaged


def curves(data: Splits) -> dict[float, Curve]:
    """For each of SCALES: the log loss on the last patients when the first ones were seen."""
    found: dict[float, list] = {scale: [] for scale in SCALES}
    for scale, size in tqdm([(scale, size) for scale in SCALES for size in SIZES], desc="learning curve", leave=False):
        found[scale].append(_losses(data, size, scale))
    return {scale: Curve(*map(torch.stack, zip(*rows))) for scale, rows in found.items()}


def nearly_maximum_likelihood(data: Splits) -> tuple[Tensor, Tensor]:
    """(log loss, whether a plane parts the two classes), each (len(SIZES), R), of an almost flat prior's mode."""
    loss, parted = [], []
    for size in SIZES:
        mode = laplace.maximum_a_posteriori(_posterior(data, size, NEARLY_FLAT), torch.zeros_like(data.x[:, 0]))
        logits = torch.einsum("rnd,rd->rn", data.x, mode)
        right = (2 * data.y - 1) * logits > 0
        parted.append(right[:, :size].all(-1))
        loss.append(-bernoulli_log_prob(data.y, logits)[:, -HELD_OUT:].mean(-1))
    return torch.stack(loss), torch.stack(parted)


def _posterior(data: Splits, size: int, scale: float):
    x, y, log_scale = data.x[:, :size], data.y[:, :size], torch.tensor(math.log(scale))

    def log_joint(w: Tensor) -> Tensor:  # (..., R, 14) -> (..., R)
        prior = normal_log_prob(w, torch.zeros(()), log_scale).sum(-1)
        return prior + bernoulli_log_prob(y, torch.einsum("rnd,...rd->...rn", x, w)).sum(-1)

    return log_joint


def _losses(data: Splits, size: int, scale: float) -> tuple[Tensor, Tensor, Tensor]:
    """Log loss at the mode, of the average, and at the mean weights, (R,) each."""
    log_joint = _posterior(data, size, scale)
    mode = laplace.maximum_a_posteriori(log_joint, torch.zeros_like(data.x[:, 0]))
    q = laplace.laplace(log_joint, mode).approximation
    g = rng.seeded(size)
    start = rng.randn((4, *mode.shape), g, mode)
    process = chains.hamiltonian(  # in coordinates in which Laplace's Gaussian is standard
        lambda u: log_joint(q.transform(u)), start, g, step_size=0.5, leapfrog_steps=4, warm_up=40)
    w = q.transform(chains.collect(process, 80).z.flatten(0, 1))  # (320, R, 14)
    x, y = data.x[:, -HELD_OUT:], data.y[:, -HELD_OUT:]

    def loss(w: Tensor) -> Tensor:  # (S, R, 14) -> (R,): the log of an average of probabilities
        logits = torch.einsum("rnd,srd->srn", x, w)
        return -(y * log_mean_exp(logsigmoid(logits)) + (1 - y) * log_mean_exp(logsigmoid(-logits))).mean(-1)

    return loss(mode[None]), loss(w), loss(w.mean(0, keepdim=True))
