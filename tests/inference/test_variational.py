"""Variational inference, held against closed forms; its two gradients against each other."""

import math

from course_lib.errors import NumericalError
from course_lib.inference import variational as module
from course_lib.inference.approximation import GaussianApproximation
from course_lib.inference.variational import elbo, variational
from course_lib.rng import seeded
from tests.inference.linear_gaussian import LinearGaussian

import pytest
import torch
import torch.distributions as td


def last(log_joint, start, **options):
    *_, step = variational(log_joint, start, seeded(0), **options)
    return step


def standard(model):
    return GaussianApproximation.around(torch.zeros_like(model.mean))


def closed_form(model, q):
    """log p(x) - KL(q || p(z | x)), by torch.distributions."""
    posterior = td.MultivariateNormal(model.mean, model.covariance)
    return model.log_evidence - td.kl_divergence(td.MultivariateNormal(q.loc, scale_tril=q.scale_tril), posterior)


@pytest.mark.oracle(
    "closed form: torch.distributions.kl_divergence; a planted fault is caught", "inference.variational.elbo"
)
@pytest.mark.parametrize("d", [2, 8, 32])
def test_elbo_is_the_evidence_less_the_divergence(d):
    model = LinearGaussian(d)
    q = GaussianApproximation.around(model.mean + 0.1, 0.5)
    bound = elbo(model.log_joint, q, 5000, seeded(0))
    assert ((bound.value - closed_form(model, q)) / bound.standard_error).abs().max() < 5
    without_prior = elbo(model.log_likelihood, q, 5000, seeded(0))
    assert ((without_prior.value - closed_form(model, q)) / without_prior.standard_error).abs().min() > 5
    exact = GaussianApproximation(model.mean, torch.linalg.cholesky(model.covariance).expand(2, d, d))
    best = elbo(model.log_joint, exact, 10, seeded(0))
    torch.testing.assert_close(best.value, model.log_evidence)
    assert best.standard_error.max() < 1e-10


@pytest.mark.oracle("closed form: the posterior", "inference.variational.variational")
@pytest.mark.parametrize("d", [2, 8])
def test_full_covariance_finds_a_gaussian_exactly(d):
    model = LinearGaussian(d)
    step = last(model.log_joint, standard(model), steps=800, covariance="full")
    torch.testing.assert_close(step.approximation.loc, model.mean, rtol=0, atol=1e-6)
    torch.testing.assert_close(step.approximation.covariance, model.covariance.expand(2, d, d), rtol=0, atol=1e-6)
    torch.testing.assert_close(step.elbo, model.log_evidence, rtol=0, atol=1e-6)


@pytest.mark.oracle("closed form: 1 / diag(precision)", "inference.variational.variational")
@pytest.mark.parametrize("gradient", ["reparameterised", "score"])
def test_mean_field_finds_the_inverse_of_the_precisions_diagonal(gradient):
    """Mean field has the right mean and variances that are too small: those of each z_i given all others."""
    model = LinearGaussian(2)
    step = last(model.log_joint, standard(model), steps=800, draws=64, gradient=gradient)
    variance = step.approximation.covariance.diagonal(dim1=-2, dim2=-1)
    torch.testing.assert_close(step.approximation.loc, model.mean, rtol=0, atol=0.01)
    torch.testing.assert_close(variance, (1 / model.precision.diagonal()).expand(2, 2), rtol=0.02, atol=0)
    assert (variance < model.covariance.diagonal()).all()
    assert torch.equal(step.approximation.scale_tril.tril(-1), torch.zeros(2, 2, 2))
    best = closed_form(model, GaussianApproximation(model.mean, torch.diag_embed(model.precision.diagonal().rsqrt())))
    assert (closed_form(model, step.approximation) > best - 1e-3).all()


def gradients(estimate, repetitions, draws=2):
    """Estimates of the gradient in (loc, log_scale, lower), shape (repetitions, 14): a cubic log-joint in 2-D."""
    q = GaussianApproximation(torch.tensor([[0.3, -0.5]]), torch.tensor([[[0.8, 0.0], [0.4, 0.6]]]))
    log_joint = lambda z: -0.5 * z.square().sum(-1) + z[..., 0] * z[..., 1] - 0.1 * z[..., 0] ** 3  # noqa: E731
    many = GaussianApproximation(q.loc.expand(repetitions, 2), q.scale_tril.expand(repetitions, 2, 2))
    parameters = module._parameters(many, "full")
    noise = torch.randn(draws, repetitions, 2, generator=seeded(0))
    _, surrogate = estimate(log_joint, module._gaussian(*parameters), noise)
    parts = torch.autograd.grad(surrogate, parameters)
    return torch.cat([part.reshape(repetitions, -1) for part in parts], -1)[:, [0, 1, 2, 3, 6]]


def truth():
    """The same gradient by autograd of the closed form of the bound."""
    loc = torch.tensor([0.3, -0.5], requires_grad=True)
    log_scale = torch.tensor([0.8, 0.6]).log().requires_grad_()
    lower = torch.tensor(0.4, requires_grad=True)
    (a, b), (s, t) = loc, log_scale.exp()
    second = a**2 + s**2, b**2 + lower**2 + t**2
    mean = -0.5 * sum(second) + a * b + s * lower - 0.1 * (a**3 + 3 * a * s**2)
    (mean + log_scale.sum()).backward()
    return torch.cat([loc.grad, log_scale.grad, lower.grad[None]])


def is_unbiased(estimates):
    """The criterion: the mean over repetitions is within 5 standard errors of the closed form."""
    scores = (estimates.mean(0) - truth()) / (estimates.std(0) / math.sqrt(len(estimates)))
    return bool((scores.abs() < 5).all())


def baseline_with_itself(log_joint, q, noise):
    """A score gradient whose baseline holds the draw's own value."""
    with torch.no_grad():
        z = q.transform(noise)
        log_ratio = log_joint(z) - q.log_prob(z)
    return log_ratio.mean(0), ((log_ratio - log_ratio.mean(0)) * q.log_prob(z)).mean(0).sum()


def without_density(log_joint, q, noise):
    """A reparameterised gradient of the log-joint alone."""
    values = log_joint(q.transform(noise))
    return values.mean(0), values.mean(0).sum()


@pytest.mark.oracle("closed form; planted faults are caught", "inference.variational.variational")
def test_both_gradients_are_unbiased_and_one_is_noisier():
    path, score = gradients(module._reparameterised, 20_000), gradients(module._score, 20_000)
    assert is_unbiased(path) and is_unbiased(score)
    assert (score.var(0) / path.var(0) > 2).all()
    assert not is_unbiased(gradients(baseline_with_itself, 20_000))
    assert not is_unbiased(gradients(without_density, 20_000))


def test_the_score_needs_no_gradient_of_the_joint():
    model = LinearGaussian(2)
    step = last(lambda z: model.log_joint(z.detach()), standard(model), steps=300, gradient="score", draws=32)
    torch.testing.assert_close(step.approximation.loc, model.mean, rtol=0, atol=0.1)


def test_a_run_is_a_process_that_leaves_all_else_alone():
    """Gradients stay on, the model's own parameters get none, and every step's approximation stays as it was."""
    model, state = LinearGaussian(2, dtype=torch.float32), torch.get_rng_state()
    model.weights.requires_grad_()
    seen = []
    for step in variational(model.log_joint, standard(model), seeded(0), steps=3, covariance="full"):
        assert torch.is_grad_enabled()
        assert step.elbo.shape == (2,) and not step.elbo.requires_grad and step.elbo.dtype == torch.float32
        seen.append((step.index, step.approximation.loc, step.approximation.loc.clone()))
    assert [index for index, *_ in seen] == [1, 2, 3]
    assert all(torch.equal(kept, copy) for _, kept, copy in seen)
    assert not torch.equal(seen[0][1], seen[1][1])
    assert model.weights.grad is None
    assert torch.equal(state, torch.get_rng_state())


def test_a_run_needs_no_gradients_of_its_caller():
    model = LinearGaussian(2)
    with torch.no_grad():
        silent = last(model.log_joint, standard(model), steps=5)
    torch.testing.assert_close(silent, last(model.log_joint, standard(model), steps=5))


def test_data_points_do_not_feel_each_other():
    """Another second row changes the second row's answer, and nothing in the first one's."""
    model, other = LinearGaussian(2), LinearGaussian(2)
    other.x[1] += 5
    one, two = (last(each.log_joint, standard(each), steps=5, covariance="full") for each in (model, other))
    for a, b in zip((one.elbo, *one.approximation), (two.elbo, *two.approximation)):
        assert torch.equal(a[0], b[0]) and not torch.equal(a[1], b[1])


@pytest.mark.oracle("message pinned", "inference.variational.variational", "inference.variational.elbo")
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"steps": 0}, ValueError, "`steps` must be a whole number >= 1; got 0"),
        ({"draws": 0}, ValueError, "`draws` must be a whole number >= 1; got 0"),
        ({"draws": 1, "gradient": "score"}, ValueError, "`draws` must be at least 2 for the score gradient"),
        ({"lr": -1.0}, ValueError, "`lr` must be a finite number > 0; got -1.0"),
        ({"covariance": "spherical"}, ValueError, "`covariance` must be one of 'diagonal', 'full'"),
        ({"gradient": "exact"}, ValueError, "`gradient` must be one of 'reparameterised', 'score'"),
        ({"log_joint": lambda z: z.detach()[..., 0]}, ValueError, "`log_joint` must have a gradient in z; got none"),
        ({"log_joint": lambda z: z}, ValueError, r"`log_joint` must give shape \(8, 2\).*; got \(8, 2, 2\)"),
        ({"log_joint": lambda z: z[..., 0].log()}, NumericalError, "The bound is not finite in step 1, for 2 of 2"),
    ],
)
def test_bad_input_is_named(change, error, message):
    model = LinearGaussian(2)
    arguments = {"log_joint": model.log_joint, "start": standard(model), "steps": 5}
    with pytest.raises(error, match=message):
        next(variational(**(arguments | change), generator=seeded(0)))


def test_zero_draws_of_the_bound():
    model = LinearGaussian(2)
    with pytest.raises(ValueError, match="`draws` must be a whole number >= 1; got 0"):
        elbo(model.log_joint, standard(model), 0, seeded(0))
