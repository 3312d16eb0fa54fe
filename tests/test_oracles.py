"""Every public function of floors 0 to 3 is held against an oracle, and every mark names what exists."""

from fnmatch import fnmatch

from tests import oracles

import pytest


def test_every_public_function_has_an_oracle():
    bare = [name for name, against in oracles.table().items() if not against]
    assert bare == []


def test_every_mark_names_something_public():
    names = oracles.public()
    lost = [f"{mark.test}: {name}" for mark in oracles.marks() for name in mark.names
            if not any(fnmatch(public, name) for public in names)]
    assert lost == []


def test_a_test_that_did_not_pass_names_nothing():
    name = "functional.normal_log_prob"
    assert oracles.table()[name] == {"torch.distributions.Normal"}
    assert oracles.table(set())[name] == set()


@pytest.mark.parametrize("name", ["models.Gaussian.sample", "training.fit", "inference.oracle.grid", "rng.randn"])
def test_the_list_of_public_names_is_not_empty(name):
    assert name in oracles.public()
