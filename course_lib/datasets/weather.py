"""What fell from the sky."""

from datetime import date
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import require_choice
from .tables import numbers, read_table

CITIES = ("Seattle", "New York")


class Weather(NamedTuple):
    """One day after the other, (n,).

    year, day:                          day counts from 0 on 1 January
    precipitation:                      mm
    warmest, coldest:                   °C
    wind:                               m/s
    """

    year: Tensor
    day: Tensor
    precipitation: Tensor
    warmest: Tensor
    coldest: Tensor
    wind: Tensor


def weather(city: str = "Seattle") -> Weather:
    """The 1,461 days of 2012 to 2015 in Seattle or New York; none is missing.

    Raises:     ValueError for another `city`.
    Reference:  US National Oceanic and Atmospheric Administration, daily summaries (2012 to 2015).
    """
    require_choice("city", city, CITIES)
    table = read_table("weather_seattle_newyork_2012_2015.csv")
    here = torch.tensor([location == city for location in table["location"]])
    days = [date.fromisoformat(day) for day in table["date"]]
    year = torch.tensor([day.year for day in days])
    day = torch.tensor([day.timetuple().tm_yday - 1 for day in days])
    columns = (numbers(table[name]) for name in ("precipitation", "temp_max", "temp_min", "wind"))
    return Weather(*(column[here] for column in (year, day, *columns)))
