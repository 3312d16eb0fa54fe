"""The experiments of lesson 07: what a code of a picture tells of its causes, and what it can make."""

import math

import torch
from torch import Generator, Tensor

from ... import metrics, rng
from ...models import ProbabilisticPCA
from .features import measure
from .inverting import invert
from .sprites import NOISE, SHAPES, TURNS, Causes, render, sample, sample_causes

TARGETS = ("size", "light", "right", "down", "angle: ellipse", "angle: triangle", "angle: square")


def linear_map(z: Tensor, y: Tensor) -> Tensor:
    """Least squares with an intercept, with a trace of ridge: z (n, k), y (n, m) -> (k + 1, m)."""
    design = torch.cat([z, torch.ones(len(z), 1).to(z)], 1)
    scale = design.square().mean(0).sqrt().clamp_min(1e-12)
    normal = (design / scale).mT @ (design / scale) / len(z) + 1e-9 * torch.eye(design.shape[1]).to(z)
    return torch.linalg.solve(normal, (design / scale).mT @ y / len(z)) / scale[:, None]


def predict(coefficients: Tensor, z: Tensor) -> Tensor:
    """What a linear map says: (n, m)."""
    return z @ coefficients[:-1] + coefficients[-1]


def r_squared(prediction: Tensor, y: Tensor) -> metrics.Estimate:
    """The share of the variance of y (n, m) that is told, all columns together, with its standard error."""
    spread = (y - y.mean(0)).square().sum(-1).mean()
    return metrics.estimate(1 - (y - prediction).square().sum(-1) / spread)


def targets(causes: Causes) -> dict[str, tuple[Tensor, Tensor]]:
    """For each of `TARGETS` the rows that count (n,) and the cause itself (n, 1 or 2).

    An angle stands as the point (cos k a, sin k a) on a circle, with k the shape's turns: equal pictures, equal points.
    """
    size, angle, right, down, light = causes.numbers.unbind(-1)
    every = torch.ones_like(causes.shape, dtype=torch.bool)
    found = {name: (every, column[:, None]) for name, column in zip(TARGETS, (size, light, right, down))}
    for number in (1, 2, 3):
        found[f"angle: {SHAPES[number]}"] = causes.shape == number, on_circle(angle, TURNS[number])
    return found


def on_circle(angle: Tensor, turns: int) -> Tensor:
    """(cos k a, sin k a): the same for all angles that differ by a k-th of a turn, (n,) -> (n, 2)."""
    return torch.stack([(turns * angle).cos(), (turns * angle).sin()], -1)


def seen_by(code: tuple[Tensor, Tensor], causes: tuple[Causes, Causes]) -> dict[str, metrics.Estimate]:
    """R squared on new pictures of a linear map from a code to each target: (train, new) of both."""
    (z, z_new), found = code, {}
    for (name, (rows, y)), (rows_new, y_new) in zip(targets(causes[0]).items(), targets(causes[1]).values()):
        fitted = linear_map(z[rows], y[rows])
        found[name] = r_squared(predict(fitted, z_new[rows_new]), y_new[rows_new])
    return found


def seen_by_inverting(found: Causes, causes: Causes) -> dict[str, metrics.Estimate]:
    """R squared of causes that a renderer run backwards has found, without any map."""
    pairs = zip(targets(found).values(), targets(causes).items())
    return {name: r_squared(y[rows], truth[rows]) for (_, y), (name, (rows, truth)) in pairs}


def right_shapes(found: Causes, causes: Causes) -> metrics.Estimate:
    """The share of shapes that are named rightly."""
    return metrics.estimate((found.shape == causes.shape).double())


def remade(made: Tensor, clean: Tensor) -> metrics.Estimate:
    """The share of the variance of clean pictures (n, 400) that a code has kept."""
    return r_squared(made, clean)


def misfit(x: Tensor, generator: Generator) -> metrics.Estimate:
    """How far pictures x (n, 400) are from the nearest sprite, in units of the noise: 1 for what is a sprite."""
    nearest = render(*invert(x, generator))
    return metrics.estimate((x - nearest).square().mean(-1) / NOISE**2)


def imagined_from_features(x: Tensor, n: int, generator: Generator) -> Tensor:
    """Pictures from features: draw them from a Gaussian fitted to those of x, map them to pixels, add the rest."""
    f = measure(x)
    to_pixels = linear_map(f, x)
    rest = (x - predict(to_pixels, f)).std()
    root = torch.linalg.cholesky(torch.cov(f.mT))
    drawn = f.mean(0) + rng.randn((n, f.shape[1]), generator, f) @ root.mT
    made = predict(to_pixels, drawn)
    return made + rest * rng.randn(tuple(made.shape), generator, made)


@torch.no_grad()
def ppca(x: Tensor, latents: int) -> ProbabilisticPCA:
    """Maximum likelihood, frozen."""
    model = ProbabilisticPCA(x.shape[1], latents)
    model.maximise(x)
    return model.requires_grad_(False)


def share_of_axes(x: Tensor) -> Tensor:
    """The share of the variance of x (n, D) that the first 1, 2, ... principal components hold: (D,)."""
    values = torch.linalg.eigvalsh(torch.cov(x.mT)).flip(0).clamp_min(0)
    return values.cumsum(0) / values.sum()


def pictures_of(n: int, seed: int, **options) -> tuple[Causes, Tensor]:
    """Causes of n sprites, and a noisy picture of each."""
    generator = rng.seeded(seed)
    causes = sample_causes(n, generator, **options)
    return causes, sample(causes, generator)


def rotation(latents: int, generator: Generator) -> Tensor:
    """A random rotation of `latents` dimensions, (M, M)."""
    q, r = torch.linalg.qr(rng.randn((latents, latents), generator, torch.empty(0)))
    q = q * r.diagonal().sign()
    q[:, 0] *= torch.linalg.det(q)  # a rotation, not a mirror
    return q


def degrees(angle: Tensor) -> float:
    """Radians to degrees."""
    return math.degrees(float(angle))
