"""What a class needs, computed from what the rehearsal measured; and the tables for TEACHING.md."""

import json
import math
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECORD = Path(__file__).with_name("classroom.json")
NOTEBOOKS = ROOT / "tests/notebooks/measured.json"
TEACHING = ROOT / "TEACHING.md"
BLOCK = r"(?<=<!-- class:begin -->\n)(?s:.*?)(?=<!-- class:end -->)"

SIZES = (30, 300)
RUNNING = 0.1  # the share of the class that keeps a core busy with a cell, at any moment
MOVING = 0.5  # the share that moves an explorer
PICTURES = 5  # a second, for each of these
SPARE = 1.25  # so that memory is never full
SYSTEM = 2  # GiB for the machine and the hub


def notebooks() -> dict[str, float]:
    """Return each notebook's peak of memory in MiB, as `make measure` found it."""
    return {name: entry["mebibytes"] for name, entry in json.loads(NOTEBOOKS.read_text(encoding="utf-8")).items()}


def per_learner(record: dict) -> float:
    """Return the MiB that one learner takes: measured in the largest class, with the course's largest notebook."""
    peaks = notebooks()
    return record["lessons"][-1]["pss"] + max(peaks.values()) - peaks["08_mixtures"]


def gibibytes(record: dict, learners: int) -> int:
    """Return the memory for a class."""
    return math.ceil(SYSTEM + SPARE * learners * per_learner(record) / 1024)


def cores(record: dict, learners: int) -> int:
    """Return the cores for a class in a lesson, where some run a cell and others move an explorer."""
    lesson = record["lessons"][-1]
    picture = lesson["computing_picture"] + lesson["computing_proxy"]
    return math.ceil(learners * (RUNNING + MOVING * PICTURES * picture))


def all_at_once(record: dict, learners: int) -> float:
    """Return the minutes until all have run notebook 08, if all start at once on these cores."""
    return learners * record["lessons"][-1]["computing_run"] / cores(record, learners) / 60


def measured_table(record: dict) -> str:
    """Return what was measured, a row for each size of class."""
    head = ("| learners at once | failed | until JupyterLab is there, s | *Run all* of 08, s: median, slowest | "
            "slider to picture, ms: median, 95 % | server and kernel, MiB: resident, own share |\n"
            "| ---: | ---: | ---: | ---: | ---: | ---: |\n")
    rows = [f"| {lesson['learners']} | {len(lesson['failures'])} | {lesson['enter']:.0f} "
            f"| {lesson['run_all']:.0f}, {lesson['run_all_slowest']:.0f} "
            f"| {1e3 * lesson['picture']:.0f}, {1e3 * lesson['picture_95']:.0f} "
            f"| {lesson['rss']:.0f}, {lesson['pss']:.0f} |\n" for lesson in record["lessons"]]
    return head + "".join(rows)


def needs_table(record: dict) -> str:
    """Return what each size of class needs."""
    rows = {
        "memory, GiB": [gibibytes(record, size) for size in SIZES],
        "cores": [cores(record, size) for size in SIZES],
        "minutes until all have run 08, if all start at once": [f"{all_at_once(record, size):.0f}" for size in SIZES],
        "pictures a second": [f"{size * MOVING * PICTURES:.0f}" for size in SIZES],
    }
    head = f"| | {' | '.join(f'{size} learners' for size in SIZES)} |\n| --- |{' ---: |' * len(SIZES)}\n"
    return head + "".join(f"| {name} | {' | '.join(map(str, values))} |\n" for name, values in rows.items())


def text(record: dict) -> str:
    """Return both tables with what they rest on."""
    first, lesson = record["lessons"][0], record["lessons"][-1]
    most = round(1 / lesson["computing_proxy"], -2)
    measured = f"""Measured on {record["date"]} by `make rehearse-class`, on {record["machine"]}, for the hub and all
        learners together. Seconds include waiting for other work on that machine: a learner alone waited
        {first["run_all"]:.0f} s for {first["computing_run"]:.0f} s of computing. *Own share*: a page of memory that
        several processes use is divided."""
    computed = f"""Computed from the class of {lesson["learners"]}: *Run all* takes {lesson["computing_run"]:.0f} s
        of one core; a picture takes {1e3 * lesson["computing_picture"]:.0f} ms of a core for the learner, and
        {1e3 * lesson["computing_proxy"]:.1f} ms for the proxy and the hub, so that one proxy passes about {most:,.0f}
        pictures a second. A learner takes {per_learner(record):.0f} MiB with the course's largest notebook open and no
        other. Assumed: at any moment {100 * RUNNING:.0f} % of the class keep a core busy with a cell;
        {100 * MOVING:.0f} % move an explorer that the kernel computes, at {PICTURES} pictures a second each;
        {100 * SPARE - 100:.0f} % of memory stay spare; {SYSTEM} GiB are for the system and the hub."""
    return "\n".join([measured_table(record), _wrapped(measured), needs_table(record), _wrapped(computed)])


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(" ".join(paragraph.split()), 120) + "\n"


def write(record: dict) -> None:
    """Put the record beside this file and the tables into TEACHING.md."""
    stamped, found = re.subn(BLOCK, lambda _: text(record), TEACHING.read_text(encoding="utf-8"))
    if found != 1:
        raise ValueError(f"`{TEACHING.name}` must hold the markers class:begin and class:end once; got {found}.")
    TEACHING.write_text(stamped, encoding="utf-8")
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":  # after `make measure`: another notebook may be the largest
    write(json.loads(RECORD.read_text(encoding="utf-8")))
