"""Controls: what they take, and what they say to what they do not take."""

import math

from course_lib.widgets import button, choice, gaussians, handles, memory, slider, toggle

import numpy as np
import pytest
from matplotlib.figure import Figure


def points(**options):
    axes = Figure().subplots()
    defaults = {"axes": axes, "label": "mean", "bounds": ((0, 10), (-1, 1))}
    return handles([[1, 0], [2, 0]], **defaults | options)


def ellipses(**options):
    defaults = {"axes": Figure().subplots(), "label": "component", "bounds": ((0, 10), (-1, 1))}
    values = [gaussian([1], [[1]])] if "height" in options else [gaussian([1, 0], [[2, 1], [1, 2]])]
    return gaussians(values, **defaults | options)


def gaussian(mean, covariance):
    return {"mean": mean, "covariance": covariance}


CONTROLS = {
    "slider": slider(40, 100, 55.0, label="mean (min)"), "whole": slider(1, 10, 3, label="components"),
    "toggle": toggle(False, label="equal variances"), "choice": choice(["a", "b"], "a", label="data"),
    "handles": points(), "gaussians": ellipses(), "line": ellipses(height=0.5),
}


@pytest.mark.parametrize(("kind", "given", "taken"), [
    ("slider", 60, 60.0), ("slider", np.float64(60.5), 60.5), ("whole", 4.0, 4), ("toggle", True, True),
    ("choice", "b", "b"), ("line", [gaussian([2], np.eye(1))], [gaussian([2.0], [[1.0]])]),
    ("gaussians", [gaussian(np.array([2, 1]), np.eye(2))], [gaussian([2.0, 1.0], [[1.0, 0.0], [0.0, 1.0]])]),
    ("handles", np.array([[0, -1], [10, 1]]), [[0.0, -1.0], [10.0, 1.0]]),
])
def test_a_good_value_is_taken_in_the_control_s_own_type(kind, given, taken):
    result = CONTROLS[kind].check("x", given)
    assert result == taken
    assert type(result) is type(taken)


@pytest.mark.parametrize(("kind", "given", "message"), [
    ("slider", 101, r"`x` must be a number from 40 to 100; got 101\."),
    ("slider", math.nan, r"`x` must be a number from 40 to 100; got nan\."),
    ("slider", "60", r"`x` must be a number from 40 to 100; got '60'\."),
    ("slider", True, r"`x` must be a number from 40 to 100; got True\."),
    ("whole", 3.5, r"`x` must be a whole number from 1 to 10; got 3\.5\."),
    ("toggle", 1, r"`x` must be True or False; got 1\."),
    ("choice", "c", r"`x` must be one of \['a', 'b'\]; got 'c'\."),
    ("handles", [[1, 0]], r"`x` must be 2 points \[x, y\] within \(\(0, 10\), \(-1, 1\)\); got \[\[1, 0\]\]\."),
    ("handles", [[1, 0], [11, 0]], "`x` must be 2 points"),
    ("handles", [[1, 0], [math.nan, 0]], "`x` must be 2 points"),
    ("handles", [[1, 0], [1, 0, 0]], "`x` must be 2 points"),
    ("handles", 7, "`x` must be 2 points"),
    ("gaussians", [gaussian([1, 0], [[1, 2], [2, 1]])],
     r"`x` must be a list of 1 \{\"mean\": \.\.\., \"covariance\": \.\.\.\}, each 2-dimensional, with its mean within "
     r"\(\(0, 10\), \(-1, 1\)\) and its covariance positive definite; got \[\{'mean'"),
    ("gaussians", [gaussian([1, 0], [[1, 0], [0.5, 1]])], "its covariance positive definite"),
    ("gaussians", [gaussian([1, 0], [[math.inf, 0], [0, 1]])], "its covariance positive definite"),
    ("gaussians", [gaussian([1, 2], np.eye(2))], "its covariance positive definite"),
    ("gaussians", [gaussian([1], [[1]])], "its covariance positive definite"),
    ("gaussians", [{"mean": [1, 0]}], "its covariance positive definite"),
    ("gaussians", [], "its covariance positive definite"),
    ("gaussians", [[1, 0]], "its covariance positive definite"),
    ("line", [gaussian([1], [[-1]])], "`x` must be a list of 1 .* each 1-dimensional"),
])
def test_a_bad_value_is_refused(kind, given, message):
    with pytest.raises(ValueError, match=message):
        CONTROLS[kind].check("x", given)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: slider(1, 1, 1, label="a"), r"`low` must be less than `high`; got 1 and 1\."),
    (lambda: slider(0, 1, 2, label="a"), r"`value` must be a whole number from 0 to 1; got 2\."),
    (lambda: slider(0, 1, 0.5, label=" "), r"`label` must name the slider; got ' '\."),
    (lambda: choice(["a"], "b", label="a"), "`value` must be one of"),
    (lambda: toggle("yes", label="a"), "`value` must be True or False"),
    (lambda: button("", dict), "`label` must name the button"),
    (lambda: points(drag="z"), '`drag` must be "xy", "x" or "y"; got \'z\''),
    (lambda: points(axes=Figure().subplots(subplot_kw={"xscale": "log"})), "`axes` must have linear scales; got log"),
    (lambda: ellipses(axes=Figure().subplots(subplot_kw={"yscale": "log"})), "`axes` must have linear scales"),
    (lambda: ellipses(label=""), "`label` must name the gaussians"),
])
def test_a_control_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(("low", "high", "value", "step"), [(0, 1, 0.5, 0.01), (40, 100, 55.0, 0.1), (1, 10, 3, 1)])
def test_the_step_is_a_power_of_ten(low, high, value, step):
    assert slider(low, high, value, label="a").face["step"] == pytest.approx(step, rel=1e-12)


def test_a_memory_has_no_face():
    assert memory({"theta": [1.0]}).face == {}
