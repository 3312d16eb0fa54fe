"""The experiments of lesson 12: exact posteriors over the latent plane when some pixels are covered."""

import math
from typing import NamedTuple

import torch
from scipy import ndimage
from torch import Generator, Tensor
from torch.nn.functional import softplus

from ... import rng
from ...inference import oracle
from ...models import BayesianNetwork, DeepLatentVariableModel

SIDE = 28
LEVEL = 0.05  # a region holds the neighbouring points whose mass is above this share of the largest


class Plane(NamedTuple):
    """A square grid over the plane with all that its points say of each pixel, in single precision.

    Shapes:     points (m, 2); log_prior (m,): log of the prior's mass in each cell; logits (m, D); log_paper (m, D):
                log p(pixel is paper | z). m = size ** 2, and `area` is that of one cell.
    """

    points: Tensor
    log_prior: Tensor
    logits: Tensor
    log_paper: Tensor
    size: int
    area: float


@torch.no_grad()
def tabulate(model: DeepLatentVariableModel, size: int = 101, limit: float = 3.6) -> Plane:
    """Decode every point of a size × size grid on [-limit, limit]^2, once."""
    points, log_width = oracle.grid(-limit, limit, size, 2)
    like = next(model.parameters())
    logits = model.decode(points.to(like)).float()
    log_prior = (model.log_prior(points) + log_width).log_softmax(0)
    return Plane(points.float(), log_prior.float(), logits, -softplus(logits), size, (2 * limit / size) ** 2)


def log_joint(plane: Plane, x: Tensor, seen: Tensor) -> Tensor:
    """log of p(seen pixels, z_j) times the cell: x (n, D), seen (D,) or (n, D) -> (n, m)."""
    seen = seen.to(plane.logits).expand_as(x)
    return plane.log_prior + (x.to(seen) * seen) @ plane.logits.mT + seen @ plane.log_paper.mT


def entropy(plane: Plane, log_joint: Tensor) -> Tensor:
    """The entropy of the posterior's density, nats: minus the mean of log (mass / area); (n, m) -> (n,)."""
    log_mass = log_joint.log_softmax(-1)
    return math.log(plane.area) - (log_mass.exp() * log_mass).sum(-1)


def rows(first: int) -> Tensor:
    """The mask (784,) of the first rows of a picture."""
    return torch.arange(SIDE**2) < first * SIDE


def entropy_by_rows(plane: Plane, x: Tensor) -> Tensor:
    """The posterior's entropy after 0, 1, ..., 28 rows: x (n, 784) -> (29, n)."""
    joint = plane.log_prior.expand(len(x), -1).clone()
    found = [entropy(plane, joint)]
    for row in torch.arange(SIDE**2).split(SIDE):
        joint += x[:, row].float() @ plane.logits[:, row].mT + plane.log_paper[:, row].sum(-1)
        found.append(entropy(plane, joint))
    return torch.stack(found)


class OneMore(NamedTuple):
    """What one more pixel would do: the entropy now (n,); p_ink, and the entropy if_ink and if_paper, (n, D)."""

    now: Tensor
    p_ink: Tensor
    if_ink: Tensor
    if_paper: Tensor

    @property
    def expected(self) -> Tensor:
        """The entropy after the pixel, averaged over what it may be: (n, D)."""
        return self.p_ink * self.if_ink + (1 - self.p_ink) * self.if_paper

    def happens(self, x: Tensor) -> Tensor:
        """The entropy after the pixel as it is in x (n, D)."""
        return torch.where(x > 0.5, self.if_ink, self.if_paper)


def one_more_pixel(plane: Plane, log_joint: Tensor) -> OneMore:
    r"""The posterior's entropy after each single pixel, for both of its values, from (n, m).

    With :math:`w_j` the masses now and :math:`s_j` = p(value | z_j), the masses after it are
    :math:`w_j s_j / \sum_k w_k s_k`: their entropy needs only the three sums below, for all pixels at once.
    """
    log_mass = log_joint.log_softmax(-1)
    mass, width = log_mass.exp(), math.log(plane.area)
    after = []
    for log_value in (plane.log_paper + plane.logits, plane.log_paper):  # ink, paper: (m, D)
        value = log_value.exp()
        p = mass @ value  # (n, D)
        surprise = (mass * log_mass) @ value + mass @ (value * log_value)
        after.append((p, width + p.log() - surprise / p))
    (p_ink, if_ink), (_, if_paper) = after
    return OneMore(entropy(plane, log_joint), p_ink, if_ink, if_paper)


def regions(masses: Tensor, size: int) -> list[Tensor]:
    """The separate regions of a posterior (m,) on a size × size grid, the heaviest first: masks (m,).

    A region joins neighbours, diagonal ones too, whose mass is above 5 % of the largest.
    """
    high = (masses > LEVEL * masses.max()).reshape(size, size).numpy()
    labels, count = ndimage.label(high, structure=torch.ones(3, 3).numpy())
    labels = torch.from_numpy(labels).flatten()
    found = [labels == number for number in range(1, count + 1)]
    return sorted(found, key=lambda region: -masses[region].sum().item())


def region_masses(plane: Plane, x: Tensor, seen: Tensor) -> list[float]:
    """The masses of the regions of p(z | the seen pixels of one picture x (D,)), the heaviest first."""
    masses = log_joint(plane, x[None], seen)[0].softmax(-1)
    return [masses[region].sum().item() for region in regions(masses, plane.size)]


def widest_gap(plane: Plane, x: Tensor, seen: Tensor, least: float = 0.35) -> tuple[int, int]:
    """The picture of x (n, D) whose posterior has two regions of mass `least` and the least probable mean between.

    Also how many pictures have such a posterior at all.
    """
    masses = log_joint(plane, x, seen).softmax(-1)  # (n, m)
    depth = {}
    for i, q in enumerate(masses):
        weights = [q[region].sum().item() for region in regions(q, plane.size)[:2]]
        if min(weights) > least and len(weights) == 2:
            depth[i] = log_ratio_at_mean(plane, q)
    return min(depth, key=depth.get), len(depth)


def log_ratio_at_mean(plane: Plane, masses: Tensor) -> float:
    """log of the posterior at its own mean over that at its mode: at most 0."""
    nearest = (plane.points - masses @ plane.points).square().sum(-1).argmin()
    return (masses[nearest] / masses.max()).log().item()


def draws(masses: Tensor, n: int, generator: Generator) -> Tensor:
    """n points of the grid drawn with these masses (m,): their numbers (n,)."""
    return rng.categorical(masses.log()[None], n, generator)[0]


def joint_of(network: BayesianNetwork) -> Tensor:
    """p of every state of a network, one axis a variable: small networks only."""
    axes = [torch.arange(len(network.states[name])) for name in network.names]
    with torch.no_grad():
        return network.log_prob(torch.cartesian_prod(*axes)).exp().reshape([len(axis) for axis in axes])


def pair_given(joint: Tensor, seen: dict[int, int], first: int, second: int) -> Tensor:
    """p(first, second | seen), shape (levels of first, levels of second); `seen` maps an axis to its state."""
    for axis, state in seen.items():
        joint = joint * torch.zeros(joint.shape[axis]).index_fill(0, torch.tensor(state), 1.0).reshape(
            [-1 if other == axis else 1 for other in range(joint.ndim)])
    pair = joint.sum([axis for axis in range(joint.ndim) if axis not in (first, second)])
    pair = pair if first < second else pair.mT
    return pair / pair.sum()


def mutual_information(pair: Tensor) -> float:
    """KL(p(a, b) || p(a) p(b)) in nats of a table (A, B): 0 if and only if a and b are independent."""
    apart = pair.sum(1, keepdim=True) * pair.sum(0)
    nats = torch.special.xlogy(pair, pair / apart.clamp_min(torch.finfo(pair.dtype).tiny)).sum().item()
    return max(nats, 0.0)  # rounding may leave it a little below
