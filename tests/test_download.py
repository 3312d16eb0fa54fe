"""Fetching the full set of digits, from a server of our own: whole and unaltered, or not at all."""

import gzip
import hashlib
import http.server
import socket
import threading
import time

from course_lib import datasets
from course_lib.datasets import digits, download

import numpy as np
import pytest
import torch

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 28, 28), dtype=np.uint8)
LABELS = np.arange(7, dtype=np.uint8)


def idx(array: np.ndarray) -> bytes:
    """An IDX file, packed: two zero bytes, the type (8: bytes), the number of axes, their lengths, the bytes."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(head + array.tobytes(), mtime=0)


WHOLE = {
    "train-images-idx3-ubyte.gz": idx(IMAGES[:5]),
    "train-labels-idx1-ubyte.gz": idx(LABELS[:5]),
    "t10k-images-idx3-ubyte.gz": idx(IMAGES[5:]),
    "t10k-labels-idx1-ubyte.gz": idx(LABELS[5:]),
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        content = WHOLE[self.path.rpartition("/")[2]]
        if self.server.fault == "missing":
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.fault == "truncated":
            content = content[: len(content) // 2]
        if self.server.fault == "corrupt":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if self.server.fault == "slow":
            self.wfile.write(content[:10])
            self.wfile.flush()
            time.sleep(1)
        self.wfile.write(content)

    def log_message(self, *_):
        """Stay quiet."""


@pytest.fixture
def server(monkeypatch):
    """A local mirror with `fault`, and `asked`, the paths that were asked for."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.fault, server.asked, server.handle_error = None, [], lambda *_: None
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("COURSE_MNIST", f"http://127.0.0.1:{server.server_port}/mnist/")
    monkeypatch.setattr(digits, "SHA256", {name: hashlib.sha256(file).hexdigest() for name, file in WHOLE.items()})
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.oracle("a local server with the same format", "datasets.mnist")
def test_the_full_set_is_read_and_kept(server, tmp_path):
    x, y = datasets.mnist(full=True, folder=tmp_path)
    assert torch.equal(x, torch.from_numpy(IMAGES).flatten(1) / 255) and x.dtype == torch.float64
    assert torch.equal(y, torch.arange(7))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(WHOLE)
    assert server.asked == [f"/mnist/{name}" for name in WHOLE]
    server.fault = "missing"
    assert torch.equal(datasets.mnist(full=True, folder=tmp_path).x, x)
    assert len(server.asked) == 4


@pytest.mark.parametrize(("fault", "reason"), [
    ("truncated", r"cut short or altered: \d+ bytes"),
    ("corrupt", r"cut short or altered: \d+ bytes with SHA-256 \w{64}, not \w{64}"),
    ("slow", "timed out"),
    ("missing", "HTTP Error 404: Not Found"),
])
def test_a_fault_is_told_and_leaves_nothing(server, tmp_path, monkeypatch, fault, reason):
    server.fault = fault
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    with pytest.raises(download.DownloadError, match=reason) as caught:
        datasets.mnist(full=True, folder=tmp_path)
    assert str(caught.value).startswith("train-images-idx3-ubyte.gz could not be fetched. http://127.0.0.1:")
    assert str(caught.value).endswith("use the 5,000 digits that come with the course: mnist().")
    assert list(tmp_path.iterdir()) == []


def test_a_refused_connection_is_told(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("COURSE_MNIST", address)
    with pytest.raises(download.DownloadError, match=r"refused.*come with the course: mnist\(\)\."):
        datasets.mnist(full=True, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_second_mirror_stands_in_for_the_first(server, tmp_path, monkeypatch):
    good = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.delenv("COURSE_MNIST")
    monkeypatch.setattr(digits, "MIRRORS", ("not an address", good))
    assert len(datasets.mnist(full=True, folder=tmp_path).x) == 7


def test_a_damaged_file_in_the_cache_is_fetched_again(server, tmp_path):
    datasets.mnist(full=True, folder=tmp_path)
    damaged = tmp_path / "t10k-labels-idx1-ubyte.gz"
    damaged.write_bytes(b"half")
    datasets.mnist(full=True, folder=tmp_path)
    assert damaged.read_bytes() == WHOLE[damaged.name]
    assert len(server.asked) == 5


def test_an_interrupt_leaves_nothing(server, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(download.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        datasets.mnist(full=True, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_cache_is_the_users_own(server, tmp_path, monkeypatch):
    monkeypatch.setattr(digits, "user_cache_path", lambda name: tmp_path / name)
    datasets.mnist(full=True)
    assert (tmp_path / "generative-ai-from-first-principles" / "mnist" / "train-images-idx3-ubyte.gz").exists()
