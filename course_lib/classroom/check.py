"""The checks of a lesson: `check.name(function)` answers, `.hint()` helps, `.solution()` shows."""

import inspect
import textwrap
from dataclasses import dataclass
from typing import Any

from . import progress
from .exercise import Exercise, Unsolved, Verdict
from .face import Card, strict
from .judging import judge


@dataclass(frozen=True)
class Solution:
    """The source of a tested reference."""

    source: str

    def __str__(self) -> str:
        return self.source

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.source}\n```"


class Check:
    """The check of one exercise: call it with your function."""

    def __init__(self, lesson: str, exercise: Exercise) -> None:
        self.lesson, self.exercise, self._hints_given = lesson, exercise, 0

    def __call__(self, answer: Any = None) -> Verdict:
        """Judge `answer`, the reader's function, and record the attempt; raises Unsolved only under COURSE_STRICT=1."""
        try:
            verdict = judge(self.exercise, answer)
        except Exception as error:                       # whatever came, the notebook runs on
            verdict = Verdict(False, f"The check itself failed ({type(error).__name__}): {error}")
        progress.record_attempt(self.lesson, self.exercise.name, verdict.passed)
        if strict() and verdict.passed is not True:
            raise Unsolved(f"{self.lesson} {self.exercise.name}: {verdict}")
        return verdict

    def hint(self) -> Card:
        """The next hint; each is stronger than the one before."""
        hints = self.exercise.hints
        if self._hints_given == len(hints):
            return Card("○", "There are no more hints", "`.solution()` shows one way to write it.")
        self._hints_given += 1
        progress.record_hint(self.lesson, self.exercise.name, self._hints_given)
        return Card("○", f"Hint {self._hints_given} of {len(hints)}", hints[self._hints_given - 1])

    def solution(self) -> Solution:
        """The source of the tested reference; that it was seen is noted."""
        progress.record_solution_seen(self.lesson, self.exercise.name)
        return Solution(textwrap.dedent(inspect.getsource(self.exercise.reference)).strip())

    def __repr__(self) -> str:
        minutes, difficulty = self.exercise.minutes, self.exercise.difficulty
        return f"{self.exercise.name}: {minutes} minutes, difficulty {difficulty} of 3"


class Checks:
    """The checks of one lesson, one attribute an exercise.

    lesson:     the notebook's number in two digits, such as "08".
    exercises:  name to Exercise.
    Raises ValueError if two exercises share a name.
    """

    def __init__(self, lesson: str, *exercises: Exercise) -> None:
        self.lesson = lesson
        self.exercises = {exercise.name: exercise for exercise in exercises}
        if len(self.exercises) < len(exercises):
            names = [exercise.name for exercise in exercises]
            raise ValueError(f"`exercises` must have different names; got {names}.")
        self._checks = {name: Check(lesson, exercise) for name, exercise in self.exercises.items()}

    def __getattr__(self, name: str) -> Check:
        checks = vars(self).get("_checks", {})
        if name not in checks:
            raise AttributeError(f"There is no exercise `{name}` here; there are {', '.join(checks)}.")
        return checks[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.exercises]

    def __repr__(self) -> str:
        return "\n".join([f"The exercises of notebook {self.lesson}:", *map(repr, self._checks.values())])
