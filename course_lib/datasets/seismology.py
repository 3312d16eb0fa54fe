"""Catalogues of earthquakes."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import require_choice
from .tables import codes, numbers, read_table

REGIONS = ("california_nevada", "alaska_inland", "alaska_south", "puerto_rico", "hawaii", "other")
RIDGECREST = "2019-07-06T03:19:53.040Z"  # the shock of magnitude 7.1


class Earthquakes(NamedTuple):
    """One number an earthquake in each column, (n,).

    time:                   hours since the catalogue's beginning
    latitude, longitude:    degrees
    depth:                  km
    magnitude:              on the scale that the network reports; given to 0.1 or 0.01
    region:                 the position in REGIONS
    """

    time: Tensor
    latitude: Tensor
    longitude: Tensor
    depth: Tensor
    magnitude: Tensor
    region: Tensor


def usgs_week(*regions: str) -> Earthquakes:
    """The 1,679 earthquakes that the US Geological Survey listed from 31 January to 7 February 2018.

    All of the world, or only the named `regions`; no explosions and quarry blasts. The list begins with its first
    earthquake, and has no lowest magnitude: where instruments are few, small shocks are missing from it.

    Raises:     ValueError for a region that is not in REGIONS.
    Reference:  USGS, Earthquake Hazards Program, real-time feeds (2018).
    """
    for region in regions:
        require_choice("regions", region, REGIONS)
    table = read_table("earthquakes_usgs_week_2018.csv")
    catalogue = _catalogue(table, table["region"], start=table["time_utc"][0])
    wanted = [region in (regions or REGIONS) for region in table["region"]]
    keep = torch.tensor([kind == "earthquake" for kind in table["type"]]) & torch.tensor(wanted)
    return Earthquakes(*(column[keep] for column in catalogue))


def ridgecrest() -> Earthquakes:
    """829 aftershocks of magnitude 2.5 to 5.5 in the week after the shock of 7.1 at Ridgecrest, California.

    The time counts from the shock, on 6 July 2019, which is not itself in the list.

    Reference:  USGS, ANSS Comprehensive Earthquake Catalog (2019).
    """
    table = read_table("earthquakes_ridgecrest_2019.csv")
    return _catalogue(table, ["california_nevada"] * len(table["mag"]), start=RIDGECREST)


def _catalogue(table: dict[str, tuple[str, ...]], regions: Iterable[str], start: str) -> Earthquakes:
    begin = datetime.fromisoformat(start)
    hours = [(datetime.fromisoformat(time) - begin).total_seconds() / 3600 for time in table["time_utc"]]
    columns = (numbers(table[name]) for name in ("latitude", "longitude", "depth_km", "mag"))
    return Earthquakes(torch.tensor(hours), *columns, codes(regions, REGIONS))
