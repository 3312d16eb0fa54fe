"""The experiments of lesson 10: a bent line, and questions about some of the pixels."""

import torch
from torch import Generator, Tensor, nn

from ... import plots, rng
from ...errors import require_positive
from ...functional import normal_log_prob
from ...inference import oracle
from ...models import DeepLatentVariableModel, ProbabilisticPCA


@torch.no_grad()
def bent_line(seed: int, bend: float) -> nn.Sequential:
    """A network from one number to one, with random weights times `bend`: at 0.1 nearly a straight line.

    Its last layer is scaled so that its value has mean 0 and variance 1 when z is a standard normal.
    """
    with rng.layers_from(rng.seeded(seed)):
        net = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
    for parameter in net[:-1].parameters():
        parameter.mul_(bend)
    value = net(oracle.normal_grid(2000, 1)[0])
    net[-1].bias.sub_(value.mean()).div_(value.std(correction=0))
    net[-1].weight.div_(value.std(correction=0))
    return net.requires_grad_(False)


def marginal(x: Tensor, loc: Tensor, noise: float) -> Tensor:
    """p(x) = mean over j of N(x; loc_j, noise^2), the z_j being points of equal mass: x (n,), loc (m,) -> (n,)."""
    log_scale = torch.tensor(noise).log()
    return normal_log_prob(x[:, None], loc, log_scale).exp().mean(-1)


def count_modes(density: Tensor) -> int:
    """The number of points of a fine grid (n,) that lie above both neighbours, and above 2 % of the highest.

    (Far out the points of equal mass lie so far apart that each makes a tiny bump of its own.)
    """
    middle = density[1:-1]
    return int(((middle > density[:-2]) & (middle >= density[2:]) & (middle > 0.02 * density.max())).sum())


@torch.no_grad()
def part_log_prob(model: DeepLatentVariableModel, x: Tensor, seen: Tensor, points: int = 60) -> Tensor:
    """log p of the seen pixels alone, the others summed out: x (n, D), seen (D,) -> (n,).

    Given z the pixels are independent, so those that nobody asks about simply drop out of the product.
    """
    z, log_weights = oracle.normal_grid(points, model.latents)
    logits = model.decode(z.to(x))[:, seen]  # (m, seen)
    table = x[:, seen] @ logits.mT - nn.functional.softplus(logits).sum(-1)  # (n, m)
    return (table + log_weights.to(x)).logsumexp(-1)


@torch.no_grad()
def log_prob_each_label(model: DeepLatentVariableModel, x: Tensor, points: int = 40) -> Tensor:
    """log p(x | y) for every label y: x (n, D) -> (n, classes)."""
    z, log_weights = (part.to(x) for part in oracle.normal_grid(points, model.latents))
    columns = []
    for label in range(model.classes):
        logits = model.decode(z, torch.tensor(label, device=x.device))  # (m, D)
        table = x @ logits.mT - nn.functional.softplus(logits).sum(-1)  # (n, m)
        columns.append((table + log_weights).logsumexp(-1))
    return torch.stack(columns, -1)


@torch.no_grad()
def cell_log_prob(model: ProbabilisticPCA, x: Tensor, points: int = 30) -> Tensor:
    """log of the mass that probabilistic PCA gives to the cell [x, x + 1) of a binary image: x (n, D) -> (n,).

    Given z the dimensions are independent, so the cell's mass is a product of differences of normal distribution
    functions; what is left is an integral over z.
    """
    z, log_weights = oracle.normal_grid(points, model.weight.shape[1])
    edges = (torch.arange(3.0)[:, None, None] - model.loc - z @ model.weight.mT) / model.log_scale.exp()  # (3, m, D)
    paper, ink = torch.special.ndtr(edges).diff(dim=0).clamp_min(1e-300).log()  # (m, D) each
    return (x @ (ink - paper).mT + paper.sum(-1) + log_weights).logsumexp(-1)


@torch.no_grad()
def cut_log_prob(model: ProbabilisticPCA, x: Tensor, points: int = 30) -> Tensor:
    """log p(x) where a pixel is ink if probabilistic PCA draws more than one half there: x (n, D) -> (n,)."""
    z, log_weights = oracle.normal_grid(points, model.weight.shape[1])
    above = (model.loc + z @ model.weight.mT - 0.5) / model.log_scale.exp()  # (m, D), in standard deviations
    ink, paper = torch.special.log_ndtr(above), torch.special.log_ndtr(-above)
    return (x @ (ink - paper).mT + paper.sum(-1) + log_weights).logsumexp(-1)


def every(stride: int, side: int = 28) -> Tensor:
    """The mask (side * side,) of the pixels in every `stride`-th row and column, from the middle of the first cell."""
    require_positive("stride", stride, whole=True)
    keep = torch.arange(side) % stride == stride // 2
    return (keep[:, None] & keep).flatten()


def spread(x: Tensor, generator: Generator) -> Tensor:
    """x + u with u uniform on [0, 1): each binary pixel becomes an interval of length one."""
    return x + rng.uniform(tuple(x.shape), generator, x)


@torch.no_grad()
def plane_tiles(model: DeepLatentVariableModel, size: int = 12) -> Tensor:
    """The decoder's pictures at size × size points of equal mass, z_1 to the right and z_2 up, as one picture."""
    z, _ = oracle.normal_grid(size, 2)
    rows = z.reshape(size, size, 2).transpose(0, 1).flip(0).reshape(-1, 2)  # from the top, each from the left
    return plots.tiles(model.decode(rows.to(next(model.parameters()))).sigmoid(), size)
