"""One process against two: the course's training program is run twice, and the parameters are compared."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor, distributed
from tqdm.auto import tqdm

from ... import checkpoint, models, rng, train

TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "course_lib.train"]
SECONDS = 60  # more than this and it is given up
ENOUGH = 1.5 * 2**30  # bytes for this notebook, torchrun and its two processes, each with a PyTorch of its own


def train_alone_and_together(steps: int, batch_size: int) -> float | str:
    """The largest difference of a parameter between the model that one process trained and that of two.

    Where processes cannot be started or cannot meet, a sentence that says so.
    """
    if not distributed.is_available() or not distributed.is_gloo_available():
        return "This build of PyTorch cannot connect processes, so there is nothing to compare here."
    if 0 < (limit := float(os.environ.get("MEM_LIMIT") or 0)) < ENOUGH:  # JupyterHub, and so Binder, says so
        return f"Two more processes do not fit into the {limit / 2**30:.2g} GiB here, so there is nothing to compare."
    options = ["softmax", "digits", "--device", "cpu", "--steps", str(steps), "--batch-size", str(batch_size)]
    with tempfile.TemporaryDirectory() as folder:
        alone, together = Path(folder, "one"), Path(folder, "two")
        with tqdm(total=2, desc="runs") as bar:
            _run_alone([*options, "--checkpoint", str(alone)])
            bar.update()
            try:
                _run_together([*options, "--checkpoint", str(together)])
            except (OSError, subprocess.SubprocessError) as error:
                return f"Two processes could not be run here ({type(error).__name__}), so there is nothing to compare."
            bar.update()
        pairs = zip(_trained(alone), _trained(together))
        return max((one - two).abs().max().item() for one, two in pairs)


def _run_together(arguments: list[str]) -> None:
    """Two processes under torchrun, which meet on the loopback interface."""
    here = {"OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR"}
    if sys.platform == "linux":
        here["GLOO_SOCKET_IFNAME"] = "lo"
    command = [sys.executable, *TORCHRUN, *arguments]
    subprocess.run(command, env={**os.environ, **here}, capture_output=True, timeout=SECONDS, check=True)


def _run_alone(arguments: list[str]) -> None:
    """One process, this one, in single precision as the others."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            train.main(arguments)
    finally:
        torch.set_default_dtype(before)


def _trained(folder: Path) -> list[Tensor]:
    model = models.ConditionalCategorical(64, 10, generator=rng.seeded(0)).float()
    checkpoint.load(folder, model=model)
    return [parameter.detach() for parameter in model.parameters()]
