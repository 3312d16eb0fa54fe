"""The explorers of lesson 08: each is made in one call and owns no mathematics of its own."""

import math
from collections.abc import Iterator

import torch
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D
from matplotlib.text import Text
from torch import Tensor

from ... import datasets, plots, rng
from ...functional import categorical_kl, normal_log_prob
from ...metrics import mean_log_prob
from ...models import GaussianMixture
from ...training import expectation_maximisation
from ...widgets import Explorer, Player, button, handles, memory, slider
from .exercises import m_step
from .pictures import MINUTES

# Build a mixture by hand --------------------------------------------------------------------------------------------


def build_a_mixture() -> Explorer:
    """Five sliders, 272 waiting times, and the log-likelihood of the mixture that the sliders make."""
    waiting = datasets.old_faithful()[:, 1]
    best = _best_by_hand(waiting)
    x = torch.linspace(35, 105, 300)
    figure, ax = plots.figure(height=3.8)
    plots.histogram(ax, waiting, bins=MINUTES)
    plots.strip(ax, waiting)
    terms = [ax.plot(x, 0 * x, color=plots.component_colour(k), ls=plots.DASHES[k + 1], label=f"component {k + 1}")[0]
             for k in range(2)]
    (total,) = ax.plot(x, 0 * x, color=plots.MODEL, ls="-", label="their sum, p(x)")
    score = ax.text(0.02, 0.96, "", transform=ax.transAxes, va="top")
    ax.set(xlabel="wait until the next eruption (min)", ylabel="density (1/min)", ylim=(0, 0.065))
    ax.legend(loc="upper right")

    def draw(weight: float, mean_1: float, sd_1: float, mean_2: float, sd_2: float) -> str:
        prior = torch.tensor([weight, 1 - weight]).log()
        loc, log_scale = torch.tensor([mean_1, mean_2]), torch.tensor([sd_1, sd_2]).log()
        joint = prior + normal_log_prob(x[:, None], loc, log_scale)  # (300, 2)
        for line, term in zip([*terms, total], [*joint.exp().mT, joint.logsumexp(-1).exp()]):
            line.set_ydata(term)
        fit = (prior + normal_log_prob(waiting[:, None], loc, log_scale)).logsumexp(-1).mean().item()
        score.set_text(f"log p(x) = {fit:.3f} nats a wait\nthe best that EM finds: {best:.3f}")
        return (
            f"Two Gaussians, weights {weight:.2f} and {1 - weight:.2f}, means {mean_1:.1f} and {mean_2:.1f} minutes, "
            f"standard deviations {sd_1:.1f} and {sd_2:.1f}, over a histogram of {len(waiting)} waits: {fit:.3f} nats "
            f"a wait; the best that EM finds is {best:.3f}."
        )

    return Explorer(
        figure, draw, title="Build a mixture by hand", moving=[*terms, total, score],
        weight=slider(0.01, 0.99, 0.5, label="weight of component 1", step=0.01),
        mean_1=slider(40.0, 100.0, 60.0, label="mean 1 (min)", step=0.5),
        sd_1=slider(1.0, 20.0, 8.0, label="standard deviation 1 (min)", step=0.1),
        mean_2=slider(40.0, 100.0, 72.0, label="mean 2 (min)", step=0.5),
        sd_2=slider(1.0, 20.0, 8.0, label="standard deviation 2 (min)", step=0.1),
    )


def _best_by_hand(waiting: Tensor) -> float:
    """The mean log-likelihood that EM reaches with two components, in nats a row."""
    model = GaussianMixture(2, 1).start_at(waiting[:, None], rng.seeded(0))
    *_, last = expectation_maximisation(model, waiting[:, None], steps=100)
    return -last.loss.item()


# EM as a tug of two bars ---------------------------------------------------------------------------------------------

BASE = -5.4  # nats, the foot of the bars


def tug_of_two_bars() -> Explorer:
    """The bound F(q, θ) and log p(x) as two bars: the E-step closes the gap, the M-step raises the bound."""
    waiting = datasets.old_faithful()[:, 1]
    x = waiting.quantile(torch.linspace(0.03, 0.97, 12))  # (12,), few enough to drag each one's responsibility
    figure, (ax, bars) = plots.figure(2, height=3.8, width=8.6, width_ratios=(3, 1))
    curve, dots, means = _draw_posterior(ax, x)
    heights, gap = _draw_bars(bars)

    def draw(q: list, theta: list) -> str:
        responsibility = torch.tensor([height for _, height in q])  # (12,)
        bound, evidence = bound_and_evidence(x, responsibility, theta)
        curve.set_ydata(_log_joint(torch.as_tensor(curve.get_xdata()), theta).softmax(-1)[:, 0])
        dots.set_ydata(responsibility)
        for line, mean in zip(means, theta[1]):
            line.set_xdata([mean, mean])
        for bar, value in zip(heights, (bound, evidence)):
            bar.set_height(max(value - BASE, 0))
        gap.set_text(f"F = {bound:.3f}\nlog p(x) = {evidence:.3f}\ngap = {evidence - bound:.3f}")
        return (
            f"Twelve waits, each with its responsibility for component 1. Bound {bound:.3f}, log-likelihood "
            f"{evidence:.3f}, gap {evidence - bound:.3f} nats a wait; means {theta[1][0]:.1f} and "
            f"{theta[1][1]:.1f} minutes."
        )

    start = [[0.5, 0.5], [55.0, 65.0], [100.0, 100.0]]
    level = [[value, 0.5] for value in x.tolist()]
    return Explorer(
        figure, draw, title="EM as a tug of two bars", moving=[curve, dots, *means, *heights, gap],
        q=handles(level, axes=ax, label="responsibility for point", drag="y", bounds=((35, 105), (0, 1))),
        theta=memory(start),
        e_step=button("E-step: q becomes the posterior", lambda values: {"q": _posterior(x, values["theta"])}),
        m_step=button("M-step: fit both Gaussians to q", lambda values: {"theta": _fitted(x, values["q"])}),
        swap=button("Swap the names", lambda values: _swapped(**values)),
        reset=button("Start again", lambda values: {"q": level, "theta": start}),
    )


def _draw_posterior(ax: Axes, x: Tensor) -> tuple[Line2D, Line2D, list[Line2D]]:
    grid = torch.linspace(35, 105, 200)
    (curve,) = ax.plot(grid, 0 * grid, color=plots.MODEL, ls="-", label="posterior p(z = 1 | x)")
    (dots,) = ax.plot(x, 0 * x, "o", color=plots.LATENT, ms=9, label="your q(z = 1), drag it")
    looks = [{"color": plots.component_colour(k), "ls": plots.DASHES[k + 1], "lw": 1.5} for k in range(2)]
    means = [ax.plot([60, 60], [0, 1], label=f"mean {k + 1}", **look)[0] for k, look in enumerate(looks)]
    ax.set(xlabel="wait until the next eruption (min)", ylabel="probability of component 1")
    ax.set(xlim=(35, 105), ylim=(-0.05, 1.4), yticks=[0, 0.25, 0.5, 0.75, 1])
    ax.legend(loc="upper center", ncols=2, fontsize="small")
    return curve, dots, means


def _draw_bars(ax: Axes) -> tuple[BarContainer, Text]:
    colours, hatches = [plots.LATENT, plots.MODEL], ["//", ""]
    bars = ax.bar(["bound F", "log p(x)"], [0, 0], bottom=BASE, color=colours, hatch=hatches, edgecolor="white")
    ax.set(ylim=(BASE, -3.4), ylabel="nats a wait")
    return bars, ax.text(0.5, 0.99, "", transform=ax.transAxes, ha="center", va="top")


def _log_joint(x: Tensor, theta: list) -> Tensor:
    """log p(x, z) of two Gaussians: x (n,), theta = [weights, means, variances] -> (n, 2)."""
    weights, means, variances = torch.tensor(theta)
    return weights.log() + normal_log_prob(x[:, None], means, 0.5 * variances.log())


def bound_and_evidence(x: Tensor, responsibility: Tensor, theta: list) -> tuple[float, float]:
    """F(q, theta) = log p(x) - KL(q, posterior), and log p(x): means over the data, in nats."""
    log_joint = _log_joint(x, theta)
    evidence = log_joint.logsumexp(-1)  # (n,)
    q = torch.stack([responsibility, 1 - responsibility], -1)  # (n, 2)
    gap = categorical_kl(q, log_joint - evidence[:, None])  # (n,)
    return (evidence - gap).mean().item(), evidence.mean().item()


def _posterior(x: Tensor, theta: list) -> list:
    posterior = _log_joint(x, theta).softmax(-1)[:, 0]
    return torch.stack([x, posterior], -1).tolist()


def _fitted(x: Tensor, q: list) -> list:
    """The M-step; q kept off 0 and 1 and variances above 1 min², so that a hand can ask for anything."""
    first = torch.tensor([height for _, height in q]).clamp(1e-9, 1 - 1e-9)  # (12,)
    weights, means, variances = m_step(x, torch.stack([first, 1 - first], -1))
    return [weights.tolist(), means.tolist(), variances.clamp_min(1.0).tolist()]


def _swapped(q: list, theta: list) -> dict:
    return {"q": [[place, 1 - height] for place, height in q], "theta": [part[::-1] for part in theta]}


# Watch EM -----------------------------------------------------------------------------------------------------------


def watch_em() -> Player:
    """EM on the eruptions of Old Faithful in two dimensions, step by step."""
    x = datasets.old_faithful()
    figure, (ax, progress) = plots.figure(2, height=4, width=9, width_ratios=(3, 2))
    plots.points(ax, x, ms=3)
    ax.set(xlabel="length of the eruption (min)", ylabel="wait until the next (min)", xlim=(1, 6), ylim=(35, 105))
    progress.set(xlabel="step", ylabel="log p(x), nats an eruption", xlim=(0, 60), ylim=(-5.6, -4))
    (climb,) = progress.plot([], [], color=plots.MODEL, ls="-")
    (now,) = progress.plot([], [], "o", color=plots.LATENT)
    score = progress.text(0.97, 0.05, "", transform=progress.transAxes, ha="right")
    rings = [ax.plot([], [], color=plots.component_colour(k), ls=plots.DASHES[k])[0] for k in range(6)]

    def start(components: int, seed: int) -> Iterator[tuple]:
        model = GaussianMixture(components, 2, covariance="full").start_at(x, rng.seeded(seed))
        scores = [mean_log_prob(model, x).value]
        yield outlines(model), list(scores)
        for _ in expectation_maximisation(model, x, steps=60, variance_floor=1e-3):
            scores.append(mean_log_prob(model, x).value)
            yield outlines(model), list(scores)

    def draw(snapshot: tuple, components: int, seed: int) -> str:
        curves, scores = snapshot
        for k, ring in enumerate(rings):
            ring.set_data(*(curves[k] if k < components else ([], [])))
        climb.set_data(range(len(scores)), scores)
        now.set_data([len(scores) - 1], [scores[-1]])
        score.set_text(f"{scores[-1]:.3f}")
        centres = ", ".join(f"({length:.1f}, {wait:.0f})" for length, wait in curves.mean(-1).tolist())
        return (
            f"EM with {components} components from start {seed}, after {len(scores) - 1} steps: {scores[-1]:.3f} nats "
            f"an eruption; centres at {centres} minutes."
        )

    return Player(
        figure, start, lambda step: step, draw, title="Watch EM at work", frames=61, moving=[*rings, climb, now, score],
        components=slider(1, 6, 3, label="components K"), seed=slider(0, 20, 0, label="start (seed)"),
    )


@torch.no_grad()
def outlines(model: GaussianMixture) -> Tensor:
    """The contour at two standard deviations of each component in two dimensions: (K, 2, 80)."""
    turn = torch.linspace(0, 2 * math.pi, 80)
    return model.loc[..., None] + 2 * model.scale_tril @ torch.stack([turn.cos(), turn.sin()])
