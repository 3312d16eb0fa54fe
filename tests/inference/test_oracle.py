"""The oracles, held against closed forms."""

import math

from course_lib.inference.oracle import enumeration, grid, quadrature

import pytest
import torch
import torch.distributions as td


def test_enumeration_is_bayes_rule():
    prior, likelihood = torch.tensor([0.2, 0.8]), torch.tensor([[0.9, 0.1], [0.5, 0.5], [0.0, 1.0]])
    exact = enumeration(lambda z: (prior[z] * likelihood[:, z]).log(), torch.arange(2))
    torch.testing.assert_close(exact.log_evidence.exp(), torch.tensor([0.26, 0.5, 0.8]))
    torch.testing.assert_close(exact.log_posterior[0].exp(), torch.tensor([0.18, 0.08]) / 0.26)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_quadrature_knows_the_gaussian_integral(dimensions):
    """z ~ N(0, 1), x | z ~ N(z, 1/4): then x ~ N(0, 5/4) and z | x ~ N(4 x / 5, 1/5)."""
    x = torch.tensor([[0.3], [-1.2], [2.5]]).expand(-1, dimensions)
    points, log_weights = grid(-9, 9, 180, dimensions)
    log_joint = lambda z: (td.Normal(0.0, 1.0).log_prob(z) + td.Normal(z, 0.5).log_prob(x)).sum(-1)  # noqa: E731
    exact = quadrature(log_joint, points, log_weights)
    torch.testing.assert_close(exact.log_evidence, td.Normal(0.0, math.sqrt(1.25)).log_prob(x).sum(-1))
    mean = exact.log_posterior.exp() @ points
    torch.testing.assert_close(mean, 0.8 * x, rtol=1e-6, atol=1e-6)
    assert exact.log_posterior.exp().sum(-1) == pytest.approx([1.0] * 3)


def test_grid_is_a_midpoint_rule():
    points, log_weights = grid(0, 1, 4)
    torch.testing.assert_close(points[:, 0], torch.tensor([0.125, 0.375, 0.625, 0.875]))
    assert log_weights.exp().sum().item() == pytest.approx(1)
    with pytest.raises(ValueError, match="`lower` must be below `upper`; got 1 and 0"):
        grid(1, 0, 4)
