"""Variational autoencoders, held against quadrature over z, the sum over all images, and torch.distributions."""

import math

from course_lib import datasets
from course_lib.inference import oracle
from course_lib.models import VAE, ConditionalVAE, SemiSupervisedVAE, vae
from course_lib.rng import bernoulli, randn, seeded
from tests.models.specimens import binary
from tests.models.specimens.vae import SPECIMENS

import pytest
import torch
import torch.distributions as td

EXACT = {"rtol": 0, "atol": 1e-11}
DRAWS = 20_000


def shaken(family, *sizes):
    """A small model with parameters that are nothing special."""
    model, generator = family(*sizes, hidden=(5,), generator=seeded(11)), seeded(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * randn(tuple(parameter.shape), generator, parameter))
    return model


@pytest.fixture
def x():
    return bernoulli(torch.full((4, 6), 0.5), seeded(1))


CASES = [
    ("VAE", lambda: shaken(VAE, 6, 1), None),
    ("ConditionalVAE", lambda: shaken(ConditionalVAE, 6, 1, 3), torch.tensor([0, 2, 1, 2])),
    ("SemiSupervisedVAE", lambda: shaken(SemiSupervisedVAE, 6, 1, 3), torch.tensor([0, 2, 1, 2])),
]
cases = pytest.mark.parametrize(("make", "y"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])


def quadrature(model, x, y):
    """log p(x), or log p(x, y), and the exact mean of the bound, for one latent variable: both (n,)."""
    points, log_weights = oracle.grid(-30, 30, 3000)
    y = () if y is None else (y,)
    table = model.log_joint(x, points[:, None].expand(-1, len(x), 1), *y).mT  # (n, m)
    loc, log_scale = model.posterior_approximation(x, *y)
    log_q = td.Normal(loc, log_scale.exp()).log_prob(points[:, 0])  # (n, m)
    assert (log_q + log_weights).logsumexp(-1).abs().max() < 1e-6  # the grid is wide enough
    log_evidence = (table + log_weights).logsumexp(-1)
    kl = ((log_q + log_weights).exp() * (log_q - (table - log_evidence[:, None]))).sum(-1)
    return log_evidence, log_evidence - kl


def many(model, x, y, bound):
    """`bound` for many copies of each row: (DRAWS, n)."""
    with torch.no_grad():
        values = bound(model, x.repeat(DRAWS, 1), None if y is None else y.repeat(DRAWS))
    return values.unflatten(0, (DRAWS, len(x)))


def z_score(values, exact):
    return ((values.mean(0) - exact) / (values.std(0) / math.sqrt(DRAWS))).abs().max().item()


def elbo(model, x, y):
    return model.elbo(x, seeded(0), y)


@pytest.mark.oracle("log p(x) - KL(q || p(z | x)) by quadrature, within 5 standard errors",
                    "models.*VAE.elbo", "models.*VAE.log_joint", "models.VAE.posterior_approximation")
@cases
def test_elbo_is_the_evidence_less_the_divergence(make, y, x):
    model = make()
    _, exact = quadrature(model, x, y)
    assert z_score(many(model, x, y, elbo), exact) < 5


@pytest.mark.parametrize("fault", ["variance for scale", "no mean"])
def test_that_criterion_sees_a_planted_fault(fault, x, monkeypatch):
    model = shaken(VAE, 6, 1)
    draw, (_, exact) = vae._draw, quadrature(model, x, None)
    faulty = {
        "variance for scale": lambda loc, log_scale, generator: draw(loc, 2 * log_scale, generator),
        "no mean": lambda loc, log_scale, generator: draw(torch.zeros_like(loc), log_scale, generator),
    }
    monkeypatch.setattr(vae, "_draw", faulty[fault])
    assert z_score(many(model, x, None, elbo), exact) > 5


@pytest.mark.oracle("mean of exp is p(x) by quadrature, within 5 standard errors; ELBO <= IWAE <= log p(x)",
                    "models.VAE.iwae")
@cases
def test_importance_weighted_bound_is_between_elbo_and_evidence(make, y, x):
    model = make()
    log_evidence, mean_elbo = quadrature(model, x, y)
    bounds = {k: many(model, x, y, lambda model, x, y, k=k: model.iwae(x, k, seeded(k), y)) for k in (1, 5, 20)}
    for values in bounds.values():
        assert z_score((values - log_evidence).exp(), torch.ones(4)) < 5
    assert z_score(bounds[1], mean_elbo) < 5
    for lower, upper in [(1, 5), (5, 20)]:
        gap = bounds[upper].mean(0) - bounds[lower].mean(0)
        assert (gap > 0).all()
    assert (bounds[20].mean(0) < log_evidence).all()


@pytest.mark.oracle("autograd through quadrature, within 5 standard errors", "models.VAE.loss")
def test_gradient_of_the_loss_is_that_of_the_exact_bound(x):
    """Reparameterised draws give the gradient without bias, the encoder's too."""
    model = shaken(VAE, 6, 1)
    parameters = [model.encoder[0].weight, model.decoder[0].weight]
    exact = torch.autograd.grad(-quadrature(model, x, None)[1].sum(), parameters)
    repeats, generator = x.repeat(500, 1), seeded(0)
    drawn = [torch.autograd.grad(model.loss(repeats, generator).sum() / 500, parameters) for _ in range(100)]
    for target, gradients in zip(exact, zip(*drawn)):
        gradients = torch.stack(gradients)
        error = gradients.std(0) / 10
        assert ((gradients.mean(0) - target).abs() <= 5 * error + 1e-12).all()


@pytest.mark.oracle("torch.distributions.kl_divergence and Bernoulli", "models.VAE.loss", "models.VAE.reconstruct")
def test_parts_of_the_loss_are_torch_distributions(x):
    model = shaken(VAE, 6, 2)
    loc, log_scale = model.posterior_approximation(x)
    kl = td.kl_divergence(td.Normal(loc, log_scale.exp()), td.Normal(0, 1)).sum(-1)
    z = loc + log_scale.exp() * randn((4, 2), seeded(3), x)
    log_likelihood = td.Bernoulli(logits=model.decode(z)).log_prob(x).sum(-1)
    torch.testing.assert_close(model.elbo(x, seeded(3)), log_likelihood - kl, **EXACT)
    torch.testing.assert_close(model.loss(x, seeded(3)), kl - log_likelihood, **EXACT)
    model.beta = 3.0
    torch.testing.assert_close(model.loss(x, seeded(3)), 3 * kl - log_likelihood, **EXACT)
    torch.testing.assert_close(model.reconstruct(x), td.Bernoulli(logits=model.decode(loc)).mean, **EXACT)


@pytest.mark.oracle("sum over all images and quadrature, within 5 standard errors",
                    "models.*VAE.sample", "models.BernoulliDecoder.sample")
@pytest.mark.parametrize("name", SPECIMENS)
def test_samples_follow_the_joint(name):
    model, (images, _) = SPECIMENS[name].model(), binary(6)
    points, log_weights = oracle.grid(-6, 6, 60, model.latents)
    for label in [()] if model.classes is None else [(0,), (2,)]:
        with torch.no_grad():
            table = model.log_joint(images, points[:, None].expand(-1, 64, -1), *(torch.full((64,), k) for k in label))
        p = (table + log_weights[:, None]).logsumexp(0).softmax(0)  # (64,)
        drawn = model.sample(DRAWS, seeded(4), *(torch.full((DRAWS,), k) for k in label))
        counts = (drawn @ 2.0 ** torch.arange(5, -1, -1)).long().bincount(minlength=64)
        chi_square = ((counts - DRAWS * p).square() / (DRAWS * p)).sum()
        assert abs((chi_square - 63) / math.sqrt(2 * 63)) < 5


def test_labels_that_are_not_given_are_drawn_uniformly():
    model = shaken(SemiSupervisedVAE, 6, 1, 3)
    each = torch.stack([model.sample(DRAWS, seeded(k), torch.full((DRAWS,), k)).mean(0) for k in range(3)]).mean(0)
    assert ((model.sample(DRAWS, seeded(9)).mean(0) - each).abs() < 5 * math.sqrt(0.25 * (1 + 1 / 3) / DRAWS)).all()


@pytest.mark.oracle("the explicit sum over labels", "models.SemiSupervisedVAE.elbo",
                    "models.SemiSupervisedVAE.loss", "models.SemiSupervisedVAE.probabilities")
def test_unlabelled_bound_is_the_sum_over_labels(x):
    model = shaken(SemiSupervisedVAE, 6, 2, 3)
    q = model.probabilities(x)
    torch.testing.assert_close(q, td.Categorical(logits=model.classifier(x)).probs, **EXACT)
    labelled = [model.elbo(x, seeded(0), torch.full((4,), k)) for k in range(3)]
    explicit = sum(q[:, k] * (labelled[k] - q[:, k].log()) for k in range(3))
    nothing, some = torch.full((4,), -1), torch.tensor([-1, 2, -1, 0])
    torch.testing.assert_close(model.elbo(x, seeded(0)), explicit, **EXACT)
    torch.testing.assert_close(model.loss(x, nothing, seeded(0)), -explicit, **EXACT)
    model.alpha = 2.5
    seen = torch.tensor([1, 3])
    entropy = torch.nn.functional.cross_entropy(model.classifier(x)[seen], some[seen], reduction="none")
    expected = -explicit.clone()
    expected[seen] = 2.5 * entropy - torch.stack([labelled[2][1], labelled[0][3]])
    torch.testing.assert_close(model.loss(x, some, seeded(0)), expected, **EXACT)


@pytest.mark.oracle("quadrature over z and the sum over labels and images", "models.SemiSupervisedVAE.log_joint")
def test_semi_supervised_joint_adds_up_and_bounds_hold():
    model, (images, _) = shaken(SemiSupervisedVAE, 6, 1, 3), binary(6)
    log_evidence = torch.stack([quadrature(model, images, torch.full((64,), k))[0] for k in range(3)])  # (3, 64)
    assert log_evidence.exp().sum().item() == pytest.approx(1, abs=1e-9)
    bounds = many(model, images[:3], None, elbo)
    assert (bounds.mean(0) - 5 * bounds.std(0) / math.sqrt(DRAWS) < log_evidence.logsumexp(0)[:3]).all()


def test_a_certain_classifier_gives_a_finite_gradient(x):
    """q(y | x) that rounds to zero: 0 log 0 is 0, in the gradient too."""
    model = shaken(SemiSupervisedVAE, 6, 2, 3).float()
    with torch.no_grad():
        model.classifier[-1].bias.add_(torch.tensor([0, 500, 0]))
    assert model.probabilities(x.float())[0, 0] == 0
    model.loss(x.float(), torch.full((4,), -1), seeded(0)).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.slow
def test_a_heavy_divergence_kills_the_latent_variable():
    """Posterior collapse: with a large beta q is the prior; with 1 it is not."""
    digits = datasets.optical_digits()[0].flatten(1)
    digits = (digits > digits.max() / 2).double()
    kl = {}
    for beta in (1.0, 50.0):
        model = VAE(64, 4, hidden=(64,), beta=beta, generator=seeded(0))
        optimiser, generator = torch.optim.Adam(model.parameters(), lr=3e-3), seeded(1)
        for step in range(300):
            optimiser.zero_grad()
            model.loss(digits[step % 20 * 128:][:128], generator).mean().backward()
            optimiser.step()
        loc, log_scale = model.posterior_approximation(digits)
        kl[beta] = td.kl_divergence(td.Normal(loc, log_scale.exp()), td.Normal(0, 1)).sum(-1).mean().item()
    assert kl[1.0] > 2
    assert kl[50.0] < 0.05


@pytest.mark.oracle("message pinned", "models.SemiSupervisedVAE.require_data", "models.VAE.iwae",
                    "models.VAE.reconstruct")
def test_bad_input_is_named(x):
    model = shaken(SemiSupervisedVAE, 6, 1, 3)
    model.require_data(x, torch.tensor([-1, 0, 2, -1]))
    with pytest.raises(ValueError, match=r"`y` must hold 4 whole numbers from -1 \(unknown\) to 2; got .* -1 to 3"):
        model.require_data(x, torch.tensor([-1, 0, 3, -1]))
    with pytest.raises(ValueError, match="`y` must have as many rows as `x`, 4; got 2"):
        model.loss(x, torch.tensor([-1, 0]), seeded(0))
    for call in (lambda y: model.iwae(x, 3, seeded(0), y), lambda y: model.reconstruct(x, y)):
        with pytest.raises(ValueError, match=r"`y` must hold 4 whole numbers from 0 to 2; got .* values -1 to 2"):
            call(torch.tensor([-1, 0, 2, -1]))  # not the last class
    with pytest.raises(ValueError, match="`draws` must be a whole number >= 1; got 0"):
        shaken(VAE, 6, 1).iwae(x, 0, seeded(0))
    with pytest.raises(ValueError, match="`y` must be given; got None"):
        shaken(ConditionalVAE, 6, 1, 3).elbo(x, seeded(0))
    with pytest.raises(ValueError, match=r"`beta` must be a finite number >= 0; got nan\."):
        VAE(6, 1, beta=float("nan"), generator=seeded(0))
    with pytest.raises(ValueError, match=r"`alpha` must be a finite number >= 0; got -1\."):
        SemiSupervisedVAE(6, 1, 3, alpha=-1, generator=seeded(0))
