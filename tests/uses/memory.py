"""How much memory and processor each learner's processes take, seen from outside."""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

MEBIBYTE = 2**20
INTERVAL = 0.5  # seconds between two looks


@dataclass
class Use:
    """Peaks in MiB of a learner's server and kernel together: resident, and its share where pages are shared."""

    rss: float = 0
    pss: float = 0


def servers(hub: psutil.Process, homes: Path) -> dict[str, psutil.Process]:
    """Return each learner's server: a child of the hub that stands in the learner's folder."""
    found = {}
    for process in hub.children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            folder = Path(process.cwd())
            if folder.parent == homes:
                found[folder.name] = process
    return found


def look(server: psutil.Process) -> tuple[float, float]:
    """Return the resident and the proportional memory of a server and all below it, in MiB."""
    rss = pss = 0
    for process in (server, *server.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # a helper that has just ended
            use = process.memory_full_info()
            rss, pss = rss + use.rss, pss + use.pss
    return rss / MEBIBYTE, pss / MEBIBYTE


def computing(processes: Iterable[psutil.Process]) -> float:
    """Return the seconds of processor time that these and all below them have taken."""
    return sum(sum(part.cpu_times()[:4]) for process in processes for part in (process, *process.children(True)))


@contextlib.contextmanager
def watched(hub: psutil.Process, homes: Path) -> Iterator[dict[str, Use]]:
    """Keep each learner's peaks up to date while the block runs."""
    uses, over = {}, threading.Event()

    def watch() -> None:
        while not over.wait(INTERVAL):
            for name, server in servers(hub, homes).items():
                with contextlib.suppress(psutil.NoSuchProcess):
                    rss, pss = look(server)
                    use = uses.setdefault(name, Use())
                    use.rss, use.pss = max(use.rss, rss), max(use.pss, pss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield uses
    finally:
        over.set()
        thread.join()
