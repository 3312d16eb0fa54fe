"""Moves every control of an explorer on the page, by the keyboard and the pointer, as a reader would."""

from collections.abc import Callable, Iterator
from functools import partial

from notebook_page import settled
from playwright.sync_api import Locator

PLAYS_ONLY = "frames a second"  # the one control that changes the speed of pictures, not the picture


def operate(explorer: Locator) -> None:
    """Move every control to both ends and the middle, press every button twice.

    Raises: AssertionError naming the control if an error box appears, or if the picture did not change for a
    control (for buttons: for none of them).
    """
    explorer.get_by_role("img").wait_for()
    changed_by_button = []
    for name, acts in _controls(explorer):
        pictures = [settled(explorer)]
        for act in acts:
            act()
            pictures.append(settled(explorer))
            error = explorer.get_by_role("alert")
            assert not error.is_visible(), f"`{name}` led to an error: {error.text_content()}"
            assert explorer.get_by_role("img").get_attribute("aria-label"), f"`{name}` left no alternative text."
        if name.startswith("button "):
            changed_by_button.append(len(set(pictures)) > 1)
        elif name != PLAYS_ONLY:
            assert len(set(pictures)) > 1, f"`{name}` never changed the picture."
    assert any(changed_by_button) or not changed_by_button, "No button ever changed the picture."


def _controls(explorer: Locator) -> Iterator[tuple[str, list[Callable]]]:
    """The name of each control, and what to do to it."""
    for number in explorer.get_by_role("spinbutton").all():
        yield number.get_attribute("aria-label"), _moves_of_slider(number)
    for box in explorer.get_by_role("checkbox").all():
        yield _label(box), [box.click, box.click]
    for chosen in explorer.get_by_role("combobox").all():
        options = range(chosen.locator("option").count())
        yield _label(chosen), [partial(chosen.select_option, index=i) for i in options]
    for handle in explorer.locator("[role=slider]").all():
        yield handle.get_attribute("aria-label"), _moves_of_handle(handle)
    for button in explorer.get_by_role("button").all():
        yield f"button {button.text_content()}", [button.click, button.click]


def _moves_of_slider(number: Locator) -> list[Callable]:
    """To the ends by the keys of the slider, to the middle by its number field."""
    slider = number.locator("xpath=..").get_by_role("slider")
    middle = (float(number.get_attribute("min")) + float(number.get_attribute("max"))) / 2
    return [partial(slider.press, "Home"), partial(slider.press, "End"), partial(_type, number, middle)]


def _type(number: Locator, value: float) -> None:
    number.fill(f"{value:g}")
    number.press("Enter")


def _moves_of_handle(handle: Locator) -> list[Callable]:
    """By the keys, and by the pointer to both ends."""
    keys = [partial(handle.press, f"Shift+Arrow{side}") for side in ("Right", "Up")]
    return keys + [partial(drag, handle, *by) for by in ((-2000, 2000), (2000, -2000))]


def drag(handle: Locator, right: float, down: float) -> None:
    """Drag by so many pixels, with the pointer."""
    handle.scroll_into_view_if_needed()
    box, mouse = handle.bounding_box(), handle.page.mouse
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + right, y + down, steps=4)
    mouse.up()


def _label(control: Locator) -> str:
    return control.locator("xpath=..").text_content()
