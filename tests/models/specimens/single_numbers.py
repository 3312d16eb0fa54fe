"""Specimens of densities of one number: compounds and the law of Gutenberg and Richter."""

from course_lib.inference.oracle import grid
from course_lib.models import BetaBinomial, GutenbergRichter, NegativeBinomial, StudentT

import torch

from . import Specimen


def stretched():
    """The whole line: a grid of t, and x = sinh(t)."""
    t, log_weights = grid(-20, 20, 4000)
    return t.sinh(), log_weights + t[:, 0].cosh().log()


def counts(largest):
    return torch.arange(largest + 1.0)[:, None], torch.zeros(largest + 1)


SPECIMENS = {
    "student-t": Specimen(StudentT, stretched),
    "negative-binomial": Specimen(NegativeBinomial, lambda: counts(2000)),
    "beta-binomial": Specimen(lambda: BetaBinomial(7), lambda: counts(7)),
    "gutenberg-richter": Specimen(lambda: GutenbergRichter(2.5), lambda: grid(2.5, 22.5, 20_000)),
    "gutenberg-richter-binned": Specimen(
        lambda: GutenbergRichter(2.5, 0.1), lambda: (2.5 + 0.1 * counts(200)[0], torch.zeros(201))
    ),
}
