"""Chains, held against densities whose moments are known; each criterion also has to reject a broken sampler."""

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from course_lib.errors import NumericalError
from course_lib.inference import leapfrog as mechanics
from course_lib.inference import moves
from course_lib.inference.adaptation import DualAveraging, RunningVariance, WarmUp
from course_lib.inference.chains import (
    Draw,
    collect,
    hamiltonian,
    langevin,
    metropolis,
    stochastic_gradient_langevin,
)
from course_lib.inference.diagnostics import r_hat, standard_error
from course_lib.inference.leapfrog import Point, evaluate, leapfrog
from course_lib.inference.moves import hamiltonian_step, langevin_step
from course_lib.rng import randn, rows, seeded

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from torch import Tensor

LEVELS = (0.05, 0.5, 0.95)


class Target(NamedTuple):
    """A density that is known through and through: quantiles (len(LEVELS), d), exact draws from noise (n, d)."""

    log_density: Callable[[Tensor], Tensor]
    mean: Tensor
    variance: Tensor
    quantiles: Tensor
    draw: Callable[[Tensor], Tensor]


def gaussian(dimensions: int) -> Target:
    """Neighbours are correlated by 0.7, the standard deviations go from 2/3 to 3/2."""
    index = torch.arange(dimensions)
    scale = torch.logspace(-1, 1, dimensions, base=1.5)
    covariance = 0.7 ** (index[:, None] - index).abs() * scale[:, None] * scale
    mean, precision, root = torch.linspace(-1, 1, dimensions), covariance.inverse(), torch.linalg.cholesky(covariance)
    quantiles = mean + scale * torch.special.ndtri(torch.tensor(LEVELS))[:, None]
    return Target(
        lambda z: -0.5 * ((z - mean) @ precision * (z - mean)).sum(-1),
        mean, scale.square(), quantiles, lambda noise: mean + noise @ root.mT,
    )


def banana() -> Target:
    """u ~ N(0, 1), v | u ~ N(u^2, 1): then E v = 1, var v = 2 + 1; the quantiles of v by integration over u."""
    grid = torch.linspace(-9, 9, 4001)
    weight = torch.softmax(-0.5 * grid.square(), 0)

    def quantile(level: float) -> float:
        below = lambda v: (weight * torch.special.ndtr(v - grid.square())).sum().item() - level  # noqa: E731
        return scipy.optimize.brentq(below, -5, 50)

    return Target(
        lambda z: -0.5 * z[..., 0].square() - 0.5 * (z[..., 1] - z[..., 0].square()).square(),
        torch.tensor([0.0, 1.0]),
        torch.tensor([1.0, 3.0]),
        torch.tensor([[scipy.stats.norm.ppf(level), quantile(level)] for level in LEVELS]),
        lambda noise: torch.stack([noise[:, 0], noise[:, 0].square() + noise[:, 1]], -1),
    )


# Criteria: each returns what it holds against a sampler. An empty list is a pass.


def deviations(z: Tensor, target: Target) -> Tensor:
    """Quantities with mean 0 under the target: z (..., d) -> (..., d * (2 + len(LEVELS)))."""
    gap = z - target.mean
    below = [(z <= quantile).to(z.dtype) - level for quantile, level in zip(target.quantiles, LEVELS)]
    return torch.cat([gap, gap.square() - target.variance, *below], -1)


def does_not_settle(draws: Draw, target: Target) -> list[str]:
    """From afar: the chains agree with each other, and with the truth within 4 standard errors by ESS."""
    quantities = deviations(draws.z, target)
    worst = (quantities.flatten(0, 1).mean(0) / standard_error(quantities)).abs().max().item()
    apart = r_hat(draws.z).max().item()
    return [f"R-hat {apart}"] * (not apart < 1.01) + [f"{worst} standard errors"] * (not worst < 4)


def does_not_stay(sampler: Callable, target: Target, steps: int = 8, chains: int = 20_000) -> list[str]:
    """From exact draws: after some steps they are exact draws still, and the first step is as likely backwards."""
    generator = seeded(1)
    start = target.draw(randn((chains, len(target.mean)), generator, target.mean))
    walk = [draw.z for draw in islice(sampler(target.log_density, start, generator), steps)]
    # under detailed balance u v'^2 and u' v^2 have the same mean
    turned = start[:, 0] * walk[0][:, 1].square() - walk[0][:, 0] * start[:, 1].square()
    quantities = torch.cat([deviations(walk[-1], target), turned[:, None]], -1)
    score = quantities.mean(0) / (quantities.std(0) / chains**0.5)
    worst = score.abs().max().item()
    return [] if worst < 5 else [f"{worst} standard errors"]


def energy_order(sampler: Callable, target: Target, first: float, time: float | None) -> float:
    """p, where the mean absolute energy error of one draw is O(step_size^p)."""
    start = target.draw(randn((4000, len(target.mean)), seeded(2), target.mean))
    error = []
    for size in (first, first / 2):
        options = {} if time is None else {"leapfrog_steps": round(time / size), "jitter": 0.0}
        draw = next(sampler(target.log_density, start, seeded(3), step_size=size, **options))
        error.append(draw.energy_error.abs().mean().log2().item())
    return error[0] - error[1]


def with_options(sampler: Callable, **options) -> Callable:
    return lambda log_density, start, generator: sampler(log_density, start, generator, **options)


SAMPLERS = {
    "metropolis": with_options(metropolis, step_size=0.5),
    "langevin": with_options(langevin, step_size=0.6),
    "hamiltonian": with_options(hamiltonian, step_size=0.45, leapfrog_steps=4),
}


# Settling down


@pytest.mark.oracle("known moments and quantiles, R-hat; planted faults are caught",
                    "inference.chains.hamiltonian", "inference.chains.collect")
@pytest.mark.parametrize(("target", "acceptance"), [(lambda: gaussian(10), 0.8), (banana, 0.95)],
                         ids=["gaussian", "banana"])
def test_hamiltonian_settles(target, acceptance):
    """The banana's tails are strongly curved: they ask for shorter steps."""
    target = target()
    start = 5 * randn((8, len(target.mean)), seeded(0), target.mean)
    process = hamiltonian(target.log_density, start, seeded(1), step_size=0.1, leapfrog_steps=8, warm_up=300,
                          target=acceptance)
    draws = collect(process, 700)
    assert does_not_settle(draws, target) == []
    assert draws.divergent.double().mean() < 0.01


@pytest.mark.oracle("known moments and quantiles, R-hat", "inference.chains.metropolis", "inference.chains.langevin")
@pytest.mark.parametrize(("sampler", "step_size"), [(metropolis, 1.0), (langevin, 0.7)])
def test_walks_settle(sampler, step_size):
    target = gaussian(2)
    process = sampler(target.log_density, 3 * randn((16, 2), seeded(0), target.mean), seeded(1), step_size=step_size)
    collect(process, 200)
    assert does_not_settle(collect(process, 5000), target) == []


def test_momentum_that_is_not_refreshed_does_not_settle(monkeypatch):
    last = []

    def kept(*arguments):
        point, momentum = leapfrog(*arguments)
        last.append(momentum)
        return point, momentum

    monkeypatch.setattr(moves, "leapfrog", kept)
    monkeypatch.setattr(moves, "randn", lambda *arguments: last[-1] if last else randn(*arguments))
    target = gaussian(10)
    start = 5 * randn((4, 10), seeded(0), target.mean)
    process = hamiltonian(target.log_density, start, seeded(1), step_size=0.15, leapfrog_steps=10)
    assert does_not_settle(collect(process, 500), target) != []


# Staying put


@pytest.mark.oracle("invariance and detailed balance from exact draws; planted faults are caught",
                    "inference.chains.metropolis", "inference.chains.langevin", "inference.chains.hamiltonian",
                    "inference.moves.*")
@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("target", [lambda: gaussian(2), banana], ids=["gaussian", "banana"])
def test_exact_draws_stay_exact(name, target):
    assert does_not_stay(SAMPLERS[name], target()) == []


FAULTS = {
    "always accept": ("accept", lambda current, proposal, log_ratio, generator: moves.Move(
        proposal, log_ratio > -torch.inf, -log_ratio)),
    "never look at the density": ("accept", lambda current, proposal, log_ratio, generator: ACCEPT(
        current, proposal, log_ratio * 0 - 0.5, generator)),
    "the ratio upside down": ("accept", lambda current, proposal, log_ratio, generator: ACCEPT(
        current, proposal, -log_ratio, generator)),
    "no kinetic energy": ("_kinetic_energy", lambda momentum, inverse_mass: torch.zeros(momentum.shape[:-1])),
    "no correction for the proposal": ("_proposal_log_prob", lambda start, end, step_size: start.log_density * 0),
    "there and back confused": ("_proposal_log_prob", lambda start, end, step_size: PROPOSAL(end, start, step_size)),
}
ACCEPT, PROPOSAL = moves.accept, moves._proposal_log_prob
OWN = {"no kinetic energy": ["hamiltonian"], "no correction for the proposal": ["langevin"],
       "there and back confused": ["langevin"]}


@pytest.mark.parametrize(("fault", "name"), [(fault, name) for fault in FAULTS for name in OWN.get(fault, SAMPLERS)])
def test_a_wrong_ratio_does_not_stay(monkeypatch, fault, name):
    monkeypatch.setattr(moves, *FAULTS[fault])
    assert does_not_stay(SAMPLERS[name], banana()) != []


@pytest.mark.oracle("invariance from exact draws, with a mass; a planted fault is caught",
                    "inference.moves.hamiltonian_step")
def test_a_mass_keeps_the_density_too(monkeypatch):
    def weighted(log_density, start, generator):
        point = evaluate(log_density, start)
        while True:
            move = hamiltonian_step(log_density, point, generator, 0.3, 4, torch.tensor([0.5, 3.0]))
            point = move.point
            yield Draw(point.z, point.log_density, move.accepted, move.energy_error, torch.tensor(0.3))

    assert does_not_stay(weighted, banana()) == []
    light = lambda *arguments: 0.5 * randn(*arguments)  # noqa: E731, too little momentum for its mass
    monkeypatch.setattr(moves, "randn", light)
    assert does_not_stay(weighted, banana()) != []


# The energy error


@pytest.mark.oracle("the order of the energy error: 2 along a trajectory, 3 for one step; a wrong sign is caught",
                    "inference.chains.hamiltonian", "inference.chains.langevin", "inference.moves.hamiltonian_step",
                    "inference.moves.langevin_step")
@pytest.mark.parametrize(("sampler", "time", "order"), [(hamiltonian, 0.8, 2), (langevin, None, 3)])
def test_the_energy_error_has_its_order(monkeypatch, sampler, time, order):
    assert energy_order(sampler, banana(), 0.02, time) == pytest.approx(order, abs=0.1)

    def downhill(log_density, z):
        point = evaluate(log_density, z)
        return point._replace(gradient=-point.gradient)

    for module in ("chains", "moves", "leapfrog"):
        monkeypatch.setattr(f"course_lib.inference.{module}.evaluate", downhill)
    assert not energy_order(sampler, banana(), 0.02, time) > order - 0.5


@pytest.mark.oracle("a chain of Hamiltonian moves of one step", "inference.moves.langevin_step")
def test_langevin_is_hamiltonian_with_one_step():
    target = banana()
    point = evaluate(target.log_density, randn((50, 2), seeded(0), target.mean))
    one = langevin_step(target.log_density, point, seeded(1), 0.7)
    other = hamiltonian_step(target.log_density, point, seeded(1), 0.7, 1)
    torch.testing.assert_close(one.point, other.point)
    torch.testing.assert_close(one.energy_error, other.energy_error)
    assert 0 < one.accepted.sum() < 50 and torch.equal(one.accepted, other.accepted)


# The leapfrog


def euler(log_density, point, momentum, step_size, steps):
    """Plain Euler steps: what the half kicks are there to avoid."""
    for _ in range(steps):
        z = point.z + step_size * momentum
        momentum = momentum + step_size * point.gradient
        point = mechanics.evaluate(log_density, z)
    return point, momentum


def irreversibility(integrator) -> float:
    """How far from the start one ends after going, turning round, and going back."""
    target, z = banana(), randn((10, 2), seeded(0), torch.zeros(()))
    momentum = randn((10, 2), seeded(1), z)
    there, last = integrator(target.log_density, evaluate(target.log_density, z), momentum, 0.02, 40)
    back, first = integrator(target.log_density, there, -last, 0.02, 40)
    return max((back.z - z).abs().max().item(), (first + momentum).abs().max().item())


def volume_change(integrator, monkeypatch) -> float:
    """|det J| - 1 of (z, p) -> (z', p'), by autograd."""
    def differentiable(log_density, z):
        value = log_density(z)
        return Point(z, value, torch.autograd.grad(value.sum(), z, create_graph=True)[0])

    monkeypatch.setattr(mechanics, "evaluate", differentiable)
    target = banana()

    def flow(state):
        start = differentiable(target.log_density, state[:2])
        point, momentum = integrator(target.log_density, start, state[2:], 0.1, 8)
        return torch.cat([point.z, momentum])

    jacobian = torch.autograd.functional.jacobian(flow, torch.tensor([0.3, -0.4, 1.1, 0.6]))
    return abs(abs(torch.linalg.det(jacobian).item()) - 1)


def trajectory_order(integrator) -> float:
    """p, where the distance from the trajectory that scipy integrates is O(step_size^p)."""
    target = banana()
    z, momentum = torch.tensor([[0.3, -0.4]]), torch.tensor([[1.1, 0.6]])

    def motion(_, state):
        return np.concatenate([state[2:], evaluate(target.log_density, torch.tensor(state[None, :2])).gradient[0]])

    exact = scipy.integrate.solve_ivp(motion, (0, 1), [0.3, -0.4, 1.1, 0.6], rtol=1e-11, atol=1e-12).y[:, -1]
    gaps = []
    for steps in (64, 128):
        point, last = integrator(target.log_density, evaluate(target.log_density, z), momentum, 1 / steps, steps)
        gaps.append((torch.cat([point.z[0], last[0]]) - torch.tensor(exact)).norm().log2().item())
    return gaps[0] - gaps[1]


@pytest.mark.oracle("reversibility, autograd's Jacobian, scipy.integrate.solve_ivp; Euler's rule is rejected",
                    "inference.leapfrog.leapfrog")
def test_leapfrog_is_what_it_promises(monkeypatch):
    assert irreversibility(leapfrog) < 1e-10 and irreversibility(euler) > 1e-2
    assert trajectory_order(leapfrog) == pytest.approx(2, abs=0.1)
    assert trajectory_order(euler) == pytest.approx(1, abs=0.1)
    assert volume_change(leapfrog, monkeypatch) < 1e-10 and volume_change(euler, monkeypatch) > 1e-2


@pytest.mark.oracle("finite differences", "inference.leapfrog.evaluate")
def test_each_chain_has_its_own_gradient():
    target, z, step = banana(), randn((5, 3, 2), seeded(0), torch.zeros(())), 1e-6
    with torch.no_grad():
        point = evaluate(target.log_density, z)
    for axis, move in enumerate(step * torch.eye(2)):
        slope = (target.log_density(z + move) - target.log_density(z - move)) / (2 * step)
        torch.testing.assert_close(point.gradient[..., axis], slope, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(point.log_density, target.log_density(z))
    assert not any(part.requires_grad for part in point)


def test_leapfrog_needs_one_gradient_a_step(monkeypatch):
    calls = []
    monkeypatch.setattr(mechanics, "evaluate", lambda *arguments: calls.append(1) or evaluate(*arguments))
    target = banana()
    process = hamiltonian(target.log_density, torch.zeros(3, 2), seeded(0), step_size=0.1, leapfrog_steps=7)
    next(process), next(process)
    assert len(calls) == 14


# The warm-up


@pytest.mark.oracle("a closed form: a(step) = 1 / (1 + step)", "inference.adaptation.DualAveraging.*")
@pytest.mark.parametrize("target", [0.6, 0.8, 0.95])
def test_dual_averaging_finds_the_step(target):
    averaging = DualAveraging(torch.tensor([1e-3, 50.0]), target)
    for _ in range(1000):
        averaging.update(1 / (1 + averaging.step_size))
    # what is missing in the mean after t steps is 0.05 |log(10 first / last)| / sqrt(t), here at most 0.015
    torch.testing.assert_close(1 / (1 + averaging.average), torch.full((2,), target), rtol=0, atol=0.015)


@pytest.mark.oracle("torch.var", "inference.adaptation.RunningVariance.*")
def test_running_variance_is_the_variance():
    z = 1e4 + randn((50, 4, 3, 2), seeded(0), torch.zeros((), dtype=torch.float32))
    running = RunningVariance()
    for batch in z:
        running.update(batch)
    torch.testing.assert_close(running.variance, z.double().flatten(0, 1).var(0).float(), rtol=1e-3, atol=0)
    torch.testing.assert_close(running.mean, z.double().flatten(0, 1).mean(0).float())


@pytest.mark.oracle("known variances; the target acceptance", "inference.adaptation.WarmUp.*")
@pytest.mark.parametrize("wanted", [0.65, 0.8, 0.9])
def test_warm_up_learns_scales_and_step(wanted):
    """Three targets at once, each with its own scales: 4 chains (first axis) on each."""
    scale = torch.tensor([[1e-3, 1e-2], [1.0, 1.0], [30.0, 100.0]])
    log_density = lambda z: -0.5 * (z / scale).square().sum(-1)  # noqa: E731
    generator = seeded(0)
    point = evaluate(log_density, scale * randn((4, 3, 2), generator, scale))
    learnt = WarmUp(point.z, 0.1, 800, wanted)
    for _ in range(800):
        move = hamiltonian_step(log_density, point, generator, learnt.step_size, 1, learnt.inverse_mass)
        point = move.point
        learnt.update(point.z, (-move.energy_error).exp().clamp_max(1))
    torch.testing.assert_close(learnt.inverse_mass.sqrt(), scale, rtol=0.15, atol=0)
    fixed = learnt.step_size
    assert fixed.shape == (3, 1) and (fixed.max() / fixed.min()).item() < 1.3  # in units of the mass they are alike
    learnt.update(point.z, torch.zeros(4, 3))
    assert torch.equal(learnt.step_size, fixed)
    draws = collect(hamiltonian(log_density, point.z, generator, step_size=0.1, leapfrog_steps=1, warm_up=800,
                                target=wanted), 500)
    # a little above: the search also tries steps that are too long, and their rejections count in its mean
    gap = draws.acceptance.mean((0, 1)) - wanted
    assert gap.min() > -0.03 and gap.max() < 0.1


@pytest.mark.parametrize("warm_up", [3, 5, 8])
def test_a_short_warm_up_does_not_end_in_the_midst_of_a_search(warm_up):
    target = gaussian(2)
    process = hamiltonian(target.log_density, randn((8, 2), seeded(0), target.mean), seeded(1), step_size=0.1,
                          leapfrog_steps=5, warm_up=warm_up)
    assert collect(process, 50).accepted.double().mean() > 0.5


# The unadjusted ones


def stationary_variance(step_size: float, noise: float, precision: float) -> float:
    """Of z' = z + e^2/2 (noise * xi - precision * z) + e xi, which is an autoregression of order one."""
    return (1 + (step_size * noise) ** 2 / 4) / (precision * (1 - step_size**2 * precision / 4))


def wrong_variance(sampler: Callable, step_size: float, noise: float, sign: float = 1.0) -> list[str]:
    """What the stationary variance has to answer for, in 20,000 chains on N(0, 1/4)."""
    density = lambda z, generator: (  # noqa: E731
        -2 * sign * z.square() + noise * randn(z.shape, generator, z) * z).sum(-1)
    try:
        draws = list(islice(sampler(density, torch.zeros(20_000, 1), seeded(0), step_size=step_size), 100))
    except NumericalError as error:
        return [str(error)]
    square = draws[-1].z.square()
    score = (square.mean() - stationary_variance(step_size, noise, 4.0)) / (square.std() / 20_000**0.5)
    return [] if abs(score) < 5 else [f"{score} standard errors"]


def plain(density, start, generator, *, step_size):
    return langevin(lambda z: density(z, generator), start, generator, step_size=step_size, adjusted=False)


def half_noise(density, start, generator, *, step_size):
    """A planted fault: the noise that keeps the chain hot is too weak."""
    while True:
        point = evaluate(lambda z: density(z, generator), start)
        start = moves.uphill(point, step_size) + 0.5 * step_size * randn(start.shape, generator, start)
        yield Draw(start, *[point.log_density] * 3, step_size)


@pytest.mark.oracle("closed form of the stationary variance; planted faults are caught",
                    "inference.chains.stochastic_gradient_langevin", "inference.chains.langevin",
                    "inference.moves.uphill")
@pytest.mark.parametrize(("sampler", "noise"), [(plain, 0.0), (stochastic_gradient_langevin, 0.0),
                                                (stochastic_gradient_langevin, 3.0)])
def test_the_bias_of_a_constant_step_is_known(sampler, noise):
    """The variance is too large by O(step_size^2): 1/4 becomes 1/3 with step 1/2, 1/3.75 with step 1/4."""
    assert wrong_variance(sampler, 0.5, noise) == [] == wrong_variance(sampler, 0.25, noise)
    assert wrong_variance(half_noise, 0.5, noise) != []
    assert wrong_variance(sampler, 0.5, noise, sign=-1.0) != []


@pytest.mark.oracle("closed form of a conjugate posterior; a constant step is caught",
                    "inference.chains.stochastic_gradient_langevin")
def test_shrinking_steps_on_minibatches_find_the_posterior():
    """z ~ N(0, 1), 100 data N(z, 4): the posterior is N(sum / 104, 1 / 26)."""
    x = 1 + 2 * randn((100,), seeded(0), torch.zeros(()))

    def log_density(z, generator):  # each of 1,000 chains has a minibatch of its own, so that they are independent
        batch = x[rows(100, 20 * len(z), generator, replacement=True)].reshape(len(z), 20)
        return -0.5 * z[..., 0].square() - 5 * (batch - z).square().sum(-1) / 8

    def scores(step_size, steps):
        process = stochastic_gradient_langevin(log_density, torch.zeros(1000, 1), seeded(1), step_size=step_size)
        *_, last = islice(process, steps)
        z = last.z[:, 0] - x.sum() / 104
        error = torch.stack([z.mean(), z.square().mean() - 1 / 26])
        return (error / torch.stack([z.std(), z.square().std()]) * 1000**0.5).abs(), last

    right, last = scores(lambda t: 0.2 * t**-0.34, 1000)
    assert right.max() < 5
    assert last.step_size.item() == pytest.approx(0.2 * 1000**-0.34) and last.accepted.all()
    assert scores(0.15, 100)[0].max() > 5


# What all have in common


@pytest.mark.oracle("closed form", "inference.chains.Draw.*")
def test_a_draw_knows_its_acceptance():
    error = torch.tensor([-3.0, 0.0, 1.0, 1e4, torch.inf])
    draw = Draw(torch.zeros(5, 2), error, error < 1, error, torch.tensor(0.1))
    torch.testing.assert_close(draw.acceptance, torch.tensor([1, 1, np.exp(-1), 0, 0]))
    assert draw.divergent.tolist() == [False, False, False, True, True]


@pytest.mark.oracle("the known frequency; NaN is never accepted", "inference.moves.accept")
def test_accept_takes_the_share_that_it_should():
    zeros, ones = torch.zeros(40_000), torch.ones(40_000)
    old, new = Point(zeros[:, None], zeros), Point(ones[:, None], ones)
    move = moves.accept(old, new, torch.full((40_000,), 0.3).log(), seeded(0))
    assert abs(move.accepted.double().mean().item() - 0.3) < 5 * (0.21 / 40_000) ** 0.5
    assert torch.equal(move.accepted, move.point.z[:, 0] > 0)
    assert torch.equal(move.accepted, move.point.log_density > 0)
    never = moves.accept(old, new, torch.full((40_000,), torch.nan), seeded(0))
    assert not never.accepted.any() and (never.energy_error == torch.inf).all()


def test_divergence_is_flagged_and_left_behind():
    """Where the density falls so steeply that the leapfrog overflows, the chain stays, and stays finite."""
    log_density = lambda z: -z.pow(4).sum(-1)  # noqa: E731
    draws = collect(hamiltonian(log_density, torch.ones(4, 2), seeded(0), step_size=3.0, leapfrog_steps=20), 20)
    assert draws.divergent.any() and draws.z.isfinite().all() and not (draws.divergent & draws.accepted).any()


PROCESSES = {
    **{name: lambda start, generator, sampler=sampler: sampler(banana().log_density, start, generator)
       for name, sampler in SAMPLERS.items()},
    "warm-up": lambda start, generator: hamiltonian(
        banana().log_density, start, generator, step_size=0.1, leapfrog_steps=3, warm_up=20),
    "stochastic": lambda start, generator: stochastic_gradient_langevin(
        lambda z, _: banana().log_density(z), start, generator, step_size=0.1),
}


@pytest.mark.parametrize("name", PROCESSES)
def test_every_process_keeps_the_house_rules(name):
    start = torch.zeros(3, 2, 2)
    state = torch.get_rng_state()
    draws = collect(PROCESSES[name](start, seeded(0)), 10)
    torch.testing.assert_close(draws, collect(PROCESSES[name](start, seeded(0)), 10), equal_nan=True)
    assert torch.equal(state, torch.get_rng_state()) and torch.equal(start, torch.zeros(3, 2, 2))
    assert draws.z.shape == (10, 3, 2, 2) and draws.log_density.shape == draws.accepted.shape == (10, 3, 2)
    assert draws.energy_error.shape == (10, 3, 2) and len(draws.step_size) == 10
    for draw in islice(PROCESSES[name](start, seeded(0)), 3):
        assert torch.is_grad_enabled() and not draw.z.requires_grad


@pytest.mark.parametrize("name", PROCESSES)
def test_single_precision_stays_single(name):
    torch.set_default_dtype(torch.float32)
    draws = collect(PROCESSES[name](torch.zeros(3, 2), seeded(0)), 5)
    assert {part.dtype for part in draws[:-1]} == {torch.float32, torch.bool}
    torch.set_default_dtype(torch.float64)
    assert collect(PROCESSES[name](torch.zeros(3, 2), seeded(0)), 5).z.dtype == torch.float64


@pytest.mark.oracle("the draws one by one", "inference.chains.collect")
def test_collect_keeps_the_draws_after_the_warm_up_and_goes_on(capsys):
    start = torch.zeros(2, 2)
    one_by_one = list(islice(PROCESSES["warm-up"](start, seeded(0)), 30))
    assert [draw.warming for draw in one_by_one] == [True] * 20 + [False] * 10
    process = PROCESSES["warm-up"](start, seeded(0))
    first, second = collect(process, 4), collect(process, 6)
    torch.testing.assert_close(torch.cat([first.z, second.z]), torch.stack([draw.z for draw in one_by_one[20:]]))
    assert not first.warming and len(collect(islice(process, 3), 100).z) == 3

    def interrupted(after):
        yield from one_by_one[20:20 + after]
        raise KeyboardInterrupt

    assert torch.equal(collect(interrupted(3), 8).z, torch.stack([draw.z for draw in one_by_one[20:23]]))
    assert capsys.readouterr().out == "Interrupted: 3 of 8 draws are kept.\n"
    with pytest.raises(KeyboardInterrupt):
        collect(interrupted(0), 8)
    with pytest.raises(ValueError, match="`process` must yield at least one draw after its warm-up; got none"):
        collect(one_by_one[:20], 8)


@pytest.mark.oracle("message pinned", "inference.chains.metropolis", "inference.chains.langevin",
                    "inference.chains.hamiltonian", "inference.chains.stochastic_gradient_langevin")
@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize(("start", "message"), [
    (torch.zeros(3), r"`start` must hold floating-point .* the shape \(chains, ..., d\); got torch.float32 \(3,\)"),
    (torch.zeros(3, 2, dtype=torch.long), r"`start` must hold floating-point .* got torch.int64 \(3, 2\)"),
    ([[0.0, 0.0]], "`start` must hold floating-point .* got list"),
    (torch.tensor([[0.0, 0.0], [torch.nan, 0.0]]), r"`start` must be finite; got 1 NaN .* the first at \(1, 0\)"),
    (torch.tensor([[0.0, 0.0], [1e30, 0.0]]), r"`start` must have a finite log-density; got -inf for chain \(1,\)"),
])
def test_a_bad_start_is_named(name, start, message):
    with pytest.raises(ValueError, match=message):
        next(PROCESSES[name](start, seeded(0)))


@pytest.mark.parametrize(("call", "message"), [
    (lambda f, z, g: metropolis(f, z, g, step_size=0), "`step_size` must be a finite number > 0; got 0"),
    (lambda f, z, g: langevin(f, z, g, step_size=-1.0), "`step_size` must be a finite number > 0; got -1.0"),
    (lambda f, z, g: stochastic_gradient_langevin(lambda z, _: f(z), z, g, step_size=lambda t: 0.0),
     "`step_size` must be a finite number > 0; got 0.0"),
    (lambda f, z, g: hamiltonian(f, z, g, step_size=0.1, leapfrog_steps=0),
     "`leapfrog_steps` must be a whole number >= 1"),
    (lambda f, z, g: hamiltonian(f, z, g, step_size=0.1, leapfrog_steps=1, warm_up=-1),
     "`warm_up` must be a whole number >= 0; got -1"),
    (lambda f, z, g: hamiltonian(f, z, g, step_size=0.1, leapfrog_steps=1, target=1),
     "`target` must be between 0 and 1; got 1"),
    (lambda f, z, g: hamiltonian(f, z, g, step_size=0.1, leapfrog_steps=1, jitter=1.5),
     "`jitter` must be at least 0 and below 1; got 1.5"),
    (lambda f, z, g: metropolis(lambda z: f(z).sum(), z, g, step_size=0.1),
     r"`log_density` must give shape \(3,\) for z of shape \(3, 2\), one value a chain; got \(\)"),
])
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        next(call(banana().log_density, torch.zeros(3, 2), seeded(0)))


@pytest.mark.parametrize(("draws", "when"), [(100, "Step 50"), (30, "Draw 30")])
def test_a_runaway_chain_stops_with_cause_and_remedy(draws, when):
    process = langevin(gaussian(2).log_density, torch.zeros(3, 2), seeded(0), step_size=1e9, adjusted=False)
    with pytest.raises(NumericalError, match=rf"{when}: chain \(0,\) is not finite .* Remedy: a smaller `step_size`"):
        collect(process, draws)
