"""A stepper: a derivation of which one line is revealed at a time."""

import html
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import ipywidgets
import traitlets

SIGNS = {"=": "=", ">=": r"\geq", "<=": r"\leq"}


class Step(Protocol):
    """One line, as `classroom.Line` has it: LaTeX without dollars, its reason, its value, and "=", ">=" or "<="."""

    formula: str
    reason: str
    value: float
    relation: str


class Stepper(ipywidgets.VBox):
    """The lines of a derivation with their reasons and values; buttons reveal the next one, hide the last, show all.

    `shown`, which can be set, says how many lines are revealed. Where no widget can be shown all of them are left.

    Raises: ValueError if there are no lines, or if `shown` is not from 1 to their number.
    """

    shown = traitlets.Int(1)

    def __init__(self, lines: Sequence[Step], *, title: str) -> None:
        self._texts = [_text(line, first=i == 0) for i, line in enumerate(lines)]
        if not self._texts:
            raise ValueError("`lines` must hold at least one line; got none.")
        self._rows = [ipywidgets.HTMLMath(text) for text in self._texts]
        self._title = f"<strong>{html.escape(title)}</strong>"
        self._back = _button("Back", lambda: max(self.shown - 1, 1), self)
        self._on = _button("Next line", lambda: min(self.shown + 1, len(self._rows)), self)
        self._all = _button("All lines", lambda: len(self._rows), self)
        buttons = ipywidgets.HBox([self._back, self._on, self._all])
        super().__init__([ipywidgets.HTML(self._title), *self._rows, buttons])
        self._reveal()

    @traitlets.validate("shown")
    def _check(self, proposal: dict) -> int:
        if not 1 <= proposal["value"] <= len(self._rows):
            raise ValueError(f"`shown` must be from 1 to {len(self._rows)}; got {proposal['value']}.")
        return proposal["value"]

    @traitlets.observe("shown")
    def _reveal(self, _change: Any = None) -> None:
        for i, row in enumerate(self._rows):
            row.layout.visibility = "visible" if i < self.shown else "hidden"  # its place is kept: nothing jumps
        self._back.disabled = self.shown == 1
        self._on.disabled = self._all.disabled = self.shown == len(self._rows)

    def _repr_mimebundle_(self, **options: Any) -> dict:
        data = super()._repr_mimebundle_(**options)
        return data | {"text/html": "<br>".join([self._title, *self._texts])}


def _text(line: Step, *, first: bool) -> str:
    formula = html.escape(line.formula if first else f"{SIGNS[line.relation]} {line.formula}")
    return rf"$\displaystyle {formula}$ &emsp; {html.escape(line.reason)} &emsp; <b>{line.value:.8g}</b>"


def _button(label: str, target: Callable[[], int], stepper: Stepper) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label)
    button.on_click(lambda _: stepper.set_trait("shown", target()))
    return button
