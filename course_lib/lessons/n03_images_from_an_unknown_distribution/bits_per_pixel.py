"""The exercise of lesson 03 on units: bits a pixel from nats an image."""

import math

import torch
from torch import Tensor

from ... import datasets, models
from ...classroom import Exercise, Mistake


def bits_per_pixel(log_prob, pixels):
    """Mean and standard error of the bits a pixel, from log p of each image in nats, shape (n,)."""
    bits = -log_prob / (pixels * math.log(2))
    return bits.mean(), bits.std() / math.sqrt(len(bits))


def _bits_cases():
    x = datasets.binarise(datasets.optical_digits("new").x)
    model = models.IndependentPixels(64).to(x.dtype)
    model.maximise(x[:900], smoothing=0.5)
    with torch.no_grad():
        yield model.log_prob(x[900:]), 64
    yield torch.tensor([-100.0, -130.0, -115.0, -170.0]), 784


def _other_bits(per_image, error=None):
    """The wrong answer whose bits of each image are `per_image(log_prob, pixels)`."""

    def wrong(log_prob, pixels):
        bits = per_image(log_prob, pixels)
        return bits.mean(), error(bits) if error else bits.std() / math.sqrt(len(bits))

    return wrong


def _bits(log_prob: Tensor, pixels: int) -> Tensor:
    return -log_prob / (pixels * math.log(2))


BITS_PER_PIXEL = Exercise(
    bits_per_pixel,
    _bits_cases,
    mistakes=(
        Mistake(_other_bits(lambda log_prob, pixels: -log_prob / pixels),
                "These are **nats a pixel**: divide by log 2 = 0.693 to get bits. (One bit is the smaller unit, so the "
                "number must grow.)"),
        Mistake(_other_bits(lambda log_prob, pixels: -log_prob * math.log(2) / pixels),
                "You **multiplied by log 2**: dividing is right. A fair coin has 0.693 nats and 1 bit."),
        Mistake(_other_bits(lambda log_prob, pixels: -log_prob / math.log(2)),
                "These are **bits an image**: divide by the number of pixels."),
        Mistake(_other_bits(lambda log_prob, pixels: -_bits(log_prob, pixels)),
                "The **sign is missing**: a log-probability is negative, a length in bits is positive."),
        Mistake(lambda log_prob, pixels: (_bits(log_prob, pixels).mean(), log_prob.std() / math.sqrt(len(log_prob))),
                "The mean is right, but the error is still in **nats an image**: scale both in the same way."),
        Mistake(lambda log_prob, pixels: (_bits(log_prob, pixels).mean(),
                                          _bits(log_prob, pixels).std() / math.sqrt(pixels)),
                "The mean is right; but the error falls with the root of the number of **images**, not of pixels: "
                "those of one image are not independent."),
        Mistake(lambda log_prob, pixels: (_bits(log_prob, pixels).sum(),
                                          _bits(log_prob, pixels).std() / math.sqrt(len(log_prob))),
                "A **sum, not a mean**: the scale must not depend on how many images were tested."),
        Mistake(_other_bits(lambda log_prob, pixels: -log_prob / pixels, lambda nats: nats.std()),
                "These are **nats a pixel**, and the second number is the spread of single images: divide both by log "
                "2, and the spread by the root of their number."),
        Mistake(_other_bits(_bits, lambda bits: bits.std()),
                "The second number is the **standard deviation** of the images. The error of their *mean* is smaller "
                "by the root of their number."),
        Mistake(_other_bits(_bits, lambda bits: bits.std() / len(bits)),
                "The error of a mean falls with the **root of n**, not with n."),
        Mistake(_other_bits(_bits, lambda bits: bits.std(correction=0) / math.sqrt(len(bits))),
                "`std(correction=0)` divides by n and is **too small on average**: the spread around a mean that was "
                "fitted to the same data takes n − 1, which is `std()`."),
        Mistake(lambda log_prob, pixels: (_bits(log_prob, pixels).sum(), _bits(log_prob, pixels).std()),
                "A **sum, not a mean** (and the spread of single images): the scale must not depend on how many images "
                "were tested."),
        Mistake(lambda log_prob, pixels: bits_per_pixel(log_prob, pixels)[::-1],
                "The right numbers in **another order**: return `(mean, error)`."),
    ),
    hints=(
        "log2 p = log p / log 2. Do all the scaling for each image first; then it is a mean and its standard error.",
        "`bits = -log_prob / (pixels * math.log(2))`; the error is `bits.std()` over the root of their number.",
    ),
    returns=("mean", "error"),
    minutes=4,
    difficulty=1,
)
