"""Place: the device that is chosen, and its name in words."""

from course_lib import device

import pytest
import torch


@pytest.mark.oracle("torch.cuda and torch.backends.mps, switched by hand", "device.best")
@pytest.mark.parametrize(("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_fastest_device_is_chosen(monkeypatch, cuda, mps, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert device.best().type == chosen


@pytest.mark.oracle("text pinned", "device.describe")
def test_a_device_in_words(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert device.describe(torch.device("cpu")) == "cpu, 2 threads"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Some GPU")
    assert device.describe(torch.device("cuda")) == "cuda, Some GPU"
    assert device.describe(torch.device("mps")) == "mps, Apple's graphics processor"
