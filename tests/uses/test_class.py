"""A class on a hub: the settings cover what was measured, and two learners run and move an explorer at once."""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import memory
import nbformat
import psutil
import pytest
import sizing
import yaml
from hub import lacking
from traitlets.config.loader import PyFileConfigLoader

ROOT = Path(__file__).parents[2]
HUB = ROOT / "binder/hub"
RECORD = json.loads(sizing.RECORD.read_text(encoding="utf-8"))
LESSON = RECORD["lessons"][-1]
VALUES = yaml.safe_load((HUB / "z2jh_values.yaml").read_text())


def mebibytes(text: str) -> float:
    """Read JupyterHub's way of writing memory, in which 2G are two gibibytes."""
    return 1024 * float(text.removesuffix("G"))


@pytest.fixture
def classroom():
    """The rehearsal, where the extra `hub` is installed."""
    return pytest.importorskip("classroom", reason="the extra hub is not installed")


@pytest.fixture
def tljh(tmp_path):
    """Run tljh.sh in a clone from `address`, on a machine whose programs only say how they were called."""

    def run(address: str) -> tuple[subprocess.CompletedProcess, Path]:
        clone, machine = tmp_path / "clone", tmp_path / "tljh"
        shutil.copytree(HUB, clone / "binder/hub")
        subprocess.run(["git", "init", "--quiet", clone], check=True)
        subprocess.run(["git", "-C", clone, "remote", "add", "origin", address], check=True)
        (machine / "config/jupyterhub_config.d").mkdir(parents=True)
        for program in ("user/bin/python", "hub/bin/tljh-config"):
            (machine / program).parent.mkdir(parents=True)
            (machine / program).write_text('#!/bin/sh\necho "$(basename $0)" "$*"\n')
            (machine / program).chmod(0o755)
        command = ["bash", clone / "binder/hub/tljh.sh"]
        environment = {"PATH": "/usr/bin:/bin", "TLJH": str(machine)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        return done, machine / "config/jupyterhub_config.d/course.py"

    return run


def test_teaching_says_what_was_measured():
    assert f"<!-- class:begin -->\n{sizing.text(RECORD)}<!-- class:end -->" in sizing.TEACHING.read_text()


def test_everybody_succeeded_in_classes_of_four_sizes():
    assert [lesson["learners"] for lesson in RECORD["lessons"]] == [1, 4, 8, 12]
    assert not [failure for lesson in RECORD["lessons"] for failure in lesson["failures"]]


def test_memory_of_the_chart_covers_the_largest_notebooks():
    memory, peaks = VALUES["singleuser"]["memory"], sizing.notebooks()
    server = LESSON["rss"] - peaks["08_mixtures"]
    assert mebibytes(memory["guarantee"]) >= sizing.per_learner(RECORD)
    assert mebibytes(memory["limit"]) >= server + 2 * max(peaks.values())


def test_cores_of_the_chart_cover_a_learner_s_share():
    assert VALUES["singleuser"]["cpu"]["guarantee"] >= sizing.cores(RECORD, 300) / 300


def test_tljh_gets_the_same_limits(tljh):
    done, _ = tljh("https://git.example.org/name/of-course.git")
    said = dict(line.split()[2:4] for line in done.stdout.splitlines() if line.startswith("tljh-config set"))
    assert said == {
        "user_environment.default_app": "jupyterlab", "limits.memory": VALUES["singleuser"]["memory"]["limit"],
        "limits.cpu": str(VALUES["singleuser"]["cpu"]["limit"]), "services.cull.every": str(VALUES["cull"]["every"]),
        "services.cull.timeout": str(VALUES["cull"]["timeout"]),
    }
    assert done.stdout.splitlines()[-1] == "tljh-config reload hub"


def test_both_hubs_open_the_map_of_a_fresh_copy(tljh):
    done, written = tljh("https://git.example.org/course.git")
    assert done.returncode == 0, done.stderr
    settings = PyFileConfigLoader(str(written)).load_config()
    for address in (settings.Spawner.default_url, VALUES["singleuser"]["defaultUrl"]):
        link = urlsplit(address)
        assert link.path == "/git-pull"
        assert parse_qs(link.query) == {
            "repo": ["https://git.example.org/course.git"], "branch": ["main"], "targetPath": ["course"],
            "urlpath": ["lab/tree/course/notebooks/00_start_here.ipynb"],
        }
    assert settings.Spawner.environment == {"OMP_NUM_THREADS": "1"}


def test_tljh_refuses_an_address_that_learners_cannot_read(tljh):
    done, _ = tljh("git@git.example.org:course.git")
    assert done.returncode == 1
    assert "by https without a password; got git@git.example.org:course.git" in done.stderr


def test_image_is_built_by_the_command_that_teaching_says(tmp_path):
    shutil.copytree(ROOT / "binder", tmp_path / "binder")
    (command,) = re.findall(r"^ *(jupyter-repo2docker .*)$", sizing.TEACHING.read_text(), re.M)
    options = shlex.split(command)[1:]
    done = subprocess.run([sys.executable, "-m", "repo2docker", "--no-build", "--debug", *options],
                          cwd=tmp_path, capture_output=True, text=True, check=True)
    assert options[options.index("--target-repo-dir") + 1] == "/srv/course"  # a home is mounted over /home/jovyan
    assert "RUN ./binder/postBuild" in done.stdout + done.stderr
    assert "RUN python -m pip install --no-cache-dir nbgitpuller" in done.stdout + done.stderr


def test_a_process_that_has_just_ended_is_no_server(tmp_path):
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as server, subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # ended, and nobody has asked how
        assert list(memory.servers(psutil.Process(), tmp_path.parent)) == [tmp_path.name]
        server.terminate()


class Pupil:
    """Stands for a learner who fails at a task named after it."""

    def __init__(self, address: str, name: str) -> None:
        self.name, self.gone = name, False

    async def do(self, task: str) -> str:
        await asyncio.sleep(0)
        if task == self.name:
            raise ValueError("too hard")
        return task

    async def leave(self) -> None:
        self.gone = True


def in_a_thread(function, *arguments, **options):
    """Call the function in a thread of its own: the browser's tests leave an event loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments, **options).result()


def test_who_fails_is_named_and_the_others_go_on(classroom, monkeypatch):
    monkeypatch.setattr(classroom, "Learner", Pupil)

    async def lesson():
        group = classroom.Class("", ["ada", "emmy"])
        assert [result for _, result in await group.all(lambda pupil: pupil.do("ada"))] == ["ada"]
        assert [result for _, result in await group.all(lambda pupil: pupil.do("sums"))] == ["sums"]
        with pytest.raises(RuntimeError, match=r"Nobody could do it:\nada: .*too hard"):
            await group.all(lambda pupil: pupil.do("emmy"))
        return group

    group = in_a_thread(asyncio.run, lesson())
    assert group.failures == ["ada: ValueError: too hard", "emmy: ValueError: too hard"]


@pytest.mark.slow
@pytest.mark.skipif(bool(lacking()), reason=lacking())
def test_two_learners_fetch_the_course_run_and_move_an_explorer(classroom, tmp_path):
    notebook = nbformat.read(ROOT / "notebooks/08_mixtures.ipynb", as_version=4)
    first = next(i for i, cell in enumerate(notebook.cells) if cell.source.startswith("explorers."))
    notebook.cells = notebook.cells[:first + 1]
    nbformat.write(notebook, tmp_path / "08_begins.ipynb")
    lesson = in_a_thread(
        classroom.rehearse, 2, notebooks=tmp_path, notebook="course/notebooks/08_begins.ipynb", moves=10)
    assert lesson.failures == []
    assert lesson.rss > lesson.pss > 200  # MiB: a server and a kernel with PyTorch
    assert 0 < lesson.picture <= lesson.picture_95
    assert lesson.computing_run > 1 > lesson.computing_picture > 0
