"""The figures of lesson 09."""

import torch
from matplotlib.figure import Figure
from scipy.special import ndtri, stdtrit
from torch import Tensor

from ... import plots
from ...models import Density, NegativeBinomial, StudentT
from . import earthquakes
from .experiments import Filled


def heavy_tails(x: Tensor, models: dict[str, Density]) -> Figure:
    """Densities over a histogram of x (n, 1): as they are, and on a logarithmic axis, which shows the tails."""
    figure, panels = plots.figure(2, height=3.4, width=9.5)
    looks = [{"color": plots.WRONG, "ls": "--"}, {"color": plots.MODEL, "ls": "-"}]
    low, high = x.min().item() - 3, x.max().item() + 3
    for ax in panels:
        plots.histogram(ax, x[:, 0], bins=60)
        for (name, model), look in zip(models.items(), looks):
            plots.density_curve(ax, model, low, high, label=name, **look)
        ax.set(xlabel="change of weight in eleven years (kg)", ylabel="density (1/kg)")
    panels[0].set(xlim=(-25, 30))
    panels[1].set(yscale="log", ylim=(1e-5, 3), ylabel="density (1/kg), logarithmic")
    panels[1].legend(loc="upper left", fontsize="small")
    return figure


def three_ways(model: StudentT, sampled: Tensor, shares: Tensor) -> Figure:
    """A histogram of draws with error bars, K components at the quantiles, and the closed form, from -8 to 8.

    `shares` (m, 2): z and weight 1 / K of the components that are drawn one by one.
    """
    figure, ax = plots.figure(height=3.6)
    edges = torch.linspace(-8, 8, 33)
    counts = torch.histogram(sampled.cpu(), edges).hist
    width, n = 0.5, len(sampled)
    middles, height, error = edges[:-1] + width / 2, counts / (n * width), counts.sqrt() / (n * width)
    x = torch.linspace(-8, 8, 401)
    for z, weight in shares:
        part = weight * torch.distributions.Normal(0.0, z.rsqrt()).log_prob(x).exp()
        ax.plot(x, part, color=plots.LATENT, ls="-", lw=0.9, alpha=0.8)
    ax.plot([], [], color=plots.LATENT, lw=0.9, ls="-", label=f"{len(shares)} components, each 1/{len(shares)}")
    ax.plot(x, model.finite_log_prob(x[:, None], len(shares)).exp(), color=plots.LATENT, ls="--", label="their sum")
    ax.plot(x, model.log_prob(x[:, None]).exp(), color=plots.MODEL, ls="-", label="closed form")
    ax.errorbar(middles, height, error, fmt="o", ms=4, color=plots.DATA, label=f"{n:,} draws, ± 1 standard error")
    ax.set(xlabel="x", ylabel="density", yscale="log", ylim=(1e-4, 8))
    ax.legend(fontsize="small", loc="upper center", ncols=2)
    return figure


def convergence(at_a_point: dict[str, tuple], gaps: tuple, theory: float) -> Figure:
    """Left: the relative error of p(3) against K for each rule; right: the gap in nats, with a line of slope -1."""
    figure, (ax, nats) = plots.figure(2, height=3.8, width=9.8)
    for number, (name, (counts, errors)) in enumerate(at_a_point.items()):
        ax.plot(counts, errors, color=plots.PALETTE[number], marker=plots.MARKERS[number],
                ls=plots.DASHES[number], ms=4, label=name)
    ax.set(xscale="log", yscale="log", xlabel="components K", ylabel="relative error of p(x) at x = 3")
    ax.set(ylim=(1e-13, 1e6), yticks=[1e-12, 1e-9, 1e-6, 1e-3, 1])
    ax.legend(fontsize="small", loc="upper right")
    counts, values = gaps
    nats.plot(counts, values, color=plots.MODEL, marker="o", ls="-", ms=4, label="measured")
    anchor = values[-1] * (torch.tensor(counts) / counts[-1]) ** theory
    nats.plot(counts, anchor, color=plots.TRUTH, ls=":", label=f"slope −{-theory:g}, the theory")
    nats.set(xscale="log", yscale="log", xlabel="components K", ylabel="$\\mathrm{KL}(p, p_K)$ (nats)")
    nats.set(ylim=(1e-4, 1e-2), xticks=counts, xticklabels=[str(count) for count in counts])
    nats.minorticks_off()
    nats.legend(fontsize="small")
    return figure


def weights_and_quantiles(x: Tensor, model: StudentT, gaussian: Density) -> Figure:
    """Left: E[z | x] for every person. Right: quantiles of the data against those of both models."""
    figure, (ax, quantiles) = plots.figure(2, height=3.6, width=9.5)
    concentration, rate = model.posterior(x)
    ax.plot(x[:, 0], concentration / rate, "o", ms=3, color=plots.LATENT)
    ax.axhline(1, color=plots.TRUTH, ls=":", lw=1.5)
    ax.text(0.02, 1.03, "the prior's mean", transform=ax.get_yaxis_transform(), va="bottom", fontsize="small")
    ax.set(xlabel="change of weight (kg)", ylabel="weight E[z | x] in the M-step", ylim=(0, 1.5))
    ordered = x[:, 0].sort().values
    u = (torch.arange(len(x)) + 0.5) / len(x)
    freedom = model.log_freedom.exp().item()
    by_gaussian = gaussian.loc + gaussian.log_scale.exp() * torch.from_numpy(ndtri(u.numpy()))
    by_student = model.loc + model.log_scale.exp() * torch.from_numpy(stdtrit(freedom, u.numpy()))
    quantiles.plot(by_gaussian.detach(), ordered, "s", ms=3.5, color=plots.WRONG, label="Gaussian")
    quantiles.plot(by_student, ordered, "o", ms=3.5, color=plots.MODEL, label="Student's t")
    ends = [ordered[0], ordered[-1]]
    quantiles.plot(ends, ends, color=plots.TRUTH, ls=":", lw=1.5, label="equal")
    quantiles.set(xlabel="quantile of the model (kg)", ylabel="quantile of the data (kg)")
    quantiles.legend(fontsize="small")
    return figure


def two_weeks(weeks: dict[str, Tensor], models: dict[str, NegativeBinomial]) -> Figure:
    """How many hours had how many earthquakes, and what a Poisson and a negative binomial expect."""
    figure, panels = plots.figure(2, height=3.4, width=9.5)
    for ax, (name, x) in zip(panels, weeks.items()):
        k = torch.arange(int(x.max()) + 3).to(x)[:, None]
        ax.bar(k[:, 0], torch.bincount(x[:, 0].long(), minlength=len(k)), color="#c8c8c8", label="hours")
        poisson = len(x) * earthquakes.poisson_log_prob(k, x.mean()).exp()
        ax.plot(k, poisson, color=plots.WRONG, marker="s", ms=4, ls="--", label="Poisson")
        ax.plot(k, len(x) * models[name].log_prob(k).exp(), color=plots.MODEL, marker="o", ms=4, ls="-",
                label="negative binomial")
        ax.set(xlabel="earthquakes in an hour", ylabel="hours", title=name)
        ax.legend(fontsize="small")
    return figure


def rate_in_time(x: Tensor, omori: Tensor, model: NegativeBinomial) -> Figure:
    """Left: counts in time with the rate of Omori's law. Right: how often which rate, by that law and by the gamma."""
    figure, (ax, share) = plots.figure(2, height=3.4, width=9.5)
    ax.plot(x[:, 0], "o", ms=3, color=plots.DATA, label="counted")
    ax.plot(omori, color=plots.MODEL, ls="-", label="Omori's law")
    ax.axhline(x.mean(), color=plots.WRONG, ls="--", label="the week's mean")
    ax.set(xlabel="hours since the shock", ylabel="earthquakes an hour")
    ax.legend(fontsize="small")
    z, u = omori.sort().values, (torch.arange(len(omori)) + 0.5) / len(omori)
    share.plot(z, u, color=plots.MODEL, ls="-", label="Omori's law, a random hour")
    share.plot(model.prior.quantiles(u), u, color=plots.LATENT, ls="--", label="the fitted gamma")
    share.set(xlabel="rate z (earthquakes an hour)", ylabel="share of hours with a lower rate", xscale="log")
    share.set(xlim=(0.1, 50), xticks=[0.1, 1, 10], xticklabels=["0.1", "1", "10"])
    share.legend(fontsize="small", loc="upper left")
    return figure


def filled_in(x: Tensor, seen: Tensor, filled: Filled, columns: int = 8) -> Figure:
    """Rows: what is seen, the mean of what is hidden, its standard deviation's draw, and the truth."""
    figure, panels = plots.figure(columns, rows=4, height=1.0, width=9)
    names = ["seen", "mean of the rest", "one draw", "the truth"]
    root = torch.linalg.cholesky(filled.covariance)
    noise = torch.randn(columns, len(root), generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    rows = [torch.full_like(filled.mean, torch.nan), filled.mean, filled.mean[:columns] + noise @ root.mT, x[:, ~seen]]
    for row, (name, hidden) in enumerate(zip(names, rows)):
        for column in range(columns):
            picture = x[column].clone()
            picture[~seen] = hidden[column]
            ax = panels[row, column]
            ax.imshow(picture.reshape(8, 8), **plots.INK)
            ax.axhline(3.5, color=plots.LATENT, lw=1)
            ax.set(xticks=[], yticks=[])
        panels[row, 0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure
