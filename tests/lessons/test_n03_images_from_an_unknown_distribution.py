"""The experiments of lesson 03, held against counting, sampling, autograd, other encoders and scipy."""

import io
import lzma
import math
import zlib

from course_lib import rng
from course_lib.functional import categorical_kl
from course_lib.lessons.n03_images_from_an_unknown_distribution import (
    check,
    compression,
    divergence,
    experiments,
    explorers,
    galleries,
)
from course_lib.models import BernoulliMixture

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import entropy, hypergeom
from torch.distributions import kl_divergence

X, X_NEW = (part.double() for part in experiments.digits())


def test_digits_do_not_overlap():
    assert (len(X), len(X_NEW)) == (4000, 1000)
    assert (experiments.distances(X_NEW, X) > 0.5).all()


def test_large_numbers_are_those_of_the_textbooks():
    large = experiments.large_numbers()
    year = 365.25 * 24 * 3600
    assert 10 ** large["seconds since the Big Bang"] / year == pytest.approx(13.8e9, rel=0.005)  # Planck 2018: 13.797
    assert 79 < large["atoms in the observable universe"] < 81


def test_distances_are_counts():
    a, b = X[:5], X_NEW[:7]
    expected = torch.tensor([[(p != q).sum() for q in b] for p in a]).double()
    torch.testing.assert_close(experiments.distances(a, b), expected)


def test_the_store_is_searched_pixel_by_pixel():
    pixels = torch.tensor([300, 301, 405, 406])
    expected = [int((X[:, pixels] == row[pixels]).all(-1).sum()) for row in X_NEW[:20]]
    assert experiments.how_many_fit(X_NEW[:20], X, pixels).tolist() == expected


def test_the_chance_of_a_hit_is_hypergeometric():
    fitting, sizes = torch.tensor([0, 1, 7, 100]), torch.tensor([1.0, 10.0, 95.0, 100.0])
    found = experiments.chance_of_a_hit(fitting, 100, sizes)
    expected = [[1 - hypergeom.pmf(0, 100, count, int(size)) for size in sizes] for count in fitting.tolist()]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_the_size_for_half_is_found_between_two_sizes():
    sizes = torch.tensor([1.0, 2.0, 4.0, 8.0])
    hit = torch.tensor([[0.1, 0.3, 0.7, 0.9]])
    assert experiments.size_for_half(hit, sizes).item() == pytest.approx(1.5)
    assert experiments.size_for_half(hit + 0.5, sizes) == 0
    assert experiments.size_for_half(hit / 2, sizes).isnan()
    needed, slope = experiments.doubling(torch.stack([hit, hit[:, [0, 0, 1, 2]]]), [4, 8], sizes)
    torch.testing.assert_close(needed, torch.tensor([1.5, 2.5]))
    assert slope.item() == pytest.approx(1 / 4)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = torch.randn(9, generator=rng.seeded(0))
    parts = torch.stack([values[torch.arange(9) != out].mean() for out in range(9)])
    torch.testing.assert_close(experiments.jackknife(parts), values.std() / 3)


def test_neighbours_share_a_side():
    touch = experiments.neighbours(3)
    assert touch.sum() == 2 * 12
    assert touch[4].nonzero()[:, 0].tolist() == [1, 3, 5, 7]
    assert touch[0].nonzero()[:, 0].tolist() == [1, 3]


def test_knowing_the_neighbours_helps_with_little_and_not_with_much():
    gain = [scores[:, 2] - scores[:, 1] for scores in
            (experiments.held_out_with_little(X, X_NEW, n, repeats=2, seed=0) for n in (20, 2000))]
    assert (gain[0] > 10).all()
    assert (gain[1].abs() < 1).all()


def test_copies_and_their_density_are_the_same_model():
    few = X[:30]
    model = experiments.learnt_by_heart(few, 0.05)
    assert isinstance(model, BernoulliMixture)
    sample = experiments.copies(few, 20_000, 0.05, rng.seeded(1))
    difference = sample.mean(0) - model.weights @ model.probabilities
    z = difference / (sample.var(0) / len(sample)).sqrt().clamp_min(1e-3)
    assert z.abs().max() < 5
    off = few[:1] * 1  # an exact image: its own component explains it almost alone
    assert model.log_prob(off).item() == pytest.approx(784 * math.log(0.95) - math.log(30), abs=1e-6)


def test_the_ratio_catches_what_the_distance_misses():
    null = experiments.nearest_two(X_NEW, X)
    found = experiments.nearest_two(experiments.copies(X, 500, 0.05, rng.seeded(2)), X)
    by_distance, by_ratio = (experiments.caught(ours, honest) for ours, honest in zip(found, null))
    assert by_distance.value < 0.01
    assert by_ratio.value > 0.8
    assert experiments.caught(null[1], null[1]).value == pytest.approx(0.05, abs=0.005)


def test_a_png_is_read_back_by_another_reader():
    with Image.open(io.BytesIO(compression.png(X[:3]))) as image:
        assert (image.mode, image.size) == ("1", (28, 84))
        np.testing.assert_array_equal(np.array(image), X[:3].reshape(84, 28).numpy().astype(bool))


def test_our_png_is_no_larger_than_pillows():
    file = io.BytesIO()
    Image.fromarray(X[0].reshape(28, 28).numpy().astype(bool)).save(file, "PNG", optimize=True)
    assert len(compression.png(X[:1])) <= len(file.getvalue())


def test_the_compressors_lose_nothing():
    data = compression.packed(X[:50])
    assert len(data) == 50 * 28 * 4
    assert lzma.decompress(compression.smallest(data), lzma.FORMAT_RAW, filters=[compression.SMALLEST]) == data
    bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(-1, 4), axis=1)[:, :28]
    np.testing.assert_array_equal(bits.reshape(50, 784), X[:50].numpy())
    found = compression.bits(X[:100], X_NEW[:40], group=20)
    first = len(zlib.compress(compression.packed(X_NEW[:20]), 9)) * 8 / 20
    second = len(zlib.compress(compression.packed(X_NEW[20:40]), 9)) * 8 / 20
    assert found["zlib, 20 digits"].value == pytest.approx((first + second) / 2)
    assert found["LZMA, 20 after the training digits"].value < found["LZMA, 20 digits"].value


def test_patches_and_their_numbers_agree():
    patches = divergence.all_patches()
    numbers = divergence.patch_numbers(X[:50])
    cut = X[:50].reshape(-1, 28, 28)[:, 12:15, 13:16].flatten(1)
    torch.testing.assert_close(patches[numbers], cut)


@pytest.mark.parametrize("name", divergence.FITS)
def test_a_fit_adds_up_to_one_and_nears_nature(name):
    p = torch.bincount(divergence.patch_numbers(X), minlength=512) / 4000.0
    few, many = (divergence.FITS[name](divergence.draw(p, n, 1, seed=1)[0]) for n in (20, 2000))
    assert few.exp().sum().item() == pytest.approx(1)
    assert categorical_kl(p, many) < categorical_kl(p, few)
    assert categorical_kl(p, many).item() == pytest.approx(entropy(p, many.exp()))


def test_draws_have_the_frequencies_of_the_table():
    p = torch.tensor([0.5, 0.3, 0.2])
    counts = divergence.draw(p, 1000, 40, seed=0)
    assert counts.shape == (40, 3)
    assert (counts.sum(-1) == 1000).all()
    z = (counts.mean(0) - 1000 * p) / (1000 * p * (1 - p) / 40).sqrt()
    assert z.abs().max() < 5


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("start", [-4.0, 0.5, 4.0])
def test_descent_ends_where_autograd_finds_no_slope(forward, start):
    log_p = divergence.two_humps(0.35, 6.0)
    mean, scale = divergence.descend(log_p, start, 1.0, forward=forward)
    theta = torch.tensor([mean, math.log(scale)], requires_grad=True)
    divergence.both(log_p, divergence.gaussian(*theta))[0 if forward else 1].backward()
    assert theta.grad.abs().max() < 2e-3


@pytest.mark.parametrize(("mean", "scale"), [(0.0, 0.1), (0.9, 2.95), (6.0, 10.0)])
def test_divergences_of_a_wide_gaussian_lose_no_tail(mean, scale):
    log_p = divergence.two_humps(0.5, 0.0)  # one Gaussian: closed form
    p, q = torch.distributions.Normal(0.0, 0.7), torch.distributions.Normal(mean, scale)
    expected = torch.stack([kl_divergence(p, q), kl_divergence(q, p)])
    found = torch.stack(divergence.both(log_p, divergence.gaussian(mean, math.log(scale))))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_no_model_is_held_back_by_its_smoothing():
    p = torch.bincount(divergence.patch_numbers(X), minlength=512) / 4000.0
    curves = divergence.learning_curves(p, [100], repeats=3, seed=0)
    for name, fit in divergence.FITS.items():
        draws = divergence.draw(p, 100, 3, seed=0)
        for smoothing in divergence.SMOOTHINGS:
            tried = torch.stack([categorical_kl(p, fit(counts, smoothing)) for counts in draws])
            assert curves[name][0].mean() <= tried.mean() + 1e-12


def test_reverse_covers_near_humps_and_picks_far_ones():
    """What the explorer's answers claim."""
    for start in (-6.0, -0.5, 0.5, 6.0):
        assert abs(divergence.descend(divergence.two_humps(0.5, 3.0), start, 1.0, forward=False)[0]) < 0.01
        assert abs(divergence.descend(divergence.two_humps(0.5, 6.0), start, 1.0, forward=False)[0]) > 2.9


def test_a_gaussian_made_by_hand_may_be_anything():
    made = explorers.kl_by_hand()
    for covariance in (1e-12, 1e9):
        made.set(q=[{"mean": [-6.0], "covariance": [[covariance]]}])
        made.press("forward")
        assert "mean 0.90 and standard deviation 2.95" in made.alt
        made.press("reset")


def test_the_store_explorer_shows_what_fits():
    made = galleries.ask_the_store()
    made.set(k=0)
    assert "4000 of 4000 stored digits fit" in made.alt
    made.set(k=400)
    assert " 0 of 4000 stored digits fit" in made.alt


def test_counting_without_logs_is_named():
    said = str(check.count_in_bits(lambda height, width, channels, levels: levels ** (height * width * channels)))
    assert "number itself" in said


@pytest.mark.parametrize(("q", "words"), [
    ([0.5, 0.5], "must be a tensor"), (torch.tensor([0.5, 0.5]), "one tensor"), (None, "None"),
    (torch.full((6,), torch.nan), "finite and not negative"), (torch.full((6,), 1 / 6), "more than 0.1"),
])
def test_what_is_no_dropped_mode_is_told_so(q, words):
    assert words in str(check.mode_dropper(lambda p: q))
