"""One Gaussian, held against torch.distributions and closed forms."""

from course_lib.errors import NumericalError, SingularCovariance
from course_lib.models import Gaussian
from course_lib.models.gaussian import factor, scale_tril
from course_lib.rng import seeded

import pytest
import torch
import torch.distributions as td


@pytest.mark.oracle(
    "torch.cov and torch.distributions.MultivariateNormal",
    "models.Gaussian.maximise",
    "models.Gaussian.scale_tril",
    "models.Gaussian.log_prob",
)
def test_maximise_gives_mean_and_covariance():
    x = torch.randn(60, 3, generator=seeded(0)) @ torch.randn(3, 3, generator=seeded(1))
    model = Gaussian(3, covariance="full")
    model.maximise(x)
    torch.testing.assert_close(model.loc.detach(), x.mean(0))
    torch.testing.assert_close((model.scale_tril @ model.scale_tril.mT).detach(), torch.cov(x.mT, correction=0))
    reference = td.MultivariateNormal(model.loc, scale_tril=model.scale_tril)
    torch.testing.assert_close(model.log_prob(x), reference.log_prob(x))


def test_factor_is_the_inverse_of_scale_tril():
    root = torch.randn(4, 3, 3, generator=seeded(2))
    covariance = root @ root.mT
    rebuilt = scale_tril(*factor(covariance, full=True))
    torch.testing.assert_close(rebuilt @ rebuilt.mT, covariance)


def test_clipped_eigenvalues_maximise_the_likelihood_under_the_floor():
    """No other covariance that respects the floor, among 500 random ones near by, has a higher likelihood."""
    x = torch.randn(50, 2, generator=seeded(3)) * torch.tensor([2.0, 0.1])
    x = x - x.mean(0)
    best = scale_tril(*factor(x.mT @ x / 50, full=True, floor=0.25))
    score = td.MultivariateNormal(torch.zeros(2), scale_tril=best).log_prob(x).mean()
    generator = seeded(4)
    for _ in range(500):
        wobble = torch.randn(2, 2, generator=generator) * 0.1
        other = (best + wobble) @ (best + wobble).mT
        if torch.linalg.eigvalsh(other)[0] >= 0.25:
            assert td.MultivariateNormal(torch.zeros(2), other).log_prob(x).mean() <= score + 1e-12


@pytest.mark.parametrize(("dtype", "floor"), [(torch.float64, 1e-20), (torch.float64, 1.0), (torch.float32, 1e-6)])
def test_nearly_singular_covariances_are_factored(dtype, floor):
    """Rank 3 in four dimensions: a Cholesky decomposition of such matrices fails by rounding."""
    generator = seeded(9)
    for _ in range(200):
        half = torch.randn(4, 3, generator=generator, dtype=dtype) * 3
        root = scale_tril(*factor(half @ half.mT, full=True, floor=floor))
        assert root.isfinite().all()
        error, size = (torch.linalg.matrix_norm(part, 2) for part in (root @ root.mT - half @ half.mT, half @ half.mT))
        assert error <= floor + 200 * torch.finfo(dtype).eps * size


def test_singular_data_are_named():
    with pytest.raises(NumericalError, match="variance of the Gaussian is no longer positive"):
        Gaussian(2, covariance="full").maximise(torch.ones(4, 2))
    with pytest.raises(ValueError, match=r"`x` must be finite; got 1 NaN or infinite values, the first at \(1, 0\)\."):
        Gaussian(2).maximise(torch.tensor([[0.0, 1.0], [float("nan"), 2.0]]))


def degenerate(kind, generator):
    """Data without a maximum of the likelihood, in numbers that binary fractions only come near."""
    if kind == "a line":
        along, shift = torch.randn(1, 3, generator=generator), torch.randn(3, generator=generator)
        return torch.randn(50, 1, generator=generator) @ along + shift
    if kind == "no more rows than dimensions":
        return torch.randn(3, 3, generator=generator)
    x = torch.randn(50, 3, generator=generator)
    x[:, 1] = torch.rand(1, generator=generator)
    return x


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("kind", "covariance"), [
    ("a line", "full"), ("no more rows than dimensions", "full"), ("a constant column", "full"),
    ("a constant column", "diagonal"),
])
@pytest.mark.oracle("message pinned", "models.Gaussian.maximise")
def test_rounding_does_not_hide_singular_data(kind, covariance, dtype):
    """A variance that is zero comes out a little above it as often as below."""
    for seed in range(50):
        x = degenerate(kind, seeded(seed)).to(dtype)
        with pytest.raises(SingularCovariance, match="variance of the Gaussian is no longer positive"):
            Gaussian(3, covariance=covariance).to(dtype).maximise(x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.oracle("the fit in other units", "models.Gaussian.maximise", "models.Gaussian.scale_tril")
def test_units_play_no_part(dtype):
    """Columns of 1,000,000 and of 0.0001, closely correlated: hard, but not singular."""
    noise, units = torch.randn(500, 3, generator=seeded(0), dtype=dtype), torch.tensor([1e6, 1.0, 1e-4], dtype=dtype)
    x = torch.stack([noise[:, 0], 0.999 * noise[:, 0] + 0.05 * noise[:, 1], noise[:, 2]], -1)
    one, other = (Gaussian(3, covariance="full").to(dtype) for _ in range(2))
    one.maximise(x)
    other.maximise(x * units)
    torch.testing.assert_close(other.scale_tril, units[:, None] * one.scale_tril, rtol=1e-3, atol=0)
