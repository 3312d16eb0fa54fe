"""The experiments of lesson 05, held against the library, enumeration and autograd."""

from itertools import combinations

from course_lib import datasets, rng
from course_lib.lessons.n05_fully_observed_models import check, experiments, explorers
from course_lib.models import MADE, BayesianNetwork

import pytest
import torch

ASIA = BayesianNetwork(datasets.bayesian_network("asia")).double()
YES, NO = 0, 1
BINARY = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 6).double()  # (64, 6)


def codes(**states):
    return {ASIA.names.index(name): state for name, state in states.items()}


@pytest.mark.parametrize(("seen", "done"), [
    ({}, {}),
    ({"dysp": "yes", "xray": "yes"}, {}),
    ({"dysp": "yes"}, {"xray": "yes"}),
    ({"xray": "no"}, {"tub": "yes"}),
])
def test_clamping_is_the_librarys_posterior_of_the_mutilated_network(seen, done):
    mutilated = ASIA
    for name, state in done.items():
        mutilated = mutilated.intervene(name, state)
    as_codes = [codes(**{name: ["yes", "no"].index(state) for name, state in part.items()}) for part in (seen, done)]
    marginals, possible = experiments.clamp(experiments.aligned(ASIA), *as_codes)
    assert possible == pytest.approx(mutilated.log_evidence(seen).exp().item())
    for name, p in mutilated.posterior(seen).items():
        torch.testing.assert_close(marginals[ASIA.names.index(name)], p.detach())


def test_what_cannot_happen_has_probability_zero():
    marginals, possible = experiments.clamp(experiments.aligned(ASIA), codes(tub=YES, either=NO), {})
    assert possible == 0
    assert marginals[0].isnan().all()


def test_the_product_rule_gives_the_joint():
    for row in ASIA.decode(ASIA.sample(5, rng.seeded(0))):
        terms = experiments.conditional_on_all_before(ASIA, row)
        assert sum(terms).item() == pytest.approx(ASIA.log_prob(ASIA.encode([row])).item())


def test_counts_are_what_maximise_divides():
    x, learnt = ASIA.sample(500, rng.seeded(1)), experiments.blank(ASIA)
    learnt.maximise(x)
    for n, logits in zip(experiments.counts(ASIA, x), learnt.logits, strict=True):
        total = n.sum(-1, keepdim=True)
        assert n.sum() == 500
        torch.testing.assert_close(torch.where(total > 0, n / total, 0.5), logits.detach().softmax(-1))


def test_an_arrow_turned_round_fits_as_well():
    x = ASIA.sample(300, rng.seeded(2))[:, [2, 4]]
    there, back = experiments.arrow(ASIA, "smoke", "bronc"), experiments.arrow(ASIA, "bronc", "smoke")
    there.maximise(x)
    back.maximise(x.flip(-1))
    torch.testing.assert_close(there.log_prob(x), back.log_prob(x.flip(-1)))
    assert there.intervene("smoke", "yes").posterior({})["bronc"][0] != back.posterior({})["bronc"][0]


def test_divergence_and_impossible_share():
    states, truth = experiments.all_states(ASIA), ASIA.log_prob(experiments.all_states(ASIA)).detach()
    assert experiments.divergence(ASIA, truth, states) == (pytest.approx(0, abs=1e-12), 0)
    learnt = truth.clone()
    likely = truth.argmax()
    learnt[likely] = -torch.inf
    kl, share = experiments.divergence(ASIA, learnt, states)
    assert kl == torch.inf
    assert share == pytest.approx(truth[likely].exp().item())


def test_one_large_table_counts_whole_rows():
    states = experiments.all_states(ASIA)
    x = ASIA.sample(50, rng.seeded(3))
    table = experiments.whole_table(x, states, 0.5).exp()
    row = int((states == x[0]).all(-1).nonzero())
    assert table.sum().item() == pytest.approx(1)
    assert table[row].item() == pytest.approx((0.5 + (x == x[0]).all(-1).sum().item()) / (50 + 128))


def test_smoothing_mends_what_counting_breaks():
    curves = experiments.smoothing_curves(ASIA, 100, [0.0, 0.3], 3, rng.seeded(4))
    for values in curves.values():
        assert values.shape == (3, 2, 2)
        assert (values[:, 1, 0] < 1).all()
        assert (values[:, 1, 1] == 0).all()
        assert torch.equal(values[:, 0, 0] == torch.inf, values[:, 0, 1] > 0)
    assert (curves["factorised"][:, 1, 0] < curves["one large table"][:, 1, 0]).all()


def test_finite_differences_are_the_gradient():
    parameter = torch.randn(2, 3, generator=rng.seeded(5)).requires_grad_()
    value = lambda: (parameter.sin() * parameter.exp()).sum()  # noqa: E731
    (exact,) = torch.autograd.grad(value(), [parameter])
    torch.testing.assert_close(experiments.finite_differences(value, parameter, 1e-5), exact, rtol=1e-8, atol=1e-8)


def test_the_distance_tells_zeros_from_the_rest():
    x, learnt = ASIA.sample(500, rng.seeded(6)), experiments.blank(ASIA)
    learnt.maximise(x)
    assert experiments.distance(learnt, learnt) == (0, 0)
    inside, edge = experiments.distance(experiments.blank(ASIA), learnt)
    assert edge == 0.5  # the certain rows of "either"
    assert 0 < inside < 0.5
    moved = experiments.perturbed(learnt, 0.1, rng.seeded(0))
    assert 0 < experiments.distance(moved, learnt)[0] < 0.1


def test_orders_hold_each_pixel_once():
    for order in experiments.orders(5, rng.seeded(0)).values():
        assert sorted(order.tolist()) == list(range(25))
    assert experiments.orders(3, rng.seeded(0))["column by column"].tolist() == [0, 3, 6, 1, 4, 7, 2, 5, 8]


def hears(model):
    return torch.autograd.functional.jacobian(model.conditionals, BINARY[:1])[0, :, 0] != 0


def test_who_hears_whom():
    model = MADE(6, (), generator=rng.seeded(0))
    below = torch.ones(6, 6).tril(-1) > 0
    assert torch.equal(hears(model), below)
    assert torch.equal(check.who_hears_whom.exercise.reference(model.conditionals, BINARY), below)
    near = experiments.near_sighted(MADE(6, (), generator=rng.seeded(0)), 2)
    assert torch.equal(hears(near), below & (torch.ones(6, 6).triu(-2) > 0))
    leaky = experiments.leaky(MADE(6, (), generator=rng.seeded(0)))
    assert torch.equal(hears(leaky), torch.ones(6, 6).tril() > 0)
    assert near.log_prob(BINARY).exp().sum().item() == pytest.approx(1)
    assert abs(leaky.log_prob(BINARY).exp().sum().item() - 1) > 1e-3


def test_nats_by_pixel_add_up():
    model = MADE(6, (5,), generator=rng.seeded(1))
    torch.testing.assert_close(experiments.nats_by_pixel(model, BINARY).sum(-1), -model.log_prob(BINARY).detach())


def test_completions_keep_what_is_seen_and_differ_as_counted():
    model, seen = MADE(6, (5,), generator=rng.seeded(1)), torch.arange(6) < 2
    made = experiments.completions(model, BINARY[:4], seen, 5, rng.seeded(2))
    assert made.shape == (4, 5, 6)
    assert torch.equal(made[..., :2], BINARY[:4, None, :2].expand(-1, 5, -1))
    by_hand = [torch.stack([(a != b).sum() for a, b in combinations(group, 2)]).double().mean() for group in made]
    torch.testing.assert_close(experiments.pairwise_distance(made), torch.stack(by_hand))


def test_the_clinic_says_what_cannot_happen_and_cuts_arrows():
    clinic = explorers.clamp_a_node()
    clinic.set(xray="seen: yes")
    assert f"lung cancer {ASIA.posterior({'xray': 'yes'})['lung'][0]:.3f}" in clinic.alt
    clinic.set(xray="set to yes")
    assert f"lung cancer {ASIA.posterior({})['lung'][0]:.3f}" in clinic.alt
    clinic.set(tub="seen: yes", either="seen: no")
    assert "cannot happen" in clinic.alt


def test_a_picture_is_drawn_pixel_by_pixel():
    player = explorers.pixel_by_pixel()
    player.set(frame=56)
    assert player.alt.startswith("784 of 784 pixels")


def test_more_rows_leave_less_open():
    explorer = explorers.complete_a_digit()
    explorer.set(digit=3, rows="2")
    few = explorer.alt
    explorer.set(rows="22")
    left_open = [float(alt.split("about ")[1].split(" nats")[0]) for alt in (few, explorer.alt)]
    assert left_open[0] > left_open[1]
