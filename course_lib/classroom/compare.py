"""How two outcomes differ, in words: type, shape, dtype, finite values, values."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor, nn

KINDS = (
    (Tensor, "a tensor"), (bool, "True or False"), (Integral, "a whole number"), (Real, "a number"),
    (str, "a string"), ((tuple, list), "a tuple or list"), (dict, "a dict"), (nn.Module, "a model"),
    (type(None), "None"),
)


def comparable(value: Any) -> bool:
    """Whether `value` is made of the things that `Comparison` can compare."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return all(map(comparable, value))
    return any(isinstance(value, kind) for kind, _ in KINDS)


def kind_difference(got: Any, want: Any, name: str) -> str | None:
    """Say so if `got` is not the kind of thing that `want` is; a number may stand for a tensor of shape ()."""
    named = (entry for entry in KINDS if isinstance(want, entry[0]))
    kind, words = next(named, (type(want), type(want).__name__))
    single = isinstance(want, Tensor) and want.ndim == 0
    accepted = isinstance(got, kind) or (single and isinstance(got, Real))
    if accepted and isinstance(got, bool) == isinstance(want, bool):
        return None
    remedy = ""
    if isinstance(got, Tensor) and kind in (Integral, Real):
        remedy = " A tensor of one value gives it with `.item()`."
    elif hasattr(got, "__array__") and kind is Tensor:
        remedy = " Use torch's functions, or `torch.as_tensor`."
    return f"`{name}` must be {words}; got {'None' if got is None else type(got).__name__}.{remedy}"


def as_tensor(number: float) -> Tensor:
    """A number as a tensor of shape (), in double precision; a whole number that is too large for it is infinite."""
    try:
        number = float(number)
    except OverflowError:
        number = math.inf if number > 0 else -math.inf
    return torch.tensor(number, dtype=torch.float64)


@dataclass(frozen=True)
class Comparison:
    """Compares outcomes up to an absolute and a relative tolerance; `dtype=False` ignores dtypes.

    `parts` names the items of a tuple, where an outcome is one.
    Outcomes are tensors, numbers, strings, None, models (by their `state_dict`), and tuples, lists or
    dicts of these. TypeError for anything else in `want`.
    """

    atol: float = 1e-6
    rtol: float = 1e-5
    dtype: bool = True
    parts: tuple[str, ...] = ()

    def difference(self, got: Any, want: Any, name: str = "result") -> str | None:
        """The first difference in words, or None."""
        if not comparable(want):
            raise TypeError(f"`{name}` must be of a kind that can be compared; got {type(want).__name__}.")
        if isinstance(want, nn.Module) and isinstance(got, nn.Module):
            got, want = dict(got.state_dict()), dict(want.state_dict())
        different = kind_difference(got, want, name)
        if different:
            return different
        if isinstance(want, Tensor) and not isinstance(got, Tensor):
            return self._values(as_tensor(got), want.detach().cpu(), name)
        if isinstance(want, Tensor):
            return self._tensors(got.detach().cpu(), want.detach().cpu(), name)
        if isinstance(want, (tuple, list, dict)):
            return self._parts(got, want, name)
        if isinstance(want, float):
            return self._values(as_tensor(got), as_tensor(want), name)
        return None if got == want else f"`{name}` must be {want!r}; got {got!r}."

    def _parts(self, got: Any, want: Any, name: str) -> str | None:
        names = {key: f"{name}[{key!r}]" for key in want} if isinstance(want, dict) else None
        if names is None:
            names = dict(enumerate(self.parts or [f"{name}[{i}]" for i in range(len(want))]))
            got, want = dict(enumerate(got)), dict(enumerate(want))
        if got.keys() != want.keys():
            return f"`{name}` must have the parts {', '.join(names.values())}; got {len(got)} parts."
        parts = (self.difference(got[key], want[key], names[key]) for key in want)
        return next(filter(None, parts), None)

    def _tensors(self, got: Tensor, want: Tensor, name: str) -> str | None:
        if got.shape != want.shape:
            return f"`{name}` must have shape {tuple(want.shape)}; got {tuple(got.shape)}."
        if self.dtype and got.dtype != want.dtype:
            return f"`{name}` must have dtype {want.dtype}; got {got.dtype}."
        return self._values(got, want, name)

    def _values(self, got: Tensor, want: Tensor, name: str) -> str | None:
        got, want = got.double(), want.double()
        wrong = ~torch.isclose(got, want, atol=self.atol, rtol=self.rtol, equal_nan=True)
        if not wrong.any():
            return None
        broken = ~got.isfinite() & want.isfinite()
        gap = torch.where(wrong, (got - want).abs().nan_to_num(nan=torch.inf, posinf=torch.inf), -1.0)
        where = torch.unravel_index((broken if broken.any() else gap).double().argmax(), got.shape)
        place = f" at {[int(index) for index in where]}" if got.ndim else ""
        came, expected = f"{got[where].item():.6g}", f"{want[where].item():.6g}"
        if broken.any():
            return f"`{name}` must be finite{place} (expected {expected}); got {came}."
        return (
            f"`{name}` has wrong values: the largest gap is {gap[where].item():.3g}{place}, "
            f"where {expected} is expected; got {came}."
        )
