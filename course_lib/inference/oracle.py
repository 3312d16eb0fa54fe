"""Exact answers by brute force: sum the joint over every value of the latent variable."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import require_positive, require_values

LARGEST_RULE = 350  # points of numpy's Gauss-Hermite rule: the weights of much longer ones are NaN


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


def quadrature(
    log_joint: Callable[[Tensor], Tensor], points: Tensor, log_weights: Tensor, *, at_once: int = 32
) -> Exact:
    r"""Integrate the joint over a continuous latent variable with the weights of a rule.

    .. math:: p(x) = \int p(x, z)\, dz \approx \sum_j w_j \, p(x, z_j)

    The weights of `grid` are those of an integral over z. Those of `gauss_hermite` and `normal_grid` hold a
    standard normal prior already: with them, give log p(x | z) in place of `log_joint`.
    `log_posterior` holds the logs of the masses that the points carry: they add up to one.

    Shapes:     points (m, d); log_weights (m,); `log_joint(z)` takes `at_once` points, z (at_once, 1, d), which
                broadcast against n data points, and gives (at_once, n).
    Cost:       m evaluations of the joint of all data, and memory for `at_once` of them.
    Raises:     ValueError if `log_joint` gives another shape.
    """
    require_positive("at_once", at_once, whole=True)
    parts = []
    for z in points[:, None].split(at_once):  # (at_once, 1, d)
        parts.append(log_joint(z))
        require_values("log_joint", parts[-1], z, broadcast=True)
    return _normalise((torch.cat(parts) + log_weights[:, None]).mT)


def grid(lower: float, upper: float, size: int, dimensions: int = 1) -> tuple[Tensor, Tensor]:
    """A midpoint rule on a cube: (points (m, d), log_weights (m,)), with m = size ** dimensions.

    Raises:     ValueError unless lower < upper, both finite, and size and dimensions are at least 1.
    """
    if not -math.inf < lower < upper < math.inf:
        raise ValueError(f"`lower` must be below `upper`, and both finite; got {lower} and {upper}.")
    _require_sizes(size, dimensions)
    width = (upper - lower) / size
    axis = lower + width * (torch.arange(size, dtype=torch.get_default_dtype()) + 0.5)
    points = torch.cartesian_prod(*[axis] * dimensions).reshape(-1, dimensions)  # (m, d)
    return points, torch.full((len(points),), width**dimensions).log()


def gauss_hermite(size: int, dimensions: int = 1) -> tuple[Tensor, Tensor]:
    r"""A rule for means under a standard normal: (points (m, d), log_weights (m,)), with m = size ** dimensions.

    .. math:: \int \mathcal{N}(z; 0, I) \, f(z) \, dz \approx \sum_j w_j \, f(z_j), \qquad \sum_j w_j = 1

    Exact for polynomials of degree up to 2 size - 1 along each axis, and very good for what is nearly one: a
    likelihood much narrower than the distance of the points is not. Unlike those of `grid`, the weights hold the
    prior already.

    Raises:     ValueError unless size is from 1 to 350, and dimensions at least 1.
    Reference:  Golub and Welsch, Calculation of Gauss quadrature rules (1969).
    """
    _require_sizes(size, dimensions)
    if size > LARGEST_RULE:
        raise ValueError(f"`size` must be at most {LARGEST_RULE}; got {size}. Remedy: `normal_grid`.")
    axis, weights = (torch.from_numpy(part) for part in np.polynomial.hermite_e.hermegauss(size))
    log_weights = weights.log() - 0.5 * math.log(2 * math.pi)
    points = torch.cartesian_prod(*[axis] * dimensions).reshape(-1, dimensions)  # (m, d)
    sums = torch.cartesian_prod(*[log_weights] * dimensions).reshape(-1, dimensions).sum(-1)  # (m,)
    return points.to(torch.get_default_dtype()), sums.to(torch.get_default_dtype())


def normal_grid(size: int, dimensions: int = 1) -> tuple[Tensor, Tensor]:
    r"""A rule for means under a standard normal: (points (m, d), log_weights (m,)), with m = size ** dimensions.

    .. math:: \int \mathcal{N}(z; 0, I) \, f(z) \, dz \approx \sum_j w_j \, f(z_j), \qquad w_j = 1/m

    Each axis is cut into `size` pieces of equal probability, and the points stand in their middles, in
    probability: no point is wasted on the tails. Unlike those of `grid`, the weights hold the prior already.

    Raises:     ValueError unless size and dimensions are at least 1.
    """
    _require_sizes(size, dimensions)
    axis = torch.special.ndtri((torch.arange(size, dtype=torch.get_default_dtype()) + 0.5) / size)
    points = torch.cartesian_prod(*[axis] * dimensions).reshape(-1, dimensions)  # (m, d)
    return points, torch.full((len(points),), -math.log(len(points)), dtype=axis.dtype)


def _require_sizes(size: int, dimensions: int) -> None:
    require_positive("size", size, whole=True)
    require_positive("dimensions", dimensions, whole=True)


def _normalise(table: Tensor) -> Exact:
    log_evidence = table.logsumexp(-1)  # (n,)
    return Exact(log_evidence, table - log_evidence[..., None])
