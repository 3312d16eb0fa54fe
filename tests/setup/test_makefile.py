"""Two commands set everything up: what they would run, and that they run it once only."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from course_lib import server

import pytest
from jupyter_core.paths import jupyter_config_path
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make here")


@pytest.fixture
def make(tmp_path):
    """Run make on a virtual environment of its own; with `-n` it says what it would run."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
        command = ["make", f"VENV={tmp_path / 'venv'}", f"PYTHON={sys.executable}", *arguments]
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(command, cwd=ROOT, env=kept | environment, capture_output=True, text=True)

    return run


@pytest.fixture
def installed(tmp_path):
    """Leave the marks of a finished installation."""
    (tmp_path / "venv").mkdir()
    for name in ("installed", "installed-for-book", "installed-for-hub", "installed-for-tests"):
        (tmp_path / "venv" / name).touch()


def pip_lines(done: subprocess.CompletedProcess) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if "pip install" in line]


def test_help_is_the_default_and_names_every_target(make):
    text = make().stdout
    targets = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY"))
    assert all(f"make {target} " in text for target in targets.split()[1:] if target != "help")


def test_torch_comes_first_by_name_and_pinned(make):
    torch, course = pip_lines(make("-n", "lab"))
    assert torch.endswith("--constraint constraints.txt --no-deps  torch")
    assert course.endswith("--constraint constraints.txt --editable .")


def test_cpu_index_serves_torch_alone(make):
    torch, course = pip_lines(make("-n", "lab", "TORCH=cpu"))
    assert "--index-url https://download.pytorch.org/whl/cpu torch" in torch
    assert "--index-url" not in course


def test_unknown_torch_build_is_refused(make):
    done = make("-n", "lab", "TORCH=cuda")
    assert done.returncode != 0
    assert "TORCH must be default or cpu; got cuda" in done.stderr


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("target", [
    "lab", "test", "check", "notebooks", "solutions", "measure", "book", "rehearse-class",
])
def test_second_start_installs_nothing(make, target):
    assert pip_lines(make("-n", target)) == []
    assert pip_lines(make("-n", "-W", "README.md", target)) == []


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_are_installed(make, changed):
    assert len(pip_lines(make("-n", "-W", changed, "lab"))) == 2
    assert len(pip_lines(make("-n", "-W", changed, "test"))) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_browser_opens_only_on_a_display(make):
    assert "--no-browser" in make("-n", "lab").stdout
    assert "--no-browser" not in make("-n", "lab", DISPLAY=":0").stdout
    assert "--no-browser" not in make("-n", "lab", WAYLAND_DISPLAY="wayland-0").stdout


def test_lab_opens_the_first_notebook_and_lets_root_in(make):
    lab = make("-n", "lab").stdout
    assert "default_url=/lab/tree/notebooks/00_start_here.ipynb" in lab
    assert ("--allow-root" in lab) == (os.getuid() == 0)


def test_old_python_is_refused_with_a_remedy(make, tmp_path):
    old = tmp_path / "python3"
    pretend = "import sys; sys.version_info = (3, 10, 2); sys.version = '3.10.2'; exec(sys.argv[1])"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{pretend}" "$2"\n')
    old.chmod(0o755)
    done = make(f"{tmp_path}/venv/installed", f"PYTHON={old}")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed; got 3.10.2. Try: make lab PYTHON=python3.12" in done.stderr


def test_check_is_the_quick_part_of_test(make):
    assert '--dist worksteal -m "not slow and not browser and not alone"' in make("-n", "check").stdout
    both = make("-n", "test").stdout
    assert '-m pytest --numprocesses 2 --dist worksteal --oracles -m "not alone"' in both
    assert both.rstrip().endswith("-m pytest -m alone")


def test_reader_is_not_asked_about_news_or_made_to_wait():
    """JupyterLab reads the settings that came with the course into this environment."""
    from jupyterlab_server.config import get_static_page_config

    settings = get_static_page_config(level="sys_prefix")
    assert settings["buildCheck"] is False
    disabled = settings["disabledExtensions"]
    assert disabled["@jupyterlab/apputils-extension:announcements"] is True
    assert disabled["@jupyterlab/application-extension:faviconbusy"] is True


def test_server_finds_the_course_s_extension():
    """Jupyter Server reads it from this environment, where it came with the course."""
    from jupyter_server.extension.config import ExtensionConfigManager

    extensions = ExtensionConfigManager(read_config_path=jupyter_config_path()).get_jpserver_extensions()
    assert extensions["course_lib.server"] is True


@pytest.mark.parametrize("connection", [ZMQChannelsWebsocketConnection, None])
def test_extension_replaces_the_usual_connection_alone(monkeypatch, connection):
    monkeypatch.setenv("COURSE_SERVER", "")
    settings = {"kernel_websocket_connection_class": connection}
    server._load_jupyter_server_extension(SimpleNamespace(web_app=SimpleNamespace(settings=settings)))
    assert settings["kernel_websocket_connection_class"] is (connection and server.PromptConnection)
    assert os.environ["COURSE_SERVER"] == ("prompt" if connection else "")


@pytest.mark.parametrize("lacking", [[], ["chromium"]])
def test_ci_installs_what_is_lacking_then_runs_every_test(tmp_path, lacking):
    for tool in ("bash", "dirname", "env", "head", "id"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    for tool in {"apt-get", "chromium", "make", "python3", "sudo"} - set(lacking):
        (tmp_path / tool).write_text(f'#!/bin/sh\necho {tool} "$*"\n')
        (tmp_path / tool).chmod(0o755)
    environment = {"PATH": str(tmp_path)}
    done = subprocess.run([ROOT / ".ci/run"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "make test"
    assert ("--no-install-recommends chromium" in done.stdout) == bool(lacking)
