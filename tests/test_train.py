"""The command line: it trains, it goes on where it stopped, and it says what is wrong."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from course_lib import checkpoint, models, rng, train
from course_lib.training import History

import pytest
import torch

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def float32(float64):
    """As on the command line."""
    torch.set_default_dtype(torch.float32)


def vae():
    return models.VAE(64, 20, generator=rng.seeded(1))


@pytest.mark.parametrize("name", train.MODELS)
def test_every_model_trains(capsys, name):
    train.main([name, "digits", "--steps", "3", "--batch-size", "16", "--device", "cpu"])
    assert "Held-out loss after step 3: " in capsys.readouterr().out


@pytest.mark.parametrize(("name", "pixels"), [("digits", 64), ("mnist", 784), ("silhouettes", 784)])
def test_data_are_binary_and_split_in_ten(name, pixels):
    (x, y), (x_held_out, _) = train.load_data(name, True, torch.device("cpu"))
    assert x.shape[1] == x_held_out.shape[1] == pixels and x.dtype == torch.float32
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert len(x_held_out) == (len(x) + len(x_held_out)) // 10
    assert y.min() >= 0 and y.max() < train.CLASSES


def test_training_lowers_the_held_out_loss(tmp_path, capsys):
    train.main(["vae", "digits", "--steps", "60", "--lr", "0.005", "--checkpoint", str(tmp_path), "--every", "20"])
    (_,), held_out = train.load_data("digits", False, torch.device("cpu"))
    model, history = vae(), History()
    before = train.held_out_loss(model, held_out).mean()
    checkpoint.load(tmp_path, model=model, history=history)
    after = train.held_out_loss(model, held_out).mean()
    assert after < before - 5
    assert f"Held-out loss after step 60: {after:.3f} ±" in capsys.readouterr().out
    assert history["step"] == [20, 40, 60]


@pytest.mark.slow
def test_a_new_process_goes_on_bit_by_bit(tmp_path):
    common = ["vae", "digits", "--batch-size", "16", "--every", "4"]
    train.main([*common, "--steps", "9", "--checkpoint", str(tmp_path / "whole")])
    train.main([*common, "--steps", "6", "--checkpoint", str(tmp_path / "two")])
    command = [sys.executable, "-m", "course_lib.train", *common, "--steps", "9", "--checkpoint", str(tmp_path / "two")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Going on from" in done.stdout and "after step 6." in done.stdout
    whole, two = vae(), vae()
    checkpoint.load(tmp_path / "whole", model=whole)
    checkpoint.load(tmp_path / "two", model=two)
    for one, other in zip(whole.parameters(), two.parameters()):
        assert torch.equal(one, other)


@pytest.mark.parametrize("saved", [True, False])
def test_an_interrupt_saves_and_says_how_to_go_on(tmp_path, capsys, monkeypatch, saved):
    class Bar(train.tqdm):
        def update(self):
            if self.n == 2:
                os.kill(os.getpid(), signal.SIGINT)
            super().update()

    monkeypatch.setattr(train, "tqdm", Bar)
    before = signal.getsignal(signal.SIGINT)
    train.main(["vae", "digits", "--steps", "9", *(["--checkpoint", str(tmp_path)] if saved else [])])
    words = "The same command goes on from there." if saved else "Without --checkpoint it is lost."
    assert f"Interrupted after step 3. {words}" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before
    assert len(checkpoint.checkpoints(tmp_path)) == saved


@pytest.mark.parametrize(("options", "message"), [
    (["--steps", "0"], r"ValueError: `steps` must be a whole number >= 1; got 0\."),
    (["--batch-size", "9999"], r"ValueError: `batch_size` must be at most n = 5058; got 9999\."),
    (["--steps", "60", "--lr", "1e30"], r"NumericalError: Step \d+: the loss is "),
])
def test_what_is_wrong_is_said_in_one_line(options, message):
    with pytest.raises(SystemExit, match=message):
        train.main(["vae", "digits", *options])


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    train.main(["softmax", "digits", "--steps", "1", "--checkpoint", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"`model` must be a ConditionalCategorical, as in .+; got a VAE\."):
        train.main(["vae", "digits", "--steps", "1", "--checkpoint", str(tmp_path)])


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match=r"FileExistsError: .+file"):
        train.main(["softmax", "digits", "--steps", "1", "--checkpoint", str(tmp_path / "file")])


@pytest.mark.parametrize(("arguments", "message"), [
    (["vae", "digits", "--device", "gpu"], "argument --device: must be one of cpu"),
    (["vae", "digits", "--device", "meta"], "got 'meta'"),
    (["vae", "digits", "--device", "cpu:x"], "got 'cpu:x'"),
    (["transformer", "digits"], "invalid choice: 'transformer'"),
    (["vae", "cifar"], "invalid choice: 'cifar'"),
    (["vae", "digits", "--every", "0"], r"`--every` must be at least 1; got 0."),
])
def test_the_command_line_names_what_it_does_not_know(capsys, arguments, message):
    with pytest.raises(SystemExit):
        train.main(arguments)
    assert message in capsys.readouterr().err
