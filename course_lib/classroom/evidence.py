"""The ledger of the course's statements: each number that a notebook measures, beside what is expected."""

import json
import linecache
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from IPython.display import display

from . import progress
from .face import Card, Table, strict

STATEMENTS = json.loads(files(__package__).joinpath("statements.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Measurement:
    """One number measured for one statement; `low` or `high` is None where the range is open."""

    statement: str
    what: str
    value: float
    low: float | None
    high: float | None
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the value lies in the range; NaN never does."""
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return low <= self.value <= high

    @property
    def number(self) -> str:
        """The value to four significant digits, with its unit."""
        return f"{self.value:.4g} {self.unit}".rstrip()

    @property
    def range(self) -> str:
        """The range in words."""
        if self.low is None:
            return f"at most {self.high:.4g}"
        return f"at least {self.low:.4g}" if self.high is None else f"{self.low:.4g} to {self.high:.4g}"

    @property
    def card(self) -> Card:
        """The line that the reader sees."""
        title = f"{self.statement} · {self.what}: {self.number}"
        if self.holds:
            return Card("✓", title, f"It holds: the course expects {self.range}.")
        return Card("✗", title, f"You changed something? Here the course expects {self.range}.")


class Evidence:
    """The ledger: call it with a statement and its number; `.table()` shows what was measured."""

    def __init__(self) -> None:
        self.measured: dict[tuple[str, str], Measurement] = {}

    def __call__(
        self, statement: str, what: str, value: float,
        *, expect: tuple[float | None, float | None], unit: str = "",
    ) -> None:
        """Show the number, and record it in the progress file and in the ledger that COURSE_LEDGER names.

        expect: the range (low, high) that the number must lie in, either None if open.
        Raises ValueError for an unknown statement, a value that is no number, or an empty range;
        AssertionError under COURSE_STRICT=1 if the number leaves the range.
        """
        found = Measurement(_known(statement), what, number("value", value), *_range(expect), unit)
        self.measured[statement, what] = found
        facts = asdict(found) | {"value": _json_number(found.value), "holds": found.holds}
        progress.record_evidence(facts.pop("statement"), facts.pop("what"), **facts)
        _enter({"statement": statement, "what": what, **facts})
        if strict() and not found.holds:
            raise AssertionError(f"{found.card}")
        display(found.card)

    def table(self, lesson: str | None = None) -> Table:
        """With a notebook's number, its statements as this kernel measured them; else all that was ever recorded."""
        measured = list(self.measured.values()) if lesson else list(_recorded())
        rows = [
            row for name, entry in STATEMENTS.items() if lesson in (None, entry["notebook"])
            for row in _rows(name, entry["sentence"], measured, missing=lesson is not None)
        ]
        head = ("", "statement", "what was measured", "value", "expected")
        return Table("The statements, measured", head, rows)


evidence = Evidence()


def _recorded() -> Iterator[Measurement]:
    """The last measurement of each number, of all notebooks, from the progress file."""
    for statement, numbers in progress.load()["evidence"].items():
        for what, facts in numbers.items():
            yield Measurement(statement, what, float(facts["value"]), facts["low"], facts["high"], facts["unit"])


def _rows(name: str, sentence: str, measured: list[Measurement], missing: bool) -> list[tuple[str, ...]]:
    found = [m for m in measured if m.statement == name]
    if not found and missing:
        return [(name, sentence, "not measured yet", "", "")]
    return [(name, sentence, m.what, f"{'✓' if m.holds else '✗ outside:'} {m.number}", m.range) for m in found]


def _known(statement: str) -> str:
    if statement not in STATEMENTS:
        raise ValueError(f"`statement` must be one of S1 to S{len(STATEMENTS)}; got {statement!r}.")
    return statement


def number(name: str, value: Any) -> float:
    """`value` as a float; ValueError if it is none."""
    try:
        return float(getattr(value, "detach", lambda: value)())
    except (TypeError, ValueError, RuntimeError):        # torch raises RuntimeError for many elements
        raise ValueError(f"`{name}` must be a number; got {value!r}.") from None


def _range(expect: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    low, high = (None if end is None else number("expect", end) for end in expect)
    ends = [end for end in (low, high) if end is not None]
    if not ends or ends != sorted(ends) or not all(map(math.isfinite, ends)):
        raise ValueError(f"`expect` must be (low, high), finite, with low <= high and at most one None; got {expect}.")
    return low, high


def _json_number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _enter(facts: dict) -> None:
    """Enter the facts in the ledger that COURSE_LEDGER names, with the text of the cell that called `evidence`."""
    ledger = os.environ.get("COURSE_LEDGER")
    if ledger:
        facts["source"] = "".join(linecache.getlines(sys._getframe(2).f_code.co_filename))
        with open(ledger, "a", encoding="utf-8") as file:
            file.write(json.dumps(facts, ensure_ascii=False, allow_nan=False) + "\n")
