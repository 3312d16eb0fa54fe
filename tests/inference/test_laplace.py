"""Modes and Laplace's approximation, held against closed forms, scipy's optimiser and finite differences."""

import math

from course_lib.errors import NumericalError
from course_lib.inference.laplace import hessian, laplace, maximum_a_posteriori
from course_lib.inference.oracle import gauss_hermite, quadrature
from tests.inference.linear_gaussian import LinearGaussian

import pytest
import scipy.optimize
import torch
import torch.distributions as td

SLOPES = torch.tensor([[3.0, 1.0, -2.0, 0.5], [-1.0, 2.0, 0.3, 1.5]], dtype=torch.float64)  # (2, 4)
BITS = torch.tensor([[1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]], dtype=torch.float64)


def bits_given(z):
    return td.Bernoulli(logits=z @ SLOPES).log_prob(BITS).sum(-1)


def bits_joint(z):
    return td.Normal(0.0, 1.0).log_prob(z).sum(-1) + bits_given(z)


@pytest.mark.oracle("finite differences", "inference.laplace.hessian")
def test_hessian_is_that_of_finite_differences():
    z, step = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)), 1e-4
    shift = step * torch.eye(2)[:, None]  # (2, 1, 2)
    expected = torch.empty(3, 2, 2)
    for i in range(2):
        for j in range(2):
            corners = [a * b * bits_joint(z + a * shift[i] + b * shift[j]) for a in (1, -1) for b in (1, -1)]
            expected[:, i, j] = sum(corners) / (4 * step**2)
    torch.testing.assert_close(hessian(bits_joint, z), expected, rtol=1e-5, atol=1e-6)
    assert not hessian(bits_joint, z).requires_grad


@pytest.mark.oracle("closed form", "inference.laplace.hessian")
def test_hessian_of_a_plane_is_zero():
    assert torch.equal(hessian(lambda z: z.sum(-1), torch.ones(3, 2)), torch.zeros(3, 2, 2))


@pytest.mark.oracle(
    "closed form, linear-Gaussian in 2, 8 and 32 dimensions",
    "inference.laplace.maximum_a_posteriori",
    "inference.laplace.laplace",
)
@pytest.mark.parametrize("d", [2, 8, 32])
def test_laplace_is_exact_for_a_gaussian(d):
    model = LinearGaussian(d)
    mode = maximum_a_posteriori(model.log_joint, torch.zeros(2, d))
    torch.testing.assert_close(mode, model.mean, rtol=1e-9, atol=1e-9)
    found = laplace(model.log_joint, mode)
    torch.testing.assert_close(found.log_evidence, model.log_evidence, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(found.approximation.covariance, model.covariance.expand(2, d, d), rtol=1e-8, atol=1e-10)
    assert torch.equal(found.approximation.scale_tril, found.approximation.scale_tril.tril())
    assert torch.equal(found.approximation.loc, mode)


@pytest.mark.oracle("closed form", "inference.laplace.maximum_a_posteriori")
def test_one_step_is_enough_for_a_gaussian():
    model = LinearGaussian(8)
    torch.testing.assert_close(maximum_a_posteriori(model.log_joint, torch.zeros(2, 8), steps=1), model.mean)
    with pytest.raises(NumericalError, match="No maximum was reached in 1 steps: 1 of 1 points still climb"):
        maximum_a_posteriori(lambda z: -(z - 1).pow(4).sum(-1), torch.zeros(1, 1), steps=1)


def test_laplace_in_single_precision():
    model = LinearGaussian(8, dtype=torch.float32)
    found = laplace(model.log_joint, maximum_a_posteriori(model.log_joint, torch.zeros(2, 8, dtype=torch.float32)))
    assert found.log_evidence.dtype == torch.float32
    torch.testing.assert_close(found.log_evidence, model.log_evidence, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.approximation.loc, model.mean, rtol=1e-3, atol=1e-4)


@pytest.mark.oracle("scipy.optimize.minimize; Gauss-Hermite quadrature", "inference.laplace.*")
def test_a_likelihood_that_is_no_gaussian():
    """Where the posterior is nearly Gaussian, Laplace is near the truth, far nearer than its gap without curvature."""
    mode = maximum_a_posteriori(bits_joint, torch.full((3, 2), 4.0))
    for i in range(3):
        result = scipy.optimize.minimize(lambda z, i=i: -bits_joint(torch.as_tensor(z).expand(3, 2))[i].item(), [0, 0])
        torch.testing.assert_close(mode[i], torch.as_tensor(result.x), rtol=0, atol=1e-4)
    truth = quadrature(bits_given, *gauss_hermite(60, 2)).log_evidence
    assert (laplace(bits_joint, mode).log_evidence - truth).abs().max() < 0.1


@pytest.mark.oracle("Stirling's formula", "inference.laplace.laplace")
def test_laplace_of_the_gamma_function_is_stirlings_formula():
    """The integral of exp(n z - exp(z)) is Gamma(n); the relative error of Laplace is 1 / (12 n)."""
    n = torch.tensor([2.0, 20.0, 200.0])
    log_joint = lambda z: n * z[..., 0] - z[..., 0].exp()  # noqa: E731
    mode = maximum_a_posteriori(log_joint, torch.zeros(3, 1))
    torch.testing.assert_close(mode[:, 0], n.log())
    found = laplace(log_joint, mode).log_evidence
    torch.testing.assert_close(found, n * n.log() - n + 0.5 * (2 * math.pi / n).log())
    torch.testing.assert_close(12 * n * (torch.lgamma(n) - found), torch.ones(3), rtol=0.01, atol=0)


@pytest.mark.oracle("closed form", "inference.laplace.maximum_a_posteriori")
def test_the_way_is_up_where_the_curvature_is_wrong():
    """Newton's own step would lead to the minimum at 0 of a density with peaks at 1 and -1; an edge is found, too."""
    wells = lambda z: -((z[..., 0] ** 2 - 1) ** 2)  # noqa: E731
    mode = maximum_a_posteriori(wells, torch.tensor([[0.1], [-0.2], [30.0]]))
    assert (wells(mode) > -1e-8).all()  # the default tolerance, in nats
    assert mode[:, 0].sign().tolist() == [1, -1, 1]
    edge = maximum_a_posteriori(lambda z: -z.abs().sum(-1), torch.tensor([[3.0, -0.2]]))
    torch.testing.assert_close(edge, torch.zeros(1, 2), rtol=0, atol=1e-5)


@pytest.mark.oracle("message pinned", "inference.laplace.laplace", "inference.laplace.maximum_a_posteriori")
def test_bad_input_is_named():
    square = lambda z: z.square().sum(-1)  # noqa: E731
    start = torch.ones(3, 2)
    with pytest.raises(NumericalError, match=r"not negative definite at `mode`\[0\].*maximum_a_posteriori"):
        laplace(square, start)
    with pytest.raises(NumericalError, match="No maximum was reached in 5 steps: 3 of 3 points still climb"):
        maximum_a_posteriori(lambda z: z.sum(-1), start, steps=5)
    with pytest.raises(ValueError, match=r"`log_joint` must give shape \(3,\).*; got \(3, 2\)"):
        maximum_a_posteriori(lambda z: z, start)
    with pytest.raises(ValueError, match=r"`log_joint` must give shape \(3,\).*; got \(3, 2\)"):
        laplace(lambda z: z, start)
    with pytest.raises(ValueError, match=r"`log_joint\(start\)` must be finite; got 3 NaN or infinite"):
        maximum_a_posteriori(lambda z: (-z[..., 0]).log(), start)
    with pytest.raises(ValueError, match="`steps` must be a whole number >= 1; got 0"):
        maximum_a_posteriori(square, start, steps=0)
