"""Evidence is shown, recorded and, where it matters, enforced."""

import json
import math
from pathlib import Path

from course_lib.classroom import progress
from course_lib.classroom.evidence import STATEMENTS, Evidence

import pytest
import torch


@pytest.fixture
def evidence():
    return Evidence()


def test_a_number_that_holds(evidence, capsys):
    evidence("S23", "the gap", torch.tensor(0.123456), expect=(0, 1), unit="nats")
    said = capsys.readouterr().out
    assert "✓ S23 · the gap: 0.1235 nats" in said
    assert "the course expects 0 to 1" in said
    entry = progress.load()["evidence"]["S23"]["the gap"]
    assert entry["holds"]
    assert entry["value"] == pytest.approx(0.123456)


@pytest.mark.parametrize(("value", "expect", "holds"), [
    (1, (1, 1), True), (2, (None, 1), False), (2, (1, None), True), (0, (1, None), False),
    (math.nan, (None, 1), False), (math.inf, (0, None), True), (math.inf, (0, 1), False),
])
def test_the_range(evidence, monkeypatch, value, expect, holds):
    evidence("S1", "it", value, expect=expect)
    assert progress.load()["evidence"]["S1"]["it"]["holds"] is holds
    monkeypatch.setenv("COURSE_STRICT", "1")
    if holds:
        evidence("S1", "it", value, expect=expect)
    else:
        with pytest.raises(AssertionError, match="✗ S1 · it"):
            evidence("S1", "it", value, expect=expect)


def test_outside_the_range_a_reader_is_told_kindly(evidence, capsys):
    evidence("S23", "the gap", 3, expect=(0, 1))
    assert "You changed something? Here the course expects 0 to 1." in capsys.readouterr().out


def test_the_ledger(evidence, monkeypatch, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    monkeypatch.setenv("COURSE_LEDGER", str(ledger))
    evidence("S23", "a", 1, expect=(0, 2))
    evidence("S24", "b", math.nan, expect=(0, None))
    first, second = map(json.loads, ledger.read_text().splitlines())
    assert first == {
        "statement": "S23", "what": "a", "value": 1.0, "low": 0.0, "high": 2.0, "unit": "", "holds": True,
        "source": Path(__file__).read_text(),
    }
    assert (second["statement"], second["value"], second["holds"]) == ("S24", "nan", False)


@pytest.mark.parametrize(("statement", "value", "expect", "said"), [
    ("S34", 1, (0, 1), "`statement` must be one of S1 to S33; got 'S34'"),
    ("S1", "one", (0, 1), "`value` must be a number; got 'one'"),
    ("S1", torch.ones(2), (0, 1), "`value` must be a number"),
    ("S1", 1, (None, None), "at most one None"), ("S1", 1, (2, 1), "low <= high"),
    ("S1", 1, (0, math.inf), "finite"),
])
def test_bad_input(evidence, statement, value, expect, said):
    with pytest.raises(ValueError, match=said):
        evidence(statement, "it", value, expect=expect)
    assert progress.load()["evidence"] == {}


def test_the_table(evidence):
    evidence("S23", "the gap", 0.5, expect=(0, 1))
    evidence("S24", "the rate", 5, expect=(0, 1))
    assert [row[0] for row in evidence.table().rows] == ["S23", "S24"]
    assert [row[3] for row in Evidence().table().rows] == ["✓ 0.5", "✗ outside: 5"]       # another kernel's table
    assert evidence.table("09").rows == [("S24", STATEMENTS["S24"]["sentence"], "the rate", "✗ outside: 5", "0 to 1")]
    assert [row[2] for row in evidence.table("04").rows] == ["not measured yet"]


def test_every_statement_has_its_notebook():
    assert list(STATEMENTS) == [f"S{i}" for i in range(1, 34)]
    notebooks = [entry["notebook"] for entry in STATEMENTS.values()]
    assert notebooks == sorted(notebooks)
    assert set(notebooks) == {f"{i:02d}" for i in range(1, 15)}
