"""Gradient descent, on all of the data or on minibatches, as a process that can be stopped, saved and resumed."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from .. import rng
from ..errors import NumericalError, require_choice, require_positive
from .process import Step

SAFE = 50  # steps between two looks at whether the loss is finite: a look makes the device wait
ADAM = partial(torch.optim.Adam, fused=True)  # all parameters are updated in one pass over memory


def gradient_descent(
    model: nn.Module,
    data: Tensor | tuple[Tensor, ...],
    generator: Generator,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    replacement: bool = False,
    lr: float = 1e-2,
    optimiser: Callable[..., Optimizer] = ADAM,
    schedule: Callable[[Optimizer], LRScheduler] | None = None,
    clip: float | None = None,
    mixed_precision: torch.dtype | None = None,
) -> "GradientDescent":
    r"""Follow the gradient of the mean of `model.loss(*data, generator)`, on all rows or on a minibatch M a step.

    .. math:: \theta \leftarrow \theta - \eta \, \nabla_\theta \frac{1}{|M|} \sum_{x \in M} \mathrm{loss}(x)

    This is plain descent; Adam, the default, adapts the length of the step in each coordinate. An epoch is one walk
    through the shuffled rows, n // batch_size steps: no row comes twice, and those left over sit it out. With
    `replacement` every row of a minibatch is drawn from all.

    Shapes:     data: tensors of n rows each; `batch_size` rows a step (None: all n).
    Options:    either `steps` or `epochs`; `schedule` makes a torch.optim.lr_scheduler, which moves on with each step;
                `clip`: the greatest norm that the gradient may have; `mixed_precision`: torch.bfloat16 or
                torch.float16, on CUDA only. Neither LBFGS nor ReduceLROnPlateau: they ask for the loss.
    Raises:     ValueError for options out of range, or data that the model cannot learn from; NumericalError if the
                loss stops being finite: the model keeps the last parameters that were seen to give a finite loss.
    """
    data = data if isinstance(data, tuple) else (data,)
    if hasattr(model, "require_data"):
        model.require_data(*data)
    require_positive("lr", lr)
    batches = Minibatches(data, generator, batch_size, replacement=replacement)
    steps = batches.steps(steps, epochs)
    update = optimiser(model.parameters(), lr=lr)
    return GradientDescent(model, batches, steps, update, schedule, clip=clip, mixed_precision=mixed_precision)


class Minibatches:
    """One minibatch after another: a walk through the shuffled rows, or rows drawn with replacement."""

    def __init__(
        self, data: tuple[Tensor, ...], generator: Generator, size: int | None, *, replacement: bool = False
    ) -> None:
        self.n = len(data[0])
        if not self.n:
            raise ValueError("`data` must have at least one row; got none.")
        for part in data[1:]:
            if len(part) != self.n:
                raise ValueError(f"`data` must have equally many rows; got {self.n} and {len(part)}.")
        if size is not None:
            require_positive("batch_size", size, whole=True)
            if size > self.n:
                raise ValueError(f"`batch_size` must be at most n = {self.n}; got {size}.")
        elif replacement:
            raise ValueError("`replacement` must come with a `batch_size`; got None.")
        self.data, self.generator, self.size, self.replacement = data, generator, size, replacement
        self.order = torch.zeros(0, dtype=torch.long)  # the shuffled rows of this epoch
        self.position = 0  # so many of them are used up

    def steps(self, steps: int | None, epochs: int | None) -> int:
        """The number of steps, which is given as it is or in epochs."""
        if (steps is None) == (epochs is None):
            raise ValueError(f"Either `steps` or `epochs` must be given; got {steps} and {epochs}.")
        if epochs is None:
            require_positive("steps", steps, whole=True)
            return steps
        require_positive("epochs", epochs, whole=True)
        return epochs * (self.n // (self.size or self.n))

    def __next__(self) -> tuple[Tensor, ...]:
        if self.size is None:
            return self.data
        rows = self._rows().to(self.data[0].device, non_blocking=True)
        return tuple(part.index_select(0, rows) for part in self.data)

    def _rows(self) -> Tensor:
        if self.replacement:
            return rng.rows(self.n, self.size, self.generator, replacement=True)
        if self.position + self.size > len(self.order):
            self.order, self.position = rng.rows(self.n, self.n, self.generator), 0
        self.position += self.size
        return self.order[self.position - self.size : self.position]


class GradientDescent(Iterator[Step]):
    """The process that `gradient_descent` starts: an iterator whose whole state can be saved and put back."""

    def __init__(
        self,
        model: nn.Module,
        batches: Minibatches,
        steps: int,
        update: Optimizer,
        schedule: Callable[[Optimizer], LRScheduler] | None = None,
        *,
        clip: float | None = None,
        mixed_precision: torch.dtype | None = None,
    ) -> None:
        if isinstance(update, torch.optim.LBFGS):
            raise ValueError("`optimiser` must need no more than one gradient a step; got LBFGS.")
        if clip is not None:
            require_positive("clip", clip)
        if mixed_precision is not None:
            require_choice("mixed_precision", mixed_precision, (torch.bfloat16, torch.float16))
            if not batches.data[0].is_cuda:
                raise ValueError(f"`mixed_precision` must be None where there is no CUDA; got {mixed_precision}.")
        self.model, self.batches, self.steps, self.update, self.clip = model, batches, steps, update, clip
        self.schedule = None if schedule is None else schedule(update)
        if isinstance(self.schedule, ReduceLROnPlateau):
            raise ValueError("`schedule` must move on without knowing the loss; got ReduceLROnPlateau.")
        self.precision = nullcontext() if mixed_precision is None else torch.autocast("cuda", mixed_precision)
        self.scaler = torch.amp.GradScaler("cuda", enabled=mixed_precision == torch.float16)
        self.settings = {
            "optimiser": type(update).__name__,
            "schedule": type(self.schedule).__name__,
            "lr": update.defaults["lr"],
            "batch_size": batches.size,
            "replacement": batches.replacement,
            "n": batches.n,
            "clip": clip,
            "mixed_precision": str(mixed_precision),
        }
        self.index = 0
        self._batch: tuple[Tensor, ...] = ()
        self._keep()

    def __next__(self) -> Step:
        if self._failure or self.index >= self.steps:
            raise StopIteration
        self._batch = next(self.batches)
        loss = self._loss(self.batches.generator)
        self.update.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        if self.clip is not None:
            self.scaler.unscale_(self.update)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.scaler.step(self.update)
        self.scaler.update()
        if self.schedule is not None:
            self.schedule.step()
        self.index += 1
        self._unseen.append(loss.detach())
        if self.index % SAFE == 0 or self.index == self.steps:
            self.look()
        return Step(self.index, loss.detach())

    def _loss(self, generator: Generator) -> Tensor:
        with self.precision:
            return self.model.loss(*self._batch, generator).mean()

    def look(self) -> None:
        """Make sure that all losses so far were finite, and that the present parameters give a finite one."""
        if self._failure:
            raise self._failure
        if not self._unseen:
            return
        after = self._loss(rng.seeded(0, self.batches.generator.device)).detach()  # the run's own chance is left alone
        losses = torch.stack([*self._unseen, after])
        bad = (~losses.isfinite()).nonzero()
        if len(bad):
            self._stop(losses[bad[0]].item(), min(self.index - len(self._unseen) + 1 + int(bad[0]), self.index))
        self._keep()

    @torch.no_grad()
    def _keep(self) -> None:
        self._good = [parameter.clone() for parameter in self.model.parameters()]
        self._unseen: list[Tensor] = []  # the losses since this look
        self._failure: NumericalError | None = None

    @torch.no_grad()
    def _stop(self, loss: float, index: int) -> None:
        """Put the last good parameters back, and end. What the optimiser has gathered stays bad: no more is saved."""
        good = self.index - len(self._unseen)
        for parameter, value in zip(self.model.parameters(), self._good):
            parameter.copy_(value)
        self._failure = NumericalError(
            f"Step {index}: the loss is {loss}. Likely cause: the learning rate is too large, or a variance went "
            f"to 0. Remedy: a smaller `lr`, or another start. The model has its parameters of step {good} again."
        )
        raise self._failure

    def state_dict(self) -> dict[str, object]:
        """All that the next step depends on, besides data and model; it looks first, so no bad state is saved."""
        self.look()
        return {
            "index": self.index,
            "settings": self.settings,
            "update": self.update.state_dict(),
            "schedule": self.schedule and self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "generator": self.batches.generator.get_state(),
            "order": self.batches.order,
            "position": self.batches.position,
        }

    def require_state(self, state: dict[str, object]) -> None:
        """Raise ValueError if `state` was taken from a process with other options, or with more steps done."""
        for name, saved in state["settings"].items():
            if self.settings[name] != saved:
                raise ValueError(f"`{name}` must be {saved!r}, as in the saved process; got {self.settings[name]!r}.")
        if state["index"] > self.steps:
            raise ValueError(f"`steps` must be at least {state['index']}, those already done; got {self.steps}.")
        rng.require_state("generator", self.batches.generator, state["generator"])

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on where `state` was taken: the model must have its parameters of then already.

        Raises:     ValueError as `require_state`; then nothing has changed.
        """
        self.require_state(state)
        self.index, self.batches.order, self.batches.position = state["index"], state["order"], state["position"]
        self.update.load_state_dict(state["update"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
        self.batches.generator.set_state(state["generator"])
        self._keep()
