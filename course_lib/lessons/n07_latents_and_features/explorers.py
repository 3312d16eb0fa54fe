"""The explorers of lesson 07: each is made in one call and owns no mathematics of its own."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from torch import Tensor

from ... import datasets, plots, rng
from ...widgets import Explorer, choice, slider
from . import experiments, galaxies
from .features import NAMES, OF_GALAXIES, measure
from .pictures import picture
from .sprites import NUMBERS, SHAPES, WIDTH, log_likelihood_table, render


def the_renderer() -> Explorer:
    """All causes under sliders: the picture, and nine features measured in it."""
    _, others = experiments.pictures_of(500, 20)
    usual = measure(others)
    mean, spread = usual.mean(0), usual.std(0)
    noise = torch.randn(WIDTH**2, generator=rng.seeded(21))
    figure, (left, right) = plots.figure(2, height=3.6, width=9, width_ratios=(2, 3))
    shown = picture(left, torch.zeros(WIDTH**2), "the picture")
    bars = right.barh(range(len(NAMES)), [0.0] * len(NAMES), color=plots.MODEL, height=0.6)
    right.axvline(0, color=plots.DATA, lw=1, ls="-")
    right.set_yticks(range(len(NAMES)), NAMES)
    right.set(xlim=(-3.5, 3.5), xlabel="feature, in standard deviations from the usual", title="measured in it")
    right.invert_yaxis()

    def draw(shape: str, size: float, angle: float, right: float, down: float, light: float, noise_level: float) -> str:
        numbers = torch.tensor([[size, math.radians(angle), right, down, light]])
        x = render(torch.tensor([SHAPES.index(shape)]), numbers) + noise_level * noise
        found = ((measure(x) - mean) / spread)[0]
        shown.set_data(x.reshape(WIDTH, WIDTH).numpy())
        for bar, value in zip(bars, found.clamp(-3.5, 3.5).tolist()):
            bar.set_width(value)
        words = ", ".join(f"{name} {value:+.2f}" for name, value in zip(NAMES, found.tolist()))
        return (f"A {shape} of size {size:.2f} at {angle:.0f} degrees, {right:+.1f} to the right, {down:+.1f} down, "
                f"light {light:.2f}. Features in standard deviations: {words}.")

    return Explorer(
        figure, draw, title="The renderer", moving=[shown, *bars],
        shape=choice(SHAPES, "triangle", label="shape"),
        size=slider(2.5, 4.5, 3.5, label="size (pixels)", step=0.05),
        angle=slider(0.0, 350.0, 20.0, label="angle (degrees)", step=1.0),
        right=slider(-2.5, 2.5, 0.0, label="right (pixels)", step=0.1),
        down=slider(-2.5, 2.5, 0.0, label="down (pixels)", step=0.1),
        light=slider(0.4, 1.0, 0.8, label="light", step=0.01),
        noise_level=slider(0.0, 0.5, 0.1, label="noise (standard deviation)", step=0.01),
    )


STEP = 3  # degrees between the angles that are tried


def which_causes() -> Explorer:
    """The posterior over shape and angle of one noisy picture, all else known."""
    angles = torch.arange(0, 360, STEP).to(torch.get_default_dtype())  # (120,)
    masks = {size: _masks(angles, size) for size in (2.5, 3.0, 3.5, 4.0, 4.5)}  # (4 * 120, 400) each
    grain = torch.randn(WIDTH**2, generator=rng.seeded(22))
    figure, (left, right) = plots.figure(2, height=3.6, width=9, width_ratios=(2, 4))
    shown = picture(left, torch.zeros(WIDTH**2), "the picture")
    lines = [right.plot(angles, 0 * angles, color=plots.PALETTE[k], ls=plots.DASHES[k], label=name)[0]
             for k, name in enumerate(SHAPES)]
    right.set(xlabel="angle (degrees)", ylabel="highest = 1", ylim=(0, 1.55), xlim=(0, 360),
              title="p(shape, angle | x)", xticks=[0, 90, 180, 270, 360], yticks=[0, 0.5, 1])
    right.legend(loc="upper right", ncols=2, fontsize="small")
    said = right.text(0.02, 0.96, "", transform=right.transAxes, va="top", fontsize="small")

    def draw(shape: str, size: float, angle: float, light: float, noise: float) -> str:
        number, column = SHAPES.index(shape), round(angle / STEP) % len(angles)
        near = min(masks, key=lambda known: abs(known - size))
        clean = light * masks[near]
        x = clean[number * len(angles) + column] + noise * grain
        mass = log_likelihood_table(x[None], clean, noise)[0].softmax(-1).reshape(len(SHAPES), -1)
        shown.set_data(x.reshape(WIDTH, WIDTH).numpy())
        for line, row in zip(lines, mass / mass.max()):
            line.set_ydata(row)
        shares = [f"{name} {share:.0%}" for name, share in zip(SHAPES, mass.sum(-1).tolist())]
        said.set_text("\n".join(shares))
        return (f"A {shape} of size {near} at {angles[column]:.0f} degrees with light {light:.2f}, noise {noise:.2f}. "
                f"Posterior of the shape: {', '.join(shares)}; the most probable angle is "
                f"{angles[int(mass.argmax()) % len(angles)]:.0f} degrees.")

    return Explorer(
        figure, draw, title="Which causes could have made it?", moving=[shown, *lines, said],
        shape=choice(SHAPES, "triangle", label="true shape"),
        size=slider(2.5, 4.5, 3.5, label="size (pixels)", step=0.5),
        angle=slider(0.0, 357.0, 30.0, label="true angle (degrees)", step=3.0),
        light=slider(0.05, 1.0, 0.8, label="light", step=0.01),
        noise=slider(0.05, 1.0, 0.2, label="noise (standard deviation)", step=0.01),
    )


def _masks(angles: Tensor, size: float) -> Tensor:
    """All shapes at all angles, in the middle and at full light: (4 * m, 400)."""
    numbers = torch.zeros(len(SHAPES) * len(angles), len(NUMBERS))
    numbers[:, 0], numbers[:, 1], numbers[:, 4] = size, angles.deg2rad().repeat(len(SHAPES)), 1.0
    return render(torch.arange(len(SHAPES)).repeat_interleave(len(angles)), numbers)


def a_galaxy() -> Explorer:
    """A galaxy's features beside its coordinates in PPCA, whose axes may be turned."""
    sky = datasets.hubble()
    small = galaxies.shrink(sky.x)  # (457, 588)
    model = experiments.ppca(small, galaxies.LATENTS)
    z = model.posterior(small).loc  # (457, 30)
    usual = galaxies.catalogue(sky)
    features = (usual - usual.mean(0)) / usual.std(0)
    figure, (left, middle, bars_of_features, bars_of_latents) = plots.figure(4, height=3.4, width=10.5)
    titles = ("x", "made again from z")
    pictures = [ax.imshow(_colours(small[0])) for ax in (left, middle)]
    for ax, title in zip((left, middle), titles):
        ax.set(xticks=[], yticks=[], title=title)
    feature_bars = _bars(bars_of_features, OF_GALAXIES, "features", plots.MODEL)
    latent_bars = _bars(bars_of_latents, [f"$z_{{{k + 1}}}$" for k in range(10)], "first ten latents", plots.LATENT)

    def draw(galaxy: int, latents: int, turn: float) -> str:
        code = torch.where(torch.arange(galaxies.LATENTS) < latents, z[galaxy], 0.0)
        made = code @ model.weight.mT + model.loc
        c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        shown = torch.cat([code[:2] @ torch.tensor([[c, s], [-s, c]]), code[2:10]])
        for image, values in zip(pictures, (small[galaxy], made)):
            image.set_data(_colours(values))
        for bar, value in zip([*feature_bars, *latent_bars], [*features[galaxy].tolist(), *shown.tolist()]):
            bar.set_width(max(-3.5, min(3.5, value)))
        error = (made - small[galaxy]).square().sum() / (small[galaxy] - small.mean(0)).square().sum()
        words = ", ".join(f"{name} {value:+.1f}" for name, value in zip(OF_GALAXIES, features[galaxy].tolist()))
        return (f"Galaxy {galaxy}. Features in standard deviations: {words}. Made again from {latents} latents: "
                f"{1 - error:.0%} of its difference from the mean galaxy is kept. First two latents, turned by "
                f"{turn:.0f} degrees: {shown[0]:+.2f} and {shown[1]:+.2f}.")

    return Explorer(
        figure, draw, title="A galaxy's features beside its latents", moving=[*pictures, *feature_bars, *latent_bars],
        galaxy=slider(0, len(z) - 1, 29, label="galaxy"),
        latents=slider(0, galaxies.LATENTS, 10, label="latents used"),
        turn=slider(0.0, 350.0, 0.0, label="turn the first two latents by (degrees)", step=1.0),
    )


def _colours(x: Tensor) -> np.ndarray:
    """A small galaxy (588,) for the eye, (14, 14, 3): the root makes faint light visible."""
    return x.reshape(3, 14, 14).permute(1, 2, 0).clamp(0, 1).sqrt().numpy()


def _bars(ax: Axes, names: Sequence[str], title: str, colour: str) -> BarContainer:
    """Level bars, one a name, that `draw` will lengthen."""
    bars = ax.barh(range(len(names)), [0.0] * len(names), color=colour, height=0.6)
    ax.axvline(0, color=plots.DATA, lw=1, ls="-")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlim=(-3.5, 3.5), xlabel="standard deviations", title=title)
    ax.invert_yaxis()
    return bars
