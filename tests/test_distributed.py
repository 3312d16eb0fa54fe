"""Two processes on one minibatch arrive where one process does, to rounding."""

import os
import subprocess
import sys
from pathlib import Path

from course_lib import checkpoint, models, parallel, rng, train
from tests.noisy_model import Noisy
from tests.two_processes import RUNS, joint_gradient

import pytest
import torch

pytestmark = pytest.mark.slow  # three processes begin, each imports torch
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder in which two processes have left what they found, and what they printed."""
    folder = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
               "-m", "tests.two_processes", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.mark.oracle("one process with the joint minibatch", "rng.sharded", "parallel.Parallel.loss")
@pytest.mark.parametrize(("name", "make"), [
    ("vae", lambda: models.VAE(64, 20, generator=rng.seeded(1))),
    ("classifier", lambda: models.ConditionalCategorical(64, 10, hidden=(256,), generator=rng.seeded(1))),
])
def test_two_processes_arrive_where_one_does(finished, tmp_path, name, make):
    train.main([*RUNS[name], "--checkpoint", str(tmp_path)])
    one, two = make(), make()
    checkpoint.load(tmp_path, model=one)
    checkpoint.load(finished[0] / name, model=two)
    for alone, together in zip(one.parameters(), two.parameters()):
        torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-12)


@pytest.mark.oracle("one process with all rows", "parallel.Parallel.loss", "parallel.Parallel.require_data",
                    "parallel.anyone")
@pytest.mark.parametrize("rank", [0, 1])
def test_each_process_knows_the_joint_loss_and_gradient(finished, rank):
    found = torch.load(finished[0] / f"found_{rank}.pt")
    for name, value in joint_gradient(Noisy()).items():
        torch.testing.assert_close(found[name], value, rtol=1e-12, atol=1e-14)
    assert found["anyone"] == [True, False]
    assert found["refusal"] == "`batch_size` must be a multiple of 2, the number of processes; got 5."


def test_only_one_process_prints_and_saves(finished):
    folder, printed = finished
    assert printed.count("Held-out loss after step 4") == printed.count("Held-out loss after step 6") == len(RUNS)
    assert len(checkpoint.checkpoints(folder / "vae")) == 2


def test_alone_a_flag_is_what_it_is():
    assert parallel.anyone(True, torch.device("cpu")) and not parallel.anyone(False, torch.device("cpu"))


@pytest.mark.oracle("the rows of the joint draw", "rng.sharded")
@pytest.mark.parametrize("draw", [rng.randn, rng.uniform])
def test_shares_of_noise_make_up_the_joint_noise(draw):
    like = torch.zeros(())
    shares = []
    for rank in range(3):
        with rng.sharded(rank, 3):
            shares.append(draw((4, 2), rng.seeded(0), like))
    assert torch.equal(torch.cat(shares), draw((12, 2), rng.seeded(0), like))


@pytest.mark.oracle("message pinned", "rng.sharded")
@pytest.mark.parametrize(("name", "draw"), [
    ("gamma", lambda g: rng.gamma(torch.ones(2), g)),
    ("poisson", lambda g: rng.poisson(torch.ones(2), g)),
    ("categorical", lambda g: rng.categorical(torch.ones(2), 1, g)),
    ("rows", lambda g: rng.rows(2, 1, g)),
])
def test_other_draws_cannot_be_shared(name, draw):
    message = rf"must be made by randn, uniform or bernoulli; got {name}\."
    with rng.sharded(0, 2), pytest.raises(ValueError, match=message):
        draw(rng.seeded(0))
    draw(rng.seeded(0))
