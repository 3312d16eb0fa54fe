"""A JupyterHub on this machine's loopback with the course's own settings: proxy, login, a server for each learner."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "binder/hub/tljh_config.py"
PROGRAMS = ("jupyterhub", "jupyterhub-singleuser", "configurable-http-proxy")
CONFIGURATION = """
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.JupyterHub.concurrent_spawn_limit = 0  # a whole class comes at the full hour
c.Authenticator.allow_all = True
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.args = {arguments}
c.Spawner.http_timeout = c.Spawner.start_timeout = 300
load_subconfig("course.py")
"""


def lacking() -> str:
    """Return what is not here of what a hub needs; empty when all is there."""
    if sys.platform != "linux":
        return "learners' memory is read as Linux counts it"
    missing = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    return f"not installed: {', '.join(missing)} (make .venv/installed-for-hub)" if missing else ""


class Hub:
    """A running hub whose learners have an empty folder each and fetch `notebooks` from a git repository."""

    def __init__(self, folder: Path, learners: list[str], notebooks: Path) -> None:
        self.homes = folder / "homes"
        for name in learners:
            (self.homes / name).mkdir(parents=True)
        repository = _published(notebooks, folder / "course")
        settings = re.sub("^REPOSITORY = .*", f"REPOSITORY = {repository!r}", SETTINGS.read_text(), flags=re.M)
        (folder / "course.py").write_text(settings)
        public, hub, proxy = _free_ports(3)
        self.url = f"http://127.0.0.1:{public}"
        configuration = folder / "jupyterhub_config.py"
        configuration.write_text(CONFIGURATION.format(
            public=public, hub=hub, proxy=proxy, homes=str(self.homes),
            arguments=["--allow-root"] if os.getuid() == 0 else []))
        self._log = folder / "jupyterhub.log"
        with self._log.open("w") as output:
            self.process = subprocess.Popen(
                ["jupyterhub", "--config", str(configuration)], cwd=folder, env=os.environ | {"PATH": _path()},
                stdout=output, stderr=subprocess.STDOUT)
        self._wait()

    def _wait(self) -> None:
        for _ in range(240):
            if self.process.poll() is not None:
                raise RuntimeError(f"JupyterHub did not start:\n{self.log()}")
            try:
                urllib.request.urlopen(f"{self.url}/hub/api", timeout=5).close()
                return
            except OSError:
                time.sleep(0.25)
        self.stop()
        raise RuntimeError(f"JupyterHub did not answer in 60 s:\n{self.log()}")

    def log(self) -> str:
        """Return what the hub and the learners' servers have said."""
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        """End the hub and all that it started; of the proxy it ends only the program that started Node."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        self.process.wait(timeout=120)
        for process in below:
            with contextlib.suppress(psutil.NoSuchProcess):  # the hub has ended it
                process.terminate()


def _published(notebooks: Path, folder: Path) -> str:
    """The address of a git repository with these notebooks."""
    shutil.copytree(notebooks, folder / "notebooks", ignore=shutil.ignore_patterns(".*", "source"))
    git = ["git", "-C", str(folder), "-c", "user.name=teacher", "-c", "user.email=teacher@example.org"]
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "--message=all"]):
        subprocess.run([*git, *command], env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}, check=True)
    return folder.as_uri()


def _path() -> str:
    """Where programs are looked for: in this environment, then where the shell would look."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def _free_ports(count: int) -> list[int]:
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return ports
