"""Notebook 08 from the first bet to the last exercise, without a mouse."""

import json

from course_lib.lessons.n08_mixtures import bets, check
from notebooks.source import build

import nbformat
from notebook_page import ENDED, idle, pixels
from playwright.sync_api import Page

NAME = "08_mixtures.ipynb"
NOTEBOOK = nbformat.read(build.NOTEBOOKS / NAME, as_version=4)
OUTPUT = ".jp-Cell.jp-mod-active .jp-OutputArea"  # of the selected cell
WITHIN = "selector => document.activeElement.closest(selector) !== null"


def tab_to(page: Page, selector: str, *, most: int = 60) -> None:
    """Press Tab until the focus is within `selector`."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(WITHIN, selector):
            return
    raise AssertionError(f"{most} times Tab did not lead to {selector}.")


def back(page: Page) -> None:
    """Go back from the output to its cell."""
    for _ in range(60):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("() => document.activeElement.matches('.jp-Cell')"):
            return
    raise AssertionError("60 times Shift+Tab did not lead to a cell.")


def answer(page: Page, cell: nbformat.NotebookNode) -> None:
    """Put the reference into the exercise that is selected, and leave the editor."""
    name = next(name for name in check.exercises if f"check.{name}(" in cell.source)
    available = build.imported_names(NOTEBOOK)
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    solution = build.solution(check.exercises[name].reference, available)
    page.keyboard.insert_text(build.put_in(cell.source, name, solution))


def move(page: Page) -> None:
    """Go from the selected cell into its explorer, and move its first control."""
    explorer = page.locator(f"{OUTPUT} .explorer")
    explorer.wait_for(timeout=60_000)
    before = pixels(explorer)
    tab_to(page, ".explorer")
    for key in ("ArrowRight", "ArrowDown", "Space", "Enter"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
        if pixels(explorer) != before:
            return
    raise AssertionError(f"No key changed the explorer {explorer.get_attribute('aria-label')}.")


def bet(page: Page) -> None:
    """Go from the selected cell into its bet, give the first answer more, and place the bet."""
    page.locator(f"{OUTPUT} button").wait_for()
    tab_to(page, f"{OUTPUT} input")
    page.keyboard.insert_text("70")
    tab_to(page, f"{OUTPUT} button")
    page.keyboard.press("Enter")
    page.locator(OUTPUT, has_text="Your bet is placed").wait_for()


def test_notebook_08_is_completed_with_the_keyboard_alone(page, lab):
    page.goto(f"{lab.url}/lab/tree/{NAME}?reset")
    page.locator(".jp-Notebook").wait_for(timeout=60_000)
    idle(page, seconds=60)
    tab_to(page, ".jp-Notebook .jp-Cell")
    page.keyboard.press("Escape")
    for _ in NOTEBOOK.cells:
        page.keyboard.press("ArrowUp")
    for cell in NOTEBOOK.cells:
        if "exercise" in cell.metadata.get("tags", []):
            answer(page, cell)
        page.keyboard.press("Control+Enter")
        page.keyboard.press("Escape")
        if cell.cell_type == "code":
            page.wait_for_function(ENDED, timeout=120_000)
            if cell.source.startswith("explorers."):
                move(page)
                back(page)
            if cell.source.startswith("bets.") and "settle" not in cell.source:
                bet(page)
                back(page)
        page.keyboard.press("ArrowDown")
    done = json.loads((lab.root.parent / "progress.json").read_text())
    assert {name for name, facts in done["exercises"]["08"].items() if facts.get("passed")} == set(check.exercises)
    assert {name for name, facts in done["bets"]["08"].items() if "nats" in facts} == set(bets.bets)
