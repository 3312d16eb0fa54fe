"""Which oracle each public function of floors 0 to 3 is held against: read from the marks of the tests."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parent
FLOORS = ("functional", "rng", "device", "errors", "inference", "models", "datasets", "training", "metrics",
          "checkpoint", "parallel")


class Mark(NamedTuple):
    """One `@pytest.mark.oracle(what, *names)` and the test that it stands on."""

    test: str
    what: str
    names: tuple[str, ...]


def marks() -> Iterator[Mark]:
    """Yield every oracle mark in the tests."""
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                test = f"{path.relative_to(TESTS.parent).as_posix()}::{node.name}"
                yield from (Mark(test, what, tuple(names)) for what, *names in _oracles(node))


def _oracles(node: ast.FunctionDef) -> Iterator[list[str]]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.oracle":
            yield [ast.literal_eval(argument) for argument in decorator.args]


def public() -> list[str]:
    """The full name, without the package, of every public function and method of floors 0 to 3."""
    names: set[str] = set()
    for floor in FLOORS:
        for module in _modules(floor):
            names |= set(_names(module))
    return sorted(names)


def _modules(floor: str) -> Iterator:
    module = importlib.import_module(f"course_lib.{floor}")
    yield module
    if floor == "inference":
        for part in pkgutil.iter_modules(module.__path__):
            yield importlib.import_module(f"course_lib.inference.{part.name}")


def _names(module) -> Iterator[str]:
    home = module.__name__.removeprefix("course_lib.")
    for name, thing in vars(module).items():
        if name.startswith("_") or not getattr(thing, "__module__", "").startswith(module.__name__):
            continue                                     # not defined there, nor in a module of the package
        if inspect.isclass(thing):
            yield from (f"{home}.{name}.{method}" for method in _methods(thing))
        elif inspect.isfunction(thing):
            yield f"{home}.{name}"


def _methods(cls: type) -> Iterator[str]:
    for name, thing in vars(cls).items():
        function = getattr(thing, "fget", None) or getattr(thing, "__func__", None) or thing
        abstract = getattr(thing, "__isabstractmethod__", False)
        if not name.startswith("_") and inspect.isfunction(function) and not abstract:
            yield name


def table(tests: set[str] | None = None) -> dict[str, set[str]]:
    """What each public function is held against, in all tests or in those named."""
    found: dict[str, set[str]] = {name: set() for name in public()}
    for mark in marks():
        if tests is None or mark.test in tests:
            for name in found:
                if any(fnmatch(name, pattern) for pattern in mark.names):
                    found[name].add(mark.what)
    return found


if __name__ == "__main__":
    for name, against in table().items():
        print(f"{name:58} {'; '.join(sorted(against)) or '-'}")
