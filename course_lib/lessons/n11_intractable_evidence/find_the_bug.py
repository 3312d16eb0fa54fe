"""The find-the-bug lab of lesson 11: annealing that weighs a place after moving there."""

import math

import torch
from torch import Generator, Tensor

from ... import rng
from ...classroom import Exercise, Mistake
from ...inference.annealing import annealed_importance_sampling
from . import boat


def annealing_log_weights(log_likelihoods, temperatures):
    """log w of each chain, (S,), from log p(x | z_t) after each of T moves, (T + 1, S), and temperatures (T + 1,)."""
    return (temperatures.diff()[:, None] * log_likelihoods[:-1]).sum(0)


def colleagues_log_weights(log_likelihoods: Tensor, temperatures: Tensor) -> Tensor:
    """The planted fault: the step to a temperature is weighed at the place that was reached *there*."""
    return (temperatures.diff()[:, None] * log_likelihoods[1:]).sum(0)


def recorded(temperatures: Tensor, chains: int, generator: Generator) -> Tensor:
    """Anneal the boat's chains with the library and keep log p(x | z_t) at every temperature: (T + 1, chains)."""
    start = rng.randn((chains, 1), generator, temperatures)
    rows = [boat.log_likelihood(start)]
    for step in annealed_importance_sampling(
        boat.log_prior, boat.log_joint, start, generator, temperatures=temperatures, step_size=0.15
    ):
        rows.append(boat.log_likelihood(step.z))
    return torch.stack(rows)


def _cases():
    g = rng.seeded(3)
    for steps, chains in ((4, 3), (6, 2)):
        rise = torch.rand(steps, generator=g).cumsum(0)
        yield 5 * torch.randn(steps + 1, chains, generator=g), torch.cat([torch.zeros(1), rise / rise[-1]])


ANNEALING_LOG_WEIGHTS = Exercise(
    annealing_log_weights,
    _cases,
    mistakes=(
        Mistake(colleagues_log_weights,
                "That is **still the planted fault**: each step of the temperature is weighed at the place *after* the "
                "move, which already knows that temperature. Weigh first, at $z_{t-1}$; then move."),
        Mistake(lambda ll, beta: (beta.diff()[:, None] * 0.5 * (ll[1:] + ll[:-1])).sum(0),
                "The **trapezium rule** is thermodynamic integration: near the truth in the mean of the logs, but the "
                "average of *these* weights is not $p(x)$. Weigh at $z_{t-1}$ alone."),
        Mistake(lambda ll, beta: (beta[1:, None] * ll[:-1]).sum(0),
                "You multiplied by the **temperature itself**, not by its step $\\beta_t - \\beta_{t-1}$."),
        Mistake(lambda ll, beta: (beta[:-1, None] * ll[:-1]).sum(0),
                "You multiplied by the **temperature before the step**, not by the step $\\beta_t - \\beta_{t-1}$."),
        Mistake(lambda ll, beta: -(beta.diff()[:, None] * ll[:-1]).sum(0),
                "The **sign is turned**: the new density stands above the old one."),
        Mistake(lambda ll, beta: (beta.diff()[:, None] * ll[:-1]).mean(0),
                "A **mean in place of a sum** over the steps: the ratios are multiplied, so their logs add up."),
        Mistake(lambda ll, beta: ll[:-1].sum(0),
                "The **temperatures are missing**: each step weighs with $\\beta_t - \\beta_{t-1}$ only."),
        Mistake(lambda ll, beta: (beta.diff()[:, None] * ll.diff(dim=0)).sum(0),
                "You took the **change of the log-likelihood**: only the temperature steps; the place stays "
                "$z_{t-1}$ while you weigh."),
        Mistake(lambda ll, beta: ll[0],
                "This is **naive Monte Carlo**, annealing with a single step: the later places count too."),
        Mistake(lambda ll, beta: ll[-1],
                "This is the **likelihood at the end**, which the chains have been led to. (Did you take each new "
                "density at the new place? That sum collapses to this one term.) Take both densities at $z_{t-1}$."),
        Mistake(lambda ll, beta: (beta.diff()[:, None] * ll[:-1]).sum(0).logsumexp(0) - math.log(ll.shape[1]),
                "This is the **log of the average weight**: one log-weight a chain is asked for, shape (S,)."),
        Mistake(lambda ll, beta: (beta.diff()[:, None] * ll[:-1]).sum(0).exp(),
                "These are the **weights**; their logs are asked for."),
    ),
    hints=(
        "Step $t$ replaces $f_{\\beta_{t-1}}$ by $f_{\\beta_t}$ *at one place*. Which places are draws from the older "
        "one?",
        "`temperatures.diff()` holds the T steps; pair them with all rows of `log_likelihoods` but the last.",
    ),
    minutes=7,
    difficulty=2,
)
