"""The sandbox stops what does not end, and leaves no trace."""

import os
import signal
import sys
import threading
import time

from course_lib.classroom import sandbox
from course_lib.models.mlp import mlp
from course_lib.rng import seeded

import pytest
import torch


def endless(_):
    while True:
        pass


def swallows_exceptions(_):
    while True:
        try:
            sum(range(10))
        except Exception:
            continue


def swallows_everything(_):
    while True:
        try:
            sum(range(10))
        except BaseException:
            continue


def prints_for_ever(_):
    while True:
        sys.stdout.write("again\n")


@pytest.mark.parametrize("function", [endless, swallows_exceptions, swallows_everything, prints_for_ever])
def test_python_that_never_ends_is_stopped(function):
    before = len(sys._current_frames())
    assert sandbox.run(function, (0,), 0.1).stopped
    time.sleep(0.05)
    assert len(sys._current_frames()) == before


def test_what_sits_in_c_is_abandoned(monkeypatch):
    monkeypatch.setattr(sandbox, "GRACE", 0.2)
    out, begun = sys.stdout, time.monotonic()
    assert sandbox.run(lambda: time.sleep(2), (), 0.1).stopped
    assert time.monotonic() - begun < 1.5
    assert sys.stdout is out


def test_what_is_quick_is_not_stopped():
    outcome = sandbox.run(lambda x: x + 1, (1,), 5.0)
    assert (outcome.value, outcome.error, outcome.stopped) == (2, None, False)


def test_only_copies_are_changed():
    x, model, generator = torch.zeros(2), mlp((1, 1), seeded(0)), seeded(3)
    before, state = model[0].weight.clone(), generator.get_state()

    def change(x, model, generator):
        x.add_(1)
        torch.nn.init.zeros_(model[0].weight)
        return torch.randn(2, generator=generator)

    outcome = sandbox.run(change, (x, model, generator), 5.0)
    assert outcome.arguments[0].tolist() == [1, 1]
    assert x.tolist() == [0, 0]
    assert torch.equal(model[0].weight, before)
    assert torch.equal(generator.get_state(), state)
    assert torch.equal(outcome.value, torch.randn(2, generator=seeded(3)))


def test_torch_is_left_as_it_was():
    state = torch.get_rng_state()

    def meddle():
        torch.set_default_dtype(torch.float16)
        torch.set_grad_enabled(False)
        torch.manual_seed(1)

    sandbox.run(meddle, (), 5.0)
    assert torch.get_default_dtype() == torch.float64
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), state)


def test_stdout_comes_back():
    out = sys.stdout

    def steal():
        sys.stdout = None

    sandbox.run(steal, (), 5.0)
    assert sys.stdout is out


def test_gradients_see_more_than_the_sum():
    x = torch.zeros(3, requires_grad=True)
    outcome = sandbox.run(lambda x: {"p": [x.softmax(-1)]}, (x,), 5.0)
    assert outcome.gradients[0].abs().max() > 0.01
    assert sandbox.run(lambda x: x.detach(), (x,), 5.0).gradients == ()


@pytest.fixture
def interruptible():
    """A kernel can be interrupted; a process that a shell has put into the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_stops_at_once(interruptible):
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))    # what "Interrupt the kernel" sends
    timer.start()
    begun = time.monotonic()
    assert sandbox.run(endless, (0,), 60.0).stopped
    assert time.monotonic() - begun < 10
    timer.join()


def test_a_stop_that_meets_a_leaving_thread_is_not_reported(monkeypatch):
    def leaves_slowly():
        sys.setprofile(lambda frame, event, argument: time.sleep(0.01) if event == "return" else None)
        endless(0)

    reports = []
    monkeypatch.setattr(threading, "excepthook", reports.append)
    monkeypatch.setattr(sys, "unraisablehook", reports.append)
    for _ in range(20):
        assert sandbox.run(leaves_slowly, (), 0.01).stopped
    assert reports == []


def test_a_function_is_stopped_though_its_time_was_over_at_once():
    before = set(sys._current_frames())
    for _ in range(50):
        assert sandbox.run(endless, (0,), 0.0).stopped
    deadline = time.monotonic() + 10
    while set(sys._current_frames()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(sys._current_frames()) <= before
