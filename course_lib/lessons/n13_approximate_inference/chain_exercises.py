"""The exercises of lesson 13 on chains: one Metropolis step, one leapfrog step."""

import torch
from torch import Tensor

from ... import rng
from ...classroom import Exercise, Mistake

# 4 · a Metropolis step --------------------------------------------------------------------------------------------


def metropolis(z, proposal, log_prior, log_likelihood, u):
    """Where each chain stands after the step: z, proposal (chains, d), u on [0, 1), (chains,) -> (chains, d)."""
    log_ratio = log_prior(proposal) + log_likelihood(proposal) - log_prior(z) - log_likelihood(z)
    return torch.where((u.log() < log_ratio)[:, None], proposal, z)


def _log_prior(z):
    return -0.5 * z.square().sum(-1)


def _log_likelihood(z):
    return -2.0 * (z - 0.7).square().sum(-1)


def _far_log_likelihood(z):
    return -2.0 * (z - 0.7).square().sum(-1) - 2000.0


def _metropolis_cases():
    g = rng.seeded(4)
    for likelihood, chains in ((_log_likelihood, 60), (_far_log_likelihood, 40)):
        z = torch.randn(chains, 2, generator=g)
        yield z, z + 0.8 * torch.randn(chains, 2, generator=g), _log_prior, likelihood, torch.rand(chains, generator=g)


def _moved(accepted):
    """A wrong step with its own rule: `accepted(log-ratio of the joint, of the likelihood, of the prior, u)`."""

    def wrong(z, proposal, log_prior, log_likelihood, u):
        likelihood = log_likelihood(proposal) - log_likelihood(z)
        prior = log_prior(proposal) - log_prior(z)
        return torch.where(accepted(prior + likelihood, likelihood, prior, u)[:, None], proposal, z)

    return wrong


def _forgets(z, proposal, log_prior, log_likelihood, u):
    log_ratio = log_prior(proposal) + log_likelihood(proposal) - log_prior(z) - log_likelihood(z)
    return proposal[u.log() < log_ratio]


def _underflows(z, proposal, log_prior, log_likelihood, u):
    ratio = (log_prior(proposal) + log_likelihood(proposal)).exp() / (log_prior(z) + log_likelihood(z)).exp()
    return torch.where((u < ratio)[:, None], proposal, z)


def _ratio_of_logs(z, proposal, log_prior, log_likelihood, u):
    ratio = (log_prior(proposal) + log_likelihood(proposal)) / (log_prior(z) + log_likelihood(z))
    return torch.where((u < ratio)[:, None], proposal, z)


METROPOLIS = Exercise(
    metropolis,
    _metropolis_cases,
    mistakes=(
        Mistake(_moved(lambda joint, likelihood, prior, u: u.log() < -joint),
                "The **ratio is upside down**: the new place stands in the numerator. Yours prefers to go *down*."),
        Mistake(_moved(lambda joint, likelihood, prior, u: u.log() < likelihood),
                "The **prior is missing** in the ratio: the chain will settle on the normalised likelihood."),
        Mistake(_moved(lambda joint, likelihood, prior, u: u.log() < prior),
                "The **likelihood is missing** in the ratio: the chain will settle on the prior, and learn nothing "
                "from $x$."),
        Mistake(_moved(lambda joint, likelihood, prior, u: joint > 0),
                "You accept **only what is higher**: that is hill climbing. It ends at the mode; a sampler must go "
                "down sometimes, with probability $\\pi(z') / \\pi(z)$."),
        Mistake(_moved(lambda joint, likelihood, prior, u: u < joint),
                "You compare $u$ with the **log** of the ratio: take `u.log()`, or the exponential of the other side."),
        Mistake(_forgets,
                "You **dropped the chains that were rejected**. A rejected chain stays where it is, and its old place "
                "counts once more: that is what makes likely places frequent."),
        Mistake(_underflows,
                "Right where the numbers are moderate, but $e^{-2000}$ is 0 in floating point, and **0 / 0** is no "
                "ratio: subtract the logs first."),
        Mistake(_ratio_of_logs,
                "You **divided logs**: the log of a ratio is the *difference* of the logs."),
        Mistake(lambda z, proposal, log_prior, log_likelihood, u: proposal,
                "You accept **everything**: that is a random walk, and it settles nowhere. An acceptance rate of 100 % "
                "is a bad sign."),
        Mistake(lambda z, proposal, log_prior, log_likelihood, u: z,
                "You accept **nothing**: no chain ever moves."),
        Mistake(_moved(lambda joint, likelihood, prior, u: u.log() >= joint),
                "**Accepted and rejected are exchanged**: go where $\\log u < \\log$ ratio, stay elsewhere."),
    ),
    hints=(
        "The log of the ratio is log-joint at the proposal minus log-joint at $z$, one number a chain. With which "
        "probability is $\\log u$ below it?",
        "`torch.where(accepted[:, None], proposal, z)` moves the accepted chains and lets the others stand.",
    ),
    minutes=8,
    difficulty=2,
)

# 5 · a leapfrog step ----------------------------------------------------------------------------------------------


def leapfrog_step(z, momentum, gradient, step_size):
    """Half a kick, a drift, half a kick with the *new* gradient: z, momentum (chains, d) -> the same two."""
    momentum = momentum + 0.5 * step_size * gradient(z)
    z = z + step_size * momentum
    return z, momentum + 0.5 * step_size * gradient(z)


def _bent_gradient(z: Tensor) -> Tensor:
    return -z - 0.5 * z.pow(3)


def _leapfrog_cases():
    g = rng.seeded(5)
    for step_size in (0.3, 0.7):
        yield torch.randn(5, 2, generator=g), torch.randn(5, 2, generator=g), _bent_gradient, step_size


def _leap(first=0.5, sign=1, last=0.5, drift=1.0, stale=False):
    def wrong(z, momentum, gradient, step_size):
        kick = gradient(z)
        momentum = momentum + sign * first * step_size * kick
        z = z + drift * step_size * momentum
        return z, momentum + sign * last * step_size * (kick if stale else gradient(z))

    return wrong


def _second(z, momentum, gradient, step_size):
    """The drift is made with the old momentum, though the first kick has been made."""
    kicked, there = momentum + 0.5 * step_size * gradient(z), z + step_size * momentum
    return there, kicked + 0.5 * step_size * gradient(there)


def _drifts_first(z, momentum, gradient, step_size):
    z = z + 0.5 * step_size * momentum
    momentum = momentum + step_size * gradient(z)
    return z + 0.5 * step_size * momentum, momentum


def _euler(z, momentum, gradient, step_size):
    return z + step_size * momentum, momentum + step_size * gradient(z)


LEAPFROG_STEP = Exercise(
    leapfrog_step,
    _leapfrog_cases,
    mistakes=(
        Mistake(_leap(first=1.0),
                "Your **first kick is a whole one**: half before the drift, half after it, so that the way back is the "
                "same way."),
        Mistake(_leap(last=0.0), "The **last half kick is missing**: the momentum lags half a step behind $z$."),
        Mistake(_leap(first=1.0, last=0.0),
                "One whole kick and a drift: **the last half kick** belongs *after* the drift, with the gradient "
                "there. (Yours keeps volumes, but it is not its own inverse.)"),
        Mistake(_leap(last=1.0), "Your **last kick is a whole one**: half before the drift, half after it."),
        Mistake(_leap(sign=-1),
                "The **sign** of the kicks: `gradient` is that of $\\log \\pi$, which pulls *uphill*: the potential is "
                "$-\\log \\pi$, and the force is minus *its* gradient."),
        Mistake(_leap(stale=True),
                "The second half kick used the **old gradient**: take it at the new $z$. Else the way back "
                "is another."),
        Mistake(_leap(drift=0.5), "**Half a drift**: only the kicks are halved; $z$ moves by the whole step."),
        Mistake(_leap(first=1.0, last=1.0),
                "**Both kicks are whole ones**: in one step the momentum is kicked twice as much as it should be."),
        Mistake(_second,
                "Your drift uses the **old momentum**: move $z$ with the momentum that has had its first half kick."),
        Mistake(_drifts_first,
                "You **drift, kick and drift**: a sound step too, but asked for is half a kick, a drift, half a kick."),
        Mistake(_euler,
                "This is **Euler's step**: both are moved from the old place. The energy grows without end; split the "
                "kick in two halves around the drift."),
        Mistake(lambda z, p, gradient, h: leapfrog_step(z, p, gradient, h)[::-1],
                "The right numbers in **another order**: return `(z, momentum)`."),
        Mistake(lambda z, p, gradient, h: (leapfrog_step(z, p, gradient, h)[0], -leapfrog_step(z, p, gradient, h)[1]),
                "You **turned the momentum round**: that proves reversibility, but is no part of the step."),
    ),
    hints=(
        "Three lines: kick, drift, kick. Which of them take half of `step_size`?",
        "`gradient` is called twice: once at the old `z`, once at the new one.",
    ),
    returns=("z", "momentum"),
    minutes=6,
    difficulty=2,
)
