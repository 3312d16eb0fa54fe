"""The notebooks equal their text sources; building and solving do what they promise."""

import math
from pathlib import Path

from notebooks.source import build

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = build.sources([])
SOURCE = '''\
# %% [markdown] slideshow={"slide_type": "slide"}
# # Title

# %% slideshow={"slide_type": "-"}
import math

# %% slideshow={"slide_type": "-"} tags=["exercise"]
def area(radius):
    """Return the area of a disk."""
    raise NotImplementedError

check.area(area)
'''


def area(radius):
    return math.pi * radius**2


def area_with_a_helper(radius):
    return math.pi * square(radius)


def square(x):
    return x * x


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_equals_its_source(source):
    assert build.drift(source, build.NOTEBOOKS / f"{source.stem}.ipynb") == []


def test_every_notebook_has_a_source():
    assert {path.stem for path in build.NOTEBOOKS.glob("[0-9]*.ipynb")} == {path.stem for path in SOURCES}


def test_no_pairing_can_be_discovered():
    assert not list(ROOT.glob("*jupytext*")) + list(build.NOTEBOOKS.rglob("*jupytext*"))
    assert "tool.jupytext" not in (ROOT / "pyproject.toml").read_text()


@pytest.fixture
def pair(tmp_path) -> tuple[Path, Path]:
    """A source and the notebook built from it."""
    source, notebook = tmp_path / "01_disk.py", tmp_path / "01_disk.ipynb"
    source.write_text(SOURCE)
    build.write(build.build(source, notebook), notebook)
    return source, notebook


def ids(notebook: Path) -> list[str]:
    return [cell.id for cell in nbformat.read(notebook, as_version=4).cells]


def test_building_from_nothing_gives_the_same_bytes(pair):
    source, notebook = pair
    first = notebook.read_bytes()
    notebook.unlink()
    build.write(build.build(source, notebook), notebook)
    assert notebook.read_bytes() == first
    assert ids(notebook) == ["01-00", "01-01", "01-02"]


def test_a_built_notebook_has_the_known_kernel_and_no_pairing(pair):
    metadata = nbformat.read(pair[1], as_version=4).metadata
    assert metadata.kernelspec.name == "python3"
    assert "jupytext" not in metadata


def test_a_new_cell_leaves_the_other_ids_alone(pair):
    source, notebook = pair
    source.write_text(SOURCE.replace("# %% slideshow", "# %%\n1 + 1\n\n# %% slideshow", 1))
    build.write(build.build(source, notebook), notebook)
    assert ids(notebook) == ["01-00", "01-01a", "01-01", "01-02"]


def test_an_edited_cell_keeps_its_id(pair):
    source, notebook = pair
    source.write_text(SOURCE.replace("# # Title", "# # A better title"))
    build.write(build.build(source, notebook), notebook)
    assert ids(notebook) == ["01-00", "01-01", "01-02"]


@pytest.mark.parametrize(("old", "new", "message"), [
    ("# # Title", "# # Another", "Cells 1 differ (1/3). Mend with: make notebooks"),
    ('tags=["exercise"]', 'tags=["other"]', "Cell metadata 'tags' differ. Mend with: make notebooks"),
])
def test_drift_is_named(pair, old, new, message):
    source, notebook = pair
    source.write_text(SOURCE.replace(old, new))
    assert build.drift(source, notebook) == [f"01_disk.ipynb: {message}"]


def test_a_kept_output_is_drift(pair):
    source, notebook = pair
    content = nbformat.read(notebook, as_version=4)
    content.cells[1].outputs = [nbformat.v4.new_output("stream", text="hello")]
    nbformat.write(content, notebook)
    assert build.drift(source, notebook) == [
        "01_disk.ipynb: Outputs, ids or layout differ. Mend with: make notebooks"]


def test_an_unbuilt_notebook_is_drift(pair):
    source, notebook = pair
    notebook.unlink()
    assert build.drift(source, notebook) == ["01_disk.ipynb: not built. Mend with: make notebooks"]


def test_the_check_of_the_command_line_fails_on_drift(pair, monkeypatch):
    source, notebook = pair
    monkeypatch.setattr(build, "SOURCES", source.parent)
    monkeypatch.setattr(build, "NOTEBOOKS", source.parent)
    build.main([])
    build.main(["--check"])
    source.write_text(SOURCE + "\n# %%\n2\n")
    with pytest.raises(SystemExit, match=r"01_disk\.ipynb: Cells 4 differ"):
        build.main(["--check", "01"])
    build.main(["01"])
    build.main(["--check"])
    assert len(ids(notebook)) == 4


def test_an_unknown_number_is_named():
    with pytest.raises(ValueError, match=r"`NN` must be among .*; got 99\."):
        build.sources(["99"])


def test_solving_puts_the_reference_in(pair):
    solved = build.solve(build.build(*pair), {"area": area})
    assert solved.cells[2].source == "def area(radius):\n    return math.pi * radius**2\n\ncheck.area(area)"


def test_a_reference_that_needs_more_than_the_imports_is_named(pair):
    area_with_a_helper.__name__ = "area"
    with pytest.raises(ValueError, match=r"The reference of `area` must use only names .*; got square\."):
        build.solve(build.build(*pair), {"area": area_with_a_helper})
