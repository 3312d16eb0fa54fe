"""Film the latent plane for the README: a real browser, a pointer that walks round, one picture a step."""

import io
import math
import tempfile
from pathlib import Path

from course_lib.lessons.n00_start_here import explorers

from conftest import CHROMIUM, SWITCHES
from PIL import Image
from playwright.sync_api import sync_playwright

FILM = Path(__file__).parents[2] / "notebooks/latent_plane.gif"
STEPS, MILLISECONDS, COLOURS, WIDTH = 60, 100, 64, 680
SCENE = {"x": 0, "y": 0, "width": WIDTH, "height": 410}  # the plane, and what is decoded


def walk(step: int) -> tuple[float, float]:
    """Return where the pointer is, in shares of the plane's width and height: a flower of three leaves, closed."""
    turn = 2 * math.pi * step / STEPS
    radius = 0.25 + 0.08 * math.cos(3 * turn)
    return 0.5 + radius * math.cos(turn), 0.5 + radius * math.sin(turn)


def frames(address: str) -> list[Image.Image]:
    """Drag the point along the walk, and return what a viewer sees after each step."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = browser.new_page(viewport={"width": WIDTH, "height": 700})
        page.goto(address)
        box = page.get_by_role("img", name="Plane of z1 and z2").bounding_box()
        page.get_by_role("slider", name="point in the latent plane").hover()
        page.mouse.down()
        shots = []
        for step in range(STEPS):
            across, down = walk(step)
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            page.wait_for_timeout(60)
            shots.append(Image.open(io.BytesIO(page.screenshot(clip=SCENE))))
    return [shot.convert("P", palette=Image.Palette.ADAPTIVE, colors=COLOURS) for shot in shots]


def main() -> None:
    """Write the film."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "plane.html")
        explorers.two_numbers_one_digit().to_html(page)
        first, *others = frames(page.as_uri())
    first.save(FILM, save_all=True, append_images=others, duration=MILLISECONDS, loop=0, optimize=True)
    print(f"{FILM.name}: {FILM.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
