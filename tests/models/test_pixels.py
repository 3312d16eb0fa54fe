"""Independent pixels, held against torch.distributions and counts."""

from course_lib import functional
from course_lib.models import BernoulliMixture, IndependentPixels
from course_lib.rng import seeded
from tests.models.specimens import collect

import pytest
import scipy.special
import torch
import torch.distributions as td


@pytest.mark.oracle("torch.distributions.Bernoulli", "models.IndependentPixels.log_prob",
                    "models.IndependentPixels.probabilities")
def test_log_prob_is_that_of_torch_distributions():
    model = collect()["pixels"].model()
    x = model.sample(20, seeded(0))
    reference = td.Independent(td.Bernoulli(model.probabilities), 1)
    torch.testing.assert_close(model.log_prob(x), reference.log_prob(x))


@pytest.mark.parametrize("smoothing", [0.0, 1.0])
@pytest.mark.oracle("a Bernoulli mixture of one component", "models.IndependentPixels.maximise")
def test_the_fit_is_a_mixture_of_one(smoothing):
    x = collect()["pixels"].model().sample(20, seeded(0))
    model, mixture = IndependentPixels(4), BernoulliMixture(1, 4)
    model.maximise(x, smoothing=smoothing)
    mixture.maximise(x, torch.ones(20, 1), smoothing=smoothing)
    torch.testing.assert_close(model.log_prob(x), mixture.log_prob(x))


@pytest.mark.oracle("autograd: the gradient is zero at the maximum", "models.IndependentPixels.maximise")
def test_the_fit_is_stationary():
    model = collect()["pixels"].model()
    x = model.sample(50, seeded(0))
    model.maximise(x)
    model.log_prob(x).sum().backward()
    torch.testing.assert_close(model.logits.grad, torch.zeros(4), rtol=0, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.oracle("scipy.special.logit", "functional.log_odds")
def test_log_odds_are_scipys_and_finite_at_the_ends(dtype):
    ones = torch.tensor([0.0, 1.0, 2.5, 4.0], dtype=dtype)
    a = functional.log_odds(ones, 4.0)
    torch.testing.assert_close(a[1:3], torch.tensor(scipy.special.logit([0.25, 0.625]), dtype=dtype))
    assert a.isfinite().all() and a[0] < -15 and a[3] > 15
    assert functional.log_odds(ones[:1], 0.0).item() == 0
    assert functional.log_odds(ones * torch.nan, 4.0).isnan().all()  # a fault in the data is not hidden


@pytest.mark.oracle("message pinned", "models.IndependentPixels.require_data", "models.IndependentPixels.maximise")
def test_grey_pixels_and_negative_counts_are_named():
    with pytest.raises(ValueError, match=r"`x` must hold only 0 and 1; got 0.5 at \(0, 0\)\."):
        IndependentPixels(2).maximise(torch.full((3, 2), 0.5))
    with pytest.raises(ValueError, match=r"`smoothing` must be a finite number >= 0; got -0.5\."):
        IndependentPixels(2).maximise(torch.ones(3, 2), smoothing=-0.5)
