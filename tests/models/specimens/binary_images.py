"""Specimens of the models of binary images, and of mixtures of categories."""

from course_lib.models import BernoulliMixture, CategoricalMixture, ChowLiuTree, IndependentPixels

import torch

from . import Specimen, binary


def categories():
    points = torch.cartesian_prod(*[torch.arange(level) for level in (3, 2, 4)])
    return points, torch.zeros(len(points))


def star():
    """A tree whose root is the last value, and every other's parent."""
    tree = ChowLiuTree(4)
    tree.parent.copy_(torch.tensor([3, 3, 3, 4]))
    return tree


SPECIMENS = {
    "pixels": Specimen(lambda: IndependentPixels(4), lambda: binary(4)),
    "mixture-bernoulli": Specimen(lambda: BernoulliMixture(3, 4), lambda: binary(4)),
    "mixture-categorical": Specimen(lambda: CategoricalMixture(3, (3, 2, 4)), categories),
    "tree-chain": Specimen(lambda: ChowLiuTree(4), lambda: binary(4), shake=1.0),
    "tree-star": Specimen(star, lambda: binary(4), shake=1.0),
}
