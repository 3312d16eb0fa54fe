"""Calibration: does 90 % mean nine times in ten? Bins, their error, and what a perfect model would show."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ... import rng
from ...errors import require_rows

BINS = 15
Z = 1.96  # standard deviations: an interval that holds 95 % of a normal distribution


class Reliability(NamedTuple):
    """The pictures sorted into bins by their confidence, (B,); an empty bin has a count of 0 and NaN elsewhere."""

    count: Tensor
    confidence: Tensor  # the mean of the bin
    accuracy: Tensor
    low: Tensor  # Wilson's interval of 95 % for the accuracy
    high: Tensor


def top(probabilities: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The largest probability of each row, and 1 where that class is the right one: (n, C), (n,) -> (n,), (n,)."""
    confidence, decided = probabilities.max(-1)
    return confidence, (decided == y).to(confidence)


def _sums(confidence: Tensor, values: Tensor, bins: int) -> Tensor:
    """`values` (..., n) added up within each bin of `confidence` (n,): (..., bins)."""
    place = (confidence * bins).long().clamp(max=bins - 1)
    return values.new_zeros(*values.shape[:-1], bins).index_add(-1, place, values)


def reliability(confidence: Tensor, right: Tensor, bins: int = BINS) -> Reliability:
    """Bins of equal width between 0 and 1: `confidence` and `right` (n,) -> (bins,) each."""
    require_rows("right", right, (), like=confidence)
    count = _sums(confidence, torch.ones_like(confidence), bins)
    accuracy = _sums(confidence, right, bins) / count
    centre, half = wilson(accuracy, count)
    return Reliability(count, _sums(confidence, confidence, bins) / count, accuracy, centre - half, centre + half)


def wilson(share: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """Centre and half width of Wilson's interval of 95 % for a probability: it stays between 0 and 1.

    It holds every p for which the `share` lies within 1.96 standard deviations, sqrt(p (1 - p) / count), of p.
    """
    shrink = 1 + Z**2 / count
    half = Z * (share * (1 - share) / count + Z**2 / (4 * count**2)).sqrt() / shrink
    return (share + Z**2 / (2 * count)) / shrink, half


def calibration_error(confidence: Tensor, right: Tensor, bins: int = BINS) -> Tensor:
    """The expected calibration error: `confidence` (n,), `right` (..., n) -> (...).

    The sum over the bins of |right ones - expected right ones|, divided by n.
    """
    return _sums(confidence, right - confidence, bins).abs().sum(-1) / len(confidence)


def errors_if_calibrated(confidence: Tensor, draws: int, generator: Generator, bins: int = BINS) -> Tensor:
    """The calibration errors of `draws` data sets on which the model *is* calibrated: (n,) -> (draws,).

    The pictures and the confidences are kept; whether each is right is drawn with just its confidence.
    """
    right = rng.bernoulli(confidence.expand(draws, -1), generator)  # (draws, n)
    return calibration_error(confidence, right, bins)


def best_temperature(logits: Tensor, y: Tensor) -> float:
    """The temperature with the smallest cross-entropy, by bisection: logits (n, C), y (n,).

    In b = 1 / T the cross-entropy is convex; its slope is the mean of sum_k p_k a_k - a_y, and rises with b.
    Between 0.01 and 100.
    """
    low, high = math.log(0.01), math.log(100)
    target = logits.gather(-1, y[:, None]).mean()
    for _ in range(50):
        middle = (low + high) / 2
        expected = ((math.exp(middle) * logits).softmax(-1) * logits).sum(-1).mean()
        low, high = (low, middle) if expected > target else (middle, high)
    return math.exp(-low)
