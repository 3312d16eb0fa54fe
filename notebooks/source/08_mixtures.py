# %% [markdown] slideshow={"slide_type": "slide"}
# # 08 · Mixtures
#
# **Question.** What if the hidden cause is a choice?
#
# **You will be able to**
#
# 1. compute an exact posterior over a hidden choice, safely in floating point ([exercise
#    1](#Exercise-1:-responsibilities))
# 2. bound a log-likelihood from below, and say how large the gap is ([exercise 2](#Exercise-2:-bound))
# 3. derive and write the M-step of EM ([exercise 3](#Exercise-3:-m_step)), and find a fault in one by its invariants
#    ([exercise 5](#Exercise-5:-shared_variance))
# 4. make maximum likelihood fail on purpose, and say what that failure means ([exercise
#    4](#Exercise-4:-singular_start))
#
# **You need** Bayes' rule, expectations, derivatives, and the Gaussian density,
# $\log \mathcal{N}(x; \mu, \sigma^2) = -\tfrac{(x - \mu)^2}{2 \sigma^2} - \log \sigma - \tfrac12 \log 2 \pi$.
# Notation: $x_i$ is the $i$-th of $n$ data, $z$ is latent, $k$ is one of $K$ components and $\pi_k$ its weight; $\log$
# is natural, in nats. All words and signs: [glossary](glossary.ipynb).
#
# **Time.** 80 minutes to read and explore, 45 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 21 s, 509 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import datasets, metrics, models, plots, rng
from course_lib.classroom import Line, derivation, evidence
from course_lib.inference import oracle
from course_lib.lessons.n08_mixtures import bets, check, experiments, explorers, pictures
from course_lib.training import expectation_maximisation, fit, gradient_descent
import torch

torch.set_default_dtype(torch.float64)  # few data, exact sums: double precision costs nothing here
torch.set_num_threads(1)  # and a second thread gains nothing

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A geyser with two moods
#
# In Yellowstone the geyser Old Faithful has its next eruption announced on a board. How long should the board tell
# the visitors to wait? The mean of 272 waits is a fine number to print, and a bad one to believe: look where it lies.
# The curve is the Gaussian of maximum likelihood.

# %% slideshow={"slide_type": "fragment"}
eruptions = datasets.old_faithful()  # (272, 2): length of an eruption, wait until the next, both in minutes
waiting = eruptions[:, 1:]  # (272, 1)
one = models.Gaussian(1)
one.maximise(waiting)
near = ((waiting - one.loc).abs() < 2.5).double().mean().item()

figure, ax = plots.figure()
plots.histogram(ax, waiting[:, 0], bins=pictures.MINUTES)
plots.density_curve(ax, one, 35, 105, label="one Gaussian, maximum likelihood")
ax.axvline(one.loc.item(), color=plots.TRUTH, ls=":", label="mean")
ax.set(xlabel="wait until the next eruption (min)", ylabel="density (1/min)")
ax.legend()
plots.show(figure, alt=f"Histogram of {len(waiting)} waits with two humps; their mean, {one.loc.item():.1f} minutes, "
           f"lies in the valley between: only {near:.0%} of the waits come within 2.5 minutes of it.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Nobody wrote down the geyser's *mood*. Yet the picture asks for one: sometimes the wait is about 55 minutes,
# sometimes about 80, seldom anything between. This notebook takes that hidden choice seriously. It is the simplest
# latent variable, and one of the few for which everything can be computed exactly: the place to learn the words
# [marginal](#The-marginal-is-a-sum) and *bound* before they become hard.
#
# **Bet before you read on.** *Held out*, or *not seen*, means: fitted on some of the data, judged on the others.

# %% slideshow={"slide_type": "fragment"}
bets.gain()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Let the room bet by a show of hands before the first formula; write the distribution on the board.
# Ask: how would you explain the valley without a hidden variable? Usual answer: "the geyser is noisy". Noise would
# fill the valley, not dig it.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The model: first a choice, then a number
#
# **The story.** Nature first chooses a mood $z$, with probabilities $\pi_1, \dots, \pi_K$. Then it draws the wait $x$
# from the Gaussian of that mood, its component. You see $x$; you never see $z$.
#
# **The graph and the factorisation** say the same. The box repeats what is inside, once for each of the $n$ waits, as
# if they were independent (they are not: the correlation of neighbours is printed below):
#
# $$p_\theta(x, z) = \underbrace{p_\theta(z)}_{\text{prior}} \; \underbrace{p_\theta(x \mid z)}_{\text{likelihood}}
# = \pi_z \; \mathcal{N}(x; \mu_z, \sigma_z^2), \qquad \theta = (\pi, \mu, \sigma).$$
#
# Below the graph stands the model card. (Its $\Sigma$ is a covariance matrix; for
# $D = 1$ it is $\sigma^2$.)

# %% slideshow={"slide_type": "fragment"}
figure, ax = plots.figure(height=1.6, width=4)
nodes, plate = {"$z$": (0, 0), "$x$": (1.6, 0)}, (-0.5, -0.5, 2.6, 1.0)
plots.graph(ax, nodes, [("$z$", "$x$")], observed=["$x$"], plate=plate, repeats="$n$")
plots.show(figure, alt=f"Graphical model: an arrow from the latent choice z to the observed x, in a box that "
           f"repeats for each of n = {len(waiting)} waits.")
models.GaussianMixture.card

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The marginal is a sum
#
# What is the density of a wait when the mood is not known? Whatever the mood was, it was *one* of them: add up.
#
# $$p_\theta(x) = \sum_{k=1}^{K} p_\theta(x, z = k) = \sum_{k=1}^{K} \pi_k \, \mathcal{N}(x; \mu_k, \sigma_k^2).$$
#
# This is the **marginal** density of $x$; where it judges the model, it is the
# [evidence](07_latents_and_features.ipynb#The-evidence,-by-brute-force). In logs the sum becomes `logsumexp`, so that
# it cannot underflow to 0. The function below is the formula; the class in the library is a place to keep the
# parameters.

# %% slideshow={"slide_type": "fragment"}
weights, means, scales = torch.tensor([0.4, 0.6]), torch.tensor([55.0, 80.0]), torch.tensor([6.0, 6.0])  # by eye


def log_joint(x, weights, means, scales):
    return weights.log() + torch.distributions.Normal(means, scales).log_prob(x)  # (n, 1) with (K,) -> (n, K)


by_eye = experiments.mixture(weights, means, variances=scales.square())
torch.testing.assert_close(by_eye.log_joint(waiting), log_joint(waiting, weights, means, scales))
torch.testing.assert_close(by_eye.log_prob(waiting), log_joint(waiting, weights, means, scales).logsumexp(-1))
print("log p(x), mean over the waits ± standard error, in nats:")
print(f"by eye {metrics.mean_log_prob(by_eye, waiting)}, one Gaussian {metrics.mean_log_prob(one, waiting)}")
print(f"correlation of a wait with the next one: {torch.corrcoef(torch.stack([waiting[:-1, 0], waiting[1:, 0]]))[0, 1]:.2f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Is this really *the* evidence? The oracle of the course knows nothing of mixtures: it takes any function
# $\log p(x, z)$ and the list of all values of $z$, evaluates one after the other, and adds. And a density must
# integrate to one: a fine grid checks it.

# %% slideshow={"slide_type": "fragment"}
def brute_force(z):  # log p(x, z) for one value of z, with nothing of ours in it: (n,)
    return torch.distributions.Normal(means[z], scales[z]).log_prob(waiting[:, 0]) + weights[z].log()


exact = oracle.enumeration(brute_force, values=torch.arange(2))
gap = (by_eye.log_prob(waiting) - exact.log_evidence).abs().max().item()
evidence("S23", "largest gap between log p(x) and the sum over all z", gap, expect=(0, 1e-10), unit="nats")

points, log_weights = oracle.grid(-50, 200, 5000)
print(f"p(x) integrates to {(by_eye.log_prob(points) + log_weights).logsumexp(0).exp().item():.9f}")

# %% slideshow={"slide_type": "subslide"}
figure = pictures.marginal_as_a_sum(waiting, by_eye, 35, 105)
crossing = points[(by_eye.posterior(points)[:, 0] - 0.5).abs().argmin()].item()
plots.show(figure, alt=f"Left: two weighted bells and their sum over the histogram. Right: as the wait grows, the "
           f"posterior of mood 1 falls from 1 to 0 and that of mood 2 rises; they cross at {crossing:.1f} minutes.")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The posterior is exact
#
# You waited 65 minutes. Which mood was it? Bayes' rule divides one term of the sum by the whole sum:
#
# $$p_\theta(z = k \mid x) = \frac{p_\theta(x, z = k)}{p_\theta(x)}
# = \frac{\pi_k \, \mathcal{N}(x; \mu_k, \sigma_k^2)}{\sum_j \pi_j \, \mathcal{N}(x; \mu_j, \sigma_j^2)} =: r_k(x).$$
#
# The $r_k$ are the responsibilities of [notebook 02](02_what_generative_models_buy.ipynb#A-few-labels,-many-pictures):
# how much component $k$ answers for $x$. They are no hard labels. *A common slip*: $p(x \mid z = k)$, how well mood $k$
# predicts 65 minutes, is not $p(z = k \mid x)$; the prior stands between them.

# %% slideshow={"slide_type": "fragment"}
wait = torch.tensor([[65.0]])
likelihood, joint = by_eye.log_likelihood(wait).exp()[0], by_eye.log_joint(wait).exp()[0]
for k in range(2):
    print(f"mood {k + 1}: prior {weights[k]:.2f} × likelihood {likelihood[k]:.5f} = joint {joint[k]:.5f}; "
          f"divided by p(x) = {joint.sum():.5f}: posterior {by_eye.posterior(wait)[0, k]:.3f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 1: responsibilities
#
# *5 minutes, ★☆☆.* From `log_prior` of shape $(K,)$ and `log_likelihood` of shape $(n, K)$ compute the
# responsibilities, $(n, K)$. Some of the test's data lie very far from every component. Stuck? Run
# `check.responsibilities.hint()`, and again for more; `check.responsibilities.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def responsibilities(log_prior, log_likelihood):
    raise NotImplementedError


check.responsibilities(responsibilities)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: build a mixture by hand
#
# Five numbers make a model. Three questions that only moving them answers:
#
# 1. Can you get within 0.01 nats of the best? Then move each slider by a tenth of its length: which one matters
#    least?
# 2. Put the weight of component 1 at 0.01 and leave the rest. What does that cost? Why so little, although a third of
#    the waits belong to it?
# 3. Find a *second*, different setting with exactly the same log-likelihood as your best one.
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. The figure tells how near you are; EM prints the five numbers further down. The weight and standard deviation 1
#    matter least, the mean of the larger hump most.
# 2. 0.9 nats a wait. The short waits, a third, find their component at 1 % instead of 36 %, and lose
#    $\log 36 = 3.6$; the long ones gain $\log (0.99 / 0.64) = 0.4$.
# 3. Exchange everything between the two components, with weight $1 - \pi_1$: the names do not matter.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.build_a_mixture()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why not simply set the gradient to zero?
#
# For one Gaussian that is a line of algebra. Here the sum stands *inside* the logarithm. Take one data point and one
# mean, and write $p(x, k)$ for $p(x, z = k)$:
#
# $$\frac{\partial}{\partial \mu_k} \log p(x)
# = \frac{1}{p(x)} \, \frac{\partial \, p(x, k)}{\partial \mu_k}
# = \frac{p(x, k)}{p(x)} \, \frac{\partial \log p(x, k)}{\partial \mu_k}
# = r_k(x) \, \frac{x - \mu_k}{\sigma_k^2}.$$
#
# First the chain rule (only the $k$-th term of the sum knows $\mu_k$), then $\partial p = p \, \partial \log p$, then
# the definition of $r_k$ and the derivative of $-(x - \mu_k)^2 / 2 \sigma_k^2$. Each line with its value, at a wait
# of 65 minutes:

# %% slideshow={"slide_type": "fragment"}
mu = means.clone().requires_grad_()
joint = log_joint(wait, weights, mu, scales)[0].exp()  # (2,)
(d_evidence,) = torch.autograd.grad(joint.sum().log(), mu, retain_graph=True)
(d_joint,) = torch.autograd.grad(joint[0], mu, retain_graph=True)
r = by_eye.posterior(wait)[0, 0]
derivation(
    Line(r"\partial_{\mu_1} \log p(x)", "automatic differentiation", d_evidence[0]),
    Line(r"\tfrac{1}{p(x)} \, \partial_{\mu_1} p(x, 1)", "chain rule", d_joint[0] / joint.sum()),
    Line(r"r_1 \, (x - \mu_1) / \sigma_1^2", "responsibility", r * (65 - means[0]) / scales[0] ** 2),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# Setting the sum over the data to zero gives $\mu_k = \sum_i r_{ik} x_i / \sum_i r_{ik}$ with $r_{ik} = r_k(x_i)$: a
# weighted mean. But the weights $r_{ik}$ depend on $\mu$ themselves. A circle! If we knew the responsibilities, the
# parameters would be easy; if we knew the parameters, so would the responsibilities. EM, *expectation maximisation*,
# walks round this circle. To see why it never walks downhill, we need a bound.
#
# ## A bound that touches
#
# Two tools. **Jensen's inequality**: the logarithm is concave, its graph bends downwards, so the log of an average is
# at least the average of the logs. For 1 and 4 with equal weights:
# $\log 2.5 = 0.92 \ge \tfrac12 \log 1 + \tfrac12 \log 4 = 0.69$. And notebook 03's Kullback–Leibler divergence of two
# distributions, $\mathrm{KL}(q \,\|\, p) = \sum_z q(z) \log \frac{q(z)}{p(z)}$.
#
# Now take *any* distribution $q(z)$ that is nowhere zero (a certain one is a limit of such, and the bound still
# holds). Five lines, each with its reason:
#
# $$\begin{aligned}
# \log p(x) &= \log \sum_z p(x, z) && \text{the marginal is a sum} \\
# &= \log \sum_z q(z) \, \frac{p(x, z)}{q(z)} && \text{multiply and divide by } q(z) \\
# &\ge \sum_z q(z) \log \frac{p(x, z)}{q(z)} \;=:\; F(q, \theta) && \text{Jensen: an average under } q \\
# &= \sum_z q(z) \log \frac{p(z \mid x) \, p(x)}{q(z)} && \text{product rule} \\
# &= \log p(x) - \mathrm{KL}\big(q(z) \,\|\, p(z \mid x)\big) && p(x) \text{ does not depend on } z
# \end{aligned}$$
#
# The last line tells all: the gap *is* the divergence between $q$ and the posterior. Because of the third line it is
# never negative; because the logarithm is *strictly* concave, it is zero only where $p(x, z) / q(z)$ is the same for
# all $z$, that is, where $q$ is the posterior. Here is every line, a mean over the 272 waits, for a $q$ that knows
# nothing, one half each:

# %% slideshow={"slide_type": "fragment"}
q = torch.full((len(waiting), 2), 0.5)  # (n, K), any distribution
joint, posterior, log_p = by_eye.log_joint(waiting), by_eye.posterior(waiting), by_eye.log_prob(waiting)
divided = (q * (joint - q.log()).exp()).sum(-1).log()  # (n,)
product = (q * (posterior.log() + log_p[:, None] - q.log())).sum(-1)
kl = (q * (q / posterior).log()).sum(-1)
derivation(
    Line(r"\log p(x)", "the marginal is a sum", log_p.mean()),
    Line(r"\log \sum_z q \, p(x, z) / q", "multiply and divide by q", divided.mean()),
    Line(r"\sum_z q \log [p(x, z) / q]", "Jensen", (q * (joint - q.log())).sum(-1).mean(), ">="),
    Line(r"\sum_z q \log [p(z \mid x) \, p(x) / q]", "product rule", product.mean()),
    Line(r"\log p(x) - \mathrm{KL}(q \,\|\, p(z \mid x))", "p(x) does not depend on z", (log_p - kl).mean()),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: bound
#
# *8 minutes, ★★☆.* Compute $F(q, \theta) = \sum_z q \log p(x, z) - \sum_z q \log q$ for each row, from two tensors
# `log_joint` and `q`, both $(n, K)$; the second sum with its minus is the entropy of $q$. A $q$ may be certain:
# mind $0 \log 0$, whose limit is 0.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def bound(log_joint, q):
    raise NotImplementedError


check.bound(bound)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## EM: close the gap, then raise the bound
#
# **E-step.** Keep $\theta$, choose $q = p(z \mid x)$: the gap closes, $F = \log p(x)$.
#
# **M-step.** Keep $q = r$, choose the $\theta$ that maximises $F$, now summed over the data. Only
# $\sum_{ik} r_{ik} \log p(x_i, k)$ depends on it, and there the log meets each Gaussian alone. With
# $n_k = \sum_i r_{ik}$:
#
# $$\frac{\partial F}{\partial \mu_k} = \sum_i r_{ik} \frac{x_i - \mu_k}{\sigma_k^2} = 0
# \;\Rightarrow\; \mu_k = \frac{1}{n_k} \sum_i r_{ik} x_i$$
#
# $$\frac{\partial F}{\partial \sigma_k} = \sum_i r_{ik} \Big( \frac{(x_i - \mu_k)^2}{\sigma_k^3} - \frac{1}{\sigma_k} \Big) = 0
# \;\Rightarrow\; \sigma_k^2 = \frac{1}{n_k} \sum_i r_{ik} (x_i - \mu_k)^2$$
#
# The weights are shares, as in [notebook 05](05_fully_observed_models.ipynb#Counting-is-maximum-likelihood) with $n_k$ for
# the counts: $\pi_k = n_k / n$.
#
# Neither step can lower $F$, and after each E-step $F = \log p(x)$: **the log-likelihood never goes down**. The
# chain, in numbers:

# %% slideshow={"slide_type": "fragment"}
def mean_bound(q, model):  # F as in exercise 2, mean over the waits
    return (q * model.log_joint(waiting) - torch.special.xlogy(q, q)).sum(-1).mean()


better = experiments.mixture(weights, means, variances=scales.square())
better.maximise(waiting, posterior)
derivation(
    Line(r"F(q, \theta)", "any q", mean_bound(q, by_eye)),
    Line(r"F(r, \theta) = \log p_\theta(x)", "E-step: closes the gap", mean_bound(posterior, by_eye), "<="),
    Line(r"F(r, \theta_\text{new})", "M-step: raises the bound", mean_bound(posterior, better), "<="),
    Line(r"\log p_{\theta_\text{new}}(x)", "a bound lies below", better.log_prob(waiting).mean(), "<="),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: EM as a tug of two bars
#
# Twelve waits; drag each one's responsibility up and down (or focus a point and use the arrow keys).
#
# 1. Can you bring $F$ *above* $\log p(x)$? Can you touch it by hand?
# 2. Press *Start again*, then the M-step *first*. Both means are now the same, and no further step moves them. Why?
# 3. *Start again*, then E and M in turn until nothing moves. Drag one point far off and press the M-step: does
#    $\log p(x)$ rise? Must it?
# 4. *Swap the names.* Which bar moves? What does that tell you about the meaning of "component 1"?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Never above; touching means having found the posterior, point by point.
# 2. With $q = \tfrac12$ everywhere both components are fitted to the same data: two equal Gaussians, whose posterior
#    is $\tfrac12$ again. The circle has closed on itself.
# 3. It falls: you came from a maximum. The M-step must raise only $F$, for *your* $q$; $\log p(x)$ must rise only where
#    the two were equal, after an E-step.
# 4. Neither. The names mean nothing.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.tug_of_two_bars()

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: m_step
#
# *12 minutes, ★★☆.* Write the M-step for data `x` of shape $(n,)$ and responsibilities `r` of shape $(n, K)$. Return
# `(weights, means, variances)`, each $(K,)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def m_step(x, r):
    raise NotImplementedError


check.m_step(m_step)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The whole algorithm
#
# One line for the E-step, two for the M-step, in a loop. The library's `expectation_maximisation` does just this, in
# any dimension, and yields after every step so that it can be watched; `fit` runs it to its end. The assert holds the
# two together: same start, same number of steps, same parameters.

# %% slideshow={"slide_type": "fragment"}
def em(x, weights, means, variances, steps):
    for _ in range(steps):
        r = log_joint(x, weights, means, variances.sqrt()).softmax(-1)  # E-step, (n, K)
        weights, means = r.mean(0), (r * x).sum(0) / r.sum(0)  # M-step
        variances = (r * (x - means) ** 2).sum(0) / r.sum(0)
    return weights, means, variances


ours, library = em(waiting, weights, means, scales**2, 30), experiments.mixture(weights, means, scales**2)
fit(expectation_maximisation(library, waiting, steps=30))
torch.testing.assert_close(ours, (library.weights, library.loc[:, 0], library.log_scale[:, 0].exp() ** 2))
for name, part in zip(("weights", "means", "variances"), ours, strict=True):
    print(f"{name:10s}", *(f"{value:8.3f}" for value in part))

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: watch EM
#
# Now with both numbers of every eruption, its length and the wait after it, and full covariances. Rings lie at two
# standard deviations.
#
# 1. With $K = 3$: do different starts (seeds) end at the same place? At the same height?
# 2. With $K = 2$: find a start that rests on a plateau, and then climbs. Why does it rest?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Neither: the third component ends in different places, and the heights differ in the second decimal.
# 2. Start 10: both components cover all data, almost alike, at the height of one Gaussian, and part slowly.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.watch_em()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Play with K = 2 first (done in three steps), then start 10: stop on the plateau and ask whether EM
# has converged. Then K = 6 with several seeds: different ends, and each run only climbs.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## EM against gradient ascent
#
# Nothing forbids gradient ascent on $\log p(x)$: the gradient is exact. Same start, same data, all of them in every
# step, by Adam. What does EM buy?

# %% slideshow={"slide_type": "fragment"}
def start():
    return models.GaussianMixture(2, 2, covariance="full").start_at(eruptions, rng.seeded(3))


climb_em = [-loss for loss in fit(expectation_maximisation(start(), eruptions, steps=60))["loss"]]
ascent = gradient_descent(start(), eruptions, rng.seeded(0), steps=600, lr=0.1)  # descends the loss -log p(x)
climb_gradient = [-loss for loss in fit(ascent)["loss"]]
one_2d = models.Gaussian(2, covariance="full")
one_2d.maximise(eruptions)
floor = metrics.mean_log_prob(one_2d, eruptions).value
reached = [next(i for i, value in enumerate(run) if value > climb_em[-1] - 0.01) for run in (climb_em, climb_gradient)]
plots.show(pictures.two_climbs(climb_em, climb_gradient, floor),
           alt=f"EM ends at {climb_em[-1]:.3f} nats an eruption and comes within 0.01 of it after {reached[0]} steps, "
               f"gradient ascent with Adam after {reached[1]}; one Gaussian reaches {floor:.3f}.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Other starts give other numbers. EM has no learning rate, keeps the constraints (weights that add up to one,
# variances that are positive) by construction, and cannot go down. Gradient ascent works for *any* differentiable
# model, with an M-step or without one: it is what the deep models of later notebooks will use. Both end at a
# **stationary point**, where the gradient is zero, which need not be the highest (Wu 1983): hence many starts. And
# where components overlap, EM
# creeps.
#
# "Cannot go down" is a theorem; here is the experiment: 200 random starts with three components, 200 steps each, and
# the deepest fall from one step to the next. And the result of your first bet.

# %% slideshow={"slide_type": "fragment"}
climbs = experiments.climbs(waiting[:, 0], 3, starts=200, generator=rng.seeded(4), steps=200)  # (200, 200)
deepest = experiments.falls(climbs).max()
evidence("S23", "deepest fall in one step in 200 runs of EM", deepest, expect=(0, 1e-9), unit="nats a wait")
gain = metrics.estimate(experiments.cross_validated_gain(waiting, folds=10, seed=0))  # a tenth held out at a time
evidence("S23", "held-out gain of two Gaussians over one, a wait", gain.value, expect=(0.12, 0.29), unit="nats")
print(f"gain on waits that were not seen: {gain} nats; with the length of the eruption as well: "
      f"{metrics.estimate(experiments.cross_validated_gain(eruptions, folds=10, seed=0))}")
bets.gain.settle(sum(gain.value > limit for limit in (0.1, 0.3, 0.6)))  # the index of the answer

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Estimate against truth
#
# With real data nobody knows the right answer. So make data from a mixture that we know, fit, and compare. The error
# bars come from the curvature of the log-likelihood at its top (the [observed
# information](02_what_generative_models_buy.ipynb#The-model:-a-law-above-a-cut): the sharper the peak, the smaller the
# error). If fit and bars are honest, $\text{gap} = (\text{estimate} - \text{truth}) / \text{error}$ is a
# standard normal draw: mostly between −2 and 2, though one of five outside is no surprise.

# %% slideshow={"slide_type": "fragment"}
draws = by_eye.sample(2000, rng.seeded(80))
refit = experiments.mixture(torch.tensor([0.5, 0.5]), torch.tensor([60.0, 70.0]), variances=torch.tensor([50.0, 50.0]))
fit(expectation_maximisation(refit, draws, steps=200))
estimates, errors = experiments.standard_errors(draws[:, 0], refit)
truth = torch.cat([weights[:1], means, scales])
names = ("weight 1", "mean 1", "mean 2", "sd 1", "sd 2")
for name, *row in zip(names, truth, estimates, errors, (estimates - truth) / errors, strict=True):
    print("{:9s} truth {:7.3f}   estimate {:7.3f} ± {:.3f}   gap {:+.2f} errors".format(name, *row))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Break it, first way: run it twice
#
# Now 82 galaxies: their velocities away from us, in 1,000 km/s, in six narrow, separate cones in the region of Corona
# Borealis. In an expanding universe clumps in velocity are, roughly, clumps in distance: clusters, and voids between
# them.

# %% slideshow={"slide_type": "fragment"}
bets.labels()

# %% slideshow={"slide_type": "fragment"}
galaxies = datasets.galaxies()[:, 0]  # (82,)
fits = experiments.em_many_starts(galaxies, 3, starts=200, generator=rng.seeded(1), variance_floor=0.01)
best = fits.best().log_likelihood.item()
winners = (fits.log_likelihood > best - 0.01).nonzero()[:, 0]
print(f"{len(winners)} of 200 runs reach the best log-likelihood, {best:.2f} nats")

# %% slideshow={"slide_type": "subslide"}
lists = fits.loc[winners].round(decimals=2).unique(dim=0)
plots.show(pictures.switched_labels(fits, winners),
           alt=f"The {len(winners)} winning runs hold {len(lists)} different lists of three means: the same three numbers "
               f"in {len(lists)} orders.")
bets.labels.settle(sum(len(lists) > limit for limit in (1, 3, 6)))  # the index of the answer

# %% [markdown] slideshow={"slide_type": "fragment"}
# Each peak of the likelihood is one of $3! = 6$ equally high copies, one for each order of the names: **label
# switching**. So "component 1" means nothing, averaging parameters over runs is nonsense (over all six orders the three means come
# out alike), and a posterior over parameters, under a prior that does not know the names either, inherits the six
# copies: remember that in notebook 14. What *is* defined is anything that does not use the names: $p(x)$ itself.
#
# ## Break it, second way: to infinity
#
# Put one component exactly on one galaxy and let its width shrink. The other component covers all the rest, so
# nobody's density drops to zero and the price is finite; but
# $\mathcal{N}(x_1; x_1, \sigma^2) = 1 / (\sigma \sqrt{2 \pi})$ grows without limit.

# %% slideshow={"slide_type": "subslide"}
widths = torch.logspace(0, -12, 25)
share, places = torch.tensor([1 / 82, 81 / 82]), torch.stack([galaxies[0], galaxies.mean()])
pinned = [experiments.mixture(share, places, torch.stack([width**2, galaxies.var()])) for width in widths]
heights = torch.tensor([experiments.total_log_prob(model, galaxies[:, None]) for model in pinned])
rivals = experiments.em_many_starts(galaxies, 2, starts=50, generator=rng.seeded(2), variance_floor=0.01)
healthy = rivals.best().log_likelihood.item()
passed = widths[(heights > healthy).nonzero()[0]].item()
plots.show(pictures.to_infinity(widths, heights, healthy),
           alt=f"Below 0.01 every tenfold narrowing adds {(heights[-1] - heights[-3]).item():.2f} nats; the curve is above "
               f"the best healthy fit, {healthy:.1f}, from a width of {passed:.0e} thousand km/s, and has no maximum.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# So the maximum-likelihood estimate of a mixture with own variances **does not exist** (Day 1969). What we call one
# is a good *local* maximum, or the maximum under a rule: a **variance floor**, a common variance, or a prior. That
# rule is part of the model, and it will matter in a minute.
#
# ### Exercise 4: singular_start
#
# *8 minutes, ★★☆, a reverse exercise.* Break EM on purpose: return a start `(weights, means, variances)`, two numbers
# each, with positive variances, from which EM on the galaxies `x` of shape $(82,)$ runs into the singularity.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def singular_start(x):
    raise NotImplementedError


check.singular_start(singular_start)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Find the bug
#
# A colleague fits the galaxies with one *common* variance for all components, and complains that "EM is unstable".
# The weights and means are computed as above; the variance so:
#
# ```python
# def colleagues_variance(x, r, means):
#     own = (r * (x[:, None] - means).square()).sum(0) / r.sum(0)   # (K,), every component's variance
#     return own.mean()                                              # one for all
# ```
#
# It looks right, and it runs. But an invariant says otherwise: run it from 100
# starts and look for falls. (A fall proves an error; that none is seen proves nothing.)

# %% slideshow={"slide_type": "fragment"}
suspect = experiments.colleagues_variance  # the function above; later, put your own here
runs = torch.tensor([experiments.climb_with(galaxies, 3, seed, suspect) for seed in range(100)])  # (100, steps)
deepest = experiments.falls(runs)  # (100,)
print(f"it falls in {(deepest > 1e-9).sum()} of 100 runs of {runs.shape[1]} steps, "
      f"by up to {deepest.max():.3f} nats a galaxy in one step")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 5: shared_variance
#
# *6 minutes, ★★☆.* Write the variance that maximises $F$ when all components share it, for `x` $(n,)$, `r` $(n, K)$
# and the new `means` $(K,)$; return one number. When it passes, set `suspect = shared_variance` in the cell above and run it
# again: no falls.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def shared_variance(x, r, means):
    raise NotImplementedError


check.shared_variance(shared_variance)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Real data: how many clumps
#
# The 82 galaxies are famous for a quarrel: careful people have found three components in them, or six, and numbers
# between and beyond, each with a good method (Aitkin 2001 lists them). We can repeat the quarrel. The
# best fit with more components is never worse; an information **criterion** charges for them. With $m$ free parameters,
#
# $$\mathrm{BIC} = m \log n - 2 \log p(\mathcal{D}), \qquad \mathrm{AIC} = 2 m - 2 \log p(\mathcal{D}),$$
#
# and smaller is better. (BIC approximates $-2 \log p(\mathcal{D})$ of a regular model whose parameters are integrated
# out as $z$ is summed out; AIC, $-2 \log p$ of as many new data under the fit. A mixture with a component too many is
# not regular; with many data and bounded parameters BIC still finds $K$, Keribin 2000. A variance on its floor counts
# as free here: that, too, is a rule.) A third judge charges nothing and asks for $\log p$ of galaxies not seen.

# %% slideshow={"slide_type": "fragment"}
bets.components()

# %% slideshow={"slide_type": "fragment"}
rules = {
    "own variances, sd at least 100 km/s": {"tied": False, "variance_floor": 0.1**2},
    "own variances, sd at least 10 km/s": {"tied": False, "variance_floor": 0.01**2},
    "equal variances": {"tied": True, "variance_floor": 0.1**2},
}
tables = {}  # each (8, 50): one row a number of components, one column a start
for name, rule in rules.items():
    log_likelihood = experiments.log_likelihood_by_components(galaxies, 8, seed=10, **rule)
    m = torch.tensor([experiments.parameters(k, rule["tied"]) for k in range(1, 9)])[:, None]
    tables[f"BIC, {name}"] = metrics.bic(log_likelihood, m, n=len(galaxies))
    if name == "own variances, sd at least 100 km/s":
        tables[f"AIC, {name}"] = metrics.aic(log_likelihood, m, n=len(galaxies))

# %% slideshow={"slide_type": "subslide"}
best_of_50 = {name: table.nan_to_num(nan=torch.inf).min(-1).values for name, table in tables.items()}  # (8,) each
chosen = {name: int(values.argmin()) + 1 for name, values in best_of_50.items()}
plots.show(pictures.quarrel(best_of_50),
           alt="How much worse than its own best each number of components is, for four pairs of a criterion and a rule. They choose: "
               + "; ".join(f"{name}: K = {k}" for name, k in chosen.items()))
answers = {2: "2", 3: "3", 4: "4", 5: "5"}
bets.components.settle(answers.get(chosen["BIC, own variances, sd at least 100 km/s"], "6 or more"))

# %% [markdown] slideshow={"slide_type": "subslide"}
# Each curve used the best of 50 starts for every $K$. Who runs EM only *once* for every $K$, as many scripts do,
# draws a ticket from a lottery; below is how many of 50 such scripts report which $K$. And last the judge who charges
# nothing, with five **folds**: five times another fifth is held out.

# %% slideshow={"slide_type": "fragment"}
for name, table in tables.items():
    tickets = torch.bincount(table.nan_to_num(nan=torch.inf).argmin(0) + 1, minlength=9)  # one start each
    print(f"{name:40s}", "  ".join(f"K={k}: {tickets[k]:2d}" for k in range(2, 9)))
for tied in (False, True):
    held = experiments.held_out_by_components(galaxies, 8, tied=tied, variance_floor=0.01, seed=3)  # (8, 82)
    best = int(held.mean(-1).argmax())
    losses = [f"K = {k}: {metrics.estimate(held[best] - held[k - 1])}" for k in (3, 6) if k != best + 1]
    kind = "equal" if tied else "own"
    print(f"held out, {kind} variances: best K = {best + 1} of 8; nats a galaxy lost with", "; ".join(losses))

# %% slideshow={"slide_type": "subslide"}
options = {"starts": 50, "variance_floor": 0.01}
three = experiments.em_many_starts(galaxies, 3, generator=rng.seeded(13), **options).best()
six = experiments.em_many_starts(galaxies, 6, generator=rng.seeded(16), tied=True, **options).best()
thin = experiments.em_many_starts(galaxies, 6, starts=50, generator=rng.seeded(16), variance_floor=0.01**2).best()
print("six with own variances of at least (10 km/s)²: galaxies", (82 * thin.log_weights[0].exp()).round().int().tolist(),
      "standard deviations, km/s", (1000 * thin.log_scale[0].exp()).round().int().tolist())
figure = pictures.galaxy_fits(galaxies, {"3 components, own variances": three, "6 components, equal variances": six})
plots.show(figure, alt=f"Both fits have a clump near 10 and one near 33; in the middle the one with three has a single "
           f"broad bell around {three.loc[0].median().item():.1f}, which the one with six splits.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** From the same data and the same criterion, BIC, the variance floor alone moves the answer
# from three to six, and the six then lean on components that hold a few galaxies each: almost the singularity again.
# What decides is not the sky but the rule: may the components have widths of their own, how narrow may they get, and
# did the optimiser look hard enough. The held-out winner beats three and six by less than two standard errors,
# although it was picked on these very scores: it does not decide either. And a component is not a cluster: two may share one
# hump. "How many components?" has no answer without saying *for what*, and a criterion's answer is only as good as
# the optimiser behind it. Notebook 14 asks the question again, with a posterior over the answers.

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* The point is not that criteria are useless. Ask the room to name every choice that was made before
# the criterion was computed: family, equal or own, floor, starts, units. Then ask which of them the papers they know
# report.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. A mixture's marginal is a sum over the hidden choice; in logs, a `logsumexp`.
# 2. The posterior over the choice is that sum's terms, normalised: exact, soft, and cheap.
# 3. For any $q$, $\log p(x) = F(q, \theta) + \mathrm{KL}(q \,\|\, p(z \mid x))$: a bound, and its gap.
# 4. EM closes the gap and raises the bound in turn; it never goes down, so a fall proves an error.
# 5. Names of components mean nothing, with own variances the likelihood has no maximum, and the number of components
#    depends on the rules of the game.
#
# ## The statements, measured
#
# A discrete $z$ makes a mixture, it can be learnt, and it buys something. Each number stands with the range in which
# the course expects it.

# %% slideshow={"slide_type": "fragment"}
evidence.table("08")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# Everything here was exact because $z$ had $K$ values and we could try them all. With 20 binary causes the sum has a
# million terms, with 300 it has more than there are atoms in the observable universe. And what if the cause is not a
# choice but a number, so that the sum becomes an integral? That is [notebook 09](09_infinite_mixtures.ipynb), where for a last time some integrals
# close.
#
# ## In practice
#
# For real work take scikit-learn's `GaussianMixture`: same algorithm, many starts in one call, and a small number
# added to every variance (`reg_covar`) from the outset. It finds what we found:

# %% slideshow={"slide_type": "fragment"}
from sklearn.mixture import GaussianMixture

theirs = GaussianMixture(2, n_init=5, random_state=0).fit(eruptions.numpy())
score = theirs.score(eruptions.numpy())
print(f"scikit-learn {score:.4f}, this notebook {climb_em[-1]:.4f} nats an eruption; BIC {theirs.bic(eruptions.numpy()):.1f}")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@dempster1977maximum] The algorithm in general form, and its name.
# - [@neal1998view] The bound $F(q, \theta)$ as we use it.
# - [@bishop2006pattern] Chapter 9: mixtures and EM, with Old Faithful.
# - [@wu1983convergence] Where EM ends.
# - [@day1969estimating] The singularity.
# - [@keribin2000consistent] When BIC may be trusted.
# - [@aitkin2001likelihood] The answers of many, in one table.
# - [@roeder1990density] The 82 galaxies enter statistics.
# - [@richardson1997bayesian] The quarrel, with a posterior over $K$.
