"""The book, made of two notebooks with outputs and all others without: opened as files, with the network cut."""

import os
import subprocess
import sys
from pathlib import Path

from notebooks.book import outputs
from notebooks.book.build import ROOT, write_pages

import nbformat
import pytest
from book_pages import broken_links, faults
from complaints import Complaints
from conftest import NOTEBOOKS
from nbformat.v4 import new_output
from operate import drag
from playwright.sync_api import expect

START, MIXTURES = NOTEBOOKS / "00_start_here.ipynb", NOTEBOOKS / "08_mixtures.ipynb"
SECTIONS = 20  # cells of the mixtures that run here: a bet, figures, an exercise, formulas in outputs, an explorer
CHECKSUM = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
  .reduce((sum, value) => (31 * sum + value) | 0, 0)"""


def start_to_execute(path: Path, folder: Path) -> subprocess.Popen:
    command = [Path(sys.executable).with_name("jupyter"), "nbconvert", "--log-level=WARN", "--execute", "--to=notebook"]
    environment = os.environ | {"COURSE_PROGRESS": str(folder / f"{path.stem}.json")}
    return subprocess.Popen([*command, "--output-dir", folder, path], env=environment)


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """The folder of the book."""
    folder = tmp_path_factory.mktemp("book")
    executed = folder / "executed"
    executed.mkdir()
    for path in NOTEBOOKS.glob("[0-9]*.ipynb"):
        (executed / path.name).write_bytes(path.read_bytes())
    beginning = nbformat.read(MIXTURES, as_version=4)
    rest, beginning.cells = beginning.cells[SECTIONS:], beginning.cells[:SECTIONS]
    nbformat.write(beginning, folder / MIXTURES.name)
    runs = [start_to_execute(path, executed) for path in (START, folder / MIXTURES.name)]
    assert [run.wait() for run in runs] == [0, 0]
    beginning = nbformat.read(executed / MIXTURES.name, as_version=4)
    beginning.cells += rest
    nbformat.write(beginning, executed / MIXTURES.name)
    command = [sys.executable, "-m", "notebooks.book.build", "--executed", executed, "--to", folder / "book"]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder / "book"


@pytest.fixture
def read(chromium, book):
    """A function that opens a page of the book as a file; it may complain of nothing."""
    context, complaints = chromium.new_context(viewport={"width": 1280, "height": 900}, offline=True), Complaints()

    def open_page(name: str):
        page = context.new_page()
        complaints.listen(page)
        page.goto((book / name).as_uri())
        return page

    yield open_page
    context.close()
    assert not complaints, "\n".join(complaints)


def test_pages_have_no_fault(chromium, book):
    names = ["index.html", "search.html", *(path.with_suffix(".html").name for path in (START, MIXTURES)),
             *(path.with_suffix(".html").name for path in NOTEBOOKS.glob("[a-z]*.ipynb"))]
    assert faults(chromium, [book / name for name in names]) == []


def test_every_link_leads_somewhere(book):
    assert broken_links(book) == []


@pytest.mark.parametrize(("content", "fault"), [
    ("<p>$x$</p>", "not typeset: [$]x[$]"),
    ("<img src='data:,'>", "no alternative text"),
    ("<img alt='a cat' src='cat.png'>", "no picture: a cat"),
    ("<canvas role=img></canvas>", "no alternative text: canvas"),
    ("<div style='width: 500px'>wide</div>", "110 pixels wider than a phone"),
    ("<script src='https://example.org/mathjax.js'></script>", "request to outside"),
    ("<script>throw Error('a')</script>", "uncaught exception"),
    ("<svg><g data-mml-node='merror'><text>y</text></g></svg>", "no formula: y"),
])
def test_the_gate_finds_a_planted_fault(chromium, tmp_path, content, fault):
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><body style='margin: 0'><article>{content}</article>", encoding="utf-8")
    with pytest.raises(AssertionError, match=fault):
        assert faults(chromium, [page]) == []


@pytest.mark.parametrize("link", ["b.html", "#b", "a.html#b"])
def test_the_gate_finds_a_broken_link(tmp_path, link):
    (tmp_path / "a.html").write_text(f"<p id=a><a href='{link}'>b</a><a href='#a'>a</a>", encoding="utf-8")
    assert broken_links(tmp_path) == [f"a.html: leads nowhere: {link}"]


def test_the_latent_plane_is_alive(read):
    explorer = read("00_start_here.html").get_by_role("group", name="Two numbers, one digit")
    picture = explorer.get_by_role("img", name="Decoded picture")
    before = picture.evaluate(CHECKSUM)
    drag(explorer.get_by_role("slider", name="point in the latent plane"), 60, -40)
    assert picture.evaluate(CHECKSUM) != before
    expect(explorer).to_contain_text("(+")


def test_search_finds_a_word_and_leads_to_its_page(read):
    page = read("index.html")
    page.get_by_role("textbox", name="Search").fill("geyser")
    page.keyboard.press("Enter")
    page.locator("#search-results").get_by_role("link", name="Mixtures").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("08 · Mixtures")


def test_the_first_page_names_every_notebook_author_and_licence(book):
    page = (book / "index.html").read_text(encoding="utf-8")
    links = [f'href="{path.stem}.html"' for path in NOTEBOOKS.glob("*.ipynb")]
    words = ["V. Beyond", "How far do two simple pieces reach?", "The contributors to", "CC BY 4.0", "conda activate"]
    assert [part for part in [*links, *words] if part not in page] == []


def test_what_needs_a_kernel_says_so(book):
    start, mixtures = ((book / f"{path.stem}.html").read_text(encoding="utf-8") for path in (START, MIXTURES))
    assert [start.count(words) for words in (outputs.PERSONAL, outputs.EXERCISE, outputs.BET)] == [3, 1, 1]
    assert [mixtures.count(words) for words in (outputs.EXPLORER, outputs.EXERCISE, outputs.BET)] == [1, 5, 1]
    assert "Not attempted yet" not in mixtures
    assert "Nothing was placed" not in start


def test_the_bar_of_a_loop_is_gone():
    parts = {"loop": {"state": {"children": ["IPY_MODEL_bar"]}}, "bar": {"model_name": "FloatProgressModel"}}
    assert outputs.without_kernel(view("loop"), parts) is None


def test_an_unknown_widget_is_an_error():
    parts = {"box": {"state": {"children": ["IPY_MODEL_text"]}}, "text": {"model_name": "TextModel"}}
    with pytest.raises(ValueError, match="must be an explorer, a bet or a bar; got TextModel"):
        outputs.without_kernel(view("box"), parts)


def test_a_notebook_that_was_not_executed_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"must hold 00_start_here\.ipynb; .* Make it with: make executed"):
        write_pages(tmp_path, tmp_path / "pages")


def view(number: str):
    return new_output("display_data", {outputs.VIEW: {"model_id": number}})
