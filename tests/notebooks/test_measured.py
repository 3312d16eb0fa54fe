"""The notebooks' heads, the README and the record of measurements agree."""

import json
from pathlib import Path

from course_lib.classroom.evidence import STATEMENTS
from notebooks.source import build

import ledger
import measure
import nbformat
import pytest
from runner import Run

REMEDY = "run: make measure"
ENTRY = {"seconds": 12, "mebibytes": 340, "date": "2026-01-31", "machine": "2 CPU cores, no GPU", "evidence": []}
SOURCE = """# %% [markdown]
# # Title
#
# **Time.** 70 minutes to read.
#
# **Measured.** not yet
#
# ## Disks: all

# %%
1
"""
FACTS = {"statement": "S8", "what": "a | b", "value": 2.5, "low": 2, "high": None, "unit": "nats", "holds": True,
         "cell": 1}
README = "# Course\n<!-- measured:begin -->\nold\n<!-- measured:end -->\nText\n"


def record() -> dict:
    return json.loads(measure.RECORD.read_text(encoding="utf-8"))


@pytest.mark.parametrize("source", build.sources([]), ids=lambda path: path.stem)
def test_the_head_tells_what_was_measured(source):
    assert f"\n# {measure.headline(record()[source.stem])}\n" in source.read_text(encoding="utf-8"), REMEDY


def test_the_readme_tells_what_was_measured():
    assert measure.table(record()) in measure.README.read_text(encoding="utf-8"), REMEDY


def test_the_ledger_tells_what_was_measured():
    assert ledger.PAGE.read_text(encoding="utf-8") == ledger.page(record()), REMEDY


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_statement_was_measured_and_holds(statement):
    found = [facts for entry in record().values() for facts in entry["evidence"] if facts["statement"] == statement]
    assert found
    assert all(ledger.measurement(facts).holds for facts in found)


def test_nothing_else_is_in_the_record():
    assert set(record()) == {source.stem for source in build.sources([])}, REMEDY


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project with one notebook, measured with a run that was made up."""
    (tmp_path / "01_disk.py").write_text(SOURCE)
    (tmp_path / "README.md").write_text(README)
    for module, name, path in [
        (build, "SOURCES", tmp_path), (build, "NOTEBOOKS", tmp_path),
        (measure, "README", tmp_path / "README.md"), (measure, "RECORD", tmp_path / "measured.json"),
        (ledger, "PAGE", tmp_path / "ledger.ipynb"),
    ]:
        monkeypatch.setattr(module, name, path)
    monkeypatch.setattr(measure, "run", pretended)
    build.main([])
    return tmp_path


def pretended(notebook, *, isolated, COURSE_LEDGER):
    entered = {field: value for field, value in FACTS.items() if field != "cell"} | {"source": "1\n"}
    Path(COURSE_LEDGER).write_text(json.dumps(entered) + "\n")
    return Run(12.3, 12.0, 340.4, {"Cell 0": 1.0}, [])


def test_measuring_stamps_head_readme_record_and_notebook(project):
    measure.main([])
    line = measure.headline(record()["01_disk"])
    assert line.startswith("**Measured.** *Run all*: 12 s, 340 MiB (")
    assert (project / "01_disk.py").read_text() == SOURCE.replace("**Measured.** not yet", line)
    assert "| [01_disk](notebooks/01_disk.ipynb) | 70 | 12 | 340 |" in (project / "README.md").read_text()
    assert (project / "README.md").read_text().endswith("<!-- measured:end -->\nText\n")
    assert line in (project / "01_disk.ipynb").read_text()
    told = next(cell.source for cell in nbformat.read(project / "ledger.ipynb", as_version=4).cells if cell.id == "S8")
    assert told.endswith("\n| a \\| b | 2.5 nats | at least 2 | [01, Disks: all](01_disk.ipynb#Disks:-all) |")
    assert json.loads((project / "measured.json").read_text())["01_disk"]["evidence"] == [FACTS]


def test_a_notebook_that_fails_is_not_measured(project, monkeypatch):
    monkeypatch.setattr(measure, "run", lambda *_, **__: Run(1, 1, 1, {}, ["ZeroDivisionError"]))
    with pytest.raises(ValueError, match=r"`01_disk\.ipynb` must run before .*; got ZeroDivisionError"):
        measure.main([])


def test_a_head_without_the_line_is_named(project):
    (project / "01_disk.py").write_text("# %%\n1\n")
    with pytest.raises(ValueError, match=r"`01_disk\.py` must hold .*Measured.* once; got 0\."):
        measure.main([])


def test_the_table_has_a_row_for_each_notebook(project):
    assert measure.table({"01_disk": ENTRY}).endswith(
        "| [01_disk](notebooks/01_disk.ipynb) | 70 | 12 | 340 | 2026-01-31, 2 CPU cores, no GPU |\n")


def test_a_cell_that_is_not_there_is_named(project):
    measure.main([])
    with pytest.raises(ValueError, match=r"`cell` must be at most 1 in 01_disk\.ipynb; got 2\."):
        ledger.heading_above(project / "01_disk.ipynb", 2)
