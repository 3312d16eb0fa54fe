"""The latent plane and the pad in a real browser: their arithmetic, as a page of their own, and in JupyterLab."""

import base64
import re
import time
from pathlib import Path

from course_lib.widgets.decoder import ACTIVATIONS, described
from tests.widgets.latent_specimens import decoder, labelled, many, pad, plane

import pytest
import torch
from complaints import Complaints
from notebook_page import WIDER, idle, open_and_run, run_cell, write_notebook
from operate import drag
from operate_live import PICTURES, operate_live
from playwright.sync_api import expect
from torch import nn

WIDGETS = Path(__file__).parents[2] / "course_lib" / "widgets"
SPECIMENS = Path(__file__).parents[1] / "widgets"

# ---- the arithmetic

FORWARD = """([layers, base64, points]) => {
  const numbers = new Float32Array(Uint8Array.from(atob(base64), letter => letter.charCodeAt(0)).buffer);
  const net = network(layers, numbers);
  return points.map(z => [...net(z)]);
}"""
POSTERIOR = """([layers, base64, cells, limit, image, masks]) => {
  const numbers = new Float32Array(Uint8Array.from(atob(base64), letter => letter.charCodeAt(0)).buffer);
  const net = network(layers, numbers), grid = latentGrid(cells, limit, image.length);
  grid.points.forEach((z, j) => grid.put(j, net(z)));
  return masks.map(seen => {
    const { joint, evidence } = grid.posterior(image, seen);
    return [evidence, Array.from(joint, value => value - evidence)];
  });
}"""


@pytest.fixture(scope="module")
def script(chromium):
    """A blank page that knows the functions of the network."""
    page = chromium.new_page()
    page.add_script_tag(content=(WIDGETS / "network.js").read_text(encoding="utf-8"))
    yield page
    page.close()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_network_equals_torch(script, activation):
    net = decoder(3, activation).float()
    net.append(nn.Sigmoid())
    layers, numbers = described(net)
    z = torch.cartesian_prod(*[torch.linspace(-3, 3, 5, dtype=torch.float32)] * 3)
    got = script.evaluate(FORWARD, [layers, base64.b64encode(numbers).decode(), z.tolist()])
    assert (torch.tensor(got) - net(z)).abs().max() < 1e-4


def test_the_posterior_is_the_oracles(script):
    """With all pixels seen, some covered, all seen again."""
    explorer = plane(cells=15)
    x = torch.linspace(0, 1, 48)
    masks = [torch.arange(48) >= covered for covered in (0, 30, 5, 0)]
    layers, numbers = described(decoder())
    image = (255 * x).round() / 255
    seen = [mask.int().tolist() for mask in masks]
    got = script.evaluate(POSTERIOR, [layers, base64.b64encode(numbers).decode(), 15, 3.0, image.tolist(), seen])
    for mask, (evidence, posterior) in zip(masks, got):
        explorer.set(value=x, seen=mask)
        exact = explorer.exact()
        assert evidence == pytest.approx(exact.log_evidence.item(), abs=1e-4)
        assert (torch.tensor(posterior) - exact.log_posterior[0]).abs().max() < 1e-3


# ---- a page of its own

@pytest.fixture
def alone(chromium, tmp_path):
    """A function that opens an explorer as a file; the page may fetch nothing else and complain of nothing."""
    pages = []

    def open_alone(explorer, **options):
        path = tmp_path / "explorer.html"
        explorer.to_html(path)
        page = chromium.new_page(**options)
        page.fetched, page.complaints = [], []
        page.on("request", lambda request: page.fetched.append(request.url))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path.as_uri())
        pages.append(page)
        return page.get_by_role("group")

    yield open_alone
    for page in pages:
        assert page.complaints == []
        assert len(page.fetched) == 1
        page.close()


def point(explorer):
    return explorer.get_by_role("slider", name="point in the latent plane")


def decoded(explorer):
    return explorer.get_by_role("img", name="Decoded picture")


def picture(explorer) -> int:
    return decoded(explorer).evaluate(CHECKSUM)


OUTLINED = """part => [part, part.closest("label")]
  .some(place => place && getComputedStyle(place).outlineStyle === "solid")"""
BOXES = """root => [...root.querySelectorAll("canvas, button, input, select")]
  .map(part => part.getBoundingClientRect().toJSON())"""
CHECKSUM = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
  .reduce((sum, value) => (31 * sum + value) | 0, 0)"""


def computed(explorer) -> None:
    """Wait until the posterior is there."""
    expect(explorer.get_by_text("…")).to_have_count(0, timeout=60_000)


def test_a_page_is_alive_without_a_kernel(alone):
    explorer = alone(plane())
    before = picture(explorer)
    drag(point(explorer), 60, -40)
    assert picture(explorer) != before
    computed(explorer)
    expect(explorer.get_by_role("img", name="Plane of z1 and z2")).to_have_attribute(
        "aria-label", re.compile(r"posterior of the picture with its mode near .*log p\(x\) = .* nats\.$"))


def test_a_lecture_sized_page_is_small(tmp_path):
    from tests.widgets.latent_specimens import lecture

    lecture().to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 1.5e6


def test_a_title_cannot_end_the_script(alone):
    expect(alone(plane(title="<!--<script>"))).to_be_visible()


@pytest.mark.parametrize("style", ["zoom: 0.5", "transform: scale(0.5)"])
def test_the_point_is_under_the_pointer_on_a_scaled_page(alone, style):
    explorer = alone(plane())
    explorer.page.add_style_tag(content=f"main {{ {style} }}")
    box = explorer.get_by_role("img", name="Plane of").bounding_box()
    explorer.page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"])
    knob = point(explorer).bounding_box()
    assert knob["x"] + knob["width"] / 2 == pytest.approx(box["x"] + 0.7 * box["width"], abs=1)
    assert knob["y"] + knob["height"] / 2 == pytest.approx(box["y"] + 0.3 * box["height"], abs=1)


def test_a_field_that_is_emptied_or_goes_beyond_its_ends(alone):
    explorer = alone(plane())
    computed(explorer)
    share = explorer.get_by_role("spinbutton", name="share of the way")
    for typed, taken in [("0.4", "0.4"), ("", "0.4"), ("7", "1"), ("8", "1")]:
        share.fill(typed)
        share.press("Tab")
        expect(share).to_have_value(taken)


def test_arrow_keys_move_the_point(alone):
    explorer = alone(plane())
    for keys in ("ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        point(explorer).press(keys)
    expect(point(explorer)).to_have_attribute("aria-valuetext", re.compile(r"z = \(\+0\.12, \+0\.60\), log"))


def joint(explorer) -> float:
    """log p(x, z) at the point, from the sum of what is written."""
    words = point(explorer).get_attribute("aria-valuetext")
    return sum(float(text.replace("−", "-")) for text in re.findall(r"log p\((?:z|x \| z)\) = (\S+) nats", words))


def test_the_mode_and_the_walk(alone):
    explorer = alone(plane())
    computed(explorer)
    explorer.get_by_role("radio", name="image 2").check(force=True)
    explorer.get_by_role("button", name="To the posterior's mode").click()
    at_mode, words = joint(explorer), point(explorer).get_attribute("aria-valuetext")
    for key in ("Right", "Left", "Left", "Right", "Up", "Down", "Down"):
        point(explorer).press(f"Arrow{key}")
        assert joint(explorer) <= at_mode + 0.01
    share = explorer.get_by_role("slider", name="share of the way")
    explorer.get_by_role("combobox", name="walk to").select_option("image 1")
    share.press("End")
    explorer.get_by_role("radio", name="image 1").check(force=True)
    end = point(explorer).get_attribute("aria-valuetext").split(", log")[0]
    explorer.get_by_role("button", name="To the posterior's mode").click()
    assert point(explorer).get_attribute("aria-valuetext").split(", log")[0] == end != words.split(", log")[0]


def test_play_walks_to_the_end(alone):
    explorer = alone(plane())
    computed(explorer)
    explorer.get_by_role("button", name="Play").click()
    expect(explorer.get_by_role("spinbutton", name="share of the way")).to_have_value("1", timeout=15_000)
    expect(explorer.get_by_role("button", name="Play")).to_be_visible()


def test_labels_switch_the_picture(alone):
    explorer = alone(labelled())
    seen = {picture(explorer)}
    for name in "bc":
        explorer.get_by_role("radio", name=f"label {name}").check(force=True)
        expect(decoded(explorer)).to_have_attribute("aria-label", re.compile(f"label {name}"))
        seen.add(picture(explorer))
    assert len(seen) == 3
    expect(explorer.get_by_text("log p(x | y)")).to_be_visible()


def test_four_latents_have_two_sliders(alone):
    explorer = alone(many())

    def names():
        sliders = {f"z{d}": explorer.get_by_role("slider", name=f"z{d}", exact=True) for d in (1, 2, 3, 4)}
        return [name for name, slider in sliders.items() if slider.is_visible()]

    assert names() == ["z3", "z4"]
    before = picture(explorer)
    explorer.get_by_role("slider", name="z4").press("End")
    assert picture(explorer) != before
    explorer.get_by_role("combobox", name="across").select_option("z4")
    assert names() == ["z1", "z3"]


@pytest.mark.parametrize("make", [plane, labelled, many, pad])
def test_every_control_changes_a_picture(alone, make):
    operate_live(alone(make()))


def test_only_what_is_asked_for_is_shown(alone):
    explorer = alone(plane(images=None, draw=False))
    assert explorer.locator("canvas").count() == 2
    assert explorer.locator("button, select, input").count() == 0


def surface(explorer):
    return explorer.get_by_role("application")


def drawing(explorer) -> str:
    return explorer.get_by_role("img").get_attribute("aria-label")


def test_the_pad_is_drawn_upon_by_pointer(alone):
    explorer = alone(pad())
    drag(surface(explorer), 60, 60)
    assert not drawing(explorer).startswith("drawing: 0 %")
    explorer.get_by_role("button", name="Undo").click()
    assert drawing(explorer) == "drawing: 0 % of the pixels have ink, 0 % are covered."
    explorer.get_by_role("radio", name="tool cover", exact=True).check(force=True)
    drag(surface(explorer), 60, 60)
    assert re.search(r"[1-9]\d? % are covered", drawing(explorer))
    explorer.get_by_role("button", name="Clear").click()
    assert drawing(explorer).endswith("0 % are covered.")


def test_the_pad_is_drawn_upon_by_keys(alone):
    explorer = alone(pad())
    surface(explorer).press("Space")
    assert drawing(explorer).startswith("drawing: 10 %")
    expect(explorer.get_by_role("status")).to_have_text("row 4, column 3: ink 100 %")
    surface(explorer).press("Shift+ArrowRight")
    assert drawing(explorer).startswith("drawing: 17 %")
    surface(explorer).press("Backspace")
    expect(explorer.get_by_role("status")).to_have_text("row 4, column 4: ink 0 %")


def test_touch_draws(alone):
    explorer = alone(pad(), has_touch=True)
    surface(explorer).tap()
    assert not drawing(explorer).startswith("drawing: 0 %")


def test_a_second_finger_draws_nothing(alone):
    explorer = alone(pad(), has_touch=True)
    box = surface(explorer).bounding_box()
    touch = explorer.page.context.new_cdp_session(explorer.page)

    def fingers(kind, *places):
        points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": i}
                  for i, (x, y) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (0.1, 0.1))
    before = drawing(explorer)
    fingers("touchStart", (0.1, 0.1), (0.9, 0.9))
    fingers("touchMove", (0.1, 0.1), (0.9, 0.8))
    fingers("touchEnd")
    assert drawing(explorer) == before != "drawing: 0 % of the pixels have ink, 0 % are covered."


@pytest.mark.parametrize(("make", "part"), [(pad, ".explorer-surface"), (plane, ".explorer-plane")])
def test_a_button_that_opens_a_menu_changes_nothing(alone, make, part):
    explorer = alone(make())
    computed(explorer)
    before = explorer.evaluate(PICTURES)
    explorer.locator(part).first.click(button="right", position={"x": 60, "y": 40})
    assert explorer.evaluate(PICTURES) == before


def test_centre_moves_the_centre_of_mass_to_the_middle(alone):
    corner = torch.zeros(8, 6)
    corner[0, 0] = 1
    explorer = alone(pad(value=corner.flatten()))
    explorer.get_by_role("button", name="Centre").click()
    surface(explorer).press("ArrowUp")
    surface(explorer).press("ArrowDown")
    expect(explorer.get_by_role("status")).to_have_text("row 4, column 3: ink 100 %")


@pytest.mark.parametrize("make", [plane, labelled, many, pad])
def test_every_control_has_a_name_and_a_visible_focus(alone, make):
    explorer = alone(make())
    for control in explorer.locator("input:visible, select, button, [tabindex]").all():
        assert control.evaluate("part => part.ariaLabel || part.closest('label')?.textContent || part.textContent")
        control.focus()
        control.press("Shift")
        assert control.evaluate(OUTLINED), control.evaluate("part => part.outerHTML")


def test_nothing_moves_when_values_change(alone):
    explorer = alone(labelled())
    computed(explorer)
    before = explorer.evaluate(BOXES)
    drag(point(explorer), -200, 200)
    assert explorer.evaluate(BOXES) == before


def test_a_fine_screen_gets_a_fine_plane_and_so_does_a_zoomed_page(alone):
    chart = alone(plane(), device_scale_factor=2).get_by_role("img", name="Plane of")
    assert int(chart.get_attribute("width")) == pytest.approx(2 * chart.bounding_box()["width"], abs=2)
    zoomed = {"width": 400, "height": 300, "deviceScaleFactor": 3, "mobile": False}
    chart.page.context.new_cdp_session(chart.page).send("Emulation.setDeviceMetricsOverride", zoomed)
    chart.page.wait_for_function("devicePixelRatio === 3")
    assert int(chart.get_attribute("width")) == pytest.approx(3 * chart.bounding_box()["width"], abs=3)


# ---- in JupyterLab

CELLS = [
    f"import sys, time\nsys.path.insert(0, {str(SPECIMENS)!r})\nfrom latent_specimens import pad, plane\n"
    "import torch\nexplorer, heard, drawn = plane(), [], pad()",
    "explorer",
    "explorer",
    "drawn",
    "print('point', explorer.state['z'], 'ink', drawn.value.sum().item() > 0, 'heard', len(heard))",
    "explorer.set(z=[1.5, -2.25], image=3)",
    "explorer.on_change(lambda state: heard.append(time.monotonic()))",
    "explorer.on_change(lambda state: 1 / (state['z'][0] - 3))",
]
PRINT, SET, LISTEN, FAIL = 4, 5, 6, 7  # places in CELLS


@pytest.fixture(scope="module")
def desk(chromium, lab):
    """One page with two views of a plane and one of a pad, and cells that are run later."""
    write_notebook(lab.root / "latent.ipynb", *CELLS[:SET])
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    page.complaints, page.sent = Complaints(), []
    page.complaints.listen(page)
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: page.sent.append(time.monotonic())))
    open_and_run(page, lab, "latent.ipynb")
    yield page
    assert not page.complaints, "\n".join(page.complaints)
    page.close()


@pytest.fixture
def views(desk):
    return desk.get_by_role("group", name="The latent plane").all()


def run_source(page, source) -> None:
    """Put `source` into the last cell and run it."""
    page.locator(".jp-CodeCell .cm-content").last.fill(source)
    run_cell(page, -1)
    idle(page)


def printed(page) -> str:
    run_source(page, CELLS[PRINT])
    return page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output").last.text_content()


def test_two_views_stay_in_step_and_python_reads_where_the_hand_came_to_rest(desk, views):
    desk.wait_for_timeout(1000)
    desk.sent.clear()
    drag(point(views[0]), 30, -45)
    assert len(desk.sent) == 0, "Python was told during the drag, though nobody listens."
    assert picture(views[1]) == picture(views[0])
    words = point(views[0]).get_attribute("aria-valuetext")
    assert point(views[1]).get_attribute("aria-valuetext") == words
    desk.wait_for_timeout(500)
    at = [float(number.replace("−", "-")) for number in re.findall(r"[+−]\d\.\d\d", words)[:2]]
    text = printed(desk)
    assert [float(number) for number in re.findall(r"-?\d\.\d+", text)] == pytest.approx(at, abs=0.006), text


def test_a_state_set_from_python_is_shown_everywhere(desk, views):
    run_source(desk, CELLS[SET])
    for view in views:
        expect(point(view)).to_have_attribute("aria-valuetext", re.compile(r"z = \(\+1\.50, −2\.25\)"))
        expect(view.get_by_role("radio", name="image 3")).to_be_checked()


def test_a_walk_is_taken_from_python(desk, views):
    before = point(views[0]).get_attribute("aria-valuetext")
    run_source(desk, "explorer.set(image=0, to=1, share=0.75)")
    for view in views:
        expect(view.get_by_role("spinbutton", name="share of the way")).to_have_value("0.75")
        expect(point(view)).not_to_have_attribute("aria-valuetext", before)
    assert picture(views[0]) == picture(views[1])


def test_what_is_drawn_is_a_tensor_in_python(desk):
    explorer = desk.get_by_role("group", name="Draw a picture")
    drag(surface(explorer), 40, 40)
    desk.wait_for_timeout(500)
    assert "ink True" in printed(desk)


def test_enter_ends_the_typing(desk, views):
    """JupyterLab keeps the key to itself: no change is told of before the field is left."""
    share = views[0].get_by_role("spinbutton", name="share of the way")
    share.fill("0.4")
    share.press("Enter")
    expect(views[1].get_by_role("spinbutton", name="share of the way")).to_have_value("0.4")


def test_what_is_shown_no_more_leaves_nothing(desk):
    """JupyterLab keeps the element of an output that was shown anew; the plane's table is of many megabytes."""
    kept = desk.locator(".explorer-live").first.evaluate_handle("explorer => explorer.parentElement")
    assert kept.evaluate("kept => kept.childElementCount") == 1
    run_cell(desk, 1)
    idle(desk)
    desk.wait_for_function("kept => kept.childElementCount === 0", arg=kept)
    expect(desk.get_by_role("group", name="The latent plane")).to_have_count(2)


def test_a_listener_hears_at_most_ten_times_a_second(desk, views):
    run_source(desk, CELLS[LISTEN])
    begin = time.monotonic()
    for i in range(40):
        drag(point(views[0]), 20 if i % 2 else -20, 5)
    seconds = time.monotonic() - begin
    desk.wait_for_timeout(500)
    heard = int(re.search(r"heard (\d+)", printed(desk))[1])
    assert 1 < heard <= 10 * seconds + 2


def test_an_exception_of_a_listener_is_shown_and_survived(desk, views):
    run_source(desk, CELLS[FAIL])
    drag(point(views[0]), 2000, 0)
    expect(views[1].get_by_role("alert")).to_contain_text("ZeroDivisionError")
    drag(point(views[0]), -100, 0)
    expect(views[1].get_by_role("alert")).to_be_hidden()


def test_nothing_is_wider_than_its_cell(desk, views):
    desk.set_viewport_size({"width": 700, "height": 1000})
    try:
        assert [view.evaluate(WIDER) for view in views] == [[], []]
    finally:
        desk.set_viewport_size({"width": 1280, "height": 1000})
