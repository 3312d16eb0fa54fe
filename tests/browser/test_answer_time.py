"""How fast an explorer answers in real JupyterLab, alone on its page."""

import statistics
import time
from pathlib import Path

from notebook_page import open_and_run, settled, write_notebook

SPECIMENS = Path(__file__).parents[1] / "widgets"
CELL = f"import sys\nsys.path.insert(0, {str(SPECIMENS)!r})\nfrom specimens import every_control\nevery_control()"

# Notes the time of every input, and of every frame that shows a new picture.
WATCH = """canvas => {
  const paint = CanvasRenderingContext2D.prototype.drawImage;
  const times = window.times = { inputs: [], pictures: [], last: 0 };
  const checksum = () => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let sum = 0;
    for (let i = 0; i < data.length; i += 16) sum = (31 * sum + data[i]) | 0;
    return sum;
  };
  CanvasRenderingContext2D.prototype.drawImage = function (...painted) {
    paint.apply(this, painted);
    if (this.canvas !== canvas) return;
    requestAnimationFrame(() => {
      const now = performance.now(), sum = checksum();
      if (sum === times.last) return;
      times.pictures.push(now);
      times.last = sum;
      times.wake?.();
    });
  };
  addEventListener("input", () => times.inputs.push(performance.now()), true);
}"""
STEP = """async (range) => {
  const shown = new Promise(resolve => { times.wake = resolve; });
  const begin = performance.now();
  range.value = range.valueAsNumber + 0.1;
  range.dispatchEvent(new Event("input", { bubbles: true }));
  await shown;
  return times.pictures.at(-1) - begin;
}"""

GOALS = {"median": 45, "p95": 70, "apart": 1000 / 18, "after": 4, "lag": 200}
# ... in ms, but `after` counts pictures: at most three are under way, and one more shows where the drag ended
BUSY = 3  # times slower than the goal: what a machine that others use may take. More means that pictures queue up


def test_how_fast_it_answers(chromium, lab, capsys):
    """The best of three rounds is printed beside the goals, and held to what even a busy machine reaches."""
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    open_and_run(page, lab, write_notebook(lab.root / "fast.ipynb", CELL).name)
    explorer = page.locator(".explorer")
    explorer.locator("canvas").evaluate(WATCH)
    best = min((measure(explorer) for _ in range(3)), key=lambda round: round["median"])
    page.close()
    with capsys.disabled():
        print("\nexplorer, from input to picture: median {median:.0f} ms, p95 {p95:.0f} ms; under a drag a picture "
              "every {apart:.0f} ms, {after} after it within {lag:.0f} ms".format_map(best))
        missed = [f"{name} {goal:.0f}" for name, goal in GOALS.items() if best[name] > goal]
        print("goals missed here: " + ", ".join(missed) if missed else "all goals met")
    assert all(best[name] <= BUSY * goal for name, goal in GOALS.items() if name != "after"), best
    assert best["after"] <= GOALS["after"], best


def measure(explorer) -> dict[str, float]:
    """From an input to the frame that shows its picture; between pictures under a drag; what comes after."""
    slider = explorer.get_by_role("slider", name="phase (radians)")
    slider.press("Home")
    settled(explorer)
    delays = sorted(slider.evaluate(STEP) for _ in range(50))
    times = drag_for(slider, seconds=3)
    last = times["inputs"][-1]
    after = [picture - last for picture in times["pictures"] if picture > last]
    during = len(times["pictures"]) - len(after)
    return {
        "median": statistics.median(delays), "p95": delays[47], "apart": (last - times["inputs"][0]) / during,
        "after": len(after), "lag": max(after, default=0),
    }


def drag_for(slider, *, seconds: float) -> dict:
    """Drag a slider back and forth; the times of all inputs and pictures."""
    page, box = slider.page, slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    slider.evaluate("() => { times.inputs = []; times.pictures = []; }")
    page.mouse.move(box["x"] + 10, middle)
    page.mouse.down()
    begin, i = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        i += 5
        page.mouse.move(box["x"] + 10 + abs(i % 300 - 150), middle)
        time.sleep(0.012)
    page.mouse.up()
    page.wait_for_timeout(1000)
    return page.evaluate("times")
