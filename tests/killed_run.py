"""A run that is killed at fifty moments: `python -m tests.killed_run FOLDER` prints how many kills met a child at work.

The children are forks of one process, which spares fifty imports of torch.
"""

import os
import random
import signal
import sys
import time
import warnings
from pathlib import Path

from course_lib import checkpoint
from course_lib.training import History
from tests.noisy_model import Noisy, start

import torch

STEPS, KILLS = 1200, 50


def train(folder, every=3):
    """Go on from `folder` to the end, as one life of the run does."""
    model, process = start(steps=STEPS, batch_size=16, lr=0.01)
    history = History()
    if checkpoint.checkpoints(folder):
        checkpoint.load(folder, model=model, process=process, history=history)
    for step in process:
        history.append(step=step.index, loss=step.loss)
        if step.index % every == 0:
            checkpoint.save(folder, model=model, process=process, history=history)
    return model, history


def killed(folder, after):
    """Start a life, kill it `after` so many seconds from its first checkpoint, and say whether it was at work."""
    before = checkpoint.checkpoints(folder)
    child = os.fork()
    if child == 0:
        train(folder)
        os._exit(0)
    while checkpoint.checkpoints(folder) == before:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def main(folder):
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    warnings.simplefilter("error")  # a damaged checkpoint is one warning too many
    whole, uninterrupted = train(folder / "whole", every=STEPS)  # first: it loads all that the children need
    moments, met = random.Random(0), 0
    for _ in range(KILLS):
        met += killed(folder, moments.uniform(0.0, 0.01))
        left = list(folder.iterdir())  # at most `whole`, a file half-written, and an old one not yet deleted
        assert len(left) <= checkpoint.KEEP + 3, left
        checkpoint.load(folder, model=Noisy())
    model, history = train(folder)
    assert sorted(folder.iterdir()) == [*checkpoint.checkpoints(folder), folder / "whole"]
    assert len(checkpoint.checkpoints(folder)) == checkpoint.KEEP
    assert torch.equal(model.loc, whole.loc) and torch.equal(model.log_scale, whole.log_scale)
    assert history == uninterrupted and history["step"] == list(range(1, STEPS + 1))
    print(met)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
