"""The shipped networks: whole, small, made again from the seed, as good as the text says."""

import dataclasses
import hashlib

from course_lib import datasets, rng
from course_lib.lessons import weights
from course_lib.lessons.weights import __main__ as command

import pytest
import torch

RECIPES = [weights.PLANE, weights.LABELLED, weights.EIGHT]


@pytest.mark.parametrize("recipes", [RECIPES[:2], RECIPES[2:]], ids=["lesson 10", "lesson 15"])
def test_the_weights_of_a_lesson_are_below_a_megabyte(recipes):
    assert sum(recipe.path.stat().st_size for recipe in recipes) <= 1e6


def test_no_other_weights_are_shipped():
    assert {recipe.path for recipe in RECIPES} == set(weights.FOLDER.glob("*.safetensors"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_model_has_the_shipped_numbers_in_the_default_dtype(recipe):
    model = weights.trained(recipe)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float64}
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert hashlib.sha256(recipe.path.read_bytes()).hexdigest() == recipe.sha256


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    content = bytearray(weights.PLANE.path.read_bytes())
    content[-1] ^= 1
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    weights.PLANE.path.write_bytes(content)
    with pytest.raises(ValueError, match=r"`digits_on_a_plane\.safetensors` must be the file .* Remedy: fetch it"):
        weights.trained(weights.PLANE)


def test_the_digits_are_split_as_the_notebook_splits_them():
    x, y = datasets.mnist()
    split = datasets.split(datasets.binarise(x), y, held_out=1000, generator=rng.seeded(10))
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(weights.digits(), split))


@pytest.mark.parametrize(("recipe", "low", "high"), list(zip(RECIPES, (-132, -123, -117), (-129, -120, -110))))
def test_shipped_weights_score_what_the_text_says(recipe, low, high):
    assert low < command.score(recipe, recipe.path.read_bytes()) < high


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_training_again_gives_the_same_bytes_and_leaves_torch_as_it_was(recipe):
    brief = dataclasses.replace(recipe, steps=2, points=recipe.points and 4)
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    torch.set_num_threads(2)
    try:
        first = weights.retrained(brief)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert first == weights.retrained(brief) != recipe.path.read_bytes()
    assert torch.get_default_dtype() == torch.float64
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(("write", "agrees"), [(True, True), (False, True), (False, False)])
def test_the_command_writes_or_compares(tmp_path, monkeypatch, capsys, write, agrees):
    brief = dataclasses.replace(weights.PLANE, steps=2, points=4)
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    for name in ("PLANE", "LABELLED", "EIGHT"):
        monkeypatch.setattr(command, name, brief)
    monkeypatch.setattr("sys.argv", ["weights", *["--write"] * write])
    if not write:
        shipped = brief if agrees else dataclasses.replace(brief, steps=30)
        brief.path.write_bytes(weights.retrained(shipped))
    if agrees:
        command.main()
        assert brief.path.read_bytes() == weights.retrained(brief)
        assert write or "The same bytes." in capsys.readouterr().out
    else:
        with pytest.raises(SystemExit, match=r"A score differs by more than 1\.0 nats a digit\."):
            command.main()
