"""Importance sampling, held against closed forms and a proposal whose weights are known."""

import math

from course_lib import functional
from course_lib.errors import NumericalError
from course_lib.inference.approximation import GaussianApproximation
from course_lib.inference.importance import (
    Weighted,
    effective_sample_size,
    importance_sampling,
    naive_monte_carlo,
    standard_error,
)
from course_lib.rng import seeded
from tests.inference.linear_gaussian import LinearGaussian

import pytest
import scipy.special
import scipy.stats
import torch
import torch.distributions as td

DRAWS = 20_000


def correlated(n=2, d=3):
    factor = torch.tril(torch.randn(n, d, d, generator=seeded(5)), -1) + torch.diag_embed(torch.ones(n, d))
    return GaussianApproximation(torch.randn(n, d, generator=seeded(6)), factor)


@pytest.mark.oracle("torch.distributions.MultivariateNormal", "inference.approximation.GaussianApproximation.*")
def test_a_gaussian_approximation_is_a_gaussian():
    q = correlated()
    reference = td.MultivariateNormal(q.loc, scale_tril=q.scale_tril)
    z = torch.randn(7, 2, 3, generator=seeded(0))
    torch.testing.assert_close(q.log_prob(z), reference.log_prob(z))
    torch.testing.assert_close(q.covariance, reference.covariance_matrix)
    torch.testing.assert_close(q.transform(z), q.loc + (q.scale_tril @ z[..., None])[..., 0])
    around = GaussianApproximation.around(q.loc, 2.0)
    torch.testing.assert_close(around.log_prob(z), td.Normal(q.loc, 2.0).log_prob(z).sum(-1))
    assert not q._replace(loc=q.loc.clone().requires_grad_()).sample(2, seeded(0)).requires_grad
    with pytest.raises(ValueError, match=r"`z` must have shape \(s, 2, 3\); got \(2, 3\)"):
        q.log_prob(z[0])


def whitened_is_standard(q, draws):
    """The criterion: after the closed form's whitening, first and second moments are those of N(0, I)."""
    white = torch.linalg.solve_triangular(q.scale_tril, (draws - q.loc)[..., None], upper=False)[..., 0]
    second = (white[..., None] * white[..., None, :]).mean(0) - torch.eye(white.shape[-1])
    return max(white.mean(0).abs().max(), second.abs().max() / math.sqrt(2)) * math.sqrt(len(draws)) < 5


@pytest.mark.oracle(
    "closed-form moments; a planted fault is caught", "inference.approximation.GaussianApproximation.sample"
)
def test_its_draws_have_its_moments():
    q = correlated()
    assert whitened_is_standard(q, q.sample(DRAWS, seeded(0)))
    transposed = q._replace(scale_tril=q.scale_tril.mT)
    assert not whitened_is_standard(q, transposed.sample(DRAWS, seeded(0)))


@pytest.mark.oracle("scipy.special.logsumexp", "functional.log_mean_exp")
def test_log_mean_exp():
    values = torch.randn(5, 3, generator=seeded(0)) * 500
    for dim in (0, 1):
        expected = scipy.special.logsumexp(values.numpy(), axis=dim, b=1 / values.shape[dim])
        torch.testing.assert_close(functional.log_mean_exp(values, dim), torch.as_tensor(expected))


def evidence_is_found(weighted, model):
    """The criterion: for every data point the estimate is within 5 of its standard errors of log p(x)."""
    return bool(((weighted.log_evidence - model.log_evidence).abs() < 5 * weighted.standard_error).all())


@pytest.mark.oracle(
    "closed form, linear-Gaussian in 2, 8 and 32 dimensions; planted faults are caught",
    "inference.importance.importance_sampling",
    "inference.importance.Weighted.*",
    "inference.importance.Proposal.*",
)
@pytest.mark.parametrize("d", [2, 8, 32])
def test_importance_sampling_finds_the_evidence(d):
    model = LinearGaussian(d)
    proposal = GaussianApproximation(model.mean, 1.2 * torch.linalg.cholesky(model.covariance).expand(2, d, d))
    weighted = importance_sampling(model.log_joint, proposal, DRAWS, seeded(0))
    assert evidence_is_found(weighted, model)
    assert (weighted.effective_sample_size > 0.1 * DRAWS).all()

    mean = weighted.expectation(weighted.z)
    spread = model.covariance.diagonal().sqrt() / weighted.effective_sample_size.sqrt()[:, None]
    assert ((mean - model.mean) / spread).abs().max() < 5

    without_proposal = weighted._replace(log_weights=model.log_joint(weighted.z))
    without_prior = importance_sampling(model.log_likelihood, proposal, DRAWS, seeded(0))
    assert not evidence_is_found(without_proposal, model)
    assert not evidence_is_found(without_prior, model)


@pytest.mark.oracle("closed form", "inference.importance.naive_monte_carlo", "inference.importance.importance_sampling")
@pytest.mark.parametrize("shared", [1, 2])
def test_naive_monte_carlo_is_importance_sampling_from_the_prior(shared):
    model = LinearGaussian(2)
    draw = lambda n, g: torch.randn(n, shared, 2, generator=g)  # noqa: E731, shared=1: one z for all data points
    weighted = naive_monte_carlo(model.log_likelihood, draw, DRAWS, seeded(0))
    assert weighted.log_weights.shape == (DRAWS, 2)
    assert evidence_is_found(weighted, model)
    prior = GaussianApproximation.around(torch.zeros(shared, 2))
    again = importance_sampling(model.log_joint, prior, DRAWS, seeded(0))
    torch.testing.assert_close(again.log_weights, weighted.log_weights)
    assert weighted.expectation(weighted.z).shape == (2, 2)


@pytest.mark.oracle("closed form: x | z ~ N(w z, 1) in 2, 8 and 32 dimensions; a planted fault is caught",
                    "inference.importance.naive_monte_carlo")
@pytest.mark.parametrize("d", [2, 8, 32])
def test_naive_monte_carlo_finds_the_evidence(d):
    """One datum tells so little of z that draws from the prior are good enough, however many dimensions it has."""
    slopes, x = torch.randn(2, d, generator=seeded(d)) / math.sqrt(d), torch.tensor([0.5, -1.0])

    def log_likelihood(z):
        return td.Normal((z * slopes).sum(-1), 1.0).log_prob(x)

    weighted = naive_monte_carlo(log_likelihood, lambda n, g: torch.randn(n, 2, d, generator=g), DRAWS, seeded(0))
    truth = td.Normal(0.0, (1 + slopes.square().sum(-1)).sqrt()).log_prob(x)
    score = (weighted.log_evidence - truth) / weighted.standard_error
    assert score.abs().max() < 5
    twice = weighted._replace(log_weights=2 * weighted.log_weights)
    assert ((twice.log_evidence - truth) / twice.standard_error).abs().min() > 5


def test_an_exact_proposal_has_weights_without_spread():
    model = LinearGaussian(8)
    exact = GaussianApproximation(model.mean, torch.linalg.cholesky(model.covariance).expand(2, 8, 8))
    weighted = importance_sampling(model.log_joint, exact, 10, seeded(0))
    torch.testing.assert_close(weighted.log_weights, model.log_evidence.expand(10, 2))
    torch.testing.assert_close(weighted.effective_sample_size, torch.full((2,), 10.0))
    assert weighted.standard_error.max() < 1e-10


@pytest.mark.oracle(
    "closed form, log-normal weights",
    "inference.importance.Weighted.standard_error",
    "inference.importance.Weighted.jensen_bias",
    "inference.importance.Weighted.log_evidence",
)
def test_standard_error_and_jensen_bias_are_those_of_many_repetitions():
    """Weights exp(sigma e - sigma^2 / 2) have mean 1 and variance exp(sigma^2) - 1."""
    sigma, size, repetitions = 0.5, 100, 60_000
    log_weights = sigma * torch.randn(size, repetitions, generator=seeded(0)) - sigma**2 / 2
    weighted = Weighted(torch.zeros(size, 1, 1), log_weights)
    spread = math.sqrt(math.expm1(sigma**2) / size)
    repeated = weighted.log_evidence
    assert repeated.std() == pytest.approx(spread, rel=0.03)
    assert weighted.standard_error.square().mean() == pytest.approx(spread**2, rel=0.03)
    assert weighted.jensen_bias.mean() == pytest.approx(-(spread**2) / 2, rel=0.03)
    # the bias to second order leaves out terms of order 1 / size^2
    assert abs(repeated.mean() + spread**2 / 2) < 5 * repeated.std() / math.sqrt(repetitions) + 1 / size**2
    assert repeated.mean() < -4 * repeated.std() / math.sqrt(repetitions)  # Jensen's bias is seen


@pytest.mark.oracle("closed form", "inference.importance.effective_sample_size", "inference.importance.Weighted.*")
def test_effective_sample_size_counts_equal_weights():
    weights = torch.tensor([[1.0, 1.0, 3.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    log_weights = weights.log() - 2000
    torch.testing.assert_close(effective_sample_size(log_weights), torch.tensor([4.0, 2.0, 1.6]))
    torch.testing.assert_close(Weighted(weights, log_weights).effective_sample_size, torch.tensor([4.0, 2.0, 1.6]))


@pytest.mark.oracle("the same in double precision, without the offset",
                    "inference.importance.effective_sample_size", "inference.importance.Weighted.standard_error")
def test_a_large_offset_costs_no_digits():
    """Logs of -1e6 have steps of 1/16 in single precision; their differences here are exact."""
    log_weights = torch.tensor([[0.0], [0.0], [-1.0], [-2.5], [0.5]])
    far, near = (Weighted(log_weights, part) for part in (log_weights.float() - 1e6, log_weights))
    for name in ("effective_sample_size", "standard_error"):
        torch.testing.assert_close(getattr(far, name).double(), getattr(near, name), rtol=1e-6, atol=0)


@pytest.mark.oracle("scipy.stats.sem", "inference.importance.standard_error")
def test_standard_error_of_a_mean():
    values = torch.randn(9, 4, generator=seeded(0))
    torch.testing.assert_close(standard_error(values), torch.as_tensor(scipy.stats.sem(values.numpy())))
    assert standard_error(values[:1]).isnan().all()


@pytest.mark.oracle("message pinned", "errors.require_values", "errors.require_log_density")
def test_bad_input_is_named():
    model, prior = LinearGaussian(2), GaussianApproximation.around(torch.zeros(2, 2))
    with pytest.raises(ValueError, match="`draws` must be a whole number >= 1; got 0"):
        importance_sampling(model.log_joint, prior, 0, seeded(0))
    with pytest.raises(ValueError, match=r"`log_joint` must give shape \(5, 2\), .*; got \(5, 2, 2\)"):
        importance_sampling(lambda z: z, prior, 5, seeded(0))
    with pytest.raises(ValueError, match=r"`log_likelihood` must give shape \(5, 2\), .*; got float"):
        naive_monte_carlo(lambda z: 0.0, prior.sample, 5, seeded(0))
    with pytest.raises(NumericalError, match=r"`log_joint` must give a number.*; got 2 other.* nan, at \(3, 0\)"):
        importance_sampling(lambda z: z[..., 0].index_fill(0, torch.tensor([3]), math.nan), prior, 5, seeded(0))


class Wrong(GaussianApproximation):
    """A proposal that gives one density a coordinate, where it should give one a draw."""

    def log_prob(self, z):
        return td.Normal(0.0, 1.0).log_prob(z)


@pytest.mark.oracle("message pinned", "inference.importance.importance_sampling", "inference.importance.Weighted.*")
def test_what_broadcasts_by_chance_is_named():
    """In one dimension, and with as many data points as draws, wrong shapes go together: to a wrong answer."""
    joint = lambda z: td.Normal(0.0, 1.0).log_prob(z).sum(-1)  # noqa: E731
    proposal = GaussianApproximation.around(torch.zeros(1))
    with pytest.raises(ValueError, match=r"`proposal.log_prob` must give shape \(7,\), .*; got \(7, 1\)"):
        importance_sampling(joint, Wrong(*proposal), 7, seeded(0))
    with pytest.raises(NumericalError, match=r"`proposal.log_prob` must give a number.*got 7 other values"):
        importance_sampling(joint, proposal._replace(scale_tril=-proposal.scale_tril), 7, seeded(0))
    weighted = Weighted(torch.zeros(3, 3, 1), torch.zeros(3, 3))
    for values in (torch.zeros(3), torch.zeros(1, 3)):
        with pytest.raises(ValueError, match=r"`values` must have shape \(3, 3, \.\.\.\); got"):
            weighted.expectation(values)


def test_a_target_that_is_nowhere_has_no_evidence():
    prior = GaussianApproximation.around(torch.zeros(2, 2))
    weighted = importance_sampling(lambda z: torch.full(z.shape[:-1], -math.inf), prior, 5, seeded(0))
    assert (weighted.log_evidence == -math.inf).all()
