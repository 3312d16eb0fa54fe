"""Whether chains can be believed, and how much their draws are worth; whether a posterior is calibrated.

Draws have shape (draws, chains, ...): each further index is a quantity of its own, looked at by itself.
"""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from ..errors import require_choice, require_finite, require_positive

KINDS = ("bulk", "tail", "mean")


def r_hat(draws: Tensor) -> Tensor:
    r"""How much wider all chains together are than one alone: rank-normalised, of half chains, in bulk and tails.

    .. math:: \hat R = \sqrt{\frac{\frac{n - 1}{n} W + \frac{1}{n} B}{W}}

    with W the mean variance within half chains of n draws and B / n the variance between their means; the larger of
    two values: for the normal scores of the draws' ranks, and of the ranks of their distances from the median.
    Chains that agree give 1; above 1.01 they are not to be trusted. NaN if all draws are equal, or all equally far from
    their median, as numbers 0 and 1 are if there are as many of each.

    Shapes:     draws (draws, chains, ...) -> (...).
    Raises:     ValueError for fewer than 4 draws, no chain, or draws that are not finite.
    Reference:  Vehtari, Gelman, Simpson, Carpenter and Bürkner, Rank-normalization, folding, and localization: an
                improved R-hat for assessing convergence of MCMC, Bayesian Analysis 16 (2021).
    """
    _require_draws(draws)
    halves = _split(draws)
    median = halves.flatten(0, 1).quantile(0.5, 0)
    return torch.maximum(_r_hat(_normal_scores(halves)), _r_hat(_normal_scores((halves - median).abs())))


def effective_sample_size(draws: Tensor, kind: str = "bulk") -> Tensor:
    r"""How many independent draws would tell as much.

    .. math:: \mathrm{ESS} = \frac{N}{\tau}, \qquad \tau = -1 + 2 \sum_{k \ge 0} (\rho_{2k} + \rho_{2k + 1})

    over N draws in all; rho is the autocorrelation, in which a difference between half chains counts as correlation
    without end, and the sum stops, by Geyer's rule, before the first pair that is not positive and never lets a
    pair exceed the one before. kind="bulk" looks at the normal scores of the ranks, "tail" at the worse of the
    draws' two indicators of lying below the 5 % and 95 % quantiles, "mean" at the draws as they are.

    Shapes:     draws (draws, chains, ...) -> (...). NaN if all draws are equal; for "tail" also if more than 5 % of
                them are equal to the greatest, as numbers 0 and 1 are.
    Raises:     ValueError as `r_hat`.
    Reference:  Vehtari et al. (2021); Geyer, Practical Markov chain Monte Carlo, Statistical Science 7 (1992).
    """
    require_choice("kind", kind, KINDS)
    _require_draws(draws)
    halves = _split(draws)
    if kind == "mean":
        middle = halves.flatten(0, 1).median(0).values  # itself a draw: equal draws become zeros, without rounding
        return _effective_sample_size(halves - middle)
    if kind == "bulk":
        return _effective_sample_size(_normal_scores(halves))
    quantiles = halves.flatten(0, 1).quantile(torch.tensor([0.05, 0.95]).to(draws), 0)  # (2, ...)
    below = [_effective_sample_size((halves <= quantile).to(draws.dtype)) for quantile in quantiles]
    return torch.minimum(*below)


def standard_error(draws: Tensor) -> Tensor:
    """The standard error of the draws' mean, from the effective sample size: (draws, chains, ...) -> (...)."""
    worth = effective_sample_size(draws, "mean")
    return draws.flatten(0, 1).std(0) / worth.sqrt()


def simulation_based_calibration(
    sample_prior: Callable[[int, Generator], Tensor],
    simulate: Callable[[Tensor, Generator], Tensor],
    sample_posterior: Callable[[Tensor, Generator], Tensor],
    repetitions: int,
    generator: Generator,
) -> Tensor:
    r"""The rank of a true z among posterior draws, for many z from the prior, each with data of its own.

    .. math:: z \sim p(z), \quad x \sim p(x \mid z), \quad z_1, \dots, z_L \sim q(z \mid x), \qquad
              r = \#\{l : z_l < z\}

    If q is the exact posterior and its L draws are independent (thin a chain first), r is uniform on 0..L. A valley
    in its histogram means a posterior too narrow, a hill one too wide, a slope a bias.

    Shapes:     sample_prior(n, g) gives z (n, ...), simulate(z, g) x (n, ...), one row each, and sample_posterior(x, g)
                (L, n, ...), for all data sets at once; the ranks are (n, ...), integers.
    Raises:     ValueError if the draws do not fit z, or are not finite.
    Reference:  Talts, Betancourt, Simpson, Vehtari and Gelman, Validating Bayesian inference algorithms with
                simulation-based calibration (2018).
    """
    require_positive("repetitions", repetitions, whole=True)
    z = sample_prior(repetitions, generator)  # (n, ...)
    draws = sample_posterior(simulate(z, generator), generator)  # (L, n, ...)
    if draws.shape[1:] != z.shape:
        want = ", ".join(map(str, ("L", *z.shape)))
        raise ValueError(f"`sample_posterior` must give draws of shape ({want}); got {tuple(draws.shape)}.")
    require_finite("sample_posterior(x)", draws)
    return (draws < z).sum(0)


def calibration_p_value(ranks: Tensor, draws: int, *, bins: int = 20) -> Tensor:
    r"""The p-value of a chi-squared test that `ranks` are uniform on 0..`draws`.

    .. math:: \chi^2 = \sum_b \frac{(O_b - E_b)^2}{E_b} \quad \text{with } \text{bins} - 1 \text{ degrees of freedom}

    Shapes:     ranks (n, ...) -> (...); a bin expects its share of the draws + 1 ranks.
    Raises:     ValueError if a rank lies outside 0..draws, or a bin would expect fewer than 5 ranks.
    """
    require_positive("bins", bins, whole=True)
    ranks = ranks.cpu()  # counted there: not every device has float64
    if not 2 <= bins <= draws + 1:
        raise ValueError(f"`bins` must be from 2 to draws + 1 = {draws + 1}; got {bins}.")
    if not 0 <= ranks.min() <= ranks.max() <= draws:
        raise ValueError(f"`ranks` must lie in 0..{draws}; got {ranks.min().item()} to {ranks.max().item()}.")
    numbers = torch.arange(bins)
    share = (torch.arange(draws + 1) * bins // (draws + 1) == numbers[:, None]).double().mean(1)
    expected = len(ranks) * share  # (bins,)
    if expected.min() < 5:
        raise ValueError(f"`ranks` must be so many that each bin expects 5; got {len(ranks)} for {bins} bins.")
    bin_of_rank = (ranks * bins // (draws + 1)).reshape(len(ranks), -1)  # (n, m)
    observed = (bin_of_rank == numbers[:, None, None]).double().sum(1)  # (bins, m)
    statistic = ((observed - expected[:, None]).square() / expected[:, None]).sum(0)
    half = torch.full_like(statistic, (bins - 1) / 2)
    return torch.special.gammaincc(half, statistic / 2).reshape(ranks.shape[1:])


def _require_draws(draws: Tensor) -> None:
    if not isinstance(draws, Tensor):
        raise ValueError(f"`draws` must be a tensor of shape (draws, chains, ...); got {type(draws).__name__}.")
    if draws.ndim < 2 or len(draws) < 4 or not draws.shape[1] or not draws.is_floating_point():
        raise ValueError("`draws` must hold floating-point numbers in the shape (draws, chains, ...) with at least 4 "
                         f"draws; got {draws.dtype} {tuple(draws.shape)}.")
    require_finite("draws", draws)


def _split(draws: Tensor) -> Tensor:
    """First and second half of every chain as chains: (draws, chains, ...) -> (draws // 2, 2 chains, ...)."""
    half = len(draws) // 2
    return torch.cat([draws[:half], draws[-half:]], 1)


def _normal_scores(draws: Tensor) -> Tensor:
    """Normal quantiles of the ranks among all draws of a quantity; equal draws share their mean rank."""
    rows = draws.flatten(0, 1).flatten(1) if draws.ndim > 2 else draws.reshape(-1, 1)  # (N, m)
    rows = rows.mT.contiguous()  # (m, N)
    ordered = rows.sort().values
    rank = (torch.searchsorted(ordered, rows) + torch.searchsorted(ordered, rows, right=True) + 1) / 2  # from 1
    scores = torch.special.ndtri((rank.to(draws.dtype) - 0.375) / (rows.shape[1] + 0.25))
    return scores.mT.reshape(draws.shape)


def _r_hat(draws: Tensor) -> Tensor:
    n, within = len(draws), draws.var(0).mean(0)
    return ((n - 1) / n + draws.mean(0).var(0) / within).sqrt()


def _autocovariance(draws: Tensor) -> Tensor:
    """Of every chain at every lag, (draws, chains, ...), by the Fourier transform; each sum is divided by n."""
    n = len(draws)
    spectrum = torch.fft.rfft(draws - draws.mean(0), 2 * n, dim=0)  # padded: the end must not meet the beginning
    return torch.fft.irfft(spectrum.abs().square(), 2 * n, dim=0)[:n] / n


def _effective_sample_size(draws: Tensor) -> Tensor:
    n, chains = draws.shape[:2]
    covariance = _autocovariance(draws).mean(1)  # (n, ...)
    within = covariance[0] * n / (n - 1)
    total = covariance[0] + draws.mean(0).var(0)
    rho = 1 - (within - covariance) / total
    rho[0] = 1
    pairs = rho[: n - n % 2].unflatten(0, (-1, 2)).sum(1)  # (n // 2, ...)
    first = (pairs > 0).cumprod(0)
    time = -1 + 2 * (pairs.cummin(0).values * first).sum(0)
    # antithetic chains may beat independent ones, but no estimate of by how much is sure
    return n * chains / time.clamp_min(1 / math.log10(n * chains))
