"""Mixtures of Bernoullis and of categories: held against torch.distributions, scikit-learn and each other."""

from course_lib.models import BernoulliMixture, CategoricalMixture
from course_lib.rng import seeded
from tests.models.specimens import collect

import pytest
import torch
import torch.distributions as td

SPECIMENS = collect()


@pytest.mark.oracle("torch.distributions.MixtureSameFamily", "models.Mixture.log_prob",
                    "models.BernoulliMixture.log_likelihood", "models.BernoulliMixture.probabilities")
def test_bernoulli_mixture_is_that_of_torch_distributions():
    model = SPECIMENS["mixture-bernoulli"].model()
    x = model.sample(20, seeded(0))
    parts = td.Independent(td.Bernoulli(model.probabilities), 1)
    reference = td.MixtureSameFamily(td.Categorical(model.weights), parts)
    torch.testing.assert_close(model.log_prob(x), reference.log_prob(x))


@pytest.mark.oracle("torch.distributions.Categorical", "models.CategoricalMixture.log_likelihood",
                    "models.CategoricalMixture.log_probabilities")
def test_categorical_likelihood_is_that_of_torch_distributions():
    model = SPECIMENS["mixture-categorical"].model()
    x = model.sample(20, seeded(0))
    logits = [model.feature_logits[:, feature, :level] for feature, level in enumerate(model.levels)]
    reference = sum(td.Categorical(logits=part).log_prob(column[:, None]) for part, column in zip(logits, x.mT))
    torch.testing.assert_close(model.log_likelihood(x), reference)


@pytest.mark.oracle("a Bernoulli mixture: two levels are one bit", "models.CategoricalMixture.maximise",
                    "models.CategoricalMixture.log_likelihood", "models.Mixture.start_at")
def test_categories_with_two_levels_are_bernoullis():
    x = SPECIMENS["mixture-bernoulli"].model().sample(200, seeded(0))
    binary = BernoulliMixture(3, 4).start_at(x, seeded(1))
    codes = CategoricalMixture(3, (2, 2, 2, 2)).start_at(x.long(), seeded(1))
    for smoothing in (0.0, 0.0, 0.7):
        torch.testing.assert_close(codes.log_joint(x.long()), binary.log_joint(x))
        binary.maximise(x, binary.posterior(x).detach(), smoothing=smoothing)
        codes.maximise(x.long(), codes.posterior(x.long()).detach(), smoothing=smoothing)
    torch.testing.assert_close(codes.log_probabilities[..., 1].exp(), binary.probabilities)


@pytest.mark.parametrize("name", ["mixture-bernoulli", "mixture-categorical"])
@pytest.mark.oracle("autograd: the gradient is zero at the maximum", "models.BernoulliMixture.maximise",
                    "models.CategoricalMixture.maximise")
def test_the_m_step_is_stationary(name):
    model = SPECIMENS[name].model()
    x = model.sample(100, seeded(0))
    r = model.posterior(x).detach()
    model.maximise(x, r)
    (r * model.log_joint(x)).sum().backward()
    for parameter in model.parameters():
        torch.testing.assert_close(parameter.grad, torch.zeros_like(parameter), rtol=0, atol=1e-9)


@pytest.mark.oracle("closed form: the rounding of the dtype", "models.BernoulliMixture.maximise",
                    "models.CategoricalMixture.maximise")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_was_never_seen_is_nearly_impossible_but_finite(dtype):
    x = torch.tensor([[0.0, 1.0], [0.0, 0.0]], dtype=dtype)
    one = torch.ones(2, 1, dtype=dtype)
    log_eps = torch.tensor(torch.finfo(dtype).eps, dtype=dtype).log()
    binary, codes = BernoulliMixture(1, 2).to(dtype), CategoricalMixture(1, (2, 3)).to(dtype)
    binary.maximise(x, one)
    codes.maximise(x.long(), one)
    new = torch.tensor([[1.0, 1.0]], dtype=dtype)
    expected = log_eps + torch.tensor(0.5, dtype=dtype).log()
    torch.testing.assert_close(binary.log_prob(new)[0], expected, rtol=1e-4, atol=0)
    torch.testing.assert_close(codes.log_prob(new.long())[0], expected, rtol=1e-4, atol=0)
    torch.testing.assert_close(binary.log_prob(x), x.new_full((2,), 0.5).log(), rtol=0, atol=1e-6)
    torch.testing.assert_close(codes.log_prob(x.long()), x.new_full((2,), 0.5).log(), rtol=0, atol=1e-6)


@pytest.mark.oracle("message pinned", "models.BernoulliMixture.require_data", "models.CategoricalMixture.require_data",
                    "models.CategoricalMixture.require_shape", "errors.require_not_negative")
def test_wrong_values_are_named():
    binary, codes = BernoulliMixture(2, 2), CategoricalMixture(2, (2, 3))
    with pytest.raises(ValueError, match=r"`x` must hold only 0 and 1; got 0.5 at \(0, 1\)\."):
        binary.start_at(torch.tensor([[1.0, 0.5], [0.0, 0.0]]), seeded(0))
    with pytest.raises(ValueError, match=r"`x\[:, 1\]` must hold 2 whole numbers from 0 to 2; got .* values 0 to 3\."):
        codes.require_data(torch.tensor([[0, 3], [1, 0]]))
    with pytest.raises(ValueError, match=r"`x` must hold integers; got torch.float64\."):
        codes.log_prob(torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"`smoothing` must be a finite number >= 0; got -1\."):
        binary.maximise(torch.zeros(3, 2), torch.full((3, 2), 0.5), smoothing=-1)
    with pytest.raises(ValueError, match=r"`levels` must be a whole number >= 1; got 0\."):
        CategoricalMixture(2, (2, 0))
    with pytest.raises(ValueError, match=r"`len\(levels\)` must be a whole number >= 1; got 0\."):
        CategoricalMixture(2, ())
