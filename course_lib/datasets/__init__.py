"""Data sets: each is a tensor, read from a file in datasets/data/."""

from .astronomy import galaxies
from .digits import optical_digits
from .geysers import old_faithful

__all__ = ["galaxies", "old_faithful", "optical_digits"]
