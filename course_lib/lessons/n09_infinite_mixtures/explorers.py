"""The explorers of lesson 09: K components become a compound; a mixing density drawn by hand."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text
from torch import Tensor

from ... import plots, rng
from ...functional import normal_log_prob
from ...models import StudentT
from ...widgets import Explorer, button, choice, handles, slider
from . import experiments

# K components become a compound ---------------------------------------------------------------------------------

MOST = 64
FREEDOMS = ("1", "3", "4", "10", "30")
RULES = ("equal shares", "random draws")


def k_to_infinity() -> Explorer:
    """K Gaussians of equal weight beside Student's t, and the gap between the two in nats."""
    x = torch.linspace(-9, 9, 241)
    models = {freedom: experiments.student(float(freedom)) for freedom in FREEDOMS}
    gaps = {name: [experiments.gap(model, k) for k in range(1, MOST + 1)] for name, model in models.items()}
    draws = {name: model.prior.sample(MOST, rng.seeded(9)) for name, model in models.items()}
    figure, (ax, nats) = plots.figure(2, height=4, width=9.6, width_ratios=(3, 2))
    parts, finite, exact = _draw_densities(ax, x)
    curve, now, note = _draw_gaps(nats)

    def draw(components: int, freedom: str, rule: str) -> str:
        model = models[freedom]
        z = _places(model, components) if rule == RULES[0] else draws[freedom][:components]
        terms = model.log_likelihood(x[:, None], z[:, None, None]) - math.log(components)  # (K, 241)
        empty = torch.full((components, 1), torch.nan)
        line = torch.cat([terms.exp(), empty], -1).flatten()
        parts.set_data(torch.cat([x, torch.tensor([torch.nan])]).repeat(components).numpy(), line.numpy())
        finite.set_ydata(terms.logsumexp(0).exp().numpy())  # matplotlib would walk through a tensor one by one
        exact.set_ydata(model.log_prob(x[:, None]).exp().numpy())
        known = gaps[freedom][components - 1]
        gap = known if rule == RULES[0] else experiments.gap(model, components, z[:, None, None])
        limited = math.isfinite(gap)
        curve.set_ydata(gaps[freedom] if limited else [torch.nan] * MOST)
        now.set_data([components] if limited else [], [gap] if limited else [])
        words = f"{gap:.4f} nats" if limited else "beyond all limits"
        note.set_text(f"K = {components}, $\\nu$ = {freedom}\ngap: {words}")
        return (f"{components} Gaussians of equal weight, by {rule}, beside Student's t with {freedom} degrees of "
                f"freedom: the widest has a standard deviation of {z.min().rsqrt():.2f}; the gap is {words}.")

    return Explorer(
        figure, draw, title="K to infinity", moving=[parts, finite, exact, curve, now, note],
        components=slider(1, MOST, 4, label="components K"),
        freedom=choice(FREEDOMS, "4", label="degrees of freedom"),
        rule=choice(RULES, RULES[0], label="where the components stand"),
    )


def _draw_densities(ax: Axes, x: Tensor) -> tuple[Line2D, Line2D, Line2D]:
    (parts,) = ax.plot([], [], color=plots.LATENT, ls="-", lw=0.7, alpha=0.7, label="components, each 1/K")
    (finite,) = ax.plot(x.numpy(), 0 * x.numpy() + 1, color=plots.LATENT, ls="--", label="their sum, $p_K(x)$")
    (exact,) = ax.plot(x.numpy(), 0 * x.numpy() + 1, color=plots.MODEL, ls="-", label="the compound, $p(x)$")
    ax.set(xlabel="x", ylabel="density, logarithmic", yscale="log", ylim=(1e-6, 8), xlim=(-9, 9))
    ax.legend(loc="upper center", ncols=3, fontsize="x-small")
    return parts, finite, exact


def _draw_gaps(ax: Axes) -> tuple[Line2D, Line2D, Text]:
    (curve,) = ax.plot(range(1, MOST + 1), [1.0] * MOST, color=plots.MODEL, ls="-", label="equal shares")
    (now,) = ax.plot([1], [1], "o", color=plots.LATENT, ms=9, label="now")
    ax.set(xlabel="components K", ylabel="$\\mathrm{KL}(p, p_K)$ (nats)", xscale="log", yscale="log", ylim=(1e-6, 10))
    ax.set(xticks=[1, 4, 16, 64], xticklabels=["1", "4", "16", "64"])
    ax.legend(loc="lower left", fontsize="small")
    return curve, now, ax.text(0.97, 0.97, "", transform=ax.transAxes, va="top", ha="right", fontsize="small")


def _places(model: StudentT, components: int) -> Tensor:
    """The quantiles of the mixing density in the middles of K equal shares: (K,)."""
    return model.prior.quantiles((torch.arange(components) + 0.5) / components)


# A mixing density drawn by hand ---------------------------------------------------------------------------------

STEP = 0.5  # the width of a bar, in powers of two of the standard deviation
LEVELS = [STEP * k for k in range(-4, 5)]  # the middles of the bars
INSIDE = 8  # Gaussians for each bar


def draw_the_mixing_density() -> Explorer:
    """Nine bars, the density of log s, are dragged; the compound of N(0, s²) follows, beside its Gaussian."""
    x = torch.linspace(0, 12, 241)
    table = _table(x)
    figure, (mixing, ax) = plots.figure(2, height=4, width=9.6, width_ratios=(2, 3))
    bars = mixing.bar(LEVELS, [0] * len(LEVELS), width=0.94 * STEP, color=plots.LATENT, alpha=0.6, hatch="//",
                      edgecolor="white")
    mixing.set(xlabel="standard deviation s of x given z", ylabel="your density (any height)", ylim=(-0.06, 1.06),
               xlim=(-2.4, 2.4), xticks=[-2, -1, 0, 1, 2], xticklabels=["1/4", "1/2", "1", "2", "4"])
    curve, rival, note = _draw_compound(ax, x)

    def draw(heights: list) -> str:
        weights = mixing_weights([height for _, height in heights])
        for bar, (_, height) in zip(bars, heights):
            bar.set_height(height)
        facts = moments(weights)
        p, sd = table @ weights, facts["sd"]
        curve.set_ydata(p.numpy())
        rival.set_ydata(normal_log_prob(x, torch.zeros(()), torch.tensor(sd).log()).exp().numpy())
        note.set_text(f"standard deviation {sd:.2f}\nexcess kurtosis {facts['kurtosis']:.2f}\n"
                      f"beyond 4 sd: {facts['beyond']:.1e}\n(Gaussian: {_beyond(4.0):.1e})")
        return (f"A compound with standard deviation {sd:.2f} and excess kurtosis {facts['kurtosis']:.2f}; beyond four "
                f"standard deviations lies {facts['beyond']:.2e}, of the Gaussian {_beyond(4.0):.2e}; p(0) is "
                f"{p[0]:.3f}.")

    def level(heights: list[float]) -> dict:
        return {"heights": [list(pair) for pair in zip(LEVELS, heights)]}

    return Explorer(
        figure, draw, title="Draw the mixing density", moving=[*bars, curve, rival, note],
        heights=handles(level(student_bars(4.0))["heights"], axes=mixing, label="height of bar", drag="y",
                        bounds=((-2.4, 2.4), (0.0, 1.0))),
        one=button("One bar", lambda values: level([0, 0, 0, 0, 1, 0, 0, 0, 0])),
        two=button("Two bars", lambda values: level([0, 0, 1, 0, 0, 0, 0.1, 0, 0])),
        flat=button("All equal", lambda values: level([0.5] * len(LEVELS))),
        student=button("Student's t, 4 degrees", lambda values: level(student_bars(4.0))),
    )


def _draw_compound(ax: Axes, x: Tensor) -> tuple:
    (curve,) = ax.plot(x.numpy(), 0 * x.numpy() + 1, color=plots.MODEL, ls="-", label="your compound, $p(x)$")
    (rival,) = ax.plot(x.numpy(), 0 * x.numpy() + 1, color=plots.WRONG, ls="--", label="Gaussian, same variance")
    note = ax.text(0.97, 0.78, "", transform=ax.transAxes, va="top", ha="right", fontsize="small")
    ax.set(xlabel="x (its density is symmetric)", ylabel="density, logarithmic", yscale="log")
    ax.set(ylim=(1e-6, 5), xlim=(0, 12))
    ax.legend(loc="upper right", fontsize="small")
    return curve, rival, note


def scales() -> Tensor:
    """The standard deviations that stand for the bars, eight in each: (72,)."""
    offsets = STEP * ((torch.arange(INSIDE) + 0.5) / INSIDE - 0.5)
    return 2 ** (torch.tensor(LEVELS)[:, None] + offsets).flatten()


def _table(x: Tensor) -> Tensor:
    """N(x; 0, s²) for each x and each s: (n, 72)."""
    return normal_log_prob(x[:, None], torch.zeros(()), scales().log()).exp()


def mixing_weights(heights: list[float]) -> Tensor:
    """The bars' heights as probabilities of the 72 standard deviations; equal ones if all bars lie at 0."""
    bars = torch.tensor(heights, dtype=torch.get_default_dtype())
    bars = bars if bars.sum() > 1e-6 else torch.ones_like(bars)
    return (bars / bars.sum()).repeat_interleave(INSIDE) / INSIDE


def moments(weights: Tensor) -> dict[str, float]:
    """Standard deviation, excess kurtosis and the mass beyond four standard deviations of the compound."""
    square = scales().square()
    variance = (weights * square).sum()
    kurtosis = 3 * (weights * square.square()).sum() / variance.square() - 3
    beyond = (weights * torch.special.erfc(4 * (variance / square / 2).sqrt())).sum()
    return {"sd": variance.sqrt().item(), "kurtosis": kurtosis.item(), "beyond": beyond.item()}


def _beyond(deviations: float) -> float:
    return math.erfc(deviations / math.sqrt(2))


def student_bars(freedom: float) -> list[float]:
    """Heights in proportion to the density of log s where 1/s² has the gamma of Student's t; the highest is 0.9."""
    z = 2.0 ** (-2 * torch.tensor(LEVELS))
    heights = (experiments.student(freedom).prior.log_prob(z) + z.log()).exp()
    return (0.9 * heights / heights.max()).tolist()
