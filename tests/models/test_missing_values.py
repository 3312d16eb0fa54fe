"""Mixtures that have seen a part of x: held against sums, integrals and scipy, for every pattern of seen values."""

import itertools

from course_lib.inference.oracle import grid
from course_lib.models import BernoulliMixture, CategoricalMixture, GaussianMixture
from course_lib.rng import randn, seeded
from tests.models.specimens import binary

import pytest
import scipy.stats
import torch

KINDS = [("full", False), ("full", True), ("diagonal", False), ("diagonal", True)]
PATTERNS = [torch.tensor(pattern) for pattern in itertools.product([True, False], repeat=3)]


def shaken(model, size=0.5):
    generator = seeded(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(size * randn(tuple(parameter.shape), generator, parameter))
    return model


def gaussians(covariance, tied):
    return shaken(GaussianMixture(2, 3, covariance=covariance, tied=tied))


def discrete():
    """Both discrete mixtures, with all values that they can draw."""
    yield shaken(BernoulliMixture(2, 3)), binary(3)[0]
    yield shaken(CategoricalMixture(2, (3, 2, 4))), torch.cartesian_prod(*map(torch.arange, (3, 2, 4)))


def hide(x, seen):
    """What is unseen becomes what must never be looked at."""
    return torch.where(seen, x, torch.nan if x.is_floating_point() else -1)


@pytest.mark.parametrize(("covariance", "tied"), KINDS)
@pytest.mark.oracle("scipy.stats.multivariate_normal of the seen block", "models.Mixture.log_joint",
                    "models.GaussianMixture.log_likelihood")
def test_marginals_of_gaussians_are_scipys(covariance, tied):
    model = gaussians(covariance, tied)
    x = model.sample(6, seeded(0))
    sigma = (model.scale_tril @ model.scale_tril.mT).detach()
    for seen in PATTERNS[:-1]:
        theirs = torch.stack([
            torch.tensor(scipy.stats.multivariate_normal.logpdf(x[:, seen], loc[seen], block[seen][:, seen]))
            for loc, block in zip(model.loc.detach(), sigma)
        ], -1)  # (n, K)
        torch.testing.assert_close(model.log_likelihood(hide(x, seen), seen=seen), theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("covariance", "tied"), KINDS)
@pytest.mark.oracle("the same rows, one pattern at a time", "models.GaussianMixture.log_likelihood",
                    "models.GaussianMixture.expected")
def test_rows_with_different_patterns_keep_their_order(covariance, tied):
    model = gaussians(covariance, tied)
    seen = torch.stack(PATTERNS * 3)[torch.randperm(24, generator=seeded(2))]
    x = hide(model.sample(24, seeded(1)), seen)
    single = torch.cat([model.log_prob(row[None], seen=known) for row, known in zip(x, seen)])
    torch.testing.assert_close(model.log_prob(x, seen=seen), single)
    single = torch.cat([model.expected(row[None], known) for row, known in zip(x, seen)])
    torch.testing.assert_close(model.expected(x, seen), single)


@pytest.mark.parametrize("seen", PATTERNS[1:], ids=str)
@pytest.mark.parametrize(("covariance", "tied"), KINDS)
@pytest.mark.oracle("closed form of the conditional Gaussian", "models.GaussianMixture.expected",
                    "models.Mixture.complete")
def test_what_gaussians_fill_in_has_the_exact_mean_and_covariance(covariance, tied, seen):
    model, hidden = gaussians(covariance, tied), ~seen
    row = model.sample(1, seeded(3))
    sigma = (model.scale_tril @ model.scale_tril.mT).detach()
    r = model.posterior(hide(row, seen), seen=seen)[0].detach()
    gain = sigma[:, hidden][:, :, seen] @ torch.linalg.inv(sigma[:, seen][:, :, seen])  # (K, u, s)
    means = model.loc.detach()[:, hidden] + (gain @ (row[:, seen] - model.loc.detach()[:, seen])[..., None])[..., 0]
    spread = sigma[:, hidden][:, :, hidden] - gain @ sigma[:, seen][:, :, hidden]
    mean = r @ means
    centred = means - mean
    covariance = (r[:, None, None] * (spread + centred[..., None] * centred[:, None])).sum(0)
    torch.testing.assert_close(model.expected(hide(row, seen), seen)[0, hidden], mean, rtol=1e-9, atol=1e-9)
    n = 20_000
    drawn = model.complete(hide(row, seen).expand(n, -1), seen, seeded(4))
    assert torch.equal(drawn[:, seen], row[:, seen].expand(n, -1))
    u = drawn[:, hidden] - mean
    products = u[..., None] * u[:, None]  # (n, u, u)
    assert (u.mean(0) / (covariance.diagonal() / n).sqrt()).abs().max() < 5
    assert ((products.mean(0) - covariance) / (products.std(0) / n**0.5)).abs().max() < 5


@pytest.mark.oracle("quadrature of the joint density", "models.Mixture.log_prob", "models.GaussianMixture.expected")
def test_marginal_and_mean_are_integrals_of_the_density():
    model = gaussians("full", False)
    points, log_weights = grid(-12, 12, 400, 2)
    seen = torch.tensor([False, True, False])
    x = torch.tensor([[torch.nan, 0.7, torch.nan]])
    whole = torch.stack([points[:, 0], torch.full_like(points[:, 0], 0.7), points[:, 1]], -1)
    log_mass = model.log_prob(whole) + log_weights
    torch.testing.assert_close(model.log_prob(x, seen=seen)[0], log_mass.logsumexp(0), rtol=1e-8, atol=1e-8)
    mean = (log_mass.softmax(0)[:, None] * points).sum(0)
    torch.testing.assert_close(model.expected(x, seen)[0, ~seen], mean, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("seen", PATTERNS, ids=str)
@pytest.mark.oracle("enumeration of what is unseen", "models.Mixture.log_prob", "models.Mixture.complete",
                    "models.BernoulliMixture.expected", "models.BernoulliMixture.log_likelihood",
                    "models.CategoricalMixture.expected", "models.CategoricalMixture.log_likelihood")
def test_discrete_mixtures_sum_out_what_is_unseen(seen):
    n = 20_000
    for model, points in discrete():
        p = model.log_prob(points).exp().detach()
        agree = ((points[:, None] == points) | ~seen).all(-1).double()  # (m, m): equal where seen
        torch.testing.assert_close(model.log_prob(hide(points, seen), seen=seen).exp(), agree @ p)
        row = points[1]
        given = agree[1] * p / (agree[1] @ p)  # (m,)
        values = points if points.is_floating_point() else torch.nn.functional.one_hot(points).double()
        mean = (given.view(-1, *[1] * (values.ndim - 1)) * values).sum(0)
        torch.testing.assert_close(model.expected(hide(row, seen)[None], seen)[0], mean)
        drawn = model.complete(hide(row, seen).expand(n, -1), seen, seeded(1))
        share = (drawn[:, None] == points).all(-1).double().mean(0)
        assert share.sum().item() == pytest.approx(1)
        assert ((share - given) / (given * (1 - given) / n).sqrt().clamp_min(1e-12)).abs().max() < 5


@pytest.mark.oracle("closed form: the prior", "models.Mixture.posterior")
def test_with_nothing_seen_the_posterior_is_the_prior():
    nothing = torch.tensor([False, False, False])
    for model in (gaussians("full", False), gaussians("diagonal", True), *(model for model, _ in discrete())):
        x = hide(model.sample(2, seeded(0)), nothing)
        torch.testing.assert_close(model.posterior(x, seen=nothing), model.weights.expand(2, -1))
        torch.testing.assert_close(model.log_prob(x, seen=nothing), torch.zeros(2))


@pytest.mark.oracle("a planted fault is caught", "models.Mixture.complete")
def test_a_completion_that_forgets_the_seen_is_caught_by_that_test():
    """It draws the unseen values as if nothing had been seen: wrong wherever z ties the values together."""
    model, points, n = shaken(BernoulliMixture(2, 3), 2.0), binary(3)[0], 20_000
    p = model.log_prob(points).exp().detach()
    given = p * (points[:, 0] == 1)
    given = given / given.sum()
    drawn = model.sample(n, seeded(1))
    drawn[:, 0] = 1.0
    share = (drawn[:, None] == points).all(-1).double().mean(0)
    assert ((share - given) / (given * (1 - given) / n).sqrt().clamp_min(1e-12)).abs().max() > 5


@pytest.mark.oracle("finite differences", "models.GaussianMixture.log_likelihood")
@pytest.mark.parametrize(("covariance", "tied"), KINDS)
def test_gradients_of_rows_with_holes_are_those_of_finite_differences(covariance, tied):
    model, seen, h = gaussians(covariance, tied), torch.stack(PATTERNS[:-1]), 1e-6
    x = hide(model.sample(7, seeded(0)), seen)
    model.log_prob(x, seen=seen).sum().backward()
    for parameter in model.parameters():
        step = h * randn(tuple(parameter.shape), seeded(1), parameter)
        with torch.no_grad():
            parameter.add_(step)
            above = model.log_prob(x, seen=seen).sum()
            parameter.sub_(2 * step)
            below = model.log_prob(x, seen=seen).sum()
            parameter.add_(step)
        torch.testing.assert_close((parameter.grad * step).sum() / h, (above - below) / (2 * h), rtol=1e-6, atol=1e-6)


@pytest.mark.oracle("the same in float64", "models.GaussianMixture.log_likelihood", "models.GaussianMixture.expected")
def test_float32_and_float64_agree():
    for model in [gaussians(*kind) for kind in KINDS] + [next(discrete())[0]]:
        seen = torch.stack(PATTERNS)
        x = hide(model.sample(8, seeded(0)), seen)
        double = model.log_prob(x, seen=seen), model.expected(x, seen)
        single = model.float().log_prob(x.float(), seen=seen), model.expected(x.float(), seen)
        for one, two in zip(single, double):
            assert one.dtype == torch.float32
            torch.testing.assert_close(one.double(), two, rtol=1e-4, atol=1e-4)
        assert model.complete(x.float(), seen, seeded(0)).dtype == torch.float32


@pytest.mark.oracle("message pinned", "errors.require_seen")
def test_a_wrong_mask_is_named():
    model, x = gaussians("full", False), torch.zeros(4, 3)
    with pytest.raises(ValueError, match=r"`seen` must be a boolean tensor; got torch.float64\."):
        model.log_prob(x, seen=torch.ones(4, 3))
    with pytest.raises(ValueError, match=r"`seen` must be a boolean tensor; got list\."):
        model.complete(x, [True, True, False], seeded(0))
    with pytest.raises(ValueError, match=r"`seen` must have shape \(4, 3\) or \(3,\); got \(4,\)\."):
        model.expected(x, torch.tensor([True] * 4))
    with pytest.raises(ValueError, match=r"`seen` must be on cpu, where the model is; got meta"):
        model.posterior(x, seen=torch.ones(3, dtype=torch.bool, device="meta"))


@pytest.mark.oracle("message pinned", "models.Mixture.complete")
def test_seen_values_that_cannot_be_are_named():
    """A hole that `seen` forgets to mention is not filled in with nonsense."""
    seen = torch.tensor([True, True, False])
    for covariance in ("full", "diagonal"):
        with pytest.raises(ValueError, match=r"`x` must be finite; got 1 NaN or .*, the first at \(0, 1\)\."):
            gaussians(covariance, False).complete(torch.tensor([[0.0, torch.nan, torch.nan]]), seen, seeded(0))
    (binary_mixture, _), (codes, _) = discrete()
    with pytest.raises(ValueError, match=r"`x` must hold only 0 and 1; got 7\.0 at \(0, 0\)"):
        binary_mixture.complete(torch.tensor([[7.0, 0.0, torch.nan]]), seen, seeded(0))
    with pytest.raises(ValueError, match=r"`x\[:, 1\]` must hold 1 whole numbers from 0 to 1; got .* values 2 to 2"):
        codes.complete(torch.tensor([[0, 2, -1]]), seen, seeded(0))
