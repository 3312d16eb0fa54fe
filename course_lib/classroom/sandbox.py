"""A place to run a reader's function: on copies, with a time limit, leaving nothing behind."""

import _thread
import contextlib
import copy
import ctypes
import io
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

GRACE = 5.0                 # seconds that a function gets to die before it is abandoned
PRINTED = 2_000             # characters kept of what a function prints


class _Stop(SystemExit):
    """Ends a function that took too long: `except Exception` lets it through, and a bare thread that it ends is silent.

    (A `threading.Thread` is not: a second `_Stop` that meets it on its way out is reported, or spoils its bookkeeping.)
    """


@dataclass
class Outcome:
    """What became of one call: its value, or its error, or neither if it was stopped."""

    arguments: tuple
    value: Any = None
    error: BaseException | None = None
    gradients: tuple[Tensor, ...] = ()
    printed: str = ""
    stopped: bool = False


class _Paper(io.StringIO):
    """Takes what is printed and keeps the beginning."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, PRINTED - self.tell())])
        return len(text)


def run(function: Callable, arguments: tuple, seconds: float) -> Outcome:
    """Call `function` on copies of `arguments`, and stop it after `seconds`.

    Endless Python code is stopped; what waits inside C code is abandoned in its daemon thread. Output,
    torch's default dtype and its global generator are as before; torch's grad mode belongs to a thread.
    """
    copies = copy.deepcopy(arguments)
    finished: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    with _restored(), contextlib.redirect_stdout(_Paper()) as paper:
        begun = threading.Event()                        # before, Python does not know the thread, nor could stop it
        worker = _thread.start_new_thread(_work, (function, copies, begun, finished))
        try:
            begun.wait()
            outcome = finished.get(timeout=seconds)
        except (queue.Empty, KeyboardInterrupt):         # the reader interrupts the kernel: stop at once
            outcome = Outcome(copies, stopped=True)
            _stop(worker, finished)
    outcome.printed = paper.getvalue()
    return outcome


def _work(function: Callable, arguments: tuple, begun: threading.Event, finished: queue.SimpleQueue) -> None:
    outcome = Outcome(arguments)
    begun.set()
    try:
        outcome.value = function(*arguments)
        outcome.gradients = _gradients(outcome.value, arguments)
    except BaseException as error:                       # even sys.exit() is only an outcome here
        outcome.error = error
    finished.put(outcome)


def _stop(worker: int, finished: queue.SimpleQueue) -> None:
    """Raise `_Stop` inside the thread, again and again if it catches that too, until the grace ends."""
    deadline, interval = time.monotonic() + GRACE, sys.getswitchinterval()
    thread, stop = ctypes.c_ulong(worker), ctypes.py_object(_Stop)
    sys.setswitchinterval(1e-4)                          # seconds: many tries, for some moments catch nothing
    try:
        while finished.empty() and ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, stop):    # 0: it is gone
            if time.monotonic() > deadline:
                return
            time.sleep(1e-3)
    finally:
        sys.setswitchinterval(interval)


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    """Put torch's default dtype and global generator back at the end."""
    dtype, state = torch.get_default_dtype(), torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_rng_state(state)


def _gradients(value: Any, arguments: tuple) -> tuple[Tensor, ...]:
    """The gradient of a weighted sum of the tensors in `value` to every argument that asks for one."""
    leaves = [leaf for argument in arguments for leaf in _leaves(argument)]
    outputs = [tensor for tensor in _tensors(value) if tensor.requires_grad]
    if not leaves or not outputs:
        return ()
    total = sum((tensor.flatten() * _weights(tensor)).sum() for tensor in outputs)
    found = torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)
    return tuple(found)


def _weights(tensor: Tensor) -> Tensor:
    """Unequal weights, for the plain sum of a softmax has no gradient."""
    return torch.linspace(1, 2, tensor.numel(), dtype=tensor.dtype, device=tensor.device)


def _leaves(argument: Any) -> list[Tensor]:
    tensors = argument.parameters() if isinstance(argument, nn.Module) else _tensors(argument)
    return [tensor for tensor in tensors if tensor.requires_grad]


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in _tensors(item)]
    return []
