"""Data sets: each is a tensor, or a few that belong together, read from a file in datasets/data/."""

from .astronomy import galaxies, hubble
from .digits import mnist, optical_digits
from .geysers import old_faithful
from .health import smokers
from .networks import bayesian_network
from .penguins import penguins
from .preparation import binarise as binarise
from .preparation import split as split
from .seismology import ridgecrest, usgs_week
from .silhouettes import silhouettes
from .uci import breast, heart, housevotes, ionosphere, magic, mushroom, sonar, spambase, splice, wdbc
from .weather import weather

# The data sets, and only they: each of these functions can be called without an argument.
__all__ = [
    "bayesian_network",
    "breast",
    "galaxies",
    "heart",
    "housevotes",
    "hubble",
    "ionosphere",
    "magic",
    "mnist",
    "mushroom",
    "old_faithful",
    "optical_digits",
    "penguins",
    "ridgecrest",
    "silhouettes",
    "smokers",
    "sonar",
    "spambase",
    "splice",
    "usgs_week",
    "wdbc",
    "weather",
]
