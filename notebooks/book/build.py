"""Make the book: executed notebooks, as pages to read without Python and without a network."""

import argparse
import re
import shutil
import sys
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from notebooks.book.outputs import readable, widgets

import nbformat
import yaml
from nbformat import NotebookNode
from sphinx.cmd.build import build_main

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent
ROOT = HERE.parents[1]
README = ROOT / "README.md"
LINK = re.compile(r"(!?)\[([^]]*)\]\((?!https?:)([^)]*)\)")
ROW = re.compile(r"^\| (\d\d)? ?\| (.+?) \| (.*?) ?\|", re.M)
NOTES = "*Speaker notes.*"


def page(notebook: NotebookNode) -> NotebookNode:
    """The notebook as the book shows it: nothing in it needs a kernel."""
    models = widgets(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = readable(cell, models)
        elif cell.source.startswith(NOTES):
            notes = cell.source.removeprefix(NOTES).strip()
            cell.source = f"<details><summary>Speaker notes</summary>\n\n{notes}\n\n</details>"
    notebook.metadata.pop("widgets", None)
    return notebook


def anchor(heading: str) -> str:
    """JupyterLab's own anchor of a heading, which the notebooks' links use."""
    return heading.replace(" ", "-").replace("%", "%25")


def section(heading: str) -> str:
    """A section of the README, to be read in the book: links to notebooks lead to pages, other files are not there."""
    text = README.read_text(encoding="utf-8")
    if f"{heading}\n" not in text:
        raise ValueError(f"`{README.name}` must have the line {heading!r}.")
    return LINK.sub(_link, text.split(f"{heading}\n", 1)[1].split("\n## ", 1)[0]).strip()


def _link(found: re.Match) -> str:
    picture, words, target = found.groups()
    page = f"[{words}]({target.removeprefix('notebooks/')})" if target.startswith("notebooks/") else words
    return "" if picture else page


def rows() -> list[tuple[str, str, str]]:
    """Number, title and question of each notebook in the README's table; a part has a bold title alone."""
    found = ROW.findall(section("## The notebooks"))
    return [row for row in found if row[0] or row[1].startswith("**")]


def contents(appendices: list[str]) -> str:
    """The sidebar: the notebooks of each part, and the appendices."""
    trees: dict[str, list[str]] = {"": []}
    for number, title, _ in rows():
        if number:
            trees[list(trees)[-1]].append(LINK.search(title)[3])
        else:
            trees[title.strip("*")] = []
    trees["Appendices"] = appendices
    return "\n\n".join(
        "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}" * bool(caption), "", *pages, "```"])
        for caption, pages in trees.items())


def index(appendices: list[str]) -> str:
    """The first page."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    lines = ["| | notebook | the question |", "| --- | --- | --- |", *(f"| {' | '.join(row)} |" for row in rows())]
    return Template((HERE / "index.md").read_text(encoding="utf-8")).substitute(
        opening=section("# Generative AI from First Principles"), map="\n".join(lines), contents=contents(appendices),
        start=section("### On your computer").split("\n### ")[0],
        licence=section("## Licence and citation"), version=citation["version"],
        author=", ".join(author["name"] for author in citation["authors"]))


def write_pages(executed: Path, folder: Path) -> None:
    """Write the sources of all pages into a new `folder`.

    Raises:     ValueError if `executed` lacks a notebook.
    """
    folder.mkdir()
    appendices = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        numbered = path.name[:2].isdigit()
        source = executed / path.name if numbered else path
        if not source.exists():
            raise ValueError(f"`executed` must hold {path.name}; {executed} does not. Make it with: make executed")
        nbformat.write(page(nbformat.read(source, as_version=4)), folder / path.name)
        appendices += [] if numbered else [path.name]
    (folder / "index.md").write_text(index(appendices), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Write the pages and have Sphinx make the site of them; a warning of Sphinx is an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executed", type=Path, default=ROOT / "build/executed", help="the executed notebooks")
    parser.add_argument("--to", type=Path, default=ROOT / "build/book", help="the folder of the book")
    options = parser.parse_args(arguments)
    shutil.rmtree(options.to, ignore_errors=True)
    with TemporaryDirectory() as folder:
        pages, trees = Path(folder, "pages"), Path(folder, "trees")
        write_pages(options.executed, pages)
        return build_main(["-q", "-W", "--keep-going", "-c", str(HERE), "-d", str(trees), str(pages), str(options.to)])


if __name__ == "__main__":
    sys.exit(main())
