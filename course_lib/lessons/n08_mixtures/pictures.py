"""The larger figures of lesson 08, drawn from numbers that the notebook computes."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ... import plots
from ...models import GaussianMixture
from .experiments import Fits, log_joint

MINUTES = [42.5 + 2 * k for k in range(28)]  # the waits are whole minutes: each bar holds two


def marginal_as_a_sum(x: Tensor, model: GaussianMixture, lower: float, upper: float) -> Figure:
    """Left: the terms pi_k N and their sum over a histogram of x (n, 1). Right: the posterior of every component."""
    figure, (ax, posterior) = plots.figure(2, height=3.4, width=9)
    plots.histogram(ax, x[:, 0], bins=MINUTES)
    for k, line in enumerate(plots.component_curves(ax, model, lower, upper)):
        line.set_label(f"$\\pi_{k + 1}\\,\\mathcal{{N}}_{k + 1}$")
    plots.density_curve(ax, model, lower, upper, ls="-", label="$p(x)$, their sum")
    ax.set(xlabel="wait until the next eruption (min)", ylabel="density (1/min)")
    ax.legend()
    grid = torch.linspace(lower, upper, 300)
    with torch.no_grad():
        for k, curve in enumerate(model.posterior(grid[:, None]).mT):
            look = {"color": plots.component_colour(k), "ls": plots.DASHES[k]}
            posterior.plot(grid, curve, label=f"$p(z = {k + 1} \\mid x)$", **look)
    posterior.set(xlabel="wait until the next eruption (min)", ylabel="responsibility", ylim=(-0.03, 1.03))
    posterior.legend()
    return figure


def two_climbs(em: list[float], gradient: list[float], one_gaussian: float) -> Figure:
    """The log-likelihood of EM and of gradient ascent against the number of steps done, from the first step on."""
    figure, ax = plots.figure(height=3.2)
    ax.plot(range(1, len(em)), em[1:], color=plots.LATENT, ls="-", label="EM")
    ax.plot(range(1, len(gradient)), gradient[1:], color=plots.MODEL, ls="--", label="gradient ascent (Adam)")
    ax.axhline(one_gaussian, color=plots.DATA, ls=":", label="one Gaussian")
    ax.set(xlabel="steps done (logarithmic)", ylabel="nats an eruption", xscale="log")
    ax.legend()
    return figure


def switched_labels(fits: Fits, winners: Tensor) -> Figure:
    """Means of the winning runs: one line an order of the names, joining the means of component 1, 2, 3."""
    figure, ax = plots.figure(height=3.2)
    orders = fits.loc[winners].argsort(-1).argsort(-1)  # (W, K): the rank of every component's mean
    for number, order in enumerate(orders.unique(dim=0)):
        run = winners[(orders == order).all(-1)]
        ax.plot([1, 2, 3], fits.loc[run].mean(0), marker=plots.MARKERS[number], ls=plots.DASHES[number],
                color=plots.PALETTE[number], label=f"{len(run)} runs")
    ax.set(xlabel="name of the component", ylabel="its mean (1,000 km/s)", xticks=[1, 2, 3], ylim=(5, 44))
    ax.legend(ncols=3, loc="upper center")
    return figure


def to_infinity(scales: Tensor, log_likelihood: Tensor, healthy: float) -> Figure:
    """The log-likelihood as one component shrinks onto a single data point."""
    figure, ax = plots.figure(height=3.0)
    ax.plot(scales, log_likelihood, color=plots.WRONG, ls="-", label="one component sits on one galaxy")
    ax.axhline(healthy, color=plots.TRUTH, ls="--", label="the best healthy fit of two components")
    ax.set(xlabel="standard deviation of that component (1,000 km/s)", ylabel="log p(D) (nats)", xscale="log")
    ax.invert_xaxis()
    ax.legend()
    return figure


def quarrel(scores: dict[str, Tensor]) -> Figure:
    """A criterion (K,) against the number of components, as the distance from its own best; the choice below."""
    figure, ax = plots.figure(height=4.6)
    for number, (name, values) in enumerate(scores.items()):
        look = {"color": plots.PALETTE[number], "marker": plots.MARKERS[number]}
        chosen = int(values.argmin()) + 1
        ax.plot(range(1, len(values) + 1), values - values.min(), ls=plots.DASHES[number], ms=5, label=name, **look)
        ax.plot(chosen, -4 - 4 * number, ls="", ms=8, **look)
        ax.text(chosen + 0.12, -4 - 4 * number, f"chooses {chosen}", va="center", fontsize="small")
    ax.axhline(0, color=plots.DATA, lw=1)
    ax.set(xlabel="components K", ylabel="above its smallest value (2 = 1 nat)", ylim=(-4 - 4 * len(scores), 45))
    ax.set_yticks(range(0, 50, 10))
    ax.legend(loc="upper right")
    return figure


def galaxy_fits(x: Tensor, fits: dict[str, Fits]) -> Figure:
    """The data (n,) as ticks under the densities that different criteria chose."""
    figure, ax = plots.figure(height=3.2)
    plots.histogram(ax, x, bins=40)
    plots.strip(ax, x)
    grid = torch.linspace(5, 38, 600)
    for number, (name, fit) in enumerate(fits.items()):
        density = log_joint(grid, fit)[0].logsumexp(-1).exp()
        ax.plot(grid, density, color=plots.PALETTE[number], ls=plots.DASHES[number], label=name)
    ax.set(xlabel="velocity (1,000 km/s)", ylabel="density (per 1,000 km/s)")
    ax.legend()
    return figure
