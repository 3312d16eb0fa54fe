"""The page of the statements: the seed's words, every number that the notebooks measured, and where."""

import json
import re
from pathlib import Path

from course_lib.classroom.evidence import STATEMENTS, Measurement
from notebooks.source import build

import nbformat
from reading import headings

PAGE = build.NOTEBOOKS / "ledger.ipynb"
HEAD = """# The ledger

The 33 statements that the course teaches, and every number that its notebooks measured for them, beside the range in
which the course expects it. `make measure` ran the notebooks and wrote this page; no number in it was typed, and the
tests run the notebooks again. A link opens the notebook; once it is open, a second click leads to the place. What *you*
measured stands in [Start here](00_start_here.ipynb#The-statements,-measured).

Measured: {dates}.
"""


def page(record: dict[str, dict]) -> str:
    """Return the page for what `make measure` recorded: a notebook of text, which every Jupyter shows as it should."""
    dates = "; ".join(sorted({f"{entry['date']}, {entry['machine']}" for entry in record.values()}))
    cells = {"head": HEAD.format(dates=dates).strip()}
    for statement, told in STATEMENTS.items():
        lines = [line(name, facts) for name, entry in sorted(record.items()) for facts in entry["evidence"]
                 if facts["statement"] == statement]
        text = [f"## {statement}", "", told["sentence"], "", "| measured | value | expected | where |",
                "| --- | ---: | --- | --- |", *lines]
        cells[statement] = "\n".join(text)
    return build.text(build.page(cells))


def line(name: str, facts: dict) -> str:
    """Return the line of one number."""
    found = measurement(facts)
    heading = heading_above(build.NOTEBOOKS / f"{name}.ipynb", facts["cell"])
    where = f"[{name[:2]}, {heading}]({name}.ipynb#{heading.replace(' ', '-')})"
    cells = (found.what, f"{'' if found.holds else '✗ '}{found.number}", found.range, where)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def measurement(facts: dict) -> Measurement:
    """Return one recorded number."""
    return Measurement(*(facts[field] for field in ("statement", "what", "value", "low", "high", "unit")))


def entries(entered: Path, notebook: Path) -> list[dict]:
    """Return what a run of `notebook` entered in its ledger, with the code cell's number in place of its text."""
    if not entered.exists():
        return []
    cells = [cell.source.strip() for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    found = [json.loads(line) for line in entered.read_text(encoding="utf-8").splitlines()]
    return [facts | {"cell": 1 + cells.index(facts.pop("source").strip())} for facts in found]


def heading_above(notebook: Path, cell: int) -> str:
    """Return the last heading above the code cell with this number, counted from 1."""
    title, count = "", 0
    for found in nbformat.read(notebook, as_version=4).cells:
        if found.cell_type == "markdown":
            title = (headings(re.sub(r"^```.*?^```", "", found.source, flags=re.M | re.S)) or [title])[-1]
        else:
            count += 1
            if count == cell:
                return title
    raise ValueError(f"`cell` must be at most {count} in {notebook.name}; got {cell}.")
