"""The first exercise of lesson 02: the slope of the law, from rounded magnitudes."""

import math

import torch

from ...classroom import Exercise, Mistake
from . import earthquakes

LN10 = math.log(10)


def b_value(magnitudes, completeness, width):
    """b of the magnitudes (n,) in bins of this width from the completeness on: a tensor of shape ()."""
    above = magnitudes[magnitudes > completeness - width / 2]
    return torch.log10(1 + width / (above.mean() - completeness)) / width


def _b_value_cases():
    places = earthquakes.places()
    yield places["California"], 1.6, 0.1
    yield places["Alaska, inland"], 2.0, 0.1
    yield torch.tensor([0.2, 1.0, 1.0, 1.0, 1.5, 1.5, 2.0, 3.0]), 1.0, 0.5


def _above(magnitudes, completeness, width):
    return magnitudes[magnitudes > completeness - width / 2]


def _b(excess, width):
    return torch.log10(1 + width / excess) / width


B_VALUE = Exercise(
    b_value,
    _b_value_cases,
    mistakes=(
        Mistake(lambda m, c, w: LN10 * b_value(m, c, w),
                "This is **$\\beta$, not $b$**: the law is $e^{-\\beta m} = 10^{-b m}$, so $b = \\beta / \\ln 10$."),
        Mistake(lambda m, c, w: b_value(m, c, w) / LN10,
                "You divided by $\\ln 10$ **twice**: `log10` has done it already."),
        Mistake(lambda m, c, w: 1 / (_above(m, c, w).mean() - c),
                "Two things at once: this is **$\\beta$, not $b$** (divide by $\\ln 10$), and the **bins are "
                "forgotten**: $1 / (\\bar m - m_c)$ is for magnitudes that are not rounded."),
        Mistake(lambda m, c, w: 1 / (_above(m, c, w).mean() - c) / LN10,
                "The **bins are forgotten**: $1 / (\\bar m - m_c)$ is for magnitudes that are not rounded. With bins "
                "it is too large, the more so the wider they are."),
        Mistake(lambda m, c, w: 1 / (_above(m, c, w).mean() - c + w / 2) / LN10,
                "**Half a bin** was taken off the completeness (Utsu's correction): a good approximation for narrow "
                "bins, but the maximum itself has $\\ln(1 + w / (\\bar m - m_c)) / w$."),
        Mistake(lambda m, c, w: _b(_above(m, c, w).mean() - c + w / 2, w),
                "**Half a bin too much**: the formula for bins counts $k$ from the bin of the completeness, so "
                "$\\bar k = (\\bar m - m_c) / w$. The half bin belongs to the formula without bins."),
        Mistake(lambda m, c, w: w * b_value(m, c, w),
                "This is $b$ **for each bin**, not for each magnitude: divide by the width $w$."),
        Mistake(lambda m, c, w: torch.log10(1 + 1 / (_above(m, c, w).mean() - c)) / w,
                "$\\bar k$ counts **bins, not magnitudes**: $\\bar k = (\\bar m - m_c) / w$."),
        Mistake(lambda m, c, w: _b(m.mean() - m.min(), w),
                "**No completeness**: you took all earthquakes, and the smallest as the beginning. Below $m_c$ the "
                "instruments decide what is counted, not the law."),
        Mistake(lambda m, c, w: _b(m.mean() - c, w),
                "You took the **mean of all** magnitudes: those below the completeness must go first."),
        Mistake(lambda m, c, w: _b(_above(m, c, w).mean() - m.min(), w),
                "You subtracted the **smallest magnitude of all**: the law begins at $m_c$."),
        Mistake(lambda m, c, w: _b(_above(m, c, w).mean(), w),
                "The **completeness was not subtracted** from the mean: the law begins at $m_c$, not at 0."),
        Mistake(lambda m, c, w: _b(m[m > c + w / 2].mean() - c, w),
                "The **lowest bin is missing**: a plain `>` cuts off the earthquakes *at* the completeness. They count "
                "too: `> completeness - width / 2` keeps them, and is safe against rounding."),
        Mistake(lambda m, c, w: _b(_above(m, c, w).median() - c, w),
                "This is the **median**; the maximum of the likelihood has the mean."),
    ),
    hints=(
        "First keep what lies in and above the bin of the completeness. Then one number decides: the mean excess.",
        "`torch.log10(1 + width / excess) / width`, with the mean excess: $\\log_{10}$ is $\\ln$ divided by $\\ln 10$.",
    ),
    minutes=5,
    difficulty=1,
)
