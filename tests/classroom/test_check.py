"""Every way in which a reader's function can misbehave gets its own sentence, and the notebook goes on."""

import sys
import time

from course_lib.classroom import Checks, Exercise, Mistake, Unsolved, progress
from course_lib.rng import seeded

import pytest
import torch


def weights(logits, scale):
    return (logits * scale).softmax(-1)


def cases():
    draw = seeded(0)
    yield torch.randn(3, 4, generator=draw), 2.0
    yield torch.randn(2, 5, generator=draw).requires_grad_(), 1.0


MISTAKES = (
    Mistake(lambda logits, scale: (logits * scale).softmax(0), "Softmax over the wrong axis."),
    Mistake(lambda logits, scale: logits.softmax(-1), "The scale is missing."),
    Mistake(lambda logits, scale: torch.linalg.cholesky(logits), "This is no covariance."),
    Mistake(lambda logits, scale: (logits * scale).exp().flatten(), "Not normalised, and flat."),
)


def exercise(**changes) -> Exercise:
    return Exercise(**{
        "reference": weights, "cases": cases, "mistakes": MISTAKES, "hints": ("Which axis?", "The last."),
        **changes,
    })


def ask(answer, **changes):
    return Checks("08", exercise(**changes)).weights(answer)


def works_until(limit):
    """An answer that is right but for what `limit` does."""
    def answer(logits, scale):
        limit(logits)
        return weights(logits, scale)

    return answer


def test_the_reference_passes():
    verdict = ask(weights)
    assert verdict.passed is True
    assert "holds in every case (2 tried)" in verdict.message


def test_a_stub_is_not_attempted():
    def stub(logits, scale):
        raise NotImplementedError

    verdict = ask(stub)
    assert verdict.passed is None
    assert str(verdict).startswith("○ Not attempted yet")
    assert progress.load()["exercises"] == {}


def of_another_exercise(logits):
    raise NotImplementedError


@pytest.mark.parametrize(("limit", "said"), [
    (lambda logits: logits.long().softmax(-1), "not implemented for 'Long'."),
    (of_another_exercise, "raised NotImplementedError."),
])
def test_an_answer_that_calls_what_is_not_implemented_is_no_stub(limit, said):
    verdict = ask(works_until(limit))
    assert verdict.passed is False
    assert "raised NotImplementedError" in verdict.message
    assert said in verdict.message


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.message)
def test_each_mistake_gets_its_own_message(mistake):
    verdict = ask(mistake.answer)
    assert verdict.passed is False
    assert verdict.message == mistake.message


def test_a_mistake_in_another_dtype_is_recognised_too():
    assert ask(lambda logits, scale: logits.softmax(-1).float()).message == "The scale is missing."


def test_a_mistake_must_match_in_every_case():
    verdict = ask(lambda logits, scale: (logits * scale).softmax(0 if scale == 2 else -1) * 1.0)
    assert "wrong values" in verdict.message


def test_an_error_names_the_line():
    def breaks(logits, scale):
        nothing = 0
        return logits / (1 / nothing)

    message = ask(breaks).message
    assert "`weights` raised ZeroDivisionError: division by zero." in message
    assert "`return logits / (1 / nothing)`" in message


WRONG = {
    "returned None. Is a `return` missing?": lambda logits, scale: None,
    "`weights(…)` must be a tensor; got list.": lambda logits, scale: weights(logits, scale).tolist(),
    "`weights(…)` must have shape (3, 4); got (4, 3).": lambda logits, scale: weights(logits, scale).T,
    "`weights(…)` must have dtype torch.float64; got torch.float32.": lambda a, b: weights(a, b).float(),
    "`weights(…)` must be finite at [0, 1] (expected": lambda a, b: weights(a, b).masked_fill(
        torch.arange(a.shape[-1]) == 1, torch.nan),
    "the largest gap is 0.5 at [0, 0]": lambda a, b: weights(a, b) + 0.5,
    "has lost its gradient": lambda a, b: weights(a, b).detach(),
    "`gradient[0]` has wrong values": lambda a, b: weights(a, b).detach() + 0 * a,
    "raised SystemExit: 3": works_until(lambda logits: sys.exit(3)),
    "The signature must be `weights(logits, scale)`; got `weights(a)`.": lambda a: a,
}


@pytest.mark.parametrize("said", WRONG)
def test_a_wrong_answer_is_described(said):
    verdict = ask(WRONG[said])
    assert verdict.passed is False
    assert said in verdict.message


@pytest.mark.parametrize(("answer", "said"), [(None, "a NoneType"), (3, "got 3"), (torch.ones(2), "(2,)")])
def test_what_is_no_function(answer, said):
    verdict = ask(answer)
    assert verdict.passed is False
    assert said in verdict.message


def test_recursion_and_interrupt_are_only_outcomes():
    def deeper(logits, scale):
        return deeper(logits, scale)

    def interrupt(logits):
        raise KeyboardInterrupt

    assert "raised RecursionError" in ask(deeper).message
    assert "raised KeyboardInterrupt" in ask(works_until(interrupt)).message


def test_an_endless_loop_is_cut_off():
    def endless(logits):
        while True:
            pass

    begun = time.monotonic()
    verdict = ask(works_until(endless), seconds=0.5)
    assert "did not return within 0.5 s and was cut off" in verdict.message
    assert time.monotonic() - begun < 3


def test_the_argument_that_was_changed_is_named():
    verdict = ask(works_until(lambda logits: logits.detach().zero_()))
    assert "wrong values" in verdict.message             # the change spoilt the result as well

    def afterwards(logits, scale):
        result = weights(logits, scale)
        logits.detach().zero_()
        return result

    assert "The argument `logits` was changed in place." in ask(afterwards).message


def test_a_change_that_the_reference_makes_is_asked_for():
    def weights(total, x):
        total += x

    def twice(total, x):
        total += 2 * x

    def of_one_case():
        yield torch.zeros(2), torch.ones(2)

    check = Checks("08", exercise(reference=weights, cases=of_one_case, mistakes=())).weights
    assert check(weights).passed
    assert "After the call: `total` has wrong values" in check(twice).message


def test_at_most_five_printed_lines_are_shown(capsys):
    verdict = ask(works_until(lambda logits: [sys.stdout.write(f"line {i}\n") for i in range(9)]))
    assert verdict.passed
    assert verdict.printed.splitlines() == [*(f"line {i}" for i in range(5)), "…"]
    assert capsys.readouterr().out == ""
    assert "<pre>line 0" in verdict._repr_html_()


def test_a_judge_replaces_the_comparison():
    def far(outcome, logits, scale):
        return None if outcome.max() > 10 else f"The largest weight must exceed 10; got {outcome.max():.3f}."

    def large(logits, scale):
        return weights(logits, scale) * 1000

    assert ask(large, judge=far).passed
    assert "The largest weight must exceed 10" in ask(weights, judge=far).message
    assert "must be a tensor; got int" in ask(lambda a, b: 1000, judge=far).message
    assert "The largest weight must exceed 10" in ask(MISTAKES[0].answer, judge=far).message  # the judge's word alone


def test_arguments_are_looked_after_where_there_is_a_judge():
    def weights(logits, draw):
        return logits + torch.rand(3, generator=draw)

    def in_place(logits, draw):
        return logits.add_(torch.rand(3, generator=draw))

    def other_draws(logits, draw):
        return logits + torch.rand(3)

    options = {"reference": weights, "cases": lambda: [(torch.zeros(3), seeded(1))], "judge": lambda *outcome: None}
    assert ask(lambda logits, draw: 2 * weights(logits, draw), **options).passed
    assert "The argument `logits` was changed in place." in ask(in_place, **options).message
    assert "Nothing was drawn from `draw`." in ask(other_draws, **options).message


@pytest.mark.parametrize("whose", ["judge", "reference"])
def test_a_check_that_is_too_slow_says_so(whose):
    def endless(*arguments):
        while True:
            pass

    endless.__name__ = "weights"
    verdict = ask(weights, seconds=0.2, **{whose: endless})
    assert f"The {whose} was stopped after 0.2 s. Is the computer busy?" in verdict.message


def test_a_case_without_arguments_is_not_described():
    def one():
        return 1.0

    verdict = Checks("08", Exercise(one, lambda: iter([()]), mistakes=(), hints=("One.", "1.0"))).one(lambda: 2.0)
    assert "where 1 is expected" in verdict.message and "The case" not in verdict.message


def test_a_broken_reference_is_not_the_readers_fault():
    def weights(logits, scale):
        raise ValueError("no such thing")

    verdict = ask(lambda a, b: a, reference=weights)
    assert "The check itself failed" in verdict.message
    assert "The reference failed: ValueError('no such thing')" in verdict.message


def test_hints_grow_and_end():
    check = Checks("08", exercise())
    assert [str(check.weights.hint()) for _ in range(3)] == [
        "○ Hint 1 of 2\nWhich axis?", "○ Hint 2 of 2\nThe last.",
        "○ There are no more hints\n`.solution()` shows one way to write it.",
    ]
    assert progress.load()["exercises"]["08"]["weights"]["hints"] == 2


def test_the_solution_is_the_reference_and_is_noted():
    solution = Checks("08", exercise()).weights.solution()
    assert solution._repr_markdown_().startswith("```python\ndef weights(logits, scale):\n    return")
    assert "solution_seen" in progress.load()["exercises"]["08"]["weights"]


def test_attempts_are_counted():
    check = Checks("08", exercise())
    check.weights(MISTAKES[0].answer)
    check.weights(weights)
    entry = progress.load()["exercises"]["08"]["weights"]
    assert entry["tries"] == 2
    assert entry["passed"].endswith("+00:00")


def test_strict_raises_with_the_message(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    assert ask(weights).passed
    with pytest.raises(Unsolved, match="08 weights: ✗ Not yet\nThe scale is missing"):
        ask(MISTAKES[1].answer)

    def stub(logits, scale):
        raise NotImplementedError

    with pytest.raises(Unsolved, match="Not attempted yet"):
        ask(stub)


def test_names():
    check = Checks("08", exercise())
    assert "weights" in dir(check)
    assert repr(check) == "The exercises of notebook 08:\nweights: 5 minutes, difficulty 1 of 3"
    assert list(check.exercises) == ["weights"]
    with pytest.raises(AttributeError, match="no exercise `w8s` here; there are weights"):
        _ = check.w8s
    with pytest.raises(ValueError, match="`exercises` must have different names"):
        Checks("08", exercise(), exercise())


def test_html_is_escaped_and_says_it_in_words():
    html = ask("<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in html
    assert "Not yet" in html
