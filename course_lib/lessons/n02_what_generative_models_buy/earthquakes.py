"""The earthquakes of lesson 02: one law carried from place to place, and a regression carried beside it."""

import math

import torch
from torch import Generator, Tensor

from ... import datasets
from ...models import GutenbergRichter
from .fitting import maximum_likelihood

WIDTH = 0.1  # of a magnitude bin
LN10 = math.log(10)
SHOCK = 7.1  # the magnitude of the Ridgecrest shock
STRONGEST = 9.0  # where the regression's bins end


def places() -> dict[str, Tensor]:
    """The magnitudes of each place, (n,), in bins of 0.1."""
    ridgecrest = datasets.ridgecrest()
    week = {
        "California": ("california_nevada",), "Alaska, inland": ("alaska_inland",), "Alaska, south": ("alaska_south",),
        "all of Alaska": ("alaska_inland", "alaska_south"),
    }
    found = {name: datasets.usgs_week(*regions).magnitude for name, regions in week.items()}
    found["Ridgecrest, all"] = ridgecrest.magnitude
    found["Ridgecrest, later"] = ridgecrest.magnitude[ridgecrest.time > hours_until_complete(3.0)]
    return {name: binned(magnitudes) for name, magnitudes in found.items()}


def binned(magnitudes: Tensor) -> Tensor:
    """Magnitudes rounded to bins of 0.1, halves upwards, in double precision."""
    return (magnitudes.double() / WIDTH + 1e-3).round() * WIDTH


def hours_until_complete(magnitude: float) -> float:
    """When after the Ridgecrest shock every earthquake from `magnitude` on is recorded again.

    In the coda of a shock of magnitude M the completeness is M - 4.5 - 0.75 log10(days since).

    Reference:  Helmstetter, Kagan and Jackson, Comparison of short-term and time-independent earthquake forecast
                models for southern California, Bulletin of the Seismological Society of America 96 (2006).
    """
    return 24 * 10 ** ((SHOCK - 4.5 - magnitude) / 0.75)


def above(magnitudes: Tensor, completeness: float) -> Tensor:
    """The magnitudes in and above the bin of the completeness, as a column (n, 1)."""
    return magnitudes[magnitudes > completeness - WIDTH / 2][:, None]


def law(magnitudes: Tensor, completeness: float) -> GutenbergRichter:
    """The law fitted to what lies above the completeness: magnitudes (n,)."""
    model = GutenbergRichter(completeness, WIDTH).to(magnitudes)
    model.maximise(above(magnitudes, completeness))
    return model.requires_grad_(False)


def carried(model: GutenbergRichter, completeness: float) -> GutenbergRichter:
    """The same law, the same b, above another completeness."""
    moved = GutenbergRichter(completeness, WIDTH).to(model.log_rate)
    moved.load_state_dict(model.state_dict())
    return moved.requires_grad_(False)


class CountRegression:
    r"""A Poisson regression of the count in each bin on its magnitude: log count = c_0 + c_1 m + c_2 m^2.

    It takes every bin from the smallest earthquake up to 9.0, the empty ones too, and so learns the place: the law
    and the instruments in one curve.
    """

    def __init__(self, magnitudes: Tensor) -> None:
        bins = _bin(magnitudes)
        first, last = bins.min(), round(STRONGEST / WIDTH)
        counts = torch.bincount(bins - first, minlength=last - first + 1).to(magnitudes)
        centres = WIDTH * (torch.arange(len(counts)) + first)
        start = magnitudes.new_tensor([counts.mean().log().item(), 0.0, 0.0])

        def log_likelihood(c: Tensor) -> Tensor:
            log_mean = _parabola(c, centres)
            return (counts * log_mean - log_mean.exp()).sum()

        self.coefficients = maximum_likelihood(log_likelihood, start).theta

    def log_prob(self, x: Tensor, completeness: float) -> Tensor:
        """log p (bin of x | at or above the completeness), shape (n,): x (n, 1)."""
        first = round(completeness / WIDTH)
        bins = torch.arange(first, round(STRONGEST / WIDTH) + 1)
        return _parabola(self.coefficients, WIDTH * bins).log_softmax(0)[_bin(x[:, 0]) - first]


def _bin(magnitudes: Tensor) -> Tensor:
    return (magnitudes / WIDTH).round().long()


def _parabola(c: Tensor, m: Tensor) -> Tensor:
    return c[0] + c[1] * m + c[2] * m.square()


def at_home(magnitudes: Tensor, completeness: float, *, folds: int, generator: Generator) -> Tensor:
    """log p under the law minus log p under the regression, of each earthquake above the completeness that
    neither has seen: magnitudes (n,) -> (m,).
    """
    fold = torch.randperm(len(magnitudes), generator=generator) % folds
    gaps = []
    for held in range(folds):
        train, test = magnitudes[fold != held], above(magnitudes[fold == held], completeness)
        if len(test):
            rival = CountRegression(train)
            gaps.append(law(train, completeness).log_prob(test) - rival.log_prob(test, completeness))
    return torch.cat(gaps)


def b_by_completeness(magnitudes: Tensor, levels: list[float], *, least: int = 15) -> tuple[Tensor, Tensor, Tensor]:
    """(b, its standard error, number of earthquakes) above each level, (levels,): NaN with fewer than `least`."""
    rows = []
    for level in levels:
        x = above(magnitudes, level)
        if len(x) < least:
            rows.append((math.nan, math.nan, len(x)))
        else:
            model = law(magnitudes, level)
            rows.append((model.b_value.item(), model.standard_error(x).item(), len(x)))
    return tuple(torch.tensor(column, dtype=torch.float64) for column in zip(*rows))


def picked(catalogues: Tensor, levels: list[float], *, least: int = 15) -> Tensor:
    """The largest b that a search over the levels finds in each catalogue: (catalogues, n) -> (catalogues,)."""
    largest = torch.zeros(len(catalogues), dtype=catalogues.dtype)
    for level in levels:
        inside = catalogues > level - WIDTH / 2
        number = inside.sum(-1)
        excess = torch.where(inside, catalogues - level, 0.0).sum(-1) / number  # 0 / 0 is cut off by `least`
        b = (WIDTH / excess).log1p() / WIDTH / LN10
        largest = torch.where((number >= least) & (b > largest), b, largest)
    return largest
