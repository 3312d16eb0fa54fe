"""Importing the library is quick, and each floor loads no more than it needs."""

import subprocess
import sys

import pytest

MODULES = ["functional", "inference", "models", "datasets", "training", "metrics", "checkpoint"]
LIMIT = 0.1  # seconds beyond torch


def run(code: str) -> str:
    """Run `code` in a fresh interpreter and return what it prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
@pytest.mark.alone
def test_import_takes_little_more_than_torch():
    """The least of three: an import's time has noise in one direction only."""
    code = "import time, torch; begin = time.perf_counter(); import course_lib; print(time.perf_counter() - begin)"
    assert min(float(run(code)) for _ in range(3)) < LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_no_floor_below_the_plots_loads_pictures_or_widgets(module):
    code = f"import sys, course_lib.{module}; print(*(name.partition('.')[0] for name in sys.modules))"
    loaded = set(run(code).split())
    assert "course_lib" in loaded
    assert loaded.isdisjoint({"matplotlib", "ipywidgets", "anywidget", "IPython", "sklearn", "scipy"})
