"""What each of two processes does for tests/test_distributed.py: torchrun -m tests.two_processes FOLDER"""

import sys
from pathlib import Path

from course_lib import rng
from course_lib.parallel import Parallel, anyone
from course_lib.train import parse, run, team
from tests.noisy_model import Noisy, rows

import torch
from torch import distributed

RUNS = {
    "vae": ["vae", "digits", "--steps", "6", "--batch-size", "16"],
    "classifier": ["classifier", "digits", "--steps", "6", "--batch-size", "16"],
}


def joint_gradient(model):
    """The losses of all rows, and their mean's gradient."""
    loss = model.loss(rows(), rng.seeded(1))
    loss.mean().backward()
    return {"loss": loss.detach(), **{name.split(".")[-1]: value.grad for name, value in model.named_parameters()}}


def refusal(model):
    """What is said to a minibatch that two processes cannot share."""
    try:
        model.loss(rows(5), rng.seeded(1))
    except ValueError as error:
        return str(error)


def main(folder):
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    with team(torch.device("cpu")) as (rank, place):
        for name, arguments in RUNS.items():
            for steps in ("4", "6"):  # stopped after four steps, and gone on
                arguments[3] = steps
                run(parse([*arguments, "--checkpoint", str(folder / name)]), rank, place)
                distributed.barrier()  # until the other one has saved
        model = Parallel(Noisy())
        model.require_data(rows())
        found = {**joint_gradient(model), "refusal": refusal(model),
                 "anyone": [anyone(rank == 1, place), anyone(False, place)]}
        torch.save(found, folder / f"found_{rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
