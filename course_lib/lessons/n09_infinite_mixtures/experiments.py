"""The experiments of lesson 09: K components against the compound, Student's t against a Gaussian, digits filled in."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ... import rng
from ...functional import normal_log_prob
from ...metrics import Estimate, estimate
from ...models import Compound, Density, Gaussian, ProbabilisticPCA, StudentT
from .exercises import ppca_predictive


def student(freedom: float, loc: float = 0.0, scale: float = 1.0) -> StudentT:
    """The library's Student t with these parameters."""
    model = StudentT().to(torch.get_default_dtype())
    with torch.no_grad():
        model.loc.fill_(loc)
        model.log_scale.fill_(math.log(scale))
        model.log_freedom.fill_(math.log(freedom))
    return model.requires_grad_(False)


# Fitting ---------------------------------------------------------------------------------------------------------


def fitted(model: Density, x: Tensor) -> Density:
    """`model` at a maximum of its likelihood of x (n, 1), found by a quasi-Newton climb from where it stands."""
    model = model.to(x.dtype)
    climb = torch.optim.LBFGS(list(model.parameters()), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        climb.zero_grad()
        value = -model.log_prob(x).mean()
        value.backward()
        return value

    climb.step(loss)
    return model.requires_grad_(False)


def fitted_student(x: Tensor) -> StudentT:
    """Student's t with the highest likelihood of x (n, 1), climbed to from the median and the spread of the data."""
    return fitted(student(5.0, x.median().item(), x.std().item()).requires_grad_(), x)


def held_out_gain(x: Tensor, folds: int, generator: Generator) -> Tensor:
    """log p of Student's t minus log p of a Gaussian for each row of x (n, 1), both fitted to the other folds: (n,)."""
    fold = torch.arange(len(x))[rng.rows(len(x), len(x), generator)] % folds
    gains = torch.empty(len(x), dtype=x.dtype)
    for k in range(folds):
        gaussian = Gaussian(1).to(x.dtype).requires_grad_(False)
        gaussian.maximise(x[fold != k])
        held = x[fold == k]
        gains[fold == k] = fitted_student(x[fold != k]).log_prob(held) - gaussian.log_prob(held)
    return gains


# K components against the compound ------------------------------------------------------------------------------


def quantile_error(model: Compound, x: float, counts: Sequence[int]) -> Tensor:
    """|p_K(x) / p(x) - 1| for K components of equal weight at the quantiles of the mixing density: (len(counts),)."""
    at = torch.tensor([[x]])
    exact = model.log_prob(at)
    return torch.cat([(model.finite_log_prob(at, count) - exact).expm1().abs() for count in counts])


def random_error(model: StudentT, x: float, counts: Sequence[int], repeats: int, generator: Generator) -> Tensor:
    """The same for components at random draws of z, (len(counts), repeats)."""
    at = torch.tensor([[x]])
    exact, z = model.log_prob(at), model.prior.sample(repeats * max(counts), generator).reshape(repeats, -1)
    terms = model.log_likelihood(at, z[..., None, None]).squeeze(-1)  # (repeats, K)
    means = torch.stack([terms[:, :count].logsumexp(-1) - math.log(count) for count in counts])
    return (means - exact).expm1().abs()


def gauss_error(freedom: float, x: float, counts: Sequence[int], absorbed: bool) -> Tensor:
    r"""The same for the nodes of a Gauss-Laguerre rule, whose weights hold the mixing density.

    The integrand that is left to the rule is :math:`\sqrt{z} \, e^{-z x^2 / 2}`; if `absorbed`, the root is moved into
    the weight, and only the exponential is left.
    """
    from scipy.special import roots_genlaguerre

    half, exact = freedom / 2, student(freedom).log_prob(torch.tensor([[x]])).item()
    power = half - 1 + absorbed / 2
    mass = math.lgamma(power + 1) - math.lgamma(half)  # of the weight, over that of the mixing density
    log_unit = -0.5 * math.log(2 * math.pi * half)
    errors = []
    for count in counts:
        z, weight = (torch.from_numpy(part) for part in roots_genlaguerre(count, power))
        root = 0 if absorbed else 0.5 * z.log()
        terms = (weight / weight.sum()).log() + root - z * x**2 / (2 * half)
        errors.append(abs(math.expm1(terms.logsumexp(0).item() + mass + log_unit - exact)))
    return torch.tensor(errors)


def gap(model: StudentT, components: int, z: Tensor | None = None) -> float:
    r"""KL(p, p_K) in nats for a standard Student t, by quadrature over x from 0 to 3 x 10^7.

    With freedom of 2 or less the second moment is infinite and so is the gap, which a quadrature would hide.
    `z` (K, 1, 1): other places for the components than the quantiles.
    """
    if model.log_freedom.exp() <= 2:
        return math.inf
    s = torch.linspace(0, 18, 1201)
    x = s.sinh()[:, None]
    if z is None:
        finite = model.finite_log_prob(x, components)
    else:
        finite = model.log_likelihood(x, z).logsumexp(0) - math.log(components)
    exact = model.log_prob(x)
    return 2 * torch.trapezoid(exact.exp() * (exact - finite) * s.cosh(), s).item()


def slope(counts: Sequence[int], values: Tensor) -> Estimate:
    """The power of K in `values`: a straight line through the logs by least squares, with its standard error."""
    x, y = torch.tensor(counts, dtype=values.dtype).log(), values.log()
    x, y = x - x.mean(), y - y.mean()
    power = (x * y).sum() / x.square().sum()
    rest = (y - power * x).square().sum() / (len(x) - 2)
    return Estimate(power.item(), (rest / x.square().sum()).sqrt().item())


def slope_of_groups(counts: Sequence[int], errors: Tensor, groups: int) -> Estimate:
    """The power of K in the root mean square of `errors` (len(counts), repeats), over groups of repeats."""
    parts = errors.square().reshape(len(counts), groups, -1).mean(-1).sqrt()  # (len(counts), groups)
    return estimate(torch.tensor([slope(counts, part).value for part in parts.mT]))


# PPCA --------------------------------------------------------------------------------------------------------------


def part_log_prob(model: ProbabilisticPCA, x: Tensor, part: Tensor) -> Tensor:
    """log p of the pixels in `part` (D,), the others integrated out: x (n, D) -> (n,)."""
    covariance = model.weight @ model.weight.mT + (2 * model.log_scale).exp() * torch.eye(len(model.loc))
    marginal = torch.distributions.MultivariateNormal(model.loc[part], covariance[part][:, part])
    return marginal.log_prob(x[:, part])


class Filled(NamedTuple):
    """Hidden pixels given the seen ones: mean (n, H), one covariance (H, H) for all."""

    mean: Tensor
    covariance: Tensor


def fill(model: ProbabilisticPCA, x: Tensor, seen: Tensor) -> Filled:
    """The pixels that are not `seen` (D,), given those that are, for pictures x (n, D)."""
    return Filled(*ppca_predictive(x[:, seen], seen, model.weight, model.loc, model.log_scale.exp()))


def coverage(filled: Filled, hidden: Tensor) -> Estimate:
    """The share of hidden pixels (n, H) within 1.96 standard deviations; the error counts pictures, not pixels."""
    inside = (hidden - filled.mean).abs() < 1.96 * filled.covariance.diagonal().sqrt()
    return estimate(inside.double().mean(-1))


def plug_in_and_compound(model: StudentT, x: Tensor) -> tuple[Tensor, Tensor]:
    """log p(x | z) at the mean of z, and log p(x), each (n,)."""
    return normal_log_prob(x[:, 0], model.loc, model.log_scale), model.log_prob(x)
