"""The promises a model can make. Nothing less than exact is called `log_prob`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Generator, Tensor, nn

from ..errors import require_finite, require_rows


@dataclass(frozen=True)
class Card:
    """A family's row in the table of promises: its factorisation, and what it can compute, at what cost."""

    family: str
    factorisation: str
    evidence: str
    posterior: str
    gradient: str
    sampling: str

    def _repr_markdown_(self) -> str:
        head = "| | $p(x)$ | $p(z \\mid x)$ | $\\nabla_\\theta \\log p(x)$ | one sample |\n|---|---|---|---|---|"
        row = f"| **{self.family}** | {self.evidence} | {self.posterior} | {self.gradient} | {self.sampling} |"
        return f"{self.factorisation}\n\n{head}\n{row}"


class Generative(nn.Module, ABC):
    """A model that can be sampled, and trained by making `loss` small."""

    event_shape: tuple[int, ...]
    card: Card

    @abstractmethod
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws from p(x), shape (n, *event_shape), without gradient."""

    @abstractmethod
    def loss(self, x: Tensor, generator: Generator) -> Tensor:
        """What training makes small, one value for each row of `x`, shape (n,)."""

    def require_data(self, x: Tensor) -> None:
        """Look at all of the data once, before a loop: raise ValueError for what the model cannot learn from."""
        self.require_shape(x)
        require_finite("x", x)

    def require_shape(self, x: Tensor) -> None:
        """The quick part of `require_data`: shape, dtype and device."""
        require_rows("x", x, self.event_shape, like=next(self.parameters()))


class Density(Generative):
    """A generative model whose log p(x) is known exactly, and normalised."""

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats for each row of `x`, shape (n,)."""

    def loss(self, x: Tensor, generator: Generator) -> Tensor:
        """The negative log-likelihood: making it small is maximum likelihood."""
        return -self.log_prob(x)


class Conditional(nn.Module, ABC):
    """A model of y given x: it says nothing about x itself."""

    input_shape: tuple[int, ...]
    event_shape: tuple[int, ...]
    card: Card

    @abstractmethod
    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """log p(y | x) in nats, exact and normalised over y: y (n, *event_shape), x (n, *input_shape) -> (n,)."""

    @abstractmethod
    def sample(self, x: Tensor, generator: Generator) -> Tensor:
        """One draw from p(y | x) for each row of `x`, shape (n, *event_shape), without gradient."""

    def loss(self, x: Tensor, y: Tensor, generator: Generator) -> Tensor:
        """The negative log-likelihood (for classes: the cross-entropy), shape (n,)."""
        return -self.log_prob(y, x)

    @abstractmethod
    def require_data(self, x: Tensor, y: Tensor) -> None:
        """Look at all of the data once, before a loop: raise ValueError for what the model cannot learn from."""
