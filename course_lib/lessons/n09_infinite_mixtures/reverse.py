"""The reverse exercise of lesson 09: a compound with heavier tails than Student's t with 2 degrees of freedom."""

import math

import torch
from torch import Tensor

from ...classroom import Exercise, Mistake
from ...functional import gamma_log_prob, normal_log_prob

FAR = torch.tensor([1e8, 1e10], dtype=torch.float64)  # where the tail's power is measured
POWER = 3.0  # of Student's t with 2 degrees of freedom
SLACK = 0.01  # of the integral: a density may end in a jump between two points of the grid


def heavy_prior(z):
    """The log-density of a precision z > 0, of the shape of z: Gamma(1/2, 1/2), which makes Student's t with 1."""
    half = torch.tensor(0.5, dtype=z.dtype)
    return half * half.log() - 0.5 * z.log() - half * z - half.lgamma()


def _grid() -> Tensor:
    """Precisions from 1e-174 to 1e5, evenly spaced in their logs: (41201,)."""
    return torch.linspace(-400, 12, 41201, dtype=torch.float64).exp()


def _case():
    yield (_grid(),)


def tail(log_prior: Tensor, z: Tensor) -> float:
    """The power b of |x|^-b between the two places FAR; infinite where nothing measurable is left."""
    s = z.log()
    terms = normal_log_prob(FAR[:, None], torch.zeros_like(z), -0.5 * s) + log_prior + s  # of the integral over log z
    first, second = terms.logsumexp(-1).tolist()
    if not math.isfinite(second):
        return math.inf
    return (first - second) / (FAR[1] / FAR[0]).log().item()


def mass(log_prior: Tensor, z: Tensor) -> float:
    """The integral of the density over the grid."""
    return torch.trapezoid((log_prior + z.log()).exp(), z.log()).item()


def _judge(log_prior, z: Tensor) -> str | None:
    problem = _not_a_density(log_prior, z)
    if problem:
        return problem
    power = tail(log_prior.double(), z)
    if power < POWER - 0.01:
        return None
    if power < POWER + 0.01:
        return (f"The tail falls like $|x|^{{-{power:.2f}}}$: **exactly as heavy** as that of Student's t with 2 "
                "degrees of freedom. More mass is needed at tiny precisions.")
    if power > 1e3:
        return ("Next to **no mass near $z = 0$**: the tail falls faster than any power. (Is yours a density of the "
                "*variance*? $z$ is the precision; tiny precisions make wide Gaussians.)")
    return (f"The tail falls like $|x|^{{-{power:.2f}}}$: **lighter** than $|x|^{{-3}}$. How must $p(z)$ behave near "
            "$z = 0$? Exercise 2 tells.")


def _not_a_density(log_prior, z: Tensor) -> str | None:
    if not isinstance(log_prior, Tensor) or log_prior.shape != z.shape:
        shape = tuple(log_prior.shape) if isinstance(log_prior, Tensor) else type(log_prior).__name__
        return f"Return **one log-density for each z**, a tensor of shape {tuple(z.shape)}; yours: {shape}."
    if log_prior.isnan().any():
        return "Some of the log-densities are **NaN**: $z$ goes from $10^{-174}$ to $10^5$. Stay in logs."
    total = mass(log_prior.double(), z)
    if abs(total - 1) < SLACK:
        return None
    if abs(mass(log_prior.double().clamp_min(0).log(), z) - 1) < SLACK:
        return "This is **the density itself**; its log was asked for."
    return (f"Your density **integrates to {total:.3g}**, not to 1. (Over $z$ from $10^{{-174}}$ to $10^5$: a density "
            "with mass beyond these ends is too much for this check.)")


def _gamma(a: float, b: float):
    return lambda z: gamma_log_prob(z, *torch.tensor([a, b], dtype=z.dtype))


def _of_the_variance(z):
    return 2 * math.log(2) - 3 * z.log() - 2 / z  # an inverse gamma with both parameters 2


HEAVY_PRIOR = Exercise(
    heavy_prior,
    _case,
    judge=_judge,
    mistakes=(
        Mistake(_gamma(1.0, 1.0), "exactly as heavy"),
        Mistake(_gamma(2.5, 2.5), "lighter"),
        Mistake(lambda z: -0.5 * z.log(), "integrates to"),
        Mistake(lambda z: heavy_prior(z).exp(), "the density itself"),
        Mistake(_of_the_variance, "no mass near"),
        Mistake(lambda z: heavy_prior(z).sum(), "one log-density for each z"),
        Mistake(lambda z: (z**2 - z**2) / (z**2 - z**2), "NaN"),
    ),
    hints=(
        "By exercise 2 the tail is $|x|^{-(2a + 1)}$ where $p(z) \\sim z^{a - 1}$ near 0. Which $a$ make it heavier "
        "than $|x|^{-3}$? Which of them can still be normalised?",
        "Any gamma with concentration $a < 1$ will do; $\\tfrac12$ with rate $\\tfrac12$ is Student's t with 1 degree "
        "of freedom. Its log-density has $-\\log \\Gamma(a)$ and $a \\log b$ in it.",
    ),
    minutes=8,
    difficulty=2,
)
