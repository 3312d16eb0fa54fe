"""Film the latent plane for the README: a real browser, a pointer that walks round, one picture a step."""

import io
import math
import tempfile
from pathlib import Path

from course_lib.lessons.n10_deep_latent_variable_models import explorers

from conftest import CHROMIUM, SWITCHES
from PIL import Image
from playwright.sync_api import sync_playwright

FILM = Path(__file__).parents[2] / "notebooks/latent_plane.gif"
STEPS, MILLISECONDS, COLOURS = 48, 90, 64


def walk(step: int) -> tuple[float, float]:
    """Return where the pointer is, in shares of the plane's width and height: a flower of three leaves, closed."""
    turn = 2 * math.pi * step / STEPS
    radius = 0.24 + 0.12 * math.cos(3 * turn)
    return 0.5 + radius * math.cos(turn), 0.5 + radius * math.sin(turn)


def frames(address: str) -> list[Image.Image]:
    """Drag the point along the walk, and return what a viewer sees after each step."""
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES).new_page()
        page.goto(address)
        explorer, box = page.get_by_role("group").first, page.get_by_role("slider").first.bounding_box()
        shots = []
        for step in range(STEPS):
            across, down = walk(step)
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            page.mouse.down()
            page.wait_for_timeout(60)
            shots.append(Image.open(io.BytesIO(explorer.screenshot())))
        page.mouse.up()
    return [shot.convert("P", palette=Image.Palette.ADAPTIVE, colors=COLOURS) for shot in shots]


def main() -> None:
    """Write the film."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "plane.html")
        explorers.the_latent_plane().to_html(page)
        first, *others = frames(page.as_uri())
    first.save(FILM, save_all=True, append_images=others, duration=MILLISECONDS, loop=0, optimize=True)
    print(f"{FILM.name}: {FILM.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
