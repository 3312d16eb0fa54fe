"""Binder: links made from the repository's own remote, and what its folder does to a server that starts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs

from course_lib import binder
from tests.setup import image_size

import pytest

ROOT = Path(__file__).parents[2]
START = "lab/tree/notebooks/00_start_here.ipynb"


@pytest.fixture
def repository(tmp_path):
    """Make a repository with this remote and this branch checked out."""

    def make(address: str | None = None, branch: str = "main") -> Path:
        git(tmp_path, "init", "--quiet", f"--initial-branch={branch}")
        if address:
            git(tmp_path, "remote", "add", "origin", address)
        return tmp_path

    return make


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", folder, *arguments], check=True)


def printed(folder: Path, *arguments: str) -> dict[str, str]:
    """What is printed, by the word that stands before it."""
    return dict(line.split(maxsplit=1) for line in binder.links(folder, *(arguments or (None, None))).splitlines())


@pytest.mark.parametrize(("address", "repository_part"), [
    ("https://github.com/ada/course", "gh/ada/course"),
    ("https://github.com/ada/course.git", "gh/ada/course"),
    ("https://ada:secret@github.com/ada/course.git", "gh/ada/course"),
    ("git@github.com:ada/course.git", "gh/ada/course"),
    ("github.com:ada/course.git", "gh/ada/course"),
    ("ssh://git@github.com/ada/course.git", "gh/ada/course"),
    ("ssh://git@github.com:22/ada/course.git", "gh/ada/course"),
    ("https://gitlab.com/ada/course.git", "gl/ada%2Fcourse"),
    ("git@gitlab.com:school/maths/course.git", "gl/school%2Fmaths%2Fcourse"),
    ("https://git.example.org/ada/course.git", "git/https%3A%2F%2Fgit.example.org%2Fada%2Fcourse.git"),
    ("https://ada@git.example.org:8443/course", "git/https%3A%2F%2Fgit.example.org%3A8443%2Fcourse"),
    ("git@git.example.org:ada/course.git", "git/https%3A%2F%2Fgit.example.org%2Fada%2Fcourse.git"),
    ("ssh://git@git.example.org:2222/ada/course", "git/https%3A%2F%2Fgit.example.org%2Fada%2Fcourse"),
])
def test_link_and_badge_are_those_of_the_remote(repository, address, repository_part):
    found = printed(repository(address))
    path, _, query = found["Link:"].partition("?")
    assert path == f"https://mybinder.org/v2/{repository_part}/main"
    assert parse_qs(query) == {"urlpath": [START]}
    assert found["Badge:"] == f"[![Binder](https://mybinder.org/badge_logo.svg)]({found['Link:']})"
    assert "secret" not in str(found)


def test_link_opens_a_notebook_that_exists():
    assert (ROOT / START.removeprefix("lab/tree/")).is_file()


def test_link_opens_the_branch_that_is_checked_out_or_named(repository):
    folder = repository("git@github.com:ada/course.git", "spring/term")
    assert printed(folder)["Link:"].startswith("https://mybinder.org/v2/gh/ada/course/spring%2Fterm?")
    assert printed(folder, "main", None)["Link:"].startswith("https://mybinder.org/v2/gh/ada/course/main?")


@pytest.mark.parametrize("hub", ["https://hub.example.org", "https://hub.example.org/"])
@pytest.mark.parametrize(("remote", "address", "name"), [
    ("git@github.com:ada/course.git", "https://github.com/ada/course", "course"),
    ("https://git.example.org/course.git", "https://git.example.org/course.git", "course.git"),
])
def test_hub_link_fetches_the_course_and_opens_it(repository, hub, remote, address, name):
    path, _, query = printed(repository(remote), None, hub)["Hub:"].partition("?")
    assert path == "https://hub.example.org/hub/user-redirect/git-pull"
    start = f"lab/tree/{name}/notebooks/00_start_here.ipynb"
    assert parse_qs(query) == {"repo": [address], "branch": ["main"], "urlpath": [start]}


@pytest.mark.parametrize("address", [None, "/srv/git/course.git", "../course", "file:///srv/git/course.git"])
def test_no_link_is_invented(repository, address):
    with pytest.raises(ValueError, match=r"remote `origin`[^;]*; got (none|')"):
        binder.links(repository(address), None, None)


def test_a_folder_without_git_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"must be a git repository with a remote `origin`; got none\. Make a public"):
        binder.links(tmp_path, None, None)


def test_a_missing_branch_is_named(repository):
    folder = repository("git@github.com:ada/course.git")
    commit = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "--allow-empty"]
    git(folder, *commit, "--message=one")
    git(folder, "checkout", "--quiet", "--detach")
    with pytest.raises(ValueError, match=r"must be checked out or named \(--branch main\); got neither"):
        binder.links(folder, None, None)


@pytest.mark.parametrize("hub", ["hub.example.org", "ftp://hub.example.org", "https://"])
def test_a_wrong_hub_is_named(repository, hub):
    with pytest.raises(ValueError, match=f"`hub` must be an address such as https://.*; got '{hub}'"):
        binder.links(repository("git@github.com:ada/course.git"), None, hub)


def test_missing_git_is_named(repository, monkeypatch):
    folder = repository()
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(ValueError, match="The program git must be installed"):
        binder.links(folder, None, None)


@pytest.mark.parametrize(("address", "status"), [("https://github.com/ada/course", 0), (None, 1)])
def test_the_command_prints_links_or_what_is_missing(repository, monkeypatch, capsys, address, status):
    monkeypatch.setattr(binder, "ROOT", repository(address))
    monkeypatch.setattr(sys, "argv", ["binder"])
    if status:
        with pytest.raises(SystemExit, match="git remote add origin"):
            binder.main()
    else:
        binder.main()
        assert "https://mybinder.org/v2/gh/ada/course/main" in capsys.readouterr().out


@pytest.mark.parametrize(("limit", "threads"), [
    (None, "as it was"), ("", "as it was"), ("0.5", "1"), (".5", "1"), ("1", "1"), ("1.0", "1"), ("2.5", "2")
])
def test_as_many_threads_compute_as_the_container_may_use_cores(limit, threads):
    environment = os.environ | {"OMP_NUM_THREADS": "as it was"} | ({} if limit is None else {"CPU_LIMIT": limit})
    command = [ROOT / "binder/start", "sh", "-c", 'printf "%s, %s" "$OMP_NUM_THREADS" "$1"', "sh", "two words"]
    assert subprocess.check_output(command, env=environment, text=True) == f"{threads}, two words"


def test_the_workspace_opens_the_notebook_that_the_link_opens():
    data = json.loads((ROOT / "binder/workspace.json").read_text())["data"]
    name = f"notebook:{START.removeprefix('lab/tree/')}"
    assert data[name]["data"]["path"] == START.removeprefix("lab/tree/")
    assert data["layout-restorer:data"]["main"]["current"] == name


def test_the_image_is_estimated_from_what_is_installed():
    sizes = image_size.packages()
    assert {"torch", "numpy", "jupyterlab", "tornado"} <= set(sizes)
    assert "playwright" not in sizes
    assert max(sizes, key=sizes.get) == "torch"
    total = (sum(sizes.values()) + image_size.course()) / 1e9 + image_size.BASE
    assert f"never built: {total:.1f} GB" in image_size.estimate()
