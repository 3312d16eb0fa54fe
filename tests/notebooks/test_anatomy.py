"""Every notebook has the parts that a notebook has, and every rule bites."""

import importlib
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from anatomy import RULES
from reading import Lesson, Notebook
from specimen import LESSON, code, markdown, specimen

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/[0-9]*.ipynb"))


def lesson_of(path: Path) -> Lesson:
    module = importlib.import_module(f"course_lib.lessons.n{path.stem}")
    return Lesson(set(module.check.exercises), set(module.bets.bets), set(vars(module.explorers)))


def complaints(notebook: Notebook) -> list[str]:
    return [complaint for rule in RULES for complaint in rule(notebook)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_anatomy(path):
    assert complaints(Notebook(path, lesson_of(path))) == []


@pytest.fixture
def judged(tmp_path) -> Callable[..., list[str]]:
    """Break a specimen, write it, and return what the rules say."""

    def judge(break_it: Callable = lambda notebook: None, lesson: Lesson = LESSON) -> list[str]:
        notebook, path = specimen(), tmp_path / "08_specimen.ipynb"
        break_it(notebook)
        nbformat.write(notebook, path)
        return complaints(Notebook(path, lesson))

    return judge


def test_the_specimen_keeps_every_rule(judged):
    assert judged() == []


def replace(old: str, new: str) -> Callable:
    def change(notebook):
        changed = [cell for cell in notebook.cells if old in cell.source]
        assert changed, f"the specimen has no {old!r}"
        for cell in changed:
            cell.source = cell.source.replace(old, new)
    return change


def append(*cells) -> Callable:
    def change(notebook):
        for number, cell in enumerate(cells):
            notebook.cells.insert(4, nbformat.from_dict(cell | {"id": f"new-{number}"}))
    return change


def set_metadata(name: str, value: object) -> Callable:
    return lambda notebook: notebook.cells[3].metadata.__setitem__(name, value)


def move_settling_up(notebook):
    at = next(n for n, cell in enumerate(notebook.cells) if "bets.first.settle" in cell.source)
    shown = next(n for n, cell in enumerate(notebook.cells) if cell.source == "bets.first()")
    notebook.cells.insert(shown + 1, notebook.cells.pop(at))


def keep_output(notebook):
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="hello")]


BROKEN = {
    "title": (replace("# 08 · Specimen", "# Specimen"), "must begin `# 08 · Title`"),
    "question": (replace("**Question.**", "Question:"), "begins **Question.**"),
    "aims": (replace("- say the total: [total](#Exercise-total)\n", ""), "3 or 4 aims; got 2"),
    "aim without a link": (replace("[total](#Exercise-total)", "total"), "link to the exercise"),
    "aim without an exercise": (replace("### Exercise `total`", "### Total"), "no such heading: #Exercise"),
    "needs": (replace("**You need**", "You need"), "begins **You need**"),
    "time": (replace("**Time.**", "Time:"), "begins **Time.**"),
    "measured": (replace("5 s and 300 MiB", "little"), "run: make measure"),
    "no imports": (lambda notebook: notebook.cells.pop(1), "second cell must hold the imports"),
    "imports too long": (replace("import torch\n", "import torch\n" * 6), "at most 6 lines; got 7"),
    "too many settings": (
        replace("import torch\n", "import torch\n\n" + 3 * "torch.set_num_threads(1)\n"), "at most 2 settings"),
    "a late setting": (append(code("torch.set_num_threads(1)")), "torch is set up in the second cell"),
    "late import": (replace("value = 1.0", "import math"), "In practice; got one in"),
    "tail": (replace("## Still intractable", "## Next"), "the last sections must be"),
    "too few cells": (lambda notebook: notebook.cells.__delitem__(slice(4, 17)), "cells: must be 28 to 70"),
    "too many cells": (append(*[markdown("x"), code("1")] * 20), "cells: must be 28 to 70"),
    "too much code": (append(*[code("1")] * 28), "code cells for each text cell: must be 0.5 to 2"),
    "too little code": (append(*[markdown("x")] * 9), "code cells for each text cell: must be 0.5 to 2"),
    "long cells": (append(*[code("1\n" * 9)] * 15), "median lines of code in a cell: must be 0 to 8; got 9"),
    "one long cell": (append(code("1\n" * 21)), "most lines of code in a cell: must be 0 to 20; got 21"),
    "too few words": (replace("word " * 60, ""), "words: must be 1500 to 2700"),
    "too many words": (append(markdown("word " * 1500)), "words: must be 1500 to 2700"),
    "too few equations": (replace("$$", "$"), "display equations: must be 5 to 99; got 0"),
    "too few figures": (replace("show(figure, alt=f'It is {value}.')", ""), "figures: must be 4 to 11"),
    "too few explorers": (replace("explorers.look()", ""), "explorers: must be 2 to 4; got 1"),
    "too few exercises": (replace("check.total(total)", ""), "exercises: must be 3 to 5; got 2"),
    "too few bets": (replace("bets.first()", ""), "bets: must be 2 to 9; got 1"),
    "no evidence": (replace("evidence('S1', 'one', 1.0, expect=(0, 2))", "1"), "statements measured"),
    "too few notes": (lambda notebook: notebook.cells.pop(20), "cells of speaker notes: must be 3"),
    "large file": (append(markdown("0" * 200_000)), "kB: must be 0 to 200"),
    "pyplot": (append(code("plt.plot([1])")), "must not use `plt`"),
    "observe": (append(code("slider.observe(print)")), "must not use `observe`"),
    "input": (append(code("input('?')")), "must not use `input`"),
    "no alt": (replace("show(figure, alt=f'It is {value}.')", "show(figure)"), "`alt` must hold an"),
    "no alt, long name": (append(code("plots.show(figure)")), "`alt` must hold an"),
    "constant alt": (replace("f'It is {value}.'", "'It is one.'"), "`alt` must hold an"),
    "empty f-string": (replace("f'It is {value}.'", "f'It is {1}.'"), "`alt` must hold an"),
    "output": (keep_output, "cell 1 must have no output"),
    "execution count": (lambda notebook: notebook.cells[1].update(execution_count=1), "cell 1 must have no"),
    "no slide type": (set_metadata("slideshow", {}), "cell 3 must have a slide type"),
    "kernel": (lambda notebook: notebook.metadata.kernelspec.update(name="x"), "the kernel must be python3"),
    "pairing": (lambda notebook: notebook.metadata.update(jupytext={}), "must not be paired"),
    "lost file": (append(markdown("[x](gone.ipynb)")), "no such file: gone.ipynb"),
    "lost anchor": (append(markdown("[x](#Gone)")), "no such heading: #Gone"),
    "anchor that Lab misses": (append(markdown("## A · b\n[x](#A-·-b)")), "must be plain ASCII: #A-·-b"),
    "link to outside": (append(markdown("[x](https://example.org/else)")), "must stand in In practice or"),
    "plain http": (replace("https://example.org/book", "http://example.org/book"), "an https address"),
    "exercise not tagged": (lambda notebook: [cell.metadata.update(tags=[]) for cell in notebook.cells],
                            "`mean` must be a stub in a cell tagged exercise"),
    "exercise solved": (replace("raise NotImplementedError", "return 1"), "`total` must be a stub"),
    "exercise of no lesson": (replace("check.mean(mean)", "check.middle(mean)"), "notebook only: ['middle']"),
    "bet of no lesson": (replace("bets.first", "bets.other"), "notebook only: ['other']"),
    "bet never settled": (replace("bets.first.settle(0)", "1"), "`bets.first` must be settled"),
    "bet settled at once": (move_settling_up, "`bets.first` must be settled"),
    "explorer of no lesson": (replace("explorers.look", "explorers.see"), "lesson only: ['look']"),
}


@pytest.mark.parametrize(("break_it", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_notebook_is_named(judged, break_it, message):
    assert any(message in complaint for complaint in judged(break_it))
