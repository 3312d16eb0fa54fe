"""Binder, as far as one machine can show it: its limits, its plain start, and the kernels that it ends."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.notebooks.runner import can_isolate

import nbformat
import psutil
import pytest
import rehearse_binder
from notebook_page import ENDED, start
from playwright.sync_api import Locator, Page, expect
from rehearse_binder import GOAL, Gauge, Visit
from test_first_explorer import BUSY

ROOT = Path(__file__).parents[2]

# What a notebook finds within the limits; the last line is printed only if all of it holds.
FOUND = """
import contextlib, os, pathlib, socket
import numpy, course_lib

assert len(os.sched_getaffinity(0)) == 1
for package in (numpy, course_lib):
    with contextlib.suppress(OSError):
        pathlib.Path(package.__file__).with_name("planted").touch()
        raise AssertionError(f"{package.__name__} can be written to")
with contextlib.suppress(OSError):
    socket.create_connection(("192.0.2.1", 80), timeout=5)
    raise AssertionError("there is a network")
"""


@pytest.mark.alone
@pytest.mark.skipif(not can_isolate(), reason="no namespace can be made here")
def test_a_notebook_runs_within_the_limits_of_binder(tmp_path, capsys):
    notebook = nbformat.read(ROOT / "notebooks/08_mixtures.ipynb", 4)
    notebook.cells.append(nbformat.v4.new_code_cell(FOUND))
    nbformat.write(notebook, tmp_path / "08_mixtures.ipynb")
    done = rehearse(tmp_path / "08_mixtures.ipynb")
    assert done.returncode == 0, done.stderr
    (alive, seconds, mebibytes), = re.findall(r"\| 08_mixtures \| (\d+) \| (\d+) \| (\d+) \|", done.stdout)
    with capsys.disabled():
        print(f"\n08 on one core: first explorer {alive} s after the kernel's start (goal {GOAL} s), all {seconds} s; "
              f"server and kernel {mebibytes} MiB")
    assert int(alive) <= BUSY * GOAL


def rehearse(*notebooks: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "tests/browser/rehearse_binder.py", *notebooks]
    return subprocess.run(command, capture_output=True, text=True)


CHILD = "held = bytearray(200 * 2**20); print(flush=True); input()"
PARENT = f"""
import subprocess, sys
children = [subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdin=-1, stdout=-1, stderr=-3) for _ in range(2)]
print([child.stdout.readline() for child in children], flush=True)
input()
"""


def test_the_table_has_its_place_in_the_readme(tmp_path, monkeypatch):
    text = rehearse_binder.table([Visit("07_one", 5.4, 20.6, 500.4), Visit("08_two", 7, 40, 600)])
    assert "\n| all (the slowest, the sum, the largest) | 7 | 61 | 600 |\n" in text
    copy = tmp_path / "README.md"
    copy.write_text(rehearse_binder.README.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(rehearse_binder, "README", copy)
    for _ in range(2):
        rehearse_binder.stamp(text)
        assert f"<!-- binder:begin -->\n{text}<!-- binder:end -->" in copy.read_text(encoding="utf-8")


def test_the_memory_of_all_processes_is_counted_together():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=-1, stdout=-1, stderr=-3) as server:
        assert server.stdout.readline()
        assert 400 < Gauge(psutil.Process(server.pid)).look() < 450
        server.stdin.close()


def test_a_plain_start_opens_the_map(page, start_lab):
    """As on Binder, whose server starts in the repository and whose postBuild imports the workspace."""
    lab = start_lab()
    workspaces = os.environ | {"JUPYTERLAB_WORKSPACES_DIR": str(lab.root.parent / "workspaces")}
    (command,) = re.findall("^python -m jupyter lab workspaces .*$", (ROOT / "binder/postBuild").read_text(), re.M)
    subprocess.run([sys.executable, *command.split()[1:]], cwd=ROOT, env=workspaces, check=True)
    (lab.root / "notebooks").symlink_to(lab.root)
    page.goto(f"{lab.url}/lab")
    expect(page.locator(".jp-Notebook").get_by_role("heading", name="Start here")).to_be_visible(timeout=60_000)


IDLE = 10  # s; on Binder 600, while JupyterLab saves every 120
ANSWER = "def log_score(probability):\n    return math.log(probability)\n\n\ncheck.log_score(log_score)"


@pytest.fixture
def forgetful(start_lab):
    """A server that ends idle kernels, even those that a page is connected to."""
    options = (f"cull_idle_timeout={IDLE}", "cull_interval=1", "cull_connected=True")
    lab = start_lab(*[f"--MappingKernelManager.{option}" for option in options])
    saving = lab.root.parent / "settings/@jupyterlab/docmanager-extension/plugin.jupyterlab-settings"
    saving.parent.mkdir(parents=True, exist_ok=True)
    saving.write_text(json.dumps({"autosaveInterval": IDLE / 2}))
    return lab


def kernels(lab) -> list:
    with urllib.request.urlopen(f"{lab.url}/api/kernels") as answer:
        return json.load(answer)


def attempt(lab) -> dict:
    """What the progress file holds of the exercise."""
    return json.loads((lab.root.parent / "progress.json").read_text())["exercises"]["00"]["log_score"]


def exercise(page: Page) -> Locator:
    return page.locator(".jp-CodeCell", has_text="def log_score")


def test_a_kernel_that_is_ended_loses_no_answer_that_was_checked(page, forgetful):
    lab, name = forgetful, "00_start_here.ipynb"
    page.goto(f"{lab.url}/lab/tree/{name}?reset")
    page.locator(".jp-Notebook").wait_for()
    exercise(page).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(ANSWER)
    start(page)
    page.wait_for_function(ENDED)
    expect(exercise(page).get_by_text("✓ passed")).to_be_visible()
    while kernels(lab):
        time.sleep(0.5)
    expect(page.locator(".jp-NotebookPanel-toolbar", has_text="No Kernel")).to_be_visible(timeout=60_000)
    assert ANSWER in {cell.source for cell in nbformat.read(lab.root / name, 4).cells}

    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Restart Kernel and Run All Cells…").click()
    while attempt(lab)["tries"] < 2:  # else the test's own time limit ends it
        time.sleep(0.5)
    page.wait_for_function(ENDED)
    expect(exercise(page).get_by_text("✓ passed")).to_be_visible()
    done = page.locator(".jp-OutputArea table", has_text="What is done")
    expect(done.get_by_role("row").filter(has_text="1 of 1").first).to_be_visible()
    assert attempt(lab)["passed"] < attempt(lab)["last"]
