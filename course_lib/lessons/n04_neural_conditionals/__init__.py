"""Lesson 04, neural conditionals: how does a network say "I am not sure"?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import calibration, experiments, pictures, weather
from .exercises import check
from .explorers import logits_and_temperature, predictive_density, watch_regions

bets = Bets(
    "04",
    Bet(
        "sure",
        question="Look only at those held-out digits on which the network is at least 99 % sure. How many of them does "
        "it get right?",
        answers=("more than 99.5 %", "98.5 to 99.5 %", "96 to 98.5 %", "less than 96 %"),
        why="It was trained until the training digits had probability one, and nothing told it to stop. It does not "
        "know more than that.",
    ),
    Bet(
        "animals",
        question="Show the classifier of digits 2,000 outlines of bears, birds and zebras. What is the mean of its "
        "largest probability? (A network at a loss would say 10 %.)",
        answers=("less than 30 %", "30 to 60 %", "60 to 85 %", "more than 85 %"),
        why="Softmax shares one unit among ten digits; there is no eleventh box. How far x lies from all that was "
        "learnt plays no part in it.",
    ),
    Bet(
        "two_seasons",
        question="A day in New York had so many degrees at its warmest: which day of the year was it? A mixture of two "
        "Gaussians instead of one, both with learnt variances: how many nats does it gain for each day of years that "
        "it has not seen?",
        answers=("it loses", "0 to 0.3", "0.3 to 0.8", "more than 0.8"),
        why="Spring and autumn share their temperatures. One Gaussian must stand in summer and be wide; two stand "
        "where the days are. (log 2 = 0.69 nats is what cutting the width in half is worth.)",
    ),
)
explorers = SimpleNamespace(
    logits_and_temperature=logits_and_temperature,
    predictive_density=predictive_density,
    watch_regions=watch_regions,
)

__all__ = ["bets", "calibration", "check", "experiments", "explorers", "pictures", "weather"]
