"""One step of a Markov chain: a proposal, and the ratio that decides whether the chain goes there."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..rng import randn, uniform
from .leapfrog import Point, evaluate, leapfrog

LogDensity = Callable[[Tensor], Tensor]


class Move(NamedTuple):
    """Where a step leads, and for each chain (chains, ...) whether that is a new place, and the energy error.

    Units:      energy_error, minus the log of the Metropolis ratio, in nats; infinite where that is NaN.
    """

    point: Point
    accepted: Tensor
    energy_error: Tensor


@torch.no_grad()
def metropolis_step(log_density: LogDensity, current: Point, generator: Generator, step_size: float) -> Move:
    """A step of a random walk: the proposal is as likely there and back, so it cancels in the ratio."""
    z = current.z + step_size * randn(current.z.shape, generator, current.z)
    proposal = Point(z, log_density(z))
    return accept(current, proposal, proposal.log_density - current.log_density, generator)


@torch.no_grad()
def langevin_step(log_density: LogDensity, current: Point, generator: Generator, step_size: float) -> Move:
    """A step uphill with noise, from an `evaluate`d point: way there and way back are not equally likely."""
    noise = randn(current.z.shape, generator, current.z)
    proposal = evaluate(log_density, uphill(current, step_size) + step_size * noise)
    there = _proposal_log_prob(current, proposal, step_size)
    back = _proposal_log_prob(proposal, current, step_size)
    return accept(current, proposal, proposal.log_density + back - current.log_density - there, generator)


@torch.no_grad()
def hamiltonian_step(
    log_density: LogDensity,
    current: Point,
    generator: Generator,
    step_size: float | Tensor,
    leapfrog_steps: int,
    inverse_mass: float | Tensor = 1.0,
) -> Move:
    """A new momentum, then the leapfrog from an `evaluate`d point; the ratio compares the energies.

    Shapes:     step_size and inverse_mass, the diagonal of M^-1, broadcast against z (chains, ..., d).
    """
    noise = randn(current.z.shape, generator, current.z)
    momentum = noise * inverse_mass**-0.5
    proposal, last = leapfrog(log_density, current, momentum, step_size, leapfrog_steps, inverse_mass)
    before = current.log_density - _kinetic_energy(momentum, inverse_mass)
    after = proposal.log_density - _kinetic_energy(last, inverse_mass)
    return accept(current, proposal, after - before, generator)


def accept(current: Point, proposal: Point, log_ratio: Tensor, generator: Generator) -> Move:
    """Go to `proposal` with probability min(1, exp(log_ratio)), chain by chain; never if the ratio is NaN."""
    accepted = uniform(log_ratio.shape, generator, log_ratio).log() < log_ratio  # (chains, ...)
    rows = accepted[..., None]
    point = Point(
        torch.where(rows, proposal.z, current.z),
        torch.where(accepted, proposal.log_density, current.log_density),
        None if proposal.gradient is None else torch.where(rows, proposal.gradient, current.gradient),
    )
    return Move(point, accepted, torch.where(log_ratio.isnan(), torch.inf, -log_ratio))


def uphill(point: Point, step_size: float) -> Tensor:
    """Where a Langevin step leads on average: z + step_size^2 / 2 times the gradient."""
    return point.z + 0.5 * step_size**2 * point.gradient


def _proposal_log_prob(start: Point, end: Point, step_size: float) -> Tensor:
    """log q(end | start) of a Langevin step, up to a constant."""
    return -0.5 * ((end.z - uphill(start, step_size)) / step_size).square().sum(-1)


def _kinetic_energy(momentum: Tensor, inverse_mass: float | Tensor) -> Tensor:
    return 0.5 * (inverse_mass * momentum.square()).sum(-1)
