"""Chance: named, repeatable, and never the global generator's."""

from course_lib import rng

import pytest
import torch


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


def test_categorical_has_the_right_frequencies():
    logits = torch.tensor([0.1, 0.2, 0.7]).log()
    counts = torch.bincount(rng.categorical(logits, 30_000, rng.seeded(0)))
    p = logits.exp()
    assert ((counts - 30_000 * p) / (30_000 * p * (1 - p)).sqrt()).abs().max() < 5


def test_rows_without_putting_back_are_all_different():
    assert rng.rows(10, 10, rng.seeded(0)).unique().numel() == 10
    assert rng.rows(3, 50, rng.seeded(0), replacement=True).shape == (50,)
    with pytest.raises(ValueError, match=r"`size` must be at most n = 3 when rows are not put back; got 4\."):
        rng.rows(3, 4, rng.seeded(0))
