"""Estimate the size of Binder's image: what the packages take where the course is installed, the course, and a base."""

import importlib.metadata
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
BASE = 0.7  # GB, the documented size of jupyter/base-notebook: Ubuntu, conda, Python, JupyterLab and JupyterHub
GIGABYTE = 1e9


def packages() -> dict[str, int]:
    """Return the bytes of each package that the course needs, with all that these need."""
    waiting = list(map(Requirement, tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]))
    sizes = {}
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        if name not in sizes and (need.marker is None or need.marker.evaluate({"extra": ""})):
            installed = importlib.metadata.distribution(name)
            paths = [Path(file.locate()) for file in installed.files]
            sizes[name] = sum(path.stat().st_size for path in paths if path.is_file())
            waiting += map(Requirement, installed.requires or ())
    return sizes


def course() -> int:
    """Return the bytes of the repository's files."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).rstrip("\0").split("\0")
    return sum((ROOT / name).stat().st_size for name in listed if (ROOT / name).is_file())


def estimate() -> str:
    """Return the estimate in words."""
    sizes = packages()
    packed, own = sum(sizes.values()) / GIGABYTE, course() / GIGABYTE
    return (f"Binder's image, estimated and never built: {packed + own + BASE:.1f} GB. That is {packed:.2f} GB for "
            f"{len(sizes)} packages as they are installed from wheels here (PyTorch {sizes['torch'] / GIGABYTE:.2f}), "
            f"{own:.2f} GB for the course, and {BASE} GB for a base like jupyter/base-notebook; conda's builds differ.")


if __name__ == "__main__":
    print(estimate())
