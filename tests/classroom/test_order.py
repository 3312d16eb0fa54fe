"""A cell run too early says which section makes what it lacks."""

import os

from course_lib.classroom import order

import nbformat
import pytest
from nbclient import NotebookClient

TEXT, CODE = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
CELLS = [
    CODE("from course_lib.classroom import evidence"), TEXT("# One\n\n## Data\n\nwords"), CODE("x = 1"),
    TEXT("only words"), CODE("def double(y):\n    return 2 * y"), TEXT("## Half-written"), CODE("x = ("), CODE("%time"),
    TEXT("## Again"), CODE("x = 2"), TEXT("## Use"), CODE("double(x)"), TEXT("## Later"), CODE("x = 3"),
]


@pytest.mark.parametrize(("source", "names"), [
    ("a, *b = 1, 2", {"a", "b"}), ("a.b = a[0] = 1", set()), ("import a.b, c as d", {"a", "d"}),
    ("def f(x):\n    y = x", {"f"}), ("class C:\n    x = 1", {"C"}), ("for a in b:\n    c = a", {"a", "c"}),
    ("with a as b:\n    pass", {"b"}), ("[a for a in b]", set()), ("(a := b)", {"a"}), ("%%html\n<p>", set()),
])
def test_the_names_that_a_cell_makes(source, names):
    assert order.binds(source) == names


def test_the_last_section_above_that_makes_the_name():
    assert order.section(CELLS, "double(x)", "x") == "Again"
    assert order.section(CELLS, "double(x)\n", "double") == "Data"
    assert order.section(CELLS, "x = 2", "x") == "Data"  # a cell is no help to itself, nor is what comes later
    assert order.section(CELLS, "double(x)", "unknown") is None
    assert order.section(CELLS, "a cell that was edited and not saved", "x") == "Later"


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["reader.ipynb", "gone.ipynb", ""])
def test_a_kernel_tells_its_reader(tmp_path, whose):
    notebook = nbformat.v4.new_notebook(cells=CELLS)
    nbformat.write(notebook, tmp_path / "reader.ipynb")
    early = nbformat.v4.new_notebook(cells=[CELLS[0], CODE("double(x)"), CODE("1 + 1")])
    client = NotebookClient(early, allow_errors=True)
    client.execute(env=os.environ | {"JPY_SESSION_NAME": whose and str(tmp_path / whose)})
    error, *said = early.cells[1].outputs
    assert (error.ename, error.evalue) == ("NameError", "name 'double' is not defined")
    if whose == "reader.ipynb":
        assert "`double` does not exist yet." in said[0].data["text/plain"]
        assert "The section **Data** makes it." in said[0].data["text/plain"]
    else:
        assert said == []
    assert early.cells[2].outputs[0].data["text/plain"] == "2"
