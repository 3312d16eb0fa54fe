"""The reverse exercise of lesson 12: cover a digit so that two separate causes remain."""

import functools

import torch
from torch import Tensor

from ...classroom import Exercise, Mistake
from .. import weights
from . import experiments

SEEN, MASS = 200, 0.25  # pixels that must stay visible; of the lighter of the two regions
DIGIT, CELLS, LIMIT = 218, 61, 3.0  # a held-out 5


def two_modes(x, region_masses):
    """A mask (784,), True where x (784,) stays visible, such that p(z | seen) has two heavy, separate regions."""
    columns = torch.arange(784) % 28
    for covered in range(28):
        seen = columns >= covered
        masses = region_masses(seen)
        if len(masses) > 1 and masses[1] > 0.25:
            return seen


class RegionMasses:
    """Called with a mask (784,): the masses of the posterior's separate regions, the heaviest first."""

    def __init__(self, plane: experiments.Plane, x: Tensor) -> None:
        self._plane, self._x = plane, x

    def __call__(self, seen: Tensor) -> list[float]:
        """The masses for one mask."""
        return experiments.region_masses(self._plane, self._x, seen)

    def __deepcopy__(self, memo: dict) -> "RegionMasses":
        return self  # its table is large, and nobody writes to it

    def __repr__(self) -> str:
        return "region_masses"


@functools.cache
def _digit() -> tuple[Tensor, RegionMasses]:
    plane = experiments.tabulate(weights.trained(weights.PLANE).float(), CELLS, LIMIT)
    x = weights.digits()[1][DIGIT].float()
    return x, RegionMasses(plane, x)


def _case():
    yield _digit()


def _judge(seen, x: Tensor, region_masses: RegionMasses) -> str | None:
    if not isinstance(seen, Tensor) or tuple(seen.shape) != tuple(x.shape):
        shape = tuple(seen.shape) if isinstance(seen, Tensor) else type(seen).__name__
        return f"Return **a mask of shape (784,)**, one entry for each pixel; yours: {shape}."
    if seen.dtype != torch.bool:
        return f"The mask **must be boolean**, True where the pixel stays visible; yours is {seen.dtype}."
    if seen.sum() < SEEN:
        return (f"Only {int(seen.sum())} pixels are left: **at least {SEEN} must stay visible**. (With nothing seen "
                "the posterior is the prior, one region.)")
    masses = region_masses(seen)
    said = ", ".join(f"{mass:.2f}" for mass in masses[:3])
    if seen.all():
        return f"Everything is visible: **cover something**. The masses of the regions now: {said}."
    if len(masses) < 2 or masses[1] < 0.01:
        return f"There is **one region only** (masses: {said}). Which strokes tell this digit from a similar one?"
    if masses[1] <= MASS:
        return f"A second region is there, but **too light** (masses: {said}): more than {MASS:g} is asked for."
    return None


def _columns(first: int) -> Tensor:
    return torch.arange(784) % 28 >= first


TWO_MODES = Exercise(
    two_modes,
    _case,
    judge=_judge,
    mistakes=(
        Mistake(lambda x, region_masses: torch.ones(784, dtype=torch.bool), "cover something"),
        Mistake(lambda x, region_masses: torch.zeros(784, dtype=torch.bool), "must stay visible"),
        Mistake(lambda x, region_masses: x, "must be boolean"),
        Mistake(lambda x, region_masses: torch.ones(28, dtype=torch.bool), "a mask of shape (784,)"),
        Mistake(lambda x, region_masses: region_masses(_columns(14)), "must be a tensor; got list"),
        Mistake(lambda x, region_masses: _columns(4), "one region only"),
        Mistake(lambda x, region_masses: ~_columns(15), "too light"),
    ),
    hints=(
        "Left and right tell a 5 from a 3, say. Try the explorer's four sides on paper: which half can be hidden so "
        "that two digits fit the rest?",
        "Search: cover more and more columns from the left, `torch.arange(784) % 28 >= covered`, and ask "
        "`region_masses(seen)` after each; stop when the second entry is above 0.25.",
    ),
    minutes=8,
    difficulty=2,
)
