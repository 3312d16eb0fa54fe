"""The simulator of wet and dry days, held against a loop over the days, scipy and the law of large numbers."""

import math

from course_lib import datasets
from course_lib.models import WeatherGenerator
from course_lib.rng import randn, seeded
from course_lib.training import fit, gradient_descent

import pytest
import scipy.stats
import torch

DAY = torch.arange(365)


def generator(days, seed=5):
    """A weather generator with parameters that are nothing special."""
    model, chance = WeatherGenerator(days).requires_grad_(False), seeded(seed)
    for parameter in model.parameters():
        parameter.add_(0.5 * randn(tuple(parameter.shape), chance, parameter))
    return model


def by_hand(model, run, first_day):
    """log p of one run, day after day, with scipy's gamma distribution."""
    after_dry, after_wet, amount = (parameter.tolist() for parameter in
                                    (model.after_dry, model.after_wet, model.log_amount))
    shape, total, before = model.log_shape.exp().item(), 0.0, None
    for number, x in enumerate(run.tolist()):
        angle = 2 * math.pi * (first_day + number) / 365.25
        level = [c[0] + c[1] * math.cos(angle) + c[2] * math.sin(angle) for c in (after_dry, after_wet, amount)]
        rain_dry, rain_wet = (1 / (1 + math.exp(-value)) for value in level[:2])
        rain = {None: rain_dry / (1 - rain_wet + rain_dry), False: rain_dry, True: rain_wet}[before]
        total += math.log(rain if x > 0 else 1 - rain)
        if x > 0:
            total += scipy.stats.gamma(shape, scale=math.exp(level[2]) / shape).logpdf(x)
        before = x > 0
    return total


@pytest.mark.oracle("a loop over the days with scipy.stats.gamma", "models.WeatherGenerator.log_prob")
def test_log_prob_is_the_sum_over_the_days():
    model, first = generator(40), torch.tensor([0, 100, 364])
    x = model.sample(3, seeded(0), first)
    theirs = [by_hand(model, run, day) for run, day in zip(x, first.tolist())]
    torch.testing.assert_close(model.log_prob(x, first), torch.tensor(theirs))
    torch.testing.assert_close(model.log_prob(x, 250), torch.tensor([by_hand(model, run, 250) for run in x]))
    torch.testing.assert_close(model.log_prob(x), model.log_prob(x, torch.zeros(3, dtype=torch.long)))


def test_the_season_comes_back_and_the_first_day_matters():
    model = generator(30)
    x = model.sample(5, seeded(0))
    torch.testing.assert_close(model.log_prob(x, 17), model.log_prob(x, 17 + 4 * 365 + 1))
    assert (model.log_prob(x, 17) - model.log_prob(x, 200)).abs().min() > 1e-3


def worst(model, x, days):
    """The largest z-score of the frequencies of rain after dry and after wet days."""
    wet, scores = x > 0, []
    for day in range(1, len(days)):
        for before, chance in ((~wet[:, day - 1], model.rain_after_dry(days)[day]),
                               (wet[:, day - 1], model.rain_after_wet(days)[day])):
            n = before.sum()
            scores.append(abs(wet[before, day].sum() - n * chance) / (n * chance * (1 - chance)).sqrt())
    return max(scores)


@pytest.mark.oracle("frequencies over 4,000 runs", "models.WeatherGenerator.sample",
                    "models.WeatherGenerator.rain_after_dry", "models.WeatherGenerator.rain_after_wet")
def test_runs_rain_as_often_as_the_parameters_say():
    model, days = generator(20), torch.arange(300, 320)
    assert worst(model, model.sample(4000, seeded(1), 300), days) < 5


@pytest.mark.oracle("a planted fault is caught", "models.WeatherGenerator.sample")
def test_a_chain_that_forgets_the_day_before_or_the_season_is_caught():
    model, forgetful, days = generator(20), generator(20), torch.arange(300, 320)
    forgetful.after_wet.copy_(forgetful.after_dry)
    assert worst(model, forgetful.sample(4000, seeded(1), 300), days) > 5
    assert worst(model, model.sample(4000, seeded(1), 100), days) > 5


@pytest.mark.oracle("scipy.stats.kstest", "models.WeatherGenerator.sample", "models.WeatherGenerator.mean_amount")
def test_amounts_follow_the_gamma_distribution():
    model, days = generator(20), torch.arange(300, 320)
    x = model.sample(4000, seeded(1), 300)
    alpha, mean, n = model.log_shape.exp(), model.mean_amount(days), (x > 0).sum(0)
    assert (((x.sum(0) / n - mean) / (mean / (alpha * n).sqrt())).abs() < 5).all()
    scaled = (x / mean)[x > 0]
    assert scipy.stats.kstest(scaled, scipy.stats.gamma(alpha.item(), scale=1 / alpha.item()).cdf).pvalue > 0.001


@pytest.mark.oracle("the long run of the chain", "models.WeatherGenerator.sample")
def test_without_seasons_every_day_is_as_wet_as_the_first():
    model = generator(60)
    for parameter in (model.after_dry, model.after_wet):
        parameter[1:] = 0
    after_dry, after_wet = model.rain_after_dry(DAY)[0], model.rain_after_wet(DAY)[0]
    chance = after_dry / (1 - after_wet + after_dry)
    wet = (model.sample(4000, seeded(2)) > 0).double().mean(0)
    assert ((wet - chance).abs() < 5 * (chance * (1 - chance) / 4000).sqrt()).all()


@pytest.mark.parametrize(("first_day", "shape"), [(torch.zeros(2), r"\(2,\)"), (torch.zeros(3, 1), r"\(3, 1\)")])
def test_a_wrong_first_day_is_named(first_day, shape):
    with pytest.raises(ValueError, match=rf"`first_day` must be one number, or have shape \(3,\); got {shape}\."):
        generator(4).log_prob(torch.zeros(3, 4), first_day)
    with pytest.raises(ValueError, match=rf"`first_day` must be one number, or have shape \(3,\); got {shape}\."):
        generator(4).sample(3, seeded(0), first_day)


@pytest.mark.oracle("message pinned", "models.WeatherGenerator.require_data")
def test_negative_rain_is_named():
    with pytest.raises(ValueError, match=r"`x` must hold amounts >= 0; got a smallest value of -1\."):
        WeatherGenerator(2).require_data(torch.tensor([[0.0, -1.0]]))
    with pytest.raises(ValueError, match=r"`days` must be a whole number >= 1; got 0\."):
        WeatherGenerator(0)


def test_it_learns_the_weather_of_seattle():
    """At the maximum the gradient is 0; the year, the wet days and the summers come out as they were."""
    days = datasets.weather()
    model = WeatherGenerator(1461)
    x = days.precipitation[None]
    fit(gradient_descent(model, x, seeded(0), steps=300, lr=0.1))
    loss = model.loss(x, seeded(0)).sum()
    loss.backward()
    assert all(parameter.grad.abs().max() < 1 for parameter in model.parameters())
    simulated = model.sample(200, seeded(1))
    for measure in ((lambda run: run.mean(-1)), (lambda run: (run > 0).double().mean(-1)),
                    (lambda run: (run[:, days.day // 31 == 6] > 0).double().mean(-1))):
        draws = measure(simulated)
        assert abs(draws.mean() - measure(x)) < 3 * draws.std()
    assert model.rain_after_wet(DAY)[15] > model.rain_after_dry(DAY)[15]
    assert model.rain_after_dry(DAY)[15] > 2 * model.rain_after_dry(DAY)[200]
