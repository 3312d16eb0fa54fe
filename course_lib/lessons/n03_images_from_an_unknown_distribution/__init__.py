"""Lesson 03, images from an unknown distribution: how can you draw from a distribution that nobody knows?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import compression, divergence, experiments, pictures
from .exercises import check
from .explorers import how_many_images, kl_by_hand
from .galleries import ask_the_store, beside_their_neighbours

bets = Bets(
    "03",
    Bet(
        "atoms",
        question="Square images whose pixels are black or white. From which size on are there more different images "
        "than atoms in the observable universe?",
        answers=("less than 20 × 20", "20 × 20 to 99 × 99", "100 × 100 to 999 × 999", "1,000 × 1,000 or more"),
        why="Every pixel doubles the number, and 10 pixels multiply it by a thousand: 80 zeros need only 266 pixels.",
    ),
    Bet(
        "store",
        question="Choose 64 of the 784 pixels at random, and ask a store of 4,000 digits for one that agrees there "
        "with a digit that it does not hold. For what share of such questions does it hold at least one?",
        answers=("less than 5 %", "5 % to 30 %", "30 % to 60 %", "more than 60 %"),
        why="Many of the 64 lie on the empty margin and ask for nothing. The others halve what fits every few pixels.",
    ),
    Bet(
        "rungs",
        question="Which needs the fewest bits to tell an unseen digit, 28 × 28 pixels of black and white?",
        answers=(
            "PNG, one file a digit",
            "a tree, in which each pixel looks at one other",
            "a mixture of a hundred averaged digits",
            "LZMA, a general compressor, after it has packed the 4,000 training digits",
        ),
        why="A compressor is a model too. LZMA looks back at whole rows of pixels, the tree at one pixel only.",
    ),
    Bet(
        "copies",
        question="A cheat draws a training digit and flips every pixel with probability 5 %. The alarm rings for an "
        "image that lies nearer to its nearest training image than 95 % of honest new digits do. What share of the "
        "copies rings it?",
        answers=("less than 5 %", "5 % to 50 %", "50 % to 90 %", "more than 90 %"),
        why="Forty flipped pixels put a copy as far away as a new digit. But its second nearest neighbour is twice as "
        "far, and that gives it away.",
    ),
)
explorers = SimpleNamespace(
    ask_the_store=ask_the_store,
    beside_their_neighbours=beside_their_neighbours,
    how_many_images=how_many_images,
    kl_by_hand=kl_by_hand,
)

__all__ = ["bets", "check", "compression", "divergence", "experiments", "explorers", "pictures"]
