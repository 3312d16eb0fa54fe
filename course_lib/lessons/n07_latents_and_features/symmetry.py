"""The exercises of lesson 07 on symmetry: other causes or other latents, the same picture."""

import math

import torch
from torch import Tensor

from ... import rng
from ...classroom import Exercise, Mistake
from . import experiments
from .sprites import SHAPES, Causes, render

# 3 · the same picture -----------------------------------------------------------------------------------------------


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

# 4 · turn the latents -----------------------------------------------------------------------------------------------


def turned(weight, z, rotation):
    """Latents turned by a rotation (M, M), and the weight (D, M) that undoes it: weight (D, M), z (n, M)."""
    return weight @ rotation.mT, z @ rotation.mT


def _turned_cases():
    for seed, latents in ((5, 2), (6, 3)):
        g = rng.seeded(seed)
        weight, z = torch.randn(4, latents, generator=g), torch.randn(5, latents, generator=g)
        yield weight, z, experiments.rotation(latents, g)


TURNED = Exercise(
    turned,
    _turned_cases,
    mistakes=(
        Mistake(lambda weight, z, rotation: (weight @ rotation, z @ rotation.mT),
                "The pictures change: with $z' = R z$ and $W' = W R$ you get $W R R z$, **turned twice**. The weight "
                "must undo the turn."),
        Mistake(lambda weight, z, rotation: (weight @ rotation, z @ rotation),
                "Consistent, and $p(x)$ stays, but you turned **the other way**: rows of `z @ R` are $R^\\top z_i$. "
                "Asked for is $R z_i$."),
        Mistake(lambda weight, z, rotation: (weight @ rotation.mT, z @ rotation),
                "Your rows are $R^\\top z_i$, the **weight undoes $R$**: together $W R^\\top R^\\top z$."),
        Mistake(lambda weight, z, rotation: (weight, z @ rotation.mT),
                "The **weight is untouched**: the decoder reads the new code with the old key."),
        Mistake(lambda weight, z, rotation: (weight, z),
                "**Nothing is turned**: every row $z_i$ should become $R z_i$."),
        Mistake(lambda weight, z, rotation: (weight, z @ rotation),
                "The **weight is untouched**, and rows of `z @ R` are $R^\\top z_i$; asked for is $R z_i$."),
        Mistake(lambda weight, z, rotation: (weight @ rotation.mT, z),
                "The **latents are untouched**: new key, old code."),
        Mistake(lambda weight, z, rotation: (z @ rotation.mT, weight @ rotation.mT),
                "Right tensors, **wrong order**: first the weight, then the latents."),
        Mistake(lambda weight, z, rotation: z @ rotation.mT @ (weight @ rotation.mT).mT,
                "These are the **pictures**; return the weight and the latents that make them."),
    ),
    hints=(
        "One row: $z' = R z$. Which $W'$ gives $W' z' = W z$ for every $z$? What is the inverse of a rotation?",
        "Rows are data: $z'_i = R z_i$ is `z @ rotation.mT`. And $W' = W R^{-1} = W R^\\top$.",
    ),
    returns=("weight", "z"),
    minutes=5,
    difficulty=2,
)
