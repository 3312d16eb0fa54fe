"""The exercises of lesson 13 on Gaussians: a Laplace covariance, the bound of a mean-field Gaussian."""

import math

import torch
from torch import Tensor

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from .chain_exercises import LEAPFROG_STEP, METROPOLIS
from .overconfident import OVERCONFIDENT

# 1 · a Laplace covariance ----------------------------------------------------------------------------------------


def laplace_covariance(log_joint, mode):
    """The covariance (d, d) of the Gaussian that has the curvature of `log_joint` at `mode`, (d,)."""
    hessian = torch.autograd.functional.hessian(log_joint, mode)
    return torch.linalg.inv(-hessian)


class _Gaussian:
    """log of an unnormalised Gaussian with this precision: a case whose answer is known."""

    def __init__(self, precision: list[list[float]], centre: list[float]) -> None:
        self.precision, self.centre = torch.tensor(precision), torch.tensor(centre)

    def __call__(self, z: Tensor) -> Tensor:
        offset = z - self.centre
        return -0.5 * offset @ self.precision @ offset - 3.0


def _skewed(z):
    """log p of two Gumbel variables, the second one scaled, tied a little: its mode is (0.5, -1)."""
    offset = z - torch.tensor([0.5, -1.0])
    scaled = offset * torch.tensor([1.0, 2.0])
    return (-scaled - (-scaled).exp()).sum() + 0.3 * offset.prod()


def _laplace_cases():
    yield _Gaussian([[4.0, 1.5], [1.5, 2.0]], [1.0, -2.0]), torch.tensor([1.0, -2.0])
    centre = [0.0, 1.0, 2.0]
    yield _Gaussian([[25.0, 0.0, 3.0], [0.0, 0.5, 0.0], [3.0, 0.0, 2.0]], centre), torch.tensor(centre)
    yield _skewed, torch.tensor([0.5, -1.0])


def _hessian(log_joint, mode):
    return torch.autograd.functional.hessian(log_joint, mode)


def _outer(log_joint, mode):
    gradient = torch.autograd.functional.jacobian(log_joint, mode)
    return gradient[:, None] * gradient


LAPLACE_COVARIANCE = Exercise(
    laplace_covariance,
    _laplace_cases,
    mistakes=(
        Mistake(lambda f, z: torch.linalg.inv(_hessian(f, z)),
                "The **sign** is missing: at a maximum the Hessian is *negative* definite, and so is your covariance. "
                "Variances are positive: invert $-H$."),
        Mistake(lambda f, z: -_hessian(f, z),
                "This is the **precision**, $-H$. A sharp peak has a large curvature and a *small* variance: invert "
                "it."),
        Mistake(_hessian, "This is the **Hessian** itself. The Taylor series has $\\tfrac12 \\delta^\\top H \\delta$ "
                "where the Gaussian has $-\\tfrac12 \\delta^\\top \\Sigma^{-1} \\delta$."),
        Mistake(lambda f, z: 1 / -_hessian(f, z),
                "You inverted **each number by itself**; the inverse of a matrix is another thing (and where $H_{ij} = "
                "0$ yours is infinite). Use `torch.linalg.inv`."),
        Mistake(lambda f, z: torch.diag(1 / -_hessian(f, z).diagonal()),
                "You inverted **the diagonal only**: that is mean field's answer, without the correlations."),
        Mistake(_outer,
                "This is the **outer product of the gradient**. At a mode the gradient is zero, and so is its product: "
                "curvature needs second derivatives."),
        Mistake(lambda f, z: torch.linalg.inv(-_hessian(f, torch.zeros_like(z))),
                "You took the Hessian **at zero**, not at `mode`. Only a Gaussian's curvature is the same everywhere."),
        Mistake(lambda f, z: torch.linalg.inv(-_hessian(f, z) / 2),
                "Off by a **factor of 2**: the half of Taylor's series and the half in the Gaussian's exponent "
                "cancel."),
        Mistake(lambda f, z: torch.linalg.cholesky(torch.linalg.inv(-_hessian(f, z))),
                "This is the **root** of the covariance, $L$ with $\\Sigma = L L^\\top$: asked for is $\\Sigma$."),
    ),
    hints=(
        "Put $\\log p(x, \\hat z) + \\tfrac12 \\delta^\\top H \\delta$ beside the log of a Gaussian. Which matrix is "
        "$\\Sigma^{-1}$?",
        "`torch.autograd.functional.hessian(log_joint, mode)` is $H$; the answer is the inverse of $-H$.",
    ),
    minutes=5,
    difficulty=1,
)

# 2 · the bound of a mean-field Gaussian ---------------------------------------------------------------------------

LOG_2_PI = math.log(2 * math.pi)


def mean_field_elbo(log_joint_values, log_scale):
    """The bound of each data point, (n,), from log p(x, z_s) at draws from q, (S, n), and log sigma of q, (n, d)."""
    constant = 0.5 * torch.tensor(2 * torch.pi * torch.e).log()
    return log_joint_values.mean(0) + (log_scale + constant).sum(-1)


def _elbo_cases():
    g = rng.seeded(2)
    for draws, rows, dimensions in ((8, 5, 2), (3, 4, 6)):
        yield torch.randn(draws, rows, generator=g) - 100, torch.randn(rows, dimensions, generator=g) - 1


def _with_entropy(entropy):
    return lambda values, log_scale: values.mean(0) + entropy(log_scale, log_scale.shape[-1])


MEAN_FIELD_ELBO = Exercise(
    mean_field_elbo,
    _elbo_cases,
    mistakes=(
        Mistake(_with_entropy(lambda s, d: 0),
                "The **entropy is missing**: without it the best $q$ is a spike on the mode, and the bound is none."),
        Mistake(_with_entropy(lambda s, d: -(s + 0.5 * (LOG_2_PI + 1)).sum(-1)),
                "The **entropy has the wrong sign**: it stands for $-\\mathbb{E}_q \\log q$, and a wider $q$ raises "
                "it."),
        Mistake(_with_entropy(lambda s, d: -s.sum(-1)),
                "The **entropy has the wrong sign**, and its constant is missing: a wider $q$ raises the bound."),
        Mistake(_with_entropy(lambda s, d: s.sum(-1)),
                "The **constant is missing**: each dimension has $\\tfrac12 \\log 2 \\pi e$ beside $\\log \\sigma$. "
                "The gradient does not see it, but the bound on $\\log p(x)$ does."),
        Mistake(_with_entropy(lambda s, d: s.sum(-1) + 0.5 * (LOG_2_PI + 1)),
                "The constant $\\tfrac12 \\log 2 \\pi e$ came **once**: every one of the $d$ dimensions has it."),
        Mistake(_with_entropy(lambda s, d: (s + 0.5 * LOG_2_PI).sum(-1)),
                "The **$e$ is missing**: $\\tfrac12 \\log 2 \\pi$ is the density's constant; the mean of "
                "$\\tfrac12 (z - \\mu)^2 / \\sigma^2$ adds another $\\tfrac12$ a dimension."),
        Mistake(_with_entropy(lambda s, d: 0.5 * (s + LOG_2_PI + 1).sum(-1)),
                "You took **$\\log \\sigma$ for $\\log \\sigma^2$**: in $\\tfrac12 \\log 2 \\pi e \\sigma^2$ the half "
                "and the square cancel."),
        Mistake(_with_entropy(lambda s, d: (2 * s + 0.5 * (LOG_2_PI + 1)).sum(-1)),
                "You took $\\log \\sigma^2 = 2 \\log \\sigma$ **without its half**."),
        Mistake(_with_entropy(lambda s, d: (s + 0.5 * (LOG_2_PI + 1)).mean(-1)),
                "A **mean over the dimensions**: entropies of independent coordinates add up."),
        Mistake(_with_entropy(lambda s, d: (s.exp() + 0.5 * (LOG_2_PI + 1)).sum(-1)),
                "You added $\\sigma$ **itself, not its log**: `log_scale` needs no `exp` here."),
        Mistake(_with_entropy(lambda s, d: (0.5 * s.square().log() + 0.5 * (LOG_2_PI + 1)).sum(-1)),
                "You took `log_scale` for $\\sigma$ **itself**: it is $\\log \\sigma$ already, so no second log."),
        Mistake(_with_entropy(lambda s, d: (s + 0.5 * (LOG_2_PI + 1)).sum()),
                "You summed the entropy **over the data points too**: sum over the last axis, the coordinates, only."),
        Mistake(lambda values, s: values.mean() + (s + 0.5 * (LOG_2_PI + 1)).sum(-1),
                "You averaged the log-joint **over the data points too**: take the mean over the first axis only, the "
                "draws."),
        Mistake(lambda values, s: values.sum(0) + (s + 0.5 * (LOG_2_PI + 1)).sum(-1),
                "You **summed over the draws**: an expectation is their mean."),
        Mistake(lambda values, s: values.logsumexp(0) - math.log(len(values)) + (s + 0.5 * (LOG_2_PI + 1)).sum(-1),
                "This is a **log of a mean**, not the mean of the logs: Jensen has moved the log inside."),
        Mistake(lambda values, s: (values.mean(0) + (s + 0.5 * (LOG_2_PI + 1)).sum(-1)).mean(),
                "You **averaged over the data points** too: each has a bound of its own, shape (n,)."),
    ),
    hints=(
        "The entropy of one Gaussian coordinate is $\\tfrac12 \\log 2 \\pi e \\sigma^2$. Which axis holds the "
        "coordinates, which the draws?",
        "`log_joint_values.mean(0) + (log_scale + constant).sum(-1)`, with `0.5 * torch.tensor(2 * torch.pi * "
        "torch.e).log()` as the constant.",
    ),
    minutes=5,
    difficulty=1,
)

check = Checks("13", LAPLACE_COVARIANCE, MEAN_FIELD_ELBO, OVERCONFIDENT, METROPOLIS, LEAPFROG_STEP)
