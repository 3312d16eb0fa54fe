"""The experiments of lesson 01, held against the library, scikit-learn and closed forms."""

import math
import re

from course_lib import datasets, rng
from course_lib.lessons.n01_two_ways_to_model import check, curves, experiments, explorers, pictures
from course_lib.models import BernoulliMixture, CategoricalMixture, GaussianMixture, Mixture

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB
from torch.nn.functional import one_hot


def numbers(splits: int, n: int, features: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Two overlapping classes, (splits, n, features) and (splits, n)."""
    y = torch.arange(n).expand(splits, n) % 2
    return torch.randn(splits, n, features, generator=rng.seeded(seed)) + 0.8 * y[..., None], y


def log_odds(model: Mixture, x: torch.Tensor, y: torch.Tensor, x_test: torch.Tensor, **options) -> torch.Tensor:
    model.maximise_labelled(x, y, **options)
    return model.log_joint(x_test).diff(dim=-1)[:, 0].detach()


@pytest.mark.parametrize("tied", [True, False])
def test_gaussian_naive_bayes_side_by_side_is_the_librarys(tied):
    x, y = numbers(3, 40, 4)
    ours = curves.gaussian_naive_bayes(x, y, x + 1, tied=tied, floor=0.0)
    for split in range(3):
        model = GaussianMixture(2, 4, tied=tied)
        torch.testing.assert_close(ours[split], log_odds(model, x[split], y[split], x[split] + 1))


def test_bernoulli_naive_bayes_side_by_side_is_the_librarys():
    x, y = numbers(3, 40, 4)
    bits = (x > 0.3).double()
    ours = curves.bernoulli_naive_bayes(bits, y, 1 - bits, smoothing=0.7)
    for split in range(3):
        theirs = log_odds(BernoulliMixture(2, 4), bits[split], y[split], 1 - bits[split], smoothing=0.7)
        torch.testing.assert_close(ours[split], theirs)


def test_categorical_naive_bayes_side_by_side_is_the_librarys():
    x, y = numbers(3, 40, 5)
    codes = (2 * x).round().long().clamp(0, 3)
    columns = one_hot(codes, 4).flatten(2).double()
    ours = curves.categorical_naive_bayes(columns, y, columns, smoothing=1.0)
    for split in range(3):
        theirs = log_odds(CategoricalMixture(2, [4] * 5), codes[split], y[split], codes[split], smoothing=1.0)
        torch.testing.assert_close(ours[split], theirs)


@pytest.mark.parametrize(("n", "features"), [(60, 5), (8, 20)])  # solved with D × D, and with n × n
@pytest.mark.parametrize("ridge", [1e-3, 1.0])
def test_logistic_regression_is_scikit_learns(n, features, ridge):
    x, y = numbers(3, n, features)
    design = curves.with_ones(x)
    ours = curves.logistic_regression(design, y, ridge=ridge, steps=100, tolerance=1e-12)
    for split in range(3):
        peer = LogisticRegression(C=1 / ridge, fit_intercept=False, tol=1e-12, solver="newton-cholesky")
        peer.fit(design[split].numpy(), y[split].numpy())
        torch.testing.assert_close(ours[split], torch.tensor(peer.coef_[0]), rtol=1e-4, atol=1e-4)


def test_logistic_regression_goes_on_from_a_start():
    x, y = numbers(2, 60, 5)
    design = curves.with_ones(x)
    there = curves.logistic_regression(design, y, ridge=0.1, steps=100, tolerance=1e-12)
    again = curves.logistic_regression(design, y, ridge=0.1, start=there, steps=1)
    torch.testing.assert_close(again, there, rtol=1e-6, atol=1e-6)


def test_splits_hold_both_classes_and_never_judge_what_they_learn():
    y = (torch.arange(300) < 20).long()
    learn, judge = curves.random_splits(y, 10, 50, rng.seeded(0))
    assert learn.shape == (50, 10)
    assert judge.shape == (50, 290)
    assert (y[learn].sum(-1) > 0).all()
    assert not (learn[:, :, None] == judge[:, None]).any()


def test_standardising_looks_at_what_is_learnt_from_only():
    x, _ = numbers(2, 30, 3)
    x[..., 2] = 7.0  # never varies
    learnt, other = curves.standardised(x, x[:, :4] + 100)
    torch.testing.assert_close(learnt[..., :2].mean(1), torch.zeros(2, 2))
    torch.testing.assert_close(learnt[..., :2].var(1, correction=0), torch.ones(2, 2))
    assert (learnt[..., 2] == 0).all()
    torch.testing.assert_close(other[..., :2], learnt[:, :4, :2] + 100 / x[..., :2].std(1, correction=0)[:, None])


def test_dna_has_four_columns_a_place():
    x, y, kind = curves.table("splice")
    assert kind == "letters"
    assert x.shape == (len(y), 240)
    assert (x.unflatten(-1, (60, 4)).sum(-1) == 1).all()


def test_a_race_has_an_error_for_each_learner_size_and_split():
    race = curves.race("heart", splits=5)
    assert race.sizes.tolist() == [10, 20, 40, 80, 160]
    assert set(race.errors) == set(curves.LEARNERS)
    for errors in race.errors.values():
        assert errors.shape == (5, 5)
        assert ((errors > 0) & (errors < 0.7)).all()
    gap, error = race.gap()
    gaps = race.errors["naive Bayes"] - race.errors["logistic regression"]
    torch.testing.assert_close(gap, gaps.mean(-1))
    assert (error > 0).all()


def test_gaps_of_moments_are_standard_normal_when_nothing_differs_and_large_when_something_does():
    g = rng.seeded(0)
    simulated = torch.randn(20_000, 2, generator=g)
    gaps = torch.stack([experiments.moment_gaps(simulated, torch.randn(100, 2, generator=g),
                                                torch.randn(100, 2, generator=g)) for _ in range(300)])
    expected = torch.full((5,), 0.5**0.5)  # the simulation did not really learn from the third: half the variance
    torch.testing.assert_close(gaps.std(0), expected, rtol=0.15, atol=0)
    shifted = torch.randn(100, 2, generator=g) + torch.tensor([1.0, 0.0])
    assert experiments.moment_gaps(simulated, shifted, simulated[:100])[0] < -5


def test_birds_of_an_island():
    x, y = experiments.birds("Dream")
    assert x.shape == (124, 2)
    assert torch.bincount(y).tolist() == [56, 68]
    assert (experiments.birds("Torgersen")[1] == 0).all()


def test_covers_leave_half():
    covers = experiments.covers(60)
    assert [int(seen.sum()) for seen in covers.values()] == [60 * 64] + 3 * [60 * 32]
    assert (covers["the upper half"][0, :32] == False).all()  # noqa: E712
    assert torch.equal(covers["the upper half"], ~covers["the lower half"])


def test_every_way_gives_probabilities():
    x, y = datasets.optical_digits("new")
    seen = experiments.covers(30)["half at random"]
    model, right = experiments.digit_model(), {}
    for way, log_p in experiments.answers(model, x[:30], seen):
        torch.testing.assert_close(log_p.logsumexp(-1), torch.zeros(30), atol=1e-5, rtol=0)
        right[way] = (log_p.argmax(-1) == y[:30]).double().mean().item()
    assert max(right, key=right.get) != "network, fed zeros"


def test_animals_are_made_as_digits_were():
    for pictures_ in (experiments.animals(50), experiments.as_scanned(torch.randn(50, 64, generator=rng.seeded(0)))):
        assert pictures_.shape == (50, 64)
        assert ((pictures_ >= 0) & (pictures_ <= 1)).all()
        assert (16 * pictures_ % 1 == 0).all()


def test_a_judge_guesses_where_nothing_differs_and_knows_where_something_does():
    g = rng.seeded(1)
    one, two = torch.randn(2000, 3, generator=g), torch.randn(2000, 3, generator=g)
    assert abs(experiments.judge(one, two).mean().item() - 0.5) < 5 * 0.5 / 4000**0.5
    far = experiments.judge(one, two + torch.tensor([2.0, 0, 0])).mean().item()
    assert far == pytest.approx(0.5 * math.erfc(-1 / 2**0.5), abs=0.03)  # Bayes' rule between means 2 apart


def test_the_better_classifier_is_the_worse_model():
    (accuracy, density), (better, lower) = experiments.two_scores(0.001), experiments.two_scores(0.02)
    assert better.value > accuracy.value + 0.01
    assert lower.value < density.value - 10


@pytest.mark.parametrize(("answer", "message"), [("0.02", "a number"), (float("nan"), "positive"), (-1.0, "positive")])
def test_what_is_no_least_variance_is_told_so(answer, message):
    assert message in str(check.worse_model(lambda x, y, x_new, y_new: answer))


def test_bayes_rule_by_a_logsumexp_passes_in_single_precision_too():
    torch.set_default_dtype(torch.float32)
    assert check.log_posterior(lambda prior, likelihood: (prior + likelihood).sub(
        (prior + likelihood).logsumexp(-1, keepdim=True))).passed


def test_the_line_is_where_shared_gaussians_are_equally_probable():
    x, y = experiments.birds("Dream")
    model = GaussianMixture(2, 2, covariance="full", tied=True)
    model.maximise_labelled(x, y)
    covariance = (model.scale_tril @ model.scale_tril.mT)[0].detach()
    w, b = check.exercises["log_odds_line"].reference(model.weights.detach(), model.loc.detach(), covariance)
    torch.testing.assert_close(x @ w + b, model.log_joint(x).diff(dim=-1)[:, 0].detach(), rtol=1e-6, atol=1e-6)


def test_the_reference_of_naive_bayes_is_scikit_learns():
    g = rng.seeded(2)
    x, y = (torch.rand(50, 4, generator=g) < 0.4).double(), (torch.rand(50, generator=g) < 0.5).long()
    pi, p = check.exercises["naive_bayes"].reference(x, y, 0.5)
    peer = BernoulliNB(alpha=0.5).fit(x.numpy(), y.numpy())
    torch.testing.assert_close(pi.log(), torch.tensor(peer.class_log_prior_))
    torch.testing.assert_close(p.log(), torch.tensor(peer.feature_log_prob_))


def test_the_reference_for_what_is_seen_is_the_librarys():
    model = experiments.digit_model()
    x, seen = datasets.optical_digits("new").x[0], experiments.HELD
    covariance = model.scale_tril[3] @ model.scale_tril[3].mT
    ours = check.exercises["log_prob_seen"].reference(x, seen, model.loc[3], covariance)
    torch.testing.assert_close(ours, model.log_likelihood(x[None], seen=seen)[0, 3], rtol=1e-8, atol=1e-8)


def test_errors_under_the_hand_are_those_of_the_closed_form():
    explorer = explorers.two_classes()
    unit = [[1.0, 0.0], [0.0, 1.0]]
    explorer.set(classes=[{"mean": [-1.0, 0.0], "covariance": unit}, {"mean": [1.0, 0.0], "covariance": unit}])
    truth, fitted, logistic = map(float, re.findall(r"(0\.\d{3})[;. ]", explorer.alt.partition("boundary")[2] + " "))
    assert truth == pytest.approx(0.5 * math.erfc(1 / 2**0.5), abs=0.01)  # cells of 0.2 cut the boundary roughly
    assert min(fitted, logistic) > truth - 0.005


def test_a_level_line_is_a_circle():
    side = torch.linspace(-2, 2, 101)
    values = pictures.lattice(side, side).norm(dim=-1).view(101, 101)
    line = torch.from_numpy(pictures.level_line(side, side, values, 1.0))
    assert line[:-1].norm(dim=-1).sub(1).abs().max() < 1e-3
    assert pictures.level_line(side, side, values, 9.0).shape == (1, 2)  # nowhere: a gap alone
