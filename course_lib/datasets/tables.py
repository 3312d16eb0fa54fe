"""Tables of numbers, read from the files that come with the course."""

import csv
import math
from collections.abc import Iterable
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

EMPTY = ("", "NA")  # how a file says that a value was not recorded
MISSING = -1  # how a column of codes says it; a column of numbers has NaN


class Labelled(NamedTuple):
    """Examples and what they are: x (n, D), y (n,) with whole numbers from 0."""

    x: Tensor
    y: Tensor


def read_table(name: str) -> dict[str, tuple[str, ...]]:
    """The columns of the file datasets/data/`name`, as they are written there."""
    with (files("course_lib.datasets") / "data" / name).open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return dict(zip(header, zip(*rows)))


def read_columns(name: str, *columns: str) -> Tensor:
    """Columns of the file datasets/data/`name`, in the default dtype, shape (n, len(columns)).

    Raises:     ValueError if the file has no such column.
    """
    table = read_table(name)
    missing = set(columns) - set(table)
    if missing:
        raise ValueError(f"`columns` must be among {list(table)}; got {sorted(missing)}.")
    return torch.stack([numbers(table[column]) for column in columns], -1)


def numbers(cells: Iterable[str]) -> Tensor:
    """The cells as numbers of the default dtype, NaN where a cell is empty, shape (n,)."""
    return torch.tensor([math.nan if cell in EMPTY else float(cell) for cell in cells])


def codes(cells: Iterable[str], levels: tuple[str, ...]) -> Tensor:
    """The position of each cell in `levels`, MISSING where a cell is empty, shape (n,)."""
    return torch.tensor([MISSING if cell in EMPTY else levels.index(cell) for cell in cells])


def read_arrays(name: str, *keys: str) -> list[np.ndarray]:
    """Arrays of the file datasets/data/`name`; what is not asked for is not unpacked."""
    with (files("course_lib.datasets") / "data" / name).open("rb") as file, np.load(file) as table:
        return [table[key] for key in keys]


def pixels(x: np.ndarray, largest: int) -> Tensor:
    """Whole numbers from 0 to `largest` as numbers from 0 to 1, in the default dtype."""
    return torch.from_numpy(x).to(torch.get_default_dtype()).div_(largest)
