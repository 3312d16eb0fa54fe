"""Kullback-Leibler divergences that can be computed exactly: on a table of all patches, and on a line."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ... import rng
from ...functional import categorical_kl, log_odds, normal_log_prob
from ...models import ChowLiuTree

# All patches of 3 × 3 pixels -----------------------------------------------------------------------------------------


def all_patches() -> Tensor:
    """Each of the 512 binary patches of 3 × 3 pixels, (512, 9); pixel d is bit d of the row's number."""
    return (torch.arange(512)[:, None] >> torch.arange(9) & 1).to(torch.get_default_dtype())


def patch_numbers(x: Tensor, row: int = 12, column: int = 13) -> Tensor:
    """The number, 0 to 511, of the patch of each image at this place: x (n, 784) -> (n,)."""
    patch = x.reshape(-1, 28, 28)[:, row:row + 3, column:column + 3].flatten(1).long()
    return (patch << torch.arange(9)).sum(-1)


def draw(p: Tensor, n: int, repeats: int, seed: int) -> Tensor:
    """How often each outcome came up in n draws from p (K,), `repeats` times: (repeats, K)."""
    draws = rng.categorical(p.log(), n * repeats, rng.seeded(seed)).reshape(repeats, n)
    return torch.stack([torch.bincount(row, minlength=len(p)) for row in draws]).to(p)


def fit_pixels(counts: Tensor, smoothing: float = 0.5) -> Tensor:
    """log p of every patch under independent pixels fitted to `counts` (512,)."""
    patches, total = all_patches(), counts.sum() + 2 * smoothing
    logits = log_odds(counts @ patches + smoothing, total)  # (9,)
    return patches @ logits - torch.nn.functional.softplus(logits).sum()


@torch.no_grad()
def fit_tree(counts: Tensor, smoothing: float = 0.25) -> Tensor:
    """log p of every patch under the tree fitted to `counts` (512,)."""
    patches, tree = all_patches(), ChowLiuTree(9)
    tree.maximise(patches.repeat_interleave(counts.long(), 0), smoothing=smoothing)
    return tree.log_prob(patches)


def fit_table(counts: Tensor, smoothing: float = 0.5) -> Tensor:
    """log p of every patch when each has a probability of its own."""
    return ((counts + smoothing) / (counts.sum() + len(counts) * smoothing)).log()


FITS = {"independent pixels": fit_pixels, "tree": fit_tree, "full table": fit_table}
SMOOTHINGS = (2.0, 1.0, 0.3, 0.1, 0.03)
PARAMETERS = {"independent pixels": 9, "tree": 17, "full table": 511}


def learning_curves(p: Tensor, sizes: Sequence[int], *, repeats: int, seed: int) -> dict[str, Tensor]:
    """KL(p, fitted) in nats, exact, for models of n draws from p (512,): each (sizes, repeats).

    At every size each model has that one of SMOOTHINGS which suits it best in the mean: no model is held back by a
    poor choice.
    """
    curves = {name: torch.empty(len(sizes), repeats) for name in FITS}
    for i, n in enumerate(sizes):
        draws = draw(p, n, repeats, seed + i)
        for name, fit in FITS.items():
            tried = torch.stack([torch.stack([categorical_kl(p, fit(counts, smoothing)) for counts in draws])
                                 for smoothing in SMOOTHINGS])  # (smoothings, repeats)
            curves[name][i] = tried[tried.mean(-1).argmin()]
    return curves


# Two humps and a Gaussian --------------------------------------------------------------------------------------------

LINE = torch.linspace(-64, 64, 5121, dtype=torch.float64)  # far beyond what is drawn: a wide q reaches there
STEP = (LINE[1] - LINE[0]).item()
DRAWN = LINE.abs() <= 8


def two_humps(weight: float, distance: float) -> Tensor:
    """log p on LINE: two Gaussians of standard deviation 0.7, `distance` apart, the left with this `weight`."""
    log_weights = torch.tensor([weight, 1 - weight], dtype=torch.float64).log()
    means = torch.tensor([-distance / 2, distance / 2], dtype=torch.float64)
    return (log_weights + normal_log_prob(LINE[:, None], means, torch.tensor(0.7).log())).logsumexp(-1)


def gaussian(mean: float | Tensor, log_scale: float | Tensor) -> Tensor:
    """log q on LINE."""
    return normal_log_prob(LINE, torch.as_tensor(mean), torch.as_tensor(log_scale))


def integrands(log_p: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor]:
    """p log(p / q) and q log(q / p) at every point; times STEP and summed they are the two divergences."""
    gap = log_p - log_q
    return log_p.exp() * gap, -log_q.exp() * gap


def both(log_p: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor]:
    """KL(p, q), forward, and KL(q, p), reverse, in nats."""
    forward, reverse = integrands(log_p, log_q)
    return STEP * forward.sum(), STEP * reverse.sum()


def descend(log_p: Tensor, mean: float, scale: float, *, forward: bool, steps: int = 400) -> tuple[float, float]:
    r"""The mean and standard deviation of the Gaussian where gradient descent on one divergence ends.

    The steps follow the natural gradient: that in the mean times :math:`\sigma^2`, that in :math:`\log \sigma` halved.
    With m and v the mean and variance of p, and s the slope of log p, the gradients are

    .. math:: \text{forward: } \; \frac{\mu - m}{\sigma^2}, \quad 1 - \frac{v + (m - \mu)^2}{\sigma^2} \qquad
              \text{reverse: } \; -\mathbb{E}_q s(x), \quad -1 - \mathbb{E}_q s(x) (x - \mu)
    """
    p, (slope,) = log_p.exp(), torch.gradient(log_p, spacing=STEP)
    first, second = STEP * (p @ LINE), STEP * (p @ LINE.square())
    mean, log_scale = torch.tensor(mean).to(LINE), torch.tensor(scale).to(LINE).log()
    for _ in range(steps):
        variance = (2 * log_scale).exp()
        if forward:
            in_mean = (mean - first) / variance
            in_log_scale = 1 - (second - 2 * mean * first + mean.square()) / variance
        else:
            pull = STEP * gaussian(mean, log_scale).exp() * slope
            in_mean, in_log_scale = -pull.sum(), -1 - pull @ (LINE - mean)
        mean, log_scale = mean - 0.2 * variance * in_mean, log_scale - 0.1 * in_log_scale.clamp(-5, 5)
    return mean.item(), log_scale.exp().item()
