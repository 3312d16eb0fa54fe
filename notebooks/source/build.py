"""Build the notebooks from their text sources, check that they agree, or write copies with all solutions."""

import argparse
import ast
import builtins
import importlib
import inspect
import symtable
import sys
from collections.abc import Callable
from pathlib import Path

from notebooks.source import bibliography, glossary

import jupytext
import nbformat
from jupytext.combine import map_outputs_to_inputs
from jupytext.compare import NotebookDifference, compare_notebooks
from nbformat import NotebookNode

SOURCES = Path(__file__).parent
NOTEBOOKS = SOURCES.parent
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def sources(numbers: list[str]) -> list[Path]:
    """Return the sources with these two-digit numbers; all of them when `numbers` is empty."""
    found = {path.name[:2]: path for path in sorted(SOURCES.glob("[0-9][0-9]_*.py"))}
    if unknown := set(numbers) - set(found):
        raise ValueError(f"`NN` must be among {', '.join(found)}; got {', '.join(sorted(unknown))}.")
    return [found[number] for number in numbers or found]


def fresh_id(name: str, position: int, taken: set[str]) -> str:
    """Return an identifier that depends only on the name, the position and the identifiers in use."""
    identifier = f"{name[:2]}-{position:02d}"
    while identifier in taken:
        identifier += "a"
    return identifier


def build(source: Path, notebook: Path) -> NotebookNode:
    """Return the notebook that `source` describes; cells that `notebook` already holds keep their ids."""
    built = jupytext.read(source, fmt="py:percent")
    built.metadata = nbformat.from_dict(METADATA)  # none of jupytext's: a pairing locks readers out
    built.nbformat_minor = 5
    for cell in built.cells:
        if cell.cell_type == "markdown":
            cell.source = bibliography.put_in(cell.source, source.name)
    old = nbformat.read(notebook, as_version=4).cells if notebook.exists() else []
    matches = map_outputs_to_inputs(built.cells, old)
    taken = {old[match].id for match in matches if match is not None}
    for position, (cell, match) in enumerate(zip(built.cells, matches, strict=True)):
        cell.id = fresh_id(source.stem, position, taken) if match is None else old[match].id
        taken.add(cell.id)
    return built


def page(cells: dict[str, str]) -> NotebookNode:
    """Return a notebook of text, a cell under each name; in a lecture it is left out."""
    metadata = {"slideshow": {"slide_type": "skip"}}
    made = [nbformat.v4.new_markdown_cell(source, id=name, metadata=metadata) for name, source in cells.items()]
    return nbformat.v4.new_notebook(cells=made, metadata=METADATA)


def references_page() -> NotebookNode:
    """Return the page of all works that the notebooks cite."""
    return page({"references": bibliography.page(sources([]))})


def text(notebook: NotebookNode) -> str:
    """Return the notebook as it stands on disk, with one closing line feed."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write(notebook: NotebookNode, path: Path) -> None:
    """Write the notebook, and make its folder where that is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(notebook), encoding="utf-8")


def is_current(path: Path, notebook: NotebookNode) -> bool:
    """Tell whether the file holds this notebook, byte for byte."""
    return path.exists() and path.read_text(encoding="utf-8") == text(notebook)


def drift(source: Path, notebook: Path) -> list[str]:
    """Say what separates `notebook` from its source, and what mends it; empty when nothing does."""
    if is_current(notebook, build(source, notebook)):
        return []
    return [f"{notebook.name}: {difference(source, notebook)}. Mend with: make notebooks"]


def difference(source: Path, notebook: Path) -> str:
    """Name the drifted cells of a notebook that does not equal its source."""
    if not notebook.exists():
        return "not built"
    built, committed = build(source, notebook), nbformat.read(notebook, as_version=4)
    try:
        compare_notebooks(committed, built, fmt="py:percent", raise_on_first_difference=False)
    except NotebookDifference as cells:
        return str(cells)
    return "Outputs, ids or layout differ"


def free_names(code: str) -> set[str]:
    """Return the names that a function's source takes from outside itself, builtins excepted."""
    module = symtable.symtable(code, "reference", "exec")
    names = {symbol.get_name() for symbol in module.get_symbols() if symbol.is_referenced()}
    tables = module.get_children()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        names |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return names - set(dir(builtins))


def imported_names(notebook: NotebookNode) -> set[str]:
    """Return the names that the notebook's first code cell imports."""
    first = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    imports = [node for node in ast.walk(ast.parse(first)) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {(alias.asname or alias.name).split(".")[0] for node in imports for alias in node.names}


def solution(reference: Callable, available: set[str]) -> str:
    """Return the reference's source, which may use only the `available` names."""
    code = inspect.getsource(reference)
    if missing := free_names(code) - available - {reference.__name__}:
        raise ValueError(f"The reference of `{reference.__name__}` must use only names that the notebook's "
                         f"first code cell imports; got {', '.join(sorted(missing))}.")
    return code.rstrip()


def put_in(cell_source: str, name: str, code: str) -> str:
    """Return the cell with its function `name` replaced by `code`."""
    lines = cell_source.splitlines()
    function = next(node for node in ast.parse(cell_source).body if getattr(node, "name", None) == name)
    lines[function.lineno - 1:function.end_lineno] = code.splitlines()
    return "\n".join(lines)


def stubs(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return the cells tagged `exercise`, each under the names of the functions that it defines."""
    cells = [cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])]
    return {node.name: cell for cell in cells for node in ast.parse(cell.source).body
            if isinstance(node, ast.FunctionDef)}


def solve(notebook: NotebookNode, references: dict[str, Callable]) -> NotebookNode:
    """Put the reference into every exercise of `notebook` and return it."""
    available, cells = imported_names(notebook), stubs(notebook)
    for name in references.keys() & cells.keys():
        cells[name].source = put_in(cells[name].source, name, solution(references[name], available))
    return notebook


def lesson_references(name: str) -> dict[str, Callable]:
    """Return the references of the lesson that belongs to the notebook `name`."""
    lesson = importlib.import_module(f"course_lib.lessons.n{name}")
    return {name: exercise.reference for name, exercise in lesson.check.exercises.items()}


def main(arguments: list[str] | None = None) -> None:
    """Build, check or solve; a check that finds drift exits with a message."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; name the cells that drifted")
    parser.add_argument("--solved", type=Path, metavar="DIR", help="write copies with all solutions put in")
    parser.add_argument("numbers", nargs="*", metavar="NN", help="two-digit numbers; all by default")
    options = parser.parse_args(arguments)
    complaints = []
    for source in sources(options.numbers):
        notebook = NOTEBOOKS / f"{source.stem}.ipynb"
        if options.check:
            complaints += drift(source, notebook)
        elif options.solved:
            references = lesson_references(source.stem)
            write(solve(build(source, notebook), references), options.solved / notebook.name)
        else:
            write(build(source, notebook), notebook)
    for name, made in {"references": references_page(), "glossary": page(glossary.page())}.items():
        path = NOTEBOOKS / f"{name}.ipynb"
        if options.check and not is_current(path, made):
            complaints.append(f"{path.name}: not what the texts say. Mend with: make notebooks")
        elif not (options.check or options.solved):
            write(made, path)
    if complaints:
        sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main()
