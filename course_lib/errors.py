"""Messages for arguments that do not fit: what is required, and what came."""

import torch
from torch import Tensor


class NumericalError(ArithmeticError):
    """A computation left the numbers it can be trusted on; the message names cause and remedy."""


class SingularCovariance(NumericalError):
    """A Gaussian has shrunk onto a point or a line, where its likelihood has no upper limit."""


def require_rows(
    name: str, x: Tensor, event_shape: tuple[int, ...], *, whole: bool = False, like: Tensor | None = None
) -> None:
    """Raise ValueError unless `x` is a tensor of shape (n, *event_shape) with n >= 1.

    It must hold floating-point numbers (if `whole` integers, torch.int64), and be where `like` is, with its dtype.
    """
    want = ", ".join(map(str, ("n", *event_shape))) + ("," if not event_shape else "")
    if not isinstance(x, Tensor):
        raise ValueError(f"`{name}` must be a tensor of shape ({want}); got {type(x).__name__}.")
    if x.ndim != len(event_shape) + 1 or tuple(x.shape[1:]) != tuple(event_shape):
        raise ValueError(f"`{name}` must have shape ({want}); got {tuple(x.shape)}.")
    if whole and (x.is_floating_point() or x.is_complex() or x.dtype == torch.bool):
        raise ValueError(f"`{name}` must hold integers; got {x.dtype}.")
    if whole and x.dtype != torch.long:  # as an index, uint8 would be taken for a mask
        raise ValueError(f"`{name}` must hold integers of torch.int64; got {x.dtype}. Try x.long().")
    if not whole and not x.is_floating_point():
        raise ValueError(f"`{name}` must hold floating-point numbers; got {x.dtype}.")
    if len(x) == 0:
        raise ValueError(f"`{name}` must have at least one row; got {tuple(x.shape)}.")
    if like is not None:
        _require_place(name, x, like, whole)


def _require_place(name: str, x: Tensor, like: Tensor, whole: bool) -> None:
    if x.device != like.device:
        raise ValueError(f"`{name}` must be on {like.device}, where the model is; got {x.device}. Try x.to(device).")
    if not whole and x.dtype != like.dtype:
        raise ValueError(f"`{name}` must be {like.dtype}, as the model is; got {x.dtype}. Try x.to(dtype).")


def require_vectors(name: str, z: Tensor, length: int) -> None:
    """Raise ValueError unless `z` has shape (..., length)."""
    if z.shape[-1:] != (length,):
        raise ValueError(f"`{name}` must have shape (..., {length}); got {tuple(z.shape)}.")


def require_finite(name: str, x: Tensor) -> None:
    """Raise ValueError if `x` holds a NaN or an infinite value; say how many and where the first is."""
    bad = ~torch.isfinite(x)
    if bad.any():
        first = tuple(bad.nonzero()[0].tolist())
        raise ValueError(
            f"`{name}` must be finite; got {int(bad.sum())} NaN or infinite values, the first at {first}."
        )


def require_positive(name: str, value: float, *, whole: bool = False) -> None:
    """Raise ValueError unless `value` is a finite number > 0 (an integer, if `whole`)."""
    kind = "a whole number >= 1" if whole else "a finite number > 0"
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value < float("inf"):
        raise ValueError(f"`{name}` must be {kind}; got {value!r}.")


def require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise ValueError unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, choices))}; got {value!r}.")


def require_binary(name: str, x: Tensor) -> None:
    """Raise ValueError unless `x` holds only 0 and 1; say what the first other value is."""
    bad = (x != 0) & (x != 1)
    if bad.any():
        first = tuple(bad.nonzero()[0].tolist())
        raise ValueError(f"`{name}` must hold only 0 and 1; got {x[first].item()} at {first}.")


def require_labels(name: str, y: Tensor, n: int, classes: int) -> None:
    """Raise ValueError unless `y` holds `n` integers from 0 to `classes` - 1."""
    require_rows(name, y, (), whole=True)
    if len(y) != n or not 0 <= y.min() <= y.max() < classes:
        raise ValueError(
            f"`{name}` must hold {n} whole numbers from 0 to {classes - 1}; "
            f"got shape {tuple(y.shape)}, values {y.min().item()} to {y.max().item()}."
        )


def require_counts(name: str, x: Tensor) -> None:
    """Raise ValueError unless `x` holds whole numbers >= 0 (in any dtype)."""
    bad = ~((x >= 0) & (x == x.round()))
    if bad.any():
        first = tuple(bad.nonzero()[0].tolist())
        raise ValueError(f"`{name}` must hold whole numbers >= 0; got {x[first].item()} at {first}.")


def require_probabilities(name: str, p: Tensor) -> None:
    """Raise ValueError unless `p` is >= 0 and adds up to 1 along its last axis, up to rounding."""
    require_finite(name, p)
    total = p.sum(-1)
    if (p < 0).any() or ((total - 1).abs() > 1e-4).any():
        worst = total.flatten()[(total - 1).abs().argmax()].item()
        raise ValueError(
            f"`{name}` must be >= 0 and add up to 1 along its last axis; "
            f"got a smallest value of {p.min().item():.6g} and a sum of {worst:.6g}."
        )


def require_values(name: str, values: Tensor, z: Tensor, *, broadcast: bool = False) -> None:
    """Raise ValueError unless `values`, what the function `name` gave for `z` (..., d), has shape (...).

    With `broadcast` an axis of `z` of length 1 may have become longer: one z for many data points.
    """
    want = tuple(z.shape[:-1])
    got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
    fits = got == want or (broadcast and len(got) == len(want) and all(a == b or b == 1 for a, b in zip(got, want)))
    if not fits:
        raise ValueError(f"`{name}` must give shape {want}, one value for each z of shape {tuple(z.shape)}; got {got}.")


def require_log_density(name: str, values: Tensor) -> None:
    """Raise NumericalError if log-densities hold a NaN or +infinity; say how many and where the first is."""
    bad = values.isnan() | (values == float("inf"))
    if bad.any():
        first = tuple(bad.nonzero()[0].tolist())
        raise NumericalError(
            f"`{name}` must give a number or -infinity; got {int(bad.sum())} other values, "
            f"the first, {values[first].item()}, at {first}. Likely causes: a logarithm of something negative, "
            "0 * infinity, or a z far outside of all data. Remedy: compute with logs, or start closer to the data."
        )


def require_partial_labels(name: str, y: Tensor, n: int, classes: int) -> None:
    """Raise ValueError unless `y` holds `n` integers from -1, which stands for unknown, to `classes` - 1."""
    require_rows(name, y, (), whole=True)
    if len(y) != n or not -1 <= y.min() <= y.max() < classes:
        raise ValueError(
            f"`{name}` must hold {n} whole numbers from -1 (unknown) to {classes - 1}; "
            f"got shape {tuple(y.shape)}, values {y.min().item()} to {y.max().item()}."
        )


def require_seen(name: str, seen: Tensor, x: Tensor) -> None:
    """Raise ValueError unless `seen` is boolean, in the shape of `x` or of one of its rows, and where `x` is."""
    if not isinstance(seen, Tensor) or seen.dtype != torch.bool:
        raise ValueError(f"`{name}` must be a boolean tensor; got {getattr(seen, 'dtype', type(seen).__name__)}.")
    if seen.shape not in (x.shape, x.shape[1:]):
        raise ValueError(f"`{name}` must have shape {tuple(x.shape)} or {tuple(x.shape[1:])}; got {tuple(seen.shape)}.")
    _require_place(name, seen, x, whole=True)


def require_not_negative(name: str, value: float) -> None:
    """Raise ValueError unless `value` is a finite number >= 0."""
    if not 0 <= value < float("inf"):
        raise ValueError(f"`{name}` must be a finite number >= 0; got {value!r}.")


def require_fractions(name: str, x: Tensor) -> None:
    """Raise ValueError unless `x` lies between 0 and 1; say what the first other value is."""
    bad = ~((x >= 0) & (x <= 1))
    if bad.any():
        first = tuple(bad.nonzero()[0].tolist())
        raise ValueError(f"`{name}` must lie between 0 and 1; got {x[first].item():.6g} at {first}.")
