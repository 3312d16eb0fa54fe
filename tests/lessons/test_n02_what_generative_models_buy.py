"""The experiments of lesson 02, held against the library, scipy, scikit-learn, closed forms and planted truths."""

import math

from course_lib import datasets, rng
from course_lib.errors import NumericalError
from course_lib.lessons.n02_what_generative_models_buy import (
    check,
    digits,
    earthquakes,
    effects,
    explorers,
    fitting,
    galaxies,
    weather,
)
from course_lib.lessons.n02_what_generative_models_buy.explorers import _year_in_words as year_in_words
from course_lib.models import BernoulliMixture, GutenbergRichter, WeatherGenerator
from course_lib.training import expectation_maximisation, fit

import pytest
import scipy.stats
import torch
from sklearn.linear_model import LogisticRegression, PoissonRegressor

# Maximum likelihood -------------------------------------------------------------------------------------------------


def test_maximum_likelihood_finds_the_textbooks_estimate_and_error():
    x = torch.distributions.Normal(3.0, 2.0).icdf((torch.arange(200) + 0.5) / 200)

    def log_likelihood(theta):
        return torch.distributions.Normal(theta[0], theta[1].exp()).log_prob(x).sum()

    found = fitting.maximum_likelihood(log_likelihood, torch.tensor([0.0, 0.0]))
    spread = x.std(correction=0)
    torch.testing.assert_close(found.theta, torch.stack([x.mean(), spread.log()]), rtol=1e-5, atol=1e-6)
    errors = torch.stack([spread / 200**0.5, torch.tensor(1 / 400**0.5)])
    torch.testing.assert_close(found.errors, errors, rtol=1e-4, atol=0)
    assert found.log_likelihood == pytest.approx(log_likelihood(found.theta).item())


def test_a_flat_top_is_named():
    with pytest.raises(NumericalError, match="no curved top"):
        fitting.maximum_likelihood(lambda theta: -(theta[0] - 1) ** 2 + 0 * theta[1], torch.zeros(2))


def test_chances_are_those_of_chi_square():
    for statistic, degrees in ((0.0, 1), (3.84, 1), (20.0, 4)):
        test = fitting.likelihood_ratio(-100.0, -100.0 + statistic / 2, degrees)
        assert test.p_value == pytest.approx(scipy.stats.chi2.sf(statistic, degrees))
    values, errors = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0.5, 1.0, 1.0])
    weights = 1 / errors**2
    mean = (weights * values).sum() / weights.sum()
    test = fitting.one_number(values, errors)
    assert test.statistic == pytest.approx((weights * (values - mean) ** 2).sum().item())
    assert test.degrees == 2


# Earthquakes --------------------------------------------------------------------------------------------------------

PLACES = earthquakes.places()


def test_places_do_not_depend_on_the_default_precision():
    torch.set_default_dtype(torch.float32)
    try:
        single = earthquakes.places()
    finally:
        torch.set_default_dtype(torch.float64)
    for name, magnitudes in PLACES.items():
        torch.testing.assert_close(single[name], magnitudes)


def test_the_published_rule_for_completeness():
    hours = earthquakes.hours_until_complete(3.0)
    assert 7.1 - 4.5 - 0.75 * math.log10(hours / 24) == pytest.approx(3.0)


def test_the_regression_is_scikit_learns():
    magnitudes = PLACES["California"]
    ours = earthquakes.CountRegression(magnitudes).coefficients
    bins = (magnitudes * 10).round().long()
    counts = torch.bincount(bins - bins.min(), minlength=91 - bins.min())  # up to magnitude 9.0
    m = (torch.arange(len(counts)) + bins.min()) / 10
    theirs = PoissonRegressor(alpha=0, tol=1e-10, max_iter=1000).fit(torch.stack([m, m**2], -1).numpy(), counts.numpy())
    assert ours.tolist() == pytest.approx([theirs.intercept_, *theirs.coef_], rel=1e-3)


def test_both_rivals_are_probabilities_above_the_cut():
    regression = earthquakes.CountRegression(PLACES["Alaska, inland"])
    x = torch.arange(18, 91)[:, None] / 10
    assert regression.log_prob(x, 1.8).exp().sum().item() == pytest.approx(1)
    law = earthquakes.carried(earthquakes.law(PLACES["California"], 1.6), 1.8)
    assert law.log_prob(x).exp().sum().item() == pytest.approx(1, abs=1e-6)
    assert law.b_value.item() == earthquakes.law(PLACES["California"], 1.6).b_value.item()


def test_at_home_the_judged_earthquake_is_not_learnt_from():
    x = torch.cat([PLACES["California"], torch.tensor([8.5])])
    gaps = earthquakes.at_home(x, 1.6, folds=len(x), generator=rng.seeded(0))
    law = earthquakes.law(PLACES["California"], 1.6).log_prob(torch.tensor([[8.5]]))
    rival = earthquakes.CountRegression(PLACES["California"]).log_prob(torch.tensor([[8.5]]), 1.6)
    assert (gaps - (law - rival)).abs().min() < 1e-6


def test_the_law_travels_better_in_all_six_directions():
    cuts = {"California": 1.6, "Alaska, inland": 1.8, "Ridgecrest, later": 3.0}
    for home, cut in cuts.items():
        law, rival = earthquakes.law(PLACES[home], cut), earthquakes.CountRegression(PLACES[home])
        for away in cuts.keys() - {home}:
            there = earthquakes.above(PLACES[away], cuts[away])
            gain = earthquakes.carried(law, cuts[away]).log_prob(there) - rival.log_prob(there, cuts[away])
            assert gain.mean() > 0


def test_a_regression_of_complete_bins_travels_almost_as_well_but_not_out_of_ridgecrest():
    cuts = {"California": 1.6, "Alaska, inland": 1.8, "Ridgecrest, later": 3.0}
    for home, cut in cuts.items():
        law = earthquakes.law(PLACES[home], cut)
        rival = earthquakes.CountRegression(earthquakes.above(PLACES[home], cut)[:, 0])
        for away in cuts.keys() - {home}:
            there = earthquakes.above(PLACES[away], cuts[away])
            gain = earthquakes.carried(law, cuts[away]).log_prob(there) - rival.log_prob(there, cuts[away])
            assert gain.mean() > 0.25 if home == "Ridgecrest, later" else gain.mean().abs() < 0.06


def test_all_of_alaska_seems_to_settle():
    b, _, _ = earthquakes.b_by_completeness(PLACES["all of Alaska"], [1.0, 1.5, 1.8, 2.2, 3.0, 3.5])
    assert b[0] < 0.36
    assert b[1:4].max() - b[1:4].min() < 0.03  # the false plateau
    assert b[5] > b[4] > 0.6


def test_the_table_of_b_is_the_librarys():
    b, errors, number = earthquakes.b_by_completeness(PLACES["Ridgecrest, all"], [3.0, 5.5])
    model, x = GutenbergRichter(3.0, 0.1), earthquakes.above(PLACES["Ridgecrest, all"], 3.0)
    model.maximise(x)
    assert (b[0].item(), errors[0].item()) == pytest.approx((model.b_value.item(), model.standard_error(x).item()))
    assert number.tolist() == [len(x), 1]
    assert b[1].isnan()


def test_the_search_finds_the_largest_b():
    levels = [1.6, 1.8, 2.0, 2.3]
    b, _, _ = earthquakes.b_by_completeness(PLACES["California"], levels)
    assert earthquakes.picked(PLACES["California"][None], levels).item() == pytest.approx(b.max().item())


@pytest.mark.parametrize("level", ["1.6", None, True])
def test_what_is_no_completeness_is_told_so(level):
    assert check.steep_completeness(lambda magnitudes: level).passed is False


# Weather ------------------------------------------------------------------------------------------------------------

SEATTLE = datasets.weather("Seattle")
SEATTLE = SEATTLE._replace(precipitation=SEATTLE.precipitation.double())  # read before any fixture


def test_a_chance_is_scikit_learns_logistic_regression():
    part = weather.mechanisms(SEATTLE)["rain after a dry day"]
    theirs = LogisticRegression(C=torch.inf, tol=1e-10).fit(part.inputs[:, 1:].numpy(), part.answers.numpy())
    found = weather.fit_mechanism(part).theta
    assert found.tolist() == pytest.approx([theirs.intercept_[0], *theirs.coef_[0]], rel=1e-4)


def test_an_amount_is_scipys_gamma():
    part = weather.mechanisms(SEATTLE, seasons=False)["amount on a wet day"]
    shape, _, scale = scipy.stats.gamma.fit(part.answers.numpy(), floc=0)
    log_mean, log_shape = weather.fit_mechanism(part).theta.tolist()
    assert (math.exp(log_mean), math.exp(log_shape)) == pytest.approx((shape * scale, shape), rel=1e-4)


def test_the_fitted_simulator_is_at_a_maximum():
    model, x = weather.generator_of(SEATTLE), SEATTLE.precipitation[None]
    top = model.log_prob(x).item()
    for parameter in model.parameters():
        for place in range(parameter.numel()):
            for step in (-0.1, 0.1):
                parameter.data.view(-1)[place] += step
                assert model.log_prob(x).item() < top
                parameter.data.view(-1)[place] -= step


def test_the_test_keeps_its_level_and_finds_a_planted_change():
    model = WeatherGenerator(1461)
    with torch.no_grad():
        model.after_dry.copy_(torch.tensor([-1.0, 0.5, 0.0]))
    p_values = {"same": [], "moved": []}
    for seed in range(60):
        first, second = (SEATTLE._replace(precipitation=x) for x in model.sample(2, rng.seeded(seed)))
        a, b = weather.mechanisms(first), weather.mechanisms(second)
        p_values["same"].append(weather.has_moved(a["rain after a dry day"], b["rain after a dry day"]).p_value)
        p_values["moved"].append(weather.has_moved(a["rain after a dry day"], b["rain after a wet day"]).p_value)
    assert scipy.stats.kstest(p_values["same"], "uniform").pvalue > 0.001
    assert max(p_values["moved"]) < 0.001


@pytest.mark.parametrize(("months", "moved"), [
    ((334, 59), ["rain after a wet day"]), ((151, 243), ["rain after a dry day", "amount on a wet day"])])
def test_what_the_text_says_of_winter_and_summer(months, moved):
    """Between Seattle and New York each mechanism moved in one season, and shows no difference in the other."""
    found = []
    for city in ("Seattle", "New York"):
        record = datasets.weather(city)
        after, before = record.day >= months[0], record.day < months[1]
        days = after | before if months[0] > months[1] else after & before
        found.append(weather.mechanisms(record, days=days, seasons=False))
    for name in found[0]:
        p_value = weather.has_moved(found[0][name], found[1][name]).p_value
        assert p_value < 0.001 if name in moved else p_value > 0.1


def test_spells_are_counted():
    wet = torch.tensor([[1, 0, 1, 0, 0, 0, 1, 1, 0, 0]]).bool()
    assert weather.longest(wet).item() == 2
    assert weather.longest(~wet).item() == 3
    assert weather.rain_after_one(wet).item() == pytest.approx(1 / 3)  # dry after wet on days 1, 3 and 8
    assert weather.rain_after(wet, 1).item() == pytest.approx(2 / 5)
    assert weather.rain_after(wet, 2).item() == pytest.approx(1 / 2)


def test_a_year_obeys_its_numbers():
    chance = rng.uniform((20_000,), rng.seeded(1), torch.zeros(()))
    made = weather.one_year(0.2, 0.6, 5.0, chance, torch.ones(20_000))
    wet = made > 0
    assert wet[1:][~wet[:-1]].double().mean().item() == pytest.approx(0.2, abs=0.02)
    assert wet[1:][wet[:-1]].double().mean().item() == pytest.approx(0.6, abs=0.03)
    assert made[wet].unique().tolist() == [5.0]


# Effects ------------------------------------------------------------------------------------------------------------


def planted(n: int, seed: int):
    """A confounder with a known effect of 2 on everybody: (covariates, t, y)."""
    g = rng.seeded(seed)
    x = torch.randn(n, generator=g)
    t = (torch.rand(n, generator=g) < (1.0 * x).sigmoid()).double()
    return torch.stack([torch.ones(n), x], -1), t, 2 * t + 3 * x + torch.randn(n, generator=g)


def test_the_adjusted_estimates_find_a_planted_effect_and_the_naive_one_does_not():
    x, t, y = planted(4000, 1)
    estimators = {"naive": effects.naive, "standardised": effects.standardised, "weighted": effects.weighted}
    errors = effects.bootstrap(estimators, x, t, y, rng.seeded(2), draws=100)
    z = {name: ((estimate(x, t, y) - 2) / errors[name].std()).item() for name, estimate in estimators.items()}
    assert abs(z["standardised"]) < 4
    assert abs(z["weighted"]) < 4
    assert z["naive"] > 10


def test_the_propensity_is_scikit_learns():
    x, t, _ = planted(500, 3)
    theirs = LogisticRegression(C=torch.inf, tol=1e-10).fit(x[:, 1:].numpy(), t.numpy())
    chances = theirs.predict_proba(x[:, 1:].numpy())[:, 1]
    assert effects.propensity(x, t).tolist() == pytest.approx(chances.tolist(), rel=1e-4)


def test_separated_people_have_no_propensity():
    x = torch.stack([torch.ones(20), torch.arange(20.0)], -1)
    with pytest.raises(NumericalError, match="did not settle"):
        effects.propensity(x, (torch.arange(20) > 9).double(), steps=8)


# Digits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [1.0, 0.05])
def test_many_draws_side_by_side_are_the_librarys_em(weight):
    x, y = digits.pictures()
    x = x.double()
    known, _ = digits.deal(y, 2, 2, rng.seeded(0))
    ours = digits.learn(x, known, steps=4, weight=weight)
    for draw in range(2):
        told, used = known[draw] >= 0, known[draw] >= -1
        model = BernoulliMixture(10, 64)
        model.maximise_labelled(x[told], y[told], smoothing=digits.SMOOTHING)
        fit(expectation_maximisation(model, x[used], steps=4, y=known[draw][used], unlabelled_weight=weight,
                                     smoothing=digits.SMOOTHING))
        torch.testing.assert_close(ours.ink[draw], model.probabilities.detach(), rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(ours.log_prior[draw].exp(), model.weights.detach())


def test_digits_are_dealt_out_once():
    _, y = digits.pictures()
    known, test = digits.deal(y, 3, 2, rng.seeded(1))
    assert ((known == -1).sum(-1) == digits.UNLABELLED).all()
    assert torch.equal(known == -2, test)
    for row in known:
        assert torch.equal(row[row >= 0], y[row >= 0])
        assert torch.bincount(row[row >= 0]).tolist() == [3] * 10
    assert not torch.equal(known[0], known[1])


def test_the_test_digits_are_not_learnt_from():
    x, y = digits.pictures()
    known, test = digits.deal(y, 5, 1, rng.seeded(2))
    spoilt = torch.where(test[0, :, None], 1 - x, x)
    for components in (1, 3):
        options = {"steps": 3, "components": components}
        clean, other = (digits.learn(data, known, generator=rng.seeded(3), **options) for data in (x, spoilt))
        torch.testing.assert_close(clean.ink, other.ink)


def test_labels_keep_to_their_own_components():
    known = torch.tensor([[0, 9, -1, -2]])
    may = digits.allowed(known, 2)[0]
    assert may.sum(-1).tolist() == [2, 2, 20, 0]
    assert may[1].nonzero()[:, 0].tolist() == [18, 19]


def test_where_the_model_is_right_unlabelled_digits_do_not_hurt():
    x, y = digits.obedient(*digits.pictures(), rng.seeded(4))
    gain = digits.curve(x, y, [100], draws=4, steps=8)["gain"][0]
    assert gain.value > -0.005


# Galaxies -----------------------------------------------------------------------------------------------------------


def test_a_disc_is_found_again():
    truth = torch.tensor([[-0.5, 0.8, 0.3, 0.7, 0.1, 1.0, -0.5], [-1.0, 0.3, 1.0, 2.0, 0.05, 0.0, 0.5]])
    x = galaxies.render(truth)
    found = galaxies.fit(x, truth[:, 3] + 0.2, steps=1500)
    torch.testing.assert_close(galaxies.render(found), x, rtol=0, atol=2e-3)
    torch.testing.assert_close(galaxies.natural(found), galaxies.natural(truth), rtol=0.05, atol=0.02)


def test_a_disc_without_place_stays_in_the_middle():
    x = galaxies.render(torch.tensor([[-0.5, 0.8, 0.3, 0.7, 0.1, 1.0, -0.5]]))
    assert galaxies.fit(x, torch.tensor([0.7]), steps=20, place=False)[:, -2:].abs().max() == 0


def test_turning_a_disc_turns_the_picture():
    theta = torch.tensor([[0.0, 0.8, -1.0, 0.4, 0.1, 0.0, 0.0]])
    turned = theta.clone()
    turned[:, 3] += math.pi / 2
    expected = torch.rot90(galaxies.render(theta), dims=(1, 2))
    torch.testing.assert_close(galaxies.render(turned), expected)


def test_components_that_are_all_there_make_the_picture():
    x = galaxies.render(torch.randn(40, 7, generator=rng.seeded(1)) * 0.3)
    assert (galaxies.misfit(x, galaxies.principal(x, 30)) < galaxies.misfit(x, galaxies.principal(x, 2))).all()


# Explorers ----------------------------------------------------------------------------------------------------------


def test_a_cut_with_too_few_earthquakes_is_told_so():
    explorer = explorers.choose_a_completeness()
    assert "0.98 ± 0.08 from 149" in explorer.alt
    explorer.set(completeness=4.5)
    assert "too few" in explorer.alt


def test_a_year_is_told_in_words():
    assert year_in_words(torch.zeros(365)) == (
        "0 wet days in 0 spells (longest 0), 0 mm; longest dry spell 365 days")
    assert year_in_words(torch.tensor([1.0, 0.0, 0.0, 2.0, 3.0, 0.0])) == (
        "3 wet days in 2 spells (longest 2), 6 mm; longest dry spell 2 days")


def test_a_straight_line_through_complete_bins_is_the_law():
    x = earthquakes.above(PLACES["California"], 1.6)
    k = ((x[:, 0] - 1.6) / 0.1).round()
    counts = torch.bincount(k.long(), minlength=400).numpy()  # so far up that nothing is cut off
    line = PoissonRegressor(alpha=0, tol=1e-12, max_iter=10_000).fit(torch.arange(400)[:, None].numpy() / 10, counts)
    b_value = earthquakes.law(PLACES["California"], 1.6).b_value.item()
    assert -line.coef_[0] / math.log(10) == pytest.approx(b_value, rel=1e-3)


def test_without_unlabelled_digits_nothing_is_gained():
    player = explorers.let_labels_spread()
    player.set(unlabelled=0)
    player.set(frame=3)
    words = player.alt.split(" steps: ")[1]
    now, before = (part.split("%")[0] for part in words.split(" right (labels alone "))
    assert now == before
