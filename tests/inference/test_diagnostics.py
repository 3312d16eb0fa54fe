"""Diagnostics, held against processes whose autocorrelation is known, scipy, and posteriors known exactly."""

import math

from course_lib.inference import moves
from course_lib.inference.chains import collect, hamiltonian
from course_lib.inference.diagnostics import (
    calibration_p_value,
    effective_sample_size,
    r_hat,
    simulation_based_calibration,
    standard_error,
)
from course_lib.rng import randn, seeded

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor


def autoregression(rho: float, draws: int, chains: int, copies: int, seed: int = 0) -> Tensor:
    """Stationary chains with autocorrelation rho^k and marginal N(0, 1), shape (draws, chains, copies)."""
    noise = randn((draws, chains, copies), seeded(seed), torch.zeros(()))
    for step in range(1, draws):
        noise[step] = rho * noise[step - 1] + math.sqrt(1 - rho**2) * noise[step]
    return noise


# Effective sample size


@pytest.mark.oracle("closed form of an AR(1) process", "inference.diagnostics.effective_sample_size")
@pytest.mark.parametrize("kind", ["mean", "bulk"])
@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.5, 0.9])
def test_effective_sample_size_of_an_autoregression(rho, kind):
    share = effective_sample_size(autoregression(rho, 4000, 4, 30), kind) / 16_000
    assert share.mean().item() == pytest.approx((1 - rho) / (1 + rho), rel=0.05)


def numpy_effective_sample_size(draws: np.ndarray) -> float:
    """Vehtari et al. (2021), section 3, sum by sum; draws (draws, chains)."""
    half = len(draws) // 2
    split = np.concatenate([draws[:half], draws[-half:]], 1)
    gap = split - split.mean(0)
    lagged = np.stack([np.correlate(column, column, "full")[half - 1:] / half for column in gap.T]).mean(0)
    within = split.var(0, ddof=1).mean()
    rho = 1 - (within - lagged) / (within * (half - 1) / half + split.mean(0).var(ddof=1))
    rho[0] = 1
    time, before = -1.0, math.inf
    for even, odd in zip(rho[::2], rho[1::2]):
        if even + odd <= 0:
            break
        before = min(before, even + odd)
        time += 2 * before
    return split.size / max(time, 1 / math.log10(split.size))


@pytest.mark.oracle("numpy.correlate and a plain sum over lags", "inference.diagnostics.effective_sample_size")
@pytest.mark.parametrize("draws", [4, 5, 30, 61])
@pytest.mark.parametrize("rho", [-0.95, 0.0, 0.8])
def test_effective_sample_size_is_the_published_formula(draws, rho):
    """Short chains, whose autocorrelations are all noise, and antithetic ones, whose worth has a ceiling."""
    z = autoregression(rho, draws, 3, 8, seed=1)
    expected = torch.tensor([numpy_effective_sample_size(z[..., index].numpy()) for index in range(8)])
    torch.testing.assert_close(effective_sample_size(z, "mean"), expected)


@pytest.mark.oracle("scipy.stats.multivariate_normal.cdf", "inference.diagnostics.effective_sample_size")
def test_tail_effective_sample_size_of_an_autoregression():
    """The indicator of z_t <= q has the covariance P(z_t <= q, z_{t+k} <= q) - P(z <= q)^2."""
    rho, q = 0.8, scipy.stats.norm.ppf(0.05)
    both = [scipy.stats.multivariate_normal([0, 0], [[1, rho**k], [rho**k, 1]]).cdf([q, q]) for k in range(1, 40)]
    time = 1 + 2 * sum((joint - 0.05**2) / (0.05 * 0.95) for joint in both)
    share = effective_sample_size(autoregression(rho, 4000, 4, 30), "tail") / 16_000
    # of two estimates, one for each tail, the smaller is taken
    assert 0.85 / time < share.mean().item() < 1 / time


@pytest.mark.oracle("properties: monotone maps, shifts, chains apart", "inference.diagnostics.effective_sample_size")
def test_effective_sample_size_looks_at_ranks():
    z = autoregression(0.5, 500, 4, 3)
    for kind in ("bulk", "tail"):
        torch.testing.assert_close(effective_sample_size(z.exp(), kind), effective_sample_size(z, kind))
    torch.testing.assert_close(effective_sample_size(5 - 3 * z, "mean"), effective_sample_size(z, "mean"))
    apart = z + torch.tensor([0.0, 0.0, 0.0, 3.0])[:, None]
    assert (effective_sample_size(apart) < 20).all()
    wide = torch.arange(3)  # each quantity is looked at by itself
    alone = torch.stack([effective_sample_size(z[..., index]) for index in wide])
    torch.testing.assert_close(alone, effective_sample_size(z))
    assert effective_sample_size(z.float()).dtype == torch.float32


@pytest.mark.oracle("the spread of the mean over many copies", "inference.diagnostics.standard_error")
@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.9])
def test_standard_error_is_that_of_the_mean(rho):
    z = autoregression(rho, 1000, 4, 600)
    score = z.mean((0, 1)) / standard_error(z)  # the true mean is 0
    assert score.square().mean().item() == pytest.approx(1, abs=5 * math.sqrt(2 / 600))


# R-hat


def scipy_r_hat(draws: np.ndarray) -> float:
    """Vehtari et al. (2021), section 4, word for word, with scipy's ranks; draws (draws, chains)."""
    half = len(draws) // 2
    split = np.concatenate([draws[:half], draws[-half:]], 1)

    def of(values):
        z = scipy.stats.norm.ppf((scipy.stats.rankdata(values).reshape(values.shape) - 3 / 8) / (values.size + 1 / 4))
        between, within = half * z.mean(0).var(ddof=1), z.var(0, ddof=1).mean()
        return math.sqrt(((half - 1) / half * within + between / half) / within)

    return max(of(split), of(np.abs(split - np.median(split))))


@pytest.mark.oracle("scipy.stats.rankdata and norm.ppf, numpy", "inference.diagnostics.r_hat")
@pytest.mark.parametrize("draws", [4, 101, 400])
def test_r_hat_is_the_published_formula(draws):
    z = autoregression(0.7, draws, 3, 2)
    z = torch.stack([z[..., 0], (10 * z[..., 0]).round(), z[..., 1] / z[..., 0]], -1)  # plain, with ties, heavy tails
    expected = torch.tensor([scipy_r_hat(z[..., index].numpy()) for index in range(3)])
    torch.testing.assert_close(r_hat(z), expected)


@pytest.mark.oracle("planted faults are caught: shift, scale, drift, a stuck chain", "inference.diagnostics.r_hat")
def test_r_hat_sees_what_is_wrong():
    z = autoregression(0.3, 1000, 4, 1)[..., 0]
    assert r_hat(z) < 1.01
    assert r_hat(z + torch.tensor([0.0, 0.0, 0.0, 1.0])) > 1.05
    assert r_hat(z * torch.tensor([1.0, 1.0, 1.0, 3.0])) > 1.05  # equal means: seen by the folded ranks
    assert r_hat(z + torch.linspace(0, 2, 1000)[:, None]) > 1.05  # all drift alike: seen by the halves
    assert not r_hat(torch.cat([z[:, :3], torch.zeros(1000, 1)], 1)) < 1.01
    assert r_hat(torch.ones(100, 4)).isnan()


@pytest.mark.parametrize("kind", ["bulk", "tail", "mean"])
def test_equal_draws_are_worth_nothing_that_could_be_told(kind):
    """Also if their mean, 0.1 for example, is off by rounding."""
    assert effective_sample_size(torch.full((101, 3), 0.1), kind).isnan()


@pytest.mark.oracle("message pinned", "inference.diagnostics.r_hat", "inference.diagnostics.effective_sample_size",
                    "inference.diagnostics.standard_error")
@pytest.mark.parametrize("function", [r_hat, effective_sample_size, standard_error])
@pytest.mark.parametrize(("draws", "message"), [
    (torch.zeros(3, 4), r"`draws` must hold .* at least 4 draws; got torch.float32 \(3, 4\)"),
    (torch.zeros(100), r"`draws` must hold .* \(draws, chains, ...\) with at least 4 .* torch.float32 \(100,\)"),
    (torch.zeros(100, 0), r"`draws` must hold .* \(draws, chains, ...\) with at least 4 .* torch.float32 \(100, 0\)"),
    ([[0.0]], r"`draws` must be a tensor of shape \(draws, chains, ...\); got list"),
    (torch.zeros(100, 4, dtype=torch.long), r"`draws` must hold floating-point .* got torch.int64 \(100, 4\)"),
    (torch.tensor([[0.0], [1.0], [math.nan], [2.0]]), r"`draws` must be finite; got 1 NaN .* the first at \(2, 0\)"),
])
def test_bad_draws_are_named(function, draws, message):
    with pytest.raises(ValueError, match=message):
        function(draws)


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="`kind` must be one of 'bulk', 'tail', 'mean'; got 'best'"):
        effective_sample_size(torch.zeros(10, 2), "best")


# Calibration: z ~ N(0, I) in two dimensions, x | z ~ N(A z, I / 4)

SEEN = ((1.0, 0.9), (0.0, 0.6))


def sample_prior(n: int, generator) -> Tensor:
    return randn((n, 2), generator, torch.zeros(()))


def simulate(z: Tensor, generator) -> Tensor:
    return z @ torch.tensor(SEEN).mT + 0.5 * randn(z.shape, generator, z)


def exact(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (n, 2) and precision (2, 2) of the posterior."""
    matrix = torch.tensor(SEEN)
    precision = torch.eye(2) + 4 * matrix.mT @ matrix
    return 4 * x @ matrix @ precision.inverse(), precision


def exact_posterior(x: Tensor, generator, draws: int = 19, widen: float = 1.0, shift: float = 0.0) -> Tensor:
    mean, precision = exact(x)
    root = torch.linalg.cholesky(precision.inverse())
    return mean + shift + widen * randn((draws, *x.shape), generator, x) @ root.mT


def mean_field(x: Tensor, generator) -> Tensor:
    """The best Gaussian with independent coordinates: right mean, variances 1 / diag(precision), too small."""
    mean, precision = exact(x)
    return mean + precision.diagonal().rsqrt() * randn((19, *x.shape), generator, x)


def hamiltonian_posterior(x: Tensor, generator) -> Tensor:
    """All data sets at once, one chain on each."""
    def log_density(z: Tensor) -> Tensor:  # (1, n, 2) -> (1, n)
        return -0.5 * z.square().sum(-1) - 2 * (x - z @ torch.tensor(SEEN).mT).square().sum(-1)

    start = torch.zeros(1, *x.shape)
    process = hamiltonian(log_density, start, generator, step_size=0.2, leapfrog_steps=5, warm_up=150)
    return collect(process, 19 * 5).z[::5, 0]


def p_values(sample_posterior, repetitions: int = 2000) -> Tensor:
    ranks = simulation_based_calibration(sample_prior, simulate, sample_posterior, repetitions, seeded(0))
    assert ranks.shape == (repetitions, 2) and not ranks.is_floating_point()
    return calibration_p_value(ranks, 19)


@pytest.mark.oracle("an exact posterior is calibrated, and so is Hamiltonian Monte Carlo's",
                    "inference.diagnostics.simulation_based_calibration", "inference.diagnostics.calibration_p_value",
                    "inference.chains.hamiltonian")
@pytest.mark.parametrize("sample_posterior", [exact_posterior, hamiltonian_posterior])
def test_a_right_posterior_is_calibrated(sample_posterior):
    assert (p_values(sample_posterior) > 0.001).all()


@pytest.mark.oracle("wrong posteriors are caught: mean field, too wide, biased",
                    "inference.diagnostics.simulation_based_calibration", "inference.diagnostics.calibration_p_value")
@pytest.mark.parametrize("sample_posterior", [
    mean_field,
    lambda x, generator: exact_posterior(x, generator, widen=1.5),
    lambda x, generator: exact_posterior(x, generator, shift=0.2),
], ids=["mean field", "too wide", "biased"])
def test_a_wrong_posterior_is_not(sample_posterior):
    assert (p_values(sample_posterior) < 1e-6).all()


def test_a_sampler_without_kinetic_energy_is_not(monkeypatch):
    monkeypatch.setattr(moves, "_kinetic_energy", lambda momentum, inverse_mass: torch.zeros(momentum.shape[:-1]))
    assert p_values(hamiltonian_posterior).min() < 1e-6


@pytest.mark.oracle("counted by hand", "inference.diagnostics.simulation_based_calibration")
def test_a_rank_counts_the_draws_below():
    ranks = simulation_based_calibration(
        lambda n, _: torch.tensor([[0.5], [2.5], [9.0]])[:n], lambda z, _: z,
        lambda x, _: torch.arange(4.0)[:, None, None].expand(4, len(x), 1), 3, seeded(0))
    assert ranks.tolist() == [[1], [3], [4]]


@pytest.mark.oracle("scipy.stats.chisquare", "inference.diagnostics.calibration_p_value")
@pytest.mark.parametrize(("draws", "bins"), [(19, 20), (99, 20), (100, 7)])
def test_the_p_value_is_that_of_chi_squared(draws, bins):
    ranks = torch.randint(draws + 1, (500, 3), generator=seeded(0))
    share = np.bincount(np.arange(draws + 1) * bins // (draws + 1)) / (draws + 1)
    expected = [scipy.stats.chisquare(np.bincount(column * bins // (draws + 1), minlength=bins), 500 * share).pvalue
                for column in ranks.T.numpy()]
    torch.testing.assert_close(calibration_p_value(ranks, draws, bins=bins), torch.tensor(expected))


@pytest.mark.oracle("message pinned", "inference.diagnostics.calibration_p_value",
                    "inference.diagnostics.simulation_based_calibration")
def test_bad_calibrations_are_named():
    with pytest.raises(ValueError, match=r"`ranks` must lie in 0..19; got 0 to 20"):
        calibration_p_value(torch.arange(21).repeat(20), 19)
    with pytest.raises(ValueError, match="`ranks` must be so many that each bin expects 5; got 40 for 20 bins"):
        calibration_p_value(torch.arange(20).repeat(2), 19)
    with pytest.raises(ValueError, match=r"`bins` must be from 2 to draws \+ 1 = 10; got 20"):
        calibration_p_value(torch.arange(10).repeat(20), 9)
    with pytest.raises(ValueError, match="`repetitions` must be a whole number >= 1; got 0"):
        simulation_based_calibration(sample_prior, simulate, exact_posterior, 0, seeded(0))
    with pytest.raises(ValueError, match=r"must give draws of shape \(L, 5, 2\); got \(5, 2\)"):
        simulation_based_calibration(sample_prior, simulate, lambda x, _: x, 5, seeded(0))
    with pytest.raises(ValueError, match=r"`sample_posterior\(x\)` must be finite"):
        simulation_based_calibration(sample_prior, simulate, lambda x, _: x.expand(3, 5, 2) * math.nan, 5, seeded(0))
