"""The weather of lesson 02: a simulator of two mechanisms, which of them moved, and what it gets wrong."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ...datasets.weather import Weather
from ...functional import bernoulli_log_prob, gamma_log_prob
from ...models import WeatherGenerator
from ...models.weather import YEAR
from .fitting import Maximum, Test, likelihood_ratio, maximum_likelihood


class Mechanism(NamedTuple):
    """What a mechanism was given and what it answered: inputs (n, P), answers (n,); kind "chance" or "amount"."""

    inputs: Tensor
    answers: Tensor
    kind: str


def season(day: Tensor) -> Tensor:
    """1, cosine and sine of the time of the year: (n,) -> (n, 3)."""
    angle = 2 * math.pi * day.to(torch.get_default_dtype()) / YEAR
    return torch.stack([torch.ones_like(angle), angle.cos(), angle.sin()], -1)


def mechanisms(record: Weather, *, days: Tensor | None = None, seasons: bool = True) -> dict[str, Mechanism]:
    """The three conditionals of the simulator with their data; only of some `days` (n,), and without `seasons`.

    The record begins on 1 January; the time of the year is counted on from there, as the simulator does.
    """
    wet = record.precipitation > 0
    inputs = season(torch.arange(len(wet))) if seasons else torch.ones(len(wet), 1)
    keep = torch.ones_like(wet) if days is None else days
    later, rain = keep[1:], wet[1:].to(inputs)
    found = {
        "rain after a dry day": (inputs[1:][~wet[:-1] & later], rain[~wet[:-1] & later], "chance"),
        "rain after a wet day": (inputs[1:][wet[:-1] & later], rain[wet[:-1] & later], "chance"),
        "amount on a wet day": (inputs[wet & keep], record.precipitation[wet & keep], "amount"),
    }
    return {name: Mechanism(*parts) for name, parts in found.items()}


def fit_mechanism(mechanism: Mechanism) -> Maximum:
    """Maximum likelihood: a logistic regression, or a gamma distribution whose mean moves (last: log shape)."""
    inputs, answers, kind = mechanism

    def log_likelihood(theta: Tensor) -> Tensor:
        if kind == "chance":
            return bernoulli_log_prob(answers, inputs @ theta).sum()
        shape, mean = theta[-1].exp(), (inputs @ theta[:-1]).exp()
        return gamma_log_prob(answers, shape, shape / mean).sum()

    start = torch.zeros(inputs.shape[1] + (kind == "amount"))
    if kind == "amount":
        start[0] = answers.mean().log()
    return maximum_likelihood(log_likelihood, start)


def has_moved(first: Mechanism, second: Mechanism) -> Test:
    """Is a mechanism the same in two records? One fit for both against a fit for each."""
    both = Mechanism(torch.cat([first.inputs, second.inputs]), torch.cat([first.answers, second.answers]), first.kind)
    one, two, together = fit_mechanism(first), fit_mechanism(second), fit_mechanism(both)
    return likelihood_ratio(together.log_likelihood, one.log_likelihood + two.log_likelihood, len(one.theta))


def generator_of(record: Weather) -> WeatherGenerator:
    """The library's simulator, each mechanism fitted to the record."""
    model = WeatherGenerator(len(record.day))
    after_dry, after_wet, amount = (fit_mechanism(part).theta for part in mechanisms(record).values())
    with torch.no_grad():
        model.after_dry.copy_(after_dry)
        model.after_wet.copy_(after_wet)
        model.log_amount.copy_(amount[:-1])
        model.log_shape.copy_(amount[-1])
    return model.requires_grad_(False)


def longest(state: Tensor) -> Tensor:
    """The length of the longest run of True in each row: (n, days) -> (n,)."""
    best = run = torch.zeros(len(state))
    for day in state.unbind(-1):
        run = torch.where(day, run + 1, 0.0)
        best = torch.maximum(best, run)
    return best


def rain_after(wet: Tensor, dry: int) -> Tensor:
    """How often it rains after at least `dry` dry days in a row: (n, days), boolean -> (n,)."""
    days = wet.shape[1] - dry
    spell = torch.stack([~wet[:, shift : shift + days] for shift in range(dry)]).all(0)
    return (spell & wet[:, dry:]).sum(-1) / spell.sum(-1)


def rain_after_one(wet: Tensor) -> Tensor:
    """How often it rains after exactly one dry day: (n, days), boolean -> (n,)."""
    spell = wet[:, :-2] & ~wet[:, 1:-1]
    return (spell & wet[:, 2:]).sum(-1) / spell.sum(-1)


def checks(x: Tensor, year: Tensor) -> dict[str, Tensor]:
    """What nobody fitted, of each record x (n, days): (n,) each."""
    wet = x > 0
    totals = torch.stack([x[:, year == one].sum(-1) for one in year.unique()], -1)  # (n, years)
    return {
        "longest dry spell (days)": longest(~wet),
        "longest wet spell (days)": longest(wet),
        "wettest day (mm)": x.max(-1).values,
        "spread of the yearly totals (mm)": totals.std(-1),
        "rain after exactly one dry day (%)": 100 * rain_after_one(wet),
        "rain after three dry days or more (%)": 100 * rain_after(wet, 3),
    }


def one_year(after_dry: float, after_wet: float, mean: float, chance: Tensor, amount: Tensor) -> Tensor:
    """A year without seasons from given noise: uniform `chance` (days,), and `amount` (days,) of mean one, in mm."""
    logits = torch.tensor([after_dry, after_wet]).logit()
    long_run = (logsigmoid(logits[0]) - logsigmoid(-logits[1])).sigmoid().item()
    wet, state = [], None
    for draw in chance.tolist():
        state = draw < (long_run if state is None else after_wet if state else after_dry)
        wet.append(state)
    return torch.where(torch.tensor(wet), mean * amount, 0.0)
