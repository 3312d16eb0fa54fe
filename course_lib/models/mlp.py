"""The one neural network that the course's models are built on."""

from itertools import pairwise

from torch import Generator, nn

from ..errors import require_positive
from ..rng import layers_from


def require_hidden(hidden: tuple[int, ...]) -> None:
    """Raise ValueError unless `hidden`, the sizes of the hidden layers, is a tuple of whole numbers >= 1."""
    if not isinstance(hidden, (tuple, list)):
        raise ValueError(f"`hidden` must be a tuple of the hidden layers' sizes; got {hidden!r}.")
    for size in hidden:
        require_positive("hidden", size, whole=True)


def mlp(sizes: tuple[int, ...], generator: Generator, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    r"""A multilayer perceptron: linear layers with an activation between each two. Two sizes make one linear map.

    .. math:: h_0 = x, \qquad h_{l+1} = a(W_l h_l + b_l), \qquad \mathrm{mlp}(x) = W_L h_L + b_L

    Shapes:     x (..., sizes[0]) -> (..., sizes[-1]).
    Raises:     ValueError unless all sizes are whole numbers >= 1.
    """
    for size in sizes:  # the models look at the first and the last, so what is wrong here is their `hidden`
        require_positive("hidden", size, whole=True)
    layers: list[nn.Module] = []
    with layers_from(generator):
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])
