"""The experiments of lesson 07, held against closed forms, quadrature and the library."""

import math

from course_lib import datasets, rng
from course_lib.inference import oracle
from course_lib.lessons.n07_latents_and_features import (
    check,
    experiments,
    explorers,
    features,
    galaxies,
    inverting,
    sprites,
    unseen,
)
from course_lib.lessons.n07_latents_and_features.sprites import Causes
from course_lib.models import GaussianMixture

import pytest
import torch


@pytest.fixture
def causes():
    return sprites.sample_causes(64, rng.seeded(0))


def test_a_sprite_has_the_area_that_its_size_says(causes):
    """A blurred edge holds as much ink outside as it lacks inside, up to its curvature."""
    shape, numbers = causes
    area = sprites.render(shape, numbers).sum(-1) / numbers[:, 4]
    torch.testing.assert_close(area, math.pi * numbers[:, 0].square(), rtol=0.1, atol=0)


def test_the_centre_of_a_sprite_is_its_place(causes):
    clean = sprites.render(*causes).unflatten(-1, (20, 20))
    found = features.moments(clean)
    torch.testing.assert_close(found.right, causes.numbers[:, 2], atol=0.05, rtol=0)
    torch.testing.assert_close(found.down, causes.numbers[:, 3], atol=0.05, rtol=0)


def test_the_renderer_is_differentiable_in_every_number(causes):
    numbers = causes.numbers[:8].clone().requires_grad_()
    (slope,) = torch.autograd.grad(sprites.render(causes.shape[:8], numbers)[:, 150:].square().sum(), numbers)
    for k, step in enumerate(1e-6 * torch.eye(5)):
        ends = (sprites.render(causes.shape[:8], numbers.detach() + way) for way in (step, -step))
        up, down = (end[:, 150:].square().sum(-1) for end in ends)
        torch.testing.assert_close(slope[:, k], (up - down) / 2e-6, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("shape", "turns"), [(1, 2), (2, 3), (3, 4)])
def test_a_shape_lies_on_itself_after_its_turn_and_not_before(shape, turns):
    numbers = torch.tensor([[3.5, 0.4, 0.6, -0.3, 1.0]]).repeat(2, 1)
    numbers[1, 1] += 2 * math.pi / turns
    one, other = sprites.render(torch.full((2,), shape), numbers)
    torch.testing.assert_close(one, other)
    numbers[1, 1] -= math.pi / turns
    assert (sprites.render(torch.full((2,), shape), numbers)[1] - one).abs().max() > 0.1


def test_the_table_holds_the_likelihood_of_every_pair(causes):
    clean = sprites.render(*causes)
    x = clean[:5] + 0.1 * torch.randn(5, 400, generator=rng.seeded(1))
    pairs = torch.distributions.Normal(clean, 0.1).log_prob(x[:, None]).sum(-1)
    torch.testing.assert_close(sprites.log_likelihood_table(x, clean), pairs)
    torch.testing.assert_close(sprites.log_likelihood(x, clean[:5]), pairs.diagonal())


def test_brute_force_is_the_librarys_quadrature():
    truth = torch.tensor([3.0, 0.5, 0.7, -0.4, 0.45])
    x = sprites.sample(Causes(torch.tensor([2]), truth[None]), rng.seeded(2))[0]
    found = inverting.brute_force(x, truth, (2,), {"size": 30, "light": 20})
    sizes, lights = (oracle.grid(low, high, n)[0][:, 0] for low, high, n in ((2.5, 4.5, 30), (0.4, 1.0, 20)))
    points = torch.cartesian_prod(sizes, lights)

    def log_likelihood(z):
        numbers = truth.repeat(len(z), 1)
        numbers[:, [0, 4]] = z[:, 0]
        return sprites.log_likelihood(x, sprites.render(torch.full((len(z),), 2), numbers))[:, None]

    weights = torch.full((len(points),), -math.log(len(points)))
    exact = oracle.quadrature(log_likelihood, points, weights)
    assert found.log_evidence == pytest.approx(exact.log_evidence.item())
    torch.testing.assert_close(found.masses.flatten(), exact.log_posterior[0].exp())
    assert found.masses.shape == (1, 30, 1, 1, 1, 20)
    assert found.rendered == 30


def test_the_angle_has_as_many_humps_as_the_shape_has_symmetries():
    same = Causes(torch.arange(4), torch.tensor([3.5, 0.9, 0.7, -0.4, 0.8]).repeat(4, 1))
    _, masses = inverting.angle_posterior(sprites.sample(same, rng.seeded(2)), same)
    assert inverting.count_peaks(masses).tolist() == list(sprites.TURNS)
    torch.testing.assert_close(masses.sum(-1), torch.ones(4))


def test_inverting_finds_the_causes_of_clean_pictures(causes):
    found = inverting.invert(sprites.render(*causes), rng.seeded(3))
    assert (found.shape == causes.shape).double().mean() > 0.95
    gap = (sprites.render(*found) - sprites.render(*causes)).abs().amax(-1)
    assert gap.median() < 1e-3


def test_inverting_never_does_worse_than_the_best_guess(causes):
    x = sprites.sample(causes, rng.seeded(4))
    guess = sprites.sample_causes(4000, rng.seeded(5))
    best = torch.cdist(x, sprites.render(*guess)).amin(-1)
    found = (x - sprites.render(*inverting.invert(x, rng.seeded(5)))).norm(dim=-1)
    assert (found <= best + 1e-9).all()


def test_the_linear_map_is_that_of_least_squares():
    g = rng.seeded(6)
    z, y = torch.randn(50, 4, generator=g), torch.randn(50, 2, generator=g)
    design = torch.cat([z, torch.ones(50, 1)], 1)
    exact = torch.linalg.lstsq(design, y).solution
    torch.testing.assert_close(experiments.linear_map(z, y), exact, atol=1e-6, rtol=1e-6)


def test_r_squared_is_that_of_the_exercise():
    g = rng.seeded(7)
    z, z_new = torch.randn(40, 3, generator=g), torch.randn(30, 3, generator=g)
    y, y_new = z.sum(-1) + torch.randn(40, generator=g), z_new.sum(-1) + torch.randn(30, generator=g)
    said = experiments.predict(experiments.linear_map(z, y[:, None]), z_new)
    ours = experiments.r_squared(said, y_new[:, None]).value
    assert ours == pytest.approx(check.exercises["r_squared"].reference(z, y, z_new, y_new).item(), abs=1e-6)


def test_r_squared_of_a_code_does_not_change_when_it_is_turned():
    causes, x = experiments.pictures_of(400, 8)
    z = experiments.ppca(x, 5).posterior(x).loc
    turned = z @ experiments.rotation(5, rng.seeded(9)).mT
    plain, other = (experiments.seen_by((code, code), (causes, causes)) for code in (z, turned))
    for name in experiments.TARGETS:
        assert plain[name].value == pytest.approx(other[name].value, abs=1e-6)


def test_a_rotation_is_one():
    R = experiments.rotation(4, rng.seeded(10))
    torch.testing.assert_close(R.mT @ R, torch.eye(4))
    assert torch.linalg.det(R).item() == pytest.approx(1)


def test_the_held_out_corner_is_seen_by_nobody():
    here = unseen.world(("size", "right"), seed=3)
    middle = ((sprites.LOWER + sprites.UPPER) / 2)[[0, 2]]
    assert not (here.y > middle).all(-1).any()
    assert ((here.y > middle).double().mean(0) > 0.25).all()  # each high value alone is common
    assert [len(part) for part in here[1:4]] == [1500, 400, 400]


def test_the_memory_is_a_mixture_of_gaussians():
    x = torch.randn(3, 400, generator=rng.seeded(11))
    store = torch.randn(6, 400, generator=rng.seeded(12))
    mixture = GaussianMixture(6, 400)
    with torch.no_grad():
        mixture.loc.copy_(store)
        mixture.log_scale.fill_(math.log(0.3))
        torch.testing.assert_close(unseen.remembered(x, store, 0.3), mixture.log_prob(x))


def test_the_decoders_evidence_is_the_librarys_quadrature():
    model = unseen.PictureDecoder(rng.seeded(13), hidden=5, points=6)
    x = torch.randn(2, 400, generator=rng.seeded(14))
    exact = oracle.quadrature(
        lambda z: torch.distributions.Normal(model.network(z), model.log_noise.exp()).log_prob(x).sum(-1), *model.rule)
    torch.testing.assert_close(model.evidence(x).log_evidence, exact.log_evidence)
    torch.testing.assert_close(model.loss(x, rng.seeded(0)), -exact.log_evidence)


def test_the_truth_is_converged():
    here = unseen.world(("size", "right"), seed=3)
    coarse, fine = (unseen.true_log_prob(here, here.x_seen[:50], points) for points in (80, 100))
    assert (coarse - fine).abs().mean() < 0.1


def test_galaxies_are_measured_as_in_the_catalogue():
    sky = datasets.hubble()
    agree = galaxies.correlations(features.measure_galaxies(sky.x), galaxies.catalogue(sky)).diagonal()
    assert (agree > torch.tensor([0.85, 0.9, 0.5, 0.5, 0.9])).all()


def test_the_renderer_shows_what_it_says():
    explorer = explorers.the_renderer()
    explorer.set(noise_level=0.0, shape="disc", size=3.0, light=0.5)
    assert "A disc of size 3.00" in explorer.alt
    explorer.set(light=1.0)
    assert "light 1.00" in explorer.alt


def test_the_explorer_of_causes_is_sure_without_noise_and_unsure_with():
    explorer = explorers.which_causes()
    explorer.set(noise=0.05)
    assert "triangle 100%" in explorer.alt
    explorer.set(noise=1.0, light=0.05)
    assert "triangle 100%" not in explorer.alt


def test_a_square_is_lost_at_half_the_noise_of_a_triangle_and_only_the_ratio_counts():
    explorer = explorers.which_causes()
    said = {}
    for shape, noise in (("triangle", 0.8), ("triangle", 0.4), ("square", 0.4), ("square", 0.5)):
        explorer.set(shape=shape, light=0.8, noise=noise)
        said[shape, noise] = int(explorer.alt.split(": ")[1].split(f"{shape} ")[1].split("%")[0])
        explorer.set(light=0.4, noise=noise / 2)
        assert int(explorer.alt.split(": ")[1].split(f"{shape} ")[1].split("%")[0]) == said[shape, noise]
    assert said["triangle", 0.8] > said["square", 0.5]
    assert said["square", 0.4] > said["square", 0.5]


def test_a_turn_moves_the_latents_and_not_the_picture():
    explorer = explorers.a_galaxy()
    before = explorer.alt
    explorer.set(turn=90.0)
    kept = [alt.split("First two latents")[0] for alt in (before, explorer.alt)]
    assert kept[0] == kept[1]
    assert before != explorer.alt
