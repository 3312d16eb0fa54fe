"""Models: one family a file; a method's name is a promise."""

from .base import Card, Conditional, Density, Generative
from .gaussian import Gaussian
from .mixture import GaussianMixture

__all__ = ["Card", "Conditional", "Density", "Gaussian", "GaussianMixture", "Generative"]
