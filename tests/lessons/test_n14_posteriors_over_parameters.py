"""The experiments of lesson 14, held against enumeration, quadrature and closed forms."""

import itertools
import math

from course_lib import datasets, rng
from course_lib.functional import log_mean_exp
from course_lib.inference import chains, oracle
from course_lib.lessons.n14_posteriors_over_parameters import (
    check,
    components,
    credible,
    explorers,
    langevin,
    learning_curve,
    network,
    two_weights,
)
from course_lib.lessons.n14_posteriors_over_parameters.components import Prior
from course_lib.lessons.n14_posteriors_over_parameters.exercises import grid_posterior, laplace_log_evidence
from course_lib.lessons.n14_posteriors_over_parameters.functions import bumps, fit_functions
from course_lib.lessons.n14_posteriors_over_parameters.reverse import uncertainty
from course_lib.lessons.n14_posteriors_over_parameters.step import sgld_step
from course_lib.models.mlp import mlp

import pytest
import torch
from scipy.integrate import dblquad
from scipy.stats import gamma, multivariate_normal, norm

X, Y = (part.double() for part in two_weights.patients())
GALAXIES = datasets.galaxies()[:, 0].double()


def test_the_evidence_of_two_weights_is_an_integral():
    def density(second, first):
        logits = X[:8].numpy() @ [first, second]
        likelihood = 1 / (1 + torch.from_numpy((1 - 2 * Y[:8].numpy()) * logits).exp())
        return float(likelihood.prod()) * norm.pdf(first, scale=2) * norm.pdf(second, scale=2)

    truth, _ = dblquad(density, -12, 12, -12, 12, epsabs=1e-7)
    points, log_weights = oracle.grid(-12, 12, 150, 2)
    masses, found = grid_posterior(points, X[:8], Y[:8], 2.0, log_weights[0].exp().item())
    assert found.item() == pytest.approx(math.log(truth), abs=1e-4)
    assert masses.sum().item() == pytest.approx(1)


def test_the_first_sixteen_patients_are_parted_by_a_line_and_seventeen_more_are_not():
    path = two_weights.climb(X[:16], Y[:16], steps=4000, rate=5.0)
    assert (((2 * Y[:16] - 1) * (X[:16] @ path[-1])) > 0).all()
    assert path[-1].norm() > 1.3 * path[1000].norm()
    settled = two_weights.climb(X[:64], Y[:64], steps=4000, rate=5.0)
    assert settled[-1].norm().item() == pytest.approx(settled[1000].norm().item(), rel=1e-3)


@pytest.mark.slow
def test_the_windows_hold_the_posterior_and_the_samplers_reach_their_floor():
    for (size, scale), one in two_weights.beside().items():
        points, area = two_weights.window(torch.full((2,), -8 * scale), torch.full((2,), 8 * scale), 400)
        whole = two_weights.log_joint(points, X[:size], Y[:size], scale).logsumexp(0).item() + math.log(area)
        assert one.log_evidence == pytest.approx(whole, abs=0.03)
        assert one.masses.sum().item() == pytest.approx(1)
        assert one.kl["HMC"] < 4 * one.floor
        assert one.kl["importance sampling"] < 2 * one.floor
        assert one.kl["full-covariance VI"] <= one.kl["Laplace"] + 1e-3


def test_what_the_first_explorers_answers_say():
    found = two_weights.beside()
    assert found[128, 5.0].kl["Laplace"] < 0.1 * found[4, 5.0].kl["Laplace"]
    assert found[4, 0.5].kl["Laplace"] < 0.001
    assert found[16, 5.0].kl["mean-field VI"] < found[16, 5.0].kl["Laplace"]
    assert found[64, 0.5].kl["mean-field VI"] > found[64, 0.5].kl["Laplace"]


def test_bins_keep_the_mass():
    masses = torch.rand(two_weights.FINE**2, generator=rng.seeded(0)).softmax(0)
    binned = two_weights.binned(masses).reshape(two_weights.BINS, two_weights.BINS)
    assert binned.sum().item() == pytest.approx(1)
    assert binned[0, 0].item() == pytest.approx(masses.reshape(120, 120)[:10, :10].sum().item())
    lower, upper = torch.zeros(2), torch.ones(2)
    found = two_weights.histogram(torch.tensor([[0.05, 0.99], [0.3, 2.0]]), torch.tensor([0.25, 0.75]), lower, upper)
    assert found[11] == 0.25
    assert found[3 * 12 + 11] == 0.75


def test_enough_cells_are_enough():
    cells, error = two_weights.cells_needed(X[:16], Y[:16], 2.0, 0.01)
    assert error <= 0.01
    fewer = two_weights._log_evidence(X[:16], Y[:16], 2.0, cells - 1)
    assert abs(fewer - two_weights._log_evidence(X[:16], Y[:16], 2.0, 400)) > 0.01


def test_an_average_of_one_draw_is_the_plug_in():
    data = learning_curve.splits(3, seed=0)
    assert data.x.shape == (3, 270, 14)
    assert (data.x[..., -1] == 1).all()
    at_mode, averaged, _ = learning_curve._losses(data, 160, 1.0)
    assert (at_mode - averaged).abs().max() < 0.05
    loss, parted = learning_curve.nearly_maximum_likelihood(data)
    assert parted[0].all()
    assert not parted[-1].any()
    assert loss[-1].max() < 1


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_evidence_of_components_is_a_sum_over_all_allocations(size):
    x, prior = GALAXIES[[0, 5, 30, 31, 70]], Prior(1.5, spread=6.0)
    terms = []
    for allocation in itertools.product(range(size), repeat=len(x)):
        labels = torch.tensor(allocation)
        counts = torch.bincount(labels, minlength=size)
        names = math.lgamma(size) + sum(math.lgamma(n + 1) for n in counts.tolist()) - math.lgamma(size + len(x))
        terms.append(names + sum(_one_cluster(x[labels == k], prior) for k in range(size) if counts[k]))
    truth = torch.tensor(terms).logsumexp(0).item()
    found = components.log_evidence(x, size, prior, rng.seeded(size), particles=3000)
    value, error = components.combine(found.log_evidence)
    assert abs(value - truth) < 5 * error + 1e-9
    assert ((found.occupied < size + 1e-9) & (found.occupied > 1 - 1e-9)).all()


def _one_cluster(x: torch.Tensor, prior: Prior) -> float:
    """log p(x) of one cluster by quadrature over its precision: the mean is Gaussian and goes by hand."""
    precision = torch.linspace(1e-4, 12, 40_001)[1:]
    weight = torch.from_numpy(gamma.pdf(precision.numpy(), 2, scale=1 / prior.width**2))
    shape = torch.eye(len(x)) + 1 / prior.kappa  # covariance times precision
    unit = multivariate_normal(torch.full((len(x),), prior.centre).numpy(), shape.numpy())
    square = (x - prior.centre) @ torch.linalg.solve(shape, x - prior.centre)
    height = unit.logpdf(x.numpy()) + 0.5 * square + 0.5 * len(x) * precision.log() - 0.5 * precision * square
    return ((height.exp() * weight).sum() * (precision[1] - precision[0])).log().item()


def test_one_component_needs_no_guessing_and_orders_do_not_matter():
    found = components.log_evidence(GALAXIES, 1, Prior(1.0), rng.seeded(0), particles=10)
    assert found.log_evidence.std() < 1e-9
    assert _one_cluster(GALAXIES, Prior(1.0)) == pytest.approx(found.log_evidence[0].item(), abs=1e-3)


def test_estimates_are_combined_as_means_of_evidences():
    value, error = components.combine(torch.tensor([0.0, math.log(3)]))
    assert value == pytest.approx(math.log(2))
    assert error == pytest.approx(0.5)


def test_the_stationary_variance_is_that_of_a_long_chain():
    line = langevin.eruptions()
    deviation = line.precision.item() ** -0.5
    for step, batch in ((0.9, None), (0.4, 16)):
        value, error = langevin.measured_variance(line, step * deviation, batch, rng.seeded(3), number=800, draws=40)
        assert abs(value - langevin.stationary_variance(line, step * deviation, batch)) < 5 * error
    exact = 1 / (1 - 0.9**2 / 4) / line.precision.item()
    assert langevin.stationary_variance(line, 0.9 * deviation) == pytest.approx(exact)


def test_a_slope_is_found():
    steps = torch.tensor([0.1, 0.2, 0.4])
    made = langevin.Bias(steps, steps**2, 3 * steps**2, 0.01 * steps**2)
    assert langevin.slope(made) == pytest.approx(2)


def test_the_exercises_step_is_the_librarys():
    line, g = langevin.eruptions(), rng.seeded(7)
    w = torch.tensor([[0.3]])
    process = chains.stochastic_gradient_langevin(lambda z, _: line.log_joint(z), w, rng.seeded(7), step_size=0.02)
    rows = (line.x * (line.y - 0.3 * line.x) / line.noise**2)[:, None]
    mine = sgld_step(w[0], -w[0], rows, len(line.x), 0.02, torch.randn(1, 1, generator=g)[0])
    torch.testing.assert_close(next(process).z[0], mine)


def test_laplace_is_exact_for_a_gaussian():
    precision = torch.tensor([[2.0, 0.5], [0.5, 1.0]])
    found = laplace_log_evidence(torch.tensor(-1.0), torch.tensor(-2.0), -precision)
    assert found.item() == pytest.approx(-3 - multivariate_normal([0, 0], precision.inverse().numpy()).logpdf([0, 0]))


def test_functions_are_a_gaussian_process():
    points = [[-2.0, 0.5], [-1.0, 0.2], [0.4, -0.7], [0.5, -0.6]]
    fit = fit_functions(points, 0.3, 1.4)
    x, y = torch.tensor(points).mT
    covariance = 1.4**2 * bumps(x) @ bumps(x).mT + 0.09 * torch.eye(4)
    assert fit.log_evidence == pytest.approx(multivariate_normal(torch.zeros(4).numpy(), covariance.numpy()).logpdf(y))
    new = torch.tensor([0.0, 2.5])
    cross = 1.4**2 * bumps(new) @ bumps(x).mT
    mean, deviation = fit.at(new)
    torch.testing.assert_close(mean, cross @ torch.linalg.solve(covariance, y))
    variance = 1.4**2 * bumps(new).square().sum(-1) - (cross * torch.linalg.solve(covariance, cross.mT).mT).sum(-1)
    torch.testing.assert_close(deviation.square(), variance)
    assert abs(fit_functions([], 0.3, 1.4).log_evidence) < 1e-12


def test_the_bands_width_does_not_care_about_heights():
    low, high = (fit_functions([[0.0, y], [1.0, 0.3]], 0.2, 1.0).at(torch.tensor([0.7]))[1] for y in (-2.0, 2.0))
    torch.testing.assert_close(low, high)


def test_a_credible_interval_keeps_its_promise_on_average_over_the_prior():
    chances = (torch.arange(20_000) + 0.5) / 20_000
    covered = credible.coverage(10, chances)
    assert covered.mean().item() == pytest.approx(0.9, abs=1e-3)
    assert covered.min() < 0.8
    assert credible.coverage(10, torch.tensor([0.5])).item() == pytest.approx(912 / 1024)


def test_the_network_is_torchs_and_never_sees_a_summer():
    learn, held = network.days()
    day = 105 * learn.x + 182.5
    assert not ((day >= network.GAP[0]) & (day < network.GAP[1])).any()
    w = network.weights(torch.randn(3, network.PARAMETERS, generator=rng.seeded(0)))
    layers = mlp((1, 16, 1), rng.seeded(1), torch.nn.Tanh)
    with torch.no_grad():
        for part, value in zip(layers.parameters(), w[1].split([16, 16, 16, 1, 1])):
            part.copy_(value.reshape(part.shape))
        torch.testing.assert_close(network.network(w, learn.x[0])[1], layers(learn.x[0][:, None])[:, 0])
    assert [part.x.shape[0] for part in held.values()] == [network.SETS] * 3
    torch.testing.assert_close(network.network(network.weights(torch.zeros(50)), learn.x), torch.zeros_like(learn.x))


def test_the_prior_of_the_network_is_normal():
    learn, _ = network.days()
    u = torch.randn(2, network.SETS, network.PARAMETERS, generator=rng.seeded(1))
    nothing = network.Days(*(part[:, :0] for part in learn[:2]), *learn[2:])
    torch.testing.assert_close(network.log_joint(u, nothing), -0.5 * u.square().sum(-1))


def test_one_network_is_judged_alike_as_plug_in_and_as_the_average_of_one():
    _, held = network.days()
    data = held[network.PLACES[0]]
    w = network.weights(torch.randn(network.SETS, network.PARAMETERS, generator=rng.seeded(4)))
    single, many = network.judge_plug_in(w, data), network.judge(w.expand(4000, -1, -1), data)
    torch.testing.assert_close(single.log_density, many.log_density)
    assert (single.covered - many.covered).abs().mean() < 0.02
    truth = norm(network.network(w, data.x).numpy(), w[:, -1:].exp().numpy())
    torch.testing.assert_close(single.log_density, torch.from_numpy(truth.logpdf(data.y.numpy())) - data.spread.log())


def test_a_wave_a_year_covers_what_it_was_made_of():
    day = torch.arange(0.0, 365.0, 3.0)
    g = rng.seeded(2)
    y = (2 * math.pi * day / 365.25).sin() + 0.3 * torch.randn(network.SETS, len(day), generator=g)
    one = torch.ones(network.SETS, 1)
    learn = network.Days(network.standard(day).expand(network.SETS, -1), y, 0 * one, one)
    again = learn._replace(y=(2 * math.pi * day / 365.25).sin() + 0.3 * torch.randn(y.shape, generator=g))
    covered = network.judge_year(learn, again).covered.mean().item()
    assert covered == pytest.approx(0.9, abs=5 * (0.09 / y.numel()) ** 0.5)


def test_highest_points_are_higher_than_where_they_began():
    learn, _ = network.days()
    found = [network.highest_points(learn, prior, starts=2, steps=60) for prior in (True, False)]
    nats = [network.judge_plug_in(w, learn).log_density.mean() for w in found]
    assert nats[1] > nats[0] - 0.05 > -4


def test_draws_keep_their_shape_and_fit():
    learn, _ = network.days()
    draws = network.posterior_draws(learn, number=2, warm_up=20, draws=8)
    assert draws.shape == (8, 2, network.SETS, 3, network.PARAMETERS)
    fits = log_mean_exp(network.judge(draws[..., -1, :].flatten(0, 1), learn).log_density)
    assert fits.isfinite().all()


def test_a_contradiction_unsettles():
    new = X[19]
    before, after = uncertainty(X[:16], Y[:16], new), uncertainty(
        torch.cat([X[:16], new[None]]), torch.cat([Y[:16], torch.zeros(1)]), new)
    assert before[0] > 0.9
    assert after[1] > 2 * before[1]
    assert check.unsettling_patient(lambda x, y, new: ([float(new[0]), float(new[1])], 0)).passed


def test_the_second_explorer_adds_and_removes():
    functions = explorers.draw_functions()
    functions.press("add")
    assert "after 4 points" in functions.alt
    functions.press("clear")
    functions.press("remove")
    assert "no data yet" in functions.alt
    for _ in range(45):
        functions.press("add")
    assert "after 40 points" in functions.alt


def test_what_the_second_explorers_answers_say():
    def best(points):
        scales = [0.1 * k for k in range(1, 31)]
        return max(scales, key=lambda scale: fit_functions(points, 0.2, scale).log_evidence)

    calm = [[-2.0, 0.5], [-1.2, -0.6], [1.6, 0.9]]
    assert best(calm) == pytest.approx(0.6)
    assert best([*calm, [0.0, 2.8]]) > 1.2


def test_bic_is_that_of_notebook_08():
    assert int(components.bic_by_components(GALAXIES, 5).argmin()) + 1 == 3
