"""A decoder as plain numbers: what the browser needs to compute it."""

import math

import numpy as np
import torch
from torch import nn

ACTIVATIONS = {
    nn.Identity: "identity", nn.ReLU: "relu", nn.Tanh: "tanh", nn.GELU: "gelu", nn.Sigmoid: "sigmoid",
    nn.Softplus: "softplus", nn.SiLU: "silu",
}
NAMES = "Linear, " + ", ".join(kind.__name__ for kind in ACTIVATIONS)


def described(decoder: nn.Sequential) -> tuple[list[dict], np.ndarray]:
    """The layers, each with its sizes and the name of the activation after it, and all their float32 numbers.

    Raises:     ValueError unless `decoder` is made of linear layers and activations that the browser knows.
    """
    if not isinstance(decoder, nn.Sequential) or not isinstance(next(iter(decoder), None), nn.Linear):
        raise ValueError(f"`decoder` must be an nn.Sequential that begins with a Linear; got {_name(decoder)}.")
    layers: list[dict] = []
    numbers: list[torch.Tensor] = []
    for part in decoder:
        if isinstance(part, nn.Linear):
            layers.append({"inputs": part.in_features, "outputs": part.out_features, "activation": "identity"})
            bias = torch.zeros(part.out_features) if part.bias is None else part.bias
            numbers += [part.weight.detach().flatten(), bias.detach()]
        elif layers[-1]["activation"] == "identity":
            layers[-1]["activation"] = _activation(part)
        else:
            raise ValueError(f"`decoder` must have a Linear between two activations; got {_name(part)} after another.")
    return layers, torch.cat([part.cpu().float() for part in numbers]).numpy()


def quantised(layers: list[dict], numbers: np.ndarray) -> tuple[list[dict], np.ndarray]:
    """The numbers as int16, half the size: each is off by at most half its layer's `unit`."""
    sizes = [layer["inputs"] * layer["outputs"] + layer["outputs"] for layer in layers]
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    units = [float(abs(part).max()) / 32767 or 1.0 for part in parts]
    whole = [np.round(part / unit).astype("<i2") for part, unit in zip(parts, units)]
    return [layer | {"unit": unit} for layer, unit in zip(layers, units)], np.concatenate(whole)


def require_sizes(layers: list[dict], labels: int, shape: tuple[int, int]) -> int:
    """The number of latent coordinates: the decoder's inputs but for the labels.

    Raises:     ValueError unless there are at least two of them, and one logit a pixel.
    """
    inputs = layers[0]["inputs"]
    if inputs - labels < 2:
        raise ValueError(f"`decoder` must take 2 or more latents and {labels} labels; got {inputs} inputs.")
    if layers[-1]["outputs"] != math.prod(shape):
        raise ValueError(f"`decoder` must give {math.prod(shape)} logits, one a pixel; got {layers[-1]['outputs']}.")
    return inputs - labels


def _activation(part: nn.Module) -> str:
    known = ACTIVATIONS.get(type(part))
    tanh_gelu = isinstance(part, nn.GELU) and part.approximate != "none"
    sharp_softplus = isinstance(part, nn.Softplus) and part.beta != 1
    if known is None or tanh_gelu or sharp_softplus:
        raise ValueError(f"`decoder` must be made of {NAMES} (GELU exact, Softplus with beta 1); got {part}.")
    return known


def _name(part: object) -> str:
    return repr(part) if isinstance(part, nn.Module) else type(part).__name__
