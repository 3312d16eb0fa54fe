"""A derivation holds exactly when each of its lines follows from the one before."""

import math

from course_lib.classroom import Line, derivation

import pytest
import torch


def lines(relation, value):
    return Line(r"\log p(x)", "start", 1.0), Line(r"\mathcal{L}", "Jensen, since `log` is concave", value, relation)


@pytest.mark.parametrize(("relation", "value", "holds"), [
    ("=", 1 + 9e-7, True), ("=", 1 + 1.1e-6, False), (">=", 0.5, True), (">=", 1.5, False), (">=", 1 + 9e-7, True),
    ("<=", 1.5, True), ("<=", 0.5, False), ("=", math.nan, False), (">=", math.nan, False), ("<=", math.nan, False),
])
def test_relations(relation, value, holds, monkeypatch):
    result = derivation(*lines(relation, value))
    assert result.holds is holds
    assert ("✗ violated" in str(result)) is not holds
    monkeypatch.setenv("COURSE_STRICT", "1")
    if holds:
        derivation(*lines(relation, value))
    else:
        with pytest.raises(AssertionError, match="does not follow"):
            derivation(*lines(relation, value))


def test_the_tolerance_is_relative_for_large_values():
    assert derivation(Line("a", "", 1e6), Line("b", "", 1e6 + 0.5)).holds
    assert not derivation(Line("a", "", 1e6), Line("b", "", 1e6 + 0.5), tolerance=1e-7).holds


def test_gaps_and_face():
    result = derivation(*lines(">=", torch.tensor(0.75)), Line("c", "the same", 0.75))
    assert result.gaps == (0.25, 0.0)
    assert "✓ gap 0.25" in str(result)
    html = result._repr_html_()
    assert r"$\displaystyle \geq \mathcal{L}$" in html
    assert "<code>log</code>" in html


def test_bad_lines():
    with pytest.raises(ValueError, match=r"`relation` must be one of '=', '>=', '<='; got '<'"):
        Line("a", "", 1.0, "<")
    with pytest.raises(ValueError, match="`value` must be a number; got 'x'"):
        Line("a", "", "x")


def test_a_star_in_a_formula_is_no_markup():
    assert "E_{p^*}" in derivation(Line(r"H(p^*) = -E_{p^*} \log p^*", "", 0.0))._repr_html_()
