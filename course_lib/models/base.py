"""The promises a model can make. Nothing less than exact is called `log_prob`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Generator, Tensor, nn


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


class Density(Generative):
    """A generative model whose log p(x) is known exactly, and normalised."""

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats for each row of `x`, shape (n,)."""

    def loss(self, x: Tensor, generator: Generator) -> Tensor:
        """The negative log-likelihood: making it small is maximum likelihood."""
        return -self.log_prob(x)
