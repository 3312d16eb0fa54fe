"""A tiny model whose loss draws noise of both kinds: what a loop must carry over a stop is all in it."""

from course_lib import rng
from course_lib.errors import require_rows
from course_lib.training import gradient_descent

import torch
from torch import nn


class Noisy(nn.Module):
    """Shifts and scales standard normal noise towards x, with rows left out at random."""

    def __init__(self, features=3):
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(features))
        self.log_scale = nn.Parameter(torch.zeros(features))

    def require_data(self, x):
        require_rows("x", x, tuple(self.loc.shape))

    def loss(self, x, generator):
        noise = rng.randn(tuple(x.shape), generator, x)
        keep = rng.bernoulli(torch.full_like(x[:, :1], 0.8), generator)
        return (keep * (x - self.loc - self.log_scale.exp() * noise).square()).sum(-1)


def rows(n=40):
    return 2 + rng.randn((n, 3), rng.seeded(5), torch.zeros(()))


def start(**options):
    """A model, and the process that trains it, from the same start each time."""
    model = Noisy()
    return model, gradient_descent(model, rows(), rng.seeded(3), **options)
