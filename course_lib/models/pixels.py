"""Independent pixels: what an image is when no pixel knows of another."""

import torch
from torch import Generator, Tensor, nn

from ..errors import require_binary, require_not_negative, require_positive
from ..functional import bernoulli_log_prob, log_odds
from ..rng import bernoulli
from .base import Card, Density


class IndependentPixels(Density):
    r"""Binary images whose pixels are independent: the lowest rung of the ladder of image models.

    .. math:: p(x) = \prod_{d=1}^{D} p_d^{x_d} (1 - p_d)^{1 - x_d}

    Shapes:     logits (D,): the log-odds of p; x (n, D), floating 0 and 1.
    Units:      log_prob in nats an image.
    Raises:     ValueError if `x` does not have shape (n, D).
    Reference:  Bishop, Pattern Recognition and Machine Learning (2006), section 2.1.
    """

    card = Card(
        "Independent pixels",
        r"$p(x) = \prod_d p_d^{x_d} (1 - p_d)^{1 - x_d}$",
        evidence="exact, $O(D)$",
        posterior="no latent variable",
        gradient="exact, $O(D)$",
        sampling="$O(D)$",
    )

    def __init__(self, pixels: int) -> None:
        require_positive("pixels", pixels, whole=True)
        super().__init__()
        self.event_shape = (pixels,)
        self.logits = nn.Parameter(torch.zeros(pixels))

    @property
    def probabilities(self) -> Tensor:
        """p, the probability of a 1 in each pixel, shape (D,)."""
        return self.logits.sigmoid()

    def require_data(self, x: Tensor) -> None:
        """Raise ValueError unless `x` (n, D) holds only 0 and 1."""
        self.require_shape(x)
        require_binary("x", x)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, shape (n,)."""
        self.require_shape(x)
        return bernoulli_log_prob(x, self.logits).sum(-1)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` images, shape (n, D)."""
        return bernoulli(self.probabilities.expand(n, -1), generator)

    @torch.no_grad()
    def maximise(self, x: Tensor, *, smoothing: float = 0.0) -> None:
        """The maximum-likelihood probabilities: the share of 1s, after `smoothing` more images of each colour."""
        self.require_data(x)
        require_not_negative("smoothing", smoothing)
        self.logits.copy_(log_odds(x.sum(0) + smoothing, len(x) + 2 * smoothing))
