"""What an exercise is, the mistakes it knows by name, and what a check answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .face import Card

FACES = {True: ("✓", "Passed"), False: ("✗", "Not yet"), None: ("○", "Not attempted yet")}


class Unsolved(AssertionError):
    """Under COURSE_STRICT=1: an exercise did not pass."""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that is known by name: a function that makes it, and what it means.

    Where the exercise has a judge, the judge says what is wrong, and `message` is a part of what it says.
    """

    answer: Callable
    message: str


@dataclass(frozen=True)
class Exercise:
    """A function for the reader to write.

    reference:   the tested solution; its name is the exercise's name.
    cases:       `cases()` yields tuples of arguments; every answer gets copies of its own.
    mistakes:    the wrong answers that are recognised.
    hints:       in increasing strength.
    judge:       `judge(outcome, *case)` replaces the comparison with the reference's outcome: None
                 means that it holds, a string says why it does not. Arguments are looked after as ever.
    returns:     the names of the parts, where the reference returns several things.
    minutes, difficulty:  what to expect, difficulty from 1 to 3.
    atol, rtol:  absolute and relative tolerance on values.
    seconds:     time limit for one case.
    """

    reference: Callable
    cases: Callable[[], Iterable[tuple]]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    judge: Callable[..., str | None] | None = None
    returns: tuple[str, ...] = ()
    minutes: int = 5
    difficulty: int = 1
    atol: float = 1e-6
    rtol: float = 1e-5
    seconds: float = 5.0

    @property
    def name(self) -> str:
        """The name of the reference, which is the name of the exercise."""
        return self.reference.__name__


@dataclass(frozen=True)
class Verdict:
    """What a check answers: `passed` is True, False, or None while the exercise is untouched."""

    passed: bool | None
    message: str
    printed: str = ""

    @property
    def card(self) -> Card:
        """The verdict as it is shown."""
        symbol, title = FACES[self.passed]
        return Card(symbol, title, self.message, self.printed)

    def __str__(self) -> str:
        return str(self.card)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.card._repr_html_()
