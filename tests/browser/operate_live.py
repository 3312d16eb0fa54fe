"""Moves every control of an explorer that the browser computes, by the keyboard and the pointer, as a reader would."""

import time
from collections.abc import Callable, Iterator

from operate import drag
from playwright.sync_api import Locator, expect

PICTURES = """root => [...root.querySelectorAll("canvas")].map(canvas => [...canvas.getContext("2d")
  .getImageData(0, 0, canvas.width, canvas.height).data].reduce((sum, value) => (31 * sum + value) | 0, 0)).join()"""


def operate_live(explorer: Locator) -> None:
    """Move every control, press every button twice.

    Raises: AssertionError naming the control if an exception is shown, or if no picture changed for a control that
    must change one.
    """
    expect(explorer.get_by_text("…")).to_have_count(0, timeout=120_000)
    for name, act, must_change in _acts(explorer):
        before = explorer.evaluate(PICTURES)
        act()
        expect(explorer.get_by_text("…")).to_have_count(0, timeout=120_000)
        error = explorer.get_by_role("alert")
        assert not error.is_visible(), f"`{name}` led to an error: {error.text_content()}"
        assert not must_change or changes(explorer, before), f"`{name}` never changed a picture."


def changes(explorer: Locator, before: str, patience: float = 10.0) -> bool:
    """Whether the pictures become others than `before` within so many seconds: a busy page paints late."""
    deadline = time.monotonic() + patience
    while explorer.evaluate(PICTURES) == before:
        if time.monotonic() > deadline:
            return False
        explorer.page.wait_for_timeout(50)
    return True


def _acts(explorer: Locator) -> Iterator[tuple[str, Callable, bool]]:
    """The name of each control, what to do to it, and whether a picture must change."""
    for handle in explorer.locator("[role=slider]").all():
        name = handle.get_attribute("aria-label")
        yield name, lambda handle=handle: handle.press("Shift+ArrowRight"), True
        yield name, lambda handle=handle: drag(handle, -40, 40), True
    for pad in explorer.get_by_role("application").all():
        yield pad.get_attribute("aria-label"), lambda pad=pad: pad.press("Space"), True
    for radio in explorer.get_by_role("radio").all():
        name = radio.get_attribute("aria-label")
        fresh = not radio.is_checked() and not name.startswith("tool")
        yield name, lambda radio=radio: radio.click(force=True), fresh
    for button in explorer.get_by_role("button").all():
        yield f"button {button.text_content()}", button.dblclick, False  # once and again: Play, Pause
    for choice in explorer.get_by_role("combobox").all():
        yield choice.locator("xpath=..").text_content(), lambda choice=choice: choice.select_option(index=0), False
    for number in explorer.get_by_role("spinbutton").all():
        if number.is_visible():
            slider = number.locator("xpath=..").get_by_role("slider")
            slider.press("Home")
            yield number.get_attribute("aria-label"), lambda slider=slider: slider.press("End"), True
