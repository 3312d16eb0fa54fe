"""The posterior over parameters, held against a plain loop, a closed form and quadrature."""

import math

from course_lib.inference import oracle
from course_lib.models import Bayesian, ConditionalBernoulli, ConditionalCategorical, ConditionalGaussian
from course_lib.rng import randn, seeded
from tests.models.specimens.conditional import SPECIMENS

import pytest
import torch
import torch.distributions as td
from scipy.stats import multivariate_normal

EXACT = {"rtol": 1e-12, "atol": 1e-12}


def problem(name, n=9):
    """A model with its prior, data, and six parameter vectors in a batch of (2, 3)."""
    model = SPECIMENS[name].model()
    bayesian = Bayesian(model, 1.5)
    x = randn((n, 2), seeded(1), torch.zeros(()))
    return bayesian, x, model.sample(x, seeded(2)), bayesian.sample(6, seeded(3)).unflatten(0, (2, 3))


def looped(bayesian, w, answer):
    """One parameter vector after another, written into the model itself."""
    answers = []
    kept = bayesian.flatten()
    for one in w.reshape(-1, w.shape[-1]):
        torch.nn.utils.vector_to_parameters(one, bayesian.model.parameters())
        answers.append(answer(bayesian.model).detach())
    torch.nn.utils.vector_to_parameters(kept, bayesian.model.parameters())
    return torch.stack(answers).unflatten(0, w.shape[:-1])


@pytest.mark.oracle("one parameter vector after another, in the model itself",
                    "models.Bayesian.each", "models.Bayesian.log_likelihood", "models.Bayesian.log_predictive")
@pytest.mark.parametrize("name", SPECIMENS)
def test_a_batch_is_a_loop(name):
    bayesian, x, y, w = problem(name)
    table = looped(bayesian, w, lambda model: model.log_prob(y, x))  # (2, 3, n)
    torch.testing.assert_close(bayesian.log_likelihood(w, x, y), table.sum(-1), **EXACT)
    torch.testing.assert_close(bayesian.log_likelihood(w[0, 1], x, y), table[0, 1].sum(), **EXACT)
    torch.testing.assert_close(bayesian.each(w, lambda model: model.log_prob(y, x)), table, **EXACT)
    mean = table[0].exp().mean(0).log()
    torch.testing.assert_close(bayesian.log_predictive(w[0], x, y), mean, **EXACT)
    mean = table.flatten(0, 1).exp().mean(0).log()  # of two chains' draws together
    torch.testing.assert_close(bayesian.log_predictive(w, x, y), mean, **EXACT)


@pytest.mark.oracle("torch.distributions.Normal",
                    "models.Bayesian.log_prior", "models.Bayesian.log_joint", "models.Bayesian.dimensions")
def test_prior_is_torch_distributions_normal():
    bayesian, x, y, w = problem("conditional-bernoulli")
    assert bayesian.dimensions == w.shape[-1] == 2 * 5 + 5 + 5 + 1
    prior = td.Normal(0, 1.5).log_prob(w).sum(-1)
    torch.testing.assert_close(bayesian.log_prior(w), prior, **EXACT)
    torch.testing.assert_close(bayesian.log_joint(w, x, y), prior + bayesian.log_likelihood(w, x, y), **EXACT)


@pytest.mark.oracle("finite differences", "models.Bayesian.log_joint")
def test_gradient_is_that_of_finite_differences():
    bayesian, x, y, w = problem("conditional-bernoulli")
    assert torch.autograd.gradcheck(lambda w: bayesian.log_joint(w, x, y), w.requires_grad_())


@pytest.mark.oracle("moments, within 5 standard errors", "models.Bayesian.sample")
def test_draws_from_the_prior_have_its_moments():
    bayesian = problem("logistic-regression")[0]
    w = bayesian.sample(20_000, seeded(0))
    assert ((w.mean(0) / (1.5 / math.sqrt(20_000))).abs() < 5).all()
    assert (((w.square().mean(0) / 1.5**2 - 1) / math.sqrt(2 / 20_000)).abs() < 5).all()


@pytest.mark.oracle("there and back", "models.Bayesian.flatten", "models.Bayesian.unflatten")
def test_flat_and_back():
    model = ConditionalCategorical(2, 3, hidden=(4,), generator=seeded(0))
    bayesian, before = Bayesian(model), {name: value.clone() for name, value in model.state_dict().items()}
    parts = bayesian.unflatten(bayesian.flatten().expand(5, 2, -1))
    for name, value in before.items():
        torch.testing.assert_close(parts[name], value.expand(5, 2, *value.shape), rtol=0, atol=0)
    model.load_state_dict(bayesian.unflatten(torch.zeros(bayesian.dimensions)))
    assert not bayesian.flatten().any()


@pytest.mark.oracle("closed form of the evidence of a linear Gaussian model (scipy)", "models.Bayesian.log_joint")
def test_evidence_of_a_linear_gaussian_model_by_quadrature():
    """With known noise y is Gaussian when w is integrated out: y ~ N(0, s^2 (X X^T + 1) + noise^2 I)."""
    model = ConditionalGaussian(1, 1, heteroscedastic=False, generator=seeded(0))
    bayesian = Bayesian(model, 0.8)
    x = torch.tensor([[-1.0], [0.2], [0.7], [1.4]])
    y = torch.tensor([[-0.9], [0.3], [0.1], [1.8]])
    log_scale = -0.7
    points, log_weights = oracle.grid(-5, 5, 120, 2)  # weight and bias

    def log_joint(w):  # the prior of the fixed scale is taken out again
        full = torch.cat([torch.full_like(w[..., :1], log_scale), w], -1)
        return bayesian.log_joint(full, x, y) - td.Normal(0, 0.8).log_prob(torch.tensor(log_scale))

    assert next(iter(bayesian.unflatten(bayesian.flatten()))) == "log_scale"
    by_grid = (log_joint(points) + log_weights).logsumexp(0)
    covariance = 0.8**2 * (x @ x.mT + 1) + math.exp(2 * log_scale) * torch.eye(4)
    closed = multivariate_normal(cov=covariance.numpy()).logpdf(y[:, 0].numpy())
    assert by_grid.item() == pytest.approx(closed, abs=1e-8)


@pytest.mark.oracle("quadrature over both parameters", "models.Bayesian.log_predictive")
def test_predictive_of_a_logistic_regression_is_that_of_a_grid():
    """Draws from the grid's posterior give its predictive probability, within 5 standard errors."""
    bayesian = Bayesian(ConditionalBernoulli(1, generator=seeded(0)), 2.0)
    x, y = torch.tensor([[-1.0], [0.5], [2.0]]), torch.tensor([0.0, 1.0, 1.0])
    points, log_weights = oracle.grid(-12, 12, 150, 2)
    mass = (bayesian.log_joint(points, x, y) + log_weights).softmax(0)
    new = torch.tensor([[3.0], [-0.2]])
    p = bayesian.each(points, lambda model: model.probabilities(new)).detach()  # (m, 2)
    exact = mass @ p
    w = points[torch.multinomial(mass, 4000, replacement=True, generator=seeded(1))]
    estimate = bayesian.log_predictive(w, new, torch.ones(2)).exp()
    error = ((mass @ p.square() - exact.square()) / 4000).sqrt()
    assert ((estimate - exact).abs() < 5 * error).all()


@pytest.mark.oracle("message pinned", "models.Bayesian.unflatten")
def test_bad_input_is_named():
    bayesian, x, y, w = problem("logistic-regression")
    with pytest.raises(ValueError, match=r"`w` must have shape \(\.\.\., 3\); got \(2, 3, 2\)"):
        bayesian.log_joint(w[..., :2], x, y)
    with pytest.raises(ValueError, match="`prior_scale` must be a finite number > 0; got 0"):
        Bayesian(bayesian.model, 0)
    with pytest.raises(ValueError, match=r"`x` must have shape \(n, 2\); got \(9, 1\)"):
        bayesian.log_likelihood(w, x[:, :1], y)
