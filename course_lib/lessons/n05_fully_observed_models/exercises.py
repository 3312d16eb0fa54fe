"""The exercises of lesson 05: reference, wrong answers by name, hints."""

import torch

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from .completing import COMPLETE
from .find_the_bug import WHO_HEARS_WHOM

# 1 · factorise and score ---------------------------------------------------------------------------------------------


def score(x, parents, tables):
    """log p(x) of every row, shape (n,): x (n, V) codes, parents[v] a list of columns, tables[v] (..., levels)."""
    total = torch.zeros(len(x))
    for v, table in enumerate(tables):
        columns = tuple(x[:, u] for u in [*parents[v], v])  # the table's axes: the parents, then v itself
        total = total + table[columns].log()
    return total


def _random_table(shape, g):
    return (2 * torch.randn(shape, generator=g)).softmax(-1)


def _score_cases():
    g = rng.seeded(1)
    for parents, levels in (([[], [0], [0, 1]], (3, 3, 3)), ([[], [], [1, 0], [2]], (2, 2, 2, 2))):
        tables = [_random_table([*(levels[u] for u in up), levels[v]], g) for v, up in enumerate(parents)]
        x = torch.stack([torch.randint(size, (6,), generator=g) for size in levels], -1)
        yield x, parents, tables
    yield torch.zeros(2, 400, dtype=torch.long), [[] for _ in range(400)], [torch.tensor([0.1, 0.9])] * 400


def _terms(x, parents, tables, axes=lambda up, v: [*up, v]):
    """p(x_v | parents) of every row and variable, (n, V), with the table's axes as `axes` says."""
    terms = [table[tuple(x[:, u] for u in axes(parents[v], v))] for v, table in enumerate(tables)]
    return torch.stack(terms, -1)


SCORE = Exercise(
    score,
    _score_cases,
    mistakes=(
        Mistake(lambda x, parents, tables: _terms(x, parents, tables).prod(-1),
                "This is $p(x)$, **not its log**. And with many variables the product underflows to 0: add logs."),
        Mistake(lambda x, parents, tables: _terms(x, parents, tables).prod(-1).log(),
                "The **log of a product** is right on paper, but with 400 variables the product underflows to 0 and "
                "its log is $-\\infty$. Take the log of each factor, then add."),
        Mistake(lambda x, parents, tables: _terms(x, parents, tables).sum(-1).log(),
                "The **log of a sum** of probabilities: the joint is a *product* of the factors, so its log is the sum "
                "of their logs."),
        Mistake(lambda x, parents, tables: _terms(x, parents, tables).sum(-1),
                "You **added probabilities**: the factors are multiplied, and only their logs are added."),
        Mistake(lambda x, parents, tables: _terms(x, parents, tables).log().mean(-1),
                "A **mean for a sum**: dividing by the number of variables makes it no log-probability of the row."),
        Mistake(lambda x, parents, tables: _terms(x, parents, tables).log().sum(),
                "You **summed over the rows too**: that is $\\log p(\\mathcal{D})$. One value a row was asked for."),
        Mistake(lambda x, parents, tables: -_terms(x, parents, tables).log().sum(-1),
                "This is **minus** the log-probability: a loss."),
        Mistake(lambda x, parents, tables: _terms(x, parents, tables, lambda up, v: [v, *up]).log().sum(-1),
                "The **axes are in another order**: a table's first axes are the parents, in their order, and the last "
                "is the variable itself. You looked up p(parent's state | child's state)."),
        Mistake(lambda x, parents, tables: _terms(x, parents, tables, lambda up, v: [*up[::-1], v]).log().sum(-1),
                "The **parents are in another order** than the table's axes: take them as `parents[v]` lists them."),
        Mistake(lambda x, parents, tables: _terms(x, parents, tables).log2().sum(-1),
                "These are **bits**: the course's logarithm is natural, `.log()`."),
        Mistake(lambda x, parents, tables: torch.stack(
                    [t[tuple(parents[v])][x[:, v]] for v, t in enumerate(tables)], -1).log().sum(-1),
                "You used the **numbers of the parents' columns** as their states. The states are in the data: "
                "`x[:, u]` for every parent `u`."),
        Mistake(lambda x, parents, tables: torch.stack(
                    [t.mean(tuple(range(t.ndim - 1)))[x[:, v]] if t.ndim > 1 else t[x[:, v]]
                     for v, t in enumerate(tables)], -1).log().sum(-1),
                "The **parents are forgotten**: you averaged each table over the parents' states, as if the variables "
                "were independent."),
    ),
    hints=(
        "Which entry of `tables[v]` does a row use? Its indices are the row's codes of the parents, then its own.",
        "`table[x[:, 3], x[:, 5]]` picks one entry for each row. Build that tuple of columns from `[*parents[v], v]`, "
        "take the log, and add over v.",
    ),
    minutes=8,
    difficulty=2,
)

# 2 · a table from counts ---------------------------------------------------------------------------------------------


def table_from_counts(child, parent, shape, smoothing):
    """p(child | parent), shape (parent levels, child levels), from codes (n,); `smoothing` is added to every count."""
    counts = torch.full(shape, float(smoothing))
    counts.index_put_((parent, child), torch.ones(len(child)), accumulate=True)
    return counts / counts.sum(1, keepdim=True)


def _counts_cases():
    g = rng.seeded(2)
    for shape, smoothing in (((3, 3), 0.5), ((2, 2), 2.0), ((4, 2), 1.0)):
        parent = torch.randint(shape[0] - 1, (12,), generator=g)  # the last state of the parent is never seen
        yield torch.randint(shape[1], (12,), generator=g), parent, shape, smoothing


def _counts(child, parent, shape, smoothing=0.0):
    counts = torch.full(shape, float(smoothing))
    return counts.index_put((parent, child), torch.ones(len(child)), accumulate=True)


def _once(child, parent, shape, smoothing):
    counts = torch.full(shape, float(smoothing))
    counts[parent, child] += 1
    return counts


TABLE_FROM_COUNTS = Exercise(
    table_from_counts,
    _counts_cases,
    mistakes=(
        Mistake(lambda child, parent, shape, smoothing: _counts(child, parent, shape, smoothing),
                "These are **counts**: divide each row by its sum, so that it adds up to one."),
        Mistake(lambda child, parent, shape, smoothing: (t := _once(child, parent, shape, smoothing))
                / t.sum(1, keepdim=True),
                "Every pair was counted **at most once**: `counts[parent, child] += 1` reads, adds and writes back, so "
                "a pair that comes twice is not added twice. `index_put_(..., accumulate=True)` adds all."),
        Mistake(lambda child, parent, shape, smoothing: (t := _counts(child, parent, shape, smoothing)) / t.sum(1),
                "**The sums lie along the wrong axis**: `counts.sum(1)` has one value a row, but dividing by it lines "
                "it up with the columns. Keep the axis: `counts.sum(1, keepdim=True)`."),
        Mistake(lambda child, parent, shape, smoothing: (t := _counts(parent, child, shape, smoothing))
                / t.sum(1, keepdim=True),
                "**Child and parent are exchanged**: rows are the parent's states, columns the child's."),
        Mistake(lambda child, parent, shape, smoothing: (t := _counts(child, parent, shape, smoothing)) / t.sum(),
                "This is the **joint**, p(parent, child): you divided by the sum of the whole table. Each *row*, one "
                "state of the parent, must add up to one."),
        Mistake(lambda child, parent, shape, smoothing: _counts(child, parent, shape, smoothing) / len(child),
                "You divided by **all rows** of the data: divide each row of the table by its own sum."),
        Mistake(lambda child, parent, shape, smoothing: (t := _counts(child, parent, shape).clamp_min(smoothing))
                / t.sum(1, keepdim=True),
                "You smoothed the **empty** entries only: every state is counted `smoothing` times beforehand."),
        Mistake(lambda child, parent, shape, smoothing: (t := _counts(child, parent, shape, smoothing)) / t.sum(0),
                "**Normalised over the parent**: your columns add up to one, which is p(parent | child), the arrow "
                "turned round."),
        Mistake(lambda child, parent, shape, smoothing: (t := _counts(child, parent, shape)) / t.sum(1, keepdim=True),
                "The **smoothing is missing**: the row of a parent's state that never occurs is 0 / 0, and a state "
                "that was not seen gets probability zero for ever."),
        Mistake(lambda child, parent, shape, smoothing: (t := _counts(child, parent, shape))
                / t.sum(1, keepdim=True).clamp_min(1),
                "A row that was **never seen adds up to zero**: avoiding the division is no estimate. Count every "
                "state `smoothing` times beforehand."),
        Mistake(lambda child, parent, shape, smoothing: (_counts(child, parent, shape, smoothing)
                / (_counts(child, parent, shape).sum(1, keepdim=True) + smoothing)),
                "The rows add up to **more than one**: in a row with $K$ states you added $K$ times the smoothing "
                "above, so add $K$ times it below too."),
        Mistake(lambda child, parent, shape, smoothing: (_counts(child, parent, shape, smoothing)
                / _counts(child, parent, shape).sum(1, keepdim=True)),
                "You smoothed above but **not below** the fraction line: the rows add up to more than one, and a row "
                "that was never seen is infinite."),
        Mistake(lambda child, parent, shape, smoothing: (_counts(child, parent, shape)
                / _counts(child, parent, shape).sum(1, keepdim=True)) + smoothing,
                "The smoothing was added to the **probabilities**; it is a number of imagined rows: add it to the "
                "counts, before dividing."),
        Mistake(lambda child, parent, shape, smoothing: _counts(child, parent, shape, 1.0).div(
                    _counts(child, parent, shape, 1.0).sum(1, keepdim=True)),
                "You counted **one** beforehand, whatever `smoothing` says."),
    ),
    hints=(
        "Start from a table full of `smoothing`, add one for every row of the data, divide. By which sum?",
        "`counts.index_put_((parent, child), torch.ones(len(child)), accumulate=True)` counts pairs; then divide by "
        "`counts.sum(1, keepdim=True)`.",
    ),
    minutes=6,
    difficulty=1,
)

# 3 · one masked layer ------------------------------------------------------------------------------------------------


def masked_logits(h, weight, bias, degrees):
    """The outputs of a masked layer, (n, D): h (n, H), weight (D, H), bias (D,), degrees (H,) from 1 to D - 1."""
    pixels = torch.arange(1, len(bias) + 1)
    mask = pixels[:, None] > degrees  # (D, H)
    return h @ (weight * mask).mT + bias


def _masked_cases():
    g = rng.seeded(3)
    for size in (4, 6):  # the first layer is as wide as it has outputs: a transposed mask would pass unseen elsewhere
        degrees = torch.tensor([1, 3, 2, 1, 3, 2])[:size]
        yield (torch.randn(5, size, generator=g), torch.randn(4, size, generator=g), torch.randn(4, generator=g),
               degrees)


def _masked(compare, first=1):
    """The layer with another rule `compare(pixels (D, 1), degrees (H,))` for its mask."""

    def wrong(h, weight, bias, degrees):
        pixels = torch.arange(first, first + len(bias))
        return h @ (weight * compare(pixels[:, None], degrees)).mT + bias

    return wrong


MASKED_LOGITS = Exercise(
    masked_logits,
    _masked_cases,
    mistakes=(
        Mistake(_masked(lambda pixel, degree: pixel >= degree),
                "**A pixel hears itself**: a unit of degree $m$ knows pixels 1 to $m$, so the output for pixel $m$ "
                "must not hear it. The rule is $d > m$, strictly."),
        Mistake(_masked(lambda pixel, degree: pixel < degree),
                "**The mask is turned round**: your outputs hear only units that know what comes *later*."),
        Mistake(_masked(lambda pixel, degree: pixel <= degree),
                "**The mask is turned round**, and each pixel hears itself as well: the rule is $d > m$."),
        Mistake(_masked(lambda pixel, degree: pixel > degree, first=0),
                "**Off by one**: pixels are counted from 1 here, as the degrees are. Yours begin at 0, so that each "
                "output hears one pixel too few."),
        Mistake(lambda h, weight, bias, degrees: h @ (
                    weight * (torch.arange(1, len(bias) + 1) > degrees[:, None])).mT + bias,
                "**The mask is transposed**: rows are outputs and columns are units, $(D, H)$, like `weight`. Put the "
                "new axis at the pixels, `[:, None]`."),
        Mistake(lambda h, weight, bias, degrees: h @ (
                    weight * (torch.arange(1, len(bias) + 1)[:, None] > degrees)) + bias,
                "The **weights are not transposed**: `weight` is $(D, H)$, so that $H$ units become $D$ outputs by "
                "`h @ (weight * mask).mT`."),
        Mistake(lambda h, weight, bias, degrees: h @ weight.mT + bias,
                "There is **no mask**: every output hears everything, itself included."),
        Mistake(lambda h, weight, bias, degrees: h @ (
                    weight * (torch.arange(1, len(bias) + 1)[:, None] > degrees)).mT,
                "The **bias is missing**: pixel 1 hears nothing, and its bias is all it has."),
        Mistake(lambda h, weight, bias, degrees: (h @ weight.mT + bias)
                * (torch.arange(1, len(bias) + 1) > degrees.max()),
                "You masked the **outputs**: a mask switches off single *weights*, so that each output hears some of "
                "the units."),
        Mistake(lambda h, weight, bias, degrees: (h @ (
                    weight * (torch.arange(1, len(bias) + 1)[:, None] > degrees)).mT + bias).sigmoid(),
                "These are **probabilities**; logits were asked for: no sigmoid."),
    ),
    hints=(
        "Output d may hear a unit of degree m if everything that the unit knows, pixels 1 to m, comes before d.",
        "`mask = torch.arange(1, D + 1)[:, None] > degrees` has shape (D, H), like `weight`. Multiply them.",
    ),
    minutes=6,
    difficulty=2,
)

check = Checks("05", SCORE, TABLE_FROM_COUNTS, MASKED_LOGITS, COMPLETE, WHO_HEARS_WHOM)
