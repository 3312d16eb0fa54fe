"""One small specimen of every model, for the contract test: each module here adds a dictionary SPECIMENS."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from course_lib.rng import randn, seeded

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Specimen:
    """How to make a small model, and what the contract needs to know about it.

    make:     the model, small, with its first parameters (a random start takes the generator `seeded(11)`).
    support:  all values that the model can draw (or a fine grid of them), and the log of the weight of each: for
              a Density the sum of weight * p over them is one. For a Conditional the values of y.
    inputs:   for a Conditional, or a model with a context: a few rows of what it is given.
    shake:    how far the parameters are moved from their start, so that no test passes by symmetry.
    """

    make: Callable[[], nn.Module]
    support: Callable[[], tuple[Tensor, Tensor]] | None = None
    inputs: Callable[[], Tensor] | None = None
    shake: float = 0.4

    def model(self, device: torch.device | str = "cpu") -> nn.Module:
        """The model with parameters that are nothing special."""
        model, generator = self.make(), seeded(7)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(self.shake * randn(tuple(parameter.shape), generator, parameter))
        return model.to(device)


def collect() -> dict[str, Specimen]:
    """All specimens by name."""
    found: dict[str, Specimen] = {}
    for module in pkgutil.iter_modules(__path__):
        found |= importlib.import_module(f"{__name__}.{module.name}").SPECIMENS
    return found


def binary(pixels: int) -> tuple[Tensor, Tensor]:
    """Every binary image of so many pixels, (2 ** pixels, pixels), and log weights of zero."""
    points = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * pixels).reshape(-1, pixels)
    return points, torch.zeros(len(points))
