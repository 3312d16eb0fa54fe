"""No word of the course is used before it is explained or explained twice; every link of the page has an end."""

from collections.abc import Callable
from pathlib import Path

from notebooks.source import build, glossary

import nbformat
import pytest
from anatomy import links
from first_use import Paragraph, complaints, paragraphs
from reading import Lesson, Notebook

NOTEBOOKS = sorted(build.NOTEBOOKS.glob("[0-9]*.ipynb"))
PLACED = [word for word in glossary.words() if word.number]
WORD = glossary.word("latent variable", "Never measured.", place="08 The model")


def test_every_word_is_explained_once_and_before_it_is_used():
    assert list(complaints(PLACED, paragraphs(NOTEBOOKS))) == []


def test_every_word_is_used():
    found = paragraphs(NOTEBOOKS)
    unused = [word.name for word in glossary.words() if not any(paragraph.mentions(word) for paragraph in found)]
    assert unused == []


def test_the_page_tells_what_the_glossary_holds():
    page = build.page(glossary.page())
    assert build.is_current(build.NOTEBOOKS / "glossary.ipynb", page), "Mend with: make notebooks"


def test_every_link_of_the_page_has_an_end():
    assert list(links(Notebook(build.NOTEBOOKS / "glossary.ipynb", Lesson(set(), set(), set())))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_head_links_to_the_page(path):
    cells = nbformat.read(path, as_version=4).cells
    assert any("](glossary.ipynb)" in cell.source for cell in (cells if path.name.startswith("00") else cells[:1]))


def story(*texts: str) -> list[Paragraph]:
    """Return a course of two notebooks: the texts under The model in 08, but those that begin with `07: ` in 07."""
    names = ["07_first" if text.startswith("07: ") else "08_second" for text in texts]
    return [Paragraph(name, number, "The model", text.removeprefix("07: "))
            for number, (name, text) in enumerate(zip(names, texts, strict=True))]


@pytest.mark.parametrize("texts", [
    ["07: Nothing.", "A **latent variable** is hidden.", "Latent variables matter."],
    ["07: A [latent variable](08_second.ipynb#The-model) waits.", "A **latent variable** is hidden."],
    ["See the [latent variable](#The-model).", "A **latent variable** is hidden."],
    ["07: In code `latent variable`, in a formula $latent variable$.", "A **latent variable** is hidden."],
    ["A **latent variable** is hidden.", "**Latent variable**: see [above](#The-model)."],
    ["A **latent variable** is hidden.", "**Latent variable.** A heading that runs in."],
])
def test_a_sound_story_passes(texts):
    assert list(complaints([WORD], story(*texts))) == []


@pytest.mark.parametrize(("texts", "complaint"), [
    (["07: A latent variable.", "A **latent variable** is hidden."],
     "`latent variable` must be explained before it is used, or linked; used in 07_first, cell 0: A latent variable."),
    (["07: Latent\nvariables.", "A **latent variable** is hidden."], "must be explained before"),
    (["07: A [latent variable](08_second.ipynb#The-model).", "07: A latent variable.", "A **latent variable**."],
     "used in 07_first, cell 1"),
    (["A latent variable is hidden."], "`latent variable` must stand in bold under 08 The model"),
    (["07: A **latent variable** is hidden."], "must stand in bold under 08 The model"),
    (["A **latent variable** is hidden.", "The **latent variable**, again."],
     "`latent variable` must be in bold once, or link back; again in 08_second, cell 1"),
])
def test_a_broken_story_is_named(texts, complaint):
    assert any(complaint in found for found in complaints([WORD], story(*texts)))


@pytest.fixture
def course(tmp_path) -> Callable[..., list[str]]:
    """Write a notebook of these cells and return the paragraphs that count."""

    def write(*cells: str) -> list[str]:
        path: Path = tmp_path / "08_second.ipynb"
        made = [nbformat.v4.new_markdown_cell(cell) for cell in cells]
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        return [found.text for found in paragraphs([path])]

    return write


def test_what_looks_ahead_does_not_count(course):
    head = "# 08 · T\n\n**You will be able to**\n\n1. bound it\n\n**You need** courage."
    assert course(head, "*Speaker notes.* Ask.", "## A\n\nText\n\n| a | b |\n\n## Still intractable\n\nMuch.") == [
        "**You need** courage.", "Text"]
