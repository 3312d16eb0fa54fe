"""Every notebook of the course in real JupyterLab: run, looked at, and every control of it moved."""

import os
import re
from pathlib import Path

import nbformat
import pytest
from accessibility import barriers, barriers_when_exported
from notebook_page import WIDER, open_and_run, write_notebook
from operate import operate
from operate_live import operate_live
from playwright.sync_api import Page, expect

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/[0-9]*.ipynb"))

# Formulas that MathJax refused, macros that it does not know (red), and formulas that were left as they are.
BROKEN_FORMULAS = """() => {
  const refused = [...document.querySelectorAll("mjx-merror, mjx-mtext[style*='color: red']")]
    .map(part => part.closest("mjx-container").textContent);
  const words = [...document.querySelectorAll(".jp-RenderedMarkdown")].map(text => {
    const copy = text.cloneNode(true);
    copy.querySelectorAll("code, mjx-container").forEach(part => part.remove());
    return copy.textContent;
  });
  return [...refused, ...words.filter(text => /[$][^$]*[$]/.test(text))];
}"""


def inspect(page: Page) -> None:
    """No cell raised, and every formula was understood.

    Raises: AssertionError with the traceback or the formula.
    """
    raised = page.locator(".jp-OutputArea-output", has_text="Traceback (most recent call last)")
    assert raised.count() == 0, f"A cell raised: {raised.first.text_content()}"
    broken = page.evaluate(BROKEN_FORMULAS)
    assert not broken, f"A formula is broken: {broken}"


def bet(form) -> None:
    """Type other weights into a bet's fields and place it."""
    before = form.text_content()
    for i, field in enumerate(form.get_by_role("spinbutton").all()):
        field.fill(str(10 + 20 * i))
        field.press("Enter")
    expect(form).not_to_have_text(before)
    typed = form.text_content()
    form.get_by_role("button").click()
    expect(form).not_to_have_text(typed)
    assert "Traceback" not in form.text_content()


def keep(page: Page, name: str) -> None:
    """Pictures of the page and of each explorer, if COURSE_SHOTS names a folder for them."""
    if folder := os.environ.get("COURSE_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png")
        for i, explorer in enumerate(page.locator(".explorer").all()):
            explorer.screenshot(path=f"{folder}/{name}-explorer-{i}.png")


@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_notebook(page, lab, name):
    open_and_run(page, lab, name)
    inspect(page)
    assert barriers(page) == []
    keep(page, Path(name).stem)
    for explorer in page.locator(".explorer").all():
        live = "explorer-live" in explorer.get_attribute("class")
        (operate_live if live else operate)(explorer)
        assert explorer.evaluate(WIDER) == []
    for button in page.get_by_role("button", name="Place the bet", disabled=False).all():
        bet(button.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')][1]"))
    inspect(page)
    assert barriers_when_exported(page, lab.root / name) == []


@pytest.mark.parametrize(("cell", "complaint"), [
    ("1 // 0", "A cell raised: .*ZeroDivisionError"),
    (nbformat.v4.new_markdown_cell(r"$$\left( x$$"), "A formula is broken: .*left"),
    (nbformat.v4.new_markdown_cell(r"$$\nosuchmacro{x}$$"), "A formula is broken: .*nosuchmacro"),
    (nbformat.v4.new_markdown_cell(r"$$\frac{1}{2$$"), "A formula is broken: .*frac"),
])
def test_the_gate_finds_a_broken_cell(page, lab, cell, complaint):
    open_and_run(page, lab, write_notebook(lab.root / "broken.ipynb", "1 + 1", cell).name)
    with pytest.raises(AssertionError, match=re.compile(complaint, re.DOTALL)):
        inspect(page)


SHOW = "from IPython.display import HTML\n"


@pytest.mark.parametrize(("cell", "find", "barrier"), [
    ("import ipywidgets\nipywidgets.IntSlider()", barriers, "aria-input-field-name"),
    (SHOW + "HTML('<p style=\"color: #bbb; background: white\">grey</p>')", barriers_when_exported, "color-contrast"),
    (SHOW + "HTML('<select><option>one</option></select>')", barriers_when_exported, "select-name"),
])
def test_the_gate_finds_a_barrier(page, lab, cell, find, barrier):
    path = write_notebook(lab.root / "barrier.ipynb", cell)
    open_and_run(page, lab, path.name)
    found = find(page, *([path] if find is barriers_when_exported else []))
    assert [finding for finding in found if barrier in finding], found


@pytest.mark.parametrize(("cell", "complaint"), [
    ("%%javascript\nconsole.error('planted')", "console error: planted"),
    ("%%javascript\nsetTimeout(() => { throw Error('planted'); })", "uncaught exception: planted"),
    ("%%html\n<img src='http://192.0.2.1/planted.png'>", r"request to outside: http://192\.0\.2\.1/planted\.png"),
])
def test_the_gate_hears_a_complaint_of_the_page(page, complaints, lab, cell, complaint):
    open_and_run(page, lab, write_notebook(lab.root / "loud.ipynb", cell).name)
    page.wait_for_timeout(500)
    assert any(re.fullmatch(complaint, heard) for heard in complaints), complaints
    complaints.clear()
