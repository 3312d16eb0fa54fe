"""The first explorer of lesson 05: see or set any variable of a network, and watch all others."""

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from ... import datasets, plots
from ...models import BayesianNetwork
from ...widgets import Explorer, choice
from . import experiments
from .pictures import ASIA

WORDS = {
    "asia": "visit to Asia", "tub": "tuberculosis", "smoke": "smoker", "lung": "lung cancer", "bronc": "bronchitis",
    "either": "tub. or cancer", "xray": "positive X-ray", "dysp": "short of breath",
}
WIDTH, HEIGHT, TRACK = 1.56, 0.66, 1.0  # of a box, and of its bar at probability one
OPTIONS = ("not seen", "seen: yes", "seen: no", "set to yes", "set to no")
MARKS = {"seen:": {"edgecolor": plots.TRUTH, "ls": "-"}, "set": {"edgecolor": plots.LATENT, "ls": "--"}}


def clamp_a_node() -> Explorer:
    """The network of the chest clinic: each variable with its probability; see it, or set it from outside."""
    network = models_network()
    tables = experiments.aligned(network)
    figure, ax = plots.figure(height=4.7, width=8.4)
    _draw_arrows(ax, network)
    boxes = {name: _draw_box(ax, place, WORDS[name]) for name, place in ASIA.items()}
    (cuts,) = ax.plot([], [], "X", color=plots.LATENT, ms=13, mec="white", zorder=6)  # where a set variable is deaf
    said = ax.text(0.995, 0.01, "", transform=ax.transAxes, ha="right", va="bottom", zorder=6)
    ax.set(xlim=(-0.9, 6.0), ylim=(-0.5, 3.5), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)

    def draw(**settings: str) -> str:
        codes = {name: OPTIONS.index(setting) for name, setting in settings.items()}
        fixed = {network.names.index(name): code for name, code in codes.items() if code}
        seen = {v: code - 1 for v, code in fixed.items() if code < 3}
        done = {v: code - 3 for v, code in fixed.items() if code >= 3}
        marginals, possible = experiments.clamp(tables, seen, done)
        yes = {name: marginals[v][0].item() for v, name in enumerate(network.names)}
        for name, box in boxes.items():
            _fill(box, yes[name] if possible else None, settings[name])
        deaf = [ASIA[network.names[v]] for v in done if network.parents[network.names[v]]]
        cuts.set_data([x for x, _ in deaf], [y + HEIGHT / 2 + 0.07 for _, y in deaf])
        said.set_text(_sentence(seen, possible))
        return _alternative(settings, yes if possible else None, possible)

    moving = [*(part for box in boxes.values() for part in box), cuts, said]
    controls = {name: choice(OPTIONS, OPTIONS[0], label=WORDS[name]) for name in network.names}
    return Explorer(figure, draw, title="See, or set, any variable", moving=moving, **controls)


def models_network() -> BayesianNetwork:
    """The chest clinic with the textbook's tables."""
    return BayesianNetwork(datasets.bayesian_network("asia"))


def _draw_arrows(ax: Axes, network: BayesianNetwork) -> None:
    for child, parents in network.parents.items():
        for parent in parents:
            (x, y), (to_x, to_y) = ASIA[parent], ASIA[child]
            ax.add_patch(FancyArrowPatch(
                (x, y - HEIGHT / 2), (to_x, to_y + HEIGHT / 2), arrowstyle="-|>", mutation_scale=16, shrinkA=0,
                shrinkB=0, lw=1.5, color=plots.TRUTH))


def _draw_box(ax: Axes, place: tuple[float, float], word: str) -> tuple:
    """A variable: its name in a box, and what moves: the mark around it, its bar, and its probability."""
    x, y = place[0] - WIDTH / 2, place[1] - HEIGHT / 2
    ax.add_patch(Rectangle((x, y), WIDTH, HEIGHT, facecolor="white", edgecolor=plots.TRUTH, lw=1.2, zorder=3))
    ax.add_patch(Rectangle((x + 0.06, y + 0.07), TRACK, 0.2, facecolor="white", edgecolor=plots.DATA, lw=0.8, zorder=4))
    ax.text(x + 0.06, y + HEIGHT - 0.17, word, va="center", zorder=4)
    mark = ax.add_patch(Rectangle((x, y), WIDTH, HEIGHT, facecolor="none", lw=4, zorder=5))
    bar = ax.add_patch(Rectangle((x + 0.06, y + 0.07), 0, 0.2, facecolor=plots.MODEL, zorder=5))
    return mark, bar, ax.text(x + WIDTH - 0.06, y + 0.17, "", va="center", ha="right", zorder=5)


def _fill(box: tuple, p: float | None, setting: str) -> None:
    mark, bar, number = box
    kind, *_, last = setting.split()
    mark.set(visible=kind != "not", **MARKS.get(kind, {}))
    bar.set_width(TRACK * (p or 0))
    number.set_text(last if kind != "not" else "?" if p is None else f"{p:.3f}")


def _sentence(seen: dict, possible: float) -> str:
    if not possible:
        return "What you have seen\ncannot happen together."
    legend = "thick: seen; dashed: set,\ncross: hears no parent"
    return f"{legend}\np(what is seen) = {possible:.3g}" if seen else legend


def _alternative(settings: dict[str, str], yes: dict[str, float] | None, possible: float) -> str:
    fixed = ", ".join(f"{WORDS[name]} {setting}" for name, setting in settings.items() if setting != OPTIONS[0])
    given = f"Given {fixed}" if fixed else "With nothing seen"
    if yes is None:
        return f"{given}: this cannot happen, its probability is 0."
    free = ", ".join(f"{WORDS[name]} {yes[name]:.3f}" for name, setting in settings.items() if setting == OPTIONS[0])
    return f"{given} (p of what is seen: {possible:.3g}), the probabilities of yes are: {free or 'all fixed'}."
