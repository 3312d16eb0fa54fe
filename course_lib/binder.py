"""Links that open the course elsewhere, made from this copy's own git remote: `python -m course_lib.binder`.

Binder needs nothing but the address; a JupyterHub, named by `--hub`, fetches the course with nbgitpuller.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

ROOT = Path(__file__).parents[1]
START = "lab/tree/{folder}notebooks/00_start_here.ipynb"
BADGE = "https://mybinder.org/badge_logo.svg"
PROVIDERS = {"github.com": "gh", "gitlab.com": "gl"}    # Binder's names; any other public repository is "git"


def git(folder: Path, *arguments: str) -> str:
    """What git answers in `folder`, "" if it refuses; raises ValueError where there is no git."""
    try:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError as error:
        raise ValueError("The program git must be installed, to ask it for the repository's address.") from error


def remote(folder: Path) -> str:
    """The address of the remote `origin` as the public reaches it: https in place of ssh, no user name or password.

    Raises ValueError if there is none, or if it is a folder of this computer.
    """
    address = git(folder, "remote", "get-url", "origin")
    if not address:
        raise ValueError(f"`{folder}` must be a git repository with a remote `origin`; got none. Make a public "
                         "repository on GitHub, GitLab or another host, then: git remote add origin https://…")
    short = re.fullmatch(r"(?:[^/@]+@)?([^/:@]+\.[^/:@]+):(?!//)/?(.+)", address)     # git@host:owner/name
    parts = urlsplit("ssh://{}/{}".format(*short.groups()) if short else address)
    if parts.scheme not in ("https", "http", "ssh") or not parts.hostname:
        raise ValueError(f"The remote `origin` must be an address that others can reach; got {address!r}.")
    if parts.scheme == "ssh":
        address = f"https://{parts.hostname}{parts.path}"
    else:
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return address.rstrip("/").removesuffix(".git") if parts.hostname in PROVIDERS else address


def branch(folder: Path) -> str:
    """The branch that is checked out; raises ValueError if none is."""
    name = git(folder, "branch", "--show-current")
    if not name:
        raise ValueError("A branch must be checked out or named (--branch main); got neither.")
    return name


def binder_link(address: str, branch: str) -> str:
    """The link that opens the first notebook in JupyterLab on mybinder.org."""
    parts = urlsplit(address)
    provider = PROVIDERS.get(parts.netloc, "git")
    names = parts.path.strip("/")
    where = {"gh": quote(names), "gl": quote(names, safe=""), "git": quote(address, safe="")}[provider]
    query = urlencode({"urlpath": START.format(folder="")})
    return f"https://mybinder.org/v2/{provider}/{where}/{quote(branch, safe='')}?{query}"


def hub_link(hub: str, address: str, branch: str) -> str:
    """The link that fetches the course into a reader's home on a JupyterHub and opens it there.

    Raises ValueError if `hub` is no web address.
    """
    if urlsplit(hub).scheme not in ("https", "http") or not urlsplit(hub).hostname:
        raise ValueError(f"`hub` must be an address such as https://hub.example.org; got {hub!r}.")
    start = START.format(folder=f"{address.rpartition('/')[2]}/")    # nbgitpuller names the folder so
    query = urlencode({"repo": address, "branch": branch, "urlpath": start})
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{query}"


def links(folder: Path, named: str | None, hub: str | None) -> str:
    """All that is printed: the link, the badge, and the hub's link where a hub is named."""
    address = remote(folder)
    at = named or branch(folder)
    link = binder_link(address, at)
    lines = [f"Link:  {link}", f"Badge: [![Binder]({BADGE})]({link})"]
    return "\n".join(lines + ([f"Hub:   {hub_link(hub, address, at)}"] if hub else []))


def main() -> None:
    """Print the links, or say what is missing."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.binder", description=__doc__.partition(",")[0] + ".")
    parser.add_argument("--branch", help="which branch opens (default: the one that is checked out)")
    parser.add_argument("--hub", help="a JupyterHub with nbgitpuller, such as https://hub.example.org")
    arguments = parser.parse_args()
    try:
        print(links(ROOT, arguments.branch, arguments.hub))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
