"""A stepper: a derivation of which one line is revealed at a time."""

import html
from collections.abc import Iterable
from typing import Any, Protocol

import ipywidgets

STYLE = "<style>.stepper :focus-visible { outline: 3px solid var(--jp-brand-color1, #1565c0); outline-offset: 2px; }</style>"
SIGNS = {"=": "=", ">=": r"\geq", "<=": r"\leq"}


class Step(Protocol):
    """One line of a derivation, as `classroom.Line` has it: LaTeX without dollars, a reason, a value, =, >= or <=."""

    formula: str
    reason: str
    value: float
    relation: str


class Stepper(ipywidgets.VBox):
    """The lines of a derivation with their reasons and values; buttons reveal the next line, hide the last, show all.

    `shown` counts the revealed lines, from 1; it can be set. Where no widget can be shown all lines are left.

    Raises: ValueError if there are no lines, or if `shown` is not from 1 to their number.
    """

    def __init__(self, lines: Iterable[Step], *, title: str) -> None:
        self._texts = [_text(line, first=i == 0) for i, line in enumerate(lines)]
        if not self._texts:
            raise ValueError("`lines` must hold at least one line; got none.")
        self._rows = [ipywidgets.HTMLMath(text) for text in self._texts]
        self._title = title
        self._back, self._on, self._all = (
            _button("Back", lambda: self.shown - 1), _button("Next line", lambda: self.shown + 1), _button("All", self._count)
        )
