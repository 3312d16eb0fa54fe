"""A small Bayesian network of weights that learns New York's temperatures and never sees a summer."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ... import datasets, rng
from ...functional import log_mean_exp, normal_log_prob
from ...inference import chains

UNITS = 16
PARAMETERS = 3 * UNITS + 2
ROWS, SETS = 60, 6  # days to learn from, and how many such sets
GAP = (151, 243)  # the days from June to August: nobody learns from them
TEMPERATURES = (0.1, 0.3, 1.0)
PLACES = ("other days of 2012 and 2013", "days of 2014 and 2015", "summers of 2014 and 2015")
NOMINAL = 0.9


def network(w: Tensor, x: Tensor) -> Tensor:
    """One hidden layer of tanh units: w (..., 50), x (..., n) -> the means (..., n)."""
    slope, shift, height, level, _ = w[..., None, :].split([UNITS, UNITS, UNITS, 1, 1], -1)  # (..., 1, units)
    return ((x[..., None] * slope + shift).tanh() * height).sum(-1) + level[..., 0]


def weights(u: Tensor) -> Tensor:
    """Standard normal numbers (..., 50) become a draw from the prior: slopes and shifts N(0, 2²), heights
    N(0, 1.5² / units), the level N(0, 1), the log of the noise's standard deviation N(-1, 1).
    """
    scale = torch.cat([u.new_full((2 * UNITS,), 2.0), u.new_full((UNITS,), 1.5 / UNITS**0.5), u.new_ones(2)])
    loc = torch.cat([u.new_zeros(PARAMETERS - 1), -u.new_ones(1)])
    return loc + scale * u


class Days(NamedTuple):
    """Days of the year and their warmest temperature, °C, as the network takes them; R sets."""

    x: Tensor  # (R, n)
    y: Tensor  # (R, n)
    centre: Tensor  # (R, 1), °C
    spread: Tensor  # (R, 1), °C

    def at(self, day: Tensor, temperature: Tensor) -> "Days":
        """Other days (m,), in the units of each set."""
        return self._replace(x=standard(day).expand(len(self.x), -1), y=(temperature - self.centre) / self.spread)


def standard(day: Tensor) -> Tensor:
    """The day of the year around 0."""
    return (day - 182.5) / 105


def days() -> tuple[Days, dict[str, Days]]:
    """What is learnt from, and by place what is held out, every fifth day: neighbours resemble each other."""
    record = datasets.weather("New York")
    day, warmest = record.day.to(torch.get_default_dtype()), record.warmest.to(torch.get_default_dtype())
    summer = (record.day >= GAP[0]) & (record.day < GAP[1])
    early = record.year < 2014
    pool = (early & ~summer).nonzero()[:, 0]
    g = rng.seeded(1)
    chosen = torch.stack([pool[rng.rows(len(pool), ROWS, g)] for _ in range(SETS)])  # (R, n)
    y = warmest[chosen]
    centre, spread = y.mean(-1, keepdim=True), y.std(-1, keepdim=True)
    learn = Days(standard(day[chosen]), (y - centre) / spread, centre, spread)
    fifth = torch.arange(len(day)) % 5 == 0
    fresh = torch.ones(len(day), dtype=torch.bool).index_fill(0, chosen.flatten(), False)
    rows = (early & ~summer & fresh & fifth, ~early & ~summer & fifth, ~early & summer & fifth)
    return learn, {place: learn.at(day[row], warmest[row]) for place, row in zip(PLACES, rows, strict=True)}


def log_joint(u: Tensor, data: Days) -> Tensor:
    """log p(u) + log p(y | x, u), up to a constant: u (..., R, 50) -> (..., R)."""
    w = weights(u)
    return -0.5 * u.square().sum(-1) + normal_log_prob(data.y, network(w, data.x), w[..., -1:]).sum(-1)


def highest_points(data: Days, prior: bool, starts: int = 6, steps: int = 1000) -> Tensor:
    """Where Adam ends from the best of several starts, (R, 50): with the prior MAP, without it maximum likelihood."""
    u = (0.5 * rng.randn((starts, SETS, PARAMETERS), rng.seeded(0), data.x)).requires_grad_()
    update = torch.optim.Adam([u], lr=0.03)
    for _ in range(steps):
        height = log_joint(u, data) + (0 if prior else 0.5 * u.square().sum(-1))
        update.zero_grad()
        (-height.sum()).backward()
        update.step()
    return weights(u.detach()[height.argmax(0), torch.arange(SETS)])


def posterior_draws(data: Days, *, number: int = 4, warm_up: int = 120, draws: int = 120) -> Tensor:
    """Hamiltonian draws of w at each temperature, (draws, chains, R, T, 50): the density is p(w | D)^(1/T)."""
    wide = Days(*(part[:, None] for part in data))  # room for the temperatures
    temperatures = torch.tensor(TEMPERATURES)

    def tempered(u: Tensor) -> Tensor:  # (chains, R, T, 50)
        return log_joint(u, wide) / temperatures

    g = rng.seeded(3)
    start = 0.5 * rng.randn((number, SETS, len(TEMPERATURES), PARAMETERS), g, data.x)
    process = chains.hamiltonian(tempered, start, g, step_size=0.05, leapfrog_steps=20, warm_up=warm_up)
    bar = tqdm(process, total=warm_up + draws, desc="HMC", leave=False)
    return weights(chains.collect(bar, draws).z)


class Judged(NamedTuple):
    """How a predictive distribution fares on held-out days: each (R, m)."""

    log_density: Tensor  # nats a day, per °C
    covered: Tensor  # 1.0 where the central interval of probability NOMINAL holds the temperature


def judge(w: Tensor, data: Days, seed: int = 5) -> Judged:
    """Average p(y | x, w) over draws w (S, R, 50); the interval comes from one simulated y a draw."""
    mean, log_scale = network(w, data.x), w[..., -1:]  # (S, R, m), (S, R, 1)
    log_density = log_mean_exp(normal_log_prob(data.y, mean, log_scale)) - data.spread.log()
    simulated = mean + log_scale.exp() * rng.randn(tuple(mean.shape), rng.seeded(seed), mean)
    return Judged(log_density, _inside(data.y, *simulated.quantile(torch.tensor([0.05, 0.95]), 0)))


def judge_plug_in(w: Tensor, data: Days) -> Judged:
    """One network (R, 50), taken for the truth: a Gaussian around its mean."""
    return _judge_gaussian(network(w, data.x), w[..., -1:].exp(), data)


def judge_year(learnt: Days, data: Days) -> Judged:
    """Bayesian regression on a level and one wave a year, prior N(0, 2²): exact; the noise is that of its residuals."""
    features, new = (_year(part.x) for part in (learnt, data))  # (R, n, 3)
    fit = torch.linalg.lstsq(features, learnt.y[..., None]).solution
    noise = (learnt.y[..., None] - features @ fit).std(1, keepdim=True)  # (R, 1, 1)
    precision = torch.eye(3) / 4 + features.mT @ features / noise**2
    mean = torch.linalg.solve(precision, features.mT @ learnt.y[..., None] / noise**2)
    spread = (new * torch.linalg.solve(precision, new.mT).mT).sum(-1)  # variance of the mean, (R, m)
    return _judge_gaussian((new @ mean)[..., 0], (spread + noise[..., 0] ** 2).sqrt(), data)


def _year(x: Tensor) -> Tensor:
    angle = 2 * math.pi * (105 * x + 182.5) / 365.25
    return torch.stack([torch.ones_like(x), angle.sin(), angle.cos()], -1)


def _judge_gaussian(mean: Tensor, scale: Tensor, data: Days) -> Judged:
    half = -torch.special.ndtri(torch.tensor(0.5 - NOMINAL / 2)) * scale
    log_density = normal_log_prob(data.y, mean, scale.log()) - data.spread.log()
    return Judged(log_density, _inside(data.y, mean - half, mean + half))


def _inside(y: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return ((y > lower) & (y < upper)).to(y)
