"""How fast the latent plane answers in real JupyterLab, with the course's decoder."""

import statistics
from pathlib import Path

from notebook_page import open_and_run, write_notebook

SPECIMENS = Path(__file__).parents[1] / "widgets"
SETUP = f"import sys\nsys.path.insert(0, {str(SPECIMENS)!r})\nfrom latent_specimens import lecture, plain"

# Notes the time of every input, and of every frame that shows a new decoded picture.
WATCH = """root => {
  const canvas = root.querySelector('[aria-label^="Decoded picture"]');
  const put = CanvasRenderingContext2D.prototype.putImageData;
  const times = window.times = { inputs: [], pictures: [] };
  let due = false;
  CanvasRenderingContext2D.prototype.putImageData = function (...painted) {
    put.apply(this, painted);
    if (this.canvas !== canvas || due) return;
    due = true;
    requestAnimationFrame(() => { due = false; times.pictures.push(performance.now()); times.wake?.(); });
  };
  root.addEventListener("pointermove", () => times.inputs.push(performance.now()), true);
}"""
STEP = """async (handle, key) => {
  await new Promise(resolve => setTimeout(resolve, 20 + 15 * Math.random())); // at any moment of a frame
  const shown = new Promise(resolve => { times.wake = resolve; });
  const begin = performance.now();
  handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  await shown;
  return times.pictures.at(-1) - begin;
}"""
# A hand that moves at every frame, in a circle. (Playwright's own moves come as seldom as the machine is busy.)
HAND = """async (plane, milliseconds) => {
  Object.assign(times, { inputs: [], pictures: [] });
  const box = plane.getBoundingClientRect(), begin = performance.now();
  for (let now = begin; now < begin + milliseconds; now = performance.now()) {
    await new Promise(requestAnimationFrame);
    const clientX = box.x + box.width * (0.5 + 0.2 * Math.cos(now / 200));
    const clientY = box.y + box.height * (0.5 + 0.2 * Math.sin(now / 200));
    plane.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true }));
  }
}"""

GOALS = {"median": 12, "p95": 20, "apart": 1000 / 50, "lag": 20}  # ms
BUSY = 5  # times slower than the goal: what a machine that others use may take


def test_how_fast_it_answers(chromium, lab, capsys):
    """The best of three rounds is printed beside the goals, and held to what even a busy machine reaches."""
    for name in ("plain", "lecture"):
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        open_and_run(page, lab, write_notebook(lab.root / f"{name}.ipynb", SETUP, f"{name}()").name)
        explorer = page.get_by_role("group", name="The latent plane")
        explorer.get_by_text("…").wait_for(state="detached", timeout=60_000)
        explorer.evaluate(WATCH)
        best = min((measure(explorer) for _ in range(3)), key=lambda round: round["median"])
        page.close()
        with capsys.disabled():
            print("\n" + name + " plane, from input to picture: median {median:.0f} ms, p95 {p95:.0f} ms; under a drag "
                  "an input every {given:.0f} ms, a picture every {apart:.0f} ms, the last {lag:.0f} ms after the last "
                  "input".format_map(best))
            missed = [f"{goal} {GOALS[goal]:.0f}" for goal in GOALS if best[goal] > GOALS[goal]]
            print("goals missed here: " + ", ".join(missed) if missed else "all goals met")
        assert all(best[name] <= BUSY * goal for name, goal in GOALS.items()), best


def measure(explorer) -> dict[str, float]:
    """From an input to the frame that shows its picture; between pictures under a drag; the last one's delay."""
    handle = explorer.get_by_role("slider", name="point in the latent plane")
    delays = sorted(handle.evaluate(STEP, f"Arrow{side}") for side in ("Right", "Left") * 30)
    times = drag_for(explorer.get_by_role("img", name="Plane of"), seconds=3)
    first, last = times["inputs"][0], times["inputs"][-1]
    return {
        "median": statistics.median(delays), "p95": delays[56], "apart": (last - first) / len(times["pictures"]),
        "given": (last - first) / len(times["inputs"]), "lag": times["pictures"][-1] - last,
    }


def drag_for(plane, *, seconds: float) -> dict:
    """Drag the point about the middle; the times of all inputs and pictures."""
    page, box = plane.page, plane.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    plane.evaluate(HAND, 1e3 * seconds)
    page.mouse.up()
    page.wait_for_timeout(500)
    return page.evaluate("times")
