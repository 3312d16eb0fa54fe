"""The oracles, held against closed forms."""

import math
from functools import partial

from course_lib.inference.oracle import enumeration, gauss_hermite, grid, normal_grid, quadrature

import pytest
import scipy.special
import torch
import torch.distributions as td


@pytest.mark.oracle("Bayes' rule by hand", "inference.oracle.enumeration")
def test_enumeration_is_bayes_rule():
    prior, likelihood = torch.tensor([0.2, 0.8]), torch.tensor([[0.9, 0.1], [0.5, 0.5], [0.0, 1.0]])
    exact = enumeration(lambda z: (prior[z] * likelihood[:, z]).log(), torch.arange(2))
    torch.testing.assert_close(exact.log_evidence.exp(), torch.tensor([0.26, 0.5, 0.8]))
    torch.testing.assert_close(exact.log_posterior[0].exp(), torch.tensor([0.18, 0.08]) / 0.26)


@pytest.mark.oracle("closed form, Gaussian", "inference.oracle.quadrature", "inference.oracle.grid")
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


@pytest.mark.oracle("closed form", "inference.oracle.grid")
def test_grid_is_a_midpoint_rule():
    points, log_weights = grid(0, 1, 4)
    torch.testing.assert_close(points[:, 0], torch.tensor([0.125, 0.375, 0.625, 0.875]))
    assert log_weights.exp().sum().item() == pytest.approx(1)
    for ends in ((1, 0), (-math.inf, math.inf)):
        with pytest.raises(ValueError, match=f"`lower` must be below `upper`, and both finite; got {ends[0]} and"):
            grid(*ends, 4)


@pytest.mark.oracle("message pinned", "inference.oracle.grid", "inference.oracle.gauss_hermite",
                    "inference.oracle.normal_grid")
@pytest.mark.parametrize("rule", [partial(grid, 0, 1), gauss_hermite, normal_grid], ids=["grid", "hermite", "normal"])
def test_bad_sizes_are_named(rule):
    for size in (0, 2.5):
        with pytest.raises(ValueError, match=f"`size` must be a whole number >= 1; got {size}"):
            rule(size)
    with pytest.raises(ValueError, match="`dimensions` must be a whole number >= 1; got 0"):
        rule(3, 0)


@pytest.mark.oracle("moments of a Gaussian", "inference.oracle.gauss_hermite")
def test_the_largest_rule_is_one_still():
    points, log_weights = gauss_hermite(350)
    torch.testing.assert_close(log_weights.exp() @ points.pow(4), torch.tensor([3.0]))
    with pytest.raises(ValueError, match=r"`size` must be at most 350; got 351. Remedy: `normal_grid`"):
        gauss_hermite(351)


@pytest.mark.oracle("scipy.special.roots_hermitenorm; moments of a Gaussian", "inference.oracle.gauss_hermite")
@pytest.mark.parametrize("size", [1, 2, 30])
def test_gauss_hermite_is_the_known_rule(size):
    points, log_weights = gauss_hermite(size)
    nodes, weights = scipy.special.roots_hermitenorm(size)
    torch.testing.assert_close(points[:, 0], torch.as_tensor(nodes))
    torch.testing.assert_close(log_weights.exp(), torch.as_tensor(weights) / math.sqrt(2 * math.pi))
    for power in range(2 * min(size, 6)):  # it is exact up to degree 2 size - 1
        moment = 0 if power % 2 else math.prod(range(1, power, 2))
        assert (log_weights.exp() @ points[:, 0] ** power).item() == pytest.approx(moment, abs=1e-9)


@pytest.mark.oracle("closed form, Gaussian", "inference.oracle.gauss_hermite", "inference.oracle.quadrature")
@pytest.mark.parametrize("dimensions", [1, 2])
def test_gauss_hermite_holds_the_prior(dimensions):
    """With it, quadrature takes the likelihood: z ~ N(0, 1), x | z ~ N(z, 1/4)."""
    x = torch.tensor([[0.3], [-1.2], [2.5]]).expand(-1, dimensions)
    likelihood = lambda z: td.Normal(z, 0.5).log_prob(x).sum(-1)  # noqa: E731
    rule = gauss_hermite(60, dimensions)
    exact = quadrature(likelihood, *rule)
    torch.testing.assert_close(exact.log_evidence, td.Normal(0.0, math.sqrt(1.25)).log_prob(x).sum(-1))
    for at_once in (1, 7, 10_000):
        again = quadrature(likelihood, *rule, at_once=at_once)
        torch.testing.assert_close(again.log_posterior, exact.log_posterior)


def test_quadrature_names_a_joint_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"`log_joint` must give shape \(4, 1\).*\(4, 1, 1\); got \(4, 3, 1\)"):
        quadrature(lambda z: z.expand(-1, 3, -1), *grid(0, 1, 4))
