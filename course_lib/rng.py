"""Chance: every draw names its generator, and the global one is never touched."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Generator, Tensor

_SHARE = ContextVar("share", default=(0, 1))  # which share of the rows is drawn here, and of how many


def seeded(seed: int, device: str | torch.device = "cpu") -> Generator:
    """A generator that starts at `seed`. On the CPU it gives the same numbers on every machine."""
    return torch.Generator(device).manual_seed(seed)


def randn(shape: tuple[int, ...], generator: Generator, like: Tensor) -> Tensor:
    """Standard normal draws, made on the generator's device, then moved to device and dtype of `like`."""
    return _share(torch.randn, shape, generator, like.dtype).to(like.device)


def uniform(shape: tuple[int, ...], generator: Generator, like: Tensor) -> Tensor:
    """Draws from the uniform distribution on [0, 1), moved to device and dtype of `like`."""
    return _share(torch.rand, shape, generator, like.dtype).to(like.device)


def bernoulli(probabilities: Tensor, generator: Generator) -> Tensor:
    """0 or 1 for each of `probabilities`, in their shape, dtype and device."""
    return (uniform(tuple(probabilities.shape), generator, probabilities) < probabilities).to(probabilities.dtype)


def gamma(concentration: Tensor, generator: Generator) -> Tensor:
    """Draws from Gamma(concentration, rate 1), in shape, dtype and device of `concentration`; no gradient."""
    _require_unsharded("gamma")
    # torch.distributions takes no generator; this is the function that it calls.
    draws = torch._standard_gamma(concentration.detach().to(generator.device), generator=generator)
    return draws.to(concentration.device)


def poisson(rate: Tensor, generator: Generator) -> Tensor:
    """Counts with mean `rate`, in its shape, dtype and device."""
    _require_unsharded("poisson")
    return torch.poisson(rate.detach().to(generator.device), generator=generator).to(rate.device)


def categorical(logits: Tensor, n: int, generator: Generator) -> Tensor:
    """`n` indices drawn with probabilities softmax(logits): logits (..., K) -> (..., n)."""
    _require_unsharded("categorical")
    probabilities = logits.detach().softmax(-1).to(generator.device)
    flat = probabilities.reshape(-1, probabilities.shape[-1])
    draws = torch.multinomial(flat, n, replacement=True, generator=generator)
    return draws.reshape(*probabilities.shape[:-1], n).to(logits.device)


def rows(n: int, size: int, generator: Generator, *, replacement: bool = False) -> Tensor:
    """`size` row numbers out of 0..n-1, shape (size,), on the generator's device.

    Raises:     ValueError if fewer than none are asked for, or, without replacement, more than there are.
    """
    _require_unsharded("rows")
    if size < 0:
        raise ValueError(f"`size` must be a whole number >= 0; got {size}.")
    if size > n and not replacement:
        raise ValueError(f"`size` must be at most n = {n} when rows are not put back; got {size}.")
    if replacement:
        return torch.randint(n, (size,), generator=generator, device=generator.device)
    return torch.randperm(n, generator=generator, device=generator.device)[:size]


def require_state(name: str, generator: Generator, state: Tensor) -> None:
    """Raise ValueError unless `generator` can go on from `state`, which depends on the kind of its device."""
    if state.shape != generator.get_state().shape:
        raise ValueError(f"`{name}` must be on a device of the same kind as the saved one; got {generator.device}.")


@contextmanager
def layers_from(generator: Generator) -> Iterator[None]:
    """Inside, the layers of torch.nn draw their first weights from `generator`.

    torch.nn knows only the global generator: it is seeded for the while, then put back as it was.
    """
    seed = torch.randint(2**62, (), generator=generator, device=generator.device).item()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed those of all devices, for good
        yield


@contextmanager
def sharded(rank: int, world: int) -> Iterator[None]:
    """Inside, `randn`, `uniform` and `bernoulli` draw for `world` equal shares of rows and return share `rank`.

    Processes whose generators are in the same state draw the same joint noise, and each takes its own rows of it:
    together they have just what one process would have drawn for all rows. Other draws raise ValueError.
    """
    token = _SHARE.set((rank, world))
    try:
        yield
    finally:
        _SHARE.reset(token)


def _share(draw: Callable[..., Tensor], shape: tuple[int, ...], generator: Generator, dtype: torch.dtype) -> Tensor:
    """This share's rows of a joint draw; without `sharded`, all of it."""
    rank, world = _SHARE.get()
    joint = shape if world == 1 else (world * shape[0], *shape[1:])
    draws = draw(joint, generator=generator, device=generator.device, dtype=dtype)
    return draws if world == 1 else draws.chunk(world)[rank]


def _require_unsharded(name: str) -> None:
    if _SHARE.get() != (0, 1):
        raise ValueError(f"Inside `sharded` draws must be made by randn, uniform or bernoulli; got {name}.")
