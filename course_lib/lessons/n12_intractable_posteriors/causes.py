"""The explorer of lesson 12 on explaining away: two hidden causes of what is seen at the chest clinic."""

from itertools import product

from matplotlib.axes import Axes
from torch import Tensor

from ... import datasets, plots
from ...models import BayesianNetwork
from ...widgets import Explorer, choice
from . import experiments

WORDS = {"tub": "tuberculosis", "lung": "lung cancer", "bronc": "bronchitis"}
PAIRS = {f"{WORDS[one]} and {WORDS[other]}": (one, other)
         for one, other in (("tub", "lung"), ("lung", "bronc"), ("tub", "bronc"))}
STATES = ("not seen", "yes", "no")
SHOWN = {"xray": "positive X-ray", "dysp": "short of breath", "smoke": "smoker"}


def one_effect_many_causes() -> Explorer:
    """See some signs; the joint posterior of two causes stands beside the product of its marginals."""
    network = BayesianNetwork(datasets.bayesian_network("asia"))
    joint, axis = experiments.joint_of(network), network.names.index
    figure, (ax, table) = plots.figure(2, height=3.5, width=9, width_ratios=(1, 1.15))
    bars, numbers = _bars(ax, _yes(joint, {}, network))
    cells = _cells(table)
    said = table.text(1, 2.05, "", ha="center", va="bottom")
    across = table.text(1, -0.22, "", ha="center", va="top")
    down = table.text(-0.3, 1, "", ha="right", va="center", rotation=90)

    def draw(pair: str, **signs: str) -> str:
        first, second = PAIRS[pair]
        seen = {axis(name): STATES.index(state) - 1 for name, state in signs.items() if state != STATES[0]}
        both = experiments.pair_given(joint, seen, axis(first), axis(second))
        yes = _yes(joint, seen, network)
        for bar, number, p in zip(bars, numbers, yes):
            bar.set_width(p)
            number.set(x=min(p, 0.85) + 0.03, text=f"{p:.3f}")
        apart = both.sum(1, keepdim=True) * both.sum(0)
        for (i, j), (patch, text) in cells.items():
            patch.set_alpha(0.05 + 0.55 * both[i, j].item())
            text.set_text(f"{both[i, j]:.4f}\n(apart: {apart[i, j]:.4f})")
        across.set_text(WORDS[second])
        down.set_text(WORDS[first])
        nats = experiments.mutual_information(both)
        said.set_text(f"p(both | seen); they share {nats:.4f} nats")
        known = ", ".join(f"{SHOWN[name]}: {state}" for name, state in signs.items() if state != STATES[0])
        beliefs = ", ".join(f"{word} {p:.3f}" for word, p in zip(WORDS.values(), yes))
        return (f"Seen: {known or 'nothing'}. Probabilities: {beliefs}. {pair} together {both[0, 0]:.4f}, as a product "
                f"of the two {apart[0, 0]:.4f}; they share {nats:.4f} nats.")

    parts = [part for pair in cells.values() for part in pair]
    moving = [*bars, *numbers, *parts, said, across, down]
    controls = {name: choice(STATES, STATES[0], label=word) for name, word in SHOWN.items()}
    return Explorer(figure, draw, title="One effect, many causes", moving=moving,
                    pair=choice(list(PAIRS), next(iter(PAIRS)), label="two causes"), **controls)


def _yes(joint: Tensor, seen: dict[int, int], network: BayesianNetwork) -> list[float]:
    """p(yes | seen) of each of the three causes; state 0 is yes, and *asia* is summed out."""
    asia = network.names.index("asia")
    return [experiments.pair_given(joint, seen, network.names.index(name), asia).sum(1)[0].item() for name in WORDS]


def _bars(ax: Axes, prior: list[float]) -> tuple:
    bars = ax.barh(list(WORDS.values()), [0.0] * len(WORDS), color=plots.MODEL, alpha=0.6)
    numbers = [ax.text(0, place - 0.15, "", va="center") for place in range(len(WORDS))]
    below = [place + 0.25 for place in range(len(WORDS))]
    ax.plot(prior, below, "D", color=plots.LATENT, ms=7, label="with nothing seen")
    ax.set(xlim=(0, 1), xlabel="p(yes | what is seen)")
    ax.invert_yaxis()
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1))
    return bars, numbers


def _cells(ax: Axes) -> dict:
    """A two by two table: state 0 is yes, at the left and at the top."""
    made = {}
    for i, j in product(range(2), range(2)):
        patch = ax.fill_between([j, j + 1], 1 - i, 2 - i, color=plots.MODEL, alpha=0.1, lw=0)
        made[i, j] = patch, ax.text(j + 0.5, 1.5 - i, "", ha="center", va="center")
    ax.set(xlim=(0, 2), ylim=(0, 2))
    ax.set_xticks([0.5, 1.5], ["yes", "no"])
    ax.set_yticks([1.5, 0.5], ["yes", "no"])
    return made
