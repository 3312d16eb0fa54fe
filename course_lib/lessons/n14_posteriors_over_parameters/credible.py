"""What a credible interval promises, checked on a coin."""

import numpy as np
import torch
from scipy.stats import beta, binom
from torch import Tensor


def coverage(tosses: int, chances: Tensor, nominal: float = 0.9) -> Tensor:
    """How often the central interval of Beta(heads + 1, tails + 1) holds the true chance: (m,) -> (m,), exactly."""
    heads = np.arange(tosses + 1)
    lower, upper = (beta.ppf(end, heads + 1, tosses - heads + 1) for end in ((1 - nominal) / 2, (1 + nominal) / 2))
    truth = chances.numpy()[:, None]
    inside = (lower < truth) & (truth < upper)  # (m, tosses + 1)
    return torch.from_numpy((inside * binom.pmf(heads, tosses, truth)).sum(-1))
