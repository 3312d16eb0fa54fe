"""How fast an explorer answers: when the page was given an input, and when it showed a new picture."""

from playwright.sync_api import Locator

# Notes the time of every input, and of every frame that shows a new picture.
WATCH = """(root, canvas) => {
  const put = CanvasRenderingContext2D.prototype.putImageData;
  const times = window.times = { inputs: [], pictures: [] };
  let due = false;
  CanvasRenderingContext2D.prototype.putImageData = function (...painted) {
    put.apply(this, painted);
    if (this.canvas !== canvas || due) return;
    due = true;
    requestAnimationFrame(() => { due = false; times.pictures.push(performance.now()); times.wake?.(); });
  };
  const note = () => times.inputs.push(performance.now());
  for (const kind of ["input", "pointermove"]) root.addEventListener(kind, note, true);
}"""
STEP = """async part => {
  await new Promise(resolve => setTimeout(resolve, 20 + 15 * Math.random())); // at any moment of a frame
  const shown = new Promise(resolve => { times.wake = resolve; });
  const begin = performance.now();
  (ACT)(part);
  await shown;
  return times.pictures.at(-1) - begin;
}"""
# A hand that moves at every frame. (Playwright's own moves come as seldom as the machine is busy.)
HAND = """async (part, milliseconds) => {
  Object.assign(times, { inputs: [], pictures: [] });
  const box = part.getBoundingClientRect(), begin = performance.now();
  for (let now = begin; now < begin + milliseconds; now = performance.now()) {
    (ACT)(part, box, now);
    await new Promise(requestAnimationFrame);
  }
}"""


def watch(explorer: Locator, canvas: Locator) -> None:
    """From now on the page notes the inputs of an explorer, and the new pictures on one of its canvases."""
    explorer.evaluate(WATCH, canvas.element_handle())


def delay(part: Locator, act: str) -> float:
    """Milliseconds from one input, which the script act(part) makes, to the frame that shows its picture."""
    return part.evaluate(STEP.replace("ACT", act))


def drag_for(part: Locator, act: str, *, seconds: float) -> dict:
    """Drag by the script act(part, its box, the time in ms); the times of all inputs and pictures."""
    part.evaluate(HAND.replace("ACT", act), 1e3 * seconds)
    part.page.wait_for_timeout(1000)
    return part.page.evaluate("times")


def judge(best: dict[str, float], goals: dict[str, float], busy: float) -> None:
    """Print which goals were missed here; a machine that others use may take `busy` times as long.

    Raises: AssertionError if it took longer than that.
    """
    missed = [f"{name} {goal:.0f}" for name, goal in goals.items() if best[name] > goal]
    print("goals missed here: " + ", ".join(missed) if missed else "all goals met")
    assert all(best[name] <= busy * goal for name, goal in goals.items()), best
