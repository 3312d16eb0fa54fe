"""The explorers of lesson 15 on a shipped network and on a wave: eight latents under the hand, two gradients."""

import math
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from torch import Tensor

from ... import plots, rng
from ...functional import normal_kl
from ...models import VAE
from ...widgets import Explorer, button, choice, memory, slider
from .. import weights
from .gradients import wave_gradient, wave_gradients

# Eight latents -------------------------------------------------------------------------------------------------------

LATENTS = 8
NAMES = [f"z{place}" for place in range(1, LATENTS + 1)]


class Guess(NamedTuple):
    """What the shipped encoder says of one picture."""

    x: Tensor  # (784,)
    loc: Tensor  # (8,)
    scale: Tensor  # (8,)


def eight_latents() -> Explorer:
    """A decoder of eight numbers and its encoder: choose a digit, ask the encoder, then move each number."""
    model = weights.trained(weights.EIGHT).float()
    guesses = guesses_of(model)
    figure, (left, middle, ax) = plots.figure(3, height=3.6, width=10, width_ratios=(1, 1, 1.7))
    images = [picture_on(left, "picture x"), picture_on(middle, "decoded from z: p(ink)")]
    intervals, point = _coordinates(ax)
    said = ax.set_title("", fontsize="medium")

    def draw(digit: str, seed: int, **z: float) -> str:
        here, at = guesses[digit], torch.tensor(list(z.values()), dtype=torch.float32)
        with torch.no_grad():
            log_p = model.log_likelihood(here.x[None], at).item()
            ink = model.decode(at).sigmoid()
        for image, pixels in zip(images, (here.x, ink)):
            image.set_data(pixels.reshape(28, 28).numpy())
        for interval, loc, scale in zip(intervals, here.loc.tolist(), here.scale.tolist()):
            interval.set_xdata([loc - 2 * scale, loc + 2 * scale])
        point.set_xdata(at)
        kl = normal_kl(here.loc, here.scale.log()).sum().item()
        said.set_text(f"log p(x | z) = {log_p:.1f} nats; KL(q‖prior) = {kl:.1f}")
        place = ", ".join(f"{value:.2f}" for value in z.values())
        share = (ink > 0.5).float().mean()
        return (f"Beside a held-out {digit} stands what the decoder draws at z = ({place}): {share:.0%} ink. "
                f"log p(x | z) = {log_p:.1f} nats; the encoder's q lies {kl:.1f} nats from the prior.")

    return Explorer(
        figure, draw, title="Eight numbers, one digit", moving=[*images, *intervals, point, said],
        digit=choice(list(guesses), "3", label="picture of a"), seed=memory(0),
        **{name: slider(-3.0, 3.0, 0.0, label=name, step=0.05) for name in NAMES},
        ask=button("Ask the encoder: the mean of q", lambda values: moved(values, guesses[values["digit"]], 0.0)),
        guess=button("Draw from q", lambda values: moved(values, guesses[values["digit"]], 1.0)),
        dream=button("Draw from the prior", lambda values: moved(values, PRIOR, 1.0)),
    )


PRIOR = Guess(torch.zeros(0), torch.zeros(LATENTS), torch.ones(LATENTS))


def moved(values: dict, guess: Guess, noise: float) -> dict:
    """New places for the sliders: the guess's mean, and so much of a draw's noise; within the sliders' ends."""
    e = torch.randn(LATENTS, generator=rng.seeded(values["seed"]))
    z = (guess.loc + noise * guess.scale * e).clamp(-3, 3)
    return dict(zip(NAMES, z.tolist())) | {"seed": values["seed"] + 1}


def guesses_of(model: VAE) -> dict[str, Guess]:
    """The first held-out picture of each digit, and the encoder's q for it."""
    _, x, _, y = weights.digits()
    x = torch.stack([x[y == digit][0] for digit in range(10)]).float()
    with torch.no_grad():
        loc, log_scale = model.posterior_approximation(x)
    return {str(digit): Guess(x[digit], loc[digit], log_scale[digit].exp()) for digit in range(10)}


def picture_on(ax: Axes, label: str) -> AxesImage:
    """A blank picture of 28 × 28 pixels."""
    ax.set(xticks=[], yticks=[], xlabel=label)
    return ax.imshow(torch.zeros(28, 28).numpy(), cmap="gray_r", vmin=0, vmax=1)


def _coordinates(ax: Axes) -> tuple[list[Line2D], Line2D]:
    places = list(range(1, LATENTS + 1))
    look = {"color": plots.MODEL, "ls": "-", "lw": 7, "alpha": 0.5}
    intervals = [ax.plot([0, 0], [place, place], **look)[0] for place in places]
    (point,) = ax.plot([0] * LATENTS, places, "o", color=plots.LATENT, ms=9)
    ax.set(xlim=(-3.3, 3.3), ylim=(LATENTS + 0.6, 0.4), yticks=places)
    ax.set(xlabel="bars: q(z | x), mean ± 2 σ; points: your z", ylabel="coordinate of z")
    return intervals, point


# Two gradients -------------------------------------------------------------------------------------------------------


def two_gradients() -> Explorer:
    """Histograms of two unbiased gradients of E cos(frequency z) + level, with the exact gradient beside them."""
    figure, (curve, ax) = plots.figure(2, height=3.8, width=10)
    z = torch.linspace(-3, 4, 400)
    (f,) = curve.plot(z, 0 * z, color=plots.DATA, ls="-", label="f(z) − level")
    (q,) = curve.plot(z, 0 * z, color=plots.LATENT, ls="--", label="q(z)")
    curve.set(xlabel="z", ylim=(-1.3, 3), xlim=(-3, 4))
    curve.legend(loc="upper right", fontsize="small")
    middle = torch.linspace(-8, 8, 81).unfold(0, 2, 1).mean(-1)
    looks = {"score": (plots.MODEL, "-"), "through z": (plots.LATENT, "--")}
    steps = [ax.step(middle, 0 * middle, where="mid", color=colour, ls=dash, label=name)[0]
             for name, (colour, dash) in looks.items()]
    truth = ax.axvline(0, color=plots.TRUTH, ls=":", label="exact")
    said = ax.set_title("\n\n", fontsize="small")
    ax.set(xlabel="gradient in μ from one draw (ends: all beyond)", ylabel="share of 4,000 draws")
    ax.set(ylim=(0, 0.4), xlim=(-8, 8))
    ax.legend(loc="upper right", fontsize="small")
    noise = torch.randn(4000, generator=rng.seeded(0))

    def draw(level: float, frequency: float, scale: float) -> str:
        f.set_ydata((frequency * z).cos())
        q.set_ydata((-0.5 * ((z - 0.5) / scale).square()).exp() / (scale * math.sqrt(2 * math.pi)))
        exact = wave_gradient(frequency, scale)
        truth.set_xdata([exact, exact])
        words = []
        for step, values in zip(steps, wave_gradients(level, frequency, scale, noise)):
            step.set_ydata(torch.histc(values.clamp(-7.99, 7.99), 80, -8, 8) / len(noise))
            error = 2 * values.std() / math.sqrt(len(noise))
            words.append(f"{values.mean():.2f} ± {error:.2f}, variance {values.var():.3g}")
        said.set_text(f"exact {exact:.3f}\nscore {words[0]}\nthrough z {words[1]}")
        return (f"Level {level:.1f}, frequency {frequency:.1f}, standard deviation {scale:.2f}: the exact gradient is "
                f"{exact:.3f}. Means of 4,000 draws: by the score {words[0]}; through z {words[1]}.")

    return Explorer(
        figure, draw, title="Two gradients of one number", moving=[f, q, *steps, truth, said],
        level=slider(-20.0, 20.0, 0.0, label="level added to f", step=0.5),
        frequency=slider(0.2, 12.0, 2.0, label="frequency of f", step=0.1),
        scale=slider(0.05, 1.5, 0.4, label="standard deviation of q", step=0.05),
    )
