"""The find-the-bug lab of lesson 05: a mask that leaks, found by who hears whom."""

import torch

from ... import rng
from ...classroom import Exercise, Mistake


def who_hears_whom(conditionals, x):
    """Which outputs change, for any row of x (n, D), when a pixel is flipped: booleans [output, pixel], (D, D)."""
    before = conditionals(x)  # (n, D)
    columns = []
    for j in range(x.shape[1]):
        flipped = x.clone()
        flipped[:, j] = 1 - flipped[:, j]
        columns.append((conditionals(flipped) != before).any(0))  # (D,): who noticed
    return torch.stack(columns, -1)


def _hear_cases():
    g = rng.seeded(5)
    for leak in (0, 1):
        weight = torch.randn(6, 6, generator=g).tril(-1)
        weight[4, 4 + leak] = 2.0  # hears itself, or the pixel after it
        weight[1, 0] = weight[3, 0] = 0.0  # and two connections are missing
        x = rng.bernoulli(torch.full((30, 6), 0.5), g)
        x[0] = 0.0  # in the first picture the pair below is silent
        yield _network(weight), x


def _network(weight):
    """Logits of which the last hears pixels 1 and 2 only together, and the fourth pixel 1 only without pixel 3.

    What one picture does not show, others do.
    """
    fourth, last = torch.eye(6)[[3, 5]]

    def conditionals(x):
        return (x @ weight.mT) * (1 - last) + last * x[:, :1] * x[:, 1:2] + fourth * x[:, :1] * (1 - x[:, 2:3])

    return conditionals


def _heard_with(change, rows=slice(None)):
    """The table made with another `change(x, j)` of pixel j, from some of the rows."""

    def wrong(conditionals, x):
        x = x[rows]
        before = conditionals(x)
        return torch.stack([(conditionals(change(x, j)) != before).any(0) for j in range(x.shape[1])], -1)

    return wrong


def _flip(x, j):
    x = x.clone()
    x[:, j] = 1 - x[:, j]
    return x


def _in_all_rows(conditionals, x):
    before = conditionals(x)
    return torch.stack([(conditionals(_flip(x, j)) != before).all(0) for j in range(x.shape[1])], -1)


def _never_put_back(conditionals, x):
    before, columns = conditionals(x), []
    for j in range(x.shape[1]):
        x[:, j] = 1 - x[:, j]
        columns.append((conditionals(x) != before).any(0))
    return torch.stack(columns, -1)


def _anything(conditionals, x):
    before = conditionals(x)
    changed = [(conditionals(_flip(x, j)) != before).any().expand(x.shape[1]) for j in range(x.shape[1])]
    return torch.stack(changed, -1)


WHO_HEARS_WHOM = Exercise(
    who_hears_whom,
    _hear_cases,
    mistakes=(
        Mistake(lambda conditionals, x: who_hears_whom(conditionals, x).mT,
                "**Transposed**: entry $[d, j]$ should say whether output $d$ hears pixel $j$. Yours has them the "
                "other way round, and the leak of one would look like the health of another."),
        Mistake(_heard_with(_flip, rows=slice(1)),
                "You looked at **one picture only**: a connection can be silent there (a factor of 0, a sleeping unit) "
                "and speak in others. Ask whether *any* row changes."),
        Mistake(_in_all_rows,
                "You asked for a change in **all** rows. One row that changes proves that the output hears."),
        Mistake(lambda conditionals, x: torch.ones(x.shape[1], x.shape[1]).tril(-1) > 0,
                "This is the table that a **healthy** model has; it was not measured. Flip pixels and look."),
        Mistake(lambda conditionals, x: who_hears_whom(conditionals, x).diagonal(),
                "This is the **diagonal** only: whether a pixel hears itself. It may also hear a later one."),
        Mistake(lambda conditionals, x: torch.stack(
                    [(conditionals(_flip(x, j)) - conditionals(x)).abs().amax(0) for j in range(x.shape[1])], -1),
                "These are **sizes of changes**; True or False was asked for: is it above zero?"),
        Mistake(_heard_with(lambda x, j: 1 - x),
                "You **flipped several pixels at once** (all, or each pixel without putting the last one back): then "
                "nobody knows which of them was heard. One at a time."),
        Mistake(_never_put_back,
                "You **flipped in `x` itself** and never put a pixel back: the argument is spoilt, and more pixels are "
                "flipped each time. Flip in a copy, `x.clone()`."),
        Mistake(_anything,
                "You asked whether **anything** changed: keep the outputs apart, `.any(0)` looks over the rows only."),
    ),
    hints=(
        "Compute the outputs once. Then flip pixel j in all rows, compute again, and compare: that fills column j.",
        "`(conditionals(flipped) != before).any(0)` is column j of the answer; `torch.stack(columns, -1)` makes the "
        "table.",
    ),
    minutes=8,
    difficulty=2,
)
