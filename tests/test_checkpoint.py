"""Checkpoints: a run goes on as if nothing had happened; what cannot be read is named."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from course_lib import checkpoint, rng
from course_lib.models import Gaussian, GaussianMixture
from course_lib.training import History
from tests import killed_run
from tests.noisy_model import start

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, MultiStepLR, OneCycleLR, SequentialLR

ROOT = Path(__file__).parents[1]


def warm_up(optimiser):
    parts = [MultiStepLR(optimiser, [2], gamma=0.5), CosineAnnealingLR(optimiser, 8)]
    return SequentialLR(optimiser, parts, milestones=[5])


def milestones_late(optimiser):
    """MultiStepLR counts its milestones in a Counter, and asks it when it begins after another."""
    return SequentialLR(optimiser, [LinearLR(optimiser), MultiStepLR(optimiser, [2, 4])], milestones=[5])


RUNS = {
    "full batch": {},
    "epochs": {"batch_size": 12, "schedule": partial(CosineAnnealingLR, T_max=11)},
    "replacement": {"batch_size": 12, "replacement": True, "schedule": warm_up, "clip": 0.5},
    "milestones": {"batch_size": 12, "schedule": milestones_late},
    "momentum": {"batch_size": 9, "optimiser": partial(torch.optim.SGD, momentum=0.9),
                 "schedule": partial(OneCycleLR, max_lr=0.1, total_steps=11)},
}


def run(process, history, until=11):
    for step in process:
        history.append(step=step.index, loss=step.loss)
        if step.index == until:
            break
    return history


@pytest.mark.oracle("the uninterrupted run, bit by bit", "checkpoint.save", "checkpoint.load",
                    "training.GradientDescent.state_dict", "training.GradientDescent.load_state_dict")
@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
def test_a_run_stopped_after_any_step_goes_on_bit_by_bit(tmp_path, options):
    whole, process = start(steps=11, **options)
    history = run(process, History())
    for stop in range(1, 11):
        model, process = start(steps=11, **options)
        early = run(process, History(), stop)
        checkpoint.save(tmp_path, model=model, process=process, history=early)
        model, process = start(steps=11, **options)
        early = History()
        checkpoint.load(tmp_path, model=model, process=process, history=early)
        assert process.index == stop
        assert run(process, early) == history
        assert torch.equal(model.loc, whole.loc) and torch.equal(model.log_scale, whole.log_scale)


@pytest.mark.parametrize("forget", ["generator", "order", "position", "update"])
def test_whatever_is_forgotten_of_the_state_is_missed(forget):
    """Each part of the state is needed: with that part as it was at the start, the run ends elsewhere."""
    options = {"steps": 11, **RUNS["epochs"]}
    whole, process = start(**options)
    fresh = process.state_dict()[forget]
    run(process, History(), 4)
    state, parameters = {**process.state_dict(), forget: fresh}, {k: v.clone() for k, v in whole.state_dict().items()}
    run(process, History())
    model, process = start(**options)
    model.load_state_dict(parameters)
    process.load_state_dict(state)
    run(process, History())
    assert not torch.equal(model.loc, whole.loc)


def test_a_run_may_be_made_longer(tmp_path):
    whole, process = start(steps=11, batch_size=12)
    run(process, History())
    model, process = start(steps=5, batch_size=12)
    run(process, History())
    checkpoint.save(tmp_path, model=model, process=process)
    model, process = start(steps=11, batch_size=12)
    checkpoint.load(tmp_path, model=model, process=process)
    run(process, History())
    assert torch.equal(model.loc, whole.loc)


def test_other_generators_are_saved_by_name(tmp_path):
    noise = rng.seeded(8)
    checkpoint.save(tmp_path, model=Gaussian(1), noise=noise)
    expected = torch.rand(4, generator=noise)
    checkpoint.load(tmp_path, model=Gaussian(1), noise=noise)
    assert torch.equal(torch.rand(4, generator=noise), expected)


class Far:
    """What is saved of a generator on CUDA: a state of 16 bytes."""

    device = torch.device("cpu")

    def get_state(self):
        return torch.zeros(16, dtype=torch.uint8)


@pytest.mark.oracle("message pinned; nothing has changed", "checkpoint.load", "rng.require_state")
@pytest.mark.parametrize("name", ["generator", "noise"])
def test_a_generator_on_another_kind_of_device_is_refused(tmp_path, content, name):
    model, process = start(steps=9)
    run(process, History(), 2)
    noise = Far() if name == "noise" else rng.seeded(8)
    if name == "generator":
        process.batches.generator = Far()
    checkpoint.save(tmp_path, model=model, process=process, noise=noise)
    model, process = start(steps=9)
    here = {"model": model, "process": process, "noise": rng.seeded(8)}
    before = content(**here)
    with pytest.raises(ValueError, match=rf"`{name}` must be on a device of the same kind as the saved one; got cpu\."):
        checkpoint.load(tmp_path, **here)
    assert content(**here) == before


@pytest.mark.slow
@pytest.mark.oracle("the uninterrupted run, after 50 random kills", "checkpoint.save", "checkpoint.load")
def test_fifty_kills_lose_nothing(tmp_path):
    command = [sys.executable, "-m", killed_run.__name__, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 30  # so many lives ended in the middle of their work


@pytest.mark.oracle("the files counted", "checkpoint.checkpoints")
def test_two_are_kept_and_nothing_else(tmp_path):
    for _ in range(4):
        path = checkpoint.save(tmp_path / "runs" / "one", model=Gaussian(1))
    kept = checkpoint.checkpoints(tmp_path / "runs" / "one")
    assert [file.name for file in kept] == ["checkpoint_00000003.safetensors", "checkpoint_00000004.safetensors"]
    assert kept[-1] == path and sorted(path.parent.iterdir()) == kept
    assert checkpoint.checkpoints(tmp_path / "nowhere") == []


def test_a_copy_of_another_name_is_left_alone(tmp_path):
    first = checkpoint.save(tmp_path, model=Gaussian(1))
    copy = tmp_path / "checkpoint_best.safetensors"
    copy.write_bytes(first.read_bytes())
    assert checkpoint.load(tmp_path, model=Gaussian(1)) == first
    saved = [checkpoint.save(tmp_path, model=Gaussian(1)) for _ in range(3)]
    assert sorted(tmp_path.iterdir()) == [*saved[1:], copy]


def test_a_save_that_fails_leaves_the_last_one(tmp_path, monkeypatch):
    first = checkpoint.save(tmp_path, model=Gaussian(1))

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(tmp_path, model=Gaussian(1))
    assert checkpoint.load(tmp_path, model=Gaussian(1)) == first
    monkeypatch.undo()
    second = checkpoint.save(tmp_path, model=Gaussian(1))
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_other_tools_can_read_the_tensors(tmp_path):
    model, process = start(steps=1)
    next(process)
    with safe_open(checkpoint.save(tmp_path, model=model, process=process), "pt") as file:
        names = set(file.keys())
        assert torch.equal(file.get_tensor("model/loc"), model.loc)
    assert "process/update/state/0/exp_avg" in names


@pytest.mark.parametrize("size", [0, 5, 100, -1])
def test_a_damaged_newest_one_is_named_and_the_one_before_taken(tmp_path, size):
    good = checkpoint.save(tmp_path, model=Gaussian(1))
    bad = checkpoint.save(tmp_path, model=Gaussian(1))
    bad.write_bytes(bad.read_bytes()[:size])
    with pytest.warns(UserWarning, match=rf"{bad} is damaged \(.+\)\. Going on from {good}, the one before\."):
        assert checkpoint.load(tmp_path, model=Gaussian(1)) == good
    good.write_bytes(b"")
    with pytest.raises(ValueError, match=rf"{bad} is damaged .*{good} is damaged .*Remedy: delete"):
        checkpoint.load(tmp_path, model=Gaussian(1))


@pytest.fixture
def content(tmp_path):
    """A function that gives all that a model, its process, history and generators hold."""
    def what(**run):
        with safe_open(checkpoint.save(tmp_path / "beside", **run), "pt") as file:
            return file.metadata()["tree"], {name: file.get_tensor(name).tolist() for name in sorted(file.keys())}

    return what


@pytest.mark.oracle("message pinned", "checkpoint.load")
@pytest.mark.parametrize(("model", "message"), [
    (lambda: GaussianMixture(2, 1), r"`model` must be a Gaussian, as in .+0001\.safetensors; got a GaussianMixture\."),
    (lambda: Gaussian(3), r"`model` must fit .+, where loc is \(1,\) torch\.float64; got \(3,\) torch\.float64\."),
    (lambda: Gaussian(1).float(), r"where loc is \(1,\) torch\.float64; got \(1,\) torch\.float32\. Remedy: .+ dtype"),
    (lambda: Gaussian(1, covariance="full"), r"where lower is missing; got \(1, 1\) torch\.float64\."),
])
def test_a_checkpoint_of_another_model_is_refused(tmp_path, model, message):
    checkpoint.save(tmp_path, model=Gaussian(1))
    with pytest.raises(ValueError, match=message):
        checkpoint.load(tmp_path, model=model())


def test_a_file_of_another_version_is_refused(tmp_path):
    save_file({}, tmp_path / "checkpoint_00000001.safetensors", {"version": "99"})
    with pytest.raises(ValueError, match=r"must be a checkpoint of version 1; got version 99\. Remedy"):
        checkpoint.load(tmp_path, model=Gaussian(1))


def test_what_was_not_saved_cannot_be_loaded(tmp_path, content):
    with pytest.raises(FileNotFoundError, match=r"`folder` must hold a checkpoint; .+ holds none\."):
        checkpoint.load(tmp_path, model=Gaussian(1))
    saved, process = start(steps=1)
    next(process)
    checkpoint.save(tmp_path, model=saved)
    for part in ({"process": start(steps=1)[1]}, {"history": History(step=[7])}, {"noise": rng.seeded(0)}):
        here = {"model": start(steps=1)[0], **part}
        before = content(**here)
        with pytest.raises(ValueError, match=rf"`{next(iter(part))}` must be in the checkpoint; .+ saved without it\."):
            checkpoint.load(tmp_path, **here)
        assert content(**here) == before


@pytest.mark.oracle("message pinned; nothing has changed", "checkpoint.load", "training.GradientDescent.require_state")
@pytest.mark.parametrize(("options", "message"), [
    ({"steps": 9, "lr": 0.1}, r"`lr` must be 0\.01, as in the saved process; got 0\.1\."),
    ({"steps": 9, "batch_size": 4}, r"`batch_size` must be None, as in the saved process; got 4\."),
    ({"steps": 9, "optimiser": torch.optim.SGD}, r"`optimiser` must be 'Adam', as in the saved process; got 'SGD'\."),
    ({"steps": 1}, r"`steps` must be at least 2, those already done; got 1\."),
])
def test_a_process_with_other_options_is_refused(tmp_path, content, options, message):
    model, process = start(steps=9)
    run(process, History(), 2)
    checkpoint.save(tmp_path, model=model, process=process, history={})
    model, process = start(**options)
    here = {"model": model, "process": process, "history": History(step=[7])}
    before = content(**here)
    with pytest.raises(ValueError, match=message):
        checkpoint.load(tmp_path, **here)
    assert content(**here) == before


def test_what_a_file_cannot_hold_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"must hold tensors, numbers and words; got object at history/loss/0\."):
        checkpoint.save(tmp_path, model=Gaussian(1), history={"loss": [object()]})
    assert list(tmp_path.iterdir()) == []
