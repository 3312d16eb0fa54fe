"""Explorers in real JupyterLab: every control, two views, the keyboard, errors."""

import ast
import math
import re
import time
from pathlib import Path

import numpy as np
import pytest
from complaints import Complaints
from notebook_page import WIDER, open_and_run, pixels, run_cell, settled, write_notebook
from operate import drag, operate
from playwright.sync_api import expect

SPECIMENS = Path(__file__).parents[1] / "widgets"
CELLS = [
    f"import sys, time\nsys.path.insert(0, {str(SPECIMENS)!r})\n"
    "from specimens import LINES, every_control, faulty, playing, pulled, stuck\n"
    "from course_lib.widgets import Stepper\nexplorer = every_control()",
    "explorer",
    "explorer",
    "playing()",
    "faulty()",
    "stuck()",
    "explorer.set(phase=2.5, at=[[5, 1], [8, 0]])",
    "import torch\nweights = torch.zeros(300, 300, requires_grad=True)\noptimiser = torch.optim.Adam([weights])\n"
    "x, busy_until = torch.randn(500, 300, generator=torch.Generator().manual_seed(0)), time.monotonic() + 3\n"
    "while time.monotonic() < busy_until:\n"
    "    optimiser.zero_grad()\n    (x @ weights - x).square().mean().backward()\n    optimiser.step()",
    "pulls = pulled()\npulls",
    "pulls.set(plane=[{'mean': [3, 70], 'covariance': [[1, 0], [0, 25]]}, pulls.state['plane'][1]])",
    "print(pulls.state['plane'][0])",
    "Stepper(LINES, title='The bound')",
]
UNIT = (0.35 / 6, 0.4 / 80)  # of the specimen's plane: for each unit of the data so much of the figure's width
SET, BUSY, PULLED, READ = 6, 7, 9, 10  # places in CELLS


@pytest.fixture(scope="module")
def desk(chromium, lab):
    """One page with the specimens on it, for all tests of this module."""
    write_notebook(lab.root / "specimens.ipynb", *CELLS)
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    page.complaints = Complaints()
    page.complaints.listen(page)
    open_and_run(page, lab, "specimens.ipynb")
    yield page
    page.close()


@pytest.fixture(autouse=True)
def quiet(desk):
    yield
    assert not desk.complaints, "\n".join(desk.complaints)


@pytest.fixture
def explorer(desk):
    return desk.get_by_role("group", name="Every control").first


@pytest.fixture
def twin(desk):
    return desk.get_by_role("group", name="Every control").nth(1)


def phase(explorer):
    return explorer.get_by_role("slider", name="phase (radians)")


@pytest.mark.parametrize("title", ["Every control", "Halvings", "Pulled"])
def test_every_control_changes_the_picture(desk, title):
    operate(desk.get_by_role("group", name=title).first)


@pytest.mark.parametrize(
    ("title", "complaint"), [("Faulty", "led to an error"), ("Stuck", "never changed the picture")])
def test_the_gate_finds_a_broken_explorer(desk, title, complaint):
    with pytest.raises(AssertionError, match=complaint):
        operate(desk.get_by_role("group", name=title))


def test_an_exception_is_shown_in_place_and_survived(desk):
    faulty = desk.get_by_role("group", name="Faulty")
    slider = faulty.get_by_role("slider", name="x")
    slider.press("Home")
    before = settled(faulty)
    slider.press("End")
    error = faulty.get_by_role("alert")
    expect(error).to_contain_text("ZeroDivisionError")
    expect(error).to_contain_text('ax.set_title(f"{1 / (5 - x):.3f}")')
    expect(faulty.get_by_role("spinbutton")).to_have_value("0")
    assert settled(faulty) == before
    faulty.get_by_role("button", name="Fail").click()
    expect(error).to_contain_text("1 // 0")
    slider.press("PageUp")
    expect(error).to_be_hidden()
    assert settled(faulty) != before


def test_two_views_stay_in_step(explorer, twin):
    phase(explorer).press("Home")
    expect(twin.get_by_role("spinbutton", name="phase (radians)")).to_have_value("0")
    before = settled(twin)
    drag(explorer.get_by_label("point 2"), -40, -30)
    assert settled(twin) == settled(explorer) != before
    assert twin.get_by_label("point 2").bounding_box()["x"] == explorer.get_by_label("point 2").bounding_box()["x"]


def test_a_state_set_from_python_is_shown_everywhere(desk, explorer, twin):
    phase(explorer).press("Home")
    before = settled(explorer)
    run_cell(desk, SET)
    for view in (explorer, twin):
        expect(view.get_by_role("spinbutton", name="phase (radians)")).to_have_value("2.5")
        expect(view.get_by_label("point 1")).to_have_attribute("aria-valuetext", "x = 5, y = 1")
        expect(view.get_by_role("img")).to_have_attribute("aria-label", re.compile("A .* of phase 2.50"))
        assert settled(view) != before


def test_the_keyboard_alone_moves_everything(desk, explorer):
    """Tab goes from control to control, and JupyterLab takes none of the keys."""
    explorer.get_by_role("combobox").select_option("sine")
    phase(explorer).press("Home")
    selected = desk.locator(".jp-CodeCell.jp-mod-active").all_text_contents()
    for key in ("ArrowRight", "Tab", "Tab", "ArrowUp", "Tab", "Tab", "Space", "Tab", "ArrowDown", "Tab", "Enter"):
        before = settled(explorer)
        desk.keyboard.press(key)
        changed = settled(explorer) != before
        assert changed == (key != "Tab"), f"{key} at {desk.evaluate('document.activeElement.outerHTML')}"
    explorer.get_by_label("point 1").focus()
    for key in ("ArrowLeft", "ArrowRight", "Shift+ArrowUp", "ArrowDown"):
        before = settled(explorer)
        desk.keyboard.press(key)
        assert settled(explorer) != before, key
    assert desk.locator(".jp-CodeCell.jp-mod-active").all_text_contents() == selected


def test_focus_is_visible(explorer):
    for control in explorer.locator("input, select, button, [role=slider]").all():
        control.focus()
        control.press("Shift")
        assert control.evaluate("control => getComputedStyle(control).outlineStyle") == "solid", control


def test_presses_are_never_lost(explorer):
    count = explorer.get_by_role("button", name="Count")
    alt = explorer.get_by_role("img")
    before = int(alt.get_attribute("aria-label").split(" presses")[0].split()[-1])
    count.evaluate("button => { for (let i = 0; i < 40; i += 1) button.click(); }")
    expect(alt).to_have_attribute("aria-label", re.compile(f".* {before + 40} presses"))


def test_a_player_plays_to_the_end_of_its_process_and_scrubs_back(desk):
    player = desk.get_by_role("group", name="Halvings")
    frame = player.get_by_role("spinbutton", name="frame", exact=True)
    player.get_by_role("button", name="Restart").click()
    expect(frame).to_have_value("0")
    start = settled(player)
    player.get_by_role("spinbutton", name="frames a second").fill("30")
    player.get_by_role("spinbutton", name="frames a second").press("Enter")
    player.get_by_role("button", name="Play").click()
    expect(frame).to_have_value("19", timeout=5000)
    expect(player.get_by_role("button", name="Play")).to_be_visible()
    player.get_by_role("slider", name="frame", exact=True).press("Home")
    expect(frame).to_have_value("0")
    assert settled(player) == start


@pytest.mark.alone
def test_it_answers_while_a_cell_runs(desk, explorer):
    phase(explorer).press("Home")
    before = settled(explorer)
    run_cell(desk, BUSY)
    expect(desk.locator(".jp-CodeCell").nth(BUSY).locator(".jp-InputPrompt")).to_contain_text("*")
    begin = time.monotonic()
    phase(explorer).press("ArrowRight")
    while pixels(explorer) == before:
        time.sleep(0.01)
        assert time.monotonic() - begin < 1.5, "No new picture while the cell ran."
    expect(desk.locator(".jp-CodeCell").nth(BUSY).locator(".jp-InputPrompt")).not_to_contain_text("*")


def test_the_axes_of_a_gaussian_are_pulled(desk):
    """One axis is turned and stretched, the other stays at right angles on the screen and keeps its length."""
    pulls = desk.get_by_role("group", name="Pulled")
    run_cell(desk, PULLED)
    mean, first, second = (pulls.get_by_label(f"component 1, {part}") for part in ("mean", "first axis", "second axis"))
    expect(mean).to_have_attribute("aria-valuetext", "x = 3, y = 70")
    lengths = [math.hypot(*arm(mean, end)) for end in (first, second)]
    drag(first, 40, 60)
    settled(pulls)
    turned = [arm(mean, end) for end in (first, second)]
    assert abs(turned[0][0] * turned[1][0] + turned[0][1] * turned[1][1]) < 0.1 * lengths[0] * lengths[1]
    assert math.hypot(*turned[1]) == pytest.approx(lengths[1], abs=1.5)
    run_cell(desk, READ)
    output = desk.locator(".jp-CodeCell").nth(READ).locator(".jp-OutputArea-output")
    expect(output).to_contain_text("covariance")
    read = ast.literal_eval(output.text_content())
    unit = [pulls.locator("canvas").evaluate("canvas => canvas.getBoundingClientRect().width") * part for part in UNIT]
    seen = np.array(turned) / unit * [1, -1]  # rows: the axes in the units of the data
    assert read["mean"] == [3, 70]
    assert np.allclose(read["covariance"], seen.T @ seen, rtol=0.1)


def arm(mean, end):
    """From the middle of one knob to that of another, in pixels."""
    boxes = [knob.bounding_box() for knob in (mean, end)]
    centres = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    return [there - here for here, there in zip(*centres)]


def test_a_stepper_reveals_its_lines_typeset(desk):
    cell = desk.locator(".jp-CodeCell").last
    line = cell.locator(".widget-htmlmath").nth(1)
    expect(line.locator("mjx-container")).to_have_count(1)
    expect(line).to_be_hidden()
    cell.get_by_role("button", name="Next line").press("Enter")
    expect(line).to_be_visible()
    cell.get_by_role("button", name="Back").click()
    expect(line).to_be_hidden()
    cell.get_by_role("button", name="All lines").click()
    expect(cell.locator(".widget-htmlmath").last).to_be_visible()


def test_nothing_is_wider_than_its_cell(desk):
    desk.set_viewport_size({"width": 700, "height": 1000})
    try:
        for explorer in desk.locator(".explorer").all():
            assert explorer.evaluate(WIDER) == []
    finally:
        desk.set_viewport_size({"width": 1280, "height": 1000})


def test_a_fine_screen_gets_a_fine_picture(chromium, lab):
    page = chromium.new_page(viewport={"width": 1280, "height": 1000}, device_scale_factor=2)
    open_and_run(page, lab, write_notebook(lab.root / "fine.ipynb", CELLS[0], CELLS[1]).name)
    canvas = page.locator(".explorer canvas")
    expect(canvas).to_have_attribute("width", "1400")
    assert canvas.bounding_box()["width"] == 700
    page.close()
