"""Deep latent variable models of images: a Gaussian z, and a network that turns it into the pixels' odds."""

import torch
from torch import Generator, Tensor
from torch.nn.functional import one_hot, softplus

from .. import rng
from ..errors import require_fractions, require_labels, require_positive, require_rows
from ..functional import normal_log_prob
from ..inference.oracle import Exact, normal_grid
from .base import Card, Generative
from .mlp import mlp, require_hidden

MOST_POINTS = 100_000  # of a grid: beyond that a table for one batch no longer fits into memory


class BernoulliDecoder(Generative):
    r"""What all deep latent variable models of the course share: the joint of image and z, and its samples.

    .. math:: p(x, z) = \mathcal{N}(z; 0, I) \prod_d \mathrm{Bernoulli}(x_d; \sigma(\mathrm{NN}(z)_d))

    With `classes` all of it is given a label y, whose one-hot code is put beside z: p(x, z | y).

    Shapes:     x (n, features), binary; z (..., latents); y (n,), whole numbers from 0 to classes - 1.
    Units:      log-probabilities in nats.
    Raises:     ValueError for x, y or z of another shape, and for a `y` that is missing or not wanted.
    """

    def __init__(
        self, features: int, latents: int, hidden: tuple[int, ...], classes: int | None, generator: Generator
    ) -> None:
        require_positive("features", features, whole=True)
        require_positive("latents", latents, whole=True)
        if classes is not None:
            require_positive("classes", classes, whole=True)
        require_hidden(hidden)
        super().__init__()
        self.event_shape = (features,)
        self.latents, self.classes = latents, classes
        self.decoder = mlp((latents + (classes or 0), *hidden, features), generator)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The logits of the pixels given z: (..., d) -> (..., features); z and `y` broadcast."""
        return self.decoder(self._with_label(z, y))

    def log_prior(self, z: Tensor) -> Tensor:
        """log p(z) in nats: (..., d) -> (...)."""
        zero = torch.zeros_like(z)
        return normal_log_prob(z, zero, zero).sum(-1)

    def log_likelihood(self, x: Tensor, z: Tensor, y: Tensor | None = None) -> Tensor:
        """log p(x | z) in nats, z[..., i, :] with row i of `x`: (..., n, d) -> (..., n); one z (d,) is for all rows."""
        self.require_shape(x)
        if z.shape[-1:] != (self.latents,) or z.shape[-2:-1] not in ((), (1,), x.shape[:1]):
            raise ValueError(f"`z` must have shape (..., {len(x)}, {self.latents}); got {tuple(z.shape)}.")
        logits = self.decode(z, y)
        # Two sums in place of one over `bernoulli_log_prob`: fewer passes over all pixels, in the gradient too.
        return (x * logits).sum(-1) - softplus(logits).sum(-1)

    def log_joint(self, x: Tensor, z: Tensor, y: Tensor | None = None) -> Tensor:
        """log p(x, z) in nats, paired as in `log_likelihood`: (..., n, d) -> (..., n)."""
        return self.log_prior(z) + self.log_likelihood(x, z, y)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator, y: Tensor | None = None) -> Tensor:
        """`n` images: first z, then its pixels, shape (n, features); with `classes` one for each label `y` (n,)."""
        self._require_labels(y, n)
        z = rng.randn((n, self.latents), generator, next(self.parameters()))
        return rng.bernoulli(self.decode(z, y).sigmoid(), generator)

    def require_data(self, x: Tensor, y: Tensor | None = None) -> None:
        """Raise ValueError for pixels outside 0 to 1 or labels out of range.

        Grey pixels stand for probabilities of white: log p(x | z) is then its mean over such binary images.
        """
        self.require_shape(x, y)
        require_fractions("x", x)
        self._require_labels(y, len(x))

    def require_shape(self, x: Tensor, y: Tensor | None = None) -> None:
        """The quick part of `require_data`: shapes, dtypes and devices."""
        super().require_shape(x)
        if y is not None:
            require_rows("y", y, (), whole=True, like=x)
            if len(y) != len(x):
                raise ValueError(f"`y` must have as many rows as `x`, {len(x)}; got {len(y)}.")

    def _with_label(self, values: Tensor, y: Tensor | None) -> Tensor:
        """`values` (..., d) with the one-hot code of `y` at the end: (..., d + classes)."""
        self._require_label(y)
        if y is None:
            return values
        code = one_hot(y.long(), self.classes).to(values.dtype)  # (..., classes); a -1 is refused, not wrapped
        shape = torch.broadcast_shapes(values.shape[:-1], y.shape)
        return torch.cat([values.expand(*shape, -1), code.expand(*shape, -1)], -1)

    def _require_labels(self, y: Tensor | None, n: int) -> None:
        """The thorough look at labels, with a message that names them."""
        self._require_label(y)
        if y is not None:
            require_labels("y", y, n, self.classes)

    def _require_label(self, y: Tensor | None) -> None:
        if (y is None) != (self.classes is None):
            wanted = "must be left out, the model has no classes" if self.classes is None else "must be given"
            raise ValueError(f"`y` {wanted}; got {None if y is None else tuple(y.shape)}.")


class DeepLatentVariableModel(BernoulliDecoder):
    r"""A decoder over a z of one or two dimensions, trained by its marginal likelihood: the integral is a sum.

    .. math:: p(x) = \int \mathcal{N}(z; 0, I) \, p(x \mid z) \, dz \approx \sum_{j=1}^{m} w_j \, p(x \mid z_j)

    The rule (z_j, w_j) is a grid of `points` in each dimension, all of the same mass (`oracle.normal_grid`).
    The sum is exact for the rule, and as good for the integral as the rule is fine beside the posterior's width:
    this is why there is no `log_prob` here. A rule with more points says how good.

    Shapes:     as in `BernoulliDecoder`; rule: points (m, latents) and log_weights (m,), m = points ** latents.
    Raises:     ValueError for shapes that do not fit, or a grid of more than 100,000 points.
    Reference:  MacKay, Bayesian neural networks and density networks, Nuclear Instruments and Methods A 354 (1995).
    """

    card = Card(
        "Deep latent variable model",
        r"$p(x, z) = \mathcal{N}(z; 0, I) \; \prod_d \mathrm{Bernoulli}(x_d; \sigma(\mathrm{NN}(z)_d))$",
        evidence="a sum over a grid, $O(m^d)$ for $m$ points a dimension",
        posterior="on the grid, $O(m^d)$",
        gradient="of the sum: exact",
        sampling="one pass",
    )

    def __init__(
        self, features: int, latents: int, *,
        hidden: tuple[int, ...] = (256, 256), classes: int | None = None, points: int = 30, generator: Generator,
    ) -> None:
        super().__init__(features, latents, hidden, classes, generator)
        require_positive("points", points, whole=True)
        if points**latents > MOST_POINTS:
            raise ValueError(
                f"`points` ** `latents` must be at most {MOST_POINTS}: a sum over a grid is for few dimensions; "
                f"got {points} ** {latents}."
            )
        z, log_weights = normal_grid(points, latents)
        self.register_buffer("points", z, persistent=False)
        self.register_buffer("log_weights", log_weights, persistent=False)

    def log_likelihood_table(self, x: Tensor, z: Tensor, y: Tensor | None = None) -> Tensor:
        r"""log p(x_i | z_j) in nats of every row against every z, as one matrix product: z (m, d) -> (n, m).

        .. math:: \log p(x_i \mid z_j) = x_i^\top a_j - \sum_d \log(1 + e^{a_{jd}}), \qquad a_j = \mathrm{NN}(z_j)

        With `classes` every z is decoded under every label: that costs as much as `classes` tables.
        """
        self.require_shape(x, y)
        self._require_label(y)
        if y is None:
            logits = self.decode(z)  # (m, D)
            return x @ logits.mT - softplus(logits).sum(-1)
        logits = self.decode(z, torch.arange(self.classes, device=z.device)[:, None])  # (C, m, D)
        table = x @ logits.flatten(0, 1).mT  # (n, C m)
        every = table.unflatten(1, logits.shape[:2]) - softplus(logits).sum(-1)  # (n, C, m)
        return every.gather(1, y.long()[:, None, None].expand(-1, 1, len(z)))[:, 0]  # likewise

    def evidence(self, x: Tensor, rule: tuple[Tensor, Tensor] | None = None, y: Tensor | None = None) -> Exact:
        """log p(x), shape (n,), and log p(z_j | x), shape (n, m), by a rule for means under the prior.

        `rule` holds points (m, d) and log_weights (m,) that add up to one, as those of `oracle.normal_grid`; to a
        rule for integrals over z, as `oracle.grid`, add `log_prior(points)`. None is the model's own.
        """
        points, log_weights = (self.points, self.log_weights) if rule is None else rule
        table = log_weights + self.log_likelihood_table(x, points, y)  # (n, m)
        log_evidence = table.logsumexp(-1)  # (n,)
        return Exact(log_evidence, table - log_evidence[:, None])

    def loss(self, x: Tensor, *given: Tensor | Generator) -> Tensor:
        """Minus log p(x) by the model's rule: `loss(x, generator)`, with classes `loss(x, y, generator)`."""
        *y, _ = given
        return -self.evidence(x, None, *y).log_evidence
