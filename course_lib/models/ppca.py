"""Probabilistic PCA: an infinite mixture in which everything has a closed form."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from ..errors import SingularCovariance, require_positive, require_vectors
from ..functional import normal_log_prob
from ..rng import randn
from .base import Card, Density


class LatentPosterior(NamedTuple):
    """p(z | x) = N(loc, covariance): loc (n, M), and one covariance (M, M) for all rows."""

    loc: Tensor
    covariance: Tensor


class ProbabilisticPCA(Density):
    r"""A Gaussian whose D dimensions follow M < D standard normal causes, with equal noise on all.

    .. math:: x = W z + \mu + \sigma \epsilon, \quad z \sim \mathcal{N}(0, I_M), \; \epsilon \sim \mathcal{N}(0, I_D)
              \qquad \Rightarrow \qquad x \sim \mathcal{N}(\mu, W W^\top + \sigma^2 I)

    W is known up to a rotation of z only: the density does not change with it.

    Shapes:     weight (D, M): W; loc (D,): mu; log_scale (): log sigma.
    Units:      W, mu and sigma in the units of the data; z has none; log-probabilities in nats.
    Raises:     ValueError if `x` does not have shape (n, D), or z not M numbers on its last axis.
    Reference:  Tipping and Bishop, Probabilistic principal component analysis, Journal of the Royal Statistical
                Society B 61 (1999).
    """

    card = Card(
        "Probabilistic PCA",
        r"$p(x, z) = \mathcal{N}(z; 0, I) \; \mathcal{N}(x; W z + \mu, \sigma^2 I)$",
        evidence="exact, $O(D M)$",
        posterior="exact, $O(D M)$",
        gradient="exact, $O(D M)$",
        sampling="$O(D M)$",
    )

    def __init__(self, features: int, latents: int) -> None:
        require_positive("features", features, whole=True)
        require_positive("latents", latents, whole=True)
        if latents >= features:
            raise ValueError(f"`latents` must be below `features` = {features}; got {latents}.")
        super().__init__()
        self.event_shape = (features,)
        self.loc = nn.Parameter(torch.zeros(features))
        self.weight = nn.Parameter(torch.eye(features, latents))  # not zero: there the gradient of W is zero
        self.log_scale = nn.Parameter(torch.zeros(()))

    def log_prior(self, z: Tensor) -> Tensor:
        """log p(z) in nats: z (..., M) -> (...)."""
        require_vectors("z", z, self.weight.shape[1])
        return normal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z)).sum(-1)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) in nats: z (..., n, M), or (M,) for one z beside all rows, and x (n, D) -> (..., n)."""
        self.require_shape(x)
        require_vectors("z", z, self.weight.shape[1])
        if z.ndim > 1 and z.shape[-2] not in (1, len(x)):
            raise ValueError(f"`z` must have {len(x)} rows, as `x` has; got shape {tuple(z.shape)}.")
        return normal_log_prob(x, self.loc + z @ self.weight.mT, self.log_scale).sum(-1)  # (..., n, D) -> (..., n)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x, z) in nats: shapes as in `log_likelihood`."""
        return self.log_prior(z) + self.log_likelihood(x, z)

    def posterior(self, x: Tensor) -> LatentPosterior:
        r"""The exact p(z | x): no D x D matrix is needed, only one of M x M.

        .. math:: \mathrm{covariance} = (I + W^\top W / \sigma^2)^{-1}, \qquad
                  \mathrm{loc} = \mathrm{covariance} \; W^\top (x - \mu) / \sigma^2
        """
        self.require_shape(x)
        root, scale = self._posterior_root(), self.log_scale.exp()
        covariance = root.mT @ root
        z = (x - self.loc) / scale @ (self.weight / scale)  # (n, M)
        return LatentPosterior(z @ covariance, covariance)

    def _posterior_root(self) -> Tensor:
        """R, shape (M, M), with R^T R the covariance of p(z | x): the inverse of its precision's Cholesky factor."""
        scaled = self.weight / self.log_scale.exp()
        identity = torch.eye(self.weight.shape[1], dtype=scaled.dtype, device=scaled.device)
        factor = torch.linalg.cholesky(identity + scaled.mT @ scaled)
        return torch.linalg.solve_triangular(factor, identity, upper=False)

    def expectation(self, x: Tensor) -> tuple[Tensor, LatentPosterior]:
        r"""The E-step: log p(x) in nats, shape (n,), and p(z | x).

        Bayes' rule holds at every z. At the posterior's mean all its terms are known, and none cancels another:

        .. math:: \log p(x) = \log p(x, z) - \log p(z \mid x)
        """
        q = self.posterior(x)
        log_peak = -(self._posterior_root().diagonal().log() + 0.5 * math.log(2 * math.pi)).sum()  # log p(loc | x)
        return self.log_joint(x, q.loc) - log_peak, q

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, shape (n,), in O(n D M)."""
        return self.expectation(x)[0]

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws: first the causes z, then x given z, shape (n, D)."""
        z = randn((n, self.weight.shape[1]), generator, self.loc)
        noise = randn((n, *self.event_shape), generator, self.loc)
        return self.loc + z @ self.weight.mT + self.log_scale.exp() * noise

    @torch.no_grad()
    def sample_posterior(self, x: Tensor, n: int, generator: Generator) -> Tensor:
        """`n` draws from p(z | x) for each row of `x`, shape (n, rows of x, M)."""
        loc = self.posterior(x).loc  # (rows of x, M)
        return loc + randn((n, *loc.shape), generator, loc) @ self._posterior_root()

    @torch.no_grad()
    def maximise(self, x: Tensor, q: LatentPosterior | None = None) -> None:
        r"""Set the parameters to their maximum-likelihood values; with `q` = p(z | x), do one M-step.

        .. math:: \mu = \bar x, \qquad \sigma^2 = \frac{1}{D - M} \sum_{d > M} \lambda_d, \qquad
                  W = U_M (\Lambda_M - \sigma^2 I)^{1/2}

        with the eigenvalues lambda (falling) and eigenvectors U of the data's covariance.

        Raises:     SingularCovariance if the data lie in a plane of M dimensions: no noise is left.
        """
        self.require_data(x)
        weight, variance = self._closed_form(x) if q is None else _m_step(x, q)
        if not variance > torch.finfo(x.dtype).eps * x.var(0, correction=0).sum():
            raise SingularCovariance(
                "The noise's variance is no longer positive: the data lie in a plane of at most "
                f"{weight.shape[1]} dimensions, where the likelihood has no upper limit. Remedy: use fewer latents or "
                "more rows, or leave out columns that depend on others. The model keeps its last good parameters."
            )
        self.loc.copy_(x.mean(0))
        self.weight.copy_(weight)
        self.log_scale.copy_(0.5 * variance.log())

    def _closed_form(self, x: Tensor) -> tuple[Tensor, Tensor]:
        latents = self.weight.shape[1]
        centred = x - x.mean(0)
        values, vectors = torch.linalg.eigh(centred.mT @ centred / len(x))  # rising
        variance = values[:-latents].mean()
        vectors = vectors[:, -latents:].flip(1)  # (D, M), the largest first
        signs = vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()  # the same on every machine
        return vectors * signs * (values[-latents:].flip(0) - variance).clamp_min(0).sqrt(), variance


def _m_step(x: Tensor, q: LatentPosterior) -> tuple[Tensor, Tensor]:
    """W and sigma^2 by least squares of x on z, over all z that q allows, with an intercept.

    The mean of the data is best for mu whatever W and sigma are, so it is set directly; the likelihood still never
    goes down.
    """
    centred, z = x - x.mean(0), q.loc - q.loc.mean(0)
    weight = torch.linalg.solve(len(x) * q.covariance + z.mT @ z, z.mT @ centred).mT  # (D, M)
    residual = (centred - z @ weight.mT).square().sum() / len(x) + ((weight @ q.covariance) * weight).sum()
    return weight, residual / x.shape[1]
