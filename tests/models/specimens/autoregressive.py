"""Specimens of autoregressive models of binary images."""

from course_lib.models import MADE
from course_lib.rng import seeded

from . import Specimen, binary

SPECIMENS = {
    "made": Specimen(lambda: MADE(6, (7,), generator=seeded(11)), lambda: binary(6)),
    "made-deep": Specimen(lambda: MADE(5, (3, 9), generator=seeded(11)), lambda: binary(5)),
    "made-visible": Specimen(lambda: MADE(6, (), generator=seeded(11)), lambda: binary(6)),
}
