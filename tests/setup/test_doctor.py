"""The doctor finds each thing that can be wrong, and says what to do."""

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from course_lib import datasets, doctor

import psutil
import pytest

TOPICS = ["versions", "device", "memory", "widgets", "connection", "data", "progress"]


@pytest.fixture
def environment(tmp_path):
    """Make an environment with a Python, JupyterLab and some of its extensions."""

    def make(name: str, *extensions: str) -> Path:
        prefix = tmp_path / name
        (prefix / "share/jupyter/lab").mkdir(parents=True)
        (prefix / "bin").mkdir()
        (prefix / "bin/python").symlink_to(sys.executable)
        for extension in extensions:
            (prefix / "share/jupyter/labextensions" / extension).mkdir(parents=True)
        return prefix

    return make


@pytest.fixture
def server(monkeypatch):
    """Run a process that stands for the server of this kernel."""
    running = []

    def start(command: str, **options) -> None:
        program = "import time; print(flush=True); time.sleep(60)"
        process = subprocess.Popen([command, "-c", program], stdout=subprocess.PIPE, **options)
        running.append(process)
        process.stdout.readline()  # a process that has only just begun has no command line yet
        monkeypatch.setenv("JPY_PARENT_PID", str(process.pid))

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_all_is_well_here(monkeypatch):
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    monkeypatch.delenv("JUPYTER_PATH", raising=False)
    report = doctor.doctor()
    assert [finding.topic for finding in report.findings] == TOPICS
    assert report.healthy, report
    assert f"torch {importlib.metadata.version('torch')}" in str(report)


def test_missing_package(monkeypatch):
    monkeypatch.setattr(doctor, "PACKAGES", ("torch", "a-package-that-is-not-there"))
    finding = doctor.versions()
    assert (finding.status, finding.remedy) == ("problem", doctor.INSTALL)
    assert "a-package-that-is-not-there missing" in finding.found


def test_little_memory(monkeypatch):
    machine = psutil.virtual_memory()._replace(total=2 * doctor.GIBIBYTE, available=doctor.GIBIBYTE // 2)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)
    finding = doctor.memory()
    assert (finding.status, finding.remedy) == ("warning", "Shut down other kernels (menu Kernel).")
    assert finding.found.startswith("2.0 GiB, of which 0.5 GiB are free")


def test_widgets_without_their_extension(monkeypatch, environment):
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    monkeypatch.setattr(sys, "prefix", str(environment("here", doctor.WIDGETS[0])))
    finding = doctor.widgets()
    assert (finding.status, finding.remedy) == ("problem", doctor.INSTALL)
    assert finding.found == "JupyterLab has no extension anywidget"


@pytest.mark.parametrize(("extensions", "status"), [((), "problem"), (doctor.WIDGETS, "warning")])
def test_jupyterlab_from_another_environment(environment, server, extensions, status):
    other = environment("other", *extensions)
    server(str(other / "bin/python"))
    finding = doctor.widgets()
    assert finding.status == status
    assert finding.found == f"JupyterLab runs from {other}, the kernel from {sys.prefix}"
    assert finding.remedy == f"Stop JupyterLab and start the kernel's own: {sys.executable} -m jupyter lab"


def test_jupyterlab_from_this_environment(monkeypatch, environment, server):
    here = environment("here", *doctor.WIDGETS)
    monkeypatch.delenv("JUPYTER_PATH", raising=False)
    monkeypatch.setattr(sys, "prefix", str(here))
    server(str(here / "bin/python"))
    assert doctor.widgets().status == "ok"


def test_server_started_by_a_relative_or_a_bare_name(environment, server):
    prefix = environment("other")
    server("bin/python", cwd=prefix)
    assert doctor.server_prefix() == prefix
    server("python", env={"PATH": str(prefix / "bin")})
    assert doctor.server_prefix() == prefix


def test_unknown_server_is_left_alone(monkeypatch, environment, server):
    for parent in ("", "no number", "999999999"):
        monkeypatch.setenv("JPY_PARENT_PID", parent)
        assert doctor.server_prefix() is None
    editor = environment("editor")
    shutil.rmtree(editor / "share")
    server(str(editor / "bin/python"))
    assert doctor.server_prefix() is None


def test_extensions_from_elsewhere(monkeypatch):
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    monkeypatch.setenv("JUPYTER_PATH", "elsewhere")
    finding = doctor.widgets()
    assert (finding.status, finding.remedy) == ("warning", "If widgets stay blank, unset it and start again.")


@pytest.mark.parametrize(("variables", "status"), [
    ({}, "ok"), ({"JPY_PARENT_PID": "1", "COURSE_SERVER": "prompt"}, "ok"), ({"JPY_PARENT_PID": "1"}, "warning")])
def test_server_that_holds_messages_back(monkeypatch, variables, status):
    for name in ("JPY_PARENT_PID", "COURSE_SERVER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    finding = doctor.connection()
    assert finding.status == status
    assert ("-m jupyter lab" in finding.remedy) == (status == "warning")


def test_missing_data(monkeypatch):
    def geyser():
        raise FileNotFoundError("old_faithful.csv")

    monkeypatch.setattr(datasets, "old_faithful", geyser)
    finding = next(finding for finding in doctor.doctor().findings if finding.topic == "data")
    assert (finding.status, finding.remedy) == ("problem", doctor.INSTALL)
    assert finding.found == "FileNotFoundError: old_faithful.csv"


def test_progress_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file/progress.json"))
    finding = doctor.progress_file()
    assert finding.status == "problem"
    assert finding.found.endswith("cannot be written: Not a directory")
    assert "COURSE_PROGRESS=/some/folder/progress.json" in finding.remedy


def test_report_shows_remedies_as_text_and_as_html():
    report = doctor.Report((doctor.Finding("data", "problem", "<none> & nothing", "Look for <it>."),))
    assert not report.healthy
    assert "✗ problem data        <none> & nothing\n          What to do: Look for <it>." in repr(report)
    html = report._repr_html_()
    assert "✗ problem" in html
    assert "&lt;none&gt; &amp; nothing" in html
    assert "<strong>What to do:</strong> Look for &lt;it&gt;." in html


@pytest.mark.slow
@pytest.mark.parametrize(("blocked", "code"), [("this_is_nothing", 0), ("torch", 1), ("psutil", 1)])
def test_exit_code_even_where_a_package_is_broken(blocked, code):
    run = "runpy.run_module('course_lib.doctor', run_name='__main__')"
    script = f"import runpy, sys; sys.modules[{blocked!r}] = None; {run}"
    environment = {"PATH": "", "COURSE_PROGRESS": "progress.json"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, "")
    assert (f"ModuleNotFoundError: import of {blocked} halted" in done.stdout) == bool(code)
