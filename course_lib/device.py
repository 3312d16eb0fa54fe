"""Place: the one spot where a device is chosen; everywhere else it is inferred from tensors."""

import torch


def best() -> torch.device:
    """The fastest device here: cuda, else mps, else cpu."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def describe(device: torch.device) -> str:
    """The device in words, for instance 'cpu, 2 threads'."""
    if device.type == "cuda":
        return f"cuda, {torch.cuda.get_device_name(device)}"
    if device.type == "mps":
        return "mps, Apple's graphics processor"
    threads = torch.get_num_threads()
    return f"cpu, {threads} thread{'s' if threads > 1 else ''}"
