"""The exercises of lesson 14: reference, wrong answers by name, hints."""

import math

import torch
from torch import Tensor

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from ...inference import oracle
from . import two_weights
from .reverse import UNSETTLING_PATIENT
from .step import SGLD_STEP

# 1 · the posterior on a grid --------------------------------------------------------------------------------------


def grid_posterior(points, x, y, prior_scale, cell):
    """The masses p(w_j | D), (m,), and log p(D) from points (m, D), x (n, D), y (n,) and the size of a cell."""
    prior = torch.distributions.Normal(0.0, prior_scale).log_prob(points).sum(-1)  # (m,)
    logits = points @ x.mT  # (m, n)
    log_joint = prior + torch.distributions.Bernoulli(logits=logits).log_prob(y.expand_as(logits)).sum(-1)
    log_masses = log_joint + torch.as_tensor(cell).log()
    return log_masses.softmax(0), log_masses.logsumexp(0)


def _grid_cases():
    x, y = two_weights.patients()
    for size, scale, cells in ((8, 2.0, 30), (20, 0.7, 25)):
        points, log_weights = oracle.grid(-4 * scale, 4 * scale, cells, 2)
        yield points, x[:size], y[:size], scale, log_weights[0].exp().item()


def _grid_with(joint=None, finish=None):
    """A wrong posterior: another log-joint made of (prior, table of log-likelihoods (m, n)), or another ending."""

    def wrong(points, x, y, prior_scale, cell):
        logits = points @ x.mT
        prior = torch.distributions.Normal(0.0, prior_scale).log_prob(points).sum(-1)
        table = torch.distributions.Bernoulli(logits=logits).log_prob(y.expand_as(logits))
        values = joint(prior, table, points, prior_scale, logits, y) if joint else prior + table.sum(-1)
        return (finish or _right_ending)(values, math.log(cell))

    return wrong


def _right_ending(values: Tensor, log_cell: float):
    return values.softmax(0), (values + log_cell).logsumexp(0)


GRID_POSTERIOR = Exercise(
    grid_posterior,
    _grid_cases,
    mistakes=(
        Mistake(_grid_with(lambda prior, table, *_: table.sum(-1)),
                "The **prior is missing**: this is the likelihood, normalised over the window. It depends on how "
                "large a window you chose; a posterior does not."),
        Mistake(_grid_with(lambda prior, table, *_: prior + table.mean(-1)),
                "A **mean over the patients**: a product of $n$ likelihoods is a *sum* of $n$ logs. With the mean, "
                "a thousand patients would teach no more than one."),
        Mistake(_grid_with(lambda prior, table, w, scale, *_: table.sum(-1) - 0.5 * (w / scale).square().sum(-1)),
                "The masses are right, but $\\log p(\\mathcal{D})$ is not: the **prior is not normalised**. Its "
                "$-D \\log s - \\tfrac D2 \\log 2 \\pi$ cancels in a posterior, not in an evidence."),
        Mistake(_grid_with(lambda prior, table, points, scale, logits, y: prior + (
            y * torch.nn.functional.logsigmoid(logits)).sum(-1)),
                "Only the **patients with $y = 1$** speak: those with $y = 0$ contribute $\\log (1 - p)$."),
        Mistake(_grid_with(lambda prior, table, points, scale, *_: table.sum(-1) + torch.distributions.Normal(
            0.0, scale**0.5).log_prob(points).sum(-1)),
                "`prior_scale` is the prior's **standard deviation, not its variance**: no square root."),
        Mistake(_grid_with(finish=lambda values, log_cell: (values.softmax(0), values.logsumexp(0))),
                "The masses are right, but the evidence **forgot the size of a cell**: an integral is a sum of "
                "heights *times areas*. A finer grid would give you a larger evidence."),
        Mistake(_grid_with(finish=lambda values, log_cell: (
            (values + log_cell).exp(), (values + log_cell).logsumexp(0))),
                "The masses **do not add up to one**: this is the joint. Divide by the evidence."),
        Mistake(_grid_with(finish=lambda values, log_cell: (
            values.softmax(0) / math.exp(log_cell), (values + log_cell).logsumexp(0))),
                "These are **densities, not masses**: what a cell holds is density times area, and adds up to one."),
        Mistake(_grid_with(finish=lambda values, log_cell: (values.softmax(0), (values + log_cell).exp().sum())),
                "The evidence itself, **not its log**."),
        Mistake(_grid_with(finish=lambda values, log_cell: (values.log_softmax(0), (values + log_cell).logsumexp(0))),
                "These are the **logs** of the masses."),
    ),
    hints=(
        "For every point: log prior plus the *sum* over patients of the log-likelihood. Which number turns a height "
        "into a mass?",
        "`torch.distributions.Bernoulli(logits=points @ x.mT).log_prob(y)` is (m, n). Add `log(cell)` before "
        "`logsumexp`; `softmax` gives the masses.",
    ),
    returns=("masses", "log_evidence"),
    minutes=8,
    difficulty=1,
)

# 2 · Laplace's evidence ---------------------------------------------------------------------------------------------


def laplace_log_evidence(log_prior, log_likelihood, hessian):
    """Laplace's log p(D) from log p(w), log p(D | w) and the Hessian (D, D) of their sum, all at the mode."""
    height = log_prior + log_likelihood
    two_pi = torch.tensor(2 * torch.pi, dtype=hessian.dtype)
    return height + 0.5 * len(hessian) * two_pi.log() - 0.5 * torch.logdet(-hessian)


def _laplace_cases():
    g = rng.seeded(2)
    for size, scale in ((3, 1.0), (2, 5.0), (200, 300.0)):
        root = torch.randn(size, size, generator=g, dtype=torch.float64)
        yield torch.tensor(-3.0), torch.tensor(-20.5), -(root @ root.mT + size * torch.eye(size)) * scale / size


def _laplace_with(prior=1.0, two_pi=None, half=0.5, sign=-1.0):
    """A wrong evidence: the weight of the prior, the factor of log 2 pi, and the factor and sign of the log det."""

    def wrong(log_prior, log_likelihood, hessian):
        factor = 0.5 * len(hessian) if two_pi is None else two_pi(len(hessian))
        volume = sign * half * torch.logdet(-hessian)
        return prior * log_prior + log_likelihood + factor * math.log(2 * math.pi) + volume

    return wrong


LAPLACE_LOG_EVIDENCE = Exercise(
    laplace_log_evidence,
    _laplace_cases,
    mistakes=(
        Mistake(_laplace_with(two_pi=lambda size: 0.0),
                "The **$\\tfrac D2 \\log 2 \\pi$ is missing**: a Gaussian of height one holds $(2 \\pi)^{D/2} "
                "\\sqrt{\\det \\Sigma}$."),
        Mistake(_laplace_with(two_pi=lambda size: 0.5),
                "$\\log 2 \\pi$ **once for each dimension**: $\\tfrac D2$ of them, not one half."),
        Mistake(_laplace_with(two_pi=lambda size: -0.5 * size),
                "The **$\\tfrac D2 \\log 2 \\pi$ has the wrong sign**: it belongs to the Gaussian's volume, and "
                "does not divide a density here."),
        Mistake(_laplace_with(sign=1.0),
                "The **log-determinant has the wrong sign**: $-H$ is a precision. A *sharper* peak has a larger "
                "determinant and holds *less* mass. (Did you take it for the covariance?)"),
        Mistake(_laplace_with(half=1.0),
                "The **half is missing** before the log-determinant: a volume is a product of standard deviations, "
                "and $\\det(-H)^{-1/2}$ is that."),
        Mistake(_laplace_with(prior=0.0),
                "The **prior is forgotten** in the joint: the height of the peak is $\\log p(w) + \\log p(\\mathcal{D} "
                "\\mid w)$. Without it no model pays for parameters that its prior found improbable."),
        Mistake(lambda prior, likelihood, hessian: prior + likelihood,
                "This is the **height of the peak** alone. How wide is it? $\\tfrac D2 \\log 2\\pi - \\tfrac12 "
                "\\log \\det(-H)$ is still to come."),
        Mistake(lambda prior, likelihood, hessian: prior + likelihood + 0.5 * len(hessian) * math.log(2 * math.pi)
                - 0.5 * torch.logdet(hessian),
                "At a peak the Hessian is **negative** definite: take $\\log \\det(-H)$. In odd dimensions $\\det H$ "
                "is negative and its log is NaN."),
        Mistake(lambda prior, likelihood, hessian: prior + likelihood + 0.5 * len(hessian) * math.log(2 * math.pi)
                - 0.5 * torch.linalg.det(-hessian).log(),
                "The formula is right, but **the determinant overflows** with 200 weights: `torch.logdet` never forms "
                "it."),
    ),
    hints=(
        "Three parts: the height of the peak, $(2\\pi)^{D/2}$, and the volume of the Gaussian. Is $-H$ its covariance, "
        "or its inverse?",
        "`log_prior + log_likelihood + D / 2 * log(2 * pi) - torch.logdet(-hessian) / 2`, with `D = len(hessian)`.",
    ),
    minutes=6,
    difficulty=1,
)

# 3 · the predictive average -----------------------------------------------------------------------------------------


def predictive(w, x):
    """p(y = 1 | x_i, D), shape (n,), from posterior draws w (S, D) and rows x (n, D)."""
    return (w @ x.mT).sigmoid().mean(0)


def _predictive_cases():
    g = rng.seeded(3)
    yield torch.randn(50, 3, generator=g) * 2 + 1, torch.randn(7, 3, generator=g)
    yield torch.randn(7, 2, generator=g) * 3, torch.randn(7, 2, generator=g)


PREDICTIVE = Exercise(
    predictive,
    _predictive_cases,
    mistakes=(
        Mistake(lambda w, x: (w.mean(0) @ x.mT).sigmoid(),
                "You averaged **the parameters (or the logits, which here is the same)** and then took the sigmoid. "
                "Average the *probabilities*: $\\sigma$ of a mean is not the mean of $\\sigma$, and it is too sure."),
        Mistake(lambda w, x: torch.nn.functional.logsigmoid(w @ x.mT).mean(0).exp(),
                "You averaged **log-probabilities**: a geometric mean. By Jensen it is too small, and those of $y = 1$ "
                "and $y = 0$ do not add up to one."),
        Mistake(lambda w, x: torch.nn.functional.logsigmoid(w @ x.mT).mean(0),
                "A mean of **log-probabilities**: neither a probability nor the log of one."),
        Mistake(lambda w, x: (-w @ x.mT).sigmoid().mean(0),
                "This is the probability of **$y = 0$**: the sign of the logits is turned."),
        Mistake(lambda w, x: (w @ x.mT > 0).to(w).mean(0),
                "You counted **votes**: each draw says yes or no, and how sure it was is lost."),
        Mistake(lambda w, x: (w @ x.mT).sigmoid(),
                "This is **one probability for each draw**, (S, n): average over the draws."),
        Mistake(lambda w, x: (w @ x.mT).sigmoid().mean(-1),
                "Averaged over the **rows of x, not over the draws**: (S,) came, (n,) is asked for."),
        Mistake(lambda w, x: (w @ x.mT).sigmoid().sum(0),
                "A **sum over the draws**: divide by their number."),
        Mistake(lambda w, x: (w @ x.mT).mean(0),
                "These are **mean logits**: the sigmoid is missing, and it belongs *before* the mean."),
        Mistake(lambda w, x: (w @ x.mT).sigmoid().median(0).values,
                "The **median** of the probabilities: the integral over $w$ is a mean."),
    ),
    hints=(
        "One draw of $w$ gives one probability for each row. Which axis holds the draws?",
        "`(w @ x.mT)` is (S, n). First `.sigmoid()`, then `.mean(0)`.",
    ),
    minutes=4,
    difficulty=1,
)

check = Checks("14", GRID_POSTERIOR, LAPLACE_LOG_EVIDENCE, PREDICTIVE, UNSETTLING_PATIENT, SGLD_STEP)
