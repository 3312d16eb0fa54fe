"""The experiments of lesson 08, held against the library and against closed forms."""

from course_lib import datasets, metrics, rng
from course_lib.lessons.n08_mixtures import check, experiments, explorers
from course_lib.lessons.n08_mixtures.explorers import bound_and_evidence, outlines
from course_lib.models import Gaussian, GaussianMixture
from course_lib.training import expectation_maximisation, fit

import pytest
import torch

GALAXIES = datasets.galaxies()[:, 0].double()


@pytest.mark.parametrize("tied", [False, True])
def test_many_starts_side_by_side_are_the_librarys_em(tied):
    many = experiments.em_many_starts(GALAXIES, 3, starts=4, generator=rng.seeded(5), tied=tied, variance_floor=0.01,
                                      steps=30)
    start = experiments.random_starts(GALAXIES, 3, 4, rng.seeded(5), tied)
    for run in range(4):
        model = GaussianMixture(3, 1, tied=tied)
        with torch.no_grad():
            model.loc.copy_(start.loc[run, :, None])
            model.log_scale.copy_(start.log_scale[run, :, None])
        history = fit(expectation_maximisation(model, GALAXIES[:, None], steps=30, variance_floor=0.01))
        torch.testing.assert_close(many.loc[run], model.loc[:, 0].detach())
        torch.testing.assert_close(many.log_scale[run], model.log_scale[:, 0].detach())
        assert many.log_likelihood[run].item() == pytest.approx(-82 * history["loss"][-1])


def test_held_out_rows_are_not_learnt_from():
    """An outlier of 1e6 would ruin every fit that had seen it; only its own fold's score may suffer."""
    x = torch.cat([GALAXIES, torch.tensor([1e6])])
    clean = experiments.held_out_by_components(x, 1, tied=False, variance_floor=0.0, seed=0, folds=83, starts=1)
    alone = Gaussian(1)
    alone.maximise(GALAXIES[:, None])
    assert clean[0, -1].item() == pytest.approx(alone.log_prob(torch.tensor([[1e6]])).item())


def test_held_out_scores_differ_from_training_scores():
    held = experiments.held_out_by_components(GALAXIES, 2, tied=False, variance_floor=0.01, seed=0, folds=5, starts=5)
    trained = experiments.em_many_starts(GALAXIES, 1, starts=1, generator=rng.seeded(0))
    assert held.shape == (2, 82)
    assert held[0].sum().item() < trained.log_likelihood.item()
    assert held[1].mean() > held[0].mean()


def test_falls_are_the_deepest_drops():
    runs = torch.tensor([[0.0, 2.0, 1.5, 3.0], [0.0, 1.0, 1.0, 2.0]])
    assert experiments.falls(runs).tolist() == [0.5, 0.0]
    assert experiments.falls(experiments.climbs(GALAXIES, 3, starts=20, generator=rng.seeded(0), steps=40)).max() < 1e-9


def test_the_planted_fault_falls_and_the_mended_step_does_not():
    def mended(x, r, means):
        return (r * (x[:, None] - means).square()).sum() / len(x)

    faulty, right = (
        experiments.falls(torch.tensor([experiments.climb_with(GALAXIES, 3, seed, step) for seed in range(40)]))
        for step in (experiments.colleagues_variance, mended)
    )
    assert (faulty > 1e-3).sum() > 5
    assert right.max() < 1e-9


def test_standard_errors_are_those_of_the_textbook():
    """One component: the errors of a mean and of a standard deviation are sd / sqrt(n) and sd / sqrt(2 n)."""
    x = torch.randn(500, 1, generator=rng.seeded(1)) * 3
    model = experiments.mixture(torch.tensor([1.0]), x.mean(0), x.var(0, correction=0))
    (_, spread), errors = experiments.standard_errors(x[:, 0], model)
    expected = torch.stack([spread / 500**0.5, spread / 1000**0.5])
    torch.testing.assert_close(errors, expected)


def test_a_collapse_goes_past_every_healthy_fit():
    x, weights = GALAXIES[:, None], torch.tensor([0.5, 0.5])
    healthy = experiments.log_likelihood_from(x, weights, torch.tensor([10.0, 21.0]), torch.tensor([1.0, 9.0]))
    assert -240 < healthy < -200
    for galaxy in (0, 40, 81):
        for variance in (1e-4, 1e-6, 1e-12, 1e-50):
            means = torch.stack([GALAXIES[galaxy], GALAXIES.mean()])
            variances = torch.stack([torch.tensor(variance), GALAXIES.var()])
            reached = experiments.log_likelihood_from(x, weights, means, variances)
            assert reached == torch.inf or (galaxy == 40 and variance == 1e-4)  # 40 has near neighbours


def test_responsibilities_by_a_logsumexp_pass_in_single_precision_too():
    torch.set_default_dtype(torch.float32)
    assert check.responsibilities(lambda prior, likelihood: (prior + likelihood).sub(
        (prior + likelihood).logsumexp(-1, keepdim=True)).exp()).passed


def test_a_start_may_be_made_of_lists():
    assert check.singular_start(lambda x: [[0.5, 0.5], [x[0], x.mean()], [1e-4, x.var()]]).passed


@pytest.mark.parametrize("start", [("a", "b", "c"), ([0.5, 0.5], None, [1, 2]), ([0.5, 0.5], [1.0], [1, 2])])
def test_what_is_no_start_is_told_so(start):
    assert "three things" in str(check.singular_start(lambda x: start))


def test_parameters_are_counted():
    assert experiments.parameters(3, tied=False) == 8
    assert experiments.parameters(3, tied=True) == 6


def test_the_tug_never_lets_the_bound_pass():
    x = GALAXIES[:12]
    theta = [[0.3, 0.7], [10.0, 20.0], [4.0, 9.0]]
    for seed in range(20):
        q = torch.rand(12, generator=rng.seeded(seed))
        bound, evidence = bound_and_evidence(x, q, theta)
        assert bound <= evidence
    tug = explorers.tug_of_two_bars()
    tug.press("e_step")
    assert "gap 0.000" in tug.alt
    before = tug.alt
    tug.press("swap")
    assert "gap 0.000" in tug.alt
    assert tug.alt != before


def test_outlines_lie_at_two_standard_deviations():
    model = GaussianMixture(2, 2, covariance="full")
    with torch.no_grad():
        model.lower[:, 1, 0] = 0.7
    offset = outlines(model) - model.loc[..., None]
    radius = torch.linalg.solve_triangular(model.scale_tril, offset, upper=False).norm(dim=1)
    torch.testing.assert_close(radius, torch.full_like(radius, 2.0))


@pytest.mark.parametrize(("tied", "floor", "chosen"), [(False, 0.1, 3), (False, 0.01, 6), (True, 0.1, 6)])
def test_the_answers_of_the_quarrel(tied, floor, chosen):
    """What the text claims of BIC: three above 100 km/s, six above 10 km/s, six with equal variances."""
    heights = experiments.log_likelihood_by_components(GALAXIES, 8, tied=tied, variance_floor=floor**2, seed=10)
    sizes = torch.tensor([experiments.parameters(components, tied) for components in range(1, 9)])[:, None]
    scores = metrics.bic(heights, sizes, n=len(GALAXIES)).nan_to_num(nan=torch.inf).min(-1).values
    assert int(scores.argmin()) + 1 == chosen


def test_six_components_lean_on_a_few_galaxies():
    thin = experiments.em_many_starts(GALAXIES, 6, starts=50, generator=rng.seeded(16), variance_floor=0.01**2).best()
    assert ((82 * thin.log_weights[0].exp()).sort().values[:3] < 4).all()
