"""An update of the course keeps what its reader wrote: real merges of real notebooks."""

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(ROOT.glob("notebooks/[0-9]*.ipynb"))
KERNEL = {  # as JupyterLab writes it when it saves
    "name": "python", "version": "3.11.7", "mimetype": "text/x-python", "file_extension": ".py",
    "codemirror_mode": {"name": "ipython", "version": 3}, "nbconvert_exporter": "python", "pygments_lexer": "ipython3",
}
ANSWER = "def answer(x):\n    return 42  # mine"
pytestmark = pytest.mark.skipif(not shutil.which("make") or not shutil.which("git"), reason="needs make and git")


def git(folder: Path, *command: str) -> None:
    identity = ["-c", "user.name=author", "-c", "user.email=author@localhost"]
    subprocess.run(["git", *identity, *command], cwd=folder, check=True, capture_output=True)


def edit(folder: Path, change) -> None:
    """Let `change` edit every notebook of the folder, as Jupyter writes them."""
    for path in sorted(folder.glob("notebooks/[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        change(notebook)
        nbformat.write(notebook, path)


def stub(notebook):
    return next(cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", []))


def work(notebook) -> None:
    """Run all, answer an exercise, write a note, and save, as a reader does."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        cell.execution_count = number
        cell.outputs = [nbformat.v4.new_output("stream", text=f"one\ntwo {number}\n")]
    stub(notebook).source = ANSWER
    notebook.cells.insert(3, nbformat.v4.new_markdown_cell("My note.", id="note"))
    notebook.metadata["language_info"] = KERNEL


def revise(notebook) -> None:
    """Change the first line of every text and of all code but the answer's; add a cell; drop the last."""
    answered = stub(notebook)
    for cell in notebook.cells:
        if cell is not answered:
            cell.source = f"# revised\n{cell.source}"
    revision = notebook.cells[0].source.count("revised")
    notebook.cells.insert(-5, nbformat.v4.new_code_cell("new = 1", id=f"new-{revision}"))
    notebook.cells.pop()


@pytest.fixture
def copies(tmp_path) -> tuple[Path, Path]:
    """The course as its authors have it, and a reader's clone."""
    upstream, reader = tmp_path / "upstream", tmp_path / "reader"
    (upstream / "notebooks").mkdir(parents=True)
    for path in NOTEBOOKS:
        shutil.copy(path, upstream / "notebooks")
    shutil.copy(ROOT / "Makefile", upstream)
    git(upstream, "init", "--quiet", "--initial-branch=main")
    git(upstream, "add", ".")
    git(upstream, "commit", "--quiet", "--message=first")
    git(tmp_path, "clone", "--quiet", str(upstream), str(reader))
    return upstream, reader


def update(upstream: Path, reader: Path) -> None:
    git(upstream, "commit", "--quiet", "--all", "--message=revised")
    done = subprocess.run(["make", "update"], cwd=reader, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_update_merges_with_a_readers_work(copies):
    upstream, reader = copies
    edit(reader, work)
    edit(upstream, revise)
    update(upstream, reader)
    for path in NOTEBOOKS:
        merged = nbformat.read(reader / "notebooks" / path.name, as_version=4)
        theirs = nbformat.read(upstream / "notebooks" / path.name, as_version=4)
        nbformat.validate(merged)
        cells = {cell.id: cell for cell in merged.cells}
        assert stub(merged).source == ANSWER
        assert cells.pop("note").source == "My note."
        assert {name: cell.source for name, cell in cells.items()} == {
            cell.id: ANSWER if cell.id == stub(merged).id else cell.source for cell in theirs.cells}
        assert sum("outputs" in cell and bool(cell.outputs) for cell in merged.cells) > 5


def test_where_both_changed_a_cell_the_readers_stays(copies):
    upstream, reader = copies
    edit(reader, work)
    edit(upstream, lambda notebook: stub(notebook).update(source="def answer(x):\n    raise NotImplementedError"))
    update(upstream, reader)
    for path in NOTEBOOKS:
        merged = nbformat.read(reader / "notebooks" / path.name, as_version=4)
        assert stub(merged).source == ANSWER
        nbformat.validate(merged)


def test_an_untouched_copy_and_a_second_update(copies):
    upstream, reader = copies
    for _ in range(2):
        edit(upstream, revise)
        update(upstream, reader)
        for path in NOTEBOOKS:
            assert (reader / "notebooks" / path.name).read_text() == (upstream / "notebooks" / path.name).read_text()
