"""How an answer to an exercise is judged: run it, compare it, and find the mistake's name."""

import inspect
import linecache
import traceback
from collections.abc import Callable
from typing import Any

import torch

from . import sandbox
from .compare import Comparison, comparable, kind_difference
from .exercise import Exercise, Mistake, Verdict
from .sandbox import Outcome

LINES = 5                   # of what a function prints


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """The verdict on a reader's `answer`; raises only what is wrong with the exercise itself."""
    if not callable(answer):
        return Verdict(False, f"The check needs the function itself, without a call; got {_short(answer)}.")
    cases = list(exercise.cases())
    misfit = _signature_misfit(exercise, answer, cases[0])
    if misfit:
        return Verdict(False, misfit)
    outcomes = []
    for case in cases:
        outcomes.append(sandbox.run(answer, case, exercise.seconds))
        untold = _cannot_go_on(exercise, answer, outcomes[-1])
        if untold:
            return untold
    return _verdict(exercise, answer, cases, outcomes)


def _cannot_go_on(exercise: Exercise, answer: Callable, outcome: Outcome) -> Verdict | None:
    """The verdict after a case that makes further cases pointless."""
    if _untouched(answer, outcome.error):
        return Verdict(None, f"Write `{exercise.name}` in place of `raise NotImplementedError`.")
    if outcome.stopped:
        late = f"`{exercise.name}` did not return within {exercise.seconds:g} s"
        return Verdict(False, f"{late} and was cut off. An endless loop?", _first_lines(outcome))
    return None


def _untouched(answer: Callable, error: BaseException | None) -> bool:
    """Whether `answer` is a stub: it raises a bare NotImplementedError itself. What it calls may raise one, too."""
    if not isinstance(error, NotImplementedError) or error.args:
        return False
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_code is getattr(answer, "__code__", None)


def _verdict(exercise: Exercise, answer: Callable, cases: list[tuple], outcomes: list[Outcome]) -> Verdict:
    for case, outcome in zip(cases, outcomes, strict=True):
        complaint = _complaint(exercise, answer, case, outcome)
        if complaint:  # a judge names the mistakes itself
            mistake = None if exercise.judge else _recognise(exercise, cases, outcomes)
            return Verdict(False, mistake.message if mistake else complaint, _first_lines(outcome))
    words = f"`{exercise.name}` holds in every case ({len(cases)} tried)."
    return Verdict(True, words, next(filter(None, map(_first_lines, outcomes)), ""))


def _recognise(exercise: Exercise, cases: list[tuple], outcomes: list[Outcome]) -> Mistake | None:
    """The mistake that comes to the same outcome in every case."""
    for mistake in exercise.mistakes:
        made = (sandbox.run(mistake.answer, case, exercise.seconds) for case in cases)
        if all(_same(exercise, *pair) for pair in zip(outcomes, made, strict=True)):
            return mistake
    return None


def _same(exercise: Exercise, got: Outcome, made: Outcome) -> bool:
    if got.error or made.error:
        return type(got.error) is type(made.error)
    if made.stopped or not comparable(made.value):
        return False
    compare = Comparison(exercise.atol, exercise.rtol, dtype=False)
    arguments = zip(got.arguments, made.arguments, strict=True)
    pairs = [(got.value, made.value), (got.gradients, made.gradients), *arguments]
    return all(compare.difference(*pair, exercise.name) is None for pair in pairs if comparable(pair[1]))


def _complaint(exercise: Exercise, answer: Callable, case: tuple, got: Outcome) -> str | None:
    """What is wrong with the outcome of one case, or None."""
    want = _sound("reference", sandbox.run(exercise.reference, case, exercise.seconds), exercise)
    found = (
        _failure(exercise, answer, got, want)
        or (_judged(exercise, case, got) if exercise.judge else _different(exercise, got, want))
        or _mutation(exercise, case, got, want)
    )
    if found is None or not case:
        return found
    return f"{found}\nThe case: {_describe(exercise, case)}."


def _sound(whose: str, outcome: Outcome, exercise: Exercise) -> Outcome:
    """The outcome of the exercise's own reference or judge; RuntimeError if it is none."""
    if outcome.stopped:
        late = f"The {whose} was stopped after {exercise.seconds:g} s"
        raise RuntimeError(f"{late}. Is the computer busy? Run the cell again.")
    if outcome.error:
        raise RuntimeError(f"The {whose} failed: {outcome.error!r}.") from outcome.error
    return outcome


def _failure(exercise: Exercise, answer: Callable, got: Outcome, want: Outcome) -> str | None:
    if got.error is not None:
        return _raised(exercise, answer, got.error)
    if got.value is None and want.value is not None:
        return f"`{exercise.name}` returned None. Is a `return` missing?"
    return kind_difference(got.value, want.value, _returned(exercise))


def _raised(exercise: Exercise, answer: Callable, error: BaseException) -> str:
    """The error's name, its text, and the line of the reader's code where it arose."""
    said = f": {error}" if str(error) else ""
    message = f"`{exercise.name}` raised {type(error).__name__}{said}."
    file = getattr(getattr(answer, "__code__", None), "co_filename", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    code = linecache.getline(file, lines[-1]).strip() if lines else ""
    return f"{message}\nLine {lines[-1]}: `{code}`" if code else message


def _judged(exercise: Exercise, case: tuple, got: Outcome) -> str | None:
    """The judge's word; it runs in the sandbox, for it may call what the reader made."""
    judged = sandbox.run(lambda: exercise.judge(got.value, *case), (), exercise.seconds)
    return _sound("judge", judged, exercise).value


def _different(exercise: Exercise, got: Outcome, want: Outcome) -> str | None:
    compare = Comparison(exercise.atol, exercise.rtol, parts=exercise.returns)
    if want.gradients and not got.gradients:
        lost = "The result has lost its gradient: look for `.detach()`, `.item()`, `float(...)` or `no_grad`."
    else:
        lost = compare.difference(got.gradients, want.gradients, "gradient") if want.gradients else None
    values = compare.difference(got.value, want.value, _returned(exercise))
    return values or lost


def _mutation(exercise: Exercise, case: tuple, got: Outcome, want: Outcome) -> str | None:
    """Say which argument was changed, or which generator was not drawn from, unless the reference does the same.

    Where there is a judge, what becomes of an argument that the reference changes is left to it.
    """
    exact = Comparison(atol=0, rtol=0)
    arguments = zip(_names(exercise), case, got.arguments, want.arguments, strict=False)
    for name, before, after, expected in arguments:
        if isinstance(before, torch.Generator) and _unmoved(before, after) and not _unmoved(before, expected):
            return f"Nothing was drawn from `{name}`. Pass it on to every draw: `generator={name}`."
        if not comparable(before):
            continue
        if exact.difference(expected, before, name) is None:
            if exact.difference(after, before, name):
                return f"The argument `{name}` was changed in place. Work on a copy of it."
        elif not exercise.judge:
            found = Comparison(exercise.atol, exercise.rtol).difference(after, expected, name)
            if found:
                return f"After the call: {found}"
    return None


def _unmoved(before: torch.Generator, after: torch.Generator) -> bool:
    return torch.equal(before.get_state(), after.get_state())


def _signature_misfit(exercise: Exercise, answer: Callable, case: tuple) -> str | None:
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):                      # functions written in C may have none to show
        return None
    try:
        signature.bind(*case)
    except TypeError:
        want = ", ".join(_names(exercise))
        return f"The signature must be `{exercise.name}({want})`; got `{exercise.name}{signature}`."
    return None


def _returned(exercise: Exercise) -> str:
    """What a call of the function is called in messages."""
    return f"{exercise.name}(…)"


def _names(exercise: Exercise) -> list[str]:
    return list(inspect.signature(exercise.reference).parameters)


def _describe(exercise: Exercise, case: tuple) -> str:
    return ", ".join(f"`{name}` is {_short(value)}" for name, value in zip(_names(exercise), case, strict=False))


def _short(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"a {type(value).__name__} of shape {tuple(shape)}"
    return repr(value) if isinstance(value, (bool, int, float, str)) else f"a {type(value).__name__}"


def _first_lines(outcome: Outcome) -> str:
    lines = outcome.printed.splitlines()
    return "\n".join(lines[:LINES] + ["…"] * (len(lines) > LINES))
