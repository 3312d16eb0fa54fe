"""Every notebook, solved, runs without network, in time and memory; tests/browser runs each as it is."""

import json
from pathlib import Path

from notebooks.source import build

import nbformat
import pytest
from ledger import entries
from measure import RECORD
from runner import Run, can_isolate, run

pytestmark = pytest.mark.slow
ISOLATED = can_isolate()
NAMES = [path.stem for path in build.sources([])]
SECONDS, MEBIBYTES, CELL_SECONDS = 60, 1024, 20
TIGHTER = {"08_mixtures": (40, 600)}
PATIENCE = 3  # so many times longer a run may take by the clock, on a machine that does other things as well


def assert_passed(found: Run) -> None:
    """Assert that the run had cells and that none failed; the first failure often causes the others."""
    assert found.cells, "no cell was run"
    if found.failures:
        raise AssertionError(found.failures[0])


def assert_within(found: Run, seconds: float, mebibytes: float) -> None:
    """Assert that the run passed and kept to its budget: by the clock, or in computing where others slowed it down."""
    assert_passed(found)
    took = min(found.seconds, found.computing)
    assert took <= seconds, f"the run took {took:.0f} s; the budget is {seconds} s"
    assert found.seconds <= PATIENCE * seconds, f"the run waited: {found.seconds:.0f} s for {took:.0f} s of work"
    assert found.mebibytes <= mebibytes, f"the kernel took {found.mebibytes:.0f} MiB of {mebibytes}"
    slow = {name: seconds for name, seconds in found.cells.items() if seconds * took / found.seconds > CELL_SECONDS}
    assert not slow, f"cells that take more than {CELL_SECONDS} s: {slow}"


def near(name: str) -> bool:
    """Tell whether a run comes so near its budget that whatever runs beside it could push it over."""
    return json.loads(RECORD.read_text(encoding="utf-8"))[name]["seconds"] > SECONDS / 2


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.alone] * near(name)) for name in NAMES])
def test_a_solved_notebook_keeps_its_budget_passes_every_check_and_enters_its_statements(name, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    build.main(["--solved", str(tmp_path), name[:2]])
    found = run(tmp_path / f"{name}.ipynb", isolated=ISOLATED, COURSE_STRICT="1", COURSE_LEDGER=str(ledger))
    assert_within(found, *TIGHTER.get(name, (SECONDS, MEBIBYTES)))
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))[name]["evidence"]
    assert places(entries(ledger, tmp_path / f"{name}.ipynb")) == places(recorded)


def places(evidence: list[dict]) -> list[tuple[str, int]]:
    """Return the statements that a run measured, and in which cell: the words may hold an error bar."""
    return [(facts["statement"], facts["cell"]) for facts in evidence]


@pytest.fixture
def notebook(tmp_path):
    """Write a notebook of these cells."""

    def write(*cells: str) -> Path:
        content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        nbformat.write(content, tmp_path / "specimen.ipynb")
        return tmp_path / "specimen.ipynb"

    return write


REACH_OUT = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
NEEDS_NAMESPACES = pytest.mark.skipif(not ISOLATED, reason="no network namespace can be made here")


@pytest.mark.parametrize("isolated", [pytest.param(True, marks=NEEDS_NAMESPACES), False])
def test_reaching_out_fails(notebook, isolated):
    with pytest.raises(AssertionError, match=r"Network is unreachable|no network in this run"):
        assert_within(run(notebook(REACH_OUT), isolated=isolated), SECONDS, MEBIBYTES)


def test_the_kernels_memory_is_what_is_measured(notebook):
    small, large = (run(notebook(f"x = bytearray({size} * 2**20)"), isolated=ISOLATED) for size in (1, 1229))
    assert large.mebibytes - small.mebibytes == pytest.approx(1228, rel=0.05)
    assert_within(small, SECONDS, MEBIBYTES)
    with pytest.raises(AssertionError, match=r"the kernel took \d+ MiB of 1024"):
        assert_within(large, SECONDS, MEBIBYTES)


def test_a_cell_that_raises_fails(notebook):
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        assert_within(run(notebook("1 + 1", "1 / 0"), isolated=ISOLATED), SECONDS, MEBIBYTES)


@pytest.mark.parametrize(("found", "message"), [
    (Run(1, 1, 1, {}, []), "no cell was run"),
    (Run(61, 62, 1, {"Cell 0": 1}, []), "the run took 61 s; the budget is 60 s"),
    (Run(120, 61, 1, {"Cell 0": 1}, []), "the run took 61 s; the budget is 60 s"),
    (Run(181, 30, 1, {"Cell 0": 1}, []), "the run waited: 181 s for 30 s of work"),
    (Run(30, 30, 1, {"Cell 0": 21}, []), "cells that take more than 20 s"),
    (Run(30, 50, 1, {"Cell 0": 21}, []), "cells that take more than 20 s"),
    (Run(60, 30, 1, {"Cell 0": 41}, []), "cells that take more than 20 s"),
])
def test_a_run_outside_its_budget_is_refused(found, message):
    with pytest.raises(AssertionError, match=message):
        assert_within(found, SECONDS, MEBIBYTES)
