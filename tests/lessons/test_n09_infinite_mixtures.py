"""The experiments of lesson 09, held against scipy, quadrature and closed forms; the claims of its text."""

import math

from course_lib import datasets, metrics, rng
from course_lib.functional import gamma_log_prob
from course_lib.lessons.n09_infinite_mixtures import check, earthquakes, experiments, explorers
from course_lib.lessons.n09_infinite_mixtures.explorers import LEVELS, mixing_weights, moments, scales, student_bars
from course_lib.lessons.n09_infinite_mixtures.reverse import _grid, mass, tail
from course_lib.models import ProbabilisticPCA

import pytest
import torch
from scipy import stats

CHANGE = datasets.smokers().weight_change[:, None].double()
RIDGECREST = earthquakes.counts(datasets.ridgecrest()).double()
WORLD = earthquakes.counts(datasets.usgs_week()).double()


def test_the_climb_finds_scipys_student():
    model = experiments.fitted_student(CHANGE)
    found = [model.log_freedom.exp().item(), model.loc.item(), model.log_scale.exp().item()]
    assert found == pytest.approx(stats.t.fit(CHANGE[:, 0].numpy()), rel=1e-3)


def test_what_is_held_out_is_not_learnt_from():
    """Wild rows would ruin every fit that had seen them: each alone in its fold, the Gaussian's loss is known."""
    x = torch.cat([rng.randn((30, 1), rng.seeded(0), CHANGE), torch.tensor([[1e3]])])
    gains = experiments.held_out_gain(x, 31, rng.seeded(1))
    clean = x[:-1]
    gaussian = stats.norm.logpdf(1e3, clean.mean().item(), clean.std(correction=0).item())
    student = experiments.fitted_student(clean).log_prob(x[-1:]).item()
    assert gains[-1].item() == pytest.approx(student - gaussian, rel=1e-3)


@pytest.mark.parametrize("absorbed", [False, True])
def test_a_gauss_rule_of_many_nodes_is_exact(absorbed):
    errors = experiments.gauss_error(4.0, 1.0, [2, 60], absorbed)
    assert errors[0] > 1e-4
    assert errors[1] < (1e-12 if absorbed else 1e-4)


def test_the_root_in_the_weight_is_the_better_rule_and_random_draws_the_worst():
    t4 = experiments.student(4.0)
    best = experiments.gauss_error(4.0, 3.0, [32], absorbed=True)
    left = experiments.gauss_error(4.0, 3.0, [32], absorbed=False)
    shares = experiments.quantile_error(t4, 3.0, [32])
    random = experiments.random_error(t4, 3.0, [32], 400, rng.seeded(0)).square().mean(-1).sqrt()
    assert best < 1e-10 < left < shares < random


def test_random_components_err_as_a_mean_does():
    """The standard deviation of one term over the root of K, relative to p(3)."""
    t4, at = experiments.student(4.0), torch.tensor([[3.0]])
    z = torch.linspace(0, 1, 100_002)[1:-1]
    terms = t4.log_likelihood(at, t4.prior.quantiles(z)[:, None, None]).exp()[:, 0]
    expected = terms.std() / t4.log_prob(at).exp() / 64**0.5
    found = experiments.random_error(t4, 3.0, [64], 4000, rng.seeded(1)).square().mean(-1).sqrt()
    assert found.item() == pytest.approx(expected.item(), rel=0.08)


def test_the_gap_is_a_divergence():
    """Against a Monte Carlo estimate, and infinite where the second moment is."""
    t4 = experiments.student(4.0)
    x = t4.sample(200_000, rng.seeded(2))
    found = metrics.estimate(t4.log_prob(x) - t4.finite_log_prob(x, 8))
    assert abs(found.value - experiments.gap(t4, 8)) < 5 * found.error
    assert experiments.gap(experiments.student(2.0), 8) == math.inf


def test_the_powers_of_k_near_their_limits():
    t4, counts = experiments.student(4.0), [2**k for k in range(8, 15)]
    at_a_point = experiments.slope(counts, experiments.quantile_error(t4, 3.0, counts)).value
    in_nats = experiments.slope(counts[:3], torch.tensor([experiments.gap(t4, count) for count in counts[:3]])).value
    assert -1.25 < at_a_point < -1.15
    assert -1.05 < in_nats < -1


def test_a_slope_is_a_regression_of_logs():
    counts, values = [2, 4, 8, 16], torch.tensor([3.0, 1.0, 0.7, 0.2])
    theirs = stats.linregress(torch.tensor(counts).log().numpy(), values.log().numpy())
    assert tuple(experiments.slope(counts, values)) == pytest.approx((theirs.slope, theirs.stderr))
    exact = torch.tensor(counts, dtype=torch.float64)[:, None].rsqrt() * torch.ones(4, 6)
    assert tuple(experiments.slope_of_groups(counts, exact, 3)) == pytest.approx((-0.5, 0), abs=1e-12)


def test_filled_in_is_the_conditional_gaussian():
    model, g = ProbabilisticPCA(6, 2).requires_grad_(False), rng.seeded(3)
    model.weight.copy_(rng.randn((6, 2), g, model.weight))
    model.log_scale.fill_(-0.4)
    x, seen = rng.randn((5, 6), g, model.weight), torch.tensor([True, False, True, True, False, True])
    whole = experiments.part_log_prob(model, x, torch.ones(6, dtype=torch.bool))
    torch.testing.assert_close(whole, model.log_prob(x))
    filled = experiments.fill(model, x, seen)
    rest = torch.stack([
        torch.distributions.MultivariateNormal(mean, filled.covariance).log_prob(row)
        for mean, row in zip(filled.mean, x[:, ~seen])
    ])
    torch.testing.assert_close(whole, experiments.part_log_prob(model, x, seen) + rest)


def test_coverage_of_the_right_gaussian():
    g, covariance = rng.seeded(4), torch.diag(torch.tensor([1.0, 4.0]))
    filled = experiments.Filled(torch.zeros(4000, 2), covariance)
    found = experiments.coverage(filled, rng.randn((4000, 2), g, covariance) * torch.tensor([1.0, 2.0]))
    assert abs(found.value - 0.95) < 5 * found.error


def test_hours_are_counted():
    times = datasets.ridgecrest().time
    assert RIDGECREST.shape == (earthquakes.HOURS, 1)
    assert RIDGECREST[0] == (times < 1).sum()
    assert RIDGECREST.sum() == (times < earthquakes.HOURS).sum()


def test_the_negative_binomial_is_at_its_maximum():
    model = earthquakes.fitted_counts(RIDGECREST)
    r, m = model.log_concentration.exp().item(), model.log_mean.exp().item()
    assert m == pytest.approx(RIDGECREST.mean().item(), rel=1e-4)  # the maximum of the mean is the mean
    best = stats.nbinom.logpmf(RIDGECREST.numpy(), r, r / (r + m)).sum()
    for other in (0.98 * r, 1.02 * r):
        assert stats.nbinom.logpmf(RIDGECREST.numpy(), other, other / (other + m)).sum() < best


def test_the_law_of_omori_is_found_again():
    hours = torch.arange(earthquakes.HOURS).double()
    truth = 60 * (hours + 0.5 + 1.5) ** -0.7
    x = rng.poisson(100 * truth, rng.seeded(5))[:, None]  # many earthquakes: little noise
    law = earthquakes.fitted(earthquakes.Omori(), earthquakes.with_hours(x))
    torch.testing.assert_close(law.rate(hours) / 100, truth, rtol=0.03, atol=0)


def test_mixed_rates_of_one_value_are_a_poisson():
    mixed = earthquakes.mixed_log_prob(WORLD, torch.full((7,), 9.5))
    torch.testing.assert_close(mixed, torch.from_numpy(stats.poisson.logpmf(WORLD[:, 0].numpy(), 9.5)))


def test_blocks_are_the_units_of_the_error():
    gains = torch.randn(4, generator=rng.seeded(6)).repeat_interleave(earthquakes.BLOCK)
    totals = metrics.estimate(gains[:: earthquakes.BLOCK])
    assert tuple(earthquakes.by_blocks(gains)) == pytest.approx(tuple(totals))


def test_the_claims_about_two_weeks():
    """The world is Poisson up to chance, Ridgecrest far from it; Omori's law leaves the neighbours uncorrelated."""
    poisson = earthquakes.dispersion_of_poisson(10.0, 500, rng.seeded(7))
    assert poisson.mean().item() == pytest.approx(1, abs=0.03)
    assert earthquakes.dispersion(WORLD) < poisson.quantile(0.975)
    assert earthquakes.dispersion(RIDGECREST) > 2 * poisson.max()
    law = earthquakes.fitted(earthquakes.Omori(), earthquakes.with_hours(RIDGECREST))
    rate = law.rate(torch.arange(earthquakes.HOURS).double())
    assert earthquakes.neighbours(RIDGECREST) > 0.7
    assert earthquakes.neighbours(((RIDGECREST[:, 0] - rate) / rate.sqrt())[:, None]) < 0.2
    better = earthquakes.held_out_gains(RIDGECREST, omori=True) - earthquakes.held_out_gains(RIDGECREST)
    assert earthquakes.by_blocks(better).value > 0.2


def test_em_from_the_first_two_axes_rests_below_the_maximum():
    x, _ = datasets.optical_digits("training")
    x = x.double()
    assert (x[:, 0] == 0).all()
    model = ProbabilisticPCA(64, 2).requires_grad_(False)
    model.maximise(x, model.posterior(x))
    assert model.weight[:, 0].abs().max() < 1e-12


@pytest.mark.parametrize(("freedom", "power"), [(1.0, 2.0), (2.0, 3.0), (5.0, 6.0)])
def test_the_tail_of_students_t(freedom, power):
    log_prior = experiments.student(freedom).prior.log_prob(_grid())
    assert mass(log_prior, _grid()) == pytest.approx(1, abs=1e-4)
    assert tail(log_prior, _grid()) == pytest.approx(power, abs=1e-3)


def test_any_heavy_enough_prior_passes():
    def log_cauchy_like(z):  # p(z) = 1 / (z (log z)²) below 1 / e: heavier than any power
        s = z.log()
        return torch.where(s < -1, -s - 2 * (-s).clamp_min(1).log(), -torch.inf)

    def uniform_of_a_power(z):  # z = u^4 with u uniform: a = 1/4
        return torch.where(z < 1, -0.75 * z.log() - math.log(4), -torch.inf)

    assert check.heavy_prior(uniform_of_a_power).passed
    assert check.heavy_prior(log_cauchy_like).passed
    beyond = check.heavy_prior(lambda z: gamma_log_prob(z, torch.tensor(0.005), torch.tensor(0.005)))
    assert "mass beyond these ends" in str(beyond)


def test_the_bars_are_a_mixture_of_gaussians():
    weights = mixing_weights(student_bars(4.0))
    assert weights.sum().item() == pytest.approx(1)
    assert len(scales()) == len(weights)
    facts = moments(weights)
    n = 400_000
    s = scales()[torch.multinomial(weights, n, True, generator=rng.seeded(8))]
    x = s * rng.randn((n,), rng.seeded(9), s)
    assert x.std().item() == pytest.approx(facts["sd"], rel=0.01)
    assert (x.abs() > 4 * facts["sd"]).double().mean().item() == pytest.approx(facts["beyond"], rel=0.1)
    assert mixing_weights([0.0] * len(LEVELS)).std() < 1e-12  # nothing drawn: all alike, and no division by zero


def test_no_bars_are_lighter_than_a_gaussian():
    for seed in range(50):
        heights = torch.rand(len(LEVELS), generator=rng.seeded(seed)) ** 4
        assert moments(mixing_weights(heights.tolist()))["kurtosis"] > 0


def test_the_answers_to_the_first_explorer():
    shown = explorers.k_to_infinity()
    shown.set(components=64, freedom="1")
    assert "beyond all limits" in shown.alt
    gaps = {freedom: [experiments.gap(experiments.student(freedom), k) for k in (32, 64)] for freedom in (4.0, 30.0)}
    assert 0.45 < gaps[4.0][1] / gaps[4.0][0] < 0.55
    assert gaps[30.0][1] / gaps[30.0][0] < 0.4


def test_the_tails_do_not_come_from_the_two_groups():
    quitters = datasets.smokers().quit.bool()
    for who in (quitters, ~quitters):
        assert experiments.fitted_student(CHANGE[who]).log_freedom.exp() < 10


@pytest.mark.parametrize(("latents", "sign"), [(2, -1), (8, -1), (32, 1)])
def test_half_a_digit_harms_with_few_latents_and_helps_with_many(latents, sign):
    x, new = (datasets.optical_digits(writers)[0].double() for writers in ("training", "new"))
    model, upper = ProbabilisticPCA(64, latents).requires_grad_(False), torch.arange(64) < 32
    model.maximise(x)
    parts = sum(experiments.part_log_prob(model, new, half) for half in (upper, ~upper))
    learnt = metrics.estimate(model.log_prob(new) - parts)
    assert sign * learnt.value > 5 * learnt.error


def test_the_first_block_makes_most_of_the_gain():
    gains = earthquakes.held_out_gains(RIDGECREST)
    assert gains[: earthquakes.BLOCK].sum() > 0.5 * gains.sum()
