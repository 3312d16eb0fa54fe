"""Each formula once, as a pure function of tensors. Logs are natural: the unit is the nat."""

import math

import torch
from torch import Tensor


def normal_log_prob(x: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    r"""Log-density of a Gaussian, element by element.

    .. math:: \log \mathcal{N}(x; \mu, \sigma^2)
              = -\tfrac12 \Big(\frac{x - \mu}{\sigma}\Big)^2 - \log \sigma - \tfrac12 \log 2\pi

    Shapes:     the three arguments broadcast; the result has their common shape.
    Units:      `loc` and exp(`log_scale`) in the units of `x`; the result in nats.
    """
    z = (x - loc) * (-log_scale).exp()
    return -0.5 * z.square() - log_scale - 0.5 * math.log(2 * math.pi)


def multivariate_normal_log_prob(x: Tensor, loc: Tensor, scale_tril: Tensor) -> Tensor:
    r"""Log-density of a Gaussian with covariance :math:`\Sigma = L L^\top`.

    .. math:: \log \mathcal{N}(x; \mu, L L^\top)
              = -\tfrac12 \lVert L^{-1}(x - \mu) \rVert^2 - \sum_d \log L_{dd} - \tfrac{D}{2} \log 2\pi

    Shapes:     x (n, D); loc (..., D); scale_tril (..., D, D), lower triangular -> (..., n).
    Units:      `loc` and `scale_tril` in the units of `x`; the result in nats.
    Reference:  Murphy, Probabilistic Machine Learning: An Introduction (2022), section 3.2.
    """
    features = x.shape[-1]
    identity = torch.eye(features, dtype=x.dtype, device=x.device)
    whiten = torch.linalg.solve_triangular(scale_tril, identity, upper=False)  # (..., D, D)
    z = whiten @ (x.mT - loc[..., None])  # (..., D, n): sums over D then run along n, which is fast
    log_det = scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)  # (...)
    return -0.5 * z.square().sum(-2) - log_det[..., None] - 0.5 * features * math.log(2 * math.pi)


def normal_kl(loc: Tensor, log_scale: Tensor) -> Tensor:
    r"""Kullback-Leibler divergence of a Gaussian from the standard Gaussian, element by element, in nats.

    .. math:: \mathrm{KL}(\mathcal{N}(\mu, \sigma^2) \,\|\, \mathcal{N}(0, 1))
              = \tfrac12 (\mu^2 + \sigma^2 - 1) - \log \sigma

    Shapes:     the two arguments broadcast; the result has their common shape.
    """
    return 0.5 * (loc.square() + (2 * log_scale).exp() - 1) - log_scale


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log-probability of 0 or 1, element by element.

    .. math:: \log p(x) = x \, a - \log(1 + e^{a}), \qquad a = \log \frac{p(1)}{p(0)}

    Shapes:     the two arguments broadcast; the result has their common shape.
    Units:      nats.
    """
    return x * logits - torch.nn.functional.softplus(logits)


def log_odds(ones: Tensor, total: Tensor | float) -> Tensor:
    r"""Log-odds of the share of ones among `total` observations, element by element.

    .. math:: a = \log \frac{p}{1 - p}, \qquad p = \frac{\text{ones}}{\text{total}}

    The share is kept away from 0 and 1 by the dtype's rounding, so that the result is finite; without observations
    it is one half.
    """
    share = torch.where(torch.as_tensor(total) == 0, 0.5, ones / total)
    return torch.logit(share, torch.finfo(ones.dtype).eps)


def categorical_kl(q: Tensor, log_p: Tensor) -> Tensor:
    r"""Kullback-Leibler divergence between two categorical distributions, in nats.

    .. math:: \mathrm{KL}(q \,\|\, p) = \sum_k q_k (\log q_k - \log p_k), \qquad 0 \log 0 = 0

    Shapes:     q (..., K), probabilities; log_p (..., K), normalised log-probabilities -> (...).
    """
    return (torch.special.xlogy(q, q) - torch.where(q > 0, q * log_p, 0.0)).sum(-1)


def log_mean_exp(values: Tensor, dim: int = 0) -> Tensor:
    r"""The log of an average of numbers that are given by their logs.

    .. math:: \log \frac{1}{S} \sum_{s=1}^{S} e^{v_s}
    """
    return values.logsumexp(dim) - math.log(values.shape[dim])


def gamma_log_prob(x: Tensor, concentration: Tensor, rate: Tensor) -> Tensor:
    r"""Log-density of a gamma distribution, element by element.

    .. math:: \log p(x) = a \log b + (a - 1) \log x - b x - \log \Gamma(a), \qquad x > 0

    Shapes:     the three arguments broadcast; the result has their common shape.
    Units:      `rate` in 1 / the units of `x`; the result in nats.
    """
    return concentration * rate.log() + torch.xlogy(concentration - 1, x) - rate * x - concentration.lgamma()


def beta_log_prob(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    r"""Log-density of a beta distribution, element by element, in nats.

    .. math:: \log p(x) = (\alpha - 1) \log x + (\beta - 1) \log (1 - x) - \log B(\alpha, \beta), \qquad 0 < x < 1

    Shapes:     the three arguments broadcast; the result has their common shape.
    """
    return torch.xlogy(alpha - 1, x) + torch.special.xlog1py(beta - 1, -x) - log_beta_function(alpha, beta)


def log_beta_function(alpha: Tensor, beta: Tensor) -> Tensor:
    r"""The log of the beta function, element by element.

    .. math:: \log B(\alpha, \beta) = \log \Gamma(\alpha) + \log \Gamma(\beta) - \log \Gamma(\alpha + \beta)

    Shapes:     the two arguments broadcast; the result has their common shape.
    """
    less, more = torch.minimum(alpha, beta), torch.maximum(alpha, beta)
    return less.lgamma() - log_rising_factorial(more, less)


def log_rising_factorial(x: Tensor, n: Tensor | float) -> Tensor:
    r"""The log of x (x + 1) ... (x + n - 1), element by element; n need not be whole.

    .. math:: \log \Gamma(x + n) - \log \Gamma(x)
              = n \log x + (x + n - \tfrac12) \log \Big(1 + \frac{n}{x}\Big) - n + \delta(x + n) - \delta(x)

    For a large x the left side is a small difference of large numbers, and in single precision nothing is left of it.
    The right side, with Stirling's series for :math:`\delta`, keeps its digits, and so does its gradient.

    Shapes:     the two arguments broadcast; the result has their common shape.
    Reference:  Abramowitz and Stegun, Handbook of Mathematical Functions (1964), formula 6.1.41.
    """
    large = x.clamp_min(20.0)  # from here on four terms of the series are as good as double precision
    growth = n * large.log() + (large + n - 0.5) * (n / large).log1p() - n
    by_stirling = growth + _stirling_remainder(large + n) - _stirling_remainder(large)
    return torch.where(x < large, (x + n).lgamma() - x.lgamma(), by_stirling)


def _stirling_remainder(x: Tensor) -> Tensor:
    """delta(x) = log Gamma(x) - (x - 1/2) log x + x - (log 2 pi) / 2, for x >= 20."""
    square = x.square().reciprocal()
    return (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / x
