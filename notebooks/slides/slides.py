"""Write executed notebooks as slides that open in a browser without a network."""

import argparse
import importlib
import re
import shutil
from importlib.metadata import distribution
from pathlib import Path

from course_lib.classroom.face import inline

import nbformat
from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter

HERE = Path(__file__).parent
REVEAL, MATHJAX = "sphinx_revealjs/_static/revealjs/", "sphinx-mathjax-offline/static/mathjax/"
CARRIED = {  # Python packages that carry what the browser needs
    "sphinx-revealjs": [REVEAL + name for name in ("dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js")],
    "sphinx-mathjax-offline": [MATHJAX + "tex-svg-full.js"],
}
WIDGET = "application/vnd.jupyter.widget-view+json"
PRIORITY = ["text/html", "text/markdown", "image/png", "text/latex", "text/plain"]


def assets() -> list[Path]:
    """Return the files that every handout needs beside it."""
    carried = [Path(distribution(package).locate_file(name)) for package, names in CARRIED.items() for name in names]
    return [*carried, HERE / "slides.css", HERE / "slides.js"]


def bet_in_words(name: str, lesson: str) -> str:
    """Return a bet as HTML: its question and its answers."""
    bet = getattr(importlib.import_module(f"course_lib.lessons.n{lesson}").bets, name).bet
    answers = "".join(f"<li>{inline(answer)}</li>" for answer in bet.answers)
    return f'<div class="bet"><p><strong>{inline(bet.question)}</strong></p><ul>{answers}</ul></div>'


def needs_kernel(output: NotebookNode) -> bool:
    """Tell whether an output is a widget without a picture, or a progress bar's text."""
    data = output.get("data", {})
    return output.get("name") == "stderr" or (WIDGET in data and "text/html" not in data)


def prepare(notebook: NotebookNode, lesson: str) -> NotebookNode:
    """Give the notebook its title and each bet its words; leave out what only a kernel could fill."""
    notebook.metadata.title = re.search(r"^# (.+)$", notebook.cells[0].source, re.M)[1]
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.outputs = [output for output in cell.outputs if not needs_kernel(output)]
        if (shown := re.fullmatch(r"bets\.(\w+)\(\)", cell.source.strip())):
            data = {"text/html": bet_in_words(shown[1], lesson)}
            cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    return notebook


def linked(page: str) -> str:
    """Return the page with links to the other handouts; of a link to the glossary, which becomes none, its word."""
    page = re.sub(r'<a class="anchor-link".*?</a>', "", page)  # the sign behind each heading; its anchor stays
    page = re.sub(r'(<a href="\d\d_\w+)\.ipynb', r"\1.html", page)
    return re.sub(r'<a href="\w+\.ipynb.*?>(.*?)</a>', r"\1", page)


def write(notebook: Path, folder: Path) -> Path:
    """Write one executed notebook as slides into `folder` and return their path."""
    exporter = SlidesExporter(template_name=HERE.name, extra_template_basedirs=[str(HERE.parent)])
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    exporter.config.NbConvertBase.display_data_priority = PRIORITY
    page, _ = exporter.from_notebook_node(prepare(nbformat.read(notebook, as_version=4), notebook.stem))
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    for asset in assets():
        shutil.copy(asset, folder / "assets")
    (folder / "assets/highlight.css").write_text(HtmlFormatter().get_style_defs(".highlight"), encoding="utf-8")
    written = folder / f"{notebook.stem}.html"
    written.write_text(linked(page), encoding="utf-8")
    return written


def main(arguments: list[str] | None = None) -> None:
    """Write the notebooks named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="executed.ipynb")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder of the slides")
    options = parser.parse_args(arguments)
    for notebook in options.notebooks:
        print(write(notebook, options.to))


if __name__ == "__main__":
    main()
