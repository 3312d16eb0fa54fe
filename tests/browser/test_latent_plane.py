"""The latent plane and the pad in a real browser: their arithmetic, as a page of their own, and in JupyterLab."""

import base64
import re
from pathlib import Path

from course_lib.widgets.decoder import ACTIVATIONS, described

import pytest
import torch
from complaints import Complaints
from notebook_page import WIDER, idle, open_and_run, pixels, run_cell, write_notebook
from operate import drag
from playwright.sync_api import expect
from torch import nn

from tests.widgets.latent_specimens import decoder, labelled, many, pad, plane

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


def test_arrow_keys_move_the_point(alone):
    explorer = alone(plane())
    for keys in ("ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        point(explorer).press(keys)
    expect(point(explorer)).to_have_attribute("aria-valuetext", re.compile(r"z = \(\+0\.12, \+0\.60\), log p\(z\) = −2\.03"))


def test_the_mode_and_the_walk(alone):
    explorer = alone(plane())
    computed(explorer)
    joint = lambda: sum(float(text.replace("−", "-")) for text in re.findall(
        r"log p\((?:z|x \| z)\) = (\S+) nats", point(explorer).get_attribute("aria-valuetext")))
    explorer.get_by_role("radio", name="image 2").check(force=True)
    explorer.get_by_role("button", name="To the posterior's mode").click()
    at_mode, words = joint(), point(explorer).get_attribute("aria-valuetext")
    for key in ("Right", "Left", "Left", "Right", "Up", "Down", "Down"):
        point(explorer).press(f"Arrow{key}")
        assert joint() <= at_mode + 0.01
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
    names = lambda: [name for name in ("z1", "z2", "z3", "z4")
                     if explorer.get_by_role("slider", name=name, exact=True).is_visible()]
    assert names() == ["z3", "z4"]
    before = picture(explorer)
    explorer.get_by_role("slider", name="z4").press("End")
    assert picture(explorer) != before
    explorer.get_by_role("combobox", name="across").select_option("z4")
    assert names() == ["z1", "z3"]


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
    assert drawing(explorer).startswith("drawing: 2 %")
    expect(explorer.get_by_role("status")).to_have_text("row 4, column 3: ink 100 %")
    surface(explorer).press("Shift+ArrowRight")
    assert drawing(explorer).startswith("drawing: 4 %")
    surface(explorer).press("Backspace")
    expect(explorer.get_by_role("status")).to_have_text("row 4, column 4: ink 0 %")


def test_touch_draws(alone):
    explorer = alone(pad(), has_touch=True)
    surface(explorer).tap()
    assert not drawing(explorer).startswith("drawing: 0 %")


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
        shown = control.evaluate("part => [part, part.closest('label')].some(p => p && getComputedStyle(p).outlineStyle === 'solid')")
        assert shown, control.evaluate("part => part.outerHTML")


def test_nothing_moves_when_values_change(alone):
    explorer = alone(labelled())
    computed(explorer)
    boxes = "root => [...root.querySelectorAll('canvas, button, input, select')].map(p => p.getBoundingClientRect().toJSON())"
    before = explorer.evaluate(boxes)
    drag(point(explorer), -200, 200)
    assert explorer.evaluate(boxes) == before


def test_a_fine_screen_gets_a_fine_plane(alone):
    chart = alone(plane(), device_scale_factor=2).get_by_role("img", name="Plane of")
    assert int(chart.get_attribute("width")) == pytest.approx(2 * chart.bounding_box()["width"], abs=2)
