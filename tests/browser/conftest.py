"""Real JupyterLab in a real browser: one server and one Chromium for all tests of this folder."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parents[1] / "notebooks"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-quic",
]
SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},  # cells out of view stay on the page
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
PROMPT = "--ServerApp.kernel_websocket_connection_class=course_lib.server.PromptConnection"
HARMLESS = ()  # beginnings of console errors that JupyterLab itself makes


def pytest_collection_modifyitems(items):
    here = [item for item in items if HERE in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.browser)
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="no Chromium here: install `chromium` to run the browser tests"))


class Lab:
    """A running JupyterLab: its address and the folder that it serves."""

    def __init__(self, folder: Path, options: list[str]) -> None:
        self.root = folder / "notebooks"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [
            sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1", f"--port={port}",
            "--IdentityProvider.token=", f"--ServerApp.root_dir={self.root}", *options,
        ]
        command += ["--allow-root"] if os.name == "posix" and os.getuid() == 0 else []
        log = folder / "jupyter.log"
        with log.open("w") as output:
            self._process = subprocess.Popen(
                command, env=_environment(folder), stdout=output, stderr=subprocess.STDOUT)
        self._wait(log)

    def _wait(self, log: Path) -> None:
        for _ in range(240):
            if self._process.poll() is not None:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")
            try:
                urllib.request.urlopen(f"{self.url}/api", timeout=5).close()
                return
            except OSError:
                time.sleep(0.25)
        raise RuntimeError(f"JupyterLab did not answer in 60 s:\n{log.read_text()}")

    def stop(self) -> None:
        """End the server, which ends its kernels."""
        self._process.terminate()
        self._process.wait(timeout=30)


def _environment(folder: Path) -> dict[str, str]:
    """Settings, runtime files and progress of their own, so that nothing of this machine's user takes part."""
    settings = folder / "settings"
    for name, values in SETTINGS.items():
        plugin, part = name.split(":")
        path = settings / plugin / f"{part}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    config = folder / "config" / "labconfig"
    config.mkdir(parents=True, exist_ok=True)
    announcements = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "page_config.json").write_text(json.dumps(announcements))
    return os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "data"), "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"), "IPYTHONDIR": str(folder / "ipython"),
        "COURSE_PROGRESS": str(folder / "progress.json"),
    }


@pytest.fixture(scope="session")
def start_lab(tmp_path_factory):
    """A function that starts a JupyterLab on a copy of the notebooks; all are stopped at the end."""
    labs = []

    def start(*options: str) -> Lab:
        folder = tmp_path_factory.mktemp("lab")
        shutil.copytree(NOTEBOOKS, folder / "notebooks")
        labs.append(Lab(folder, list(options)))
        return labs[-1]

    yield start
    for lab in labs:
        lab.stop()


@pytest.fixture(scope="session")
def lab(start_lab) -> Lab:
    """JupyterLab as `make lab` starts it."""
    return start_lab(PROMPT)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


class Complaints(list):
    """What went wrong on a page: console errors, uncaught exceptions, requests to outside."""

    def listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.append(f"uncaught exception: {error}"))
        page.on("request", self._request)

    def _console(self, message) -> None:
        if message.type == "error" and not message.text.startswith(HARMLESS):
            self.append(f"console error: {message.text}")

    def _request(self, request) -> None:
        inside = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")
        if not request.url.startswith(inside):
            self.append(f"request to outside: {request.url}")


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(chromium, complaints):
    """A fresh page; the test fails if the page had anything to complain of."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    complaints.listen(page)
    yield page
    context.close()
    assert not complaints, "\n".join(complaints)
