"""Every exercise answers as it should: stub, reference, each wrong answer; every explorer can be driven."""

import ast

from course_lib import lessons
from course_lib.classroom import Checks, Exercise, Mistake
from notebooks.source import build
from tests.widgets.drive import drive

import pytest
import torch

LESSONS = {module.__name__.rpartition(".n")[2]: module for module in lessons.every()}
EXERCISES = [(name, exercise) for name, lesson in LESSONS.items() for exercise in lesson.check.exercises]
EXPLORERS = [(name, explorer) for name, lesson in LESSONS.items() for explorer in vars(lesson.explorers)]


def stub_of(lesson: str, exercise: str):
    """Return the function as the notebook leaves it to the reader, with what the notebook has imported."""
    source = build.sources([lesson[:2]])[0]
    notebook = build.build(source, build.NOTEBOOKS / f"{lesson}.ipynb")
    imports = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    functions = ast.parse(build.stubs(notebook)[exercise].source).body
    names = {}
    exec(imports, names)
    exec(ast.unparse([node for node in functions if isinstance(node, ast.FunctionDef)]), names)
    return names[exercise]


def assert_answers(check: Checks, name: str, stub) -> None:
    """Assert that the check tells the stub, the reference and each mistake from one another."""
    exercise, answer = check.exercises[name], getattr(check, name)
    assert answer(stub).passed is None, "the stub must be told as not attempted"
    assert answer(exercise.reference).passed is True, str(answer(exercise.reference))
    for mistake in exercise.mistakes:
        verdict = answer(mistake.answer)
        assert verdict.passed is False, f"must not pass: {mistake.message}"
        assert mistake.message in verdict.message
        assert exercise.judge or verdict.message == mistake.message


def assert_complete(exercise: Exercise) -> None:
    """Assert that the exercise knows four mistakes, each with a message of its own, and two hints."""
    messages = [mistake.message for mistake in exercise.mistakes]
    assert len(messages) >= 4, "an exercise must know at least four mistakes"
    assert len(set(messages)) == len(messages), "each mistake must have a message of its own"
    assert len(exercise.hints) == len(set(exercise.hints)) == 2, "an exercise must have two different hints"


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES)
def test_an_exercise_answers(lesson, exercise):
    assert_answers(LESSONS[lesson].check, exercise, stub_of(lesson, exercise))


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES)
def test_an_exercise_is_complete(lesson, exercise):
    assert_complete(LESSONS[lesson].check.exercises[exercise])


@pytest.mark.parametrize(("lesson", "explorer"), EXPLORERS)
def test_an_explorer_can_be_driven(lesson, explorer):
    drive(getattr(LESSONS[lesson].explorers, explorer)())


def double(x):
    return 2 * x


def stub(x):
    raise NotImplementedError


def multiply_by(factor: float) -> Mistake:
    return Mistake(lambda x: factor * x, f"This multiplies by {factor}.")


WRONG = tuple(multiply_by(factor) for factor in range(3, 7))


def exercise_with(**changes) -> Exercise:
    """Return a good exercise with these changes."""
    parts = {"cases": lambda: [(torch.ones(2),)], "mistakes": WRONG, "hints": ("Add.", "Add x to x.")}
    return Exercise(double, **parts | changes)


def test_a_good_exercise_is_accepted():
    assert_complete(exercise_with())
    assert_answers(Checks("01", exercise_with()), "double", stub)


@pytest.mark.parametrize(("changes", "message"), [
    ({"mistakes": WRONG[:3]}, "four mistakes"),
    ({"mistakes": WRONG + WRONG[:1]}, "message of its own"),
    ({"hints": ("Add.",)}, "two different hints"),
    ({"hints": ("Add.", "Add.")}, "two different hints"),
])
def test_an_incomplete_exercise_is_refused(changes, message):
    with pytest.raises(AssertionError, match=message):
        assert_complete(exercise_with(**changes))


@pytest.mark.parametrize(("changes", "answer", "message"), [
    ({}, double, "not attempted"),
    ({"judge": lambda outcome, x: "No."}, stub, "No."),
    ({"mistakes": (multiply_by(2),)}, stub, "must not pass|multiplies by 2"),
    ({"mistakes": (multiply_by(3), Mistake(lambda x: x + 2 * x, "This adds."))}, stub, "multiplies by 3"),
    ({"cases": lambda: [(torch.zeros(2),)]}, stub, "This multiplies by 3."),
])
def test_an_exercise_that_confuses_answers_is_refused(changes, answer, message):
    with pytest.raises(AssertionError, match=message):
        assert_answers(Checks("01", exercise_with(**changes)), "double", answer)
