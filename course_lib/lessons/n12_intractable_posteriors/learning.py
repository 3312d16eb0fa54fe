"""Learning with wrong posteriors: many small decoders side by side, each taught by its own q."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import one_hot, softplus

from ...inference import oracle
from ...models import DeepLatentVariableModel

CELLS, HIDDEN, LATENTS = 15, 64, 2  # of the training grid, each way; units of a layer
Posterior = Callable[[Tensor], Tensor]


def one_point(table: Tensor) -> Tensor:
    """All mass on the most probable point: (..., m) -> (..., m)."""
    return one_hot(table.argmax(-1), table.shape[-1]).to(table)


def shifted(masses: Tensor) -> Tensor:
    """All masses moved by one cell along both axes of a square grid; what would leave it stays at the edge."""
    size = math.isqrt(masses.shape[-1])
    move = one_hot((torch.arange(size) + 1).clamp_max(size - 1), size).to(masses)  # (from, to)
    return (move.mT @ masses.unflatten(-1, (size, size)) @ move).flatten(-2)


class Decoders(nn.Module):
    """R decoders 2-64-64-D that never meet: every weight has a first axis of R."""

    def __init__(self, features: int, generator: Generator) -> None:
        super().__init__()
        sizes = (LATENTS, HIDDEN, HIDDEN, features)
        self.weights = nn.ParameterList(
            (2 * torch.rand(1, rows + 1, columns, generator=generator) - 1) / math.sqrt(rows)
            for rows, columns in pairwise(sizes))

    def copies(self, which: list[int]) -> "Decoders":
        """These decoders again, number by number."""
        made = Decoders(self.weights[-1].shape[-1], torch.Generator())
        made.weights = nn.ParameterList(weight.detach()[which].clone() for weight in self.weights)
        return made

    def forward(self, z: Tensor) -> Tensor:
        """The logits of the pixels: z (m, 2) -> (R, m, D)."""
        for weight in self.weights[:-1]:
            z = (z @ weight[:, :-1] + weight[:, -1:]).tanh()
        return z @ self.weights[-1][:, :-1] + self.weights[-1][:, -1:]

    def table(self, x: Tensor, seen: Tensor, z: Tensor) -> Tensor:
        """log p(seen pixels | z_j): x (n, D), seen (R, n, D), z (m, 2) -> (R, n, m)."""
        logits = self(z)
        return (x * seen) @ logits.mT - seen @ softplus(logits).mT


def train(
    decoders: Decoders, posteriors: list[Posterior], x: Tensor, seen: Tensor, generator: Generator, *,
    steps: int, lr: float, batch_size: int = 128,
) -> Iterator[int]:
    """Each decoder r climbs the mean of log p(x, z) under q = posteriors[r], q held fixed in every step.

    Shapes:     x (n, D); seen (R, n, D), 1 where a pixel may be looked at.
    """
    z, _ = oracle.normal_grid(CELLS, LATENTS)
    z = z.to(x)
    update = torch.optim.Adam(decoders.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(update, steps)
    for step in range(steps):
        rows = torch.randint(len(x), (batch_size,), generator=generator)
        table = decoders.table(x[rows], seen[:, rows], z)  # equal masses: the prior is a constant
        q = torch.stack([posterior(part) for posterior, part in zip(posteriors, table.detach())])
        update.zero_grad()
        (-(q * table).sum(-1).mean(-1).sum()).backward()
        update.step()
        schedule.step()
        yield step + 1


@torch.no_grad()
def held_out(decoders: Decoders, x: Tensor, cells: int = 45) -> Tensor:
    """log p of whole new pictures, by a much finer grid: x (n, D) -> (R, n)."""
    z, log_weights = (part.to(x) for part in oracle.normal_grid(cells, LATENTS))
    logits = decoders(z)
    return torch.stack([(x @ a.mT - softplus(a).sum(-1) + log_weights).logsumexp(-1) for a in logits])


def gradients(
    model: DeepLatentVariableModel, posteriors: dict[str, Posterior], x: Tensor, seen: Tensor
) -> dict[str, Tensor]:
    """The mean over x (n, D) of E_q[d log p(seen pixels, z)] with respect to all weights, for each q: flat vectors."""
    seen = seen.to(x).expand_as(x)
    logits = model.decode(model.points)
    table = (x * seen) @ logits.mT - seen @ softplus(logits).mT  # (n, m), on a grid of equal masses
    found = {}
    for name, posterior in posteriors.items():
        objective = (posterior(table.detach()) * table).sum(-1).mean()
        parts = torch.autograd.grad(objective, list(model.decoder.parameters()), retain_graph=True)
        found[name] = torch.cat([part.flatten() for part in parts])
    return found


def angles(
    model: DeepLatentVariableModel, posteriors: dict[str, Posterior], x: Tensor, seen: Tensor
) -> list[float]:
    """The angle of each of these gradients to that of the first, which is the exact one, degrees."""
    exact, *others = gradients(model, posteriors, x, seen).values()
    return [0.0, *(angle(exact, other) for other in others)]


def angle(one: Tensor, other: Tensor) -> float:
    """The angle between two vectors, degrees."""
    cosine = torch.dot(one, other) / (one.norm() * other.norm())
    return math.degrees(math.acos(cosine.clamp(-1, 1).item()))
