"""Exercise 4 of lesson 12: the gradient of the evidence as a posterior average."""

import torch

from ... import rng
from ...classroom import Exercise, Mistake


def fisher_gradient(log_likelihood, log_weights, gradients):
    """d log p(x), shape (P,), from log p(x | z_j) and log w_j, both (m,), and d log p(x, z_j), shape (m, P)."""
    return (log_likelihood + log_weights).softmax(0) @ gradients


def _fisher_cases():
    for seed, shift in ((1, 0.0), (2, 2000.0)):
        g = rng.seeded(seed)
        tables = (2 * torch.randn(8, generator=g) - shift, torch.randn(8, generator=g).log_softmax(0),
                  torch.randn(8, 3, generator=g))
        yield tuple(table.double() for table in tables)  # near -2000 single precision keeps three digits


def _counted_twice(log_likelihood, log_weights, gradients):
    """The gradient of sum_j q_j log p(x, z_j) if q is differentiated too."""
    joint = log_likelihood + log_weights
    q = joint.softmax(0)
    return q @ gradients + (q * joint) @ (gradients - q @ gradients)


def _careless(log_likelihood, log_weights, gradients):
    joint = (log_likelihood + log_weights).exp()
    return joint @ gradients / joint.sum()


FISHER_GRADIENT = Exercise(
    fisher_gradient,
    _fisher_cases,
    mistakes=(
        Mistake(lambda like, weights, grads: weights.softmax(0) @ grads,
                "The average is under the **prior**: every cause learns to draw $x$, whether or not it could have made "
                "it. Weigh with the posterior."),
        Mistake(lambda like, weights, grads: like.softmax(0) @ grads,
                "The **prior's weights are missing**: you normalised the likelihood alone."),
        Mistake(lambda like, weights, grads: grads[(like + weights).argmax()],
                "This is the gradient at **one cause**, the most probable: the identity is an average over all."),
        Mistake(lambda like, weights, grads: grads.mean(0),
                "A **plain mean**: causes differ in how probable they are now that $x$ is seen."),
        Mistake(lambda like, weights, grads: grads.sum(0),
                "A **plain sum**: $\\log p(x)$ is not the sum of the $\\log p(x, z_j)$. The log stands outside."),
        Mistake(_counted_twice,
                "You also **differentiated the weights**: in the identity the posterior is a number that multiplies, "
                "not one that moves. (In PyTorch: `.detach()` it.)"),
        Mistake(_careless,
                "Right, until it **underflows**: exp(−2000) is 0 and 0/0 is NaN. `softmax` takes the largest out."),
        Mistake(lambda like, weights, grads: (like + weights).exp() @ grads,
                "**Not divided by $p(x)$**: this is the gradient of $p(x)$, not of its log."),
        Mistake(lambda like, weights, grads: (like + weights).log_softmax(0) @ grads,
                "You weighted with the **logs** of the masses: take `softmax`."),
        Mistake(lambda like, weights, grads: fisher_gradient(like, weights, grads) / len(grads),
                "**Divided once more**: the posterior's masses add up to one already, so a sum is the average."),
        Mistake(lambda like, weights, grads: (like + weights) @ grads,
                "You weighted with **log p(x, z)** itself: the weights are the posterior's masses, a `softmax` of it."),
        Mistake(lambda like, weights, grads: -fisher_gradient(like, weights, grads),
                "This is **minus** the gradient: the one of the loss."),
    ),
    hints=(
        "Each cause votes with its own gradient; its weight is how probable it is *given x*.",
        "`(log_likelihood + log_weights).softmax(0)` are the posterior's masses, (m,). A product with `gradients` "
        "averages.",
    ),
    minutes=5,
    difficulty=1,
)
