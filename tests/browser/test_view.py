"""The view of an explorer on a page of its own, where the test plays the kernel."""

import itertools

from course_lib.widgets.scripts import text
from tests.widgets.specimens import every_control

import pytest
from playwright.sync_api import Page, expect

SHOW = """([face, answer, picture]) => {
  const bytes = (numbers) => new DataView(Uint8Array.from(numbers).buffer);
  const values = { face, answer, below: bytes([]), picture: bytes(picture) };
  window.sent = [];
  window.model = { get: (name) => values[name], on() {}, off() {}, send: (message) => sent.push(message) };
  window.end = emptied(renderExplorer)({ model, el: document.body });
}"""


@pytest.fixture
def view(page) -> Page:
    explorer = every_control(moving=None)
    page.add_script_tag(content=text("elements.js", "knobs.js", "explorer.js"))
    page.evaluate(SHOW, [explorer.face, explorer.answer, list(explorer.picture)])
    return page


def asked(view: Page) -> list[dict]:
    """The steps of all questions to the kernel."""
    return list(itertools.chain.from_iterable(view.evaluate("sent.map(message => message.steps)")))


def test_an_emptied_field_keeps_its_value(view):
    number = view.get_by_role("spinbutton", name="phase (radians)")
    number.fill("")
    number.press("Tab")
    expect(number).to_have_value("1")
    assert asked(view) == [{"set": {"phase": 1}}]


def test_a_kernel_that_is_gone_is_named(view):
    view.evaluate("() => { model.send = () => { throw Error('Cannot send'); }; }")
    view.get_by_role("slider", name="phase (radians)").press("End")
    expect(view.get_by_role("alert")).to_contain_text("Run the cells again")
    expect(view.get_by_role("group")).to_have_attribute("aria-busy", "false")


def test_a_page_that_is_zoomed_gets_a_fine_picture(view):
    assert view.evaluate("sent") == []
    devtools = view.context.new_cdp_session(view)
    for ratio in (2, 3):
        zoomed = {"width": 1280 // ratio, "height": 1000 // ratio, "deviceScaleFactor": ratio, "mobile": False}
        devtools.send("Emulation.setDeviceMetricsOverride", zoomed)
        view.wait_for_function("ratio => devicePixelRatio === ratio", arg=ratio)
    assert [message["sharp"] for message in view.evaluate("sent")] == [True]


def test_a_view_that_ends_leaves_nothing(view):
    view.evaluate("end()")
    assert view.evaluate("document.body.childElementCount") == 0
