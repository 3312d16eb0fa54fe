"""What a warm-up learns: a step size by dual averaging, and the variance of each coordinate."""

import math

import torch
from torch import Tensor

SETTLE = 0.15  # of the warm-up: the chains come from where they started, their variance says nothing yet
RENEW = (0.3, 0.7)  # of the warm-up: here the variances since the last time become the mass
ENOUGH = 10  # rows, chains times draws, without which a variance is a guess
SEARCH = 5  # steps that must be left after a renewal: the search for a step size begins ten times too far out


class DualAveraging:
    r"""Move the log of a step size until the mean acceptance probability is `target`.

    .. math:: \log \epsilon_{t+1} = \log 10 \epsilon_1
              - \frac{\sqrt{t}}{\gamma (t + t_0)} \sum_{s \le t} (\delta - a_s), \qquad
              \log \bar\epsilon_{t+1} = t^{-\kappa} \log \epsilon_{t+1} + (1 - t^{-\kappa}) \log \bar\epsilon_t

    with gamma = 0.05, t_0 = 10, kappa = 0.75. `step_size` explores, `average` is what to keep in the end.

    Shapes:     step_size (...): one for each acceptance probability, which are averaged over chains before.
    Reference:  Hoffman and Gelman, The No-U-Turn sampler, Journal of Machine Learning Research 15 (2014).
    """

    def __init__(self, step_size: Tensor, target: float) -> None:
        self.target = target
        self.step_size = self.average = step_size
        self.centre = (10 * step_size).log()
        self.shortfall = torch.zeros_like(step_size)
        self.count = 0

    def update(self, acceptance: Tensor) -> None:
        """Take in one step's acceptance probabilities (...)."""
        self.count += 1
        self.shortfall = self.shortfall + self.target - acceptance
        log_step = self.centre - math.sqrt(self.count) / (0.05 * (self.count + 10)) * self.shortfall
        weight = self.count**-0.75
        self.average = (weight * log_step + (1 - weight) * self.average.log()).exp()
        self.step_size = log_step.exp()


class RunningVariance:
    """Mean and variance of rows that come one batch after another; none is kept.

    Shapes:     batches (chains, ..., d), pooled over their first axis; mean and variance (..., d).
    Reference:  Welford, Note on a method for calculating corrected sums of squares and products,
                Technometrics 4 (1962); for batches, Chan, Golub and LeVeque, The American Statistician 37 (1983).
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.squares = 0.0

    def update(self, batch: Tensor) -> None:
        """Take in one batch of rows."""
        size, mean = len(batch), batch.mean(0)
        total = self.count + size
        gap = mean - self.mean
        spread = (batch - mean).square().sum(0)
        self.squares = self.squares + spread + gap.square() * (self.count * size / total)
        self.mean = self.mean + gap * (size / total)
        self.count = total

    @property
    def variance(self) -> Tensor:
        """The unbiased variance (..., d); at least two rows must have come."""
        return self.squares / (self.count - 1)


class WarmUp:
    """The step size and the diagonal mass of a Hamiltonian chain, learnt in its first `steps` steps.

    All chains along the first axis explore one target and share what they learn: an average over many chains
    settles sooner, and a chain alone in a flat place cannot take a step that is too long elsewhere. Each further
    leading index is another target, with a step size and a mass of its own. Nothing here waits for the device.

    Shapes:     start (chains, ..., d); step_size (..., 1) and inverse_mass (..., d), both without the chains.
    """

    def __init__(self, start: Tensor, step_size: float, steps: int, target: float) -> None:
        self.steps, self.target = steps, target
        self.count = 0
        self.inverse_mass = torch.ones_like(start[0])  # (..., d)
        self.averaging = DualAveraging(torch.full_like(start[0, ..., :1], step_size), target)
        self.moments = RunningVariance()
        self.ends = {round(fraction * steps) for fraction in RENEW if round(fraction * steps) <= steps - SEARCH}

    @property
    def step_size(self) -> Tensor:
        """The step size to use now (..., 1)."""
        return self.averaging.average if self.count >= self.steps else self.averaging.step_size

    def update(self, z: Tensor, acceptance: Tensor) -> None:
        """Take in one step: z (chains, ..., d), acceptance probabilities (chains, ...); after the warm-up, nothing."""
        if self.count >= self.steps:
            return
        self.count += 1
        self.averaging.update(acceptance.mean(0)[..., None])
        if self.count > SETTLE * self.steps:
            self.moments.update(z)
        if self.count in self.ends and self.moments.count >= ENOUGH:
            self._renew()

    def _renew(self) -> None:
        """The inverse mass becomes the variance (where the chains moved), and the search for a step begins anew."""
        variance = self.moments.variance
        self.inverse_mass = torch.where(variance > 0, variance, self.inverse_mass)
        self.averaging = DualAveraging(self.averaging.average, self.target)
        self.moments = RunningVariance()
