"""The exercises of lesson 10: reference, wrong answers by name, hints."""

import math

import torch
from torch import Tensor

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from ...inference import oracle
from .reverse import FLATTERING_RULE

# 1 · the likelihood ---------------------------------------------------------------------------------------------


def log_likelihood_table(x, logits):
    """log p(x_i | z_j), shape (n, m), from binary x, shape (n, D), and the logits a of every z_j, shape (m, D)."""
    return x @ logits.mT - torch.nn.functional.softplus(logits).sum(-1)


def _likelihood_cases():
    g = rng.seeded(1)
    yield rng.bernoulli(torch.full((4, 6), 0.4), g), 2 * torch.randn(3, 6, generator=g)
    far = torch.tensor([200.0, -900.0, 50.0, 1.0])  # sigmoid(-900) is 0
    yield rng.bernoulli(torch.full((3, 4), 0.5), g), torch.stack([far, -far])


def _terms(x: Tensor, logits: Tensor, keep: float = 0.0) -> Tensor:
    """The formula as it stands in books, with probabilities kept off 0 and 1: (n, m, D)."""
    p = logits.sigmoid().clamp(keep, 1 - keep)
    return x[:, None] * p.log() + (1 - x[:, None]) * (1 - p).log()


LOG_LIKELIHOOD_TABLE = Exercise(
    log_likelihood_table,
    _likelihood_cases,
    mistakes=(
        Mistake(lambda x, logits: _terms(x, logits).sum(-1),
                "The formula is right, but **it does not survive a sure decoder**: sigmoid(200) is 1 in floating "
                "point, log(1 − 1) is −∞, and 0 · ∞ is NaN. Work out $\\log \\sigma(a)$ and $\\log(1 - \\sigma(a))$ "
                "on paper first."),
        *(Mistake(lambda x, logits, keep=keep: _terms(x, logits, keep).sum(-1),
                  f"The **{keep:g} that keeps p off 0 and 1 hides the NaN** and makes a sure decoder's mistakes cheap: "
                  f"a pixel with $a = -900$ that is ink after all costs 900 nats, not {-math.log(keep):.1f}.")
          for keep in (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)),
        Mistake(lambda x, logits: x @ logits.mT - (1 + logits.exp()).log().sum(-1),
                "Right on paper, but **exp(900) overflows** to ∞. `torch.nn.functional.softplus` is $\\log(1 + e^a)$ "
                "without the overflow."),
        Mistake(lambda x, logits: torch.distributions.Bernoulli(logits.sigmoid()).log_prob(x[:, None]).sum(-1),
                "Probabilities are **clamped inside PyTorch**, so a sure decoder's mistakes get cheap. Give "
                "`Bernoulli` the `logits`."),
        Mistake(lambda x, logits: log_likelihood_table(x, logits).exp(),
                "These are **probabilities**; their logs are asked for."),
        Mistake(lambda x, logits: log_likelihood_table(x, logits) / x.shape[-1],
                "A **mean over the pixels** in place of a sum: independent pixels multiply, so their logs add up."),
        Mistake(lambda x, logits: -log_likelihood_table(x, logits),
                "This is **minus** the log-likelihood, the loss (binary cross-entropy). A log-probability is never "
                "positive."),
        Mistake(lambda x, logits: (x[:, None] * torch.nn.functional.logsigmoid(logits)).sum(-1),
                "You counted **the ink alone**. A pixel that stays paper is an observation too: it contributes "
                "$\\log(1 - \\sigma(a))$."),
        Mistake(lambda x, logits: x @ logits.mT,
                "The **normaliser is missing**: $e^{x a}$ does not add up to one over $x = 0, 1$; subtract "
                "$\\log(1 + e^a)$."),
        Mistake(lambda x, logits: x @ logits.mT + torch.nn.functional.softplus(logits).sum(-1),
                "The **sign of the normaliser** is turned: both $\\log \\sigma(a)$ and $\\log(1 - \\sigma(a))$ hold "
                "*minus* $\\log(1 + e^a)$."),
        Mistake(lambda x, logits: x @ logits.mT + (1 - x) @ (1 - logits).mT,
                "You took the **log-odds $a$ for a log-probability**: $\\log p(\\text{ink}) = \\log \\sigma(a)$."),
        Mistake(lambda x, logits: log_likelihood_table(x, logits).mT,
                "Right numbers, **axes exchanged**: rows are data, columns are the points of the plane."),
    ),
    hints=(
        "$\\log \\sigma(a) = a - \\log(1 + e^a)$ and $\\log(1 - \\sigma(a)) = -\\log(1 + e^a)$. What remains of "
        "the two when you collect $x$?",
        "`torch.nn.functional.softplus(a)` is $\\log(1 + e^a)$ for any $a$. The first term, over all pairs, is a "
        "product of matrices, `x @ logits.mT`; or let `x[:, None]` meet `logits`, and sum over the last axis.",
    ),
    minutes=8,
    difficulty=2,
)

# 2 · the grid ---------------------------------------------------------------------------------------------------


def equal_mass_points(m):
    """The middles, in probability, of m pieces of a standard normal that have the same mass: shape (m,)."""
    return torch.special.ndtri((torch.arange(m) + 0.5) / m)


EQUAL_MASS_POINTS = Exercise(
    equal_mass_points,
    lambda: [(5,), (30,)],
    mistakes=(
        *(Mistake(lambda m, end=end: torch.linspace(-end, end, m),
                  "These are **equally far apart**, not of equal mass: with weights $1/m$ each they stand for a "
                  f"uniform prior from −{end:g} to {end:g}.")
          for end in (1, 2, 2.5, 3, 4, 5)),
        Mistake(lambda m: torch.special.ndtri(torch.arange(m) / m),
                "These are the **left edges** of the pieces, and the first edge is −∞. Take the middles: add one "
                "half."),
        Mistake(lambda m: torch.special.ndtri(torch.arange(1, m + 1) / m),
                "These are the **right edges** of the pieces, and the last edge is +∞. Take the middles."),
        Mistake(lambda m: torch.special.ndtri(torch.linspace(0, 1, m)),
                "Your probabilities **run from 0 to 1**, where the inverse of the distribution function is infinite."),
        Mistake(lambda m: torch.special.ndtri(torch.arange(1, m + 1) / (m + 1)),
                "**m inner edges of m + 1 pieces**: the outer pieces then stand for too little mass. The middle of "
                "piece $j$ is $(j + \\tfrac12)/m$."),
        Mistake(lambda m: torch.special.ndtri(torch.arange(m) + 0.5 / m),
                "A **bracket is missing**: `/ m` divides the 0.5 alone, so that most of these are no probabilities."),
        Mistake(lambda m: torch.special.ndtri(torch.arange(m + 1) / m).unfold(0, 2, 1).mean(-1),
                "These are the **middles in z**, and the outer pieces reach to ∞. Take the middles in *probability*."),
        Mistake(lambda m: torch.linspace(0, 1, m),
                "These are **probabilities, from 0 to 1**, edges included. Take the middles of the pieces, then go "
                "back to z."),
        Mistake(lambda m: (torch.arange(m) + 0.5) / m,
                "These are the **probabilities**; you still have to ask which z has so much mass on its left."),
        Mistake(lambda m: torch.special.ndtr((torch.arange(m) + 0.5) / m),
                "You used the **distribution function** Φ where its *inverse* is wanted: from probabilities back to "
                "z."),
    ),
    hints=(
        "Cut the *probability*, the interval (0, 1), into m equal pieces; take their middles; go back to z.",
        "`torch.special.ndtri` is $\\Phi^{-1}$. The middles are `(torch.arange(m) + 0.5) / m`.",
    ),
    minutes=4,
    difficulty=1,
)

# 3 · the evidence -----------------------------------------------------------------------------------------------


def log_evidence(table, log_weights):
    """log p(x_i), shape (n,), from log p(x_i | z_j), shape (n, m), and log w_j, shape (m,)."""
    return (log_weights + table).logsumexp(-1)


def _table_case(n, m, shift, seed):
    g = rng.seeded(seed)
    return 3 * torch.randn(n, m, generator=g) - shift, torch.randn(m, generator=g).log_softmax(0)


def _evidence_cases():
    yield _table_case(4, 5, 0.0, 2)
    yield _table_case(3, 3, 2000.0, 3)


LOG_EVIDENCE = Exercise(
    log_evidence,
    _evidence_cases,
    mistakes=(
        Mistake(lambda table, log_weights: (log_weights.exp() * table).sum(-1),
                "This is the **average of the logs**; the evidence is the log of the average. Jensen's inequality says "
                "yours is too small, and here by a lot."),
        Mistake(lambda table, log_weights: table.logsumexp(-1),
                "The **weights are missing**: you summed likelihoods as if each point had weight one. (The logsumexp "
                "of weights that add up to one is 0: adding it changes nothing.)"),
        Mistake(lambda table, log_weights: (log_weights + table).exp().sum(-1),
                "This is **p(x)** itself; its log is asked for."),
        Mistake(lambda table, log_weights: (table.exp() * log_weights).sum(-1).log(),
                "You multiplied by the **log** of a weight: multiply by the weight, or add the logs."),
        Mistake(lambda table, log_weights: table.logsumexp(-1) - torch.tensor(float(table.shape[-1])).log(),
                "You gave **every point the same weight** 1/m. That is right for the equal-mass grid only."),
        Mistake(lambda table, log_weights: (log_weights.exp() + table).logsumexp(-1),
                "A **weight was added to a log-likelihood**: products become sums of *logs*."),
        Mistake(lambda table, log_weights: (log_weights + table).exp().sum(-1).log(),
                "Right, until it **underflows**: exp(−2000) is 0, and its log −∞. `logsumexp` takes the largest term "
                "out first."),
        Mistake(lambda table, log_weights: (log_weights + table).max(-1).values,
                "This is the **largest term only**: the evidence adds up all of them."),
        Mistake(lambda table, log_weights: (log_weights + table).sum(-1),
                "You **added up the logs**: that is the log of a *product* over the points. The evidence is a sum: "
                "take its log last."),
        Mistake(lambda table, log_weights: log_evidence(table, log_weights) - math.log(len(log_weights)),
                "**Divided by m once too often**: the weights add up to one already."),
        Mistake(lambda table, log_weights: (table * log_weights).logsumexp(-1),
                "You **multiplied two logs**: the log of a product $w_j \\, p(x \\mid z_j)$ is a *sum* of logs."),
        Mistake(lambda table, log_weights: (table * log_weights.exp()).logsumexp(-1),
                "You **multiplied a log by a weight**: that is the log of $p(x \\mid z_j)^{w_j}$. Add the two logs."),
        Mistake(lambda table, log_weights: (log_weights + table).log_softmax(-1),
                "This is $\\log p(z_j \\mid x)$, the **posterior**: the terms after division by the evidence. It is "
                "the divisor that is asked for."),
    ),
    hints=(
        "$p(x) = \\sum_j w_j \\, p(x \\mid z_j)$. Which two logs add up to the log of one term?",
        "Add `log_weights` to every row, then `logsumexp` along the last axis.",
    ),
    minutes=5,
    difficulty=1,
)

# 4 · the posterior's mean ---------------------------------------------------------------------------------------


def posterior_mean(table, log_weights, points):
    """E[z | x_i], shape (n, d), from log p(x_i | z_j) (n, m), log w_j (m,) and the points z_j (m, d)."""
    return (log_weights + table).softmax(-1) @ points


def _mean_cases():
    for seed, shift in ((4, 0.0), (5, 2000.0)):
        yield *_table_case(4, 9, shift, seed), oracle.normal_grid(3, 2)[0]


def _underflowing(logs: Tensor) -> Tensor:
    return logs.exp() / logs.exp().sum(-1, keepdim=True)


POSTERIOR_MEAN = Exercise(
    posterior_mean,
    _mean_cases,
    mistakes=(
        Mistake(lambda table, log_weights, points: table.softmax(-1) @ points,
                "The **weights are missing**: you normalised the likelihood alone, as if every point stood for the "
                "same mass of the prior."),
        Mistake(lambda table, log_weights, points: points[(log_weights + table).argmax(-1)],
                "This is the **mode**, the point with the largest mass, not the mean over all points."),
        Mistake(lambda table, log_weights, points: (log_weights + table).softmax(0) @ points,
                "**Normalised over the data**: each row, one image, must add up to one over the points of the plane."),
        Mistake(lambda table, log_weights, points: _underflowing(log_weights + table) @ points,
                "Right, until it **underflows**: exp(−2000) is 0, and 0/0 is NaN. `softmax` takes the largest term out "
                "first."),
        Mistake(lambda table, log_weights, points: points[table.argmax(-1)],
                "This is the point of the **largest likelihood**: neither weighted nor averaged."),
        Mistake(lambda table, log_weights, points: (log_weights + table).exp() @ points,
                "**Not divided by the evidence**: your masses do not add up to one."),
        Mistake(lambda table, log_weights, points: (table.softmax(-1) * log_weights.exp()) @ points,
                "**Normalised too early**: your masses do not add up to one. First weigh the likelihoods, then divide "
                "by their sum."),
        Mistake(lambda table, log_weights, points: posterior_mean(table, log_weights, points) / len(points),
                "**Divided by m once too often**: the posterior's masses add up to one, so the mean is a sum."),
        Mistake(lambda table, log_weights, points: (log_weights.exp() * table) @ points,
                "The **logs of the likelihoods** were used as weights: take exponentials, and divide by the evidence."),
        Mistake(lambda table, log_weights, points: (log_weights + table) @ points,
                "You weighted with the **logs** of the masses: take their softmax first."),
        Mistake(lambda table, log_weights, points: (log_weights.exp() @ points).expand(len(table), -1),
                "This is the **prior's mean**, the same for all images: the likelihood has not been used."),
    ),
    hints=(
        "Which masses do the points carry once x is known? They are the terms of the evidence, divided by it.",
        "`softmax` of `log_weights + table` along the last axis gives the masses, (n, m); a matrix product with the "
        "points, (m, d), averages.",
    ),
    minutes=5,
    difficulty=2,
)

check = Checks("10", LOG_LIKELIHOOD_TABLE, EQUAL_MASS_POINTS, LOG_EVIDENCE, POSTERIOR_MEAN, FLATTERING_RULE)
