"""Annealed importance sampling, held against closed forms and quadrature, with planted faults."""

import math

from course_lib.errors import NumericalError
from course_lib.inference import annealing
from course_lib.inference.annealing import annealed_importance_sampling, sandwich, sigmoid_temperatures
from course_lib.inference.leapfrog import leapfrog
from course_lib.inference.moves import Move
from course_lib.inference.oracle import gauss_hermite, quadrature
from course_lib.rng import seeded
from tests.inference.linear_gaussian import LinearGaussian, z_scores

import pytest
import torch

CHAINS = 150


def anneal(model, start, temperatures, step_size=0.4):
    """The last step of a run that takes few leapfrog steps."""
    process = annealed_importance_sampling(
        model.log_prior,
        model.log_joint,
        start,
        seeded(0),
        temperatures=temperatures,
        step_size=step_size,
        leapfrog_steps=3,
    )
    *_, last = process
    return last


def weights_are_unbiased(model, steps=40, step_size=0.4):
    """The criterion: up, the mean weight is p(x), down it is 1 / p(x), within 5 standard errors."""
    up = anneal(model, model.prior_draws(CHAINS, 1), sigmoid_temperatures(steps), step_size)
    down = anneal(model, model.posterior_draws(CHAINS, 2), sigmoid_temperatures(steps).flip(0), step_size)
    scores = torch.cat([z_scores(up.log_weights, model.log_evidence), z_scores(down.log_weights, -model.log_evidence)])
    return bool((scores.abs() < 5).all())


@pytest.mark.oracle(
    "closed form, linear-Gaussian in 2, 8 and 32 dimensions",
    "inference.annealing.annealed_importance_sampling",
    "inference.annealing.Annealed.weighted",
)
@pytest.mark.parametrize(("d", "steps"), [(2, 20), (8, 40), (32, 100)])
def test_the_mean_weight_is_the_evidence(d, steps):
    model = LinearGaussian(d)
    assert weights_are_unbiased(model, steps)
    last = anneal(model, model.prior_draws(CHAINS, 1), sigmoid_temperatures(steps))
    error = (last.weighted.log_evidence - model.log_evidence) / last.weighted.standard_error
    assert error.abs().max() < 5
    assert last.accepted.shape == (CHAINS, 2)
    mean = last.weighted.expectation(last.z)
    spread = model.covariance.diagonal().sqrt() / last.weighted.effective_sample_size.sqrt()[:, None]
    assert ((mean - model.mean) / spread).abs().max() < 5


def no_kinetic_energy(log_density, here, generator, step_size, steps):
    """The step with a Metropolis ratio of the log-densities alone."""
    momentum = torch.randn(here.z.shape, generator=generator)
    there, _ = leapfrog(log_density, here, momentum, step_size, steps)
    accepted = torch.rand(here.log_density.shape, generator=generator).log() < there.log_density - here.log_density
    chosen = torch.where(accepted[..., None], there.z, here.z)
    return Move(here._replace(z=chosen), accepted, torch.zeros_like(here.log_density))


def always_accepted(log_density, here, generator, step_size, steps):
    momentum = torch.randn(here.z.shape, generator=generator)
    there, _ = leapfrog(log_density, here, momentum, step_size, steps)
    taken = torch.ones_like(here.log_density, dtype=torch.bool)
    return Move(there, taken, torch.zeros_like(here.log_density))


@pytest.mark.oracle("planted faults are caught", "inference.annealing.annealed_importance_sampling")
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("_log_likelihood", lambda prior, joint, z: prior(z) - joint(z)),
        ("_log_likelihood", lambda prior, joint, z: joint(z)),
        ("_between", lambda prior, joint, beta: lambda z: -((1 - beta) * prior(z) + beta * joint(z))),
        ("hamiltonian_step", no_kinetic_energy),
        ("hamiltonian_step", always_accepted),
    ],
    ids=["wrong sign", "joint for likelihood", "energy for log-density", "no kinetic energy", "always accepted"],
)
def test_planted_faults_are_caught(monkeypatch, name, fault):
    model = LinearGaussian(8)
    assert weights_are_unbiased(model, step_size=0.7)
    monkeypatch.setattr(annealing, name, fault)
    assert not weights_are_unbiased(model, step_size=0.7)


def bounds(model, prior_draws, posterior_draws, steps):
    return sandwich(
        model.log_prior,
        model.log_joint,
        prior_draws,
        posterior_draws,
        seeded(0),
        temperatures=sigmoid_temperatures(steps),
        step_size=torch.linspace(0.7, 0.4, steps + 1),
        leapfrog_steps=3,
    )


def holds(both, model):
    """The criterion: over the data points, neither bound is on the wrong side by 5 standard errors."""
    sides = torch.stack([model.log_evidence - both.lower, both.upper - model.log_evidence])  # (2, n)
    return bool((sides.mean(1) > -5 * sides.std(1) / math.sqrt(sides.shape[1])).all())


@pytest.mark.oracle("closed form; a planted fault is caught", "inference.annealing.sandwich")
def test_the_sandwich_holds_the_truth_and_closes():
    model, chains = LinearGaussian(8, n=20), 20
    prior, posterior = model.prior_draws(chains, 1), model.posterior_draws(chains, 2)
    wide, narrow = (bounds(model, prior, posterior, steps) for steps in (5, 80))
    assert holds(wide, model) and holds(narrow, model)
    assert 0 < (narrow.upper - narrow.lower).mean() < 0.2 * (wide.upper - wide.lower).mean()
    assert not holds(bounds(model, prior, prior, 5), model)  # no exact draws, no upper bound


@pytest.mark.oracle("message pinned", "inference.annealing.sandwich")
def test_a_sandwich_upside_down_is_named():
    model, falling = LinearGaussian(2), torch.linspace(1, 0, 5)
    draws = model.prior_draws(3, 0)
    with pytest.raises(ValueError, match=r"`temperatures` must rise from 0 to 1: .*; got a fall from 1 to 0"):
        sandwich(model.log_prior, model.log_joint, draws, draws, seeded(0), temperatures=falling, step_size=0.1)


@pytest.mark.oracle("Gauss-Hermite quadrature", "inference.annealing.annealed_importance_sampling")
def test_a_likelihood_that_is_no_gaussian():
    """Two bits whose logits are linear in z, in one dimension."""
    slopes, x = torch.tensor([[3.0], [-1.0]]), torch.tensor([[1.0, 1.0], [1.0, 0.0]])

    class Bits(LinearGaussian):
        def log_likelihood(self, z):
            return torch.distributions.Bernoulli(logits=z @ slopes.mT).log_prob(x).sum(-1)

    model = Bits(1)
    truth = quadrature(model.log_likelihood, *gauss_hermite(80)).log_evidence
    last = anneal(model, model.prior_draws(1000, 1), torch.linspace(0, 1, 11))
    assert z_scores(last.log_weights, truth).abs().max() < 5


def test_each_temperature_has_its_own_step_size():
    """Steps that are far too long are turned back, and only at the temperatures that take them."""
    model, sizes = LinearGaussian(2), torch.tensor([100.0, 0.01, 100.0, 0.01])
    process = annealed_importance_sampling(model.log_prior, model.log_joint, model.prior_draws(200, 0), seeded(0),
                                           temperatures=torch.linspace(0, 1, 4), step_size=sizes, leapfrog_steps=1)
    assert [step.accepted.double().mean().round().item() for step in process] == [1, 0, 1]


def test_one_temperature_is_naive_monte_carlo():
    model = LinearGaussian(2)
    start = model.prior_draws(10, 0)
    last = anneal(model, start, torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(last.log_weights, model.log_likelihood(start))


@pytest.mark.oracle("closed form", "inference.annealing.sigmoid_temperatures")
def test_temperatures_are_a_sigmoid():
    ladder = sigmoid_temperatures(4, steepness=2.0)
    raw = [1 / (1 + math.exp(-2.0 * (2 * t / 4 - 1))) for t in range(5)]
    torch.testing.assert_close(ladder, torch.tensor([(r - raw[0]) / (raw[-1] - raw[0]) for r in raw]))
    with pytest.raises(ValueError, match="`steps` must be a whole number >= 1; got 0"):
        sigmoid_temperatures(0)


def test_a_run_is_a_process():
    """It yields at every temperature, leaves gradients on and the global generator alone, and keeps dtypes."""
    model, state = LinearGaussian(2, dtype=torch.float32), torch.get_rng_state()
    process = annealed_importance_sampling(
        model.log_prior,
        model.log_joint,
        model.prior_draws(3, 0).float(),
        seeded(0),
        temperatures=torch.linspace(0, 1, 6),
        step_size=0.3,
    )
    seen = []
    for step in process:
        assert torch.is_grad_enabled()
        assert step.z.dtype == step.log_weights.dtype == torch.float32
        assert not step.z.requires_grad and not step.log_weights.requires_grad
        seen.append((step.index, round(step.temperature, 6)))
    assert seen == [(1, 0.2), (2, 0.4), (3, 0.6), (4, 0.8), (5, 1.0)]
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.oracle("message pinned", "inference.annealing.annealed_importance_sampling")
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"temperatures": torch.tensor([0.0, 0.6, 0.5, 1.0])}, ValueError, "`temperatures` must rise from 0 to 1"),
        ({"temperatures": torch.tensor([0.1, 1.0])}, ValueError, r"fall from 1 to 0; got 2: 0\.1, 1, \.\.\., 1"),
        ({"temperatures": torch.tensor([0.0])}, ValueError, "got 1: 0, ..., 0"),
        ({"temperatures": torch.zeros(2, 1)}, ValueError, r"must be a tensor of shape \(T \+ 1,\); got \(2, 1\)"),
        ({"temperatures": [0.0, 1.0]}, ValueError, r"`temperatures` must be a tensor of shape .*; got list"),
        ({"step_size": 0.0}, ValueError, "`step_size` must be a finite number > 0; got 0.0"),
        ({"step_size": torch.ones(3)}, ValueError, r"`step_size` must be a number or have shape \(5,\); got \(3,\)"),
        ({"leapfrog_steps": 0}, ValueError, "`leapfrog_steps` must be a whole number >= 1"),
        ({"log_joint": lambda z: z}, ValueError, r"`log_joint` must give shape \(4, 2\), .*; got \(4, 2, 2\)"),
        ({"log_prior": lambda z: z[..., 0] * math.nan}, NumericalError, r"`log_prior` must give a number or -inf"),
    ],
)
def test_bad_input_is_named(change, error, message):
    model = LinearGaussian(2)
    arguments = {
        "log_prior": model.log_prior,
        "log_joint": model.log_joint,
        "start": model.prior_draws(4, 0),
        "temperatures": torch.linspace(0, 1, 5),
        "step_size": 0.1,
    }
    with pytest.raises(error, match=message):
        next(annealed_importance_sampling(**(arguments | change), generator=seeded(0)))
