"""The outlines of animals."""

import torch

from .tables import Labelled, pixels, read_arrays

ANIMALS = ("bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra")


def silhouettes() -> Labelled:
    """5,000 outlines of animals, 28 × 28 pixels from 0 to 1 in steps of 1/255: x (5000, 784), y (5000,).

    500 each of the ten `ANIMALS`, whose positions there are the labels.

    Reference:  Mohammadi, Animal-MNIST, package animal-mnist 0.4.
    """
    x, y = read_arrays("animal_silhouettes_28x28.npz", "x", "y")
    return Labelled(pixels(x, 255).flatten(1), torch.from_numpy(y).long())
