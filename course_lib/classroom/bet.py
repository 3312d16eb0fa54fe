"""Bets: probability spread over the answers before the result is shown, scored in nats."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import ipywidgets

from . import progress
from .face import Card, inline

FLOOR = 0.001               # the least probability of an answer: no bet can lose infinitely much


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bet:
    """A question with its possible answers, and why it comes out as it does.

    Raises ValueError unless there are at least two different answers.
    """

    name: str = dataclasses.field(kw_only=False)
    question: str
    answers: tuple[str, ...]
    why: str = ""

    def __post_init__(self) -> None:
        if len(set(self.answers)) < max(2, len(self.answers)):
            raise ValueError(f"`answers` must be at least two different texts; got {self.answers}.")

    def probabilities(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Weights made to sum to 1, none below 0.001.

        Raises ValueError if an answer is unknown, a weight negative or not finite, or all of them 0.
        """
        unknown = set(weights) - set(self.answers)
        if unknown:
            raise ValueError(f"`weights` must name answers among {self.answers}; got {sorted(unknown)}.")
        values = [float(weights.get(answer, 0)) for answer in self.answers]
        if not all(math.isfinite(value) and value >= 0 for value in values) or sum(values) == 0:
            raise ValueError(f"`weights` must be finite, none negative and not all 0; got {values}.")
        shares = [value / sum(values) for value in values]
        raised = sum(share < FLOOR for share in shares)
        rest = sum(share for share in shares if share >= FLOOR)
        keep = (1 - FLOOR * raised) / rest
        return {a: FLOOR if s < FLOOR else s * keep for a, s in zip(self.answers, shares, strict=True)}


class Wager:
    """A reader's side of one bet: call it to place the bet by hand, `settle` it when the result is there."""

    def __init__(self, lesson: str, bet: Bet) -> None:
        self.lesson, self.bet = lesson, bet

    def __call__(self) -> ipywidgets.VBox:
        """The bet as fields and a button."""
        return _form(self)

    def place(self, *weights: float | Sequence[float] | Mapping[str, float], **named: float) -> Card:
        """Place the bet: one weight an answer, in their order, or weights by answer; until it is settled.

        Raises ValueError if the weights do not fit the answers (see `Bet.probabilities`).
        """
        if len(weights) == 1 and isinstance(weights[0], Mapping | list | tuple):
            weights = weights[0]
        if isinstance(weights, Mapping):
            named = {**weights, **named}
        elif weights and len(weights) != len(self.bet.answers):
            raise ValueError(f"`weights` must be one number for each of {self.bet.answers}; got {weights}.")
        elif weights:
            named = {**dict(zip(self.bet.answers, weights, strict=True)), **named}
        probabilities = self.bet.probabilities(named)
        if "nats" in self._entry():
            return Card("○", "This bet is settled", f"What you had placed stands: {self._placed_in_words()}.")
        progress.record_bet(self.lesson, self.bet.name, placed=probabilities, placed_at=progress.now())
        floor = f" No answer is given less than {FLOOR:.1%}, so that no score is infinite."
        lowest = min(probabilities.values())
        return Card("✓", "Your bet is placed", self._placed_in_words() + "." + floor * (lowest <= FLOOR))

    def settle(self, outcome: str | int) -> Card:
        """Say what happened, and the score ln p(outcome) in nats; the first score stands.

        Raises ValueError if `outcome` is neither an answer nor the index of one.
        """
        happened = self._answer(outcome)
        uniform = -math.log(len(self.bet.answers))
        entry = self._entry()
        title = f"What happened: {happened}"
        if "placed" not in entry:
            missed = f"Nothing was placed; uniform scores {uniform:.3f} nats. Placing first is the point."
            return Card("○", title, _lines(missed, self.bet.why))
        if "nats" not in entry:
            nats = math.log(entry["placed"][happened])
            facts = {"outcome": happened, "nats": nats, "uniform_nats": uniform, "settled_at": progress.now()}
            progress.record_bet(self.lesson, self.bet.name, **facts)
        return Card("○", title, _lines(self._score_in_words(happened), self.bet.why))

    def _answer(self, outcome: str | int) -> str:
        answers = self.bet.answers
        if type(outcome) is int and 0 <= outcome < len(answers):     # True is no index
            return answers[outcome]
        if outcome in answers:
            return str(outcome)
        raise ValueError(f"`outcome` must be one of {answers} or its index; got {outcome!r}.")

    def _entry(self) -> dict:
        """What is recorded; what was placed on answers of an older wording counts only if it is settled."""
        entry = progress.load()["bets"].get(self.lesson, {}).get(self.bet.name, {})
        return entry if "nats" in entry or entry.get("placed", {}).keys() == set(self.bet.answers) else {}

    def _placed_in_words(self) -> str:
        placed = self._entry().get("placed", {})
        return ", ".join(f"{answer} {share:.1%}" for answer, share in placed.items())

    def _score_in_words(self, happened: str) -> str:
        entry, total = self._entry(), progress.bets_summary()
        first = f" It was settled before, with: {entry['outcome']}. That score stands."
        return (
            f"You gave it {entry['placed'][entry['outcome']]:.1%}: ln p = {entry['nats']:.3f} nats; "
            f"a uniform bet scores {entry['uniform_nats']:.3f}.{first * (entry['outcome'] != happened)}\n"
            f"The course so far (bets settled: {total.number}): {total.nats:.3f} nats; "
            f"uniform bets would score {total.uniform_nats:.3f}."
        )


class Bets:
    """The bets of one lesson, one attribute a bet.

    lesson:  the notebook's number in two digits, such as "08".
    bets:    name to Bet.
    Raises ValueError if two bets share a name.
    """

    def __init__(self, lesson: str, *bets: Bet) -> None:
        self.lesson, self.bets = lesson, {bet.name: bet for bet in bets}
        if len(self.bets) < len(bets):
            raise ValueError(f"`bets` must have different names; got {[bet.name for bet in bets]}.")
        self._wagers = {bet.name: Wager(lesson, bet) for bet in bets}

    def __getattr__(self, name: str) -> Wager:
        wagers = vars(self).get("_wagers", {})
        if name not in wagers:
            raise AttributeError(f"There is no bet `{name}` here; there are {', '.join(wagers)}.")
        return wagers[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.bets]


def _lines(*texts: str) -> str:
    return "\n".join(filter(None, texts))


def _form(wager: Wager) -> ipywidgets.VBox:
    """One number field an answer with its live percentage, the button, and what is placed."""
    bet, entry = wager.bet, wager._entry()
    placed = entry.get("placed", dict.fromkeys(bet.answers, 1 / len(bet.answers)))
    fields = [_weight_field(answer, 100 * placed.get(answer, 0)) for answer in bet.answers]
    shares = [ipywidgets.Label() for _ in bet.answers]
    button = ipywidgets.Button(description="Place the bet", disabled="nats" in entry)
    said = ipywidgets.HTML()

    def weights() -> dict[str, float]:
        return {field.description: field.value for field in fields}

    def show_shares(_: object = None) -> None:
        total = sum(weights().values())
        for field, share in zip(fields, shares, strict=True):
            share.value = f"{field.value / total:.1%}" if total else "–"

    def place(_: object) -> None:
        try:
            said.value = wager.place(weights())._repr_html_()
        except ValueError as error:
            said.value = Card("✗", "This bet cannot be placed", str(error))._repr_html_()

    for field in fields:
        field.observe(show_shares, "value")
    button.on_click(place)
    show_shares()
    if "placed" in entry:
        state = "This bet is settled" if "nats" in entry else "Your bet is placed"
        said.value = Card("✓", state, wager._placed_in_words() + ".")._repr_html_()
    question = ipywidgets.HTMLMath(f"<strong>{inline(bet.question)}</strong>")
    rows = [ipywidgets.HBox(pair) for pair in zip(fields, shares, strict=True)]
    return ipywidgets.VBox([question, *rows, button, said])


def _weight_field(answer: str, value: float) -> ipywidgets.BoundedFloatText:
    return ipywidgets.BoundedFloatText(
        value=round(value, 1), min=0, max=100, step=1, description=answer,
        style={"description_width": "initial"}, layout={"width": "auto", "max_width": "100%"},
    )
