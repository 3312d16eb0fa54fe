"""The reverse exercise of lesson 04: right every time, and badly calibrated."""

import torch
from torch import Tensor

from ... import rng
from ...classroom import Exercise, Mistake
from .calibration import calibration_error, top

AT_LEAST = 0.5


def badly_calibrated(y):
    """Logits (n, 10) that decide for the label `y` (n,) every time, and give it hardly more than the others."""
    return 0.1 * torch.nn.functional.one_hot(y, 10)


def _labels():
    yield (torch.randint(10, (500,), generator=rng.seeded(6)),)


def _judge(logits, y: Tensor) -> str | None:
    problem = _not_logits(logits, y)
    if problem:
        return problem
    ties = (logits == logits.max(-1, keepdim=True).values).sum(-1) > 1
    if ties.any():
        return f"In {ties.sum()} rows **two classes share** the largest logit: nothing is decided there."
    confidence, right = top(logits.double().softmax(-1), y)
    error = calibration_error(confidence, right).item()
    if right.mean() < 1:
        return f"It must be right every time; yours **decides wrongly** in {len(y) - int(right.sum())} rows."
    if error < AT_LEAST:
        return (f"Always right, with a mean confidence of {confidence.mean():.1%}: the calibration error is only "
                f"{error:.3f}, **not yet {AT_LEAST:g}**. A classifier that is always right is calibrated only if "
                "it is sure.")
    return None


def _not_logits(logits, y: Tensor) -> str | None:
    if not isinstance(logits, Tensor) or logits.shape != (len(y), 10):
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        return f"Return a tensor of logits **of shape ({len(y)}, 10)**; got {got}."
    if not logits.isfinite().all():
        return "All logits **must be finite**."
    return None


def _hot(y):
    return torch.nn.functional.one_hot(y, 10).double()


BADLY_CALIBRATED = Exercise(
    badly_calibrated,
    _labels,
    judge=_judge,
    mistakes=(
        Mistake(lambda y: 50 * _hot(y), "not yet 0.5"),
        Mistake(lambda y: -_hot(y), "two classes share"),
        Mistake(lambda y: _hot((y + 1) % 10), "decides wrongly"),
        Mistake(lambda y: y.double(), "of shape (500, 10)"),
        Mistake(lambda y: _hot(y).log(), "must be finite"),
    ),
    hints=(
        "A classifier that is always right can be badly calibrated in one way only. Is it too sure, or too shy?",
        "The label's logit must be the largest of its row; by how much is up to you.",
    ),
    minutes=5,
    difficulty=1,
)
