"""The reverse exercise of lesson 11: a proposal with a fine effective sample size and a wrong answer."""

import math

import torch

from ... import rng
from ...classroom import Exercise, Mistake
from ...inference.approximation import GaussianApproximation
from ...inference.importance import importance_sampling
from . import boat

DRAWS, SHARE, MISS = 1000, 0.9, 5.0  # draws, least share of them that must be effective, nats


def confident_and_wrong(log_joint):
    """A proposal's (loc, scale) that fits the boat's far side, where 3 in 1,000 of the mass lie, and knows no other."""
    places = torch.linspace(1.5, 6, 4501)  # east of the buoy alone, in steps of a metre
    mass = log_joint(places[:, None]).softmax(0)
    loc = (mass * places).sum()
    return loc.item(), (mass * (places - loc).square()).sum().sqrt().item()


def _case():
    yield (boat.log_joint,)


def _judge(proposal, log_joint) -> str | None:
    try:
        loc, scale = (float(part) for part in proposal)
    except (TypeError, ValueError, RuntimeError):
        return "Return **two numbers**, `(loc, scale)`."
    if not (math.isfinite(loc) and math.isfinite(scale) and loc + scale > loc):  # else every draw is loc itself
        return f"`loc` and `scale` must be finite, and `scale` **above zero**; yours are {loc:g} and {scale:g}."
    q = GaussianApproximation.around(torch.tensor([loc], dtype=torch.float64), scale)
    made = importance_sampling(log_joint, q, DRAWS, rng.seeded(111))
    error = (made.log_evidence - boat.log_evidence()).item()
    share = made.effective_sample_size.item() / DRAWS
    said = f"Of {DRAWS} draws {share:.0%} are effective, and the estimate is {error:+.2f} nats off"
    if abs(error) < MISS and share > SHARE:
        return f"{said}: **confident and right**. A proposal that has found the larger part of the mass is no trap."
    if abs(error) < MISS:
        return f"{said}: **neither confident nor wrong enough**. Where is there mass that is small but not negligible?"
    if not share > SHARE:
        return (f"{said}: wrong enough, but **not confident**: more than {SHARE:.0%} must be effective. The weights "
                "are level where $q$ has the shape of the joint. Which shape has the joint there?")
    return None


CONFIDENT_AND_WRONG = Exercise(
    confident_and_wrong,
    _case,
    judge=_judge,
    mistakes=(
        Mistake(lambda log_joint: (-0.48, 0.2), "confident and right"),
        Mistake(lambda log_joint: (0.0, 1.0), "neither confident nor wrong enough"),
        Mistake(lambda log_joint: (3.36, 0.05), "but **not confident**"),
        Mistake(lambda log_joint: (3.36, 0.0), "above zero"),
        Mistake(lambda log_joint: (3.36,), "two numbers"),
    ),
    hints=(
        "The effective sample size only sees places that were drawn. The joint has two humps: which would a "
        "proposal have to miss?",
        "Put it on the hump east of the buoy, near 3.4 km, with that hump's own standard deviation, about 0.2.",
    ),
    minutes=7,
    difficulty=2,
)
