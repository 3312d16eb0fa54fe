"""The dashboard: counts, the score against chance and against its own promise, calibration, what is due."""

import itertools
import math
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from course_lib.classroom import Bet, Bets, Checks, Exercise, dashboard, progress
from course_lib.classroom.dashboard import again, calibration, describe, done, overdue, promised, score

import numpy as np
import pytest

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def bet(outcome: str, **placed: float) -> dict:
    return {"placed": placed, "outcome": outcome, "nats": math.log(placed[outcome]), "settled_at": "2026",
            "uniform_nats": -math.log(len(placed))}


@pytest.fixture
def lesson():
    def solved(x): return x
    def tried(x): return x
    def untouched(x): return x

    exercises = [Exercise(function, lambda: [(1,)], (), ()) for function in (solved, tried, untouched)]
    check, bets = Checks("08", *exercises), Bets("08", Bet("gain", question="?", answers=("up", "down")),
                                                 Bet("other", question="?", answers=("up", "down")))
    check.solved(solved)
    check.tried(lambda x: x + 1)
    return SimpleNamespace(check=check, bets=bets)


def test_what_is_done(lesson):
    lesson.bets.gain.place(3, 1)
    lesson.bets.gain.settle("up")
    assert done([lesson]).rows == [("08", "1 of 3", "1", "1", "0", "0", "1 of 2", "-0.29", "-0.69")]


def test_a_bet_that_the_lesson_has_no_longer_is_not_counted_in_its_row(lesson):
    progress.record_bet("08", "renamed", **bet("a", a=0.5, b=0.5))
    assert done([lesson]).rows[0][6:] == ("0 of 2", "", "")


def test_it_is_shown_with_and_without_bets(lesson, capsys):
    dashboard([lesson])
    assert "No bet is settled yet" in capsys.readouterr().out
    lesson.bets.gain.place(3, 1)
    lesson.bets.gain.settle("up")
    dashboard([lesson])
    shown = capsys.readouterr().out
    assert "Your log-likelihood: -0.29 nats on 1 bets; uniform bets have -0.69" in shown
    assert "Nothing is due again today" in shown


def test_the_promised_score_is_that_of_all_outcomes():
    """Every outcome of three bets, each with its probability."""
    placed = [{"a": 0.7, "b": 0.3}, {"a": 0.2, "b": 0.5, "c": 0.3}, {"a": 0.9, "b": 0.1}]
    shares = np.array([[math.prod(ps), sum(map(math.log, ps))]
                       for ps in itertools.product(*(bet.values() for bet in placed))])
    mean = (shares[:, 0] * shares[:, 1]).sum()
    deviation = math.sqrt((shares[:, 0] * (shares[:, 1] - mean) ** 2).sum())
    assert promised([bet("a", **shares) for shares in placed]) == pytest.approx((mean, deviation))


@pytest.mark.parametrize(("share", "verdict"), [(0.99, "you are too sure"), (0.55, "about that"), (0.4, "about that")])
def test_who_is_too_sure_is_told(share, verdict):
    for i in range(10):
        progress.record_bet("08", f"bet {i}", **bet("b" if i % 2 else "a", a=share, b=1 - share))
    assert verdict in score().text


def test_calibration_counts_at_most_one_answer_of_a_bet():
    """Simulated readers who are calibrated: the error is the standard deviation of what happened."""
    rng = np.random.default_rng(0)
    placed = {"a": 0.2, "b": 0.25, "c": 0.55}
    found = [calibration([bet(rng.choice(list(placed), p=list(placed.values())), **placed) for _ in range(20)])
             for _ in range(2000)]
    for i, (mean, answers) in enumerate([(0.225, 40), (0.55, 20)]):
        happened = np.array([bins[i].happened for bins in found])
        assert (found[0][i].mean, found[0][i].answers) == (pytest.approx(mean), answers)
        assert happened.std() == pytest.approx(found[0][i].error, rel=0.1)
    assert "given about 22%" in describe([bet("a", **placed)])


@pytest.mark.parametrize(("passed", "last", "due"), [
    (1, 1, 0), (3, 3, 2), (3, 2.5, 2), (3, 0.5, 0), (8, 8, 7), (8, 5, 7), (8, 0.5, 0), (400, 30, 0), (400, 399, 21),
])
def test_what_is_due_again(passed, last, due):
    entry = {key: (NOW - timedelta(days)).isoformat() for key, days in (("passed", passed), ("last", last))}
    assert overdue(entry, NOW) == due


def test_those_that_needed_help_come_first():
    for name, solution in (("easy", False), ("hard", True)):
        progress.record_attempt("08", name, True)
        if solution:
            progress.record_solution_seen("08", name)
    later = datetime.now(UTC) + timedelta(days=7.5)
    assert [row[:3] for row in again(later).rows] == [("08 hard", "7 days ago", "yes"), ("08 easy", "7 days ago", "no")]
