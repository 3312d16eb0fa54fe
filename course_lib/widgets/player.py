"""A player: a figure of a process that is watched step by step."""

import copy
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from matplotlib.figure import Figure

from .controls import Button, Control, button, slider
from .explorer import Explorer


class Player(Explorer):
    """Plays a process, and plays it again from what was recorded.

    `start(**values)` begins the process and returns its iterator; `record(step)` is a snapshot of one step
    (it is copied: the process may go on changing its tensors in place); `draw(snapshot, **values)` moves the
    artists and returns the alternative text. A frame is recorded when it is first asked for, at most
    `frames` of them; a process that ends earlier stays at its last frame. Changing a control of `controls`
    begins the process anew. The state holds the control's values and `frame`, which counts from 0.
    """

    def __init__(
        self,
        figure: Figure,
        start: Callable[..., Iterator],
        record: Callable[[Any], Any],
        draw: Callable[..., str],
        *,
        title: str,
        frames: int = 50,
        moving: Any = None,
        **controls: Control | Button,
    ) -> None:
        if frames < 2:
            raise ValueError(f"`frames` must be 2 or more; got {frames!r}.")
        self._start, self._record, self._draw_snapshot = start, record, draw
        self._begun_with = None
        last = frames - 1
        playback = {
            "restart": button("Restart", self._restart),
            "back": button("Step back", lambda values: {"frame": max(values["frame"] - 1, 0)}),
            "forward": button("Step on", lambda values: {"frame": min(values["frame"] + 1, last)}),
            "frame": slider(0, last, 0, label="frame"),
        }
        super().__init__(figure, self._draw_frame, title=title, moving=moving, **playback, **controls)

    def _restart(self, values: dict) -> dict:
        self._begun_with = None
        return {"frame": 0}

    def _settle(self, values: dict, asked: list[str]) -> dict:
        """Begin anew if another control has moved, then record as far as the frame asked for."""
        frame, others = values["frame"], {name: value for name, value in values.items() if name != "frame"}
        if others != self._begun_with:
            self._begin(others)
            frame = frame if "frame" in asked else 0
        missing = max(0, frame + 1 - len(self._snapshots))
        for step in itertools.islice(self._process, missing):
            self._snapshots.append(copy.deepcopy(self._record(step)))
        return values | {"frame": min(frame, len(self._snapshots) - 1)}

    def _begin(self, others: dict) -> None:
        process = iter(self._start(**others))
        snapshots = [copy.deepcopy(self._record(step)) for step in itertools.islice(process, 1)]
        if not snapshots:
            raise ValueError("`start` must return an iterator of at least one step; got none.")
        self._process, self._snapshots, self._begun_with = process, snapshots, others

    def _draw_frame(self, frame: int, **values: Any) -> str:
        return self._draw_snapshot(self._snapshots[frame], **values)
