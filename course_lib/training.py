"""Processes that fit a model to data: each yields one Step after another, and `fit` drains one into a History."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from . import rng
from .errors import NumericalError, require_finite, require_positive, require_rows
from .models import GaussianMixture, Generative

SAFE = 50  # steps between two looks at whether the loss is finite: a look makes the device wait


class Step(NamedTuple):
    """One step of a process: its number, from 1, and the mean loss in nats *before* the step's update."""

    index: int
    loss: Tensor


class History(dict):
    """Columns of floats: history["loss"] is a list with one number a recorded step."""

    def append(self, **values: float) -> None:
        """Add one row."""
        for name, value in values.items():
            self.setdefault(name, []).append(float(value))


def fit(process: Iterator[Step], *, every: int = 1, **measures: Callable[[], float]) -> History:
    """Run `process` to its end (or until it is interrupted: what was recorded is kept and returned).

    Every `every` steps one row is recorded: step, loss, and what each of `measures` returns.
    """
    require_positive("every", every, whole=True)
    history = History()
    try:
        for step in process:
            if step.index % every == 0:
                history.append(step=step.index, loss=step.loss, **{name: f() for name, f in measures.items()})
    except KeyboardInterrupt:
        print(f"Interrupted: the model keeps its last step, the history its {len(history.get('step', []))} rows.")
    return history


def gradient_descent(
    model: Generative,
    x: Tensor,
    generator: Generator,
    *,
    steps: int,
    batch_size: int | None = None,
    lr: float = 1e-2,
    optimiser: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
) -> Iterator[Step]:
    r"""Follow the gradient of the mean loss, on all of `x` or on a fresh minibatch in every step.

    .. math:: \theta \leftarrow \theta - \eta \, \nabla_\theta \frac{1}{|M|} \sum_{x \in M} \mathrm{loss}(x)

    This is plain descent; Adam, the default, adapts the length of the step in each coordinate.

    Shapes:     x (n, *event_shape); `batch_size` rows a step (None: all n), drawn without putting back.
    Raises:     ValueError for steps, batch_size or lr out of range, or data that are not finite;
                NumericalError if the loss stops being finite: the model keeps the last parameters that were
                seen to give a finite loss.
    """
    require_positive("lr", lr)
    _require_data(model, x, steps)
    if batch_size is not None:
        require_positive("batch_size", batch_size, whole=True)
        if batch_size > len(x):
            raise ValueError(f"`batch_size` must be at most n = {len(x)}; got {batch_size}.")
    update = optimiser(model.parameters(), lr=lr)
    good = _copy(model)
    for index in range(1, steps + 1):
        batch = x if batch_size is None else x[rng.rows(len(x), batch_size, generator).to(x.device)]
        loss = model.loss(batch, generator).mean()
        if index % SAFE == 0 or not loss.is_cuda:
            good = _keep_if_finite(model, good, loss, index)
        update.zero_grad()
        loss.backward()
        update.step()
        if index == steps:
            _keep_if_finite(model, good, model.loss(batch, generator).mean(), index)
        yield Step(index, loss.detach())


def expectation_maximisation(
    model: GaussianMixture, x: Tensor, *, steps: int, variance_floor: float = 0.0
) -> Iterator[Step]:
    r"""Alternate the E-step, r = p(z | x), and the M-step, which maximises the bound that r makes.

    The log-likelihood never goes down; with a `variance_floor` it climbs once the variances obey it, from the
    second step on. It ends at a stationary point, which need not be the highest.

    Shapes:     x (n, D); variance_floor in squared units of the data.
    Raises:     ValueError for bad arguments or data; NumericalError if a component collapses: the model
                keeps its last good parameters.
    Reference:  Dempster, Laird and Rubin, Maximum likelihood from incomplete data via the EM algorithm,
                Journal of the Royal Statistical Society B 39 (1977).
    """
    if not 0 <= variance_floor < float("inf"):
        raise ValueError(f"`variance_floor` must be a finite number >= 0; got {variance_floor!r}.")
    _require_data(model, x, steps)
    if len(x) < len(model.logits):
        raise ValueError(f"`x` must have at least K = {len(model.logits)} rows; got {len(x)}.")
    for index in range(1, steps + 1):
        yield _em_step(model, x, index, variance_floor)


@torch.no_grad()
def _em_step(model: GaussianMixture, x: Tensor, index: int, variance_floor: float) -> Step:
    log_joint = model.log_joint(x)  # (n, K)
    log_evidence = log_joint.logsumexp(-1, keepdim=True)  # (n, 1)
    if not log_evidence.isfinite().all():
        raise NumericalError(
            f"Step {index}: log p(x) is not finite for row {int((~log_evidence.isfinite()).nonzero()[0, 0])}: "
            "it lies too far from every component for this dtype. Remedy: start closer to the data, or use float64."
        )
    model.maximise(x, (log_joint - log_evidence).exp(), variance_floor=variance_floor)
    return Step(index, -log_evidence.mean())


def _require_data(model: Generative, x: Tensor, steps: int) -> None:
    require_positive("steps", steps, whole=True)
    require_rows("x", x, model.event_shape)
    require_finite("x", x)


def _copy(model: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


@torch.no_grad()
def _keep_if_finite(model: nn.Module, good: list[Tensor], loss: Tensor, index: int) -> list[Tensor]:
    """The parameters as they are if `loss` is finite; else put the last good ones back and say why."""
    if loss.isfinite():
        return _copy(model)
    for parameter, value in zip(model.parameters(), good):
        parameter.copy_(value)
    raise NumericalError(
        f"Step {index}: the loss is {loss.item()}. Likely cause: the learning rate is too large, or a variance "
        "went to 0. Remedy: a smaller `lr`, or another start. The model keeps its last good parameters."
    )
