"""The explorers of lesson 12 that draw digits: cover them, or teach a decoder with a posterior that is wrong."""

import functools
import math

import torch
from torch import Tensor

from ... import plots, rng
from ...widgets import Explorer, LatentPlane, choice, slider
from .. import weights
from . import experiments, pictures
from .experiments import SIDE, Plane

CELLS, LIMIT, DRAWS = 81, 3.0, 6
TWO_CAUSES = 295  # the held-out digit that the search for two modes finds
SIDES = ("top", "bottom", "left", "right")


@functools.cache
def _plane() -> Plane:
    return experiments.tabulate(weights.trained(weights.PLANE).float(), CELLS, LIMIT)


@functools.cache
def _ink() -> Tensor:
    """p(ink | z) of every pixel at every point, (m, D): computed once, since it takes longer than all the rest."""
    return _plane().logits.sigmoid()


@functools.cache
def digits() -> Tensor:
    """The first held-out digit of each class, and the one with two causes: (11, 784)."""
    _, x, _, y = weights.digits()
    return torch.stack([*(x[y == digit][0] for digit in range(10)), x[TWO_CAUSES]]).float()


def _chances() -> Tensor:
    """Fixed chances, rising, so that the draws move with the posterior and do not jump: (DRAWS,)."""
    return torch.rand(DRAWS, generator=rng.seeded(4), dtype=torch.float32).sort().values


def names() -> list[str]:
    """What these eleven are called."""
    return [*map(str, range(10)), "another 0"]


def first(side: str, lines: int) -> Tensor:
    """The mask (784,) of the first rows or columns, counted from one side."""
    pixel = torch.arange(SIDE**2)
    line = pixel // SIDE if side in ("top", "bottom") else pixel % SIDE
    return line < lines if side in ("top", "left") else line >= SIDE - lines


def draw_and_cover() -> LatentPlane:
    """The plane of notebook 10 with a pad: draw, or choose; cover with a brush."""
    decoder = weights.trained(weights.PLANE).decoder
    return LatentPlane(decoder, images=digits(), draw=True, title="Which causes could have made this picture?")


def cover_a_digit() -> Explorer:
    """Rows or columns of a digit are seen: the posterior, six draws from it, and two kinds of average."""
    plane, ink, chances = _plane(), _ink(), _chances()
    figure, (where, given, implied) = plots.figure(3, height=3.8, width=9.4, width_ratios=(3, 2.3, 4.2))
    surface = pictures.show_plane(where, plane, torch.zeros(CELLS**2), vmin=-pictures.NATS, vmax=0)
    (dots,) = where.plot([], [], "o", color=plots.LATENT, ms=6, mec="white")
    (cross,) = where.plot([], [], "X", color=plots.TRUTH, ms=10, mec="white")
    seen_part = given.imshow(torch.zeros(SIDE, SIDE).numpy(), **plots.INK)
    tiles = implied.imshow(torch.zeros(2 * SIDE, 4 * SIDE).numpy(), **plots.INK)
    said = given.text(0, -0.06, "", transform=given.transAxes, va="top")
    for ax, title in ((where, "posterior; ● draws, × mean"), (given, "seen"),
                      (implied, "six draws, picture of ×, mean of all")):
        ax.set(title=title)
    for ax in (given, implied):
        ax.set(xticks=[], yticks=[])

    def draw(digit: str, side: str, lines: int) -> str:
        x, seen = digits()[names().index(digit)], first(side, lines)
        joint = experiments.log_joint(plane, x[None], seen)[0]
        mass, heat = joint.softmax(0), joint - joint.max()
        nats = experiments.entropy(plane, joint[None]).item()
        drawn = torch.searchsorted(mass.cumsum(0), chances).clamp_max(len(mass) - 1)
        mean = mass @ plane.points
        at_mean = (plane.points - mean).square().sum(-1).argmin()
        made = torch.cat([ink[drawn], ink[at_mean][None], (mass @ ink)[None]])
        surface.set_data(heat.reshape(CELLS, CELLS).mT.numpy())
        dots.set_data(*plane.points[drawn].mT)
        cross.set_data(*mean[:, None])
        seen_part.set_data(pictures.covered(x, seen).numpy())
        tiles.set_data(made.reshape(2, 4, SIDE, SIDE).transpose(1, 2).reshape(2 * SIDE, 4 * SIDE).numpy())
        count = len(experiments.regions(mass, CELLS))
        said.set_text(f"entropy {nats:.2f} nats\nregions: {count}")
        return (f"Of the digit called {digit}, {lines} lines from the {side} are seen. The posterior's entropy is "
                f"{nats:.2f} nats, it has {count} separate regions, and its mean lies at {mean[0]:.2f}, {mean[1]:.2f}.")

    return Explorer(
        figure, draw, title="Cover a digit", moving=[surface, dots, cross, seen_part, tiles, said],
        digit=choice(names(), "another 0", label="digit"), side=choice(SIDES, "top", label="seen from"),
        lines=slider(0, SIDE, 10, label="lines seen"),
    )


def wrong_posterior() -> Explorer:
    """Move and sharpen q by hand: the gradient of the 784 last biases that it gives, beside the true one."""
    plane, ink = _plane(), _ink()
    figure, axes = plots.figure(3, height=3.9, width=9.4)
    where, true, taught = axes
    surface = pictures.show_plane(where, plane, torch.zeros(CELLS**2), vmin=-pictures.NATS, vmax=0)
    (mode,) = where.plot([], [], "X", color=plots.LATENT, ms=10, mec="white")
    blank = torch.zeros(SIDE, SIDE).numpy()
    images = [ax.imshow(blank, cmap="PuOr", vmin=-1, vmax=1) for ax in (true, taught)]
    said = taught.text(0, -0.04, "", transform=taught.transAxes, va="top")
    for ax, title in zip(axes, ("your q; × true mode", "posterior asks: purple, more ink", "q asks")):
        ax.set(title=title)
    for ax in (true, taught):
        ax.set(xticks=[], yticks=[])

    def draw(digit: int, rows: int, shift: float, sharpness: float) -> str:
        x, seen = digits()[digit], first("top", rows)
        log_mass = experiments.log_joint(plane, x[None], seen)[0].log_softmax(0)
        q = moved((2.0**sharpness * log_mass).softmax(0), round(shift * CELLS / (2 * LIMIT)))
        exact, wrong = (torch.where(seen, x - part, 0.0)
                        for part in torch.stack([log_mass.exp(), q]) @ ink)
        angle = angle_between(exact, wrong)
        error = ((wrong - exact).norm() / exact.norm().clamp_min(1e-9)).item()
        heat = q.clamp_min(1e-30).log()
        surface.set_data((heat - heat.max()).reshape(CELLS, CELLS).mT.numpy())
        mode.set_data(*plane.points[log_mass.argmax()][:, None])
        for image, gradient in zip(images, (exact, wrong)):
            image.set_data(gradient.reshape(SIDE, SIDE).numpy())
        said.set_text(f"angle {angle:.1f}°, relative error {error:.2f}")
        return (f"Digit {digit}, {rows} rows seen; q is the posterior to the power {2.0**sharpness:.2f}, shifted by "
                f"{shift:.2f}. The gradient under q is {angle:.1f} degrees from the true one, its relative error "
                f"{error:.2f}.")

    return Explorer(
        figure, draw, title="Teach with a wrong posterior", moving=[surface, mode, *images, said],
        digit=slider(0, 9, 5, label="digit"), rows=slider(4, SIDE, 10, label="rows seen"),
        shift=slider(-1.5, 1.5, 0.0, label="shift along z1", step=0.05),
        sharpness=slider(-6.0, 4.0, 0.0, label="sharpness (power 2^s of the posterior)", step=0.25),
    )


def moved(masses: Tensor, cells: int) -> Tensor:
    """Masses (m,) of a square grid moved by whole cells along the first axis; the edge keeps what would leave."""
    size = math.isqrt(len(masses))
    target = (torch.arange(size) + cells).clamp(0, size - 1)
    return torch.zeros(size, size).to(masses).index_add(0, target, masses.reshape(size, size)).flatten()


def angle_between(one: Tensor, other: Tensor) -> float:
    """Degrees between two vectors; 0 where one of them vanishes."""
    lengths = one.norm() * other.norm()
    return 0.0 if lengths < 1e-12 else math.degrees(math.acos(min(1.0, (one @ other / lengths).item())))
