"""A notebook open in JupyterLab, as a reader meets it."""

import time
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, expect

# A checksum of a canvas's pixels, as the reader sees them.
PIXELS = """canvas => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0;
  for (let i = 0; i < data.length; i += 1) sum = (31 * sum + data[i]) | 0;
  return sum;
}"""


# No cell waits or runs, and one has run (after an error the others are left out).
ENDED = """() => {
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].map(prompt => prompt.textContent);
  return prompts.some(text => /[0-9]/.test(text)) && !prompts.some(text => text.includes("*"));
}"""

# The elements of an explorer that reach out of its cell's output.
WIDER = """explorer => {
  const right = explorer.closest(".jp-OutputArea-output").getBoundingClientRect().right + 1;
  return [...explorer.querySelectorAll("*")].filter(part => part.getBoundingClientRect().right > right)
    .map(part => part.outerHTML);
}"""


def write_notebook(path: Path, *cells: str | nbformat.NotebookNode) -> Path:
    """A notebook of cells; text is a code cell's source."""
    made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=made)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


def open_and_run(page: Page, lab, name: str, *, seconds: float = 120) -> None:
    """Open a notebook and run all its cells, to the end."""
    open_and_start(page, lab, name)
    page.wait_for_function(ENDED, timeout=1e3 * seconds)
    idle(page, seconds=seconds)


def open_and_start(page: Page, lab, name: str) -> None:
    """Open a notebook, wait for its kernel, and have all its cells run; does not wait for them."""
    page.goto(f"{lab.url}/lab/tree/{name}?reset")
    start(page)


def start(page: Page) -> None:
    """Wait for the notebook that is being opened and for its kernel, and have all its cells run."""
    page.locator(".jp-Notebook").wait_for(timeout=60_000)
    idle(page, seconds=60)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def run_cell(page: Page, index: int) -> None:
    """Run one cell, as a reader does; does not wait."""
    page.locator(".jp-CodeCell .cm-content").nth(index).click()
    page.keyboard.press("Control+Enter")


def idle(page: Page, *, seconds: float = 60) -> None:
    """Wait until the kernel has nothing to do."""
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=1e3 * seconds)


def pixels(explorer: Locator) -> int:
    """A checksum of the picture on the page."""
    return explorer.locator("canvas").evaluate(PIXELS)


def settled(explorer: Locator) -> int:
    """The checksum once the kernel has answered and the picture is still; after 5 s of playing, as it is."""
    last, since, begin, busy = None, time.monotonic(), time.monotonic(), True
    while busy or (time.monotonic() - since < 0.05 and time.monotonic() - begin < 5):
        assert time.monotonic() - begin < 60, "The kernel did not answer in 60 s."
        time.sleep(0.01)
        now, busy = pixels(explorer), explorer.get_attribute("aria-busy") == "true"
        if now != last or busy:
            last, since = now, time.monotonic()
    return last
