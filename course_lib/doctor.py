"""The doctor looks at this computer and says what to do where it ails: `python -m course_lib.doctor`.

Each check imports what it needs itself, so that a missing package becomes a finding.
"""

import html
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PACKAGES = ("torch", "jupyterlab", "ipywidgets", "anywidget", "matplotlib")
WIDGETS = ("@jupyter-widgets/jupyterlab-manager", "anywidget")  # what JupyterLab must have to draw widgets
SYMBOLS = {"ok": "✓", "warning": "!", "problem": "✗"}
INSTALL = "Install the course again: make lab, or python -m pip install -c constraints.txt -e ."
LEFT = 'style="text-align: left"'
GIBIBYTE = 2**30


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, how it is, what was found, what to do."""

    topic: str
    status: Literal["ok", "warning", "problem"]
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{SYMBOLS[self.status]} {self.status:<8}{self.topic:<12}{self.found}"
        return line + (f"\n{'':<10}What to do: {self.remedy}" if self.remedy else "")

    def row(self) -> str:
        """The finding as a row of an HTML table."""
        found = html.escape(self.found)
        if self.remedy:
            found += f"<br><strong>What to do:</strong> {html.escape(self.remedy)}"
        cells = (f"{SYMBOLS[self.status]} {self.status}", self.topic, found)
        return "<tr>" + "".join(f"<td {LEFT}>{cell}</td>" for cell in cells) + "</tr>"


@dataclass(frozen=True)
class Report:
    """All findings; a table in a notebook, lines of text elsewhere."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing found is a problem; warnings are allowed."""
        return all(finding.status != "problem" for finding in self.findings)

    @property
    def verdict(self) -> str:
        """The report in one sentence."""
        return "The course can run here." if self.healthy else "The course cannot run here yet."

    def __str__(self) -> str:
        return "\n".join([self.verdict, *map(str, self.findings)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(finding.row() for finding in self.findings)
        head = "".join(f'<th scope="col" {LEFT}>{name}</th>' for name in ("status", "topic", "found"))
        caption = f"<caption {LEFT}>{self.verdict}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def versions() -> Finding:
    """Python's version and those of the packages that the reader meets."""
    installed = {"python": platform.python_version()} | {name: version_of(name) for name in PACKAGES}
    found = ", ".join(f"{name} {version}" for name, version in installed.items())
    if "missing" in installed.values():
        return Finding("versions", "problem", found, INSTALL)
    return Finding("versions", "ok", found)


def version_of(name: str) -> str:
    """The installed version of a distribution, or 'missing'."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def place() -> Finding:
    """The device that the course computes on."""
    from course_lib import device

    return Finding("device", "ok", f"{device.describe(device.best())}; {os.cpu_count()} cores")


def memory() -> Finding:
    """Memory of the machine, what is free, and what this process holds."""
    import psutil

    machine = psutil.virtual_memory()
    used = psutil.Process().memory_info().rss
    found = (
        f"{machine.total / GIBIBYTE:.1f} GiB, of which {machine.available / GIBIBYTE:.1f} GiB are free; "
        f"this process holds {used / GIBIBYTE:.2f} GiB"
    )
    if machine.available < GIBIBYTE:
        return Finding("memory", "warning", found, "Shut down other kernels (menu Kernel).")
    return Finding("memory", "ok", found)


def widgets() -> Finding:
    """Whether widgets can be drawn: JupyterLab needs their extensions in the environment it runs from."""
    lab = server_prefix() or Path(sys.prefix)
    missing = [name for name in WIDGETS if not (lab / "share/jupyter/labextensions" / name).is_dir()]
    if lab.resolve() != Path(sys.prefix).resolve():
        found = f"JupyterLab runs from {lab}, the kernel from {sys.prefix}"
        remedy = f"Stop JupyterLab and start the kernel's own: {sys.executable} -m jupyter lab"
        return Finding("widgets", "problem" if missing else "warning", found, remedy)
    if missing:
        return Finding("widgets", "problem", f"JupyterLab has no extension {' and '.join(missing)}", INSTALL)
    if os.environ.get("JUPYTER_PATH"):
        found = f"JUPYTER_PATH={os.environ['JUPYTER_PATH']} lets JupyterLab take extensions from elsewhere"
        return Finding("widgets", "warning", found, "If widgets stay blank, unset it and start again.")
    return Finding("widgets", "ok", f"kernel and JupyterLab are both in {sys.prefix}")


def connection() -> Finding:
    """Whether this kernel's server sends each picture at once (see course_lib.server)."""
    if "JPY_PARENT_PID" not in os.environ:
        return Finding("connection", "ok", "no notebook asks, so no explorer waits")
    if os.environ.get("COURSE_SERVER") == "prompt":
        return Finding("connection", "ok", "the server sends each message at once")
    found = "the server holds small messages back: explorers answer some 40 ms later under a drag"
    remedy = f"Stop JupyterLab and start the course's own: {sys.executable} -m jupyter lab"
    return Finding("connection", "warning", found, remedy)


def server_prefix() -> Path | None:
    """The environment of the JupyterLab that started this kernel; None where that cannot be told."""
    import psutil

    parent = os.environ.get("JPY_PARENT_PID", "")
    if os.name == "nt" or not parent.isdigit():  # on Windows the variable is a handle, not a process
        return None
    try:
        server = psutil.Process(int(parent))
        python = server.cmdline()[0]
        if os.sep in python:
            python = os.path.join(server.cwd(), python)
        command = shutil.which(python, path=server.environ().get("PATH"))
    except (psutil.Error, IndexError):
        return None
    prefix = Path(command).absolute().parent.parent if command else None
    return prefix if prefix and (prefix / "share/jupyter/lab").is_dir() else None


def data() -> Finding:
    """Whether every data set can be read."""
    from course_lib import datasets

    for name in datasets.__all__:
        getattr(datasets, name)()
    return Finding("data", "ok", f"{len(datasets.__all__)} data sets: {', '.join(datasets.__all__)}")


def progress_file() -> Finding:
    """Whether the reader's progress can be kept."""
    from course_lib.classroom import progress

    path = progress.path()
    folder = next(folder for folder in path.parents if folder.exists())
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        remedy = "Make the folder writable, or name another file: COURSE_PROGRESS=/some/folder/progress.json"
        return Finding("progress", "problem", f"{path} cannot be written: {error.strerror}", remedy)
    return Finding("progress", "ok", str(path))


CHECKS = (versions, place, memory, widgets, connection, data, progress_file)


def examine(check: Callable[[], Finding]) -> Finding:
    """The check's finding; a check that fails itself becomes a finding too."""
    try:
        return check()
    except Exception as error:
        return Finding(check.__name__, "problem", f"{type(error).__name__}: {error}", INSTALL)


def doctor() -> Report:
    """Look at everything."""
    return Report(tuple(examine(check) for check in CHECKS))


if __name__ == "__main__":
    report = doctor()
    print(report)
    sys.exit(not report.healthy)
