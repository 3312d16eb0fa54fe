"""The explorers of lesson 13: be the optimiser, a mean-field Gaussian on a banana, chains on real posteriors."""

import math
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.text import Text
from torch import Tensor

from ... import plots, rng
from ...functional import multivariate_normal_log_prob
from ...inference import chains, diagnostics, oracle
from ...models import DeepLatentVariableModel
from ...widgets import Explorer, Player, button, choice, gaussians, slider
from .. import weights
from . import pictures
from .banana import Banana
from .truth import exact_posteriors, log_joint_table

DIGITS = {"an ellipse": 22, "a dumbbell": 7, "two modes": 33}  # their numbers among the held-out digits
TURN = torch.linspace(0, 2 * math.pi, 80, dtype=torch.float64)
CIRCLE = torch.stack([TURN.cos(), TURN.sin()])  # (2, 80)
SIZE = 80  # points along a side of a picture of a density


class Scene(NamedTuple):
    """A held-out digit's posterior in a window of the plane."""

    x: Tensor  # (1, 784)
    log_evidence: float
    mean: Tensor  # (2,)
    covariance: Tensor  # (2, 2)
    window: Tensor  # (2, 2): lower left, upper right
    density: Tensor  # (SIZE, SIZE), relative to its maximum, z_1 along the rows


@cache
def scene(name: str) -> tuple[DeepLatentVariableModel, Scene]:
    """The shipped decoder in single precision, and the scene of this name."""
    model = weights.trained(weights.PLANE).float()
    x = weights.digits()[1][DIGITS[name], None].float()
    truth = exact_posteriors(model, x, size=3000)
    mean, covariance = truth.mean[0], truth.covariance[0]
    reach = 3.2 * covariance.diagonal().max().sqrt()
    window = torch.stack([mean - reach, mean + reach])
    density = pictures.density_in(model, x, window, SIZE)
    return model, Scene(x, truth.log_evidence.item(), mean, covariance, window, density)


def _show(ax: Axes, here: Scene) -> None:
    """The exact posterior as a picture."""
    (left, low), (right, high) = here.window.tolist()
    ax.imshow(here.density.mT.numpy(), origin="lower", extent=(left, right, low, high), **pictures.SHADE)
    ax.set(xlim=(left, right), ylim=(low, high), xlabel="$z_1$", ylabel="$z_2$")


# Be the optimiser ----------------------------------------------------------------------------------------------------


def be_the_optimiser() -> Explorer:
    """A Gaussian is dragged over a real posterior: its bound climbs towards log p(x), and the gap is the divergence."""
    model, here = scene("a dumbbell")
    figure, (ax, bar) = plots.figure(2, height=4, width=9, width_ratios=(2, 1))
    _show(ax, here)
    rings = [ax.plot([], [], color=plots.LATENT, ls=dash, lw=2)[0] for dash in ("-", "--")]
    bar.axhline(here.log_evidence, color=plots.TRUTH, ls="--")
    bar.text(0.5, here.log_evidence + 0.1, "log p(x)", ha="center", va="bottom")
    (level,) = bar.bar([0.5], [1], width=0.5, color=plots.MODEL, hatch="//", edgecolor="white")
    said = bar.text(0.5, 1.02, "", transform=bar.transAxes, ha="center", va="bottom")
    floor = here.log_evidence - 10
    bar.set(xlim=(0, 1), ylim=(floor, here.log_evidence + 0.8), xticks=[], ylabel="nats")
    nodes, log_weights = oracle.gauss_hermite(24, 2)  # the posterior has creases: few nodes would err

    def draw(q: list) -> str:
        loc, covariance = (torch.tensor(q[0][part], dtype=torch.float64) for part in ("mean", "covariance"))
        root = torch.linalg.cholesky(covariance)
        bound = elbo_by_quadrature(model, here.x, loc, root, nodes.double(), log_weights.double())
        for size, ring in zip((1, 2), rings):
            ring.set_data(*(loc[:, None] + size * root @ CIRCLE))
        level.set(y=floor, height=max(bound - floor, 0.0))
        gap = here.log_evidence - bound
        said.set_text(f"bound {bound:.2f}\nKL(q‖p) = {gap:.2f} nats")
        return (f"A Gaussian at ({loc[0]:.2f}, {loc[1]:.2f}) over the posterior of a digit: bound {bound:.2f}, log "
                f"p(x) {here.log_evidence:.2f}, so KL(q || p) is {gap:.2f} nats.")

    spread = here.covariance.diagonal().mean().item()
    aside = torch.lerp(here.window[0].double(), here.mean, 0.7).tolist()
    start = [{"mean": aside, "covariance": [[spread, 0.0], [0.0, spread]]}]
    bounds = tuple(zip(*here.window.tolist()))
    return Explorer(
        figure, draw, title="Be the optimiser", moving=[*rings, level, said],
        q=gaussians(start, axes=ax, label="your q", bounds=bounds),
        reset=button("Start again", lambda values: {"q": start}),
        moments=button("The posterior's own mean and covariance", lambda values: {"q": [
            {"mean": here.mean.tolist(), "covariance": here.covariance.tolist()}]}),
    )


@torch.no_grad()
def elbo_by_quadrature(model: DeepLatentVariableModel, x: Tensor, loc: Tensor, root: Tensor, nodes: Tensor,
                       log_weights: Tensor) -> float:
    """E_q [log p(x, z) - log q(z)] for q = N(loc, root root^T), by a rule for means under a standard normal."""
    z = loc + nodes @ root.mT  # (m, 2)
    values = log_joint_table(model, x, z.to(x))[0].double() - multivariate_normal_log_prob(z, loc, root)
    return (log_weights.exp() * values).sum().item()


# A mean-field Gaussian on a banana -----------------------------------------------------------------------------------


def mean_field_banana() -> Explorer:
    """Bend a posterior, and see what the best Gaussian without correlations makes of it; or move the Gaussian."""
    figure, ax = plots.figure(height=4.4, width=7.5)
    lattice = torch.cartesian_prod(torch.linspace(-4, 4, 90), torch.linspace(-5, 9, 90)).double()
    image = ax.imshow(
        torch.zeros(90, 90).numpy(), origin="lower", extent=(-4, 4, -5, 9), aspect="auto", **pictures.SHADE)
    (ring,) = ax.plot([], [], color=plots.LATENT, ls="-", label="q: 95 % of its mass")
    said = ax.text(0.5, 0.98, "", transform=ax.transAxes, ha="center", va="top")
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    ax.legend(loc="lower right")
    draws = torch.randn(4000, 2, generator=rng.seeded(0), dtype=torch.float64)

    def draw(bend: float, thickness: float, mean: float, first: float, second: float) -> str:
        target = Banana(bend, thickness)
        image.set_data(target.log_density(lattice).exp().reshape(90, 90).mT.numpy())
        image.autoscale()
        radius = math.sqrt(-2 * math.log(0.05))
        scales = torch.tensor([first, second], dtype=torch.float64)
        ring.set_data(*(torch.tensor([[0.0], [mean]]) + radius * scales[:, None] * CIRCLE))
        reverse, forward = target.reverse(mean, first, second), target.forward(mean, first, second)
        z = torch.stack([draws[:, 0], bend * (draws[:, 0].square() - 1) + thickness * draws[:, 1]], -1)
        inside = (((z - torch.tensor([0.0, mean])) / scales).norm(dim=-1) < radius).double().mean().item()
        said.set_text(f"KL(q‖p) = {reverse:.2f}    KL(p‖q) = {forward:.2f} nats\nthe ring holds {inside:.0%} of p")
        return (f"A banana with bend {bend:.1f} and thickness {thickness:.2f}, and a Gaussian with standard deviations "
                f"{first:.2f} and {second:.2f}: KL(q || p) = {reverse:.2f}, KL(p || q) = {forward:.2f} nats; the ring "
                f"that holds 95 % of q holds {inside:.0%} of p.")

    return Explorer(
        figure, draw, title="Mean field against a banana", moving=[image, ring, said],
        bend=slider(0.0, 3.0, 1.0, label="bend of p", step=0.1),
        thickness=slider(0.2, 1.0, 0.5, label="thickness of p", step=0.05),
        mean=slider(-3.0, 3.0, 0.0, label="mean of q along z2", step=0.05),
        first=slider(0.1, 2.0, 1.0, label="standard deviation of q along z1", step=0.01),
        second=slider(0.1, 5.0, 1.0, label="standard deviation of q along z2", step=0.01),
        best=button("The best q", _best),
    )


def _best(values: dict) -> dict:
    found = Banana(values["bend"], values["thickness"]).best_mean_field()
    return dict(zip(("mean", "first", "second"), found))


# Watch chains --------------------------------------------------------------------------------------------------------

SAMPLERS = ("Metropolis", "Langevin", "Hamiltonian")
BEGINS = ("apart", "all far away", "all on the peak")
EVERY, FRAMES = 8, 40  # draws between two frames, frames


def watch_chains() -> Player:
    """Four chains on a real posterior, eight draws a frame, with their traces, R-hat and effective sample size."""
    figure, (ax, trace) = plots.figure(2, height=4, width=9.6)
    image, dots, lines, said = _draw_chains(ax, trace)

    def start(digit: str, sampler: str, step: float, begin: str, seed: int) -> Iterator[tuple]:
        model, here = scene(digit)
        process, drawn, accepted = _chain(model, here, sampler, step, begin, seed), [], []
        while True:
            for draw in islice(process, EVERY):
                drawn.append(draw.z[:, 0].double())
                accepted.append(draw.acceptance.mean().item())
            yield torch.stack(drawn), sum(accepted) / len(accepted)

    def draw(snapshot: tuple, digit: str, sampler: str, step: float, begin: str, seed: int) -> str:
        z, acceptance = snapshot  # (t, 4, 2)
        (left, low), (right, high) = (here := scene(digit)[1]).window.tolist()
        image.set_data(here.density.mT.numpy())
        image.set_extent((left, right, low, high))
        ax.set(xlim=(left, right), ylim=(low, high))
        trace.set(ylim=(low, high))
        for k, (dot, line) in enumerate(zip(dots, lines)):
            dot.set_data(*z[:, k].mT.numpy())
            line.set_data(range(1, len(z) + 1), z[:, k, 1].numpy())
        half = z[len(z) // 2:]
        r_hat, worth = _diagnosed(half)
        said.set_text(f"accepted {acceptance:.0%}   R-hat {r_hat}   ESS {worth} of {4 * len(half)}")
        return (f"Four {sampler} chains with step {step:.3f} on the posterior: {digit}; begun {begin}; after "
                f"{len(z)} draws: {acceptance:.0%} accepted, R-hat of the second half {r_hat}, effective sample size "
                f"{worth} of {4 * len(half)}.")

    return Player(
        figure, start, lambda step: step, draw, title="Watch chains", frames=FRAMES,
        moving=[image, *dots, *lines, said],
        digit=choice(list(DIGITS), "an ellipse", label="posterior"),
        sampler=choice(SAMPLERS, "Metropolis", label="sampler"),
        step=slider(0.005, 0.3, 0.04, label="step size", step=0.005),
        begin=choice(BEGINS, "apart", label="chains begin"),
        seed=slider(0, 9, 0, label="seed"),
    )


def _draw_chains(ax: Axes, trace: Axes) -> tuple[AxesImage, list[Line2D], list[Line2D], Text]:
    for name in DIGITS:
        scene(name)  # now, so that no control waits for it later
    image = ax.imshow(torch.zeros(SIZE, SIZE).numpy(), origin="lower", vmax=1, **pictures.SHADE)
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="auto")
    looks = [{"color": plots.PALETTE[k], "marker": plots.MARKERS[k]} for k in range(4)]
    dots = [ax.plot([], [], ls="", ms=4, alpha=0.6, **look)[0] for look in looks]
    lines = [trace.plot([], [], ls=plots.DASHES[k], lw=1.2, color=plots.PALETTE[k])[0] for k in range(4)]
    trace.set(xlabel="draw", ylabel="$z_2$", xlim=(0, EVERY * FRAMES))
    return image, dots, lines, trace.text(0.02, 1.02, "", transform=trace.transAxes, va="bottom")


def _chain(model: DeepLatentVariableModel, here: Scene, sampler: str, step: float, begin: str, seed: int) -> Iterator:
    generator = rng.seeded(seed)
    side = here.window[1] - here.window[0]
    share = torch.rand(4, 2, generator=generator)
    if begin == "all far away":
        share = torch.tensor([0.05, 0.05]).expand(4, 2)
    if begin == "all on the peak":
        share = (torch.stack(torch.unravel_index(here.density.argmax(), (SIZE, SIZE))) + 0.5).expand(4, 2) / SIZE
    place = (here.window[0] + share * side).float()[:, None]  # (4, 1, 2)

    def log_joint(z: Tensor) -> Tensor:
        return model.log_joint(here.x, z)

    if sampler == "Metropolis":
        return chains.metropolis(log_joint, place, generator, step_size=step)
    if sampler == "Langevin":
        return chains.langevin(log_joint, place, generator, step_size=step)
    return chains.hamiltonian(log_joint, place, generator, step_size=step, leapfrog_steps=4)


def _diagnosed(half: Tensor) -> tuple[str, str]:
    """The worse R-hat and effective sample size of the two coordinates, in words where there is none."""
    if len(half) < 4:
        return "too early", "too early"
    r_hat, worth = diagnostics.r_hat(half).max().item(), diagnostics.effective_sample_size(half).min().item()
    return (f"{r_hat:.2f}", f"{worth:.0f}") if math.isfinite(r_hat) else ("none: stuck", "none")
