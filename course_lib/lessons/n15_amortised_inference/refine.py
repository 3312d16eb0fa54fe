"""An explorer of lesson 15: the network's guess of one picture's posterior, and what optimising makes of it."""

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from ... import plots, rng
from ...inference.approximation import GaussianApproximation
from ...inference.variational import variational
from ...models import VAE
from ...training import fit, gradient_descent
from ...widgets import Explorer, slider
from .. import weights
from . import gaps
from .explorers import picture_on

STEPS, EVERY, PICTURES, SIDE, MOST = 80, 4, 20, 50, 26.0  # SIDE: points along a window; MOST: nats of the bar
TURN = torch.linspace(0, 2 * math.pi, 80)
CIRCLE = torch.stack([TURN.cos(), TURN.sin()])


class Refined(NamedTuple):
    """Some pictures (n, 784), the Gaussians on the way to the best ones, and what is exact.

    Shapes:     gaps (n, steps) in nats; log_evidence (n,); windows (n, 2, 2), lower left and upper right; posteriors
                (n, SIDE, SIDE), relative to the maximum, z_2 along the rows.
    """

    x: Tensor
    path: list[GaussianApproximation]
    gaps: Tensor
    log_evidence: Tensor
    windows: Tensor
    posteriors: Tensor


@cache
def quick() -> tuple[VAE, Tensor]:
    """A VAE after a moment of training, and new digits: what is shown if nothing is given."""
    x, x_new, *_ = (part.float() for part in weights.digits())
    model = VAE(784, 2, hidden=(32,), generator=rng.seeded(0)).float()
    fit(gradient_descent(model, x[:1000], rng.seeded(0), steps=60, batch_size=100, lr=1e-2))
    return model.requires_grad_(False), x_new


def refined(model: VAE, x: Tensor) -> Refined:
    """Full-covariance variational inference from the network's guess, kept every few steps."""
    begin = gaps.network_gaussian(model, x)
    process = variational(gaps.log_joint(model, x), begin, rng.seeded(0), steps=STEPS + 1, lr=0.03, draws=8,
                          covariance="full")
    path = [step.approximation for step in process if step.index % EVERY == 1]  # step 1 is the guess itself
    exact = gaps.grid_evidence(model, x, 350)
    below = torch.stack([exact - gaps.exact_elbo(model, x, q, 10) for q in path], -1)
    windows = _windows(model, x, path)
    unit = torch.cartesian_prod(*[torch.linspace(0, 1, SIDE)] * 2).to(x)
    tables = torch.stack([gaps.log_joint_table(model, row[None], torch.lerp(low, high, unit))[0]
                          for row, (low, high) in zip(x, windows)])
    posteriors = (tables - tables.max(-1, keepdim=True).values).exp().reshape(-1, SIDE, SIDE).mT
    return Refined(x, path, below, exact, windows, posteriors)


def _windows(model: VAE, x: Tensor, path: list[GaussianApproximation]) -> Tensor:
    """For each picture the window that holds the posterior's peak, and three deviations of the first and last q."""
    peak = gaps.peaks(model, x)
    ends = [peak - 0.2, peak + 0.2]
    for q in (path[0], path[-1]):
        deviation = q.covariance.diagonal(dim1=-2, dim2=-1).sqrt()
        ends += [q.loc - 3 * deviation, q.loc + 3 * deviation]
    return torch.stack([torch.stack(ends).amin(0), torch.stack(ends).amax(0)], 1)


def refine_a_guess(model: VAE | None = None, x: Tensor | None = None) -> Explorer:
    """One picture after another: its exact posterior, the network's Gaussian, and that Gaussian step by step."""
    model, x = (model, x) if model is not None else quick()
    here = refined(model, x[:PICTURES])
    figure, (left, ax, bar) = plots.figure(3, height=3.8, width=10, width_ratios=(1, 1.6, 0.9))
    image = picture_on(left, "picture x")
    blank = torch.zeros(SIDE, SIDE).numpy()
    shade = ax.imshow(blank, origin="lower", cmap="Greys", vmin=0, vmax=1, aspect="auto", extent=(0, 1, 0, 1))
    (guess,) = ax.plot([], [], color=plots.MODEL, ls="--", label="the network's q")
    (ring,) = ax.plot([], [], color=plots.LATENT, ls="-", label="after the steps")
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], xlabel="$z_1$, in a window", ylabel="$z_2$")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize="small")
    (level,) = bar.bar([0.5], [1], width=0.5, color=plots.LATENT, hatch="//", edgecolor="white")
    said = bar.set_title("\n", fontsize="medium")
    bar.set(xlim=(0, 1), ylim=(0, MOST), xticks=[], ylabel="log p(x) − bound (nats)")

    def draw(number: int, steps: int) -> str:
        at = steps // EVERY
        for line, q in ((guess, here.path[0]), (ring, here.path[at])):
            line.set_data(*_ring(q, number, here.windows[number]))
        image.set_data(here.x[number].reshape(28, 28).numpy())
        shade.set_data(here.posteriors[number].numpy())
        first, now = here.gaps[number, 0].item(), here.gaps[number, at].item()
        level.set_height(min(max(now, 0.0), MOST))
        said.set_text(f"log p(x) = {here.log_evidence[number]:.1f}\ngap: first {first:.2f}, now {now:.2f}")
        return (f"Picture {number}: log p(x) = {here.log_evidence[number]:.2f} nats. The network's Gaussian lies "
                f"{first:.2f} nats below, after {at * EVERY} steps of refinement {now:.2f}.")

    return Explorer(
        figure, draw, title="Refine a guess", moving=[image, shade, guess, ring, level, said],
        number=slider(0, len(here.x) - 1, 0, label="picture"),
        steps=slider(0, STEPS, 0, label="steps of refinement", step=EVERY),
    )


def _ring(q: GaussianApproximation, number: int, window: Tensor) -> Tensor:
    """Two standard deviations of one picture's Gaussian, in shares of its window, (2, 80)."""
    low, high = window[..., None]
    return (q.loc[number, :, None] + 2 * q.scale_tril[number] @ CIRCLE.to(q.loc) - low) / (high - low)
