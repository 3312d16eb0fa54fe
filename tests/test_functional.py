"""Each formula, held against torch.distributions."""

from course_lib import functional
from course_lib.rng import seeded

import pytest
import torch
import torch.distributions as td


@pytest.mark.oracle("torch.distributions.Normal", "functional.normal_log_prob")
def test_normal_log_prob():
    x, loc, log_scale = torch.randn(3, 40, generator=seeded(0))
    want = td.Normal(loc, log_scale.exp()).log_prob(x)
    torch.testing.assert_close(functional.normal_log_prob(x, loc, log_scale), want)


@pytest.mark.oracle("torch.distributions.MultivariateNormal", "functional.multivariate_normal_log_prob")
def test_multivariate_normal_log_prob_broadcasts_over_components():
    x, loc = torch.randn(6, 3, generator=seeded(0)), torch.randn(2, 3, generator=seeded(1))
    diagonal = torch.diag_embed(torch.tensor([[1.0, 2.0, 0.5], [0.1, 1.0, 3.0]]))
    root = torch.randn(2, 3, 3, generator=seeded(2)).tril(-1) + diagonal
    want = torch.stack([td.MultivariateNormal(loc[k], scale_tril=root[k]).log_prob(x) for k in range(2)])
    torch.testing.assert_close(functional.multivariate_normal_log_prob(x, loc, root), want)


@pytest.mark.oracle("torch.distributions.kl_divergence", "functional.categorical_kl")
def test_categorical_kl_and_its_limit_at_zero():
    q, p = torch.tensor([[0.2, 0.8], [1.0, 0.0]]), torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    got = functional.categorical_kl(q, p.log())
    torch.testing.assert_close(got[0], td.kl_divergence(td.Categorical(q[0]), td.Categorical(p[0])))
    assert got[1].item() == 0


@pytest.mark.oracle("torch.distributions.Bernoulli", "functional.bernoulli_log_prob")
def test_bernoulli_log_prob_and_its_tails():
    logits = torch.tensor([-800.0, -1.5, 0.0, 2.0, 800.0])
    for x in (torch.zeros(5), torch.ones(5)):
        torch.testing.assert_close(functional.bernoulli_log_prob(x, logits), td.Bernoulli(logits=logits).log_prob(x))


@pytest.mark.oracle("torch.distributions.kl_divergence", "functional.normal_kl")
def test_normal_kl():
    loc, log_scale = torch.randn(2, 40, generator=seeded(0))
    want = td.kl_divergence(td.Normal(loc, log_scale.exp()), td.Normal(0.0, 1.0))
    torch.testing.assert_close(functional.normal_kl(loc, log_scale), want)
