"""One lesson a notebook: its exercises, its bets, its explorers, its experiments."""

import importlib
import pkgutil
from types import ModuleType


def every() -> list[ModuleType]:
    """All lessons, in the order of their notebooks."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name.startswith("n"))
    return [importlib.import_module(f"{__name__}.{name}") for name in names]
