"""Lesson 14, posteriors over parameters: what do we know about θ itself?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import components, credible, langevin, learning_curve, network, pictures, two_weights
from .exercises import check
from .explorers import draw_functions, one_posterior_five_inferences

bets = Bets(
    "14",
    Bet(
        "few_rows",
        question="Logistic regression with 14 weights, prior N(0, 1), learns from 40 patients. Average the predictions "
        "over the whole posterior in place of taking its highest point: what happens to the log loss of new patients?",
        answers=("it gets worse", "better by less than 0.01 nats", "better by 0.01 to 0.1", "better by more than 0.1"),
        why="A highest point is too sure of itself, and an average is not; but with this prior, which holds most "
        "weights small, there is not much to be too sure of.",
    ),
    Bet(
        "gap",
        question="A network learns temperatures of 2012 and 2013, without the summers. Its posterior gives intervals "
        "of 90 %. Where will fewest of the new temperatures lie inside?",
        answers=("on other days of the same years", "on days of the years after", "in the summers, which it never saw"),
        why="A posterior knows what it has not seen *if the model can say so*: far from the data its functions part. "
        "That next year's weather is another it cannot say.",
    ),
    Bet(
        "components",
        question="The 82 galaxies again, with own variances: for which number of components, from 1 to 8, is the "
        "evidence highest, under a prior that expects clumps about 1,000 km/s wide?",
        answers=("3 or fewer", "4 or 5", "6 or 7", "8"),
        why="Under this prior one component more costs little and may explain a few galaxies better. Another prior may "
        "answer otherwise: see the figure.",
    ),
)
explorers = SimpleNamespace(draw_functions=draw_functions, one_posterior_five_inferences=one_posterior_five_inferences)

__all__ = ["bets", "check", "components", "credible", "explorers", "langevin", "learning_curve", "network", "pictures",
           "two_weights"]
