"""Lesson 00, start here: how the course works, and a taste of what it is about."""

import math
from types import SimpleNamespace

import torch
from torch import Tensor

from .. import datasets, plots
from ..classroom import Bet, Bets, Checks, Exercise, Mistake
from ..widgets import Explorer, handles


def log_score(probability):
    """The logarithm of the probability that was given to what happened, in nats."""
    return math.log(probability)


LOG_SCORE = Exercise(
    log_score,
    lambda: [(0.5,), (0.25,), (0.9,)],
    mistakes=(
        Mistake(
            lambda p: -math.log(p),
            "The **sign is turned**: this is a loss, to be made small. A score is the logarithm itself: never "
            "positive, and the nearer to 0 the better.",
        ),
        Mistake(
            lambda p: math.log2(p),
            "This is the logarithm to base 2: its unit is the **bit**. This course counts in **nats**, the natural "
            "logarithm; one bit is 0.693 nats.",
        ),
        Mistake(
            lambda p: math.log10(p),
            "This is the logarithm to **base 10**. This course counts in nats: the natural logarithm, `math.log`.",
        ),
        Mistake(
            lambda p: p,
            "This is the **probability itself**. Probabilities of many events multiply; their logarithms add up, and "
            "that is why scores are logarithms.",
        ),
        Mistake(
            lambda p: math.exp(p),
            "This is the **exponential**, which turns a logarithm back into a probability.",
        ),
    ),
    hints=(
        "Which function of Python's `math` module undoes `math.exp`?",
        "Return `math.log(probability)`. Without a second argument its base is e.",
    ),
    minutes=2,
)

check = Checks("00", LOG_SCORE)

bets = Bets(
    "00",
    Bet(
        "pictures",
        question="A picture of 8 × 8 pixels, each with one of 17 levels of grey: how many different ones are there?",
        answers=("fewer than a billion", "10⁹ to 10⁴⁰", "10⁴⁰ to 10⁹⁰", "more than 10⁹⁰"),
        why="17 choices for the first pixel, times 17 for the second, 64 times: almost all of them look like noise. "
        "A generative model must find the few that look like digits.",
    ),
)


def two_numbers_one_digit() -> Explorer:
    """A point in a plane and the picture that it stands for: the two main directions of 5,620 scanned digits."""
    x, y = datasets.optical_digits()
    mean = x.mean(0)  # (64,)
    decoder = torch.linalg.eigh((x - mean).mT @ (x - mean)).eigenvectors[:, -2:].mT  # (2, 64), the widest directions
    z = (x - mean) @ decoder.mT  # (5620, 2)
    figure, (plane, picture) = plots.figure(2, height=4.2, width=8.4, width_ratios=(3, 2))
    for digit in range(10):
        place = z[y == digit].mean(0)
        plane.text(*place.tolist(), str(digit), ha="center", va="center", fontsize="x-large", weight="bold", zorder=3)
    plots.points(plane, z[::5], ms=2, alpha=0.25)
    (dot,) = plane.plot([0], [0], "o", color=plots.LATENT, ms=12, zorder=4)
    plane.set(xlabel="$z_1$", ylabel="$z_2$", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), title="the latent plane")
    image = picture.imshow(mean.reshape(8, 8).numpy(), cmap="gray_r", vmin=0, vmax=1)
    picture.set(xticks=[], yticks=[], title="the picture at this point")

    def draw(z: list) -> str:
        (place,) = torch.tensor(z)
        image.set_data(decoded(place, mean, decoder).reshape(8, 8).numpy())
        dot.set_data(*place[:, None])
        return f"The point ({place[0]:.2f}, {place[1]:.2f}) of the latent plane, and its picture: {nearest(place)}."

    def nearest(place: Tensor) -> str:
        centres = torch.stack([z[y == digit].mean(0) for digit in range(10)])  # (10, 2)
        return f"it lies nearest to the digits {int((centres - place).norm(dim=-1).argmin())}"

    bounds = ((-2.2, 2.2), (-2.2, 2.2))
    point = handles([[0.0, 0.0]], axes=plane, label="latent point", bounds=bounds)
    return Explorer(figure, draw, title="Two numbers, one digit", moving=[image, dot], z=point)


def decoded(place: Tensor, mean: Tensor, decoder: Tensor) -> Tensor:
    """The picture at a point of the plane: z (2,) -> grey levels (64,) from 0 to 1."""
    return (mean + place @ decoder).clamp(0, 1)


explorers = SimpleNamespace(two_numbers_one_digit=two_numbers_one_digit)
