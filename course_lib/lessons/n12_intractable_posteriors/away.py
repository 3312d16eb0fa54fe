"""Exercise 3 of lesson 12: two causes that compete for their effect."""

import torch

from ...classroom import Exercise, Mistake


def explaining_away(p_a, p_b, p_effect):
    """p(a | e) and p(a | e, b): two independent causes, and p_effect[a, b] = p(e = 1 | a, b), each 0 or 1."""
    prior_a, prior_b = torch.stack([1 - p_a, p_a]), torch.stack([1 - p_b, p_b])
    joint = prior_a[:, None] * prior_b * p_effect  # p(a, b, e = 1)
    return joint[1].sum() / joint.sum(), joint[1, 1] / joint[:, 1].sum()


def _causes_cases():
    yield torch.tensor(0.1), torch.tensor(0.2), torch.tensor([[0.01, 0.8], [0.7, 0.9]])
    yield torch.tensor(0.3), torch.tensor(0.05), torch.tensor([[0.1, 0.6], [0.9, 0.95]])


def _joint(p_a, p_b, p_effect):
    return torch.stack([1 - p_a, p_a])[:, None] * torch.stack([1 - p_b, p_b]) * p_effect


def _away(change):
    """A wrong answer: `change(joint, p_a, p_b, p_effect)` gives the two parts."""
    return lambda p_a, p_b, p_effect: change(_joint(p_a, p_b, p_effect), p_a, p_b, p_effect)


EXPLAINING_AWAY = Exercise(
    explaining_away,
    _causes_cases,
    mistakes=(
        Mistake(_away(lambda j, a, b, e: (j[1].sum() / a, e[1, 1])),
                "These are **p(e | a)** and **p(e | a, b)**: from cause to effect. Asked for is the way back, from "
                "the effect to the cause."),
        Mistake(_away(lambda j, a, b, e: (j[1].sum(), j[1, 1])),
                "These are the **joint** probabilities $p(a, e)$ and $p(a, b, e)$: divide by $p(e)$ and by $p(b, e)$."),
        Mistake(_away(lambda j, a, b, e: (j[1].sum() / j.sum(), j[1, 1] / j.sum())),
                "The second part is **p(a, b | e)**: b is known now, so divide by $p(b, e)$, not by $p(e)$."),
        Mistake(_away(lambda j, a, b, e: (j[1].sum() / j.sum(), j[1, 1] / j[1].sum())),
                "The second part is **p(b | a, e)**: a and b are exchanged there."),
        Mistake(_away(lambda j, a, b, e: (e[1].sum() / e.sum(), e[1, 1] / e[:, 1].sum())),
                "The **priors are missing**: you normalised $p(e \\mid a, b)$ alone."),
        Mistake(_away(lambda j, a, b, e: (j[:, 1].sum() / j.sum(), j[1, 1] / j[1].sum())),
                "**Rows and columns exchanged**: the first axis of `p_effect` is a."),
        Mistake(_away(lambda j, a, b, e: ((j[1].sum() / j.sum()), (j[1].sum() / j.sum()))),
                "You gave **the same number twice**: once the effect is seen, b tells about a, although nothing joined "
                "them before."),
        Mistake(_away(lambda j, a, b, e: (a, a)),
                "This is the **prior** of a. Causes that nothing joins are independent *until* their common effect is "
                "seen."),
        Mistake(_away(lambda j, a, b, e: (j[1, 1] / j[:, 1].sum(), j[1].sum() / j.sum())),
                "Both numbers are right, **in the wrong order**: first the one without knowing b."),
        Mistake(_away(lambda j, a, b, e: (a * e[1].sum() / (a * e[1].sum() + (1 - a) * e[0].sum()),
                                          j[1, 1] / j[:, 1].sum())),
                "In the first part **b's prior is missing**: b = 0 and b = 1 are not equally probable. Weigh them with "
                "$1 - p_b$ and $p_b$."),
        Mistake(_away(lambda j, a, b, e: (j[1].sum() / j.sum(), j[1, 0] / j[:, 0].sum())),
                "The second part is for **b absent**: b = 1 is the last column."),
    ),
    hints=(
        "Write down the table $p(a) \\, p(b) \\, p(e = 1 \\mid a, b)$, two by two. Both answers are parts of it, "
        "normalised.",
        "With `joint` (2, 2), a down and b across: the row a = 1 divided by everything; and within the column b = 1, "
        "the entry a = 1.",
    ),
    returns=("p(a | e)", "p(a | e, b)"),
    minutes=6,
    difficulty=1,
)
