"""Rehearse a lesson on a real JupyterHub: learners at once run notebook 08 and move an explorer.

`python tests/uses/classroom.py` prints what it took; `--write` also puts it, with what a class needs, into TEACHING.md.
"""

import argparse
import asyncio
import dataclasses
import datetime
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import memory
import psutil
import sizing
from hub import Hub, lacking
from learner import Learner

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NOTEBOOK = "course/notebooks/08_mixtures.ipynb"
CLASSES = (1, 4, 8, 12)
MOVES, PAUSE = 50, 0.2  # of the slider; the pause in seconds after each picture


@dataclasses.dataclass
class Lesson:
    """What a lesson took: seconds; peaks of memory in MiB, the median over the learners; processor seconds."""

    learners: int
    failures: list[str]
    enter: float  # the slowest, from the login to JupyterLab
    run_all: float  # the median
    run_all_slowest: float
    picture: float  # from the slider's message to the new picture, the median
    picture_95: float
    rss: float
    pss: float
    computing_run: float  # a learner's kernel and server
    computing_picture: float
    computing_proxy: float  # the hub and its proxy, a picture


class Class:
    """Learners that do everything at once; who fails once is left out of the rest, and is named in `failures`."""

    def __init__(self, address: str, names: list[str]) -> None:
        self.present = [Learner(address, name) for name in names]
        self.failures = []

    async def all(self, act: Callable[[Learner], Awaitable]) -> list[tuple[float, object]]:
        """Let all who are present do the same; return the seconds and the result of each who did not fail."""
        done = await asyncio.gather(*(_timed(act(learner)) for learner in self.present), return_exceptions=True)
        failed = {learner: what for learner, what in zip(self.present, done) if isinstance(what, BaseException)}
        for learner, what in failed.items():
            self.failures.append(f"{learner.name}: {type(what).__name__}: {what}")
            await learner.leave()
        self.present = [learner for learner in self.present if learner not in failed]
        if not self.present:
            raise RuntimeError("Nobody could do it:\n" + "\n".join(self.failures))
        return [what for what in done if not isinstance(what, BaseException)]


async def _timed(act: Awaitable) -> tuple[float, object]:
    begin = time.perf_counter()
    result = await act
    return time.perf_counter() - begin, result


async def teach(hub: Hub, names: list[str], notebook: str, moves: int) -> Lesson:
    """Hold the lesson: all enter and fetch the course, then all open and run the notebook, then all move the slider."""
    root, group = psutil.Process(hub.process.pid), Class(hub.url, names)
    with memory.watched(root, hub.homes) as uses:
        enter = await group.all(lambda learner: learner.enter())
        await group.all(lambda learner: learner.fetch())
        servers = memory.servers(root, hub.homes).values()
        clocks = [memory.computing(servers)]
        await group.all(lambda learner: learner.open(notebook))
        run_all = await group.all(lambda learner: learner.run_all())
        clocks.append(memory.computing(servers))
        before = memory.computing([root])
        moved = await group.all(lambda learner: learner.move(moves, PAUSE))
        clocks.append(memory.computing(servers))
        total = memory.computing([root]) - before
    await group.all(lambda learner: learner.leave())
    pictures = [seconds for _, each in moved for seconds in each]
    return Lesson(
        learners=len(names), failures=group.failures, enter=max(seconds for seconds, _ in enter),
        run_all=statistics.median(seconds for seconds, _ in run_all),
        run_all_slowest=max(seconds for seconds, _ in run_all),
        picture=statistics.median(pictures), picture_95=statistics.quantiles(pictures, n=20)[-1],
        rss=statistics.median(use.rss for use in uses.values()),
        pss=statistics.median(use.pss for use in uses.values()),
        computing_run=(clocks[1] - clocks[0]) / len(names),
        computing_picture=(clocks[2] - clocks[1]) / len(pictures),
        computing_proxy=(total - clocks[2] + clocks[1]) / len(pictures),
    )


def rehearse(learners: int, *, notebooks: Path = NOTEBOOKS, notebook: str = NOTEBOOK, moves: int = MOVES) -> Lesson:
    """Start a hub for so many learners that publishes `notebooks`, hold the lesson, and stop the hub."""
    names = [f"learner-{number:02}" for number in range(1, learners + 1)]
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder), names, notebooks)
        try:
            return asyncio.run(teach(hub, names, notebook, moves))
        finally:
            hub.stop()


def main() -> None:
    """Rehearse with each size of class, and print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="put the tables into TEACHING.md")
    options.add_argument("learners", nargs="*", type=int, default=CLASSES, help="sizes of the class")
    wishes = options.parse_args()
    if lacking():
        sys.exit(lacking())
    lessons = []
    for learners in wishes.learners:
        lessons.append(rehearse(learners))
        print(lessons[-1], file=sys.stderr, flush=True)
    record = {
        "date": datetime.date.today().isoformat(), "machine": f"{os.cpu_count()} CPU cores, no GPU",
        "lessons": [dataclasses.asdict(lesson) for lesson in lessons],
    }
    print(sizing.text(record))
    if wishes.write:
        sizing.write(record)
    if any(lesson.failures for lesson in lessons):
        sys.exit("Somebody failed.")


if __name__ == "__main__":
    main()
