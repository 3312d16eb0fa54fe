"""How fast is EM? Beside scikit-learn's and pomegranate's: same start, same number of iterations."""

import time
import warnings
from functools import partial

from course_lib.models import GaussianMixture
from course_lib.rng import seeded
from course_lib.training import expectation_maximisation, fit

import torch
from compare import Row, medians
from sklearn.mixture import GaussianMixture as Sklearn

FEATURES, COMPONENTS, STEPS = 16, 16, 10
SIZES = (12_500, 25_000, 50_000, 100_000)


def start(x: torch.Tensor) -> GaussianMixture:
    return GaussianMixture(COMPONENTS, FEATURES, covariance="full").to(x.dtype).start_at(x, seeded(1))


def ours(x: torch.Tensor) -> float:
    model = start(x)
    begin = time.perf_counter()
    fit(expectation_maximisation(model, x, steps=STEPS))
    return time.perf_counter() - begin


def sklearn(x: torch.Tensor) -> float:
    first = start(x)
    precisions = torch.linalg.inv(first.scale_tril @ first.scale_tril.mT).detach().numpy()
    peer = Sklearn(COMPONENTS, reg_covar=0, tol=0, max_iter=STEPS, weights_init=first.weights.detach().numpy(),
                   means_init=first.loc.detach().numpy(), precisions_init=precisions)
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                  # it has been told not to converge
        peer.fit(x.numpy())
    return time.perf_counter() - begin


def pomegranate(x: torch.Tensor) -> float:
    from pomegranate.distributions import Normal
    from pomegranate.gmm import GeneralMixtureModel

    first = start(x)
    covariances = (first.scale_tril @ first.scale_tril.mT).detach()
    components = [Normal(first.loc[k].detach(), covariances[k], covariance_type="full") for k in range(COMPONENTS)]
    peer = GeneralMixtureModel(components, priors=first.weights.detach(), max_iter=STEPS, tol=-1e30)
    begin = time.perf_counter()
    peer.fit(x)
    return time.perf_counter() - begin


def rows() -> list[Row]:
    found = []
    for dtype, peer, goal in ((torch.float64, sklearn, "≥ 2.5"), (torch.float32, pomegranate, "≥ 1.0")):
        x = torch.randn(50_000, FEATURES, generator=seeded(0), dtype=dtype)
        seconds = medians({"ours": partial(ours, x), "peer": partial(peer, x)})
        what = f"EM, full covariance, 50,000 × {FEATURES}, K = {COMPONENTS}, {STEPS} iterations, {str(dtype)[6:]}"
        name = {sklearn: "scikit-learn", pomegranate: "pomegranate"}[peer]
        found.append(Row(what, f"{seconds['ours']:.2f} s", f"{name} {seconds['peer']:.2f} s",
                         f"{seconds['peer'] / seconds['ours']:.2f}", goal))
    return found + growth()


def growth() -> list[Row]:
    """Seconds at four sizes: the cost must grow linearly in the number of data."""
    data = {n: torch.randn(n, FEATURES, generator=seeded(0), dtype=torch.float64) for n in SIZES}
    seconds = medians({str(n): partial(ours, x) for n, x in data.items()})
    each = [1e6 * seconds[str(n)] / n / STEPS for n in SIZES]
    return [Row(f"EM, the same at N = {', '.join(f'{n:,}' for n in SIZES)}: µs a row and iteration",
                ", ".join(f"{cost:.2f}" for cost in each), "–", f"{max(each) / min(each):.2f}", "flat")]
