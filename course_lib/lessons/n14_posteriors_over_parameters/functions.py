"""Functions that are sums of bumps with Gaussian weights: their posterior and their evidence are exact."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

BOUNDS = ((-3.0, 3.0), (-3.0, 3.0))  # of x and of y
BUMPS = 12


class Fit(NamedTuple):
    r"""The posterior of the weights, :math:`\mathcal{N}(\mu, R R^\top)`, and log p(y | x) in nats.

    Shapes:     mean (BUMPS,); root R (BUMPS, BUMPS).
    """

    mean: Tensor
    root: Tensor
    log_evidence: float

    def at(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of f at x (m,), each (m,)."""
        features = bumps(x)
        return features @ self.mean, (features @ self.root).square().sum(-1).sqrt()

    def draws(self, x: Tensor, noise: Tensor) -> Tensor:
        """Functions at x (m,) made of standard normal noise (BUMPS, S): (m, S)."""
        return bumps(x) @ (self.mean[:, None] + self.root @ noise)


def bumps(x: Tensor) -> Tensor:
    """A bump of width 0.5 around each of twelve centres: (m,) -> (m, BUMPS)."""
    return (-0.5 * ((x[:, None] - torch.linspace(*BOUNDS[0], BUMPS)) / 0.5).square()).exp()


def fit_functions(points: list, noise: float, prior: float) -> Fit:
    r"""Bayesian linear regression on the bumps.

    .. math:: \Lambda = \frac{I}{s^2} + \frac{\Phi^\top \Phi}{\sigma^2}, \qquad
              \mu = \frac{1}{\sigma^2} \Lambda^{-1} \Phi^\top y

    Laplace's formula gives the evidence, exactly: the joint is Gaussian in the weights.
    Reference:  Bishop, Pattern Recognition and Machine Learning (2006), section 3.3.
    """
    x, y = torch.tensor(points).reshape(-1, 2).mT
    features = bumps(x)  # (n, BUMPS)
    precision = torch.eye(BUMPS) / prior**2 + features.mT @ features / noise**2
    lower = torch.linalg.cholesky(precision)
    mean = torch.cholesky_solve((features.mT @ y / noise**2)[:, None], lower)[:, 0]
    root = torch.linalg.solve_triangular(lower.mT, torch.eye(BUMPS), upper=True)
    residual = (y - features @ mean).square().sum() / noise**2 + mean.square().sum() / prior**2
    log_evidence = (-0.5 * residual - lower.diagonal().log().sum() - BUMPS * math.log(prior)
                    - len(y) * math.log(noise) - 0.5 * len(y) * math.log(2 * math.pi))
    return Fit(mean, root, log_evidence.item())
