"""Mixtures of Gaussians; with labels: linear and quadratic discriminant analysis, Gaussian naive Bayes."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from ..errors import require_choice, require_labels, require_positive
from ..functional import multivariate_normal_log_prob, normal_log_prob
from ..rng import randn
from .base import Card
from .gaussian import COVARIANCES, factor, scale_tril, triangular
from .mixture import Mixture, visible

CHUNK = 1024  # rows at a time: (K, D, CHUNK) numbers stay in the processor's cache


class GaussianMixture(Mixture):
    r"""A mixture of K Gaussians in D dimensions.

    .. math:: p(x) = \sum_{k=1}^{K} \pi_k \, \mathcal{N}(x; \mu_k, \Sigma_k), \qquad \Sigma_k = L_k L_k^\top

    As a classifier, covariance="full" is quadratic discriminant analysis (linear with tied=True: the boundaries are
    planes), and "diagonal" is Gaussian naive Bayes.

    Shapes:     logits (K,): pi = softmax(logits); loc (K, D); log_scale (K, D): logs of the diagonals of L;
                lower (K, D, D): L below its diagonal, only for covariance="full". With tied=True the
                components share one covariance, and the leading K of the scales is 1.
    Units:      `loc` and the scales in the units of the data; log-probabilities in nats.
    Raises:     ValueError if `x` does not have shape (n, D).
    Reference:  Bishop, Pattern Recognition and Machine Learning (2006), sections 4.2 and 9.2.
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
    def scale_tril(self) -> Tensor:
        """The Cholesky factors L of the covariances, shape (K, D, D)."""
        return scale_tril(self.log_scale, self.lower).expand(len(self.logits), -1, -1)

    def log_likelihood(self, x: Tensor, *, seen: Tensor | None = None) -> Tensor:
        """log p(x | z), of the seen values of x, for every z: shape (n, K)."""
        self.require_shape(x)
        if self.lower is None:
            pieces = zip(x.split(CHUNK), visible(x, seen).split(CHUNK))
            return torch.cat([self._independent(*piece) for piece in pieces])  # (n, K)
        factors = self.scale_tril
        if seen is None:
            return torch.cat([multivariate_normal_log_prob(part, self.loc, factors).mT for part in x.split(CHUNK)])

        def marginal(rows: Tensor, known: Tensor, hidden: Tensor) -> Tensor:
            root = triangular(factors[:, known])  # (K, s, s)
            return multivariate_normal_log_prob(x[rows][:, known], self.loc[:, known], root).mT

        return _by_pattern(visible(x, seen), marginal)

    def _independent(self, x: Tensor, seen: Tensor) -> Tensor:
        x = torch.where(seen, x, 0.0)  # the gradient of a NaN would be NaN, even where the term is left out
        terms = normal_log_prob(x.mT, self.loc[..., None], self.log_scale[..., None])  # (K, D, n)
        return torch.where(seen.mT, terms, 0.0).sum(-2).mT  # (n, K)

    @torch.no_grad()
    def sample_given(self, z: Tensor, generator: Generator) -> Tensor:
        """One draw of x for each of the choices `z` (n,): x = mu_z + L_z e with e ~ N(0, 1), shape (n, D)."""
        require_labels("z", z, len(z), len(self.logits))
        noise = randn((len(z), *self.event_shape), generator, self.loc)  # (n, D)
        return self.loc[z] + (self.scale_tril[z] @ noise[..., None])[..., 0]

    def _sample_unseen(self, x: Tensor, seen: Tensor, z: Tensor, generator: Generator) -> Tensor:
        filled = self._fill(x, seen, randn(tuple(x.shape), generator, x))  # (n, K, D)
        return filled[torch.arange(len(x), device=x.device), z]

    def expected(self, x: Tensor, seen: Tensor) -> Tensor:
        """The mean of x given its seen values, shape (n, D); the seen values stay."""
        means = self._fill(x, seen, torch.zeros_like(x))  # (n, K, D)
        return torch.where(seen, x, (self.posterior(x, seen=seen)[..., None] * means).sum(1))

    def _fill(self, x: Tensor, seen: Tensor, noise: Tensor) -> Tensor:
        r"""What is unseen, given the seen and each choice: its mean, plus `noise` turned into its covariance.

        .. math:: x_s = \mu_s + A e_s, \quad x_u = \mu_u + B e_s + C e_u, \qquad
                  \begin{pmatrix} A & 0 \\ B & C \end{pmatrix} \text{ the factor with the seen values first}

        Shapes:     x, seen, noise e (n, D) -> (n, K, D); the seen places hold the noise, not x.
        """
        if self.lower is None:
            return self.loc + self.log_scale.exp() * noise[:, None]
        factors = self.scale_tril

        def conditional(rows: Tensor, known: Tensor, hidden: Tensor) -> Tensor:
            root, s = triangular(factors[:, torch.cat([known, hidden])]), len(known)  # (K, D, D)
            centred = x[rows][:, known].mT - self.loc[:, known, None]  # (K, s, m)
            white = torch.linalg.solve_triangular(root[:, :s, :s], centred, upper=False)
            e = noise[rows].expand(len(self.loc), -1, -1).mT.clone()  # (K, D, m)
            e[:, hidden] = self.loc[:, hidden, None] + root[:, s:, :s] @ white + root[:, s:, s:] @ e[:, hidden]
            return e.movedim(-1, 0)  # (m, K, D)

        return _by_pattern(visible(x, seen), conditional)

    def _start(self, x: Tensor, picks: Tensor) -> None:
        spread = x.var(0, correction=0).expand(len(self.log_scale), -1)
        self._assign(picks, *factor(torch.diag_embed(spread), self.lower is not None, loc=x.mean(0)))

    @torch.no_grad()
    def maximise(self, x: Tensor, r: Tensor, *, variance_floor: float = 0.0) -> None:
        r"""The M-step: the parameters that maximise :math:`\sum_{ik} r_{ik} \log p(x_i, z_i = k)`.

        .. math:: n_k = \sum_i r_{ik}, \quad \pi_k = n_k / n, \quad \mu_k = \tfrac{1}{n_k} \sum_i r_{ik} x_i, \quad
                  \Sigma_k = \tfrac{1}{n_k} \sum_i r_{ik} (x_i - \mu_k)(x_i - \mu_k)^\top

        With tied covariances the common one is :math:`\sum_k \pi_k \Sigma_k`.

        Shapes:     x (n, D); r (n, K), rows add up to 1; variance_floor in squared units of the data.
        Raises:     ValueError for another shape; NumericalError if a component is left empty; SingularCovariance if
                    it collapses.
        """
        counts = self._counts(x, r)  # (K,)
        loc = r.mT @ x / counts[:, None]  # (K, D)
        parts = zip(x.split(CHUNK), r.split(CHUNK))
        scatter = sum(_scatter(part, weight, loc) for part, weight in parts)  # (K, D, D)
        if len(self.log_scale) < len(counts):  # tied
            covariance = scatter.sum(0, keepdim=True) / counts.sum()
        else:
            covariance = scatter / counts[:, None, None]
        self._assign(loc, *factor(covariance, self.lower is not None, variance_floor, loc=loc))
        self.logits.copy_(counts.log())

    def _assign(self, loc: Tensor, log_scale: Tensor, lower: Tensor | None) -> None:
        self.loc.copy_(loc)
        self.log_scale.copy_(log_scale)
        if self.lower is not None:
            self.lower.copy_(lower)


def _scatter(x: Tensor, r: Tensor, loc: Tensor) -> Tensor:
    """sum_i r_ik (x_i - mu_k)(x_i - mu_k)^T: x (n, D), r (n, K), loc (K, D) -> (K, D, D)."""
    centred = x.mT - loc[..., None]  # (K, D, n)
    return (r.mT[:, None] * centred) @ centred.mT


def _by_pattern(seen: Tensor, answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
    """`answer(rows, known, hidden)` for each set of rows that share a pattern of seen values, in the rows' order."""
    patterns, which = seen.unique(dim=0, return_inverse=True)
    groups = [(which == number).nonzero()[:, 0] for number in range(len(patterns))]
    parts = [answer(rows, known.nonzero()[:, 0], (~known).nonzero()[:, 0]) for rows, known in zip(groups, patterns)]
    return torch.cat(parts)[torch.cat(groups).argsort()]
