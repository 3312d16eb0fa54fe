"""The exercise on temperature: one number, fitted to pictures that the network has not learnt from."""

import torch
from torch import Tensor

from ... import rng
from ...classroom import Exercise, Mistake


def fit_temperature(logits, y):
    """The temperature between 0.1 and 10 with the smallest mean cross-entropy: logits (n, C), y (n,) -> ()."""
    temperatures = torch.logspace(-1, 1, 1001)  # steps of half a per cent
    losses = [torch.nn.functional.cross_entropy(logits / t, y) for t in temperatures]
    return temperatures[torch.stack(losses).argmin()]


def _temperature_cases():
    """The network is too sure, then too shy; of the first labels one in ten is a slip of the pen."""
    g = rng.seeded(4)
    for temperature, slips in ((2.5, 0.1), (0.6, 0.0)):
        logits = 4 * torch.randn(300, 5, generator=g)
        y = rng.categorical(logits / temperature, 1, g)[:, 0]
        yield logits, torch.where(torch.rand(300, generator=g) < slips, torch.randint(5, (300,), generator=g), y)


TRIED = torch.logspace(-1, 1, 401, dtype=torch.float64)


def _least(score) -> Tensor:
    """The tried temperature with the least `score(temperature)`."""
    return TRIED[torch.stack([torch.as_tensor(score(t)) for t in TRIED]).argmin()]


def _cross_entropy(logits, y) -> Tensor:
    return -logits.log_softmax(-1).gather(-1, y[:, None]).mean()


def _matching_accuracy(logits, y):
    """Mean confidence equal to accuracy."""
    accuracy = (logits.argmax(-1) == y).double().mean()
    return _least(lambda t: ((logits / t).softmax(-1).max(-1).values.mean() - accuracy).abs())


FIT_TEMPERATURE = Exercise(
    fit_temperature,
    _temperature_cases,
    mistakes=(
        Mistake(lambda a, y: _least(lambda t: _cross_entropy(a * t, y)),
                "This is **one over the temperature**: you multiplied the logits by it. $T$ *divides*: above 1 it "
                "makes the network less sure."),
        Mistake(lambda a, y: _least(lambda t: _cross_entropy(a / t, y)).log(),
                "This is the **log** of the temperature. (Searching in $\\log T$ is wise; return $T$.)"),
        Mistake(lambda a, y: _least(lambda t: -_cross_entropy(a / t, y)),
                "You **maximised the loss**: the cross-entropy is a *negative* log-likelihood, and small is good."),
        Mistake(_matching_accuracy,
                "You made the **mean confidence equal to the accuracy**. Close, but that looks at one number; the "
                "log-likelihood looks at every probability given to every label."),
        Mistake(lambda a, y: _least(lambda t: -((a / t).argmax(-1) == y).double().mean()),
                "You looked for the best **accuracy**: no temperature changes which class comes first, so all are "
                "equally good."),
        Mistake(lambda a, y: min(_cross_entropy(a / t, y) for t in TRIED),
                "This is the **smallest loss**. Asked for is the temperature at which it is reached: `argmin` finds "
                "its place."),
        Mistake(lambda a, y: _least(lambda t: _cross_entropy(a.softmax(-1) / t, y)),
                "You divided the **probabilities by the temperature**. It divides the logits; softmax comes after."),
        Mistake(lambda a, y: _least(lambda t: _cross_entropy((a / t).softmax(-1), y)),
                "**Softmax twice**: `cross_entropy` expects logits and applies the softmax itself."),
        Mistake(lambda a, y: _least(lambda t: -(a / t).log_softmax(0).gather(-1, y[:, None]).mean()),
                "**Softmax over the wrong axis**: probabilities must add up to one over the classes of each picture."),
        Mistake(lambda a, y: _least(lambda t: (a / t).logsumexp(-1).mean()),
                "The **labels are missing**: this is the log-sum-exp alone. The loss subtracts the label's logit."),
    ),
    hints=(
        "Which function of $T$ should be smallest? Try many temperatures, on a logarithmic scale, and keep the best.",
        "`torch.logspace(-1, 1, 1001)` are candidates; `torch.nn.functional.cross_entropy(logits / t, y)` judges one.",
    ),
    minutes=7,
    difficulty=1,
    rtol=0.02,
)
