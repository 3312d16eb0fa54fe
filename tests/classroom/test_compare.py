"""Differences are found and put into words."""

import re

from course_lib.classroom.compare import Comparison, comparable
from course_lib.rng import layers_from, seeded

import numpy as np
import pytest
import torch

SAME = [
    (torch.tensor([1, torch.inf, torch.nan]),) * 2, (1, 1.0), (2, 2), (True, True), ("a", "a"),
    (np.int64(2), 2), (np.float32(1.5), 1.5), (None, None), ([1, torch.ones(2)], (1, torch.ones(2))),
    ({"a": [1.0]}, {"a": (1 + 1e-9,)}), (torch.ones(0),) * 2,
]
DIFFERENT = [
    (1.0, 1, "`result` must be a whole number; got float."),
    (True, 1, "`result` must be a whole number; got bool."),
    (1, True, "`result` must be True or False; got int."),
    (torch.tensor(1.0), 1.0, "`result` must be a number; got Tensor. .* `.item\\(\\)`"),
    (np.float64(1), 1, "`result` must be a whole number; got float64.$"),
    (torch.tensor(1.0), (1.0,), "`result` must be a tuple or list; got Tensor.$"),
    pytest.param(10**400, 1.0, r"`result` must be finite \(expected 1\); got inf.", id="too large"),
    pytest.param(-(10**400), torch.tensor(1.0), r"`result` must be finite \(expected 1\); got -inf.", id="too small"),
    ("a", "b", "`result` must be 'b'; got 'a'."),
    (1.5, 1.0, "the largest gap is 0.5, where 1 is expected; got 1.5."),
    (float("nan"), 1.0, r"`result` must be finite \(expected 1\); got nan."),
    ([1], [1, 2], r"`result` must have the parts result\[0\], result\[1\]; got 1 parts."),
    (np.zeros(2), torch.zeros(2), "`result` must be a tensor; got ndarray. Use torch's functions"),
    (2.0, torch.tensor(1.0), "`result` has wrong values: the largest gap is 1"),
    ({"a": 1}, {"b": 1}, r"must have the parts result\['b'\]; got 1 parts."),
    ({"a": (1, 2)}, {"a": (1, 3)}, r"`result\['a'\]\[1\]` must be 3; got 2."),
    (torch.zeros(2, 2), torch.tensor([[0.0, 3], [1, 0]]), r"gap is 3 at \[0, 1\], where 3 is expected"),
    (torch.zeros(2), torch.tensor([0.0, -torch.inf]), r"gap is inf at \[1\], where -inf is expected; got 0."),
]


@pytest.mark.parametrize(("got", "want"), SAME)
def test_same(got, want):
    assert Comparison().difference(got, want) is None


@pytest.mark.parametrize(("got", "want", "said"), DIFFERENT)
def test_different(got, want, said):
    assert re.search(said, Comparison().difference(got, want))


def test_models_are_compared_by_their_parameters():
    with layers_from(seeded(0)):
        one, other = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    assert "`result['weight']` has wrong values" in Comparison().difference(one, other)
    other.load_state_dict(one.state_dict())
    assert Comparison().difference(one, other) is None


def test_what_cannot_be_compared_is_said():
    assert not comparable([object()])
    with pytest.raises(TypeError, match="`result` must be of a kind that can be compared; got object"):
        Comparison().difference(1, object())
