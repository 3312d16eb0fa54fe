"""Faces for functions and processes: figures that answer the hand (a widget owns no mathematics)."""

from course_lib.widgets.controls import Button, Control, button, choice, handles, memory, slider, toggle
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.live import LiveFigure
from course_lib.widgets.player import Player

__all__ = [
    "Button", "Control", "Explorer", "LiveFigure", "Player",
    "button", "choice", "handles", "memory", "slider", "toggle",
]
