"""What is done to a data set before a model sees it."""

import torch
from torch import Generator, Tensor

from ..errors import require_finite, require_positive
from ..rng import rows


def binarise(x: Tensor, threshold: float = 0.5) -> Tensor:
    """1 where `x` is above `threshold`, else 0: same shape, same dtype.

    Raises:     ValueError unless `x` holds floating-point numbers, all of them finite.
    """
    if not x.is_floating_point():
        raise ValueError(f"`x` must hold floating-point numbers; got {x.dtype}.")
    require_finite("x", x)
    return (x > threshold).to(x.dtype)


def split(*tensors: Tensor, held_out: int, generator: Generator) -> tuple[Tensor, ...]:
    """Shuffle the rows of all `tensors` alike and keep the last `held_out` of them apart.

    The order is that of scikit-learn's `train_test_split`: x, x_held_out, y, y_held_out = split(x, y, ...).

    Raises:     ValueError unless all tensors have the same number of rows, more than `held_out`.
    """
    lengths = [len(tensor) for tensor in tensors]
    if len(set(lengths)) != 1:
        raise ValueError(f"`tensors` must be one or more, with the same number of rows; got {lengths}.")
    require_positive("held_out", held_out, whole=True)
    n = lengths[0]
    if held_out >= n:
        raise ValueError(f"`held_out` must be less than the number of rows, {n}; got {held_out}.")
    train, rest = torch.tensor_split(rows(n, n, generator), [n - held_out])
    return tuple(tensor[part.to(tensor.device)] for tensor in tensors for part in (train, rest))
