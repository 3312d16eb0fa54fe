"""Lesson 01, two ways to model: what is the difference between knowing the answer and knowing the process?"""

from types import SimpleNamespace

from ...classroom import Bet, Bets
from . import curves, experiments, pictures
from .exercises import check
from .explorers import cover_a_digit, the_race, two_classes

bets = Bets(
    "01",
    Bet(
        "race",
        question="E-mails, spam or not. Naive Bayes learns how each kind is made, logistic regression only where the "
        "border runs; both end with a straight line. Who has the lower test error with 40 labelled e-mails, and who "
        "with 1,280?",
        answers=(
            "naive Bayes with both", "naive Bayes with 40, logistic regression with 1,280",
            "logistic regression with 40, naive Bayes with 1,280", "logistic regression with both",
        ),
        why="Few labels: wrong assumptions are better than none. Many labels: then the assumptions are what is wrong.",
    ),
    Bet(
        "holes",
        question="A network reads more than nine in ten whole digits of new writers. Now the upper half of each is "
        "covered, and the network is fed zeros there. How often is it still right?",
        answers=("more than 80 %", "60 to 80 %", "40 to 60 %", "less than 40 %"),
        why="To the network a zero does not mean 'not seen' but 'blank paper', and it has never met a digit with half "
        "a page of that.",
    ),
    Bet(
        "density",
        question="Which picture does the model of the digits find most probable, that is, gives the highest density "
        "p(x)?",
        answers=("a digit by a new writer", "a digit that the model has drawn itself", "an animal's outline",
                 "the average of all training 3s, which nobody ever wrote"),
        why="A Gaussian is highest at its mean. But nearly all of its mass lies elsewhere, as there is so much more "
        "elsewhere: density is not typicality.",
    ),
)
explorers = SimpleNamespace(cover_a_digit=cover_a_digit, the_race=the_race, two_classes=two_classes)

__all__ = ["bets", "check", "curves", "experiments", "explorers", "pictures"]
