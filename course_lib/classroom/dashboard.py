"""The dashboard: what is done, the reader's bets as a probabilistic model, and what to look at again."""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from types import ModuleType
from typing import NamedTuple

from IPython.display import display
from matplotlib.axes import Axes

from .. import plots
from . import progress
from .face import Card, Table

AGAIN = (2, 7, 21)          # days after an exercise was first passed
MOST = 8                    # exercises named at once for another look
EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
Z = 1.96                    # standard deviations: 95 % of a normal distribution


class Bin(NamedTuple):
    """Answers given about the same probability."""

    answers: int
    mean: float             # of the probabilities given
    happened: float         # the share that happened
    error: float            # standard deviation of that share, were the probabilities right


def dashboard(lessons: Iterable[ModuleType]) -> None:
    """Show all of it; each lesson brings its `check` and its `bets`."""
    lessons = list(lessons)
    display(done(lessons), score())
    settled = sorted(progress.settled_bets(), key=lambda bet: bet.get("settled_at", ""))
    if settled:
        made, (left, right) = plots.figure(2, width=10)
        draw_scores(left, settled)
        draw_calibration(right, settled)
        plots.show(made, alt=describe(settled))
    display(again(datetime.fromisoformat(progress.now())))


def done(lessons: Iterable[ModuleType]) -> Table:
    """One row a notebook: its exercises and its bets."""
    data = progress.load()
    head = ("notebook", "exercises passed", "tried", "not tried", "hints", "solutions seen",
            "bets settled", "nats", "uniform bets")
    return Table("What is done", head, [_row(lesson, data) for lesson in lessons])


def _row(lesson: ModuleType, data: dict) -> tuple[str, ...]:
    number, exercises = lesson.check.lesson, lesson.check.exercises
    entries = [data["exercises"].get(number, {}).get(name, {}) for name in exercises]
    placed = data["bets"].get(number, {})
    bets = [placed[name] for name in lesson.bets.bets if "nats" in placed.get(name, {})]
    passed = sum("passed" in entry for entry in entries)
    tried = sum("tries" in entry and "passed" not in entry for entry in entries)
    hints = sum(entry.get("hints", 0) for entry in entries)
    seen = sum("solution_seen" in entry for entry in entries)
    scores = [f"{sum(bet[key] for bet in bets):.2f}" if bets else "" for key in ("nats", "uniform_nats")]
    counts = (f"{passed} of {len(entries)}", tried, len(entries) - passed - tried, hints, seen)
    return (number, *map(str, counts), f"{len(bets)} of {len(lesson.bets.bets)}", *scores)


def score() -> Card:
    """The settled bets' log-likelihood: against uniform bets, and against what the bets themselves promised."""
    settled = list(progress.settled_bets())
    if not settled:
        return Card("○", "No bet is settled yet", "Place one, run on to where it is settled, and come back.")
    total, uniform = (sum(bet[key] for bet in settled) for key in ("nats", "uniform_nats"))
    mean, error = promised(settled)
    title = f"Your log-likelihood: {total:.2f} nats on {len(settled)} bets; uniform bets have {uniform:.2f}"
    text = (f"Were your probabilities right, you would score {mean:.2f} ± {error:.2f} (mean and standard deviation). "
            + _verdict((total - mean) / max(error, 1e-9)))
    return Card("✓" if total > uniform else "○", title, text)


def promised(settled: list[dict]) -> tuple[float, float]:
    """Mean and standard deviation of the score in nats, if what happens is drawn from the bets themselves."""
    mean = variance = 0.0
    for bet in settled:
        shares = [share for share in bet["placed"].values() if share > 0]
        first = sum(share * math.log(share) for share in shares)
        mean += first
        variance += sum(share * math.log(share) ** 2 for share in shares) - first**2
    return mean, math.sqrt(max(variance, 0.0))


def _verdict(z: float) -> str:
    if z < -Z:
        return "You score far less than that: you are too sure."
    return "You score far more than that: you may be bolder." if z > Z else "You score about that."


def calibration(settled: list[dict]) -> list[Bin]:
    """Of the answers given about the same probability, how many happened?

    At most one answer of a bet happens. So a calibrated reader's number in a bin is a sum of independent zeros
    and ones, one a bet, with the bet's probabilities in that bin added up: that gives `error`.
    """
    return [found for low, high in pairwise(EDGES) for found in _bin(settled, low, high)]


def _bin(settled: list[dict], low: float, high: float) -> Iterator[Bin]:
    inside = [[(share, answer == bet["outcome"]) for answer, share in bet["placed"].items()
               if low <= share < high or share == high == 1] for bet in settled]
    pairs = [pair for bet in inside for pair in bet]
    if pairs:
        sums = [sum(share for share, _ in bet) for bet in inside]
        error = math.sqrt(sum(max(total * (1 - total), 0) for total in sums)) / len(pairs)
        mean, happened = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        yield Bin(len(pairs), mean, happened, error)


def draw_scores(ax: Axes, settled: list[dict]) -> None:
    """The log-likelihood bet by bet, the reader's and that of uniform bets."""
    for key, label, look in (("nats", "you", {}), ("uniform_nats", "uniform bets", {"color": plots.DATA, "ls": "--"})):
        steps = [sum(bet[key] for bet in settled[:n]) for n in range(len(settled) + 1)]
        ax.plot(steps, label=label, **look)
    ax.set(xlabel="bets settled", ylabel="log-likelihood, nats", title="Your score")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()


def draw_calibration(ax: Axes, settled: list[dict]) -> None:
    """What happened against what was given, and where a calibrated reader's points lie 95 times in 100."""
    bins = calibration(settled)
    x = [found.mean for found in bins]
    ax.plot([0, 1], [0, 1], color=plots.TRUTH, ls=":", lw=1)
    below, above = ([min(Z * found.error, room(found.mean)) for found in bins] for room in (float, lambda p: 1 - p))
    ax.errorbar(x, x, [below, above], ls="", color=plots.DATA, capsize=4, label="if calibrated, 95 %")
    ax.plot(x, [found.happened for found in bins], "o", color=plots.MODEL, label="you")
    ax.set(xlabel="probability that you gave", ylabel="share that happened", title="Your calibration",
           xlim=(-0.05, 1.05), ylim=(-0.05, 1.05))
    ax.legend(loc="upper left")


def describe(settled: list[dict]) -> str:
    """The figure in words."""
    total, uniform = (sum(bet[key] for bet in settled) for key in ("nats", "uniform_nats"))
    points = "; ".join(f"given about {found.mean:.0%}, {found.happened:.0%} of {found.answers} happened"
                       for found in calibration(settled))
    return f"Left: after {len(settled)} bets you have {total:.2f} nats, uniform bets {uniform:.2f}. Right: {points}."


def again(now: datetime) -> Table:
    """Exercises that were passed 2, 7 or 21 days ago and not tried since that day; those that needed help first."""
    due = [(name, entry, days) for name, entry in _passed() if (days := overdue(entry, now))]
    due.sort(key=lambda found: ("solution_seen" not in found[1], -found[1].get("hints", 0), found[0]))
    rows = [(name, f"{days} days ago", "yes" if "solution_seen" in entry else "no", str(entry.get("hints", 0)))
            for name, entry, days in due[:MOST]]
    caption = f"To solve once more, from an empty function ({len(due)} due)" if due else "Nothing is due again today"
    return Table(caption, ("exercise", "passed more than", "solution seen", "hints"), rows)


def overdue(entry: dict, now: datetime) -> int:
    """The last of 2, 7, 21 days that are over since the exercise was passed, if it was not tried after them; else 0."""
    passed, last = (datetime.fromisoformat(entry[key]) for key in ("passed", "last"))
    days = max((days for days in AGAIN if passed + timedelta(days) <= now), default=0)
    return days if days and last < passed + timedelta(days) else 0


def _passed() -> Iterator[tuple[str, dict]]:
    for number, exercises in progress.load()["exercises"].items():
        for name, entry in exercises.items():
            if "passed" in entry:
                yield f"{number} {name}", {"last": entry["passed"], **entry}   # older files lack the last attempt
