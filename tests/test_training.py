"""The loops: they learn, they stop kindly, and they lose nothing."""

import copy
import itertools
import math
from functools import partial

from course_lib import datasets, metrics, rng
from course_lib.errors import NumericalError
from course_lib.models import Gaussian, GaussianMixture, ProbabilisticPCA
from course_lib.models.mlp import mlp
from course_lib.rng import layers_from, seeded
from course_lib.training import History, Minibatches, Step, expectation_maximisation, fit, gradient_descent
from tests.noisy_model import Noisy, rows, start

import pytest
import sklearn.decomposition
import torch


def mixture():
    return GaussianMixture(2, 1).start_at(datasets.galaxies(), seeded(0))


@pytest.mark.oracle("closed form", "training.gradient_descent")
def test_gradient_descent_arrives_at_the_closed_form():
    x = datasets.old_faithful()
    x = (x - x.mean(0)) / x.std(0)
    model, exact = Gaussian(2, covariance="full"), Gaussian(2, covariance="full")
    exact.maximise(x)
    fit(gradient_descent(model, x, seeded(0), steps=1500, lr=0.02))
    torch.testing.assert_close(model.scale_tril, exact.scale_tril, rtol=1e-4, atol=1e-4)
    assert metrics.gain(exact, model, x).value == pytest.approx(0, abs=1e-6)


@pytest.mark.oracle("a loop written out with torch.optim", "training.gradient_descent")
@pytest.mark.parametrize(("optimiser", "schedule", "clip"), [
    (partial(torch.optim.SGD, momentum=0.9), partial(torch.optim.lr_scheduler.StepLR, step_size=4), None),
    (torch.optim.Adam, None, 0.5),
])
def test_optimiser_schedule_and_clipping_are_those_of_torch(optimiser, schedule, clip):
    model, process = start(epochs=3, batch_size=16, lr=0.05, optimiser=optimiser, schedule=schedule, clip=clip)
    peer, generator = Noisy(), seeded(3)
    update = optimiser(peer.parameters(), lr=0.05)
    pace = schedule and schedule(update)
    for _ in range(3):
        order = rng.rows(40, 40, generator)
        for batch in (order[:16], order[16:32]):                             # eight rows sit out
            loss = peer.loss(rows()[batch], generator).mean()
            update.zero_grad()
            loss.backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(peer.parameters(), clip)
            update.step()
            if pace:
                pace.step()
            assert torch.equal(next(process).loss, loss)
    assert next(process, None) is None
    assert torch.equal(model.loc, peer.loc) and torch.equal(model.log_scale, peer.log_scale)


def test_clipping_bounds_the_step_of_plain_descent():
    model, process = start(steps=1, lr=1.0, clip=0.25, optimiser=torch.optim.SGD)
    next(process)
    length = torch.cat([model.loc, model.log_scale]).norm()
    assert length.item() == pytest.approx(0.25, rel=1e-4)


def test_data_may_be_several_tensors():
    class Line(torch.nn.Linear):
        def loss(self, x, y, generator):
            return (y - self(x)[:, 0]).square()

    x = rows()
    y = x @ torch.tensor([1.0, -2.0, 3.0]) + 0.5
    with layers_from(seeded(1)):
        line = Line(3, 1)
    fit(gradient_descent(line, (x, y), seeded(0), steps=2500, batch_size=10, lr=0.05))
    torch.testing.assert_close(line.weight[0], torch.tensor([1.0, -2.0, 3.0]), rtol=1e-4, atol=1e-4)
    assert line.bias.item() == pytest.approx(0.5, abs=1e-3)


@pytest.mark.oracle("every row counted", "training.Minibatches.steps")
def test_an_epoch_is_a_permutation():
    x = torch.arange(12.0)[:, None]
    batches = Minibatches((x, -x), seeded(0), 4)
    assert batches.steps(None, 2) == 6 and batches.steps(7, None) == 7
    epochs = [torch.cat([next(batches)[0][:, 0] for _ in range(3)]) for _ in range(2)]
    for epoch in epochs:
        assert torch.equal(epoch.sort().values, x[:, 0])
    assert not torch.equal(*epochs)
    first, second = next(batches)
    assert torch.equal(first, -second)


def test_with_replacement_a_row_may_come_twice():
    x = torch.arange(12.0)[:, None]
    batches = Minibatches((x,), seeded(0), 12, replacement=True)
    drawn = torch.cat([next(batches)[0][:, 0] for _ in range(1000)]).long()
    assert len(drawn[:12].unique()) < 12
    z = (torch.bincount(drawn) - 1000) / math.sqrt(12_000 * (1 / 12) * (11 / 12))
    assert z.abs().max() < 5


def test_minibatches_learn_and_are_repeatable():
    x = datasets.galaxies()
    runs = []
    for _ in range(2):
        model = mixture()
        fit(gradient_descent(model, x, seeded(1), steps=60, batch_size=16, lr=0.05))
        runs.append(model.log_prob(x))
    assert torch.equal(*runs)
    assert runs[0].mean() > mixture().log_prob(x).mean()


@pytest.mark.oracle("every row counted", "training.fit", "training.History.append")
def test_history_has_a_row_for_every_recorded_step():
    x, model = datasets.galaxies(), mixture()
    process = expectation_maximisation(model, x, steps=20)
    history = fit(process, every=5, held=lambda: metrics.mean_log_prob(model, x).value)
    assert history["step"] == [5, 10, 15, 20]
    assert len(history["held"]) == 4 and all(isinstance(number, float) for number in history["loss"])
    again = fit(expectation_maximisation(model, x, steps=5), every=5, history=history, held=lambda: 0)
    assert again is history and history["step"][-2:] == [20, 5] and history["held"][-1] == 0
    rows = History()
    rows.append(a=1, b=torch.tensor(2.0))
    assert rows == {"a": [1.0], "b": [2.0]}


def test_loss_is_that_before_the_update():
    x, model = datasets.galaxies(), mixture()
    before = -model.log_prob(x).mean().item()
    for process in (gradient_descent(model, x, seeded(0), steps=1), None):
        step = next(process or expectation_maximisation(model, x, steps=1))
        assert step.loss.item() == pytest.approx(before)
        before = -model.log_prob(x).mean().item()


def test_an_interrupt_keeps_model_and_history(capsys):
    x, model = datasets.galaxies(), mixture()

    def interrupted():
        yield from itertools.islice(expectation_maximisation(model, x, steps=9), 4)
        raise KeyboardInterrupt

    history = fit(interrupted())
    assert history["step"] == [1, 2, 3, 4]
    assert "the model keeps its last step, the history its 4 rows" in capsys.readouterr().out


def test_an_interrupt_while_a_number_is_awaited_leaves_whole_rows(capsys):
    """On a GPU the program waits for the loss when that becomes a float: an interrupt arrives there."""
    class Awaited:
        def __float__(self):
            raise KeyboardInterrupt

    history = fit(iter([Step(1, torch.tensor(2.0)), Step(2, Awaited())]))
    assert history == {"step": [1.0], "loss": [2.0]}
    assert "the history its 1 rows" in capsys.readouterr().out


@pytest.mark.parametrize("process", [
    lambda model, x: gradient_descent(model, x, seeded(0), steps=3),
    lambda model, x: expectation_maximisation(model, x, steps=3),
])
def test_a_suspended_process_leaves_the_grad_mode_alone(process):
    x = datasets.galaxies()
    running = process(mixture(), x)
    next(running)
    assert torch.is_grad_enabled()


@pytest.mark.oracle("a diverging run is caught", "training.GradientDescent.look")
def test_a_diverging_loop_stops_and_puts_the_last_good_parameters_back():
    x = datasets.galaxies()
    model = Gaussian(1)
    with pytest.raises(NumericalError, match=r"Step \d+: the loss is (nan|inf).*smaller `lr`.*of step 0 again"):
        fit(gradient_descent(model, x, seeded(0), steps=200, lr=1e4, optimiser=torch.optim.SGD))
    assert torch.isfinite(model.log_prob(x)).all()


def test_the_step_that_failed_and_the_one_put_back_are_named():
    """A jump after a while: what is put back is what the last look saw, though the loop ran on."""
    model = Gaussian(1)
    process = gradient_descent(model, datasets.galaxies(), seeded(0), steps=200, lr=0.01)
    for step in process:
        if step.index == 50:
            seen = model.loc.clone()
        if step.index == 59:
            model.loc.data.fill_(math.nan)
            break
    with pytest.raises(NumericalError, match=r"Step 60: the loss is nan.*parameters of step 50 again\."):
        fit(process)
    assert torch.equal(model.loc, seen)
    assert next(process, None) is None


def test_a_run_that_diverged_is_not_saved():
    model, process = start(steps=9)
    next(process)
    model.loc.data.fill_(math.inf)
    with pytest.raises(NumericalError, match=r"Step 1: the loss is (inf|nan)"):
        process.state_dict()
    assert torch.equal(model.loc, Noisy().loc)
    assert next(process, None) is None
    with pytest.raises(NumericalError, match=r"Step 1: the loss is (inf|nan)"):  # nor at the second attempt
        process.state_dict()


def test_a_run_that_diverged_goes_on_from_a_state_of_before():
    whole, process = start(steps=9)
    fit(process)
    model, process = start(steps=9)
    next(process)
    state, parameters = copy.deepcopy((process.state_dict(), model.state_dict()))
    model.loc.data.fill_(math.inf)
    next(process)
    with pytest.raises(NumericalError, match=r"Step 2: the loss is (inf|nan)"):
        process.look()
    model.load_state_dict(parameters)
    process.load_state_dict(state)
    fit(process)
    assert torch.equal(model.loc, whole.loc)


def test_even_the_last_step_is_checked():
    model = Gaussian(1)
    with pytest.raises(NumericalError, match=r"Step 1: the loss is nan"):
        fit(gradient_descent(model, datasets.galaxies(), seeded(0), steps=1, lr=1e308, optimiser=torch.optim.SGD))
    assert torch.isfinite(model.log_prob(datasets.galaxies())).all()


def test_looks_draw_nothing_from_the_run():
    model, process = start(steps=60, batch_size=8)
    other, watched = start(steps=60, batch_size=8)
    fit(process)
    for _ in watched:
        watched.look()
    assert torch.equal(model.loc, other.loc)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_mixed_precision_on_cuda(precision):
    x = rows().float().cuda()
    model = Noisy().float().cuda()
    fit(gradient_descent(model, x, seeded(0), steps=300, lr=0.05, mixed_precision=precision))
    torch.testing.assert_close(model.loc, x.mean(0), rtol=0.1, atol=0.1)


@pytest.mark.oracle("message pinned", "training.gradient_descent")
@pytest.mark.parametrize(("options", "message"), [
    ({"steps": 0}, r"`steps` must be a whole number >= 1; got 0\."),
    ({"epochs": 0}, r"`epochs` must be a whole number >= 1; got 0\."),
    ({}, r"Either `steps` or `epochs` must be given; got None and None\."),
    ({"steps": 1, "epochs": 1}, r"Either `steps` or `epochs` must be given; got 1 and 1\."),
    ({"steps": 1, "lr": -1.0}, r"`lr` must be a finite number > 0; got -1\.0\."),
    ({"steps": 1, "clip": 0.0}, r"`clip` must be a finite number > 0; got 0\.0\."),
    ({"steps": 1, "batch_size": 83}, r"`batch_size` must be at most n = 82; got 83\."),
    ({"steps": 1, "batch_size": 0}, r"`batch_size` must be a whole number >= 1; got 0\."),
    ({"steps": 1, "replacement": True}, r"`replacement` must come with a `batch_size`; got None\."),
    ({"steps": 1, "optimiser": torch.optim.LBFGS}, r"`optimiser` must need no more than one gradient .*; got LBFGS\."),
    ({"steps": 1, "schedule": torch.optim.lr_scheduler.ReduceLROnPlateau}, r"`schedule` must .*; got ReduceLROnPlat"),
    ({"steps": 1, "mixed_precision": torch.bfloat16}, r"`mixed_precision` must be None where there is no CUDA"),
    ({"steps": 1, "mixed_precision": True}, r"`mixed_precision` must be one of torch\.bfloat16, .+; got True"),
])
def test_bad_options_of_gradient_descent(options, message):
    with pytest.raises(ValueError, match=message):
        gradient_descent(Gaussian(1), datasets.galaxies(), seeded(0), **options)


def test_bad_data_of_gradient_descent():
    with pytest.raises(ValueError, match=r"`x` must be torch\.float64, as the model is; got torch\.float32"):
        gradient_descent(Gaussian(1), datasets.galaxies().float(), seeded(0), steps=1)
    with pytest.raises(ValueError, match=r"`data` must have at least one row; got none\."):
        gradient_descent(mlp((1, 1), seeded(0)), torch.zeros(0, 1), seeded(0), epochs=1)
    with pytest.raises(ValueError, match=r"`data` must have equally many rows; got 3 and 2\."):
        gradient_descent(mlp((1, 1), seeded(0)), (torch.zeros(3, 1), torch.zeros(2)), seeded(0), steps=1)


@pytest.mark.oracle("sklearn.decomposition.PCA", "training.expectation_maximisation")
def test_em_of_ppca_arrives_at_the_closed_form():
    x = rng.randn((300, 5), seeded(0), torch.zeros(())) * torch.tensor([3.0, 2.0, 1.0, 1.0, 1.0])
    model = ProbabilisticPCA(5, 2)
    with torch.no_grad():
        model.weight.copy_(rng.randn((5, 2), seeded(1), x))
    losses = fit(expectation_maximisation(model, x, steps=400))["loss"]
    assert all(after <= before + 1e-9 for before, after in itertools.pairwise(losses))
    sample_covariance = sklearn.decomposition.PCA(2).fit(x.numpy())             # divides by n - 1
    assert -losses[-1] == pytest.approx(sample_covariance.score(x.numpy()), abs=1e-4)


@pytest.mark.oracle("closed form: the means of each class", "training.expectation_maximisation")
def test_em_with_labels_is_counting():
    x = datasets.galaxies()
    y = (x[:, 0] > x.median()).long()
    model = mixture()
    fit(expectation_maximisation(model, x, y=y, steps=1))
    torch.testing.assert_close(model.loc, torch.stack([x[y == 0].mean(0), x[y == 1].mean(0)]))


def test_hidden_labels_weigh_as_they_are_told():
    x = torch.tensor([[0.0], [1.0], [100.0]])
    model = GaussianMixture(1, 1)
    fit(expectation_maximisation(model, x, y=torch.tensor([0, 0, -1]), unlabelled_weight=0.5, steps=1))
    assert model.loc.item() == pytest.approx((0 + 1 + 0.5 * 100) / 2.5)


def test_data_out_of_reach_are_named():
    model = GaussianMixture(2, 1).float()
    x = torch.tensor([[0.0], [1e30]], dtype=torch.float32)
    with pytest.raises(NumericalError, match=r"Step 1: log p\(x\) is not finite for row 1"):
        fit(expectation_maximisation(model, x, steps=2))


@pytest.mark.oracle("message pinned", "training.expectation_maximisation")
@pytest.mark.parametrize(("x", "options", "message"), [
    ([[0.0]], {}, r"`x` must have at least K = 2 rows; got 1\."),
    ([[0.0], [math.inf]], {}, r"`x` must be finite; got 1 NaN"),
    ([[0.0, 0.0]], {}, r"`x` must have shape \(n, 1\); got \(1, 2\)\."),
    ([[0.0]] * 3, {"steps": 0}, r"`steps` must be a whole number >= 1; got 0\."),
    ([[0.0]] * 3, {"variance_floor": -1.0}, r"`variance_floor` must be a finite number >= 0; got -1\.0\."),
])
def test_bad_arguments_of_em(x, options, message):
    with pytest.raises(ValueError, match=message):
        expectation_maximisation(GaussianMixture(2, 1), torch.tensor(x), **{"steps": 1, **options})


def test_em_needs_a_model_with_two_steps():
    with pytest.raises(ValueError, match=r"`model` must have the methods `expectation` and `maximise`; got Gaussian\."):
        expectation_maximisation(Gaussian(1), datasets.galaxies(), steps=1)


def test_fit_names_a_bad_interval():
    with pytest.raises(ValueError, match=r"`every` must be a whole number >= 1; got 0\."):
        fit(iter(()), every=0)
