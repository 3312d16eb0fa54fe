"""Lesson 05, fully observed models: what if nothing is hidden?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import experiments, pictures
from .exercises import check
from .explorers import clamp_a_node
from .pixel_explorers import complete_a_digit, pixel_by_pixel

bets = Bets(
    "05",
    Bet(
        "away",
        question="A patient is short of breath: bronchitis is now the favourite. Then an X-ray of the chest comes back "
        "positive. Tuberculosis and lung cancer show on an X-ray, bronchitis does not. The probability of "
        "bronchitis ...",
        answers=("rises by more than 0.05", "stays within 0.05", "falls by 0.05 to 0.25", "falls by more than 0.25"),
        why="No arrow joins X-ray and bronchitis. But both can explain the short breath: once another explanation is "
        "likely, bronchitis is needed less.",
    ),
    Bet(
        "impossible",
        question="Learn all tables of this network by counting 300 patients (relative frequencies, nothing else). What "
        "share of all *future* patients will the learnt network call impossible, with probability exactly 0?",
        answers=("none", "less than 0.1 %", "0.1 to 1 %", "more than 1 %"),
        why="What never happened in 300 rows gets probability 0, and rare things do happen. One such patient makes the "
        "whole log-likelihood minus infinity.",
    ),
    Bet(
        "order",
        question="784 logistic regressions: each pixel of a digit is predicted from all pixels before it. Now shuffle "
        "the pixels, all pictures in the same way, so that 'before' means nothing. Train again. The held-out "
        "log p(x), in nats a digit, ...",
        answers=("falls by more than 20 nats", "falls by 5 to 20", "falls by 1 to 5", "falls by less than 1, or rises"),
        why="Any joint distribution factorises in any order, and each pixel still hears as many others. Shuffled, the "
        "first pixels cost more, and later ones, with neighbours that are known, less.",
    ),
)
explorers = SimpleNamespace(
    clamp_a_node=clamp_a_node, complete_a_digit=complete_a_digit, pixel_by_pixel=pixel_by_pixel
)

__all__ = ["bets", "check", "experiments", "explorers", "pictures"]
