"""The explorers of lesson 03 that show images: a store that is asked, and samples beside their neighbours."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from torch import Tensor

from ... import plots, rng
from ...models import BernoulliMixture, ChowLiuTree, IndependentPixels
from ...training import expectation_maximisation, fit
from ...widgets import Explorer, choice, slider
from . import experiments
from .pictures import GREY

SHOWN = 6  # images of a row
UNKNOWN = 0.5
COLOURS = (255 * to_rgba_array(["white", plots.COVERED, "black"])).astype(np.uint8)  # paper, not asked for, ink


def coloured(images: Tensor) -> np.ndarray:
    """Rows of SHOWN images (n, 784) of paper 0, ink 1 and UNKNOWN in red, green, blue and opacity.

    matplotlib draws whole numbers of four channels twice as fast as numbers that it has to colour itself.
    """
    return COLOURS[(2 * plots.tiles(images, SHOWN)).long().numpy()]


def _rows(ax: Axes, names: list[str]) -> AxesImage:
    """A picture of rows of SHOWN images, to be filled by `set_data`, with a name on the left of each."""
    image = ax.imshow(coloured(torch.zeros(len(names) * SHOWN, 784)), interpolation="nearest")
    ax.set_yticks([28 * row + 13.5 for row in range(len(names))], names)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return image


def _fitted(model: ChowLiuTree | IndependentPixels, x: Tensor) -> ChowLiuTree | IndependentPixels:
    model.to(x.dtype).maximise(x, smoothing=0.1)
    return model


def _mixture(x: Tensor) -> BernoulliMixture:
    """A hundred averaged digits, in haste."""
    model = BernoulliMixture(100, x.shape[1]).to(x.dtype).start_at(x, rng.seeded(1))
    fit(expectation_maximisation(model, x, steps=8, smoothing=0.1))
    return model


def ask_the_store() -> Explorer:
    """Some pixels of a new digit are asked for: what the store holds, and what the tree makes."""
    x, x_new = experiments.digits(torch.float32)
    makers = (_fitted(ChowLiuTree(784), x), _mixture(x))
    figure, ax = plots.figure(height=4.4, width=7.2)
    picture = _rows(ax, ["asked,\ntruth", "stored", "by the\ntree", "by the\nmixture"])
    ax.set_title("orange: not asked for", loc="left", fontsize="medium")
    said = ax.text(28 * 2.3, 13.5, "", va="center")

    def draw(digit: int, k: int, choice_of_pixels: int) -> str:
        image, seen = x_new[digit], torch.randperm(784, generator=rng.seeded(choice_of_pixels)) < k
        wrong = x @ (seen * (1 - 2 * image)) + (seen * image).sum()  # (4000,): in how many of the pixels asked for
        fitting = (wrong < 0.5).nonzero()[:, 0]
        rows = torch.zeros(4, SHOWN, 784)
        rows[0, 0], rows[0, 1] = torch.where(seen, image, UNKNOWN), image
        rows[1, :min(SHOWN, len(fitting))] = x[fitting[:SHOWN]]
        for row, maker in zip(rows[2:], makers):
            row[:] = maker.complete(image.expand(SHOWN, -1), seen, rng.seeded(digit))
        picture.set_data(coloured(rows.flatten(0, 1)))
        said.set_text(f"{len(fitting):,} of {len(x):,} stored fit")
        return (f"New digit {digit}, {k} of its pixels asked for: {len(fitting)} of {len(x)} stored digits fit; the "
                f"tree and the mixture each make {SHOWN} images that do.")

    return Explorer(
        figure, draw, title="Ask the store, or make it", moving=[picture, said],
        digit=slider(0, 99, 3, label="new digit, number"),
        k=slider(0, 400, 40, label="pixels asked for"),
        choice_of_pixels=slider(0, 9, 0, label="which pixels (seed)"),
    )


SOURCES = ["new digits", "tree", "mixture", "independent pixels", "copies"]


def beside_their_neighbours() -> Explorer:
    """Samples beside their nearest training images, and where they fall among honest new digits."""
    x, x_new = experiments.digits(torch.float32)
    models = {"tree": _fitted(ChowLiuTree(784), x), "mixture": _mixture(x),
              "independent pixels": _fitted(IndependentPixels(784), x)}
    null = experiments.nearest_two(x_new, x)
    limits = [values.quantile(0.05) for values in null]
    figure, (left, *panels) = plots.figure(3, height=2.7, width=11, width_ratios=(5, 2, 2))
    picture = _rows(left, ["sample", "nearest"])
    marks = [_null(*panel) for panel in zip(panels, null, ("distance to the nearest (pixels)", "nearest / second"))]

    def draw(source: str, flips: float, seed: int) -> str:
        generator = rng.seeded(seed)
        if source == "copies":
            sample = experiments.copies(x, SHOWN, flips, generator)
        elif source == "new digits":
            sample = x_new[rng.rows(len(x_new), SHOWN, generator)]
        else:
            sample = models[source].sample(SHOWN, generator)
        near = x[experiments.distances(sample, x).argmin(-1)]
        picture.set_data(coloured(torch.cat([sample, near])))
        found = experiments.nearest_two(sample, x)
        for mark, values in zip(marks, found):
            mark.set_data(values, torch.full_like(values, 0.9))
        caught = [int((values < limit).sum()) for values, limit in zip(found, limits)]
        kind = f"copies with {flips:.1%} of the pixels flipped" if source == "copies" else source
        return (f"Six samples ({kind}), seed {seed}, above their nearest training images. Left of the line that 5 % of "
                f"honest new digits fall short of: {caught[0]} by distance, {caught[1]} by the ratio.")

    return Explorer(
        figure, draw, title="Samples beside their nearest neighbours", moving=[picture, *marks],
        source=choice(SOURCES, "copies", label="samples from"),
        flips=slider(0.0, 0.2, 0.02, label="share of pixels a copy flips", step=0.005),
        seed=slider(0, 20, 0, label="seed"),
    )


def _null(ax: Axes, honest: Tensor, label: str) -> Line2D:
    """The histogram of `honest` values with the line that one in twenty falls short of; the marks of the samples."""
    plots.histogram(ax, honest, bins=30, color=GREY)
    ax.axvline(honest.quantile(0.05).item(), color=plots.TRUTH, ls="--", lw=1.2)
    (marks,) = ax.plot([], [], "v", color=plots.LATENT, ms=8, transform=ax.get_xaxis_transform())
    most = 160 if honest.max() > 1 else 1  # a copy with a fifth of its pixels flipped is 157 away
    ax.set(xlabel=label, ylim=(0, 1.3 * ax.get_ylim()[1]), xlim=(0, 1.05 * most), xticks=(0, most / 2, most), yticks=[])
    ax.set_title("grey: honest new digits\ndashed: one in twenty lies left", fontsize="small")
    return marks
