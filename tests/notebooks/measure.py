"""Measure the notebooks; write what came of it into the record, the notebooks' heads, the README and the ledger."""

import datetime
import json
import os
import re
import sys
import tempfile
from pathlib import Path

from notebooks.source import build

import ledger
from runner import can_isolate, run

RECORD = Path(__file__).with_name("measured.json")
README = Path(__file__).parents[2] / "README.md"
HEADLINE = r"^# \*\*Measured\.\*\*.*$"
TABLE = r"(?<=<!-- measured:begin -->\n)(?s:.*?)(?=<!-- measured:end -->)"


def measured(notebook: Path) -> dict[str, float | str]:
    """Return what one run took and measured, with the day and the machine; raise ValueError if a cell fails."""
    with tempfile.TemporaryDirectory() as folder:
        entered = Path(folder, "ledger.jsonl")
        found = run(notebook, isolated=can_isolate(), COURSE_LEDGER=str(entered))
        evidence = ledger.entries(entered, notebook)
    if found.failures:
        raise ValueError(f"`{notebook.name}` must run before it is measured; got {found.failures[0]}")
    return {
        "seconds": round(found.seconds),
        "mebibytes": round(found.mebibytes),
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} CPU cores, no GPU",
        "evidence": evidence,
    }


def headline(entry: dict) -> str:
    """Return the line of a notebook's head."""
    return f"**Measured.** *Run all*: {entry['seconds']} s, {entry['mebibytes']} MiB ({entry['machine']})."


def minutes(source: Path) -> int:
    """Return how long a notebook takes to read and explore, as its head says."""
    return int(re.search(r"\*\*Time\.\*\* (\d+) minutes", source.read_text(encoding="utf-8"))[1])


def table(record: dict[str, dict]) -> str:
    """Return the README's table."""
    head = ("| notebook | to read, min | *Run all*, s | peak memory, MiB | measured |\n"
            "| --- | ---: | ---: | ---: | --- |\n")
    row = "| [{0}](notebooks/{0}.ipynb) | {1} | {seconds} | {mebibytes} | {date}, {machine} |\n"
    return head + "".join(row.format(name, minutes(build.SOURCES / f"{name}.py"), **entry)
                          for name, entry in sorted(record.items()))


def stamp(path: Path, pattern: str, text: str) -> None:
    """Put `text` in place of the one match of `pattern` in the file; raise ValueError unless there is one."""
    stamped, found = re.subn(pattern, lambda _: text, path.read_text(encoding="utf-8"), flags=re.M)
    if found != 1:
        raise ValueError(f"`{path.name}` must hold {pattern} once; got {found}.")
    path.write_text(stamped, encoding="utf-8")


def main(numbers: list[str]) -> None:
    """Measure these notebooks, or all, and stamp what came of it."""
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for source in build.sources(numbers):
        record[source.stem] = measured(build.NOTEBOOKS / f"{source.stem}.ipynb")
        stamp(source, HEADLINE, f"# {headline(record[source.stem])}")
    stamp(README, TABLE, table(record))
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    build.main(numbers)
    ledger.PAGE.write_text(ledger.page(record), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
