"""The experiments of lesson 10, held against enumeration, scipy and closed forms; the claims of its text."""

import itertools
import math

from course_lib import rng
from course_lib.inference import oracle
from course_lib.lessons import weights
from course_lib.lessons.n10_deep_latent_variable_models import experiments
from course_lib.lessons.n10_deep_latent_variable_models.explorers import one_of_each, the_latent_plane
from course_lib.models import DeepLatentVariableModel, ProbabilisticPCA

import pytest
import torch
from scipy.stats import multivariate_normal, norm

BINARY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64)  # all pictures of four pixels


def small(**options) -> DeepLatentVariableModel:
    model = DeepLatentVariableModel(4, 2, hidden=(5,), points=6, generator=rng.seeded(0), **options)
    return model.requires_grad_(False)


@pytest.mark.parametrize("seen", [[1, 0, 0, 1], [0, 0, 0, 1], [1, 1, 1, 1]])
def test_a_part_is_the_whole_with_the_rest_summed_out(seen):
    model, seen = small(), torch.tensor(seen, dtype=torch.bool)
    rule = oracle.normal_grid(20, 2)
    every = model.evidence(BINARY, rule).log_evidence.exp()  # (16,)
    same = (BINARY[:, None] == BINARY)[..., seen].all(-1)  # (16, 16): agree in what is seen
    torch.testing.assert_close(experiments.part_log_prob(model, BINARY, seen, points=20).exp(), same.double() @ every)


def test_each_label_has_its_evidence():
    model, rule = small(classes=3), oracle.normal_grid(10, 2)
    columns = [model.evidence(BINARY, rule, torch.full((16,), label)).log_evidence for label in range(3)]
    torch.testing.assert_close(experiments.log_prob_each_label(model, BINARY, points=10), torch.stack(columns, -1))


def test_the_mass_of_a_cell_is_that_of_the_gaussian():
    model = ProbabilisticPCA(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.5], [-0.3]]))
        model.loc.copy_(torch.tensor([0.8, 0.4]))
        model.log_scale.fill_(math.log(0.6))
        covariance = model.weight @ model.weight.mT + 0.36 * torch.eye(2)
    gaussian = multivariate_normal(model.loc.detach().numpy(), covariance.numpy())
    cells = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    truth = [gaussian.cdf(cell.numpy() + 1, lower_limit=cell.numpy()) for cell in cells]
    found = experiments.cell_log_prob(model, cells, points=2000).exp()
    assert found.tolist() == pytest.approx(truth, rel=1e-4)


def test_the_spread_bounds_the_mass_of_the_cell():
    g, x = rng.seeded(1), BINARY.repeat(200, 1)
    model = ProbabilisticPCA(4, 2)
    model.maximise(experiments.spread(x, g))
    spread = experiments.spread(x, g)
    assert ((spread >= x) & (spread < x + 1)).all()
    bound = model.log_prob(spread).detach().reshape(200, 16).mean(0)
    assert (bound < experiments.cell_log_prob(model, BINARY)).all()


def test_a_straight_line_gives_a_gaussian_with_one_mode():
    z, _ = oracle.normal_grid(4000, 1)
    x = torch.linspace(-4, 4, 801)
    p = experiments.marginal(x, z[:, 0], noise=0.5)
    assert p.numpy() == pytest.approx(norm.pdf(x.numpy(), scale=1.25**0.5), abs=1e-4)
    assert experiments.count_modes(p) == 1


@pytest.mark.parametrize("bend", [0.1, 4.0])
def test_a_bent_line_has_mean_0_variance_1_and_a_marginal_of_mass_1(bend):
    z, _ = oracle.normal_grid(2000, 1)
    loc = experiments.bent_line(0, bend)(z)[:, 0]
    assert loc.mean().item() == pytest.approx(0, abs=1e-9)
    assert loc.var(correction=0).item() == pytest.approx(1)
    x = torch.linspace(-8, 8, 2001)
    assert torch.trapezoid(experiments.marginal(x, loc, 0.15), x).item() == pytest.approx(1, abs=1e-6)


def test_modes_are_counted():
    x = torch.linspace(0, 6 * math.pi, 1000)
    assert experiments.count_modes(1.1 + x.sin()) == 3


@pytest.mark.parametrize(("stride", "count"), [(1, 784), (2, 196), (3, 81), (4, 49)])
def test_every_stride_keeps_its_pixels(stride, count):
    kept = experiments.every(stride)
    assert int(kept.sum()) == count
    rows = kept.reshape(28, 28).any(1).nonzero()[:, 0]
    assert (rows.diff() == stride).all()


def test_the_map_has_z1_to_the_right_and_z2_up():
    model = DeepLatentVariableModel(784, 2, hidden=(), generator=rng.seeded(0))
    with torch.no_grad():
        model.decoder[0].weight.copy_(torch.tensor([3.0, 1.0]))
        model.decoder[0].bias.zero_()
    corners = experiments.plane_tiles(model, 2)[::28, ::28].logit()
    z = oracle.normal_grid(2, 1)[0][1].item()
    assert corners.flatten().tolist() == pytest.approx([-2 * z, 4 * z, -4 * z, 2 * z])


@pytest.fixture(scope="module")
def shipped():
    """The shipped model and the held-out digits, in double precision."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield weights.trained(weights.PLANE), weights.digits()[1]
    torch.set_default_dtype(before)


def test_large_errors_of_the_sum_are_downwards(shipped):
    model, x = shipped[0], shipped[1][:300]
    fine = model.evidence(x, oracle.normal_grid(80, 2)).log_evidence
    for points in (6, 10, 30):
        error = model.evidence(x, oracle.normal_grid(points, 2)).log_evidence - fine
        assert error.mean() < 0
        assert error.max() < 5
        assert points == 30 or error.min() < -20


def test_the_plane_of_the_browser_has_the_same_evidence(shipped):
    model, x = shipped[0], one_of_each()
    plane = the_latent_plane()
    plane.set(image=3)
    fine = model.evidence(x[3:4], oracle.normal_grid(80, 2)).log_evidence.item()
    assert plane.exact().log_evidence.item() == pytest.approx(fine, abs=1)
