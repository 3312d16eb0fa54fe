"""The reverse exercise of lesson 03: nearly perfect in one divergence, infinitely bad in the other."""

import math

import torch
from torch import Tensor

from ...classroom import Exercise, Mistake
from ...functional import categorical_kl

AT_MOST = 0.1  # nats of reverse divergence


def mode_dropper(p):
    """The table with its rarest outcome left out: p (K,) -> q (K,)."""
    q = p.clone()
    q[q.argmin()] = 0
    return q / q.sum()


def _cases():
    yield (torch.tensor([0.3, 0.25, 0.2, 0.15, 0.06, 0.04]),)
    yield (torch.tensor([0.05, 0.5, 0.45]),)


def _judge(q: Tensor, p: Tensor) -> str | None:
    problem = _not_a_table(q, p)
    if problem:
        return problem
    q = q.to(p)
    reverse, forward = categorical_kl(q, p.log()).item(), categorical_kl(p, q.log()).item()
    if reverse > AT_MOST:
        return (f"KL(q ‖ p) = {reverse:.3f} nats, **more than {AT_MOST:g}**. What you take away costs "
                "−log(what is left): which outcome is cheapest to lose?")
    if math.isfinite(forward):
        return (f"KL(q ‖ p) = {reverse:.3f} nats is small enough, but KL(p ‖ q) = {forward:.3f} is **still finite**. "
                "What must q say of something that p does produce?")
    return None


def _not_a_table(q: Tensor, p: Tensor) -> str | None:
    if q.shape != p.shape:
        return f"Return **one tensor of shape {tuple(p.shape)}**, a probability for each outcome."
    if not q.isfinite().all() or (q < 0).any():
        return "Probabilities are **finite and not negative**."
    if not math.isclose(q.sum().item(), 1, abs_tol=1e-6):
        return f"Your q **adds up to {q.sum().item():.4g}**, not to one: share out what you took away."
    return None


def _dropped(p, which):
    q = p.clone()
    q[which] = 0
    return q


MODE_DROPPER = Exercise(
    mode_dropper,
    _cases,
    judge=_judge,
    mistakes=(
        Mistake(lambda p: p, "still finite"),
        Mistake(lambda p: _dropped(p, p.argmin()), "adds up to 0.9"),
        Mistake(lambda p: _dropped(p, p.argmax()) / (1 - p.max()), "more than 0.1"),
        Mistake(lambda p: _dropped(p, p.argmin()) + p.min() - 2 * p, "not negative"),
        Mistake(lambda p: p.argmin(), "one tensor of shape"),
    ),
    hints=(
        "KL(p ‖ q) is infinite as soon as q gives 0 to one outcome that p produces. Which 0 hurts KL(q ‖ p) least?",
        "Copy p, set its smallest entry to 0, divide by the sum. The price is −log(1 − what was lost).",
    ),
    minutes=6,
    difficulty=2,
)
