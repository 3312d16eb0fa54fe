"""Specimens of Gaussians and mixtures of them."""

from course_lib.inference.oracle import grid
from course_lib.models import Gaussian, GaussianMixture

from . import Specimen


def plane():
    return grid(-12, 12, 400, 2)


SPECIMENS = {
    "gaussian-diagonal": Specimen(lambda: Gaussian(2), plane),
    "gaussian-full": Specimen(lambda: Gaussian(2, covariance="full"), plane),
    "mixture-diagonal": Specimen(lambda: GaussianMixture(3, 2), plane),
    "mixture-full": Specimen(lambda: GaussianMixture(3, 2, covariance="full"), plane),
    "mixture-tied": Specimen(lambda: GaussianMixture(3, 2, covariance="full", tied=True), plane),
    "mixture-tied-diagonal": Specimen(lambda: GaussianMixture(3, 2, tied=True), plane),
}
