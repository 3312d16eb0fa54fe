"""The reverse exercise of lesson 10: a rule that makes the evidence too large, on purpose."""

import functools

import torch
from torch import Tensor

from ...classroom import Exercise, Mistake
from ...inference import oracle
from ...models import DeepLatentVariableModel
from .. import weights

AT_LEAST, MOST_POINTS = 5.0, 100  # nats of flattery; points of the rule


def flattering_rule(points, log_posterior):
    """A rule (points (k, 2), log_weights (k,)) with all its weight at the posterior's mode."""
    mode = points[log_posterior.argmax()]
    return mode[None], torch.zeros(1)


@functools.cache
def _digit() -> tuple[DeepLatentVariableModel, Tensor, float, tuple[Tensor, Tensor]]:
    """The shipped model in float64, one held-out digit (1, 784), its log p(x), and the case that shows both."""
    model = weights.trained(weights.PLANE).double()
    x = weights.digits()[1][:1].double()
    points, log_weights = (part.double() for part in oracle.normal_grid(60, 2))
    exact = model.evidence(x, (points, log_weights))
    return model, x, exact.log_evidence.item(), (points, exact.log_posterior[0])


def _flattering_case():
    yield _digit()[3]


def _judge_flattering(rule, points: Tensor, log_posterior: Tensor) -> str | None:
    problem = _not_a_rule(rule)
    if problem:
        return problem
    model, x, honest, _ = _digit()
    claimed = model.evidence(x, (rule[0].to(x), rule[1].to(x))).log_evidence.item()
    if claimed - honest >= AT_LEAST:
        return None
    if claimed > honest:
        return (f"Your rule says log p(x) = {claimed:.2f}, the fine grid {honest:.2f}: it flatters by "
                f"{claimed - honest:.1f} nats, **not yet by {AT_LEAST:g}**. Gather the weight on fewer points.")
    return (
        f"Your rule says log p(x) = {claimed:.2f}, the fine grid {honest:.2f}: it **does not flatter** by {AT_LEAST:g} "
        "nats. Where on the plane is p(x | z) far above its average? You may put weight there that the prior never put."
    )


def _not_a_rule(rule) -> str | None:
    parts = rule if isinstance(rule, (tuple, list)) else [rule]
    if len(parts) != 2 or not all(isinstance(part, Tensor) for part in parts):
        kinds = ", ".join(type(part).__name__ for part in parts)
        return f"Return **two tensors**, `(points, log_weights)`; yours: {kinds or 'nothing'}."
    points, log_weights = rule
    if points.ndim != 2 or points.shape[1] != 2 or log_weights.shape != points.shape[:1]:
        return (
            f"The shapes **must be (k, 2) and (k,)**; yours are {tuple(points.shape)} and {tuple(log_weights.shape)}."
        )
    if len(points) > MOST_POINTS:
        return f"These are {len(points)} points; **at most {MOST_POINTS}** are allowed. How few will do?"
    if not points.isfinite().all():
        return "The points must be **all finite**."
    total = log_weights.exp().sum().item()
    if not abs(total - 1) < 1e-6:
        return (
            f"The weights **add up to {total:.3g}**, not to one: so crude a cheat would be noticed. (`log_weights` "
            "holds logs: a weight of one has the log 0.)"
        )
    return None


def _honest(points, log_posterior):
    return oracle.normal_grid(10, 2)


def _worst(points, log_posterior):
    return points[log_posterior.argmin()][None], torch.zeros(1)


FLATTERING_RULE = Exercise(
    flattering_rule,
    _flattering_case,
    judge=_judge_flattering,
    mistakes=(
        Mistake(_honest, "not yet by 5"),
        Mistake(_worst, "does not flatter"),
        Mistake(lambda points, log_posterior: (points[log_posterior.argmax()][None], torch.ones(1)), "add up to 2.72"),
        Mistake(lambda points, log_posterior: (points[:50], torch.zeros(50)), "add up to 50"),
        Mistake(lambda points, log_posterior: (points[log_posterior.argmax()], torch.zeros(1)), "must be (k, 2)"),
        Mistake(lambda points, log_posterior: (points, log_posterior), "at most 100"),
        Mistake(lambda points, log_posterior: (torch.full((1, 2), torch.inf), torch.zeros(1)), "all finite"),
        Mistake(lambda points, log_posterior: (points[log_posterior.argmax()][None], 0.0), "yours: Tensor, float"),
    ),
    hints=(
        "The rule's weights play the part of the prior. What if all of this 'prior' sat where the digit is best "
        "explained?",
        "One point is enough: the one with the largest `log_posterior`, with log-weight 0.",
    ),
    minutes=6,
    difficulty=2,
)
