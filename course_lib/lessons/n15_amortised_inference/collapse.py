"""The latent variable of lesson 15, killed and cured: a decoder that also hears the pixels before."""

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR

from ... import datasets, rng
from ...functional import bernoulli_log_prob, log_mean_exp, normal_kl
from ...inference import oracle
from ...metrics import Estimate, estimate
from ...models import MADE, VAE

PIXELS, LATENTS, BATCH, RATE = 64, 2, 128, 1e-2


class TalkativeVAE(VAE):
    r"""A VAE whose decoder adds what a network says that has heard all pixels before (a MADE).

    .. math:: p(x \mid z) = \prod_d \mathrm{Bernoulli}\big(x_d; \sigma(a_d(z) + b_d(x_{<d}))\big)
    """

    def __init__(self, hears: int, seed: int) -> None:
        super().__init__(PIXELS, LATENTS, hidden=(64,), generator=rng.seeded(seed))
        self.ear = MADE(PIXELS, (hears,), generator=rng.seeded(seed + 1))

    def log_likelihood(self, x: Tensor, z: Tensor, y: Tensor | None = None) -> Tensor:
        """log p(x | z): (..., n, d) -> (..., n)."""
        return bernoulli_log_prob(x, self.decode(z) + self.ear.conditionals(x)).sum(-1)


class Patient(NamedTuple):
    """A trained model's vital signs on 1,000 new digits, each (1000,), in nats: KL(q(z | x), prior), log p(x) on a
    grid, the bound, and the blur: the entropy of the pixels, decoded at the mean of q.
    """

    kl: Tensor
    log_evidence: Tensor
    bound: Tensor
    blur: Tensor

    @property
    def signs(self) -> tuple[Estimate, Estimate]:
        """The means, with their standard errors, in nats a digit."""
        return estimate(self.kl), estimate(self.log_evidence)


@cache
def small_digits() -> tuple[Tensor, Tensor]:
    """Digits of 8 × 8 pixels, ink or paper: 4,620 to learn from, 1,000 others."""
    x = datasets.binarise(datasets.optical_digits().x).float()
    return datasets.split(x, held_out=1000, generator=rng.seeded(1))


def treated(hears: int, beta: float = 1.0, warm_up: float = 0.0, free_nats: float = 0.0, steps: int = 300,
            seed: int = 0) -> Patient:
    """Train, and take the vital signs; the same treatment is given only once.

    hears:      hidden units of the decoder's second network, which hears all pixels before; 0: there is none.
    beta:       how often the divergence counts; warm_up: the share of the training in which it rises to that from 0.
    free_nats:  a coordinate's mean divergence below this costs nothing.
    """
    return _treated(hears, beta, warm_up, free_nats, steps, seed)


@cache
def _treated(hears: int, beta: float, warm_up: float, free_nats: float, steps: int, seed: int) -> Patient:
    x = small_digits()[0]
    plain = VAE(PIXELS, LATENTS, hidden=(64,), generator=rng.seeded(seed))
    model = (TalkativeVAE(hears, seed) if hears else plain).float()
    update = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    schedule, generator = CosineAnnealingLR(update, steps), rng.seeded(seed)
    for step in range(steps):
        rows = x[rng.rows(len(x), BATCH, generator)]
        loc, log_scale = model.posterior_approximation(rows)
        log_likelihood, _ = model._bound(rows, loc, log_scale, generator)
        kl = normal_kl(loc, log_scale).mean(0).clamp_min(free_nats).sum()
        weight = beta * min(1.0, step / (warm_up * steps)) if warm_up else beta
        update.zero_grad()
        (weight * kl - log_likelihood.mean()).backward()
        update.step()
        schedule.step()
    return examined(model)


@torch.no_grad()
def examined(model: VAE) -> Patient:
    """The divergence in closed form; log p(x) by a rule of 40 × 40 points of equal mass, which is right to some
    hundredths of a nat unless beta is far below 1.
    """
    x = small_digits()[1]
    points, _ = oracle.normal_grid(40, LATENTS)
    loc, log_scale = model.posterior_approximation(x)
    heard = model.ear.conditionals(x) if isinstance(model, TalkativeVAE) else torch.zeros_like(x)
    logits = model.decode(points.to(x))  # (1600, 64)
    log_evidence = [log_mean_exp(bernoulli_log_prob(rows, logits[:, None] + ear).sum(-1))  # (1600, 5) -> (5,)
                    for rows, ear in zip(x.split(5), heard.split(5))]
    doubt = torch.distributions.Bernoulli(logits=model.decode(loc) + heard).entropy().sum(-1)
    kl = normal_kl(loc, log_scale).sum(-1)
    bound = _mean_log_likelihood(model, x, loc, log_scale) - kl
    return Patient(kl, torch.cat(log_evidence), bound, doubt)


def _mean_log_likelihood(model: VAE, x: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    """E_q log p(x | z), (n,), by a Gauss-Hermite rule of 8 × 8 points."""
    nodes, log_weights = (part.to(x) for part in oracle.gauss_hermite(8, LATENTS))
    return torch.cat([  # 10 digits at a time, to save memory
        log_weights.exp() @ model.log_likelihood(rows, mean + deviation.exp() * nodes[:, None])  # (64, 10) -> (10,)
        for rows, mean, deviation in zip(x.split(10), loc.split(10), log_scale.split(10))])
