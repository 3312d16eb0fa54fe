"""The experiments of lesson 04: off the data, the wrong loss, and a variance that hides a bad mean."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from tqdm.auto import tqdm

from ... import rng
from ...functional import normal_log_prob
from ...models import ConditionalCategorical
from ...training import fit, gradient_descent

HIDDEN = (128, 128)
FREQUENCY, NOISE = 6.0, 0.05  # of the wave that two heads learn


def classifier() -> ConditionalCategorical:
    """The classifier of 28 × 28 digits as it begins, in float32."""
    return ConditionalCategorical(784, 10, hidden=HIDDEN, generator=rng.seeded(0)).float()


@torch.no_grad()
def confidence_along_a_ray(model: ConditionalCategorical, x: Tensor, factors: Tensor) -> Tensor:
    """The mean largest probability where every row of `x` (n, D) is multiplied by a factor: (m,) -> (m,)."""
    return torch.stack([model.probabilities(factor * x).max(-1).values.mean() for factor in factors])


def area_under_curve(low: Tensor, high: Tensor) -> float:
    """The probability that a draw from `high` (m,) exceeds one from `low` (n,); ties count one half."""
    more = (high[:, None] > low).double().mean() + 0.5 * (high[:, None] == low).double().mean()
    return more.item()


class SoftmaxTwice(nn.Module):
    """A common fault: the network returns probabilities, and the loss, which expects logits, takes them for such."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = classifier()

    def loss(self, x: Tensor, y: Tensor, generator: Generator) -> Tensor:
        """Cross-entropy of softmax(softmax(logits)), shape (n,)."""
        twice = self.classifier.probabilities(x).log_softmax(-1)
        return -twice.gather(-1, y[:, None])[:, 0]


def train_with_softmax_twice(x: Tensor, y: Tensor, steps: int) -> tuple[ConditionalCategorical, list[float]]:
    """The classifier trained with the fault, and its losses."""
    faulty = SoftmaxTwice()
    process = gradient_descent(faulty, (x, y), rng.seeded(1), steps=steps, batch_size=100, lr=2e-3)
    return faulty.classifier, fit(process)["loss"]


class Waves(NamedTuple):
    """S networks with a constant variance, S with a learnt one, that learnt the same noisy waves: heads first."""

    x: Tensor  # (m,), new places
    mean: Tensor  # (2, S, m)
    log_scale: Tensor  # (2, S, m)
    nats: Tensor  # (2, S), of new data at these places
    miss: Tensor  # (2, S), root mean square distance of the mean from the true wave


def wave(x: Tensor) -> Tensor:
    """The true mean."""
    return (FREQUENCY * x).sin()


def learn_waves(networks: int = 12, *, n: int = 100, units: int = 50, steps: int = 1000, seed: int = 0) -> Waves:
    """Both heads from the same first weights, on the same data; all networks side by side in one batch.

    The constant head is the learnt one with the weights to its log-scale held at 0: only the bias is left.
    """
    g, like = rng.seeded(seed), torch.empty(0, dtype=torch.float32)
    x = 2 * rng.uniform((networks, n, 1), g, like) - 1
    y = wave(x) + NOISE * rng.randn((networks, n, 1), g, like)
    bound = units**-0.5
    shapes = {"w": ((1, units), 1.0), "b": ((1, units), 1.0), "v": ((units, 2), bound), "c": ((1, 2), bound)}
    parameters = {}
    for name, (shape, scale) in shapes.items():
        start = scale * (2 * rng.uniform((networks, *shape), g, like) - 1)
        parameters[name] = start.repeat(2, 1, 1, 1).requires_grad_()  # (2, S, ...)
    update = torch.optim.Adam(parameters.values(), lr=5e-3)
    for _ in tqdm(range(steps), desc="waves", leave=False):
        mean, log_scale = _two_heads(parameters, x)
        loss = -normal_log_prob(y, mean, log_scale).mean((-1, -2)).sum()
        update.zero_grad()
        loss.backward()
        update.step()
    return _judged(parameters, rng.seeded(seed + 1))


def _two_heads(parameters: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Means and log-scales, (2, S, n, 1) each: x (S, n, 1) or (n, 1)."""
    learnt = x.new_tensor([0.0, 1.0]).reshape(2, 1, 1, 1)
    mean, log_scale = parameters["v"].split(1, -1)
    hidden = (x @ parameters["w"] + parameters["b"]).relu()  # (2, S, n, units)
    first, second = parameters["c"].split(1, -1)
    return hidden @ mean + first, hidden @ (learnt * log_scale) + second


@torch.no_grad()
def _judged(parameters: dict[str, Tensor], g: Generator) -> Waves:
    x = torch.linspace(-1, 1, 400, dtype=torch.float32)
    y = wave(x) + NOISE * rng.randn((400,), g, x)
    mean, log_scale = (part[..., 0] for part in _two_heads(parameters, x[:, None]))
    nats = normal_log_prob(y, mean, log_scale).mean(-1)
    return Waves(x, mean, log_scale, nats, (mean - wave(x)).square().mean(-1).sqrt())
