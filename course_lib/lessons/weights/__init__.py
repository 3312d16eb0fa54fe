"""Networks that come trained with the course, so that an explorer is alive at once; `__main__` makes them again."""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR
from tqdm.auto import tqdm

from ... import datasets, rng
from ...models import VAE, DeepLatentVariableModel
from ...training import gradient_descent

HIDDEN = (240, 240)
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Recipe:
    """How a network was trained, and the SHA-256 sum of its file, which holds float16: half the bytes.

    With `points` on a grid it learns by its evidence; with none it has an encoder, and learns by its bound.
    """

    name: str
    classes: int | None
    points: int
    steps: int
    sha256: str
    batch_size: int = 256
    lr: float = 3e-3
    seed: int = 10
    latents: int = 2
    hidden: tuple[int, ...] = HIDDEN

    @property
    def path(self) -> Path:
        """Where its weights lie."""
        return FOLDER / f"{self.name}.safetensors"

    def model(self) -> DeepLatentVariableModel | VAE:
        """The model before training, in float32."""
        return self.untrained(self.points).float()

    def untrained(self, points: int) -> DeepLatentVariableModel | VAE:
        """The same in the default dtype, its grid, if it has one, with other `points`."""
        options = {"hidden": self.hidden, "classes": self.classes, "generator": rng.seeded(self.seed)}
        if not self.points:
            return VAE(784, self.latents, **options)
        return DeepLatentVariableModel(784, self.latents, points=points, **options)


PLANE = Recipe("digits_on_a_plane", None, points=30, steps=3000,
               sha256="5d9852938cdca50576a6a9b8025c73a7251890644d3cc5d61e7eb05ecff0da92")
LABELLED = Recipe("digits_given_a_label", 10, points=20, steps=1500,
                  sha256="4793245130020c90592969842e65d1090e52624b3c9cb403ecadd46fe0e97ebf")
EIGHT = Recipe("digits_in_eight_numbers", None, points=0, steps=4000, batch_size=100, seed=15, latents=8, hidden=(200,),
               sha256="59f27c0fd479a5079e0f717548ea6e97719c845e277445d2cf746c5c503ab723")


def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The digits that these networks learnt from, and those that they never saw: x, x_held_out, y, y_held_out."""
    x, y = datasets.mnist()
    return datasets.split(datasets.binarise(x), y, held_out=1000, generator=rng.seeded(10))


def trained(recipe: Recipe) -> DeepLatentVariableModel | VAE:
    """The model with the weights that come with the course, in the default dtype; a grid has 30 × 30 points.

    Raises:     ValueError if the file is not the one that was shipped.
    """
    content = recipe.path.read_bytes()
    if hashlib.sha256(content).hexdigest() != recipe.sha256:
        raise ValueError(
            f"`{recipe.path.name}` must be the file that came with the course; its SHA-256 sum is another. Remedy: "
            "fetch it again, or train it again with: python -m course_lib.lessons.weights"
        )
    made = recipe.untrained(points=30)
    made.load_state_dict(load(content))
    return made.requires_grad_(False)


def retrained(recipe: Recipe) -> bytes:
    """The content of the weights' file, trained again: on one thread, from the seed."""
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    try:
        model, (x, _, y, _) = recipe.model(), digits()
        process = gradient_descent(
            model, x if recipe.classes is None else (x, y), rng.seeded(recipe.seed), steps=recipe.steps,
            batch_size=recipe.batch_size, lr=recipe.lr, schedule=partial(CosineAnnealingLR, T_max=recipe.steps))
        for _ in tqdm(process, total=recipe.steps, desc=recipe.name):
            pass
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)
    return save({name: value.half() for name, value in model.state_dict().items()})
