"""Chance: named, repeatable, and never the global generator's."""

import math

from course_lib import rng

import pytest
import scipy.stats
import torch


@pytest.mark.oracle("same seed, same weights; global state compared", "rng.layers_from")
def test_layers_come_from_the_generator_and_the_global_one_is_put_back():
    before = torch.get_rng_state()
    with rng.layers_from(rng.seeded(1)):
        first = torch.nn.Linear(3, 3)
    torch.rand(1)
    torch.set_rng_state(before)
    with rng.layers_from(rng.seeded(1)):
        second = torch.nn.Linear(3, 3)
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.oracle("the other devices' seeding is watched", "rng.layers_from")
def test_layers_leave_the_generators_of_other_devices_alone(monkeypatch):
    seeds = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    with rng.layers_from(rng.seeded(1)):
        torch.nn.Linear(3, 3)
    assert seeds == []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # the watch is awake
    assert seeds == [0]


@pytest.mark.oracle("exact frequencies, within 5 standard errors", "rng.categorical")
def test_categorical_has_the_right_frequencies():
    p = torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
    draws = rng.categorical(p.log(), 30_000, rng.seeded(0))
    assert draws.shape == (2, 30_000)
    counts = torch.stack([torch.bincount(row, minlength=3) for row in draws])
    assert ((counts - 30_000 * p).abs() <= 5 * (30_000 * p * (1 - p)).sqrt()).all()


@pytest.mark.oracle("Kolmogorov-Smirnov test against scipy.stats, p > 0.001", "rng.randn", "rng.uniform", "rng.gamma")
@pytest.mark.parametrize(("draw", "exact"), [
    (lambda like, generator: rng.randn(tuple(like.shape), generator, like), scipy.stats.norm()),
    (lambda like, generator: rng.uniform(tuple(like.shape), generator, like), scipy.stats.uniform()),
    (lambda like, generator: rng.gamma(0.7 * like, generator), scipy.stats.gamma(0.7)),
    (lambda like, generator: rng.gamma(4.0 * like, generator), scipy.stats.gamma(4.0)),
])
def test_continuous_draws_follow_their_law(draw, exact):
    like = torch.ones(20_000)
    x = draw(like, rng.seeded(0))
    assert scipy.stats.kstest(x.numpy(), exact.cdf).pvalue > 1e-3
    assert scipy.stats.kstest(1.05 * x.numpy() + 0.05, exact.cdf).pvalue < 1e-3          # the test bites
    assert torch.equal(x, draw(like, rng.seeded(0)))


@pytest.mark.oracle("exact mean and variance, within 5 standard errors", "rng.bernoulli", "rng.poisson")
@pytest.mark.parametrize(("draw", "exact"), [
    (lambda like, generator: rng.bernoulli(0.3 * like, generator), scipy.stats.bernoulli(0.3)),
    (lambda like, generator: rng.poisson(2.5 * like, generator), scipy.stats.poisson(2.5)),
])
def test_discrete_draws_follow_their_law(draw, exact):
    x = draw(torch.ones(40_000), rng.seeded(0))
    for value in range(5):
        p = exact.pmf(value)
        assert abs((x == value).double().mean().item() - p) <= 5 * math.sqrt(p * (1 - p) / len(x))


@pytest.mark.oracle("same seed, same draws", "rng.seeded")
def test_a_seed_names_its_draws():
    assert torch.equal(torch.rand(3, generator=rng.seeded(5)), torch.rand(3, generator=rng.seeded(5)))
    assert not torch.equal(torch.rand(3, generator=rng.seeded(5)), torch.rand(3, generator=rng.seeded(6)))


@pytest.mark.oracle("a permutation has no repeats", "rng.rows")
def test_rows_without_putting_back_are_all_different():
    assert rng.rows(10, 10, rng.seeded(0)).unique().numel() == 10
    assert rng.rows(3, 50, rng.seeded(0), replacement=True).shape == (50,)
    with pytest.raises(ValueError, match=r"`size` must be at most n = 3 when rows are not put back; got 4\."):
        rng.rows(3, 4, rng.seeded(0))
    with pytest.raises(ValueError, match=r"`size` must be a whole number >= 0; got -2\."):
        rng.rows(5, -2, rng.seeded(0))
