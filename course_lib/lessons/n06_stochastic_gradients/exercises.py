"""The exercises of lesson 06: reference, wrong answers by name, hints."""

import math

import torch

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from .find_the_bug import DRAW_MINIBATCHES

# 1 · an unbiased estimate --------------------------------------------------------------------------------------------


def total_log_prob(log_p, n):
    """An unbiased estimate of log p(D), the sum over all n rows, from log_p, shape (N_M,), of a minibatch."""
    return n * log_p.mean()


def _log_p_cases():
    g = rng.seeded(1)
    yield -torch.rand(5, generator=g), 60_000
    yield -3 * torch.rand(64, generator=g), 3823
    yield -torch.rand(1, generator=g), 7


TOTAL_LOG_PROB = Exercise(
    total_log_prob,
    _log_p_cases,
    mistakes=(
        Mistake(lambda log_p, n: log_p.mean(),
                "This estimates the **mean**, $\\tfrac1N \\log p(\\mathcal{D})$. The sum over all rows is $N$ times as "
                "large."),
        Mistake(lambda log_p, n: log_p.sum(),
                "This is the sum over **the minibatch only**: it grows with $N_M$. Each of its rows stands for $N / "
                "N_M$ rows."),
        Mistake(lambda log_p, n: n * log_p.sum(),
                "$N$ times the **sum**: that counts every row of the minibatch as if it were all $N$. Divide by "
                "$N_M$."),
        Mistake(lambda log_p, n: n / len(log_p) * log_p.mean(),
                "**Divided by $N_M$ twice**: the mean has done it already. The factor $N / N_M$ belongs to the sum."),
        Mistake(lambda log_p, n: len(log_p) / n * log_p.sum(),
                "The factor stands **upside down**: it is $N / N_M$, more than one."),
        Mistake(lambda log_p, n: log_p.sum() / n,
                "The sum over the minibatch, divided by **the wrong number**: $N_M$ rows were added up, not $N$."),
        Mistake(lambda log_p, n: -n * log_p.mean(),
                "The **sign** is turned: that is the loss. Asked for is the log-likelihood itself."),
        Mistake(lambda log_p, n: n / 64 * log_p.sum(),
                "64 is **one size of minibatch**; yours has `len(log_p)` rows."),
        Mistake(lambda log_p, n: n * log_p.exp().mean().log(),
                "This is $N$ times the **log of the mean probability**. The mean must be taken over the logs; Jensen's "
                "inequality says that yours is too high, and no size of minibatch but all makes it right."),
    ),
    hints=(
        "What does the mean over a minibatch estimate? And by what do sum and mean over all rows differ?",
        "The minibatch's mean estimates the mean over all rows; $\\log p(\\mathcal{D})$ is $N$ times that.",
    ),
    minutes=3,
    difficulty=1,
)

# 2 · its standard error ----------------------------------------------------------------------------------------------


def standard_error(values):
    """The standard error of the mean of `values`, shape (N_M,), drawn with replacement; from these values alone."""
    return values.std() / len(values) ** 0.5


def _value_cases():
    g = rng.seeded(2)
    yield torch.randn(16, generator=g) - 1
    yield 5 * torch.rand(3, generator=g)


STANDARD_ERROR = Exercise(
    standard_error,
    lambda: ((values,) for values in _value_cases()),
    mistakes=(
        Mistake(lambda values: values.std(),
                "This is the **standard deviation of one row**: how far rows lie from each other. The mean of $N_M$ "
                "rows is more certain, by $\\sqrt{N_M}$."),
        Mistake(lambda values: values.std() / len(values),
                "Divided by **$N_M$, not by its root**. It is the *variance* of a mean that falls as $1 / N_M$."),
        Mistake(lambda values: values.var() / len(values),
                "This is the **variance** of the mean: its root is asked for."),
        Mistake(lambda values: values.var() / len(values) ** 0.5,
                "The root is taken of **$N_M$ only**: take it of the variance too."),
        Mistake(lambda values: values.std(correction=0) / len(values) ** 0.5,
                "The spread around **the minibatch's own mean** is a little too small. Divide the squares by $N_M - "
                "1$, as `values.std()` does."),
        Mistake(lambda values: values.std() / (len(values) - 1) ** 0.5,
                "**Corrected twice**: `values.std()` has divided by $N_M - 1$ already; the mean is one of $N_M$ rows."),
        Mistake(lambda values: values.std() * len(values) ** 0.5,
                "This is the error of the **sum**; a mean of more rows is *more* certain."),
        Mistake(lambda values: values.square().mean().sqrt() / len(values) ** 0.5,
                "The **size** of the values is not their spread: subtract the mean first."),
    ),
    hints=(
        "Two steps: how far do single rows spread, and what does averaging $N_M$ of them do to that?",
        "The variance of a mean is the variance of one row divided by $N_M$; then take the root.",
    ),
    minutes=3,
    difficulty=1,
)

# 3 · how many rows ---------------------------------------------------------------------------------------------------


def rows_needed(sigma, error, n):
    """The fewest rows, drawn without replacement out of n, whose mean has at most this standard error."""
    return math.ceil(n * sigma**2 / (sigma**2 + error**2 * (n - 1)))


ROWS_NEEDED = Exercise(
    rows_needed,
    lambda: [(0.8, 0.05, 3823), (0.8, 0.05, 60_000), (1.0, 0.3, 30), (1.0, 0.3, 9)],
    mistakes=(
        Mistake(lambda sigma, error, n: math.ceil((sigma / error) ** 2),
                "That many are needed **with replacement**. Without it the factor $(N - N_M) / (N - 1)$ helps, and "
                "$N_M$ stands in it twice: solve for it."),
        Mistake(lambda sigma, error, n: n * sigma**2 / (sigma**2 + error**2 * (n - 1)),
                "Right, but **not a whole number**: the next one above is needed, `math.ceil`."),
        Mistake(lambda sigma, error, n: int(n * sigma**2 / (sigma**2 + error**2 * (n - 1))),
                "**Rounded down**: with that many the error is still a little too large."),
        Mistake(lambda sigma, error, n: round(n * sigma**2 / (sigma**2 + error**2 * (n - 1))),
                "**Rounded to the nearest**: where that is below, the error is still a little too large."),
        Mistake(lambda sigma, error, n: math.ceil(sigma / error),
                "**The squares are missing**: the standard error falls with the *root* of $N_M$. (And the factor $(N - "
                "N_M) / (N - 1)$ is not there yet.)"),
        Mistake(lambda sigma, error, n: math.ceil(n * sigma / (sigma + error * (n - 1))),
                "**Standard deviations where variances belong**: the law holds for squares."),
        Mistake(lambda sigma, error, n: math.ceil((sigma / error) ** 2 * (n - (sigma / error) ** 2) / (n - 1)),
                "You took the number needed with replacement, and **corrected it once** with its own factor. $N_M$ "
                "is in the factor too: solve $\\sigma^2 (N - N_M) = e^2 N_M (N - 1)$."),
        Mistake(lambda sigma, error, n: math.ceil(n * sigma / error**0.5 / n**0.5),
                "That grows **with $N$ without end**: but accuracy hardly depends on $N$."),
        Mistake(lambda sigma, error, n: math.ceil(n * sigma**2 / (sigma**2 + error**2 * n)),
                "Very nearly: the law has **$N - 1$**, not $N$, if $\\sigma^2$ is the mean square over all $N$ rows."),
    ),
    hints=(
        "Write down $\\frac{\\sigma^2}{N_M} \\frac{N - N_M}{N - 1} = e^2$ and solve for $N_M$.",
        "$N_M = N \\sigma^2 / (\\sigma^2 + e^2 (N - 1))$; then the next whole number.",
    ),
    minutes=6,
    difficulty=2,
)

# 4 · a step with momentum --------------------------------------------------------------------------------------------


def momentum_step(theta, velocity, gradient, lr, momentum):
    """One step of descent: (new theta, new velocity), with velocity = momentum * velocity + gradient."""
    velocity = momentum * velocity + gradient
    return theta - lr * velocity, velocity


def _momentum_cases():
    g = rng.seeded(4)
    for momentum in (0.9, 0.5):
        theta, velocity, gradient = torch.randn(3, 4, generator=g)
        yield theta, velocity, gradient, 0.1, momentum


def _with(update, place=lambda theta, velocity, gradient, lr: theta - lr * velocity):
    """A wrong step, from its new velocity and its new place."""

    def wrong(theta, velocity, gradient, lr, momentum):
        new = update(velocity, gradient, lr, momentum)
        return place(theta, new, gradient, lr), new

    return wrong


def _right(velocity, gradient, lr, momentum):
    return momentum * velocity + gradient


MOMENTUM_STEP = Exercise(
    momentum_step,
    _momentum_cases,
    mistakes=(
        Mistake(_with(_right, lambda theta, velocity, gradient, lr: theta + lr * velocity),
                "**Uphill**: the gradient of a loss points up; descent subtracts."),
        Mistake(_with(_right, lambda theta, velocity, gradient, lr: theta - lr * gradient),
                "The velocity is kept but **not used**: this is plain descent. Move by the velocity."),
        Mistake(lambda theta, velocity, gradient, lr, momentum: (
                theta - lr * velocity, momentum * velocity + gradient),
                "You moved by the **old velocity**. First update it, then move."),
        Mistake(_with(_right, lambda theta, velocity, gradient, lr: theta - velocity),
                "The **learning rate is missing**: move by $\\eta v$."),
        Mistake(lambda theta, velocity, gradient, lr, momentum: (
                momentum_step(theta, velocity, gradient, lr, momentum)[0], velocity),
                "You return the **old velocity**: the next step must find the new one."),
        Mistake(_with(lambda velocity, gradient, lr, momentum: velocity + gradient),
                "The old velocity is **not damped**: with momentum 1 all gradients of the past pile up. (A forgotten "
                "`zero_grad` does just that.)"),
        Mistake(_with(lambda velocity, gradient, lr, momentum: momentum * velocity + (1 - momentum) * gradient),
                "That is a **running average**, with the gradient times $1 - \\mu$. A fine rule too, with steps $1 - "
                "\\mu$ as long; here the gradient enters in full."),
        Mistake(_with(lambda velocity, gradient, lr, momentum: momentum * velocity + lr * gradient,
                      lambda theta, velocity, gradient, lr: theta - velocity),
                "The **learning rate is inside the velocity**. The steps are the same while it is constant; the "
                "velocity asked for, and PyTorch's, is without it."),
        Mistake(_with(lambda velocity, gradient, lr, momentum: momentum * velocity - lr * gradient,
                      lambda theta, velocity, gradient, lr: theta + velocity),
                "The way of many textbooks, with the **learning rate and the sign inside the velocity**. The steps are "
                "the same; here, as in PyTorch, the velocity is $\\mu v + g$, and the step subtracts $\\eta v$."),
        Mistake(_with(lambda velocity, gradient, lr, momentum: momentum * (velocity + gradient)),
                "The **new gradient is damped** too: only what is old is multiplied by the momentum."),
        Mistake(lambda theta, velocity, gradient, lr, momentum: momentum_step(
                theta, velocity, gradient, lr, momentum)[::-1],
                "The right tensors in **another order**: return `(theta, velocity)`."),
        Mistake(lambda theta, velocity, gradient, lr, momentum: momentum_step(
                theta, velocity, gradient, lr, momentum)[0],
                "Return **both**, `(theta, velocity)`: the next step needs the velocity."),
    ),
    hints=(
        "Two lines: the new velocity from the old one and the gradient; then the new place, downhill.",
        "`velocity = momentum * velocity + gradient`, then `theta - lr * velocity`.",
    ),
    returns=("theta", "velocity"),
    minutes=5,
    difficulty=1,
)

check = Checks("06", TOTAL_LOG_PROB, STANDARD_ERROR, ROWS_NEEDED, MOMENTUM_STEP, DRAW_MINIBATCHES)
