"""The reverse exercise of lesson 13: a posterior on which mean field is too sure by a given factor."""

import math

import torch
from torch import Tensor

from ...classroom import Exercise, Mistake


def overconfident(factor):
    """The covariance (2, 2) of a Gaussian posterior whose mean-field fit has standard deviations `factor` too small."""
    correlation = (1 - 1 / factor**2) ** 0.5
    return torch.tensor([[1.0, correlation], [correlation, 1.0]])


def _cases():
    yield from ((3.0,), (1.5,), (10.0,))


def too_sure(covariance: Tensor) -> Tensor:
    r"""True standard deviations over those of the best mean-field Gaussian, 1 / sqrt(precision_ii): (d, d) -> (d,)."""
    precision = torch.linalg.inv(covariance)
    return (covariance.diagonal() * precision.diagonal()).sqrt()


def _judge(covariance, factor: float) -> str | None:
    made = torch.as_tensor(covariance).double()
    if made.shape != (2, 2) or not made.isfinite().all():
        return f"Return a **covariance matrix** of shape (2, 2), finite; got shape {tuple(made.shape)}."
    if not torch.allclose(made, made.mT):
        return "A covariance matrix is **symmetric**: put the covariance into both corners."
    if torch.linalg.eigvalsh(made)[0] <= 0:
        return ("That is **no covariance matrix**: an eigenvalue is not positive. A correlation lies between −1 and 1, "
                "and at ±1 there is no density.")
    reached = too_sure(made)
    if torch.allclose(reached, torch.full_like(reached, factor), rtol=1e-3):
        return None
    if torch.allclose(reached, torch.ones_like(reached), rtol=1e-3):
        return ("Here mean field is **exactly right**: there is no correlation, and making the posterior wider or "
                "narrower changes truth and fit alike.")
    if torch.allclose(reached.square(), torch.full_like(reached, factor), rtol=1e-3):
        return (f"Here the **variances**, not the standard deviations, are too small by {factor:g}. In terms of "
                "standard deviations the factor is $1 / \\sqrt{1 - \\rho^2}$.")
    return (f"Mean field's standard deviations are **too small by {reached[0]:.3g} and {reached[1]:.3g}**; asked for "
            f"is {factor:g}. The variance that it finds is $1 / \\Lambda_{{ii}}$ with $\\Lambda = \\Sigma^{{-1}}$.")


def _correlated(correlation):
    return lambda factor: torch.tensor([[1.0, correlation(factor)], [correlation(factor), 1.0]])


OVERCONFIDENT = Exercise(
    overconfident,
    _cases,
    judge=_judge,
    mistakes=(
        Mistake(_correlated(lambda factor: 1 - 1 / factor), "too small by"),
        Mistake(_correlated(lambda factor: math.sqrt(1 - 1 / factor)), "**variances**, not the standard deviations"),
        Mistake(_correlated(lambda factor: factor), "**no covariance matrix**"),
        Mistake(lambda factor: torch.eye(2) * factor**2, "Here mean field is **exactly right**"),
        Mistake(lambda factor: torch.tensor([[1.0, math.sqrt(1 - 1 / factor**2)], [0.0, 1.0]]), "is **symmetric**"),
        Mistake(lambda factor: torch.tensor(math.sqrt(1 - 1 / factor**2)), "Return a **covariance matrix**"),
    ),
    hints=(
        "Mean field finds the variances $1 / \\Lambda_{ii}$. For $\\Sigma = \\begin{pmatrix} 1 & \\rho \\\\ \\rho & 1 "
        "\\end{pmatrix}$ that is $1 - \\rho^2$.",
        "Solve $1 / \\sqrt{1 - \\rho^2} = $ `factor` for $\\rho$.",
    ),
    minutes=6,
    difficulty=2,
)
