"""The experiments of lesson 10: a bent line, and questions about some of the pixels."""

import torch
from torch import Generator, Tensor, nn

from ... import rng
from ...errors import require_positive
from ...functional import normal_log_prob
from ...inference import oracle
from ...models import DeepLatentVariableModel


def bent_line(seed: int, bend: float) -> nn.Sequential:
    """A network from one number to one, with random weights times `bend`: at 0.1 nearly a straight line."""
    with rng.layers_from(rng.seeded(seed)):
        net = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
    for parameter in net[:-1].parameters():
        parameter.data.mul_(bend)
    return net.requires_grad_(False)


def standardised(net: nn.Sequential, z: Tensor) -> Tensor:
    """The network's value at the points z (m, 1) of a rule with equal weights, with mean 0 and variance 1: (m,)."""
    value = net(z)[:, 0]
    return (value - value.mean()) / value.std(correction=0)


def marginal(x: Tensor, loc: Tensor, noise: float) -> Tensor:
    """p(x) = mean over j of N(x; loc_j, noise^2), the z_j being points of equal mass: x (n,), loc (m,) -> (n,)."""
    log_scale = torch.tensor(noise).log()
    return normal_log_prob(x[:, None], loc, log_scale).exp().mean(-1)


def count_modes(density: Tensor) -> int:
    """The number of points of a fine grid (n,) that lie above both neighbours."""
    middle = density[1:-1]
    return int(((middle > density[:-2]) & (middle >= density[2:])).sum())


@torch.no_grad()
def part_log_prob(model: DeepLatentVariableModel, x: Tensor, seen: Tensor, points: int = 60) -> Tensor:
    """log p of the seen pixels alone, the others summed out: x (n, D), seen (D,) -> (n,).

    Given z the pixels are independent, so those that nobody asks about simply drop out of the product.
    """
    z, log_weights = oracle.normal_grid(points, model.latents)
    logits = model.decode(z.to(x))[:, seen]  # (m, seen)
    table = x[:, seen] @ logits.mT - nn.functional.softplus(logits).sum(-1)  # (n, m)
    return (table + log_weights.to(x)).logsumexp(-1)


def every(stride: int, side: int = 28) -> Tensor:
    """The mask (side * side,) of the pixels in every `stride`-th row and column, from the middle of the first cell."""
    require_positive("stride", stride, whole=True)
    keep = torch.arange(side) % stride == stride // 2
    return (keep[:, None] & keep).flatten()


def spread(x: Tensor, generator: Generator) -> Tensor:
    """x + u with u uniform on [0, 1): each binary pixel becomes an interval of length one."""
    return x + rng.uniform(tuple(x.shape), generator, x)


def tiles(pictures: Tensor, columns: int) -> Tensor:
    """Pictures (n, 784) side by side, row after row, as one picture (rows * 28, columns * 28)."""
    return pictures.reshape(-1, columns, 28, 28).transpose(1, 2).reshape(-1, columns * 28)


@torch.no_grad()
def plane_tiles(model: DeepLatentVariableModel, size: int = 12) -> Tensor:
    """The decoder's pictures at size × size points of equal mass, z_1 to the right and z_2 up, as one picture."""
    z, _ = oracle.normal_grid(size, 2)
    rows = z.reshape(size, size, 2).transpose(0, 1).flip(0).reshape(-1, 2)  # from the top, each from the left
    return tiles(model.decode(rows.to(next(model.parameters()))).sigmoid(), size)
