"""The experiments of lesson 03 on whole images: a store that is asked, prior knowledge, and what is new."""

import math
from collections.abc import Sequence

import torch
from scipy.integrate import quad
from torch import Generator, Tensor

from ... import datasets, rng
from ...metrics import Estimate
from ...models import BernoulliMixture, ChowLiuTree, Density, IndependentPixels


def digits(dtype: torch.dtype | None = None) -> tuple[Tensor, Tensor]:
    """4,000 binary digits to learn from and 1,000 new ones: x (4000, 784), x_new (1000, 784)."""
    x = datasets.binarise(datasets.mnist().x)
    return datasets.split(x.to(dtype or x.dtype), held_out=1000, generator=rng.seeded(10))


# Large numbers -------------------------------------------------------------------------------------------------------

SPEED_OF_LIGHT, MEGAPARSEC = 299_792.458, 3.0857e22  # km/s; m
HUBBLE, MATTER, BARYONS, RADIATION = 67.4, 0.315, 0.0224, 9.1e-5  # km/s/Mpc; shares; Omega_b h^2 (Planck 2018)
DISKS = 6.8e21  # bytes: all storage installed in the world in 2020 (IDC)


def _expansion(a: float) -> float:
    """The rate at which the universe grew when it was `a` times as large as today, in units of today's."""
    return math.sqrt(RADIATION / a**4 + MATTER / a**3 + 1 - MATTER - RADIATION)


def large_numbers() -> dict[str, float]:
    """Large numbers to compare with, each as its log10."""
    time, _ = quad(lambda a: 1 / (a * _expansion(a)), 0, 1)  # the age, in units of 1 / HUBBLE
    reach, _ = quad(lambda a: 1 / (a * a * _expansion(a)), 0, 1)  # how far light has come since, in c / HUBBLE
    age = time * MEGAPARSEC / 1e3 / HUBBLE  # s
    radius = reach * SPEED_OF_LIGHT / HUBBLE * MEGAPARSEC  # m
    atoms = BARYONS * 1.878e-26 / 1.6735e-27 * 4 / 3 * math.pi * radius**3  # a density over the mass of hydrogen
    return {
        "seconds since the Big Bang": math.log10(age),
        "28 × 28 images on all disks of the world": math.log10(DISKS / 98),
        "atoms in the observable universe": math.log10(atoms),
    }


# A store of images ---------------------------------------------------------------------------------------------------


def distances(a: Tensor, b: Tensor) -> Tensor:
    """In how many pixels binary images differ: a (n, D), b (m, D) -> (n, m)."""
    return a.sum(-1)[:, None] + b.sum(-1) - 2 * a @ b.mT


def how_many_fit(asked: Tensor, store: Tensor, pixels: Tensor) -> Tensor:
    """How many images of the `store` (m, D) agree with each one `asked` (n, D) at these `pixels` (k,): (n,)."""
    return (distances(asked[:, pixels], store[:, pixels]) < 0.5).sum(-1)


def chance_of_a_hit(fitting: Tensor, stored: int, sizes: Tensor) -> Tensor:
    r"""The probability that at least one fits in a random part of a store of which `fitting` (n,) images fit.

    .. math:: 1 - \binom{S - c}{N} \Big/ \binom{S}{N}, \qquad S \text{ stored, } c \text{ fit, } N \text{ in the part}

    Shapes:     sizes (m,) -> (n, m).
    """
    others = stored - fitting[:, None].double()
    log_miss = (
        (others + 1).lgamma() - ((others - sizes).clamp_min(0) + 1).lgamma()
        - math.lgamma(stored + 1) + (stored - sizes + 1).lgamma()
    )
    return torch.where(sizes > others, 1.0, -torch.expm1(log_miss))


def hits(asked: Tensor, store: Tensor, k: int, sizes: Tensor, *, sets: int, seed: int) -> Tensor:
    """The share of those `asked` that find an image that agrees at k random pixels, for `sets` choices of pixels.

    Shapes:     asked (n, D), store (m, D), sizes (s,) -> (sets, s).
    """
    generator, rows = rng.seeded(seed), []
    for _ in range(sets):
        pixels = rng.rows(asked.shape[1], k, generator)
        rows.append(chance_of_a_hit(how_many_fit(asked, store, pixels), len(store), sizes).mean(0))
    return torch.stack(rows)


def size_for_half(hit: Tensor, sizes: Tensor) -> Tensor:
    """log2 of the size at which the mean over the sets, hit (sets, s), passes one half."""
    curve = hit.mean(0)
    after = int((curve < 0.5).sum())
    if after == len(sizes):
        return torch.tensor(torch.nan)
    if after == 0:
        return sizes[0].log2()
    low, high = curve[after - 1], curve[after]
    return torch.lerp(sizes[after - 1].log2(), sizes[after].log2(), (0.5 - low) / (high - low))


def doubling(hit: Tensor, ks: Sequence[int], sizes: Tensor) -> tuple[Tensor, Tensor]:
    """log2 of the size for one half at each k, (ks,), and the slope of the line through them: bits a pixel, ()."""
    needed = torch.stack([size_for_half(row, sizes) for row in hit])
    k = torch.tensor(ks, dtype=needed.dtype)
    centred = k - k.mean()
    return needed, (centred * needed).sum() / centred.square().sum()


def jackknife(parts: Tensor) -> Tensor:
    """The standard error of a statistic from its values with one of m parts left out: (m, ...) -> (...)."""
    m = len(parts)
    return ((m - 1) / m * (parts - parts.mean(0)).square().sum(0)).sqrt()


# Prior knowledge -----------------------------------------------------------------------------------------------------


def neighbours(side: int) -> Tensor:
    """Which pixels of a square image touch along an edge: (side^2, side^2), boolean."""
    row, column = torch.arange(side**2) // side, torch.arange(side**2) % side
    return (row[:, None] - row).abs() + (column[:, None] - column).abs() == 1


@torch.no_grad()
def held_out_with_little(x: Tensor, x_new: Tensor, n: int, *, repeats: int, seed: int) -> Tensor:
    """Held-out nats a digit of three models of `n` digits: independent pixels, any tree, a tree of neighbours.

    Shapes:     x (N, D), x_new (m, D) -> (repeats, 3): each repeat learns from other digits.
    """
    generator, allowed, scores = rng.seeded(seed), neighbours(math.isqrt(x.shape[1])), []
    for _ in range(repeats):
        few = x[rng.rows(len(x), n, generator)]
        pixels, free, near = (family(x.shape[1]).to(x) for family in (IndependentPixels, ChowLiuTree, ChowLiuTree))
        pixels.maximise(few, smoothing=0.5)
        free.maximise(few, smoothing=0.5)
        near.maximise(few, smoothing=0.5, edges=allowed)
        scores.append(torch.stack([model.log_prob(x_new).mean() for model in (pixels, free, near)]))
    return torch.stack(scores)


# What is new ---------------------------------------------------------------------------------------------------------


def copies(x: Tensor, n: int, flips: float, generator: Generator) -> Tensor:
    """A model that has learnt by heart: a training image, in which each pixel is flipped with probability `flips`."""
    chosen = x[rng.rows(len(x), n, generator, replacement=True)]
    return (chosen - rng.bernoulli(torch.full_like(chosen, flips), generator)).abs()


@torch.no_grad()
def learnt_by_heart(x: Tensor, flips: float) -> BernoulliMixture:
    """The density of `copies`: a mixture with one component for each of the training images x (n, D)."""
    model = BernoulliMixture(*x.shape).to(x.dtype)
    model.feature_logits.copy_((2 * x - 1) * math.log((1 - flips) / flips))
    return model


def nearest_two(images: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to the nearest training image, and its ratio to that of the second nearest: (n,) each.

    One half is added to both distances, so that the ratio of two exact copies is 1 and no division fails.
    """
    parts = [distances(part, x).topk(2, largest=False).values for part in images.split(250)]  # a table of all is large
    first, second = torch.cat(parts).unbind(-1)
    return first, (first + 0.5) / (second + 0.5)


def caught(statistic: Tensor, null: Tensor, level: float = 0.05) -> Estimate:
    """The share of `statistic` (n,) below the `level` quantile of its values on held-out images, `null` (m,).

    The standard error is that of a share of n.
    """
    share = (statistic < null.quantile(level)).double().mean().item()
    return Estimate(share, math.sqrt(share * (1 - share) / len(statistic)))


@torch.no_grad()
def total_bits(model: Density, x: Tensor) -> Tensor:
    """What a code made of the model needs for each image: -log2 p(x), shape (n,)."""
    return -model.log_prob(x).double() / math.log(2)
