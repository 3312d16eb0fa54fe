"""Neural conditionals, held against torch.distributions, scikit-learn and closed forms."""

import math

from course_lib import datasets
from course_lib.models import ConditionalBernoulli, ConditionalCategorical, ConditionalGaussian, ConditionalMixture
from course_lib.models.mlp import mlp
from course_lib.rng import randn, seeded
from tests.models.specimens.conditional import SPECIMENS

import pytest
import torch
import torch.distributions as td
from sklearn.linear_model import LinearRegression, LogisticRegression

EXACT = {"rtol": 0, "atol": 1e-12}


@pytest.fixture
def rows():
    """Six rows of two features."""
    return randn((6, 2), seeded(1), torch.zeros(()))


def specimen(name):
    return SPECIMENS[name].model()


def minimise(model, x, y, penalty=0.0):
    """Newton-like descent to the optimum; `penalty` / 2 times the squared weights, without the biases."""
    optimiser = torch.optim.LBFGS(
        model.parameters(), max_iter=2000, tolerance_grad=1e-9, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        optimiser.zero_grad()
        squares = sum(p.square().sum() for p in model.parameters() if p.ndim == 2)
        loss = model.loss(x, y, seeded(0)).sum() + penalty / 2 * squares
        loss.backward()
        return loss

    optimiser.step(closure)
    return model


def blobs():
    """Three classes that overlap, and which class is the second."""
    generator = seeded(5)
    y = torch.arange(150) % 3
    x = torch.stack([y.sin(), y.cos()], -1) + randn((150, 2), generator, torch.zeros(()))
    return x, y


def test_mlp_is_linear_maps_with_an_activation_between():
    network = mlp((3, 4, 2), seeded(0), torch.nn.Tanh)
    x = randn((5, 3), seeded(1), torch.zeros(()))
    (w, b), (v, c) = ((layer.weight, layer.bias) for layer in (network[0], network[2]))
    torch.testing.assert_close(network(x), (x @ w.mT + b).tanh() @ v.mT + c, **EXACT)
    assert [type(layer).__name__ for layer in mlp((3, 2), seeded(0))] == ["Linear"]


@pytest.mark.oracle("torch.distributions.Categorical", "models.ConditionalCategorical.log_prob",
                    "models.ConditionalCategorical.logits", "models.ConditionalCategorical.probabilities")
def test_classes_are_torch_distributions_categorical(rows):
    model = specimen("conditional-categorical")
    peer = td.Categorical(logits=model.logits(rows))
    y = torch.tensor([0, 1, 2, 3, 0, 1])
    torch.testing.assert_close(model.log_prob(y, rows), peer.log_prob(y), **EXACT)
    torch.testing.assert_close(model.probabilities(rows), peer.probs, **EXACT)
    torch.testing.assert_close(model.loss(rows, y, seeded(0)), torch.nn.functional.cross_entropy(
        model.logits(rows), y, reduction="none"), **EXACT)


@pytest.mark.oracle("torch.distributions.Bernoulli", "models.ConditionalBernoulli.log_prob",
                    "models.ConditionalBernoulli.logits", "models.ConditionalBernoulli.probabilities")
def test_yes_or_no_is_torch_distributions_bernoulli(rows):
    model = specimen("conditional-bernoulli")
    peer = td.Bernoulli(logits=model.logits(rows))
    y = torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    torch.testing.assert_close(model.log_prob(y, rows), peer.log_prob(y), **EXACT)
    torch.testing.assert_close(model.probabilities(rows), peer.probs, **EXACT)


@pytest.mark.oracle("torch.distributions.Normal",
                    "models.ConditionalGaussian.log_prob", "models.ConditionalGaussian.predict")
@pytest.mark.parametrize("name", ["conditional-gaussian", "linear-regression"])
def test_regression_is_torch_distributions_normal(name, rows):
    model = specimen(name)
    y = randn((6, 2), seeded(2), rows)
    loc, log_scale = model.predict(rows)
    assert loc.shape == log_scale.shape == (6, 2)
    assert (log_scale.std(0) == 0).all() == (name == "linear-regression")
    peer = td.Independent(td.Normal(loc, log_scale.exp()), 1)
    torch.testing.assert_close(model.log_prob(y, rows), peer.log_prob(y), **EXACT)


@pytest.mark.oracle("torch.distributions.MixtureSameFamily", "models.ConditionalMixture.log_joint",
                    "models.ConditionalMixture.log_prob", "models.ConditionalMixture.predict")
def test_mixture_density_is_torch_distributions_mixture(rows):
    model = specimen("conditional-mixture")
    y = randn((6,), seeded(2), rows)
    log_weights, loc, log_scale = model.predict(rows)
    peer = td.MixtureSameFamily(td.Categorical(logits=log_weights), td.Normal(loc, log_scale.exp()))
    torch.testing.assert_close(model.log_prob(y, rows), peer.log_prob(y), **EXACT)
    joint = log_weights + td.Normal(loc, log_scale.exp()).log_prob(y[:, None])
    torch.testing.assert_close(model.log_joint(y, rows), joint, **EXACT)


@pytest.mark.oracle("moments of the closed form, within 5 standard errors", "models.Conditional*.sample")
@pytest.mark.parametrize("name", SPECIMENS)
def test_samples_have_the_conditional_moments(name):
    """The contract compares entropies; this sees a draw that belongs to another row, too."""
    model, x = specimen(name), SPECIMENS[name].inputs()
    points, log_weights = SPECIMENS[name].support()
    y = model.sample(x.repeat(5000, 1), seeded(3)).reshape(5000, len(x), -1).double()
    points = points.reshape(len(points), -1).double()  # (m, T)
    for row, draws in zip(x, y.unbind(1)):
        with torch.no_grad():
            log_p = model.log_prob(SPECIMENS[name].support()[0], row.expand(len(points), -1))
        mass = (log_p + log_weights).exp()[:, None]
        mean = (mass * points).sum(0)
        error = ((mass * (points - mean).square()).sum(0) / 5000).sqrt()
        assert ((draws.mean(0) - mean).abs() < 5 * error).all()


@pytest.mark.oracle("finite differences", "models.Conditional*.log_prob")
@pytest.mark.parametrize("name", ["conditional-categorical", "conditional-bernoulli", "conditional-gaussian",
                                  "conditional-mixture"])
def test_gradients_are_those_of_finite_differences(name, rows):
    model = specimen(name)
    y = model.sample(rows, seeded(0))
    weight = model.network[0].weight
    model.loss(rows, y, seeded(0)).sum().backward()
    with torch.no_grad():
        for at in [(0, 0), (3, 1)]:
            start, values = weight[at].item(), []
            for step in (1e-5, -1e-5):
                weight[at] = start + step
                values.append(model.loss(rows, y, seeded(0)).sum().item())
            weight[at] = start
            assert (values[0] - values[1]) / 2e-5 == pytest.approx(weight.grad[at].item(), rel=1e-6, abs=1e-7)


@pytest.mark.oracle("scikit-learn's LogisticRegression", "models.ConditionalCategorical.log_prob")
@pytest.mark.parametrize("strength", [1.0, math.inf])
def test_softmax_regression_is_scikit_learns(strength):
    """The same optimum, with a penalty and without."""
    x, y = blobs()
    model = minimise(ConditionalCategorical(2, 3, generator=seeded(0)), x, y, penalty=1 / strength)
    peer = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(x.numpy(), y.numpy())
    torch.testing.assert_close(
        model.probabilities(x).detach(), torch.from_numpy(peer.predict_proba(x.numpy())), rtol=0, atol=1e-6
    )


@pytest.mark.oracle("scikit-learn's LogisticRegression", "models.ConditionalBernoulli.log_prob")
@pytest.mark.parametrize("strength", [1.0, math.inf])
def test_logistic_regression_is_scikit_learns(strength):
    x, y = blobs()
    y = (y == 1).double()
    model = minimise(ConditionalBernoulli(2, generator=seeded(0)), x, y, penalty=1 / strength)
    peer = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(x.numpy(), y.numpy())
    layer = model.network[0]
    assert layer.weight[0].tolist() == pytest.approx(peer.coef_[0].tolist(), abs=1e-6)
    assert layer.bias.item() == pytest.approx(peer.intercept_[0], abs=1e-6)


@pytest.mark.oracle("scikit-learn's LinearRegression", "models.ConditionalGaussian.log_prob")
def test_linear_regression_is_least_squares():
    data = datasets.old_faithful()
    x, y = data[:, :1], data[:, 1:] / 10
    model = minimise(ConditionalGaussian(1, 1, heteroscedastic=False, generator=seeded(0)), x, y)
    peer = LinearRegression().fit(x.numpy(), y.numpy())
    layer = model.network[0]
    assert layer.weight.item() == pytest.approx(peer.coef_[0, 0], rel=1e-6)
    assert layer.bias.item() == pytest.approx(peer.intercept_[0], rel=1e-6)
    residual = y.numpy() - peer.predict(x.numpy())
    assert model.log_scale.exp().item() == pytest.approx((residual**2).mean() ** 0.5, rel=1e-6)


def test_a_heteroscedastic_scale_follows_the_noise():
    """Where the noise grows with x, the learnt scale does, and the density gains over a constant one."""
    generator = seeded(0)
    x = torch.linspace(-1, 1, 400)[:, None]
    y = x + (x - 0.5).exp() * randn((400, 1), generator, x)
    one, every = (
        minimise(ConditionalGaussian(1, 1, heteroscedastic=flag, generator=seeded(1)), x, y) for flag in (False, True)
    )
    gain = every.log_prob(y, x) - one.log_prob(y, x)
    assert (gain.mean() / (gain.std() / 20)).item() > 3
    torch.testing.assert_close(every.predict(x)[1], x - 0.5, rtol=0, atol=0.2)


@pytest.mark.oracle("limits: uniform when hot, the mode when cold", "models.Conditional*.probabilities")
def test_temperature_flattens_and_sharpens(rows):
    model, coin = specimen("conditional-categorical"), specimen("conditional-bernoulli")
    torch.testing.assert_close(model.probabilities(rows, 1e9), torch.full((6, 4), 0.25), rtol=0, atol=1e-6)
    torch.testing.assert_close(coin.probabilities(rows, 1e9), torch.full((6,), 0.5), rtol=0, atol=1e-6)
    mode = torch.nn.functional.one_hot(model.logits(rows).argmax(-1), 4).double()
    torch.testing.assert_close(model.probabilities(rows, 1e-4), mode, rtol=0, atol=1e-6)
    torch.testing.assert_close(coin.probabilities(rows, 1e-4), (coin.logits(rows) > 0).double(), rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="`temperature` must be a finite number > 0; got 0"):
        model.probabilities(rows, 0)


def make(family, *sizes, **options):
    return family(*sizes, **options, generator=seeded(0))


@pytest.mark.oracle("message pinned", "models.Conditional*.require_data")
def test_bad_data_are_named(rows):
    classes, coin = specimen("conditional-categorical"), specimen("conditional-bernoulli")
    with pytest.raises(ValueError, match=r"`y` must hold 6 whole numbers from 0 to 3; got .* values 0 to 5"):
        classes.require_data(rows, torch.arange(6))
    with pytest.raises(ValueError, match=r"`y` must hold only 0 and 1; got 0\.5 at \(2,\)"):
        coin.require_data(rows, torch.tensor([0, 1, 0.5, 0, 0, 0]))
    with pytest.raises(ValueError, match="`y` must have as many rows as `x`, 6; got 4"):
        coin.log_prob(torch.zeros(4), rows)
    with pytest.raises(ValueError, match=r"`x` must have shape \(n, 2\); got \(6, 3\)"):
        classes.logits(torch.zeros(6, 3))
    for name in ("conditional-gaussian", "conditional-mixture"):
        y = torch.full((6, *specimen(name).event_shape), math.inf)
        with pytest.raises(ValueError, match="`y` must be finite; got"):
            specimen(name).require_data(rows, y)


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda: make(ConditionalCategorical, 0, 2), "`features` must be a whole number >= 1; got 0"),
    (lambda: make(ConditionalCategorical, 2, 0), "`classes` must be a whole number >= 1; got 0"),
    (lambda: make(ConditionalGaussian, 2, -1), "`targets` must be a whole number >= 1; got -1"),
    (lambda: make(ConditionalMixture, 2, 1.5, hidden=(3,)), r"`components` must be a whole number >= 1; got 1\.5"),
    (lambda: make(ConditionalBernoulli, 2, hidden=(0,)), "`hidden` must be a whole number >= 1; got 0"),
    (lambda: make(ConditionalBernoulli, 2, hidden=64), "`hidden` must be a tuple of the hidden layers' sizes; got 64"),
])
def test_bad_sizes_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
