"""Mixtures whose choice is seen, in all rows or in some: held against scikit-learn's classifiers."""

import itertools

from course_lib import datasets
from course_lib.models import BernoulliMixture, CategoricalMixture, GaussianMixture
from course_lib.rng import seeded
from tests.models.specimens import collect

import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, GaussianNB

MIXTURES = {name: specimen for name, specimen in collect().items() if name.startswith("mixture-")}


@pytest.fixture(scope="module")
def wine():
    """Three unequal classes of Gaussians in 4 dimensions, at random."""
    generator = seeded(0)
    y = torch.tensor([0] * 30 + [1] * 50 + [2] * 90)
    turn = torch.randn(3, 4, 4, generator=generator, dtype=torch.float64)
    noise = torch.randn(170, 4, generator=generator, dtype=torch.float64)
    return (turn[y] @ noise[..., None])[..., 0] + y[:, None], y


@pytest.fixture(scope="module")
def codes():
    generator = seeded(1)
    y = torch.randint(3, (200,), generator=generator)
    levels = (2, 3, 5)
    noise = torch.stack([torch.randint(level, (200,), generator=generator) for level in levels], -1)
    keep = torch.rand(200, 3, generator=generator) < 0.5
    return torch.where(keep, noise, y[:, None].clamp(max=torch.tensor(levels) - 1)), y, levels


@pytest.mark.oracle("scikit-learn's LinearDiscriminantAnalysis", "models.Mixture.maximise_labelled",
                    "models.Mixture.posterior", "models.Mixture.weights", "models.GaussianMixture.maximise")
def test_tied_full_gaussians_are_linear_discriminant_analysis(wine):
    x, y = wine
    model = GaussianMixture(3, 4, covariance="full", tied=True)
    model.maximise_labelled(x, y)
    peer = LinearDiscriminantAnalysis(solver="lsqr").fit(x, y)
    torch.testing.assert_close(model.weights, torch.tensor(peer.priors_), rtol=0, atol=1e-12)
    torch.testing.assert_close(model.posterior(x), torch.tensor(peer.predict_proba(x)), rtol=0, atol=1e-9)


@pytest.mark.oracle("scikit-learn's QuadraticDiscriminantAnalysis", "models.Mixture.maximise_labelled",
                    "models.Mixture.posterior", "models.GaussianMixture.maximise", "models.GaussianMixture.scale_tril")
def test_own_full_gaussians_are_quadratic_discriminant_analysis(wine):
    """Its versions divide by n_k or by n_k - 1, so the posterior is compared with its covariances put in."""
    x, y = wine
    model = GaussianMixture(3, 4, covariance="full")
    model.maximise_labelled(x, y)
    own = torch.stack([x[y == k].mT.cov(correction=0) for k in range(3)])
    torch.testing.assert_close(model.scale_tril @ model.scale_tril.mT, own, rtol=1e-9, atol=1e-9)
    peer = QuadraticDiscriminantAnalysis(store_covariance=True).fit(x, y)
    root = torch.linalg.cholesky(torch.stack([torch.tensor(covariance) for covariance in peer.covariance_]))
    with torch.no_grad():
        model.log_scale.copy_(root.diagonal(dim1=-2, dim2=-1).log())
        model.lower.copy_(root.tril(-1))
    torch.testing.assert_close(model.loc, torch.tensor(peer.means_), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(model.posterior(x), torch.tensor(peer.predict_proba(x)), rtol=0, atol=1e-9)


@pytest.mark.oracle("scikit-learn's GaussianNB", "models.Mixture.maximise_labelled", "models.Mixture.log_joint",
                    "models.GaussianMixture.log_likelihood")
def test_diagonal_gaussians_are_gaussian_naive_bayes(wine):
    x, y = wine
    model = GaussianMixture(3, 4)
    model.maximise_labelled(x, y)
    peer = GaussianNB(var_smoothing=0).fit(x, y)
    torch.testing.assert_close(model.log_joint(x), torch.tensor(peer.predict_joint_log_proba(x)), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("smoothing", [0.5, 1.0])
@pytest.mark.oracle("scikit-learn's BernoulliNB", "models.BernoulliMixture.maximise", "models.Mixture.log_joint",
                    "models.BernoulliMixture.log_likelihood", "models.BernoulliMixture.probabilities")
def test_bernoullis_are_bernoulli_naive_bayes(codes, smoothing):
    x, y = (codes[0] > 0).double(), codes[1]
    model = BernoulliMixture(3, 3)
    model.maximise_labelled(x, y, smoothing=smoothing)
    peer = BernoulliNB(alpha=smoothing).fit(x, y)
    torch.testing.assert_close(model.probabilities.log(), torch.tensor(peer.feature_log_prob_), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(model.log_joint(x), torch.tensor(peer.predict_joint_log_proba(x)), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("smoothing", [0.5, 1.0])
@pytest.mark.oracle("scikit-learn's CategoricalNB", "models.CategoricalMixture.maximise", "models.Mixture.log_joint",
                    "models.CategoricalMixture.log_likelihood", "models.CategoricalMixture.log_probabilities")
def test_categories_are_categorical_naive_bayes(codes, smoothing):
    x, y, levels = codes
    model = CategoricalMixture(3, levels)
    model.maximise_labelled(x, y, smoothing=smoothing)
    peer = CategoricalNB(alpha=smoothing, min_categories=levels).fit(x, y)
    for feature, level in enumerate(levels):
        ours = model.log_probabilities[:, feature]
        torch.testing.assert_close(ours[:, :level], torch.tensor(peer.feature_log_prob_[feature]), rtol=1e-9, atol=1e-9)
        assert (ours[:, level:] == -torch.inf).all()
    torch.testing.assert_close(model.log_joint(x), torch.tensor(peer.predict_joint_log_proba(x)), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.oracle("enumeration of z", "models.Mixture.log_prob", "models.Mixture.posterior",
                    "models.Mixture.log_joint", "models.Mixture.log_prior", "models.Mixture.expectation")
def test_a_label_picks_its_term_of_the_sum(name):
    model = MIXTURES[name].model()
    x, y = model.sample_joint(30, seeded(0))
    table = torch.stack([model.log_joint(x, torch.full((30,), k)) for k in range(3)], -1)
    torch.testing.assert_close(model.log_prior().exp().sum(), torch.ones(()))
    torch.testing.assert_close(table, model.log_prior() + model.log_likelihood(x))
    torch.testing.assert_close(model.log_prob(x), table.exp().sum(-1).log())
    torch.testing.assert_close(model.posterior(x), table.exp() / table.exp().sum(-1, keepdim=True))
    partly = torch.where(torch.arange(30) < 20, y, -1)
    log_evidence, r = model.expectation(x, partly)
    torch.testing.assert_close(log_evidence[:20], model.log_joint(x, y)[:20])
    torch.testing.assert_close(r[:20], torch.nn.functional.one_hot(y[:20], 3).double())
    torch.testing.assert_close(log_evidence[20:], model.log_prob(x)[20:])
    torch.testing.assert_close(r[20:], model.posterior(x)[20:])
    weighted, part = model.expectation(x, partly, unlabelled_weight=0.1)
    weight = torch.where(partly < 0, 0.1, 1.0)
    torch.testing.assert_close(weighted, weight * log_evidence)
    torch.testing.assert_close(part, weight[:, None] * r)


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.oracle("frequencies and means, by z-score", "models.Mixture.sample_joint", "models.Mixture.sample",
                    "models.*Mixture.sample_given")
def test_joint_samples_follow_the_joint(name):
    """Given the choice, the mean of log p(x | z) over samples is minus the entropy of p(x | z)."""
    model = MIXTURES[name].model()
    x, z = model.sample_joint(20_000, seeded(0))
    share = z.bincount(minlength=3) / len(z)
    assert ((share - model.weights) / (model.weights * (1 - model.weights) / len(z)).sqrt()).abs().max() < 5
    points, log_weights = MIXTURES[name].support()
    with torch.no_grad():
        exact, drawn = model.log_likelihood(points), model.log_likelihood(x)
    mass = (exact + log_weights[:, None]).exp()  # (m, K)
    mean = (mass * exact.clamp_min(-1e6)).sum(0)
    for k in range(3):
        own = drawn[z == k, k]
        assert abs((own.mean() - mean[k]) / (own.std() / len(own) ** 0.5)) < 5
        given = model.sample_given(torch.full((5000,), k), seeded(k))
        moved = given.double().mean(0) - (mass[:, k, None] * points).sum(0)
        assert (moved / (given.double().std(0) / 5000**0.5).clamp_min(1e-12)).abs().max() < 5


@pytest.mark.parametrize("weight", [0.2, 1.0])
@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.oracle("the evidence never goes down", "models.Mixture.expectation", "models.Mixture.start_at",
                    "models.*Mixture.maximise")
def test_semi_supervised_em_never_goes_down(name, weight):
    model, generator = MIXTURES[name].model(), seeded(3)
    x, y = model.sample_joint(300, generator)
    partly = torch.where(torch.arange(300) % 5 == 0, y, -1)
    for labels in (partly, None):
        model.start_at(x, generator)
        climb = []
        for _ in range(15):
            log_evidence, r = model.expectation(x, labels, unlabelled_weight=weight)
            model.maximise(x, r.detach())
            climb.append(log_evidence.mean().item())
        assert climb[-1] > climb[0]
        assert min(b - a for a, b in itertools.pairwise(climb)) > -1e-9


@pytest.mark.oracle("a planted fault is caught", "models.Mixture.expectation")
def test_responsibilities_that_are_too_sure_are_caught_by_that_test():
    """Squared, then normalised, they climb another hill, and the evidence falls on the way."""
    model, generator = MIXTURES["mixture-bernoulli"].model(), seeded(3)
    x, falls = model.sample(300, generator), []
    for _ in range(20):
        model.start_at(x, generator)
        climb = []
        for _ in range(5):
            log_evidence, r = model.expectation(x)
            model.maximise(x, torch.nn.functional.normalize(r.detach().square(), p=1))
            climb.append(log_evidence.mean().item())
        falls.append(min(b - a for a, b in itertools.pairwise(climb)))
    assert min(falls) < -1e-3


@pytest.mark.oracle("fewer errors on held-out digits", "models.Mixture.expectation")
def test_unlabelled_digits_help_a_naive_bayes_with_few_labels():
    data = datasets.optical_digits()
    keep = data.y < 3
    x, y = (data.x[keep] > 0.5).double(), data.y[keep]
    train, test, train_y, test_y = x[:800], x[800:], y[:800], y[800:]
    partly = torch.where(torch.arange(800) < 6, train_y, -1)
    model = BernoulliMixture(3, 64)
    model.maximise_labelled(train[:6], train_y[:6], smoothing=1.0)
    before = (model.posterior(test).argmax(-1) != test_y).double().mean()
    for _ in range(20):
        model.maximise(train, model.expectation(train, partly)[1].detach(), smoothing=1.0)
    after = (model.posterior(test).argmax(-1) != test_y).double().mean()
    assert after < before


@pytest.mark.oracle("message pinned", "errors.require_partial_labels", "models.Mixture.expectation",
                    "models.Mixture.maximise_labelled", "models.Mixture.start_at", "models.*Mixture.sample_given")
def test_wrong_labels_are_named():
    model, x = BernoulliMixture(2, 3), torch.zeros(4, 3)
    y = torch.tensor([0, 1, -1, 0])
    with pytest.raises(ValueError, match=r"`y` must hold 4 whole numbers from 0 to 1; got .* values -1 to 1\."):
        model.maximise_labelled(x, y)
    with pytest.raises(ValueError, match=r"`y` must hold every class; got no row of class 1\."):
        model.maximise_labelled(x, torch.zeros_like(y))
    with pytest.raises(ValueError, match=r"`y` must hold 4 whole numbers from -1 \(unknown\) to 1; got .* -1 to 2\."):
        model.expectation(x, torch.tensor([0, 1, -1, 2]))
    with pytest.raises(ValueError, match=r"`y` must hold integers; got torch.float64\."):
        model.expectation(x, y.double())
    with pytest.raises(ValueError, match=r"`z` must hold integers of torch\.int64; got torch\.uint8\. Try x\.long"):
        model.sample_given(torch.tensor([0, 1], dtype=torch.uint8), seeded(0))  # not a mask
    with pytest.raises(ValueError, match=r"`unlabelled_weight` must be above 0 and at most 1; got 0\."):
        model.expectation(x, y, unlabelled_weight=0)
    with pytest.raises(ValueError, match=r"`z` must hold 2 whole numbers from 0 to 1; got .* values 1 to 2\."):
        model.sample_given(torch.tensor([1, 2]), seeded(0))
    with pytest.raises(ValueError, match=r"`x` must have at least K = 2 rows; got 1\."):
        model.start_at(x[:1], seeded(0))


@pytest.mark.oracle("closed form, whatever the default dtype", "models.Mixture.expectation")
def test_the_weight_of_unlabelled_rows_is_not_rounded():
    model, x = BernoulliMixture(2, 3), torch.ones(4, 3)
    torch.set_default_dtype(torch.float32)
    log_evidence, r = model.expectation(x, unlabelled_weight=0.1)
    torch.testing.assert_close(r.sum(-1), torch.full_like(r[:, 0], 0.1), rtol=1e-14, atol=0)
    torch.testing.assert_close(log_evidence, 0.1 * model.log_prob(x), rtol=1e-14, atol=0)
