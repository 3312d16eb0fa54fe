"""The contract: what every model promises, checked for all of them alike."""

import math

from course_lib import models
from course_lib.inference.oracle import grid
from course_lib.rng import randn, seeded

import pytest
import torch


def _shaken(model):
    """The same model with parameters that are nothing special, so that no test passes by symmetry."""
    generator = seeded(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.4 * randn(tuple(parameter.shape), generator, parameter))
    return model


MODELS = {
    "gaussian diagonal": lambda: models.Gaussian(2),
    "gaussian full": lambda: models.Gaussian(2, covariance="full"),
    "mixture diagonal": lambda: models.GaussianMixture(3, 2),
    "mixture full": lambda: models.GaussianMixture(3, 2, covariance="full"),
    "mixture tied": lambda: models.GaussianMixture(3, 2, covariance="full", tied=True),
    "mixture tied diagonal": lambda: models.GaussianMixture(3, 2, tied=True),
}


@pytest.fixture(params=MODELS, ids=lambda name: name.replace(" ", "-"))
def model(request, device):
    return _shaken(MODELS[request.param]()).to(device)


def test_every_model_is_in_this_list():
    families = {type(make()) for make in MODELS.values()}
    public = {getattr(models, name) for name in models.__all__}
    concrete = {family for family in public if issubclass(family, models.Generative) and not family.__abstractmethods__}
    assert families == concrete


def test_samples_have_the_event_shape_and_no_gradient(model):
    x = model.sample(7, seeded(0))
    assert x.shape == (7, *model.event_shape)
    assert not x.requires_grad


def test_every_parameter_gets_a_gradient(model):
    generator = seeded(0)
    x = model.sample(50, generator)
    loss = model.loss(x, generator)
    assert loss.shape == (50,)
    loss.mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_same_seed_same_draws(model):
    assert torch.equal(model.sample(5, seeded(3)), model.sample(5, seeded(3)))
    assert not torch.equal(model.sample(5, seeded(3)), model.sample(5, seeded(4)))


def test_global_generator_is_not_touched(model):
    before = torch.get_rng_state()
    generator = seeded(0)
    model.loss(model.sample(5, generator), generator)
    assert torch.equal(before, torch.get_rng_state())


def test_state_dict_goes_round(model):
    x = model.sample(5, seeded(0))
    blank = (make() for make in MODELS.values())
    other = next(m for m in blank if type(m) is type(model) and _shapes(m) == _shapes(model)).to(x.device)
    assert not torch.allclose(other.log_prob(x), model.log_prob(x))
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.log_prob(x), model.log_prob(x))


def _shapes(model):
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


def test_density_integrates_to_one(model):
    points, log_weights = grid(-12, 12, 400, 2)
    mass = (model.log_prob(points.to(next(model.parameters()).device)).cpu() + log_weights).logsumexp(0).exp()
    assert mass.item() == pytest.approx(1, abs=1e-3)


def test_samples_follow_the_density(model):
    """The mean of log p over samples is minus the entropy, which the grid knows."""
    points, log_weights = grid(-12, 12, 400, 2)
    log_p = model.log_prob(points.to(next(model.parameters()).device)).cpu()
    mass = (log_p + log_weights).exp()
    mean, square = (mass * log_p).sum(), (mass * log_p.square()).sum()
    n = 20_000
    z = (model.log_prob(model.sample(n, seeded(1))).mean().cpu() - mean) / ((square - mean**2) / n).sqrt()
    assert abs(z.item()) < 5


def test_samples_have_the_mean_of_the_density(model):
    """The entropy alone would not see a sampler that shifts or mirrors."""
    points, log_weights = grid(-12, 12, 400, 2)
    mass = (model.log_prob(points.to(next(model.parameters()).device)).cpu() + log_weights).exp()[:, None]
    mean = (mass * points).sum(0)
    covariance = (mass * (points - mean)).mT @ (points - mean)
    n = 20_000
    x = model.sample(n, seeded(2)).cpu()
    assert ((x.mean(0) - mean) / (covariance.diagonal() / n).sqrt()).abs().max() < 5
    product = ((x - mean)[:, 0] * (x - mean)[:, 1])
    assert abs((product.mean() - covariance[0, 1]) / (product.std() / math.sqrt(n))) < 5


def test_runs_on_the_meta_device(model):
    """Mixing devices raises there, with no accelerator needed."""
    moved = model.to("meta")
    assert moved.log_prob(torch.empty(4, *model.event_shape, device="meta")).device.type == "meta"


@pytest.mark.parametrize(("x", "message"), [
    (torch.zeros(3, 5), r"`x` must have shape \(n, 2\); got \(3, 5\)\."),
    (torch.zeros(2), r"`x` must have shape \(n, 2\); got \(2,\)\."),
    (torch.zeros(0, 2), r"`x` must have at least one row; got \(0, 2\)\."),
    (torch.zeros(3, 2, dtype=torch.long), r"`x` must hold floating-point numbers; got torch.int64\."),
    ([[0.0, 0.0]], r"`x` must be a tensor of shape \(n, 2\); got list\."),
])
def test_bad_data_are_named(model, x, message):
    with pytest.raises(ValueError, match=message):
        model.log_prob(x)


def test_every_model_has_a_card(model):
    assert "$p(x)$" in model.card._repr_markdown_()
