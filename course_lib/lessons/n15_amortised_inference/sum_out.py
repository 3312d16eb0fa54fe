"""The exercise of lesson 15 on hidden labels: the label is summed out, exactly."""

import torch

from ... import rng
from ...classroom import Exercise, Mistake


def unlabelled_bound(bounds, log_q):
    """A bound on log p(x), (n,), from bounds L(x, y) on log p(x, y) and log q(y | x), both (n, C)."""
    return (log_q.exp() * (bounds - log_q)).sum(-1)


def _cases():
    g = rng.seeded(4)
    for n, classes in ((5, 3), (4, 10)):
        yield torch.randn(n, classes, generator=g) - 20, torch.randn(n, classes, generator=g).log_softmax(-1)


UNLABELLED_BOUND = Exercise(
    unlabelled_bound,
    _cases,
    mistakes=(
        Mistake(lambda bounds, log_q: (log_q.exp() * bounds).sum(-1),
                "The **entropy of $q(y \\mid x)$ is missing**: without $-\\log q$ being unsure is punished, and the "
                "classifier makes up its mind about everything at once."),
        Mistake(lambda bounds, log_q: (log_q.exp() * (bounds + log_q)).sum(-1),
                "The **sign of the entropy** is turned: subtract $\\log q(y \\mid x)$."),
        Mistake(lambda bounds, log_q: -unlabelled_bound(bounds, log_q), "This is **minus** the bound, the loss."),
        Mistake(lambda bounds, log_q: (log_q.exp() * bounds - log_q).sum(-1),
                "$-\\log q$ stands **inside the bracket**: it is weighed with $q(y \\mid x)$ too."),
        Mistake(lambda bounds, log_q: (log_q.exp() * (bounds - log_q)).mean(-1),
                "A **mean over the labels**: the weights $q(y \\mid x)$ add up to 1 already, so take the sum."),
        Mistake(lambda bounds, log_q: (bounds + log_q).logsumexp(-1),
                "The **log is outside the mean**, and $-\\log q$ is missing: take the mean of "
                "$L(x, y) - \\log q(y \\mid x)$."),
        Mistake(lambda bounds, log_q: bounds.mean(-1),
                "All labels count **alike**: weigh them with $q(y \\mid x)$."),
        Mistake(lambda bounds, log_q: bounds.sum(-1),
                "You **added logs**: take the mean under $q(y \\mid x)$."),
        Mistake(lambda bounds, log_q: (log_q * (bounds - log_q)).sum(-1),
                "You weighed with **$\\log q$**: weigh with $q$ itself, `log_q.exp()`."),
        Mistake(lambda bounds, log_q: bounds.max(-1).values,
                "This takes the **best label only**."),
        Mistake(lambda bounds, log_q: bounds.gather(-1, log_q.argmax(-1, keepdim=True))[:, 0],
                "You took the classifier's **first choice** as if it were certain, a pseudo-label."),
        Mistake(lambda bounds, log_q: (bounds - log_q).logsumexp(-1),
                "You **divided by $q$ and never weighed with it**: a label that the classifier thinks impossible now "
                "counts most."),
        Mistake(lambda bounds, log_q: bounds.logsumexp(-1),
                "A bound, and even a **tighter** one, for it needs no $q$: but then nothing trains the classifier "
                "$q(y \\mid x)$. Asked for is the bound with $q$."),
        Mistake(lambda bounds, log_q: (log_q.exp() * (bounds - log_q)).sum(0),
                "You summed **over the pictures**: labels are columns."),
        Mistake(lambda bounds, log_q: unlabelled_bound(bounds, log_q).mean(),
                "You **averaged over the pictures** too: each has its own bound, shape (n,)."),
    ),
    hints=(
        "It is the ELBO again, with the label in place of $z$: $\\mathbb{E}_{q(y \\mid x)}[L(x, y) - \\log q(y \\mid "
        "x)]$.",
        "`log_q.exp()` are the weights; sum over the last axis.",
    ),
    minutes=4,
    difficulty=1,
)
