"""Two landscapes of lesson 06 with few parameters: spam in two weights, and a geyser's location in one."""

import torch
from torch import Generator, Tensor

from ... import datasets, rng
from ...functional import bernoulli_log_prob


class Spam:
    """Logistic regression on two standardised columns of spambase: a concave mean log p(y | x) of two weights.

    The columns are the logs of the average and of the longest run of capital letters; there is no bias.
    """

    def __init__(self) -> None:
        x, y = datasets.spambase()
        runs = x[:, [54, 55]].double().log()
        self.x, self.y = (runs - runs.mean(0)) / runs.std(0), y.double()  # (4597, 2), (4597,)
        self.best = self._newton()
        self.highest = self.log_p(self.best).item()

    def log_p(self, theta: Tensor) -> Tensor:
        """The mean log p(y | x): theta (..., 2) -> (...)."""
        return bernoulli_log_prob(self.y, theta @ self.x.mT).mean(-1)

    def gap(self, theta: Tensor) -> Tensor:
        """How far the mean log p lies below its maximum, in nats an e-mail: theta (..., 2) -> (...)."""
        return self.highest - self.log_p(theta)

    def gradients(self, theta: Tensor) -> Tensor:
        """The gradient of log p(y | x) of every row: theta (2,) -> (n, 2)."""
        return (self.y - (self.x @ theta).sigmoid())[:, None] * self.x

    def curvature(self) -> Tensor:
        """The negative Hessian of the mean log p at the best parameters, (2, 2)."""
        p = (self.x @ self.best).sigmoid()
        return self.x.mT @ (self.x * (p * (1 - p))[:, None]) / len(self.x)

    def noise(self) -> Tensor:
        """The covariance of the rows' gradients at the best parameters, (2, 2)."""
        return self.gradients(self.best).T.cov(correction=0)

    def climb(self, theta: Tensor, lr: Tensor | float, size: int, generator: Generator) -> Tensor:
        """One step with a minibatch of `size`, drawn with replacement, for each of R runs: theta (R, 2) -> (R, 2)."""
        rows = torch.randint(len(self.x), (len(theta), size), generator=generator)
        x = self.x[rows]  # (R, size, 2)
        missed = self.y[rows] - torch.einsum("rsd,rd->rs", x, theta).sigmoid()
        return theta + lr * torch.einsum("rsd,rs->rd", x, missed) / size

    def _newton(self) -> Tensor:
        self.best = torch.zeros(2, dtype=torch.float64)
        for _ in range(30):
            step = torch.linalg.solve(self.curvature(), self.gradients(self.best).mean(0))
            self.best = self.best + step
        return self.best


def stationary_covariance(curvature: Tensor, noise: Tensor, lr: float) -> Tensor:
    """The covariance V at which steps on a quadratic settle: V = (I - lr H) V (I - lr H) + lr² C, each (d, d)."""
    size = len(curvature)
    shrink = torch.eye(size, dtype=curvature.dtype) - lr * curvature
    system = torch.eye(size**2, dtype=curvature.dtype) - torch.kron(shrink, shrink)
    return torch.linalg.solve(system, lr**2 * noise.flatten()).reshape(size, size)


def predicted_floor(spam: Spam, lr: float, size: int) -> float:
    """The mean gap, half the trace of H V, at which steps of this length settle, in nats an e-mail."""
    curvature = spam.curvature()
    return 0.5 * (curvature @ stationary_covariance(curvature, spam.noise() / size, lr)).trace().item()


def settle(spam: Spam, rates: Tensor, size: int, *, runs: int, steps: int, seed: int) -> tuple[Tensor, Tensor]:
    """Gaps of many runs that start at the best parameters, for each learning rate, each (rates, runs).

    First the mean gap over the last half of the steps; then the gap of the mean of these parameters.
    """
    theta = spam.best.expand(len(rates) * runs, 2)
    lr, generator = rates.repeat_interleave(runs)[:, None].double(), rng.seeded(seed)
    gaps, total = torch.zeros(len(theta)), torch.zeros(len(theta), 2)
    looks = 0
    for step in range(steps):
        theta = spam.climb(theta, lr, size, generator)
        if step >= steps // 2:
            total += theta
            if step % (steps // 20) == 0:  # the landscape costs more than a step: ten looks are enough
                gaps, looks = gaps + spam.gap(theta), looks + 1
    averaged = spam.gap(total / (steps - steps // 2))
    return (gaps / looks).reshape(len(rates), runs), averaged.reshape(len(rates), runs)


# The location of a geyser's waits, with heavy tails -----------------------------------------------------------------


def location_log_p(theta: Tensor, waits: Tensor) -> Tensor:
    """The mean log density of a Cauchy distribution of scale 1 minute at theta (m,), of waits (n,): (m,)."""
    density = torch.distributions.Cauchy(theta[:, None], torch.ones(1, dtype=theta.dtype))
    return density.log_prob(waits).mean(-1)


def wander(waits: Tensor, start: float, size: int, *, lr: float, runs: int, steps: int, seed: int) -> Tensor:
    """Where runs end that start at one place and climb `location_log_p`; the learning rate falls to 0: (runs,)."""
    theta, generator = torch.full((runs,), start), rng.seeded(seed)
    for step in range(steps):
        seen = waits.expand(runs, -1)
        if size < len(waits):
            seen = waits[torch.randint(len(waits), (runs, size), generator=generator)]  # (runs, size)
        away = seen - theta[:, None]
        theta = theta + lr * (1 - step / steps) * (2 * away / (1 + away.square())).mean(-1)
    return theta
