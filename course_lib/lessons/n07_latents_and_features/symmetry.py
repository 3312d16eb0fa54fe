"""The reverse exercise of lesson 07: other causes, the same picture."""

import math

import torch
from torch import Tensor

from ...classroom import Exercise, Mistake
from .sprites import SHAPES, Causes, render


def same_picture(shape, numbers):
    """Other angles that render the same pictures: shape (n,), numbers (n, 5) -> numbers (n, 5)."""
    turn = 2 * torch.pi / torch.tensor([5.0, 2.0, 3.0, 4.0])  # for a disc any turn will do
    other = numbers.clone()
    other[:, 1] += turn[shape]
    return other


def _case():
    shape = torch.arange(4).repeat(2)
    numbers = torch.tensor([[3.0, 0.3, 1.0, -0.5, 0.9], [4.0, 2.0, -1.3, 0.6, 0.6]]).repeat_interleave(4, 0)
    yield shape, numbers


def _judge(other, shape: Tensor, numbers: Tensor) -> str | None:
    if not isinstance(other, Tensor) or other.shape != numbers.shape:
        came = tuple(other.shape) if isinstance(other, Tensor) else type(other).__name__
        return f"Return the **five numbers of every picture**, shape {tuple(numbers.shape)}; got {came}."
    if not other.isfinite().all():
        return "All numbers must be **finite**."
    other = other.to(numbers)
    if not torch.allclose(other[:, [0, 2, 3, 4]], numbers[:, [0, 2, 3, 4]]):
        return "Only the **angle** may change (column 1): size, place and light each show in the picture."
    apart = (other - numbers)[:, 1].remainder(2 * math.pi)
    if (torch.minimum(apart, 2 * math.pi - apart) < 0.2).any():
        return "Some angle is **the same as before**, or a whole turn away, which is the same. Turn it by at least 0.2."
    gap = (render(*Causes(shape, other)) - render(*Causes(shape, numbers))).abs().amax(-1)  # (n,)
    changed = [name for number, name in enumerate(SHAPES) if gap[shape == number].max() > 1e-6]
    if not changed:
        return None
    return (f"The picture **changes for: {', '.join(changed)}** (by up to {gap.max():.2f}). After which part of a turn "
            "does each shape lie on itself?")


def _turned_by(angle):
    def answer(shape, numbers):
        other = numbers.clone()
        other[:, 1] += angle
        return other

    return answer


def _everything(shape, numbers):
    return same_picture(shape, numbers) * 1.1


def _in_degrees(shape, numbers):
    other = numbers.clone()
    other[:, 1] += torch.tensor([72.0, 180.0, 120.0, 90.0])[shape]
    return other


SAME_PICTURE = Exercise(
    same_picture,
    _case,
    judge=_judge,
    mistakes=(
        Mistake(lambda shape, numbers: numbers, "the same as before"),
        Mistake(_turned_by(2 * math.pi), "a whole turn away"),
        Mistake(_turned_by(math.pi), "changes for: triangle**"),
        Mistake(_turned_by(math.pi / 2), "changes for: ellipse, triangle**"),
        Mistake(_turned_by(2 * math.pi / 3), "changes for: ellipse, square**"),
        Mistake(_in_degrees, "changes for: ellipse, triangle, square**"),
        Mistake(_everything, "Only the **angle** may change"),
        Mistake(lambda shape, numbers: numbers[:, 1], "five numbers of every picture"),
        Mistake(lambda shape, numbers: numbers * torch.nan, "finite"),
    ),
    hints=(
        "A triangle lies on itself after a third of a turn, $2\\pi/3$. And the others?",
        "Put four turns into a tensor, look up each picture's with `turns[shape]`, add it to column 1 of a *clone*.",
    ),
    minutes=5,
    difficulty=1,
)
