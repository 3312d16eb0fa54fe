"""The reverse exercise of lesson 01: make the better classifier out of the worse model."""

import math

import torch
from torch import Tensor

from ... import datasets
from ...classroom import Exercise, Mistake
from ...models import GaussianMixture

PLAIN = 1e-3  # the least variance to start from
POINTS, NATS = 0.01, 10.0  # how much better in accuracy, and how much worse in nats a digit, the answer must be


def worse_model(x, y, x_new, y_new):
    """A least variance that blurs every digit: it classifies better, and gives new digits less probability."""
    return 0.02


def _cases():
    yield *datasets.optical_digits("training"), *datasets.optical_digits("new")


def _scores(floor: float, x: Tensor, y: Tensor, x_new: Tensor, y_new: Tensor) -> tuple[float, float]:
    model = GaussianMixture(10, 64, covariance="full").to(x)
    model.maximise_labelled(x, y, variance_floor=floor)
    with torch.no_grad():
        log_joint = model.log_joint(x_new)  # (n, 10)
    return (log_joint.argmax(-1) == y_new).double().mean().item(), log_joint.logsumexp(-1).mean().item()


def _judge(floor, *digits: Tensor) -> str | None:
    if not math.isfinite(floor) or floor <= 0:
        return f"A least variance must be **a positive number**; got {floor:g}."
    (before, density), (after, new_density) = _scores(PLAIN, *digits), _scores(floor, *digits)
    changed = f"Accuracy {before:.3f} → {after:.3f}, log p(x) {density:.1f} → {new_density:.1f} nats a digit. "
    if floor < PLAIN:
        narrow = "**a better model**" if new_density > density else "**so narrow** that new digits fall outside"
        return changed + f"That is {narrow}, and no better classifier. Go the other way."
    if after < before:
        return changed + "**Now it is the worse classifier too**: so much blur makes the digits alike. Go less far."
    if new_density > density - NATS or after < before + POINTS:
        past_the_best = after < _scores(floor / 3, *digits)[0]
        where = "**Too far**: a third of it classifies better." if past_the_best else "Right, but **not far enough**."
        return changed + f"{where} {100 * POINTS:.0f} percentage point more and {NATS:.0f} nats less are asked for."
    return None


WORSE_MODEL = Exercise(
    worse_model,
    _cases,
    judge=_judge,
    mistakes=(
        Mistake(lambda x, y, x_new, y_new: 0.0, "a positive number"),
        Mistake(lambda x, y, x_new, y_new: 1e-4, "a better model"),
        Mistake(lambda x, y, x_new, y_new: 1e-9, "so narrow"),
        Mistake(lambda x, y, x_new, y_new: 0.1, "Too far"),
        Mistake(lambda x, y, x_new, y_new: 1.0, "the worse classifier too"),
        Mistake(lambda x, y, x_new, y_new: 2e-3, "not far enough"),
    ),
    hints=(
        "Density is high where a Gaussian is narrow. Does a classifier need narrow Gaussians, or only the right one to "
        "win?",
        "Make the floor larger, by a factor between 10 and 30.",
    ),
    minutes=6,
    difficulty=2,
    seconds=20.0,
)
