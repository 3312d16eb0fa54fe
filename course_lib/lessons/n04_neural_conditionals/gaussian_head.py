"""The exercise on the Gaussian head: σ, σ² and log σ are three different numbers."""

import math

import torch

from ... import rng
from ...classroom import Exercise, Mistake


def gaussian_nll(y, mean, log_scale):
    """-log N(y; mean, exp(log_scale)^2) of each row: all (n,)."""
    z = (y - mean) / log_scale.exp()
    return 0.5 * z**2 + log_scale + 0.5 * torch.tensor(2 * torch.pi).log()


def _nll_cases():
    g = rng.seeded(5)
    yield torch.randn(6, generator=g), torch.randn(6, generator=g), 0.5 * torch.randn(6, generator=g)
    yield 20 * torch.randn(4, generator=g), torch.zeros(4), torch.tensor([3.0, 2.0, 2.5, 1.5])


CONSTANT = 0.5 * math.log(2 * math.pi)


def _nll_with(square=lambda s: (2 * s).exp(), log=lambda s: s, half=0.5, constant=CONSTANT, power=2):
    """A wrong loss: (y - mean)^power * half / square(s) + log(s) + constant, with s the log-scale."""
    return lambda y, mean, s: half * (y - mean) ** power / square(s) + log(s) + constant


GAUSSIAN_NLL = Exercise(
    gaussian_nll,
    _nll_cases,
    mistakes=(
        Mistake(_nll_with(square=lambda s: s.exp(), log=lambda s: 0.5 * s),
                "You took **log σ for log σ²**: `log_scale` is the log of the standard deviation. Its square is "
                "$e^{2 \\log \\sigma}$, and the normaliser adds $\\log \\sigma$ whole."),
        Mistake(_nll_with(square=lambda s: s**2, log=lambda s: s.log()),
                "You took **log σ for σ**: the scale is `log_scale.exp()`. (That is why networks give the log: it may "
                "be negative, a scale may not.)"),
        Mistake(_nll_with(square=lambda s: s, log=lambda s: 0.5 * s.log()),
                "You took **log σ for σ²**: the variance is `(2 * log_scale).exp()`."),
        Mistake(_nll_with(square=lambda s: s.exp()),
                "The residual's square is divided by **σ, not σ²**."),
        Mistake(_nll_with(log=lambda s: 2 * s),
                "The normaliser has **$\\log \\sigma^2$ whole**: it is half of that, $\\log \\sigma$."),
        Mistake(_nll_with(log=lambda s: s.log()),
                "You took the **log of `log_scale`**: it is a log already, and may be negative. Add it as it is."),
        Mistake(_nll_with(log=lambda s: s.exp()),
                "The normaliser has **σ for log σ**: add `log_scale` as it is."),
        Mistake(_nll_with(square=lambda s: (-2 * s).exp()),
                "The residual's square is **multiplied by σ²**. In Python `a / 2 * b` is $\\tfrac{a}{2} b$: put the "
                "product below the line into brackets."),
        Mistake(_nll_with(square=lambda s: s.exp(), power=1),
                "The residual is **not squared**: a density falls on both sides of its mean."),
        Mistake(_nll_with(constant=2 * CONSTANT),
                "This has **$\\log 2\\pi$ whole**: the normaliser is $\\sqrt{2\\pi}\\,\\sigma$, and the root "
                "halves its log."),
        Mistake(_nll_with(log=lambda s: 0 * s),
                "**log σ is missing**. Without it a network makes σ as large as it likes, and every error vanishes."),
        Mistake(_nll_with(constant=0.0),
                "The **constant $\\tfrac12 \\log 2\\pi$ is missing**. The minimum stays where it is, but these are not "
                "the nats of a density. (`torch.nn.GaussianNLLLoss` leaves it out unless you say `full=True`.)"),
        Mistake(_nll_with(half=1.0),
                "The **half is missing** before the squared residual."),
        Mistake(lambda y, mean, s: -gaussian_nll(y, mean, s),
                "This is the **log-likelihood**. A loss is made small: change the sign."),
        Mistake(lambda y, mean, s: gaussian_nll(y, mean, s).mean(),
                "A **mean over the rows**: asked for is the loss of each row, shape (n,)."),
        Mistake(lambda y, mean, s: 0.5 * (y - mean) ** 2,
                "This is the **squared error**: it takes $\\sigma = 1$ for every row, and forgets the normaliser."),
    ),
    hints=(
        "Start from $\\log \\mathcal{N}$ in the text. Which of its three terms know σ, and which power of it?",
        "`z = (y - mean) / log_scale.exp()`; then $\\tfrac12 z^2 + \\log \\sigma + \\tfrac12 \\log 2\\pi$.",
    ),
    minutes=5,
    difficulty=1,
)
