"""The experiments of lesson 15, held against quadrature, closed forms and enumeration; the claims of its text."""

import math

from course_lib import models, rng
from course_lib.functional import bernoulli_log_prob, normal_kl
from course_lib.inference import oracle
from course_lib.inference.approximation import GaussianApproximation
from course_lib.lessons import weights
from course_lib.lessons.n15_amortised_inference import bits, collapse, gaps, gradients, labels, ladder, promises, refine
from course_lib.lessons.n15_amortised_inference.explorers import NAMES, PRIOR, eight_latents, guesses_of, moved
from course_lib.training import fit, gradient_descent

import pytest
import torch


@pytest.fixture(scope="module")
def vae() -> models.VAE:
    """A small VAE of digits after a moment of training, in double precision."""
    x = weights.digits()[0][:1000]
    model = models.VAE(784, 2, hidden=(32,), generator=rng.seeded(0)).double()
    fit(gradient_descent(model, x.double(), rng.seeded(0), steps=60, batch_size=100, lr=1e-2))
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    return weights.digits()[1][:6].double()


# The gap -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_evidence_on_the_grid_is_that_of_the_decoder_of_notebook_10(vae, digits):
    same = models.DeepLatentVariableModel(784, 2, hidden=(32,), generator=rng.seeded(0))
    same.decoder.load_state_dict(vae.decoder.state_dict())
    points, log_cell = oracle.grid(-6, 6, 300, dimensions=2)
    fine = same.evidence(digits, (points, log_cell + same.log_prior(points))).log_evidence
    torch.testing.assert_close(gaps.grid_evidence(vae, digits, 400), fine.detach(), atol=0.02, rtol=0)


def test_the_bound_by_a_rule_is_that_of_many_draws(vae, digits):
    q = gaps.network_gaussian(vae, digits)
    z = q.sample(4000, rng.seeded(1))
    values = torch.cat([vae.log_joint(digits, part) - q.log_prob(part) for part in z.split(500)])
    z_scores = (values.mean(0) - gaps.exact_elbo(vae, digits, q)) / (values.std(0) / 4000**0.5)
    assert z_scores.abs().max() < 5


def test_both_parts_of_the_gap(vae, digits):
    exact = gaps.grid_evidence(vae, digits, 400)
    guess, best = gaps.network_fit(vae, digits), gaps.best_gaussian(vae, digits, "full")
    bounds = [gaps.exact_elbo(vae, digits, fitted.q) for fitted in (guess, best)]
    assert (bounds[0] < bounds[1]).all()
    assert (bounds[1] < exact + 1e-3).all()
    assert 0 < guess.seconds < best.seconds


def test_the_better_of_two_starts_is_kept_for_each_picture(vae, digits):
    guess, moved_away = (gaps.network_gaussian(vae, digits) for _ in range(2))
    moved_away.loc[::2] += 3
    best = gaps.better(vae, digits, moved_away, guess)
    torch.testing.assert_close(best.loc[::2], guess.loc[::2])
    torch.testing.assert_close(gaps.exact_elbo(vae, digits, best), gaps.exact_elbo(vae, digits, guess))


def test_a_peak_is_the_highest_place(vae, digits):
    peak = gaps.peaks(vae, digits)
    here = gaps.log_joint_table(vae, digits, peak).diagonal()
    for step in ([0.2, 0.0], [-0.2, 0.0], [0.0, 0.2], [0.0, -0.2]):
        assert (gaps.log_joint_table(vae, digits, peak + torch.tensor(step)).diagonal() <= here).all()


def test_the_gap_is_the_divergence_from_the_posterior(vae, digits):
    x, q = digits[:1], gaps.network_gaussian(vae, digits[:1])
    points, log_cell = oracle.grid(-6, 6, 300, dimensions=2)
    joint, log_q = gaps.log_joint_table(vae, x, points)[0], q.log_prob(points[:, None])[:, 0]
    log_p = (joint + log_cell).logsumexp(0)
    kl = ((log_q + log_cell).exp() * (log_q - joint + log_p)).sum()
    assert (log_p - gaps.exact_elbo(vae, x, q, 30)[0]).item() == pytest.approx(kl.item(), abs=0.01)


# The ladder ----------------------------------------------------------------------------------------------------------


def test_blocks_average_weights():
    log_w = torch.tensor([[0.0], [math.log(3)], [1.0], [1.0], [9.0]])
    assert ladder.in_blocks(log_w, 2).flatten().tolist() == pytest.approx([math.log(2), 1.0])


def test_the_bound_rises_with_the_number_of_draws(vae, digits):
    truth = gaps.grid_evidence(vae, digits, 400)
    rungs = ladder.iwae_rungs(vae, digits, truth, [1, 4, 16, 64, 256], rng.seeded(1))
    means = [rung.estimate.value for rung in rungs]
    assert means == sorted(means)
    assert means[-1] < 0.1
    bound = gaps.exact_elbo(vae, digits, gaps.network_gaussian(vae, digits))
    assert means[0] == pytest.approx((bound - truth).mean().item(), abs=1)


@pytest.mark.slow
def test_all_roads_lead_to_the_truth(vae, digits):
    truth = gaps.grid_evidence(vae, digits, 400)
    rungs = ladder.naive_rungs(vae, digits, truth, [100_000], rng.seeded(2))
    rungs += ladder.annealed_rungs(vae, digits, truth, [60], rng.seeded(3), chains=32)
    rungs += ladder.gaussian_rungs(vae, digits, truth)
    assert all(abs(rung.estimate.value) < 0.6 for rung in rungs if not rung.name.startswith("ELBO, the network"))
    assert len({rung.name for rung in rungs}) == 5
    assert all(rung.seconds > 0 for rung in rungs)


def test_exact_posteriors_give_exact_weights():
    model = models.VAE(3, 2, hidden=(), generator=rng.seeded(0))
    with torch.no_grad():
        model.decoder[-1].weight.zero_()  # z says nothing: the posterior is the prior
    x = torch.tensor([[1.0, 0.0, 1.0]])
    q = GaussianApproximation.around(torch.zeros(1, 2))
    log_w = ladder.log_weights(model, x, 50, rng.seeded(0), q)
    truth = bernoulli_log_prob(x, model.decoder[-1].bias).sum().detach()
    torch.testing.assert_close(log_w, truth.expand(50, 1))


# Gradients -----------------------------------------------------------------------------------------------------------


def test_all_gradients_are_unbiased_and_the_quietest_goes_through_z(vae, digits):
    found = gradients.bound_gradients(vae, digits, 400, rng.seeded(0))
    for draws in (found.score, found.baseline, found.reparameterised):
        assert ((draws.mean(0) - found.exact) / (draws.std(0) / 20)).abs().max() < 5
    variances = [part.var(0).log().mean() for part in found[:3]]
    assert variances[0] > variances[1] + 2 > variances[2] + 2


@pytest.mark.parametrize(("level", "frequency", "scale"), [(0.0, 2.0, 0.4), (5.0, 0.3, 1.0)])
def test_the_gradients_of_a_wave_have_the_closed_form_as_their_mean(level, frequency, scale):
    e, log_w = oracle.gauss_hermite(80)
    mu = torch.tensor(0.5, requires_grad=True)
    mean = (log_w.exp() * (frequency * (mu + scale * e[:, 0])).cos()).sum()
    (truth,) = torch.autograd.grad(mean, mu)
    assert gradients.wave_gradient(frequency, scale) == pytest.approx(truth.item())
    for values in gradients.wave_gradients(level, frequency, scale, e[:, 0]):
        assert (log_w.exp() @ values).item() == pytest.approx(truth.item())


def test_more_draws_help_the_decoder_not_the_encoder(vae, digits):
    few, many = (gradients.signal_to_noise(vae, digits, draws, 60, rng.seeded(0)) for draws in (1, 64))
    assert (many.decoder - few.decoder).mean() > 0.3
    assert (many.encoder - few.encoder).mean() < 0.3


# Collapse ------------------------------------------------------------------------------------------------------------


def test_the_talkative_decoder_adds_up_to_one():
    model = collapse.TalkativeVAE(4, seed=0)
    x = collapse.small_digits()[1][:3].double()
    changed = x.clone()
    changed[:, 40:] = 1 - changed[:, 40:]  # what comes later must not be heard
    torch.testing.assert_close(model.ear.conditionals(x)[:, :41], model.ear.conditionals(changed)[:, :41])
    z = torch.zeros(3, 2)
    expected = bernoulli_log_prob(x, model.decode(z) + model.ear.conditionals(x)).sum(-1)
    torch.testing.assert_close(model.log_likelihood(x, z), expected)


def test_the_vital_signs():
    plain = models.VAE(64, 2, hidden=(8,), generator=rng.seeded(0)).float()
    patient = collapse.examined(plain)
    x = collapse.small_digits()[1]
    same = models.DeepLatentVariableModel(64, 2, hidden=(8,), points=40, generator=rng.seeded(0)).float()
    same.decoder.load_state_dict(plain.decoder.state_dict())
    torch.testing.assert_close(patient.log_evidence, same.evidence(x).log_evidence.detach())
    loc, log_scale = plain.posterior_approximation(x)
    torch.testing.assert_close(patient.kl, normal_kl(loc, log_scale).sum(-1).detach())
    assert (patient.blur > 0).all() and (patient.blur < 64 * math.log(2)).all()
    draws = torch.stack([plain.elbo(x, rng.seeded(seed)) for seed in range(30)]).detach()
    torch.testing.assert_close(patient.bound.mean(), draws.mean(), atol=0.02, rtol=0)
    assert (patient.bound < patient.log_evidence + 1e-3).all()


def test_a_latent_dies_beside_a_decoder_that_hears_and_is_healed():
    plain, dead, healed = (collapse.treated(**how) for how in (
        {"hears": 0}, {"hears": 128}, {"hears": 128, "warm_up": 0.5}))
    assert dead.kl.mean() < 0.2 < 1 < healed.kl.mean()
    assert dead.log_evidence.mean() > plain.log_evidence.mean() + 2
    assert abs(healed.log_evidence.mean() - dead.log_evidence.mean()) < 0.5
    assert healed.bound.mean() > dead.bound.mean() + 0.05  # to be dead is a trap, not the optimum


# Labels, bits, promises ----------------------------------------------------------------------------------------------


def test_labels_are_learnt_with_and_without_unlabelled_digits():
    found = labels.curve([10], deals=2)
    for name in ("naive Bayes", "network", "network + unlabelled (VAE)"):
        assert 70 < found[name][0].value < 95
    gain = found["network + unlabelled (VAE)"][0].value - found["network"][0].value
    assert found["gain of the VAE"][0].value == pytest.approx(gain)


def test_bits_of_a_fair_coin():
    value, error = bits.from_nats(torch.full((5,), -784 * math.log(2)))
    assert (value, error) == pytest.approx((1.0, 0.0))


def test_png_needs_less_than_a_bit_a_pixel():
    x = weights.digits()[1][:300]
    assert 0.2 < bits.compressed(x).value < 0.5


def test_the_bound_of_the_shipped_network_is_as_good_as_the_picture_says():
    x = weights.digits()[1][:100].float()
    model = weights.trained(weights.EIGHT).float()
    bound, elbo = bits.iwae(model, x, 64), model.elbo(x, rng.seeded(0))
    assert elbo.mean() + 2 < bound.mean()
    assert -118 < bound.mean() < -98


def test_the_table_of_promises_has_every_card_once():
    cards = promises.cards()
    families = [card.family for card in cards]
    assert len(set(families)) == len(families)
    assert {models.VAE.card, models.GaussianMixture.card, models.MADE.card} <= set(cards)
    assert cards[0].evidence.startswith("exact") and cards[-1].evidence.startswith("says nothing")
    assert len(promises.table().rows) == len(cards)
    assert all(len(row) == 6 for row in promises.roads().rows)


# Explorers -----------------------------------------------------------------------------------------------------------


def test_the_buttons_of_eight_latents():
    guess = guesses_of(weights.trained(weights.EIGHT).float())["3"]
    values = {"digit": "3", "seed": 4}
    asked = moved(values, guess, 0.0)
    assert [asked[name] for name in NAMES] == pytest.approx(guess.loc.clamp(-3, 3).tolist())
    dreams = [moved({"digit": "3", "seed": seed}, PRIOR, 1.0) for seed in (4, 5)]
    assert dreams[0] != dreams[1] and dreams[0]["seed"] == 5
    explorer = eight_latents()
    before = explorer.alt
    explorer.press("ask")
    likelihood = [float(alt.partition("log p(x | z) = ")[2].split()[0]) for alt in (before, explorer.alt)]
    assert likelihood[1] > likelihood[0] + 50


@pytest.mark.slow
def test_refining_closes_the_gap(vae, digits):
    found = refine.refined(vae, digits)
    q = gaps.network_gaussian(vae, digits)
    torch.testing.assert_close(found.path[0].loc, q.loc)
    assert (found.gaps[:, -1] < found.gaps[:, 0]).all()
    assert (found.gaps > -0.05).all()
    assert found.posteriors.shape == (6, refine.SIDE, refine.SIDE)
    assert (found.posteriors.amax((1, 2)) == 1).all()
    explorer = refine.refine_a_guess(vae, digits)
    explorer.set(number=2, steps=refine.STEPS)
    assert f"{found.log_evidence[2]:.2f}" in explorer.alt
