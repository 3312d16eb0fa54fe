"""Handwritten digits."""

from importlib.resources import files
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Labelled(NamedTuple):
    """Examples and what they are: x (n, D), y (n,) with whole numbers from 0."""

    x: Tensor
    y: Tensor


def optical_digits() -> Labelled:
    """5,620 digits by 43 writers, 8 × 8 pixels with 0 (paper) to 1 (ink) in steps of 1/16: x (5620, 64), y (5620,).

    Reference:  Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998).
    """
    with (files("course_lib.datasets") / "data" / "optdigits_8x8.npz").open("rb") as file, np.load(file) as table:
        x, y = torch.from_numpy(table["x"]), torch.from_numpy(table["y"])
    return Labelled(x.flatten(1).to(torch.get_default_dtype()) / 16, y.long())
