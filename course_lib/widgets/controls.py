"""The controls of an explorer: each is a value, a check of new values, and a description for the browser."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from matplotlib.axes import Axes

Interval = tuple[float, float]


@dataclass(frozen=True)
class Control:
    """One value of an explorer's state.

    `check(name, new)` returns `new` in the control's own type, or raises ValueError.
    `face` describes the control to the browser; it is empty for a value that is not shown.
    `axes` are where handles lie.
    """

    value: Any
    check: Callable[[str, Any], Any]
    face: dict
    axes: Axes | None = None


@dataclass(frozen=True)
class Button:
    """A button: `action(values)` returns the values that it changes."""

    action: Callable[[dict], dict]
    face: dict


def slider(low: float, high: float, value: float, *, label: str, step: float | None = None) -> Control:
    """A number from `low` to `high`; a whole one if all three are whole (int)."""
    if not low < high:
        raise ValueError(f"`low` must be less than `high`; got {low} and {high}.")
    whole = all(isinstance(number, int) for number in (low, high, value))
    kind, cast = ("a whole number", int) if whole else ("a number", float)

    def check(name: str, new: Any) -> float:
        good = isinstance(new, Real) and not isinstance(new, bool) and low <= new <= high
        if not good or cast(new) != new:
            raise ValueError(f"`{name}` must be {kind} from {low:g} to {high:g}; got {new!r}.")
        return cast(new)

    step = step or (1 if whole else 10.0 ** math.floor(math.log10((high - low) / 100)))
    face = _face("slider", label, low=low, high=high, step=step)
    return Control(check("value", value), check, face)


def toggle(value: bool, *, label: str) -> Control:
    """True or False."""

    def check(name: str, new: Any) -> bool:
        if not isinstance(new, bool):
            raise ValueError(f"`{name}` must be True or False; got {new!r}.")
        return new

    return Control(check("value", value), check, _face("toggle", label))


def choice(options: Sequence[str], value: str, *, label: str) -> Control:
    """One of several words."""

    def check(name: str, new: Any) -> str:
        if new not in options:
            raise ValueError(f"`{name}` must be one of {list(options)}; got {new!r}.")
        return new

    return Control(check("value", value), check, _face("choice", label, options=list(options)))


def handles(
    points: Sequence[Sequence[float]], *, axes: Axes, label: str, bounds: tuple[Interval, Interval], drag: str = "xy"
) -> Control:
    """Points [x, y] that are dragged on `axes`, in the units of the data.

    `bounds` are ((x low, x high), (y low, y high)); `drag` says which coordinates move: "xy", "x" or "y".
    """
    if drag not in ("xy", "x", "y"):
        raise ValueError(f'`drag` must be "xy", "x" or "y"; got {drag!r}.')
    _require_linear(axes)
    count = len(points)

    def check(name: str, new: Any) -> list[list[float]]:
        if not _are_points(new, count, bounds):
            raise ValueError(f"`{name}` must be {count} points [x, y] within {bounds}; got {new!r}.")
        return [[float(x), float(y)] for x, y in new]

    face = _face("handles", label, count=count, drag=drag, bounds=bounds)
    return Control(check("points", points), check, face, axes)


def gaussians(
    values: Sequence[dict], *, axes: Axes, label: str, bounds: tuple[Interval, Interval], height: float | None = None
) -> Control:
    """Gaussians that are dragged on `axes`: each by its mean, and by its axes at one standard deviation.

    A value is {"mean": [x, y], "covariance": [[a, b], [b, c]]}, in the units of the data; `bounds` are those of the
    means. With a `height` the Gaussians are one-dimensional, {"mean": [x], "covariance": [[a]]}, and their handles lie
    at that height. The explorer's `draw` draws the curves.
    """
    _require_linear(axes)
    count, dimensions = len(values), 2 if height is None else 1
    wanted = (f'a list of {count} {{"mean": ..., "covariance": ...}}, each {dimensions}-dimensional, '
              f"with its mean within {bounds} and its covariance positive definite")

    def check(name: str, new: Any) -> list[dict]:
        taken = _as_gaussians(new)
        good = taken is not None and len(taken) == count
        if not good or not all(_is_gaussian(mean, covariance, bounds[:dimensions]) for mean, covariance in taken):
            raise ValueError(f"`{name}` must be {wanted}; got {new!r}.")
        return [{"mean": mean.tolist(), "covariance": covariance.tolist()} for mean, covariance in taken]

    face = _face("gaussians", label, count=count, bounds=bounds, height=height)
    return Control(check("values", values), check, face, axes)


def memory(value: Any) -> Control:
    """A value of the state that has no face: plain data that the actions of buttons keep."""
    return Control(value, lambda name, new: new, {})


def button(label: str, action: Callable[[dict], dict]) -> Button:
    """A button; `action(values)` returns a dict of the values that it changes."""
    return Button(action, _face("button", label))


def _face(kind: str, label: str, **details: Any) -> dict:
    if not label.strip():
        raise ValueError(f"`label` must name the {kind}; got {label!r}.")
    return {"kind": kind, "label": label, **details}


def _require_linear(axes: Axes) -> None:
    if (axes.get_xscale(), axes.get_yscale()) != ("linear", "linear"):
        raise ValueError(f"`axes` must have linear scales; got {axes.get_xscale()} and {axes.get_yscale()}.")


def _as_gaussians(new: Any) -> list[tuple[np.ndarray, np.ndarray]] | None:
    try:
        return [(np.array(one["mean"], float), np.array(one["covariance"], float)) for one in new]
    except (TypeError, ValueError, KeyError, IndexError):
        return None


def _is_gaussian(mean: np.ndarray, covariance: np.ndarray, bounds: Sequence[Interval]) -> bool:
    size = len(bounds)
    if mean.shape != (size,) or covariance.shape != (size, size) or not np.isfinite(covariance).all():
        return False
    inside = all(low <= number <= high for number, (low, high) in zip(mean, bounds))
    return inside and np.allclose(covariance, covariance.T) and np.linalg.eigvalsh(covariance)[0] > 0


def _are_points(new: Any, count: int, bounds: tuple[Interval, Interval]) -> bool:
    try:
        pairs = [(float(x), float(y)) for x, y in new]
    except (TypeError, ValueError):
        return False
    (left, right), (bottom, top) = bounds
    return len(pairs) == count and all(left <= x <= right and bottom <= y <= top for x, y in pairs)
