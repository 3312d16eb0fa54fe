"""The exercises of lesson 08: reference, wrong answers by name, hints."""

import torch
from torch import Tensor

from ... import datasets, rng
from ...classroom import Checks, Exercise, Mistake
from .find_the_bug import SHARED_VARIANCE
from .singularity import SINGULAR_START

# 1 · responsibilities ------------------------------------------------------------------------------------------


def responsibilities(log_prior, log_likelihood):
    """p(z | x), shape (n, K), from log p(z), shape (K,), and log p(x | z), shape (n, K)."""
    return (log_prior + log_likelihood).softmax(-1)


def _responsibilities_cases():
    g = rng.seeded(1)
    yield torch.tensor([0.2, 0.8]).log(), torch.randn(5, 2, generator=g)
    prior = torch.tensor([0.5, 0.3, 0.2]).log().double()  # near -2000 single precision keeps three digits
    for far in (torch.tensor([[0.0], [-3.0], [-2000.0]]), -2000):  # exp(-2000) underflows
        yield prior, (torch.randn(3, 3, generator=g) + far).double()


def _whole(r):
    """Hard labels: 1 where a row is largest, else 0."""
    return torch.nn.functional.one_hot(r.argmax(-1), r.shape[-1]).to(r)


def _share(table, axis=-1):
    return table / table.sum(axis, keepdim=True)


def _divided(shift=0.0, keep_off_zero=0.0):
    """Joint over evidence without care for underflow: the log-joint is shifted by `shift(log_joint)` first."""

    def wrong(log_prior, log_likelihood):
        log_joint = log_prior + log_likelihood
        joint = (log_joint - (shift(log_joint) if shift else 0)).exp()
        return joint / (joint.sum(-1, keepdim=True) + keep_off_zero)

    return wrong


RESPONSIBILITIES = Exercise(
    responsibilities,
    _responsibilities_cases,
    mistakes=(
        Mistake(lambda prior, likelihood: likelihood.softmax(-1),
                "The **prior is missing**: you normalised the likelihood alone. Bayes' rule weighs every component "
                "with $\\pi_k$ too, and a rare component needs stronger evidence."),
        Mistake(lambda prior, likelihood: (prior + likelihood).softmax(0),
                "**Normalised over the wrong axis**: your columns add up to one, so each component shares itself out "
                "among the data. Each *row*, one data point, must add up to one over the components."),
        Mistake(lambda prior, likelihood: (prior + likelihood).exp(),
                "**Not normalised**: this is the joint $p(x, z)$, the numerator. Divide by $p(x)$, its sum over $z$."),
        Mistake(lambda prior, likelihood: (prior.exp() + likelihood).softmax(-1),
                "**A probability was added to a log-probability**: `log_prior` is a log already, and products become "
                "sums of logs. Don't exponentiate it before adding."),
        Mistake(lambda prior, likelihood: (prior + likelihood).log_softmax(-1),
                "These are the **logs** of the responsibilities. The function should return probabilities."),
        Mistake(lambda prior, likelihood: _share(prior * likelihood),
                "**Logs are not probabilities**: where probabilities are multiplied, their logs are added. And the "
                "sum over the components needs probabilities again, `exp`, which `softmax` does for you."),
        Mistake(lambda prior, likelihood: _share(likelihood.exp()),
                "The **prior is missing**: Bayes' rule weighs every component with $\\pi_k$ too. (And far from all "
                "components this is 0 / 0: stay in logs.)"),
        Mistake(lambda prior, likelihood: _share((prior + likelihood).exp(), 0),
                "**Normalised over the wrong axis**: each *row*, one data point, must add up to one, not each column. "
                "(And far from all components this underflows: stay in logs.)"),
        Mistake(lambda prior, likelihood: (prior + likelihood).exp() / (prior + likelihood).exp().sum(),
                "You divided by the **sum of the whole table**: each row, one data point, has an evidence of its own. "
                "Sum over the last axis only."),
        Mistake(_divided(),
                "The formula is right, but **far from all components it underflows**: exp(−2000) is 0 in floating "
                "point, and 0 / 0 is NaN. Stay in logs until the end: subtract the row's maximum first, or use "
                "`softmax`."),
        Mistake(_divided(shift=Tensor.max),
                "You subtracted **one maximum for all rows**: a row that lies far from all components still "
                "underflows. Subtract each row's own maximum."),
        Mistake(_divided(keep_off_zero=1e-10),
                "A **small number in the denominator** hides the NaN and makes the far row wrong instead: its "
                "responsibilities are 0 and no longer add up to one. Stay in logs: use `softmax`."),
        Mistake(lambda prior, likelihood: _whole(prior + likelihood),
                "These are **hard labels**: you gave each point whole to its most probable component. "
                "Responsibilities are the probabilities themselves."),
    ),
    hints=(
        "Which two logs make the log of the joint? And over what does the evidence sum: over data or over components?",
        "`softmax` along the last axis of the log-joint is exp, divide by the sum, and safe against underflow, in "
        "one.",
    ),
    minutes=5,
    difficulty=1,
)

# 2 · the bound --------------------------------------------------------------------------------------------------


def bound(log_joint, q):
    """F(q, theta) of every row, shape (n,), from log p(x, z) and q(z), both (n, K)."""
    return (q * log_joint - torch.special.xlogy(q, q)).sum(-1)


def _with_and_without_the_limit(wrong, message):
    """The mistake `wrong(log_joint, q, q log q)` where 0 log 0 is 0, and where it is NaN."""
    also = " (And where some $q_k = 0$ it is NaN: use `torch.special.xlogy(q, q)`.)"
    return (
        Mistake(lambda log_joint, q: wrong(log_joint, q, torch.special.xlogy(q, q)), message),
        Mistake(lambda log_joint, q: wrong(log_joint, q, q * q.log()), message + also),
    )


def _bound_cases():
    g = rng.seeded(2)
    yield torch.randn(4, 3, generator=g), torch.rand(4, 3, generator=g).softmax(-1)
    yield torch.randn(3, 2, generator=g), torch.tensor([[1.0, 0.0], [0.3, 0.7], [0.5, 0.5]])


BOUND = Exercise(
    bound,
    _bound_cases,
    mistakes=(
        Mistake(lambda log_joint, q: (q * log_joint).sum(-1),
                "The **entropy is missing**: $F$ has $-\\sum_k q_k \\log q_k$ as well. Without it the bound never "
                "touches $\\log p(x)$, unless the posterior is certain."),
        *_with_and_without_the_limit(
            lambda log_joint, q, q_log_q: (q * log_joint + q_log_q).sum(-1),
            "The **entropy has the wrong sign**: $F = \\sum q \\log p(x, z) - \\sum q \\log q$; an undecided $q$ "
            "raises it."),
        Mistake(lambda log_joint, q: log_joint.logsumexp(-1),
                "This is $\\log p(x)$ itself, **whatever $q$ is**. Either the log stands outside the sum (Jensen's "
                "inequality moves it inside, and that makes the bound), or you put the posterior in $q$'s place."),
        Mistake(lambda log_joint, q: (q * (log_joint.exp() / q)).sum(-1).log(),
                "The **log stands outside the sum**: then $q$ cancels, and this is $\\log p(x)$ (or 0 / 0, where "
                "$q_k = 0$). Jensen's inequality moves the log inside, and that makes the bound."),
        Mistake(lambda log_joint, q: (q * log_joint.log() - torch.special.xlogy(q, q)).sum(-1),
                "You took the **log of a log**: `log_joint` is $\\log p(x, z)$ already."),
        Mistake(lambda log_joint, q: (q * (log_joint - q)).sum(-1),
                "You subtracted $q$ **itself, not its log**: the entropy is $-\\sum_k q_k \\log q_k$."),
        *_with_and_without_the_limit(
            lambda log_joint, q, q_log_q: (q_log_q - q * log_joint).sum(-1),
            "This is **minus $F$**: a loss. The bound itself lies below $\\log p(x)$."),
        *_with_and_without_the_limit(
            lambda log_joint, q, q_log_q: (q_log_q - q * log_joint.log_softmax(-1)).sum(-1),
            "This is the **gap**, $\\mathrm{KL}(q \\,\\|\\, p(z \\mid x))$. The bound is $\\log p(x)$ minus it."),
        *_with_and_without_the_limit(
            lambda log_joint, q, q_log_q: (q * log_joint - q_log_q).mean(-1),
            "A **mean for a sum**: an expectation under $q$ weighs with $q$ already; dividing by $K$ again is too "
            "much."),
        Mistake(lambda log_joint, q: (q * log_joint - q * q.log()).sum(-1),
                "Right, except where some $q_k = 0$: then `0 * log(0)` is **NaN**, while $q \\log q \\to 0$. "
                "`torch.special.xlogy(q, q)` knows that limit."),
        Mistake(lambda log_joint, q: (q * log_joint - torch.special.xlogy(q, q)).sum(),
                "You **summed over the data too**: the bound is asked for each row, shape (n,)."),
    ),
    hints=(
        "Write $F$ as two sums over $k$: the expected log-joint, and the entropy of $q$. Which axis is $k$?",
        "`torch.special.xlogy(q, q)` is $q \\log q$ with $0 \\log 0 = 0$. Subtract it from `q * log_joint`, sum the "
        "last axis.",
    ),
    minutes=8,
    difficulty=2,
)

# 3 · the M-step -------------------------------------------------------------------------------------------------


def m_step(x, r):
    """Weights, means and variances, each (K,), from x, shape (n,), and responsibilities r, shape (n, K)."""
    counts = r.sum(0)
    means = (r * x[:, None]).sum(0) / counts
    variances = (r * (x[:, None] - means).square()).sum(0) / counts
    return counts / len(x), means, variances


def _m_step_cases():
    waiting = datasets.old_faithful()[:, 1]
    g = rng.seeded(3)
    yield waiting[:40], (4 * torch.randn(40, 2, generator=g) + torch.tensor([2.0, 0.0])).softmax(-1)
    yield torch.randn(15, generator=g), (4 * torch.randn(15, 3, generator=g)).softmax(-1)


def _spread(x, r, centre):
    return (r * (x[:, None] - centre).square()).sum(0)


def _m_step_with(weights=None, means=None, variances=None):
    """A wrong M-step: the right one with one of its three answers made by function(x, r, counts, means)."""

    def wrong(x, r):
        right, counts = m_step(x, r), r.sum(0)
        loc = means(x, r, counts, right[1]) if means else right[1]
        return (
            weights(x, r, counts, loc) if weights else right[0],
            loc,
            variances(x, r, counts, loc) if variances else _spread(x, r, loc) / counts,
        )

    return wrong


M_STEP = Exercise(
    m_step,
    _m_step_cases,
    mistakes=(
        Mistake(_m_step_with(weights=lambda x, r, counts, loc: counts),
                "Your **weights are counts**: they add up to the number of data. Divide by $n$, so that they add up "
                "to one."),
        Mistake(lambda x, r: (*m_step(x, r)[1:], m_step(x, r)[0]),
                "The right numbers in **another order**: return `(weights, means, variances)`."),
        Mistake(_m_step_with(means=lambda x, r, counts, loc: (r * x[:, None]).sum(0)),
                "Your **means are sums**: divide by $n_k = \\sum_i r_{ik}$."),
        Mistake(_m_step_with(variances=lambda x, r, counts, loc: _spread(x, r, loc)),
                "Your **variances are sums**: divide by $n_k = \\sum_i r_{ik}$."),
        Mistake(_m_step_with(variances=lambda x, r, counts, loc: _spread(x, r, loc) / (counts - 1)),
                "You divided the variances by $n_k - 1$: that is for unbiased estimates; **the maximum has $n_k$**."),
        Mistake(_m_step_with(variances=lambda x, r, counts, loc: (x[:, None] - loc).square().mean(0)),
                "Your **variances forget the responsibilities**: every component takes all data in full. Weigh each "
                "squared distance with $r_{ik}$ and divide by $n_k$."),
        Mistake(_m_step_with(means=lambda x, r, counts, loc: (r * x[:, None]).mean(0)),
                "Your **means are divided by $n$, not by $n_k$**: a component answers for $n_k = \\sum_i r_{ik}$ "
                "data, so that is what its mean must be divided by."),
        Mistake(_m_step_with(means=lambda x, r, counts, loc: (r * x[:, None]).mean(0),
                             variances=lambda x, r, counts, loc: _spread(x, r, loc) / len(x)),
                "Your **means and variances are divided by $n$, not by $n_k$**: a component answers for $n_k = "
                "\\sum_i r_{ik}$ data only."),
        Mistake(_m_step_with(variances=lambda x, r, counts, loc: _spread(x, r, loc) / len(x)),
                "Your **variances are divided by $n$, not by $n_k$**: rare components come out far too narrow."),
        Mistake(_m_step_with(variances=lambda x, r, counts, loc: (_spread(x, r, loc) / counts).sqrt()),
                "These are **standard deviations**; variances were asked for: no square root."),
        Mistake(_m_step_with(variances=lambda x, r, counts, loc: _spread(x, r, 0) / counts),
                "Your **variances are second moments**: $\\mathbb{E}[x^2]$. Subtract the mean before you square."),
        Mistake(_m_step_with(variances=lambda x, r, counts, loc: _spread(x, r, x.mean()) / counts),
                "Your variances are taken **around the mean of all data**. Each component has its own new mean."),
        Mistake(lambda x, r: m_step(x, _whole(r)),
                "You gave every data point **whole to one component** (hard EM, as in k-means). EM weighs with $r$."),
    ),
    hints=(
        "Everything is an average weighted with one column of `r`, divided by that column's sum.",
        "`r` is (n, K) and `x` is (n,): `x[:, None]` makes `r * x[:, None]` an (n, K) table. Sum it over axis 0.",
    ),
    returns=("weights", "means", "variances"),
    minutes=12,
    difficulty=2,
)

check = Checks("08", RESPONSIBILITIES, BOUND, M_STEP, SINGULAR_START, SHARED_VARIANCE)
