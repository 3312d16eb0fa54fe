"""Checkpoints: a run is saved as one file, which is there whole or not at all, and goes on from it bit by bit.

The file is safetensors: the tensors lie open to every tool, and its header carries all the rest as JSON. No code is
ever read from it, as it could be from a pickle.
"""

import json
import os
import warnings
from collections import Counter
from pathlib import Path
from typing import Protocol

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Generator, Tensor, nn

from . import rng

VERSION = "1"  # of the file's layout
KEEP = 2  # checkpoints in a folder: the newest, and the one before in case it is damaged


class _Process(Protocol):
    def state_dict(self) -> dict[str, object]: ...

    def require_state(self, state: dict[str, object]) -> None: ...

    def load_state_dict(self, state: dict[str, object]) -> None: ...


def save(
    folder: str | Path,
    *,
    model: nn.Module,
    process: _Process | None = None,
    history: dict[str, list[float]] | None = None,
    **generators: Generator,
) -> Path:
    """Write a new checkpoint to `folder`, and return its path. The two newest are kept.

    It is written beside its place and then renamed, in one motion: whoever is killed meanwhile has lost nothing.
    A process saves its own generator; others that the run draws from are given by name.

    Raises:     NumericalError if the model of `process` no longer gives a finite loss.
    """
    tree = {
        "class": type(model).__name__,
        "process": process and process.state_dict(),  # first of all: it puts a diverged model back
        "model": dict(model.state_dict()),
        "history": history and dict(history),
        "generators": {name: generator.get_state() for name, generator in generators.items()},
    }
    tensors: dict[str, Tensor] = {}
    header = {"version": VERSION, "tree": json.dumps(_pack(tree, "", tensors))}
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    older = checkpoints(folder)
    number = 1 + int(older[-1].stem.removeprefix("checkpoint_")) if older else 1
    path, partial = folder / f"checkpoint_{number:08}.safetensors", folder / "checkpoint.partial"
    with partial.open("wb") as file:  # not by save_file: killed, that leaves files of random names
        file.write(serialise(tensors, header))
        file.flush()
        os.fsync(file.fileno())  # on the disk, before it gets its name
    os.replace(partial, path)
    for old in older[: 1 - KEEP]:
        old.unlink()
    return path


def load(
    folder: str | Path,
    *,
    model: nn.Module,
    process: _Process | None = None,
    history: dict[str, list[float]] | None = None,
    **generators: Generator,
) -> Path:
    """Put all that is given back as it was in the newest checkpoint of `folder`, and return that one's path.

    If it is damaged, the one before is taken, with a warning.

    Raises:     FileNotFoundError if `folder` holds no checkpoint; ValueError if all are damaged, or if it is one of
                another model or process, or of another version of the course, or of generators of another kind of
                device. Then nothing has changed.
    """
    path, tree = _newest(Path(folder))
    _require_same(path, model, tree)
    rows = {} if history is None else _part(path, tree, "history")
    chances = {name: _part(path, tree["generators"], name) for name in generators}
    for name, generator in generators.items():
        rng.require_state(name, generator, chances[name])
    if process is not None:
        process.require_state(_part(path, tree, "process"))
    model.load_state_dict(tree["model"])  # all has been looked at: from here on nothing is refused
    if process is not None:
        process.load_state_dict(tree["process"])
    if history is not None:
        history.clear()
        history.update(rows)
    for name, generator in generators.items():
        generator.set_state(chances[name])
    return path


def checkpoints(folder: str | Path) -> list[Path]:
    """The checkpoints in `folder`, oldest first."""
    return sorted(Path(folder).glob(f"checkpoint_{'[0-9]' * 8}.safetensors"))  # a copy of another name is no newest one


def _newest(folder: Path) -> tuple[Path, dict[str, object]]:
    """The newest checkpoint that can be read, and what it holds."""
    damage = []
    for path in reversed(checkpoints(folder)):
        try:
            tree = _read(path)
        except (SafetensorError, OSError) as error:
            damage.append(f"{path} is damaged ({error}).")
        else:
            if damage:
                warnings.warn(f"{' '.join(damage)} Going on from {path}, the one before.", stacklevel=3)
            return path, tree
    if damage:
        raise ValueError(f"{' '.join(damage)} Remedy: delete what is damaged and start anew.")
    raise FileNotFoundError(f"`folder` must hold a checkpoint; {folder} holds none.")


def _read(path: Path) -> dict[str, object]:
    with safe_open(path, "pt") as file:
        header = file.metadata() or {}
        if header.get("version") != VERSION:
            raise ValueError(
                f"{path} must be a checkpoint of version {VERSION}; got version {header.get('version')}. "
                "Remedy: read it with the version of the course that wrote it."
            )
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118, it is no dictionary
        return _unpack(json.loads(header["tree"]), tensors)


def _require_same(path: Path, model: nn.Module, tree: dict[str, object]) -> None:
    if tree["class"] != type(model).__name__:
        raise ValueError(f"`model` must be a {tree['class']}, as in {path}; got a {type(model).__name__}.")
    saved, mine = ({name: f"{tuple(value.shape)} {value.dtype}" for name, value in state.items()}
                   for state in (tree["model"], model.state_dict()))
    for name in sorted(saved.keys() | mine.keys()):
        if saved.get(name) != mine.get(name):
            raise ValueError(
                f"`model` must fit {path}, where {name} is {saved.get(name, 'missing')}; got {mine.get(name, 'none')}. "
                "Remedy: build the model with the sizes and the dtype of the saved run."
            )


def _part(path: Path, tree: dict[str, object], name: str) -> object:
    if tree.get(name) is None:
        raise ValueError(f"`{name}` must be in the checkpoint; {path} was saved without it.")
    return tree[name]


def _pack(value: object, name: str, tensors: dict[str, Tensor]) -> object:
    """`value` in words that JSON knows; its tensors go to `tensors`, each with the way to it as its name."""
    if isinstance(value, Tensor):
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return {"tensor": name}
    if isinstance(value, dict):  # as pairs: the keys of JSON are words only
        kind = "counter" if isinstance(value, Counter) else "dict"  # MultiStepLR counts its milestones
        return {kind: [[key, _pack(part, f"{name}/{key}".strip("/"), tensors)] for key, part in value.items()]}
    if isinstance(value, list | tuple):
        parts = [_pack(part, f"{name}/{index}", tensors) for index, part in enumerate(value)]
        return {"tuple": parts} if isinstance(value, tuple) else parts
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"A checkpoint must hold tensors, numbers and words; got {type(value).__name__} at {name}.")


def _unpack(value: object, tensors: dict[str, Tensor]) -> object:
    if isinstance(value, list):
        return [_unpack(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    ((kind, parts),) = value.items()
    if kind == "tensor":
        return tensors[parts]
    if kind == "tuple":
        return tuple(_unpack(part, tensors) for part in parts)
    pairs = {key: _unpack(part, tensors) for key, part in parts}
    return Counter(pairs) if kind == "counter" else pairs
