"""The exercises of lesson 11: reference, wrong answers by name, hints."""

import math

import torch
from torch import Tensor

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from .find_the_bug import ANNEALING_LOG_WEIGHTS
from .reverse import CONFIDENT_AND_WRONG

# 1 · the log of an average --------------------------------------------------------------------------------------


def log_mean_exp(log_weights):
    """log of the average weight over the draws, the first axis: (S, n) -> (n,)."""
    return log_weights.logsumexp(0) - torch.tensor(float(len(log_weights))).log()


def _weights_cases():
    g = rng.seeded(1)
    yield (2 * torch.randn(5, 3, generator=g),)
    yield (2 * torch.randn(4, 2, generator=g) + torch.tensor([-2000.0, 900.0]),)


def _plainly(log_weights: Tensor) -> Tensor:
    """The formula as it stands: it overflows and underflows."""
    return log_weights.exp().mean(0).log()


LOG_MEAN_EXP = Exercise(
    log_mean_exp,
    _weights_cases,
    mistakes=(
        Mistake(lambda log_weights: log_weights.mean(0),
                "This is the **mean of the logs**; the log of the mean is asked for. Jensen's inequality says yours is "
                "too small: one poor draw with a log-weight of −2000 ruins it."),
        Mistake(_plainly,
                "Right on paper, but **exp(900) overflows to ∞ and exp(−2000) underflows to 0**: the log of such an "
                "average is ±∞. `logsumexp` takes the largest term out first."),
        Mistake(lambda log_weights: log_weights.logsumexp(0),
                "You **forgot to divide by S**: this is the log of the *sum*. In logs, subtract $\\log S$."),
        Mistake(lambda log_weights: log_weights.logsumexp(-1) - math.log(log_weights.shape[-1]),
                "Averaged over the **wrong axis**: the draws are the first one, and each column is a picture of its "
                "own."),
        Mistake(lambda log_weights: log_weights.logsumexp(0) - math.log(log_weights.shape[1]),
                "You divided by the **number of pictures**: the average runs over the draws, the rows, and there are "
                "`len(log_weights)` of them."),
        Mistake(lambda log_weights: (log_weights - log_weights.max(0).values).exp().mean(0).log(),
                "You took out the largest log-weight, and **did not put it back**: add it at the end."),
        Mistake(lambda log_weights: log_weights.logsumexp(0) / len(log_weights),
                "You **divided the log by S**. Dividing the sum by $S$ is subtracting $\\log S$ from its log."),
        Mistake(lambda log_weights: log_weights.logsumexp(0) - len(log_weights),
                "You subtracted **S itself, not its log**."),
        Mistake(lambda log_weights: log_weights.logsumexp(0) + math.log(len(log_weights)),
                "The **sign of log S** is turned: an average is smaller than the sum."),
        Mistake(lambda log_weights: log_weights.max(0).values,
                "This is the **largest log-weight**. That is near when one draw carries everything, and still lacks "
                "the others and $-\\log S$."),
        Mistake(lambda log_weights: log_weights.logsumexp((0, 1)) - math.log(log_weights.numel()),
                "You averaged over **draws and pictures together**: one number a column is asked for, shape (n,)."),
        Mistake(lambda log_weights: log_weights.exp().mean(0),
                "This is the **average weight itself**; its log is asked for. (And exp(900) is ∞ in floating point.)"),
        Mistake(lambda log_weights: (log_weights - log_weights.max()).exp().mean(0).log() + log_weights.max(),
                "You took out **one maximum for the whole table**: the column near −2000 still underflows. Take each "
                "column's own."),
    ),
    hints=(
        "An average is a sum divided by $S$. What does division become in logs, and what is the safe log of a sum of "
        "exponentials?",
        "`log_weights.logsumexp(0)`, minus the log of the number of rows.",
    ),
    minutes=4,
    difficulty=1,
)

# 2 · importance sampling ----------------------------------------------------------------------------------------


def importance_log_evidence(log_prior, log_likelihood, log_proposal):
    """The estimate of log p(x), (n,), from three tables at draws of the proposal, each (S, n)."""
    log_weights = log_prior + log_likelihood - log_proposal
    return log_weights.logsumexp(0) - torch.tensor(float(len(log_weights))).log()


def _importance_cases():
    g = rng.seeded(2)
    for shift in (0.0, 1500.0):
        yield tuple(torch.randn(6, 3, generator=g) - far for far in (1.0, 2.0 + shift, 1.5))


def _average(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(0) - math.log(len(log_weights))


IMPORTANCE_LOG_EVIDENCE = Exercise(
    importance_log_evidence,
    _importance_cases,
    mistakes=(
        Mistake(lambda prior, likelihood, proposal: _average(prior - proposal),
                "The **likelihood is missing**: these weights turn the proposal back into the prior, and average to "
                "one. The integrand is $p(z)\\,p(x \\mid z)$."),
        Mistake(lambda prior, likelihood, proposal: _average(prior + likelihood),
                "You did not **divide by the proposal**: places that $q$ visits often are counted as often. Subtract "
                "`log_proposal`."),
        Mistake(lambda prior, likelihood, proposal: _average(likelihood),
                "This is **naive Monte Carlo**: right if the draws came from the prior. They came from $q$."),
        Mistake(lambda prior, likelihood, proposal: _average(proposal - prior - likelihood),
                "The **ratio is upside down**: the integrand stands above, the proposal below."),
        Mistake(lambda prior, likelihood, proposal: _average(likelihood - proposal),
                "The **prior is missing**: the weight is the *joint* over the proposal."),
        Mistake(lambda prior, likelihood, proposal: _average(prior + likelihood + proposal),
                "You **multiplied by the proposal** where you must divide: subtract its log."),
        Mistake(lambda prior, likelihood, proposal: _average((prior + likelihood - proposal).log_softmax(0)),
                "You **normalised the weights first**: then they average to $1/S$ whatever the model says. Normalised "
                "weights are for expectations; the evidence is the average of the raw ones."),
        Mistake(lambda prior, likelihood, proposal: (prior + likelihood - proposal).mean(0),
                "This is the **mean of the log-weights**. By Jensen it lies below the log of their mean (notebook 15 "
                "makes a virtue of it)."),
        Mistake(lambda prior, likelihood, proposal: (prior + likelihood).logsumexp(0) - proposal.logsumexp(0),
                "This is a **ratio of two sums**. Each draw has a ratio of its own; average the ratios."),
        Mistake(lambda prior, likelihood, proposal: (
                    (prior + likelihood - proposal).logsumexp(0) - math.log(prior.shape[1])),
                "You divided by the **number of pictures**: the average runs over the draws, the rows."),
        Mistake(lambda prior, likelihood, proposal: (prior + likelihood - proposal).logsumexp(0),
                "A **sum in place of a mean**: subtract $\\log S$."),
        Mistake(lambda prior, likelihood, proposal: (prior + likelihood - proposal).exp().mean(0).log(),
                "Right, until it **underflows**: with log-weights near −1500 it says −∞. Stay in logs."),
        Mistake(lambda prior, likelihood, proposal: _average((prior + likelihood) / proposal),
                "You **divided logs**: the log of a ratio is a difference of logs."),
        Mistake(lambda prior, likelihood, proposal: _average(prior + likelihood - proposal).exp(),
                "This is **p(x)**; its log is asked for."),
    ),
    hints=(
        "$p(x) = \\int q(z) \\, \\frac{p(z)\\,p(x \\mid z)}{q(z)} \\, dz$: an average of what, under $q$?",
        "Add the first two tables, subtract the third, and take the log-mean-exp over the first axis.",
    ),
    minutes=5,
    difficulty=1,
)

# 3 · effective sample size ---------------------------------------------------------------------------------------


def effective_sample_size(log_weights):
    """How many equally weighted draws carry as much: (sum w)^2 / sum w^2 over the first axis, (S, n) -> (n,)."""
    return 1 / log_weights.softmax(0).square().sum(0)


def _raw(log_weights: Tensor, shift: Tensor | float = 0.0) -> Tensor:
    w = (log_weights - shift).exp()
    return w.sum(0).square() / w.square().sum(0)


EFFECTIVE_SAMPLE_SIZE = Exercise(
    effective_sample_size,
    _weights_cases,
    mistakes=(
        Mistake(lambda log_weights: 1 / log_weights.exp().square().sum(0),
                "The weights were **not normalised**: $1 / \\sum w^2$ holds for weights that add up to one. (And "
                "exp(900) is ∞.)"),
        Mistake(_raw,
                "Right on paper, but **exp(900) overflows and exp(−2000) underflows**: 0/0 and ∞/∞ are NaN. The ratio "
                "does not change if each column's largest log-weight is subtracted first; `softmax` does it."),
        Mistake(lambda log_weights: _raw(log_weights, log_weights.max()),
                "You subtracted **one maximum for the whole table**: the column near −2000 still underflows to 0/0."),
        Mistake(lambda log_weights: log_weights.softmax(0).square().sum(0),
                "**Upside down**: this is $1/\\mathrm{ESS}$, between $1/S$ and 1."),
        Mistake(lambda log_weights: 1 / log_weights.softmax(0).square().sum(0) / len(log_weights),
                "This is the **share** $\\mathrm{ESS}/S$; the number of draws is asked for."),
        Mistake(lambda log_weights: 1 / log_weights.softmax(0).square().mean(0),
                "A **mean in place of a sum** under the fraction: this is $S$ times too large, and can exceed $S$."),
        Mistake(lambda log_weights: 1 / log_weights.softmax(-1).square().sum(-1),
                "Normalised over the **wrong axis**: the draws are the first one."),
        Mistake(lambda log_weights: 2 * log_weights.logsumexp(0) - (2 * log_weights).logsumexp(0),
                "This is the **log of the effective sample size**: take its exponential."),
        Mistake(lambda log_weights: 1 / log_weights.softmax(0).max(0).values,
                "This is one over the **largest share**: another measure of the same thing, in which only one draw "
                "counts."),
        Mistake(lambda log_weights: torch.special.entr(log_weights.softmax(0)).sum(0).exp(),
                "This is the **exponential of the entropy** of the shares: a fine measure, but not the one asked for, "
                "which sums squares."),
        Mistake(lambda log_weights: log_weights.sum(0).square() / log_weights.square().sum(0),
                "You used the **logs as weights**: exponentiate (safely) first."),
        Mistake(lambda log_weights: log_weights.softmax(0).sum(0).square(),
                "The **squares come after the sum**: normalised weights add up to one, so this is always one."),
    ),
    hints=(
        "Let the shares be $v_s = w_s / \\sum_t w_t$. What is $(\\sum w)^2 / \\sum w^2$ in terms of $v$?",
        "The shares are `log_weights.softmax(0)`; the answer is one over the sum of their squares.",
    ),
    minutes=4,
    difficulty=1,
)

check = Checks(
    "11", LOG_MEAN_EXP, IMPORTANCE_LOG_EVIDENCE, EFFECTIVE_SAMPLE_SIZE, CONFIDENT_AND_WRONG, ANNEALING_LOG_WEIGHTS
)
