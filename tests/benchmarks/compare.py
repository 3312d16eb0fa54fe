"""Contestants side by side: each runs in turn, again and again, so that a busy moment hits all of them."""

import statistics
from collections.abc import Callable
from typing import NamedTuple

REPEATS = 5


class Row(NamedTuple):
    """One line of the table: what was measured, our figure, the other's, their ratio and what it should be."""

    what: str
    ours: str
    other: str
    ratio: str
    goal: str

    def __str__(self) -> str:
        return "| " + " | ".join(self) + " |"


HEAD = f"{Row('what', 'course_lib', 'beside it', 'ratio', 'goal')}\n| --- | ---: | ---: | ---: | ---: |"


def medians(contestants: dict[str, Callable[[], float]], repeats: int = REPEATS) -> dict[str, float]:
    """Let each contestant run once unmeasured, then `repeats` times in turn; the median of what each returns."""
    for run in contestants.values():
        run()
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, run in contestants.items():
            figures[name].append(run())
    return {name: statistics.median(values) for name, values in figures.items()}
