"""Latent planes and a pad for the tests, on small decoders with random weights."""

from course_lib.models.mlp import mlp
from course_lib.rng import bernoulli, seeded
from course_lib.widgets import DrawDigit, LatentPlane

import torch
from torch import Tensor, nn

SHAPE = (8, 6)


def decoder(inputs: int = 2, activation: type[nn.Module] = nn.Tanh, *, scale: float = 3.0) -> nn.Sequential:
    """A decoder to pictures of 8 × 6 pixels, whose first weights are enlarged so that pictures differ."""
    net = mlp((inputs, 16, 12, 48), seeded(0), activation)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(scale)
    return net


def pictures(n: int) -> Tensor:
    """Random pictures of 0 and 1."""
    return bernoulli(torch.full((n, 48), 0.4), seeded(1))


def plane(**options) -> LatentPlane:
    """A plane with four pictures and a pad."""
    return LatentPlane(decoder(), **{"shape": SHAPE, "images": pictures(4), "draw": True, "cells": 21} | options)


def labelled() -> LatentPlane:
    """A plane with three labels."""
    return LatentPlane(decoder(5), shape=SHAPE, images=pictures(4), labels=["a", "b", "c"], cells=21, title="Labelled")


def many() -> LatentPlane:
    """A plane of two out of four latents."""
    return LatentPlane(decoder(4), shape=SHAPE, draw=True, cells=21, title="Four latents")


def plain() -> LatentPlane:
    """A plane of the size that the course uses, and nothing beside it."""
    return LatentPlane(mlp((2, 256, 256, 784), seeded(0)))


def lecture() -> LatentPlane:
    """The same with pictures and labels."""
    images = bernoulli(torch.full((4, 784), 0.2), seeded(1))
    return LatentPlane(mlp((12, 256, 256, 784), seeded(0)), images=images, labels=list("0123456789"))


def pad(**options) -> DrawDigit:
    """A small pad."""
    return DrawDigit(SHAPE, **options)
