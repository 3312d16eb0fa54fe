"""Hamilton's equations in small steps, driven by the gradient of a log-density."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Point(NamedTuple):
    """A place and what is known there: z (..., d), log_density (...), gradient (..., d), if it was asked for."""

    z: Tensor
    log_density: Tensor
    gradient: Tensor | None = None


def evaluate(log_density: Callable[[Tensor], Tensor], z: Tensor) -> Point:
    """The log-density at `z` (..., d) and its gradient, by autograd of the sum: no chain feels another."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        value = log_density(z)  # (...)
        (gradient,) = torch.autograd.grad(value.sum(), z)
    return Point(z.detach(), value.detach(), gradient)


def leapfrog(
    log_density: Callable[[Tensor], Tensor],
    point: Point,
    momentum: Tensor,
    step_size: float | Tensor,
    steps: int,
    inverse_mass: float | Tensor = 1.0,
) -> tuple[Point, Tensor]:
    r"""Follow Hamilton's equations for `steps` steps: half a kick, then drifts and kicks in turn, half a kick.

    .. math:: p \leftarrow p + \tfrac{\epsilon}{2} \nabla \log \pi(z), \qquad
              z \leftarrow z + \epsilon M^{-1} p, \qquad p \leftarrow p + \tfrac{\epsilon}{2} \nabla \log \pi(z)

    The map keeps volumes and is its own inverse once the momentum is turned round; the energy
    :math:`-\log \pi(z) + \tfrac12 p^\top M^{-1} p` is kept up to :math:`O(\epsilon^2)`.

    Shapes:     momentum like point.z (..., d); step_size and inverse_mass (the diagonal of the inverse of M)
                broadcast against it. Returns the last point and the last momentum.
    Cost:       `steps` gradients: that of `point` is known, that of the last point is returned.
    Reference:  Neal, MCMC using Hamiltonian dynamics, Handbook of Markov Chain Monte Carlo (2011).
    """
    drift = step_size * inverse_mass
    momentum = momentum + 0.5 * step_size * point.gradient
    for step in range(1, steps + 1):
        point = evaluate(log_density, point.z + drift * momentum)
        momentum = momentum + (step_size if step < steps else 0.5 * step_size) * point.gradient
    return point, momentum
