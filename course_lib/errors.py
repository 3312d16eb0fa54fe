"""Messages for arguments that do not fit: what is required, and what came."""

import torch
from torch import Tensor


class NumericalError(ArithmeticError):
    """A computation left the numbers it can be trusted on; the message names cause and remedy."""


class SingularCovariance(NumericalError):
    """A Gaussian has shrunk onto a point or a line, where its likelihood has no upper limit."""


def require_rows(name: str, x: Tensor, event_shape: tuple[int, ...]) -> None:
    """Raise ValueError unless `x` is a floating tensor of shape (n, *event_shape), finite, with n >= 1."""
    want = ", ".join(map(str, ("n", *event_shape))) + ("," if not event_shape else "")
    if not isinstance(x, Tensor):
        raise ValueError(f"`{name}` must be a tensor of shape ({want}); got {type(x).__name__}.")
    if x.ndim != len(event_shape) + 1 or tuple(x.shape[1:]) != tuple(event_shape):
        raise ValueError(f"`{name}` must have shape ({want}); got {tuple(x.shape)}.")
    if not x.is_floating_point():
        raise ValueError(f"`{name}` must hold floating-point numbers; got {x.dtype}.")
    if len(x) == 0:
        raise ValueError(f"`{name}` must have at least one row; got {tuple(x.shape)}.")


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
