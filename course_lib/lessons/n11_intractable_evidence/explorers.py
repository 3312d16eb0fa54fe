"""The explorers of lesson 11: dimension and draws, weights as sticks, and annealing watched."""

import functools
import math
from collections.abc import Iterator

import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D
from matplotlib.text import Text
from torch import Tensor

from ... import plots, rng
from ...functional import normal_log_prob
from ...inference.annealing import annealed_importance_sampling
from ...inference.importance import Weighted
from ...widgets import Explorer, Player, button, choice, gaussians, memory, slider
from . import boat, experiments

# Dimension and draws -------------------------------------------------------------------------------------------------

LATENTS = (2, 4, 8, 16, 32, 64)
RUNS, LARGEST = 20, 13  # independent estimates; log2 of the most draws
PROPOSALS = ("the prior", "the posterior, 1.2 times as wide")


@functools.cache
def table(latents: int, proposal: str) -> Tensor:
    """Errors, and claimed standard errors, of every run after 2, 4, ..., 2^13 draws: (2, RUNS, LARGEST)."""
    picture, g = experiments.digit(latents), rng.seeded(1100 + latents)
    wide = experiments.scaled(picture.posterior, 1.2)
    runs = []
    for _ in range(RUNS):  # one at a time: all draws together would fill the memory
        if proposal == PROPOSALS[0]:
            log_w = experiments.naive(picture, 2**LARGEST, 1, g).log_weights
        else:
            log_w = experiments.weighed(picture, wide, 2**LARGEST, 1, g).log_weights
        runs.append(log_w)
    log_w = torch.cat(runs, 1)  # (2^LARGEST, RUNS)
    made = [Weighted(log_w[: 2**power], log_w[: 2**power]) for power in range(1, LARGEST + 1)]
    return torch.stack([torch.stack([one.log_evidence - picture.log_evidence, one.standard_error]) for one in made], -1)


def dimension_and_draws() -> Explorer:
    """20 independent estimates of one digit's log p(x), each with the error bar that it claims, beside the truth."""
    tables = {(m, name): table(m, name) for m in LATENTS for name in PROPOSALS}
    figure, ax = plots.figure(height=3.9)
    runs = torch.arange(1, RUNS + 1)
    bars = ax.vlines(runs, 0, 1, color=plots.MODEL, lw=2, ls="-", label="± 2 claimed standard errors")
    (dots,) = ax.plot(runs, 0 * runs, "o", color=plots.MODEL, ms=5, label="estimate")
    ax.axhline(0, color=plots.TRUTH, ls="--", lw=1.5, label="truth")
    said = ax.text(0.02, 0.05, "", transform=ax.transAxes, va="bottom", fontweight="bold",
                   bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8})
    ax.set_yscale("symlog", linthresh=1)
    ax.set_xticks([1, 5, 10, 15, 20])
    ax.set(xlabel="independent run", ylabel="estimate − log p(x) (nats)", ylim=(-2e4, 10), xlim=(0, RUNS + 1))
    ax.set_yticks([-10_000, -1000, -100, -10, -1, 0, 1], ["−10,000", "−1,000", "−100", "−10", "−1", "0", "1"])
    ax.legend(loc="upper left", bbox_to_anchor=(0, 1.16), ncols=3, borderaxespad=0)

    def draw(latents: str, power: int, proposal: str) -> str:
        errors, claimed = tables[int(latents), proposal][..., power - 1]
        dots.set_ydata(errors)
        bars.set_segments([[(run, error - 2 * c), (run, error + 2 * c)]
                           for run, error, c in zip(runs.tolist(), errors.tolist(), claimed.tolist())])
        held = int((errors.abs() < 2 * claimed).sum())
        said.set_text(f"{2**power:,d} draws: {held} of {RUNS} bars hold the truth\nmean error {errors.mean():.2f} "
                      f"nats, mean claimed error {claimed.mean():.2f}".replace("-", "−"))
        return (f"{latents} latents, {2**power} draws from {proposal}: {held} of {RUNS} bars of two claimed standard "
                f"errors hold the truth; the mean error is {errors.mean():.2f} nats, the mean claimed standard error "
                f"{claimed.mean():.2f}.")

    return Explorer(
        figure, draw, title="Dimension and draws", moving=[bars, dots, said],
        latents=choice([str(m) for m in LATENTS], "2", label="latents"),
        power=slider(1, LARGEST, 10, label="draws, as a power of 2"),
        proposal=choice(PROPOSALS, PROPOSALS[0], label="draws from"),
    )


# Sticks and a dial ---------------------------------------------------------------------------------------------------

STICKS = 100
START = [{"mean": [0.0], "covariance": [[1.0]]}]
PLACES = torch.linspace(-3, 5.5, 600, dtype=torch.float64)


def sticks_and_dial() -> Explorer:
    """A proposal is dragged along the boat's coast: its draws' weights are sticks, their effective number a dial."""
    figure, (ax, dial) = plots.figure(2, height=3.8, width=9, width_ratios=(3, 1.1))
    curve, sticks = _draw_coast(ax)
    needle, said = _draw_dial(dial)
    noise = [rng.randn((STICKS, 1), rng.seeded(seed), PLACES) for seed in range(50)]
    truth = boat.log_evidence().item()

    def draw(q: list, seed: int) -> str:
        mean, scale = q[0]["mean"][0], math.sqrt(q[0]["covariance"][0][0])
        loc, log_scale = torch.tensor(mean, dtype=torch.float64), torch.tensor(scale, dtype=torch.float64).log()
        z = loc + scale * noise[seed]
        made = Weighted(z, boat.log_joint(z) - normal_log_prob(z, loc, log_scale)[:, 0])
        relative = (made.log_weights - made.log_weights.max()).exp()
        sticks.set_segments([[(place, 0), (place, -w)] for place, w in zip(z[:, 0].tolist(), relative.tolist())])
        curve.set_ydata(normal_log_prob(PLACES, loc, log_scale).exp())
        size, estimate = made.effective_sample_size.item(), made.log_evidence.item()
        angle = math.pi * (1 - size / STICKS)
        needle.set_data([0, 0.85 * math.cos(angle)], [0, 0.85 * math.sin(angle)])
        said.set_text(f"{size:.0f} of {STICKS} effective\n\nlog p(x) ≈ {estimate:.2f}\nclaims ± "
                      f"{made.standard_error:.2f}\ntruth {truth:.2f}\noff by {estimate - truth:+.2f} nats"
                      .replace("-", "−"))
        return (f"Proposal with mean {mean:.2f} km and standard deviation {scale:.2f} km: {size:.1f} of {STICKS} draws "
                f"are effective; it estimates log p(x) as {estimate:.2f} ± {made.standard_error:.2f}, the truth is "
                f"{truth:.2f}.")

    return Explorer(
        figure, draw, title="Sticks and a dial", moving=[curve, sticks, needle, said],
        q=gaussians(START, axes=ax, label="your proposal", bounds=((-2.9, 5.4), (-1, 2.6)), height=1.2),
        seed=memory(0),
        again=button("New draws", lambda values: {"seed": (values["seed"] + 1) % len(noise)}),
        reset=button("Back to the prior", lambda values: {"q": START}),
    )


def _draw_coast(ax: Axes) -> tuple[Line2D, LineCollection]:
    """The boat's posterior with the share of its two humps; the proposal's curve and the sticks, still to be moved."""
    posterior = (boat.log_joint(PLACES[:, None]) - boat.log_evidence()).exp()
    ax.plot(PLACES, posterior, color=plots.TRUTH, ls="--", label="posterior")
    (curve,) = ax.plot(PLACES, 0 * PLACES, color=plots.MODEL, ls="-", label="your proposal q")
    sticks = ax.vlines([0] * STICKS, 0, -1, color=plots.LATENT, lw=1.5, ls="-", label="weights (largest: 1)")
    ax.axhline(0, color=plots.DATA, lw=1, ls="-")
    shares = (boat.log_evidence_by_side() - boat.log_evidence()).exp().tolist()
    for place, height, share in zip((-0.48, 3.37), (2.1, 0.1), shares):
        ax.text(place, height, f"{share:.1%} of the mass", ha="center", fontsize="small")
    ax.set(xlabel="place of the boat z (km)", ylabel="weight ↓      density (1/km) ↑", xlim=(-3, 5.5), ylim=(-1.1, 2.8))
    ax.set_yticks([-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5], ["1", "0.5", "0", "0.5", "1", "1.5", "2", "2.5"])
    ax.legend(loc="upper right")
    return curve, sticks


def _draw_dial(ax: Axes) -> tuple[Line2D, Text]:
    """A half circle from 0 on the left to all draws on the right: its needle, and the text below."""
    turn = torch.linspace(0, math.pi, 60)
    ax.plot(turn.cos(), turn.sin(), color=plots.DATA, ls="-", lw=3)
    for share in (0, 0.25, 0.5, 0.75, 1):
        angle = math.pi * (1 - share)
        x, y = math.cos(angle), math.sin(angle)
        ax.plot([0.92 * x, 1.0 * x], [0.92 * y, 1.0 * y], color=plots.DATA, ls="-")
        ax.text(1.22 * x, 1.13 * y, f"{share * STICKS:.0f}", ha="center", va="center", fontsize="small")
    (needle,) = ax.plot([0, 0], [0, 1], color=plots.LATENT, ls="-", lw=4)
    said = ax.text(0, -0.15, "", ha="center", va="top")
    ax.set(aspect="equal", xlim=(-1.45, 1.45), ylim=(-1.9, 1.35))
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return needle, said


# Annealing watched ---------------------------------------------------------------------------------------------------

CHAINS, MOST_STEPS = 400, 60
BINS = torch.linspace(-3, 5.5, 69, dtype=torch.float64)
WIDTH = (BINS[1] - BINS[0]).item()


def watch_annealing() -> Player:
    """The boat's chains, from the prior to the posterior: where they are, what they weigh, what they estimate."""
    figure, (ax, estimates) = plots.figure(2, height=3.7, width=9, width_ratios=(3, 2))
    bars, curve, east = _draw_chains(ax)
    path = _draw_estimates(estimates)
    truth = boat.log_evidence().item()

    def draw(snapshot: tuple, steps: int, seed: int) -> str:
        z, log_w, found = snapshot
        beta, estimate = found[-1]
        heights = torch.histogram(z[:, 0], BINS, weight=log_w.softmax(0)).hist / WIDTH
        for bar, height in zip(bars, heights.tolist()):
            bar.set_height(height)
        between = boat.log_prior(PLACES[:, None]) + beta * boat.log_likelihood(PLACES[:, None])
        curve.set_ydata(between.softmax(0) / (PLACES[1] - PLACES[0]))
        path.set_data(*zip(*found))
        size, there = Weighted(z, log_w).effective_sample_size.item(), z[:, 0] > boat.BUOY
        chains, weight = there.double().mean().item(), log_w.softmax(0)[there].sum().item()
        east.set_text(f"east of the buoy:\n{chains:.1%} of the chains\n{weight:.1%} of the weight")
        return (f"Annealing in {steps} steps, at temperature {beta:.2f}: {size:.0f} of {CHAINS} chains are effective, "
                f"and the log of their average weight is {estimate:.2f} nats; at temperature 1 the truth is "
                f"{truth:.2f}. East of the buoy: {chains:.1%} of the chains, {weight:.1%} of the weight.")

    return Player(
        figure, _annealing, lambda step: step, draw, title="Watch annealing", frames=MOST_STEPS + 1,
        moving=[*bars, curve, east, path],
        steps=slider(1, MOST_STEPS, 20, label="steps of temperature T"), seed=slider(0, 9, 0, label="start (seed)"),
    )


def _annealing(steps: int, seed: int) -> Iterator[tuple]:
    """Places, log-weights, and the path of estimates so far, from temperature 0 to 1."""
    g = rng.seeded(seed)
    z = rng.randn((CHAINS, 1), g, PLACES)
    log_w, found = torch.zeros(CHAINS, dtype=torch.float64), [(0.0, 0.0)]
    yield z, log_w, list(found)
    ladder = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    for step in annealed_importance_sampling(
        boat.log_prior, boat.log_joint, z, g, temperatures=ladder, step_size=0.15
    ):
        found.append((step.temperature, step.weighted.log_evidence.item()))
        yield step.z, step.log_weights, list(found)


def _draw_chains(ax: Axes) -> tuple[BarContainer, Line2D, Text]:
    middle = (0.5 * (BINS[1:] + BINS[:-1])).tolist()
    bars = ax.bar(middle, [0] * len(middle), width=WIDTH, color="#c8c8c8", edgecolor="white", label="chains, weighted")
    (curve,) = ax.plot(PLACES, 0 * PLACES, color=plots.MODEL, ls="-", label="the density at this temperature")
    ax.set(xlabel="place of the boat z (km)", ylabel="density (1/km)", xlim=(-3, 5.5), ylim=(0, 2.6))
    ax.legend(loc="upper right")
    return bars, curve, ax.text(0.98, 0.5, "", transform=ax.transAxes, ha="right")


def _draw_estimates(ax: Axes) -> Line2D:
    (path,) = ax.plot([], [], color=plots.MODEL, marker="o", ms=3, ls="-", label="log of the average weight")
    ax.axhline(boat.log_evidence().item(), color=plots.TRUTH, ls="--", label="truth at temperature 1")
    ax.set(xlabel="temperature β", ylabel="nats", xlim=(0, 1.02), ylim=(-4, 0.5))
    ax.legend(loc="lower left")
    return path
