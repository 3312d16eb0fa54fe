"""Explorers for the tests: every control, Gaussians, a player of a process that ends, and two that are broken."""

import math
from collections.abc import Iterator

from course_lib.classroom import Line
from course_lib.widgets import Explorer, Player, button, choice, gaussians, handles, memory, slider, toggle

import numpy as np
from matplotlib.figure import Figure

X = np.linspace(0, 10, 200)
LINES = (
    Line(r"\log p(x)", "the evidence", -2.0), Line(r"\log \int p(x, z)\,dz", "marginalise <z>", -2.0),
    Line("F(q)", "Jensen", -2.5, ">="),
)
TURN = np.linspace(0, 2 * np.pi, 60)


def every_control(**options) -> Explorer:
    """A wave, two points that can be dragged, and a button that counts."""
    figure = Figure(figsize=(7, 4), dpi=100, layout="none")
    ax = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    ax.set(xlim=(0, 10), ylim=(-2, 2), xlabel="t (s)")
    (line,) = ax.plot(X, X, label="wave")
    points = ax.scatter([2, 8], [0, 0], s=30, color="black")
    words = ax.text(0.2, 1.7, "")
    ax.legend(loc="lower right")

    def draw(phase, waves, rectified, shape, at, count):
        wave = {"sine": np.sin, "cosine": np.cos}[shape](waves * X + phase)
        line.set_ydata(abs(wave) if rectified else wave)
        points.set_offsets(at)
        words.set_text(f"{count} presses")
        return f"A {shape} of phase {phase:.2f}, {waves} waves, {count} presses, first point {at[0]}."

    return Explorer(
        figure, draw, title="Every control", **{"moving": [[line], points, words]} | options,
        phase=slider(0, 6, 1.0, label="phase (radians)"),
        waves=slider(1, 5, 1, label="number of waves"),
        rectified=toggle(False, label="rectified"),
        shape=choice(["sine", "cosine"], "sine", label="shape"),
        at=handles([[2, 0], [8, 0]], axes=ax, label="point", bounds=((0, 10), (-2, 2))),
        count=memory(0),
        press=button("Count", lambda values: {"count": values["count"] + 1}),
    )


def playing() -> Player:
    """A number that shrinks by `rate` for 20 steps, in place."""
    figure = Figure(figsize=(5, 3), dpi=100, layout="none")
    ax = figure.subplots()
    ax.set(xlim=(0, 1), ylim=(-7, 1), ylabel="logarithm")
    (dot,) = ax.plot([0.5], [0], "o")

    def halvings(rate: float) -> Iterator[list[float]]:
        number = [1.0]
        for _ in range(20):
            yield number
            number[0] *= rate

    def draw(snapshot, rate):
        dot.set_ydata([math.log(snapshot[0])])
        return f"The number is {snapshot[0]:.4g}."

    return Player(
        figure, halvings, lambda step: step, draw, title="Halvings", moving=dot, frames=30,
        rate=slider(0.1, 0.9, 0.5, label="rate"),
    )


def pulled() -> Explorer:
    """Two Gaussians in the plane, in unlike units, and one on a line."""
    figure = Figure(figsize=(8, 4), dpi=100, layout="none")
    plane, line = figure.add_axes((0.1, 0.1, 0.35, 0.8)), figure.add_axes((0.6, 0.1, 0.35, 0.8))
    plane.set(xlim=(0, 6), ylim=(30, 110))
    line.set(xlim=(-5, 5), ylim=(0, 1))
    rings = [plane.plot([], [])[0] for _ in range(2)]
    (curve,) = line.plot(X - 5, 0 * X)
    circle = np.stack([np.cos(TURN), np.sin(TURN)])

    def draw(plane, line):
        for ring, one in zip(rings, plane):
            ring.set_data(np.array(one["mean"])[:, None] + np.linalg.cholesky(one["covariance"]) @ circle)
        ((mean,), ((variance,),)) = line[0].values()
        curve.set_ydata(np.exp(-0.5 * (curve.get_xdata() - mean) ** 2 / variance) / math.sqrt(2 * math.pi * variance))
        return f"Two Gaussians in the plane, {plane}, and one on the line: mean {mean:.3g}, variance {variance:.3g}."

    start = [{"mean": [2, 50], "covariance": [[0.5, 3], [3, 60]]}, {"mean": [4, 80], "covariance": [[0.3, 0], [0, 90]]}]
    return Explorer(
        figure, draw, title="Pulled", moving=[rings, curve],
        plane=gaussians(start, axes=plane, label="component", bounds=((0, 6), (30, 110))),
        line=gaussians(
            [{"mean": [0], "covariance": [[1]]}], axes=line, label="guess", bounds=((-5, 5), (0, 1)), height=0.1),
    )


def faulty() -> Explorer:
    """Raises at its right end and when its button is pressed."""
    figure = Figure(figsize=(3, 2), layout="none")
    ax = figure.subplots()

    def draw(x):
        ax.set_title(f"{1 / (5 - x):.3f}")
        return f"The title is {1 / (5 - x):.3f}."

    return Explorer(
        figure, draw, title="Faulty", x=slider(0, 5, 1, label="x"), fail=button("Fail", lambda values: {"x": 1 // 0})
    )


def stuck() -> Explorer:
    """Its picture never changes."""
    figure = Figure(figsize=(3, 2), layout="none")
    return Explorer(figure, lambda x: f"Nothing at {x}.", title="Stuck", x=slider(0, 5, 1, label="x"))
