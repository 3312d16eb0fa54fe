"""The experiments of lesson 06 on the digits: minibatches by the thousand, and the race of the batch sizes."""

import itertools
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.utils.flop_counter import FlopCounterMode
from tqdm.auto import tqdm

from ... import datasets, metrics, rng


class Digits(NamedTuple):
    """Digits of 64 pixels and a constant one; the new ones are by people who wrote none of the others."""

    x: Tensor  # (3823, 65)
    y: Tensor  # (3823,)
    x_new: Tensor  # (1797, 65)
    y_new: Tensor  # (1797,)


def digits() -> Digits:
    """The optical digits, split by writer, with a column of ones for the bias."""
    parts = []
    for writers in ("training", "new"):
        x, y = datasets.optical_digits(writers)
        parts += [torch.cat([x, torch.ones(len(x), 1)], -1).double(), y]
    return Digits(*parts)


def gradients(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The gradient of log p(y | x) of every row: theta (65, C), x (n, 65) -> (n, 65 C)."""
    missed = torch.nn.functional.one_hot(y, theta.shape[-1]) - (x @ theta).softmax(-1)  # (n, C)
    return (x[:, :, None] * missed[:, None]).flatten(1)


def climbed(data: Digits, steps: int, lr: float) -> Tensor:
    """Parameters (65, 10) after so many steps with the whole gradient, from zero."""
    theta, onehot = torch.zeros(65, 10, dtype=data.x.dtype), torch.nn.functional.one_hot(data.y, 10)
    for _ in range(steps):
        theta = theta + lr * data.x.mT @ (onehot - (data.x @ theta).softmax(-1)) / len(data.y)
    return theta


# Minibatches ---------------------------------------------------------------------------------------------------------


def all_minibatches(n: int, size: int, *, replacement: bool) -> Tensor:
    """Every minibatch there is: (n^size, size) ordered ones with replacement, (n over size, size) sets without."""
    rows = itertools.product(range(n), repeat=size) if replacement else itertools.combinations(range(n), size)
    return torch.tensor(list(rows))


def minibatches(n: int, size: int, repeats: int, generator: Generator, *, replacement: bool) -> Tensor:
    """Row numbers of many independent minibatches, (repeats, size)."""
    if replacement:
        return torch.randint(n, (repeats, size), generator=generator)
    return torch.rand(repeats, n, generator=generator).topk(size).indices


def minibatch_means(values: Tensor, rows: Tensor) -> Tensor:
    """The mean of `values` (n, P) over each minibatch of `rows` (repeats, size): (repeats, P)."""
    repeats, size = rows.shape
    if rows.numel() < 2 * len(values):  # few rows: look them up; many: one matrix product
        return values[rows].mean(1)
    counts = values.new_zeros(repeats, len(values)).scatter_add_(1, rows, values.new_ones(1).expand(repeats, size))
    return counts @ values / size


def variance_law(variance: float, n: int, size: int | Tensor, *, replacement: bool) -> float | Tensor:
    """The variance of the mean of a minibatch, if `variance` is that of the n rows (divided by n)."""
    return variance / size * (1 if replacement else (n - size) / (n - 1))


def measured_variance(values: Tensor, size: int, repeats: int, generator: Generator, *,
                      replacement: bool) -> metrics.Estimate:
    """The mean squared distance of minibatch means from the mean of all of `values` (n, P), with its error."""
    rows = minibatches(len(values), size, repeats, generator, replacement=replacement)
    return metrics.estimate((minibatch_means(values, rows) - values.mean(0)).square().sum(-1))


def z_scores(means: Tensor, truth: Tensor) -> Tensor:
    """How many standard errors the average of `means` (repeats, P) lies from `truth` (P,), where they vary at all."""
    error = means.std(0) / math.sqrt(len(means))
    moves = error > 1e-12
    return (means.mean(0) - truth)[moves] / error[moves]


def slope(sizes: Tensor, values: Tensor) -> float:
    """The slope of log values against log sizes, by least squares."""
    size, value = sizes.log() - sizes.log().mean(), values.log()
    return ((size * value).sum() / size.square().sum()).item()


# What a step costs ---------------------------------------------------------------------------------------------------


def operations(work: Callable[[], object]) -> int:
    """The additions and multiplications in the matrix products of `work()`."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def wait(place: torch.device) -> None:
    """Until all that was asked of the device is done: a GPU is asked, and answers later."""
    if place.type != "cpu":
        torch.accelerator.synchronize()


def seconds_of(work: Callable[[], object], place: torch.device, repeats: int = 9) -> tuple[float, float]:
    """Seconds of the first call of `work`, which warms up, and the median of those that follow."""
    seconds = []
    for _ in range(repeats + 1):
        wait(place)
        begin = time.perf_counter()
        work()
        wait(place)
        seconds.append(time.perf_counter() - begin)
    return seconds[0], sorted(seconds[1:])[repeats // 2]


# The race of the batch sizes -----------------------------------------------------------------------------------------


class Race(NamedTuple):
    """What a batch size needs to reach the target: its best learning rate, and the steps of fresh runs."""

    size: int
    lr: float
    steps: Tensor  # (runs,)


def race(data: Digits, sizes: list[int], target: float, *, trials: int = 4, runs: int = 8) -> list[Race]:
    """For each batch size the learning rate with which all trials reach the target first; then fresh runs with it.

    Rates are powers of two. From a batch size to a smaller one the best rate is looked for downwards.
    """
    data = Digits(data.x.float(), data.y, data.x_new.float(), data.y_new)
    found, highest = [], 16.0
    for size in tqdm(sorted(sizes, reverse=True), desc="batch sizes"):
        whole = size == len(data.y)  # nothing is left to chance
        rates = highest * 0.5 ** torch.arange(4)
        tried = rates.repeat(1 if whole else trials)  # (trials * rates,)
        steps = steps_to(target, data, size, tried, rng.seeded(size), one_rate_is_enough=len(rates))
        highest = rates[steps.reshape(-1, len(rates)).max(0).values.argmin()].item()
        fresh = steps_to(target, data, size, torch.full((1 if whole else runs,), highest), rng.seeded(size + 1))
        found.append(Race(size, highest, fresh))
    return found[::-1]


def steps_to(target: float, data: Digits, size: int, rates: Tensor, generator: Generator, *,
             one_rate_is_enough: int = 0, most: int = 20_000) -> Tensor:
    """The steps after which runs, side by side, first exceed the held-out target, (R,): infinite where they do not.

    With `one_rate_is_enough` rates it ends once all trials with one of them have arrived. The held-out digits are
    looked at whenever the number of steps has grown by a twentieth.
    """
    theta, lr = torch.zeros(len(rates), 65, 10), rates[:, None, None].float()
    theta, onehot = theta.float(), torch.nn.functional.one_hot(data.y, 10).float()
    steps, look = torch.full((len(rates),), math.inf), 1
    for step in range(1, most + 1):
        theta = theta + lr * _uphill(theta, data.x, onehot, size, generator)
        if step < look:
            continue
        look = max(step + 1, int(step * 1.05))
        arrived = held_out(theta, data) > target
        steps[arrived & steps.isinf()] = step
        done = steps.isfinite().reshape(-1, one_rate_is_enough or len(rates))
        if done.all(0).any() if one_rate_is_enough else done.all():
            break
    return steps


def _uphill(theta: Tensor, x: Tensor, onehot: Tensor, size: int, generator: Generator) -> Tensor:
    """The gradient of the mean log p of a minibatch for each of R runs: theta (R, 65, 10) -> (R, 65, 10)."""
    if size < len(x):
        rows = torch.randint(len(x), (len(theta), size), generator=generator)
        x, onehot = x[rows], onehot[rows]  # (R, size, 65), (R, size, 10)
    missed = onehot.mT - (theta.mT @ x.mT).softmax(-2)  # (R, 10, size): classes first, which is quicker
    return (missed @ x).mT / size


def held_out(theta: Tensor, data: Digits) -> Tensor:
    """The mean log p(y | x) of the new digits under each of R parameters: (R, 65, 10) -> (R,)."""
    right = data.x_new.mT @ torch.nn.functional.one_hot(data.y_new, 10).to(theta) / len(data.y_new)  # (65, 10)
    log_normaliser = (theta.mT @ data.x_new.mT).logsumexp(-2)  # (R, n)
    return (theta * right).sum((-1, -2)) - log_normaliser.mean(-1)
