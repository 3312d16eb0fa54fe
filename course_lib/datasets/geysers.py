"""The geyser Old Faithful in Yellowstone."""

from torch import Tensor

from .tables import read_columns


def old_faithful() -> Tensor:
    """272 eruptions: their length and the wait until the next one, both in minutes, shape (272, 2).

    Reference:  Härdle, Smoothing Techniques with Implementation in S (1991); a more complete version is studied in
                Azzalini and Bowman, A look at some data on the Old Faithful geyser, Applied Statistics 39 (1990).
    """
    return read_columns("old_faithful.csv", "eruption_min", "waiting_min")
