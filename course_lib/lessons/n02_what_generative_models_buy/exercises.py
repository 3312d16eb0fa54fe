"""The exercises of lesson 02: reference, wrong answers by name, hints; the first and last have own modules."""

import torch
from torch import Tensor

from ... import datasets, rng
from ...classroom import Checks, Exercise, Mistake
from .reverse import STEEP_COMPLETENESS
from .slope import B_VALUE

# 2 · adjusted_effect ----------------------------------------------------------------------------------------------


def adjusted_effect(t, y, x):
    """The back-door sum of E[y | t = 1, x] - E[y | t = 0, x]: t (n,) 0 or 1, y (n,), x (n,) codes 0, 1, ..."""
    effect = 0.0
    for level in x.unique():
        here = x == level
        effect = effect + here.to(y).mean() * (y[here & (t == 1)].mean() - y[here & (t == 0)].mean())
    return effect


def _adjusted_cases():
    g = rng.seeded(2)
    for levels in (2, 3):
        x = torch.randint(levels, (60,), generator=g)
        t = (torch.rand(60, generator=g) < 0.2 + 0.25 * x).long()
        t[:2 * levels] = torch.tensor([0, 1]).repeat(levels)  # both arms at every level
        x[:2 * levels] = torch.arange(levels).repeat_interleave(2)
        yield t, 2.0 * x + t * (1.0 + x) + torch.randn(60, generator=g), x
    people = datasets.smokers()
    yield people.quit, people.weight_change, (people.age > 45).long()


def _sum_of_effects(share):
    """A wrong back-door sum: the strata's effects weighted with share(here, t)."""

    def wrong(t, y, x):
        effects = [y[(x == k) & (t == 1)].mean() - y[(x == k) & (t == 0)].mean() for k in x.unique()]
        return torch.stack([share(x == k, t, x) * effect for k, effect in zip(x.unique(), effects)]).sum()

    return wrong


def _share_among(arm):
    return lambda here, t, x: (here & (t == arm)).sum() / (t == arm).sum()


ADJUSTED_EFFECT = Exercise(
    adjusted_effect,
    _adjusted_cases,
    mistakes=(
        Mistake(lambda t, y, x: y[t == 1].mean() - y[t == 0].mean(),
                "This is the **naive difference**: it compares people with other people, of other $x$."),
        Mistake(_sum_of_effects(lambda here, t, x: 1 / len(x.unique())),
                "A **plain mean of the strata**: a rare $x$ must not count as much as a frequent one. Weigh each with "
                "$p(x)$."),
        Mistake(_sum_of_effects(lambda here, t, x: 1.0),
                "A **sum without weights**: each difference must be weighted with $p(x)$."),
        Mistake(_sum_of_effects(_share_among(1)),
                "Weighted with **$p(x \\mid t = 1)$**: that is the effect on the treated. The intervention is for "
                "everybody: $p(x)$."),
        Mistake(_sum_of_effects(_share_among(0)),
                "Weighted with **$p(x \\mid t = 0)$**: the effect on those who were not treated. Weigh with $p(x)$."),
        Mistake(lambda t, y, x: torch.linalg.lstsq(torch.stack([torch.ones(len(t)), t, x], -1).to(y), y[:, None])
                .solution[1, 0],
                "The **coefficient of $t$ in a regression** on $t$ and $x$: it supposes the same effect at every $x$, "
                "and a straight line in $x$. Neither is given here: compare the means within each $x$."),
        Mistake(lambda t, y, x: adjusted_effect(t[x < 2], y[x < 2], x[x < 2]) * (x < 2).to(y).mean(),
                "You took **only $x = 0$ and $x = 1$**: go through all levels, `x.unique()`."),
        Mistake(lambda t, y, x: -adjusted_effect(t, y, x),
                "The **wrong way round**: treated minus not treated."),
        Mistake(lambda t, y, x: adjusted_effect(t, y, x) * len(x),
                "Weighted with **counts, not shares**: divide by the number of people."),
        Mistake(lambda t, y, x: sum((x == k).to(y).mean() * y[(x == k) & (t == 1)].mean() for k in x.unique()),
                "This is $\\mathbb{E}[y \\mid do(t = 1)]$ **alone**: subtract the same with $t = 0$."),
    ),
    hints=(
        "Compare like with like: within one level of x, what is the difference of the means? Then average over the "
        "levels, as frequent as they are among *all* people.",
        "For each `level` in `x.unique()`: `here = x == level`; its share is `here.to(y).mean()`; its effect the mean "
        "of `y[here & (t == 1)]` minus that of `y[here & (t == 0)]`.",
    ),
    minutes=8,
    difficulty=2,
)

# 3 · new_prior ---------------------------------------------------------------------------------------------------


def new_prior(posterior, old, new):
    """p(y | x) after the prior of y changed from `old` to `new`, (K,) each: posterior (n, K) -> (n, K)."""
    joint = posterior * new / old
    return joint / joint.sum(-1, keepdim=True)


def _new_prior_cases():
    g = rng.seeded(3)
    yield torch.randn(5, 3, generator=g).softmax(-1), torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.1, 0.8])
    yield torch.randn(2, 2, generator=g).softmax(-1), torch.tensor([0.9, 0.1]), torch.tensor([0.4, 0.6])


def _normalised(table: Tensor, axis: int = -1) -> Tensor:
    return table / table.sum(axis, keepdim=True)


NEW_PRIOR = Exercise(
    new_prior,
    _new_prior_cases,
    mistakes=(
        Mistake(lambda posterior, old, new: _normalised(posterior * new),
                "The **old prior is still in there**: the posterior holds it as a factor already. Divide by it before "
                "the new one comes in."),
        Mistake(lambda posterior, old, new: posterior * new,
                "Two things at once: the **old prior is still in there** (divide by it), and the rows are **not "
                "normalised**."),
        Mistake(lambda posterior, old, new: posterior * new / old / (posterior * new / old).sum(),
                "You divided by the sum of the **whole table**: each *row* must add up to one."),
        Mistake(lambda posterior, old, new: posterior * new / old,
                "**Not normalised**: the evidence $p(x)$ has changed too. Each row must add up to one."),
        Mistake(lambda posterior, old, new: _normalised(posterior * old / new),
                "The **wrong way round**: divide by the old prior, multiply by the new one."),
        Mistake(lambda posterior, old, new: _normalised(posterior / old),
                "You took the old prior out but **forgot the new one**: this is the likelihood, normalised."),
        Mistake(lambda posterior, old, new: _normalised(posterior * new / old, 0),
                "**Normalised over the wrong axis**: each *row*, one data point, must add up to one."),
        Mistake(lambda posterior, old, new: _normalised(posterior + new - old),
                "Priors enter as **factors**, not as terms: multiply and divide."),
        Mistake(lambda posterior, old, new: posterior,
                "Nothing has changed: this is the **old posterior**."),
    ),
    hints=(
        "Write Bayes' rule twice, with the old prior and with the new one. What is the same in both?",
        "$p(x \\mid y) \\propto p(y \\mid x) / p(y)$: divide by `old`, multiply by `new`, then make each row add up to "
        "one.",
    ),
    minutes=5,
    difficulty=1,
)

# 4 · e_step ------------------------------------------------------------------------------------------------------


def e_step(log_joint, y):
    """Responsibilities (n, K) from log p(x, y) (n, K) and labels y (n,), -1 where the label is hidden."""
    known = torch.nn.functional.one_hot(y.clamp_min(0), log_joint.shape[-1]).to(log_joint)
    return torch.where(y[:, None] >= 0, known, log_joint.softmax(-1))


def _e_step_cases():
    g = rng.seeded(4)
    yield torch.randn(5, 3, generator=g) - 2000, torch.tensor([0, -1, 2, -1, 1])
    yield torch.randn(3, 2, generator=g), torch.tensor([-1, -1, 0])


def _with_hidden(table):
    """A wrong E-step: right where the label is known, `table(log_joint)` where it is hidden."""
    return lambda log_joint, y: torch.where(y[:, None] >= 0, e_step(log_joint, y), table(log_joint))


def _hard(log_joint):
    return torch.nn.functional.one_hot(log_joint.argmax(-1), log_joint.shape[-1]).to(log_joint)


E_STEP = Exercise(
    e_step,
    _e_step_cases,
    mistakes=(
        Mistake(lambda log_joint, y: log_joint.softmax(-1),
                "The **labels are ignored**: where the class is known, the responsibility is 1 for it and 0 for all "
                "others."),
        Mistake(lambda log_joint, y: torch.eye(log_joint.shape[-1]).to(log_joint)[y],
                "**−1 is no class**: as an index it means the last one, so every hidden label became that class."),
        Mistake(lambda log_joint, y: torch.where(y[:, None] > 0, e_step(log_joint, y), log_joint.softmax(-1)),
                "**Class 0 is a class too**: hidden is −1, known is `y >= 0`."),
        Mistake(lambda log_joint, y: torch.maximum(e_step(log_joint, y), log_joint.softmax(-1)),
                "In the labelled rows the **other classes keep their share**: the known class has 1, all others 0."),
        Mistake(lambda log_joint, y: torch.nn.functional.one_hot(y.clamp_min(0), log_joint.shape[-1]).to(log_joint),
                "Every **hidden label became class 0**: where the label is hidden, the posterior belongs."),
        Mistake(_with_hidden(lambda log_joint: (log_joint - log_joint.max(-1, keepdim=True).values).exp()),
                "The hidden rows are **not normalised**: each must add up to one."),
        Mistake(_with_hidden(torch.zeros_like),
                "The digits **without label are thrown away**: their rows are 0. Their posterior belongs there."),
        Mistake(_with_hidden(lambda log_joint: torch.full_like(log_joint, 1 / log_joint.shape[-1])),
                "You gave the hidden rows **equal shares**: what the model believes of each, its posterior, belongs "
                "there. Equal shares only blur the classes."),
        Mistake(_with_hidden(_hard),
                "**Hard guesses**: you gave each digit whole to its most probable class (self-training). EM weighs "
                "with the posterior: a doubtful digit teaches less."),
        Mistake(_with_hidden(lambda log_joint: log_joint.exp() / log_joint.exp().sum(-1, keepdim=True)),
                "The formula is right, but **it underflows**: exp(−2000) is 0, and 0 / 0 is NaN. Use `softmax`."),
        Mistake(_with_hidden(lambda log_joint: log_joint.softmax(0)),
                "**Normalised over the wrong axis**: each *row* must add up to one, over the classes."),
        Mistake(_with_hidden(lambda log_joint: log_joint.log_softmax(-1)),
                "The hidden rows hold **logs**: responsibilities are probabilities."),
    ),
    hints=(
        "Two kinds of rows. What do you know of the class of a digit with a label? And of one without?",
        "`log_joint.softmax(-1)` is the posterior, `one_hot(y.clamp_min(0), K)` the certainty; `torch.where(y[:, None] "
        ">= 0, ..., ...)` chooses.",
    ),
    minutes=6,
    difficulty=2,
)

check = Checks("02", B_VALUE, ADJUSTED_EFFECT, NEW_PRIOR, E_STEP, STEEP_COMPLETENESS)
