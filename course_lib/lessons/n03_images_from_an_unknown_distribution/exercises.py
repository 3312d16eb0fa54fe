"""The exercises of lesson 03: reference, wrong answers by name, hints."""

import math

import torch

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from . import divergence
from .bits_per_pixel import BITS_PER_PIXEL
from .mode_dropper import MODE_DROPPER

# 1 · count in bits ---------------------------------------------------------------------------------------------------


def count_in_bits(height, width, channels, levels):
    """log2 of the number of different images, a float."""
    return height * width * channels * math.log2(levels)


def _count_cases():
    yield 28, 28, 1, 2
    yield 4, 6, 3, 7
    yield 8, 8, 3, 16


COUNT_IN_BITS = Exercise(
    count_in_bits,
    _count_cases,
    mistakes=(
        Mistake(lambda height, width, channels, levels: float(height * width * channels * levels),
                "A **product where a power belongs**: every further value *multiplies* the number of images by "
                "`levels`, so the number is levels ** values, and its log2 is values × log2(levels)."),
        Mistake(lambda height, width, channels, levels: levels ** (height * width * channels),
                "This is the **number itself**; its log2 was asked for. (For a photograph the number has millions of "
                "digits: better never to make it.)"),
        Mistake(lambda height, width, channels, levels: math.log2(height * width * channels * levels),
                "The log of a **product**: the number of images is not values × levels but levels ** values."),
        Mistake(lambda height, width, channels, levels: height * width * channels * math.log(levels),
                "These are **nats**, logs to base e. For bits take `math.log2`, or divide by log 2."),
        Mistake(lambda height, width, channels, levels: height * width * channels * math.log10(levels),
                "These are **decimal digits**, logs to base 10. Bits are logs to base 2."),
        Mistake(lambda height, width, channels, levels: height * width * math.log2(channels * levels),
                "The channels stand **inside the log**: a pixel of 3 channels has not 3 × levels colours but levels ** "
                "3; their log2 is 3 × log2(levels)."),
        Mistake(lambda height, width, channels, levels: height * width * math.log2(levels),
                "The **channels are missing**: a colour pixel holds three values, each free to vary."),
        Mistake(lambda height, width, channels, levels: float(height * width * channels * math.ceil(math.log2(levels))),
                "You rounded each value up to **whole bits**. That is what a simple file would take; the number of "
                "images with 7 levels has log2(7) = 2.807… bits a value."),
        Mistake(lambda height, width, channels, levels: float(int(height * width * channels * math.log2(levels))),
                "You **rounded**: log2 of a number that is no power of 2 is not whole. Return it as it is."),
        Mistake(lambda height, width, channels, levels: float(height * width * channels),
                "You counted the **values of one image**. Each of them can take `levels` values, independently."),
        Mistake(lambda height, width, channels, levels: levels * math.log2(height * width * channels),
                "**Base and exponent are swapped**: this is log2 of values ** levels. Each *value* chooses among "
                "`levels`, not the other way round."),
    ),
    hints=(
        "How many images have one pixel? Two? What does each further value do to the number, and what to its log?",
        "The number is levels ** (height × width × channels). Never make that number: log2 of a power is exponent × "
        "`math.log2(levels)`.",
    ),
    minutes=3,
    difficulty=1,
)

# 2 · empirical KL ----------------------------------------------------------------------------------------------------


def empirical_kl(counts, log_p):
    """KL of the empirical distribution of `counts` (K,) from a model with log-probabilities `log_p` (K,), in nats."""
    share = counts / counts.sum()
    return (torch.special.xlogy(share, share) - share * log_p).sum()


def _kl_cases():
    g = rng.seeded(2)
    yield torch.tensor([5.0, 3.0, 2.0]), torch.randn(3, generator=g).log_softmax(-1)
    yield torch.tensor([7.0, 0.0, 1.0, 0.0, 4.0]), torch.randn(5, generator=g).log_softmax(-1)


def _divided(counts, log_p, total):
    share = counts / total
    return (torch.special.xlogy(share, share) - share * log_p).sum()


def _shared(wrong):
    """The mistake `wrong(share, log_p)`."""
    return lambda counts, log_p: wrong(counts / counts.sum(), log_p)


def _with_and_without_the_limit(wrong, message):
    """The mistake `wrong(share, log_p, share log share)` where 0 log 0 is 0, and where it is NaN."""
    also = " (And where a count is 0 it is NaN: use `torch.special.xlogy(share, share)`.)"
    return (
        Mistake(_shared(lambda share, log_p: wrong(share, log_p, torch.special.xlogy(share, share))), message),
        Mistake(_shared(lambda share, log_p: wrong(share, log_p, share * share.log())), message + also),
    )


EMPIRICAL_KL = Exercise(
    empirical_kl,
    _kl_cases,
    mistakes=(
        Mistake(_shared(lambda share, log_p: (share * (share.log() - log_p)).sum()),
                "Right where every outcome was seen; but an outcome that was never seen gives `0 * log(0)`, which is "
                "**NaN**, while $s \\log s \\to 0$. `torch.special.xlogy(s, s)` knows that limit."),
        Mistake(lambda counts, log_p: _divided(counts, log_p, 1),
                "You took **counts for probabilities**: divide them by their sum first."),
        Mistake(lambda counts, log_p: _divided(counts, log_p, len(counts)),
                "You divided by **the number of outcomes**: shares are counts divided by the number of *draws*, "
                "`counts.sum()`."),
        Mistake(_shared(lambda share, log_p: torch.special.xlogy(share, share).sum() - log_p.mean()),
                "The model's part is a **plain mean over the outcomes**. What came up often must count often: weigh "
                "`log_p` with the shares."),
        Mistake(_shared(lambda share, log_p: (torch.special.xlogy(share, share) - share * log_p.log()).sum()),
                "You took the log **twice**: `log_p` is a log already, and negative, so its log is NaN."),
        Mistake(_shared(lambda share, log_p: -(share * log_p).sum()),
                "This is the **cross-entropy** $-\\sum_x \\hat p \\log p_\\theta$: what learning makes small. The "
                "divergence has $\\sum_x \\hat p \\log \\hat p$ as well, which does not depend on the model."),
        Mistake(_shared(lambda share, log_p: (share * log_p).sum()),
                "This is the **mean log-likelihood**. The divergence is minus that, plus $\\sum_x \\hat p \\log \\hat "
                "p$."),
        Mistake(_shared(lambda share, log_p: (log_p.exp() * (log_p - share.log())).sum()),
                "This is the **other divergence**, KL(model ‖ data): the average must be taken under the *data*. (And "
                "it is infinite as soon as one outcome was not seen.)"),
        *_with_and_without_the_limit(
            lambda share, log_p, s_log_s: (share * log_p - s_log_s).sum(),
            "This is **minus the divergence**: a divergence is never negative."),
        *_with_and_without_the_limit(
            lambda share, log_p, s_log_s: (-s_log_s - share * log_p).sum(),
            "The **entropy has the wrong sign**: $\\mathrm{KL} = \\sum \\hat p \\log \\hat p - \\sum \\hat p \\log "
            "p_\\theta$."),
        *_with_and_without_the_limit(
            lambda share, log_p, s_log_s: (s_log_s - share * log_p).mean(),
            "A **mean for a sum**: the shares weigh the outcomes already; dividing by K again is too much."),
        *_with_and_without_the_limit(
            lambda share, log_p, s_log_s: (s_log_s - share * log_p).sum() / math.log(2),
            "These are **bits**; nats were asked for: natural logs throughout."),
        *_with_and_without_the_limit(
            lambda share, log_p, s_log_s: (s_log_s - share * log_p.exp()).sum(),
            "You multiplied by **probabilities, not their logs**: `log_p` goes in as it is."),
    ),
    hints=(
        "Turn the counts into shares. Which distribution is the average taken under: the one that stands first.",
        "`torch.special.xlogy(share, share) - share * log_p`, summed over the outcomes.",
    ),
    minutes=6,
    difficulty=2,
)

# 3 · match moments ---------------------------------------------------------------------------------------------------


def match_moments(x, p):
    """Mean and standard deviation of the Gaussian nearest in forward KL: x (m,), p (m,) adds up to one."""
    mean = (p * x).sum()
    return mean, (p * (x - mean) ** 2).sum().sqrt()


def _moment_cases():
    p = divergence.two_humps(0.3, 5.0).exp()[divergence.DRAWN]
    yield divergence.LINE[divergence.DRAWN] + 1, p / p.sum()
    yield torch.tensor([-1.0, 0.0, 4.0]), torch.tensor([0.5, 0.3, 0.2])


def _spread(x, p, centre):
    return (p * (x - centre) ** 2).sum()


def _two(loc, scale):
    """The wrong answer with this mean, `loc(x, p)`, and this standard deviation, `scale(x, p, loc)`."""

    def wrong(x, p):
        centre = loc(x, p)
        return centre, scale(x, p, centre)

    return wrong


MATCH_MOMENTS = Exercise(
    match_moments,
    _moment_cases,
    mistakes=(
        Mistake(_two(lambda x, p: (p * x).sum(), _spread),
                "The second number is the **variance**: take its square root."),
        Mistake(_two(lambda x, p: x[p.argmax()], lambda x, p, loc: _spread(x, p, loc).sqrt()),
                "You put the Gaussian on the **highest point**. That is what the *reverse* divergence tends to; the "
                "forward one asks for the mean, even if it lies in a valley."),
        Mistake(_two(lambda x, p: x.mean(), lambda x, p, loc: ((x - loc) ** 2).mean().sqrt()),
                "The **probabilities are missing**: every x counts with its p, not all alike."),
        Mistake(_two(lambda x, p: x.mean(), lambda x, p, loc: x.std()),
                "The **probabilities are missing**: `x.mean()` and `x.std()` treat all points alike."),
        Mistake(_two(lambda x, p: (p * x).sum(), lambda x, p, loc: _spread(x, p, 0).sqrt()),
                "The standard deviation is taken **around zero**: subtract the mean before you square."),
        Mistake(_two(lambda x, p: (p * x).sum(), lambda x, p, loc: (_spread(x, p, 0) - loc).abs().sqrt()),
                "The variance is $\\mathbb{E}[x^2] - \\mathbb{E}[x]^2$: the mean must be **squared** before it is "
                "taken away."),
        Mistake(_two(lambda x, p: (p * x).sum(), lambda x, p, loc: x.std()),
                "The mean is right; but `x.std()` treats **all points alike**: the standard deviation needs p too."),
        Mistake(_two(lambda x, p: (p * x).sum(), lambda x, p, loc: (p * x).std()),
                "The mean is right; but this is the spread of the **products** p x. Average the squared distances "
                "`(x - mean) ** 2` with the weights p."),
        Mistake(_two(lambda x, p: (p * x).sum(), lambda x, p, loc: _spread(x, p, x.mean()).sqrt()),
                "The mean is right; but the distances are taken from **`x.mean()`**, the middle of the points, not "
                "from your mean."),
        Mistake(_two(lambda x, p: (p * x).mean(), lambda x, p, loc: (p * (x - loc) ** 2).mean().sqrt()),
                "A **mean for a sum**: p adds up to one already, so the sum is the average."),
        Mistake(_two(lambda x, p: (p * x).sum(), lambda x, p, loc: (p * (x - loc).abs()).sum()),
                "This is the **mean distance** from the mean. Setting the derivative to zero gives the root of the "
                "mean *squared* distance."),
        Mistake(lambda x, p: match_moments(x, p)[::-1],
                "The right numbers in **another order**: return `(mean, standard deviation)`."),
    ),
    hints=(
        "Two lines above, both derivatives are set to zero. What is $\\mathbb{E}_p[x]$ on a list of points?",
        "`mean = (p * x).sum()`; the variance is the same sum for `(x - mean) ** 2`.",
    ),
    returns=("mean", "standard deviation"),
    minutes=5,
    difficulty=1,
)

check = Checks("03", COUNT_IN_BITS, EMPIRICAL_KL, MATCH_MOMENTS, MODE_DROPPER, BITS_PER_PIXEL)
