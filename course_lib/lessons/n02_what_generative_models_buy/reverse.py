"""The reverse exercise of lesson 02: find the b-value that you want, and see how easily it is found."""

import math

import torch
from torch import Tensor

from ...classroom import Exercise, Mistake
from . import earthquakes

LOWEST, LEAST, STEEP = 1.6, 15, 1.5  # the lowest cut, the fewest earthquakes above it, the b that is wanted


def steep_completeness(magnitudes):
    """A completeness from 1.6 on, with at least 15 earthquakes above it and b > 1.5: magnitudes (n,)."""
    for tenths in range(16, 50):
        level = tenths / 10
        above = magnitudes[magnitudes > level - 0.05]
        b = torch.log10(1 + 0.1 / (above.mean() - level)) / 0.1
        if b > 1.5 and len(above) >= 15:
            return level


def _case():
    yield (earthquakes.places()["California"],)


def _judge(level, magnitudes: Tensor) -> str | None:
    if not math.isfinite(level):
        return "The completeness must be **a finite number**."
    if abs(10 * level - round(10 * level)) > 1e-6:
        return f"The catalogue is **in bins of 0.1**; {level:g} lies between two."
    if level < LOWEST - 1e-6:
        return f"The completeness must be **at least {LOWEST}**: below it, not even a careless referee would agree."
    x = earthquakes.above(magnitudes, level)
    if len(x) < LEAST:
        return f"Only {len(x)} earthquakes lie above {level:g}, **at least {LEAST}** are asked for."
    b = earthquakes.law(magnitudes, level).b_value.item()
    if b > STEEP:
        return None
    return f"From {level:g} on b is {b:.2f}, **not yet above {STEEP}**. Try another cut; nobody counts your attempts."


STEEP_COMPLETENESS = Exercise(
    steep_completeness,
    _case,
    judge=_judge,
    mistakes=(
        Mistake(lambda magnitudes: 1.6, "not yet above 1.5"),
        Mistake(lambda magnitudes: 3.0, "at least 15"),
        Mistake(lambda magnitudes: 0.5, "at least 1.6"),
        Mistake(lambda magnitudes: 2.33, "in bins of 0.1"),
        Mistake(lambda magnitudes: math.inf, "a finite number"),
    ),
    hints=(
        "Move the cut of the explorer upwards. Where does b leave its plateau, and how many earthquakes are left?",
        "A loop over the cuts 1.6, 1.7, ... that returns the first with b > 1.5 and 15 earthquakes.",
    ),
    minutes=6,
    difficulty=1,
)
