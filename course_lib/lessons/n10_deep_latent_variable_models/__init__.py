"""Lesson 10, deep latent variable models: how far do two simple pieces reach?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from .. import weights
from . import experiments, pictures
from .exercises import check
from .explorers import bend_a_line, same_place_every_label, the_latent_plane, watch_training

bets = Bets(
    "10",
    Bet(
        "rivals",
        question="Four models learn from 4,000 binary digits; which gives 1,000 others the highest probability?",
        answers=(
            "ten averaged digits (a mixture of ten)",
            "two latent numbers and a network",
            "two latent numbers and a straight line in place of the network",
            "no latent at all: each pixel looks at one other pixel (a tree)",
        ),
        why="Two numbers say which digit it is and how it leans, but not where exactly each stroke ends. A "
        "neighbouring pixel knows that.",
    ),
    Bet(
        "coarse",
        question="Train the decoder with 6 × 6 = 36 points of the plane only. Then judge the same decoder with 60 × 60 "
        "points: it now also uses all the places between, where it has never been trained. Its held-out "
        "log p(x), in nats a digit, ...",
        answers=("falls by more than 5", "falls by 1 to 5", "stays within 1", "rises by more than 1"),
        why="The network is smooth: between two digits that it has learnt it draws something between them, and real "
        "digits lie there as well. Few points left them unexplained.",
    ),
    Bet(
        "label",
        question="Tell the model which of the ten digits it is about to see: log p(x | y) in place of log p(x). How "
        "many nats does a held-out digit gain, on average?",
        answers=("less than log 10 = 2.3", "2.3 to 5", "5 to 12", "more than 12"),
        why="A label can hold at most log 10 nats of information. What is gained beyond was not information but room: "
        "ten planes in place of one.",
    ),
)
explorers = SimpleNamespace(
    bend_a_line=bend_a_line,
    same_place_every_label=same_place_every_label,
    the_latent_plane=the_latent_plane,
    watch_training=watch_training,
)

__all__ = ["bets", "check", "experiments", "explorers", "pictures", "weights"]
