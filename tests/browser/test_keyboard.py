"""Notebook 08 from the first bet to the last exercise, without a mouse."""

import json

from notebooks.source import build

import nbformat
from course_lib.lessons.n08_mixtures import bets, check
from notebook_page import ENDED, idle, pixels
from playwright.sync_api import Page

NAME = "08_mixtures.ipynb"
NOTEBOOK = nbformat.read(build.NOTEBOOKS / NAME, as_version=4)
WITHIN = "selector => document.activeElement.closest(selector) !== null"
ACTIVE = "() => [...document.querySelectorAll('.jp-Notebook > * .jp-Cell')].findIndex(c => c.matches('.jp-mod-active'))"


def tab_to(page: Page, selector: str, *, most: int = 60) -> None:
    """Press Tab until the focus is within `selector`."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(WITHIN, selector):
            return
    raise AssertionError(f"{most} times Tab did not lead to {selector}.")


def answer(page: Page, cell: nbformat.NotebookNode) -> None:
    """Put the reference into the exercise that is selected, and leave the editor."""
    name = next(name for name in check.exercises if f"check.{name}(" in cell.source)
    available = build.imported_names(NOTEBOOK)
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(build.put_in(cell.source, name, build.solution(check.exercises[name].reference, available)))


def move(page: Page, cell) -> None:
    """Go from the selected cell into its explorer, and move its first control."""
    explorer = cell.locator(".explorer").first
    explorer.wait_for(timeout=60_000)
    before = pixels(explorer)
    tab_to(page, ".explorer")
    for key in ("ArrowRight", "ArrowDown", "Space", "Enter"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
        if pixels(explorer) != before:
            return
    raise AssertionError(f"No key changed the explorer of the cell {cell.inner_text()[:80]}.")


def bet(page: Page, cell) -> None:
    """Go from the selected cell into its bet, give the first answer more, and place the bet."""
    tab_to(page, "input")
    page.keyboard.insert_text("70")
    tab_to(page, "button")
    page.keyboard.press("Enter")


def test_notebook_08_is_completed_with_the_keyboard_alone(page, lab):
    page.goto(f"{lab.url}/lab/tree/{NAME}?reset")
    page.locator(".jp-Notebook").wait_for(timeout=60_000)
    idle(page, seconds=60)
    tab_to(page, ".jp-Notebook .jp-Cell")
    page.keyboard.press("Escape")
    for _ in NOTEBOOK.cells:
        page.keyboard.press("ArrowUp")
    cells = page.locator(".jp-Notebook .jp-Cell")
    for number, cell in enumerate(NOTEBOOK.cells):
        if "exercise" in cell.metadata.get("tags", []):
            answer(page, cell)
        page.keyboard.press("Control+Enter")
        page.keyboard.press("Escape")
        if cell.cell_type == "code":
            page.wait_for_function(ENDED, timeout=120_000)
            if cell.source.startswith("explorers."):
                move(page, cells.nth(number))
            if cell.source.startswith("bets.") and "settle" not in cell.source:
                bet(page, cells.nth(number))
            page.keyboard.press("Escape")
        page.keyboard.press("ArrowDown")
    done = json.loads((lab.root.parent / "progress.json").read_text())
    assert {name for name, facts in done["exercises"]["08"].items() if facts.get("passed")} == set(check.exercises)
    assert {name for name, facts in done["bets"]["08"].items() if "nats" in facts} == set(bets.bets)
