"""Metrics, held against scikit-learn and closed forms."""

from course_lib import datasets, metrics
from course_lib.models import Gaussian

import pytest
import scipy.stats
import torch
from sklearn.mixture import GaussianMixture as Sklearn


@pytest.mark.oracle("sklearn.mixture.GaussianMixture", "metrics.aic", "metrics.bic")
def test_information_criteria_are_scikit_learns():
    x = datasets.old_faithful()
    peer = Sklearn(2, random_state=0).fit(x.numpy())
    total = peer.score(x.numpy()) * len(x)
    assert metrics.bic(total, 11, len(x)) == pytest.approx(peer.bic(x.numpy()))
    assert metrics.aic(total, 11, len(x)) == pytest.approx(peer.aic(x.numpy()))


@pytest.mark.oracle("closed form", "metrics.gain")
def test_gain_is_paired():
    x = datasets.old_faithful()
    near, far = Gaussian(2), Gaussian(2)
    near.maximise(x)
    far.maximise(x + 1)
    difference = near.log_prob(x) - far.log_prob(x)
    got = metrics.gain(near, far, x)
    assert got.value == pytest.approx(difference.mean().item())
    assert got.error == pytest.approx((difference.var() / len(x)).sqrt().item())
    assert str(metrics.Estimate(1.23456, 0.1)) == "1.235 ± 0.100"


@pytest.mark.oracle("scipy.stats.sem", "metrics.estimate", "metrics.mean_log_prob")
def test_estimate_has_the_standard_error_of_a_mean():
    assert metrics.estimate(torch.ones(5)) == metrics.Estimate(1.0, 0.0)
    x = datasets.old_faithful()
    model = Gaussian(2)
    model.maximise(x)
    values = model.log_prob(x).detach()
    for got in (metrics.estimate(values), metrics.mean_log_prob(model, x)):
        assert got.value == pytest.approx(values.mean().item())
        assert got.error == pytest.approx(scipy.stats.sem(values.numpy()))


@pytest.mark.oracle("message pinned", "metrics.estimate")
@pytest.mark.parametrize("shape", [(1,), (), (5, 2)])
def test_an_estimate_is_of_two_values_or_more_in_one_row(shape):
    """One value has no spread; of a table the error would be divided by the root of its rows alone."""
    with pytest.raises(ValueError, match=r"`values` must have shape \(n,\), n >= 2; got \("):
        metrics.estimate(torch.zeros(shape))
