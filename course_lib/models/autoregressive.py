"""Autoregressive models of binary images: each pixel given all pixels before it."""

from itertools import pairwise

import torch
from torch import Generator, Tensor, nn

from ..errors import require_binary, require_positive, require_seen
from ..functional import bernoulli_log_prob
from ..rng import layers_from, uniform
from .base import Card, Density
from .mlp import require_hidden

ALL = slice(None)


class MaskedLinear(nn.Linear):
    r"""A linear layer in which unit j hears unit i only where `mask[j, i]` is true.

    .. math:: y = (M \odot W) \, x + b

    Shapes:     mask (outputs, inputs); x (n, inputs) -> (n, outputs).
    """

    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask.to(self.weight.dtype), persistent=False)

    def forward(self, x: Tensor, units: slice = ALL) -> Tensor:
        """What the layer's outputs `units` say."""
        return nn.functional.linear(x, self.weight[units] * self.mask[units], self.bias[units])


class MADE(Density):
    r"""A masked autoencoder: one network whose masks leave output d only the pixels before d.

    .. math:: p(x) = \prod_{d=1}^{D} p(x_d \mid x_1, \dots, x_{d-1}), \qquad
              p(x_d = 1 \mid x_{<d}) = \mathrm{sigmoid}(a_d(x_{<d}))

    Each hidden unit has a degree m < D, and hears only pixels 1 to m. The pixels also act on the outputs directly; with
    hidden=() that is all, one logistic regression a pixel: the fully visible sigmoid network.

    Shapes:     x (n, D) of 0.0 and 1.0, in raster order; `hidden`: the sizes of the hidden layers.
    Units:      log-probabilities in nats.
    Raises:     ValueError if `x` does not have shape (n, D).
    Reference:  Germain, Gregor, Murray and Larochelle, MADE: masked autoencoder for distribution estimation, ICML
                (2015); Frey, Graphical Models for Machine Learning and Digital Communication (1998).
    """

    card = Card(
        "MADE",
        r"$p(x) = \prod_d p(x_d \mid x_{<d})$",
        evidence="exact, one pass",
        posterior="no latent variable",
        gradient="exact, one pass",
        sampling="$D$ steps, together one pass",
    )

    def __init__(self, features: int, hidden: tuple[int, ...] = (500,), *, generator: Generator) -> None:
        require_positive("features", features, whole=True)
        require_hidden(hidden)
        super().__init__()
        self.event_shape = (features,)
        pixels = torch.arange(1, features + 1)
        degrees = [pixels, *(_degrees(size, features) for size in hidden)]
        heard = torch.cat([pixels, degrees[-1]]) if hidden else pixels
        with layers_from(generator):
            self.hidden = nn.ModuleList(MaskedLinear(m[:, None] >= before) for before, m in pairwise(degrees))
            self.output = MaskedLinear(pixels[:, None] > heard)

    def conditionals(self, x: Tensor) -> Tensor:
        """The logits of p(x_d = 1 | x_1, ..., x_(d-1)) for every d, shape (n, D), in one pass."""
        self.require_shape(x)
        h = x
        for layer in self.hidden:
            h = layer(h).relu()
        return self.output(self._heard(x, h))

    def _heard(self, x: Tensor, h: Tensor) -> Tensor:
        """What the outputs hear: the pixels and, if there is one, the last hidden layer."""
        return torch.cat([x, h], -1) if len(self.hidden) else x

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, shape (n,)."""
        return bernoulli_log_prob(x, self.conditionals(x)).sum(-1)

    def require_data(self, x: Tensor) -> None:
        """Look at all of the data once: raise ValueError for what is not an image of 0 and 1."""
        super().require_data(x)
        require_binary("x", x)

    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws, pixel after pixel, shape (n, D): D steps, which cost one pass together."""
        x = torch.zeros(n, *self.event_shape, dtype=self.output.weight.dtype, device=self.output.weight.device)
        return self.complete(x, torch.zeros_like(x[0], dtype=torch.bool), generator)

    @torch.no_grad()
    def complete(self, x: Tensor, seen: Tensor, generator: Generator) -> Tensor:
        """Draw what has not been seen given what has, exactly, shape (n, D).

        The seen pixels must come first, like the upper half of an image: given later ones the rest has another
        distribution, which this order of the pixels does not give.

        Shapes:     x (n, D), anything where not seen; seen, boolean, (n, D) or (D,).
        Raises:     ValueError if an unseen pixel comes before a seen one.
        """
        self.require_shape(x)
        require_seen("seen", seen, x)
        seen = seen.expand_as(x)
        x = torch.where(seen, x, 0.0)
        require_binary("x", x)
        if (seen[:, 1:] & ~seen[:, :-1]).any():
            raise ValueError("`seen` must be True first, then False, in each row; an unseen pixel precedes a seen one.")
        self._draw(x, seen, uniform(tuple(x.shape), generator, x))
        return x

    def _draw(self, x: Tensor, seen: Tensor, noise: Tensor) -> None:
        """Fill in `x`, pixel by pixel. A hidden unit is computed once: when the last pixel that it hears is known."""
        pixels = x.shape[1]
        hidden = [x.new_zeros(len(x), layer.out_features) for layer in self.hidden]
        starts = [torch.searchsorted(_degrees(h.shape[1], pixels), torch.arange(pixels + 1)).tolist() for h in hidden]
        for d in range(pixels):
            before = x
            for layer, h, start in zip(self.hidden, hidden, starts):
                units = slice(start[d], start[d + 1])  # those of degree d
                h[:, units] = layer(before, units).relu()
                before = h
            p = self.output(self._heard(x, before), slice(d, d + 1)).sigmoid()[:, 0]  # (n,)
            x[:, d] = torch.where(seen[:, d], x[:, d], (noise[:, d] < p).to(x.dtype))


def _degrees(size: int, features: int) -> Tensor:
    """Degrees from 1 to D - 1 for a hidden layer, evenly spread, shape (size,)."""
    return 1 + torch.arange(size) * (features - 1) // size
