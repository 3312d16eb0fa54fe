"""Pictures: the fast encoder is exact, and so is drawing only what moves."""

import io

from course_lib.widgets.picture import Picture, decode_runs, encode_png, encode_runs

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (120, 301, 3)])
def test_the_encoder_loses_nothing(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(decoded(encode_png(pixels)), pixels)


@pytest.mark.parametrize("shape", [(1, 1, 4), (7, 5, 4), (120, 301, 4)])
@pytest.mark.parametrize("levels", [2, 256])
def test_runs_lose_nothing(shape, levels):
    chance = np.random.default_rng(0)
    below, pixels = chance.integers(0, levels, (2, *shape), dtype=np.uint8)
    below[..., 3] = pixels[..., 3] = 255
    assert np.array_equal(decode_runs(encode_runs(pixels)), pixels[..., :3])
    assert np.array_equal(decode_runs(encode_runs(below), encode_runs(pixels, below)), pixels[..., :3])


def test_what_has_not_changed_takes_no_room():
    pixels = np.full((400, 700, 4), 255, np.uint8)
    assert len(encode_runs(pixels, pixels)) == 4 * (2 + 1 + 1)


def busy_figure(*, grid: bool):
    """Bars, an area, points and a line that touch the edges of their axes."""
    figure = Figure(figsize=(6, 3))
    left, right = figure.subplots(1, 2)
    left.grid(grid)
    bars = left.bar(range(5), range(1, 6), label="bars")
    left.legend()
    area = right.fill_between([0, 5], [1, 3])
    points = right.scatter([0, 5, 2], [0, 4, 1])
    (line,) = right.plot([0, 5], [4, 0])
    left.set(ylim=(0, 5), title="left", ylabel="count")
    right.set(xlim=(0, 5), ylim=(0, 4))
    return figure, [bars, [area, line], points], bars, points, line


@pytest.mark.parametrize("grid", [False, True])
def test_moving_artists_alone_give_the_same_pixels_as_the_whole_figure(grid):
    figure, moving, bars, points, line = busy_figure(grid=grid)
    quick, whole = Picture(figure, moving), Picture(figure)
    chance = np.random.default_rng(0)
    seen = set()
    for _ in range(4):
        for bar in bars:
            bar.set_height(chance.uniform(0, 5))
        points.set_offsets(chance.uniform(0, 5, (3, 2)))
        line.set_ydata(chance.uniform(0, 4, 2))
        seen.add(quick.png())
        assert np.array_equal(decoded(quick.png()), decoded(whole.png()))
    assert len(seen) == 4


def test_what_lies_above_is_drawn_where_something_moves_below_it_only():
    """A legend without a frame, half transparent; the dot is far away, at its edge, and behind it."""
    figure = Figure(figsize=(4, 3))
    ax = figure.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    (dot,) = ax.plot([0], [0], "o", ms=20, label="a dot")
    legend = ax.legend(loc="center", framealpha=0.5, edgecolor="none")
    drawn = []
    legend.draw = lambda renderer, draw=legend.draw: drawn.append(draw(renderer))
    quick = Picture(figure, dot)
    for x, times in [(0.1, 0), (0.39, 1), (0.5, 1), (0.9, 0)]:
        dot.set_data([x], [0.5])
        quick.draw()
        drawn.clear()
        runs = quick.draw()
        assert len(drawn) == times
        assert np.array_equal(decode_runs(*runs), decoded(Picture(figure).png()))


def test_what_lies_below_is_drawn_once():
    figure, moving, _, _, _ = busy_figure(grid=False)
    picture = Picture(figure, moving)
    before = picture.png()
    figure.axes[1].patch.set_facecolor("red")
    assert picture.png() == before


def test_new_limits_are_drawn():
    figure, moving, _, _, _ = busy_figure(grid=False)
    picture = Picture(figure, moving)
    before = picture.png()
    figure.axes[0].set_ylim(0, 50)
    assert picture.png() == Picture(figure).png() != before


def test_sharpened_pictures_have_twice_the_pixels():
    figure, moving, _, _, _ = busy_figure(grid=False)
    picture = Picture(figure, moving)
    height, width, _ = decoded(picture.png()).shape
    picture.sharpen()
    picture.sharpen()
    assert decoded(picture.png()).shape == (2 * height, 2 * width, 3)
    assert picture.size == [width, height]


def test_a_figure_that_is_saved_keeps_its_moving_artists():
    figure, moving, _, _, _ = busy_figure(grid=False)
    untouched, _, _, _, _ = busy_figure(grid=False)
    Picture(figure, moving).png()
    saved = [io.BytesIO(), io.BytesIO()]
    figure.savefig(saved[0])
    untouched.savefig(saved[1])
    assert np.array_equal(decoded(saved[0].getvalue()), decoded(saved[1].getvalue()))


@pytest.mark.parametrize(("moving", "got"), [
    (lambda figure: ["line"], "'line'"), (lambda figure: figure.suptitle("a title"), "Text"),
    (lambda figure: [figure.axes[0].xaxis.label], "Text"), (lambda figure: figure.axes[0], "<Axes"),
])
def test_moving_must_be_artists_that_axes_draw(moving, got):
    figure = Figure()
    figure.subplots()
    with pytest.raises(ValueError, match=f"`moving` must hold artists that axes draw, such as lines; got {got}"):
        Picture(figure, moving(figure))
