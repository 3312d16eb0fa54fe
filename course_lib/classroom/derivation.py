"""A derivation whose every line carries its reason and its value."""

from dataclasses import dataclass
from itertools import pairwise

from ..errors import require_choice
from .evidence import number
from .face import Table, strict

SIGNS = {"=": "=", ">=": r"\geq", "<=": r"\leq"}


@dataclass(frozen=True)
class Line:
    """One line: its formula (LaTeX, without dollars), its reason, its value, and how it follows.

    relation: "=", ">=" or "<=": the line before stands on its left, this line on its right.
    Raises ValueError for any other relation, or if `value` is not a number.
    """

    formula: str
    reason: str
    value: float
    relation: str = "="

    def __post_init__(self) -> None:
        require_choice("relation", self.relation, tuple(SIGNS))
        object.__setattr__(self, "value", number("value", self.value))


@dataclass(frozen=True)
class Derivation:
    """Lines and how they follow from each other.

    gaps:   the value of each line's predecessor minus its own, in the values' unit.
    holds:  whether every relation holds up to `tolerance`, relative to max(1, |value|).
    """

    lines: tuple[Line, ...]
    tolerance: float

    @property
    def gaps(self) -> tuple[float, ...]:
        """Each line's predecessor minus the line, from the second line on."""
        return tuple(before.value - line.value for before, line in pairwise(self.lines))

    @property
    def holds(self) -> bool:
        """Whether every line follows from the one before."""
        return all(map(self._follows, self.lines[1:], self.gaps))

    def _follows(self, line: Line, gap: float) -> bool:
        slack = self.tolerance * max(1.0, abs(line.value))
        return {"=": abs(gap) <= slack, ">=": gap >= -slack, "<=": gap <= slack}[line.relation]

    def _remark(self, line: Line, gap: float) -> str:
        if not self._follows(line, gap):
            return f"✗ violated: they differ by {gap:.3g}"
        return "✓ equal" if line.relation == "=" else f"✓ gap {abs(gap):.4g}"

    def _table(self) -> Table:
        signs = ["", *(SIGNS[line.relation] for line in self.lines[1:])]
        remarks = ["", *map(self._remark, self.lines[1:], self.gaps)]
        rows = [
            (rf"$\displaystyle {sign} {line.formula}$", line.reason, f"{line.value:.8g}", remark)
            for sign, line, remark in zip(signs, self.lines, remarks, strict=True)
        ]
        caption = "Every line follows." if self.holds else "✗ A line does not follow from the one before."
        return Table(caption, ("line", "reason", "value", "follows"), rows)

    def __str__(self) -> str:
        return str(self._table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()


def derivation(*lines: Line, tolerance: float = 1e-6) -> Derivation:
    """The derivation made of `lines`; AssertionError under COURSE_STRICT=1 if it does not hold."""
    result = Derivation(lines, tolerance)
    if strict() and not result.holds:
        raise AssertionError(str(result))
    return result
