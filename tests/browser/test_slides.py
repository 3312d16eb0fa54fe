"""A lecture: slides that open without a network and fit the screen, and live ones whose explorers move."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notebooks.slides import slides as handout

import nbformat
import pytest
from book_pages import broken_links
from conftest import PATIENCE
from notebook_page import open_and_run, settled, write_notebook
from overflow import SIZE, faults, measure
from PIL import Image
from playwright.sync_api import Locator, Page, expect

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/[0-9]*.ipynb"))
IMPORT = "from course_lib.lessons.n08_mixtures import explorers\nfrom course_lib.classroom import lecture"
LINES = "".join(f"A sentence of the text, number {i}. " for i in range(30))


def cell(kind: str, source: str, slide: str = "slide") -> nbformat.NotebookNode:
    made = getattr(nbformat.v4, f"new_{kind}_cell")(source)
    made.metadata["slideshow"] = {"slide_type": slide}
    return made


def shown(source: str, html: str, **data: dict) -> nbformat.NotebookNode:
    """A code cell that shows HTML."""
    made = cell("code", source, "fragment")
    made.outputs = [nbformat.v4.new_output("display_data", data={"text/html": html, **data})]
    return made


def picture(alt: str, width: int, height: int) -> str:
    """An <img> that carries its picture."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "PNG")
    return f'<img alt="{alt}" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def written(folder: Path, *cells: nbformat.NotebookNode) -> Path:
    return handout.write(write_notebook(folder / "08_mixtures.ipynb", cell("markdown", "# 08 · Title"), *cells), folder)


@pytest.fixture
def projector(page) -> Page:
    page.set_viewport_size(SIZE)
    return page


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_texts_and_code_fit_the_slides(projector, tmp_path, notebook):
    found = measure(projector, handout.write(notebook, tmp_path))
    assert list(faults(found)) == []
    assert len(found) > 8


def test_long_slides_go_on_and_pictures_adapt(projector, tmp_path):
    figure = f"<figure>{picture('tall', 900, 720)}<figcaption>Tall.</figcaption></figure>"
    formula = "$$" + " + ".join(f"x_{{{i}}}" for i in range(20)) + "$$"
    listed = "".join(f"\n{i}. {LINES[:200]}" for i in range(1, 20))
    table = "<table><tbody>" + "<tr><td>a row of the table</td></tr>" * 40 + "</tbody></table>"
    found = measure(projector, written(
        tmp_path, cell("markdown", f"## Long\n\n{LINES}\n\n{LINES}\n\n{listed}"), shown("plots.show(figure)", figure),
        cell("markdown", formula), shown("table", table), cell("markdown", "left out", "skip"),
        cell("markdown", "to be said", "notes")))
    assert list(faults(found)) == []
    assert [slide["title"] for slide in found].count("Long") > 4
    assert projector.get_by_text("left out").count() == 0
    assert projector.locator("aside.notes", has_text="to be said").count() == 1


@pytest.mark.parametrize(("text", "fault"), [
    (LINES * 5, r"slide 2\.1 \(Planted\) overflows by \d+ px \(below\)"),
    (f"$${'x + ' * 99}x$$", r"slide 2\.1 \(Planted\) overflows by \d+ px \(right\)"),
    ('<p style="font-size: 12px">small</p>', r"slide 2\.1 \(Planted\) has type of 12\.0 px; it must be 20 px or more"),
])
def test_a_slide_that_overflows_is_named(projector, tmp_path, text, fault):
    found = measure(projector, written(tmp_path, cell("markdown", f"## Planted\n\n{text}")))
    with pytest.raises(AssertionError, match=fault):
        assert not list(faults(found)), list(faults(found))


def test_a_link_leads_to_its_slide(projector, tmp_path):
    link = "[there](#Far-away:-f), and the [glossary](glossary.ipynb#Words) and [this](08_mixtures.ipynb#Near)"
    path = written(tmp_path, cell("markdown", f"## Near\n\n{link}"), cell("markdown", "## Far away: `f`"))
    projector.goto(f"{path.as_uri()}#Near")
    there = projector.get_by_role("link", name="there")
    expect(there).to_be_in_viewport()
    there.click()
    expect(projector.get_by_role("heading", name="Far away: f")).to_be_in_viewport()
    projector.keyboard.press("ArrowLeft")
    expect(there).to_be_in_viewport()
    assert projector.locator(".page a").all_text_contents() == ["there", "this"]


def test_every_link_of_the_handouts_leads_somewhere(tmp_path):
    for notebook in NOTEBOOKS:
        handout.write(notebook, tmp_path)
    assert broken_links(tmp_path) == []


def test_a_bet_is_shown_in_words_and_an_explorer_by_its_picture(projector, tmp_path):
    widget = {handout.WIDGET: {"model_id": "gone"}}
    explorer = shown("explorers.build_a_mixture()", picture("two bells", 800, 400), **widget)
    measure(projector, written(tmp_path, cell("code", "bets.gain()"), explorer))
    assert projector.locator(".bet li").count() == 4
    assert projector.locator(".page img[alt='two bells']").count() == 1


@pytest.fixture
def lecture_notebook(lab) -> str:
    return write_notebook(
        lab.root / "lecture.ipynb", cell("markdown", "## First"), cell("code", IMPORT, "skip"),
        cell("markdown", "## Second"), cell("code", "explorers.build_a_mixture()", "fragment"),
        cell("code", "lecture()", "skip")).name


def move(explorer: Locator) -> None:
    """Click far left on the first slider, and see the picture follow."""
    before = settled(explorer)
    explorer.locator("input[type=range]").first.click(position={"x": 5, "y": 5})
    assert settled(explorer) != before


def test_presentation_mode_with_large_type_and_a_moved_explorer(projector, lab, lecture_notebook):
    open_and_run(projector, lab, lecture_notebook)
    projector.get_by_role("menuitem", name="View", exact=True).click()
    projector.locator(".lm-Menu-item", has_text="Appearance").hover()  # a submenu has no role
    projector.get_by_role("menuitem", name="Presentation Mode").click()
    expect(projector.locator("#course-lecture")).to_have_count(1)
    expect(projector.locator(".jp-RenderedMarkdown").first).to_have_css("font-size", "22px")
    move(projector.locator(".explorer"))


@contextmanager
def deck(page: Page) -> Iterator[None]:
    """The notebook as slides, from First on; if they were not left, the next notebook would open as slides."""
    page.get_by_role("heading", name="First").click()  # the slides begin at the selected cell
    page.get_by_role("button", name="Toggle Deck").click()
    expect(page.get_by_role("heading", name="First")).to_be_in_viewport(timeout=PATIENCE)
    yield
    page.get_by_role("button", name="Exit Deck").click()
    expect(page.get_by_role("button", name="Toggle Deck")).to_be_visible()


def test_slides_in_jupyterlab_with_a_moved_explorer(projector, lab, lecture_notebook):
    open_and_run(projector, lab, lecture_notebook)
    with deck(projector):
        expect(projector.locator(".explorer")).not_to_be_in_viewport()
        go_on = projector.get_by_role("button", name="Go to next slide/fragment in Deck")
        go_on.click()
        expect(projector.get_by_role("heading", name="Second")).to_be_in_viewport()
        go_on.click()
        move(projector.locator(".explorer"))


IN_SIGHT = """() => [...document.querySelectorAll(".jp-RenderedMarkdown p")].filter(text => {
  const box = text.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight && text.checkVisibility({ visibilityProperty: true });
}).map(text => text.textContent)"""


def test_page_down_shows_all_of_a_tall_slide_in_jupyterlab(projector, lab):
    texts = [f"Part {i}. {LINES[:-1]}" for i in range(12)]
    path = write_notebook(
        lab.root / "tall.ipynb", cell("markdown", "\n\n".join(["## First", *texts])), cell("markdown", "## Second"),
        cell("code", "from course_lib.classroom import lecture\nlecture()", "skip"))
    open_and_run(projector, lab, path.name)
    seen = set()
    with deck(projector):
        for _ in range(12):
            seen |= set(projector.evaluate(IN_SIGHT))
            projector.keyboard.press("PageDown")
            projector.wait_for_timeout(200)  # scrolling is smooth
    assert seen >= set(texts)
