"""Rehearse Binder: run notebooks in real JupyterLab within Binder's limits, and print what each takes.

The server and all that it starts have one core, no network, and packages that nobody can write to (a namespace of
their own). What all of them hold in memory together, counted ten times a second, must stay within 1 GiB; of the files
that they map, PyTorch's above all, those of the server count and those of the largest other process, since the others
share them. The sum is measured, not enforced as Binder's control groups do: that takes rights that a test does not
have. The reader's browser has the other cores and does not count. After each notebook the server itself ends the idle
kernel, as Binder does, only sooner.
"""

import argparse
import contextlib
import datetime
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.notebooks.runner import NAMESPACE, can_isolate, raise_loopback
from tests.setup import image_size

import psutil
from conftest import CHROMIUM, SWITCHES
from lab_server import Lab
from notebook_page import ENDED, open_and_start
from playwright.sync_api import Page, sync_playwright
from test_first_explorer import SHOWN
from test_notebooks import NOTEBOOKS, inspect

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PLACE = r"(?<=<!-- binder:begin -->\n)(?s:.*?)(?=<!-- binder:end -->)"
LIMIT = 1024  # MiB
GOAL = 20  # s from the kernel's start to the first explorer's picture
PATIENCE = 600_000  # ms
IDLE = 20  # s after which the server ends an idle kernel; Binder waits 600
CULLING = [f"--MappingKernelManager.{option}" for option in
           (f"cull_idle_timeout={IDLE}", "cull_interval=2", "cull_connected=True")]
NOT_RUN = """() => [...document.querySelectorAll(".jp-CodeCell")]
  .filter(cell => !/[0-9]/.test(cell.querySelector(".jp-InputPrompt").textContent))
  .map(cell => cell.querySelector(".cm-content").textContent)"""


@dataclass(frozen=True)
class Visit:
    """One notebook, run from top to bottom: seconds from the kernel's start, and the largest sum of memory in MiB."""

    name: str
    first_explorer: float | None
    seconds: float
    mebibytes: float

    def __str__(self) -> str:
        alive = "–" if self.first_explorer is None else f"{self.first_explorer:.0f}"
        return f"| {self.name} | {alive} | {self.seconds:.0f} | {self.mebibytes:.0f} |"


def held(pid: int) -> tuple[int, int]:
    """Return what a process holds in KiB: memory of its own, and pages of files."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0, 0
    sizes = {name: int(size) for name, size in re.findall(r"^Rss(\w+):\s+(\d+) kB$", text, re.M)}
    return sizes.get("Anon", 0) + sizes.get("Shmem", 0), sizes.get("File", 0)


class Gauge(threading.Thread):
    """Counts, ten times a second, what the server and all that it started hold together."""

    def __init__(self, server: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.server, self.peak = server, 0.0

    def look(self) -> float:
        """Return what they hold now, in MiB."""
        (own, files), *others = [held(one.pid) for one in (self.server, *self.server.children(recursive=True))]
        shared = max((pages for _, pages in others), default=0)
        return (own + files + sum(size for size, _ in others) + shared) / 1024

    def run(self) -> None:
        """Look ten times a second until the server ends."""
        with contextlib.suppress(psutil.NoSuchProcess):
            while True:
                self.peak = max(self.peak, self.look())
                time.sleep(0.1)


def visit(page: Page, lab: Lab, gauge: Gauge, path: Path) -> Visit:
    """Open a notebook, run all of it, and wait until the server has ended its kernel."""
    gauge.peak = 0.0
    open_and_start(page, lab, path.name)
    kernel = max(gauge.server.children(), key=psutil.Process.create_time)
    alive = None
    if "explorers." in path.read_text(encoding="utf-8"):
        page.wait_for_function(SHOWN, timeout=PATIENCE)
        alive = time.time() - kernel.create_time()
    page.wait_for_function(ENDED, timeout=PATIENCE)
    found = Visit(path.stem, alive, time.time() - kernel.create_time(), gauge.peak)
    inspect(page)
    assert not (cells := page.evaluate(NOT_RUN)), f"`{path.name}`: the kernel died before {cells[0]!r} had run"
    psutil.wait_procs([kernel], timeout=6 * IDLE)
    assert not kernel.is_running(), f"`{path.name}` keeps its kernel from being idle"
    return found


@contextlib.contextmanager
def confined(core: int) -> Iterator[None]:
    """What is started here has one core; all else, from then on, the others."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    yield
    os.sched_setaffinity(0, cores - {core} or cores)


def rehearse(notebooks: list[Path]) -> Iterator[Visit]:
    """Visit one notebook after the other, all on one server."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, contextlib.ExitStack() as last:
        copies = Path(folder, "notebooks")
        shutil.copytree(ROOT / "notebooks", copies)
        for path in notebooks:
            shutil.copy(path, copies)
        with confined(max(os.sched_getaffinity(0))):
            lab = Lab(Path(folder), CULLING)
        last.callback(lab.stop)
        gauge = Gauge(psutil.Process(lab.pid))
        gauge.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        last.callback(browser.close)
        for path in notebooks:
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            yield visit(page, lab, gauge, copies / path.name)
            page.close()


def table(visits: list[Visit]) -> str:
    """Return the README's table and the estimate of the image's size."""
    head = ("| notebook | first explorer, s | *Run all*, s | peak memory, MiB |\n"
            "| --- | ---: | ---: | ---: |\n")
    total = Visit("all (the slowest, the sum, the largest)", max(visit.first_explorer for visit in visits),
                  sum(visit.seconds for visit in visits), max(visit.mebibytes for visit in visits))
    rows = "".join(f"{row}\n" for row in (*visits, total))
    return f"{head}{rows}\nMeasured on {datetime.date.today().isoformat()}. {image_size.estimate()}\n"


def seal(*folders: Path) -> None:
    """Make folders read-only for this namespace."""
    for folder in map(str, folders):
        subprocess.run(["mount", "--bind", folder, folder], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)


def main() -> None:
    """Enter a namespace of its own, rehearse, print, and write the README's table if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="which notebooks (default: the whole course)")
    parser.add_argument("--write", action="store_true", help="write the table into the README")
    arguments = parser.parse_args()
    if arguments.write and arguments.notebooks:
        parser.error("--write needs the whole course: name no notebook")
    if "COURSE_REHEARSAL" not in os.environ:
        if CHROMIUM is None or not can_isolate():
            sys.exit("The rehearsal needs Chromium and Linux with `unshare`, which this user must be allowed to use.")
        command = [*NAMESPACE, "--mount", sys.executable, *sys.argv]
        sys.exit(subprocess.run(command, env=os.environ | {"COURSE_REHEARSAL": "1"}).returncode)
    os.environ |= {"MEM_LIMIT": str(LIMIT * 2**20), "CPU_LIMIT": "1.0"}  # as JupyterHub tells its servers
    raise_loopback()
    seal(Path(sys.prefix), ROOT / "course_lib")
    visits = []
    print("| notebook | first explorer, s | run all, s | peak memory, MiB |", flush=True)
    for visit in rehearse(arguments.notebooks or NOTEBOOKS):
        print(visit, flush=True)
        visits.append(visit)
    if not arguments.notebooks:
        print(table(visits).splitlines()[-1])
    if arguments.write:
        stamp(table(visits))
    report(visits)


def stamp(text: str) -> None:
    """Write the table into the README."""
    stamped, found = re.subn(PLACE, lambda _: text, README.read_text(encoding="utf-8"))
    if found != 1:
        raise ValueError(f"`README.md` must hold {PLACE} once; got {found}.")
    README.write_text(stamped, encoding="utf-8")


def report(visits: list[Visit]) -> None:
    """Say whether the first explorers came in time; end with an error if a notebook took too much memory."""
    late = [visit.name for visit in visits if (visit.first_explorer or 0) > GOAL]
    print(f"First explorer within {GOAL} s: " + (f"not in {', '.join(late)}" if late else "in all"))
    large = [f"{visit.name}: {visit.mebibytes:.0f} MiB" for visit in visits if visit.mebibytes > LIMIT]
    sys.exit(f"A notebook must stay within {LIMIT} MiB; got {', '.join(large)}." if large else 0)


if __name__ == "__main__":
    main()
