"""What telescopes have seen."""

from typing import NamedTuple

import torch
from torch import Tensor

from .tables import pixels, read_arrays, read_columns


class Hubble(NamedTuple):
    """Pictures of galaxies, x (n, 28, 28, 3), red, green and blue from 0 to 1, and what was measured in them, (n,).

    row, column:        pixel of the centre in the large picture
    area:               pixels
    flux:               brightness above the sky, summed; one pixel has at most 1
    ellipticity:        0 for a circle, 1 for a line
    orientation:        radians between the picture's vertical and the long axis
    red_over_blue:      log2 of the ratio
    """

    x: Tensor
    row: Tensor
    column: Tensor
    area: Tensor
    flux: Tensor
    ellipticity: Tensor
    orientation: Tensor
    red_over_blue: Tensor


def galaxies() -> Tensor:
    """Velocities of 82 galaxies in the region of Corona Borealis, in 1,000 km/s, shape (82, 1).

    The 78th is 26.960, as in the source; the copy that statisticians pass around has 26.690.

    Reference:  Postman, Huchra and Geller, Probes of large-scale structure in the Corona Borealis region,
                The Astronomical Journal 92 (1986); Roeder, Density estimation with confidence sets
                exemplified by superclusters and voids in the galaxies, JASA 85 (1990).
    """
    return read_columns("galaxies_82.csv", "velocity_km_s") / 1000


def hubble() -> Hubble:
    """457 galaxies (and a few stars) cut out of the Hubble eXtreme Deep Field, and seven features of each.

    The picture is a processed JPEG: fit for learning, not for photometry. Neighbours show in the corners.

    Reference:  Illingworth et al., The HST eXtreme Deep Field (XDF), The Astrophysical Journal Supplement 209 (2013).
    """
    x, features = read_arrays("hubble_xdf_galaxies_28x28.npz", "x", "features")
    columns = torch.from_numpy(features).to(torch.get_default_dtype()).unbind(-1)
    return Hubble(pixels(x, 255), *columns)
