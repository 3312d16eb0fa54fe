"""The teacher's page agrees with the notebooks: its links have ends, its times and names are theirs."""

import contextlib
import importlib
import io
import json
import re
from pathlib import Path

from notebooks.source import build
from tests.notebooks.reading import anchors, headings

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
TEACHING = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
NOTEBOOKS = {source.name[:2]: build.NOTEBOOKS / f"{source.stem}.ipynb" for source in build.sources([])}
LINK = re.compile(r"(?<!`)\]\(((?!https?:)[^)\s#]*)#?([^)\s]*)\)")
TIME = re.compile(r"(\d+) minutes(?: to read and explore, (\d+) for the exercises; as a lecture (\d+))?")
NAMED = re.compile(r"`(check|bets|explorers)\.(\w+)`")
WEEK = re.compile(r"^\| \d+ \| \[\d\d\].+$", re.M)
BARE = re.compile(r"`(\w+)`")


def prose(path: Path) -> str:
    """Return the text of a notebook or of a page."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")


def ends(path: Path) -> set[str]:
    """Return the anchors of a notebook, as JupyterLab finds them, or of a page, as a forge does."""
    text = prose(path)
    if path.suffix == ".ipynb":
        return anchors(text)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings(text)}


def broken_links(page: str) -> list[str]:
    """Name the links of a page at the top level that have no end."""
    found = []
    for name, anchor in LINK.findall(page):
        path = ROOT / (name or "TEACHING.md")
        if not path.exists() or (anchor and anchor not in ends(path)):
            found.append(f"{name}#{anchor}")
    return found


def head(number: str) -> str:
    """Return the first cell of a notebook."""
    return nbformat.read(NOTEBOOKS[number], as_version=4).cells[0].source


def row(number: str) -> list[str]:
    """Return what the table of needs should say of a notebook: needs, and minutes to read, solve and lecture."""
    needs = re.search(r"\*\*You need\*\*(.+?)(?:Notation|\n\n)", head(number), re.S)[1]
    minutes = TIME.search(head(number).partition("**Time.**")[2]).groups()
    return [", ".join(sorted(re.findall(r"\b\d\d\b", needs))) or "–", *(told or "–" for told in minutes)]


def strangers(page: str) -> list[str]:
    """Name what the page calls a check, a bet or an explorer of a notebook, and the notebook has not.

    The notebook is that of the section, in a table that to which the row links. The table of weeks has bare names.
    """
    found, section = [], ""
    for line in page.splitlines():
        section = re.sub(r"^#+ ?(\d\d)?.*", r"\1", line) if line.startswith("#") else section
        numbers = set(re.findall(r"notebooks/(\d\d)_", line)) if line.startswith("|") else {section} - {""}
        known = {part for number in numbers for part in parts(number)}
        if WEEK.match(line):
            found += set(BARE.findall(line)) - {name for _, name in known}
        else:
            found += [name for kind, name in NAMED.findall(line) if (kind, name) not in known]
    return found


def parts(number: str) -> list[tuple[str, str]]:
    """Return the checks, bets and explorers of a lesson."""
    lesson = importlib.import_module(f"course_lib.lessons.n{NOTEBOOKS[number].stem}")
    kinds = {"check": lesson.check.exercises, "bets": lesson.bets.bets, "explorers": vars(lesson.explorers)}
    return [(kind, name) for kind, names in kinds.items() for name in names]


def test_every_link_has_an_end():
    assert broken_links(TEACHING) == []


def test_needs_and_times_are_those_of_the_heads():
    rows = {cells[0]: cells[1:] for cells in
            re.findall(r"^\| \[(\d\d)\]\(\S+\) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \| .+ \|$", TEACHING, re.M)}
    assert {number: list(cells) for number, cells in rows.items()} == {number: row(number) for number in NOTEBOOKS}


def test_every_notebook_has_a_section_and_exam_questions():
    sections = re.findall(r"^### (\d\d) (.+)$", TEACHING, re.M)
    assert sections == [tuple(re.match(r"# (\d\d) · (.+)", head(number)).groups()) for number in NOTEBOOKS]
    asked = re.findall(r"^\| (\d\d) \| .+ \| \d+ \| .+ \|$", TEACHING, re.M)
    assert all(1 <= asked.count(number) <= 3 for number in NOTEBOOKS)


def test_every_check_bet_and_explorer_exists():
    assert strangers(TEACHING) == []


def test_the_weeks_give_every_exercise_of_their_notebooks():
    for week in WEEK.findall(TEACHING):
        for number in set(re.findall(r"notebooks/(\d\d)_", week)) - {"00"}:
            assert {name for kind, name in parts(number) if kind == "check"} <= set(BARE.findall(week))


def test_the_list_of_progress_files_is_printed(tmp_path, monkeypatch):
    done = {"exercises": {"08": {"bound": {"tries": 3, "passed": "2026-01-31"}, "m_step": {"hints": 1}}}}
    (tmp_path / "handed_in").mkdir()
    (tmp_path / "handed_in" / "ann.json").write_text(json.dumps(done))
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```", TEACHING, re.M | re.S)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {})
    assert printed.getvalue() == "ann 08 bound passed tries: 3\nann 08 m_step not yet tries: 0\n"


@pytest.mark.parametrize("page", [
    "[x](notebooks/99_gone.ipynb)",
    "[x](notebooks/08_mixtures.ipynb#Gone)",
    "[x](#gone)",
])
def test_a_broken_link_is_named(page):
    assert len(broken_links(page)) == 1


@pytest.mark.parametrize("page", [
    "### 08 Mixtures\n`check.log_score`",
    "| [08](notebooks/08_mixtures.ipynb#x) | `bets.axes` |",
    "| 8 | [08](notebooks/08_mixtures.ipynb) | `axes` |",
])
def test_a_name_of_another_notebook_is_named(page):
    assert len(strangers(page)) == 1
