"""Players: frames are recorded as they are asked for, and kept."""

from course_lib.widgets import Player, slider

import pytest
from matplotlib.figure import Figure
from specimens import playing


def count_to(log: list, *, steps: int = 5, bad: int = -1, **options) -> Player:
    """Counts from 0 in strides, noting each step when it is made; raises at step `bad`."""

    def start(stride):
        if stride == 9:
            raise ArithmeticError("a stride of 9 is forbidden")
        for i in range(steps):
            if i == bad:
                raise ArithmeticError("the process broke")
            log.append(i * stride)
            yield i * stride

    return Player(
        Figure(figsize=(2, 2)), start, lambda step: step, lambda snapshot, stride: f"At {snapshot}.", title="Count",
        stride=slider(1, 9, 1, label="stride"), **{"frames": 10} | options)


def test_frames_are_recorded_when_asked_for_and_only_once():
    log = []
    player = count_to(log)
    assert log == [0]
    player.set(frame=2)
    assert log == [0, 1, 2]
    player.set(frame=1)
    assert (log, player.alt) == ([0, 1, 2], "At 1.")


def test_a_process_that_ends_stays_at_its_last_frame():
    player = count_to([])
    player.set(frame=9)
    assert (player.state["frame"], player.alt) == (4, "At 4.")


def test_the_buttons_step_and_restart():
    log = []
    player = count_to(log)
    for name, alt in [("back", "At 0."), ("forward", "At 1."), ("forward", "At 2."), ("back", "At 1.")]:
        player.press(name)
        assert player.alt == alt
    player.press("restart")
    assert (player.alt, log) == ("At 0.", [0, 1, 2, 0])


def test_another_control_begins_anew():
    player = count_to([])
    player.set(frame=3)
    player.set(stride=2)
    assert player.state == {"frame": 0, "stride": 2}
    player.set(stride=3, frame=2)
    assert (player.state["frame"], player.alt) == (2, "At 6.")
    player.set(stride=4, frame=2)
    assert (player.state["frame"], player.alt) == (2, "At 8.")


def test_snapshots_are_copies():
    player = playing()
    player.set(frame=12)
    player.set(frame=0)
    assert player.alt == "The number is 1."


def test_a_process_that_cannot_begin_changes_nothing():
    log = []
    player = count_to(log)
    player.set(frame=3)
    with pytest.raises(ArithmeticError, match="a stride of 9 is forbidden"):
        player.set(stride=9)
    assert player.state == {"frame": 3, "stride": 1}
    player.press("forward")
    assert (player.alt, log) == ("At 4.", [0, 1, 2, 3, 4])


def test_a_process_that_breaks_keeps_the_frames_before():
    player = count_to([], bad=2)
    with pytest.raises(ArithmeticError, match="the process broke"):
        player.set(frame=3)
    player.set(frame=1)
    assert player.alt == "At 1."


def test_an_empty_process_is_refused():
    with pytest.raises(ValueError, match="`start` must return an iterator of at least one step; got none"):
        count_to([], steps=0)


def test_a_player_has_two_frames_at_least():
    with pytest.raises(ValueError, match=r"`frames` must be 2 or more; got 1\."):
        count_to([], frames=1)
