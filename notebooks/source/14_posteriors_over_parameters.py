# %% [markdown] slideshow={"slide_type": "slide"}
# # 14 · Posteriors over parameters
#
# **Question.** What do we know about $\theta$ itself?
#
# **You will be able to**
#
# 1. compute a posterior over weights exactly, and say where that ends ([exercise 1](#Exercise-1:-grid_posterior),
#    [exercise 2](#Exercise-2:-laplace_log_evidence))
# 2. predict with a posterior: average the right thing ([exercise 3](#Exercise-3:-predictive))
# 3. find data after which less is known than before ([exercise 4](#Exercise-4:-unsettling_patient))
# 4. sample a posterior with minibatches, and price the error of the step ([exercise 5](#Exercise-5:-sgld_step))
#
# **You need** notebook 08's *evidence*, notebook 13's approximate inferences, Bayes' rule, second derivatives.
# Notation: $\mathcal{D}$ is the data, $n$ rows $x_i$ with answers $y_i$; $w$ are the $D$ weights, our $\theta$; $s$ is the
# standard deviation of their prior; $\sigma(a) = 1 / (1 + e^{-a})$; $\log$ is natural, in nats. All words and signs:
# [glossary](glossary.ipynb).
#
# **Time.** 80 minutes to read and explore, 30 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 38 s, 656 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import datasets, metrics, models, plots, rng
from course_lib.classroom import Line, derivation, evidence
from course_lib.inference import diagnostics, laplace, oracle
from course_lib.lessons.n14_posteriors_over_parameters import (bets, check, components, credible, explorers, langevin,
                                                               learning_curve, network, pictures, two_weights)
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Sixteen patients, and a doctor who is always sure
#
# Sixteen people were examined; some turned out to have heart disease. Two measures of an exercise test predict it by
# logistic regression: $p(y = 1 \mid x, w) = \sigma(w \cdot x)$. (The measures are centred, and we leave out a
# constant.)
# Let gradient ascent maximise the likelihood.

# %% slideshow={"slide_type": "fragment"}
everyone, ill = two_weights.patients()  # (270, 2), standardised, in a shuffled order; (270,)
x, y = everyone[:16], ill[:16]
path = two_weights.climb(x, y, steps=10_000, rate=5.0)
sure = (everyone[16:] @ path[-1]).sigmoid()
wrong = ((sure > 0.5) != (ill[16:] > 0.5)).double().mean().item()
loss = -torch.distributions.Bernoulli(logits=everyone[16:] @ path[-1]).log_prob(ill[16:]).mean().item()
plots.show(pictures.parted(x, y, path),
           alt=f"Left: a line parts {int(y.sum())} ill patients of {len(y)} from the others. Right: the length of w never "
               f"stops growing; after {len(path) - 1:,} steps it is {path[-1].norm():.0f}. The other patients: "
               f"{wrong:.0%} on the wrong side, log loss {loss:.2f} nats.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# A line parts the two groups, so doubling $w$ always fits better: **the maximum of the likelihood does not exist**. The
# doctor who follows it becomes certain, and wrong. (**Log loss** is the mean of $-\log p(y \mid x)$ over patients not
# learnt from; always saying ½ costs $\log 2 = 0.69$.)
#
# Sixteen patients cannot fix two numbers. So do not ask for the best $w$; ask which $w$ are *believable*: give $w$ a
# prior, and condition on what was seen. Latent or weight, all that is not seen is treated alike: notebook 12's posterior
# over one picture's $z$ becomes a posterior over one data set's $w$.
#
# **Bet before you read on.** The *mode* is the posterior's highest point, also called MAP.

# %% slideshow={"slide_type": "fragment"}
bets.few_rows()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask for the best line by eye, several people: each draws another one. That disagreement *is* the
# posterior. Then ask what each of them says about a patient far to the right: they agree; and about one between the
# groups.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The model: weights are drawn, too
#
# **The story.** Nature draws the weights once. For each patient she then tosses a coin whose bias they and the patient's
# measures decide. In **the graph** $w$ stands outside the box: one for all $n$. **The factorisation:**
#
# $$p(w, \mathcal{D}) = \underbrace{\prod_{d=1}^{D} \mathcal{N}(w_d; 0, s^2)}_{\text{prior } p(w)} \;
# \underbrace{\prod_{i=1}^{n} p(y_i \mid x_i, w)}_{\text{likelihood}}, \qquad
# p(w \mid \mathcal{D}) = \frac{p(w, \mathcal{D})}{p(\mathcal{D})}, \qquad p(\mathcal{D}) = \int p(w, \mathcal{D}) \, dw.$$
#
# The inputs $x$ are given throughout: $p(\mathcal{D})$ is short for $p(y_{1:n} \mid x_{1:n})$.

# %% slideshow={"slide_type": "fragment"}
figure, ax = plots.figure(height=1.8, width=5)
nodes, plate = {"$w$": (0, 0), "$y$": (1.6, 0), "$x$": (3.0, 0)}, (1.0, -0.55, 2.7, 1.1)
plots.graph(ax, nodes, [("$w$", "$y$"), ("$x$", "$y$")], observed=["$x$", "$y$"], plate=plate, repeats="$n$")
plots.show(figure, alt=f"Graphical model: arrows to y from the weights w, outside the box, and from x, inside it; the box repeats "
           f"for each of n = {len(x)} patients.")
models.Bayesian.card

# %% [markdown] slideshow={"slide_type": "subslide"}
# **The code**, one line a factor; the library's `Bayesian` does the same for any conditional model.

# %% slideshow={"slide_type": "fragment"}
def log_prior(w, s):
    return torch.distributions.Normal(0.0, s).log_prob(w).sum(-1)


def log_likelihood(w, x, y):  # w (..., D), x (n, D), y (n,) -> (..., n): one for each row
    logits = w @ x.mT
    return torch.distributions.Bernoulli(logits=logits).log_prob(y.expand_as(logits))


def log_joint(w, x, y, s):
    return log_prior(w, s) + log_likelihood(w, x, y).sum(-1)


library = models.Bayesian(models.ConditionalBernoulli(2, generator=rng.seeded(0)), prior_scale=5.0)
w = library.sample(100, rng.seeded(1))  # (100, 3): the library's model has a constant as well, the last
with_ones = torch.cat([x, torch.ones(16, 1)], -1)
torch.testing.assert_close(log_joint(w, with_ones, y, 5.0), library.log_joint(w, x, y))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Exact, with two weights
#
# Two numbers can be tried out: cut the plane into cells. And one patient after the other may come: today's
# posterior is tomorrow's prior. With $\mathcal{D}_{i}$ for the first $i$ patients:
#
# $$p(w \mid \mathcal{D}_i) = \frac{p(w) \prod_{j \le i} p(y_j \mid x_j, w)}{p(\mathcal{D}_i)}
# = \frac{p(w \mid \mathcal{D}_{i-1}) \, p(y_i \mid x_i, w)}{p(y_i \mid x_i, \mathcal{D}_{i-1})}, \qquad
# \log p(\mathcal{D}) = \sum_{i} \log p(y_i \mid x_i, \mathcal{D}_{i-1}).$$
#
# The second sum is remarkable: the evidence *is* a score for predictions, each made before its answer was known. The
# first predictions come almost from the prior alone. Values, for $s = 5$:

# %% slideshow={"slide_type": "fragment"}
points, log_cell = oracle.grid(-30, 30, 200, 2)  # ± 6 s: (40000, 2), the log of each cell's area
table = log_likelihood(points, x, y)  # (40000, 16)
log_mass = log_prior(points, 5.0) + log_cell  # of the prior
one_by_one = []
for column in table.mT:
    one_by_one.append((log_mass + column).logsumexp(0))  # log p(y_i | x_i, D_{i-1})
    log_mass = log_mass + column - one_by_one[-1]  # prior x likelihood / evidence
exact = (log_prior(points, 5.0) + table.sum(-1) + log_cell).logsumexp(0)
finer, finer_cell = oracle.grid(-35, 35, 300, 2)
derivation(
    Line(r"\log \int p(w, \mathcal{D}) \, dw", "sum w out; finer cells", (log_joint(finer, x, y, 5.0) + finer_cell).logsumexp(0)),
    Line(r"\log \sum_j p(w_j) \prod_i p(y_i \mid x_i, w_j) \, \Delta", "cells of area Δ", exact),
    Line(r"\sum_i \log p(y_i \mid x_i, \mathcal{D}_{i-1})", "one patient after the other", torch.stack(one_by_one).sum()),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 1: grid_posterior
#
# *8 minutes, ★☆☆.* From `points` $(m, D)$ with cells of size `cell`, from `x` $(n, D)$, `y` $(n,)$ and the prior's
# standard deviation return two things: the masses $p(w_j \mid \mathcal{D})$, $(m,)$, and $\log p(\mathcal{D})$. Stuck? Run
# `check.grid_posterior.hint()`, and again for more; `check.grid_posterior.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def grid_posterior(points, x, y, prior_scale, cell):
    raise NotImplementedError


check.grid_posterior(grid_posterior)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: one posterior, five inferences
#
# Grey is the truth; rings lie at one and two standard deviations. The inferences are notebook 13's: Laplace, VI
# (variational inference) with correlations and without (mean-field), HMC (Hamiltonian Monte Carlo), and importance
# sampling from a widened Laplace. One measure for all: $\mathrm{KL}(q \,\|\, p)$ over 144 bins. Even exact draws do not
# reach zero: their number stands last. (Weighted draws may do better: many reach the rare bins, each with a small
# weight.)
#
# 1. With $s = 5$, go from 4 patients to 128. Which inference improves most, and why?
# 2. With 4 patients: which prior makes Laplace good? Is it then a better posterior?
# 3. Where does mean-field beat Laplace, where does it lose, and what has the tilt to do with that?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Laplace: many patients make the posterior narrow, and a smooth log-density seen closely is a parabola.
# 2. The narrow one: then nearly all is prior, a Gaussian. Easy to compute is not the same as right.
# 3. It wins where the posterior is skewed (few patients, wide prior), since it looks at more than the mode; it loses
#    where the posterior is a tilted Gaussian.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.one_posterior_five_inferences()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Where exact ends
#
# How many cells does a grid need? Below: for each weight, on $\pm 4 s$, so that $\log p(\mathcal{D})$ is right to 0.01
# nats. More data make a narrower peak, and that needs more cells. With $D$ weights take that to the power $D$. This is why
# the *posterior* over parameters is intractable: its numerator costs one pass over the data, its denominator is an
# integral in $D$ dimensions. The five inferences of the explorer need only the numerator.

# %% slideshow={"slide_type": "fragment"}
for n in (16, 128):
    cells, _ = two_weights.cells_needed(everyone[:n], ill[:n], scale=2.0, tolerance=0.01)
    powers = {D: D * torch.tensor(float(cells)).log10().item() for D in (2, 14, network.PARAMETERS)}
    print(f"{n:3d} patients: {cells} cells a weight; in all", ", ".join(f"10^{p:.1f} for {D} weights" for D, p in powers.items()))
print(f"a billion cells a second: 14 weights take {10 ** (powers[14] - 9) / 3.156e7:,.0f} years")
on_two_grids = (exact - (log_joint(finer, x, y, 5.0) + finer_cell).logsumexp(0)).abs().item()
evidence("S33", "two weights: gap between log p(D) on two grids", on_two_grids, expect=(0, 1e-6), unit="nats")
evidence("S33", "log10 of the cells for the 14 weights of all measures, 128 patients", powers[14], expect=(15, 30))
full_covariance = two_weights.beside()[16, 5.0].kl["full-covariance VI"]
evidence("S33", "KL(q || p) of the best Gaussian, 16 patients, s = 5", full_covariance, expect=(0.02, 0.1), unit="nats")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Laplace's evidence
#
# As in [notebook 13](13_approximate_inference.ipynb#Climb:-the-mode,-and-Laplace's-Gaussian), now for $w$: at the mode
# $\hat w$ the slope is zero. Expand the log-joint to second order, with $H$ its Hessian there, and do the
# Gaussian integral:
#
# $$\begin{aligned}
# \log p(\mathcal{D}) &= \log \int e^{\log p(w, \mathcal{D})} \, dw && \text{the evidence} \\
# &\approx \log p(\hat w, \mathcal{D}) + \log \int e^{\frac12 (w - \hat w)^\top H (w - \hat w)} \, dw && \text{second order; no slope} \\
# &= \log p(\hat w, \mathcal{D}) + \tfrac{D}{2} \log 2 \pi - \tfrac12 \log \det(-H) && \text{a Gaussian with precision } {-H}
# \end{aligned}$$
#
# The first step is an approximation, so its line stands apart from the next two:

# %% slideshow={"slide_type": "fragment"}
def target(w):
    return log_joint(w, x, y, 5.0)


mode = laplace.maximum_a_posteriori(target, torch.zeros(2))
H = laplace.hessian(target, mode)
away = points - mode
parabola = target(mode) + 0.5 * ((away @ H) * away).sum(-1)  # on the grid, which is wide enough for it
by_hand = target(mode) + torch.tensor(2 * torch.pi).log() - 0.5 * torch.logdet(-H)  # D / 2 = 1
print(f"exact {exact:.4f}, Laplace {by_hand:.4f}: {by_hand - exact:+.4f} nats")
derivation(
    Line(r"\log p(\hat w, \mathcal{D}) + \log \int e^{\frac12 (w - \hat w)^\top H (w - \hat w)} dw", "second order",
         (parabola + log_cell).logsumexp(0)),
    Line(r"\log p(\hat w, \mathcal{D}) + \tfrac D2 \log 2\pi - \tfrac12 \log \det(-H)", "a Gaussian integral", by_hand),
    Line(r"\texttt{laplace}", "the library's", laplace.laplace(target, mode).log_evidence),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: laplace_log_evidence
#
# *6 minutes, ★☆☆.* From $\log p(\hat w)$, $\log p(\mathcal{D} \mid \hat w)$ and `hessian`, $H$ of shape $(D, D)$, return
# Laplace's $\log p(\mathcal{D})$. One case has 200 weights.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def laplace_log_evidence(log_prior, log_likelihood, hessian):
    raise NotImplementedError


check.laplace_log_evidence(laplace_log_evidence)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Predict: average the predictions
#
# What about a new patient $x_*$? Sum $w$ out, as any other unknown. Given $w$, the new answer does not depend on the old
# ones:
#
# $$p(y_* \mid x_*, \mathcal{D}) = \int p(y_*, w \mid x_*, \mathcal{D}) \, dw
# = \int p(y_* \mid x_*, w) \, p(w \mid \mathcal{D}) \, dw \approx \frac1S \sum_{l=1}^{S} p(y_* \mid x_*, w_l),$$
#
# with $S$ draws $w_l$ from the posterior.
#
# *A common slip* averages the parameters and plugs them in. That is another number:

# %% slideshow={"slide_type": "fragment"}
masses = log_mass.exp()  # p(w_j | D), from above
new = everyone[19]  # a patient whom nobody has learnt from
chances = (points @ new).sigmoid()
together = (log_joint(points, torch.cat([x, new[None]]), torch.cat([y, torch.ones(1)]), 5.0) + log_cell).logsumexp(0)
print(f"plug in the mean of w: {(masses @ points @ new).sigmoid():.4f}, the mode: {(mode @ new).sigmoid():.4f}; "
      f"geometric mean: {(masses @ chances.log()).exp():.4f}")
derivation(
    Line(r"p(\mathcal{D}, y_* = 1) / p(\mathcal{D})", "definition: two evidences", (together - exact).exp()),
    Line(r"\int p(y_* = 1 \mid x_*, w) \, p(w \mid \mathcal{D}) \, dw", "sum w out", masses @ chances),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: predictive
#
# *4 minutes, ★☆☆.* From posterior draws `w` $(S, D)$ and rows `x` $(n, D)$ compute $p(y_i = 1 \mid x_i, \mathcal{D})$,
# $(n,)$, of logistic regression.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def predictive(w, x):
    raise NotImplementedError


check.predictive(predictive)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Real data: does averaging pay?
#
# All 13 measures and a constant, 14 weights: no grid any more, but HMC. Forty random orders of the 270 patients; the last
# 100 judge. Error bars are over the orders, which share patients.

# %% slideshow={"slide_type": "fragment"}
orders = learning_curve.splits(40, seed=100)
curves = learning_curve.curves(orders)  # by prior: log losses, (6, 40) each
flat, parted = learning_curve.nearly_maximum_likelihood(orders)

# %% slideshow={"slide_type": "subslide"}
gains = {scale: metrics.estimate(curve.gain[3]) for scale, curve in curves.items()}  # with 40 patients
plots.show(pictures.learning_curves(curves, flat),
           alt="Log loss falls with patients. With almost no prior it leaves the picture: a plane parts "
               f"{parted[3].double().mean():.0%} of the samples of 40, mean loss {flat[3].mean():.1f}. There the average gains "
               + ", ".join(f"{gain} nats for s = {scale:g}" for scale, gain in gains.items()) + ".")
evidence("S33", "gain of averaging over the mode, 40 patients, s = 1", gains[1.0].value, expect=(0.02, 0.06), unit="nats")
bets.few_rows.settle(sum(gains[1.0].value > limit for limit in (0, 0.01, 0.1)))
print(f"5 patients, s = 0.5: the average gains {metrics.estimate(curves[0.5].gain[0])}")
print("160 patients, averaged:", ", ".join(f"s = {s:g}: {metrics.estimate(curve.averaged[5])}" for s, curve in curves.items()))
print(f"40 patients, s = 1: averaging {metrics.estimate(curves[1.0].averaged[3])}, "
      f"plugging in the mean of w {metrics.estimate(curves[1.0].mean_weights[3])}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** Averaging rescues a prior that is too wide, most with 20 to 40 patients: they leave several
# directions of $w$ open, and the mode is sure in all of them. With more the two agree. But with a
# narrow prior and few rows the mode is *better*: an average is best only if the prior believes what the world does. And
# the prior matters with 160 patients, too: "much data" means much *for each direction of $w$*. In the direction in which
# the data say nothing, the posterior is the prior, for ever; in an evidence it always counts.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: functions that data tame
#
# Twelve bumps with Gaussian weights and known noise: posterior and evidence exact. Drag the orange point; a button adds
# it.
#
# 1. Add a point, then remove it and add it elsewhere *at the same $x$*. Does the band's width care about the height?
# 2. Add points until the curve is known. Is a single weight known, too? (Read the two standard deviations.)
# 3. Keep only the first three points, and move the prior. Where is the evidence highest? Now drag the orange point to
#    the top, far from the others, and add it: where is it then?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. No: in a linear Gaussian model the posterior's covariance depends on where you looked, not on what you saw.
# 2. No: with twenty points spread out, a weight is still about three times as uncertain as $f$. Neighbours trade against
#    each other: **a wide posterior of weights does not mean wide predictions**.
# 3. Near 0.6 at the start; a wild point asks for a prior at least twice as wide. The evidence judges model *and prior*.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.draw_functions()

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 4: unsettling_patient
#
# *6 minutes, ★★☆, a reverse exercise.* On average data narrow a posterior; a single datum need not. After sixteen
# patients, `x` and `y`, and with $s = 5$, the chances of a patient `new` $(2,)$ seem clear. Return one more patient,
# `(features, label)`, with features within ±3, after which the posterior standard deviation of
# $p(\text{ill} \mid \texttt{new}, w)$ is at least twice as large.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def unsettling_patient(x, y, new):
    raise NotImplementedError


check.unsettling_patient(unsettling_patient)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What is promised: credible is not confidence
#
# A **credible interval** of 90 % holds $\theta$ with probability 0.9 *given these data and this prior*. A **confidence
# interval** promises: whatever $\theta$ is, nine of ten data sets give an interval that holds it. Toss a coin 10 times;
# uniform prior. After $h$ heads and $t$ tails the posterior of the chance $c$ is proportional to $c^h (1 - c)^t$, a
# density called $\mathrm{Beta}(h + 1, t + 1)$. (Its mean, $(h + 1)/(n + 2)$, is notebook 05's smoothing with $\alpha = 1$.)
# How often does the credible interval hold the chance?

# %% slideshow={"slide_type": "fragment"}
chance = (torch.arange(2000) + 0.5) / 2000
held_by = credible.coverage(10, chance)
print(f"averaged over the prior {held_by.mean():.4f}; for a chance of 0.02: {credible.coverage(10, torch.tensor([0.02])).item():.4f}, "
      f"of 0.5: {credible.coverage(10, torch.tensor([0.5])).item():.4f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A small Bayesian network of weights
#
# New York's warmest temperature against the day of the year; 60 days of 2012 and 2013, **no summers**. One hidden layer,
# 50 numbers in all, the log of the noise among them:
#
# $$y = b + \sum_{h=1}^{16} v_h \tanh(a_h x + c_h) + e^{\lambda} \xi, \qquad w = (a, c, v, b, \lambda), \quad \xi \sim \mathcal{N}(0, 1).$$
#
# Day and temperature are put on a scale around 0. The prior: $a_h, c_h$ have standard deviation 2, $v_h$ has $1.5 / \sqrt{16}$,
# $b$ and $\lambda$ have 1; all are Gaussian around 0, but $\lambda$ around $-1$.

# %% slideshow={"slide_type": "fragment"}
bets.gap()

# %% slideshow={"slide_type": "fragment"}
def mean_curve(w, x):  # w (..., 50), x (n,) -> (..., n)
    a, c, v, b, _ = w[..., None, :].split([16, 16, 16, 1, 1], -1)
    return ((a * x[:, None] + c).tanh() * v).sum(-1) + b[..., 0]


learn, held = network.days()  # six sets of 60 days, (6, 60); and by place what is held out
w = network.weights(torch.randn(5, 50, generator=rng.seeded(2)))  # draws from the prior
torch.testing.assert_close(mean_curve(w, learn.x[0]), network.network(w, learn.x[0]))
draws = network.posterior_draws(learn)  # (120, 4 chains, 6 sets, 3 temperatures, 50): by HMC; see Cold posteriors
likeliest, mode = network.highest_points(learn, prior=False), network.highest_points(learn, prior=True)
posterior = draws[..., -1, :]  # temperature 1: the posterior itself
curve = network.network(posterior, network.standard(torch.arange(0.0, 366, 15)))  # at 25 days
print(f"worst R-hat of a weight {diagnostics.r_hat(posterior).max():.2f}, of the curve {diagnostics.r_hat(curve).max():.3f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# By notebook 13's $\hat R$ the chains disagree about *weights* and agree
# about *functions*. Any two hidden units may exchange their names, and any $(a, c, v)$ its sign: $16! \, 2^{16}$ equal
# copies, notebook 08's label switching at scale.

# %% slideshow={"slide_type": "subslide"}
every = posterior.flatten(0, 1)  # (480, 6, 50)
figure = pictures.bands(learn, held, likeliest, every[:, :1])
july = network.network(every[:, 0], network.standard(torch.tensor([197.0]))) * learn.spread[0] + learn.centre[0]
plots.show(figure, alt="Left: six maximum-likelihood networks part wildly in the summer gap. Right: the posterior of one "
           f"set; its mean curve is {july.mean():.1f} ± {july.std():.1f} °C on day 197, and the band widens in the gap.")

# %% [markdown] slideshow={"slide_type": "subslide"}
# The judges: 90 % intervals, three places, six sets of days. The rivals: single networks, and a simple model that
# *knows* that a year is a circle (a level and one wave: 3 weights, their posterior exact). And the mean of all
# weights, plugged in.

# %% slideshow={"slide_type": "fragment"}
rivals = {
    "maximum likelihood": lambda d: network.judge_plug_in(likeliest, d), "mode": lambda d: network.judge_plug_in(mode, d),
    "mean of w": lambda d: network.judge_plug_in(every.mean(0), d), "posterior average": lambda d: network.judge(every, d),
    "a wave, 3 weights": lambda d: network.judge_year(learn, d)}
covered = {}
print("covered by 90 % intervals | log density, nats a day: ", "; ".join(held))
for name, judge in rivals.items():
    scores = [judge(data) for data in held.values()]
    covered[name] = [metrics.estimate(score.covered.mean(-1)) for score in scores]  # over the six sets
    nats = [metrics.estimate(score.log_density.mean(-1)) for score in scores]
    print(f"{name:19s}", *(f"{c.value:.2f} ± {c.error:.2f} " for c in covered[name]), "|",
          *(f"{v.value:6.2f} ± {v.error:.2f} " for v in nats))
days = next(iter(held.values())).x.shape[1]
print(f"binomial error of 0.90 with {days} independent days: {(0.9 * 0.1 / days) ** 0.5:.2f}")
record = datasets.weather("New York")
winters = [record.warmest[(record.day < 59) & ((record.year >= 2014) == late)].mean() for late in (False, True)]
print(f"mean of January and February: {winters[0]:.1f} °C in 2012 and 2013, {winters[1]:.1f} °C in 2014 and 2015")
evidence("S33", "coverage of 90 % by the network's posterior, same years", covered["posterior average"][0].value, expect=(0.83, 0.96))
bets.gap.settle(min(range(3), key=lambda place: covered["posterior average"][place].value))

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Three lessons.** On days like those it learnt from, the posterior's 90 % are 90 %, where maximum likelihood is far
# too sure. In the gap it widens, here even too much: the mode scores better there. But *the years after* had other
# winters (last line above): no
# posterior over $w$ doubts the model itself. And three weights with the right idea beat fifty without: prior knowledge
# before inference. The mean of all weights, over label-switched copies, is nonsense.
#
# ## Cold posteriors
#
# Some find that networks predict better when the posterior is sharpened, $p(w \mid \mathcal{D})^{1/T}$ with $T < 1$
# (Wenzel and others 2020): were model and prior right, it could not be so on average. Ours, paired with $T = 1$, set by set:

# %% slideshow={"slide_type": "fragment"}
for place, data in held.items():
    by_temperature = [network.judge(draws[..., t, :].flatten(0, 1), data).log_density.mean(-1) for t in range(3)]
    print(f"{place:28s}", "; ".join(f"T = {T}: {metrics.estimate(by_temperature[t] - by_temperature[2])} nats a day"
                                    for t, T in enumerate(network.TEMPERATURES[:2])))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Colder is worse or no better on days like the known ones, and *better* in the summers, where the prior's functions
# scatter more than the world does. So a cold gain is a hint that the prior is wrong there, not that Bayes' rule is. Six sets
# from one pool of two years are a small sample.

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* A good place for a break. Ask before the table: which row would you give to a farmer? Then: what would a
# model have to say so as to doubt that next year is like this one? (A latent for each year.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Minibatches: Langevin with a price
#
# HMC reads all rows for each gradient. **SGLD**, stochastic gradient Langevin dynamics, reads a minibatch of $M$ rows,
# drawn with replacement, and adds noise $\xi$. No test accepts or rejects the step: that would read all rows again.
#
# $$w' = w + \tfrac{\epsilon^2}{2} \Big[ \nabla \log p(w) + \tfrac nM \sum_{i \in \mathcal{M}} \nabla \log p(y_i \mid x_i, w) \Big] + \epsilon \, \xi.$$
#
# What does a step cost? One weight, posterior $\mathcal{N}(0, 1/\Lambda)$ after centring: the gradient is $-H w + \eta$, where
# the minibatch makes $H$ (mean $\Lambda$) and $\eta$ (mean 0, variance $V$). Then
# $w' = (1 - \tfrac{\epsilon^2}{2} H) w + \tfrac{\epsilon^2}{2} \eta + \epsilon \xi$, with parts that are uncorrelated as long as $\mathbb{E}\, w = 0$.
# A variance $S$ that stays the same obeys
#
# $$S = \mathbb{E}\big(1 - \tfrac{\epsilon^2}{2} H\big)^2 S + \tfrac{\epsilon^4}{4} V + \epsilon^2
# \;\Rightarrow\; S = \frac{\epsilon^2 + \epsilon^4 V / 4}{1 - \mathbb{E}(1 - \epsilon^2 H / 2)^2}
# \;\overset{\text{all rows}}{=}\; \frac{1}{\Lambda} \cdot \frac{1}{1 - \epsilon^2 \Lambda / 4}.$$
#
# With all rows $H = \Lambda$, $V = 0$: too wide by $\epsilon^2 \Lambda / 4$, second order in the step. Minibatches multiply
# that. Old Faithful's wait against its length, 272 rows:

# %% slideshow={"slide_type": "fragment"}
line = langevin.eruptions()
step = 0.4 * line.precision**-0.5  # 0.4 posterior standard deviations
derivation(
    Line(r"S \Lambda", "the formula, all rows", langevin.stationary_variance(line, step.item()) * line.precision),
    Line(r"1 / (1 - \epsilon^2 \Lambda / 4)", "H = Λ, V = 0", 1 / (1 - 0.4**2 / 4)),
)

# %% slideshow={"slide_type": "fragment"}
found = {"all 272 rows": langevin.bias(line, torch.tensor([0.45, 0.65, 0.9, 1.2]), None, seed=0),
         "minibatches of 16": langevin.bias(line, torch.tensor([0.15, 0.2, 0.3, 0.4]), 16, seed=1)}
one = found["minibatches of 16"]
worst = max(((part.measured - part.theory) / part.error).abs().max().item() for part in found.values())
plots.show(pictures.step_size_bias(found), alt=f"Both errors fall with the step, with a slope of about 2; measured points lie within "
           f"{worst:.1f} standard errors of theory. At 0.3 posterior deviations minibatches of 16 make the variance "
           f"{one.theory[2]:.0%} too large, all rows {1 / (1 - one.steps[2] ** 2 / 4) - 1:.0%}.")
evidence("S33", "SGLD: slope of log variance error against log step", langevin.slope(one), expect=(1.8, 2.3))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 5: sgld_step
#
# *5 minutes, ★★☆.* Return the next $w$ $(D,)$ from `prior_gradient` $(D,)$, `row_gradients` $(M, D)$ for $M$ of `n` rows,
# `step_size` $\epsilon$ and `noise`, a standard normal draw $(D,)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def sgld_step(w, prior_gradient, row_gradients, n, step_size, noise):
    raise NotImplementedError


check.sgld_step(sgld_step)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The quarrel, once more: how many clumps
#
# Notebook 08 asked BIC and held-out galaxies. Now the evidence $p(\mathcal{D} \mid K)$, with weights, means and variances
# integrated out. Conjugate priors do all but the hidden choices: given who belongs where, each component predicts with a
# Student-t (notebook 09). What is left is a sum over $K^{82}$ allocations. So, galaxy by galaxy, as in our first
# derivation:
#
# $$p(\mathcal{D}) = \prod_i p(x_i \mid x_{1:i-1}), \qquad
# p(x_i \mid x_{1:i-1}, z_{1:i-1}) = \sum_{k=1}^{K} \frac{n_k + 1}{i - 1 + K} \, t_k(x_i).$$
#
# A **particle filter** carries 1,000 guesses at the allocations, extends each by a draw, and copies those that predicted
# well. Its estimate of $p(\mathcal{D})$ is unbiased. Eight repeats, each in another order of the galaxies, give the
# error. The sum runs over *all* names, so no $\log K!$ is missing; who looks at one labelled peak only, as Laplace does,
# must add it.

# %% slideshow={"slide_type": "fragment"}
bets.components()

# %% slideshow={"slide_type": "fragment"}
galaxies = datasets.galaxies()[:, 0]
tables = components.by_components(galaxies, 8, seed=0)  # clumps of 1,000 km/s, means spread by 10,000 km/s, or as named

# %% slideshow={"slide_type": "fragment"}
bic = components.bic_by_components(galaxies, 8)  # own variances, none below (100 km/s)²: as in notebook 08

# %% slideshow={"slide_type": "subslide"}
values = {name: torch.tensor([components.combine(part.log_evidence) for part in row])  # (8, 2): log p(D | K), its error
          for name, row in tables.items()}
best = {name: int(part[:, 0].argmax()) + 1 for name, part in values.items()}
plots.show(pictures.evidence_by_components(tables, bic),
           alt="The evidence rises steeply up to three components, then slowly. Highest: "
           + ", ".join(f"K = {k} with the prior {name}" for name, k in best.items()) + f"; by BIC K = {int(bic.argmin()) + 1}.")
for name, part in values.items():
    share = " ".join(f"{p:.2f}" for p in part[:, 0].softmax(0))
    print(f"{name:25s} p(K | D), K = 1 to 8, all equal before: {share}; of 8, {tables[name][-1].occupied.mean():.1f} hold galaxies")
print(f"largest standard error of a height: {max(part[:, 1].max().item() for part in values.values()):.2f} nats")
evidence("S33", "standard error of log p(D | K = 6)", values["as it is"][5, 1], expect=(0, 0.15), unit="nats")
bets.components.settle(sum(best["as it is"] > limit for limit in (3, 5, 7)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** The evidence settles that one or two components are too few, and little beyond. The posterior over
# $K$ is broad, and under three of the four priors highest at the largest $K$ that we allowed. Expect clumps twice as wide *and* twice as far apart, and
# its peak moves down: a wide prior makes each new component place a bet on a large field, and most of the stake is lost
# (the **Occam factor**). "The evidence compares models whatever the prior" is false: it compares models *with* their priors,
# and here the prior decides. BIC, which knows no prior, names another number still. And $K$ counts components that exist *in
# the model*; how many hold galaxies is another question, and how many clumps there are a third (notebook 08).

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Put this figure beside notebook 08's. Ask: which prior would an astronomer accept? (Clusters are a few
# hundred to a thousand km/s wide.) Whoever names it before looking has earned a posterior.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. Parameters are latent variables that all rows share; their posterior is prior × likelihoods / evidence.
# 2. Exact for two weights; the cells grow with the power $D$. Laplace, VI, HMC and SGLD each pay elsewhere.
# 3. Average predictions, not parameters; that pays most where rows are few and the prior is wide.
# 4. A posterior knows what it has not seen, but does not doubt its model.
# 5. The evidence is a score of predictions made in advance, and belongs to a model *and its prior*.
#
# ## The statements, measured
#
# Each number stands with the range in which the course expects it.

# %% slideshow={"slide_type": "fragment"}
evidence.table("14")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# Every inference here began anew for each data set, and that of notebook 13 for each picture. Could one network learn to
# *answer*, for any picture, at once? And what does it lose? That is [notebook 15](15_amortised_inference.ipynb).
#
# ## In practice
#
# For real work: PyMC, NumPyro or Stan for HMC, and `laplace-torch` for networks. Scikit-learn has Laplace's approximation
# too, disguised: a Gaussian-process classifier with a linear kernel *is* Bayesian logistic regression.

# %% slideshow={"slide_type": "fragment"}
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct

kernel = ConstantKernel(25.0, "fixed") * DotProduct(0.0, "fixed")  # s² x · x', no constant
theirs = GaussianProcessClassifier(kernel, optimizer=None).fit(x.numpy(), y.numpy())
print(f"log evidence: scikit-learn {theirs.log_marginal_likelihood_value_:.4f}, ours {by_hand:.4f}")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@mackay1992practical] Laplace's evidence for networks.
# - [@neal1996bayesian] HMC over weights.
# - [@welling2011bayesian] Langevin steps from minibatches.
# - [@wilson2020bayesian] The average is the point.
# - [@wenzel2020good] Cold posteriors.
# - [@fearnhead2004particle] The sum over groupings, by particles.
# - [@richardson1997bayesian] The galaxies, with a posterior over $K$.
# - [@bishop2006pattern] Chapters 3 and 4: the explorer's model; Laplace.
