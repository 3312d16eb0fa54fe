"""The exercises of lesson 12 on posteriors: a grid, covered pixels, two causes; the list of all checks."""

import torch
from torch import Tensor

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from .away import EXPLAINING_AWAY
from .fisher import FISHER_GRADIENT
from .reverse import TWO_MODES

# 1 · the posterior on a grid -----------------------------------------------------------------------------------------


def grid_posterior(log_likelihood, log_prior, area):
    """log p(x_i), (n,), and the posterior's masses, (n, m), from log p(x_i | z_j) (n, m), log p(z_j), area (m,)."""
    terms = log_likelihood + log_prior + area.log()
    return terms.logsumexp(-1), terms.softmax(-1)


def _grid_cases():
    for seed, shift in ((1, 0.0), (2, 2000.0)):
        g = rng.seeded(seed)
        tables = (2 * torch.randn(4, 7, generator=g) - shift, torch.randn(7, generator=g) - 1.0,
                  0.05 + torch.rand(7, generator=g))
        yield tuple(table.double() for table in tables)  # near -2000 single precision keeps three digits


def _both(terms: Tensor) -> tuple[Tensor, Tensor]:
    return terms.logsumexp(-1), terms.softmax(-1)


def _careless(terms: Tensor) -> tuple[Tensor, Tensor]:
    joint = terms.exp()
    return joint.sum(-1).log(), joint / joint.sum(-1, keepdim=True)


GRID_POSTERIOR = Exercise(
    grid_posterior,
    _grid_cases,
    mistakes=(
        Mistake(lambda like, prior, area: _both(like + area.log()),
                "The **prior is missing**: you normalised the likelihood. $p(x \\mid z)$ as a function of $z$ is no "
                "distribution, and says nothing of how probable a cause was before."),
        Mistake(lambda like, prior, area: _both(like),
                "This is the **likelihood, normalised**: neither the prior nor the cells' areas are in it."),
        Mistake(lambda like, prior, area: _both(like + prior),
                "The **areas are missing**: $p(z_j)$ is a density, and the cells are not equally large. A cell's mass "
                "is density times area."),
        Mistake(lambda like, prior, area: (grid_posterior(like, prior, area)[0],
                                           grid_posterior(like, prior, area)[1] / area),
                "These are the posterior's **densities**: masses, which add up to one, are asked for. Multiply by the "
                "area."),
        Mistake(lambda like, prior, area: ((like + prior + area.log()).logsumexp(-1),
                                           (like + prior + area.log()).softmax(0)),
                "**Normalised over the pictures**: each row, one picture, must add up to one over the causes."),
        Mistake(lambda like, prior, area: ((like + prior + area.log()).logsumexp(0),
                                           (like + prior + area.log()).softmax(0)),
                "**Summed over the pictures**: $p(x)$ is one number for each picture, a sum over the causes."),
        Mistake(lambda like, prior, area: _careless(like + prior + area.log()),
                "Right, until it **underflows**: exp(−2000) is 0 and 0/0 is NaN. `logsumexp` and `softmax` take the "
                "largest term out first."),
        Mistake(lambda like, prior, area: _both(like + prior + area),
                "You **added the area** to logs: a product becomes a sum of *logs*."),
        Mistake(lambda like, prior, area: ((like + prior + area.log()).logsumexp(-1),
                                           (like + prior + area.log()).log_softmax(-1)),
                "The second part holds the **logs** of the masses: take `softmax`, or exponentials."),
        Mistake(lambda like, prior, area: ((like + prior + area.log()).logsumexp(-1),
                                           (like + prior + area.log()).exp()),
                "The second part is the **joint**, not yet divided by $p(x)$: its rows do not add up to one."),
        Mistake(lambda like, prior, area: ((like + prior + area.log()).logsumexp(-1).exp(),
                                           (like + prior + area.log()).softmax(-1)),
                "The first part is **$p(x)$ itself**: its log is asked for, since exp(−2000) is 0 on a computer."),
        Mistake(lambda like, prior, area: (grid_posterior(like, prior, area)[0], torch.nn.functional.one_hot(
                    (like + prior + area.log()).argmax(-1), like.shape[-1]).to(like)),
                "All mass on the **most probable cause**: the mode is one point of the posterior, not the posterior."),
        Mistake(lambda like, prior, area: ((like + prior + area.log()).sum(-1),
                                           (like + prior + area.log()).softmax(-1)),
                "The first part is the **sum of the logs**. $p(x)$ is a sum of probabilities, and its log is taken "
                "after summing: `logsumexp`."),
        Mistake(lambda like, prior, area: ((like + prior).logsumexp(-1), (like + prior + area.log()).softmax(-1)),
                "The masses are right. But in **$\\log p(x)$ the areas are missing**: sum the same terms there."),
    ),
    hints=(
        "What is the mass of the joint in cell $j$? Three factors, so three logs to add; then normalise each row.",
        "`terms = log_likelihood + log_prior + area.log()`; its `logsumexp` and its `softmax`, both along the last "
        "axis, are the two answers.",
    ),
    returns=("log_evidence", "masses"),
    minutes=6,
    difficulty=1,
)

# 2 · covered pixels --------------------------------------------------------------------------------------------------


def predictive(x, seen, points, log_weights, decode):
    """p(ink) of every pixel of x (D,) once those marked in `seen` (D,) are known: their own values, shape (D,).

    `points` (m, d) have prior masses exp(log_weights), (m,); `decode(points)` gives the log-odds of ink, (m, D).
    """
    logits = decode(points)
    table = x * logits - torch.nn.functional.softplus(logits)  # log p(x_d | z_j), (m, D)
    masses = (log_weights + table[:, seen].sum(-1)).softmax(0)  # (m,)
    return torch.where(seen, x, masses @ logits.sigmoid())


def _decoder(z: Tensor) -> Tensor:
    """A bent decoder of six pixels, whose logits are not linear in z."""
    return torch.stack([3 * (z[:, 0] * z[:, 1]), 2 * z[:, 0] ** 2 - 1, 2 * z[:, 1], (3 * z[:, 0]).sin(),
                        1 - z[:, 1] ** 2, z[:, 0] - z[:, 1]], -1)


def _predictive_cases():
    axis = torch.linspace(-2, 2, 9)
    points = torch.cartesian_prod(axis, axis)
    log_weights = (-points.square().sum(-1) / 2).log_softmax(0)
    for seed, cover in ((1, [0, 3, 5]), (2, [1, 2]), (3, [0, 1, 2, 4])):
        seen = torch.ones(6, dtype=torch.bool)
        seen[cover] = False
        yield rng.bernoulli(torch.full((6,), 0.5), rng.seeded(seed)), seen, points, log_weights, _decoder


def _masses(x, seen, points, log_weights, decode):
    logits = decode(points)
    table = x * logits - torch.nn.functional.softplus(logits)
    return (log_weights + table[:, seen].sum(-1)).softmax(0), logits


def _filled(x, seen, masses, logits):
    return torch.where(seen, x, masses @ logits.sigmoid())


def _of_mean_cause(x, seen, points, log_weights, decode):
    masses, _ = _masses(x, seen, points, log_weights, decode)
    return torch.where(seen, x, decode((masses @ points)[None])[0].sigmoid())


def _of_mode(x, seen, points, log_weights, decode):
    masses, logits = _masses(x, seen, points, log_weights, decode)
    return torch.where(seen, x, logits[masses.argmax()].sigmoid())


def _of_mean_logits(x, seen, points, log_weights, decode):
    masses, logits = _masses(x, seen, points, log_weights, decode)
    return torch.where(seen, x, (masses @ logits).sigmoid())


def _peeking(x, seen, points, log_weights, decode):
    return _filled(x, seen, *_masses(x, torch.ones_like(seen), points, log_weights, decode))


def _as_paper(x, seen, points, log_weights, decode):
    return _filled(x, seen, *_masses(x * seen, torch.ones_like(seen), points, log_weights, decode))


def _of_prior(x, seen, points, log_weights, decode):
    return _filled(x, seen, log_weights.softmax(0), decode(points))


def _without_prior(x, seen, points, log_weights, decode):
    return _filled(x, seen, *_masses(x, seen, points, torch.zeros_like(log_weights), decode))


def _not_filled(x, seen, points, log_weights, decode):
    masses, logits = _masses(x, seen, points, log_weights, decode)
    return masses @ logits.sigmoid()


def _log_odds(x, seen, points, log_weights, decode):
    masses, logits = _masses(x, seen, points, log_weights, decode)
    return torch.where(seen, x, masses @ logits)


def _unnormalised(x, seen, points, log_weights, decode):
    logits = decode(points)
    table = x * logits - torch.nn.functional.softplus(logits)
    return torch.where(seen, x, (log_weights + table[:, seen].sum(-1)).exp() @ logits.sigmoid())


def _from_the_covered(x, seen, points, log_weights, decode):
    return _filled(x, seen, *_masses(x, ~seen, points, log_weights, decode))


PREDICTIVE = Exercise(
    predictive,
    _predictive_cases,
    mistakes=(
        Mistake(_of_mean_cause,
                "This is the **picture of the average cause**; asked for is the average of the pictures. The mean of a "
                "posterior with two modes lies between them, where hardly any cause is."),
        Mistake(_of_mode,
                "This is the picture of **one cause**, the mode: all other causes that fit have been dropped."),
        Mistake(_of_mean_logits,
                "You averaged the **log-odds**: probabilities are to be averaged. Take the sigmoid first."),
        Mistake(_peeking, "You **peeked**: the covered pixels are in your likelihood. Sum over the seen ones only."),
        Mistake(_as_paper,
                "You took **covered for paper**: a pixel that was not seen is no observation. It drops out of the "
                "product."),
        Mistake(_of_prior, "This averages under the **prior**: the seen pixels have not been used."),
        Mistake(_without_prior, "The **prior's masses are missing** from your posterior: add `log_weights`."),
        Mistake(_log_odds, "These are averages of the **log-odds**: take the sigmoid of `decode(points)` first."),
        Mistake(_unnormalised,
                "The weights do **not add up to one**: normalise $w_j \\, p(\\mathrm{seen} \\mid z_j)$ over $j$."),
        Mistake(lambda x, seen, *rest: torch.where(seen, _not_filled(x, seen, *rest), x),
                "**`torch.where` is turned round**: where `seen` is True stands `x`, elsewhere your average."),
        Mistake(_not_filled,
                "The covered pixels are right. But a **seen pixel is known**: there return its value, 0 or 1."),
        Mistake(lambda x, seen, *rest: _not_filled(x, torch.ones_like(seen), *rest),
                "`seen` was **not used**: the covered pixels are in your likelihood, the seen ones not yet filled in."),
        Mistake(_from_the_covered, "The **mask is turned round**: `seen` is True where a pixel *is* known."),
    ),
    hints=(
        "First the posterior from the seen pixels alone: $w_j \\prod_{d\\,\\mathrm{seen}} p(x_d \\mid z_j)$, "
        "normalised. Then each covered pixel: $\\sum_j p(z_j \\mid \\mathrm{seen}) \\, \\sigma(a_{jd})$.",
        "`torch.distributions.Bernoulli(logits=decode(points)).log_prob(x)[:, seen].sum(-1)` is the log-likelihood, "
        "(m,). Add `log_weights`, `softmax(0)`, and a product with `decode(points).sigmoid()`; at the end "
        "`torch.where(seen, x, ...)`.",
    ),
    minutes=10,
    difficulty=2,
)

check = Checks("12", GRID_POSTERIOR, PREDICTIVE, EXPLAINING_AWAY, FISHER_GRADIENT, TWO_MODES)
