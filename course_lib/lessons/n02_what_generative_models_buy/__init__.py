"""Lesson 02, what generative models buy: why bother, when prediction is all I need?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import digits, earthquakes, effects, fitting, galaxies, pictures, weather
from .exercises import check
from .explorers import choose_a_completeness, let_labels_spread, simulate_a_year

bets = Bets(
    "02",
    Bet(
        "alaska",
        question="California gives b near 1, as most of the world does. Fit the same law to the earthquakes of all "
        "Alaska from magnitude 1.0 on. Which b comes out?",
        answers=("below 0.6", "0.6 to 0.8", "0.8 to 1.0", "above 1.0"),
        why="Two regions with two detection limits were mixed: where instruments are few, small earthquakes are "
        "missing, so large ones seem frequent.",
    ),
    Bet(
        "moved",
        question="From Seattle to New York, over the whole year: which mechanism of the weather is another one, "
        "*whether* it rains or *how much* (tested at a level of 1 %)?",
        answers=("neither", "only whether", "only how much", "both"),
        why="Over the whole year both moved. In winter alone only *whether* did.",
    ),
    Bet(
        "labels",
        question="Naive Bayes has 100 labels a class, and is shown 4,000 digits without label as well. What happens to "
        "its share of right answers on new digits?",
        answers=("falls by more than 1 point", "changes by less than 1 point", "rises by 1 to 5 points",
                 "rises by more than 5 points"),
        why="The pixels of a digit are not independent, so the model is wrong, and 4,000 digits outvote 1,000 "
        "labels in favour of what explains pixels, not classes.",
    ),
)
explorers = SimpleNamespace(
    choose_a_completeness=choose_a_completeness, let_labels_spread=let_labels_spread, simulate_a_year=simulate_a_year,
)

__all__ = [
    "bets", "check", "digits", "earthquakes", "effects", "explorers", "fitting", "galaxies", "pictures", "weather",
]
