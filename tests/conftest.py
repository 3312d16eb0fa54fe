"""What all tests share: float64, no network of their own, no global seed, an optional device."""

import pickle

import course_lib  # noqa: F401, before torch: see there
from tests import oracles

import matplotlib
import numpy as np
import pytest
import torch

torch.set_num_threads(1)  # tests are small: threads would wait for each other, most of all on a busy machine


def pytest_addoption(parser):
    parser.addoption("--device", help="where the tests of models run: cpu, cuda, mps (default: cpu, and cuda if any)")
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


def global_generators() -> bytes:
    """The states of the generators that a draw without a seed of its own comes from."""
    return pickle.dumps((torch.get_rng_state().numpy(), np.random.get_state()))


@pytest.fixture(autouse=True)
def every_draw_is_seeded():
    """A test that draws without a named seed is another one at every run."""
    before = global_generators()
    yield
    assert global_generators() == before, "this test drew from a global generator: give every draw a seed"


@pytest.fixture(autouse=True)
def own_style():
    """A figure's style is as it was before the test."""
    with matplotlib.rc_context():
        yield


@pytest.fixture
def device(request) -> torch.device:
    """The CPU, and CUDA where there is one: such a test is marked `gpu`."""
    return torch.device(request.param)


def pytest_generate_tests(metafunc):
    if "device" in metafunc.fixturenames:
        cuda = [pytest.param("cuda", marks=pytest.mark.gpu)] if torch.cuda.is_available() else []
        chosen = metafunc.config.getoption("--device")
        metafunc.parametrize("device", [chosen] if chosen else ["cpu", *cuda], indirect=True)


def pytest_report_header():
    return "CUDA: " + (torch.cuda.get_device_name() if torch.cuda.is_available() else "none, its tests are left out")


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    """No test ever touches a reader's progress file."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
