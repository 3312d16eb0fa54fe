"""One Gaussian, and the scales that Gaussians and mixtures of them share."""

import torch
from torch import Generator, Tensor, nn

from ..errors import SingularCovariance, require_choice, require_finite, require_positive
from ..functional import multivariate_normal_log_prob
from ..rng import randn
from .base import Card, Density

COVARIANCES = ("diagonal", "full")


class Gaussian(Density):
    r"""A Gaussian in D dimensions with a diagonal or a full covariance.

    .. math:: p(x) = \mathcal{N}(x; \mu, \Sigma), \qquad \Sigma = L L^\top

    Shapes:     loc (D,), log_scale (D,): the log of L's diagonal; lower (D, D): L below its diagonal,
                only for covariance="full".
    Units:      `loc` and exp(`log_scale`) in the units of the data; log_prob in nats.
    Raises:     ValueError if `x` does not have shape (n, D).
    Reference:  Bishop, Pattern Recognition and Machine Learning (2006), section 2.3.
    """

    card = Card(
        "Gaussian",
        r"$p(x) = \mathcal{N}(x; \mu, \Sigma)$",
        evidence="exact, $O(D^2)$",
        posterior="no latent variable",
        gradient="exact, $O(D^2)$",
        sampling="$O(D^2)$",
    )

    def __init__(self, features: int, *, covariance: str = "diagonal") -> None:
        require_positive("features", features, whole=True)
        require_choice("covariance", covariance, COVARIANCES)
        super().__init__()
        self.event_shape = (features,)
        self.loc = nn.Parameter(torch.zeros(features))
        self.log_scale = nn.Parameter(torch.zeros(features))
        self.lower = nn.Parameter(torch.zeros(features, features)) if covariance == "full" else None

    @property
    def scale_tril(self) -> Tensor:
        """L, shape (D, D), lower triangular with a positive diagonal."""
        return scale_tril(self.log_scale, self.lower)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, shape (n,)."""
        self.require_shape(x)
        return multivariate_normal_log_prob(x, self.loc, self.scale_tril)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws: x = mu + L e with e ~ N(0, 1), shape (n, D)."""
        return self.loc + randn((n, *self.event_shape), generator, self.loc) @ self.scale_tril.mT

    @torch.no_grad()
    def maximise(self, x: Tensor) -> None:
        """Set the parameters to their maximum-likelihood values: the mean and covariance of `x`."""
        self.require_shape(x)
        require_finite("x", x)
        loc = x.mean(0)
        log_scale, lower = factor((x - loc).mT @ (x - loc) / len(x), self.lower is not None, loc=loc)
        self.loc.copy_(loc)
        self.log_scale.copy_(log_scale)
        if self.lower is not None:
            self.lower.copy_(lower)


def scale_tril(log_scale: Tensor, lower: Tensor | None) -> Tensor:
    """The Cholesky factor L from the log of its diagonal (..., D) and its lower part (..., D, D)."""
    diagonal = torch.diag_embed(log_scale.exp())
    return diagonal if lower is None else diagonal + lower.tril(-1)


def factor(
    covariance: Tensor, full: bool, floor: float = 0.0, *, loc: Tensor | float = 0.0
) -> tuple[Tensor, Tensor | None]:
    """The inverse of `scale_tril`: (log_scale, lower) of covariances (..., D, D) about the means `loc` (..., D).

    No variance, in any direction, is left below `floor`, up to rounding: clipping the eigenvalues is what
    maximises a Gaussian's likelihood under that constraint.

    Raises:     SingularCovariance if a covariance is not positive definite. Without `floor` what may be rounding alone
                counts as zero: of a variance, or of an eigenvalue of the correlations.
    """
    eps, variance = torch.finfo(covariance.dtype).eps, covariance.diagonal(dim1=-2, dim2=-1)  # (..., D)
    _require_variance(variance.clamp_min(floor), 0.0 if floor else (16 * eps * loc) ** 2)
    if not full:
        return 0.5 * variance.clamp_min(floor).log(), None
    unit = (torch.ones_like(variance) if floor else variance.sqrt())[..., None]  # (..., D, 1); then: correlations
    values, vectors = torch.linalg.eigh(covariance / (unit * unit.mT))  # V diag(values) V^T
    values = values.clamp_min(floor)
    _require_variance(values, 0.0 if floor else 4 * variance.shape[-1] * eps)
    root = unit * triangular(vectors * values.sqrt()[..., None, :])
    return root.diagonal(dim1=-2, dim2=-1).log(), root.tril(-1)


def triangular(root: Tensor) -> Tensor:
    """The Cholesky factor L of the covariance A A^T, for any `root` A (..., d, D) with d <= D -> (..., d, d).

    A^T = Q R gives A A^T = R^T R. Unlike a Cholesky decomposition of the product this cannot fail by rounding.
    """
    factor = torch.linalg.qr(root.mT).R.mT
    return factor * factor.diagonal(dim1=-2, dim2=-1).sign()[..., None, :]


def _require_variance(variance: Tensor, rounding: Tensor | float = 0.0) -> None:
    bad = ~(variance > rounding + torch.finfo(variance.dtype).tiny)
    if bad.any():
        where = bad.nonzero()[0].tolist()
        name = f"component {where[0]}" if bad.ndim > 1 else "the Gaussian"
        raise SingularCovariance(
            f"The variance of {name} is no longer positive: its data are a single value (or lie on a line), where "
            "the likelihood has no upper limit. Remedy: leave out columns that depend on others; for a mixture, pass a "
            "`variance_floor`, use fewer components, or start elsewhere. The model keeps its last good parameters."
        )
