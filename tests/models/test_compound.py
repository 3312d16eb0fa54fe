"""Infinite mixtures, held against scipy, quadrature over the hidden number, and their finite approximations."""

from itertools import pairwise

from course_lib import datasets
from course_lib.functional import beta_log_prob, gamma_log_prob, log_beta_function, log_rising_factorial
from course_lib.inference.oracle import quadrature
from course_lib.models import BetaBinomial, NegativeBinomial, StudentT
from course_lib.models.conjugate import Beta, Gamma
from course_lib.rng import seeded
from course_lib.training import fit, gradient_descent

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch

NAMES = ["student-t", "negative-binomial", "beta-binomial"]


def counts(largest=10):
    return torch.arange(largest + 1.0)[:, None]


def student_t(freedom=3.5, loc=0.7, scale=1.6):
    model = StudentT()
    model.load_state_dict({"loc": torch.tensor(loc), "log_scale": torch.tensor(scale).log(),
                           "log_freedom": torch.tensor(freedom).log()})
    return model, torch.linspace(-9, 9, 11)[:, None], scipy.stats.t(freedom, loc, scale).logpdf


def negative_binomial(concentration=2.5, mean=4.0):
    model = NegativeBinomial()
    model.load_state_dict({"log_concentration": torch.tensor(concentration).log(),
                           "log_mean": torch.tensor(mean).log()})
    return model, counts(), scipy.stats.nbinom(concentration, concentration / (concentration + mean)).logpmf


def beta_binomial(alpha=2.5, beta=1.7):
    model = BetaBinomial(10)
    model.load_state_dict({"log_alpha": torch.tensor(alpha).log(), "log_beta": torch.tensor(beta).log()})
    return model, counts(), scipy.stats.betabinom(10, alpha, beta).logpmf


@pytest.fixture(params=[student_t, negative_binomial, beta_binomial], ids=NAMES)
def case(request):
    """A model, data, and scipy's log-density."""
    model, x, theirs = request.param()
    return model.requires_grad_(False), x, theirs


@pytest.mark.oracle("scipy.stats.t", "models.StudentT.log_prob")
@pytest.mark.oracle("scipy.stats.nbinom", "models.NegativeBinomial.log_prob")
@pytest.mark.oracle("scipy.stats.betabinom", "models.BetaBinomial.log_prob")
def test_log_prob_is_that_of_scipy(case):
    model, x, theirs = case
    torch.testing.assert_close(model.log_prob(x), torch.from_numpy(theirs(x[:, 0].numpy())))


def rule(model, size=4000):
    """Points over the hidden number and log weights: a grid of log z, or of the logit of z."""
    t = (torch.arange(size) + 0.5) / size * 80 - 40
    if isinstance(model, BetaBinomial):
        return t.sigmoid()[:, None], torch.full((size,), 80 / size).log() + (t.sigmoid() * (-t).sigmoid()).log()
    t = t / 4 - 4  # log z from -14 to 6
    return t.exp()[:, None], torch.full((size,), 20 / size).log() + t


@pytest.mark.oracle("quadrature over z", "models.StudentT.log_prob", "models.NegativeBinomial.log_prob",
                    "models.BetaBinomial.log_prob", "models.Compound.log_joint", "models.StudentT.posterior",
                    "models.NegativeBinomial.posterior", "models.BetaBinomial.posterior")
def test_the_integral_of_the_joint_is_the_density_and_its_share_the_posterior(case):
    model, x, _ = case
    points, log_weights = rule(model)
    exact = quadrature(lambda z: model.log_joint(x, z), points, log_weights)
    torch.testing.assert_close(model.log_prob(x), exact.log_evidence, rtol=1e-6, atol=1e-6)
    posterior = model.posterior(x)
    log_mass = type(posterior)(*(value[:, None] for value in posterior)).log_prob(points[:, 0]) + log_weights
    torch.testing.assert_close(log_mass.exp(), exact.log_posterior.exp(), rtol=1e-5, atol=1e-8)


@pytest.mark.oracle("torch.distributions.Gamma", "models.StudentT.prior", "models.NegativeBinomial.prior",
                    "models.Compound.log_prior")
@pytest.mark.oracle("torch.distributions.Beta", "models.BetaBinomial.prior", "models.Compound.log_prior")
@pytest.mark.oracle("torch.distributions.Normal", "models.StudentT.log_likelihood")
@pytest.mark.oracle("torch.distributions.Poisson", "models.NegativeBinomial.log_likelihood")
@pytest.mark.oracle("torch.distributions.Binomial", "models.BetaBinomial.log_likelihood")
def test_the_two_factors(case):
    model, x, _ = case
    z = torch.linspace(0.05, 0.95, 11)[:, None]
    family = torch.distributions.Beta if isinstance(model, BetaBinomial) else torch.distributions.Gamma
    torch.testing.assert_close(model.log_prior(z), family(*model.prior).log_prob(z[:, 0]))
    if isinstance(model, StudentT):
        likelihood = torch.distributions.Normal(model.loc, model.log_scale.exp() / z.sqrt())
    elif isinstance(model, NegativeBinomial):
        likelihood = torch.distributions.Poisson(z)
    else:
        likelihood = torch.distributions.Binomial(10, z)
    torch.testing.assert_close(model.log_likelihood(x, z), likelihood.log_prob(x)[:, 0])
    torch.testing.assert_close(model.log_joint(x, z), model.log_prior(z) + model.log_likelihood(x, z))


def test_priors_and_posteriors_meet_at_bayes_rule(case):
    """p(z | x) p(x) = p(x, z), for any z."""
    model, x, _ = case
    z = torch.linspace(0.05, 0.95, 11)[:, None]
    torch.testing.assert_close(model.posterior(x).log_prob(z[:, 0]) + model.log_prob(x), model.log_joint(x, z))


def agreement(x, theirs, discrete):
    """The p-value of draws under scipy's density: Kolmogorov and Smirnov's, or chi-squared over the counts."""
    x = x[:, 0].numpy()
    if not discrete:
        return scipy.stats.kstest(x, theirs.__self__.cdf).pvalue
    seen = np.bincount(x.astype(int).clip(max=10), minlength=11)
    expected = np.exp(theirs(np.arange(11)))
    expected[10] = 1 - expected[:10].sum()
    return scipy.stats.chisquare(seen, len(x) * expected).pvalue


@pytest.mark.oracle("scipy.stats.kstest and chi-squared; a planted fault is caught", "models.StudentT.sample",
                    "models.NegativeBinomial.sample", "models.BetaBinomial.sample")
def test_samples_follow_the_density_and_a_fixed_hidden_number_is_caught(case, monkeypatch):
    model, _, theirs = case
    discrete = not isinstance(model, StudentT)
    assert agreement(model.sample(20_000, seeded(0)), theirs, discrete) > 0.001
    family, draw = type(model.prior), type(model.prior).sample
    monkeypatch.setattr(family, "sample", lambda *rest: draw(*rest).mean(0).expand(rest[1]))
    assert agreement(model.sample(20_000, seeded(0)), theirs, discrete) < 1e-6


@pytest.mark.oracle("scipy.stats.gamma", "functional.gamma_log_prob")
@pytest.mark.oracle("scipy.stats.beta", "functional.beta_log_prob")
@pytest.mark.oracle("scipy.special.betaln", "functional.log_beta_function")
def test_the_formulas_of_the_conjugate_families():
    a, b = torch.tensor([0.3, 1.0, 4.0])[:, None], torch.tensor([2.0, 1.0, 0.7])[:, None]
    z = torch.linspace(0.01, 0.99, 9)
    theirs = scipy.stats.gamma(a.numpy(), scale=1 / b.numpy()).logpdf(z.numpy())
    torch.testing.assert_close(gamma_log_prob(z, a, b), torch.from_numpy(theirs))
    theirs = scipy.stats.beta(a.numpy(), b.numpy()).logpdf(z.numpy())
    torch.testing.assert_close(beta_log_prob(z, a, b), torch.from_numpy(theirs))
    theirs = scipy.special.betaln(a.numpy(), b.numpy())
    torch.testing.assert_close(log_beta_function(a, b), torch.from_numpy(theirs))
    one = torch.ones(())
    assert gamma_log_prob(0 * one, one, one) == beta_log_prob(0 * one, one, one) == beta_log_prob(one, one, one) == 0


WIDE = [1e-3, 0.7, 19.9, 20.0, 300.0, 1e5, 1e8]


@pytest.mark.oracle("closed form, a sum of logs", "functional.log_rising_factorial")
@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float32, 3e-6), (torch.float64, 1e-14)])
def test_a_rising_factorial_keeps_its_digits(dtype, rounding):
    """And so does its gradient, the sum of 1 / (x + i)."""
    x = torch.tensor(WIDE, dtype=dtype, requires_grad=True)
    for n in (0, 1, 2, 40):
        terms = x.detach().double()[:, None] + torch.arange(n)  # (7, n)
        got = log_rising_factorial(x, torch.tensor(n, dtype=dtype))
        (gradient,) = torch.autograd.grad(got.sum(), x)
        torch.testing.assert_close(got.double(), terms.log().sum(-1), rtol=rounding, atol=rounding)
        torch.testing.assert_close(gradient.double(), terms.reciprocal().sum(-1), rtol=30 * rounding, atol=rounding)
        assert torch.equal(got, log_rising_factorial(x, float(n)))


@pytest.mark.oracle("scipy.special.poch", "functional.log_rising_factorial")
@pytest.mark.oracle("scipy.special.betaln", "functional.log_beta_function")
def test_rising_by_a_half_and_the_beta_function_over_all_sizes():
    x = torch.tensor(WIDE)
    half = torch.from_numpy(scipy.special.poch(x.numpy(), 0.5)).log()
    torch.testing.assert_close(log_rising_factorial(x, 0.5), half, rtol=1e-13, atol=1e-13)
    theirs = torch.from_numpy(scipy.special.betaln(x[:, None].numpy(), x.numpy()))
    torch.testing.assert_close(log_beta_function(x[:, None], x), theirs, rtol=1e-10, atol=1e-10)
    single = log_beta_function(x.float()[:, None], x.float()).double()
    torch.testing.assert_close(single, theirs, rtol=3e-6, atol=3e-5)


@pytest.mark.oracle("scipy in double precision", "models.StudentT.log_prob", "models.NegativeBinomial.log_prob",
                    "models.BetaBinomial.log_prob")
@pytest.mark.parametrize("large", [1e3, 1e6, 1e8])
@pytest.mark.parametrize("make", [student_t, negative_binomial, beta_binomial], ids=NAMES)
def test_single_precision_with_huge_parameters(make, large):
    """They come close to a Gaussian, a Poisson and a binomial distribution."""
    model, x, theirs = make(large, 2 * large) if make is beta_binomial else make(large)
    got = model.float().log_prob(x.float()).detach().double()
    torch.testing.assert_close(got, torch.from_numpy(theirs(x[:, 0].numpy())), rtol=0, atol=1e-4)


@pytest.mark.parametrize("distribution", [Gamma(torch.tensor(2.5), torch.tensor(0.7)),
                                          Beta(torch.tensor(2.5), torch.tensor(0.7))], ids=["gamma", "beta"])
def test_draws_and_quantiles_of_the_hidden_number(distribution):
    """Against scipy, whose gamma has a scale in place of a rate."""
    a, b = (value.item() for value in distribution)
    theirs = scipy.stats.gamma(a, scale=1 / b) if isinstance(distribution, Gamma) else scipy.stats.beta(a, b)
    u = torch.linspace(0.01, 0.99, 9)
    torch.testing.assert_close(distribution.quantiles(u), torch.from_numpy(theirs.ppf(u)))
    assert scipy.stats.kstest(distribution.sample(20_000, seeded(1)), theirs.cdf).pvalue > 0.001


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_beta_draws_near_both_ends(dtype):
    """With a small alpha and beta both gamma draws are too small for their dtype; their ratio is not."""
    a = torch.tensor(0.003, dtype=dtype)
    z, n = Beta(a, 2 * a).sample(20_000, seeded(1)).double(), 20_000
    for low, high in ((0.0, 0.1), (0.1, 0.9), (0.9, 1.0)):
        exact = scipy.stats.beta(0.003, 0.006).cdf(high) - scipy.stats.beta(0.003, 0.006).cdf(low)
        share = ((z >= low) & (z < high)).double().mean() if high < 1 else (z >= low).double().mean()
        assert abs(share - exact) < 5 * (exact * (1 - exact) / n) ** 0.5


@pytest.mark.oracle("a loop over the components", "models.Compound.finite_log_prob")
def test_the_finite_mixture_is_a_mean_over_components(case):
    model, x, _ = case
    shares = torch.tensor([0.125, 0.375, 0.625, 0.875])
    terms = [model.log_likelihood(x, z).exp() for z in model.prior.quantiles(shares)[:, None]]
    torch.testing.assert_close(model.finite_log_prob(x, 4), torch.stack(terms).mean(0).log())
    many = counts(200) if isinstance(model, NegativeBinomial) else counts()
    if not isinstance(model, StudentT):
        assert model.finite_log_prob(many, 3).exp().sum().item() == pytest.approx(1)


def distance(model, components):
    """Half of the summed difference to the limit (total variation), over all of the mass."""
    t = (torch.arange(2000) + 0.5) / 100 - 10
    x, weight = (t.sinh(), t.cosh() / 100) if isinstance(model, StudentT) else (torch.arange(200.0), torch.ones(200))
    if isinstance(model, BetaBinomial):
        x, weight = counts()[:, 0], torch.ones(11)
    gap = model.finite_log_prob(x[:, None], components).exp() - model.log_prob(x[:, None]).exp()
    return (weight * gap.abs()).sum().item() / 2


@pytest.mark.oracle("the limit K to infinity, and its rate", "models.Compound.finite_log_prob")
def test_more_components_come_closer_to_the_compound(case):
    """The error falls nearly as 1 / K or faster: the ends of the prior decide how fast."""
    model, _, _ = case
    sizes = [8, 32, 128, 512]
    gaps = [distance(model, size) for size in sizes]
    slope = np.polyfit(np.log(sizes), np.log(gaps), 1)[0]
    assert all(after < before for before, after in pairwise(gaps))
    assert slope < -0.95
    assert gaps[-1] < 2e-3


def trained(model, x, steps=600):
    fit(gradient_descent(model, x, seeded(0), steps=steps, lr=0.05))
    return model


def test_student_t_learns_what_scipy_finds():
    x = scipy.stats.t(4, 1.0, 2.0).rvs(400, random_state=0)
    model = trained(StudentT(), torch.from_numpy(x)[:, None])
    freedom, loc, scale = scipy.stats.t.fit(x)
    found = (model.log_freedom.exp().item(), model.loc.item(), model.log_scale.exp().item())
    assert found == pytest.approx((freedom, loc, scale), rel=2e-3)


def test_counts_of_earthquakes_are_overdispersed():
    """The maximum for the mean is the sample mean; the fit is better than any Poisson distribution's by far."""
    x = datasets.ridgecrest().time.long().bincount(minlength=168).double()[:, None]
    model = trained(NegativeBinomial(), x)
    assert model.log_mean.exp().item() == pytest.approx(x.mean().item(), rel=1e-3)
    poisson = torch.distributions.Poisson(x.mean()).log_prob(x).sum()
    assert model.log_prob(x).sum() > poisson + 100
    assert model.log_concentration.exp() < 3


@pytest.mark.oracle("message pinned", "models.Compound.log_joint", "models.Compound.log_prior")
def test_a_hidden_number_without_its_last_axis_is_named(case):
    """It would be paired with every row, or with the first alone."""
    model, x, _ = case
    z = torch.linspace(0.05, 0.95, len(x))
    for call in (model.log_joint, model.log_likelihood, lambda _, z: model.log_prior(z)):
        with pytest.raises(ValueError, match=r"`z` must have shape \(\.\.\., 1\); got \(11,\)\."):
            call(x, z)


@pytest.mark.oracle("message pinned", "models.NegativeBinomial.require_data", "models.BetaBinomial.require_data")
def test_bad_counts_are_named():
    with pytest.raises(ValueError, match=r"`x` must hold whole numbers >= 0; got 1\.5 at \(0, 0\)\."):
        NegativeBinomial().require_data(torch.tensor([[1.5]]))
    with pytest.raises(ValueError, match=r"`x` must hold whole numbers >= 0; got -1\.0 at \(0, 0\)\."):
        BetaBinomial(10).require_data(torch.tensor([[-1.0]]))
    with pytest.raises(ValueError, match=r"`x` must hold counts of at most 10; got 11\."):
        BetaBinomial(10).require_data(torch.tensor([[11.0]]))
    with pytest.raises(ValueError, match=r"`trials` must be a whole number >= 1; got 0\."):
        BetaBinomial(0)
    with pytest.raises(ValueError, match=r"`components` must be a whole number >= 1; got 0\."):
        StudentT().finite_log_prob(torch.zeros(1, 1), 0)
