"""Lecture mode enlarges, folds and binds keys; switching it off undoes all of it."""

from course_lib import plots
from course_lib.classroom import lecture

import matplotlib
import pytest


@pytest.fixture
def shown(monkeypatch):
    module = __import__("sys").modules["course_lib.classroom.lecture"]
    said = []
    monkeypatch.setattr(module, "display", lambda html: said.append(html.data))
    yield said
    matplotlib.rcdefaults()


def test_on_and_off(shown):
    plots.style()
    size = matplotlib.rcParams["font.size"]
    lecture()
    assert matplotlib.rcParams["font.size"] == 1.5 * size
    lecture(False)
    assert matplotlib.rcParams["font.size"] == size
    on, off = shown
    assert "if (true)" in on
    assert "if (false)" in off
    for html in shown:
        assert 'getElementById("course-lecture")?.remove()' in html
        assert "courseLecture?.abort()" in html
