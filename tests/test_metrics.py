"""Metrics, held against scikit-learn and closed forms."""

from course_lib import datasets, metrics
from course_lib.models import Gaussian

import pytest
import torch
from sklearn.mixture import GaussianMixture as Sklearn


def test_information_criteria_are_scikit_learns():
    x = datasets.old_faithful()
    peer = Sklearn(2, random_state=0).fit(x.numpy())
    total = peer.score(x.numpy()) * len(x)
    assert metrics.bic(total, 11, len(x)) == pytest.approx(peer.bic(x.numpy()))
    assert metrics.aic(total, 11, len(x)) == pytest.approx(peer.aic(x.numpy()))


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


def test_estimate_of_a_constant_has_no_error():
    assert metrics.estimate(torch.ones(5)) == metrics.Estimate(1.0, 0.0)
