"""Lesson 11, the intractable evidence: why can't we just do the integral?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import boat, experiments, grids, pictures, plane
from .exercises import check
from .explorers import dimension_and_draws, sticks_and_dial, watch_annealing
from .find_the_bug import colleagues_log_weights, recorded

bets = Bets(
    "11",
    Bet(
        "year",
        question="This machine computes log p(x) of one small digit by a sum over a grid with 20 points an axis. How "
        "many latent dimensions can it reach in a year?",
        answers=("up to 7", "8 to 12", "13 to 25", "more than 25"),
        why="Every dimension multiplies the price by about 20. A thousand machines buy two dimensions more.",
    ),
    Bet(
        "honest",
        question="One digit, 32 latents, 100,000 draws from the prior: an estimate of log p(x), and the standard error "
        "that it claims. How far from the truth is it, counted in its own standard errors?",
        answers=("less than 2", "2 to 10", "10 to 100", "more than 100"),
        why="The error bar is made from the weights that were drawn. The weights that matter were not among them, and "
        "no formula can see what was never drawn.",
    ),
    Bet(
        "more",
        question="The same digit, with 1,000,000 draws in place of 1,000: a thousand times as many. What share of the "
        "error, in nats, is left?",
        answers=("1/30 or less (1/√1000)", "1/30 to 1/5", "1/5 to 2/3", "more than 2/3"),
        why="The average is as good as its best draws, and the best of ten times as many is only a little better.",
    ),
)
explorers = SimpleNamespace(
    dimension_and_draws=dimension_and_draws, sticks_and_dial=sticks_and_dial, watch_annealing=watch_annealing
)

__all__ = [
    "bets", "boat", "check", "colleagues_log_weights", "experiments", "explorers", "grids", "pictures", "plane",
    "recorded",
]
