"""Bits a pixel of the models of the course in one picture: lesson 15."""

import math

import torch
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR
from tqdm.auto import tqdm

from ... import rng
from ...inference import oracle
from ...metrics import Estimate, estimate
from ...models import MADE, VAE, BernoulliMixture, ChowLiuTree, IndependentPixels, ProbabilisticPCA
from ...training import expectation_maximisation, fit, gradient_descent
from .. import weights
from ..n03_images_from_an_unknown_distribution import compression
from ..n10_deep_latent_variable_models.experiments import cut_log_prob, log_prob_each_label


def from_nats(log_prob: Tensor) -> Estimate:
    """Bits a pixel, with the standard error over pictures, from log p of pictures of 784 pixels in nats."""
    return estimate(-log_prob.double() / (784 * math.log(2)))


@torch.no_grad()
def counted(x: Tensor, x_new: Tensor) -> dict[str, Tensor]:
    """log p(x) of the new digits under models that are fitted in a moment, by counting or by EM: (n,) each."""
    pixels, tree = IndependentPixels(784).to(x), ChowLiuTree(784).to(x)
    pixels.maximise(x, smoothing=0.1)
    tree.maximise(x, smoothing=0.1)
    plane = ProbabilisticPCA(784, 2).to(x)
    plane.maximise(x)
    found = {"independent pixels (03)": pixels.log_prob(x_new), "tree of pixels (03)": tree.log_prob(x_new),
             "PPCA, 2 latents, cut at ½ (10)": cut_log_prob(plane.double(), x_new.double())}
    for components in (10, 100):
        mixture = BernoulliMixture(components, 784).to(x).start_at(x, rng.seeded(1))
        fit(expectation_maximisation(mixture, x, steps=25, smoothing=0.1))
        found[f"mixture of {components} (08)"] = mixture.log_prob(x_new)
    return found


def autoregressive(x: Tensor, x_new: Tensor, *, epochs: int) -> dict[str, Tensor]:
    """log p(x) under notebook 05's models that hear every pixel before, trained for a few seconds: (n,) each."""
    regressions, network = (MADE(784, hidden, generator=rng.seeded(0)).to(x) for hidden in ((), (200,)))
    return {
        "regressions: every pixel before (05)": _trained(regressions, x, x_new, epochs=epochs, batch_size=100, lr=0.05),
        "MADE: every pixel before (05)": _trained(network, x, x_new, epochs=epochs, batch_size=50, lr=0.02),
    }


def _trained(model: MADE, x: Tensor, x_new: Tensor, *, epochs: int, batch_size: int, lr: float) -> Tensor:
    """log p(x) of the new digits after so many epochs, (n,)."""
    model.output.bias.data = torch.logit((x.sum(0) + 0.1) / (len(x) + 0.2))
    steps = epochs * (len(x) // batch_size)
    process = gradient_descent(model, x, rng.seeded(1), epochs=epochs, batch_size=batch_size, lr=lr,
                               schedule=lambda update: CosineAnnealingLR(update, steps))
    fit(tqdm(process, total=steps, desc=f"{epochs} epochs of MADE", leave=False), every=steps)
    with torch.no_grad():
        return model.log_prob(x_new)


@torch.no_grad()
def shipped(x_new: Tensor) -> dict[str, Tensor]:
    """log p(x) under the decoders that come with the course, on a grid; with eight latents a bound, K = 128."""
    recipes = (weights.PLANE, weights.LABELLED, weights.EIGHT)
    plane, labelled, eight = (weights.trained(recipe).to(x_new) for recipe in recipes)
    rule = tuple(part.to(x_new) for part in oracle.normal_grid(60, 2))
    each = log_prob_each_label(labelled, x_new, points=30)
    return {
        "decoder, 2 latents, exact gradient (10)": plane.evidence(x_new, rule).log_evidence,
        "decoder, 2 latents and a label (10)": each.logsumexp(-1) - math.log(10),
        "VAE, 8 latents, a bound (15)": iwae(eight, x_new, 128),
    }


@torch.no_grad()
def iwae(model: VAE, x: Tensor, draws: int) -> Tensor:
    """The bound with `draws` weighted draws, 10 pictures at a time, (n,)."""
    generator, found = rng.seeded(0), torch.empty_like(x[:, 0])
    for rows, place in zip(x.split(10), found.split(10)):
        place.copy_(model.iwae(rows, draws, generator))
    return found


def compressed(x_new: Tensor, group: int = 100) -> Estimate:
    """What PNG needs a pixel, many digits in one file."""
    parts = x_new.cpu().split(group)
    return estimate(torch.tensor([8.0 * len(compression.png(part)) / part.numel() for part in parts]))
