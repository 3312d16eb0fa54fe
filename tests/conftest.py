"""What all tests share: float64, no network of their own, no global seed, an optional device."""

import course_lib  # noqa: F401, before torch: see there
from tests import oracles

import matplotlib
import pytest
import torch

torch.set_num_threads(1)  # tests are small: threads would wait for each other, most of all on a busy machine


def pytest_addoption(parser):
    parser.addoption("--device", default="cpu", help="the device that the tests of models run on: cpu, cuda, mps")
    parser.addoption("--oracles", action="store_true", help="end with a table: each public function and its oracles")


def pytest_terminal_summary(terminalreporter, config):
    """Print what every public function was held against in the tests that passed."""
    if config.getoption("--oracles"):
        passed = {report.nodeid.partition("[")[0] for report in terminalreporter.getreports("passed")}
        terminalreporter.section("oracles")
        for name, against in oracles.table(passed).items():
            terminalreporter.write_line(f"{name:58} {'; '.join(sorted(against)) or '-'}")


@pytest.fixture(autouse=True)
def float64():
    """Exactness is tested in double precision; a test that is about float32 says so itself."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(autouse=True)
def own_style():
    """A figure's style is as it was before the test."""
    with matplotlib.rc_context():
        yield


@pytest.fixture
def device(request) -> torch.device:
    name = request.config.getoption("--device")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    return torch.device(name)


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    """No test ever touches a reader's progress file."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
