"""The galaxies of lesson 02: a simulator of seven numbers with a meaning, beside seven that have none."""

import torch
from torch import Tensor

SIZE = 28
NUMBERS = 7  # brightness, size, axis ratio, angle, sky, and the place: down, right


def render(theta: Tensor) -> Tensor:
    r"""An exponential disc, seen at a slant, over an even sky: theta (n, 7) -> (n, 28, 28).

    .. math:: I = \text{sky} + A \, e^{-r / h}, \qquad r^2 = q \, a^2 + b^2 / q

    with a along the disc's long axis, b across it, q the ratio of its axes, h its size and A its brightness.
    """
    brightness, size, ratio, angle, sky, y, x = (column[:, None, None] for column in natural(theta).unbind(-1))
    centred = (torch.arange(SIZE) - (SIZE - 1) / 2).to(theta)
    down, right = centred[:, None] - y, centred - x
    along, across = angle.cos() * down + angle.sin() * right, angle.cos() * right - angle.sin() * down
    radius = (ratio * along.square() + across.square() / ratio + 0.3).sqrt()  # 0.3: the telescope's blur at the centre
    return sky + brightness * (-radius / size).exp()


def natural(theta: Tensor) -> Tensor:
    """Free numbers to brightness, size (pixels), axis ratio, angle (radians), sky, and place: (n, 7) -> (n, 7)."""
    brightness, size, ratio, *others = theta.unbind(-1)
    return torch.stack([brightness.exp(), size.exp(), 0.05 + 0.95 * ratio.sigmoid(), *others], -1)


def window() -> Tensor:
    """How much a pixel counts, (28, 28): the middle does, the neighbours in the corners hardly."""
    squared = (torch.arange(SIZE) - (SIZE - 1) / 2).square()
    return (-(squared[:, None] + squared) / (2 * 7.0**2)).exp()


def fit(x: Tensor, orientation: Tensor, *, steps: int = 100, place: bool = True) -> Tensor:
    """Least squares for each picture x (n, 28, 28) on its own, all at once, by Adam: theta (n, 7).

    Without `place` the disc stays in the middle, and five numbers are left.
    """
    flat = x.flatten(1)
    theta = torch.zeros(len(x), NUMBERS).to(x)
    theta[:, 0], theta[:, 3], theta[:, 4] = flat.max(1).values.log(), orientation, flat.quantile(0.2, dim=1)
    theta.requires_grad_()
    weight, update = window().to(x), torch.optim.Adam([theta], lr=0.1)
    for _ in range(steps):
        loss = ((render(theta) - x).square() * weight).sum()
        update.zero_grad()
        loss.backward()
        if not place:
            theta.grad[:, -2:] = 0
        update.step()
    return theta.detach()


def principal(x: Tensor, numbers: int, folds: int = 5) -> Tensor:
    """Each picture from its `numbers` principal components, which the other folds have taught: x (n, 28, 28)."""
    weight = window().to(x).flatten().sqrt()
    flat, fold = weight * x.flatten(1), torch.arange(len(x)) % folds
    made = torch.empty_like(flat)
    for held in range(folds):
        train, test = flat[fold != held], flat[fold == held]
        axes = torch.linalg.svd(train - train.mean(0), full_matrices=False).Vh[:numbers]
        made[fold == held] = train.mean(0) + (test - train.mean(0)) @ axes.mT @ axes
    return (made / weight).reshape(x.shape)


def misfit(x: Tensor, made: Tensor) -> Tensor:
    """The squared error of each picture in the window: (n,)."""
    return ((x - made).square() * window().to(x)).sum((1, 2))
