"""Any section runs after the set-up cell, or says which one to run first."""

from course_lib.classroom import order
from notebooks.source import build

import nbformat
import pytest

NAMES = [path.stem for path in build.sources([])]


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_finds_what_it_needs_in_a_section_above(name):
    cells = nbformat.read(build.NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    assert len(set(code)) == len(code), "two cells are alike: which of them failed could not be told"
    lost = {
        (needed, source) for source in code[1:] for needed in build.free_names(source) - order.binds(source)
        if needed not in order.binds(code[0]) and order.section(cells, source, needed) is None
    }
    assert lost == set()
