"""The exercise on missing values: the log-density of what has been seen."""

import math

import torch

from ... import rng
from ...classroom import Exercise, Mistake


def log_prob_seen(x, seen, mean, covariance):
    """log p of the seen values of one row x (D,), NaN where not seen: seen (D,), mean (D,), covariance (D, D)."""
    marginal = torch.distributions.MultivariateNormal(mean[seen], covariance[seen][:, seen])
    return marginal.log_prob(x[seen])


def _cases():
    g = rng.seeded(4)
    for pattern in ([True, False, True, False], [True, True, False, True], [False, True, False, False]):
        root, seen = torch.randn(4, 4, generator=g), torch.tensor(pattern)
        x = torch.where(seen, torch.randn(4, generator=g), torch.nan)
        yield x, seen, torch.randn(4, generator=g), root @ root.mT + 0.5 * torch.eye(4)


def _log_prob(x, mean, covariance):
    return torch.distributions.MultivariateNormal(mean, covariance).log_prob(x)


def _filled_with(value):
    """The mistake of filling the holes and asking for the density of the whole row."""
    return lambda x, seen, mean, covariance: _log_prob(torch.where(seen, x, value(mean)), mean, covariance)


def _precision_block(x, seen, mean, covariance):
    block = torch.linalg.inv(covariance)[seen][:, seen]
    return _log_prob(x[seen], mean[seen], torch.linalg.inv(block))


LOG_PROB_SEEN = Exercise(
    log_prob_seen,
    _cases,
    mistakes=(
        Mistake(_filled_with(torch.zeros_like),
                "You put **zeros into the holes**: 0 is a value like any other, and the model now believes that it was "
                "seen. Leave the missing dimensions out."),
        Mistake(_filled_with(lambda mean: mean),
                "You put the **mean into the holes**: that asks for the density of one particular completion. The "
                "integral over all completions is the Gaussian of the seen dimensions alone."),
        Mistake(_precision_block,
                "You took a block of the **inverse** covariance: its inverse is the covariance *given* the others. To "
                "marginalise, cut the block out of the covariance itself, then invert."),
        Mistake(lambda x, seen, mean, covariance: torch.distributions.Normal(
                    mean[seen], covariance.diagonal()[seen].sqrt()).log_prob(x[seen]).sum(),
                "You treated the seen values as **independent**: use the whole block of the covariance."),
        Mistake(lambda x, seen, mean, covariance: torch.distributions.Normal(
                    mean[seen], covariance.diagonal()[seen]).log_prob(x[seen]).sum(),
                "Independent, and with **variances taken for standard deviations**: use the whole block of the "
                "covariance."),
        Mistake(lambda x, seen, mean, covariance: log_prob_seen(x, seen, mean, covariance)
                - 0.5 * (~seen).sum() * math.log(2 * math.pi),
                "The constant counts **all dimensions**: $\\tfrac12 \\log 2 \\pi$ belongs to each *seen* one only."),
        Mistake(lambda x, seen, mean, covariance: log_prob_seen(x, seen, mean, covariance)
                + 0.5 * seen.sum() * math.log(2 * math.pi),
                "The **constant is missing**: $-\\tfrac12 \\log 2 \\pi$ for each seen value."),
        Mistake(lambda x, seen, mean, covariance: log_prob_seen(x, seen, mean, covariance)
                + 0.5 * covariance[seen][:, seen].logdet(),
                "The **determinant is missing**: the wider a Gaussian, the lower. Subtract $\\tfrac12 \\log "
                "|\\Sigma_{ss}|$."),
        Mistake(lambda x, seen, mean, covariance: torch.distributions.MultivariateNormal(
                    mean[seen], precision_matrix=covariance[seen][:, seen]).log_prob(x[seen]),
                "The covariance was taken **for its inverse**: pass it as `covariance_matrix`."),
        Mistake(lambda x, seen, mean, covariance: log_prob_seen(x, seen, mean, covariance).exp(),
                "This is the density itself; its **log** is asked for."),
        Mistake(lambda x, seen, mean, covariance: _log_prob(x[seen], torch.zeros_like(mean[seen]),
                                                            covariance[seen][:, seen]),
                "The **mean is missing**: the Gaussian of the seen values is centred at their part of `mean`."),
    ),
    hints=(
        "Integrating a Gaussian over some of its dimensions leaves a Gaussian. Which part of the mean, which block of "
        "the covariance?",
        "`mean[seen]` and `covariance[seen][:, seen]`, put into `torch.distributions.MultivariateNormal`.",
    ),
    minutes=8,
    difficulty=2,
)
