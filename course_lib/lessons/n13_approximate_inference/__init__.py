"""Lesson 13, approximate inference: what can we do instead, and what does it cost?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from .. import weights
from . import experiments, pictures
from .banana import Banana
from .exercises import check
from .explorers import be_the_optimiser, mean_field_banana, watch_chains
from .race import Race

bets = Bets(
    "13",
    Bet(
        "typical",
        question="Fit a Gaussian with a full covariance to each of 50 exact posteriors, through the bound alone. How "
        "far, in nats, is it from the truth for the *typical* digit, the median? (1,000 exact draws come to 0.02, a "
        "single point to 3.58.)",
        answers=("less than 0.05", "0.05 to 0.2", "0.2 to 1", "more than 1"),
        why="Most of these posteriors have one hump, and it is nearly an ellipse. The mean over digits is another "
        "matter: a few have two humps.",
    ),
    Bet(
        "chains",
        question="A posterior has two modes, far apart. All four chains are begun in the same one. What will the best "
        "diagnostic of the trade, R-hat, say?",
        answers=("below 1.01: converged", "1.01 to 1.1", "1.1 to 1.5", "above 1.5: alarm"),
        why="R-hat compares the chains with each other. Nobody in the room has seen the other mode, so all agree.",
    ),
    Bet(
        "sign",
        question="A colleague's adjusted Langevin sampler has the wrong sign before the gradient, in the proposal and "
        "in the Metropolis ratio alike. Where do its chains settle?",
        answers=("nowhere: they run off to infinity", "on another density", "on the right density, but slowly",
                 "in the valleys, where the density is least"),
        why="The ratio corrects *any* proposal whose density it is told. A silly proposal costs acceptance, not truth.",
    ),
)
explorers = SimpleNamespace(
    be_the_optimiser=be_the_optimiser, mean_field_banana=mean_field_banana, watch_chains=watch_chains)

__all__ = ["Banana", "Race", "bets", "check", "experiments", "explorers", "pictures", "weights"]
