"""The experiments of lesson 12, held against enumeration, elimination and autograd; the claims of its text."""

import importlib
import itertools
import math

from course_lib import datasets, metrics, rng
from course_lib.inference import elimination, oracle
from course_lib.lessons import weights
from course_lib.lessons.n12_intractable_posteriors import check, experiments, explorers, learning
from course_lib.models import BayesianNetwork, DeepLatentVariableModel

import pytest
import torch
from torch.distributions import Categorical

module = importlib.import_module("course_lib.lessons.n12_intractable_posteriors.explorers")
BINARY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64)  # all pictures of four pixels
SEEN = torch.tensor([True, False, True, False])


def small() -> DeepLatentVariableModel:
    return DeepLatentVariableModel(4, 2, hidden=(5,), points=6, generator=rng.seeded(0)).requires_grad_(False)


def plane(size: int = 25) -> experiments.Plane:
    """A small plane in double precision."""
    made = experiments.tabulate(small(), size, 4.0)
    numbers = {name: getattr(made, name).double() for name in ("points", "log_prior", "logits", "log_paper")}
    return made._replace(**numbers)


def test_what_is_covered_is_summed_out():
    made = plane()
    whole = experiments.log_joint(made, BINARY, torch.ones(4, dtype=torch.bool)).exp()  # (16, m)
    same = (BINARY[:, None] == BINARY)[..., SEEN].all(-1).double()  # (16, 16): agree in what is seen
    torch.testing.assert_close(experiments.log_joint(made, BINARY, SEEN).exp(), same @ whole)


def test_the_joint_is_that_of_the_model():
    made, model = plane(), small()
    points, log_width = oracle.grid(-4, 4, 25, 2)
    exact = model.evidence(BINARY, (points, model.log_prior(points) + log_width))
    joint = experiments.log_joint(made, BINARY, torch.ones(4, dtype=torch.bool))
    torch.testing.assert_close(joint.log_softmax(-1), exact.log_posterior, atol=1e-5, rtol=1e-5)


def test_the_entropy_of_the_prior_is_that_of_a_normal():
    made = plane(101)
    nothing = experiments.log_joint(made, BINARY[:1], torch.zeros(4, dtype=torch.bool))
    assert experiments.entropy(made, nothing).item() == pytest.approx(math.log(2 * math.pi * math.e), abs=5e-3)


def test_one_more_pixel_is_what_seeing_it_does():
    made = plane()
    joint = experiments.log_joint(made, BINARY, SEEN)
    found = experiments.one_more_pixel(made, joint)
    for pixel in (1, 3):
        after = experiments.log_joint(made, BINARY, SEEN.index_fill(0, torch.tensor(pixel), True))
        torch.testing.assert_close(found.happens(BINARY)[:, pixel], experiments.entropy(made, after))
    assert (found.expected[:, ~SEEN] <= found.now[:, None] + 1e-12).all()
    entropy = Categorical(logits=joint).entropy() + math.log(made.area)
    torch.testing.assert_close(found.now, entropy)


def test_rows_are_seen_one_after_another():
    made = experiments.tabulate(weights.trained(weights.PLANE).float(), 21, 3.0)
    x = weights.digits()[1][:3].float()
    found = experiments.entropy_by_rows(made, x)
    for row in (0, 7, 28):
        expected = experiments.entropy(made, experiments.log_joint(made, x, experiments.rows(row)))
        torch.testing.assert_close(found[row], expected, atol=2e-3, rtol=0)


def test_regions_are_separate():
    masses = torch.zeros(6, 6)
    masses[0, 0], masses[1, 1], masses[4, 4], masses[5, 0] = 0.3, 0.1, 0.59, 0.01  # the last is below 5 %
    first, second = experiments.regions(masses.flatten(), 6)
    assert masses.flatten()[first].sum().item() == pytest.approx(0.59)
    assert masses.flatten()[second].sum().item() == pytest.approx(0.4)  # neighbours across a corner belong together


def test_the_digit_with_two_causes_is_the_one_that_is_shown():
    made = experiments.tabulate(weights.trained(weights.PLANE).float(), 101)
    x = weights.digits()[1][:400].float()
    chosen, count = experiments.widest_gap(made, x, experiments.rows(10))
    assert chosen == module.TWO_CAUSES
    assert count > 5
    assert experiments.region_masses(made, x[chosen], experiments.rows(10))[1] > 0.35


def test_pairs_are_those_of_elimination():
    clinic = BayesianNetwork(datasets.bayesian_network("asia"))
    joint = experiments.joint_of(clinic)
    assert joint.sum().item() == pytest.approx(1)
    for first, second in (("tub", "lung"), ("lung", "tub"), ("bronc", "asia")):
        axes = [clinic.names.index(name) for name in (first, second)]
        found = experiments.pair_given(joint, {clinic.names.index("xray"): 0}, *axes)
        truth = elimination.eliminate(clinic.factors(), [first, second], {"xray": 0}).probabilities
        torch.testing.assert_close(found, truth.detach())


def test_mutual_information_is_a_divergence():
    apart = torch.tensor([[0.12, 0.28], [0.18, 0.42]])
    assert experiments.mutual_information(apart) == pytest.approx(0, abs=1e-12)
    bound = torch.tensor([[0.5, 0.0], [0.0, 0.5]])
    assert experiments.mutual_information(bound) == pytest.approx(math.log(2))


def test_a_shift_keeps_the_mass_and_moves_the_mean():
    q = torch.rand(3, 225, generator=rng.seeded(1)).softmax(-1)
    moved = learning.shifted(q)
    torch.testing.assert_close(moved.sum(-1), torch.ones(3))
    single = torch.zeros(225).index_fill(0, torch.tensor(15 * 3 + 14), 1.0)
    assert learning.shifted(single).argmax().item() == 15 * 4 + 14  # at the edge it stays
    torch.testing.assert_close(module.moved(single, 1).nonzero(), torch.tensor([[15 * 4 + 14]]))


def test_decoders_side_by_side_never_meet():
    """Trained together or alone, from the same start on the same data: the same decoder."""
    exact = lambda table: table.softmax(-1)  # noqa: E731
    x, g = BINARY, rng.seeded(2)
    start = learning.Decoders(4, g).copies([0, 0])
    seen = torch.ones(2, 16, 4)
    alone = start.copies([0])
    list(learning.train(start, [exact, learning.one_point], x, seen, rng.seeded(3), steps=5, lr=1e-2, batch_size=8))
    list(learning.train(alone, [exact], x, seen[:1], rng.seeded(3), steps=5, lr=1e-2, batch_size=8))
    for together, single in zip(start.weights, alone.weights):
        torch.testing.assert_close(together[:1], single)
    assert (start.weights[0][0] != start.weights[0][1]).any()


def test_held_out_probabilities_add_up_to_one():
    decoders = learning.Decoders(4, rng.seeded(4)).double()
    torch.testing.assert_close(learning.held_out(decoders, BINARY).exp().sum(-1), torch.ones(1))


def test_the_exact_posterior_gives_the_gradient_of_the_evidence():
    model, x = small().requires_grad_(True), BINARY[3:9]
    exact = {"exact": lambda table: table.softmax(-1)}
    found = learning.gradients(model, exact, x, torch.ones(6, 4, dtype=torch.bool))["exact"]
    truth = torch.autograd.grad(model.evidence(x).log_evidence.mean(), list(model.decoder.parameters()))
    truth = torch.cat([part.flatten() for part in truth])
    torch.testing.assert_close(found, truth)
    assert learning.angle(found, truth) == pytest.approx(0, abs=1e-4)
    assert learning.angle(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])) == pytest.approx(90)


def test_explorers_say_what_the_text_says():
    cover = explorers.cover_a_digit()
    entropies = {}
    for lines in (9, 10, 11):
        cover.set(lines=lines)
        entropies[lines] = float(cover.alt.split("entropy is ")[1].split(" nats")[0])
        assert ("has 2 separate" in cover.alt) == (lines == 10)
    assert entropies[10] > max(entropies[9], entropies[11])
    causes = explorers.one_effect_many_causes()
    assert "they share 0.0000 nats" in causes.alt
    causes.set(xray="yes")
    assert "together 0.0051, as a product of the two 0.0452" in causes.alt
    wrong = explorers.wrong_posterior()
    assert " 0.0 degrees" in wrong.alt
    wrong.set(shift=0.3)
    assert " 0.0 degrees" not in wrong.alt


def test_a_sure_posterior_may_be_wrong_and_two_digits_may_share_a_stem():
    """Four rows of the 9 from the bottom: the lowest entropy of all ten. Ten rows of the 4: two regions."""
    cover = explorers.cover_a_digit()
    nats = {}
    for digit in map(str, range(10)):
        cover.set(digit=digit, side="bottom", lines=4)
        nats[digit] = float(cover.alt.split("entropy is ")[1].split(" nats")[0])
    assert min(nats, key=nats.get) == "9"
    for lines in (8, 9, 10):
        cover.set(digit="4", lines=lines)
        assert "has 2 separate" in cover.alt


def test_a_narrow_posterior_costs_more_where_less_is_seen():
    wrong = explorers.wrong_posterior()
    degrees = {}
    for rows in (6, 28):
        wrong.set(digit=5, rows=rows, sharpness=2.0)
        degrees[rows] = float(wrong.alt.split("under q is ")[1].split(" degrees")[0])
    assert degrees[6] > 2 * degrees[28]


def test_half_a_digit_helps_on_the_models_own_pictures_and_harms_on_real_ones():
    model = weights.trained(weights.PLANE)
    made = experiments.tabulate(model.float(), 61)
    upper, everything = experiments.rows(14), experiments.rows(28)
    for x, sign in ((weights.digits()[1][:300], -1), (model.sample(300, rng.seeded(7)), 1)):
        whole, *halves = (
            experiments.log_joint(made, x.float(), seen).logsumexp(-1) for seen in (everything, upper, ~upper))
        gain = metrics.estimate(whole - sum(halves))
        assert sign * gain.value > 4 * gain.error


def posterior_by_subtraction(log_likelihood, log_prior, area):
    terms = log_likelihood + log_prior + area.log()
    log_evidence = terms.logsumexp(-1)
    return log_evidence, (terms - log_evidence[:, None]).exp()


def gradient_by_subtraction(log_likelihood, log_weights, gradients):
    joint = log_likelihood + log_weights
    return (joint - joint.logsumexp(0)).exp() @ gradients


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_softmax_does_may_be_written_out(dtype):
    """Near log-likelihoods of -2000 the rounding of single precision would tell it from softmax."""
    torch.set_default_dtype(dtype)
    for judged in (check.grid_posterior(posterior_by_subtraction), check.fisher_gradient(gradient_by_subtraction)):
        assert judged.passed is True, str(judged)
