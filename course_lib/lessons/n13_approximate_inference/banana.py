"""A banana: a bent density in two dimensions of which everything is known in closed form."""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ...functional import normal_log_prob


@dataclass(frozen=True)
class Banana:
    r"""A standard normal z_1, and z_2 along a parabola of it.

    .. math:: z_1 \sim \mathcal{N}(0, 1), \qquad z_2 \mid z_1 \sim \mathcal{N}\big(b (z_1^2 - 1), s^2\big)

    Shapes:     z (..., 2). `bend` is b, `thickness` is s.
    """

    bend: float = 1.0
    thickness: float = 0.5

    def straightened(self, z: Tensor) -> Tensor:
        """The two independent standard normals behind z: (..., 2) -> (..., 2)."""
        first, second = z.unbind(-1)
        return torch.stack([first, (second - self.bend * (first.square() - 1)) / self.thickness], -1)

    def log_density(self, z: Tensor) -> Tensor:
        """log p(z) in nats, normalised: (..., 2) -> (...)."""
        zero = torch.zeros((), dtype=z.dtype)
        return normal_log_prob(self.straightened(z), zero, zero).sum(-1) - math.log(self.thickness)

    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` exact draws, (n, 2)."""
        first, second = torch.randn(n, 2, generator=generator).unbind(-1)
        return torch.stack([first, self.bend * (first.square() - 1) + self.thickness * second], -1)

    def cell(self, z: Tensor, strips: int = 4) -> Tensor:
        """The number of the cell of each z, among strips * strips of equal mass: (..., 2) -> (...)."""
        share = torch.special.ndtr(self.straightened(z))  # uniform on the square
        row, column = (strips * share).long().clamp_max(strips - 1).unbind(-1)
        return strips * row + column

    def best_mean_field(self) -> tuple[float, float, float]:
        r"""Mean of z_2, and the standard deviations of z_1 and z_2, that make KL(q || p) smallest (E_q z_1 = 0).

        With v the variance of z_1, the divergence is v / 2 - log(v) / 2 + (b v / s)^2 + constants, so that
        4 (b / s)^2 v^2 + v - 1 = 0; the mean of z_2 is b (v - 1), its standard deviation s.
        """
        ratio = 4 * (self.bend / self.thickness) ** 2
        variance = 2 / (1 + math.sqrt(1 + 4 * ratio))  # the positive root, safe at ratio 0
        return self.bend * (variance - 1), math.sqrt(variance), self.thickness

    def reverse(self, mean: float, first: float, second: float) -> float:
        r"""KL(q || p) in nats, of a mean-field Gaussian with mean (0, mean) and standard deviations (first, second)."""
        v, b, s = first**2, self.bend, self.thickness
        square = second**2 + mean**2 - 2 * mean * b * (v - 1) + b**2 * (3 * v**2 - 2 * v + 1)
        return 0.5 * v + 0.5 * square / s**2 - 1 + math.log(s) - math.log(first) - math.log(second)

    def forward(self, mean: float, first: float, second: float) -> float:
        r"""KL(p || q) in nats, of the same Gaussian."""
        square = 2 * self.bend**2 + self.thickness**2 + mean**2  # E_p (z_2 - mean)^2, for E_p z_2 = 0
        entropy = 1 + math.log(self.thickness)
        return math.log(first) + math.log(second) + 0.5 / first**2 + 0.5 * square / second**2 - entropy
