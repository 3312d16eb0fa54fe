"""The experiments of lesson 06, held against closed forms, enumeration, autograd and the library."""

import math
import subprocess

from course_lib import rng
from course_lib.lessons.n06_stochastic_gradients import check, experiments, explorers, find_the_bug, landscape, machines
from course_lib.lessons.n06_stochastic_gradients.explorers import ellipse

import pytest
import torch

VALUES = torch.randn(6, 3, generator=rng.seeded(0), dtype=torch.float64)


@pytest.fixture(scope="module")
def digits():
    return experiments.digits()


@pytest.fixture(scope="module")
def spam():
    return landscape.Spam()


def test_the_gradient_of_every_row_is_autograds(digits):
    theta = torch.randn(65, 10, generator=rng.seeded(1), dtype=torch.float64)
    x, y = digits.x[:5], digits.y[:5]

    def log_p(theta, x, y):
        return torch.nn.functional.log_softmax(x @ theta, -1)[y]

    for row, found in enumerate(experiments.gradients(theta, x, y)):
        expected = torch.func.grad(log_p)(theta, x[row], int(y[row]))
        torch.testing.assert_close(found, expected.flatten())


def test_the_writers_of_the_new_digits_are_others(digits):
    assert [len(part) for part in digits] == [3823, 3823, 1797, 1797]
    assert (digits.x[:, -1] == 1).all()


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_law_is_what_enumeration_finds(size, replacement):
    rows = experiments.all_minibatches(6, size, replacement=replacement)
    assert len(rows) == (6**size if replacement else math.comb(6, size))
    found = experiments.minibatch_means(VALUES, rows)
    torch.testing.assert_close(found.mean(0), VALUES.mean(0))
    law = experiments.variance_law(VALUES.var(0, correction=0).sum().item(), 6, size, replacement=replacement)
    assert found.var(0, correction=0).sum().item() == pytest.approx(law)


@pytest.mark.parametrize("replacement", [True, False])
def test_drawn_minibatches_obey_the_law(replacement):
    law = experiments.variance_law(VALUES.var(0, correction=0).sum().item(), 6, 3, replacement=replacement)
    found = experiments.measured_variance(VALUES, 3, 4000, rng.seeded(2), replacement=replacement)
    assert abs(found.value - law) < 5 * found.error


def test_few_rows_and_many_have_the_same_means():
    rows = torch.tensor([[0, 1, 1], [5, 2, 3]])
    many = rows.repeat(10, 1)
    assert many.numel() >= 2 * len(VALUES) > rows.numel()
    torch.testing.assert_close(experiments.minibatch_means(VALUES, many)[:2], experiments.minibatch_means(VALUES, rows))


def test_z_scores_find_a_planted_bias():
    means = VALUES.mean(0) + 0.1 * torch.randn(1000, 3, generator=rng.seeded(3), dtype=torch.float64)
    means[:, 2] = VALUES.mean(0)[2]  # an entry that does not vary is left out
    assert experiments.z_scores(means, VALUES.mean(0)).abs().max() < 4
    assert experiments.z_scores(means + 0.03, VALUES.mean(0)).abs().min() > 5
    assert len(experiments.z_scores(means, VALUES.mean(0))) == 2


def test_a_power_law_has_its_slope():
    sizes = torch.tensor([1.0, 4.0, 9.0, 100.0])
    assert experiments.slope(sizes, 3 * sizes**-1.5) == pytest.approx(-1.5)


def test_operations_are_counted():
    a, b = torch.zeros(3, 5), torch.zeros(5, 7)
    assert experiments.operations(lambda: a @ b) == 2 * 3 * 5 * 7


def test_the_first_call_is_told_apart():
    calls = []
    first, later = experiments.seconds_of(lambda: calls.append(1), torch.device("cpu"), repeats=3)
    assert len(calls) == 4
    assert first >= 0
    assert later >= 0


def test_a_race_is_the_plain_loop(digits):
    """The whole batch from zero: the steps that a loop written out needs."""
    theta, onehot = torch.zeros(65, 10, dtype=torch.float64), torch.nn.functional.one_hot(digits.y, 10)
    needed, log_p = 0, torch.tensor(-math.inf)
    while log_p <= -0.6:
        needed += 1
        theta = theta + 4.0 * digits.x.mT @ (onehot - (digits.x @ theta).softmax(-1)) / len(digits.y)
        log_p = torch.distributions.Categorical(logits=digits.x_new @ theta).log_prob(digits.y_new).mean()
    single = experiments.Digits(digits.x.float(), digits.y, digits.x_new.float(), digits.y_new)
    found = experiments.steps_to(-0.6, single, len(digits.y), torch.tensor([4.0]), rng.seeded(0))
    assert found.tolist() == [needed]
    assert experiments.held_out(theta[None], digits).item() == pytest.approx(log_p.item())


def test_a_race_that_nobody_wins_ends(digits):
    single = experiments.Digits(digits.x.float(), digits.y, digits.x_new.float(), digits.y_new)
    steps = experiments.steps_to(-0.5, single, 4, torch.tensor([1e-6, 1.0]), rng.seeded(0), one_rate_is_enough=2)
    assert steps[0] == math.inf
    assert steps[1] < 2000


# Landscapes ----------------------------------------------------------------------------------------------------------


def test_the_summit_of_spam_is_scikit_learns(spam):
    from sklearn.linear_model import LogisticRegression

    theirs = LogisticRegression(C=1e10, fit_intercept=False, tol=1e-10).fit(spam.x.numpy(), spam.y.numpy())
    torch.testing.assert_close(spam.best, torch.from_numpy(theirs.coef_[0]), atol=1e-4, rtol=1e-4)
    assert spam.gap(spam.best).item() == pytest.approx(0, abs=1e-12)


def test_curvature_and_gradients_are_autograds(spam):
    hessian = torch.autograd.functional.hessian(spam.log_p, spam.best)
    torch.testing.assert_close(spam.curvature(), -hessian)
    theta = torch.tensor([0.3, -0.2], dtype=torch.float64)
    torch.testing.assert_close(spam.gradients(theta).mean(0), torch.func.grad(spam.log_p)(theta))


def test_the_stationary_covariance_reproduces_itself():
    curvature = torch.tensor([[2.0, 0.3], [0.3, 0.5]])
    noise = torch.tensor([[1.0, -0.2], [-0.2, 3.0]])
    found = landscape.stationary_covariance(curvature, noise, 0.4)
    shrink = torch.eye(2) - 0.4 * curvature
    torch.testing.assert_close(shrink @ found @ shrink + 0.16 * noise, found)


def test_one_dimension_is_the_textbooks_formula():
    found = landscape.stationary_covariance(torch.tensor([[0.8]]), torch.tensor([[1.69]]), 0.5)
    assert found.item() == pytest.approx(0.5 * 1.69 / (0.8 * (2 - 0.5 * 0.8)))


def test_walks_settle_where_theory_says(spam):
    rates = torch.tensor([0.5, 1.0])
    gaps, averaged = landscape.settle(spam, rates, 16, runs=40, steps=1000, seed=0)
    for rate, gap, mean in zip(rates, gaps, averaged):
        expected = landscape.predicted_floor(spam, rate.item(), 16)
        assert abs(gap.mean() - expected) < 5 * gap.std() / 40**0.5 + 0.05 * expected  # the surface is no paraboloid
        assert mean.mean() < gap.mean() / 5


def test_a_walk_with_all_waits_needs_no_chance():
    waits = torch.tensor([9.0, 10.0, 11.0], dtype=torch.float64)
    ends = landscape.wander(waits, 9.2, 3, lr=0.5, runs=2, steps=200, seed=0)
    torch.testing.assert_close(ends, torch.full_like(ends, 10.0), atol=1e-3, rtol=0)


# Machines ------------------------------------------------------------------------------------------------------------


def test_where_processes_cannot_be_run_a_sentence_says_so(monkeypatch):
    def refuse(*arguments, **options):
        raise subprocess.TimeoutExpired("torchrun", 1)

    monkeypatch.setattr(subprocess, "run", refuse)
    assert "TimeoutExpired" in machines.train_alone_and_together(steps=2, batch_size=16)


def test_two_processes_are_not_started_where_they_do_not_fit(monkeypatch):
    monkeypatch.setenv("MEM_LIMIT", str(2**30))
    assert "do not fit into the 1 GiB" in machines.train_alone_and_together(steps=2, batch_size=16)


@pytest.mark.slow
def test_one_process_and_two_agree():
    before = torch.get_default_dtype()
    assert machines.train_alone_and_together(steps=4, batch_size=16) < 1e-6
    assert torch.get_default_dtype() == before


# Find the bug --------------------------------------------------------------------------------------------------------


def test_each_loop_has_its_signature():
    g = rng.seeded(4)
    values = torch.arange(4.0).repeat_interleave(100)[:, None] + 1 + 0.1 * torch.randn(400, 2, generator=g)
    for name, loop in find_the_bug.LINE_UP.items():
        first, third = (find_the_bug.signature(loop, values, 20, step, repeats=2000) for step in (1, 3))
        length, grown = (20 if "sum" in name else 1), (3 if "zero" in name else 1)
        assert abs(first.length.value - length) < 5 * first.length.error
        assert abs(third.length.value - grown * length) < 5 * third.length.error
        assert (first.variance.value > 5) == (name in ("a sum, not a mean", "the colleague's"))


@pytest.mark.parametrize("draw", [
    lambda n, size, repeats, generator: torch.stack(
        [torch.randperm(n, generator=generator)[:size] for _ in range(repeats)]),
    lambda n, size, repeats, generator: torch.multinomial(torch.ones(repeats, n), size, generator=generator),
])
def test_other_right_ways_to_draw_pass(draw):
    assert check.draw_minibatches(draw).passed


def test_other_right_ways_to_estimate_pass():
    assert check.total_log_prob(lambda log_p, n: n / len(log_p) * log_p.sum()).passed
    assert check.standard_error(lambda values: (values.var() / len(values)).sqrt()).passed


# Explorers -----------------------------------------------------------------------------------------------------------


def test_an_ellipse_lies_at_two_standard_deviations():
    covariance = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    curve = ellipse(covariance)
    torch.testing.assert_close((curve * torch.linalg.solve(covariance, curve)).sum(0), torch.full((80,), 4.0).double())


def test_the_answers_that_the_text_gives_of_the_microscope():
    microscope = explorers.gradient_microscope()

    def angle(stage, power):
        microscope.set(stage=stage, power=power)
        return float(microscope.alt.split("more than ")[1].split(" degrees")[0])

    assert angle("at the start", 5) > 47
    assert angle("at the start", 7) < 43
    assert angle("after 200 steps", 10) > 45 > angle("after 200 steps", 11)
    assert 76 < angle("after 200 steps", 6) < 86


def test_a_walk_beyond_two_over_the_curvature_has_no_floor():
    walk = explorers.walk_on_a_surface()
    walk.set(lr=13.0)
    assert "no floor" in walk.alt
    walk.set(lr=12.0)
    assert "no floor" not in walk.alt
