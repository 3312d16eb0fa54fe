"""Lesson 09, infinite mixtures: what if the hidden cause is a number?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import earthquakes, experiments, pictures
from .exercises import check
from .explorers import draw_the_mixing_density, k_to_infinity

bets = Bets(
    "09",
    Bet(
        "people",
        question="Student's t against one Gaussian, on people whom neither has seen: what does the t gain for each?",
        answers=("it loses", "0 to 0.03 nats", "0.03 to 0.1 nats", "more than 0.1 nats"),
        why="Most people are near the middle and gain a little there, because the Gaussian had to be made wide for the "
        "few far out; those few gain a great deal each.",
    ),
    Bet(
        "doubling",
        question="K Gaussians with equal weights stand in for Student's t with 4 degrees of freedom. You double K, "
        "from 256 to 512. What is left of the gap in nats, KL(p, p_K)?",
        answers=("about 0.7 of it", "about a half", "about a quarter", "next to nothing"),
        why="The middle converges faster; it is the tail beyond the widest component that costs, and its mass is in "
        "proportion to 1 / K.",
    ),
    Bet(
        "weeks",
        question="Earthquakes an hour: a week of all the world, and the week after a great shock at Ridgecrest. Where "
        "does the negative binomial gain more than 0.05 nats an hour over the Poisson, on hours not seen?",
        answers=("in both weeks", "only at Ridgecrest", "only in the world's", "in neither"),
        why="Many places that know nothing of one another add up to a steady rate; one place after one shock does not "
        "have a steady rate.",
    ),
)
explorers = SimpleNamespace(k_to_infinity=k_to_infinity, draw_the_mixing_density=draw_the_mixing_density)

__all__ = ["bets", "check", "earthquakes", "experiments", "explorers", "pictures"]
