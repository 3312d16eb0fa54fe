# %% [markdown] slideshow={"slide_type": "slide"}
# # 06 · Stochastic gradients
#
# **Question.** How can a guess from 64 examples replace a sum over 60,000?
#
# **You will be able to**
#
# 1. estimate a log-likelihood and its gradient from a minibatch without bias ([exercise
#    1](#Exercise-1:-total_log_prob))
# 2. say how far off such an estimate is, and how many rows a wanted accuracy needs ([exercise
#    2](#Exercise-2:-standard_error), [exercise 3](#Exercise-3:-rows_needed))
# 3. write a step of stochastic gradient descent with momentum ([exercise 4](#Exercise-4:-momentum_step))
# 4. find the fault of a training loop from measurements, and mend it ([exercise 5](#Exercise-5:-draw_minibatches))
#
# **You need** expectations and variances, the gradient of a log-likelihood (notebooks 04 and 05). Notation:
# $\mathcal{D}$ holds $N$ rows (elsewhere $n$), a minibatch $\mathcal{M}$ holds $N_M$ of them, $\theta$ are the
# parameters; $\log$ is natural, in nats. All words and signs: [glossary](glossary.ipynb).
#
# **Time.** 70 minutes to read and explore, 25 for the exercises; as a lecture 55.
#
# **Measured.** *Run all*: 27 s, 680 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
import math
from course_lib import datasets, device, metrics, models, plots, rng, training
from course_lib.classroom import Line, derivation, evidence
from course_lib.lessons.n06_stochastic_gradients import (
    bets, check, experiments, explorers, find_the_bug, landscape, machines, pictures)
import torch

torch.set_default_dtype(torch.float64)  # exact sums
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Ask a few, know about all
#
# A poll asks 1,000 people and speaks of 60 million. Nobody thinks that a country sixty times as large needs a poll
# sixty times as large. Training asks data in place of people: every step needs the gradient of a mean over all $N$
# rows, and the poll is a minibatch.
#
# Our country has 3,823 inhabitants: digits written by 30 people. Here is one number about all of them, and 2,000 polls
# of each of three sizes. (The model and its parameters `theta`, after twenty steps of training, come in a minute.)

# %% slideshow={"slide_type": "fragment"}
digits = experiments.digits()  # x (3823, 65): 64 pixels and a 1; y (3823,); x_new, y_new by 13 other people
x, y, n = digits.x, digits.y, len(digits.x)
theta = experiments.climbed(digits, steps=20, lr=1.0)  # (65, 10)
log_p = (x @ theta).log_softmax(-1)[torch.arange(n), y]  # log p(y | x) of every row, (3823,)
polls = {}
for size in (16, 64, 256):
    rows = experiments.minibatches(n, size, 2000, rng.seeded(size), replacement=False)  # (2000, size)
    polls[f"{size} rows"] = log_p[rows].mean(-1)
off = {name: (poll - log_p.mean()).square().mean().sqrt().item() for name, poll in polls.items()}
plots.show(pictures.estimates(polls, log_p.mean().item()),
           alt=f"Histograms of 2,000 minibatch means around the mean over all rows, {log_p.mean():.3f} nats a digit. Their "
               f"typical distance from it: " + ", ".join(f"{value:.3f} with {name}" for name, value in off.items()) + ".")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Bet before you read on.**

# %% slideshow={"slide_type": "fragment"}
bets.copies()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Let the room bet by a show of hands. Usual answer: four times the data, twice the poll. Ask who
# would trust a poll of 1,000 in a village of 1,000: there the error is zero. Keep that for the last factor of the law.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The model
#
# **The story.** Somebody shows a picture $x_i$; its label $y_i$ is drawn from ten probabilities, which a linear map
# and a softmax make of the pixels. The rows are drawn independently. Everything is observed.
#
# $$p_\theta(\mathcal{D}) = \prod_{i=1}^{N} p_\theta(y_i \mid x_i), \qquad
# p_\theta(y \mid x) = \mathrm{softmax}(\theta^\top x)_y, \qquad
# \tfrac1N \log p_\theta(\mathcal{D}) = \tfrac1N \sum_{i=1}^{N} \underbrace{\log p_\theta(y_i \mid x_i)}_{\ell_i(\theta)}.$$
#
# All that follows needs only the last form, a **mean over rows**: it holds for $\log p_\theta(x)$ of any model of
# notebook 05 too.

# %% slideshow={"slide_type": "fragment"}
figure, ax = plots.figure(height=1.6, width=4.6)
plots.graph(ax, {"$x_i$": (0, 0), "$y_i$": (1.6, 0), r"$\theta$": (3.2, 0)}, [("$x_i$", "$y_i$"), (r"$\theta$", "$y_i$")],
            observed=["$x_i$", "$y_i$"], plate=(-0.5, -0.5, 2.6, 1.0), repeats="$N$")
plots.show(figure, alt=f"Graphical model: the picture x and the parameters θ point to the label y; x and y are observed, "
           f"in a box that repeats for each of N = {n:,} rows.")
models.ConditionalCategorical.card

# %% [markdown] slideshow={"slide_type": "fragment"}
# The code, in the same symbols. One row's gradient was derived in notebook 04: $\nabla \ell_i = x_i (e_{y_i} - p_i)^\top$
# with $e_y$ a one at place $y$ and $p_i$ the ten probabilities. The asserts hold both against the library's class and
# automatic differentiation.

# %% slideshow={"slide_type": "fragment"}
def log_likelihoods(theta, x, y):  # ℓ_i, (n,)
    return (x @ theta).log_softmax(-1)[torch.arange(len(y)), y]


library = models.ConditionalCategorical(64, 10, generator=rng.seeded(0))
with torch.no_grad():
    library.network[0].weight.copy_(theta[:64].T)
    library.network[0].bias.copy_(theta[64])
torch.testing.assert_close(log_likelihoods(theta, x, y), library.log_prob(y, x[:, :64]))
gradients = experiments.gradients(theta, x, y)  # ∇ℓ_i as rows, (3823, 650)
whole = torch.func.grad(lambda theta: log_likelihoods(theta, x, y).mean())(theta).flatten()
torch.testing.assert_close(gradients.mean(0), whole)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Unbiased: right on average
#
# Draw $N_M$ different rows (**without replacement**), each set of rows equally likely. Let $I_i$ be 1 if row $i$ is
# among them, else 0. Then
#
# $$\begin{aligned}
# \mathbb{E}\Big[\tfrac{1}{N_M} \sum_{i \in \mathcal{M}} \ell_i\Big]
# &= \mathbb{E}\Big[\tfrac{1}{N_M} \sum_{i=1}^{N} I_i \, \ell_i\Big] && \text{all rows, of which most count 0} \\
# &= \tfrac{1}{N_M} \sum_{i=1}^{N} P(i \in \mathcal{M}) \, \ell_i && \text{expectation is linear; } \mathbb{E}\,I_i = P(I_i = 1) \\
# &= \tfrac{1}{N_M} \sum_{i=1}^{N} \tfrac{N_M}{N} \, \ell_i && N_M \text{ places, shared by } N \text{ equal rows} \\
# &= \tfrac1N \log p_\theta(\mathcal{D}) && N_M \text{ cancels}
# \end{aligned}$$
#
# **With replacement** a row may come twice. Let $I_i$ count how often it comes; its mean is $N_M / N$ again, and the
# same lines hold.
#
# For the **gradient** one line more: $\nabla$ of a finite sum is the sum of the $\nabla$, so
# $\mathbb{E}\big[\nabla \tfrac{1}{N_M}\sum_\mathcal{M} \ell_i\big] = \nabla \, \mathbb{E}\big[\tfrac{1}{N_M} \sum_\mathcal{M} \ell_i\big]
# = \tfrac1N \nabla \log p_\theta(\mathcal{D})$. With eight digits and $N_M = 3$ there are 56 minibatches: we can
# visit them all. The gradient's lines are for one entry.

# %% slideshow={"slide_type": "fragment"}
few = slice(40, 48)
ell, slopes = log_p[few], gradients[few]  # (8,), (8, 650)
every = experiments.all_minibatches(8, 3, replacement=False)  # (56, 3)
chance = torch.bincount(every.flatten()) / len(every)  # P(i in M), (8,)
entry = slopes.var(0).argmax()
of_the_mean = torch.func.grad(lambda theta: log_likelihoods(theta, x[few], y[few])[every].mean(-1).mean())(theta)
derivation(
    Line(r"\mathbb{E}\,\tfrac{1}{N_M} \sum_{\mathcal{M}} \ell_i", "mean over all 56 minibatches", ell[every].mean(-1).mean()),
    Line(r"\tfrac{1}{N_M} \sum_i P(i \in \mathcal{M})\, \ell_i", "linear; P counted", (chance * ell).sum() / 3),
    Line(r"\tfrac{1}{N_M} \sum_i \tfrac{N_M}{N}\, \ell_i", "all rows equally likely", (3 / 8 * ell).sum() / 3),
    Line(r"\tfrac1N \log p(\mathcal{D})", "cancel", ell.mean()),
)

# %% slideshow={"slide_type": "subslide"}
exact = slopes[every].mean(1).mean(0)  # the mean of all 56 minibatch gradients, (650,)
gap_value, gap_gradient = (ell[every].mean() - ell.mean()).abs(), (exact - slopes.mean(0)).abs().max()
evidence("S18", "bias of the value, all 56 minibatches visited", gap_value, expect=(0, 1e-12), unit="nats")
evidence("S19", "largest bias of 650 gradient entries, all 56 visited", gap_gradient, expect=(0, 1e-12))
derivation(
    Line(r"\mathbb{E}\,\nabla \tfrac{1}{N_M} \sum_{\mathcal{M}} \ell_i", "mean of 56 gradients", exact[entry]),
    Line(r"\nabla\, \mathbb{E}\,\tfrac{1}{N_M} \sum_{\mathcal{M}} \ell_i", "gradient of the mean", of_the_mean.flatten()[entry]),
    Line(r"\tfrac1N \nabla \log p(\mathcal{D})", "as above", slopes.mean(0)[entry]),
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Estimate against truth**, now with all 3,823 rows, where nobody can visit every minibatch: 1,000 of them, and the
# distance of their average from the truth in standard errors, called the **z-score** (nothing is latent here). If
# there is no bias, it is a standard normal draw: its root mean square over many entries is near 1. A test that cannot
# fail proves nothing, so beside it stands a sampler that never draws the last 300 rows. There some pixels are inked as
# hardly anywhere else: watch whether value or gradient finds it out.

# %% slideshow={"slide_type": "fragment"}
both = torch.cat([log_p[:, None], gradients], -1)  # value and gradient, (3823, 651)
z = {}
for name, reachable in (("all rows", n), ("the last 300 rows never", n - 300)):
    rows = experiments.minibatches(reachable, 64, 1000, rng.seeded(2), replacement=False)
    z[name] = experiments.z_scores(experiments.minibatch_means(both, rows), both.mean(0))
    print(f"{name:24s} value: z = {z[name][0]:+.2f}; {len(z[name]) - 1} gradient entries that vary: "
          f"root mean square of z {z[name][1:].square().mean().sqrt():.2f}, largest {z[name][1:].abs().max():.1f}")
evidence("S19", "root mean square of the gradient's z", z["all rows"][1:].square().mean().sqrt(), expect=(0.8, 1.2))

# %% [markdown] slideshow={"slide_type": "slide"}
# The value has noticed nothing; the gradient has.
#
# ### Exercise 1: total_log_prob
#
# *3 minutes, ★☆☆.* From the log-probabilities `log_p` of a minibatch, shape $(N_M,)$, and the number `n` of all rows,
# estimate the **sum** $\log p_\theta(\mathcal{D})$ without bias. Stuck? Run `check.total_log_prob.hint()`, and again
# for more; `check.total_log_prob.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def total_log_prob(log_p, n):
    raise NotImplementedError


check.total_log_prob(total_log_prob)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: the gradient microscope
#
# *Unbiased is not exact.* The arrow is the whole gradient, one direction among 650, drawn with length one; the picture
# shows the plane of this arrow and of the largest noise across it. Every point is the gradient of one minibatch. The
# angle is taken in all 650 dimensions.
#
# 1. *At the start*, from $2^4$ rows to $2^6$: how much narrower is the cloud?
# 2. From which size on is the median angle below 45°, *at the start* and *after 200 steps*? Which of arrow and cloud
#    has changed more?
# 3. *At the start* with $2^2$ rows: is the cloud an ellipse? From when on is it?
# 4. At $2^{11}$ after 200 steps, put rows back and not. Then at $2^6$. Where does it matter?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Half as wide: four times the rows.
# 2. From about $2^6$; later from $2^{11}$, half of all data. The arrow is the unit, so it has shrunk: late in training
#    the noise outweighs it.
# 3. Clumps: this axis tells the digit 1 from the others, and a minibatch holds none, one or two of them. With some 32
#    rows nobody can count any more: the central limit theorem.
# 4. At $2^{11}$, more than half of all rows: the cloud is a third narrower without. At $2^6$ nobody sees it.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.gradient_microscope()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Start at one row and walk up. Ask before each step: how wide? After 200 steps show 64 rows: 81 degrees
# off, almost at a right angle. Would anybody have dared to train with that? Come back to it in the race.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How far off: the variance law
#
# Let $\sigma^2 = \tfrac1N \sum_i (\ell_i - \bar\ell)^2$ be the variance of the rows. (The law holds for every entry of
# the gradient as well; below, the variances of all 650 are added up.) **With replacement** the
# $N_M$ draws are independent, and variances of independent terms add:
#
# $$\mathrm{Var} = \tfrac{1}{N_M^2} \cdot N_M \, \sigma^2 = \frac{\sigma^2}{N_M}.$$
#
# **Without**, two different draws have a covariance $c$. To find it, draw all $N$ rows: their sum is no longer random,
# so $0 = N \sigma^2 + N (N - 1) \, c$, and $c = -\sigma^2 / (N - 1)$. A high row leaves lower ones behind. Hence
#
# $$\mathrm{Var} = \tfrac{1}{N_M^2} \big( N_M \, \sigma^2 + N_M (N_M - 1) \, c \big)
# = \frac{\sigma^2}{N_M} \Big( 1 - \frac{N_M - 1}{N - 1} \Big)
# = \frac{\sigma^2}{N_M} \; \frac{N - N_M}{N - 1}.$$
#
# The last factor is the **finite-population factor**: 1 for a small poll, 0 when everybody is asked. The lines, by
# visiting all 512 and all 56 minibatches of the eight digits:

# %% slideshow={"slide_type": "fragment"}
ordered = experiments.all_minibatches(8, 3, replacement=True)  # (512, 3)
variance = ell.var(correction=0)
away = ell - ell.mean()
c = (away.sum() ** 2 - away.square().sum()) / (8 * 7)  # the mean product of two different rows
derivation(
    Line(r"\mathrm{Var}", "with: 512 minibatches", ell[ordered].mean(-1).var(correction=0)),
    Line(r"\sigma^2 / N_M", "independent draws", variance / 3),
    Line(r"\mathrm{Var}", "without: 56 minibatches", ell[every].mean(-1).var(correction=0), ">="),
    Line(r"\tfrac{1}{N_M^2} ( N_M \sigma^2 + N_M (N_M - 1)\, c )", "variances and covariances", (3 * variance + 6 * c) / 9),
    Line(r"\tfrac{1}{N_M^2} ( N_M \sigma^2 - N_M (N_M - 1)\, \tfrac{\sigma^2}{N - 1} )", "c = −σ² / (N − 1)", (3 * variance - 6 * variance / 7) / 9),
    Line(r"\tfrac{\sigma^2}{N_M} \tfrac{N - N_M}{N - 1}", "tidied up", variance / 3 * 5 / 7),
)

# %% slideshow={"slide_type": "subslide"}
sizes = torch.tensor([1.0, 4, 16, 64, 256, 1024, 2048, 3400])
fine = torch.logspace(0, math.log10(3700), 200)
total = gradients.var(0, correction=0).sum().item()  # the 650 variances, added up
measured, curves = {}, {}
for name, replacement in (("with replacement", True), ("without", False)):
    measured[name] = [experiments.measured_variance(gradients, int(size), 300, rng.seeded(int(size)), replacement=replacement)
                      for size in sizes]
    curves[name] = fine, experiments.variance_law(total, n, fine, replacement=replacement)
slope = experiments.slope(sizes, torch.tensor([one.value for one in measured["with replacement"]]))
ratio = {name: [(one.value / experiments.variance_law(total, n, size, replacement=name != "without")).item()
                for one, size in zip(found, sizes)] for name, found in measured.items()}
plots.show(pictures.law(sizes, measured, curves), alt=f"Variance of the gradient against the rows of the minibatch. With replacement it falls along "
           f"a line of slope {slope:.3f}; without it bends down to 0 at {n:,} rows. Measured over law: from "
           f"{min(ratio['without']):.2f} to {max(ratio['without']):.2f} without replacement.")
evidence("S19", "slope of log variance of the gradient, with replacement", slope, expect=(-1.05, -0.95))
values = [experiments.measured_variance(log_p[:, None], int(size), 1000, rng.seeded(int(size)), replacement=True) for size in sizes]
evidence("S18", "the same slope for the value", experiments.slope(sizes, torch.tensor([one.value for one in values])), expect=(-1.05, -0.95))
factor = measured["without"][-1].value / measured["with replacement"][-1].value
evidence("S18", f"variance at 3,400 rows, without over with; (N − N_M) / (N − 1) = {(n - 3400) / (n - 1):.3f}", factor, expect=(0.09, 0.13))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: standard_error
#
# *3 minutes, ★☆☆.* You hold one minibatch and nothing else: `values` $(N_M,)$, drawn with replacement. Return the
# standard error of their mean.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def standard_error(values):
    raise NotImplementedError


check.standard_error(standard_error)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: rows_needed
#
# *6 minutes, ★★☆.* Given the standard deviation `sigma` of all rows (the $\sigma$ of the law), a wanted standard `error`
# and `n` rows in all: how many must be drawn without replacement, at least? Return a whole number.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def rows_needed(sigma, error, n):
    raise NotImplementedError


check.rows_needed(rows_needed)

# %% slideshow={"slide_type": "fragment"}
# The first bet: the law solved for the number of rows, with the error that 64 of 3,823 give.
squared = experiments.variance_law(1.0, n, 64, replacement=False)  # the squared error, for a variance of 1
needed = {country: country / (1 + squared * (country - 1)) for country in (500, n, 60_000, 60_000_000)}
for country, rows in needed.items():
    print(f"of {country:>10,} rows: {math.ceil(round(rows, 9)):d} are needed")
bets.copies.settle(sum(needed[60_000] > limit for limit in (70, 130, 300)))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What is biased
#
# Unbiased was a *mean*. A function of it whose graph is bent is biased in general. Take the mean probability of the right answer,
# $\mu = \tfrac1N \sum_i p_\theta(y_i \mid x_i)$, and its log, from a minibatch mean $m$. Taylor's formula to the second order
# (the **delta method**), then the expectation, with $\mathbb{E}\,m = \mu$ and the variance law:
#
# $$\log m \approx \log \mu + \frac{m - \mu}{\mu} - \frac{(m - \mu)^2}{2 \mu^2}
# \quad\Rightarrow\quad \mathbb{E} \log m - \log \mu \approx -\frac{\sigma_p^2}{2 \mu^2 N_M}.$$
#
# (We average $\log m - \log \mu - (m - \mu) / \mu$: the last term has mean zero, and takes most of the noise away.)

# %% slideshow={"slide_type": "fragment"}
p = log_p.exp()
mu, variance_p = p.mean(), p.var(correction=0)
for size in (1, 4, 16, 64, 256):
    m = p[experiments.minibatches(n, size, 20_000, rng.seeded(size), replacement=True)].mean(-1)  # (20000,)
    bias, error = metrics.estimate((m / mu).log() - (m / mu - 1))
    print(f"{size:4d} rows: bias {bias:+.6f} ± {error:.6f} nats; the delta method says {-variance_p / (2 * mu**2 * size):+.6f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The bias falls as $1 / N_M$, and with one row the approximation itself is off. So *a sum of logs is lucky*: a model
# whose $p(x)$ is an average inside the log (notebooks 10 and 11) does not get an unbiased $\log p(x)$ from few terms.
# One **step** along a minibatch gradient is unbiased too: its mean is the step of the whole batch. Where many steps lead
# is not: the next gradient is a bent function of $\theta$, which is now random.
#
# ## What a batch step costs
#
# Every row costs the same operations: 65 × 10 products for its probabilities, and as many for its gradient. Operations
# can be counted; seconds must be measured, and **honestly**. The first call is kept apart, for it also loads and
# prepares. A GPU is asked now and answers later, so we wait for it before we read the clock. `device.best()` is the one place where the course
# chooses where to compute.

# %% slideshow={"slide_type": "fragment"}
place = device.best()


def one_gradient(rows):  # the work to be timed: the gradient of a mean over so many rows
    again = torch.arange(rows) % n  # copies: the cost does not look at the pixels
    some_x, some_y, start = x.float()[again].to(place), y[again].to(place), theta.float().to(place)
    return lambda: torch.func.grad(lambda theta: log_likelihoods(theta, some_x, some_y).mean())(start)


counts = [1000, 4000, 15_000, 60_000, 120_000]
work = [one_gradient(rows) for rows in counts]
clock = [experiments.seconds_of(job, place, repeats=5) for job in work]  # warm-up apart, wait before every look at the clock
flops = torch.tensor([experiments.operations(job) for job in work], dtype=torch.float64)
evidence("S17", "slope of log operations against log N", experiments.slope(torch.tensor(counts).double(), flops), expect=(0.999, 1.001))
in_seconds = experiments.slope(torch.tensor(counts).double(), torch.tensor([later for _, later in clock]))
plots.show(pictures.seconds_by_rows(counts, clock, device.describe(place)),
           alt=f"Seconds of one whole gradient against N from {counts[0]:,} to {counts[-1]:,} rows, on logarithmic axes: slope "
               f"{in_seconds:.1f} on this machine.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# And what do the copies buy? Nothing: with every digit ten times, the whole gradient is *the same vector* at ten
# times the price, and a minibatch of 64 does not notice. Real data are not copies, but many rows say nearly the same.
#
# **The second bet**: is a small minibatch, which sees so little in each step, worth less for every example?

# %% slideshow={"slide_type": "fragment"}
bets.examples()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Stochastic gradient descent
#
# **Stochastic gradient descent**, SGD: descend the loss $-\tfrac{1}{N_M} \sum_\mathcal{M} \ell_i$, estimated from a
# minibatch, with learning rate $\eta$:
#
# $$\theta \leftarrow \theta - \eta \, g_\mathcal{M}(\theta), \qquad g_\mathcal{M} = -\tfrac{1}{N_M} \sum_{i \in \mathcal{M}} \nabla \ell_i(\theta).$$
#
# Version 1 uses all rows, version 2 random rows, version 3 walks through shuffled rows: an **epoch**, in which no row
# comes twice. They differ in one line, where the rows come from.

# %% slideshow={"slide_type": "fragment"}
def step(theta, rows, lr):
    gradient = torch.func.grad(lambda theta: -log_likelihoods(theta, x[rows], y[rows]).mean())(theta)
    return theta - lr * gradient


def shuffled(generator):  # one minibatch after another; shuffled anew for every epoch
    while True:
        yield from torch.randperm(n, generator=generator)[: n // 64 * 64].split(64)


def descend(rows_of, steps, lr=1.0):
    now = torch.zeros(65, 10)
    for _ in range(steps):
        now = step(now, rows_of(), lr)
    return now

# %% [markdown] slideshow={"slide_type": "subslide"}
# Each version takes as many steps as an epoch has. Then the library's loop takes 70 steps, into the second epoch: the
# assert says that it holds the same weights as version 3.

# %% slideshow={"slide_type": "fragment"}
g, walk, again = rng.seeded(6), shuffled(rng.seeded(7)), shuffled(rng.seeded(7))
versions = {"all rows": lambda: torch.arange(n), "random rows": lambda: torch.randint(n, (64,), generator=g),
            "shuffled rows": lambda: next(walk)}
for name, rows_of in versions.items():
    now, seen = descend(rows_of, steps=n // 64), n // 64 * len(rows_of())
    print(f"{name:13s} {n // 64} steps, {seen:7,} digits seen: {experiments.held_out(now[None], digits)[0]:.3f} nats a new digit")
with torch.no_grad():
    for part in library.parameters():
        part.zero_()
training.fit(training.gradient_descent(library, (x[:, :64], y), rng.seeded(7), steps=70, batch_size=64, lr=1.0,
                                       optimiser=torch.optim.SGD))
torch.testing.assert_close(descend(lambda: next(again), steps=70)[:64].T, library.network[0].weight.detach())

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 4: momentum_step
#
# *5 minutes, ★☆☆.* **Momentum** keeps a velocity $v \leftarrow \mu v + g$ and moves by it, $\theta \leftarrow \theta -
# \eta v$: old gradients fade, and noise averages out along the way. Return `(theta, velocity)`, both new.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def momentum_step(theta, velocity, gradient, lr, momentum):
    raise NotImplementedError


check.momentum_step(momentum_step)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The race
#
# Eight batch sizes start from $\theta = 0$ and run until the *new* digits, by people not seen, get −0.25 nats. Each size
# has its own learning rate: the power of two with which all of four trials have arrived soonest. Then eight fresh runs
# with it count. (Seconds: the steps times the measured time of one gradient.)

# %% slideshow={"slide_type": "fragment"}
found = experiments.race(digits, [1, 4, 16, 64, 256, 512, 1024, n], target=-0.25)
for one in found:
    error = one.steps.std() / len(one.steps) ** 0.5 if len(one.steps) > 1 else torch.tensor(0.0)
    print(f"{one.size:5d} rows, learning rate {one.lr:<5g} {one.steps.mean():7.0f} ± {error:3.0f} steps, "
          f"{one.steps.mean() * one.size:8,.0f} digits processed")
one_step = [experiments.seconds_of(one_gradient(one.size), place)[1] for one in found]
processed = {one.size: one.steps.mean().item() * one.size for one in found}
economical = min(processed, key=processed.get)
plots.show(pictures.race(found, one_step),
           alt=f"Three panels against the batch size. Steps fall from {found[0].steps.mean():.0f} to {found[-1].steps.mean():.0f}, first almost in "
               f"proportion, then hardly. Digits processed rise from {min(processed.values()):,.0f} to {max(processed.values()):,.0f}. Seconds: see the picture, "
               "they are those of your machine.")
saving = processed[n] / processed[economical]
evidence("S17", f"digits processed by the whole batch over those with {economical} a step, to −0.25 nats", saving, expect=(30, 150))
bets.examples.settle(sum(saving > limit for limit in (3, 10, 30)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Three regimes.** Small: more rows, fewer steps, nearly in proportion, with longer steps; *an example is not worth less
# in a small batch*. Large: more rows buy nothing, for the direction is good enough, and the learning rate is at the
# limit that the curvature sets. Between them lies the **critical batch size**, here a few dozen. So the rule "twice the
# batch, twice the learning rate" is a fair guide far below it, too bold near it, and fails above: read the learning
# rates in the table. Seconds have their best in the middle: a computer takes 64 rows at almost the price of one.
#
# *A fair word:* the saving depends on the target. On the way up the gradient shrinks faster than its noise. The batch
# size at which noise and gradient are equally long, $\sigma^2 / \|\bar g\|^2$, is the **noise scale**: the angle of 45° in
# the microscope. It grows as the saving falls. But it overstates the critical size, for it counts the noise in all
# directions alike, and only noise in steep directions hurts.

# %% slideshow={"slide_type": "fragment"}
for steps in (0, 20, 200):
    then = experiments.gradients(experiments.climbed(digits, steps, lr=1.0), x, y)
    print(f"noise scale after {steps:3d} steps with all rows: {then.var(0, correction=0).sum() / then.mean(0).square().sum():5.0f} rows")
for target in (-0.4, -0.25, -0.18):
    small, large = (found[2], found[-1]) if target == -0.25 else experiments.race(digits, [16, n], target=target)
    ratio = metrics.estimate(large.steps * n / (small.steps * 16))
    print(f"to {target:.2f} nats: the whole batch needs {ratio.value:.0f} ± {ratio.error:.0f} times the digits of minibatches of 16")
    if target == -0.25:
        evidence("S19", "times fewer digits with minibatches of 16, to −0.25 nats", ratio.value, expect=(30, 80))

# %% slideshow={"slide_type": "fragment"}
bets.floor()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The noise floor
#
# With a constant learning rate the walk never stops trembling. How far? Take one parameter near the optimum
# $\theta^*$, curvature $h$, and noise of variance $s^2$ in the gradient: $g = h (\theta - \theta^*) + \varepsilon$.
# A step multiplies the distance by $1 - \eta h$ and adds $-\eta \varepsilon$, independent of it, so the variances add.
# When the variance $v$ has settled, it reproduces itself; and the mean loss, $\tfrac12 h (\theta - \theta^*)^2$ above its
# best, follows:
#
# $$v = (1 - \eta h)^2 \, v + \eta^2 s^2 \;\Rightarrow\; v = \frac{\eta^2 s^2}{1 - (1 - \eta h)^2} = \frac{\eta \, s^2}{h (2 - \eta h)},
# \qquad \text{gap} = \tfrac12 h v = \frac{\eta \, s^2}{2 (2 - \eta h)}.$$
#
# For small $\eta$ the **floor is proportional to the learning rate**, and $s^2 = \sigma^2 / N_M$ divides it by the
# batch size. At $\eta h = 2$ it is infinite: the steps overshoot. In several dimensions $h$ and $s^2$ become
# matrices, $V = (I - \eta H) V (I - \eta H) + \eta^2 C / N_M$: linear equations.

# %% slideshow={"slide_type": "fragment"}
eta, h, s = 0.5, 0.8, 1.3
v = 0.0
for _ in range(200):
    v = (1 - eta * h) ** 2 * v + eta**2 * s**2
derivation(
    Line(r"v_{200}", "200 steps of the recursion", v),
    Line(r"\eta^2 s^2 / (1 - (1 - \eta h)^2)", "v reproduces itself", eta**2 * s**2 / (1 - (1 - eta * h) ** 2)),
    Line(r"\eta\, s^2 / (h (2 - \eta h))", "1 − (1 − a)² = a (2 − a)", eta * s**2 / (h * (2 - eta * h))),
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: a walk on a surface
#
# A model with two parameters, so that its whole log-likelihood can be drawn: 4,597 e-mails, spam or not, told from
# two measures of runs of capital letters. The dashed ring is the theory above, two standard deviations wide: on a
# paraboloid with Gaussian noise $1 - e^{-2}$, 86 %, of the places of a settled walk would lie in it.
#
# 1. All e-mails ($4^7$): from which learning rate on do the last steps jump across the valley? From which does the
#    walk never arrive?
# 2. Minibatches of 16: halve the learning rate. What happens to the ring, and to the time until it is reached?
# 3. One e-mail a step, learning rate 2: where is the walk, and where is the *mean* of its second half?
# 4. The valley is narrow and tilted. Why is the ring round?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. From 8 or 9 it is seen. At one over the curvature across the valley, 6.3, a jump ends in the middle; at two over it,
#    12.7, as far off as it began, and beyond it never arrives.
# 2. Its area halves, and the way takes twice as long: that is the trade.
# 3. The walk roams over the whole picture and beyond; its mean stays far nearer. **Averaging** takes the trembling out.
# 4. Across the valley the pull is strong, but so is the noise. Near the best fit of a good model the two matrices, $H$
#    and $C$, are almost the same, so that they cancel: the walk trembles alike in all directions.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.walk_on_a_surface()

# %% [markdown] slideshow={"slide_type": "fragment"}
# Now without looking: for each learning rate 120 walks with minibatches of 16, 3,000 steps from the summit. The floor
# is the mean gap in the second half; the squares are the gap of the *mean* of the parameters over that half.

# %% slideshow={"slide_type": "fragment"}
spam = landscape.Spam()
rates = 2.0 ** torch.arange(-2, 4)  # 0.25 to 8
gaps, averaged = landscape.settle(spam, rates, 16, runs=120, steps=3000, seed=1)
settled, means = [metrics.estimate(row) for row in gaps], [metrics.estimate(row) for row in averaged]
theory = [landscape.predicted_floor(spam, rate.item(), 16) for rate in rates]
for rate, walk_gap, said, mean_gap in zip(rates, settled, theory, means):
    print(f"learning rate {rate:<5g} floor {walk_gap.value:.5f} ± {walk_gap.error:.5f}, theory {said:.5f}; of the mean {mean_gap.value:.6f} ± {mean_gap.error:.6f}")
half = settled[1].value / settled[2].value
off = half * math.hypot(*(one.error / one.value for one in settled[1:3]))
plots.show(pictures.noise_floor(rates, settled, means, theory),
           alt="Gap against learning rate, both logarithmic. Measured over theory, from the smallest rate to the largest: "
               + ", ".join(f"{one.value / said:.2f}" for one, said in zip(settled, theory)) + f". From 1 to 0.5 it falls to {half:.2f} ± {off:.2f} of it. "
               f"The mean of the steps lies {settled[2].value / means[2].value:.0f} times lower at a rate of 1.")
bets.floor.settle(sum(half < limit for limit in (0.85, 0.6, 0.35)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# The theory holds where it should, for small steps; at 8 the surface is no paraboloid any more. Two cures: let the
# learning rate fall (Robbins and Monro's condition: its sum diverges, the sum of its squares does not), or average the parameters
# (Polyak). *Averaging parameters is not averaging learning rates*: the walk keeps its long steps.
#
# **Noise is not only harm.** The geyser Old Faithful was timed: 272 waits between eruptions. Around which time do most of
# them lie? Let a Cauchy distribution (heavy tails) of width 1 minute tell; its one parameter is the location. On the way
# to the summit its log-likelihood has a low bump, and all walks start before it.

# %% slideshow={"slide_type": "subslide"}
waits = datasets.old_faithful()[:, 1]
ends = {f"{size}": landscape.wander(waits, 50.0, size, lr=2.0, runs=200, steps=1000, seed=size) for size in (1, 4, 16, 64, 272)}
reached = {name: (end > 70).double().mean().item() for name, end in ends.items()}
line = torch.linspace(48, 84, 721)
summit = line[landscape.location_log_p(line, waits).argmax()].item()
plots.show(pictures.low_bump(waits, 50.0, ends),
           alt=f"Above: the log-likelihood has a low bump near {ends['272'].mean():.0f} minutes, where the whole gradient stops, and its "
           f"summit near {summit:.0f}. Below: where 200 walks end. Share that reaches the summit's slope, by rows in the minibatch: " + ", ".join(f"{name}: {share:.0%}" for name, share in reached.items()) + ".")

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask: would you now always take minibatches of one? Show that at the end the learning rate falls to
# zero, or else the walks would never come to rest. Noise finds, cooling keeps.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Many machines, one estimator
#
# Cut a minibatch into two equal shares $A$ and $B$, one for each machine. Then
#
# $$g_\mathcal{M} = \frac{1}{N_M} \sum_{i \in A \cup B} \nabla \ell_i
# = \frac12 \Big( \frac{1}{N_M / 2} \sum_{i \in A} \nabla \ell_i + \frac{1}{N_M / 2} \sum_{i \in B} \nabla \ell_i \Big) = \tfrac12 (g_A + g_B) :$$
#
# split the sum, then multiply and divide by 2. The average of the machines' gradients *is* the gradient of the joint
# minibatch, so nothing new has to be proved. If the shares are unequal, each must be weighted with its size. Now for
# real: the course's training program, once as one process and once as two, which `torchrun` starts and which meet over
# the network (here inside the machine). It takes some seconds, for each new process loads PyTorch.
#
# ```
# python -m course_lib.train softmax digits --steps 20 --batch-size 64
# torchrun --nproc-per-node=2 -m course_lib.train softmax digits --steps 20 --batch-size 64
# ```

# %% slideshow={"slide_type": "fragment"}
difference = machines.train_alone_and_together(steps=20, batch_size=64)
print(difference if isinstance(difference, str) else
      f"largest difference of a parameter between one process and two: {'below' if difference < 1e-6 else 'above'} 1e-6")
minibatch = gradients[experiments.minibatches(n, 64, 1, rng.seeded(9), replacement=False)[0], entry]  # one entry, 64 rows
derivation(
    Line(r"g_{\mathcal{M}}", "one machine, 64 rows", minibatch.mean()),
    Line(r"\tfrac12 (g_A + g_B)", "two machines, 32 rows each", (minibatch[:32].mean() + minibatch[32:].mean()) / 2),
    Line(r"\tfrac{40}{64} g_A + \tfrac{24}{64} g_B", "40 and 24 rows, weighed", (40 * minibatch[:40].mean() + 24 * minibatch[40:].mean()) / 64),
)

# %% slideshow={"slide_type": "fragment"}
# The same loop moves to a GPU without a change: model and data are sent to device.best(), and everything follows.
moved = models.ConditionalCategorical(64, 10, generator=rng.seeded(0)).float().to(place)
data = x[:, :64].float().to(place), y.to(place)
training.fit(training.gradient_descent(moved, data, rng.seeded(7), steps=300, batch_size=64, lr=1.0, optimiser=torch.optim.SGD))
new_x, new_y = digits.x_new[:, :64].float().to(place), digits.y_new.to(place)
print(f"on {place.type}: {metrics.estimate(moved.log_prob(new_y, new_x))} nats a new digit, "
      f"{(moved.logits(new_x).argmax(-1) == new_y).double().mean():.1%} read correctly")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Break it: find the bug
#
# A colleague sorts the digits by label, trains with minibatches of 16, then of 256, and complains that the larger
# ones help nothing. You may not read the loop; measure it. At fixed parameters, 200 gradients that it *applies*, in the first
# step and in the third: their mean along the whole gradient (1 is right), and their variance over the law's. Three
# known loops stand beside it.

# %% slideshow={"slide_type": "fragment"}
bets.suspect()

# %% slideshow={"slide_type": "fragment"}
by_label = gradients[y.argsort(stable=True)]  # (3823, 650)
print(" " * 19 + "mean along the whole gradient     variance over the law's\n"
      f"{'loop':18s} 16 rows    3rd step  256 rows     16 rows     256 rows")
for name, loop in find_the_bug.LINE_UP.items():
    first, third, large = (find_the_bug.signature(loop, by_label, size, step) for size, step in ((16, 1), (16, 3), (256, 1)))
    print(f"{name:18s} {first.length.value:5.2f}±{first.length.error:.2f} {third.length.value:8.2f} {large.length.value:8.2f}±{large.length.error:.2f}"
          f"{first.variance.value:11.2f} {large.variance.value:12.2f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Each fault has a **signature**. A sum grows with the batch, so the learning rate would have to shrink with it. A
# forgotten `zero_grad` grows with the steps. The colleague's mean is right, within its error bars. The variance is not,
# and the larger the batch, the farther it is from the law. So the rows of a minibatch must know of each other. Now read:
#
# ```python
# def colleagues_minibatches(n, size, repeats, generator):
#     start = torch.randint(n - size, (repeats, 1), generator=generator)
#     return start + torch.arange(size)          # a block of neighbours
# ```

# %% slideshow={"slide_type": "fragment"}
suspect = find_the_bug.colleagues_minibatches  # later, put your own here
loop = find_the_bug.Loop(suspect)
ratios = [find_the_bug.signature(loop, by_label, size).variance for size in (16, 256)]
for size, value in zip((16, 256), ratios):
    print(f"{size:3d} rows: variance {value.value:.2f} ± {value.error:.2f} times the law's")
bets.suspect.settle(0 if large.length.value > 2 else 1 if third.length.value > 2 else 2 if large.variance.value > 2 else 3)  # by the table above

# %% [markdown] slideshow={"slide_type": "fragment"}
# Sorted neighbours have the same label: 256 of them are one or two opinions. (And rows near both ends come too seldom,
# the last one never: a small bias as well.) *Unbiased is not enough.*
#
# ### Exercise 5: draw_minibatches
#
# *8 minutes, ★★☆.* Mend it: return `repeats` minibatches of `size` different rows out of `n`, shape
# `(repeats, size)`, all rows and all pairs of rows equally likely. When it passes, set `suspect = draw_minibatches`
# in the cell above and run it again.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def draw_minibatches(n, size, repeats, generator):
    raise NotImplementedError


check.draw_minibatches(draw_minibatches)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. A mean over random rows estimates the mean over all, value and gradient, without bias: expectation is linear.
# 2. Its variance is $\sigma^2 / N_M$, times $(N - N_M) / (N - 1)$ without replacement: it hardly depends on $N$.
# 3. A bent function of such a mean is biased; a log of an average, by $-\sigma^2 / 2 \mu^2 N_M$.
# 4. Below the critical batch size every example is worth the same; above it, more rows buy little.
# 5. A constant learning rate leaves a floor in proportion to it; averaging or cooling removes it.
#
# ## The statements, measured
#
# S18 and S19 hold as they stand, if every row is equally likely. S17 holds in two ways: a batch step costs in proportion to
# $N$, and it is hardly better than a step with a few hundred rows. It fails where a very accurate optimum is wanted
# of few data.

# %% slideshow={"slide_type": "fragment"}
evidence.table("06")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# Minibatches tame a sum over *data*. They do nothing about a sum over *causes* that were not observed: that one stands inside the log,
# where an estimate is biased. From [notebook 07](07_latents_and_features.ipynb) on, something is hidden.
#
# ## In practice
#
# PyTorch has all the parts: a `DataLoader` that shuffles, an optimiser with momentum. Keep `shuffle=True`; it is the colleague's bug in
# one word.

# %% slideshow={"slide_type": "fragment"}
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(x[:, :64], y), batch_size=64, shuffle=True, drop_last=True, generator=rng.seeded(0))
net = models.ConditionalCategorical(64, 10, generator=rng.seeded(0))
update = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
for _ in range(3):
    for some_x, some_y in loader:
        update.zero_grad()
        torch.nn.functional.cross_entropy(net.logits(some_x), some_y).backward()
        update.step()
print(f"after 3 epochs: {metrics.estimate(net.log_prob(digits.y_new, digits.x_new[:, :64]))} nats a new digit")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@robbins1951stochastic] Steps along noisy gradients arrive, if the learning rate falls neither too fast nor too
#   slowly.
# - [@cochran1977sampling] Chapter 2: simple random sampling and the finite-population factor.
# - [@bottou2008tradeoffs] Why an exact gradient of a random sample is a waste.
# - [@bottou2018optimization] The theory in one place.
# - [@polyak1992acceleration] The mean of the steps.
# - [@mandt2017stochastic] The ring of the second explorer.
# - [@mccandlish2018empirical] The noise scale.
# - [@shallue2019measuring] Our race, with networks.
# - [@goyal2017accurate] The learning rate scaled with the batch, and where that ends.
# - [@alpaydin1998optical] The digits, sorted by writers.
