"""Moves every control of an explorer without a browser."""

import re
from collections.abc import Iterator
from typing import Any

from course_lib.widgets import Button, Control, Explorer, Player
from course_lib.widgets.browser import BrowserExplorer
from course_lib.widgets.picture import Picture

import torch

SEEN_IN_A_STILL = {"z", "label", "image", "value", "seen"}  # the walk and the tools change nothing by themselves


def drive(explorer: Explorer | BrowserExplorer) -> None:
    """Move every control of an explorer, whether the kernel or the browser makes its pictures.

    Raises: AssertionError if a picture never changes, or if an alternative text holds a number that is not finite.
    """
    if isinstance(explorer, BrowserExplorer):
        _drive_live(explorer)
    else:
        _drive(explorer)


def _drive_live(explorer: BrowserExplorer) -> None:
    """Set every value of the state to its ends and to something between."""
    for name in explorer.state:
        pictures = []
        for value in _live_positions(explorer, name):
            explorer.set(**{name: value})
            _require_finite(explorer.alt)
            pictures.append(Picture(explorer.figure()).png())
        assert name not in SEEN_IN_A_STILL or len(set(pictures)) > 1, f"`{name}` never changed the picture."


def _live_positions(explorer: BrowserExplorer, name: str) -> list:
    face, now = explorer.face, explorer.state[name]
    match name:
        case "z":
            return [[place * face["limit"]] * face["dimensions"] for place in (-1, 1, 0)]
        case "label":
            return list(range(len(face["labels"])))
        case "image" | "to":
            return sorted({0, face["count"] // 2, face["count"] - 1})
        case "share":
            return [0.0, 1.0, 0.5]
        case "axes":
            return [[1, 0], [0, 1]]
        case "tool":
            return ["draw", "erase", "cover", "uncover"]
        case "value":
            return [torch.ones_like(now), torch.zeros_like(now), now]
        case "seen":
            return [torch.arange(len(now)) < len(now) // 2, torch.ones_like(now)]
    raise AssertionError(f"`{name}` is not driven by this test.")


def _drive(explorer: Explorer) -> None:
    """Move every control to both ends and the middle, then press every button twice.

    Raises: AssertionError if the picture never changes for a control (for the buttons: for none of them), or
    if an alternative text holds a number that is not finite.
    """
    for name, control in explorer.controls.items():
        pictures = [_picture_at(explorer, name, value) for value in _positions(control)]
        assert not pictures or len(set(pictures)) > 1, f"`{name}` never changed the picture."
    pictures = [explorer.png()]
    buttons = [name for name, part in explorer.controls.items() if isinstance(part, Button)]
    for name in 2 * buttons:
        explorer.press(name)
        pictures.append(_picture(explorer))
    assert not buttons or len(set(pictures)) > 1, "No button ever changed the picture."


def _picture_at(explorer: Explorer, name: str, value: Any) -> bytes:
    explorer.set(**{name: value})
    if isinstance(explorer, Player) and name != "frame":
        explorer.press("forward")  # a process may begin with the same picture whatever its controls are
    return _picture(explorer)


def _picture(explorer: Explorer) -> bytes:
    _require_finite(explorer.alt)
    return explorer.png()


def _require_finite(alt: str) -> None:
    not_finite = re.search(r"\b(nan|inf|infinity)\b", alt, re.IGNORECASE)
    assert not not_finite, f"The alternative text holds a number that is not finite: {alt}"


def _positions(control: Control | Button) -> Iterator:
    """The values to try: both ends and the middle; none for a button and for a value without a face."""
    face = control.face
    match face.get("kind"):
        case "slider":
            low, high = face["low"], face["high"]
            middle = (low + high) // 2 if isinstance(control.value, int) else (low + high) / 2
            yield from (low, high, middle)
        case "toggle":
            yield from (True, False)
        case "choice":
            yield from face["options"]
        case "handles":
            (left, right), (bottom, top) = face["bounds"]
            for corner in ((left, bottom), (right, top), ((left + right) / 2, (bottom + top) / 2)):
                for i in range(face["count"]):
                    yield [*control.value[:i], list(corner), *control.value[i + 1:]]
        case "gaussians":
            for i, one in enumerate(control.value):
                for times in (0.25, 4, 1):
                    changed = one | {"covariance": [[times * entry for entry in row] for row in one["covariance"]]}
                    yield [*control.value[:i], changed, *control.value[i + 1:]]
                for side in (0, 1):
                    moved = one | {"mean": [interval[side] for interval, _ in zip(face["bounds"], one["mean"])]}
                    yield [*control.value[:i], moved, *control.value[i + 1:]]
