"""Exact answers by brute force: sum the joint over every value of the latent variable."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor


class Exact(NamedTuple):
    """What enumeration knows: log p(x), shape (n,), and log p(z | x) for each z, shape (n, m)."""

    log_evidence: Tensor
    log_posterior: Tensor


def enumeration(log_joint: Callable[[Tensor], Tensor], values: Iterable[Tensor]) -> Exact:
    r"""Sum the joint over all values of a discrete latent variable.

    .. math:: p(x) = \sum_z p(x, z), \qquad p(z \mid x) = p(x, z) / p(x)

    Shapes:     `log_joint(z)` gives log p(x, z) of every data point for one z, shape (n,);
                `values` holds the m values of z.
    Cost:       m evaluations of `log_joint`.
    """
    table = torch.stack([log_joint(z) for z in values], -1)  # (n, m)
    return _normalise(table)


def quadrature(log_joint: Callable[[Tensor], Tensor], points: Tensor, log_weights: Tensor) -> Exact:
    r"""Integrate the joint over a continuous latent variable with the weights of a rule.

    .. math:: p(x) = \int p(x, z)\, dz \approx \sum_j w_j \, p(x, z_j)

    `log_posterior` holds the logs of the masses that the points carry: they add up to one.

    Shapes:     points (m, d); log_weights (m,); `log_joint(z)` gives (n,) for one z of shape (d,).
    """
    table = torch.stack([log_joint(z) for z in points], -1)  # (n, m)
    return _normalise(table + log_weights)


def grid(lower: float, upper: float, size: int, dimensions: int = 1) -> tuple[Tensor, Tensor]:
    """A midpoint rule on a cube: (points (m, d), log_weights (m,)), with m = size ** dimensions.

    Raises:     ValueError unless lower < upper.
    """
    if not lower < upper:
        raise ValueError(f"`lower` must be below `upper`; got {lower} and {upper}.")
    width = (upper - lower) / size
    axis = lower + width * (torch.arange(size, dtype=torch.get_default_dtype()) + 0.5)
    points = torch.cartesian_prod(*[axis] * dimensions).reshape(-1, dimensions)  # (m, d)
    return points, torch.full((len(points),), width**dimensions).log()


def _normalise(table: Tensor) -> Exact:
    log_evidence = table.logsumexp(-1)  # (n,)
    return Exact(log_evidence, table - log_evidence[..., None])
