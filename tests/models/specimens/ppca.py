"""Specimens of probabilistic PCA."""

from course_lib.inference.oracle import grid
from course_lib.models import ProbabilisticPCA

from . import Specimen

SPECIMENS = {"ppca": Specimen(lambda: ProbabilisticPCA(2, 1), lambda: grid(-12, 12, 400, 2))}
