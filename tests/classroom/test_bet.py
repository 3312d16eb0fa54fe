"""Bets are proper: normalised, floored, scored once, and placed by hand or from code."""

import math

from course_lib.classroom import Bet, Bets, progress

import ipywidgets
import pytest

ANSWERS = ("up", "down", "neither")


@pytest.fixture
def bets():
    return Bets("08", Bet("gain", question="Which `way`?", answers=ANSWERS, why="Jensen."),
                Bet("other", question="And $x$?", answers=("yes", "no")))


def placed() -> dict:
    return progress.load()["bets"]["08"]["gain"]["placed"]


@pytest.mark.parametrize("place", [
    lambda bet: bet.place(2, 1, 1), lambda bet: bet.place({"up": 2, "down": 1, "neither": 1}),
    lambda bet: bet.place(up=2, down=1, neither=1),
])
def test_three_ways_to_place(bets, place):
    assert "up 50.0%, down 25.0%, neither 25.0%" in str(place(bets.gain))
    assert placed() == {"up": 0.5, "down": 0.25, "neither": 0.25}


def test_no_answer_is_given_nothing(bets):
    assert "No answer is given less than 0.1%" in str(bets.gain.place(1, 0, 0))
    assert placed() == pytest.approx({"up": 0.998, "down": 0.001, "neither": 0.001})
    assert sum(placed().values()) == pytest.approx(1)


@pytest.mark.parametrize(("weights", "said"), [
    ((-1, 1, 1), "none negative"), ((0, 0, 0), "not all 0"), ((math.nan, 1, 1), "must be finite"),
    ((math.inf, 1, 1), "must be finite"), ((1, 1), "one number for each of"), (({"upp": 1},), r"got \['upp'\]"),
])
def test_bad_weights(bets, weights, said):
    with pytest.raises(ValueError, match=said):
        bets.gain.place(*weights)
    assert progress.load()["bets"] == {}


def test_the_score_is_the_log_of_the_probability(bets):
    bets.gain.place(2, 1, 1)
    said = str(bets.gain.settle("down"))
    assert f"ln p = {math.log(0.25):.3f} nats; a uniform bet scores {-math.log(3):.3f}" in said
    assert said.endswith("Jensen.")
    bets.other.place(1, 1)
    assert f"(bets settled: 2): {math.log(0.25) + math.log(0.5):.3f} nats" in str(bets.other.settle(1))
    assert progress.bets_summary() == (2, pytest.approx(math.log(1 / 8)), pytest.approx(-math.log(6)))


def test_the_first_score_stands(bets):
    bets.gain.place(2, 1, 1)
    bets.gain.settle("up")
    assert "It was settled before, with: up." in str(bets.gain.settle("down"))
    assert "This bet is settled" in str(bets.gain.place(0, 1, 0))
    assert placed()["up"] == 0.5
    assert progress.bets_summary().nats == pytest.approx(math.log(0.5))


def test_without_a_bet_settling_only_says_so(bets):
    said = str(bets.gain.settle("up"))
    assert f"Nothing was placed; uniform scores {-math.log(3):.3f} nats" in said
    assert progress.bets_summary().number == 0
    assert "Your bet is placed" in str(bets.gain.place(1, 1, 1))


@pytest.mark.parametrize("settled", [False, True])
def test_a_bet_that_was_placed_on_other_words(bets, settled):
    facts = {"outcome": "rises", "nats": -0.7, "uniform_nats": -0.7} if settled else {}
    progress.record_bet("08", "gain", placed={"rises": 0.5, "falls": 0.5}, **facts)
    button = bets.gain().children[-2]
    assert button.disabled is settled
    said = str(bets.gain.settle("up"))
    assert ("It was settled before, with: rises." if settled else "Nothing was placed") in said
    assert ("rises 50.0%" if settled else "up 50.0%") in str(bets.gain.place(2, 1, 1))
    assert placed() == ({"rises": 0.5, "falls": 0.5} if settled else {"up": 0.5, "down": 0.25, "neither": 0.25})


@pytest.mark.parametrize("outcome", ["sideways", 3, -1, True])
def test_an_outcome_that_is_no_answer(bets, outcome):
    with pytest.raises(ValueError, match="`outcome` must be one of"):
        bets.gain.settle(outcome)


def parts(form: ipywidgets.VBox):
    question, *rows, button, said = form.children
    fields, shares = zip(*(row.children for row in rows), strict=True)
    return question, fields, shares, button, said


def test_the_form_begins_uniform_and_shows_shares(bets):
    question, fields, shares, _, _ = parts(bets.gain())
    assert question.value == "<strong>Which <code>way</code>?</strong>"
    assert [field.description for field in fields] == list(ANSWERS)
    assert [share.value for share in shares] == ["33.3%"] * 3
    fields[0].value, fields[1].value, fields[2].value = 30, 10, 0
    assert [share.value for share in shares] == ["75.0%", "25.0%", "0.0%"]


def test_the_button_places_and_shows_what_is_wrong(bets):
    _, fields, _, button, said = parts(bets.gain())
    for field in fields:
        field.value = 0
    button.click()
    assert "This bet cannot be placed" in said.value
    fields[1].value = 50
    button.click()
    assert "Your bet is placed" in said.value
    assert placed()["down"] == pytest.approx(0.998)
    again = parts(bets.gain())
    assert [share.value for share in again[2]] == ["0.1%", "99.8%", "0.1%"]
    bets.gain.settle("down")
    assert parts(bets.gain())[3].disabled


def test_names(bets):
    assert list(bets.bets) == ["gain", "other"]
    with pytest.raises(AttributeError, match="no bet `gian` here; there are gain, other"):
        _ = bets.gian
    with pytest.raises(ValueError, match="at least two different texts"):
        Bet("one", question="?", answers=("a", "a"))
    with pytest.raises(ValueError, match="`bets` must have different names"):
        Bets("08", bets.bets["gain"], bets.bets["gain"])
