"""The loops: they learn, they stop kindly, and they lose nothing."""

import itertools

from course_lib import datasets, metrics
from course_lib.errors import NumericalError
from course_lib.models import Gaussian, GaussianMixture
from course_lib.rng import seeded
from course_lib.training import expectation_maximisation, fit, gradient_descent

import pytest
import torch


def test_gradient_descent_arrives_at_the_closed_form():
    x = datasets.old_faithful()
    x = (x - x.mean(0)) / x.std(0)
    model, exact = Gaussian(2, covariance="full"), Gaussian(2, covariance="full")
    exact.maximise(x)
    fit(gradient_descent(model, x, seeded(0), steps=1500, lr=0.02))
    torch.testing.assert_close(model.scale_tril, exact.scale_tril, rtol=1e-4, atol=1e-4)
    assert metrics.gain(exact, model, x).value == pytest.approx(0, abs=1e-6)


def test_minibatches_learn_and_are_repeatable():
    x = datasets.galaxies()
    runs = []
    for _ in range(2):
        model = GaussianMixture(2, 1).start_at(x, seeded(0))
        fit(gradient_descent(model, x, seeded(1), steps=60, batch_size=16, lr=0.05))
        runs.append(model.log_prob(x))
    assert torch.equal(*runs)
    assert runs[0].mean() > GaussianMixture(2, 1).start_at(x, seeded(0)).log_prob(x).mean()


def test_history_has_a_row_for_every_recorded_step():
    x, model = datasets.galaxies(), GaussianMixture(2, 1).start_at(datasets.galaxies(), seeded(0))
    process = expectation_maximisation(model, x, steps=20)
    history = fit(process, every=5, held=lambda: metrics.mean_log_prob(model, x).value)
    assert history["step"] == [5, 10, 15, 20]
    assert len(history["held"]) == 4 and all(isinstance(number, float) for number in history["loss"])


def test_loss_is_that_before_the_update():
    x, model = datasets.galaxies(), GaussianMixture(2, 1).start_at(datasets.galaxies(), seeded(0))
    before = -model.log_prob(x).mean().item()
    for process in (gradient_descent(model, x, seeded(0), steps=1), None):
        step = next(process or expectation_maximisation(model, x, steps=1))
        assert step.loss.item() == pytest.approx(before)
        before = -model.log_prob(x).mean().item()


def test_an_interrupt_keeps_model_and_history(capsys):
    x, model = datasets.galaxies(), GaussianMixture(2, 1).start_at(datasets.galaxies(), seeded(0))

    def interrupted():
        yield from itertools.islice(expectation_maximisation(model, x, steps=9), 4)
        raise KeyboardInterrupt

    history = fit(interrupted())
    assert history["step"] == [1, 2, 3, 4]
    assert "the model keeps its last step, the history its 4 rows" in capsys.readouterr().out


@pytest.mark.parametrize("process", [
    lambda model, x: gradient_descent(model, x, seeded(0), steps=3),
    lambda model, x: expectation_maximisation(model, x, steps=3),
])
def test_a_suspended_process_leaves_the_grad_mode_alone(process):
    x = datasets.galaxies()
    running = process(GaussianMixture(2, 1).start_at(x, seeded(0)), x)
    next(running)
    assert torch.is_grad_enabled()


def test_a_diverging_loop_stops_and_puts_the_last_good_parameters_back():
    x = datasets.galaxies()
    model = Gaussian(1)
    with pytest.raises(NumericalError, match=r"Step \d+: the loss is (nan|inf).*smaller `lr`"):
        fit(gradient_descent(model, x, seeded(0), steps=200, lr=1e4, optimiser=torch.optim.SGD))
    assert torch.isfinite(model.log_prob(x)).all()


def test_even_the_last_step_is_checked():
    model = Gaussian(1)
    with pytest.raises(NumericalError, match=r"Step 1: the loss is nan"):
        fit(gradient_descent(model, datasets.galaxies(), seeded(0), steps=1, lr=1e308, optimiser=torch.optim.SGD))
    assert torch.isfinite(model.log_prob(datasets.galaxies())).all()


def test_data_out_of_reach_are_named():
    model = GaussianMixture(2, 1).float()
    x = torch.tensor([[0.0], [1e30]], dtype=torch.float32)
    with pytest.raises(NumericalError, match=r"Step 1: log p\(x\) is not finite for row 1"):
        fit(expectation_maximisation(model, x, steps=2))


@pytest.mark.parametrize(("options", "message"), [
    ({"steps": 0}, r"`steps` must be a whole number >= 1; got 0\."),
    ({"steps": 1, "lr": -1.0}, r"`lr` must be a finite number > 0; got -1\.0\."),
    ({"steps": 1, "batch_size": 83}, r"`batch_size` must be at most n = 82; got 83\."),
])
def test_bad_options_of_gradient_descent(options, message):
    with pytest.raises(ValueError, match=message):
        next(gradient_descent(Gaussian(1), datasets.galaxies(), seeded(0), **options))


@pytest.mark.parametrize(("x", "options", "message"), [
    (torch.zeros(1, 1), {}, r"`x` must have at least K = 2 rows; got 1\."),
    (torch.tensor([[0.0], [float("inf")]]), {}, r"`x` must be finite; got 1 NaN"),
    (torch.zeros(3, 2), {}, r"`x` must have shape \(n, 1\); got \(3, 2\)\."),
    (torch.zeros(3, 1), {"variance_floor": -1.0}, r"`variance_floor` must be a finite number >= 0; got -1\.0\."),
])
def test_bad_arguments_of_em(x, options, message):
    with pytest.raises(ValueError, match=message):
        next(expectation_maximisation(GaussianMixture(2, 1), x, steps=1, **options))


def test_fit_names_a_bad_interval():
    with pytest.raises(ValueError, match=r"`every` must be a whole number >= 1; got 0\."):
        fit(iter(()), every=0)
