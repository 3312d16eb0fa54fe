"""Gaussian mixtures, held against torch.distributions, scikit-learn and enumeration."""

import itertools

from course_lib import datasets
from course_lib.errors import NumericalError
from course_lib.inference import oracle
from course_lib.models import BernoulliMixture, CategoricalMixture, GaussianMixture
from course_lib.rng import seeded
from course_lib.training import expectation_maximisation, fit

import pytest
import torch
import torch.distributions as td
from sklearn.mixture import GaussianMixture as Sklearn


@pytest.fixture
def fitted():
    x = datasets.old_faithful()
    model = GaussianMixture(3, 2, covariance="full").start_at(x, seeded(0))
    fit(expectation_maximisation(model, x, steps=5))
    return model, x


@pytest.mark.oracle("torch.distributions.MixtureSameFamily", "models.Mixture.log_prob",
                    "models.GaussianMixture.log_likelihood", "models.GaussianMixture.scale_tril")
def test_log_prob_is_that_of_torch_distributions(fitted):
    model, x = fitted
    reference = td.MixtureSameFamily(
        td.Categorical(model.weights), td.MultivariateNormal(model.loc, scale_tril=model.scale_tril)
    )
    torch.testing.assert_close(model.log_prob(x), reference.log_prob(x), rtol=1e-12, atol=1e-12)


@pytest.mark.oracle("enumeration of z", "models.Mixture.log_prob", "models.Mixture.posterior",
                    "models.Mixture.log_joint")
def test_evidence_and_posterior_are_those_of_enumeration(fitted):
    model, x = fitted
    values = [torch.full((len(x),), k) for k in range(3)]
    exact = oracle.enumeration(lambda z: model.log_joint(x, z), values)
    torch.testing.assert_close(model.log_prob(x), exact.log_evidence, rtol=0, atol=1e-12)
    torch.testing.assert_close(model.posterior(x).log(), exact.log_posterior, rtol=1e-9, atol=1e-9)


def test_joint_is_prior_times_likelihood(fitted):
    model, x = fitted
    torch.testing.assert_close(model.log_joint(x), model.log_prior() + model.log_likelihood(x), rtol=0, atol=0)


@pytest.mark.oracle("scikit-learn's GaussianMixture", "models.GaussianMixture.maximise", "models.Mixture.start_at",
                    "models.Mixture.weights")
@pytest.mark.parametrize(
    ("covariance", "tied", "theirs"),
    [("full", False, "full"), ("full", True, "tied"), ("diagonal", False, "diag")],
)
def test_em_is_scikit_learns(covariance, tied, theirs):
    """Same start, same number of iterations, same parameters."""
    x = datasets.old_faithful()
    model = GaussianMixture(3, 2, covariance=covariance, tied=tied).start_at(x, seeded(1))
    precision = torch.linalg.inv(model.scale_tril @ model.scale_tril.mT).detach()
    precision = {"full": precision, "tied": precision[0], "diag": precision.diagonal(dim1=-2, dim2=-1)}[theirs]
    peer = Sklearn(3, covariance_type=theirs, reg_covar=0, tol=0, max_iter=25, weights_init=[1 / 3] * 3,
                   means_init=model.loc.detach().numpy(), precisions_init=precision.numpy())
    with pytest.warns(Warning, match="did not converge"):
        peer.fit(x.numpy())
    fit(expectation_maximisation(model, x, steps=25))
    torch.testing.assert_close(model.weights, torch.tensor(peer.weights_), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(model.loc, torch.tensor(peer.means_), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(model.log_prob(x), torch.tensor(peer.score_samples(x.numpy())), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("floor", [0.0, 0.5])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_em_never_goes_down(covariance, tied, floor):
    x = datasets.old_faithful()
    for seed in range(10):
        model = GaussianMixture(3, 2, covariance=covariance, tied=tied).start_at(x, seeded(seed))
        if floor:
            fit(expectation_maximisation(model, x, steps=1, variance_floor=floor))  # now inside the constraint
        losses = fit(expectation_maximisation(model, x, steps=40, variance_floor=floor))["loss"]
        assert max(b - a for a, b in itertools.pairwise(losses)) < 1e-9


@pytest.mark.oracle("a planted fault is caught", "models.GaussianMixture.maximise")
def test_an_em_with_a_fault_is_caught_by_that_test():
    """The same invariant fails when the common variance is a plain mean of the components' variances."""
    x = datasets.galaxies()

    class Faulty(GaussianMixture):
        def maximise(self, x, r, *, variance_floor=0.0):
            super().maximise(x, r)
            own = (r * (x - self.loc.mT).square()).sum(0) / r.sum(0)  # (K,)
            with torch.no_grad():
                self.log_scale.copy_(0.5 * own.mean().log())

    falls = []
    for seed in range(40):
        model = Faulty(3, 1, tied=True).start_at(x, seeded(seed))
        losses = fit(expectation_maximisation(model, x, steps=40))["loss"]
        falls.append(max(b - a for a, b in itertools.pairwise(losses)))
    assert max(falls) > 0.01


def test_variance_floor_holds_in_every_direction():
    x = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])  # on a line: singular
    model = GaussianMixture(1, 2, covariance="full").start_at(x, seeded(0))
    fit(expectation_maximisation(model, x, steps=3, variance_floor=0.01))
    values = torch.linalg.eigvalsh(model.scale_tril[0] @ model.scale_tril[0].mT)
    torch.testing.assert_close(values, torch.tensor([0.01, 2.5]), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("point", [0.0, 0.1, 0.7])  # three times 0.1 by a third is not 0.1
def test_a_collapse_is_named_and_the_last_good_parameters_stay(point):
    x = torch.tensor([[point], [point], [point], [9.0], [10.0], [11.0]])
    model = GaussianMixture(2, 1)
    with torch.no_grad():
        model.loc.copy_(torch.tensor([[point], [10.0]]))
    with pytest.raises(NumericalError, match=r"variance of component 0 is no longer positive.*`variance_floor`"):
        fit(expectation_maximisation(model, x, steps=50))
    assert torch.isfinite(model.log_prob(x)).all()


@pytest.mark.oracle("message pinned", "models.GaussianMixture.maximise")
def test_an_empty_component_is_named():
    x = torch.randn(20, 1, generator=seeded(0))
    with pytest.raises(NumericalError, match="Component 1 is left without data"):
        GaussianMixture(2, 1).maximise(x, torch.tensor([[1.0, 0.0]]).expand(20, 2))


def test_too_few_rows_and_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"`x` must have at least K = 3 rows; got 2\."):
        GaussianMixture(3, 1).start_at(torch.zeros(2, 1), seeded(0))
    with pytest.raises(ValueError, match=r"`components` must be a whole number >= 1; got 0\."):
        GaussianMixture(0, 1)
    with pytest.raises(ValueError, match=r"`covariance` must be one of 'diagonal', 'full'; got 'spherical'\."):
        GaussianMixture(2, 1, covariance="spherical")
    with pytest.raises(ValueError, match=r"`z` must hold 4 whole numbers from 0 to 1; got .* values 0 to 2"):
        GaussianMixture(2, 1).log_joint(torch.zeros(4, 1), torch.tensor([0, 1, 2, 0]))


def test_float32_and_float64_agree(fitted):
    model, x = fitted
    double = model.log_prob(x).detach()
    single = model.float().log_prob(x.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-4)


@pytest.mark.oracle("message pinned", "models.GaussianMixture.maximise", "models.BernoulliMixture.maximise",
                    "models.CategoricalMixture.maximise")
@pytest.mark.parametrize(("family", "size"), [(GaussianMixture, 2), (BernoulliMixture, 2),
                                              (CategoricalMixture, (2, 2))])
def test_responsibilities_of_another_shape_are_named(family, size):
    """One column would be taken for all components."""
    model = family(3, size)
    x = torch.zeros(4, 2, dtype=torch.long if isinstance(model, CategoricalMixture) else torch.float64)
    with pytest.raises(ValueError, match=r"`r` must have shape \(n, 3\); got \(4, 1\)\."):
        model.maximise(x, torch.ones(4, 1))
    with pytest.raises(ValueError, match=r"`r` must have as many rows as `x`, 4; got 5\."):
        model.maximise(x, torch.full((5, 3), 1 / 3))
    with pytest.raises(ValueError, match=r"`x` must have shape \(n, 2\); got \(4, 1\)\."):
        model.maximise(x[:, :1], torch.full((4, 3), 1 / 3))
