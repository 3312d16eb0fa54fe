"""Tables of numbers, read from the files that come with the course."""

import csv
from importlib.resources import files

import torch
from torch import Tensor


def read_columns(name: str, *columns: str) -> Tensor:
    """Columns of the file datasets/data/`name`, in the default dtype, shape (n, len(columns)).

    Raises:     ValueError if the file has no such column.
    """
    with (files("course_lib.datasets") / "data" / name).open(encoding="utf-8") as file:
        table = csv.DictReader(file)
        missing = set(columns) - set(table.fieldnames or ())
        if missing:
            raise ValueError(f"`columns` must be among {table.fieldnames}; got {sorted(missing)}.")
        return torch.tensor([[float(row[column]) for column in columns] for row in table])
