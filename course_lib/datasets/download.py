"""Files from the network: whole and unaltered, or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from tqdm import tqdm

TIMEOUT = 10.0  # seconds without a byte
CHUNK = 1 << 16  # bytes at a time


class DownloadError(OSError):
    """A file could not be fetched whole; the message says from where, why, and what to do instead."""


def fetch(name: str, sha256: str, folder: Path, addresses: Sequence[str], remedy: str) -> Path:
    """The file `name` in `folder`; if it is not there, from the first of `addresses` that gives it unaltered.

    It appears under its name only when it is whole and its SHA-256 sum is right.

    Raises:     DownloadError if no address gives it; the message ends with `remedy`.
    """
    path = folder / name
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
        return path
    reasons = []
    for address in addresses:
        try:
            return _download(f"{address.rstrip('/')}/{name}", sha256, path)
        except (OSError, HTTPException, ValueError) as reason:
            reasons.append(f"{address}: {reason or type(reason).__name__}")
    raise DownloadError(f"{name} could not be fetched. {' · '.join(reasons)} · {remedy}")


def _download(url: str, sha256: str, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with open(handle, "wb") as file:
            found = _receive(url, file, path.name)
        if found != sha256:
            size = Path(temporary).stat().st_size
            raise ValueError(f"the file is cut short or altered: {size} bytes with SHA-256 {found}, not {sha256}")
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def _receive(url: str, file, name: str) -> str:
    """Write what `url` gives into `file`, with a progress bar; return its SHA-256 sum."""
    digest = hashlib.sha256()
    with urlopen(url, timeout=TIMEOUT) as answer:
        size = int(answer.headers.get("Content-Length", 0)) or None
        with tqdm(desc=name, total=size, unit="B", unit_scale=True) as bar:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
    return digest.hexdigest()
