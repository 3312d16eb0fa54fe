"""The dialogue with the reader: checks, bets, progress, evidence, derivations and lectures."""

from . import order, progress
from .bet import Bet, Bets
from .check import Checks
from .dashboard import dashboard
from .derivation import Line, derivation
from .evidence import evidence
from .exercise import Exercise, Mistake, Unsolved, Verdict
from .lecture import lecture

__all__ = [
    "Bet", "Bets", "Checks", "Exercise", "Line", "Mistake", "Unsolved", "Verdict",
    "dashboard", "derivation", "evidence", "lecture", "progress",
]

order.watch()
