"""Features: numbers computed from a picture alone, without any idea of how it was made."""

from typing import NamedTuple

import torch
from torch import Tensor

from .sprites import WIDTH

NAMES = ("ink", "area", "peak", "edges", "right", "down", "spread", "lean 0°", "lean 45°")
OF_GALAXIES = ("log area", "log flux", "lean 0°", "lean 45°", "red / blue")
THRESHOLD = 0.25  # what is darker is taken for the sky of a sprite


class Moments(NamedTuple):
    """Where the ink lies, in pixels: centre right and down, then variances and covariance around it, each (n,)."""

    right: Tensor
    down: Tensor
    across: Tensor
    upright: Tensor
    mixed: Tensor

    def lean(self) -> tuple[Tensor, Tensor]:
        """Long axis and how long, as a vector of twice the angle: towards right (n,), and towards right-down (n,)."""
        spread = self.across + self.upright
        return (self.across - self.upright) / spread, 2 * self.mixed / spread


def moments(mass: Tensor) -> Moments:
    """Moments of pictures (n, H, W), whose pixels count as masses; a picture without any has no moments (NaN)."""
    right, down = (torch.arange(size).to(mass) - (size - 1) / 2 for size in (mass.shape[2], mass.shape[1]))
    share = mass / mass.sum((1, 2), keepdim=True)
    columns, rows = share.sum(1), share.sum(2)  # (n, W), (n, H)
    centre, middle = columns @ right, rows @ down
    across, upright = columns @ right.square() - centre.square(), rows @ down.square() - middle.square()
    mixed = torch.einsum("nhw,h,w->n", share, down, right) - centre * middle
    return Moments(centre, middle, across, upright, mixed)


def measure(x: Tensor) -> Tensor:
    """The nine features of sprites: x (n, 400) -> (n, 9), in the order of `NAMES`."""
    image = x.unflatten(-1, (WIDTH, WIDTH))
    found = moments(image * (image > THRESHOLD) + 1e-9)  # 1e-9: an empty picture has its centre in the middle
    steps = image.diff(dim=1).square().sum((1, 2)) + image.diff(dim=2).square().sum((1, 2))
    columns = [
        x.sum(-1), (x > THRESHOLD).to(x).sum(-1), x.topk(20).values.mean(-1), steps,
        found.right, found.down, found.across + found.upright, *found.lean(),
    ]
    return torch.stack(columns, -1)


def measure_galaxies(x: Tensor) -> Tensor:
    """Five features of galaxies in the middle of x (n, 28, 28, 3) -> (n, 5), in the order of `OF_GALAXIES`.

    The lean points towards the vertical, as the catalogue's orientation does.
    """
    axis = torch.arange(x.shape[1]).to(x) - (x.shape[1] - 1) / 2
    window = (-(axis[:, None].square() + axis.square()) / (2 * 5.0**2)).exp()[..., None]
    light = (x - x.flatten(1, 2).quantile(0.25, dim=1)[:, None, None]).clamp_min(0) * window  # above the sky
    colours, grey = light.sum((1, 2)), light.mean(-1)
    area = (grey > 0.03).to(x).sum((1, 2)).clamp_min(1)
    to_the_right, diagonal = moments(grey + 1e-9).lean()
    ratio = ((colours[:, 0] + 0.1) / (colours[:, 2] + 0.1)).log2()
    return torch.stack([area.log(), colours.sum(-1).log(), -to_the_right, diagonal, ratio], -1)
