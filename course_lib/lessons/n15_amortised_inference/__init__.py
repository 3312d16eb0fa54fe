"""Lesson 15, amortised inference: can one network answer for every data point?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from .. import weights
from . import bits, collapse, gaps, gradients, labels, ladder, pictures, promises
from .exercises import check
from .explorers import eight_latents, two_gradients
from .refine import refine_a_guess

bets = Bets(
    "15",
    Bet(
        "gap",
        question="A VAE's bound lies some nats below log p(x), on digits it has never seen. Which part of that would "
        "be gone, had every picture the best Gaussian of its own instead of the network's?",
        answers=("less than a quarter", "a quarter to a half", "a half to three quarters", "more than three quarters"),
        why="Most posteriors are nearly Gaussian. What is poor is the network's guess at *new* pictures, not the "
        "shape that it may choose.",
    ),
    Bet(
        "variance",
        question="Two unbiased gradients of the same bound: by the score of q, and through z. How many times larger is "
        "the variance of the first, in the typical parameter of a digit's q?",
        answers=("less than 10 times", "10 to 100 times", "100 to 1,000 times", "more than 1,000 times"),
        why="The score multiplies its noise by log p(x | z), some minus 150 nats, of which only the differences "
        "between draws say anything.",
    ),
    Bet(
        "autopsy",
        question="A decoder that also hears all pixels before is given a latent z. Trained as usual (beta = 1), how "
        "many nats does its q say about a picture, KL(q‖prior)? (A plain VAE of the same digits: more than 2.)",
        answers=("more than 1", "0.2 to 1", "less than 0.2"),
        why="Early in training z is still noise, and the divergence makes it pay; the pixels before are free. By the "
        "time z could be useful, it has been switched off.",
    ),
)
explorers = SimpleNamespace(eight_latents=eight_latents, refine_a_guess=refine_a_guess, two_gradients=two_gradients)

__all__ = [
    "bets", "bits", "check", "collapse", "explorers", "gaps", "gradients", "labels", "ladder", "pictures", "promises",
    "weights",
]
