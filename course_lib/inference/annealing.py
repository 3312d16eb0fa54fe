"""Annealed importance sampling: from the prior to the posterior, or back, in many small steps."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..errors import require_log_density, require_positive, require_values
from .importance import Weighted
from .leapfrog import evaluate
from .moves import LogDensity, hamiltonian_step


class Annealed(NamedTuple):
    """One temperature: its number, from 1, and its value; z (..., d) after the move there, log_weights (...) so far,
    and which chains moved (...).
    """

    index: int
    temperature: float
    z: Tensor
    log_weights: Tensor
    accepted: Tensor

    @property
    def weighted(self) -> Weighted:
        """The chains, which are the first axis, as weighted draws."""
        return Weighted(self.z, self.log_weights)


class Sandwich(NamedTuple):
    """Two estimates of log p(x) (...): `lower` is too small on average, `upper` too large."""

    lower: Tensor
    upper: Tensor


def sigmoid_temperatures(steps: int, steepness: float = 4.0) -> Tensor:
    """`steps` + 1 temperatures from 0 to 1 that are close to each other near both ends, where most happens."""
    require_positive("steps", steps, whole=True)
    require_positive("steepness", steepness)
    curve = torch.linspace(-steepness, steepness, steps + 1).sigmoid()
    return (curve - curve[0]) / (curve[-1] - curve[0])


def annealed_importance_sampling(
    log_prior: LogDensity,
    log_joint: LogDensity,
    start: Tensor,
    generator: Generator,
    *,
    temperatures: Tensor,
    step_size: float | Tensor,
    leapfrog_steps: int = 10,
) -> Iterator[Annealed]:
    r"""Move from the prior to the posterior through the densities between them, and weigh the way.

    .. math:: f_\beta(z) = p(z)\, p(x \mid z)^{\beta}, \qquad
              \log w = \sum_{t=1}^{T} \log \frac{f_{\beta_t}(z_{t-1})}{f_{\beta_{t-1}}(z_{t-1})}
                     = \sum_{t=1}^{T} (\beta_t - \beta_{t-1}) \log p(x \mid z_{t-1})

    and z_t comes from z_{t-1} by a step of Hamiltonian Monte Carlo that leaves :math:`f_{\beta_t}` as it is.
    However badly the chains mix, :math:`\mathbb{E}\, w = p(x)` where `start` is from the prior and `temperatures`
    rise from 0 to 1; and :math:`\mathbb{E}\, w = 1 / p(x)` where `start` is an exact draw from the posterior and
    they fall from 1 to 0. By Jensen, log-weights are on average too small: a lower bound on log p(x) on the way up,
    the negative of an upper bound on the way down (see `sandwich`).

    Shapes:     start (..., d), every leading index a chain of its own; temperatures and, if it is no number, step_size
                (T + 1,). Nothing of the way is kept.
    Units:      log_weights in nats; `step_size` in the units of z: about 0.65 of the moves should be accepted.
    Cost:       T (leapfrog_steps + 1) gradients.
    Raises:     ValueError for an argument that does not fit; NumericalError if a log-density is nan at the start.
    Reference:  Neal, Annealed importance sampling (2001).
    """
    ladder, step_sizes = _ladder(temperatures, step_size)
    require_positive("leapfrog_steps", leapfrog_steps, whole=True)
    _require_start(log_prior, log_joint, start)
    z, log_weights = start.detach(), torch.zeros_like(start[..., 0])
    for index in range(1, len(ladder)):
        beta = ladder[index]
        log_weights = log_weights + (beta - ladder[index - 1]) * _log_likelihood(log_prior, log_joint, z)
        density = _between(log_prior, log_joint, beta)
        move = hamiltonian_step(density, evaluate(density, z), generator, step_sizes[index], leapfrog_steps)
        z = move.point.z
        yield Annealed(index, beta, z, log_weights, move.accepted)


def sandwich(
    log_prior: LogDensity,
    log_joint: LogDensity,
    prior_draws: Tensor,
    posterior_draws: Tensor,
    generator: Generator,
    *,
    temperatures: Tensor,
    step_size: float | Tensor,
    leapfrog_steps: int = 10,
) -> Sandwich:
    r"""Bounds on log p(x) from both sides, by annealing up from the prior and down from the posterior.

    .. math:: \mathbb{E} \log \tfrac{1}{S} \sum_s w_s^{\uparrow} \;\le\; \log p(x) \;\le\;
              -\mathbb{E} \log \tfrac{1}{S} \sum_s w_s^{\downarrow}

    The upper one needs exact draws from the posterior: of data that were simulated, z is one.

    Shapes:     prior_draws, posterior_draws (S, ..., d); lower, upper (...); the rest as in
                `annealed_importance_sampling`, with `temperatures` from 0 to 1.
    Raises:     ValueError as `annealed_importance_sampling`, and if `temperatures` fall.
    Reference:  Grosse, Ghahramani and Adams, Sandwiching the marginal likelihood using bidirectional Monte
                Carlo (2015).
    """
    _ladder(temperatures, step_size)
    if temperatures[0] > 0:
        raise ValueError("`temperatures` must rise from 0 to 1: the way down is made of them; got a fall from 1 to 0.")
    down = step_size.flip(0) if isinstance(step_size, Tensor) and step_size.ndim else step_size
    bounds = []
    for start, path, sizes in ((prior_draws, temperatures, step_size), (posterior_draws, temperatures.flip(0), down)):
        process = annealed_importance_sampling(
            log_prior, log_joint, start, generator, temperatures=path, step_size=sizes, leapfrog_steps=leapfrog_steps
        )
        for step in process:
            last = step
        bounds.append(last.weighted.log_evidence)
    return Sandwich(bounds[0], -bounds[1])


def _ladder(temperatures: Tensor, step_size: float | Tensor) -> tuple[list[float], list[float]]:
    if not isinstance(temperatures, Tensor) or temperatures.ndim != 1:
        got = tuple(temperatures.shape) if isinstance(temperatures, Tensor) else type(temperatures).__name__
        raise ValueError(f"`temperatures` must be a tensor of shape (T + 1,); got {got}.")
    ladder = temperatures.tolist()
    gaps = temperatures.diff()
    if len(ladder) < 2 or sorted((ladder[0], ladder[-1])) != [0, 1] or not ((gaps > 0).all() or (gaps < 0).all()):
        raise ValueError(
            f"`temperatures` must rise from 0 to 1 in every step, or fall from 1 to 0; got {len(ladder)}: "
            f"{', '.join(f'{beta:.6g}' for beta in ladder[:3])}, ..., {ladder[-1]:.6g}."
        )
    step_sizes = torch.as_tensor(step_size)
    if step_sizes.ndim and step_sizes.shape != temperatures.shape:
        want = tuple(temperatures.shape)
        raise ValueError(f"`step_size` must be a number or have shape {want}; got {tuple(step_sizes.shape)}.")
    step_sizes = step_sizes.expand_as(temperatures).tolist()
    for size in step_sizes:
        require_positive("step_size", size)
    return ladder, step_sizes


@torch.no_grad()
def _require_start(log_prior: LogDensity, log_joint: LogDensity, start: Tensor) -> None:
    for name, function in (("log_prior", log_prior), ("log_joint", log_joint)):
        values = function(start)
        require_values(name, values, start)
        require_log_density(name, values)


@torch.no_grad()
def _log_likelihood(log_prior: LogDensity, log_joint: LogDensity, z: Tensor) -> Tensor:
    return log_joint(z) - log_prior(z)


def _between(log_prior: LogDensity, log_joint: LogDensity, beta: float) -> LogDensity:
    return lambda z: (1 - beta) * log_prior(z) + beta * log_joint(z)
