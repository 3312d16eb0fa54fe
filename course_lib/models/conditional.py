"""Neural conditionals: a network turns x into the parameters of a distribution of y."""

import torch
from torch import Generator, Tensor, nn

from .. import rng
from ..errors import require_binary, require_finite, require_labels, require_positive, require_rows
from ..functional import bernoulli_log_prob, normal_log_prob
from .base import Card, Conditional
from .mlp import mlp, require_hidden


class _NeuralConditional(Conditional):
    """What the heads share: a network from x (n, features), and the look at shapes."""

    whole = False  # whether y holds integers

    def __init__(self, features: int, outputs: int, hidden: tuple[int, ...], generator: Generator) -> None:
        require_positive("features", features, whole=True)
        require_hidden(hidden)
        super().__init__()
        self.input_shape = (features,)
        self.network = mlp((features, *hidden, outputs), generator)

    def require_data(self, x: Tensor, y: Tensor) -> None:
        """Raise ValueError for data that the model cannot learn from."""
        self.require_shape(x, y)
        require_finite("x", x)
        if not self.whole:
            require_finite("y", y)

    def require_shape(self, x: Tensor, y: Tensor) -> None:
        """The quick part of `require_data`: shapes, dtypes and devices."""
        like = next(self.parameters())
        require_rows("x", x, self.input_shape, like=like)
        require_rows("y", y, self.event_shape, whole=self.whole, like=like)
        if len(y) != len(x):
            raise ValueError(f"`y` must have as many rows as `x`, {len(x)}; got {len(y)}.")

    def _output(self, x: Tensor) -> Tensor:
        require_rows("x", x, self.input_shape, like=next(self.parameters()))
        return self.network(x)  # (n, outputs)


class ConditionalCategorical(_NeuralConditional):
    r"""A network that gives probabilities to C classes; without hidden layers this is softmax regression.

    .. math:: p(y \mid x) = \mathrm{softmax}(\mathrm{NN}(x))_y

    Shapes:     x (n, features); y (n,), whole numbers from 0 to C - 1.
    Units:      log_prob in nats; its negative is the cross-entropy.
    Raises:     ValueError for `x` or `y` of another shape, and in `require_data` for a label out of range.
    Reference:  Bishop, Pattern Recognition and Machine Learning (2006), sections 4.3.4 and 5.2.
    """

    card = Card(
        "Neural classifier",
        r"$p(y \mid x) = \mathrm{Categorical}(y; \mathrm{softmax}(\mathrm{NN}(x)))$",
        evidence="says nothing about $p(x)$",
        posterior="no latent variable",
        gradient=r"of $\log p(y \mid x)$: exact, one pass",
        sampling="one pass, given $x$",
    )
    whole = True
    event_shape = ()

    def __init__(self, features: int, classes: int, *, hidden: tuple[int, ...] = (), generator: Generator) -> None:
        require_positive("classes", classes, whole=True)
        super().__init__(features, classes, hidden, generator)
        self.classes = classes

    def logits(self, x: Tensor) -> Tensor:
        """The network's answers, log-probabilities up to a constant: (n, C)."""
        return self._output(x)

    def probabilities(self, x: Tensor, temperature: float = 1.0) -> Tensor:
        """p(y | x) of every class, (n, C). A temperature above 1 flattens it, one below 1 sharpens it."""
        require_positive("temperature", temperature)
        return (self.logits(x) / temperature).softmax(-1)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """log p(y | x) in nats, shape (n,)."""
        self.require_shape(x, y)
        return self.logits(x).log_softmax(-1).gather(-1, y[:, None])[:, 0]

    @torch.no_grad()
    def sample(self, x: Tensor, generator: Generator) -> Tensor:
        """One class for each row of `x`, shape (n,)."""
        return rng.categorical(self.logits(x), 1, generator)[:, 0]

    def require_data(self, x: Tensor, y: Tensor) -> None:
        """Raise ValueError for data that the model cannot learn from."""
        super().require_data(x, y)
        require_labels("y", y, len(x), self.classes)


class ConditionalBernoulli(_NeuralConditional):
    r"""A network that gives the probability of yes; without hidden layers this is logistic regression.

    .. math:: p(y = 1 \mid x) = \sigma(\mathrm{NN}(x)) = \frac{1}{1 + e^{-\mathrm{NN}(x)}}

    Shapes:     x (n, features); y (n,), holding 0.0 and 1.0.
    Units:      log_prob in nats.
    Raises:     ValueError for `x` or `y` of another shape, and in `require_data` for a y other than 0 and 1.
    Reference:  Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.2.
    """

    card = Card(
        "Logistic regression, or a network in its place",
        r"$p(y \mid x) = \mathrm{Bernoulli}(y; \sigma(\mathrm{NN}(x)))$",
        evidence="says nothing about $p(x)$",
        posterior="no latent variable",
        gradient=r"of $\log p(y \mid x)$: exact, one pass",
        sampling="one pass, given $x$",
    )
    event_shape = ()

    def __init__(self, features: int, *, hidden: tuple[int, ...] = (), generator: Generator) -> None:
        super().__init__(features, 1, hidden, generator)

    def logits(self, x: Tensor) -> Tensor:
        """log p(y = 1 | x) - log p(y = 0 | x), shape (n,)."""
        return self._output(x)[:, 0]

    def probabilities(self, x: Tensor, temperature: float = 1.0) -> Tensor:
        """p(y = 1 | x), shape (n,). A temperature above 1 moves it towards one half, one below 1 away from it."""
        require_positive("temperature", temperature)
        return (self.logits(x) / temperature).sigmoid()

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """log p(y | x) in nats, shape (n,)."""
        self.require_shape(x, y)
        return bernoulli_log_prob(y, self.logits(x))

    @torch.no_grad()
    def sample(self, x: Tensor, generator: Generator) -> Tensor:
        """0.0 or 1.0 for each row of `x`, shape (n,)."""
        return rng.bernoulli(self.probabilities(x), generator)

    def require_data(self, x: Tensor, y: Tensor) -> None:
        """Raise ValueError for data that the model cannot learn from."""
        super().require_data(x, y)
        require_binary("y", y)


class ConditionalGaussian(_NeuralConditional):
    r"""Regression: a network gives the mean of y and, if heteroscedastic, its scale too.

    .. math:: p(y \mid x) = \prod_t \mathcal{N}(y_t; \mu_t(x), \sigma_t(x)^2)

    With heteroscedastic=False the scale is one parameter for each target, the same for every x; then, without
    hidden layers, this is linear regression.

    Shapes:     x (n, features); y (n, targets); log_scale (targets,), only for heteroscedastic=False.
    Units:      means and scales in the units of y; log_prob in nats.
    Raises:     ValueError for `x` or `y` of another shape.
    Reference:  Nix and Weigend, Estimating the mean and variance of the target probability distribution, ICNN (1994).
    """

    card = Card(
        "Neural regression",
        r"$p(y \mid x) = \mathcal{N}(y; \mu(x), \sigma(x)^2)$, with $\mu(x), \log \sigma(x) = \mathrm{NN}(x)$",
        evidence="says nothing about $p(x)$",
        posterior="no latent variable",
        gradient=r"of $\log p(y \mid x)$: exact, one pass",
        sampling="one pass, given $x$",
    )

    def __init__(
        self, features: int, targets: int, *,
        hidden: tuple[int, ...] = (), heteroscedastic: bool = True, generator: Generator,
    ) -> None:
        require_positive("targets", targets, whole=True)
        super().__init__(features, 2 * targets if heteroscedastic else targets, hidden, generator)
        self.event_shape = (targets,)
        self.log_scale = None if heteroscedastic else nn.Parameter(torch.zeros(targets))

    def predict(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The mean and the log of the standard deviation of p(y | x), each (n, targets)."""
        output = self._output(x)
        if self.log_scale is None:
            return output.tensor_split(2, -1)
        return output, self.log_scale.expand_as(output)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """log p(y | x) in nats, shape (n,)."""
        self.require_shape(x, y)
        return normal_log_prob(y, *self.predict(x)).sum(-1)

    @torch.no_grad()
    def sample(self, x: Tensor, generator: Generator) -> Tensor:
        """One draw of y for each row of `x`, shape (n, targets)."""
        loc, log_scale = self.predict(x)
        return loc + log_scale.exp() * rng.randn(tuple(loc.shape), generator, loc)


class ConditionalMixture(_NeuralConditional):
    r"""A mixture density network: y, a number, comes from one of K Gaussians, and the network gives all of them.

    .. math:: p(y \mid x) = \sum_k \pi_k(x) \, \mathcal{N}(y; \mu_k(x), \sigma_k(x)^2)

    Shapes:     x (n, features); y (n,).
    Units:      means and scales in the units of y; log_prob in nats.
    Raises:     ValueError for `x` or `y` of another shape.
    Reference:  Bishop, Mixture density networks, Aston University report NCRG/94/004 (1994).
    """

    card = Card(
        "Mixture density network",
        r"$p(y, k \mid x) = \pi_k(x) \; \mathcal{N}(y; \mu_k(x), \sigma_k(x)^2)$",
        evidence="says nothing about $p(x)$",
        posterior=r"$p(k \mid x, y)$ exact, $O(K)$",
        gradient=r"of $\log p(y \mid x)$: exact, one pass",
        sampling="one pass, given $x$",
    )
    event_shape = ()

    def __init__(self, features: int, components: int, *, hidden: tuple[int, ...], generator: Generator) -> None:
        require_positive("components", components, whole=True)
        super().__init__(features, 3 * components, hidden, generator)

    def predict(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The log-weights, means and log-scales of the components of p(y | x), each (n, K)."""
        logits, loc, log_scale = self._output(x).tensor_split(3, -1)
        return logits.log_softmax(-1), loc, log_scale

    def log_joint(self, y: Tensor, x: Tensor) -> Tensor:
        """log p(y, k | x) in nats for every component k, shape (n, K)."""
        self.require_shape(x, y)
        log_weights, loc, log_scale = self.predict(x)
        return log_weights + normal_log_prob(y[:, None], loc, log_scale)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """log p(y | x) in nats, the sum over the components, shape (n,)."""
        return self.log_joint(y, x).logsumexp(-1)

    @torch.no_grad()
    def sample(self, x: Tensor, generator: Generator) -> Tensor:
        """One draw of y for each row of `x`, shape (n,): first the component, then y."""
        log_weights, loc, log_scale = self.predict(x)
        k = rng.categorical(log_weights, 1, generator)  # (n, 1)
        noise = rng.randn((len(x), 1), generator, loc)
        return (loc.gather(-1, k) + log_scale.gather(-1, k).exp() * noise)[:, 0]
