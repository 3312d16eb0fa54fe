"""An explorer: a figure that is a function of its controls."""

import copy
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from .controls import Button, Control
from .live import LiveFigure, checked_text

COURSE = str(Path(__file__).parents[1])  # on a hub it lies in site-packages too


class Explorer(LiveFigure):
    """A figure and its controls; whenever a value changes, `draw` moves the artists.

    `draw(**values)` returns the alternative text, made from the numbers. `moving` holds the artists that
    `draw` changes (it must then change nothing else but an axes' limits); None draws the whole figure.
    Buttons are no values. After an exception the last good state and its picture stay: in the browser the
    exception is shown in place, from Python it is raised.

    Raises: ValueError for an unknown name, a value that its control refuses, or an empty text.
    """

    def __init__(
        self, figure: Figure, draw: Callable[..., str], *, title: str, moving: Any = None, **controls: Control | Button
    ) -> None:
        self.controls = controls
        self._draw = draw
        start = {name: part.value for name, part in controls.items() if isinstance(part, Control)}
        self._values = self._settle(start, [])
        super().__init__(figure, draw(**self._values), title=title, moving=moving)
        faces = {name: part.face for name, part in controls.items() if part.face}
        self.face = self.face | {"controls": faces}
        self._publish((self.below, self.picture), **self._news())
        self.on_msg(self._receive)

    @property
    def state(self) -> dict[str, Any]:
        """A copy of all values."""
        return copy.deepcopy(self._values)

    def set(self, **values: Any) -> None:
        """Change some values and redraw, in every view."""
        self._take([{"set": values}])

    def press(self, name: str) -> None:
        """Press a button."""
        self._take([{"press": name}])

    def _take(self, steps: list[dict], **reply: Any) -> None:
        """Carry out all steps, then draw once; nothing has changed unless everything went well."""
        begin = time.perf_counter()
        with self._lock:
            values, asked = self.state, []
            for step in steps:
                changes = self._pressed(step["press"], values) if "press" in step else step["set"]
                values |= self._checked(changes)
                asked += changes
            values = self._settle(values, asked)
            alt = checked_text(self._draw(**values))
            layers = self._picture.draw()
            self._values = values
            milliseconds = 1e3 * (time.perf_counter() - begin)
            self._publish(layers, alt=alt, error="", milliseconds=milliseconds, **self._news(), **reply)

    def _settle(self, values: dict, asked: list[str]) -> dict:
        """What the values come to; those in `asked` were set or given by a button."""
        return values

    def _pressed(self, name: str, values: dict) -> dict:
        pressed = self.controls.get(name)
        if not isinstance(pressed, Button):
            names = [name for name, part in self.controls.items() if isinstance(part, Button)]
            raise ValueError(f"`name` must be one of the buttons {names}; got {name!r}.")
        changes = pressed.action(copy.deepcopy(values))
        if not isinstance(changes, dict):
            raise ValueError(f"`action` of {name!r} must return a dict of changed values; got {changes!r}.")
        return changes

    def _checked(self, changes: dict) -> dict:
        for name in changes.keys() - self._values.keys():
            raise ValueError(f"`{name}` must be one of the values {list(self._values)}.")
        return {name: self.controls[name].check(name, new) for name, new in changes.items()}

    def _news(self) -> dict:
        """What the browser needs beside the picture: the shown values, and where handles lie."""
        shown = {name: value for name, value in self._values.items() if self.controls[name].face}
        placed = {name: part for name, part in self.controls.items() if getattr(part, "axes", None)}
        return {"state": shown, "corners": {name: self._corners(part) for name, part in placed.items()}}

    def _corners(self, part: Control) -> list:
        """The corners of the bounds as fractions of the figure, from bottom left to top right."""
        to_figure = part.axes.transData + self.figure.transFigure.inverted()
        (left, right), (bottom, top) = part.face["bounds"]
        return to_figure.transform([[left, bottom], [right, top]]).tolist()

    def _receive(self, _widget: Any, message: dict, _buffers: list) -> None:
        """Answer the browser: one answer to each message, be it an error."""
        _use_one_thread()
        reply = {"view": message["view"], "seq": message["seq"]}
        with self._lock:
            try:
                if message.get("sharp"):
                    self._picture.sharpen()
                self._take(message["steps"], **reply)
            except Exception as error:  # shown to the reader in place of a picture
                self._publish((self.below, self.picture), error=_described(error), **reply)


def _described(error: Exception) -> str:
    """What went wrong, and the line of the course's or the reader's code where it did."""
    where = [frame for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename.startswith(COURSE) or "site-packages" not in frame.filename][-1]
    return f"{type(error).__name__}: {error}\nin {where.name}, line {where.lineno}: {where.line}"


_thread = threading.local()


def _use_one_thread() -> None:
    """The browser is answered on a thread of its own, where torch would wait for all cores at each small product."""
    beside = threading.current_thread() is not threading.main_thread()
    if beside and "torch" in sys.modules and not hasattr(_thread, "torch_is_set"):
        sys.modules["torch"].set_num_threads(1)
        _thread.torch_is_set = True
