"""Run one notebook without network, and measure it.

A small process (this file as a script) starts pytest and waits for it. The peak memory is that of the largest
process below, the kernel: a process inherits its parent's peak, and that of a large test run would hide it.
"""

import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

NAMESPACE = ["unshare", "--user", "--map-root-user", "--net"]
GUARD = Path(__file__).parent / "guard"
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
NBVAL = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120", "-p", "no:cacheprovider", "-q"]


@dataclass(frozen=True)
class Run:
    """What came of a run: seconds by the clock and of computing, the kernel's peak in MiB, seconds by cell by the
    clock, failures' texts."""

    seconds: float
    computing: float
    mebibytes: float
    cells: dict[str, float]
    failures: list[str]


def can_isolate() -> bool:
    """Tell whether this user may make a network namespace."""
    if not shutil.which(NAMESPACE[0]):
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode == 0


def run(notebook: Path, *, isolated: bool, **environment: str) -> Run:
    """Run `notebook` where it stands, in a namespace without network or else behind a socket guard."""
    with tempfile.TemporaryDirectory() as folder:
        variables = os.environ | {"COURSE_PROGRESS": f"{folder}/progress.json"} | environment
        if not isolated:
            variables["PYTHONPATH"] = os.pathsep.join([str(GUARD), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, __file__, str(notebook), folder, "isolated" if isolated else "guarded"]
        command = NAMESPACE + command if isolated else command
        subprocess.run(command, env=variables, check=True, stdout=subprocess.DEVNULL)
        return Run(**json.loads(Path(folder, "run.json").read_text()))


def raise_loopback() -> None:
    """Bring the loopback interface up: a kernel talks over 127.0.0.1, and a new namespace has it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def measure(notebook: str, folder: str) -> None:
    """Run pytest with nbval on `notebook` and leave what came of it in `folder`."""
    report, start = f"{folder}/report.xml", time.perf_counter()
    command = [sys.executable, "-m", "pytest", *NBVAL, "-c", os.devnull, f"--junitxml={report}", notebook]
    process = subprocess.Popen(command)
    _, _, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    cases = list(ElementTree.parse(report).iter("testcase"))
    problems = [child for case in cases for child in case if child.tag in ("failure", "error")]
    result = {
        "seconds": seconds,
        "computing": usage.ru_utime + usage.ru_stime,  # of pytest and all that it waited for
        "mebibytes": usage.ru_maxrss / 1024,  # Linux counts in KiB
        "cells": {case.attrib["name"]: float(case.attrib["time"]) for case in cases},
        "failures": [re.sub(r"#x1B\[[\d;]*m", "", problem.text) for problem in problems],
    }
    Path(folder, "run.json").write_text(json.dumps(result))


if __name__ == "__main__":
    if sys.argv[3] == "isolated":
        raise_loopback()
    measure(sys.argv[1], sys.argv[2])
