"""Autoregressive models of binary images, held against enumeration, the chain rule and autograd's Jacobian."""

from course_lib.models import MADE
from course_lib.rng import randn, seeded, uniform
from tests.models.specimens import binary

import pytest
import torch
from torch.distributions import Bernoulli

HIDDEN = [(), (4,), (30,), (9, 5), (6, 6, 6)]


def some(pixels, hidden, seed=1):
    """A model whose conditionals are far from one half."""
    model, generator = MADE(pixels, hidden, generator=seeded(seed)), seeded(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(randn(tuple(parameter.shape), generator, parameter))
    return model


@pytest.mark.oracle("autograd's Jacobian is strictly lower triangular", "models.MADE.conditionals")
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_pixel_hears_all_pixels_before_it_and_no_other(hidden):
    model, heard = some(8, hidden), torch.zeros(8, 8)
    for x in uniform((200, 1, 8), seeded(2), heard):                         # a ReLU may sleep at one point
        heard += torch.autograd.functional.jacobian(model.conditionals, x)[0, :, 0].abs()
    assert torch.equal(heard > 0, torch.ones(8, 8).tril(-1) > 0)


@pytest.mark.parametrize("hidden", HIDDEN[1:])
def test_hidden_layers_hear_all_pixels_before_it_too(hidden):
    """Without the direct connections the Jacobian shows what the hidden layers pass on."""
    model, heard = some(8, (50,) * len(hidden)), torch.zeros(8, 8)
    with torch.no_grad():
        model.output.weight[:, :8] = 0
    for x in uniform((200, 1, 8), seeded(2), heard):
        heard += torch.autograd.functional.jacobian(model.conditionals, x)[0, :, 0].abs()
    assert torch.equal(heard > 0, torch.ones(8, 8).tril(-1) > 0)


@pytest.mark.oracle("enumeration and the chain rule", "models.MADE.log_prob", "models.MADE.conditionals")
@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_conditionals_are_those_of_the_joint(hidden):
    """p(x_d = 1 | x_<d) from sums over the whole table of p(x)."""
    model = some(6, hidden)
    x = binary(6)[0]
    p = model.log_prob(x).exp().detach()
    assert p.sum().item() == pytest.approx(1, abs=1e-12)
    conditionals = model.conditionals(x).sigmoid().detach()
    for d in range(6):
        same = (x[:, None, :d] == x[None, :, :d]).all(-1).to(p.dtype)        # (64, 64): equal before d
        torch.testing.assert_close(conditionals[:, d], same @ (p * x[:, d]) / (same @ p))


@pytest.mark.oracle("torch.distributions, one logistic regression a pixel", "models.MADE.log_prob")
def test_without_hidden_layers_it_is_the_fully_visible_sigmoid_network():
    model, x = some(5, ()), binary(5)[0]
    log_p = torch.zeros(len(x))
    for d in range(5):
        logits = x[:, :d] @ model.output.weight[d, :d] + model.output.bias[d]
        log_p = log_p + Bernoulli(logits=logits).log_prob(x[:, d])
    torch.testing.assert_close(model.log_prob(x), log_p)


@pytest.mark.oracle("finite differences", "models.MADE.log_prob")
@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_gradient_by_finite_differences(hidden):
    model, x = some(4, hidden), binary(4)[0]
    model.log_prob(x).mean().backward()
    for parameter in model.parameters():
        flat, step = parameter.detach().view(-1), 1e-6
        for i in range(0, len(flat), 5):
            up, down = (_moved(model, flat, i, by, x) for by in (step, -step))
            assert parameter.grad.view(-1)[i].item() == pytest.approx((up - down) / (2 * step), abs=1e-7)


def _moved(model, flat, i, by, x):
    flat[i] += by
    value = model.log_prob(x).mean().item()
    flat[i] -= by
    return value


@pytest.mark.oracle("the conditionals at the draw itself", "models.MADE.sample", "models.MADE.complete")
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_draw_is_noise_below_its_own_conditionals(hidden):
    """The sampler computes each hidden unit once; the answer must be that of full passes."""
    model = some(9, hidden)
    noise = uniform((50, 9), seeded(4), model.output.weight)
    x = model.sample(50, seeded(4))
    assert torch.equal(x, (noise < model.conditionals(x).sigmoid()).to(x.dtype))
    first = torch.arange(9) < 4
    given = model.sample(50, seeded(5))
    full = model.complete(torch.where(first, given, torch.nan), first, seeded(4))
    assert torch.equal(full[:, :4], given[:, :4])
    assert torch.equal(full[:, 4:], (noise < model.conditionals(full).sigmoid()).to(x.dtype)[:, 4:])


@pytest.mark.oracle("enumeration, by z-score", "models.MADE.complete")
def test_completions_follow_the_conditional():
    """Rows may have seen prefixes of different lengths."""
    model, n = some(5, (7,)), 20_000
    table = binary(5)[0]
    p = model.log_prob(table).exp().detach()
    row = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0])
    for length in range(6):
        seen = torch.arange(5) < length
        agree = (table[:, seen] == row[seen]).all(-1)
        exact = p * agree / (p * agree).sum()
        draws = model.complete(row.expand(n, -1), seen.expand(n, -1), seeded(length))
        share = (draws[:, None] == table).all(-1).to(p.dtype).mean(0)
        assert ((share - exact) / (exact * (1 - exact) / n).sqrt().clamp_min(1e-12)).abs().max() < 5
    ragged = torch.arange(5) < torch.arange(6)[:, None]
    again = model.complete(row.expand(6, -1), ragged, seeded(0))
    assert torch.equal(again[ragged], row.expand(6, -1)[ragged])


@pytest.mark.oracle("a planted fault is caught", "models.MADE.log_prob", "models.MADE.sample")
def test_a_mask_that_lets_a_pixel_see_itself_is_caught():
    """With >= in place of > the numbers look better, and no longer add up to one."""
    model, x = some(6, (8,)), binary(6)[0]
    model.output.mask[:, :6].fill_diagonal_(1)
    assert model.log_prob(x).exp().sum().item() != pytest.approx(1, abs=1e-3)
    drawn = model.sample(50, seeded(4))
    noise = uniform((50, 6), seeded(4), model.output.weight)
    assert not torch.equal(drawn, (noise < model.conditionals(drawn).sigmoid()).to(x.dtype))


def test_one_pixel_is_a_coin():
    model = some(1, (2,))
    torch.testing.assert_close(model.log_prob(torch.ones(1, 1)).exp(), model.output.bias.sigmoid())


@pytest.mark.oracle("message pinned", "models.MADE.require_data", "models.MADE.complete")
def test_bad_input_is_named():
    model, x = some(4, (3,)), torch.zeros(2, 4)
    with pytest.raises(ValueError, match=r"`x` must hold only 0 and 1; got 0\.5 at \(0, 1\)\."):
        model.require_data(torch.tensor([[0.0, 0.5, 1.0, 0.0]]))
    with pytest.raises(ValueError, match=r"`x` must hold only 0 and 1; got 2\.0 at \(0, 0\)\."):
        model.complete(x + 2, torch.arange(4) < 1, seeded(0))
    for seen in ([False, True, True, True], [True, False, True, False]):
        with pytest.raises(ValueError, match="`seen` must be True first, then False, in each row; an unseen pixel"):
            model.complete(x, torch.tensor(seen), seeded(0))
    with pytest.raises(ValueError, match=r"`seen` must have shape \(2, 4\) or \(4,\); got \(3,\)\."):
        model.complete(x, torch.ones(3, dtype=torch.bool), seeded(0))
    with pytest.raises(ValueError, match=r"`seen` must be a boolean tensor; got torch\.float64\."):
        model.complete(x, torch.ones(4), seeded(0))
    with pytest.raises(ValueError, match=r"`hidden` must be a whole number >= 1; got 0\."):
        MADE(4, (3, 0), generator=seeded(0))
    with pytest.raises(ValueError, match=r"`hidden` must be a tuple of the hidden layers' sizes; got 500\."):
        MADE(4, 500, generator=seeded(0))
    with pytest.raises(ValueError, match=r"`features` must be a whole number >= 1; got 0\."):
        MADE(0, (3,), generator=seeded(0))
