"""The words: spelling, words that must not stay, formulas whose signs come in pairs."""

import re
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ["course_lib", "notebooks", "tests", "binder", ".ci"]
KINDS = {".py", ".md", ".js", ".css", ".toml", ".yml", ".txt", ".json", ".ipynb", ""}
SOURCES = sorted(ROOT.glob("notebooks/source/[0-9]*.py"))
UNFINISHED = r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b"
MACHINE = r"(?<![\w.])/(home(?!/jovyan)|root|work|Users)/"  # jovyan: the reader's name in every Jupyter container


def texts() -> list[Path]:
    """Return the project's own text files."""
    top = [path for path in ROOT.iterdir() if path.is_file()]
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    return sorted(path for path in top + below
                  if path.is_file() and path.suffix in KINDS and "__pycache__" not in path.parts)


def misspelt(*paths: Path) -> str:
    """Return what codespell says about these paths."""
    command = [sys.executable, "-m", "codespell_lib", "--toml", str(ROOT / "pyproject.toml")]
    return subprocess.run([*command, *map(str, paths)], capture_output=True, text=True).stdout


def leftovers(text: str) -> list[str]:
    """Return the words that must not stay: notes to oneself, and paths of one machine."""
    return [match[0] for match in re.finditer(f"{UNFINISHED}|{MACHINE}", text)]


def broken_formulas(markdown: str) -> list[str]:
    """Return the formulas, and the paragraphs, whose dollars, braces or environments are not in pairs."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", markdown, flags=re.S)
    display = re.compile(r"\$\$(.+?)\$\$", re.S)
    inline = re.compile(r"(?<![\\$])\$([^$]+?)(?<!\\)\$")
    rest = display.sub("", text)
    broken = [formula for formula in display.findall(text) + inline.findall(rest) if not balanced(formula)]
    left = (re.sub(r"\\\$", "", inline.sub("", paragraph)) for paragraph in rest.split("\n\n"))
    return broken + [paragraph for paragraph in left if "$" in paragraph]


def balanced(formula: str) -> bool:
    r"""Tell whether braces, \left and \right, \begin and \end come in pairs."""
    bare, depth = re.sub(r"\\[{}]", "", formula), 0
    for sign in re.findall(r"[{}]", bare):
        depth += 1 if sign == "{" else -1
        if depth < 0:
            return False
    left, right = (re.findall(rf"\\{word}\b", bare) for word in ("left", "right"))
    begin, end = (re.findall(rf"\\{word}\{{(\w+\*?)\}}", bare) for word in ("begin", "end"))
    return depth == 0 and len(left) == len(right) and sorted(begin) == sorted(end)


def lost_links(path: Path) -> list[str]:
    """Return the links of a page that lead nowhere; of outside addresses only the shape is looked at."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not leads_somewhere(path, target, anchors)]


def leads_somewhere(path: Path, target: str, anchors: set[str]) -> bool:
    """Tell whether a link of the page `path` has an end."""
    if re.match(r"[a-z]+:", target):
        return bool(re.fullmatch(r"https://[\w-]+(\.[\w-]+)+(/\S*)?", target))
    name, _, fragment = target.partition("#")
    return (path.parent / name).exists() if name else fragment in anchors


def test_spelling():
    assert misspelt(*texts()) == ""


def test_nothing_is_left_over():
    found = {str(path.relative_to(ROOT)): leftovers(path.read_text(encoding="utf-8")) for path in texts()}
    assert {name: words for name, words in found.items() if words} == {}


def test_no_module_is_a_bag_of_things():
    assert not [path for path in texts() if path.name in ("utils.py", "helpers.py", "misc.py")]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_formulas_come_in_pairs(source):
    cells = [cell for cell in jupytext.read(source, fmt="py:percent").cells if cell.cell_type == "markdown"]
    assert [text for cell in cells for text in broken_formulas(cell.source)] == []


def test_formulas_of_the_readme_come_in_pairs():
    assert broken_formulas((ROOT / "README.md").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(page):
    assert lost_links(page) == []


def test_a_lost_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A title\n[a](#a-title) [b](page.md) [c](https://example.org/x)\n"
                    "[d](#title) [e](gone.md) [f](http://example.org)")
    assert lost_links(page) == ["#title", "gone.md", "http://example.org"]


def test_a_misspelling_is_found(tmp_path):
    path = tmp_path / "words.md"
    path.write_text("We rec" "ieve data.")
    assert "==> receive" in misspelt(path)


@pytest.mark.parametrize("text", ["# TO" "DO later", "FIX" "ME", "see /ho" "me/ada/x", "in '/roo" "t/x'"])
def test_a_leftover_is_found(text):
    assert leftovers(text)


@pytest.mark.parametrize("text", ["the method", "docs/home/index.md", "a todo list"])
def test_an_innocent_word_is_accepted(text):
    assert leftovers(text) == []


@pytest.mark.parametrize("text", [
    "$x", "$$x", "$\\frac{1}{2$", "$}{$", "$\\left( x$", "$$\\begin{align} x \\end{equation}$$", "a $x$ b $y",
])
def test_a_broken_formula_is_found(text):
    assert broken_formulas(text)


@pytest.mark.parametrize("text", [
    "$x$ and $$\\left(\\frac{a}{b}\\right)$$", "`$x`", "```\n$x\n```", "\\$5", "$\\{x\\}$",
    "$$\\begin{align*} x &= y \\\\ z \\end{align*}$$",
])
def test_a_sound_formula_is_accepted(text):
    assert broken_formulas(text) == []
