"""The renderer run backwards: which causes would have made this picture?"""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .sprites import LOWER, NOISE, NUMBERS, TURNS, UPPER, Causes, log_likelihood_table, render, sample_causes


def invert(x: Tensor, generator: Generator, *, guesses: int = 4000, steps: int = 8) -> Causes:
    """The most likely causes of each x (n, 400): the best of many guesses for each shape, then least squares.

    Each step solves the picture's linear approximation (Levenberg and Marquardt); one that does not improve is refused.
    """
    guess = sample_causes(guesses, generator)
    table = log_likelihood_table(x, render(*guess))  # (n, guesses)
    found = [_descend(x, guess, table, shape, steps) for shape in range(len(TURNS))]
    best = torch.stack([error for _, error in found]).argmin(0)  # (n,)
    return Causes(best, torch.stack([numbers for numbers, _ in found])[best, torch.arange(len(x))])


def _descend(x: Tensor, guess: Causes, table: Tensor, shape: int, steps: int) -> tuple[Tensor, Tensor]:
    """Numbers (n, 5) of the best sprite of one shape, and its squared error (n,)."""
    rows = (guess.shape == shape).nonzero()[:, 0]
    numbers, shapes = guess.numbers[rows[table[:, rows].argmax(-1)]], torch.full((len(x),), shape)
    lower, upper = LOWER.to(x).clone(), UPPER.to(x).clone()
    lower[1], upper[1] = -torch.inf, torch.inf  # an angle may go round
    made = render(shapes, numbers)
    error, damping = (x - made).square().sum(-1), torch.full((len(x),), 0.1).to(x)
    for _ in range(steps):
        slopes = torch.stack([(render(shapes, numbers + 1e-4 * way) - made) / 1e-4 for way in torch.eye(5).to(x)], -1)
        normal = slopes.mT @ slopes + damping[:, None, None] * torch.eye(5).to(x)  # (n, 5, 5)
        step = torch.linalg.solve(normal, slopes.mT @ (x - made)[..., None])[..., 0]
        trial = torch.minimum(torch.maximum(numbers + step, lower), upper)
        trial_made = render(shapes, trial)
        trial_error = (x - trial_made).square().sum(-1)
        better = trial_error < error
        numbers, made = (torch.where(better[:, None], *pair) for pair in ((trial, numbers), (trial_made, made)))
        error, damping = torch.where(better, trial_error, error), torch.where(better, 0.3 * damping, 4 * damping)
    return numbers, error


def angle_posterior(x: Tensor, causes: Causes, *, size: int = 720, noise: float = NOISE) -> tuple[Tensor, Tensor]:
    """Angles (size,) round one turn, and p(angle | x, all other causes), masses (n, size), for x (n, 400)."""
    angles = (torch.arange(size) + 0.5) * (2 * math.pi / size)
    masses = []
    for picture, shape, numbers in zip(x, *causes, strict=True):
        row = numbers.repeat(size, 1)
        row[:, 1] = angles
        table = log_likelihood_table(picture[None], render(shape.expand(size), row), noise)
        masses.append(table[0].softmax(-1))
    return angles, torch.stack(masses)


def count_peaks(masses: Tensor) -> Tensor:
    """How many humps higher than a tenth of the highest a mass on a circle (n, m) has; none where it is level."""
    before, after = masses.roll(1, -1), masses.roll(-1, -1)
    highest = masses.amax(-1, keepdim=True)
    peaks = (masses > before) & (masses >= after) & (masses > 0.1 * highest)
    return peaks.sum(-1) * (highest[:, 0] > 1.5 * masses.mean(-1))


class Sum(NamedTuple):
    """log p(x | what is known), p(unknown | x) with one axis a cause, and how many pictures were rendered.

    masses:     (shapes, size, angle, right, down, light), one long for what is known; they add up to one.
    """

    log_evidence: float
    masses: Tensor
    rendered: int


def brute_force(x: Tensor, known: Tensor, shapes: tuple[int, ...], points: dict[str, int]) -> Sum:
    """Try all: the sum of prior times likelihood of one picture x (400,) over a grid of its unknown causes.

    known (5,) holds the other numbers. `points` says how many values each unknown number gets, the middles of equal
    pieces of its range. The light only scales a picture: one that is rendered once serves for all lights.
    """
    axes = [_middles(column, points[name]).to(x) if name in points else known[column, None]
            for column, name in enumerate(NUMBERS)]
    *drawn, light = axes
    numbers = torch.cartesian_prod(*drawn, torch.ones(1).to(x))  # (g, 5), at full light
    parts = []
    for shape in shapes:
        for rows in numbers.split(5000):
            mask = render(torch.full((len(rows),), shape), rows)  # (5000, 400)
            dot, square = (mask @ x)[:, None], mask.square().sum(-1)[:, None]  # (5000, 1)
            squared = x.square().sum() - 2 * light * dot + light.square() * square  # (5000, lights)
            parts.append(-0.5 * squared / NOISE**2 - len(x) * math.log(NOISE * (2 * math.pi) ** 0.5))
    table = torch.cat(parts).reshape(len(shapes), *map(len, axes))  # log p(x | z); every z has the same prior mass
    total = table.flatten().logsumexp(0)
    return Sum((total - math.log(table.numel())).item(), (table - total).exp(), table.numel() // len(light))


def _middles(column: int, size: int) -> Tensor:
    return LOWER[column] + (UPPER - LOWER)[column] * (torch.arange(size) + 0.5) / size
