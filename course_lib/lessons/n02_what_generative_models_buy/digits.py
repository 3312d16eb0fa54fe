"""The digits of lesson 02: naive Bayes that learns from a few labels and many pictures without, many draws at once."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor
from tqdm.auto import tqdm

from ... import datasets, rng
from ...metrics import Estimate, estimate

CLASSES, UNLABELLED, SMOOTHING = 10, 4000, 0.5
WEIGHT = 0.05  # of a digit without label, where it is to count little


class Bayes(NamedTuple):
    """R naive Bayes models of binary pictures, with S components a class."""

    log_prior: Tensor  # (R, 10 S)
    ink: Tensor  # (R, 10 S, D), the probability of ink


def pictures() -> tuple[Tensor, Tensor]:
    """All 5,620 digits of 8 × 8 pixels, ink or paper: x (n, 64), single precision; y (n,)."""
    x, y = datasets.optical_digits()
    return datasets.binarise(x).float(), y


def deal(y: Tensor, labels: int, draws: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Deal the digits out, `draws` times: what each learner is told, and which digits test it.

    known (draws, n): the class of `labels` digits of each class, -1 for the 4,000 without label, -2 for the
    rest; the rest, as a mask (draws, n), are the test.
    """
    known = torch.full((draws, len(y)), -2)
    for row in known:
        order = rng.rows(len(y), len(y), generator)
        rank = torch.stack([(y[order] == k).cumsum(0) for k in range(CLASSES)])[y[order], torch.arange(len(y))]
        chosen, others = order[rank <= labels], order[rank > labels]
        row[chosen] = y[chosen]
        row[others[:UNLABELLED]] = -1
    return known, known == -2


def log_joint(x: Tensor, model: Bayes) -> Tensor:
    """log p(x, z) of each picture for each component: x (n, D) -> (R, n, 10 S)."""
    paper = (1 - model.ink).log()
    return model.log_prior[:, None] + x @ (model.ink.log() - paper).mT + paper.sum(-1)[:, None]


def maximise(x: Tensor, r: Tensor) -> Bayes:
    """The M-step: r (R, n, 10 S), rows that count less than one allowed."""
    counts = r.sum(1)  # (R, 10 S)
    ink = (r.mT @ x + SMOOTHING) / (counts[..., None] + 2 * SMOOTHING)
    return Bayes(counts.clamp_min(1e-12).log().log_softmax(-1), ink)


def allowed(known: Tensor, components: int) -> Tensor:
    """Which components a digit may come from: (R, n) -> (R, n, 10 S), boolean; none for those left out."""
    classes = torch.arange(CLASSES).repeat_interleave(components)
    return (known[..., None] == classes) | (known[..., None] == -1)


def learn(x: Tensor, known: Tensor, *, steps: int, components: int = 1, weight: float = 1.0,
          generator: Generator | None = None) -> Bayes:
    """First from the labels alone, then `steps` steps of EM with all that is not left out.

    A digit without label counts `weight`. With several components a class even the labelled digits have something
    hidden: EM starts from random shares.
    """
    told = allowed(known.where(known >= 0, -2), components)
    shares = told.to(x) if components == 1 else told * rng.uniform(told.shape, generator, x)
    model = maximise(x, shares / shares.sum(-1, keepdim=True).clamp_min(1e-6))
    forbidden = torch.where(allowed(known, components), 0.0, -1e9).to(x)  # (R, n, 10 S), added to logs
    counted = ((known >= 0) + weight * (known == -1))[..., None].to(x)  # (R, n, 1), nothing for those left out
    for _ in range(steps):
        model = maximise(x, counted * (log_joint(x, model) + forbidden).softmax(-1))
    return model


def accuracy(x: Tensor, y: Tensor, test: Tensor, model: Bayes) -> Tensor:
    """The share of right answers on each draw's test: (R,)."""
    table = log_joint(x, model).unflatten(-1, (CLASSES, -1)).logsumexp(-1)  # (R, n, 10)
    right = (table.argmax(-1) == y) & test
    return right.sum(-1) / test.sum(-1)


def curve(x: Tensor, y: Tensor, counts: list[int], *, draws: int = 10, steps: int = 12, components: int = 1,
          seed: int = 0, title: str = "labels") -> dict[str, list[Estimate]]:
    """Accuracy with `counts` labels a class: from the labels alone, with 4,000 digits without label, with the same
    at the weight of WEIGHT each, and what either gains.
    """
    found = {"labels alone": [], "with 4,000 unlabelled": [], "the same, light": [], "gain": [], "light gain": []}
    for labels in tqdm(counts, desc=title, leave=False):
        generator = rng.seeded(seed + labels)
        known, test = deal(y, labels, draws, generator)
        options = {"components": components, "generator": generator}
        alone = learn(x, known.where(known >= 0, -2), steps=steps if components > 1 else 0, **options)
        both, light = (learn(x, known, steps=steps, weight=weight, **options) for weight in (1.0, WEIGHT))
        few, many, some = (accuracy(x, y, test, model) for model in (alone, both, light))
        for name, values in zip(found, (few, many, some, many - few, some - few), strict=True):
            found[name].append(estimate(values))
    return found


def obedient(x: Tensor, y: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Pictures that obey naive Bayes to the letter: each class's pixels drawn on their own. As many as in x (n, D)."""
    told = torch.nn.functional.one_hot(y, CLASSES).to(x)
    ink = maximise(x, told[None]).ink[0]
    return rng.bernoulli(ink[y], generator), y
