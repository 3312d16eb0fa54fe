"""The experiments of lesson 01 on penguins and on digits of 8 × 8 pixels."""

from collections.abc import Iterator
from functools import cache, partial

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from ... import datasets, metrics, rng
from ...datasets.penguins import ISLANDS
from ...models import ConditionalCategorical, GaussianMixture
from ...training import fit, gradient_descent

FLOOR = 0.01  # the least variance of a pixel, in any direction of the 64
HELD = torch.arange(64) >= 32  # the lower half of a picture


def birds(island: str) -> tuple[Tensor, Tensor]:
    """Bills x (n, 2), length and depth in mm, of the Adelies (y = 0) and Chinstraps (y = 1) of one island."""
    all_birds = datasets.penguins()
    x = torch.stack([all_birds.bill_length, all_birds.bill_depth], -1)
    chosen = (all_birds.species < 2) & (all_birds.island == ISLANDS.index(island)) & x.isfinite().all(-1)
    return x[chosen].to(torch.get_default_dtype()), all_birds.species[chosen]


def moments(x: Tensor) -> Tensor:
    """What each row adds to the two means, the two variances and the covariance of x (n, 2): (n, 5)."""
    centred = x - x.mean(0)
    return torch.cat([x, centred.square(), centred.prod(-1, keepdim=True)], -1)


def moment_gaps(simulated: Tensor, real: Tensor, learnt_from: Tensor) -> Tensor:
    """The five moments of simulated minus those of real rows, in standard errors: (5,).

    The errors count the real rows and those that the simulation was learnt from; of simulated ones there are many.
    """
    ours, theirs = moments(simulated), moments(real)
    variance = theirs.var(0) / len(real) + moments(learnt_from).var(0) / len(learnt_from) + ours.var(0) / len(simulated)
    return (ours.mean(0) - theirs.mean(0)) / variance.sqrt()


def digit_model(floor: float = FLOOR) -> GaussianMixture:
    """Ten Gaussians with own covariances, one a digit, counted and averaged from the training writers."""
    model = GaussianMixture(10, 64, covariance="full")
    model.maximise_labelled(*datasets.optical_digits("training"), variance_floor=floor)
    return model.requires_grad_(False)


@cache
def network(holes: bool = False, dtype: torch.dtype = torch.float64) -> ConditionalCategorical:
    """A classifier of digits with 100 hidden units, trained on the same writers.

    With `holes` it takes 128 numbers, the pixels (0 where covered) and which of them are seen, and it has trained on
    eight copies of every digit with a random share of its pixels covered.
    """
    x, y = datasets.optical_digits("training")
    x, steps = x.float(), 600
    if holes:
        x, y, steps = x.repeat(8, 1), y.repeat(8), 2000
        share = rng.uniform((len(x), 1), rng.seeded(2), x)
        x = with_mask(x, rng.uniform(tuple(x.shape), rng.seeded(3), x) < share)
    model = ConditionalCategorical(x.shape[1], 10, hidden=(100,), generator=rng.seeded(0)).float()
    schedule = partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=steps)
    fit(gradient_descent(model, (x, y), rng.seeded(1), steps=steps, batch_size=256, lr=1e-2, schedule=schedule))
    return model.to(dtype).requires_grad_(False)


def with_mask(x: Tensor, seen: Tensor) -> Tensor:
    """The pixels, 0 where covered, beside which of them are seen: (n, 2 D)."""
    return torch.cat([torch.where(seen, x, 0.0), seen.expand_as(x).to(x)], -1)


def covers(n: int) -> dict[str, Tensor]:
    """Which pixels of n digits are seen, each (n, 64). Random covers are shared by every thirtieth digit."""
    random = rng.uniform((30, 64), rng.seeded(1), torch.empty(0)).argsort(-1) < 32  # (30, 64), half of each row
    return {
        "nothing": torch.ones(n, 64, dtype=torch.bool),
        "half at random": random[torch.arange(n) % 30],
        "the upper half": HELD.expand(n, -1),
        "the lower half": ~HELD.expand(n, -1),
    }


def answers(model: GaussianMixture, x: Tensor, seen: Tensor) -> Iterator[tuple[str, Tensor]]:
    """What each way of coping with covered pixels makes of x (n, 64): its name, and log p(y | seen) (n, 10)."""
    plain, holes = network(dtype=x.dtype), network(holes=True, dtype=x.dtype)
    yield "generative: covered pixels summed out", model.log_joint(x, seen=seen).log_softmax(-1)
    yield "network, fed zeros", plain.logits(torch.where(seen, x, 0.0)).log_softmax(-1)
    yield "network, fed the mean digit", plain.logits(torch.where(seen, x, mean_digit())).log_softmax(-1)
    yield "network, trained with random holes", holes.logits(with_mask(x, seen)).log_softmax(-1)
    yield "network, fed what the joint expects", plain.logits(model.expected(x, seen)).log_softmax(-1)


def mean_digit() -> Tensor:
    """The mean of all training digits, (64,)."""
    return datasets.optical_digits("training").x.mean(0)


def animals(n: int) -> Tensor:
    """Outlines of animals made as the digits were made: 32 × 32 bits, counted in blocks of 4 × 4: (n, 64)."""
    pictures = datasets.silhouettes().x[:n].unflatten(1, (1, 28, 28))
    return avg_pool2d(datasets.binarise(pad(pictures, (2, 2, 2, 2))), 4).flatten(1)


def as_scanned(x: Tensor) -> Tensor:
    """Simulated pixels cut to 0 to 1 and rounded to sixteenths, as a scanned digit has them."""
    return (16 * x.clamp(0, 1)).round() / 16


def judge(real: Tensor, simulated: Tensor, *, folds: int = 5) -> Tensor:
    """Whether a classifier, Gaussians again, tells a row it has not seen for real or simulated: (2 n,) of 0 and 1."""
    x, y = torch.cat([real, simulated]), torch.arange(2).repeat_interleave(torch.tensor([len(real), len(simulated)]))
    fold = torch.randperm(len(x), generator=rng.seeded(0)) % folds
    right = torch.empty(len(x), dtype=x.dtype)
    for held in range(folds):
        model = GaussianMixture(2, x.shape[1], covariance="full")
        model.maximise_labelled(x[fold != held], y[fold != held], variance_floor=1e-3)
        with torch.no_grad():
            right[fold == held] = (model.posterior(x[fold == held]).argmax(-1) == y[fold == held]).to(x.dtype)
    return right


def two_scores(floor: float) -> tuple[metrics.Estimate, metrics.Estimate]:
    """On new writers' digits, with this least variance: the share classified rightly, and log p(x) in nats."""
    x, y = datasets.optical_digits("new")
    log_joint = digit_model(floor).log_joint(x)  # (n, 10)
    return metrics.estimate((log_joint.argmax(-1) == y).to(x.dtype)), metrics.estimate(log_joint.logsumexp(-1))
