"""Lesson 12, intractable posteriors: which causes could have made this picture?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from .. import weights
from . import experiments, learning, pictures
from .causes import one_effect_many_causes
from .exercises import check
from .explorers import cover_a_digit, draw_and_cover, wrong_posterior

bets = Bets(
    "12",
    Bet(
        "surprise",
        question="The first ten rows of a digit have been seen. Uncover any *one* of the other pixels. Many hardly "
        "matter; of those that change the posterior's entropy by more than 0.01 nats, how many make it *larger*, so "
        "that we know less about the cause than before?",
        answers=("none: more data, less doubt", "up to 10 %", "10 to 25 %", "more than 25 %"),
        why="On average over what the pixel may be, the entropy falls. But a pixel that contradicts the favourite "
        "brings other causes back.",
    ),
    Bet(
        "teachers",
        question="A decoder has learnt well from pictures of which three quarters are covered. It goes on learning, "
        "now with a wrong posterior. Which one costs most nats on new, whole pictures?",
        answers=(
            "too narrow: all masses to the fourth power, normalised",
            "one point: all mass on the most probable cause",
            "too wide: square roots of the masses, normalised",
            "shifted: by one cell of a 15 × 15 grid",
        ),
        why="Too wide feeds itself: causes that did not make x learn to draw it, so the next posterior is wider "
        "still, until all causes draw the same.",
    ),
)
explorers = SimpleNamespace(
    cover_a_digit=cover_a_digit,
    draw_and_cover=draw_and_cover,
    one_effect_many_causes=one_effect_many_causes,
    wrong_posterior=wrong_posterior,
)

__all__ = ["bets", "check", "experiments", "explorers", "learning", "pictures", "weights"]
