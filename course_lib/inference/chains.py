"""Markov chains that settle on a given density: endless processes, many chains at once.

A chain has no end of its own: who draws from it says when it is enough, with `collect`, `islice` or `break`.
A `log_density` is a function of z (chains, ..., d) that gives (chains, ...), known up to a constant: the last axis
is the latent variable's, each leading index is a chain of its own.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..errors import NumericalError, require_finite, require_positive
from ..rng import randn, uniform
from .adaptation import WarmUp
from .leapfrog import Point, evaluate
from .moves import LogDensity, Move, hamiltonian_step, langevin_step, metropolis_step, uphill

DIVERGENT = 1000.0  # nats of energy error: the leapfrog has lost its way
SAFE = 50  # steps between two looks at whether an uncorrected chain is finite: a look makes the device wait


class Draw(NamedTuple):
    """One step of every chain. What `collect` returns has one more axis in front, that of the draws.

    Shapes:     z (chains, ..., d); log_density, accepted and energy_error (chains, ...); step_size, of each target.
    Units:      energy_error, minus the log of the Metropolis ratio, in nats; NaN where there is no ratio.
    """

    z: Tensor
    log_density: Tensor
    accepted: Tensor
    energy_error: Tensor
    step_size: Tensor
    warming: bool = False

    @property
    def acceptance(self) -> Tensor:
        """The probability with which the proposal was accepted, min(1, exp(-energy_error))."""
        return (-self.energy_error).exp().clamp_max(1)

    @property
    def divergent(self) -> Tensor:
        """Whether the energy error is so large that the leapfrog has lost its way."""
        return self.energy_error > DIVERGENT


def metropolis(log_density: LogDensity, start: Tensor, generator: Generator, *, step_size: float) -> Iterator[Draw]:
    r"""A random walk, turned back as often as makes the density stationary. Needs no gradient.

    .. math:: z' = z + \epsilon \xi, \quad \xi \sim \mathcal{N}(0, I), \qquad
              a = \min\Big(1, \frac{\pi(z')}{\pi(z)}\Big)

    Shapes:     start (chains, ..., d).
    Units:      step_size in the units of z.
    Raises:     ValueError for a bad argument, or a start where the log-density is not finite.
    Reference:  Metropolis et al., Equation of state calculations by fast computing machines, Journal of Chemical
                Physics 21 (1953).
    """
    require_positive("step_size", step_size)
    point = _begin(log_density, start)
    while True:
        move = metropolis_step(log_density, point, generator, step_size)
        point = move.point
        yield _draw(move, step_size)


def langevin(
    log_density: LogDensity, start: Tensor, generator: Generator, *, step_size: float, adjusted: bool = True
) -> Iterator[Draw]:
    r"""A walk uphill with noise: the Metropolis-adjusted Langevin algorithm, or the unadjusted one.

    .. math:: z' = z + \tfrac{\epsilon^2}{2} \nabla \log \pi(z) + \epsilon \xi, \qquad
              a = \min\Big(1, \frac{\pi(z') \, q(z \mid z')}{\pi(z) \, q(z' \mid z)}\Big)

    With adjusted=False every proposal is taken (this is `stochastic_gradient_langevin` on all data), and the
    stationary distribution is off by O(step_size^2).

    Shapes:     start (chains, ..., d).
    Units:      step_size in the units of z. It is the leapfrog's: `hamiltonian` with one step, jitter 0, is this chain.
    Raises:     ValueError as `metropolis`; NumericalError as `stochastic_gradient_langevin`, if not adjusted.
    Reference:  Roberts and Tweedie, Exponential convergence of Langevin distributions and their discrete
                approximations, Bernoulli 2 (1996).
    """
    require_positive("step_size", step_size)
    if not adjusted:
        yield from stochastic_gradient_langevin(lambda z, _: log_density(z), start, generator, step_size=step_size)
        return
    point = evaluate(log_density, _begin(log_density, start).z)
    while True:
        move = langevin_step(log_density, point, generator, step_size)
        point = move.point
        yield _draw(move, step_size)


def stochastic_gradient_langevin(
    log_density: Callable[[Tensor, Generator], Tensor],
    start: Tensor,
    generator: Generator,
    *,
    step_size: float | Callable[[int], float],
) -> Iterator[Draw]:
    r"""The unadjusted Langevin algorithm with a guess for the gradient, each from a fresh minibatch.

    .. math:: z' = z + \tfrac{\epsilon_t^2}{2} \widehat{\nabla \log \pi}(z) + \epsilon_t \xi

    `log_density(z, generator)` draws the minibatch and is unbiased: the log-prior plus n / |M| times the minibatch's
    log-likelihood. A constant step leaves a bias of O(step_size^2), to which the gradient's noise adds; steps
    `step_size(t)`, t = 1, 2, ..., whose squares shrink to 0 but add up to infinity, leave none in the limit.

    Shapes:     start (chains, ..., d). In a Draw, log_density is the guess at the place that the step left.
    Units:      step_size in the units of z: its square is the paper's epsilon_t.
    Raises:     ValueError as `metropolis`; NumericalError if a chain has left the finite numbers, which is seen at
                every fiftieth step, and by `collect` at its end.
    Reference:  Welling and Teh, Bayesian learning via stochastic gradient Langevin dynamics, ICML (2011).
    """
    def guess(z: Tensor) -> Tensor:
        return log_density(z, generator)

    z = _begin(guess, start).z
    for index in count(1):
        size = step_size(index) if callable(step_size) else step_size
        require_positive("step_size", size)
        left = evaluate(guess, z)
        z = uphill(left, size) + size * randn(z.shape, generator, z)
        if index % SAFE == 0:
            _require_bounded(z, f"Step {index}")
        unknown = torch.full_like(left.log_density, torch.nan)
        yield _draw(Move(left._replace(z=z), unknown.isnan(), unknown), size)


def hamiltonian(
    log_density: LogDensity,
    start: Tensor,
    generator: Generator,
    *,
    step_size: float,
    leapfrog_steps: int,
    warm_up: int = 0,
    target: float = 0.8,
    jitter: float = 0.2,
) -> Iterator[Draw]:
    r"""Hamiltonian Monte Carlo: give z a random momentum, follow the leapfrog, accept or turn back.

    .. math:: p \sim \mathcal{N}(0, M), \qquad (z', p') = \mathrm{leapfrog}(z, p), \qquad
              a = \min\big(1, e^{H(z, p) - H(z', p')}\big), \quad
              H(z, p) = -\log \pi(z) + \tfrac12 p^\top M^{-1} p

    The first `warm_up` draws, marked `warming`, adapt the step size to an acceptance of `target` and M^-1 to the
    variances (see `WarmUp`); then both stay fixed, for only so is the density stationary. Each step size is
    multiplied by a fresh number from 1 - jitter to 1 + jitter, lest a trajectory close on itself. Draws that are
    `divergent` mean places for which the steps are too long, and which the chain hardly visits: raise `target`.

    Shapes:     start (chains, ..., d); chains along the first axis share step size and M.
    Units:      step_size in the units of z, without warm-up; with it, a place to begin.
    Raises:     ValueError as `metropolis`.
    Cost:       `leapfrog_steps` gradients a draw.
    Reference:  Neal, MCMC using Hamiltonian dynamics, Handbook of Markov Chain Monte Carlo (2011).
    """
    _require_hamiltonian(step_size, leapfrog_steps, warm_up, target, jitter)
    point = evaluate(log_density, _begin(log_density, start).z)
    learnt = WarmUp(point.z, step_size, warm_up, target)
    for index in count(1):
        spread = 1 + jitter * (2 * uniform((*start.shape[:-1], 1), generator, start) - 1)  # (chains, ..., 1)
        size = learnt.step_size
        move = hamiltonian_step(log_density, point, generator, size * spread, leapfrog_steps, learnt.inverse_mass)
        point = move.point
        draw = _draw(move, size[..., 0])._replace(warming=index <= warm_up)
        learnt.update(draw.z, draw.acceptance)
        yield draw


def collect(process: Iterable[Draw], draws: int) -> Draw:
    """The next `draws` draws after the warm-up, in one Draw of tensors (draws, chains, ...).

    An interrupt keeps what was drawn. A process that was not interrupted goes on where it stood, if asked again.

    Raises:     ValueError if there is no draw; NumericalError if a chain has left the finite numbers.
    """
    require_positive("draws", draws, whole=True)
    table, kept = None, 0
    try:
        for draw in process:
            if not draw.warming:
                table = table or [part.new_empty((draws, *part.shape)) for part in draw[:-1]]  # once: no fragments
                for column, part in zip(table, draw):
                    column[kept] = part
                kept += 1
            if kept == draws:
                break
    except KeyboardInterrupt:
        if not kept:
            raise
        print(f"Interrupted: {kept} of {draws} draws are kept.")
    if not kept:
        raise ValueError("`process` must yield at least one draw after its warm-up; got none.")
    _require_bounded(table[0][kept - 1], f"Draw {kept}")
    return Draw(*(column[:kept] for column in table))


def _draw(move: Move, step_size: float | Tensor) -> Draw:
    point = move.point
    size = torch.as_tensor(step_size, dtype=point.z.dtype)
    return Draw(point.z, point.log_density, move.accepted, move.energy_error, size)


@torch.no_grad()
def _begin(log_density: LogDensity, start: Tensor) -> Point:
    """The point where the chains start, if they can start there."""
    if not isinstance(start, Tensor) or start.ndim < 2 or not start.is_floating_point() or not start.numel():
        got = f"{start.dtype} {tuple(start.shape)}" if isinstance(start, Tensor) else type(start).__name__
        raise ValueError(f"`start` must hold floating-point numbers in the shape (chains, ..., d); got {got}.")
    require_finite("start", start)
    value = log_density(start)
    if value.shape != start.shape[:-1]:
        raise ValueError(f"`log_density` must give shape {tuple(start.shape[:-1])} for z of shape "
                         f"{tuple(start.shape)}, one value a chain; got {tuple(value.shape)}.")
    if not value.isfinite().all():
        chain = tuple((~value.isfinite()).nonzero()[0].tolist())
        raise ValueError(f"`start` must have a finite log-density; got {value[chain].item()} for chain {chain}.")
    return Point(start.detach(), value)


def _require_hamiltonian(step_size: float, leapfrog_steps: int, warm_up: int, target: float, jitter: float) -> None:
    require_positive("step_size", step_size)
    require_positive("leapfrog_steps", leapfrog_steps, whole=True)
    if not isinstance(warm_up, int) or warm_up < 0:
        raise ValueError(f"`warm_up` must be a whole number >= 0; got {warm_up!r}.")
    if not 0 < target < 1:
        raise ValueError(f"`target` must be between 0 and 1; got {target!r}.")
    if not 0 <= jitter < 1:
        raise ValueError(f"`jitter` must be at least 0 and below 1; got {jitter!r}.")


def _require_bounded(z: Tensor, when: str) -> None:
    if not z.isfinite().all():
        raise NumericalError(
            f"{when}: chain {tuple((~z.isfinite()).nonzero()[0, :-1].tolist())} is not finite any more. Likely "
            "cause: the step is so large that each one overshoots. Remedy: a smaller `step_size`, or `adjusted` chains."
        )
