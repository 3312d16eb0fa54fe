"""The experiments of lesson 13, held against closed forms, finer grids, the library, and planted faults."""

import math

from course_lib import rng
from course_lib.inference import chains, diagnostics, oracle
from course_lib.inference.approximation import GaussianApproximation
from course_lib.inference.leapfrog import evaluate
from course_lib.inference.moves import langevin_step
from course_lib.lessons.n13_approximate_inference import Banana, Race, check, experiments, explorers, weights
from course_lib.lessons.n13_approximate_inference.explorers import elbo_by_quadrature, scene
from course_lib.lessons.n13_approximate_inference.overconfident import too_sure
from course_lib.lessons.n13_approximate_inference.truth import Cells, Posterior, exact_posteriors

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence


@pytest.fixture(scope="module")
def race() -> Race:
    return Race(weights.trained(weights.PLANE).float(), weights.digits()[1][30:36].float())


def a_gaussian() -> Posterior:
    """One posterior that is a known Gaussian, on a fine grid."""
    side = 0.02
    axis = torch.arange(-3, 3, side) + side / 2
    points = torch.cartesian_prod(axis, axis)
    q = MultivariateNormal(torch.zeros(2), torch.tensor([[0.3, 0.2], [0.2, 0.25]]))
    table = q.log_prob(points) + 2 * math.log(side)
    return Posterior(points[None], (table - table.logsumexp(0))[None], torch.tensor([side]), torch.zeros(1))


def test_the_exact_posterior_agrees_with_a_finer_grid_of_another_kind(race):
    plane = weights.trained(weights.PLANE)
    axis = torch.linspace(-0.35, 0.35, 140)
    for digit in (0, 4):  # an ellipse, a crowd of creases
        points = race.truth.mean[digit] + torch.cartesian_prod(axis, axis)
        with torch.no_grad():
            table = torch.cat([plane.log_likelihood_table(race.x[digit, None].double(), part)[0] + plane.log_prior(part)
                               for part in points.split(4000)])
        step = (axis[1] - axis[0]).log() * 2
        assert (table.logsumexp(0) + step).item() == pytest.approx(race.truth.log_evidence[digit].item(), abs=5e-3)
        mean = table.softmax(0) @ points
        torch.testing.assert_close(mean, race.truth.mean[digit], atol=5e-4, rtol=0)


def test_cells_have_equal_mass_and_exact_draws_reach_the_floor(race):
    draws = race.truth.sample(20_000, rng.seeded(0))
    share = torch.stack([torch.bincount(cell, minlength=36) for cell in race.cells.find(draws)]) / 20_000
    z = (share - 1 / 36) / math.sqrt(35 / 36**2 / 20_000)
    assert z.abs().max() < 6  # the grid's squares are cut, too
    floors = torch.cat([race.cells.divergence(race.truth.sample(1000, rng.seeded(seed))) for seed in range(10)])
    assert floors.mean().item() == pytest.approx(35 / 2000, rel=0.15)


def test_the_moments_and_cells_of_a_known_gaussian():
    truth = a_gaussian()
    torch.testing.assert_close(truth.covariance[0], torch.tensor([[0.3, 0.2], [0.2, 0.25]]), atol=1e-3, rtol=0)
    root = torch.linalg.cholesky(truth.covariance)
    q = GaussianApproximation(truth.mean, root)
    assert Cells(truth).divergence(q.sample(4000, rng.seeded(1))).item() == pytest.approx(35 / 8000, abs=0.004)


def test_a_point_pays_the_whole_logarithm_and_weights_count(race):
    point = race.truth.mean.expand(10, 6, 2)
    torch.testing.assert_close(race.cells.divergence(point), torch.full((6,), math.log(36)))
    draws = race.truth.sample(500, rng.seeded(2))
    twice = torch.cat([draws, point])
    log_weights = torch.cat([torch.zeros(500, 6), torch.full((10, 6), -torch.inf)])
    torch.testing.assert_close(race.cells.divergence(twice, log_weights), race.cells.divergence(draws))


def test_coarse_divergence_is_below_the_full_one():
    truth = a_gaussian()
    q = MultivariateNormal(torch.tensor([0.1, -0.1]), torch.tensor([[0.1, 0.0], [0.0, 0.1]]))
    p = MultivariateNormal(torch.zeros(2), torch.tensor([[0.3, 0.2], [0.2, 0.25]]))
    draws = q.mean + torch.randn(50_000, 1, 2, generator=rng.seeded(3)) * 0.1**0.5
    coarse = Cells(truth).divergence(draws).item()
    assert 0.5 * kl_divergence(q, p) < coarse < kl_divergence(q, p)


def test_the_race_counts_evaluations_and_throws_the_first_half_away(race):
    race.begin()
    starts = race.truth.mean.float().expand(4, 6, 2)
    race.walk("Metropolis", chains.metropolis(race.log_joint, starts, rng.seeded(4), step_size=0.03), at=(10, 40))
    assert [entry.evaluations for entry in race.entries[-2:]] == [4 + 40, 4 + 160]  # the start is looked at once
    again = chains.collect(chains.metropolis(race.log_joint, starts, rng.seeded(4), step_size=0.03), 40).z
    torch.testing.assert_close(race.last("Metropolis").divergence, race.cells.divergence(again[20:].flatten(0, 1)))


def test_the_look_around_finds_the_best_of_each_chains_draws(race):
    starts, (_, evaluations) = race.look_around(rng.seeded(5), chains=2, each=50)
    z = torch.randn(100, 2, generator=rng.seeded(5)).float()
    values = race.model.log_joint(race.x, z[:, None].expand(100, 6, 2))
    assert evaluations == 100
    for chain in range(2):
        part = slice(50 * chain, 50 * chain + 50)
        torch.testing.assert_close(starts[chain], z[part][values[part].argmax(0)])


def test_the_banana_is_a_density_with_known_divergences():
    target = Banana(0.7, 0.6)
    points = torch.cartesian_prod(torch.arange(-6, 6, 0.04), torch.arange(-8, 30, 0.04))
    log_p = target.log_density(points)
    assert (log_p.logsumexp(0) + 2 * math.log(0.04)).exp().item() == pytest.approx(1, abs=1e-4)
    q = Normal(torch.tensor([0.0, -0.2]), torch.tensor([0.8, 0.7]))
    log_q = q.log_prob(points).sum(-1)
    area = 0.04**2
    assert (log_q.exp() * (log_q - log_p)).sum() * area == pytest.approx(target.reverse(-0.2, 0.8, 0.7), abs=1e-3)
    assert (log_p.exp() * (log_p - log_q)).sum() * area == pytest.approx(target.forward(-0.2, 0.8, 0.7), abs=1e-3)


@pytest.mark.parametrize(("bend", "thickness"), [(0.0, 0.5), (1.0, 0.5), (3.0, 0.2)])
def test_no_mean_field_gaussian_beats_the_best(bend, thickness):
    target = Banana(bend, thickness)
    mean, first, second = target.best_mean_field()
    best = target.reverse(mean, first, second)
    for factor in (0.97, 1.03):
        assert target.reverse(mean + factor - 1, first, second) > best
        assert target.reverse(mean, first * factor, second) > best
        assert target.reverse(mean, first, second * factor) > best


def test_draws_of_the_banana_fill_its_cells_evenly():
    target = Banana()
    counts = torch.bincount(target.cell(target.sample(16_000, rng.seeded(6))), minlength=16)
    assert ((counts - 1000) / 1000**0.5).abs().max() < 5


def test_the_right_langevin_step_is_the_librarys():
    target = Banana()
    point = evaluate(target.log_density, target.sample(50, rng.seeded(7)))
    ours = experiments.langevin_with(1, 1)(target.log_density, point, rng.seeded(8), 0.5)
    theirs = langevin_step(target.log_density, point, rng.seeded(8), 0.5)
    torch.testing.assert_close(ours.point.z, theirs.point.z)
    assert 0 < ours.accepted.sum() < 50


@pytest.mark.parametrize("seed", range(6))
def test_planted_faults_are_told_by_balance_or_by_acceptance(seed):
    right, both, walk, ratio = (experiments.inspect(experiments.langevin_with(*signs), 0.5, seed)
                                for signs in ((1, 1), (-1, -1), (-1, 1), (1, -1)))
    assert abs(right.imbalance) < 5 > abs(both.imbalance)
    assert min(walk.imbalance, ratio.imbalance) > 20
    assert both.acceptance < right.acceptance - 0.2


def test_a_wrong_sign_in_both_places_still_settles_on_the_banana():
    z = experiments.settle(experiments.langevin_with(-1, -1), 0.5, 400, seed=1)
    share = torch.bincount(Banana().cell(z), minlength=16) / len(z)
    assert torch.special.xlogy(share, 16 * share).sum() < 0.03


def test_r_hat_sees_chains_apart_and_misses_a_mode_that_nobody_visits(race):
    modes = experiments.two_parts(race.truth, 3)  # digit 33
    assert modes.masses.sum().item() == pytest.approx(1)
    assert 0.55 < modes.masses[0] < 0.7
    exact = race.truth.sample(4000, rng.seeded(9))[:, 3]
    assert modes.share(exact) == pytest.approx(modes.masses[0].item(), abs=0.04)
    apart, together = (experiments.chains_from(race.model, race.x[3], modes.centres[order], seed=1, draws=200)
                       for order in ([0, 1, 0, 1], [0, 0, 0, 0]))
    assert diagnostics.r_hat(apart).max() > 1.5
    assert diagnostics.r_hat(together).max() < 1.03
    assert modes.share(together) == 1


def test_a_fitted_gaussian_raises_the_bound_and_neighbours_are_others(race):
    q = experiments.fit_gaussian(race.log_joint, race.truth.mean.float(), rng.seeded(10), steps=60)
    assert race.cells.divergence(q.sample(1000, rng.seeded(11))).median() < 0.1
    places = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.2, 0.0]])
    assert experiments.nearest_other(places).tolist() == [1, 2, 1]
    seconds = experiments.seconds_one_by_one(race.model, race.x, race.truth.mean.float(), [1])
    assert len(seconds) == 1
    assert seconds[0] > 0


def test_overconfidence_is_that_of_the_closed_form():
    covariance = torch.tensor([[2.0, 0.9], [0.9, 1.0]])
    rho = 0.9 / math.sqrt(2.0)
    torch.testing.assert_close(too_sure(covariance), torch.full((2,), 1 / math.sqrt(1 - rho**2)))


@pytest.mark.parametrize("answer", [[[1.0, 0.0]], [[1.0, math.nan], [math.nan, 1.0]]])
def test_what_is_no_covariance_is_told_so(answer):
    assert "covariance matrix" in str(check.overconfident(lambda factor: torch.tensor(answer)))


def test_the_bound_of_the_explorer_lies_below_the_evidence_and_touches_nothing_else():
    model, here = scene("an ellipse")
    nodes, log_weights = oracle.gauss_hermite(8, 2)
    root = torch.linalg.cholesky(here.covariance)
    bound = elbo_by_quadrature(model, here.x, here.mean, root, nodes, log_weights)
    assert here.log_evidence - 0.2 < bound < here.log_evidence + 1e-3
    truth = exact_posteriors(model, here.x)
    assert truth.log_evidence.item() == pytest.approx(here.log_evidence, abs=1e-3)


def test_the_explorers_tell_what_the_text_claims():
    banana = explorers.mean_field_banana()
    banana.set(bend=0.0)
    banana.press("best")
    assert "KL(q || p) = 0.00" in banana.alt
    banana.set(bend=2.0)
    banana.press("best")
    assert int(banana.alt.split("holds ")[-1].split("%")[0]) <= 52
    watch = explorers.watch_chains()
    watch.set(sampler="Metropolis", step=0.005, frame=10)
    assert int(watch.alt.split("%")[0].split()[-1]) > 80
