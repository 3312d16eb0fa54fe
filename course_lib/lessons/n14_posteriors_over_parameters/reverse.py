"""The reverse exercise of lesson 14: one more datum after which less is known."""

import math

import torch
from torch import Tensor

from ...classroom import Exercise, Mistake
from . import two_weights

SEEN, SCALE, LIMIT, FACTOR = 16, 5.0, 3.0, 2.0
NEW = 19  # the row of the patient whose chances are asked for
CELLS = 120  # along each side of ±4 prior deviations


def unsettling_patient(x, y, new):
    """Features (2,) and the label of one more patient, after which p(ill | new) is far less certain."""
    return new, 0.0 if y[(x - new).norm(dim=-1).argmin()] == 1 else 1.0


def _case():
    x, y = two_weights.patients()
    yield x[:SEEN], y[:SEEN], x[NEW]


def uncertainty(x: Tensor, y: Tensor, new: Tensor) -> tuple[float, float]:
    """Mean and standard deviation, under the exact posterior, of the probability that `new` (2,) is ill."""
    points, _ = two_weights.window(torch.full((2,), -4 * SCALE), torch.full((2,), 4 * SCALE), CELLS)
    masses = two_weights.log_joint(points, x, y, SCALE).softmax(0)
    chances = (points @ new).sigmoid()
    mean = masses @ chances
    return mean.item(), (masses @ (chances - mean).square()).sqrt().item()


def _judge(answer, x: Tensor, y: Tensor, new: Tensor) -> str | None:
    try:
        features, label = answer
        features = torch.as_tensor(features, dtype=x.dtype).reshape(2)
        label = float(label)
    except (TypeError, ValueError, RuntimeError):
        return "Return **two things**: the features, two numbers, and the label."
    if label not in (0.0, 1.0):
        return f"The label must be **0 or 1**; yours is {label:g}."
    if not features.isfinite().all() or features.abs().max() > LIMIT:
        return f"The features must be **within ±{LIMIT:g}**: a patient that could walk in. Yours: {features.tolist()}."
    (_, before), (mean, after) = uncertainty(x, y, new), uncertainty(
        torch.cat([x, features[None]]), torch.cat([y, x.new_tensor([label])]), new)
    if after >= FACTOR * before:
        return None
    now = f"The standard deviation of p(ill | new) was {before:.3f} and is {after:.3f} now (p itself: {mean:.2f})"
    if abs(after - before) < 0.001:
        return f"{now}: this patient tells **almost nothing** about $w$. Which one would?"
    if after < before:
        return f"{now}: this patient **confirms** what the posterior believed. Contradict it."
    return f"{now}: wider, but **not yet by a factor of {FACTOR:g}**. Who speaks most directly about this patient?"


UNSETTLING_PATIENT = Exercise(
    unsettling_patient,
    _case,
    judge=_judge,
    mistakes=(
        Mistake(lambda x, y, new: (new, 1.0 - unsettling_patient(x, y, new)[1]), "**confirms**"),
        Mistake(lambda x, y, new: (0.15 * new, unsettling_patient(x, y, new)[1]), "not yet by a factor"),
        Mistake(lambda x, y, new: (0 * new, 1.0), "**almost nothing**"),
        Mistake(lambda x, y, new: (new, 0.5), "0 or 1"),
        Mistake(lambda x, y, new: (100 * new, unsettling_patient(x, y, new)[1]), "within ±3"),
        Mistake(lambda x, y, new: (torch.full((2,), math.nan), 1.0), "a patient that could walk in"),
        Mistake(lambda x, y, new: (new, 1.0, 0.0), "two things"),
    ),
    hints=(
        "What does the posterior believe about `new`? Look at the labels of the seen patients next to it. What would "
        "surprise it most?",
        "Return `new` itself, with the label that the posterior finds improbable.",
    ),
    minutes=6,
    difficulty=2,
)
