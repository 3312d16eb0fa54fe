"""The experiments of lesson 13: a planted fault and its test, one digit after another, chains in two modes."""

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from tqdm.auto import tqdm

from ...inference.approximation import GaussianApproximation
from ...inference.chains import collect, hamiltonian
from ...inference.leapfrog import Point, evaluate
from ...inference.moves import LogDensity, Move, accept
from ...inference.variational import variational
from ...models import DeepLatentVariableModel
from ...rng import randn, seeded
from .banana import Banana
from .truth import Posterior

Step = Callable[[LogDensity, Point, Generator, float], Move]

# The find-the-bug lab ------------------------------------------------------------------------------------------------


def langevin_with(walk: int, ratio: int) -> Step:
    """A step of adjusted Langevin whose gradient has the sign `walk` in the proposal, `ratio` in the Metropolis ratio.

    (1, 1) is right. The log-density itself is right in all of them.
    """

    def mean(point: Point, step_size: float, sign: int) -> Tensor:
        return point.z + sign * 0.5 * step_size**2 * point.gradient

    def step(log_density: LogDensity, current: Point, generator: Generator, step_size: float) -> Move:
        noise = randn(current.z.shape, generator, current.z)
        proposal = evaluate(log_density, mean(current, step_size, walk) + step_size * noise)
        there = -0.5 * ((proposal.z - mean(current, step_size, ratio)) / step_size).square().sum(-1)
        back = -0.5 * ((current.z - mean(proposal, step_size, ratio)) / step_size).square().sum(-1)
        return accept(current, proposal, proposal.log_density + back - current.log_density - there, generator)

    return step


class Inspection(NamedTuple):
    """What the tests say of a sampler: its acceptance rate, and the z-score of its flows' imbalance."""

    acceptance: float
    imbalance: float


def inspect(step: Step, step_size: float, seed: int, *, chains: int = 20_000) -> Inspection:
    r"""One step from exact draws: under detailed balance as many chains go from cell i to cell j as back.

    .. math:: \chi^2 = \sum_{i < j} \frac{(n_{ij} - n_{ji})^2}{n_{ij} + n_{ji}}, \qquad
              z = \frac{\chi^2 - f}{\sqrt{2 f}}

    over the f pairs of cells between which at least ten chains went.
    """
    target, generator = Banana(), seeded(seed)
    start = evaluate(target.log_density, target.sample(chains, generator))
    move = step(target.log_density, start, generator, step_size)
    number = 16
    pair = number * target.cell(start.z) + target.cell(move.point.z)
    flow = torch.bincount(pair, minlength=number**2).reshape(number, number).double()
    both, net = (flow + flow.mT).triu(1), (flow - flow.mT).triu(1)
    asked = both >= 10
    free = int(asked.sum())
    excess = (net[asked].square() / both[asked]).sum() - free
    return Inspection(move.accepted.double().mean().item(), (excess / (2 * free) ** 0.5).item())


def settle(step: Step, step_size: float, length: int, seed: int, *, chains: int = 2000) -> Tensor:
    """Where chains that all began at (0, 0) stand after `length` steps on the banana: (chains, 2)."""
    target, generator = Banana(), seeded(seed)
    point = evaluate(target.log_density, torch.zeros(chains, 2))
    for _ in range(length):
        point = step(target.log_density, point, generator, step_size).point
    return point.z


# One after another ---------------------------------------------------------------------------------------------------


def seconds_one_by_one(model: DeepLatentVariableModel, x: Tensor, start: Tensor, sizes: list[int]) -> list[float]:
    """Seconds to fit a Gaussian to each of the first so many digits, one after another: x (n, 784), start (n, 2)."""
    seconds = []
    fit_gaussian(partial(model.log_joint, x[:1]), start[:1], seeded(0), steps=5)  # the first call is always slow
    for size in tqdm(sizes, desc="digits one after another", leave=False):
        begin = time.perf_counter()
        for row, place in zip(x[:size], start[:size]):
            fit_gaussian(partial(model.log_joint, row[None]), place[None], seeded(0))
        seconds.append(time.perf_counter() - begin)
    return seconds


def fit_gaussian(log_joint: LogDensity, start: Tensor, generator: Generator, steps: int = 100) -> GaussianApproximation:
    """Full-covariance variational inference from `start` (n, 2), for all n at once."""
    begin = GaussianApproximation.around(start, 0.05)
    for step in variational(log_joint, begin, generator, steps=steps, lr=0.03, draws=4, covariance="full"):
        last = step
    return last.approximation


def nearest_other(places: Tensor) -> Tensor:
    """For each place the number of the nearest other one: (n, 2) -> (n,)."""
    return torch.cdist(places, places).fill_diagonal_(torch.inf).argmin(-1)


# Two modes -----------------------------------------------------------------------------------------------------------


class Modes(NamedTuple):
    """A posterior cut into two parts: their centres (2, 2) and masses (2,), the heavier first."""

    centres: Tensor
    masses: Tensor

    def share(self, z: Tensor) -> float:
        """The share of draws (..., 2) that are nearer to the first centre."""
        distance = (z[..., None, :].double() - self.centres).norm(dim=-1)  # (..., 2)
        return (distance[..., 0] < distance[..., 1]).double().mean().item()


def two_parts(truth: Posterior, digit: int) -> Modes:
    """Cut the posterior of one digit in two by Lloyd's algorithm, begun at its two ends."""
    points, mass = truth.points[digit], truth.log_mass[digit].exp()
    longest = torch.linalg.eigh(truth.covariance[digit]).eigenvectors[:, -1]
    along = torch.where(mass > 0, points @ longest, torch.nan)
    centres = points[torch.stack([along.nan_to_num(nan=torch.inf).argmin(), along.nan_to_num(nan=-torch.inf).argmax()])]
    for _ in range(100):
        nearer = torch.nn.functional.one_hot(torch.cdist(points, centres).argmin(-1), 2) * mass[:, None]  # (m, 2)
        masses = nearer.sum(0)
        centres = nearer.mT @ points / masses[:, None]
    order = masses.argsort(descending=True)
    return Modes(centres[order], masses[order])


def chains_from(model: DeepLatentVariableModel, x: Tensor, starts: Tensor, seed: int, draws: int = 400) -> Tensor:
    """Hamiltonian chains on the posterior of one digit: x (784,), starts (chains, 2) -> (draws, chains, 2)."""
    process = hamiltonian(lambda z: model.log_joint(x[None], z[:, None])[:, 0], starts.to(x), seeded(seed),
                          step_size=0.02, leapfrog_steps=2, warm_up=100)
    return collect(process, draws).z.double()
