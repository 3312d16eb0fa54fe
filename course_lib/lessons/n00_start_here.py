"""Lesson 00, start here: how the course works, and a taste of what it is about."""

import math
from types import SimpleNamespace

from ..classroom import Bet, Bets, Checks, Exercise, Mistake
from ..widgets import LatentPlane
from . import weights


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
            lambda p: math.log(1 - p),
            "This is the score of what did **not** happen. `probability` is what the bet gave to the thing that did.",
        ),
        Mistake(
            lambda p: p * math.log(p),
            "The logarithm is **multiplied by the probability**: that would be one term of an average over all "
            "answers. A score looks at the one that happened.",
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
        question="A picture of 28 × 28 pixels, each black or white: how many different ones are there?",
        answers=("fewer than a billion", "10⁹ to 10⁸⁰", "10⁸⁰ to 10²⁰⁰", "more than 10²⁰⁰"),
        why="Two choices for the first pixel, times two for the second, 784 times: almost all of them look like noise. "
        "A generative model must find the few that look like digits.",
    ),
)


def two_numbers_one_digit() -> LatentPlane:
    """A point in a plane, and the digit that a network draws there: notebook 10 builds and trains it."""
    return LatentPlane(weights.trained(weights.PLANE).decoder, title="Two numbers, one digit")


explorers = SimpleNamespace(two_numbers_one_digit=two_numbers_one_digit)
