"""The law of Gutenberg and Richter, held against scipy, closed forms and simulated catalogues."""

import math

from course_lib import datasets
from course_lib.errors import NumericalError
from course_lib.models import GutenbergRichter
from course_lib.rng import seeded

import pytest
import scipy.optimize
import scipy.stats
import torch

CATALOGUES, SIZE = 2000, 150


def law(b_value, completeness=2.0, bin_width=0.0):
    model = GutenbergRichter(completeness, bin_width)
    model.log_rate.data.fill_(math.log(b_value * math.log(10)))
    return model


@pytest.mark.oracle("scipy.stats.expon", "models.GutenbergRichter.log_prob", "models.GutenbergRichter.b_value")
def test_without_bins_it_is_exponential():
    model, x = law(0.8), torch.linspace(2, 7, 40)[:, None]
    theirs = scipy.stats.expon(loc=2.0, scale=1 / (0.8 * math.log(10))).logpdf(x[:, 0])
    torch.testing.assert_close(model.log_prob(x).detach(), torch.from_numpy(theirs))
    assert model.b_value.item() == pytest.approx(0.8)
    assert model.log_prob(torch.tensor([[1.9]])).item() == -math.inf


@pytest.mark.oracle("scipy.stats.geom; integral over the bin", "models.GutenbergRichter.log_prob")
@pytest.mark.parametrize("width", [0.01, 0.1, 0.5])
def test_with_bins_it_is_geometric_and_the_integral_over_the_bin(width):
    model, k = law(0.8, bin_width=width), torch.arange(30)
    x = 2.0 + width * k[:, None]
    stop = -math.expm1(-0.8 * math.log(10) * width)
    theirs = torch.from_numpy(scipy.stats.geom(stop, loc=-1).logpmf(k))
    torch.testing.assert_close(model.log_prob(x.double()).detach(), theirs)
    exponential = scipy.stats.expon(loc=2.0 - width / 2, scale=1 / (0.8 * math.log(10)))
    masses = exponential.cdf(x[:, 0] + width / 2) - exponential.cdf(x[:, 0] - width / 2)
    torch.testing.assert_close(model.log_prob(x.double()).exp().detach(), torch.from_numpy(masses))
    torch.testing.assert_close(model.log_prob(x + 0.4 * width), model.log_prob(x.double()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bins_are_found_in_both_precisions(dtype):
    model = law(1.0, 0.3, 0.01).to(dtype)
    x = torch.tensor([[float(f"{0.3 + 0.01 * k:.2f}")] for k in range(500)], dtype=dtype)
    steps = model.log_prob(x).diff().detach()
    torch.testing.assert_close(steps, torch.full_like(steps, -0.01 * math.log(10)), rtol=2e-3, atol=1e-5)


@pytest.mark.oracle("scipy.stats.kstest", "models.GutenbergRichter.sample")
def test_samples_are_exponential():
    x = law(0.8).sample(20_000, seeded(0))[:, 0]
    assert scipy.stats.kstest(x, scipy.stats.expon(2.0, 1 / (0.8 * math.log(10))).cdf).pvalue > 0.001


@pytest.mark.oracle("scipy.optimize.minimize_scalar", "models.GutenbergRichter.maximise")
@pytest.mark.parametrize("width", [0.0, 0.1, 0.5])
def test_the_maximum_is_the_numerical_one(width):
    x = law(1.1, bin_width=width).sample(300, seeded(1))
    model = GutenbergRichter(2.0, width)
    model.maximise(x)

    def loss(b_value):
        return -law(b_value, bin_width=width).log_prob(x).mean().item()

    best = scipy.optimize.minimize_scalar(loss, bounds=(0.3, 3), method="bounded", options={"xatol": 1e-9})
    assert model.b_value.item() == pytest.approx(best.x, abs=1e-6)


def simulated(width):
    """The b values of many catalogues, and the two standard errors of each, (CATALOGUES,)."""
    x = law(1.0, bin_width=width).sample(CATALOGUES * SIZE, seeded(2)).reshape(CATALOGUES, SIZE, 1)
    model, found = GutenbergRichter(2.0, width), []
    for catalogue in x:
        model.maximise(catalogue)
        errors = [model.standard_error(catalogue, method=method).item() for method in ("aki", "shi-bolt")]
        found.append([model.b_value.item(), *errors])
    return torch.tensor(found).unbind(-1)


@pytest.mark.oracle("2,000 simulated catalogues", "models.GutenbergRichter.standard_error",
                    "models.GutenbergRichter.maximise")
@pytest.mark.parametrize("width", [0.0, 0.5])
def test_standard_errors_are_the_spread_over_simulated_catalogues(width):
    """The spread of 2,000 values is itself known to 1.6 %; the bias of b at n = 150 is below 1 %."""
    b, aki, shi_bolt = simulated(width)
    assert b.mean().item() == pytest.approx(1.0, abs=0.012)
    assert aki.mean().item() == pytest.approx(b.std().item(), rel=0.06)
    assert shi_bolt.mean().item() == pytest.approx(b.std().item(), rel=0.06)


@pytest.mark.oracle("closed form; autograd's second derivative", "models.GutenbergRichter.standard_error")
@pytest.mark.parametrize("width", [0.0, 0.1, 0.5])
def test_aki_is_the_inverse_of_the_information(width):
    x = law(1.0, bin_width=width).sample(100, seeded(3))
    model = GutenbergRichter(2.0, width)
    model.maximise(x)

    slope, = torch.autograd.grad(-model.log_prob(x).sum(), model.log_rate, create_graph=True)
    curvature, = torch.autograd.grad(slope, model.log_rate)
    information = curvature / model.b_value.detach() ** 2  # at the maximum, where the slope is 0
    torch.testing.assert_close(model.standard_error(x), information.rsqrt())
    if not width:
        torch.testing.assert_close(model.standard_error(x), model.b_value.detach() / 10)
        shi_bolt = math.log(10) * model.b_value.detach() ** 2 * x.std() / 10
        torch.testing.assert_close(model.standard_error(x, method="shi-bolt"), shi_bolt)


def test_rounded_magnitudes_need_bins():
    """Ridgecrest, given to 0.01 and rounded to 0.1: with bins b stays what it was, without them it does not."""
    fine = datasets.ridgecrest().magnitude[:, None]
    fine = fine[fine[:, 0] >= 2.95]
    coarse = (fine * 10).round() / 10
    best, binned, raw = GutenbergRichter(2.95, 0.01), GutenbergRichter(3.0, 0.1), GutenbergRichter(3.0)
    for model, x in ((best, fine), (binned, coarse), (raw, coarse)):
        model.maximise(x)
    error = best.standard_error(fine).item()
    assert abs(binned.b_value.item() - best.b_value.item()) < 0.3 * error
    assert raw.b_value.item() > best.b_value.item() + error


@pytest.mark.oracle("message pinned", "models.GutenbergRichter.require_data")
def test_bad_magnitudes_are_named():
    x = torch.tensor([[1.96], [2.3], [0.5]])
    with pytest.raises(ValueError, match=r"`x` must hold magnitudes from the completeness 2 on; got 2 below it, the "
                                         r"smallest 0\.5\."):
        GutenbergRichter(2.0).require_data(x)
    with pytest.raises(ValueError, match=r"got 1 below it, the smallest 0\.5\."):
        GutenbergRichter(2.0, 0.1).maximise(x)
    with pytest.raises(NumericalError, match=r"Every magnitude is the completeness itself.*Remedy: more data"):
        GutenbergRichter(2.0, 0.1).maximise(x[:1])
    with pytest.raises(ValueError, match=r"`method` must be one of 'aki', 'shi-bolt'; got 'utsu'\."):
        law(1.0).standard_error(x[1:2], method="utsu")
    with pytest.raises(ValueError, match=r"`x` must have at least two rows; got \(1, 1\)\."):
        law(1.0).standard_error(x[1:2])


@pytest.mark.parametrize(("arguments", "message"), [
    ((math.nan,), r"`completeness` must be a finite number; got nan\."),
    ((2.0, -0.1), r"`bin_width` must be a finite number >= 0; got -0\.1\."),
    ((2.0, math.inf), r"`bin_width` must be a finite number >= 0; got inf\."),
])
def test_bad_sizes_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        GutenbergRichter(*arguments)
