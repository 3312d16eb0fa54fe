"""Lesson 07, latents and features: what is hidden behind a picture?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import experiments, features, galaxies, inverting, pictures, sprites, unseen
from .exercises import check
from .explorers import a_galaxy, the_renderer, which_causes

bets = Bets(
    "07",
    Bet(
        "axes",
        question="Six causes make each picture (the noise apart). How many principal components hold 95 % of the "
        "variance of the pictures without noise?",
        answers=("6 or fewer", "7 to 15", "16 to 40", "more than 40"),
        why="A cause that moves a bright edge bends the pictures' path through pixel space: one number, many "
        "directions.",
    ),
    Bet(
        "seeing",
        question="Nine features, chosen by hand, against fifty latents that PPCA has learnt from 4,000 pictures. From "
        "which of them can a linear map better tell the light? And the angle of a triangle?",
        answers=("features both", "features the light, latents the angle", "latents the light, features the angle",
                 "latents both"),
        why="Features tell what somebody thought of. Nobody thought of a triangle's angle; PPCA thought of nothing, "
        "and caught a part of it all the same.",
    ),
    Bet(
        "unseen",
        question="A network with two latents learns squares of all sizes, and squares at all places, but never one "
        "that is both large and far right. How many nats a picture does it lose on such squares, compared with new "
        "squares of combinations that it has seen?",
        answers=("fewer than 5", "5 to 20", "20 to 50", "more than 50"),
        why="It has learnt where pictures are, not that size and place are causes of their own.",
    ),
)
explorers = SimpleNamespace(a_galaxy=a_galaxy, the_renderer=the_renderer, which_causes=which_causes)

__all__ = [
    "bets", "check", "experiments", "explorers", "features", "galaxies", "inverting", "pictures", "sprites", "unseen",
]
