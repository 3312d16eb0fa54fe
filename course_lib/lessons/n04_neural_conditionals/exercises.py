"""The exercises of lesson 04: reference, wrong answers by name, hints."""

import torch
from torch import Tensor

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from .badly_calibrated import BADLY_CALIBRATED
from .gaussian_head import GAUSSIAN_NLL
from .temperature import FIT_TEMPERATURE

# 1 · log-sum-exp ----------------------------------------------------------------------------------------------------


def log_sum_exp(a):
    """log of the sum of exp over the last axis: a (n, C) -> (n,)."""
    m = a.max(-1).values
    return m + (a - m[:, None]).exp().sum(-1).log()


def _log_sum_exp_cases():
    g = rng.seeded(1)
    yield (torch.randn(4, 3, generator=g),)
    apart = torch.tensor([[1000.0, 1000.0, 1000.0], [-2000.0, -2000.0, -2000.0], [800.0, 0.0, -800.0]])
    yield (torch.randn(3, 3, generator=g) + apart,)


def _log_sum_exp_with(shift=lambda a: a.max(-1, keepdim=True).values, sum_of=lambda t: t.sum(-1), back=1.0):
    """A wrong log-sum-exp: the reference with another shift, another sum, or another share of the shift put back."""

    def wrong(a):
        m = shift(a)
        return back * m.expand_as(a)[:, 0] + sum_of((a - m).exp()).log()

    return wrong


LOG_SUM_EXP = Exercise(
    log_sum_exp,
    _log_sum_exp_cases,
    mistakes=(
        Mistake(lambda a: a.exp().sum(-1).log(),
                "The formula is right, but it **overflows**: exp(1000) is infinite in floating point, and exp(−2000) "
                "is 0, whose log is minus infinity. Take the largest number of each row out first."),
        Mistake(_log_sum_exp_with(back=0.0),
                "The maximum was **taken out and not put back**: $\\log \\sum_k e^{a_k - m}$ is too small by $m$."),
        Mistake(_log_sum_exp_with(back=-1.0),
                "The maximum was **put back with the wrong sign**: $e^{a_k} = e^{m} e^{a_k - m}$, so its log is "
                "*added*."),
        Mistake(_log_sum_exp_with(shift=Tensor.max),
                "You took out **one maximum for the whole table**: a row that lies far below it underflows to "
                "$\\log 0$. Each row needs its own."),
        Mistake(_log_sum_exp_with(shift=lambda a: a.mean(-1, keepdim=True)),
                "You took out the **mean or the smallest** of each row. Where one logit lies far above it, `exp` still "
                "overflows. Take out the largest."),
        Mistake(lambda a: a.max(-1).values + (a - a.max(-1, keepdim=True).values).exp().sum(-1),
                "The **outer log is missing**: the maximum is a log already, the sum of exponentials is not yet one."),
        Mistake(lambda a: a.max(-1).values + (a - a.max(-1, keepdim=True).values).sum(-1).log(),
                "The **`exp` is missing**: the differences to the maximum are at most 0, and their sum has no log."),
        Mistake(lambda a: a.logsumexp(0),
                "You summed over the **wrong axis**: axis 0 holds the pictures. Each *row* has its own sum."),
        Mistake(lambda a: a.sum(-1),
                "The log of a sum of exponentials is **not the sum**: log and exp do not cancel past a sum."),
        Mistake(_log_sum_exp_with(sum_of=lambda t: t.mean(-1)),
                "A **mean for a sum**: this is too small by $\\log C$."),
        Mistake(lambda a: a.max(-1).values,
                "This is the **largest number alone**: the others still count, unless they lie far below. (Log-sum-exp "
                "is a soft maximum, between $m$ and $m + \\log C$.)"),
        Mistake(lambda a: a.clamp(-700, 700).exp().sum(-1).log(),
                "**Clamped** logits do not overflow, and they are wrong: beyond ±700 all rows give the same."),
        Mistake(lambda a: a.log_softmax(-1),
                "This is the **log-softmax**, $a_k - \\mathrm{LSE}(a)$, one number for each class. Asked for is the "
                "one number that it subtracts."),
    ),
    hints=(
        "$\\sum_k e^{a_k} = e^{m} \\sum_k e^{a_k - m}$ for any $m$. Which $m$ makes every exponent at most 0?",
        "`m = a.max(-1).values` has shape (n,); subtract `m[:, None]`, and add `m` to the log of the sum.",
    ),
    minutes=5,
    difficulty=1,
)

# 2 · the gradient ---------------------------------------------------------------------------------------------------


def logits_gradient(logits, y):
    """The gradient of the batch's mean cross-entropy: logits (n, C), y (n,) -> (n, C)."""
    target = torch.nn.functional.one_hot(y, logits.shape[-1])
    return (logits.softmax(-1) - target) / len(y)


def _gradient_cases():
    g = rng.seeded(2)
    yield torch.randn(5, 3, generator=g), torch.tensor([0, 2, 1, 1, 0])
    yield 3 * torch.randn(4, 4, generator=g) + 900, torch.tensor([3, 0, 1, 3])


def _hot(logits, y):
    return torch.nn.functional.one_hot(y, logits.shape[-1]).to(logits)


def _only_the_right_class(logits, y):
    return _hot(logits, y) * logits_gradient(logits, y)


LOGITS_GRADIENT = Exercise(
    logits_gradient,
    _gradient_cases,
    mistakes=(
        Mistake(lambda a, y: a.softmax(-1) - _hot(a, y),
                "The gradient of the **sum**, not of the mean: each of the $n$ rows counts only $1/n$ in the batch's "
                "mean. (This matters: with it the step would grow with the batch.)"),
        Mistake(lambda a, y: (_hot(a, y) - a.softmax(-1)) / len(y),
                "The **sign is wrong**: this is the gradient of the log-likelihood, which goes *up*. The loss is its "
                "negative: $p - y$."),
        Mistake(lambda a, y: _hot(a, y) - a.softmax(-1),
                "The **sign is wrong, and the mean is missing**: the loss has $p - y$, divided by $n$."),
        Mistake(lambda a, y: (a.softmax(-1) - _hot(a, y)) / a.numel(),
                "Divided by **$n C$**: `.mean()` of the (n, C) table divides by the classes as well, but the loss is a "
                "mean over the $n$ rows only."),
        Mistake(lambda a, y: (a.softmax(0) - _hot(a, y)) / len(y),
                "**Softmax over the wrong axis**: your columns add up to one. Each row, one picture, shares one unit "
                "of probability among its classes."),
        Mistake(lambda a, y: a.softmax(-1) / len(y),
                "The **label is missing**: $p$ alone pushes every class down. Subtract the one-hot row of the label."),
        Mistake(_only_the_right_class,
                "Only the **right class** gets a gradient here. The others have one too: $p_k$, since raising any "
                "logit raises the log-sum-exp."),
        Mistake(lambda a, y: (a.softmax(-1) - y[:, None]) / len(y),
                "You subtracted the **label's number**, from the whole row. Subtract its one-hot row: 1 at the label, "
                "0 elsewhere."),
        Mistake(lambda a, y: (a.softmax(-1) - _hot(a, y)) / a.shape[-1],
                "Divided by **$C$, the number of classes**: the mean is over the $n$ rows."),
        Mistake(lambda a, y: (a.log_softmax(-1) - _hot(a, y)) / len(y),
                "This has **$\\log p$ for $p$**: the gradient needs the probabilities, `softmax`."),
        Mistake(lambda a, y: (a - _hot(a, y)) / len(y),
                "These are the **logits minus the labels**: softmax is missing."),
        Mistake(lambda a, y: (a.exp() / a.exp().sum(-1, keepdim=True) - _hot(a, y)) / len(y),
                "The formula is right, but **it overflows** where logits are 900: ∞ / ∞ is NaN. Use `softmax`."),
    ),
    hints=(
        "For one row the gradient is $p - y$, with $y$ as a row of zeros and a single one. What does the mean do to "
        "it?",
        "`torch.nn.functional.one_hot(y, C)` makes the rows; `logits.softmax(-1)` the probabilities; divide by "
        "`len(y)`.",
    ),
    minutes=6,
    difficulty=2,
)

check = Checks("04", LOG_SUM_EXP, LOGITS_GRADIENT, FIT_TEMPERATURE, BADLY_CALIBRATED, GAUSSIAN_NLL)
