"""Specimen of the weather generator."""

from course_lib.inference.oracle import grid
from course_lib.models import WeatherGenerator

import torch

from . import Specimen


def two_days():
    """Each day dry (a point mass), or wet: a grid of the log of the amount in mm."""
    t, log_weights = grid(-30, 6, 400)
    amount = torch.cat([torch.zeros(1), t[:, 0].exp()])
    log_weight = torch.cat([torch.zeros(1), log_weights + t[:, 0]])
    points = torch.cartesian_prod(amount, amount)
    return points, torch.cartesian_prod(log_weight, log_weight).sum(-1)


SPECIMENS = {"weather": Specimen(lambda: WeatherGenerator(2), two_days)}
