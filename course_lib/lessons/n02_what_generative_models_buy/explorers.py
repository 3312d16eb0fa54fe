"""The explorers of lesson 02: a completeness, a year of weather, and labels that spread."""

import math
from collections.abc import Iterator
from itertools import groupby

import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text
from torch import Tensor
from torch.nn.functional import pad

from ... import datasets, plots, rng
from ...metrics import mean_log_prob
from ...models import BernoulliMixture
from ...training import expectation_maximisation
from ...widgets import Explorer, Player, choice, slider
from . import digits, earthquakes, weather

LEVELS = [round(0.1 * tenths, 1) for tenths in range(46)]


def choose_a_completeness() -> Explorer:
    """A cut through a catalogue: the b-value above it, with its error, and how both change with the cut."""
    places = earthquakes.places()
    tables = {name: earthquakes.b_by_completeness(x, LEVELS) for name, x in places.items()}  # b, error, number
    figure, (left, right) = plots.figure(2, height=3.8, width=9.2)
    dots, line, cut = _draw_counts(left)
    curves, here, words = _draw_b(right)

    def draw(place: str, completeness: float) -> str:
        b, errors, beyond = tables[place]
        known = beyond > 0
        dots.set_data(torch.tensor(LEVELS)[known], beyond[known])
        cut.set_xdata([completeness, completeness])
        for curve, sign in zip(curves, (0, -1, 1)):
            curve.set_data(LEVELS, b + sign * errors)
        value, error, number = (column[round(10 * completeness)].item() for column in tables[place])
        ends = torch.tensor([completeness, 5.0])
        line.set_data(ends, number * 10 ** (-value * (ends - completeness)))  # NaN is not drawn
        here.set_data([completeness], [value])
        said = f"{number:.0f} earthquakes: too few"
        if not math.isnan(value):
            said = f"b = {value:.2f} ± {error:.2f}\nfrom {number:.0f} earthquakes"
        words.set_text(said)
        return f"{place}, cut at magnitude {completeness:.1f}: " + said.replace("\n", " ") + "."

    return Explorer(
        figure, draw, title="Choose a completeness", moving=[dots, line, cut, *curves, here, words],
        place=choice(list(places), "California", label="place"),
        completeness=slider(0.0, 4.5, 1.6, label="completeness (cut)", step=0.1),
    )


def _draw_counts(ax: Axes) -> tuple[Line2D, Line2D, Line2D]:
    (dots,) = ax.plot([], [], "o", color=plots.DATA, ms=4, label="earthquakes counted")
    (line,) = ax.plot([], [], color=plots.MODEL, ls="-", label="the law above the cut")
    (cut,) = ax.plot([0, 0], [0.7, 2000], color=plots.LATENT, ls="--", label="cut")
    ax.set(xlabel="magnitude m", ylabel="earthquakes from m on", xlim=(0, 5), ylim=(0.7, 3e4), yscale="log")
    ax.legend(loc="upper right")
    return dots, line, cut


def _draw_b(ax: Axes) -> tuple[list[Line2D], Line2D, Text]:
    looks = ({"ls": "-", "label": "b"}, {"ls": ":", "lw": 1.5, "label": "± standard error"}, {"ls": ":", "lw": 1.5})
    curves = [ax.plot([], [], color=plots.MODEL, **look)[0] for look in looks]
    (here,) = ax.plot([], [], "o", color=plots.LATENT, ms=9)
    ax.set(xlabel="completeness (cut)", ylabel="b above the cut", xlim=(0, 4.5), ylim=(0, 2.4))
    ax.legend(loc="lower right")
    return curves, here, ax.text(0.03, 0.96, "", transform=ax.transAxes, va="top")


def simulate_a_year() -> Explorer:
    """A real year of rain above a simulated one: two mechanisms without seasons, three numbers."""
    records = {city: datasets.weather(city) for city in ("Seattle", "New York")}
    g, shape = rng.seeded(2), torch.full((20, 365), 0.8)
    chances, amounts = rng.uniform((20, 365), g, shape), rng.gamma(shape, g) / shape  # amounts of mean 1
    figure, axes = plots.figure(rows=2, height=2.1, width=9, sharex=True)
    bars = [ax.plot(range(365), [0] * 365, color=colour, ls="-", lw=1, drawstyle="steps-mid")[0]
            for ax, colour in zip(axes, (plots.DATA, plots.MODEL))]
    words = [ax.text(0.01, 0.97, "", transform=ax.transAxes, va="top") for ax in axes]
    for ax in axes:
        ax.set(ylabel="rain (mm a day)", ylim=(0, 110), xlim=(0, 365))
    axes[1].set(xlabel="day of the year")

    def draw(city: str, year: int, after_dry: float, after_wet: float, mean: float, number: int) -> str:
        real = records[city].precipitation[records[city].year == year][:365]
        made = weather.one_year(after_dry, after_wet, mean, chances[number], amounts[number])
        for bar, text, rain, name in zip(bars, words, (real, made), (f"{city}, {year}", "simulated")):
            bar.set_ydata(rain)
            text.set_text(f"{name}: {_year_in_words(rain)}")
        return (f"{words[0].get_text()}. With {after_dry:.2f} after dry, {after_wet:.2f} after wet, mean {mean:.1f} mm "
                f"{words[1].get_text()}.")

    return Explorer(
        figure, draw, title="Simulate a year", moving=[*bars, *words],
        city=choice(list(records), "Seattle", label="city"),
        year=slider(2012, 2015, 2013, label="real year"),
        after_dry=slider(0.01, 0.99, 0.1, label="chance of rain after a dry day", step=0.01),
        after_wet=slider(0.01, 0.99, 0.3, label="chance of rain after a wet day", step=0.01),
        mean=slider(0.5, 20.0, 4.0, label="mean rain on a wet day (mm)", step=0.1),
        number=slider(0, 19, 0, label="draw"),
    )


def _year_in_words(rain: Tensor) -> str:
    spells = [(state, len(list(days))) for state, days in groupby((rain > 0).tolist())]
    wet, dry = ([length for state, length in spells if state == kind] for kind in (True, False))
    return (f"{sum(wet)} wet days in {len(wet)} spells (longest {max(wet, default=0)}), {rain.sum():.0f} mm; "
            f"longest dry spell {max(dry, default=0)} days")


def let_labels_spread() -> Player:
    """EM with a few labels and many digits without, a step a frame: the ten mean digits, accuracy, and log p."""
    x, y = digits.pictures()
    figure, (faces, right, fit) = plots.figure(3, height=3.2, width=9.8, width_ratios=(2, 1.4, 1.4))
    image = faces.imshow(torch.zeros(18, 45).numpy(), cmap="gray_r", vmin=0, vmax=1)
    faces.set(xticks=[], yticks=[], title="mean digit of each class")
    faces.spines[:].set_visible(False)
    curves = [ax.plot([], [], color=plots.MODEL, ls="-", marker="o", ms=3)[0] for ax in (right, fit)]
    words = [ax.text(0.97, 0.05, "", transform=ax.transAxes, ha="right") for ax in (right, fit)]
    told = faces.text(0, -0.08, "", transform=faces.transAxes, va="top")
    right.set(title="right answers, new digits", xlabel="step", xlim=(-1, 26))
    fit.set(title="log p(x), nats a new digit", xlabel="step", xlim=(-1, 26))

    def start(labels: int, unlabelled: int, weight: float, deal: int) -> Iterator[tuple]:
        return _spreading(x, y, labels, unlabelled, weight, deal)

    def draw(snapshot: tuple, labels: int, unlabelled: int, weight: float, deal: int) -> str:
        means, scores = snapshot
        image.set_data(means.numpy())
        a_class = f"{labels} label{'s' * (labels > 1)} a class"
        told.set_text(f"{a_class}, and {unlabelled} digits\nwithout, of weight {weight:.2f}; deal {deal}")
        for curve, text, values, shown in zip(curves, words, zip(*scores), ("{:.1%}", "{:.2f}")):
            curve.set_data(range(len(values)), values)
            text.set_text(shown.format(values[-1]))
        (first, low), (last, height) = scores[0], scores[-1]
        right.set_ylim(first - 0.15, 1)  # the same in all frames of a run
        fit.set_ylim(low - 0.5, max(low + 0.5, -18.5))
        return (f"{a_class} and {unlabelled} digits without, of weight {weight:.2f}, deal {deal}, after "
                f"{len(scores) - 1} steps: {last:.1%} right (labels alone {first:.1%}), log p(x) {height:.2f} nats.")

    return Player(
        figure, start, lambda step: step, draw, title="Let labels spread", frames=26,
        moving=[image, told, *curves, *words],
        labels=slider(1, 100, 1, label="labels a class"),
        unlabelled=slider(0, 4000, 4000, label="digits without label", step=100),
        weight=slider(0.01, 1.0, 1.0, label="weight of a digit without label", step=0.01),
        deal=slider(0, 9, 0, label="deal (seed)"),
    )


def _spreading(x: Tensor, y: Tensor, labels: int, unlabelled: int, weight: float, deal: int) -> Iterator[tuple]:
    """The mean digits, and all scores so far: from the labels alone, then after each step of EM."""
    known, test = (part[0] for part in digits.deal(y, labels, 1, rng.seeded(deal)))
    known[(known == -1).nonzero()[unlabelled:, 0]] = -2
    told, used = known >= 0, known >= -1
    model = BernoulliMixture(10, 64).to(x)
    model.maximise_labelled(x[told], y[told], smoothing=digits.SMOOTHING)
    process = expectation_maximisation(model, x[used], steps=25, y=known[used], unlabelled_weight=weight,
                                       smoothing=digits.SMOOTHING)
    scores = [_scores(model, x[test], y[test])]
    yield _faces(model), list(scores)
    for _ in process:
        scores.append(_scores(model, x[test], y[test]))
        yield _faces(model), list(scores)


def _scores(model: BernoulliMixture, x: Tensor, y: Tensor) -> tuple[float, float]:
    """The share of right answers, and the mean of log p(x)."""
    right = (model.posterior(x).argmax(-1) == y).double().mean().item()
    return right, mean_log_prob(model, x).value


def _faces(model: BernoulliMixture) -> Tensor:
    """The ten mean digits as one picture of two rows, with a white line between them: (18, 45)."""
    framed = pad(model.probabilities.detach().reshape(2, 5, 8, 8), (0, 1, 0, 1))
    return framed.transpose(1, 2).reshape(18, 45)
