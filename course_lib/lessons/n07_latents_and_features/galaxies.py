"""The real pictures of lesson 07: galaxies, their catalogue, and what latents know of it."""

import torch
from torch import Tensor

from ...datasets.astronomy import Hubble
from ...metrics import Estimate
from .experiments import linear_map, predict, r_squared

LATENTS = 30
PLACE = ("sky row", "sky column")


def shrink(x: Tensor) -> Tensor:
    """Pictures (n, 28, 28, 3) at half the size: (n, 588)."""
    return torch.nn.functional.avg_pool2d(x.permute(0, 3, 1, 2), 2).flatten(1)


def catalogue(sky: Hubble) -> Tensor:
    """What the catalogue says, in the order of `features.OF_GALAXIES`: (n, 5).

    The orientation stands as a point: an axis has no direction, so (cos 2a, sin 2a), times the ellipticity.
    """
    lean = [sky.ellipticity * turn(2 * sky.orientation) for turn in (torch.cos, torch.sin)]
    return torch.stack([sky.area.log(), sky.flux.log(), *lean, sky.red_over_blue], -1)


def correlations(a: Tensor, b: Tensor) -> Tensor:
    """Between all columns of a (n, k) and of b (n, m): (k, m)."""
    return torch.corrcoef(torch.cat([a, b], 1).mT)[: a.shape[1], a.shape[1] :]


def told(code: Tensor, y: Tensor, folds: int = 5) -> list[Estimate]:
    """R squared for each column of y (n, m) of a linear map from a code (n, k), each fold judged by the others."""
    fold, said = torch.arange(len(code)) % folds, torch.empty_like(y)
    for held in range(folds):
        said[fold == held] = predict(linear_map(code[fold != held], y[fold != held]), code[fold == held])
    return [r_squared(said[:, [column]], y[:, [column]]) for column in range(y.shape[1])]
