"""The exercises of lesson 15: reference, wrong answers by name, hints."""

import math

import torch
from torch import Tensor

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from .kill import KILL_THE_LATENT
from .sum_out import UNLABELLED_BOUND

# 1 · the bound from one draw ----------------------------------------------------------------------------------------


def elbo(x, logits, mu, log_sigma):
    """The bound of each row, (n,), from x and the logits at one draw of q, (n, D), and q's mu and log sigma, (n, d)."""
    log_likelihood = (x * logits - torch.nn.functional.softplus(logits)).sum(-1)
    kl = (0.5 * (mu**2 + (2 * log_sigma).exp() - 1) - log_sigma).sum(-1)
    return log_likelihood - kl


def _elbo_cases():
    g = rng.seeded(1)
    for n, pixels, latents in ((5, 12, 3), (4, 6, 2)):
        x = rng.bernoulli(torch.full((n, pixels), 0.4), g)
        mu, log_sigma = torch.randn(2, n, latents, generator=g)
        yield x, 2 * torch.randn(n, pixels, generator=g), mu, log_sigma - 1


def _likelihood(x: Tensor, logits: Tensor) -> Tensor:
    return x * logits - torch.nn.functional.softplus(logits)


def _with_kl(kl):
    """The wrong answer whose divergence is `kl(mu, log_sigma)`."""
    return lambda x, logits, mu, s: _likelihood(x, logits).sum(-1) - kl(mu, s)


def _kl(mu: Tensor, s: Tensor) -> Tensor:
    return 0.5 * (mu**2 + (2 * s).exp() - 1) - s


def _with_likelihood(log_likelihood):
    return lambda x, logits, mu, s: log_likelihood(x, logits) - _kl(mu, s).sum(-1)


ELBO = Exercise(
    elbo,
    _elbo_cases,
    mistakes=(
        Mistake(_with_kl(lambda mu, s: -_kl(mu, s).sum(-1)),
                "The **sign of the divergence** is turned: being far from the prior costs, it does not pay. Yours is "
                "no bound, and training would send every $q$ as far away as it can."),
        Mistake(lambda *given: -elbo(*given),
                "This is **minus** the bound, the loss that training makes small."),
        Mistake(_with_likelihood(lambda x, a: _likelihood(x, a).mean(-1)),
                "A **mean over the pixels** where the sum belongs: the divergence then counts $D$ times too much, the "
                "commonest cause of a dead latent variable."),
        Mistake(_with_kl(lambda mu, s: _kl(mu, s).mean(-1)),
                "A **mean over the latent coordinates** where the sum belongs: independent coordinates add up."),
        Mistake(_with_kl(lambda mu, s: (0.5 * (mu**2 + s.exp() - 1) - 0.5 * s).sum(-1)),
                "You took `log_sigma` for $\\log \\sigma^2$: here $\\sigma^2 = e^{2 \\log \\sigma}$."),
        Mistake(_with_kl(lambda mu, s: (0.5 * (mu**2 + s**2 - 1) - s).sum(-1)),
                "You squared **$\\log \\sigma$**: $\\sigma^2$ is `(2 * log_sigma).exp()`."),
        Mistake(_with_kl(lambda mu, s: 0.5 * (mu**2 + (2 * s).exp() - 1 - s).sum(-1)),
                "You halved $\\log \\sigma$ as well: $\\tfrac12 \\log \\sigma^2$ is the whole of $\\log \\sigma$."),
        Mistake(_with_likelihood(lambda x, a: -_likelihood(x, a).sum(-1)),
                "The **sign of the reconstruction** is turned: PyTorch's cross-entropy is *minus* a log-likelihood."),
        Mistake(_with_likelihood(lambda x, a: _likelihood(x, a).mean()),
                "A **mean over all pixels of all rows**, PyTorch's default: sum over the pixels of each row "
                "(`reduction=\"none\"`)."),
        Mistake(_with_kl(lambda mu, s: _kl(mu, s).mean()),
                "The divergence is **averaged over all rows**: each row has its own, the sum over its coordinates."),
        Mistake(_with_kl(lambda mu, s: (mu**2 + (2 * s).exp() - 1 - 2 * s).sum(-1)),
                "The **half is missing**: your divergence is twice too large."),
        Mistake(_with_kl(lambda mu, s: (0.5 * (mu**2 + (2 * s).exp()) - s).sum(-1)),
                "The **$-1$ is missing**: with $\\mu = 0$ and $\\sigma = 1$ the divergence must be 0."),
        Mistake(_with_kl(lambda mu, s: (0.5 * (mu**2 + s.exp() - 1) - s).sum(-1)),
                "The square of $\\sigma$ is missing: $e^{\\log \\sigma}$ is $\\sigma$, and the divergence holds "
                "$\\sigma^2$."),
        Mistake(_with_kl(lambda mu, s: (0.5 * (mu**2 + (2 * s).exp() - 1) - 2 * s).sum(-1)),
                "The half belongs to $\\log \\sigma^2$ too: $\\tfrac12 \\log \\sigma^2 = \\log \\sigma$."),
        Mistake(_with_kl(lambda mu, s: (0.5 * ((mu**2 + 1) * (-2 * s).exp() - 1) + s).sum(-1)),
                "This is $\\mathrm{KL}(p \\,\\|\\, q)$, **the other way round**."),
        Mistake(_with_kl(lambda mu, s: 0.0),
                "The **divergence is missing**: this is the reconstruction alone, and no bound."),
        Mistake(_with_likelihood(lambda x, a: (x * torch.nn.functional.logsigmoid(a)).sum(-1)),
                "You counted **the ink alone**: paper is observed as well, with $\\log(1 - \\sigma(a))$."),
        Mistake(_with_likelihood(lambda x, a: _likelihood(x, a.sigmoid()).sum(-1)),
                "A **sigmoid too much**: `logits` are log-odds, and the formula takes them as they are."),
        Mistake(_with_likelihood(lambda x, a: -(x - a.sigmoid()).square().sum(-1)),
                "A **squared error** is a Gaussian's log-likelihood up to a constant; these pixels are tossed coins."),
        Mistake(lambda *given: elbo(*given).mean(),
                "You **averaged over the rows** too: every picture has a bound of its own, shape (n,)."),
        Mistake(lambda *given: elbo(*given).sum(),
                "You **added up the rows**: every picture has a bound of its own, shape (n,)."),
    ),
    hints=(
        "Two sums: over pixels, $x a - \\log(1 + e^a)$; over latent coordinates, "
        "$\\tfrac12 (\\mu^2 + \\sigma^2 - 1) - \\log \\sigma$. Which one is taken off?",
        "`torch.nn.functional.softplus(logits)` is $\\log(1 + e^a)$, and $\\sigma^2$ is `(2 * log_sigma).exp()`. Sum "
        "both over the last axis.",
    ),
    minutes=6,
    difficulty=2,
)

# 2 · the draw that a gradient goes through --------------------------------------------------------------------------


def reparameterised(mu, log_sigma, noise):
    """Draws of N(mu, sigma^2), (n, d), made of standard normal noise, (n, d)."""
    return mu + log_sigma.exp() * noise


def _draw_cases():
    g = rng.seeded(2)
    for n, latents in ((6, 3), (4, 2)):
        mu, s = (torch.randn(n, latents, generator=g).requires_grad_() for _ in range(2))
        yield mu, s, torch.randn(n, latents, generator=g)


REPARAMETERISED = Exercise(
    reparameterised,
    _draw_cases,
    mistakes=(
        Mistake(lambda mu, s, e: mu + (2 * s).exp() * e,
                "You scaled by the **variance**: $\\sigma \\varepsilon$ has the variance $\\sigma^2$, so scale by "
                "$\\sigma$."),
        Mistake(lambda mu, s, e: mu + (0.5 * s).exp() * e,
                "You took `log_sigma` for $\\log \\sigma^2$, and halved it."),
        Mistake(lambda mu, s, e: mu + s * e,
                "You scaled by **$\\log \\sigma$** itself: take `exp` first. (A scale must be positive.)"),
        Mistake(lambda mu, s, e: mu + s.exp() * e[:1],
                "**All rows share one noise**: each picture needs its own, or the minibatch has the variance of a "
                "single draw."),
        Mistake(lambda mu, s, e: mu + s.exp() * e[:, :1],
                "**All coordinates share one noise**: this $q$ is a line, not a cloud."),
        Mistake(lambda mu, s, e: (mu + s.exp() * e).detach(),
                "Right numbers, but **detached**: the whole point was that the gradient reaches $\\mu$ and $\\sigma$."),
        Mistake(lambda mu, s, e: mu.detach() + s.exp() * e,
                "The gradient to **$\\mu$ is cut**: leave `mu` as it is."),
        Mistake(lambda mu, s, e: mu + s.exp().detach() * e,
                "The gradient to **$\\sigma$ is cut**: leave `log_sigma` as it is."),
        Mistake(lambda mu, s, e: s.exp() * e, "The **mean is missing**: you drew around 0."),
        Mistake(lambda mu, s, e: mu - s.exp() * e,
                "A draw of the right $q$, but mirrored: the noise is **added**."),
        Mistake(lambda mu, s, e: s.exp() + mu * e, "Mean and scale are **swapped**: stretch the noise by $\\sigma$."),
        Mistake(lambda mu, s, e: mu + e, "The **scale is missing**: you drew with the standard deviation 1."),
        Mistake(lambda mu, s, e: mu, "This is the **mean**, no draw: nothing would tell the network how wide $q$ is."),
        Mistake(lambda mu, s, e: s.exp() * (mu + e),
                "The scale belongs to the **noise alone**: you moved the mean as well."),
    ),
    hints=(
        "A standard normal, stretched, then shifted. What stretches?",
        "$z = \\mu + \\sigma \\varepsilon$ with $\\sigma = e^{\\log \\sigma}$: `log_sigma.exp()`.",
    ),
    minutes=3,
    difficulty=1,
)

# 3 · the bound with many draws --------------------------------------------------------------------------------------


def iwae_bound(log_joint, log_q):
    """The bound with K weighted draws, (n,), from log p(x, z_k) and log q(z_k | x), both (K, n)."""
    return (log_joint - log_q).logsumexp(0) - torch.tensor(len(log_joint)).log()


def _iwae_cases():
    g = rng.seeded(3)
    for draws, n, shift in ((4, 3, 0.0), (6, 5, 1500.0)):
        yield 2 * torch.randn(draws, n, generator=g) - shift, torch.randn(draws, n, generator=g)


IWAE_BOUND = Exercise(
    iwae_bound,
    _iwae_cases,
    mistakes=(
        Mistake(lambda p, q: (p - q).mean(0),
                "This is the **mean of the logs**, the plain ELBO from $K$ draws: more draws make it steadier, not "
                "tighter. The log comes last."),
        Mistake(lambda p, q: (p - q).logsumexp(0),
                "The **$\\log K$ is missing**: an average divides by $K$. Yours grows with $K$ without end and is no "
                "bound."),
        Mistake(lambda p, q: p.logsumexp(0) - math.log(len(p)),
                "$q$ **is missing**: draws that $q$ prefers come too often, and the weight must make up for it."),
        Mistake(lambda p, q: (p + q).logsumexp(0) - math.log(len(p)),
                "The weight **divides** by $q$: in logs, subtract."),
        Mistake(lambda p, q: (q - p).logsumexp(0) - math.log(len(p)),
                "The ratio is **upside down**: $p(x, z) / q(z \\mid x)$."),
        Mistake(lambda p, q: -iwae_bound(p, q), "This is **minus** the bound, the loss."),
        Mistake(lambda p, q: (p - q).exp().mean(0).log(),
                "Right, until it **underflows**: $e^{-1500}$ is 0, and its log $-\\infty$. `logsumexp` takes the "
                "largest out first."),
        Mistake(lambda p, q: (p - q).exp().sum(0).log(),
                "The **$\\log K$ is missing**, and the sum underflows: $e^{-1500}$ is 0. Use `logsumexp`."),
        Mistake(lambda p, q: (p - q).logsumexp(0) + math.log(len(p)),
                "The average divides by $K$: $\\log K$ is **taken off**, not added."),
        Mistake(lambda p, q: (p - q).logsumexp(0) / len(p),
                "You divided the **log** by $K$: the average is inside the log, so take off $\\log K$."),
        Mistake(lambda p, q: (p - q).exp().mean(0), "This is an estimate of **$p(x)$**; its log is asked for."),
        Mistake(lambda p, q: ((p - q).softmax(0) * (p - q)).sum(0),
                "You averaged the logs with **normalised weights** (a softmax): that belongs to the gradient, not "
                "the bound, and it is too large."),
        Mistake(lambda p, q: (p - q).max(0).values, "This is the **largest weight alone**: average all $K$."),
        Mistake(lambda p, q: p.logsumexp(0) - q.logsumexp(0),
                "A **ratio of averages** is not the average of the ratios."),
        Mistake(lambda p, q: (p - q).logsumexp(1) - math.log(p.shape[1]),
                "You averaged **over the pictures**: rows are draws, columns pictures."),
        Mistake(lambda p, q: (p - q).logsumexp(0) - math.log(p.shape[1]),
                "You divided by the number of **pictures**: $K$ is the number of rows."),
        Mistake(lambda p, q: iwae_bound(p, q).mean(),
                "You **averaged over the pictures**: each has its own bound, shape (n,)."),
    ),
    hints=(
        "The log of an average of $K$ weights $p(x, z_k) / q(z_k \\mid x)$. Which axis holds the draws?",
        "`logsumexp` of `log_joint - log_q` over axis 0, and the log of $K$ taken off.",
    ),
    minutes=4,
    difficulty=1,
)

check = Checks("15", ELBO, REPARAMETERISED, IWAE_BOUND, UNLABELLED_BOUND, KILL_THE_LATENT)
