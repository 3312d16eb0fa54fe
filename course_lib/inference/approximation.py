"""Gaussians that stand in for a posterior, one for each data point."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..errors import require_positive
from ..functional import multivariate_normal_log_prob
from ..rng import randn


class GaussianApproximation(NamedTuple):
    r"""A Gaussian over z for each data point: what Laplace and variational inference find, importance sampling uses.

    .. math:: q(z) = \mathcal{N}(z; \mu, L L^\top)

    Shapes:     loc (..., d); scale_tril (..., d, d), lower triangular with a positive diagonal.
    Units:      both in the units of z; log-densities in nats.
    """

    loc: Tensor
    scale_tril: Tensor

    @classmethod
    def around(cls, loc: Tensor, scale: float = 1.0) -> "GaussianApproximation":
        """The one with mean `loc` (..., d), the standard deviation `scale` in every direction, no correlations."""
        require_positive("scale", scale)
        return cls(loc, torch.diag_embed(torch.full_like(loc, scale)))

    @property
    def covariance(self) -> Tensor:
        """The matrix L L^T, shape (..., d, d)."""
        return self.scale_tril @ self.scale_tril.mT

    def transform(self, noise: Tensor) -> Tensor:
        """z = loc + L e: standard normal noise (s, ..., d) becomes draws (s, ..., d), with a gradient."""
        return self.loc + torch.einsum("...ij,s...j->s...i", self.scale_tril, noise)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws for each data point, shape (n, ..., d)."""
        return self.transform(randn((n, *self.loc.shape), generator, self.loc))

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z) in nats: z (s, ..., d), `s` points for each data point, gives (s, ...).

        Raises:     ValueError unless `z` has one axis more than `loc`, and the same last one.
        """
        if z.ndim != self.loc.ndim + 1 or z.shape[-1] != self.loc.shape[-1]:
            want = ", ".join(map(str, ("s", *self.loc.shape)))
            raise ValueError(f"`z` must have shape ({want}); got {tuple(z.shape)}.")
        return multivariate_normal_log_prob(z.movedim(0, -2), self.loc, self.scale_tril).movedim(-1, 0)
