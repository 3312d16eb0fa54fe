"""Lesson 08, mixtures: what if the hidden cause is a choice?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import experiments, pictures
from .exercises import check
from .explorers import build_a_mixture, tug_of_two_bars, watch_em

bets = Bets(
    "08",
    Bet(
        "gain",
        question="Two Gaussians instead of one, on waits that neither has seen: how many nats does the mixture gain "
        "for each wait? (0.69 nats, log 2, would mean: twice the density.)",
        answers=("less than 0.1", "0.1 to 0.3", "0.3 to 0.6", "more than 0.6"),
        why="One Gaussian must be as wide as both humps together, and every eruption pays for the empty valley between "
        "them.",
    ),
    Bet(
        "labels",
        question="Fit three components to the 82 galaxies from 200 random starts, and keep the runs that reach the "
        "best log-likelihood. How many different lists of three means do these winners hold? (The same numbers in "
        "another order are another list.)",
        answers=("1", "2 or 3", "4 to 6", "more than 6"),
        why="The likelihood does not know the names of the components: each of the 3! = 6 orders is as good.",
    ),
    Bet(
        "components",
        question="The 82 galaxies, every component with a variance of its own, no variance below (100 km/s)². "
        "Which number of components does the Bayesian information criterion choose?",
        answers=("2", "3", "4", "5", "6 or more"),
        why="Under other rules of the same game the answer is another: see the figure.",
    ),
)
explorers = SimpleNamespace(build_a_mixture=build_a_mixture, tug_of_two_bars=tug_of_two_bars, watch_em=watch_em)

__all__ = ["bets", "check", "experiments", "explorers", "pictures"]
