"""All benchmarks, side by side in one run; the table goes into the README.

Usage: pip install lightning pomegranate pyro-ppl numpyro; python tests/benchmarks/run.py [--write] [name ...]

The peers are needed here only. Each contestant runs once unmeasured, then five times in turn with the others; the
table shows medians.
"""

import argparse
import datetime
import importlib
import os
import platform
import re
from pathlib import Path

import torch
from compare import HEAD

README = Path(__file__).parents[2] / "README.md"
NAMES = ("vae", "em", "hmc", "ais", "loading")


def measure(names: list[str]) -> str:
    """Run the benchmarks and return the table."""
    lines = [HEAD]
    for name in names:
        for row in importlib.import_module(name).rows():
            print(row, flush=True)
            lines.append(str(row))
    where = f"{platform.system()}, {os.cpu_count()} CPU cores, no GPU, torch {torch.__version__.partition('+')[0]}"
    return "\n".join([*lines, "", f"Medians of five, measured on {datetime.date.today()}: {where}."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES, help=f"of {', '.join(NAMES)}; without any, all")
    parser.add_argument("--write", action="store_true", help="write the table into the README")
    options = parser.parse_args()
    table = measure(list(options.names))
    if options.write:
        text = README.read_text(encoding="utf-8")
        between = re.compile(r"(?<=<!-- benchmarks:begin -->\n).*(?=<!-- benchmarks:end -->)", re.DOTALL)
        README.write_text(between.sub(lambda _: table + "\n", text), encoding="utf-8")


if __name__ == "__main__":
    main()
