"""The earthquakes of lesson 09: counts an hour in two weeks, and the rate that varies."""

import torch
from torch import Generator, Tensor, nn

from ... import rng
from ...datasets.seismology import Earthquakes
from ...metrics import Estimate
from ...models import NegativeBinomial
from .experiments import fitted

HOURS = 167  # whole hours that both catalogues cover
BLOCK = 12  # hours that are held out together


def counts(catalogue: Earthquakes) -> Tensor:
    """Earthquakes in each hour of the week, (167, 1)."""
    return torch.bincount(catalogue.time[catalogue.time < HOURS].long(), minlength=HOURS).to(catalogue.time)[:, None]


def dispersion(x: Tensor) -> float:
    """Variance over mean: 1 for a Poisson distribution."""
    return (x.var() / x.mean()).item()


def dispersion_of_poisson(mean: float, repeats: int, generator: Generator) -> Tensor:
    """The dispersion of `repeats` weeks that are Poisson, with this mean an hour."""
    draws = rng.poisson(torch.full((repeats, HOURS), mean), generator)
    return draws.var(-1) / draws.mean(-1)


def neighbours(x: Tensor) -> float:
    """The correlation of an hour with the next one."""
    return torch.corrcoef(torch.stack([x[:-1, 0], x[1:, 0]]))[0, 1].item()


def poisson_log_prob(x: Tensor, rate: Tensor | float) -> Tensor:
    """log Poisson(x; rate) in nats: x (n, 1) -> (n,)."""
    return torch.distributions.Poisson(torch.as_tensor(rate).to(x)).log_prob(x[:, 0])


def fitted_counts(x: Tensor) -> NegativeBinomial:
    """The negative binomial with the highest likelihood of x (n, 1)."""
    model = NegativeBinomial().to(x.dtype)
    with torch.no_grad():
        model.log_mean.copy_(x.mean().log())
    return fitted(model, x)


class Omori(nn.Module):
    r"""Aftershocks die away: a Poisson process with the rate :math:`\lambda(t) = \kappa \, (t + c)^{-p}` an hour.

    Reference:  Utsu, Ogata and Matsu'ura, The centenary of the Omori formula for a decay law of aftershock activity,
                Journal of Physics of the Earth 43 (1995).
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_kappa = nn.Parameter(torch.tensor(3.0))
        self.log_c = nn.Parameter(torch.tensor(0.0))
        self.log_p = nn.Parameter(torch.tensor(0.0))

    def rate(self, hour: Tensor) -> Tensor:
        """Earthquakes an hour in the middle of each `hour`, counted from 0: (n,) -> (n,)."""
        return (self.log_kappa - self.log_p.exp() * (hour + 0.5 + self.log_c.exp()).log()).exp()

    def log_prob(self, x_and_hour: Tensor) -> Tensor:
        """log p(x | hour) in nats, from counts and hours (n, 2): (n,)."""
        return poisson_log_prob(x_and_hour[:, :1], self.rate(x_and_hour[:, 1]))


def with_hours(x: Tensor) -> Tensor:
    """Counts (167, 1) and their hours, (167, 2)."""
    return torch.cat([x, torch.arange(len(x)).to(x)[:, None]], -1)


def held_out_gains(x: Tensor, *, omori: bool = False) -> Tensor:
    """What the negative binomial (or the law of Omori) gains over the Poisson in each hour, (n,), in nats.

    Both are fitted to all other blocks of 12 hours.
    """
    block, table = torch.arange(len(x)) // BLOCK, with_hours(x)
    gains = torch.empty(len(x), dtype=x.dtype)
    for k in range(int(block.max()) + 1):
        seen, held = block != k, block == k
        if omori:
            found = fitted(Omori(), table[seen]).log_prob(table[held])
        else:
            found = fitted_counts(x[seen]).log_prob(x[held])
        gains[held] = found - poisson_log_prob(x[held], x[seen].mean())
    return gains


def by_blocks(gains: Tensor) -> Estimate:
    """The mean gain an hour; its error counts blocks of 12 hours as the independent units, not hours."""
    totals = torch.stack([part.sum() for part in gains.split(BLOCK)])
    n, blocks = len(gains), len(totals)
    return Estimate(gains.mean().item(), (totals.std() * blocks**0.5 / n).item())


def mixed_log_prob(x: Tensor, rates: Tensor) -> Tensor:
    """log p(x) of a Poisson whose rate is one of `rates` (m,), each as probable: x (n, 1) -> (n,)."""
    table = torch.distributions.Poisson(rates).log_prob(x)  # (n, m)
    return table.logsumexp(-1) - torch.tensor(float(len(rates))).log()
