"""The highest point of a posterior, and the Gaussian that fits it there."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import NumericalError, require_finite, require_positive, require_values
from .approximation import GaussianApproximation
from .leapfrog import Point, evaluate
from .moves import LogDensity

HALVINGS = 40  # of a step that does not climb: 2^-40 of it is nothing


class Laplace(NamedTuple):
    """A Gaussian at the mode, and what it takes log p(x) to be (...), in nats."""

    approximation: GaussianApproximation
    log_evidence: Tensor


def hessian(log_density: LogDensity, z: Tensor) -> Tensor:
    r"""The second derivatives of a log-density, by autograd.

    .. math:: H_{ij} = \frac{\partial^2 \log p(z)}{\partial z_i \, \partial z_j}

    Shapes:     z (..., d) -> (..., d, d), for all leading indices at once.
    Cost:       one gradient, and d derivatives of it.
    """
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(log_density(z).sum(), z, create_graph=True)
        gradient = gradient + 0 * z  # a gradient that is constant has derivatives, too: zeros
        columns = [torch.autograd.grad(part.sum(), z, retain_graph=True)[0] for part in gradient.unbind(-1)]
    return torch.stack(columns, -1)


def maximum_a_posteriori(log_joint: LogDensity, start: Tensor, *, steps: int = 100, tolerance: float = 1e-8) -> Tensor:
    r"""Climb to a mode with Newton's method, each data point on its own.

    .. math:: z \leftarrow z + \alpha \, |H|^{-1} \nabla \log p(x, z)

    |H| is the Hessian with the absolute values of its eigenvalues, so that the way always leads up, and alpha = 1,
    1/2, 1/4, ... the first that climbs. The end is reached where a full step promises less than `tolerance` nats, or
    where no step climbs any more, as at a kink. Of several modes it is one near `start`.

    Shapes:     start (..., d), `log_joint(z)` (...); gives the modes, (..., d).
    Units:      such that z's standard deviations stay below some 1,000: a flatter hill is taken for a plane.
    Raises:     ValueError for sizes out of range, a wrong shape or a start where `log_joint` is not finite;
                NumericalError if after `steps` steps it still climbs.
    Reference:  Nocedal and Wright, Numerical Optimization (2006), section 3.4.
    """
    require_positive("steps", steps, whole=True)
    require_positive("tolerance", tolerance)
    with torch.no_grad():
        values = log_joint(start)
    require_values("log_joint", values, start)
    require_finite("log_joint(start)", values)
    z, moved = start, torch.ones_like(values, dtype=torch.bool)
    for _ in range(steps + 1):  # the last time only to look: the step itself is one too many
        point = evaluate(log_joint, z)
        direction = _uphill(hessian(log_joint, z), point.gradient)
        slope = (direction * point.gradient).sum(-1)  # (...)
        climbing = moved & (0.5 * slope > tolerance)
        if not climbing.any():
            return z
        z, moved = _climb(log_joint, point, direction, slope)
    raise NumericalError(
        f"No maximum was reached in {steps} steps: {int(climbing.sum())} of {climbing.numel()} points still climb. "
        "Likely cause: `log_joint` has no maximum, as without a proper prior. Remedy: more `steps`, or another `start`."
    )


@torch.no_grad()
def laplace(log_joint: LogDensity, mode: Tensor) -> Laplace:
    r"""Fit a Gaussian to a posterior at its mode: the same place, the same curvature.

    .. math:: p(z \mid x) \approx \mathcal{N}\big(z; \hat z, (-H)^{-1}\big), \qquad
              \log p(x) \approx \log p(x, \hat z) + \tfrac{d}{2} \log 2\pi - \tfrac12 \log \det(-H)

    with H the Hessian of log p(x, z) at the mode; exact where the posterior is Gaussian.

    Shapes:     mode (..., d), as `maximum_a_posteriori` gives it; log_evidence (...).
    Raises:     ValueError if `log_joint` gives another shape; NumericalError where -H is not positive definite.
    Reference:  MacKay, Information Theory, Inference, and Learning Algorithms (2003), chapter 27.
    """
    values = log_joint(mode)
    require_values("log_joint", values, mode)
    require_finite("log_joint(mode)", values)
    factor, failed = torch.linalg.cholesky_ex(-hessian(log_joint, mode))  # (..., d, d), (...)
    if failed.any():
        raise NumericalError(
            f"The Hessian of `log_joint` is not negative definite at `mode`{failed.nonzero()[0].tolist()}: there is no "
            "peak to fit a Gaussian to. Likely causes: `mode` is no maximum, or the posterior is flat in a direction. "
            "Remedy: climb with `maximum_a_posteriori` first; give every direction a proper prior."
        )
    log_det = 2 * factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    log_evidence = values + 0.5 * mode.shape[-1] * math.log(2 * math.pi) - 0.5 * log_det
    scale_tril = torch.linalg.cholesky(torch.cholesky_inverse(factor))
    return Laplace(GaussianApproximation(mode, scale_tril), log_evidence)


def _uphill(curvature: Tensor, gradient: Tensor) -> Tensor:
    """Newton's direction with |H| for -H: gradient (..., d), curvature (..., d, d) -> (..., d)."""
    require_finite("the Hessian of log_joint", curvature)
    values, vectors = torch.linalg.eigh(curvature)
    flattest = 1e-6 * values.abs().amax(-1, keepdim=True).clamp_min(1)  # no endless step where there is no curvature
    along = (vectors.mT @ gradient[..., None])[..., 0] / values.abs().maximum(flattest)  # (..., d)
    return (vectors @ along[..., None])[..., 0]


@torch.no_grad()
def _climb(log_joint: LogDensity, point: Point, direction: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """The longest of the steps 1, 1/2, 1/4, ... along `direction` that climbs, and whether there is one (...)."""
    slack = 10 * torch.finfo(slope.dtype).eps * (1 + point.log_density.abs())  # rounding is no descent
    length = torch.ones_like(slope)
    for _ in range(HALVINGS):
        z = point.z + length[..., None] * direction
        good = log_joint(z) >= point.log_density + 1e-4 * length * slope - slack
        if good.all():
            break
        length = torch.where(good, length, 0.5 * length)
    return torch.where(good[..., None], z, point.z), good
