"""Lesson 06, stochastic gradients: how can a guess from 64 examples replace a sum over 60,000?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import experiments, find_the_bug, landscape, machines, pictures
from .exercises import check
from .explorers import gradient_microscope, walk_on_a_surface

bets = Bets(
    "06",
    Bet(
        "copies",
        question="64 of 3,823 digits, drawn without putting back, tell the mean log-likelihood with some standard "
        "error. Out of 60,000 digits with the same spread, how many do you need for the same standard error?",
        answers=("64 to 70", "71 to 130", "131 to 300", "more than 300, about 64 × 60,000 / 3,823 = 1,004"),
        why="The error depends on how many rows were seen, hardly on how many there are to see.",
    ),
    Bet(
        "examples",
        question="Eight batch sizes from 1 to all 3,823 digits train the same model from the same start, each with its "
        "own best learning rate, until new digits get −0.25 nats. How many times fewer digits than the whole batch "
        "does the most economical size process?",
        answers=("less than 3 times", "3 to 10 times", "10 to 30 times", "more than 30 times"),
        why="A step needs a direction that is roughly right, and a few rows know it. Many rows know it better than the "
        "step can use.",
    ),
    Bet(
        "floor",
        question="A walk with minibatches of 16 and a constant learning rate has settled; it now trembles around the "
        "summit, below it by some nats on average. Halve the learning rate: that distance falls to ...",
        answers=("the same", "about 0.7 of it", "about a half", "about a quarter"),
        why="Steps half as long add a quarter of the variance each; but the pull to the summit is half as strong, "
        "so twice as many add up.",
    ),
    Bet(
        "suspect",
        question="A colleague's loop trembles as much with minibatches of 256 as with 16. What is wrong with it?",
        answers=("it sums over the minibatch instead of taking the mean", "its gradients are never set to zero",
                 "it draws its rows badly", "its learning rate is too small"),
        why="Only rows that know nothing of each other average their noise out.",
    ),
)
explorers = SimpleNamespace(gradient_microscope=gradient_microscope, walk_on_a_surface=walk_on_a_surface)

__all__ = ["bets", "check", "experiments", "explorers", "find_the_bug", "landscape", "machines", "pictures"]
