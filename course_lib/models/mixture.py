"""Mixtures: the hidden cause is a choice among K; a generative classifier is a mixture whose choice has been seen."""

from abc import abstractmethod
from typing import Self

import torch
from torch import Generator, Tensor, nn

from ..errors import NumericalError, require_labels, require_partial_labels, require_rows, require_seen
from ..rng import categorical, rows
from .base import Density


class Mixture(Density):
    r"""A choice z among K components, then x given z.

    .. math:: p(x, z) = \pi_z \; p(x \mid z), \qquad p(x) = \sum_{k=1}^{K} \pi_k \; p(x \mid z = k)

    Hide z, and this is a mixture: expectation-maximisation fits it. Show z as a label y, and the same model is a
    generative classifier: `maximise_labelled` fits it by counting, and `posterior` is Bayes' rule. Label some of the
    rows, and `expectation` makes learning semi-supervised. What has not been seen of a row is summed out exactly.

    Shapes:     logits (K,): pi = softmax(logits); x (n, D); z, y (n,), whole numbers from 0 to K - 1;
                seen (n, D) or (D,), boolean: True where a value has been seen (None: everywhere). What stands in
                the other places is not looked at, and may be NaN.
    Units:      log-probabilities in nats.
    Raises:     ValueError if an argument does not have the shape, kind or range above.
    Reference:  Murphy, Probabilistic Machine Learning: An Introduction (2022), chapter 9 and section 3.5.
    """

    logits: nn.Parameter

    @abstractmethod
    def log_likelihood(self, x: Tensor, *, seen: Tensor | None = None) -> Tensor:
        """log p(x | z), of the seen values of x, for every z: shape (n, K)."""

    @abstractmethod
    def sample_given(self, z: Tensor, generator: Generator) -> Tensor:
        """One draw of x for each of the choices `z` (n,), shape (n, D)."""

    @abstractmethod
    def maximise(self, x: Tensor, r: Tensor) -> None:
        r"""The M-step: the parameters that maximise :math:`\sum_{ik} r_{ik} \log p(x_i, z_i = k)`, r (n, K)."""

    @abstractmethod
    def expected(self, x: Tensor, seen: Tensor) -> Tensor:
        """The mean of x given its seen values, exact; the seen values stay."""

    @property
    def weights(self) -> Tensor:
        """The mixing weights pi, shape (K,)."""
        return self.logits.softmax(-1)

    def log_prior(self) -> Tensor:
        """log p(z) for every z, shape (K,)."""
        return self.logits.log_softmax(-1)

    def log_joint(self, x: Tensor, z: Tensor | None = None, *, seen: Tensor | None = None) -> Tensor:
        """log p(x, z): for one z a row, shape (n,); without `z` for every z, shape (n, K).

        Raises:     ValueError unless `z` holds n whole numbers from 0 to K - 1.
        """
        table = self.log_prior() + self.log_likelihood(x, seen=seen)  # (n, K)
        if z is None:
            return table
        require_labels("z", z, len(x), len(self.logits))
        return table.gather(-1, z[:, None])[:, 0]

    def log_prob(self, x: Tensor, *, seen: Tensor | None = None) -> Tensor:
        """log p(x) in nats, the sum over the choices, shape (n,)."""
        return self.log_joint(x, seen=seen).logsumexp(-1)

    def posterior(self, x: Tensor, *, seen: Tensor | None = None) -> Tensor:
        """p(z | x), the responsibilities: shape (n, K), every row adds up to 1. With nothing seen: the prior."""
        return self.log_joint(x, seen=seen).softmax(-1)

    def expectation(
        self, x: Tensor, y: Tensor | None = None, *, unlabelled_weight: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """The E-step: (log evidence (n,), responsibilities (n, K)) of what is known of each row.

        `y` (n,) holds the choice, or -1 where it is hidden. A label forbids the other choices: its row's
        responsibilities are one-hot, its evidence is log p(x, y). Both are multiplied by `unlabelled_weight` in
        rows without label.

        Raises:     ValueError unless `y` holds n whole numbers from -1 to K - 1, and 0 < unlabelled_weight <= 1.
        Reference:  Nigam, McCallum, Thrun and Mitchell, Text classification from labeled and unlabeled documents
                    using EM, Machine Learning 39 (2000).
        """
        if not 0 < unlabelled_weight <= 1:
            raise ValueError(f"`unlabelled_weight` must be above 0 and at most 1; got {unlabelled_weight!r}.")
        table = self.log_joint(x)  # (n, K)
        hidden = torch.ones_like(table[:, :1], dtype=torch.bool)  # (n, 1)
        if y is not None:
            require_partial_labels("y", y, len(x), len(self.logits))
            hidden = y[:, None] < 0
            other = y[:, None] != torch.arange(len(self.logits), device=y.device)  # (n, K)
            table = table.masked_fill(other & ~hidden, -torch.inf)
        log_evidence = table.logsumexp(-1, keepdim=True)  # (n, 1)
        weight = torch.ones_like(log_evidence).masked_fill(hidden, unlabelled_weight)
        return (weight * log_evidence)[:, 0], weight * (table - log_evidence).exp()

    @torch.no_grad()
    def maximise_labelled(self, x: Tensor, y: Tensor, **options: float) -> None:
        """The maximum-likelihood parameters when every choice has been seen: `maximise` with one-hot rows.

        Raises:     ValueError unless `y` holds n whole numbers from 0 to K - 1, each of them at least once.
        """
        self.require_data(x)
        require_labels("y", y, len(x), len(self.logits))
        r = torch.nn.functional.one_hot(y, len(self.logits)).to(self.logits.dtype)  # (n, K)
        if not r.any(0).all():
            raise ValueError(f"`y` must hold every class; got no row of class {int(r.any(0).int().argmin())}.")
        self.maximise(x, r, **options)

    @torch.no_grad()
    def start_at(self, x: Tensor, generator: Generator) -> Self:
        """A start for expectation-maximisation: components at K random rows of `x`, equal weights.

        Raises:     ValueError if `x` has fewer rows than there are components.
        """
        self.require_data(x)
        if len(x) < len(self.logits):
            raise ValueError(f"`x` must have at least K = {len(self.logits)} rows; got {len(x)}.")
        self._start(x, x[rows(len(x), len(self.logits), generator).to(x.device)])
        self.logits.zero_()
        return self

    @abstractmethod
    def _start(self, x: Tensor, picks: Tensor) -> None:
        """Put the components at `picks`, K rows of `x`."""

    @torch.no_grad()
    def sample_joint(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """`n` draws of (x, z): first the choice, then x given the choice; shapes (n, D) and (n,)."""
        z = categorical(self.logits, n, generator)  # (n,)
        return self.sample_given(z, generator), z

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws: first the choice z, then x given z, shape (n, D)."""
        return self.sample_joint(n, generator)[0]

    @torch.no_grad()
    def complete(self, x: Tensor, seen: Tensor, generator: Generator) -> Tensor:
        """`x` with what is unseen drawn from p(x_unseen | x_seen), exactly: first z given the seen, then x.

        Raises:     ValueError if a seen value is one that the model cannot draw.
        """
        self.require_shape(x)
        self.require_data(torch.where(visible(x, seen), x, 0))
        z = categorical(self.log_joint(x, seen=seen), 1, generator)[:, 0]  # (n,)
        return torch.where(seen, x, self._sample_unseen(x, seen, z, generator))

    def _counts(self, x: Tensor, r: Tensor) -> Tensor:
        """How many rows each component is responsible for, r (n, K) -> (K,).

        Raises:     ValueError unless `r` has K columns, and a row for each of `x`; NumericalError if a component is
                    left empty.
        """
        self.require_shape(x)
        require_rows("r", r, tuple(self.logits.shape), like=self.logits)
        if len(r) != len(x):
            raise ValueError(f"`r` must have as many rows as `x`, {len(x)}; got {len(r)}.")
        counts = r.sum(0)
        if not (counts > torch.finfo(r.dtype).tiny).all():
            raise NumericalError(
                f"Component {int(counts.argmin())} is left without data: it takes responsibility for no row. "
                "Remedy: use fewer components or start elsewhere. The model keeps its last good parameters."
            )
        return counts

    def _sample_unseen(self, x: Tensor, seen: Tensor, z: Tensor, generator: Generator) -> Tensor:
        """Given z, values that are independent do not care what was seen; others need their own way."""
        return self.sample_given(z, generator)


def visible(x: Tensor, seen: Tensor | None) -> Tensor:
    """The mask `seen` in the shape of `x`, all True for None."""
    if seen is None:
        return torch.ones_like(x, dtype=torch.bool)
    require_seen("seen", seen, x)
    return seen.expand_as(x)
