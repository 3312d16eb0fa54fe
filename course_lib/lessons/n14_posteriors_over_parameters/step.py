"""The exercise of lesson 14 on one step of stochastic gradient Langevin dynamics."""

import torch

from ... import rng
from ...classroom import Exercise, Mistake


def sgld_step(w, prior_gradient, row_gradients, n, step_size, noise):
    """The next w (D,): gradients of log p(w), (D,), and of log p(row | w) for M of n rows, (M, D); noise N(0, I)."""
    gradient = prior_gradient + n / len(row_gradients) * row_gradients.sum(0)
    return w + step_size**2 / 2 * gradient + step_size * noise


def _cases():
    g = rng.seeded(4)
    for size, batch, n, step_size in ((3, 8, 100, 0.1), (2, 5, 5, 0.3)):
        w, prior, noise = torch.randn(3, size, generator=g)
        yield w, prior, torch.randn(batch, size, generator=g), n, step_size, noise


def _with(gradient=None, drift=None, spread=None):
    """A wrong step: another gradient(prior, rows, n), drift factor(step) or factor of the noise(step)."""

    def wrong(w, prior_gradient, row_gradients, n, step_size, noise):
        right = prior_gradient + n * row_gradients.mean(0)
        slope = gradient(prior_gradient, row_gradients, n) if gradient else right
        far = drift(step_size) if drift else step_size**2 / 2
        return w + far * slope + (spread(step_size) if spread else step_size) * noise

    return wrong


SGLD_STEP = Exercise(
    sgld_step,
    _cases,
    mistakes=(
        Mistake(_with(gradient=lambda prior, rows, n: prior + rows.sum(0)),
                "The minibatch's gradient is **not scaled by $n / M$**: as if only $M$ data had been seen. The chain "
                "settles on a posterior that is far too wide."),
        Mistake(_with(gradient=lambda prior, rows, n: prior + rows.mean(0)),
                "A **mean over the minibatch** stands for *one* row: the log-likelihood is a sum over $n$."),
        Mistake(_with(gradient=lambda prior, rows, n: n / len(rows) * (prior + rows.sum(0))),
                "The **prior was scaled by $n / M$ as well**: there is one prior, however many data."),
        Mistake(_with(gradient=lambda prior, rows, n: n / len(rows) * rows.sum(0)),
                "The **prior's gradient is missing**."),
        Mistake(_with(drift=lambda step: step / 2, spread=lambda step: step**0.5),
                "This is the **paper's convention**, in which $\\epsilon$ is the variance of the noise. Here it is the "
                "standard deviation: drift $\\epsilon^2 / 2$, noise $\\epsilon$."),
        Mistake(_with(gradient=lambda prior, rows, n: prior + n * rows.sum(0)),
                "The minibatch's sum was multiplied by $n$: it already stands for $M$ rows, so **divide by $M$**."),
        Mistake(lambda w, prior, rows, n, step, noise: sgld_step(w, prior, rows, n, step, noise) - w,
                "This is the **step alone**: add it to $w$."),
        Mistake(_with(spread=lambda step: 1.0),
                "The noise is **not multiplied by $\\epsilon$**."),
        Mistake(_with(spread=lambda step: step**0.5),
                "The noise has **the square root of the step size**. In this notebook the step size $\\epsilon$ is the "
                "noise's standard deviation, and the drift has $\\epsilon^2 / 2$. (In the paper $\\epsilon$ is the "
                "variance: then it is $\\sqrt \\epsilon$, and the drift has $\\epsilon / 2$.)"),
        Mistake(_with(spread=lambda step: step**2),
                "The noise is multiplied by its **variance**: $\\epsilon$, not $\\epsilon^2$. So it is far too small, "
                "and the chain falls asleep near the mode."),
        Mistake(_with(drift=lambda step: step),
                "The drift must be $\\epsilon^2 / 2$ **where the noise is $\\epsilon$**: only this pair leaves the "
                "posterior where it is."),
        Mistake(_with(drift=lambda step: step**2),
                "The drift's **half is missing**: $\\epsilon^2 / 2$. Without it the chain settles on the posterior "
                "squared, narrower by $\\sqrt 2$."),
        Mistake(_with(drift=lambda step: -(step**2) / 2),
                "You walk **downhill**: the drift leads *up* the log-posterior."),
        Mistake(_with(spread=lambda step: 0.0),
                "The **noise is missing**: this is gradient ascent, and ends at the mode."),
    ),
    hints=(
        "Two terms: a drift uphill and a noise. What must the minibatch's gradient be multiplied by to be unbiased for "
        "the sum over all $n$ rows? Does the prior need that, too?",
        "`gradient = prior_gradient + n / M * row_gradients.sum(0)`; then `w + step_size**2 / 2 * gradient + "
        "step_size * noise`.",
    ),
    minutes=5,
    difficulty=2,
)
