"""The experiments of lesson 04, held against scipy, scikit-learn, the library and closed forms."""

from course_lib import rng
from course_lib.classroom import Checks
from course_lib.lessons.n04_neural_conditionals import calibration, check, experiments, explorers, weather
from course_lib.lessons.n04_neural_conditionals.explorers import SIDE, tint
from course_lib.models import ConditionalGaussian

import pytest
import torch
from scipy import optimize, stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score


def some_answers(n: int = 400) -> tuple[torch.Tensor, torch.Tensor]:
    """Confidences between 0.2 and 1, and whether each was right."""
    confidence = 0.2 + 0.8 * torch.rand(n, generator=rng.seeded(0))
    return confidence, rng.bernoulli(confidence**2, rng.seeded(1))


def test_bins_are_those_of_scikit_learn():
    confidence, right = some_answers()
    bins = calibration.reliability(confidence, right)
    full = bins.count > 0
    accuracy, mean = calibration_curve(right, confidence, n_bins=calibration.BINS)
    torch.testing.assert_close(bins.accuracy[full], torch.from_numpy(accuracy))
    torch.testing.assert_close(bins.confidence[full], torch.from_numpy(mean))
    error = (bins.count * (bins.accuracy - bins.confidence).abs())[full].sum() / len(right)
    torch.testing.assert_close(calibration.calibration_error(confidence, right), error)


@pytest.mark.parametrize(("right", "count"), [(0, 5), (3, 7), (12, 12)])
def test_intervals_are_those_of_scipy(right, count):
    centre, half = calibration.wilson(torch.tensor(right / count), torch.tensor(float(count)))
    known = stats.binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert [(centre - half).item(), (centre + half).item()] == pytest.approx([known.low, known.high], abs=1e-4)


def test_a_calibrated_model_has_an_error_above_zero_of_a_known_size():
    """All confidences in one bin: the mean of |binomial - expected| / n is nearly sqrt(2 p (1 - p) / (pi n))."""
    errors = calibration.errors_if_calibrated(torch.full((2000,), 0.7), 4000, rng.seeded(0))
    expected = (2 * 0.7 * 0.3 / (torch.pi * 2000)) ** 0.5
    assert abs(errors.mean() - expected) < 5 * errors.std() / 4000**0.5


def test_the_share_of_errors_beyond_the_95_per_cent_of_calibrated_models_is_5_per_cent():
    confidence, _ = some_answers()
    limit = calibration.errors_if_calibrated(confidence, 4000, rng.seeded(0)).quantile(0.95)
    beyond = (calibration.errors_if_calibrated(confidence, 4000, rng.seeded(1)) > limit).double().mean()
    assert abs(beyond - 0.05) < 5 * (2 * 0.05 * 0.95 / 4000) ** 0.5


@pytest.mark.parametrize("truth", [0.5, 1.0, 3.0])
def test_the_temperature_is_the_minimum_that_scipy_finds(truth):
    logits = 4 * torch.randn(1000, 5, generator=rng.seeded(2))
    y = rng.categorical(logits / truth, 1, rng.seeded(3))[:, 0]

    def loss(log_temperature):
        return torch.nn.functional.cross_entropy(logits / torch.tensor(log_temperature).exp(), y).item()

    found = optimize.minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-8})
    fitted = calibration.best_temperature(logits, y)
    assert torch.tensor(fitted).log().item() == pytest.approx(found.x, abs=1e-5)
    assert fitted == pytest.approx(truth, rel=0.15)


def test_the_area_under_the_curve_is_that_of_scikit_learn():
    low, high = torch.randn(50, generator=rng.seeded(4)).round(), 1 + torch.randn(40, generator=rng.seeded(5)).round()
    labels = torch.cat([torch.zeros(50), torch.ones(40)])
    known = roc_auc_score(labels, torch.cat([low, high]))
    assert experiments.area_under_curve(low, high) == pytest.approx(known)


def test_softmax_twice_has_the_floor_that_the_text_derives():
    faulty = experiments.SoftmaxTwice().double()
    with torch.no_grad():
        last = faulty.classifier.network[-1]
        last.weight.zero_()
        last.bias.copy_(1000 * torch.nn.functional.one_hot(torch.tensor(3), 10))  # as sure of class 3 as can be
    loss = faulty.loss(torch.zeros(4, 784), torch.full((4,), 3), rng.seeded(0))
    torch.testing.assert_close(loss, (1 + 9 / torch.ones(4).exp()).log())


def test_both_heads_are_the_librarys():
    """With the same weights the batch of waves gives the library's means and scales."""
    g = rng.seeded(7)
    parts = {name: torch.randn(2, 3, *shape, generator=g)
             for name, shape in {"w": (1, 4), "b": (1, 4), "v": (4, 2), "c": (1, 2)}.items()}
    x = torch.randn(6, 1, generator=g)
    heads = experiments._two_heads(parts, x)
    for learnt in (False, True):
        model = ConditionalGaussian(1, 1, hidden=(4,), heteroscedastic=learnt, generator=rng.seeded(0))
        w, b, v, c = (parts[name][int(learnt), 2] for name in "wbvc")
        with torch.no_grad():
            model.network[0].weight.copy_(w.mT)
            model.network[0].bias.copy_(b[0])
            model.network[2].weight.copy_(v.mT if learnt else v.mT[:1])
            model.network[2].bias.copy_(c[0] if learnt else c[0, :1])
            if not learnt:
                model.log_scale.copy_(c[0, 1:])
            for got, want in zip(heads, model.predict(x)):
                torch.testing.assert_close(got[int(learnt), 2], want)


@pytest.mark.parametrize("head", weather.HEADS)
def test_a_density_of_days_integrates_to_one_in_its_own_units(head):
    y = torch.linspace(-1500, 2000, 20_001)
    fitted = weather.fitted("temperature to day", head)
    total = fitted.table(y, torch.tensor([5.0, 15.0, 28.0])).sum(-1) * (y[1] - y[0])
    torch.testing.assert_close(total, torch.ones(3), atol=1e-4, rtol=0)


def test_every_day_is_judged_by_the_half_that_has_not_seen_it():
    data, later = weather.direction("temperature to day"), weather.later()
    scores = weather.held_out("temperature to day")["mixture of two"]
    first, second = (weather.fitted("temperature to day", "mixture of two", half) for half in weather.HALVES)
    torch.testing.assert_close(scores[later], first.log_prob(data.y[later], data.x[later]))
    torch.testing.assert_close(scores[~later], second.log_prob(data.y[~later], data.x[~later]))
    assert first.centre[0].item() == pytest.approx(data.x[~later].mean().item())


def test_blocks_are_means_of_neighbours():
    assert weather.blocks(torch.arange(7.0), size=3).tolist() == [1, 4]


def test_the_tint_tells_sure_from_unsure():
    p = torch.tensor([[1 / 3, 1 / 3, 1 / 3], [0.6, 0.2, 0.2], [0.995, 0.004, 0.001]]).repeat(SIDE * SIDE // 3, 1)
    white, pale, dark = tint(p)[0, :3]
    torch.testing.assert_close(white, torch.ones(3))
    assert (dark[0] < pale[0] < 1) and dark[0] < 0.5


@pytest.mark.parametrize("hidden", [0, 64])
def test_a_network_may_be_watched_to_its_last_frame(hidden):
    player = explorers.watch_regions()
    player.set(hidden=hidden)
    player.set(frame=59)
    assert "after 355 steps" in player.alt
    assert torch.is_grad_enabled()  # nothing is yielded inside no_grad: the mode would leak


def test_the_picture_itself_tells_what_the_questions_ask():
    player = explorers.watch_regions()
    player.set(frame=5)
    _, _, curves = player.figure.axes
    assert f"{curves.get_title('left').split()[2]} of the held-out birds right" in player.alt
    days = explorers.predictive_density()
    days.set(temperature=15.0)
    assert "0 of them in July" in days.alt
    days.set(temperature=42.0)
    assert days.alt.endswith("no days.")


@pytest.mark.parametrize(("answer", "message"), [
    (lambda y: torch.nn.functional.one_hot(y, 10), None),
    (lambda y: (50.0 * torch.nn.functional.one_hot(y, 10)).softmax(-1), None),
    (lambda y: [1, 2], "must be a tensor"),
    (lambda y: torch.full((len(y), 10), torch.nan), "must be finite"),
])
def test_any_answer_to_the_reverse_exercise_is_judged(answer, message):
    verdict = check.badly_calibrated(answer)
    assert verdict.passed is (message is None), str(verdict)
    assert message is None or message in verdict.message


def test_the_exercises_stand_in_the_order_of_the_notebook():
    assert isinstance(check, Checks)
    assert list(check.exercises) == [
        "log_sum_exp", "logits_gradient", "fit_temperature", "badly_calibrated", "gaussian_nll"]
