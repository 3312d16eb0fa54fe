"""Probabilistic PCA, held against scikit-learn, scipy, quadrature and a numerical optimum."""

import math
from itertools import pairwise

from course_lib.errors import SingularCovariance
from course_lib.inference.oracle import grid, quadrature
from course_lib.models import ProbabilisticPCA
from course_lib.rng import randn, seeded

import pytest
import scipy.stats
import sklearn.decomposition
import torch


def some(features, latents, seed=1, scale=0.7):
    """A model with parameters that are nothing special."""
    model, generator = ProbabilisticPCA(features, latents), seeded(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(scale * randn(tuple(parameter.shape), generator, parameter))
    return model


class Loss(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model.loss(x, seeded(0))


def covariance(model):
    variance = (2 * model.log_scale).exp() * torch.eye(*model.event_shape)
    return (model.weight @ model.weight.mT + variance).detach()


@pytest.mark.oracle("scipy.stats.multivariate_normal", "models.ProbabilisticPCA.log_prob")
@pytest.mark.parametrize(("features", "latents"), [(2, 1), (8, 3), (32, 31), (64, 2)])
def test_log_prob_is_a_gaussian(features, latents):
    model = some(features, latents)
    x = model.sample(20, seeded(2))
    reference = scipy.stats.multivariate_normal(model.loc.detach().numpy(), covariance(model).numpy())
    torch.testing.assert_close(model.log_prob(x).detach(), torch.tensor(reference.logpdf(x.numpy())))


@pytest.mark.oracle(
    "sklearn.decomposition.PCA", "models.ProbabilisticPCA.maximise", "models.ProbabilisticPCA.log_prob")
@pytest.mark.parametrize(("n", "features", "latents"), [(200, 5, 2), (60, 20, 1), (30, 50, 4)])
def test_the_closed_form_is_scikit_learns(n, features, latents):
    x = some(features, latents).sample(n, seeded(3))
    model = ProbabilisticPCA(features, latents)
    model.maximise(x)
    reference = sklearn.decomposition.PCA(latents, svd_solver="full").fit(x.numpy())
    share = (n - 1) / n                                          # scikit-learn divides by n - 1
    if n > features:                                             # else it takes the noise over n directions, not D
        assert (2 * model.log_scale).exp().item() == pytest.approx(reference.noise_variance_ * share)
    spread = model.weight.mT @ model.weight + (2 * model.log_scale).exp() * torch.eye(latents)
    torch.testing.assert_close(spread.detach(), torch.diag(torch.tensor(reference.explained_variance_ * share)))
    direction = (model.weight / model.weight.norm(dim=0)).detach()
    torch.testing.assert_close((direction * torch.tensor(reference.components_.T)).sum(0).abs(), torch.ones(latents))
    with torch.no_grad():                                        # at scikit-learn's own parameters
        noise = torch.tensor(reference.noise_variance_)
        stretch = (torch.tensor(reference.explained_variance_) - noise).sqrt()
        model.weight.copy_(torch.tensor(reference.components_.T) * stretch)
        model.log_scale.copy_(0.5 * noise.log())
    torch.testing.assert_close(model.log_prob(x).detach(), torch.tensor(reference.score_samples(x.numpy())))


@pytest.mark.oracle("gradient is zero, and every step away is lower", "models.ProbabilisticPCA.maximise")
def test_the_closed_form_is_a_maximum():
    x = some(6, 2).sample(100, seeded(4))
    model = ProbabilisticPCA(6, 2)
    model.maximise(x)
    best = model.log_prob(x).mean()
    best.backward()
    assert max(parameter.grad.abs().max() for parameter in model.parameters()) < 1e-12
    generator, at = seeded(5), {name: value.clone() for name, value in model.state_dict().items()}
    for _ in range(200):
        model.load_state_dict({name: value + 0.05 * randn(value.shape, generator, value) for name, value in at.items()})
        assert model.log_prob(x).mean() < best


@pytest.mark.oracle(
    "quadrature over z", "models.ProbabilisticPCA.expectation", "models.ProbabilisticPCA.posterior",
    "models.ProbabilisticPCA.log_joint")
def test_the_joint_integrates_to_evidence_and_posterior():
    model = some(3, 2, seed=4)
    x = model.sample(5, seeded(6))
    points, log_weights = grid(-8, 8, 120, 2)
    with torch.no_grad():
        exact = quadrature(lambda z: model.log_joint(x, z), points, log_weights)
        log_evidence, q = model.expectation(x)
    torch.testing.assert_close(log_evidence, exact.log_evidence)
    mass = exact.log_posterior.exp()                                         # (n, m)
    mean = mass @ points
    torch.testing.assert_close(q.loc, mean)
    for row in range(5):
        centred = points - mean[row]
        torch.testing.assert_close(q.covariance, centred.mT @ (mass[row, :, None] * centred))


@pytest.mark.oracle(
    "torch.distributions", "models.ProbabilisticPCA.log_prior", "models.ProbabilisticPCA.log_likelihood",
    "models.ProbabilisticPCA.log_joint")
def test_the_factors_of_the_joint_broadcast():
    model = some(4, 2)
    x, z = model.sample(5, seeded(0)), randn((3, 5, 2), seeded(1), model.loc)
    normal = torch.distributions.Normal
    likelihood = normal(model.loc + z @ model.weight.mT, model.log_scale.exp()).log_prob(x).sum(-1)
    torch.testing.assert_close(model.log_likelihood(x, z), likelihood)
    torch.testing.assert_close(model.log_prior(z), normal(0.0, 1.0).log_prob(z).sum(-1))
    torch.testing.assert_close(model.log_joint(x, z), model.log_prior(z) + likelihood)
    torch.testing.assert_close(model.log_joint(x, z[0, 0])[0], model.log_joint(x, z)[0, 0])
    assert model.log_joint(x, z[:, :1]).shape == (3, 5)


@pytest.mark.oracle("Bayes' rule at any z", "models.ProbabilisticPCA.posterior")
def test_joint_over_evidence_is_the_posterior():
    model = some(6, 3)
    x = model.sample(4, seeded(0))
    z, q = randn((4, 3), seeded(1), model.loc), model.posterior(x)
    posterior = torch.distributions.MultivariateNormal(q.loc, q.covariance).log_prob(z)
    torch.testing.assert_close(model.log_joint(x, z) - model.log_prob(x), posterior)


@pytest.mark.oracle("mean and covariance by z-score", "models.ProbabilisticPCA.sample_posterior")
def test_draws_from_the_posterior_have_its_moments():
    model, n = some(5, 2, seed=2), 20_000                                    # correlated: a transposed root would show
    x = model.sample(3, seeded(0))
    draws, q = model.sample_posterior(x, n, seeded(1)), model.posterior(x)
    assert draws.shape == (n, 3, 2) and not draws.requires_grad
    centred = draws - q.loc
    assert (centred.mean(0) / (q.covariance.diagonal() / n).sqrt()).abs().max() < 5
    product = centred[..., :, None] * centred[..., None, :]                  # (n, 3, 2, 2)
    assert ((product.mean(0) - q.covariance) / (product.std(0) / math.sqrt(n))).abs().max() < 5


@pytest.mark.oracle("mean and covariance by z-score", "models.ProbabilisticPCA.sample")
def test_draws_have_the_moments_of_the_gaussian():
    model, n = some(8, 2), 50_000
    centred = model.sample(n, seeded(1)) - model.loc.detach()
    product = centred[:, :, None] * centred[:, None]                         # (n, 8, 8)
    assert ((product.mean(0) - covariance(model)) / (product.std(0) / math.sqrt(n))).abs().max() < 5
    assert (centred.mean(0) / (covariance(model).diagonal() / n).sqrt()).abs().max() < 5


@pytest.mark.oracle(
    "the closed form; the likelihood never falls", "models.ProbabilisticPCA.expectation",
    "models.ProbabilisticPCA.maximise")
@pytest.mark.parametrize("shift", [0.0, 30.0])
def test_em_climbs_to_the_closed_form(shift):
    x = some(6, 2).sample(200, seeded(7)) + shift
    model, best = some(6, 2, seed=9), ProbabilisticPCA(6, 2)
    best.maximise(x)
    history = []
    for _ in range(250):
        log_evidence, q = model.expectation(x)
        history.append(log_evidence.mean().item())
        model.maximise(x, q)
    assert all(after >= before - 1e-10 for before, after in pairwise(history))
    torch.testing.assert_close(covariance(model), covariance(best), rtol=1e-5, atol=1e-6)


@pytest.mark.oracle("the likelihood never falls", "models.ProbabilisticPCA.maximise")
def test_em_does_not_fall_from_a_mean_that_is_wrong():
    """The best W and sigma with another mu: the posterior's means are then not centred."""
    x, model = some(6, 2).sample(200, seeded(7)), ProbabilisticPCA(6, 2)
    model.maximise(x)
    with torch.no_grad():
        model.loc.add_(0.3 * model.weight.sum(1))
    log_evidence, q = model.expectation(x)
    model.maximise(x, q)
    assert model.log_prob(x).mean() > log_evidence.mean()


@pytest.mark.oracle("finite differences", "models.ProbabilisticPCA.log_prob")
def test_the_gradient_of_the_evidence():
    model = some(4, 2)
    x = model.sample(3, seeded(0))
    names, values = zip(*model.named_parameters())

    def loss(*given):
        return torch.func.functional_call(Loss(model), {f"model.{n}": value for n, value in zip(names, given)}, (x,))

    assert torch.autograd.gradcheck(loss, values)


@pytest.mark.parametrize("log_scale", [-8.0, 0.0, 8.0])
def test_single_precision_holds_for_small_and_large_noise(log_scale):
    """Noise 3,000 times smaller than the signal: the textbook's difference of two squares would be 250 nats off."""
    model = some(20, 3)
    with torch.no_grad():
        model.log_scale.fill_(log_scale)
    x = model.sample(50, seeded(1))
    exact = model.log_prob(x).detach()
    single = model.float().log_prob(x.float()).detach()
    torch.testing.assert_close(single.double(), exact, rtol=1e-4, atol=1e-2)


def test_bad_input_is_named():
    model, x = ProbabilisticPCA(4, 2), torch.zeros(3, 4)
    with pytest.raises(ValueError, match=r"`latents` must be below `features` = 4; got 4\."):
        ProbabilisticPCA(4, 4)
    with pytest.raises(ValueError, match=r"`latents` must be a whole number >= 1; got 0\."):
        ProbabilisticPCA(4, 0)
    with pytest.raises(ValueError, match=r"`z` must have shape \(\.\.\., 2\); got \(3, 3\)\."):
        model.log_prior(torch.zeros(3, 3))
    with pytest.raises(ValueError, match=r"`z` must have 3 rows, as `x` has; got shape \(2, 2\)\."):
        model.log_joint(x, torch.zeros(2, 2))
    with pytest.raises(ValueError, match=r"`x` must be finite; got 1 NaN"):
        model.maximise(torch.tensor([[0.0, 1.0, float("nan"), 2.0]]))


@pytest.mark.oracle("message pinned", "models.ProbabilisticPCA.maximise")
def test_data_without_noise_are_named():
    flat = torch.randn(50, 2, generator=seeded(0)) @ torch.randn(2, 5, generator=seeded(1))
    model = ProbabilisticPCA(5, 2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for x in (flat, flat[:1], torch.ones(4, 5)):
        with pytest.raises(SingularCovariance, match="the data lie in a plane of at most 2 dimensions"):
            model.maximise(x)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
