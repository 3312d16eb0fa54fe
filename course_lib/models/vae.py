"""Variational autoencoders: a second network guesses z from x, and a bound takes the place of the integral."""

import math
from dataclasses import replace

import torch
from torch import Generator, Tensor

from .. import rng
from ..errors import require_not_negative, require_partial_labels, require_positive
from ..functional import log_mean_exp, normal_kl, normal_log_prob
from .base import Card
from .decoder import BernoulliDecoder
from .mlp import mlp


class VAE(BernoulliDecoder):
    r"""A deep latent variable model, trained by a lower bound that an encoder makes for each row.

    .. math:: \log p(x) \ge \mathbb{E}_{q(z \mid x)} \log p(x \mid z) - \mathrm{KL}(q(z \mid x) \,\|\, p(z)), \qquad
              q(z \mid x) = \mathcal{N}(z; \mu(x), \mathrm{diag}\, \sigma(x)^2)

    The bound is drawn with one z for each row, through :math:`z = \mu + \sigma \epsilon`, so that its gradient
    reaches the encoder; the divergence is exact. `loss` counts the divergence `beta` times: 1 is the bound.

    Shapes:     x (n, features); z (..., latents); with `classes`, y (n,) is a context for both networks.
    Units:      bounds in nats.
    Raises:     ValueError for x, y or z of another shape, and for a `y` that is missing or not wanted.
    Reference:  Kingma and Welling, Auto-encoding variational Bayes, ICLR (2014); Higgins et al., beta-VAE, ICLR (2017).
    """

    card = Card(
        "Variational autoencoder",
        r"$p(x, z) = \mathcal{N}(z; 0, I) \; \prod_d \mathrm{Bernoulli}(x_d; \sigma(\mathrm{NN}(z)_d))$",
        evidence="a lower bound, one pass",
        posterior="an approximation, one pass",
        gradient="of the bound: unbiased, one pass",
        sampling="one pass",
    )

    def __init__(
        self, features: int, latents: int, *,
        hidden: tuple[int, ...] = (400,), classes: int | None = None, beta: float = 1.0, generator: Generator,
    ) -> None:
        super().__init__(features, latents, hidden, classes, generator)
        require_not_negative("beta", beta)
        self.beta = beta
        self.encoder = mlp((features + (classes or 0), *hidden[::-1], 2 * latents), generator)

    def posterior_approximation(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log of the standard deviation of q(z | x), each (n, d)."""
        self.require_shape(x, y)
        return self._encode(x, y)

    def elbo(self, x: Tensor, generator: Generator, y: Tensor | None = None) -> Tensor:
        """A lower bound on log p(x) in nats, drawn once for each row: right in the mean over draws, shape (n,)."""
        log_likelihood, kl = self._bound(x, *self.posterior_approximation(x, y), generator, y)
        return log_likelihood - kl

    def iwae(self, x: Tensor, draws: int, generator: Generator, y: Tensor | None = None) -> Tensor:
        r"""A tighter bound on log p(x) in nats from K = `draws` weighted draws; K = 1 is an ELBO. Shape (n,).

        .. math:: \log \tfrac{1}{K} \sum_{k=1}^{K} \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad z_k \sim q(z \mid x)

        Cost:       K decoded images a row, in memory too.
        Reference:  Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, ICLR (2016).
        """
        require_positive("draws", draws, whole=True)
        self._require_labels(y, len(x))
        loc, log_scale = (part.expand(draws, -1, -1) for part in self.posterior_approximation(x, y))  # (K, n, d)
        z = _draw(loc, log_scale, generator)
        return log_mean_exp(self.log_joint(x, z, y) - normal_log_prob(z, loc, log_scale).sum(-1))

    def loss(self, x: Tensor, *given: Tensor | Generator) -> Tensor:
        """Minus the bound, shape (n,): `loss(x, generator)`, with classes `loss(x, y, generator)`."""
        *y, generator = given
        log_likelihood, kl = self._bound(x, *self.posterior_approximation(x, *y), generator, *y)
        return self.beta * kl - log_likelihood

    @torch.no_grad()
    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The pixels' probabilities at the mean of q(z | x), shape (n, features)."""
        self._require_labels(y, len(x))
        return self.decode(self.posterior_approximation(x, y)[0], y).sigmoid()

    def _encode(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        return self.encoder(self._with_label(x, y)).tensor_split(2, -1)

    def _bound(
        self, x: Tensor, loc: Tensor, log_scale: Tensor, generator: Generator, y: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """log p(x | z) at one z of q(z | x), and the divergence of q from the prior: (..., n, d) -> (..., n)."""
        z = _draw(loc, log_scale, generator)
        return self.log_likelihood(x, z, y), normal_kl(loc, log_scale).sum(-1)


def _draw(loc: Tensor, log_scale: Tensor, generator: Generator) -> Tensor:
    """z = mu + sigma e, (..., n, d). The noise is drawn with the rows first."""
    *leading, n, latents = loc.shape
    noise = rng.randn((n, *leading, latents), generator, loc).movedim(0, -2)
    return loc + log_scale.exp() * noise


class ConditionalVAE(VAE):
    r"""A variational autoencoder that is told the label: p(x, z | y), q(z | x, y).

    .. math:: \log p(x \mid y) \ge
              \mathbb{E}_{q(z \mid x, y)} \log p(x \mid z, y) - \mathrm{KL}(q(z \mid x, y) \,\|\, p(z))

    Shapes:     x (n, features); y (n,), whole numbers from 0 to classes - 1; z (..., latents).
    Units:      bounds in nats.
    Raises:     ValueError for x, y or z of another shape, and for a `y` that is missing.
    Reference:  Sohn, Lee and Yan, Learning structured output representation using deep conditional generative models,
                NeurIPS (2015).
    """

    card = replace(
        VAE.card,
        family="Conditional variational autoencoder",
        factorisation=r"$p(x, z \mid y) = \mathcal{N}(z; 0, I) \; p(x \mid z, y)$",
    )

    def __init__(
        self, features: int, latents: int, classes: int, *,
        hidden: tuple[int, ...] = (400,), beta: float = 1.0, generator: Generator,
    ) -> None:
        super().__init__(features, latents, hidden=hidden, classes=classes, beta=beta, generator=generator)


class SemiSupervisedVAE(ConditionalVAE):
    r"""A variational autoencoder that learns from labelled and unlabelled rows ("M2"): y is latent where not seen.

    .. math::
        \log p(x, y) &\ge L(x, y) = \mathbb{E}_{q(z \mid x, y)} \log p(x \mid z, y) + \log p(y)
                     - \mathrm{KL}(q(z \mid x, y) \,\|\, p(z)) \\
        \log p(x) &\ge \sum_y q(y \mid x) \, (L(x, y) - \log q(y \mid x))

    p(y) is uniform. The classifier q(y | x) is part of the second bound only, so `loss` adds its cross-entropy,
    `alpha` times, for the rows whose label was seen. Every row is encoded and decoded under every label.

    Shapes:     x (n, features); y (n,), whole numbers from 0 to classes - 1, or -1: not seen.
    Units:      bounds in nats.
    Raises:     ValueError for x, y or z of another shape.
    Reference:  Kingma, Rezende, Mohamed and Welling, Semi-supervised learning with deep generative models,
                NeurIPS (2014).
    """

    card = replace(
        VAE.card,
        family="Semi-supervised variational autoencoder",
        factorisation=r"$p(x, y, z) = \tfrac{1}{C} \; \mathcal{N}(z; 0, I) \; p(x \mid y, z)$",
        evidence="a lower bound, $C$ passes",
        gradient="of the bound: unbiased, $C$ passes",
    )

    def __init__(
        self, features: int, latents: int, classes: int, *,
        hidden: tuple[int, ...] = (400,), alpha: float = 1.0, generator: Generator,
    ) -> None:
        super().__init__(features, latents, classes, hidden=hidden, generator=generator)
        require_not_negative("alpha", alpha)
        self.alpha = alpha
        self.classifier = mlp((features, *hidden, classes), generator)

    def probabilities(self, x: Tensor) -> Tensor:
        """The classifier q(y | x), shape (n, classes)."""
        return self._log_q(x).exp()

    def log_joint(self, x: Tensor, z: Tensor, y: Tensor) -> Tensor:
        """log p(x, y, z) in nats: (..., n, d) -> (..., n)."""
        return super().log_joint(x, z, y) - math.log(self.classes)

    def elbo(self, x: Tensor, generator: Generator, y: Tensor | None = None) -> Tensor:
        """A lower bound on log p(x, y) where y was seen, on log p(x) where it is -1 (None: everywhere), shape (n,)."""
        self.require_shape(x, y)
        labels = torch.arange(self.classes, device=x.device)[:, None]  # (C, 1)
        log_likelihood, kl = self._bound(x, *self._encode(x, labels), generator, labels)  # (C, n)
        bounds = (log_likelihood - kl).mT - math.log(self.classes)  # (n, C)
        log_q = self._log_q(x)
        unseen = (log_q.exp() * (bounds - log_q)).sum(-1)
        return unseen if y is None else torch.where(y < 0, unseen, _at(bounds, y))

    def loss(self, x: Tensor, y: Tensor, generator: Generator) -> Tensor:
        """Minus the bound, plus `alpha` times the classifier's cross-entropy where y was seen, shape (n,)."""
        return -self.elbo(x, generator, y) - self.alpha * torch.where(y < 0, 0.0, _at(self._log_q(x), y))

    @torch.no_grad()
    def sample(self, n: int, generator: Generator, y: Tensor | None = None) -> Tensor:
        """`n` images of the labels `y` (n,), or of labels drawn from p(y), shape (n, features)."""
        if y is None:
            y = rng.categorical(torch.zeros_like(self.classifier[-1].bias), n, generator)
        return super().sample(n, generator, y)

    def require_data(self, x: Tensor, y: Tensor) -> None:
        """Raise ValueError for pixels outside 0 to 1 or labels out of range."""
        require_partial_labels("y", y, len(x), self.classes)
        super().require_data(x, y.clamp_min(0))

    def _log_q(self, x: Tensor) -> Tensor:
        self.require_shape(x)
        return self.classifier(x).log_softmax(-1)  # (n, C)


def _at(table: Tensor, y: Tensor) -> Tensor:
    """One entry of each row of `table` (n, C); where `y` is -1, any."""
    return table.gather(-1, y.clamp_min(0)[:, None])[:, 0]
