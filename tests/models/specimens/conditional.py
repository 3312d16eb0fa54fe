"""Specimens of neural conditionals."""

from course_lib.inference.oracle import grid
from course_lib.models import ConditionalBernoulli, ConditionalCategorical, ConditionalGaussian, ConditionalMixture
from course_lib.rng import seeded

import torch

from . import Specimen, binary


def inputs():
    return torch.tensor([[0.5, -1.0], [2.0, 0.3], [-0.7, 0.1], [0.0, 1.5]])


def labels():
    return torch.arange(4), torch.zeros(4)


def yes_or_no():
    points, log_weights = binary(1)
    return points[:, 0], log_weights


def line():
    points, log_weights = grid(-40, 40, 40_000)
    return points[:, 0], log_weights


def plane():
    return grid(-20, 20, 800, 2)


def make(family, *sizes, **options):
    return lambda: family(*sizes, **options, generator=seeded(11))


SPECIMENS = {
    "softmax-regression": Specimen(make(ConditionalCategorical, 2, 4), labels, inputs),
    "conditional-categorical": Specimen(make(ConditionalCategorical, 2, 4, hidden=(5,)), labels, inputs),
    "logistic-regression": Specimen(make(ConditionalBernoulli, 2), yes_or_no, inputs),
    "conditional-bernoulli": Specimen(make(ConditionalBernoulli, 2, hidden=(5,)), yes_or_no, inputs),
    "linear-regression": Specimen(make(ConditionalGaussian, 2, 2, heteroscedastic=False), plane, inputs),
    "conditional-gaussian": Specimen(make(ConditionalGaussian, 2, 2, hidden=(5,)), plane, inputs),
    "conditional-mixture": Specimen(make(ConditionalMixture, 2, 3, hidden=(5,)), line, inputs, shake=0.2),
}
