"""Decoders over a grid of z, held against torch.distributions, quadrature and the sum over all images."""

import math

from course_lib import datasets, errors
from course_lib.inference import oracle
from course_lib.models import DeepLatentVariableModel
from course_lib.rng import bernoulli, randn, seeded, uniform
from tests.models.specimens import binary
from tests.models.specimens.vae import SPECIMENS

import pytest
import torch
import torch.distributions as td
from scipy.stats import norm

EXACT = {"rtol": 0, "atol": 1e-11}


@pytest.fixture
def model():
    return SPECIMENS["decoder"].model()


@pytest.fixture
def labelled():
    return SPECIMENS["decoder-with-classes"].model()


@pytest.fixture
def x():
    return bernoulli(torch.full((5, 6), 0.5), seeded(1))


@pytest.mark.oracle("scipy.stats.norm.ppf; moments", "inference.oracle.normal_grid")
def test_equal_mass_grid_is_scipys_quantiles():
    points, log_weights = oracle.normal_grid(40, 2)
    quantiles = norm.ppf([(i + 0.5) / 40 for i in range(40)])
    assert points[:40, 1].tolist() == pytest.approx(quantiles.tolist(), abs=1e-12)
    assert points[::40, 0].tolist() == pytest.approx(quantiles.tolist(), abs=1e-12)
    assert log_weights.exp().sum().item() == pytest.approx(1, abs=1e-12)
    errors = [1 - oracle.normal_grid(size)[0].square().mean().item() for size in (10, 100, 1000)]
    assert errors[0] > 4 * errors[1] > 16 * errors[2] > 0


@pytest.mark.oracle("torch.distributions.Normal and Bernoulli", "models.BernoulliDecoder.log_prior",
                    "models.BernoulliDecoder.log_likelihood", "models.BernoulliDecoder.log_joint")
def test_joint_is_torch_distributions(model, x):
    z = randn((3, 5, 2), seeded(2), x)
    likelihood = td.Bernoulli(logits=model.decode(z)).log_prob(x).sum(-1)  # (3, 5)
    prior = td.Normal(0, 1).log_prob(z).sum(-1)
    torch.testing.assert_close(model.log_likelihood(x, z), likelihood, **EXACT)
    torch.testing.assert_close(model.log_prior(z), prior, **EXACT)
    torch.testing.assert_close(model.log_joint(x, z), prior + likelihood, **EXACT)
    torch.testing.assert_close(model.log_joint(x, z[0, 0]), model.log_joint(x, z[0, :1]), **EXACT)


@pytest.mark.oracle("the network on a one-hot code", "models.BernoulliDecoder.decode")
def test_a_label_is_a_one_hot_input(labelled):
    z, y = randn((4, 1), seeded(0), torch.zeros(())), torch.tensor([2, 0, 1, 2])
    code = torch.nn.functional.one_hot(y, 3).double()
    torch.testing.assert_close(labelled.decode(z, y), labelled.decoder(torch.cat([z, code], -1)), **EXACT)
    torch.testing.assert_close(labelled.decode(z[0], torch.arange(3))[2], labelled.decode(z[0], y)[0], **EXACT)


@pytest.mark.oracle("pair by pair", "models.DeepLatentVariableModel.log_likelihood_table")
def test_table_holds_every_pair(model, labelled, x):
    z, y = randn((7, 2), seeded(2), x), torch.tensor([0, 2, 1, 1, 0])
    pairs = torch.stack([model.log_likelihood(x, one) for one in z], -1)
    torch.testing.assert_close(model.log_likelihood_table(x, z), pairs, **EXACT)
    pairs = torch.stack([labelled.log_likelihood(x, one.expand(5, 1), y) for one in z[:, :1]], -1)
    torch.testing.assert_close(labelled.log_likelihood_table(x, z[:, :1], y), pairs, **EXACT)


@pytest.mark.oracle("quadrature, and the sum over all images", "models.DeepLatentVariableModel.evidence")
def test_evidence_is_that_of_quadrature_and_adds_up(model, x):
    points, log_weights = oracle.grid(-6, 6, 60, 2)
    exact = oracle.quadrature(lambda z: model.log_joint(x, z), points, log_weights)
    by_rule = model.evidence(x, (points, log_weights + model.log_prior(points)))
    torch.testing.assert_close(by_rule.log_evidence, exact.log_evidence, **EXACT)
    torch.testing.assert_close(by_rule.log_posterior, exact.log_posterior, **EXACT)
    images, _ = binary(6)
    assert model.evidence(images).log_evidence.exp().sum().item() == pytest.approx(1, abs=1e-12)
    assert by_rule.log_posterior.exp().sum(-1).tolist() == pytest.approx([1] * 5)


@pytest.mark.oracle("minus the evidence, and finite differences", "models.DeepLatentVariableModel.loss")
def test_gradient_of_the_loss_is_that_of_finite_differences(labelled, x):
    y, weight = torch.tensor([0, 2, 1, 1, 0]), labelled.decoder[0].weight
    loss = labelled.loss(x, y, seeded(0))
    torch.testing.assert_close(loss, -labelled.evidence(x, y=y).log_evidence, rtol=0, atol=0)
    loss.sum().backward()
    with torch.no_grad():
        values, start = [], weight[1, 0].item()
        for step in (1e-5, -1e-5):
            weight[1, 0] = start + step
            values.append(labelled.loss(x, y, seeded(0)).sum().item())
    assert (values[0] - values[1]) / 2e-5 == pytest.approx(weight.grad[1, 0].item(), rel=1e-6)


@pytest.fixture(scope="module")
def trained():
    """A model of the 8x8 digits on 20 x 20 points, and digits that it has not seen."""
    torch.set_default_dtype(torch.float64)
    digits = datasets.optical_digits()[0].flatten(1)
    digits = (digits > digits.max() / 2).double()
    model = DeepLatentVariableModel(64, 2, hidden=(32, 32), points=20, generator=seeded(0))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(200):
        batch = digits[step % 10 * 128:][:128]
        optimiser.zero_grad()
        model.loss(batch, seeded(0)).mean().backward()
        optimiser.step()
    return model, digits[:1280], digits[1280:1600]


@pytest.mark.oracle("rules with many more points", "models.DeepLatentVariableModel.evidence")
def test_how_close_the_rule_comes_to_the_integral(trained):
    """Measured: 0.01 nats for the 400 points of the training, 0.001 for 10,000."""
    model, _, new = trained
    with torch.no_grad():
        points, log_weights = oracle.grid(-5, 5, 150, 2)
        integral = model.evidence(new, (points, log_weights + model.log_prior(points))).log_evidence.mean().item()
        assert model.evidence(new).log_evidence.mean().item() == pytest.approx(integral, abs=0.02)
        finer = model.evidence(new, oracle.normal_grid(100, 2)).log_evidence.mean().item()
        assert finer == pytest.approx(integral, abs=0.002)


def test_training_finds_more_than_independent_pixels(trained):
    model, seen, new = trained
    alone = td.Bernoulli(seen.mean(0).clamp(1e-3, 1 - 1e-3)).log_prob(new).sum(-1)
    gain = model.evidence(new).log_evidence.detach() - alone
    assert (gain.mean() / (gain.std() / math.sqrt(len(gain)))).item() > 5


@pytest.mark.oracle("message pinned", "errors.require_fractions", "models.BernoulliDecoder.require_*")
def test_bad_input_is_named(model, labelled, x):
    with pytest.raises(ValueError, match=r"`x` must lie between 0 and 1; got 255 at \(4, 5\)"):
        model.require_data(torch.cat([x.flatten()[:-1], torch.tensor([255.0])]).reshape(5, 6))
    with pytest.raises(ValueError, match=r"`x` must lie between 0 and 1; got nan at \(0,\)"):
        errors.require_fractions("x", torch.tensor([math.nan]))
    model.require_data(uniform((5, 6), seeded(0), x))
    with pytest.raises(ValueError, match=r"`y` must hold 5 whole numbers from 0 to 2; got .* values 0 to 4"):
        labelled.require_data(x, torch.arange(5))
    with pytest.raises(ValueError, match="`y` must have as many rows as `x`, 5; got 1"):
        labelled.loss(x, torch.tensor([1]), seeded(0))
    with pytest.raises(ValueError, match="`y` must hold integers; got"):
        labelled.loss(x, torch.ones(5), seeded(0))
    with pytest.raises(ValueError, match=r"`z` must have shape \(\.\.\., 5, 2\); got \(4, 2\)"):
        model.log_likelihood(x, torch.zeros(4, 2))
    with pytest.raises(ValueError, match=r"`y` must be left out, the model has no classes; got \(5,\)"):
        model.loss(x, torch.zeros(5, dtype=torch.long), seeded(0))
    for call in (lambda: labelled.sample(5, seeded(0)), lambda: labelled.require_data(x), lambda: labelled.evidence(x)):
        with pytest.raises(ValueError, match="`y` must be given; got None"):
            call()
    with pytest.raises(ValueError, match="`y` must hold 4 whole numbers"):
        labelled.sample(4, seeded(0), torch.zeros(5, dtype=torch.long))
    with pytest.raises(ValueError, match=r"`points` \*\* `latents` must be at most 100000: .* got 30 \*\* 4"):
        DeepLatentVariableModel(6, 4, generator=seeded(0))
    with pytest.raises(ValueError, match="`hidden` must be a tuple of the hidden layers' sizes; got 256"):
        DeepLatentVariableModel(6, 2, hidden=256, generator=seeded(0))


@pytest.mark.oracle("a planted fault is caught", "models.BernoulliDecoder.decode",
                    "models.DeepLatentVariableModel.log_likelihood_table")
def test_a_negative_label_is_never_taken_for_the_last_class(labelled, x):
    """On the path of the loss it is torch that refuses it, since a look at the labels would make a GPU wait."""
    y, z = torch.tensor([0, 1, 2, -1, 0]), torch.zeros(5, labelled.latents)
    with pytest.raises(RuntimeError, match="Class values must be non-negative"):
        labelled.decode(z, y)
    with pytest.raises(RuntimeError, match="index -1 is out of bounds"):
        labelled.loss(x, y, seeded(0))
    torch.testing.assert_close(labelled.decode(z, y.abs().int()), labelled.decode(z, y.abs()))
    assert labelled.to("meta").loss(x.to("meta"), y.to("meta"), seeded(0)).shape == (5,)
