"""Steppers: lines revealed one at a time, by buttons and from Python."""

from course_lib.widgets import Stepper

import pytest
from specimens import LINES


@pytest.fixture
def stepper():
    return Stepper(LINES, title="The bound")


def revealed(stepper):
    return [row.layout.visibility for row in stepper.children[1:-1]]


def test_the_buttons_reveal_and_hide(stepper):
    back, on, everything = stepper.children[-1].children
    assert [back.disabled, on.disabled, everything.disabled] == [True, False, False]
    for button, shown in [(on, 2), (on, 3), (back, 2), (back, 1), (everything, 3)]:
        button.click()
        assert stepper.shown == shown
        assert revealed(stepper) == shown * ["visible"] + (3 - shown) * ["hidden"]
    assert [back.disabled, on.disabled, everything.disabled] == [False, True, True]


def test_a_click_too_many_does_nothing(stepper, caplog):
    """A kernel that is busy disables a button late."""
    back, on, _ = stepper.children[-1].children
    for button, shown in [(back, 1), *[(on, shown) for shown in (2, 3, 3)]]:
        button.click()
        assert stepper.shown == shown
    assert caplog.text == ""


def test_it_is_set_from_python(stepper):
    stepper.shown = 2
    assert revealed(stepper) == ["visible", "visible", "hidden"]


@pytest.mark.parametrize("shown", [0, 4])
def test_a_line_that_is_not_there_is_refused(stepper, shown):
    with pytest.raises(ValueError, match=rf"`shown` must be from 1 to 3; got {shown}\."):
        stepper.shown = shown
    assert stepper.shown == 1


def test_no_lines_are_refused():
    with pytest.raises(ValueError, match="`lines` must hold at least one line; got none"):
        Stepper([], title="Nothing")


def test_all_lines_are_left_where_no_widget_can_be_shown(stepper):
    left = stepper._repr_mimebundle_()["text/html"]
    assert r"$\displaystyle \geq F(q)$ &emsp; Jensen &emsp; <b>-2.5</b>" in left
    assert "marginalise &lt;z&gt;" in left
