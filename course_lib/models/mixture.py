"""Mixtures of Gaussians: the hidden cause is a choice among K components."""

import torch
from torch import Generator, Tensor, nn

from ..errors import NumericalError, require_choice, require_finite, require_positive
from ..functional import multivariate_normal_log_prob
from ..rng import categorical, randn, rows
from .base import Card, Density
from .gaussian import COVARIANCES, factor, scale_tril

CHUNK = 1024  # rows at a time: (K, D, CHUNK) numbers stay in the processor's cache


class GaussianMixture(Density):
    r"""A mixture of K Gaussians in D dimensions.

    .. math:: p(x) = \sum_{k=1}^{K} \pi_k \, \mathcal{N}(x; \mu_k, \Sigma_k), \qquad \Sigma_k = L_k L_k^\top

    Shapes:     logits (K,): pi = softmax(logits); loc (K, D); log_scale (K, D): logs of the diagonals of L;
                lower (K, D, D): L below its diagonal, only for covariance="full". With tied=True the
                components share one covariance, and the leading K of the scales is 1.
    Units:      `loc` and the scales in the units of the data; log-probabilities in nats.
    Raises:     ValueError if `x` does not have shape (n, D).
    Reference:  Bishop, Pattern Recognition and Machine Learning (2006), section 9.2.
    """

    card = Card(
        "Gaussian mixture",
        r"$p(x, z) = \pi_z \; \mathcal{N}(x; \mu_z, \Sigma_z)$, with $z \in \{1, \dots, K\}$",
        evidence="exact, $O(K D^2)$",
        posterior="exact, $O(K D^2)$",
        gradient="exact, $O(K D^2)$",
        sampling="$O(K + D^2)$",
    )

    def __init__(self, components: int, features: int, *, covariance: str = "diagonal", tied: bool = False) -> None:
        require_positive("components", components, whole=True)
        require_positive("features", features, whole=True)
        require_choice("covariance", covariance, COVARIANCES)
        super().__init__()
        self.event_shape = (features,)
        scales = 1 if tied else components
        self.logits = nn.Parameter(torch.zeros(components))
        self.loc = nn.Parameter(torch.zeros(components, features))
        self.log_scale = nn.Parameter(torch.zeros(scales, features))
        self.lower = nn.Parameter(torch.zeros(scales, features, features)) if covariance == "full" else None

    @property
    def weights(self) -> Tensor:
        """The mixing weights pi, shape (K,)."""
        return self.logits.softmax(-1)

    @property
    def scale_tril(self) -> Tensor:
        """The Cholesky factors L of the covariances, shape (K, D, D)."""
        return scale_tril(self.log_scale, self.lower).expand(len(self.logits), -1, -1)

    def log_prior(self) -> Tensor:
        """log p(z) for every z, shape (K,)."""
        return self.logits.log_softmax(-1)

    def log_likelihood(self, x: Tensor) -> Tensor:
        """log p(x | z) for every z, shape (n, K)."""
        self.require_shape(x)
        factors = self.scale_tril
        parts = [multivariate_normal_log_prob(part, self.loc, factors).mT for part in x.split(CHUNK)]
        return torch.cat(parts)  # (n, K)

    def log_joint(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        """log p(x, z): for one z a row, shape (n,); without `z` for every z, shape (n, K).

        Raises:     ValueError unless `z` holds n whole numbers from 0 to K - 1.
        """
        table = self.log_prior() + self.log_likelihood(x)  # (n, K)
        if z is None:
            return table
        if z.shape != x.shape[:1] or z.is_floating_point() or not 0 <= z.min() <= z.max() < len(self.logits):
            raise ValueError(
                f"`z` must hold {len(x)} whole numbers from 0 to {len(self.logits) - 1}; "
                f"got shape {tuple(z.shape)}, {z.dtype}, values {z.min().item()} to {z.max().item()}."
            )
        return table.gather(-1, z[:, None])[:, 0]

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, the sum over the choices, shape (n,)."""
        return self.log_joint(x).logsumexp(-1)

    def posterior(self, x: Tensor) -> Tensor:
        """p(z | x), the responsibilities: shape (n, K), every row adds up to 1."""
        return self.log_joint(x).softmax(-1)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws: first the choice z, then x given z, shape (n, D)."""
        z = categorical(self.logits, n, generator)  # (n,)
        noise = randn((n, *self.event_shape), generator, self.loc)  # (n, D)
        return self.loc[z] + (self.scale_tril[z] @ noise[..., None])[..., 0]

    @torch.no_grad()
    def start_at(self, x: Tensor, generator: Generator) -> "GaussianMixture":
        """A start for fitting: means at K random rows of `x`, the data's variances, equal weights.

        Raises:     ValueError if `x` has fewer rows than there are components; SingularCovariance if a
                    column is constant.
        """
        self.require_shape(x)
        require_finite("x", x)
        if len(x) < len(self.logits):
            raise ValueError(f"`x` must have at least K = {len(self.logits)} rows; got {len(x)}.")
        picks = x[rows(len(x), len(self.logits), generator).to(x.device)]  # (K, D)
        spread = x.var(0, correction=0).expand(len(self.log_scale), -1)
        scales = factor(torch.diag_embed(spread), self.lower is not None)
        self._assign(torch.zeros_like(self.logits), picks, *scales)
        return self

    @torch.no_grad()
    def maximise(self, x: Tensor, r: Tensor, *, variance_floor: float = 0.0) -> None:
        r"""The M-step: the parameters that maximise :math:`\sum_{ik} r_{ik} \log p(x_i, z_i = k)`.

        .. math:: n_k = \sum_i r_{ik}, \quad \pi_k = n_k / n, \quad \mu_k = \tfrac{1}{n_k} \sum_i r_{ik} x_i, \quad
                  \Sigma_k = \tfrac{1}{n_k} \sum_i r_{ik} (x_i - \mu_k)(x_i - \mu_k)^\top

        With tied covariances the common one is :math:`\sum_k \pi_k \Sigma_k`.

        Shapes:     x (n, D); r (n, K), rows add up to 1; variance_floor in squared units of the data.
        Raises:     NumericalError if a component is left empty; SingularCovariance if it collapses.
        """
        counts = r.sum(0)  # (K,)
        if not (counts > torch.finfo(r.dtype).tiny).all():
            raise NumericalError(
                f"Component {int(counts.argmin())} is left without data: it takes responsibility for no row. "
                "Remedy: use fewer components or start elsewhere. The model keeps its last good parameters."
            )
        loc = r.mT @ x / counts[:, None]  # (K, D)
        parts = zip(x.split(CHUNK), r.split(CHUNK))
        scatter = sum(_scatter(part, weight, loc) for part, weight in parts)  # (K, D, D)
        if len(self.log_scale) < len(counts):  # tied
            covariance = scatter.sum(0, keepdim=True) / counts.sum()
        else:
            covariance = scatter / counts[:, None, None]
        self._assign(counts.log(), loc, *factor(covariance, self.lower is not None, variance_floor))

    def _assign(self, logits: Tensor, loc: Tensor, log_scale: Tensor, lower: Tensor | None) -> None:
        self.logits.copy_(logits)
        self.loc.copy_(loc)
        self.log_scale.copy_(log_scale)
        if self.lower is not None:
            self.lower.copy_(lower)


def _scatter(x: Tensor, r: Tensor, loc: Tensor) -> Tensor:
    """sum_i r_ik (x_i - mu_k)(x_i - mu_k)^T: x (n, D), r (n, K), loc (K, D) -> (K, D, D)."""
    centred = x.mT - loc[..., None]  # (K, D, n)
    return (r.mT[:, None] * centred) @ centred.mT
