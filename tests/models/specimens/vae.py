"""Specimens of deep latent variable models: decoders on a grid, and autoencoders."""

from course_lib.models import VAE, ConditionalVAE, DeepLatentVariableModel, SemiSupervisedVAE
from course_lib.rng import seeded

import torch

from . import Specimen


def labels():
    return torch.tensor([0, 2, 1])


def make(family, *sizes, **options):
    return lambda: family(*sizes, **options, generator=seeded(11))


SPECIMENS = {
    "decoder": Specimen(make(DeepLatentVariableModel, 6, 2, hidden=(5, 4), points=8)),
    "decoder-with-classes": Specimen(
        make(DeepLatentVariableModel, 6, 1, hidden=(5,), classes=3, points=8), inputs=labels
    ),
    "vae": Specimen(make(VAE, 6, 2, hidden=(5,))),
    "vae-conditional": Specimen(make(ConditionalVAE, 6, 2, 3, hidden=(5,)), inputs=labels),
    "vae-semi-supervised": Specimen(make(SemiSupervisedVAE, 6, 2, 3, hidden=(5,)), inputs=labels),
}
