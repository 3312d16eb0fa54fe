"""The floors: a module imports only from floors below its own, and stays small enough to be read at once."""

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "course_lib"
FLOORS = [
    {"functional", "rng", "device", "errors"},
    {"inference"},
    {"models", "datasets"},
    {"training", "metrics", "checkpoint", "parallel"},
    {"plots", "train"},
    {"widgets", "classroom"},
    {"lessons", "doctor", "server", "binder"},
]
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
LOWEST = {"matplotlib": 4, "IPython.display": 4, "IPython": 5, "ipywidgets": 5, "anywidget": 5}
MODULE_LINES, FUNCTION_LINES, MEDIAN_LINES = 250, 40, 10


def home(path: Path, root: Path) -> str:
    """Return the part of the library that a module belongs to."""
    return path.relative_to(root).parts[0].removesuffix(".py")


def imported(path: Path, root: Path) -> Iterator[str]:
    """Return the full name of all that a module imports, wherever in it the import stands."""
    package = (root.name, *path.relative_to(root).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            yield from (".".join([*base, *filter(None, [node.module]), alias.name]) for alias in node.names)


def climbs(path: Path, root: Path) -> Iterator[str]:
    """Name each import that does not go downward."""
    name = home(path, root)
    if name == "__init__":
        return
    if name not in FLOOR:
        yield f"{name} has no floor"
        return
    for target in imported(path, root):
        part = target.split(".")[1] if target.startswith(f"{root.name}.") else None
        lowest = next((LOWEST[package] for package in LOWEST if f"{target}.".startswith(f"{package}.")), 0)
        if FLOOR[name] < lowest:
            yield f"{name} (floor {FLOOR[name]}) imports {target} (from floor {lowest} up)"
        if part in FLOOR and part != name and FLOOR[part] >= FLOOR[name]:
            yield f"{name} (floor {FLOOR[name]}) imports {part} (floor {FLOOR[part]})"


def functions(path: Path) -> dict[str, int]:
    """Return the length in lines of every function of a module."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {f"{path.name}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
            for node in nodes if isinstance(node, kinds)}


def too_long(path: Path) -> Iterator[str]:
    """Name the module and the functions that are too long."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > MODULE_LINES:
        yield f"{path.name} has {lines} lines; at most {MODULE_LINES}"
    for name, length in functions(path).items():
        if length > FUNCTION_LINES:
            yield f"{name} has {length} lines; at most {FUNCTION_LINES}"


def violations(root: Path) -> list[str]:
    """Return all that is wrong below `root`."""
    paths = sorted(root.rglob("*.py"))
    found = [text for path in paths for text in (*climbs(path, root), *too_long(path))]
    median = statistics.median([length for path in paths for length in functions(path).values()] or [0])
    if median >= MEDIAN_LINES:
        found.append(f"the median function has {median:g} lines; fewer than {MEDIAN_LINES}")
    return found


def test_every_module_keeps_to_its_floor():
    assert violations(ROOT) == []


def test_the_package_itself_is_light():
    code = "import sys, course_lib; print({'torch', 'numpy', 'matplotlib', 'IPython'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT.parent, text=True) == "set()\n"


@pytest.mark.parametrize(("module", "source", "message"), [
    ("models/mixture.py", "from ..training import fit", "models (floor 2) imports training (floor 3)"),
    ("models/mixture.py", "from .. import training", "models (floor 2) imports training (floor 3)"),
    ("models/mixture.py", "import course_lib.plots", "models (floor 2) imports plots (floor 4)"),
    ("models/mixture.py", "from course_lib import datasets", "models (floor 2) imports datasets (floor 2)"),
    ("inference/oracle.py", "from course_lib.models import Gaussian", "inference (floor 1) imports models"),
    ("rng.py", "def draw():\n    from .models import Gaussian", "rng (floor 0) imports models (floor 2)"),
    ("training.py", "from matplotlib.figure import Figure", "imports matplotlib.figure.Figure (from floor 4"),
    ("plots.py", "import ipywidgets", "plots (floor 4) imports ipywidgets (from floor 5 up)"),
    ("plots.py", "from IPython import get_ipython", "imports IPython.get_ipython (from floor 5 up)"),
    ("utils.py", "", "utils has no floor"),
    ("rng.py", "x = 1\n" * 251, "rng.py has 251 lines; at most 250"),
    ("rng.py", "def draw():\n" + "    x = 1\n" * 40, "rng.py:1 draw has 41 lines; at most 40"),
    ("rng.py", "def draw():\n" + "    x = 1\n" * 9, "the median function has 10 lines; fewer than 10"),
])
def test_a_broken_floor_is_named(tmp_path, module, source, message):
    path = tmp_path / "course_lib" / module
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert any(message in violation for violation in violations(tmp_path / "course_lib"))


@pytest.mark.parametrize(("module", "source"), [
    ("models/mixture.py", "from ..rng import randn\nfrom .gaussian import Gaussian"),
    ("plots.py", "from IPython.display import HTML\nimport matplotlib"),
    ("lessons/n08_mixtures.py", "from course_lib.widgets import Explorer\nimport ipywidgets"),
])
def test_a_downward_import_is_accepted(tmp_path, module, source):
    path = tmp_path / "course_lib" / module
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert violations(tmp_path / "course_lib") == []
