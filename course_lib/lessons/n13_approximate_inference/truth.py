"""The truth of lesson 13: posteriors on a fine grid, and cells of equal mass that say what draws are worth."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ... import rng
from ...inference import oracle
from ...models import DeepLatentVariableModel

SIDE = 4.0  # the square of the plane that is searched, from -4 to 4
COARSE = 160  # cells along a side, at first
REACH = 12.0  # nats below the highest cell: what lies lower is left out
STRIPS = 6  # cells are STRIPS × STRIPS


class Posterior(NamedTuple):
    """The exact posteriors of n digits, each on m points of a fine grid of its own.

    Shapes:     points (n, m, 2); log_mass (n, m), which adds up to one, -inf where a grid has fewer points;
                width (n,) of the small squares around the points; log_evidence (n,), in nats.
    """

    points: Tensor
    log_mass: Tensor
    width: Tensor
    log_evidence: Tensor

    @property
    def mean(self) -> Tensor:
        """E[z | x], (n, 2)."""
        return (self.log_mass.exp()[..., None] * self.points).sum(1)

    @property
    def covariance(self) -> Tensor:
        """The covariance matrix of z given x, (n, 2, 2)."""
        offset = self.points - self.mean[:, None]
        return torch.einsum("nm,nmi,nmj->nij", self.log_mass.exp(), offset, offset)

    def sample(self, size: int, generator: Generator) -> Tensor:
        """Independent draws (size, n, 2): a point of the grid by its mass, then anywhere in its square."""
        index = rng.categorical(self.log_mass, size, generator)  # (n, size)
        points = self.points.gather(1, index[..., None].expand(-1, -1, 2))
        jitter = rng.uniform(tuple(points.shape), generator, points) - 0.5
        return (points + self.width[:, None, None] * jitter).transpose(0, 1)


@torch.no_grad()
def exact_posteriors(model: DeepLatentVariableModel, x: Tensor, size: int = 6000) -> Posterior:
    """Search the plane coarsely, then cut every cell that matters into so many squares that about `size` are there."""
    cells = oracle.grid(-SIDE, SIDE, COARSE, dimensions=2)[0].to(x)
    side = 2 * SIDE / COARSE
    found = []
    for row, values in zip(x, log_joint_table(model, x, cells)):
        near = cells[values > values.max() - REACH]  # (c, 2)
        parts = math.ceil(math.sqrt(size / len(near)))
        offsets = oracle.grid(-side / 2, side / 2, parts, dimensions=2)[0].to(x)
        points = (near[:, None] + offsets).flatten(0, 1)  # (c parts^2, 2)
        found.append((points.double(), log_joint_table(model, row[None], points)[0].double(), side / parts))
    most = max(len(points) for points, _, _ in found)
    points = torch.stack([torch.cat([points, points[:1].expand(most - len(points), 2)]) for points, _, _ in found])
    table = torch.stack([torch.cat([v, v.new_full((most - len(v),), -torch.inf)]) for _, v, _ in found])  # (n, most)
    width = torch.tensor([width for _, _, width in found], dtype=torch.float64)
    table = table + 2 * width.log()[:, None]
    log_evidence = table.logsumexp(-1)
    return Posterior(points, table - log_evidence[:, None], width, log_evidence)


def log_joint_table(model: DeepLatentVariableModel, x: Tensor, z: Tensor) -> Tensor:
    """log p(x_i, z_j) for all pairs, decoding 2,000 points at a time: x (n, D), z (m, 2) -> (n, m)."""
    return torch.cat([model.log_likelihood_table(x, part) + model.log_prior(part) for part in z.split(2000)], 1)


class Cells:
    """Each exact posterior cut into 36 cells of mass 1/36: draws are counted in them.

    First six strips of equal mass across the longest axis, then each strip into six pieces of equal mass.
    """

    number = STRIPS**2

    def __init__(self, truth: Posterior) -> None:
        self.centre = truth.mean
        self.axes = torch.linalg.eigh(truth.covariance).eigenvectors.flip(-1)  # (n, 2, 2), the longest first
        mass = truth.log_mass.exp()
        along, across = torch.einsum("nmi,nij->jnm", truth.points - self.centre[:, None], self.axes)
        self.strips = _quantiles(along, mass)  # (n, 5)
        strip = torch.searchsorted(self.strips, along.contiguous())  # (n, m)
        parts = [_quantiles(across, mass * (strip == number)) for number in range(STRIPS)]
        self.pieces = torch.stack(parts, 1)  # (n, 6, 5)

    def find(self, z: Tensor) -> Tensor:
        """The number of the cell of each draw, 0 to 35: z (S, n, 2) -> (n, S)."""
        along, across = torch.einsum("sni,nij->jns", z.double() - self.centre, self.axes)
        strip = torch.searchsorted(self.strips, along.contiguous())  # (n, S)
        edges = self.pieces.gather(1, strip[..., None].expand(-1, -1, STRIPS - 1))  # (n, S, 5)
        return STRIPS * strip + (across[..., None] > edges).sum(-1)

    def divergence(self, z: Tensor, log_weights: Tensor | None = None) -> Tensor:
        r"""How far the draws' shares q of the cells are from 1/36 each: z (S, n, 2) -> (n,), in nats.

        .. math:: \mathrm{KL}(q \,\|\, p) = \sum_{c=1}^{36} q_c \log \frac{q_c}{1 / 36}

        From 0, every cell has its due, to log 36, all in one. Weighted draws count with their weights (S, n).
        """
        cell = self.find(z)  # (n, S)
        flat = torch.zeros(cell.shape, dtype=torch.float64)
        weights = (flat if log_weights is None else log_weights.mT.double()).softmax(-1)
        share = torch.zeros(len(cell), self.number, dtype=torch.float64).scatter_add(1, cell, weights)
        return torch.special.xlogy(share, self.number * share).sum(-1)


def _quantiles(values: Tensor, mass: Tensor) -> Tensor:
    """The five cuts that make six parts of equal mass, between neighbouring points: (n, m) -> (n, 5)."""
    order = values.argsort(-1)
    values, below = values.gather(-1, order), mass.gather(-1, order).cumsum(-1)
    wanted = below[:, -1:] * torch.arange(1, STRIPS) / STRIPS  # (n, 5)
    right = torch.searchsorted(below, wanted).clamp(1, values.shape[-1] - 1)
    start, end = below.gather(-1, right - 1), below.gather(-1, right)
    share = ((wanted - start) / (end - start)).clamp(0, 1)
    return torch.lerp(values.gather(-1, right - 1), values.gather(-1, right), share)
