"""A JupyterLab of its own for the tests, which knows nothing of this machine's user."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},  # cells out of view stay on the page
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


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

    @property
    def pid(self) -> int:
        """The number of the server's process, whose children are the kernels."""
        return self._process.pid

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
