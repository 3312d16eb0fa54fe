"""How fast is EM? Ours beside scikit-learn's, same start, same number of iterations, in one run.

Usage: python tests/benchmarks/em.py
"""

import statistics
import time
import warnings

from course_lib.models import GaussianMixture
from course_lib.rng import seeded
from course_lib.training import expectation_maximisation, fit

import torch
from sklearn.mixture import GaussianMixture as Sklearn

ROWS, FEATURES, COMPONENTS, STEPS, REPEATS = 50_000, 16, 16, 10, 5


def ours(x: torch.Tensor) -> tuple[float, GaussianMixture]:
    model = GaussianMixture(COMPONENTS, FEATURES, covariance="full").start_at(x, seeded(1))
    begin = time.perf_counter()
    fit(expectation_maximisation(model, x, steps=STEPS))
    return time.perf_counter() - begin, model


def theirs(x: torch.Tensor) -> tuple[float, Sklearn]:
    start = GaussianMixture(COMPONENTS, FEATURES, covariance="full").start_at(x, seeded(1))
    precisions = torch.linalg.inv(start.scale_tril @ start.scale_tril.mT).detach().numpy()
    peer = Sklearn(COMPONENTS, reg_covar=0, tol=0, max_iter=STEPS, weights_init=start.weights.detach().numpy(),
                   means_init=start.loc.detach().numpy(), precisions_init=precisions)
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has been told not to converge
        peer.fit(x.numpy())
    return time.perf_counter() - begin, peer


def main() -> float:
    """Print the medians and return the ratio theirs / ours."""
    torch.set_default_dtype(torch.float64)
    x = torch.randn(ROWS, FEATURES, generator=seeded(0))
    pairs = [(ours(x), theirs(x)) for _ in range(REPEATS)]
    gap = abs(pairs[0][0][1].loc.detach().numpy() - pairs[0][1][1].means_).max()
    mine, peer = (statistics.median(pair[side][0] for pair in pairs) for side in (0, 1))
    ratio = statistics.median(b[0] / a[0] for a, b in pairs)
    setting = f"{ROWS} x {FEATURES}, K = {COMPONENTS}, {STEPS} iterations, float64, medians of {REPEATS}"
    print(f"EM, full covariance, {setting}:")
    print(f"course_lib {mine:.2f} s, scikit-learn {peer:.2f} s, ratio {ratio:.2f}; largest gap of a mean {gap:.1e}")
    return ratio


if __name__ == "__main__":
    main()
