"""Chance: every draw names its generator, and the global one is never touched."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Generator, Tensor


def seeded(seed: int, device: str | torch.device = "cpu") -> Generator:
    """A generator that starts at `seed`. On the CPU it gives the same numbers on every machine."""
    return torch.Generator(device).manual_seed(seed)


def randn(shape: tuple[int, ...], generator: Generator, like: Tensor) -> Tensor:
    """Standard normal draws, made on the generator's device, then moved to device and dtype of `like`."""
    draws = torch.randn(shape, generator=generator, device=generator.device, dtype=like.dtype)
    return draws.to(like.device)


def categorical(logits: Tensor, n: int, generator: Generator) -> Tensor:
    """`n` indices drawn with probabilities softmax(logits): logits (K,) -> (n,)."""
    probabilities = logits.detach().softmax(-1).to(generator.device)
    return torch.multinomial(probabilities, n, replacement=True, generator=generator).to(logits.device)


def rows(n: int, size: int, generator: Generator, *, replacement: bool = False) -> Tensor:
    """`size` row numbers out of 0..n-1, shape (size,), on the generator's device.

    Raises:     ValueError if more rows are asked for than there are, without replacement.
    """
    if size > n and not replacement:
        raise ValueError(f"`size` must be at most n = {n} when rows are not put back; got {size}.")
    if replacement:
        return torch.randint(n, (size,), generator=generator, device=generator.device)
    return torch.randperm(n, generator=generator, device=generator.device)[:size]


@contextmanager
def layers_from(generator: Generator) -> Iterator[None]:
    """Inside, the layers of torch.nn draw their first weights from `generator`.

    torch.nn knows only the global generator: it is seeded for the while, then put back as it was.
    """
    seed = torch.randint(2**62, (), generator=generator, device=generator.device).item()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
