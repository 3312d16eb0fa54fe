"""A simulator of wet and dry days."""

import math

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import logsigmoid

from ..errors import require_positive
from ..functional import bernoulli_log_prob, gamma_log_prob
from ..rng import gamma, uniform
from .base import Card, Density

YEAR = 365.25  # days


class WeatherGenerator(Density):
    r"""Rain on so many days in a row: a Markov chain says whether, a gamma distribution how much.

    With :math:`w_t = 1` on a wet day (:math:`x_t > 0`) and 0 on a dry one,

    .. math:: p(x) = p(w_1) \prod_{t > 1} p(w_t \mid w_{t-1})
              \prod_{t : \, w_t = 1} \mathrm{Gamma}(x_t;\, \alpha,\, \alpha / \mu_t)

    The two chances of rain, after a dry day and after a wet one, and the mean :math:`\mu_t` move with the season:

    .. math:: \operatorname{logit} p(w_t = 1 \mid w_{t-1}), \; \log \mu_t
              = c_0 + c_1 \cos \frac{2 \pi t}{365.25} + c_2 \sin \frac{2 \pi t}{365.25}

    The first day is as wet as the chain would be in the long run, were the season to stand still.

    Shapes:     after_dry (3,), after_wet (3,), log_amount (3,): the constants c of the three; log_shape (): the log of
                alpha, the smaller the more uneven the amounts; data (n, days).
    Units:      mm a day; a day of the year counts from 0 on 1 January; log_prob in nats, with respect to a
                point mass at 0 and the length above it.
    Raises:     ValueError if `x` does not have shape (n, days), and in `require_data` if it holds amounts below 0.
    Reference:  Richardson, Stochastic simulation of daily precipitation, temperature, and solar radiation,
                Water Resources Research 17 (1981); Wilks and Wilby, The weather generation game,
                Progress in Physical Geography 23 (1999).
    """

    card = Card(
        "Weather generator",
        r"$p(x) = \prod_t p(w_t \mid w_{t-1}) \; p(x_t \mid w_t)$, with $w_t = [x_t > 0]$",
        evidence="exact, $O(T)$",
        posterior="no latent variable",
        gradient="exact, $O(T)$",
        sampling="$O(T)$, day after day",
    )

    def __init__(self, days: int) -> None:
        require_positive("days", days, whole=True)
        super().__init__()
        self.event_shape = (days,)
        self.after_dry = nn.Parameter(torch.zeros(3))
        self.after_wet = nn.Parameter(torch.zeros(3))
        self.log_amount = nn.Parameter(torch.zeros(3))
        self.log_shape = nn.Parameter(torch.zeros(()))

    def rain_after_dry(self, day: Tensor) -> Tensor:
        """The probability of rain on each `day` of the year after a dry one, in the shape of `day`."""
        return (self._season(day) @ self.after_dry).sigmoid()

    def rain_after_wet(self, day: Tensor) -> Tensor:
        """The probability of rain on each `day` of the year after a wet one, in the shape of `day`."""
        return (self._season(day) @ self.after_wet).sigmoid()

    def mean_amount(self, day: Tensor) -> Tensor:
        """The mean amount of rain on each `day` of the year if it is wet, in mm, in the shape of `day`."""
        return (self._season(day) @ self.log_amount).exp()

    def log_prob(self, x: Tensor, first_day: int | Tensor = 0) -> Tensor:
        """log p(x) in nats, shape (n,), of runs that begin on `first_day` of the year: one number, or (n,)."""
        self.require_shape(x)
        season = self._season(self._days(first_day, len(x)))  # (days, 3) or (n, days, 3)
        after_dry, after_wet = season @ self.after_dry, season @ self.after_wet  # logits
        wet = (x > 0).to(x.dtype)
        chain = torch.where(wet[:, :-1] > 0, after_wet[..., 1:], after_dry[..., 1:])  # (n, days - 1)
        first = _long_run(after_dry[..., 0], after_wet[..., 0])
        log_wet = bernoulli_log_prob(wet[:, 0], first) + bernoulli_log_prob(wet[:, 1:], chain).sum(-1)
        amount = torch.where(wet > 0, x, 1.0)  # no log 0, nor its gradient, where it is dry
        shape, mean = self.log_shape.exp(), (season @ self.log_amount).exp()
        return log_wet + (wet * gamma_log_prob(amount, shape, shape / mean)).sum(-1)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator, first_day: int | Tensor = 0) -> Tensor:
        """`n` runs that begin on `first_day` of the year (one number, or one a run), in mm, shape (n, days)."""
        season = self._season(self._days(first_day, n))
        after_dry, after_wet = season @ self.after_dry, season @ self.after_wet
        chance = uniform((n, *self.event_shape), generator, self.log_shape)
        wet = [chance[:, 0] < _long_run(after_dry[..., 0], after_wet[..., 0]).sigmoid()]
        for day in range(1, self.event_shape[0]):
            logits = torch.where(wet[-1], after_wet[..., day], after_dry[..., day])  # (n,)
            wet.append(chance[:, day] < logits.sigmoid())
        shape = self.log_shape.exp()
        amount = gamma(shape.expand(n, *self.event_shape), generator) / shape * (season @ self.log_amount).exp()
        # A tiny draw may be rounded to 0, which would be a dry day.
        return torch.where(torch.stack(wet, -1), amount.clamp_min(torch.finfo(amount.dtype).tiny), 0.0)

    def require_data(self, x: Tensor) -> None:
        """Raise ValueError for data that are not finite, or below 0."""
        super().require_data(x)
        if x.min() < 0:
            raise ValueError(f"`x` must hold amounts >= 0; got a smallest value of {x.min().item():g}.")

    def _days(self, first_day: int | Tensor, n: int) -> Tensor:
        """The day of the year of each day of the run: (days,), or (n, days) for `first_day` (n,)."""
        first_day = torch.as_tensor(first_day, device=self.log_shape.device)
        if first_day.shape not in ((), (n,)):
            raise ValueError(f"`first_day` must be one number, or have shape ({n},); got {tuple(first_day.shape)}.")
        return first_day[..., None] + torch.arange(self.event_shape[0], device=first_day.device)

    def _season(self, day: Tensor) -> Tensor:
        """1, cosine and sine of the time of the year: (...) -> (..., 3)."""
        angle = day.to(self.log_shape.dtype) * (2 * math.pi / YEAR)
        return torch.stack([torch.ones_like(angle), angle.cos(), angle.sin()], -1)


def _long_run(after_dry: Tensor, after_wet: Tensor) -> Tensor:
    """The logit of a wet day in the long run: p (wet) : p (dry) = p (wet | dry) : p (dry | wet)."""
    return logsigmoid(after_dry) - logsigmoid(-after_wet)
