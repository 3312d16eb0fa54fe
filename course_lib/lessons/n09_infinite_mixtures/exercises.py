"""The exercises of lesson 09: reference, wrong answers by name, hints."""

import torch

from ... import rng
from ...classroom import Checks, Exercise, Mistake
from .reverse import HEAVY_PRIOR

# 1 · a rate that varies -----------------------------------------------------------------------------------------


def log_negative_binomial(x, r, m):
    """log p(x), shape (n,), of counts x (n,) whose Poisson rate is drawn from a gamma of concentration r and mean m."""
    log_ways = torch.lgamma(x + r) - torch.lgamma(r) - torch.lgamma(x + 1)
    return log_ways + r * torch.log(r / (r + m)) + x * torch.log(m / (r + m))


def _count_cases():
    yield torch.arange(8.0), torch.tensor(1.7), torch.tensor(5.0)
    yield torch.tensor([0.0, 3.0, 40.0]), torch.tensor(0.4), torch.tensor(2.5)


def _log_poisson(x, m):
    return x * torch.log(m) - m - torch.lgamma(x + 1)


LOG_NEGATIVE_BINOMIAL = Exercise(
    log_negative_binomial,
    _count_cases,
    mistakes=(
        Mistake(lambda x, r, m: _log_poisson(x, m),
                "This is the **plug-in**: the Poisson at the mean rate. Averaging the parameter first is not averaging "
                "the densities; the compound is wider."),
        Mistake(lambda x, r, m: x * (torch.digamma(r) - torch.log(r / m)) - m - torch.lgamma(x + 1),
                "You averaged **the log**: $\\mathbb{E}[\\log p(x \\mid z)]$ lies below $\\log \\mathbb{E}[p(x \\mid "
                "z)]$ (Jensen). Integrate the density, then take the log."),
        Mistake(lambda x, r, m: log_negative_binomial(x, r, m) + torch.lgamma(x + 1),
                "The **$x!$ of the Poisson is missing**: $p(x \\mid z) = z^x e^{-z} / x!$, and a constant of the "
                "integral stays in the result."),
        Mistake(lambda x, r, m: log_negative_binomial(x, r, m) + torch.lgamma(r),
                "The **gamma's own $\\Gamma(r)$ is missing**: the prior has a normaliser too."),
        Mistake(lambda x, r, m: log_negative_binomial(x, r, m) - torch.lgamma(x + r),
                "The **integral's $\\Gamma(x + r)$ is missing**: $\\int z^{x + r - 1} e^{-\\beta z} dz = "
                "\\Gamma(x + r) / \\beta^{x + r}$."),
        Mistake(lambda x, r, m: log_negative_binomial(x, r, r * r / m),
                "You took **$m / r$ for the rate** of the gamma, or exchanged two powers. The gamma's mean is "
                "concentration over rate, so its rate is $r / m$; $r / (r + m)$ gets the power $r$, $m / (r + m)$ gets "
                "$x$."),
        Mistake(lambda x, r, m: log_negative_binomial(x, r, r * m),
                "This gamma has **rate $1 / m$, so mean $r m$**. Its mean must be $m$: the rate is $r / m$."),
        Mistake(lambda x, r, m: log_negative_binomial(x, m, r),
                "**$r$ and $m$ are exchanged**: $r$ is the concentration, $m$ the mean."),
        Mistake(lambda x, r, m: log_negative_binomial(x, r, m) + (x + r) * torch.log1p(m / r),
                "The Poisson's **$e^{-z}$ is missing** in the integral: with that of the gamma it makes "
                "$e^{-(r / m + 1) z}$."),
        Mistake(lambda x, r, m: log_negative_binomial(x, r, m) - r * torch.log(r / m),
                "The **gamma's own $(r / m)^r$ is missing**: the prior's normaliser is $b^a / \\Gamma(a)$."),
        Mistake(lambda x, r, m: log_negative_binomial(x, r, m).exp(),
                "This is the **probability**; its log was asked for."),
        Mistake(lambda x, r, m: log_negative_binomial(x, r, m) + torch.lgamma(x + 1) - torch.lgamma(x),
                "**$\\Gamma(x)$ is $(x - 1)!$**, not $x!$, and infinite at 0: $\\log x!$ is `torch.lgamma(x + 1)`."),
    ),
    hints=(
        "Write the product of both densities and collect the powers of $z$: an unnormalised gamma is left. What are "
        "its concentration and its rate?",
        "With $\\beta = r / m$ the integral is $\\Gamma(x + r) / (\\beta + 1)^{x + r}$; before it stands $\\beta^r / "
        "(\\Gamma(r) \\, x!)$. In logs, $\\log \\Gamma$ is `torch.lgamma`.",
    ),
    minutes=10,
    difficulty=2,
)

# 2 · the tail ---------------------------------------------------------------------------------------------------


def tail_power(log_prior):
    """The power b with which p(x) falls, like |x|^-b, where z has the log-density `log_prior` and x | z ~ N(0, 1/z)."""
    z = torch.tensor([1e-14, 1e-12], dtype=torch.float64)
    log_p = log_prior(z)
    slope = (log_p[1] - log_p[0]) / (z[1].log() - z[0].log())  # p(z) ~ z^slope near 0
    return 2 * (slope + 1) + 1


def _gamma(a, b):
    def log_prior(z):
        z = torch.as_tensor(z, dtype=torch.float64)
        a_, b_ = torch.tensor(a, dtype=z.dtype), torch.tensor(b, dtype=z.dtype)
        return a_ * b_.log() + (a_ - 1) * z.log() - b_ * z - a_.lgamma()

    return log_prior


def _beta_prime(a):
    def log_prior(z):
        z = torch.as_tensor(z, dtype=torch.float64)
        return torch.tensor(a, dtype=z.dtype).log() + (a - 1) * z.log() - (a + 1) * z.log1p()

    return log_prior


def _tail_cases():
    yield (_gamma(2.0, 2.0),)  # Student's t with 4 degrees of freedom
    yield (_gamma(0.75, 3.0),)
    yield (_beta_prime(1.25),)


def _from(function):
    """A wrong power made from the right one."""
    return lambda log_prior: function(tail_power(log_prior))


TAIL_POWER = Exercise(
    tail_power,
    _tail_cases,
    mistakes=(
        Mistake(_from(lambda b: b - 1),
                "This is the tail of the **probability** $P(|X| > x)$. The density falls by one power more."),
        Mistake(_from(lambda b: (b - 3) / 2),
                "This is the power of **the mixing density** near 0. Now carry it through the integral: substitute "
                "$t = z x^2$."),
        Mistake(_from(lambda b: (b - 1) / 2),
                "This is $a$, where $p(z) \\sim z^{a-1}$. Now carry it through the integral: substitute $t = z x^2$."),
        Mistake(_from(lambda b: b / 2),
                "This is the power of **$x^2$**, not of $|x|$: $(x^2)^{-(a + 1/2)} = |x|^{-(2a + 1)}$."),
        Mistake(_from(lambda b: b - 2),
                "You took **the slope for $a$**: where $p(z) \\sim z^{a-1}$, the slope is $a - 1$."),
        Mistake(_from(lambda b: -b),
                "The **sign**: asked for is $b > 0$ in $|x|^{-b}$."),
        Mistake(_from(lambda b: b + 1),
                "The **$\\sqrt{z}$ of the Gaussian's normaliser** counts once, as $|x|^{-1}$; here it counts twice."),
    ),
    hints=(
        "$p(x) = \\int p(z) \\sqrt{z / 2 \\pi} \\, e^{-z x^2 / 2} dz$. For a large $|x|$ only small $z$ count; there "
        "$p(z) \\approx c \\, z^{a-1}$. Substitute $t = z x^2$ and collect the powers of $x$.",
        "The answer is $b = 2 a + 1$. You find $a - 1$ as the slope of $\\log p(z)$ against $\\log z$ between two tiny "
        "values, such as $10^{-14}$ and $10^{-12}$ (in double precision).",
    ),
    minutes=10,
    difficulty=2,
    atol=1e-4,
    rtol=1e-4,
)

# 4 · the predictive of PPCA -------------------------------------------------------------------------------------


def ppca_predictive(x_seen, seen, weight, loc, scale):
    """Mean (n, H) and covariance (H, H) of the hidden dimensions, given the seen ones, x_seen (n, S)."""
    w_seen, w_hidden = weight[seen], weight[~seen]  # (S, M), (H, M)
    covariance_z = torch.linalg.inv(torch.eye(weight.shape[1]) + w_seen.mT @ w_seen / scale**2)
    mean_z = (x_seen - loc[seen]) @ w_seen @ covariance_z / scale**2  # (n, M)
    mean = loc[~seen] + mean_z @ w_hidden.mT
    return mean, w_hidden @ covariance_z @ w_hidden.mT + scale**2 * torch.eye(len(w_hidden))


def _ppca_cases():
    g = rng.seeded(9)
    for seen, latents in (([True, False, True, True, False], 2), ([False, True, False], 1)):
        size = len(seen)
        weight, loc = torch.randn(size, latents, generator=g), torch.randn(size, generator=g)
        yield torch.randn(4, sum(seen), generator=g), torch.tensor(seen), weight, loc, 0.6


def _predictive(covariance=None, centre=True, back=True, posterior=None, power=2, prior=1.0, gain=1.0):
    """The reference with one thing wrong."""

    def wrong(x_seen, seen, weight, loc, scale):
        w_seen, w_hidden = weight[seen], weight[~seen]
        noise, used = scale**power, weight if posterior == "all" else w_seen
        covariance_z = torch.linalg.inv(prior * torch.eye(weight.shape[1]) + used.mT @ used / noise)
        mean_z = (x_seen - (loc[seen] if centre else 0)) @ w_seen @ covariance_z / noise**gain
        mean = (loc[~seen] if back else 0) + mean_z @ w_hidden.mT
        eye = torch.eye(len(w_hidden))
        if covariance is not None:
            return mean, covariance(w_hidden, covariance_z, noise * eye)
        return mean, w_hidden @ covariance_z @ w_hidden.mT + noise * eye

    return wrong


PPCA_PREDICTIVE = Exercise(
    ppca_predictive,
    _ppca_cases,
    mistakes=(
        Mistake(_predictive(covariance=lambda w, c, noise: w @ c @ w.mT),
                "Your covariance **forgets the noise** $\\sigma^2 I$: it is that of $W_h z + \\mu_h$, not of the "
                "pixels."),
        Mistake(_predictive(covariance=lambda w, c, noise: noise),
                "Your covariance **forgets that $z$ is uncertain**: it is that of a plug-in, $z$ put at its posterior "
                "mean. Add $W_h \\, \\mathrm{Cov}[z \\mid x_s] \\, W_h^\\top$."),
        Mistake(_predictive(covariance=lambda w, c, noise: w @ w.mT + noise),
                "Your covariance is **the marginal's**, as if nothing had been seen: use the *posterior's* covariance "
                "of $z$, not the prior's $I$."),
        Mistake(_predictive(centre=False),
                "**The mean was not subtracted** from what is seen: $z$ explains $x_s - \\mu_s$."),
        Mistake(_predictive(back=False),
                "**The mean of the hidden part was not added**: the prediction is $\\mu_h + W_h \\, "
                "\\mathbb{E}[z \\mid x_s]$."),
        Mistake(_predictive(posterior="all"),
                "The posterior of $z$ was computed with **all rows of $W$**: that takes the hidden dimensions for "
                "seen, at their means. Use the seen rows only."),
        Mistake(_predictive(prior=0.0),
                "The **prior of $z$ is missing**: this is the $z$ of least squares. The posterior's precision is $I + "
                "W_s^\\top W_s / \\sigma^2$, and $I$ comes from the prior."),
        Mistake(_predictive(gain=0.0),
                "A **$1 / \\sigma^2$ is missing** in the posterior's mean: it stands before "
                "$W_s^\\top (x_s - \\mu_s)$ too."),
        Mistake(_predictive(covariance=lambda w, c, noise: w @ c @ w.mT + noise.sqrt()),
                "The noise of the hidden pixels was added with **$\\sigma$ for $\\sigma^2$**: a "
                "covariance takes the square."),
        Mistake(_predictive(power=1),
                "**$\\sigma$ for $\\sigma^2$**: `scale` is a standard deviation; square it."),
        Mistake(_predictive(covariance=lambda w, c, noise: (w @ c @ w.mT + noise).diagonal()),
                "You returned **the variances alone**: the hidden dimensions share $z$, so they are correlated; return "
                "the matrix (H, H)."),
        Mistake(lambda *case: ppca_predictive(*case)[::-1],
                "The right two things in **the other order**: return `(mean, covariance)`."),
    ),
    hints=(
        "First $p(z \\mid x_s)$, with the seen rows of $W$ and $\\mu$ alone. Then push this Gaussian through $x_h = "
        "W_h z + \\mu_h + \\sigma \\epsilon$, as in line 1 of the derivation.",
        "$\\mathrm{Cov}[z \\mid x_s] = (I + W_s^\\top W_s / \\sigma^2)^{-1}$ and $\\mathbb{E}[z \\mid x_s] = "
        "\\mathrm{Cov}[z \\mid x_s] \\, W_s^\\top (x_s - \\mu_s) / \\sigma^2$.",
    ),
    returns=("mean", "covariance"),
    minutes=12,
    difficulty=3,
)

check = Checks("09", LOG_NEGATIVE_BINOMIAL, TAIL_POWER, HEAVY_PRIOR, PPCA_PREDICTIVE)
