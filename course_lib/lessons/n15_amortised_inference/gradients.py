"""Two unbiased gradients of the same bound, and what more draws do to them: lesson 15."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ... import rng
from ...functional import log_mean_exp, normal_kl, normal_log_prob
from ...inference import oracle
from ...models import VAE

AT_ONCE = 4  # repeats: more would need much memory


class Gradients(NamedTuple):
    """Draws of a gradient in (mu, log sigma) for each of n images, (draws, n, 2 d), and their exact mean (n, 2 d)."""

    score: Tensor
    baseline: Tensor
    reparameterised: Tensor
    exact: Tensor


def bound_gradients(model: VAE, x: Tensor, draws: int, generator: Generator) -> Gradients:
    r"""One-draw gradients of E_q log p(x | z) - KL(q, prior) at the network's q, by the score and through z.

    The baseline is the mean of log p(x | z) under q, taken off before the score is weighed. The exact gradient is that
    of Gauss and Hermite's rule, which is done by automatic differentiation.
    """
    loc, log_scale = (part.detach() for part in model.posterior_approximation(x))
    noise = rng.randn((draws, *loc.shape), generator, loc)
    here = torch.cat([loc, log_scale], -1)  # (n, 2 d)
    leaves = here.expand(draws, -1, -1).clone().requires_grad_()
    mu, s = leaves.tensor_split(2, -1)
    log_likelihood = model.log_likelihood(x, mu + s.exp() * noise)  # (draws, n)
    (through,) = torch.autograd.grad(log_likelihood.sum(), leaves)
    score = torch.cat([noise / log_scale.exp(), noise.square() - 1], -1)  # of log q, at z = mu + sigma e
    exact, mean = _by_quadrature(model, x, here)
    values, kl = log_likelihood.detach()[..., None], _kl_gradient(here)
    return Gradients(values * score - kl, (values - mean[:, None]) * score - kl, through - kl, exact - kl)


def _by_quadrature(model: VAE, x: Tensor, here: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of E_q log p(x | z) in `here` (n, 2 d), and its value (n,)."""
    nodes, log_weights = (part.to(x) for part in oracle.gauss_hermite(40, here.shape[-1] // 2))
    leaf = here.clone().requires_grad_()
    mu, s = leaf.tensor_split(2, -1)
    value, gradient = 0.0, 0.0
    for z, log_w in zip(nodes[:, None].split(40), log_weights.split(40)):
        part = (log_w.exp()[:, None] * model.log_likelihood(x, mu + s.exp() * z)).sum(0)
        gradient = gradient + torch.autograd.grad(part.sum(), leaf, retain_graph=True)[0]
        value = value + part.detach()
    return gradient, value


def _kl_gradient(here: Tensor) -> Tensor:
    leaf = here.clone().requires_grad_()
    return torch.autograd.grad(normal_kl(*leaf.tensor_split(2, -1)).sum(), leaf)[0]


# More draws -----------------------------------------------------------------------------------------------------------


class SignalToNoise(NamedTuple):
    """log of |mean| / standard deviation of a gradient over repeats, averaged over parameters: one value an image."""

    encoder: Tensor
    decoder: Tensor


def signal_to_noise(model: VAE, x: Tensor, draws: int, repeats: int, generator: Generator) -> SignalToNoise:
    """Of the gradients of the bound with K = `draws`: in the network's mu, and in the last bias of the decoder."""
    sizes = [min(AT_ONCE, repeats - begin) for begin in range(0, repeats, AT_ONCE)]
    parts = [_repeated(model, x, draws, size, generator) for size in sizes]
    return SignalToNoise(*(_log_ratio(torch.cat(side)) for side in zip(*parts)))


def _repeated(model: VAE, x: Tensor, draws: int, repeats: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """So many draws of both gradients: (repeats, n, d) and (repeats, n, pixels)."""
    loc, log_scale = (part.detach() for part in model.posterior_approximation(x))
    leaf = loc.expand(repeats, -1, -1).clone().requires_grad_()
    z = leaf + log_scale.exp() * rng.randn((draws, *leaf.shape), generator, loc)  # (K, repeats, n, d)
    log_w = model.log_joint(x, z) - normal_log_prob(z, leaf, log_scale).sum(-1)  # (K, repeats, n)
    (encoder,) = torch.autograd.grad(log_mean_exp(log_w).sum(), leaf)
    with torch.no_grad():
        ink = x.mean(0) > 0.05  # pixels that matter
        expected = torch.einsum("krn,krnd->rnd", log_w.softmax(0), model.decode(z)[..., ink].sigmoid())
    return encoder, x[:, ink] - expected


def _log_ratio(gradients: Tensor) -> Tensor:
    """Over the repeats, which are the first axis; parameters of one image are no independent witnesses: (n,)."""
    return (gradients.mean(0).abs() / gradients.std(0)).log().mean(-1)


# A wave, for the explorer ---------------------------------------------------------------------------------------------


def wave_gradients(
    level: float, frequency: float, scale: float, noise: Tensor, loc: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Draws of d/dmu of E_q f(z), f(z) = level + cos(frequency z), q = N(loc, scale^2): by the score, through z."""
    z = loc + scale * noise
    f = level + (frequency * z).cos()
    return f * noise / scale, -frequency * (frequency * z).sin()


def wave_gradient(frequency: float, scale: float, loc: float = 0.5) -> float:
    """Their mean, in closed form: E cos(w z) = cos(w mu) exp(-w^2 sigma^2 / 2)."""
    return -frequency * math.sin(frequency * loc) * math.exp(-0.5 * (frequency * scale) ** 2)
