"""A boat and a buoy that hears how far, not on which side: one latent number, two explanations, every answer exact."""

import math

import torch
from torch import Tensor

from ...functional import normal_log_prob
from ...inference import oracle

BUOY, NOISE, HEARD = 1.5, 0.2, 2.0  # km: where the buoy is, its standard error, and the distance that it reports


def log_prior(z: Tensor) -> Tensor:
    """log p(z) of the boat's place in km east of its harbour: (..., 1) -> (...)."""
    return normal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z)).sum(-1)


def log_likelihood(z: Tensor) -> Tensor:
    """log p(x = 2 km | z), the buoy's distance with Gaussian noise: (..., 1) -> (...)."""
    distance = (z - BUOY).abs()
    return normal_log_prob(torch.full_like(z, HEARD), distance, torch.full_like(z, NOISE).log()).sum(-1)


def log_joint(z: Tensor) -> Tensor:
    """log p(x = 2 km, z): (..., 1) -> (...)."""
    return log_prior(z) + log_likelihood(z)


def log_evidence_by_side() -> Tensor:
    r"""log of the evidence west and east of the buoy, shape (2,), in closed form.

    On each side the distance is linear in z, so the integrand is a Gaussian cut off at the buoy:

    .. math:: \mathcal{N}(c; 0, 1 + \sigma^2) \; \Phi(\pm (b - m) / s), \qquad m = \frac{c}{1 + \sigma^2}, \quad
              s^2 = \frac{\sigma^2}{1 + \sigma^2}, \qquad c = b \mp x
    """
    centre = torch.tensor([BUOY - HEARD, BUOY + HEARD])
    total = 1 + NOISE**2
    mean, scale = centre / total, NOISE / math.sqrt(total)
    inside = torch.special.log_ndtr((BUOY - mean) / scale * torch.tensor([1.0, -1.0]))
    return normal_log_prob(centre, torch.zeros(2), torch.full((2,), 0.5 * math.log(total))) + inside


def log_evidence() -> Tensor:
    """log p(x = 2 km), shape (), in closed form."""
    return log_evidence_by_side().logsumexp(0)


def jensen_gap(size: int = 1200) -> tuple[Tensor, Tensor]:
    """log E and E log of the average of two weights, both exact up to a fine grid over pairs of places."""
    z, log_width = oracle.grid(-8, 8, size)
    log_w, log_mass = log_likelihood(z), log_prior(z) + log_width  # (m,) each
    pairs = torch.logaddexp(log_w[:, None], log_w) - math.log(2)  # (m, m): log of the average of w and w'
    mass = log_mass[:, None] + log_mass
    return (mass + pairs).flatten().logsumexp(0), (mass.exp() * pairs).sum()


def metropolis_matrix(log_density: Tensor, reach: int) -> Tensor:
    """The chances of a Metropolis step on a grid, row i to column j: log_density (m,) -> (m, m).

    A jump of up to `reach` places either way is proposed, all equally likely, and none off the grid is accepted.
    """
    places = torch.arange(len(log_density))
    near = ((places[:, None] - places).abs() <= reach) & (places[:, None] != places)
    ratio = (log_density - log_density[:, None]).clamp_max(0).exp()
    moves = torch.where(near, ratio / (2 * reach), 0.0)
    return moves + torch.diag(1 - moves.sum(-1))
