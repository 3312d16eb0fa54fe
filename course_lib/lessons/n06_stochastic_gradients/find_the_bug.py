"""The find-the-bug lab of lesson 06: a line-up of training loops, and the exercise that mends one of them."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ... import metrics, rng
from ...classroom import Exercise, Mistake
from . import experiments


class Loop(NamedTuple):
    """How a training loop makes the gradient that it applies: its rows, mean or sum, whether it starts from zero."""

    draw: Callable[[int, int, int, Generator], Tensor]
    sum: bool = False
    zero_grad: bool = True


def draw_minibatches(n, size, repeats, generator):
    """`repeats` minibatches of `size` different rows out of n, each row equally likely: (repeats, size)."""
    return torch.rand(repeats, n, generator=generator).argsort(-1)[:, :size]


def colleagues_minibatches(n: int, size: int, repeats: int, generator: Generator) -> Tensor:
    """The lab's planted fault: each minibatch is a block of neighbours."""
    start = torch.randint(n - size, (repeats, 1), generator=generator)
    return start + torch.arange(size)


LINE_UP = {
    "sound": Loop(draw_minibatches),
    "a sum, not a mean": Loop(draw_minibatches, sum=True),
    "no zero_grad": Loop(draw_minibatches, zero_grad=False),
    "the colleague's": Loop(colleagues_minibatches),
}


def applied(loop: Loop, values: Tensor, size: int, step: int, repeats: int, seed: int) -> Tensor:
    """The gradients (repeats, P) that `loop` applies in its step number `step`, at parameters that stay put.

    Shapes:     values (n, P), the gradient of every row.
    """
    generator, total = rng.seeded(seed), torch.zeros(())
    for _ in range(1 if loop.zero_grad else step):  # what is not set to zero piles up
        total = total + experiments.minibatch_means(values, loop.draw(len(values), size, repeats, generator))
    return total * size if loop.sum else total


class Signature(NamedTuple):
    """What can be measured of a loop without reading it."""

    length: metrics.Estimate  # of its mean gradient, along the whole gradient and in units of it
    variance: metrics.Estimate  # in units of the law for rows drawn without replacement


def signature(loop: Loop, values: Tensor, size: int, step: int = 1, repeats: int = 200, seed: int = 0) -> Signature:
    """Mean and variance of the gradients that `loop` applies, held against the whole gradient and the law."""
    whole, found = values.mean(0), applied(loop, values, size, step, repeats, seed)
    length = found @ whole / whole.square().sum()
    law = experiments.variance_law(values.var(0, correction=0).sum().item(), len(values), size, replacement=False)
    spread = (found - found.mean(0)).square().sum(-1) * repeats / (repeats - 1)
    return Signature(metrics.estimate(length), metrics.estimate(spread / law))


# The exercise --------------------------------------------------------------------------------------------------------


def _cases():
    yield 6, 3, 4000, rng.seeded(1)
    yield 40, 7, 2000, rng.seeded(2)


def _judge(rows, n: int, size: int, repeats: int, generator: Generator) -> str | None:
    if rows.dtype.is_floating_point or rows.dtype == torch.bool:
        return f"Row numbers are **whole numbers**; yours have dtype {rows.dtype}."
    if tuple(rows.shape) != (repeats, size):
        return f"The shape **must be (repeats, size)** = {(repeats, size)}; got {tuple(rows.shape)}."
    if rows.min() < 0 or rows.max() >= n:
        return f"Rows are numbered **from 0 to {n - 1}**; yours go from {rows.min()} to {rows.max()}."
    if (rows.sort(-1).values.diff(dim=-1) == 0).any():
        return "A row comes **twice in one minibatch**: that is drawing *with* replacement."
    if size < n and len(rows.sort(-1).values.unique(dim=0)) == 1:
        return "You drew **the same minibatch again and again**: every one needs a draw of its own."
    return _frequencies(rows, n)


def _frequencies(rows: Tensor, n: int) -> str | None:
    """Each row in size/n of the minibatches, each pair of rows in size (size - 1) / (n (n - 1)) of them."""
    repeats, size = rows.shape
    inside = torch.zeros(repeats, n).scatter_(1, rows.long(), 1.0)  # (repeats, n)
    share, expected = inside.mean(0), size / n
    if not _near(share, expected, repeats):
        worst = int((share - expected).abs().argmax())
        return (f"The rows are **not equally likely**: row {worst} is in {share[worst]:.1%} of your minibatches, where "
                f"{expected:.1%} are expected.")
    pairs = torch.triu_indices(n, n, 1)
    together, expected = (inside.mT @ inside / repeats)[tuple(pairs)], size * (size - 1) / (n * (n - 1))
    if not _near(together, expected, repeats):
        one, other = pairs[:, together.argmax()].tolist()
        return (f"Some rows **come together** too often: rows {one} and {other} share {together.max():.1%} of your "
                f"minibatches, where {expected:.1%} are expected. A row must not tell which others come with it.")
    return None


def _near(share: Tensor, expected: float, repeats: int) -> bool:
    return bool(((share - expected).abs() < 6 * (expected * (1 - expected) / repeats) ** 0.5 + 1e-9).all())


def _ring(n, size, repeats, generator):
    """Blocks that go round: every row equally likely, neighbours still together."""
    return (torch.randint(n, (repeats, 1), generator=generator) + torch.arange(size)) % n


def _last_row_missing(n, size, repeats, generator):
    return torch.rand(repeats, n - 1, generator=generator).argsort(-1)[:, :size]


DRAW_MINIBATCHES = Exercise(
    draw_minibatches,
    _cases,
    judge=_judge,
    mistakes=(
        Mistake(colleagues_minibatches, "not equally likely"),
        Mistake(_ring, "come together"),
        Mistake(lambda n, size, repeats, generator:
                (torch.randint(n, (repeats, 1), generator=generator) + torch.arange(size) * (n // size)) % n,
                "must not tell which others"),
        Mistake(lambda n, size, repeats, generator: torch.randint(n, (repeats, size), generator=generator),
                "twice in one minibatch"),
        Mistake(lambda n, size, repeats, generator:
                torch.randperm(n, generator=generator)[:size].expand(repeats, size), "again and again"),
        Mistake(lambda n, size, repeats, generator: draw_minibatches(n, size, repeats, generator).mT,
                "must be (repeats, size)"),
        Mistake(lambda n, size, repeats, generator: draw_minibatches(n, size, repeats, generator) + 1, "from 0 to"),
        Mistake(lambda n, size, repeats, generator: torch.rand(repeats, size, generator=generator) * n,
                "whole numbers"),
        Mistake(_last_row_missing, "row 5 is in 0.0%"),
        Mistake(lambda n, size, repeats, generator: torch.rand(repeats, n).argsort(-1)[:, :size],
                "Nothing was drawn from `generator`"),
    ),
    hints=(
        "Shuffle all n rows anew for every minibatch, and keep the first `size`. How do you shuffle many times at "
        "once?",
        "Give every row a random number, `torch.rand(repeats, n, generator=generator)`: the order of these numbers, "
        "`argsort`, is a shuffle.",
    ),
    minutes=8,
    difficulty=2,
)
