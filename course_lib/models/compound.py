"""Infinite mixtures: the hidden cause is a number, and the integral over it has a closed form."""

import math
from abc import abstractmethod
from dataclasses import replace

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import logsigmoid

from ..errors import require_counts, require_positive, require_vectors
from ..functional import log_beta_function, log_rising_factorial, normal_log_prob
from ..rng import poisson, randn, uniform
from .base import Card, Density
from .conjugate import Beta, Gamma


class Compound(Density):
    r"""A density of one number x whose hidden cause is a number z.

    .. math:: p(x) = \int p(z) \, p(x \mid z) \, dz

    Shapes:     data (n, 1); z broadcasts with them: (n, 1), or (1,) for one z that all rows share.
    Raises:     ValueError if the last axis of z is not 1 long.
    """

    event_shape = (1,)

    @property
    @abstractmethod
    def prior(self) -> Gamma | Beta:
        """p(z), whose parameters have shape ()."""

    @abstractmethod
    def posterior(self, x: Tensor) -> Gamma | Beta:
        """p(z | x), exact: of the same family as the prior, with parameters of shape (n,)."""

    @abstractmethod
    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) in nats, shape (n,)."""

    def log_prior(self, z: Tensor) -> Tensor:
        """log p(z) in nats: (..., 1) -> (...)."""
        require_vectors("z", z, 1)
        return self.prior.log_prob(z[..., 0])

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x, z) = log p(z) + log p(x | z) in nats, shape (n,)."""
        return self.log_prior(z) + self.log_likelihood(x, z)

    @torch.no_grad()
    def finite_log_prob(self, x: Tensor, components: int) -> Tensor:
        r"""log of the mixture of K components that stands in for the integral, in nats, shape (n,).

        .. math:: p_K(x) = \frac1K \sum_{k=1}^{K} p(x \mid z_k), \qquad z_k = F^{-1}\Big(\frac{k - 1/2}{K}\Big)

        F is the distribution function of the prior: every component stands for the same share of it.
        """
        require_positive("components", components, whole=True)
        self.require_shape(x)
        shares = (torch.arange(components, device=x.device, dtype=x.dtype) + 0.5) / components
        z = self.prior.quantiles(shares)[:, None, None]  # (K, 1, 1)
        return self.log_likelihood(x, z).logsumexp(0) - math.log(components)


class StudentT(Compound):
    r"""Student's t: a Gaussian whose precision is drawn anew for each x.

    .. math:: z \sim \mathrm{Gamma}(\nu/2, \nu/2), \qquad x \mid z \sim \mathcal{N}(\mu, \sigma^2 / z)

    Shapes:     loc (), log_scale (), log_freedom (): the log of nu, which starts at 5; data (n, 1).
    Units:      mu and sigma in the units of the data; nu and z are bare numbers; log_prob in nats.
    Raises:     ValueError if `x` does not have shape (n, 1).
    Reference:  Bishop, Pattern Recognition and Machine Learning (2006), section 2.3.7.
    """

    card = Card(
        "Student's t",
        r"$p(x, z) = \mathrm{Gamma}(z; \nu/2, \nu/2) \; \mathcal{N}(x; \mu, \sigma^2 / z)$",
        evidence="exact, $O(1)$",
        posterior="exact, a gamma, $O(1)$",
        gradient="exact, $O(1)$",
        sampling="$O(1)$",
    )

    def __init__(self) -> None:
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(()))
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.log_freedom = nn.Parameter(torch.tensor(5.0).log())

    @property
    def prior(self) -> Gamma:
        """p(z), with mean 1."""
        half = self.log_freedom.exp() / 2
        return Gamma(half, half)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) in nats, shape (n,)."""
        self.require_shape(x)
        require_vectors("z", z, 1)
        return normal_log_prob(x, self.loc, self.log_scale - z.log() / 2)[..., 0]

    def posterior(self, x: Tensor) -> Gamma:
        """p(z | x): the farther x lies out, the smaller its precision. Parameters of shape (n,)."""
        concentration, rate = self.prior
        square = self._standard(x).square()  # (n,)
        return Gamma((concentration + 0.5).expand_as(square), rate + square / 2)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, shape (n,)."""
        half = self.log_freedom.exp() / 2
        log_constant = -log_beta_function(half, torch.full_like(half, 0.5)) - (2 * half).log() / 2 - self.log_scale
        return log_constant - (half + 0.5) * (self._standard(x).square() / (2 * half)).log1p()

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws: first the precision z, then x given z, shape (n, 1)."""
        z = self.prior.sample(n, generator)[:, None]
        return self.loc + self.log_scale.exp() * randn((n, 1), generator, self.loc) / z.sqrt()

    def _standard(self, x: Tensor) -> Tensor:
        """(x - mu) / sigma, (n, 1) -> (n,)."""
        self.require_shape(x)
        return (x[:, 0] - self.loc) * (-self.log_scale).exp()


class NegativeBinomial(Compound):
    r"""Counts from a Poisson process whose rate is drawn anew for each x.

    .. math:: z \sim \mathrm{Gamma}(r, r / m), \qquad x \mid z \sim \mathrm{Poisson}(z)

    The mean is m, the variance :math:`m + m^2 / r`, more than that of the Poisson distribution, the limit of large r.

    Shapes:     log_concentration (): the log of r; log_mean (): the log of m; data (n, 1), whole numbers.
    Units:      counts; log_prob in nats.
    Raises:     ValueError for `x` not of shape (n, 1), and in `require_data` for other than whole numbers >= 0.
    Reference:  Greenwood and Yule, An inquiry into the nature of frequency distributions representative of multiple
                happenings, Journal of the Royal Statistical Society 83 (1920).
    """

    card = replace(StudentT.card, family="Negative binomial",
                   factorisation=r"$p(x, z) = \mathrm{Gamma}(z; r, r / m) \; \mathrm{Poisson}(x; z)$")

    def __init__(self) -> None:
        super().__init__()
        self.log_concentration = nn.Parameter(torch.zeros(()))
        self.log_mean = nn.Parameter(torch.zeros(()))

    @property
    def prior(self) -> Gamma:
        """p(z), with mean m."""
        return Gamma(self.log_concentration.exp(), (self.log_concentration - self.log_mean).exp())

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) in nats, shape (n,)."""
        self.require_shape(x)
        require_vectors("z", z, 1)
        return (torch.xlogy(x, z) - z - (x + 1).lgamma())[..., 0]

    def posterior(self, x: Tensor) -> Gamma:
        """p(z | x): the count adds to the concentration, the one interval of time to the rate. Shape (n,)."""
        self.require_shape(x)
        concentration, rate = self.prior
        return Gamma(concentration + x[:, 0], (rate + 1).expand(len(x)))

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, shape (n,)."""
        self.require_shape(x)
        count, r = x[:, 0], self.log_concentration.exp()
        logits = self.log_mean - self.log_concentration  # the odds of one more: m / r
        log_ways = -log_beta_function(r, count + 1) - (count + r).log()
        return log_ways + r * logsigmoid(-logits) + count * logsigmoid(logits)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws: first the rate z, then the count, shape (n, 1)."""
        return poisson(self.prior.sample(n, generator)[:, None], generator)

    def require_data(self, x: Tensor) -> None:
        """Raise ValueError unless `x` holds whole numbers >= 0."""
        super().require_data(x)
        require_counts("x", x)


class BetaBinomial(Compound):
    r"""Successes in N trials whose probability of success is drawn anew for each x.

    .. math:: z \sim \mathrm{Beta}(\alpha, \beta), \qquad x \mid z \sim \mathrm{Binomial}(N, z)

    Shapes:     log_alpha (), log_beta (): the logs of alpha and beta; data (n, 1), whole numbers up to N.
    Units:      counts; log_prob in nats.
    Raises:     ValueError for `x` not of shape (n, 1), and in `require_data` for other than whole numbers from 0 to N.
    Reference:  Skellam, A probability distribution derived from the binomial distribution by regarding the probability
                of success as variable between the sets of trials, Journal of the Royal Statistical Society B 10 (1948).
    """

    card = replace(StudentT.card, family="Beta-binomial", posterior="exact, a beta, $O(1)$", sampling="$O(N)$",
                   factorisation=r"$p(x, z) = \mathrm{Beta}(z; \alpha, \beta) \; \mathrm{Binomial}(x; N, z)$")

    def __init__(self, trials: int) -> None:
        require_positive("trials", trials, whole=True)
        super().__init__()
        self.trials = trials
        self.log_alpha = nn.Parameter(torch.zeros(()))
        self.log_beta = nn.Parameter(torch.zeros(()))

    @property
    def prior(self) -> Beta:
        """p(z)."""
        return Beta(self.log_alpha.exp(), self.log_beta.exp())

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) in nats, shape (n,)."""
        self.require_shape(x)
        require_vectors("z", z, 1)
        return (self._log_ways(x) + torch.xlogy(x, z) + torch.special.xlog1py(self.trials - x, -z))[..., 0]

    def posterior(self, x: Tensor) -> Beta:
        """p(z | x): successes add to alpha, failures to beta. Parameters of shape (n,)."""
        self.require_shape(x)
        alpha, beta = self.prior
        return Beta(alpha + x[:, 0], beta + self.trials - x[:, 0])

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, shape (n,): the posterior's normaliser over the prior's, B(alpha + x, beta + N - x) / B."""
        self.require_shape(x)
        (alpha, beta), hits = self.prior, x[:, 0]
        each = log_rising_factorial(alpha, hits) + log_rising_factorial(beta, self.trials - hits)
        return each - log_rising_factorial(alpha + beta, self.trials) + self._log_ways(x)[:, 0]

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws: first the probability z, then N trials, shape (n, 1)."""
        z = self.prior.sample(n, generator)[:, None]
        return (uniform((n, self.trials), generator, z) < z).sum(-1, keepdim=True).to(z.dtype)

    def require_data(self, x: Tensor) -> None:
        """Raise ValueError unless `x` holds whole numbers from 0 to N."""
        super().require_data(x)
        require_counts("x", x)
        if x.max() > self.trials:
            raise ValueError(f"`x` must hold counts of at most {self.trials}; got {x.max().item():g}.")

    def _log_ways(self, x: Tensor) -> Tensor:
        """The log of the number of orders in which x successes come, in the shape of `x`."""
        return -log_beta_function(x + 1, self.trials - x + 1) - math.log(self.trials + 1)
