"""Combinations of causes that were never seen: three quarters of a world to learn from, the last corner to judge."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from tqdm.auto import tqdm

from ... import rng, training
from ...inference.oracle import Exact, normal_grid
from ...models.mlp import mlp
from .experiments import pictures_of, ppca
from .sprites import LOWER, NOISE, NUMBERS, UPPER, log_likelihood_table, render

SQUARE = 3
PLAIN = {"size": 3.5, "angle": 0.0, "right": 0.0, "down": 0.0, "light": 1.0}


class World(NamedTuple):
    """Squares with two free causes: x (n, 400) to learn from, and new ones of seen and of unseen combinations.

    y, y_seen:  the two free causes, (n, 2).
    """

    free: tuple[str, str]
    x: Tensor
    x_seen: Tensor
    x_unseen: Tensor
    y: Tensor
    y_seen: Tensor


def world(free: tuple[str, str], seed: int) -> World:
    """Both causes above the middle: that corner is held out. Each high value is seen, never both."""
    fixed = {name: value for name, value in PLAIN.items() if name not in free}
    causes, x = pictures_of(2800, seed, shapes=[SQUARE], **fixed)
    columns = [NUMBERS.index(name) for name in free]
    y = causes.numbers[:, columns]
    corner = (y > ((LOWER + UPPER) / 2).to(y)[columns]).all(-1)
    inside, y_inside = x[~corner], y[~corner]
    return World(free, inside[:1500], inside[1500:1900], x[corner][:400], y_inside[:1500], y_inside[1500:1900])


class PictureDecoder(nn.Module):
    r"""Two standard normal latents, a small network, Gaussian noise; the integral is a sum over a grid.

    .. math:: p(x) = \int \mathcal{N}(z; 0, I) \, \mathcal{N}(x; \mathrm{NN}(z), \sigma^2 I) \, dz
    """

    def __init__(self, generator: Generator, *, hidden: int = 64, points: int = 16) -> None:
        super().__init__()
        self.network = mlp((2, hidden, 400), generator, nn.Tanh)
        self.log_noise = nn.Parameter(torch.tensor(-1.0))
        self.rule = normal_grid(points, 2)

    def evidence(self, x: Tensor, rule: tuple[Tensor, Tensor] | None = None) -> Exact:
        """log p(x) (n,) and log p(z_j | x) (n, m) by a rule for means under the prior."""
        z, log_weights = (part.to(x) for part in (rule or self.rule))
        made = self.network(z)  # (m, 400)
        squared = x.square().sum(-1)[:, None] - 2 * x @ made.mT + made.square().sum(-1)
        constant = x.shape[1] * (self.log_noise + 0.5 * math.log(2 * math.pi))
        table = log_weights - 0.5 * squared * (-2 * self.log_noise).exp() - constant
        log_evidence = table.logsumexp(-1)
        return Exact(log_evidence, table - log_evidence[:, None])

    def loss(self, x: Tensor, generator: Generator) -> Tensor:
        """Minus log p(x), (n,)."""
        return -self.evidence(x).log_evidence


def learn_to_decode(x: Tensor, seed: int, steps: int = 400) -> PictureDecoder:
    """Adam on the exact gradient of the sum, in single precision, with a bar; frozen in double."""
    model = PictureDecoder(rng.seeded(seed)).float()
    process = training.gradient_descent(
        model, x.float(), rng.seeded(seed), steps=steps, batch_size=256, lr=1e-2,
        schedule=lambda update: torch.optim.lr_scheduler.CosineAnnealingLR(update, steps))
    training.fit(tqdm(process, total=steps))
    return model.double().requires_grad_(False)


def remembered(x: Tensor, store: Tensor, width: float) -> Tensor:
    """Nearest neighbours with a density: each picture of the store, blurred by `width`: log p(x) (n,)."""
    return log_likelihood_table(x, store, width).logsumexp(-1) - math.log(len(store))


def true_log_prob(here: World, x: Tensor, points: int = 100) -> Tensor:
    """log p(x) (n,) under the renderer itself, its two free causes summed out on a grid."""
    columns = [NUMBERS.index(name) for name in here.free]
    steps = (torch.arange(points) + 0.5) / points
    numbers = torch.tensor([PLAIN[name] for name in NUMBERS]).repeat(points**2, 1)
    lower, upper = (end.to(numbers)[columns] for end in (LOWER, UPPER))
    numbers[:, columns] = lower + (upper - lower) * torch.cartesian_prod(steps, steps)
    clean = render(torch.full((len(numbers),), SQUARE), numbers)
    parts = [log_likelihood_table(rows, clean, NOISE).logsumexp(-1) for rows in x.split(200)]
    return torch.cat(parts) - math.log(len(clean))


def judged(here: World, decoder: PictureDecoder) -> dict[str, tuple[Tensor, Tensor]]:
    """log p(x) of new pictures, (seen combinations, unseen ones), by four models; half the store chose its width."""
    rule = normal_grid(60, 2)
    store, other = here.x[::2], here.x[1::2]
    width = max((0.1, 0.12, 0.14, 0.16, 0.2), key=lambda width: remembered(other, store, width).mean().item())
    ten = ppca(here.x, 10)
    models = {
        "memory": lambda x: remembered(x, here.x, width),
        "PPCA, 10 latents": ten.log_prob,
        "network, 2 latents": lambda x: torch.cat([decoder.evidence(rows, rule).log_evidence for rows in x.split(200)]),
        "the renderer": lambda x: true_log_prob(here, x),
    }
    return {name: (log_p(here.x_seen), log_p(here.x_unseen)) for name, log_p in models.items()}
