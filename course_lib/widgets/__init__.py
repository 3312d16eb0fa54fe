"""Faces for functions and processes: figures that answer the hand (a widget owns no mathematics)."""

from .controls import Button, Control, button, choice, gaussians, handles, memory, slider, toggle
from .explorer import Explorer
from .live import LiveFigure
from .pad import DrawDigit
from .plane import LatentPlane
from .player import Player
from .stepper import Stepper

__all__ = [
    "Button", "Control", "DrawDigit", "Explorer", "LatentPlane", "LiveFigure", "Player", "Stepper",
    "button", "choice", "gaussians", "handles", "memory", "slider", "toggle",
]
