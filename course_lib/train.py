"""Train a neural model of the course: python -m course_lib.train vae mnist --steps 2000 --checkpoint runs/vae

Interrupted, it goes on from its last checkpoint when the same command is given again. On several processors:
torchrun --nproc-per-node=2 -m course_lib.train ...
"""

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Generator, Tensor, distributed, nn
from tqdm import tqdm

from . import checkpoint, datasets, device, metrics, models, rng
from .errors import NumericalError
from .parallel import Parallel, anyone
from .training import GradientDescent, History, gradient_descent

CLASSES = 10  # of all the data below
CHUNK = 500  # held-out rows at a time


class Recipe(NamedTuple):
    """How to make a model of images with so many pixels, and whether its loss takes the labels too."""

    make: Callable[[int, Generator], nn.Module]
    labels: bool = False


MODELS = {
    "vae": Recipe(lambda pixels, g: models.VAE(pixels, 20, generator=g)),
    "conditional-vae": Recipe(lambda pixels, g: models.ConditionalVAE(pixels, 20, CLASSES, generator=g), labels=True),
    "made": Recipe(lambda pixels, g: models.MADE(pixels, generator=g)),
    "decoder": Recipe(lambda pixels, g: models.DeepLatentVariableModel(pixels, 2, generator=g)),
    "softmax": Recipe(lambda pixels, g: models.ConditionalCategorical(pixels, CLASSES, generator=g), labels=True),
    "classifier": Recipe(
        lambda pixels, g: models.ConditionalCategorical(pixels, CLASSES, hidden=(256,), generator=g), labels=True
    ),
}
DATA = {"digits": datasets.optical_digits, "mnist": datasets.mnist, "silhouettes": datasets.silhouettes}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.train", description="Train a neural model.")
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("data", choices=DATA)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0, help="of first weights, minibatches and noise")
    parser.add_argument("--device", type=place_named, help="cpu, cuda or mps; without it the best there is")
    parser.add_argument("--checkpoint", metavar="DIR", help="save there, and go on from what is there")
    parser.add_argument("--every", type=int, default=100, help="steps between two checkpoints")
    options = parser.parse_args(arguments)
    if options.every < 1:
        parser.error(f"`--every` must be at least 1; got {options.every}.")
    return options


def place_named(name: str) -> torch.device:
    """The device of that name, if there is one here."""
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    known = re.fullmatch(r"(\w+)(:\d+)?", name)
    if not known or not here.get(known[1]):
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(k for k, v in here.items() if v)}; got {name!r}")
    return torch.device(name)


def main(arguments: list[str] | None = None) -> None:
    """Train, save, and print the loss on data held out."""
    options = parse(arguments)
    with team(options.device or device.best()) as (rank, place):
        try:
            run(options, rank, place)
        except (ValueError, NumericalError, OSError) as error:
            sys.exit(f"{type(error).__name__}: {error}")


@contextmanager
def team(place: torch.device) -> Iterator[tuple[int, torch.device]]:
    """Inside, the processes that torchrun started know each other: yields this one's number and its device."""
    if "WORLD_SIZE" not in os.environ:
        yield 0, place
        return
    if place.type == "cuda":
        place = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield distributed.get_rank(), place
    finally:
        distributed.destroy_process_group()


def run(options: argparse.Namespace, rank: int, place: torch.device) -> None:
    """Train the model on one process of the team."""
    recipe = MODELS[options.model]
    train, held_out = load_data(options.data, recipe.labels, place)
    generator, history = rng.seeded(options.seed), History()
    model = recipe.make(train[0].shape[1], generator).to(place)
    process = gradient_descent(
        Parallel(model) if distributed.is_initialized() else model, train, generator,
        steps=options.steps, batch_size=options.batch_size, lr=options.lr,
    )
    state = {"model": model, "process": process, "history": history}
    if options.checkpoint and checkpoint.checkpoints(options.checkpoint):
        path = checkpoint.load(options.checkpoint, **state)
        say(rank, f"Going on from {path}, after step {process.index}.")
    for interrupted in descend(process, history, options.every, rank, place):
        if options.checkpoint and rank == 0:
            checkpoint.save(options.checkpoint, **state)
        if interrupted:
            break
    else:
        loss = metrics.estimate(held_out_loss(model, held_out))
        say(rank, f"Held-out loss after step {process.index}: {loss} nats a row, {len(held_out[0])} rows.")
        return
    kept = "The same command goes on from there." if options.checkpoint else "Without --checkpoint it is lost."
    say(rank, f"Interrupted after step {process.index}. {kept}")


def load_data(name: str, labels: bool, place: torch.device) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Binary images, with their labels if wanted: nine tenths to train on, one tenth held out, whatever the seed."""
    x, y = DATA[name]()
    x = datasets.binarise(x)
    x, x_held_out, y, y_held_out = datasets.split(x, y, held_out=len(x) // 10, generator=rng.seeded(0))
    parts = ((x, y), (x_held_out, y_held_out)) if labels else ((x,), (x_held_out,))
    return tuple(tuple(part.to(place) for part in rows) for rows in parts)


def descend(
    process: GradientDescent, history: History, every: int, rank: int, place: torch.device
) -> Iterator[bool]:
    """Run `process`; yield when it is time to save, with whether someone wants it to stop."""
    interrupts: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: interrupts.append(number))
    try:
        with tqdm(total=process.steps, initial=process.index, disable=rank > 0, unit="step") as bar:
            for step in process:
                bar.update()
                due = step.index % every == 0 or step.index == process.steps
                alone = not distributed.is_initialized()  # a team can only stop together, where it saves
                if due or (alone and interrupts):
                    history.append(step=step.index, loss=step.loss)
                    bar.set_postfix(loss=f"{step.loss:.2f}")
                    process.look()  # all processes look together; only one saves
                    yield anyone(bool(interrupts), place)
    finally:
        signal.signal(signal.SIGINT, before)


@torch.no_grad()
def held_out_loss(model: nn.Module, data: tuple[Tensor, ...]) -> Tensor:
    """The loss of every row, shape (n,), always with the same noise."""
    generator = rng.seeded(0)
    return torch.cat([model.loss(*rows, generator) for rows in zip(*(part.split(CHUNK) for part in data))])


def say(rank: int, words: str) -> None:
    """Print, in one process only."""
    if rank == 0:
        print(words)


if __name__ == "__main__":
    main()
