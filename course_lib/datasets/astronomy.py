"""What telescopes have seen."""

from torch import Tensor

from .tables import read_columns


def galaxies() -> Tensor:
    """Velocities of 82 galaxies in the region of Corona Borealis, in 1,000 km/s, shape (82, 1).

    The 78th is 26.960, as in the source; the copy that statisticians pass around has 26.690.

    Reference:  Postman, Huchra and Geller, Probes of large-scale structure in the Corona Borealis region,
                The Astronomical Journal 92 (1986); Roeder, Density estimation with confidence sets
                exemplified by superclusters and voids in the galaxies, JASA 85 (1990).
    """
    return read_columns("galaxies_82.csv", "velocity_km_s") / 1000
