"""What every loop shares: a process yields one Step after another, and `fit` drains it into a History."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from torch import Tensor

from ..errors import require_positive


class Step(NamedTuple):
    """One step of a process: its number, from 1, and the mean loss in nats *before* the step's update."""

    index: int
    loss: Tensor


class History(dict):
    """Columns of floats: history["loss"] is a list with one number a recorded step."""

    def append(self, **values: float) -> None:
        """Add one row."""
        row = {name: float(value) for name, value in values.items()}  # may wait for a GPU, and be interrupted there
        for name, value in row.items():
            self.setdefault(name, []).append(value)


def fit(
    process: Iterator[Step], *, every: int = 1, history: History | None = None, **measures: Callable[[], float]
) -> History:
    """Run `process` to its end (or until it is interrupted: what was recorded is kept and returned).

    Every `every` steps one row is recorded: step, loss, and what each of `measures` returns. A process that goes on
    from a checkpoint adds its rows to the `history` of before.
    """
    require_positive("every", every, whole=True)
    history = History() if history is None else history
    try:
        for step in process:
            if step.index % every == 0:
                history.append(step=step.index, loss=step.loss, **{name: f() for name, f in measures.items()})
    except KeyboardInterrupt:
        print(f"Interrupted: the model keeps its last step, the history its {len(history.get('step', []))} rows.")
    return history
