"""The parameters of a conditional model as what is not known: their posterior, given data."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from .. import rng
from ..errors import require_positive, require_vectors
from ..functional import bernoulli_log_prob, log_mean_exp, normal_log_prob
from .base import Card, Conditional
from .conditional import ConditionalBernoulli


class Bayesian:
    r"""A conditional model whose parameters w are drawn from a Gaussian before anything is seen.

    .. math:: p(w, y \mid x) = \prod_j \mathcal{N}(w_j; 0, s^2) \; \prod_i p(y_i \mid x_i, w), \qquad
              p(w \mid x, y) \propto p(w, y \mid x)

    w is one long vector: all parameters of the model, flat, in the order of `model.named_parameters()`. The
    methods take any number of them at once, whatever the shape of the leading axes: chains, draws, a grid.
    The model's own parameters are only where the names and shapes come from; they are never changed.

    Shapes:     w (..., P); x (n, *input_shape); y (n, *event_shape).
    Units:      `prior_scale`, s, in the units of w; log-densities in nats.
    Raises:     ValueError if the last axis of `w` is not P long, or x or y do not fit the model.
    Reference:  MacKay, A practical Bayesian framework for backpropagation networks, Neural Computation 4 (1992).
    """

    card = Card(
        "Bayesian conditional, with $P$ weights $w$ in the place of $z$",
        r"$p(w, y \mid x) = \prod_j \mathcal{N}(w_j; 0, s^2) \prod_i p(y_i \mid x_i, w)$",
        evidence=r"intractable; with $c$ cells a weight a sum of $O(c^P n)$",
        posterior="its numerator exact, $O(P n)$; itself as intractable as the evidence",
        gradient="no $\\theta$ is left to learn; $\\nabla_w \\log p(w, y \\mid x)$ exact, one pass",
        sampling="$w$ from the prior, then $y$ given $x$",
    )

    def __init__(self, model: Conditional, prior_scale: float = 1.0) -> None:
        require_positive("prior_scale", prior_scale)
        self.model = model
        self.prior_scale = prior_scale
        self._shapes = {name: parameter.shape for name, parameter in model.named_parameters()}

    @property
    def dimensions(self) -> int:
        """P, the number of parameters."""
        return sum(shape.numel() for shape in self._shapes.values())

    def flatten(self) -> Tensor:
        """The parameters that the model has now, as one vector (P,): a start, or a maximum-likelihood fit."""
        return torch.cat([parameter.detach().flatten() for parameter in self.model.parameters()])

    def unflatten(self, w: Tensor) -> dict[str, Tensor]:
        """The same numbers under their names, each (..., *shape); for one w, `load_state_dict` takes them."""
        require_vectors("w", w, self.dimensions)
        parts = w.split([shape.numel() for shape in self._shapes.values()], -1)
        return {name: part.unflatten(-1, shape) for part, (name, shape) in zip(parts, self._shapes.items())}

    def log_prior(self, w: Tensor) -> Tensor:
        """log p(w) in nats: (..., P) -> (...)."""
        return normal_log_prob(w, torch.zeros_like(w), torch.full_like(w, math.log(self.prior_scale))).sum(-1)

    def log_likelihood(self, w: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """log p(y | x, w) in nats, the sum over the rows: (..., P) -> (...)."""
        if isinstance(self.model, ConditionalBernoulli) and len(self.model.network) == 1:
            return self._log_likelihood_of_logistic_regression(w, x, y)
        return self.each(w, lambda model: model.log_prob(y, x)).sum(-1)

    def log_joint(self, w: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """log p(w, y | x) in nats, the posterior's logarithm up to a constant: (..., P) -> (...)."""
        return self.log_prior(w) + self.log_likelihood(w, x, y)

    def log_predictive(self, w: Tensor, x: Tensor, y: Tensor) -> Tensor:
        r"""log p(y | x, data) in nats for each row, by the mean over S draws w (..., P) from the posterior: (n,).

        .. math:: p(y \mid x, \mathrm{data}) \approx \tfrac{1}{S} \sum_s p(y \mid x, w_s)
        """
        draws = w.reshape(-1, w.shape[-1])  # (S, P): those of all chains together
        return log_mean_exp(self.each(draws, lambda model: model.log_prob(y, x)))  # over (S, n)

    def each(self, w: Tensor, answer: Callable[[Conditional], Tensor]) -> Tensor:
        """`answer(model)` with the parameters `w` in the model, for each w: (..., P) -> (..., *shape of an answer).

        `each(w, lambda model: model.probabilities(x)).mean(0)` is the classes' predictive distribution.
        """
        call = _Call(self.model)
        parts = self.unflatten(w).items()
        rows = {f"model.{name}": part.reshape(-1, *self._shapes[name]) for name, part in parts}  # (m, *shape)
        answers = torch.vmap(lambda row: torch.func.functional_call(call, row, (answer,)))(rows)  # (m, ...)
        return answers.reshape(*w.shape[:-1], *answers.shape[1:])

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws from the prior, (n, P): with `each`, functions as they look before any data."""
        return self.prior_scale * rng.randn((n, self.dimensions), generator, next(self.model.parameters()))

    def _log_likelihood_of_logistic_regression(self, w: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """The same as for every model, but all w in one matrix product: a gradient takes a third of the time."""
        self.model.require_shape(x, y)
        weight, bias = self.unflatten(w).values()  # (..., 1, features), (..., 1)
        return bernoulli_log_prob(y, (weight @ x.mT)[..., 0, :] + bias).sum(-1)


class _Call(nn.Module):
    """Makes a function of a model out of a model, for `functional_call`."""

    def __init__(self, model: Conditional) -> None:
        super().__init__()
        self.model = model

    def forward(self, answer: Callable[[Conditional], Tensor]) -> Tensor:
        return answer(self.model)
