"""The race of lesson 13: for the same digits, what each method's draws are worth, and what they cost."""

import math
import time
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from tqdm.auto import tqdm

from ...inference.chains import Draw
from ...models import DeepLatentVariableModel
from .truth import Cells, Posterior, exact_posteriors, log_joint_table

DRAWS = 1000  # that a method hands over, at most


class Entry(NamedTuple):
    """One method at one budget: seconds a digit, evaluations of the decoder a digit, how many draws it hands over, the
    divergences (n,) in nats, and, where the method gives one, its estimate of log p(x) (n,).
    """

    method: str
    seconds: float
    evaluations: float
    draws: int
    divergence: Tensor
    log_evidence: Tensor | None = None


class Race:
    """n digits with their exact posteriors, a clock, and a counter of the decoder's evaluations: x (n, 784).

    `begin` starts the clock for a method, `enter` stops it, judges the draws, and lets it run on.
    """

    def __init__(self, model: DeepLatentVariableModel, x: Tensor) -> None:
        self.model, self.x = model, x
        self.truth: Posterior = exact_posteriors(model, x)
        self.cells = Cells(self.truth)
        self.entries: list[Entry] = []
        self.begin()

    def log_joint(self, z: Tensor) -> Tensor:
        """log p(x, z), counted: z (..., n, 2) -> (..., n). Many draws are decoded 100 at a time, to save memory."""
        self.evaluations += math.prod(z.shape[:-1])
        return torch.cat([self.model.log_joint(self.x, part) for part in z.split(100)])

    def begin(self, look: tuple[float, int] = (0.0, 0)) -> None:
        """Start the clock and the counter, with what a `look` around has cost already."""
        self.seconds, self.evaluations = look
        self.since = time.perf_counter()

    def stop(self) -> tuple[float, int]:
        """Seconds and evaluations since `begin`, for all digits."""
        now = time.perf_counter()
        self.seconds, self.since = self.seconds + now - self.since, now
        return self.seconds, self.evaluations

    def enter(self, method: str, z: Tensor, log_weights: Tensor | None = None,
              log_evidence: Tensor | None = None) -> None:
        """Judge a method's draws z (S, n, 2); weighing and counting them takes no time on the clock."""
        seconds, evaluations = (cost / len(self.x) for cost in self.stop())
        divergence = self.cells.divergence(z, log_weights)
        known = None if log_evidence is None else log_evidence.double()
        self.entries.append(Entry(method, seconds, evaluations, len(z), divergence, known))
        self.since = time.perf_counter()

    def walk(self, method: str, chain: Iterable[Draw], at: tuple[int, ...]) -> None:
        """Enter the second half of all draws so far at each length `at`."""
        process, kept = iter(self.watch(method, chain, at[-1])), []
        for length in at:
            kept += [draw.z for draw in islice(process, length - len(kept))]
            half = torch.stack(kept[length // 2:])  # (draws, chains, n, 2)
            every = max(1, len(half) * half.shape[1] // DRAWS)
            self.enter(method, half[::every].flatten(0, 1))

    def watch(self, method: str, process: Iterable, steps: int) -> Iterable:
        """The first `steps` steps of a process, with a bar that shows how far it is."""
        return tqdm(islice(process, steps), total=steps, desc=method, leave=False)

    def last(self, method: str) -> Entry:
        """The entry of a method with the largest budget."""
        return [entry for entry in self.entries if entry.method == method][-1]

    def look_around(self, generator: Generator, chains: int = 4, each: int = 500) -> tuple[Tensor, tuple[float, int]]:
        """Where to begin: for every chain the best of its own prior draws, which all digits share.

        Returns the starts (chains, n, 2), and what looking has cost.
        """
        self.begin()
        z = torch.randn(chains * each, 2, generator=generator).to(self.x)
        with torch.no_grad():
            table = log_joint_table(self.model, self.x, z)  # (n, chains * each)
        self.evaluations += len(z)
        best = table.unflatten(1, (chains, each)).argmax(-1) + each * torch.arange(chains)  # (n, chains)
        return z[best.mT], self.stop()
