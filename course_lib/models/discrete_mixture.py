"""Mixtures of independent binary or categorical features; with labels: naive Bayes."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import one_hot, softplus

from ..errors import (
    require_binary,
    require_labels,
    require_not_negative,
    require_positive,
    require_rows,
)
from ..functional import log_odds
from ..rng import bernoulli, categorical
from .base import Card
from .mixture import Mixture, visible


class BernoulliMixture(Mixture):
    r"""A mixture of K products of D Bernoullis, for binary images; with labels, naive Bayes for binary features.

    .. math:: p(x, z) = \pi_z \prod_{d=1}^{D} p_{zd}^{x_d} (1 - p_{zd})^{1 - x_d}

    Shapes:     logits (K,): pi = softmax(logits); feature_logits (K, D): the log-odds of p;
                x (n, D), floating 0 and 1.
    Units:      log-probabilities in nats.
    Raises:     ValueError if `x` does not have shape (n, D).
    Reference:  Bishop, Pattern Recognition and Machine Learning (2006), section 9.3.3.
    """

    card = Card(
        "Bernoulli mixture",
        r"$p(x, z) = \pi_z \prod_d p_{zd}^{x_d} (1 - p_{zd})^{1 - x_d}$, with $z \in \{1, \dots, K\}$",
        evidence="exact, $O(K D)$",
        posterior="exact, $O(K D)$",
        gradient="exact, $O(K D)$",
        sampling="$O(K + D)$",
    )

    def __init__(self, components: int, features: int) -> None:
        require_positive("components", components, whole=True)
        require_positive("features", features, whole=True)
        super().__init__()
        self.event_shape = (features,)
        self.logits = nn.Parameter(torch.zeros(components))
        self.feature_logits = nn.Parameter(torch.zeros(components, features))

    @property
    def probabilities(self) -> Tensor:
        """p, the probability of a 1 in each component, shape (K, D)."""
        return self.feature_logits.sigmoid()

    def require_data(self, x: Tensor) -> None:
        """Raise ValueError unless `x` (n, D) holds only 0 and 1."""
        self.require_shape(x)
        require_binary("x", x)

    def log_likelihood(self, x: Tensor, *, seen: Tensor | None = None) -> Tensor:
        """log p(x | z), of the seen values of x, for every z: shape (n, K)."""
        self.require_shape(x)
        mask = visible(x, seen)
        ones = torch.where(mask, x, 0.0) @ self.feature_logits.mT  # (n, K)
        return ones - mask.to(x.dtype) @ softplus(self.feature_logits).mT

    @torch.no_grad()
    def sample_given(self, z: Tensor, generator: Generator) -> Tensor:
        """One draw of x for each of the choices `z` (n,), shape (n, D)."""
        require_labels("z", z, len(z), len(self.logits))
        return bernoulli(self.probabilities[z], generator)

    def expected(self, x: Tensor, seen: Tensor) -> Tensor:
        """The probability of a 1 given the seen values of x, shape (n, D); the seen values stay."""
        return torch.where(seen, x, self.posterior(x, seen=seen) @ self.probabilities)

    def _start(self, x: Tensor, picks: Tensor) -> None:
        self.feature_logits.copy_(log_odds((picks + x.mean(0)) / 2, 1.0))

    @torch.no_grad()
    def maximise(self, x: Tensor, r: Tensor, *, smoothing: float = 0.0) -> None:
        r"""The M-step: :math:`p_{kd} = (\sum_i r_{ik} x_{id} + s) / (n_k + 2 s)`, with s the `smoothing`.

        Shapes:     x (n, D); r (n, K), rows add up to 1.
        Raises:     ValueError for another shape, or a smoothing below 0; NumericalError if a component is left empty.
        """
        require_not_negative("smoothing", smoothing)
        counts = self._counts(x, r)  # (K,)
        self.feature_logits.copy_(log_odds(r.mT @ x + smoothing, counts[:, None] + 2 * smoothing))
        self.logits.copy_(counts.log())


class CategoricalMixture(Mixture):
    r"""A mixture of K products of D categorical features; with labels, categorical naive Bayes.

    .. math:: p(x, z) = \pi_z \prod_{d=1}^{D} p_{z d x_d}, \qquad x_d \in \{0, \dots, L_d - 1\}

    Shapes:     logits (K,): pi = softmax(logits); feature_logits (K, D, L): log p up to a constant, with L the
                largest of the `levels` (a feature's further places are not used); x (n, D), torch.long.
    Units:      log-probabilities in nats.
    Raises:     ValueError if `x` does not have shape (n, D) or does not hold integers.
    Reference:  Murphy, Probabilistic Machine Learning: An Introduction (2022), section 9.3.
    """

    card = Card(
        "Categorical mixture",
        r"$p(x, z) = \pi_z \prod_d p_{z d x_d}$, with $z \in \{1, \dots, K\}$",
        evidence="exact, $O(K D)$",
        posterior="exact, $O(K D)$",
        gradient="exact, $O(K D)$",
        sampling="$O(K + D L)$",
    )

    def __init__(self, components: int, levels: Sequence[int]) -> None:
        require_positive("components", components, whole=True)
        require_positive("len(levels)", len(levels), whole=True)
        for level in levels:
            require_positive("levels", level, whole=True)
        super().__init__()
        self.levels = tuple(levels)
        self.event_shape = (len(levels),)
        self.logits = nn.Parameter(torch.zeros(components))
        self.feature_logits = nn.Parameter(torch.zeros(components, len(levels), max(levels)))
        places = torch.arange(max(levels)).expand(len(levels), -1)  # (D, L)
        self.register_buffer("unused", places >= torch.tensor(self.levels)[:, None], persistent=False)

    @property
    def log_probabilities(self) -> Tensor:
        """log p, shape (K, D, L): minus infinity in the places that a feature does not use."""
        return self.feature_logits.masked_fill(self.unused, -torch.inf).log_softmax(-1)

    def require_shape(self, x: Tensor) -> None:
        """Raise ValueError unless `x` has shape (n, D) and holds integers."""
        require_rows("x", x, self.event_shape, whole=True, like=self.logits)

    def require_data(self, x: Tensor) -> None:
        """Raise ValueError unless every column of `x` (n, D) holds only the levels of its feature."""
        self.require_shape(x)
        for feature, (column, level) in enumerate(zip(x.mT, self.levels)):
            require_labels(f"x[:, {feature}]", column, len(x), level)

    def log_likelihood(self, x: Tensor, *, seen: Tensor | None = None) -> Tensor:
        """log p(x | z), of the seen values of x, for every z: shape (n, K)."""
        self.require_shape(x)
        mask = visible(x, seen)
        codes = torch.where(mask, x, 0).mT.expand(len(self.logits), -1, -1)  # (K, D, n)
        terms = self.log_probabilities.gather(-1, codes)  # (K, D, n)
        return torch.where(mask.mT, terms, 0.0).sum(-2).mT  # (n, K)

    @torch.no_grad()
    def sample_given(self, z: Tensor, generator: Generator) -> Tensor:
        """One draw of x for each of the choices `z` (n,), shape (n, D)."""
        require_labels("z", z, len(z), len(self.logits))
        return categorical(self.log_probabilities[z], 1, generator)[..., 0]  # (n, D)

    def expected(self, x: Tensor, seen: Tensor) -> Tensor:
        """The probability of each level given the seen values of x, shape (n, D, L): one-hot where x was seen."""
        p = torch.einsum("nk,kdl->ndl", self.posterior(x, seen=seen), self.log_probabilities.exp())
        mask = visible(x, seen)
        return torch.where(mask[..., None], self._one_hot(torch.where(mask, x, 0)), p)

    def _one_hot(self, x: Tensor) -> Tensor:
        return one_hot(x, max(self.levels)).to(self.logits.dtype)  # (n, D, L)

    def _start(self, x: Tensor, picks: Tensor) -> None:
        self._assign((self._one_hot(picks) + self._one_hot(x).mean(0)) / 2)

    @torch.no_grad()
    def maximise(self, x: Tensor, r: Tensor, *, smoothing: float = 0.0) -> None:
        r"""The M-step: :math:`p_{kdl} = (\sum_i r_{ik} [x_{id} = l] + s) / (n_k + L_d s)`, with s the `smoothing`.

        Shapes:     x (n, D); r (n, K), rows add up to 1.
        Raises:     ValueError for another shape, or a smoothing below 0; NumericalError if a component is left empty.
        """
        require_not_negative("smoothing", smoothing)
        counts = self._counts(x, r)  # (K,)
        self._assign((r.mT @ self._one_hot(x).flatten(1)).view_as(self.feature_logits) + smoothing)
        self.logits.copy_(counts.log())

    def _assign(self, weights: Tensor) -> None:
        """Set p proportional to `weights` (K, D, L), no smaller than rounding."""
        p = weights.masked_fill(self.unused, 0.0)
        p = p / p.sum(-1, keepdim=True)
        self.feature_logits.copy_(p.clamp_min(torch.finfo(p.dtype).eps).log())
