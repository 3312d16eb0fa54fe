"""Exercise 4 of lesson 05: complete a picture, pixel by pixel."""

import torch

from ... import rng
from ...classroom import Exercise, Mistake


def complete(conditionals, x, seen, noise):
    """x (n, D) with the pixels that are not `seen` (D,) drawn in turn: ink where noise (n, D) < p(ink | before)."""
    x = x.clone()
    for d in range(x.shape[1]):
        if not seen[d]:
            p = conditionals(x)[:, d]  # hears only pixels before d, which are all known by now
            x[:, d] = (noise[:, d] < p).to(x.dtype)
    return x


def _conditionals(weight, bias):
    """p(ink | pixels before) of a small fully visible network: a function of x (n, D) -> (n, D)."""
    return lambda x: (x @ weight.tril(-1).mT + bias).sigmoid()


def _complete_cases():
    g = rng.seeded(4)
    for seen in (3, 0):
        weight, bias = 6 * torch.randn(8, 8, generator=g), torch.randn(8, generator=g)
        x, noise = rng.bernoulli(torch.full((20, 8), 0.5), g), torch.rand(20, 8, generator=g)
        yield _conditionals(weight, bias), x, torch.arange(8) < seen, noise


def _in_turn(draw):
    """A completion with another rule `draw(p, noise)`."""

    def wrong(conditionals, x, seen, noise):
        x = x.clone()
        for d in range(x.shape[1]):
            if not seen[d]:
                x[:, d] = draw(conditionals(x)[:, d], noise[:, d]).to(x.dtype)
        return x

    return wrong


def _at_once(conditionals, x, seen, noise):
    blank = torch.where(seen, x, 0.0)
    return torch.where(seen, x, (noise < conditionals(blank)).to(x.dtype))


def _teacher_forced(conditionals, x, seen, noise):
    return torch.where(seen, x, (noise < conditionals(x)).to(x.dtype))


def _everything(conditionals, x, seen, noise):
    return complete(conditionals, x, torch.zeros_like(seen), noise)


COMPLETE = Exercise(
    complete,
    _complete_cases,
    mistakes=(
        Mistake(_at_once,
                "**All at once**: one pass with the unseen pixels empty. Each pixel must hear those that you have just "
                "drawn; yours are drawn as if everything unseen were paper."),
        Mistake(_teacher_forced,
                "**You looked at the answer**: the conditionals were computed from the `x` that came in (at once, or "
                "walking backwards), so pixels that should be unseen told their successors what they are."),
        Mistake(lambda conditionals, x, seen, noise: complete(conditionals, x, ~seen, noise),
                "**Seen and unseen are exchanged**: you drew what is known, and left the rest as it came."),
        Mistake(_in_turn(lambda p, noise: noise > 1 - p),
                "The **other end of the noise**: `noise > 1 - p` has the right probability, but gives other pictures "
                "than the rule that was asked for, `noise < p`."),
        Mistake(_everything,
                "**The seen pixels were drawn anew**: what is known must stay, so that the rest is drawn given it."),
        Mistake(_in_turn(lambda p, noise: p > 0.5),
                "You took the **more probable** value each time. That is one picture, the same for all noise; a draw "
                "is ink with probability $p$."),
        Mistake(_in_turn(lambda p, noise: noise > p),
                "**Ink and paper are exchanged**: `noise` is uniform, so `noise < p` happens with probability $p$."),
        Mistake(_in_turn(lambda p, noise: p),
                "These are **probabilities**, grey pixels: the model has never seen grey. Draw 0 or 1 with the "
                "`noise`."),
        Mistake(_in_turn(lambda p, noise: noise < p.sigmoid()),
                "**A sigmoid too many**: `conditionals` returns probabilities already."),
    ),
    hints=(
        "Walk through the pixels in order; leave a seen one alone. For an unseen one, what must already be in `x` when "
        "you ask for its probability?",
        "In the loop: `p = conditionals(x)[:, d]`, then `x[:, d] = (noise[:, d] < p).to(x.dtype)`. Begin with "
        "`x = x.clone()`.",
    ),
    minutes=8,
    difficulty=2,
)
