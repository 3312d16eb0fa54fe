"""The reverse exercise of lesson 08: break maximum likelihood on purpose."""

import math

import torch
from torch import Tensor

from ... import datasets
from ...classroom import Exercise, Mistake
from ...errors import NumericalError
from . import experiments


def singular_start(x):
    """A narrow component on one galaxy, a wide one for all others: x (82,) -> weights, means, variances (2,)."""
    weights = torch.tensor([0.5, 0.5])
    means = torch.stack([x[0], x.mean()])
    variances = torch.stack([torch.tensor(1e-4), x.var()])
    return weights, means, variances


def _singular_case():
    yield (datasets.galaxies()[:, 0],)


def _judge_singular(start, x: Tensor) -> str | None:
    problem = _not_a_start(start)
    if problem:
        return problem
    parts = (torch.as_tensor(part).reshape(2).to(x) for part in start)
    try:
        reached = experiments.log_likelihood_from(x[:, None], *parts)
    except NumericalError as error:
        if "without data" not in str(error):
            return f"EM stopped at once. {error}"
        return (
            "A component **takes responsibility for no galaxy**: it is so narrow, or so far away, that every galaxy "
            "belongs to the other one, and EM has nothing to fit it to. Put its mean exactly on a galaxy."
        )
    if reached == math.inf:
        return None
    return (
        f"EM ended at **a finite optimum**, log p(D) = {reached:.1f}. A component collapses when it is responsible for "
        "*one* galaxy only. Where must it start, and how narrow? (Variances are asked for: the *squares* of standard "
        "deviations.)"
    )


def _not_a_start(start) -> str | None:
    try:
        weights, means, variances = (torch.as_tensor(part, dtype=torch.float64).reshape(2) for part in start)
    except (TypeError, ValueError, RuntimeError):  # not three, not numbers, not two each
        return "Return **three things** of two numbers each, as `(weights, means, variances)`."
    if not torch.stack([weights, means, variances]).isfinite().all():
        return "All six numbers must be **finite**: no NaN, no infinity."
    if not (variances > 0).all():
        return (
            "A variance of **exactly zero** is no density at all, and a negative one even less: start with a small "
            "positive one and let EM do the rest."
        )
    if not math.isclose(weights.sum().item(), 1, abs_tol=1e-6) or not (weights > 0).all():
        return f"Weights must be **positive and add up to one**; yours are {weights.tolist()}."
    return None


def _start(means, variances, weights=(0.5, 0.5)):
    return lambda x: (torch.tensor(weights), torch.stack(means(x)), torch.stack(variances(x)))


SINGULAR_START = Exercise(
    singular_start,
    _singular_case,
    judge=_judge_singular,
    mistakes=(
        Mistake(_start(lambda x: [x.min(), x.max()], lambda x: [x.var(), x.var()]), "a finite optimum"),
        Mistake(_start(lambda x: [x[0] + 0.1, x.mean()], lambda x: [torch.tensor(1e-6), x.var()]), "for no galaxy"),
        Mistake(_start(lambda x: [x[0], x.mean()], lambda x: [torch.tensor(0.0), x.var()]), "exactly zero"),
        Mistake(_start(lambda x: [x[0], x.mean()], lambda x: [x.var(), x.var()], (1.0, 1.0)), "and add up to one"),
        Mistake(lambda x: (x[0], x.mean()), "three things"),
    ),
    hints=(
        "What happens to $\\mathcal{N}(x_1; \\mu, \\sigma^2)$ at $\\mu = x_1$ when $\\sigma \\to 0$? Which galaxies "
        "does such a component take responsibility for?",
        "Give the first component the mean `x[0]` and a standard deviation of 0.01; give the second all the rest.",
    ),
    minutes=8,
    difficulty=2,
)
