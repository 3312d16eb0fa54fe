"""A linear-Gaussian model, z ~ N(0, I), x = W z + e, in closed form by scipy and plain linear algebra."""

import math

from course_lib.rng import seeded

import scipy.stats
import torch

NOISE = 0.7


class LinearGaussian:
    def __init__(self, d: int, n: int = 2, dtype: torch.dtype = torch.float64):
        generator = seeded(d)
        weights = torch.randn(d + 2, d, generator=generator, dtype=torch.float64) / math.sqrt(d)
        x = 1.5 * torch.randn(n, d + 2, generator=generator, dtype=torch.float64)
        covariance = weights @ weights.mT + NOISE**2 * torch.eye(d + 2)
        truth = scipy.stats.multivariate_normal(cov=covariance.numpy()).logpdf(x.numpy())
        self.log_evidence = torch.as_tensor(truth, dtype=dtype).reshape(n)
        self.precision = torch.eye(d) + weights.mT @ weights / NOISE**2
        self.covariance = torch.linalg.inv(self.precision).to(dtype)
        self.mean = (x @ weights @ torch.linalg.inv(self.precision) / NOISE**2).to(dtype)  # (n, d)
        self.weights, self.x, self.shape = weights.to(dtype), x.to(dtype), (n, d)

    def log_prior(self, z):
        return (-0.5 * z.square() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def log_likelihood(self, z):
        error = (self.x - z @ self.weights.mT) / NOISE
        return (-0.5 * error.square() - math.log(NOISE) - 0.5 * math.log(2 * math.pi)).sum(-1)

    def log_joint(self, z):
        return self.log_prior(z) + self.log_likelihood(z)

    def posterior_draws(self, draws, seed):
        noise = torch.randn(draws, *self.shape, generator=seeded(seed))
        return self.mean + noise @ torch.linalg.cholesky(self.covariance).mT

    def prior_draws(self, draws, seed):
        return torch.randn(draws, *self.shape, generator=seeded(seed))


def z_scores(log_weights, log_truth):
    """Of the mean weight against its expectation, one a column: weights (S, n)."""
    ratio = (log_weights - log_truth).exp()
    return (ratio.mean(0) - 1) / (ratio.std(0) / math.sqrt(len(ratio)))
