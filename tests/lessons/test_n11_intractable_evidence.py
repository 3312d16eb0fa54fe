"""The experiments of lesson 11, held against scipy, quadrature and closed forms; the claims of its text."""

import math

from course_lib import rng
from course_lib.inference import oracle
from course_lib.lessons.n11_intractable_evidence import boat, check, experiments, explorers, find_the_bug, grids, plane
from course_lib.lessons.n11_intractable_evidence.explorers import PROPOSALS, _annealing, table
from course_lib.models import ProbabilisticPCA

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import linregress


def small_ppca(latents: int = 2) -> ProbabilisticPCA:
    """Six features and a small noise, so that a grid over two latents is exact."""
    model = ProbabilisticPCA(6, latents)
    with torch.no_grad():
        model.weight.copy_(torch.randn(6, latents, generator=rng.seeded(1)))
        model.loc.copy_(torch.randn(6, generator=rng.seeded(2)))
        model.log_scale.fill_(math.log(0.7))
    return model.requires_grad_(False)


@pytest.fixture
def picture() -> experiments.OnePicture:
    return experiments.one_picture(small_ppca(), torch.ones(1, 6))


# The boat


def test_the_boats_evidence_is_scipys():
    def joint(z: float) -> float:
        return boat.log_joint(torch.tensor([[z]])).exp().item()

    for side, (low, high) in zip(boat.log_evidence_by_side(), [(-6, boat.BUOY), (boat.BUOY, 8)], strict=True):
        assert quad(joint, low, high, epsabs=1e-12, limit=200)[0] == pytest.approx(side.exp().item(), rel=1e-7)


def test_jensens_gap_is_that_of_many_draws():
    log_of_mean, mean_of_log = boat.jensen_gap()
    assert log_of_mean.item() == pytest.approx(boat.log_evidence().item(), abs=1e-9)
    log_w = boat.log_likelihood(torch.randn(2, 100_000, 1, generator=rng.seeded(0)))
    found = log_w.logsumexp(0) - math.log(2)
    assert abs(found.mean() - mean_of_log) < 5 * found.std() / math.sqrt(len(found))


def test_a_metropolis_step_leaves_its_density_as_it_is():
    z, log_width = oracle.grid(-3, 5, 200)
    density = boat.log_joint(z) + log_width
    matrix = boat.metropolis_matrix(density, reach=7)
    torch.testing.assert_close(matrix.sum(-1), torch.ones(200))
    torch.testing.assert_close(density.exp() @ matrix, density.exp())
    assert (matrix >= 0).all()
    assert matrix[0, 8:].max() == 0


# Grids


def test_the_line_is_scipys():
    seconds = 10 ** torch.tensor([[0.1, 0.2], [1.3, 1.5], [2.7, 2.6]])
    line = grids.growth([3, 4, 5], seconds)
    theirs = linregress([3, 3, 4, 4, 5, 5], seconds.log10().flatten().tolist())
    assert line.slope == pytest.approx((theirs.slope, theirs.stderr))
    assert line.log10_seconds(20) == pytest.approx((theirs.intercept + 20 * theirs.slope, 16 * theirs.stderr))


def test_a_timed_quadrature_finds_the_evidence():
    found = grids.timed_quadratures([small_ppca(1), small_ppca(2)], torch.ones(1, 6), size=60, repeats=2)
    assert [one.error for one in found] == pytest.approx([0, 0], abs=1e-3)
    assert all((one.seconds > 0).all() and len(one.seconds) == 2 for one in found)


# Probabilistic PCA


def test_one_picture_is_the_model(picture):
    model, x = small_ppca(), torch.ones(1, 6)
    z = torch.randn(7, 1, 2, generator=rng.seeded(3))
    torch.testing.assert_close(picture.log_joint(z)[:, 0], model.log_joint(x, z)[:, 0])
    torch.testing.assert_close(picture.log_evidence, model.log_prob(x)[0])
    torch.testing.assert_close(picture.posterior.covariance, model.posterior(x).covariance)


def test_moments_of_the_weights_are_integrals(picture):
    points, log_weights = oracle.grid(-9, 9, 500, 2)
    log_w, log_mass = picture.log_likelihood(points), picture.log_prior(points) + log_weights
    square = (log_mass + 2 * log_w).logsumexp(0) - 2 * picture.log_evidence
    torch.testing.assert_close(experiments.log_mean_square_weight(picture), square)
    posterior = (log_mass + log_w - picture.log_evidence).exp()
    divergence = (posterior * (log_w - picture.log_evidence)).sum()
    torch.testing.assert_close(experiments.divergence_from_prior(small_ppca(), torch.ones(1, 6))[0], divergence)


def test_the_delta_method_holds_with_many_draws(picture):
    made = experiments.naive(picture, 4000, 2000, rng.seeded(4))
    errors = made.log_evidence - picture.log_evidence
    predicted = experiments.delta_method(experiments.log_mean_square_weight(picture), 4000)
    assert abs(errors.mean() - predicted) < 5 * errors.std() / math.sqrt(len(errors))


def test_blocks_are_weighted_draws(picture):
    single, double = experiments.naive_in_blocks(picture, [1000, 2000], 4, rng.seeded(5))
    g = rng.seeded(5)
    for block in range(2):
        parts = [experiments.naive(picture, 1000, 1, g) for _ in range(2)]
        for part, place in zip(parts, (2 * block, 2 * block + 1), strict=True):
            assert single.errors[place] == pytest.approx((part.log_evidence - picture.log_evidence).item())
            assert single.claimed[place] == pytest.approx(part.standard_error.item())
        whole = parts[0]._replace(log_weights=torch.cat([part.log_weights for part in parts]))
        assert double.errors[block] == pytest.approx((whole.log_evidence - picture.log_evidence).item())
        assert double.claimed[block] == pytest.approx(whole.standard_error.item())


def test_a_claimed_error_is_never_above_one():
    log_w = 300 * torch.randn(50, 200, generator=rng.seeded(6))
    made = experiments.Weighted(log_w, log_w)
    assert made.standard_error.max() <= 1 + 1e-12
    assert made.jensen_bias.min() >= -0.5 - 1e-12


def test_proposals_are_weighed_alike(picture):
    exact = experiments.weighed(picture, picture.posterior, 10, 3, rng.seeded(7))
    torch.testing.assert_close(exact.log_weights, picture.log_evidence.expand(10, 3))
    wide = experiments.weighed(picture, experiments.scaled(picture.posterior, 1.2, shift=0.5), 4000, 50, rng.seeded(8))
    ratios = (wide.log_evidence - picture.log_evidence).exp()
    assert abs(ratios.mean() - 1) < 5 * ratios.std() / math.sqrt(50)


def test_both_ways_of_annealing_average_to_the_truth(picture):
    bounds = experiments.bounds(picture, (200, 20), 5, rng.seeded(9))
    up = experiments.annealed(picture, (200, 20), 5, rng.seeded(10))
    for ratios in ((bounds.lower - picture.log_evidence).exp(), (picture.log_evidence - bounds.upper).exp(),
                   (up - picture.log_evidence).exp()):
        assert abs(ratios.mean() - 1) < 5 * ratios.std() / math.sqrt(20)


def test_gradients_agree_with_many_draws_and_few_latents():
    found = experiments.gradient_agreement(small_ppca(), torch.ones(2, 6), 20_000, rng.seeded(11))
    assert (found > 0.99).all()


def test_a_budget_is_spent_in_four_ways(picture):
    errors = experiments.within_a_budget(picture, 4096, 3, rng.seeded(12))
    assert set(errors) == {"grid", "draws from the prior", "draws near the posterior", "annealing"}
    assert all(values.abs().max() < 0.5 for values in errors.values())


# The decoder


def test_the_truth_of_the_plane_is_that_of_a_rule_with_other_points():
    model, x = plane.trained(torch.float32), plane.digits(5, torch.float32)
    ours = plane.truth(model, x, 150).log_evidence
    points, log_weights = oracle.normal_grid(150, 2)
    theirs = model.evidence(x, (points.float(), log_weights.float())).log_evidence
    torch.testing.assert_close(ours, theirs.double(), atol=0.3, rtol=0)


def test_blocks_of_the_plane_are_averages():
    log_w = torch.randn(7, 3, generator=rng.seeded(13))
    expected = torch.stack([log_w[:3].exp().mean(0), log_w[3:6].exp().mean(0)]).log()
    torch.testing.assert_close(plane.naive_blocks(log_w, 3), expected)


# What the text claims


def test_the_planted_fault_is_caught_by_the_mean_weight():
    ladder = torch.linspace(0, 1, 6)
    table = find_the_bug.recorded(ladder, 2000, rng.seeded(1))
    right, faulty = (
        (weigh(table, ladder) - boat.log_evidence()).exp()
        for weigh in (find_the_bug.annealing_log_weights, find_the_bug.colleagues_log_weights)
    )
    assert abs(right.mean() - 1) < 4 * right.std() / math.sqrt(2000)
    assert faulty.mean() - 1 > 10 * faulty.std() / math.sqrt(2000)


def test_the_answers_below_the_first_explorer():
    def held(latents: int, proposal: int, power: int) -> int:
        errors, claimed = table(latents, PROPOSALS[proposal])[..., power - 1]
        return int((errors.abs() < 2 * claimed).sum())

    assert held(2, 0, 13) >= 18
    assert held(2, 0, 9) < 10
    assert held(8, 0, 13) == 0
    assert table(64, PROPOSALS[1])[0, :, 7].abs().mean() < 0.3  # 256 draws


@pytest.mark.parametrize("seed", [0, 6, 9])
def test_no_chain_passes_the_buoy_late(seed):
    steps = list(_annealing(20, seed))
    east = torch.stack([(z[:, 0] > boat.BUOY).sum() for z, _, _ in steps])
    assert len(set(east[5:].tolist())) == 1  # from temperature 0.25 on
    assert len(set(east[:4].tolist())) > 1


@pytest.mark.parametrize(("mean", "scale", "dial"), [(-0.48, 0.2, "99."), (3.37, 0.2, "99.")])
def test_the_dial_does_not_tell_the_humps_apart(mean, scale, dial):
    explorer = explorers.sticks_and_dial()
    explorer.set(q=[{"mean": [mean], "covariance": [[scale**2]]}])
    assert f"km: {dial}" in explorer.alt


def test_a_narrow_proposal_is_usually_too_low():
    explorer, low = explorers.sticks_and_dial(), 0
    explorer.set(q=[{"mean": [-0.48], "covariance": [[0.07**2]]}])
    for _ in range(20):
        explorer.press("again")
        low += float(explorer.alt.split("log p(x) as ")[1].split()[0]) < boat.log_evidence().item()
    assert low >= 14


@pytest.mark.parametrize("answer", [None, (1, 2, 3), ("a", "b"), (float("nan"), 1.0), (3.36, 1e-300)])
def test_what_is_no_proposal_is_told_so(answer):
    assert check.confident_and_wrong(lambda log_joint: answer).passed is False
