"""Two distributions of a hidden number: a posterior stays in the family of its prior."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..functional import beta_log_prob, gamma_log_prob
from ..rng import gamma, uniform


class Gamma(NamedTuple):
    """A gamma distribution of z > 0: the mean is concentration / rate."""

    concentration: Tensor
    rate: Tensor

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, element by element."""
        return gamma_log_prob(z, *self)

    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws, shape (n, ...)."""
        return gamma(self.concentration.expand(n, *self.concentration.shape), generator) / self.rate

    def quantiles(self, u: Tensor) -> Tensor:
        """The z that has probability `u` below it, (m,) -> (m,); parameters (), without gradient."""
        from scipy.special import gammaincinv  # here, for it takes longer to load than all of this library

        z = gammaincinv(self.concentration.item(), u.cpu().numpy())
        return torch.from_numpy(z).to(u) / self.rate.detach()


class Beta(NamedTuple):
    """A beta distribution of 0 < z < 1: the mean is alpha / (alpha + beta)."""

    alpha: Tensor
    beta: Tensor

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, element by element."""
        return beta_log_prob(z, *self)

    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws, each a share of the sum of two gamma draws, shape (n, ...)."""
        one, other = (_log_gamma_draws(value.detach().expand(n, *value.shape), generator) for value in self)
        return (one - other).sigmoid()

    def quantiles(self, u: Tensor) -> Tensor:
        """The z that has probability `u` below it, (m,) -> (m,); parameters (), without gradient."""
        from scipy.special import betaincinv  # as above

        return torch.from_numpy(betaincinv(self.alpha.item(), self.beta.item(), u.cpu().numpy())).to(u)


def _log_gamma_draws(concentration: Tensor, generator: Generator) -> Tensor:
    """Logs of draws from Gamma(a, 1), as those of Gamma(a + 1, 1) times U^(1/a): for a small a most draws are
    themselves too small for the dtype."""
    share = uniform(tuple(concentration.shape), generator, concentration)
    return gamma(concentration + 1, generator).log() + (-share).log1p() / concentration
