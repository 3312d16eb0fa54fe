"""Look at slides in Chromium, as a projector shows them, and say what overflows on which, and what is too small."""

import sys
from collections.abc import Iterator
from pathlib import Path

from conftest import CHROMIUM, PATIENCE, SWITCHES
from playwright.sync_api import Page, sync_playwright

SIZE = {"width": 1280, "height": 720}
TYPE = 20  # px of running text, at least
FIGURE = 0.75  # of the size for which a figure's labels were chosen, at least

# Shows every slide with all that is uncovered step by step, and measures what stands on it.
MEASURE = """() => Reveal.getSlides().map(slide => {
  const {h, v} = Reveal.getIndices(slide);
  Reveal.slide(h, v, 99);
  const seen = [...slide.querySelectorAll("*")].filter(part => part.checkVisibility());
  const boxes = seen.map(part => part.getBoundingClientRect()).filter(box => box.width && box.height);
  const texts = seen.filter(part => part.matches("p, li, td, th, figcaption, summary"));
  const figures = seen.filter(part => part.matches("img"));
  return {
    place: `${h + 1}.${v + 1}`,
    title: slide.querySelector("h1, h2, h3, .running")?.textContent ?? "",
    below: Math.max(0, ...boxes.map(box => box.bottom)) - innerHeight,
    right: Math.max(0, ...boxes.map(box => box.right)) - innerWidth,
    type: Math.min(99, ...texts.map(part => parseFloat(getComputedStyle(part).fontSize))),
    figure: Math.min(9, ...figures.map(part => part.width / part.naturalWidth)),
  };
})"""


def measure(page: Page, slides: Path) -> list[dict]:
    """Return for each slide its place and title, by how many pixels it overflows, and its smallest type and figure."""
    page.goto(slides.resolve().as_uri())
    page.locator("body[data-ready]").wait_for()
    return page.evaluate(MEASURE)


def faults(found: list[dict]) -> Iterator[str]:
    """Say which slides overflow, and on which the type or a figure is too small."""
    for slide in found:
        where = f"slide {slide['place']} ({slide['title'].strip()})"
        for side in ("below", "right"):
            if slide[side] > 0:
                yield f"{where} overflows by {slide[side]:.0f} px ({side})"
        if slide["type"] < TYPE:
            yield f"{where} has type of {slide['type']:.1f} px; it must be {TYPE} px or more"
        if slide["figure"] < FIGURE - 0.005:
            yield f"{where} shows a figure at {slide['figure']:.0%} of its size; it must be {FIGURE:.0%} or more"


def main(paths: list[str]) -> None:
    """Measure the handouts; exit with the list of faults where there are any."""
    if CHROMIUM is None:
        sys.exit("The slides are written. No Chromium was found here, so none was measured.")
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        for path in map(Path, paths):
            page = browser.new_page(viewport=SIZE)
            page.set_default_timeout(PATIENCE)
            found = measure(page, path)
            wrong = list(faults(found))
            print(f"{path.name}: {len(found)} slides, {len(wrong)} faults", flush=True)
            complaints += [f"{path.name}: {fault}" for fault in wrong]
            page.close()
        browser.close()
    if complaints:
        sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main(sys.argv[1:])
