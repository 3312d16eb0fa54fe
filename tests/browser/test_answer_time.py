"""How fast an explorer that asks the kernel answers in real JupyterLab, alone on its page; what it leaves behind."""

import os
import statistics
from pathlib import Path

import pytest
from notebook_page import open_and_run, settled, write_notebook
from watch import delay, drag_for, judge, watch

pytestmark = pytest.mark.alone
SPECIMENS = Path(__file__).parents[1] / "widgets"
CELL = f"import sys\nsys.path.insert(0, {str(SPECIMENS)!r})\nfrom specimens import every_control\nevery_control()"

ONE_STEP = """range => {
  range.value = range.valueAsNumber + 0.1;
  range.dispatchEvent(new Event("input", { bubbles: true }));
}"""
# Back and forth.
MOVE = """(part, box, now) => {
  const way = Math.abs((now / 16) % 40 - 20) / 20;
  if (part.type === "range") {
    part.value = Number(part.min) + (part.max - part.min) * way;
    part.dispatchEvent(new Event("input", { bubbles: true }));
  } else {
    const at = { clientX: box.x + 200 * way, clientY: box.y + 100 * (way - 0.5), buttons: 1, bubbles: true };
    part.dispatchEvent(new PointerEvent("pointermove", at));
  }
}"""

GOALS = {"median": 35, "p95": 50, "slider": 1000 / 30, "handle": 1000 / 45, "lag": 200}  # ms
AFTER = 5  # pictures: at most three are under way, one waits for its frame, one shows the end
BUSY = 3  # times slower than the goal: what a machine that others use may take. More means that pictures queue up
MEBIBYTE = 2**20


@pytest.fixture
def explorer(chromium, lab):
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    open_and_run(page, lab, write_notebook(lab.root / "fast.ipynb", CELL).name)
    explorer = page.locator(".explorer")
    watch(explorer, explorer.locator("canvas"))
    yield explorer
    page.close()


def test_how_fast_it_answers(explorer, capsys):
    """The best of three rounds is printed beside the goals, and held to what even a busy machine reaches."""
    best = min((measure(explorer) for _ in range(3)), key=lambda round: round["median"])
    with capsys.disabled():
        print("\nexplorer, from input to picture: median {median:.0f} ms, p95 {p95:.0f} ms; under a drag a picture "
              "every {slider:.0f} ms (slider), {handle:.0f} ms (handle), {after} after it within {lag:.0f} ms"
              .format_map(best))
        judge(best, GOALS, BUSY)
    assert best["after"] <= AFTER, best


def measure(explorer) -> dict[str, float]:
    """From an input to the frame that shows its picture; between pictures under a drag; what comes after."""
    slider = explorer.get_by_role("slider", name="phase (radians)")
    slider.press("Home")
    settled(explorer)
    delays = sorted(delay(slider, ONE_STEP) for _ in range(50))
    parts = {"slider": slider, "handle": explorer.get_by_label("point 1")}
    drags = {name: drag_for(part, MOVE, seconds=3) for name, part in parts.items()}
    apart, after = {}, []
    for name, times in drags.items():
        first, last = times["inputs"][0], times["inputs"][-1]
        late = [picture - last for picture in times["pictures"] if picture > last]
        apart[name] = (last - first) / (len(times["pictures"]) - len(late))
        after.append(late)
    return apart | {
        "median": statistics.median(delays), "p95": delays[47],
        "after": max(map(len, after)), "lag": max(max(late, default=0) for late in after),
    }


@pytest.mark.slow
def test_dragging_leaves_nothing_behind(explorer, capsys):
    """The goal is below 20 MB in ten minutes (COURSE_DRAG_SECONDS=600); a minute must leave less than half of it."""
    before, after = memory_around(explorer, seconds=float(os.environ.get("COURSE_DRAG_SECONDS", "60")))
    with capsys.disabled():
        print(f"\nmemory of the page: {before / MEBIBYTE:.1f} MiB, after the drag {after / MEBIBYTE:.1f}")
    assert after - before < 10 * MEBIBYTE


def memory_around(explorer, *, seconds: float) -> tuple[float, float]:
    """The page's heap and array buffers before and after a drag, in bytes, each after a collection of garbage."""
    page, readings = explorer.page, []
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    handle = explorer.get_by_label("point 1")
    drag_for(handle, MOVE, seconds=5)  # makes all that is made once
    for length in (0, seconds):
        drag_for(handle, MOVE, seconds=length)
        devtools.send("HeapProfiler.collectGarbage")
        values = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
        backing = devtools.send("Runtime.getHeapUsage").get("backingStorageSize", 0)
        readings.append(values["JSHeapUsedSize"] + backing)
    return tuple(readings)
