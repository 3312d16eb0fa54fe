"""Probabilistic PCA of digits: one picture, its exact answers, and every way to estimate its evidence."""

import functools
import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from tqdm.auto import tqdm

from ... import datasets, rng
from ...functional import log_mean_exp
from ...inference import annealing, oracle
from ...inference.approximation import GaussianApproximation
from ...inference.importance import Weighted
from ...models import ProbabilisticPCA


def digits() -> tuple[Tensor, Tensor]:
    """4,000 grey digits to learn from and 1,000 others, rows of 784 numbers from 0 to 1, in the default dtype."""
    x, y = datasets.mnist()
    x, held_out, _, _ = datasets.split(x.to(torch.get_default_dtype()), y, held_out=1000, generator=rng.seeded(10))
    return x, held_out


def thumbnails(x: Tensor) -> Tensor:
    """Pictures (n, 784) shrunk to 7 × 7 pixels, each the mean of 4 × 4: (n, 49)."""
    return x.reshape(-1, 7, 4, 7, 4).mean((2, 4)).flatten(1)


def fitted(x: Tensor, latents: int) -> ProbabilisticPCA:
    """Probabilistic PCA at its maximum-likelihood parameters, which have a closed form."""
    model = ProbabilisticPCA(x.shape[1], latents).to(x)
    model.maximise(x)
    return model.requires_grad_(False)


@functools.cache
def of_digits(latents: int) -> ProbabilisticPCA:
    """The model of grey digits with so many latents, in float64; made once."""
    return fitted(digits()[0].double(), latents)


@functools.cache
def digit(latents: int) -> "OnePicture":
    """The first held-out digit under that model; made once."""
    return one_picture(of_digits(latents), digits()[1][:1].double())


class OnePicture(NamedTuple):
    r"""What one picture asks of z: with :math:`W / \sigma = Q R`, all but M numbers of x are a constant.

    .. math:: \log p(x \mid z) = \mathrm{constant} - \tfrac12 \, \lVert c - R z \rVert^2, \qquad
              c = Q^\top (x - \mu) / \sigma

    Shapes:     constant, log_evidence (); c (M,); root R (M, M); posterior loc (M,), scale_tril (M, M).
    """

    constant: Tensor
    c: Tensor
    root: Tensor
    posterior: GaussianApproximation
    log_evidence: Tensor

    @property
    def latents(self) -> int:
        """The dimension of z."""
        return len(self.c)

    def log_prior(self, z: Tensor) -> Tensor:
        """log p(z) in nats: (..., M) -> (...)."""
        return -0.5 * z.square().sum(-1) - 0.5 * z.shape[-1] * math.log(2 * math.pi)

    def log_likelihood(self, z: Tensor) -> Tensor:
        """log p(x | z) in nats: (..., M) -> (...)."""
        return self.constant - 0.5 * (self.c - z @ self.root.mT).square().sum(-1)

    def log_joint(self, z: Tensor) -> Tensor:
        """log p(x, z) in nats: (..., M) -> (...)."""
        return self.log_prior(z) + self.log_likelihood(z)

    @property
    def steepness(self) -> Tensor:
        """The largest precision of the likelihood, in any direction."""
        return torch.linalg.matrix_norm(self.root, 2).square()


@torch.no_grad()
def one_picture(model: ProbabilisticPCA, x: Tensor) -> OnePicture:
    """The model seen from one row `x` (1, D)."""
    scale = model.log_scale.exp()
    q, root = torch.linalg.qr(model.weight / scale)
    far = (x[0] - model.loc) / scale
    c = q.mT @ far
    rest = far.square().sum() - c.square().sum()
    constant = -0.5 * rest - len(far) * (model.log_scale + 0.5 * math.log(2 * math.pi))
    loc, covariance = model.posterior(x)
    posterior = GaussianApproximation(loc[0], torch.linalg.cholesky(covariance))
    return OnePicture(constant, c, root, posterior, model.log_prob(x)[0])


def naive(picture: OnePicture, draws: int, runs: int, generator: Generator) -> Weighted:
    """`runs` naive Monte Carlo estimates side by side, each from `draws` draws of the prior: weights (draws, runs)."""
    z = rng.randn((draws, runs, picture.latents), generator, picture.c)
    return Weighted(z, picture.log_likelihood(z))


class Block(NamedTuple):
    """Naive estimates from blocks of so many draws: their errors in nats, and the standard errors that they claim."""

    errors: Tensor
    claimed: Tensor


def naive_in_blocks(picture: OnePicture, sizes: list[int], thousands: int, generator: Generator) -> list[Block]:
    """The same draws, a thousand at a time, cut into blocks of 1000, ... (multiples of it): one Block a size."""
    parts = []
    for _ in tqdm(range(thousands), desc="thousands of draws"):
        log_w = naive(picture, 1000, 1, generator).log_weights[:, 0]
        parts.append(torch.stack([log_w.logsumexp(0), (2 * log_w).logsumexp(0)]))
    sums = torch.stack(parts, -1)  # (2, thousands): logs of the sums of w and of w^2
    return [_block(sums, size, picture.log_evidence) for size in sizes]


def _block(sums: Tensor, size: int, truth: Tensor) -> Block:
    first, second = sums.unflatten(-1, (-1, size // 1000)).logsumexp(-1)  # (blocks,) each
    crowding = (math.log(size) + second - 2 * first).exp()  # the mean square of the weights over the squared mean
    return Block(first - math.log(size) - truth, ((crowding - 1) / (size - 1)).sqrt())


@torch.no_grad()
def divergence_from_prior(model: ProbabilisticPCA, x: Tensor) -> Tensor:
    r"""KL(p(z given x) || p(z)) in nats, (n, D) -> (n,): the closed form for two Gaussians."""
    loc, covariance = model.posterior(x)
    return 0.5 * (loc.square().sum(-1) + covariance.trace() - len(covariance) - torch.logdet(covariance))


@torch.no_grad()
def log_mean_square_weight(picture: OnePicture) -> Tensor:
    r"""log of E[w^2] / p(x)^2 under the prior, shape (): one plus the variance of w / p(x).

    It is the integral of p(z given x)^2 / p(z), in which all three are Gaussians.
    """
    precision = torch.cholesky_inverse(picture.posterior.scale_tril)
    pull = precision @ picture.posterior.loc
    left = 2 * precision - torch.eye(len(precision), dtype=precision.dtype)  # of the integrand
    square = 4 * pull @ torch.linalg.solve(left, pull) - 2 * pull @ picture.posterior.loc
    return torch.logdet(precision) - 0.5 * torch.logdet(left) + 0.5 * square


def delta_method(log_mean_square: Tensor, draws: Tensor) -> Tensor:
    """The bias of the log of an average of `draws` weights, to second order: -Var(w) / (2 S p^2)."""
    return -torch.expm1(log_mean_square) / (2 * draws)


def annealed(
    picture: OnePicture, chains: tuple[int, int], steps: int, generator: Generator, *, leapfrog_steps: int = 3
) -> Tensor:
    """Annealing up from the prior: (chains, runs) side by side, the log of each run's average weight, (runs,)."""
    start = rng.randn((*chains, picture.latents), generator, picture.c)
    *_, last = annealing.annealed_importance_sampling(
        picture.log_prior, picture.log_joint, start, generator, **_plan(picture, steps, leapfrog_steps))
    return last.weighted.log_evidence


def bounds(
    picture: OnePicture, chains: tuple[int, int], steps: int, generator: Generator, *, leapfrog_steps: int = 3
) -> annealing.Sandwich:
    """Annealing up from the prior and down from exact draws of the posterior: lower and upper, (runs,) each."""
    shape = (*chains, picture.latents)
    start = rng.randn(shape, generator, picture.c)
    exact = picture.posterior.sample(chains[0] * chains[1], generator).reshape(shape)
    return annealing.sandwich(
        picture.log_prior, picture.log_joint, start, exact, generator, **_plan(picture, steps, leapfrog_steps))


def _plan(picture: OnePicture, steps: int, leapfrog_steps: int) -> dict:
    """The densities get narrower as the temperature rises, and the steps of the moves with them."""
    temperatures = annealing.sigmoid_temperatures(steps).to(picture.c)
    step_size = 0.6 / (1 + temperatures * picture.steepness).sqrt()
    return {"temperatures": temperatures, "step_size": step_size, "leapfrog_steps": leapfrog_steps}


def within_a_budget(picture: OnePicture, budget: int, seeds: int, generator: Generator) -> dict[str, Tensor]:
    """Errors in nats, one a seed, of four ways to spend `budget` evaluations; the grid has no chance in it: (1,)."""
    made, size = {}, math.floor(budget ** (1 / picture.latents) + 1e-9)
    if size > 1:
        points, log_weights = oracle.grid(-5, 5, size, picture.latents)
        made["grid"] = (picture.log_joint(points) + log_weights).logsumexp(0)[None]
    made["draws from the prior"] = naive(picture, budget, seeds, generator).log_evidence
    wide = scaled(picture.posterior, 1.2)
    made["draws near the posterior"] = weighed(picture, wide, budget, seeds, generator).log_evidence
    chains, leapfrog_steps = 8, 3
    steps = budget // (chains * (leapfrog_steps + 1))
    made["annealing"] = annealed(picture, (chains, seeds), steps, generator, leapfrog_steps=leapfrog_steps)
    return {name: value - picture.log_evidence for name, value in made.items()}


def scaled(proposal: GaussianApproximation, factor: float, *, shift: float = 0.0) -> GaussianApproximation:
    """Wider or narrower by `factor`, and moved by `shift` standard deviations along every one of its axes."""
    return GaussianApproximation(proposal.loc + shift * proposal.scale_tril.sum(-1), factor * proposal.scale_tril)


def weighed(
    picture: OnePicture, proposal: GaussianApproximation, draws: int, runs: int, generator: Generator
) -> Weighted:
    """`runs` estimates by importance sampling side by side: log-weights (draws, runs)."""
    z = proposal.sample(draws * runs, generator)
    log_weights = picture.log_joint(z) - proposal.log_prob(z)
    return Weighted(z.reshape(draws, runs, -1), log_weights.reshape(draws, runs))


def gradient_agreement(model: ProbabilisticPCA, x: Tensor, draws: int, generator: Generator) -> Tensor:
    """Cosine between the gradient of log p(x) to W and that of its naive estimate, row by row of x (n, D) -> (n,)."""
    weight, found = model.weight.requires_grad_(), []
    for row in x.split(1):
        z = rng.randn((draws, 1, weight.shape[1]), generator, x)
        values = model.log_prob(row), log_mean_exp(model.log_likelihood(row, z))
        exact, naively = (torch.autograd.grad(value.sum(), weight)[0].flatten() for value in values)
        found.append(torch.nn.functional.cosine_similarity(exact, naively, dim=0))
    weight.requires_grad_(False)
    return torch.stack(found)
