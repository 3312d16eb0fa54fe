"""The find-the-bug lab of lesson 08: EM with one common variance."""

import torch

from ... import rng
from ...classroom import Exercise, Mistake
from . import experiments


def shared_variance(x, r, means):
    """One variance for all components, weighed by their share of the data: x (n,), r (n, K), means (K,) -> ()."""
    return (r * (x[:, None] - means).square()).sum() / len(x)


def _shared_cases():
    g = rng.seeded(5)
    for components in (2, 3):
        tilt = torch.arange(components) * 2.0  # a large and a small component
        x, r = torch.randn(30, generator=g), (3 * torch.randn(30, components, generator=g) + tilt).softmax(-1)
        x = x + 3 * r[:, 0]
        yield x, r, r.mT @ x / r.sum(0)


SHARED_VARIANCE = Exercise(
    shared_variance,
    _shared_cases,
    mistakes=(
        Mistake(experiments.colleagues_variance,
                "That is **still the planted fault**: a plain mean of the components' variances counts a component "
                "of two galaxies as much as one of seventy. Which weights make every *galaxy* count once?"),
        Mistake(lambda x, r, means: (r * (x[:, None] - means).square()).sum(0) / r.sum(0),
                "These are the **own variances** of the components, (K,); one shared number was asked for."),
        Mistake(lambda x, r, means: ((r * (x[:, None] - means).square()).sum(0) / r.sum(0)).sum(),
                "You **added the components' variances**: one for all is an average, in which each counts with its "
                "share of the data."),
        Mistake(lambda x, r, means: (x[:, None] - means).square().mean(),
                "The **responsibilities are missing**: every galaxy is measured from every mean in full. Weigh each "
                "squared distance with $r_{ik}$."),
        Mistake(lambda x, r, means: (r * (x[:, None] - means).square()).sum() / (len(x) - len(means)),
                "Divided by $n - K$: that is how an unbiased estimate is made, but **the maximum of $F$ has $n$**."),
        Mistake(lambda x, r, means: x.var(correction=0),
                "This is the **variance of all data** around their common mean: it forgets the components."),
        Mistake(lambda x, r, means: x.var(),
                "This is `x.var()`, the **variance of all data** (divided by $n - 1$): it forgets the components."),
        Mistake(lambda x, r, means: (r * (x[:, None] - means).square()).sum(),
                "A **sum, not a mean**: divide by the number of data."),
        Mistake(lambda x, r, means: (r * (x[:, None] - means).square()).mean(),
                "Divided by **$n K$**: `.mean()` of the (n, K) table divides by $K$ as well, but every row of `r` "
                "adds up to one, so there are only $n$ data."),
        Mistake(lambda x, r, means: ((r * (x[:, None] - means).square()).sum() / len(x)).sqrt(),
                "This is the **standard deviation**: no square root."),
    ),
    hints=(
        "The means and weights are right. Set the derivative of the bound with respect to one shared $\\sigma^2$ to "
        "zero: which sum stands in the numerator, and what divides it?",
        "$\\sigma^2 = \\sum_k \\pi_k \\sigma_k^2$: the components' variances weighted with their share of the data.",
    ),
    minutes=6,
    difficulty=2,
)
