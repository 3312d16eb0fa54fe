"""The exercises of lesson 01: reference, wrong answers by name, hints."""

import torch

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from .reverse import WORSE_MODEL
from .seen_only import LOG_PROB_SEEN

# 1 · Bayes' rule in logs ----------------------------------------------------------------------------------------


def log_posterior(log_prior, log_likelihood):
    """log p(y | x), shape (n, K), from log p(y), shape (K,), and log p(x | y), shape (n, K)."""
    return (log_prior + log_likelihood).log_softmax(-1)


def _posterior_cases():
    g = rng.seeded(1)
    yield torch.tensor([0.2, 0.8]).log(), torch.randn(5, 2, generator=g)
    prior = torch.tensor([0.5, 0.3, 0.2]).log().double()  # near -3000 single precision keeps three digits
    far = torch.tensor([[0.0], [-40.0], [-3000.0]])  # exp(-3000) underflows
    yield prior, (3 * torch.randn(3, 3, generator=g) + far).double()
    yield prior, torch.tensor([[0.0, -900.0, -5.0], [-2000.0, -1000.0, -3000.0], [-1.0, -2.0, -3.0]]).double()


LOG_POSTERIOR = Exercise(
    log_posterior,
    _posterior_cases,
    mistakes=(
        Mistake(lambda prior, likelihood: likelihood.log_softmax(-1),
                "The **base rate is missing**: you normalised $p(x \\mid y)$ alone. How well a class explains $x$ is "
                "not how probable the class is: weigh it with $p(y)$."),
        Mistake(lambda prior, likelihood: prior + likelihood,
                "**Not normalised**: this is the joint, $\\log p(x, y)$. Subtract $\\log p(x)$, the log of its sum "
                "over the classes."),
        Mistake(lambda prior, likelihood: (prior + likelihood).softmax(-1),
                "These are **probabilities**; their logs are asked for."),
        Mistake(lambda prior, likelihood: (prior + likelihood).softmax(-1).log(),
                "Right on paper, but **the log comes too late**: a posterior of $e^{-900}$ is 0 in floating point, and "
                "its log −∞. Never leave the logs: subtract a `logsumexp`."),
        Mistake(lambda prior, likelihood: ((prior + likelihood).exp() / (prior + likelihood).exp().sum(-1, True)).log(),
                "Right on paper, but **far from all classes it underflows**: $e^{-3000}$ is 0, and 0 / 0 is NaN. Never "
                "leave the logs: subtract a `logsumexp`."),
        Mistake(lambda prior, likelihood: prior + likelihood - (prior + likelihood).exp().sum(-1, True).log(),
                "Right on paper, but **far from all classes it underflows**: every $e^{-3000}$ is 0, so is their sum, "
                "and its log is −∞. Take exponentials, sum and log in one step, with `logsumexp`."),
        Mistake(lambda prior, likelihood: likelihood - (prior + likelihood).logsumexp(-1, keepdim=True),
                "The prior is in $p(x)$, but **not above it**: the numerator is the joint, $\\log p(y) + \\log p(x "
                "\\mid y)$."),
        Mistake(lambda prior, likelihood: prior + likelihood - likelihood.logsumexp(-1, keepdim=True),
                "**$p(x)$ lacks the prior**: it is the sum of the *joint* over the classes, not of $p(x \\mid y)$."),
        Mistake(lambda prior, likelihood: prior + likelihood - (prior + likelihood).logsumexp(-1),
                "The sum has shape $(n,)$, and is subtracted **from the wrong axis** (or does not fit): keep the axis "
                "with `keepdim=True`, so that each row loses its own $\\log p(x)$."),
        Mistake(lambda prior, likelihood: (prior + likelihood).log_softmax(0),
                "**Normalised over the wrong axis**: each *row*, one $x$, must add up to one over the classes."),
        Mistake(lambda prior, likelihood: (prior.exp() + likelihood).log_softmax(-1),
                "**A probability was added to a log**: `log_prior` is a log already. Don't exponentiate it."),
        Mistake(lambda prior, likelihood: prior + likelihood - (prior + likelihood).amax(-1, keepdim=True),
                "You subtracted the **largest** log, not the log of the *sum*: the best class now has probability 1 "
                "whatever the others are."),
        Mistake(lambda prior, likelihood: (prior * likelihood).log_softmax(-1),
                "**Logs were multiplied**: where probabilities are multiplied, their logs are added."),
    ),
    hints=(
        "Bayes' rule in logs: which two logs make the joint, and what is subtracted for $p(x)$? Over which axis does "
        "it sum?",
        "`logsumexp(-1, keepdim=True)` of the joint is $\\log p(x)$. `log_softmax(-1)` does both in one.",
    ),
    minutes=5,
    difficulty=1,
)

# 2 · the line between two Gaussians ------------------------------------------------------------------------------


def log_odds_line(weights, means, covariance):
    """w (D,) and b () with log p(y=1 | x) - log p(y=0 | x) = w x + b: weights (2,), means (2, D), covariance (D, D)."""
    precision = torch.linalg.inv(covariance)
    w = precision @ (means[1] - means[0])
    b = (weights[1] / weights[0]).log() - 0.5 * (means[1] @ precision @ means[1] - means[0] @ precision @ means[0])
    return w, b


def _line_cases():
    g = rng.seeded(2)
    for size in (2, 3):
        root = torch.randn(size, size, generator=g)
        means = torch.randn(2, size, generator=g) + 1
        yield torch.tensor([0.7, 0.3]), means, root @ root.mT + 0.5 * torch.eye(size)


def _line(prior=1.0, half=0.5, sign=1.0, matrix=torch.linalg.inv, of_difference=False):
    """A wrong line: the right one with one of its parts changed."""

    def wrong(weights, means, covariance):
        precision, gap = matrix(covariance), means[1] - means[0]
        squares = gap @ precision @ gap if of_difference else \
            means[1] @ precision @ means[1] - means[0] @ precision @ means[0]
        return sign * precision @ gap, sign * (prior * (weights[1] / weights[0]).log() - half * squares)

    return wrong


LOG_ODDS_LINE = Exercise(
    log_odds_line,
    _line_cases,
    mistakes=(
        Mistake(_line(sign=-1.0), "**Turned round**: these are the log-odds of class 0. Class 1 stands on top."),
        Mistake(_line(prior=0.0),
                "The **base rate is missing** in $b$: add $\\log \\pi_1 / \\pi_0$. It shifts the line towards the "
                "rarer class."),
        Mistake(lambda weights, means, covariance: (_line()(weights, means, covariance)[0],
                    _line(prior=0.0)(weights, means, covariance)[1] + weights[1] / weights[0]),
                "The ratio of base rates stands in $b$ **without its log**: $\\log \\pi_1 / \\pi_0$."),
        Mistake(_line(prior=-1.0), "The **base rate is upside down**: $\\log \\pi_1 / \\pi_0$, class 1 on top."),
        Mistake(_line(half=1.0), "A factor **½ is missing** before the squares in $b$."),
        Mistake(_line(half=-0.5), "The squares in $b$ have the **wrong sign**: the far mean loses."),
        Mistake(_line(matrix=lambda covariance: covariance),
                "You multiplied with the **covariance, not with its inverse**: directions in which the data spread "
                "much must count less."),
        Mistake(_line(matrix=lambda covariance: torch.diag(1 / covariance.diagonal())),
                "You inverted the **variances one by one**: correlated features need the inverse of the matrix. (What "
                "you wrote is naive Bayes.)"),
        Mistake(_line(matrix=lambda covariance: torch.eye(len(covariance), dtype=covariance.dtype)),
                "The **covariance is missing**: $\\Lambda = \\Sigma^{-1}$ stands in $w$ and in both squares."),
        Mistake(lambda weights, means, covariance: (
                    _line()(weights, means, covariance)[0], _line()(weights, means, covariance)[1]
                    - means[0] @ torch.linalg.inv(covariance) @ means[0]),
                "In $b$ the squares are **subtracted**, not added: the square of $\\mu_0$ comes with $+\\tfrac12$."),
        Mistake(_line(of_difference=True),
                "In $b$ stands a **difference of squares**, $\\mu_1^\\top \\Lambda \\mu_1 - \\mu_0^\\top \\Lambda "
                "\\mu_0$, not the square of the difference."),
    ),
    hints=(
        "Write both $-\\tfrac12 (x - \\mu_k)^\\top \\Lambda (x - \\mu_k)$ out and subtract. What happens to $x^\\top "
        "\\Lambda x$? Collect what is left by its power of $x$.",
        "$w = \\Lambda (\\mu_1 - \\mu_0)$, $b = \\log \\frac{\\pi_1}{\\pi_0} - \\tfrac12 (\\mu_1^\\top \\Lambda \\mu_1 "
        "- \\mu_0^\\top \\Lambda \\mu_0)$, $\\Lambda = \\Sigma^{-1}$.",
    ),
    returns=("w", "b"),
    minutes=10,
    difficulty=2,
)

# 3 · naive Bayes -------------------------------------------------------------------------------------------------


def naive_bayes(x, y, smoothing):
    """pi (2,) and p (2, D), smoothed: binary x (n, D), y (n,) of 0 and 1."""
    counts = torch.stack([(y == k).sum() for k in range(2)]).to(x)  # (2,)
    ones = torch.stack([x[y == k].sum(0) for k in range(2)])  # (2, D)
    return counts / len(y), (ones + smoothing) / (counts[:, None] + 2 * smoothing)


def _naive_cases():
    g = rng.seeded(3)
    for smoothing in (1.0, 0.5):
        y = (torch.rand(12, generator=g) < 0.3).long()
        y[:2] = torch.tensor([0, 1])
        yield (torch.rand(12, 3, generator=g) < 0.3).to(torch.get_default_dtype()), y, smoothing


def _naive(ones=lambda x, y, s, k: x[y == k].sum(0) + s, total=lambda y, s, k: (y == k).sum() + 2 * s):
    """A wrong naive Bayes: p made of another numerator or denominator."""
    return lambda x, y, s: (naive_bayes(x, y, s)[0], torch.stack([ones(x, y, s, k) / total(y, s, k) for k in (0, 1)]))


NAIVE_BAYES = Exercise(
    naive_bayes,
    _naive_cases,
    mistakes=(
        Mistake(lambda x, y, s: naive_bayes(x, y, 0.0),
                "**No smoothing**: a pixel that was never ink in ten examples gets probability 0, and one drop of ink "
                "there then forbids the class for ever."),
        Mistake(_naive(total=lambda y, s, k: (y == k).sum() + s),
                "The denominator must grow by **$2 s$**: $s$ imagined ones *and* $s$ imagined zeros. Otherwise $p$ "
                "without data is 1, not ½."),
        Mistake(_naive(total=lambda y, s, k: (y == k).sum()),
                "Smoothed **above, not below**: $p$ may exceed 1. Add $2 s$ to the denominator."),
        Mistake(_naive(total=lambda y, s, k: len(y) + 2 * s),
                "Divided by **all rows**: that is near $p(x_d = 1, y)$, the joint. Given the class, divide by the rows "
                "*of the class*."),
        Mistake(_naive(total=lambda y, s, k: len(y)),
                "Divided by **all rows**, and not smoothed below: given the class, divide by $n_k + 2 s$."),
        Mistake(_naive(ones=lambda x, y, s, k: (1 - x[y == k]).sum(0) + s),
                "This is the probability of a **0**; $p$ is that of a 1."),
        Mistake(_naive(ones=lambda x, y, s, k: x[y == k].sum(0)),
                "Smoothed **below, not above**: add $s$ to the ones as well. Otherwise $p$ can still be 0."),
        Mistake(lambda x, y, s: (naive_bayes(x, y, s)[0], naive_bayes(x, y, 1.0)[1]),
                "Smoothed with **1, whatever `smoothing` says**."),
        Mistake(lambda x, y, s: ((naive_bayes(x, y, s)[0] * len(y) + s) / (len(y) + 2 * s), naive_bayes(x, y, s)[1]),
                "You **smoothed the base rates too**: no harm in life, but here $\\pi_k = n_k / n$ is asked for."),
        Mistake(lambda x, y, s: (naive_bayes(x, y, s)[0].flip(0), naive_bayes(x, y, s)[1]),
                "**$\\pi$ is turned round**: class 0 comes first."),
        Mistake(lambda x, y, s: (naive_bayes(x, y, s)[0] * len(y), naive_bayes(x, y, s)[1]),
                "Your **$\\pi$ are counts**: divide by $n$."),
        Mistake(lambda x, y, s: (naive_bayes(x, y, s)[0], naive_bayes(x, y, s)[1].mT),
                "**Transposed**: one row of $p$ a class, shape (2, D)."),
        Mistake(_naive(ones=lambda x, y, s, k: x.sum(0) + s, total=lambda y, s, k: len(y) + 2 * s),
                "The **classes are mixed**: take only the rows with $y = k$ for row $k$."),
    ),
    hints=(
        "For each class: how many rows, and in how many of them is feature $d$ a 1? Which numbers does smoothing "
        "add to?",
        "$p_{kd} = (\\text{ones}_{kd} + s) / (n_k + 2 s)$, $\\pi_k = n_k / n$; `x[y == k].sum(0)` counts the ones.",
    ),
    returns=("pi", "p"),
    minutes=10,
    difficulty=2,
)

check = Checks("01", LOG_POSTERIOR, LOG_ODDS_LINE, NAIVE_BAYES, LOG_PROB_SEEN, WORSE_MODEL)
