"""The explorers of lesson 10: the latent plane, a bent line, training watched, the same place under each label."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ... import plots, rng
from ...inference import oracle
from ...models import DeepLatentVariableModel
from ...training import gradient_descent
from ...widgets import Explorer, LatentPlane, Player, slider
from .. import weights
from . import experiments


def one_of_each() -> Tensor:
    """The first held-out digit of each class, 0 to 9: (10, 784)."""
    _, x, _, y = weights.digits()
    return torch.stack([x[y == digit][0] for digit in range(10)])


def the_latent_plane() -> LatentPlane:
    """The shipped decoder under the hand, with a held-out digit of each class, and a pad to draw one."""
    decoder = weights.trained(weights.PLANE).decoder
    return LatentPlane(decoder, images=one_of_each(), draw=True, title="Two numbers, one digit")


def same_place_every_label() -> LatentPlane:
    """The decoder that is also told the label."""
    decoder = weights.trained(weights.LABELLED).decoder
    labels = [str(digit) for digit in range(10)]
    return LatentPlane(decoder, images=one_of_each(), labels=labels, title="The same place, another label")


def bend_a_line() -> Explorer:
    """A standard normal z, a random network, a little Gaussian noise: the marginal, and its modes counted."""
    z, _ = oracle.normal_grid(2000, 1)
    x = torch.linspace(-4, 4, 801)
    figure, (line, density) = plots.figure(2, height=3.6, width=9)
    (curve,) = line.plot(z[:, 0], z[:, 0], color=plots.MODEL, ls="-")
    (p,) = density.plot(x, 0 * x, color=plots.MODEL, ls="-")
    count = density.text(0.03, 0.95, "", transform=density.transAxes, va="top")
    line.set(xlabel="z, standard normal", ylabel="mean of x given z", xlim=(-3, 3), ylim=(-4, 4))
    density.set(xlabel="x", ylabel="p(x)", xlim=(-4, 4), ylim=(0, 2))

    def draw(bend: float, noise: float, seed: int) -> str:
        loc = experiments.bent_line(seed, bend)(z)[:, 0]
        values = experiments.marginal(x, loc, noise)
        curve.set_ydata(loc)
        p.set_ydata(values)
        modes = experiments.count_modes(values)
        count.set_text(f"modes: {modes}")
        return (f"A line bent by {bend:.1f} (network {seed}) with noise {noise:.2f}: the marginal p(x) has {modes} "
                f"modes, and is {values.max():.2f} high at most.")

    return Explorer(
        figure, draw, title="Bend a line", moving=[curve, p, count],
        bend=slider(0.1, 12.0, 1.0, label="bend", step=0.1),
        noise=slider(0.05, 1.0, 0.15, label="noise (standard deviation of x given z)", step=0.01),
        seed=slider(0, 9, 0, label="network (seed)"),
    )


EVERY = 8  # training steps between two frames


def watch_training() -> Player:
    """A smaller decoder learns, eight steps a frame: its plane of pictures, and its loss."""
    x = weights.digits()[0][:2000].float()
    figure, (plane, progress) = plots.figure(2, height=4, width=9)
    picture = plane.imshow(torch.zeros(10 * 28, 10 * 28).numpy(), cmap="gray_r", vmin=0, vmax=1)
    plane.set(xticks=[], yticks=[], xlabel="$z_1$", ylabel="$z_2$", title="what the decoder draws")
    progress.set(xlabel="step", ylabel="log p(x), nats a digit", xlim=(0, 50 * EVERY), ylim=(-400, -120))
    (climb,) = progress.plot([], [], color=plots.MODEL, ls="-")

    def start(points: int, seed: int) -> Iterator[tuple]:
        model = DeepLatentVariableModel(784, 2, hidden=(64, 64), points=points, generator=rng.seeded(seed)).float()
        losses: list[float] = []
        for step in gradient_descent(model, x, rng.seeded(seed), steps=50 * EVERY, batch_size=128, lr=1e-2):
            losses.append(step.loss.item())
            if step.index % EVERY == 0:
                yield experiments.plane_tiles(model, 10), list(losses)

    def draw(snapshot: tuple, points: int, seed: int) -> str:
        pictures, losses = snapshot
        picture.set_data(pictures.numpy())
        climb.set_data(range(1, len(losses) + 1), [-loss for loss in losses])
        return (f"A decoder from start {seed}, learning on {points} × {points} points, after {len(losses)} steps: "
                f"{-losses[-1]:.1f} nats a digit on its last minibatch; {(pictures > 0.5).float().mean():.0%} of all "
                "pixels are more likely ink than paper.")

    return Player(
        figure, start, lambda step: step, draw, title="Watch a plane learn", frames=50, moving=[picture, climb],
        points=slider(2, 16, 10, label="points of the grid, each way"), seed=slider(0, 9, 0, label="start (seed)"),
    )
