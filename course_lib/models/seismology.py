"""The law of Gutenberg and Richter: how many earthquakes of each magnitude."""

import math

import torch
from torch import Generator, Tensor, nn

from ..errors import NumericalError, require_choice, require_not_negative
from ..rng import uniform
from .base import Card, Density

METHODS = ("aki", "shi-bolt")
LN10 = math.log(10)


class GutenbergRichter(Density):
    r"""Magnitudes above the completeness :math:`m_c`, from which on a network records every earthquake.

    .. math:: p(m) = \beta \, e^{-\beta (m - m_c)}, \quad m \ge m_c, \qquad \beta = b \ln 10

    Each magnitude less is :math:`10^b` times as frequent. Catalogues round to bins of width :math:`w`, of which
    :math:`m_c` is the centre of the lowest; then the probability of the bin that holds m is

    .. math:: P(m) = (1 - e^{-\beta w}) \, e^{-\beta w k}, \qquad k = (m - m_c) / w, \text{ rounded}

    Shapes:     log_rate (): the log of beta; data (n, 1).
    Units:      magnitudes; beta and b in 1 / magnitude; log_prob in nats, of a density without bins and of a
                probability with them.
    Raises:     ValueError if `x` does not have shape (n, 1), and in `require_data` if data are below the completeness.
    Reference:  Aki, Maximum likelihood estimate of b in the formula log N = a - bM and its confidence limits,
                Bulletin of the Earthquake Research Institute 43 (1965); Tinti and Mulargia, Confidence intervals
                of b values for grouped magnitudes, Bulletin of the Seismological Society of America 77 (1987).
    """

    card = Card(
        "Gutenberg–Richter",
        r"$p(m) = \beta \, e^{-\beta (m - m_c)}$, with $\beta = b \ln 10$",
        evidence="exact, $O(1)$",
        posterior="no latent variable",
        gradient="exact, $O(1)$",
        sampling="$O(1)$",
    )

    def __init__(self, completeness: float, bin_width: float = 0.0) -> None:
        if not math.isfinite(completeness):
            raise ValueError(f"`completeness` must be a finite number; got {completeness!r}.")
        require_not_negative("bin_width", bin_width)
        super().__init__()
        self.event_shape = (1,)
        self.completeness, self.bin_width = completeness, bin_width
        self.log_rate = nn.Parameter(torch.tensor(LN10).log())  # b = 1

    @property
    def b_value(self) -> Tensor:
        """b = beta / ln 10, shape ()."""
        return self.log_rate.exp() / LN10

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, shape (n,): of the density, or of the bin that holds `x`; -inf below the completeness."""
        self.require_shape(x)
        rate, excess = self.log_rate.exp(), self._excess(x)  # excess (n,)
        log_first = self.log_rate if not self.bin_width else (-torch.expm1(-rate * self.bin_width)).log()
        return (log_first - rate * excess).masked_fill(excess < 0, -math.inf)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws by the inverse of the distribution function, rounded to the bins, shape (n, 1)."""
        excess = -torch.log1p(-uniform((n, 1), generator, self.log_rate)) / self.log_rate.exp()
        if self.bin_width:
            excess = (excess / self.bin_width).floor() * self.bin_width
        return self.completeness + excess

    @torch.no_grad()
    def maximise(self, x: Tensor) -> None:
        r"""Set beta to its maximum-likelihood value, in closed form.

        .. math:: \beta = \frac{1}{\bar m - m_c}, \qquad \text{with bins} \quad
                  \beta = \frac1w \ln\Big(1 + \frac{w}{\bar m - m_c}\Big)

        Raises:     ValueError for data that are not finite or below the completeness; NumericalError if all of
                    them are at the completeness, where beta has no upper limit.
        """
        self.require_data(x)
        mean = self._excess(x).mean()
        if mean <= 0:
            raise NumericalError(
                "Every magnitude is the completeness itself, so the rate has no upper limit. "
                "Remedy: more data, or a lower completeness."
            )
        rate = (self.bin_width / mean).log1p() / self.bin_width if self.bin_width else 1 / mean
        self.log_rate.copy_(rate.log())

    @torch.no_grad()
    def standard_error(self, x: Tensor, *, method: str = "aki") -> Tensor:
        r"""The standard error of a b that was fitted to `x`, shape ().

        .. math:: \text{aki:} \quad \frac{s}{\sqrt n \, \ln 10}, \qquad
                  \text{shi-bolt:} \quad \frac{s^2}{\ln 10} \sqrt{\frac{\sum_i (m_i - \bar m)^2}{n (n - 1)}}, \qquad
                  s = \tfrac2w \sinh \tfrac{\beta w}{2}

        Without bins s is beta, and Aki's is b / sqrt(n). It takes the law for granted (Fisher's information); Shi
        and Bolt's takes only the spread that the data show.

        Raises:     ValueError for another `method`, or fewer than two data.
        Reference:  Shi and Bolt, The standard error of the magnitude-frequency b value, Bulletin of the
                    Seismological Society of America 72 (1982).
        """
        require_choice("method", method, METHODS)
        self.require_data(x)
        if len(x) < 2:
            raise ValueError(f"`x` must have at least two rows; got {tuple(x.shape)}.")
        rate, width = self.log_rate.exp(), self.bin_width
        slope = 2 / width * torch.sinh(rate * width / 2) if width else rate  # 1 / the law's standard deviation
        spread = 1 / slope if method == "aki" else self._excess(x).std()
        return slope.square() * spread / math.sqrt(len(x)) / LN10

    def require_data(self, x: Tensor) -> None:
        """Raise ValueError for data that are not finite, or below the completeness."""
        super().require_data(x)
        below = x[self._excess(x) < 0]
        if len(below):
            raise ValueError(
                f"`x` must hold magnitudes from the completeness {self.completeness:g} on; "
                f"got {len(below)} below it, the smallest {below.min().item():g}."
            )

    def _excess(self, x: Tensor) -> Tensor:
        """m - m_c, rounded to the bins, (n, 1) -> (n,)."""
        excess = x[:, 0] - self.completeness
        return (excess / self.bin_width).round() * self.bin_width if self.bin_width else excess
