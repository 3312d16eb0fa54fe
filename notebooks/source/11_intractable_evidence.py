# %% [markdown] slideshow={"slide_type": "slide"}
# # 11 · The intractable evidence
#
# **Question.** Why can't we just do the integral?
#
# **You will be able to**
#
# 1. average weights whose logs run to ±1000, and say in which direction the log of the average errs ([exercise
#    1](#Exercise-1:-log_mean_exp))
# 2. estimate an evidence with draws from elsewhere, and count what they are worth ([exercise
#    2](#Exercise-2:-importance_log_evidence), [exercise 3](#Exercise-3:-effective_sample_size))
# 3. build an estimate that looks perfect and is wrong ([exercise 4](#Exercise-4:-confident_and_wrong))
# 4. anneal from the prior to the posterior, and find a fault in such a program ([exercise
#    5](#Exercise-5:-annealing_log_weights))
#
# **You need** expectations and variances, Bayes' rule, the Kullback–Leibler divergence (notebook 03), Jensen's inequality
# (notebook 08), probabilistic PCA (notebook 09), the decoder of notebook 10. Notation: $x$ is a picture, $z$ its $M$
# latent causes, $S$ a number of draws, $w$ a weight; $\log$ is natural, in nats. All words and signs:
# [glossary](glossary.ipynb).
#
# **Time.** 75 minutes to read and explore, 30 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 34 s, 825 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import metrics, models, plots, rng
from course_lib.classroom import Line, derivation, evidence
from course_lib.inference import annealing, approximation, importance, leapfrog, moves, oracle
from course_lib.lessons.n11_intractable_evidence import bets, boat, check, colleagues_log_weights, recorded
from course_lib.lessons.n11_intractable_evidence import experiments, explorers, grids, pictures, plane
import torch

torch.set_default_dtype(torch.float64)  # exact sums
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Just do the integral
#
# To learn, to compare models, to say "I have never seen such a picture", we need one number, the evidence $p_\theta(x)
# = \int p_\theta(x, z) \, dz$. Notebook 10 simply did the integral: $z$ had two dimensions, and 900 points
# covered the plane. Who would be content with two hidden causes? Let us do it again with more.
#
# **Bet before you read on.**

# %% slideshow={"slide_type": "fragment"}
bets.year()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask for the cost of one more dimension before anybody computes: most say "a bit more", few say
# "twenty times". Write the bet on the board.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Three models whose truth we know
#
# An estimate can only be judged beside the truth. So this notebook estimates what it already knows:
#
# - **Probabilistic PCA of digits**, for as many latents as we like: its evidence has a closed form (notebook
#   09).
# - **Notebook 10's decoder**: no closed form, but two latents, and a very fine grid.
# - **A boat.** It drifts along a coast, $z$ km east of its harbour. A buoy at 1.5 km hears its engine and tells how *far*
#   it is, not on which side. It says: 2 km.
#
# The graph is the same for all three, and so is the factorisation; for the boat
#
# $$p(x, z) = \underbrace{\mathcal{N}(z; 0, 1)}_{\text{prior}} \;
# \underbrace{\mathcal{N}\big(x; |z - 1.5|, 0.2^2\big)}_{\text{likelihood}}, \qquad x = 2.$$

# %% slideshow={"slide_type": "fragment"}
def log_prior(z):
    return torch.distributions.Normal(0.0, 1.0).log_prob(z[..., 0])


def log_likelihood(z):
    return torch.distributions.Normal((z[..., 0] - 1.5).abs(), 0.2).log_prob(torch.tensor(2.0))


z, _ = oracle.grid(-8, 8, 4000)  # 4,000 places along the coast
torch.testing.assert_close(boat.log_joint(z), log_prior(z) + log_likelihood(z))  # the library's boat is ours
figure, ax = plots.figure(height=1.6, width=4)
latent, seen = "$z$", "$x$"
nodes = {latent: (0, 0), seen: (1.6, 0)}
plots.graph(ax, nodes, [(latent, seen)], observed=[seen], plate=(-0.5, -0.5, 2.6, 1.0), repeats="$n$")
plots.show(figure, alt=f"Graphical model: one arrow, from the latent {latent.strip('$')} to the observed {seen.strip('$')}.")
models.ProbabilisticPCA.card

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The price of a grid
#
# Real digits, shrunk to 7 × 7 grey pixels so that their posteriors are wide and a coarse grid will do: 20 points an axis
# from −5 to 5, for every dimension alike. The error is that of the whole sum
# against the closed form; each time is the fastest of up to five runs.

# %% slideshow={"slide_type": "fragment"}
x, x_new = experiments.digits()  # 4,000 grey digits to fit, 1,000 others
small, small_new = experiments.thumbnails(x), experiments.thumbnails(x_new)
fits = [experiments.fitted(small, d) for d in range(1, 6)]
timed = grids.timed_quadratures(fits, small_new[:1], size=20, repeats=3)
for d, (error, seconds) in enumerate(timed, 1):
    print(f"d = {d}: {20**d:9,d} points, error {error:+.4f} nats, {seconds.median():.4f} s")
line = grids.growth([3, 4, 5], torch.stack([found.seconds for found in timed[2:]]))
factor, at_20, at_64 = 10**line.slope.value, line.log10_seconds(20), line.log10_seconds(64)
reach = 4 + (torch.tensor(grids.YEAR).log10().item() - line.log10_seconds(4).value) / line.slope.value
ages = at_20.value - torch.tensor(grids.AGE_OF_THE_UNIVERSE).log10().item()
plots.show(pictures.price_of_a_grid(list(range(1, 6)), [found.seconds for found in timed], line),
           alt=f"Seconds against dimension. From d = 3 to 5 they multiply by {factor:.0f} a dimension; at 20 dimensions they "
           f"come to 10 to the power {at_20}, at 64 {at_64}. The age of the universe is 10 to the power 17.6.")
evidence("S28", "factor on the seconds of quadrature for each further dimension", factor, expect=(8, 60))
low, high = (10 ** (line.slope.value + away * line.slope.error) for away in (-2, 2))
print(f"each further dimension: {factor:.0f} times the seconds (± 2 standard errors: {low:.0f} to {high:.0f})")
print(f"a year reaches {reach:.1f} dimensions; 20 dimensions take 10^{ages:.1f} ages of the universe")
bets.year.settle(sum(reach >= limit for limit in (8, 13, 26)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# The number of points grows by a factor of 20, and the seconds about as fast (other programs on the machine disturb
# them); below $d = 3$ fixed costs rule. **No faster machine mends
# this**: one that is a thousand times faster buys about two dimensions more.
#
# ## Give up on everywhere: average
#
# Most of a grid's points lie where nothing is. Why not let the *prior* choose them? Write the integral as an
# expectation, and replace that by an average of **weights** $w = p(x \mid z)$ at draws from the prior:
# **naive Monte Carlo**,
#
# $$\hat p = \frac1S \sum_{s=1}^{S} w_s, \qquad w_s = p(x \mid z_s), \qquad z_s \sim p(z).$$
#
# Its standard error is $\sqrt{\mathrm{Var}(w) / S}$ in *any* dimension. What could go wrong? We need the
# *logarithm*. Four lines, with $S = 2$, where every expectation can be computed for the boat:

# %% slideshow={"slide_type": "fragment"}
points, log_weights = oracle.normal_grid(50_000, 1)
log_of_mean, mean_of_log = boat.jensen_gap()  # sums over all pairs of places on a fine grid
derivation(
    Line(r"\log p(x) = \log \int p(x, z) \, dz", "definition; closed form", boat.log_evidence()),
    Line(r"\log \mathbb{E}_{p(z)} \, p(x \mid z)", "product rule: p(x, z) = p(z) p(x | z)",
         (log_weights + log_likelihood(points)).logsumexp(0)),
    Line(r"\log \mathbb{E} \, \hat p", "unbiased: every draw has the same mean", log_of_mean),
    Line(r"\mathbb{E} \log \hat p", "Jensen: the logarithm bends downwards", mean_of_log, relation=">="),
)

# %% [markdown] slideshow={"slide_type": "fragment"}
# So $\hat p$ is unbiased, and $\log \hat p$ is **not**: it is too low on average. (*A common slip*: "unbiased" does not
# survive a logarithm.)
#
# ### Exercise 1: log_mean_exp
#
# *4 minutes, ★☆☆.* From `log_weights` of shape $(S, n)$, one row a draw and one column a picture, compute
# $\log \frac1S \sum_s w_s$, shape $(n,)$. Some logs of the test are near −2000, others near 900. Stuck? Run
# `check.log_mean_exp.hint()`, and again for more; `check.log_mean_exp.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def log_mean_exp(log_weights):
    raise NotImplementedError


check.log_mean_exp(log_mean_exp)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How much too low?
#
# Let $\delta = (\hat p - p) / p$ be the relative error: its mean is 0 and its variance $\mathrm{Var}(w) / (S p^2)$. Then
#
# $$\mathbb{E} \log \hat p = \log p + \mathbb{E} \log (1 + \delta)
# = \log p + \mathbb{E} \Big[ \delta - \frac{\delta^2}{2} + \frac{\delta^3}{3} - \dots \Big]
# \approx \log p - \frac{\mathrm{Var}(w)}{2 S p^2}.$$
#
# First $\hat p = p\,(1 + \delta)$, then the Taylor series of the logarithm, then $\mathbb{E}\,\delta = 0$ and the rest
# dropped. The delta method, as in notebook 06, asks that $\delta$ be small. Is it? On 100 real digits under notebook
# 10's decoder, where a grid of 240 × 240 points knows $p$ and $\mathrm{Var}(w)$:

# %% slideshow={"slide_type": "fragment"}
decoder = plane.trained(torch.float32)  # single precision for the network, double for the sums
digits = plane.digits(100, torch.float32)
truth, coarser = (plane.truth(decoder, digits, size) for size in (240, 180))
log_w = plane.log_likelihoods(decoder, digits, plane.prior_draws(40_000, rng.seeded(5)))  # (40000, 100)
gap = (truth.log_evidence - coarser.log_evidence).abs()
print(f"240 × 240 against 180 × 180 points: {metrics.estimate(gap)} nats, at most {gap.max():.2f}")

# %% slideshow={"slide_type": "fragment"}
draws, measured, predicted, claimed = [3, 10, 30, 100, 300, 1000, 3000, 10_000], [], [], []
for S in draws:
    blocks = log_w[: len(log_w) // S * S].unflatten(0, (-1, S)).transpose(0, 1)  # (S, blocks, 100)
    made = importance.Weighted(blocks, blocks)  # first the places, which play no part here; then the log-weights
    measured.append((made.log_evidence - truth.log_evidence).mean(0))  # (100,), a mean over blocks
    predicted.append(experiments.delta_method(truth.log_mean_square, S))
    claimed.append(made.jensen_bias.mean(0))
    print(f"S = {S:6d}: bias {metrics.estimate(measured[-1])}, predicted {predicted[-1].mean():9.3f} nats")
plots.show(pictures.bias(draws, measured, predicted, claimed),
           alt=f"log of the bias against log of the draws: {-measured[0].mean():.0f} nats too low with 3 draws, "
           f"{-measured[5].mean():.1f} with 1,000 and {-measured[7].mean():.2f} with 10,000. The delta method says "
           f"{-predicted[0].mean():.0f}, {-predicted[5].mean():.1f}, {-predicted[7].mean():.2f}; from the draws themselves it never says more than 0.5.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# With thousands of draws the prediction comes near. With fewer it fails both ways. At $S = 3$ it is far too large: a
# rare, huge $\delta$ makes the parabola $\delta - \delta^2 / 2$ plunge, while the logarithm still rises. In the middle it
# is too small: most $\delta$ are near $-1$, where the logarithm falls without limit and the parabola only to $-1.5$. And it
# needs the *true* variance. Taken from the same draws, the prediction is $-\frac12 (\mathrm{se}(\hat p) / \hat p)^2$, and
# that never exceeds half a nat, because
#
# $$\frac{\mathrm{se}(\hat p)}{\hat p} = \sqrt{\frac{S \sum_s w_s^2 / (\sum_s w_s)^2 - 1}{S - 1}} \;\le\; 1
# \qquad \text{as} \quad \sum_s w_s^2 \le \Big(\sum_s w_s\Big)^2.$$
#
# The same ratio is the error bar of $\log \hat p$, for a small change of $\hat p$ changes its logarithm by the *relative*
# change. So the error bar **cannot exceed one nat**, whatever the error.

# %% slideshow={"slide_type": "fragment"}
bets.honest()

# %% slideshow={"slide_type": "fragment"}
bets.more()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Let the formula above stand while they bet. Those who have read it carefully can win both.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Break it: the disaster
#
# Now digits in full, 784 grey pixels, under PPCA with 2, 8 and 32 latents. First a shortcut that loses nothing. With
# $W / \sigma = QR$ (orthonormal columns $Q$, a small square $R$), only $c = Q^\top (x - \mu) / \sigma$ matters to $z$, so
# $\log p(x \mid z) = \text{constant} - \frac12 \lVert c - Rz \rVert^2$. The figure shows single weights; the table below
# it has 2 to 64 latents and fifty estimates of $\log p(x)$ from 1,000 draws each.

# %% slideshow={"slide_type": "fragment"}
digit = {latents: experiments.digit(latents) for latents in (2, 4, 8, 16, 32, 64)}  # the same held-out digit under each model
z = rng.randn((5, 1, 32), rng.seeded(1), x)
slow = experiments.of_digits(32).log_likelihood(x_new[:1], z)[:, 0]
torch.testing.assert_close(digit[32].log_likelihood(z)[:, 0], slow)
log_ratios = {m: experiments.naive(digit[m], 20_000, 1, rng.seeded(m)).log_weights[:, 0] - digit[m].log_evidence for m in (2, 8, 32)}
largest = ", ".join(f"{m} latents {values.max():+,.0f}" for m, values in log_ratios.items())
plots.show(pictures.disaster(log_ratios),
           alt=f"Histograms of 20,000 log-weights minus log p(x), with the truth at 0. The largest of them: {largest} nats.")
print("latents   mean error, nats    spread  claims ±  delta method predicts")
for m, picture in digit.items():
    made = experiments.naive(picture, 1000, 50, rng.seeded(m))
    error = made.log_evidence - picture.log_evidence  # (50,)
    predicted = experiments.delta_method(experiments.log_mean_square_weight(picture), 1000)
    print(f"{m:7d} {metrics.estimate(error)!s:>20s} {error.std():8.1f} {made.standard_error.mean():8.2f}  {predicted:13.1e}")

# %% slideshow={"slide_type": "subslide"}
sizes = [1000, 10_000, 100_000, 1_000_000]
blocks = experiments.naive_in_blocks(digit[32], sizes, 4000, rng.seeded(7))  # four million draws
for S, block in zip(sizes, blocks):
    print(f"S = {S:9,d}: {metrics.estimate(block.errors)} nats off ({len(block.errors):,d} blocks), claims ± {block.claimed.mean():.2f}")
in_errors = (blocks[2].errors.abs() / blocks[2].claimed).median().item()
left = (blocks[3].errors.mean() / blocks[0].errors.mean()).item()
print(f"100,000 draws miss by {in_errors:.0f} of their own standard errors; 1,000 times the draws leave {left:.0%} of the error")
evidence("S28", "error of 100,000 draws from the prior, 32 latents", blocks[2].errors.mean(), expect=(-500, -360), unit="nats")
evidence("S28", "the standard error that they claim", blocks[2].claimed.mean(), expect=(0.5, 1), unit="nats")
bets.honest.settle(sum(in_errors > limit for limit in (2, 10, 100)))

# %% slideshow={"slide_type": "fragment"}
plots.show(pictures.honest(sizes, blocks),
           alt=f"With 32 latents the error falls from {-blocks[0].errors.mean():.0f} nats with 1,000 draws to "
           f"{-blocks[3].errors.mean():.0f} with a million; the claimed standard error stays at {blocks[3].claimed.mean():.2f}.")
bets.more.settle(sum(left > limit for limit in (1 / 30, 1 / 5, 2 / 3)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# (Books often call such weights log-normal. Here their logs have no bell shape: they end sharply above, at the best
# possible fit, and have a long tail below.)
#
# All is as the theory says: $\hat p$ *is* unbiased. Its mean is upheld by draws so rare that nobody will ever see one; what
# you see is nearly always too low. And the error bar? Near its ceiling of one nat it measures no error: it says that one
# draw carries nearly the whole sum. That is an alarm. (Exercise 4 builds something worse: a *small* error bar beside a wrong
# answer. It proves that the weights you drew agree, not that they are right.) The delta method, which asks for a small
# $\delta$, predicts errors beyond all bounds.
#
# ## How many draws would it take?
#
# At a place where the posterior lives, how large is the weight? Average its log, with Bayes' rule
# $p(x \mid z) = p(x) \, p(z \mid x) / p(z)$:

# %% slideshow={"slide_type": "fragment"}
q, root = digit[32].posterior, digit[32].root
spread = (root @ q.covariance @ root.mT).trace()
mean_log_weight = digit[32].log_likelihood(q.loc) - 0.5 * spread  # the mean of a quadratic form
kl = experiments.divergence_from_prior(experiments.of_digits(32), x_new)  # (1000,)
derivation(
    Line(r"\mathbb{E}_{p(z \mid x)} \log w", "mean of a quadratic form under a Gaussian", mean_log_weight),
    Line(r"\log p(x) + \mathrm{KL}\big(p(z \mid x) \,\|\, p(z)\big)", "Bayes' rule, definition of KL; closed form",
         digit[32].log_evidence + kl[0]),
)

# %% [markdown] slideshow={"slide_type": "fragment"}
# So a draw that matters weighs about $p(x)\,e^{\mathrm{KL}}$. If a share $a$ of the prior's draws are such, they
# contribute $a \, p(x) \, e^{\mathrm{KL}}$ to an average that must be $p(x)$: hence $a \approx e^{-\mathrm{KL}}$, and one
# needs about $e^{\mathrm{KL}}$ draws to see one (Chatterjee and Diaconis 2018 make this exact). The KL is how much
# the picture tells about its causes: *the better the latents are known from the picture, the harder the integral*.
#
# The statement of this notebook says more: *hard to optimise directly*. Could one learn by following the gradient of
# $\log \hat p$, however wrong its value? The second cell below compares its direction with the exact gradient to $W$: 1,000
# draws, 20 digits.

# %% slideshow={"slide_type": "subslide"}
needed = [experiments.divergence_from_prior(experiments.of_digits(m), x_new) for m in digit]
plots.show(pictures.needed(list(digit), needed, truth.divergence),
           alt="Median number of draws needed for a held-out digit: " + ", ".join(
               f"{m} latents {values.median().exp():.0e}" for m, values in zip(digit, needed))
           + f"; notebook 10's decoder with its two latents {truth.divergence.median().exp():.0f}.")
print(f"the digit that we use, with 2 latents: exp(KL) = {needed[0][0].exp():.0f}")

# %% slideshow={"slide_type": "fragment"}
for latents in (2, 8, 32):
    found = experiments.gradient_agreement(experiments.of_digits(latents), x_new[:20], 1000, rng.seeded(8))
    print(f"{latents:2d} latents: cosine of the angle {metrics.estimate(found)}")
evidence("S28", "cosine between naive and exact gradient, 32 latents", found.mean(), expect=(0, 0.5))

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: dimension and draws
#
# 1. Two latents: from how many draws on do nearly all bars hold the truth? Compare with $e^{\mathrm{KL}}$, printed
#    above.
# 2. Eight latents and the most draws. How long are the bars? How many hold the truth?
# 3. Keep 64 latents, and draw from the widened posterior instead. How few draws do you need now?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. About 8,000, ten times $e^{\mathrm{KL}}$: enough to see *one* good draw is not enough to be sure. Fewer, and bars
#    miss on the low side.
# 2. About two nats either way, as the formula allows, and none does: they are tens of nats away.
# 3. Two hundred are good to a few tenths of a nat. It was never the dimension: it was the distance from the prior.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.dimension_and_draws()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Importance sampling: draw where it matters
#
# **Importance sampling**: multiply and divide by any density $q(z)$, the **proposal**, that is positive wherever the
# joint is:
#
# $$p(x) = \int q(z) \, \frac{p(x, z)}{q(z)} \, dz = \mathbb{E}_{q} \, w, \qquad w = \frac{p(x, z)}{q(z)}.$$
#
# If $q$ were the posterior, every weight would be $p(x)$, and one draw would do; but the posterior needs $p(x)$. A proposal
# *near* it has weights that are nearly level. The **effective sample size** $(\sum w)^2 / \sum w^2$ tells how level: it is
# $S$ for $S$ equal weights, and 1 if one draw carries everything.

# %% slideshow={"slide_type": "fragment"}
loc, scale, S = -0.5, 0.3, 1000
z = loc + scale * rng.randn((S, 1), rng.seeded(3), x)
log_w = log_prior(z) + log_likelihood(z) - torch.distributions.Normal(loc, scale).log_prob(z[:, 0])
library = importance.importance_sampling(
    boat.log_joint, approximation.GaussianApproximation.around(torch.tensor([loc]), scale), S, rng.seeded(3))
torch.testing.assert_close(library.log_weights, log_w)
print(f"log p(x) = {library.log_evidence:.3f} ± {library.standard_error:.3f}, truth {boat.log_evidence():.3f}; "
      f"{library.effective_sample_size:.0f} of {S} draws are effective")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: importance_log_evidence
#
# *5 minutes, ★☆☆.* You get $\log p(z_s)$, $\log p(x_i \mid z_s)$ and $\log q(z_s)$ at draws of $q$, each of shape
# $(S, n)$. Return the estimates of $\log p(x_i)$, shape $(n,)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def importance_log_evidence(log_prior, log_likelihood, log_proposal):
    raise NotImplementedError


check.importance_log_evidence(importance_log_evidence)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: effective_sample_size
#
# *4 minutes, ★☆☆.* From `log_weights` $(S, n)$ compute the effective sample size of each column, $(n,)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def effective_sample_size(log_weights):
    raise NotImplementedError


check.effective_sample_size(effective_sample_size)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: sticks and a dial
#
# Drag the proposal by its mean, or by its handle at one standard deviation.
#
# 1. Get the needle above 95 *and* the estimate within 0.05. Which shape does that?
# 2. Make that proposal a third as wide, and press *New draws* many times. On which side of the truth are you usually?
# 3. Now fit the hump at 3.4 km, with a standard deviation of 0.2. What do the sticks say, what does the dial?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. The shape of the near hump: mean −0.5, standard deviation 0.2.
# 2. Below, four times in five: the tails that it misses show up as one huge stick, now and then.
# 3. All sticks alike, the dial at its end, and nearly six nats missing.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.sticks_and_dial()

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 4: confident_and_wrong
#
# *7 minutes, ★★☆, a reverse exercise.* You get the boat's `log_joint`, a function of places $(S, 1)$. Return `(loc,
# scale)` of a Gaussian proposal of which more than 90 % of 1,000 draws are effective, and whose estimate is wrong by 5 nats
# or more.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def confident_and_wrong(log_joint):
    raise NotImplementedError


check.confident_and_wrong(confident_and_wrong)

# %% [markdown] slideshow={"slide_type": "fragment"}
# The effective sample size is made from the weights that were drawn, like the standard error. It detects uneven weights;
# it cannot detect what is missing. Now 32 latents, where PPCA's exact posterior lets us spoil a perfect proposal on
# purpose: 1,000 draws, 40 repeats each.

# %% slideshow={"slide_type": "fragment"}
proposals = {"the posterior itself": (1.0, 0.0), "1.2 times as wide": (1.2, 0.0), "half as wide": (0.5, 0.0),
             "one standard deviation off": (1.0, 1.0)}
print(f"{'proposal':26s} {'error, nats':>18s}  claims ±  effective  variance of log w")
for name, (factor, shift) in proposals.items():
    proposal = experiments.scaled(digit[32].posterior, factor, shift=shift)
    made = experiments.weighed(digit[32], proposal, 1000, 40, rng.seeded(9))
    error = metrics.estimate(made.log_evidence - digit[32].log_evidence)
    print(f"{name:26s} {error!s:>18s}  {made.standard_error.mean():8.2f}  {made.effective_sample_size.mean():9.1f}"
          f"  {made.log_weights.var():8.1f}")

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Collect proposals for proposals: a Gaussian at the mode (notebook 13), a network that looks at x
# (notebook 15). Then: what if we walked there from the prior, and kept the accounts?

# %% [markdown] slideshow={"slide_type": "slide"}
# A proposal that is too wide costs little, one that is too narrow costs much: where both are Gaussian and $q$ is narrower
# than the posterior by $\sqrt2$ or more, the weights have *no* finite variance, because $\int p(x, z)^2 / q(z) \, dz$
# diverges. And one standard deviation along every axis, which is little in one dimension, leaves in 32 a handful of a
# thousand draws. But where should a proposal near the posterior come from, if we don't know the posterior?
#
# ## Annealing: walk there, and keep the accounts
#
# Between prior and posterior lie densities that turn the likelihood on slowly. With *inverse temperatures*
# $0 = \beta_0 < \dots < \beta_T = 1$ (they multiply, where notebook 04's $T$ divided; called temperatures for short),
#
# $$f_t(z) = p(z) \, p(x \mid z)^{\beta_t}, \qquad f_0 = \text{prior}, \qquad f_T(z) = p(x, z).$$
#
# **Annealed importance sampling** (Neal 2001) draws $z_0$ from the prior. Then, for $t = 1, \dots, T$: *weigh*, multiply
# $w$ by $f_t(z_{t-1}) / f_{t-1}(z_{t-1}) = p(x \mid z_{t-1})^{\beta_t - \beta_{t-1}}$; *move*, $z_{t-1} \to z_t$, by any
# random step $k_t$ that leaves $f_t$ as it is: $\int f_t(z) \, k_t(z \to z') \, dz = f_t(z')$. Why is $\mathbb{E}\,w =
# p(x)$? For $T = 3$ (the last move has no weight after it):
#
# $$\mathbb{E} \, w = \int f_0(z_0) \, \frac{f_1(z_0)}{f_0(z_0)} \, k_1(z_0 \to z_1) \, \frac{f_2(z_1)}{f_1(z_1)} \,
# k_2(z_1 \to z_2) \, \frac{f_3(z_2)}{f_2(z_2)} \; dz_0 \, dz_1 \, dz_2.$$
#
# $f_0$ cancels; $\int f_1 k_1 \, dz_0 = f_1(z_1)$ cancels the next denominator; and so on, until $\int f_3(z_2) \, dz_2 =
# p(x)$ is left. Nowhere did the moves have to be *good*. On a grid of the boat's places, with **Metropolis** moves of at
# most 0.2 km (propose a neighbour, accept with probability $\min(1, f(z') / f(z))$; then $f(z) k(z \to z')$ is
# symmetric, so $f$ stays as it is):

# %% slideshow={"slide_type": "fragment"}
places, log_width = oracle.grid(-5, 6, 550)  # every 20 m
betas = (0.0, 0.2, 0.5, 1.0)
f = [(log_prior(places) + beta * log_likelihood(places) + log_width).exp() for beta in betas]
k = [boat.metropolis_matrix(density.log(), reach=10) for density in f]  # (550, 550) each
ratio = [(step * log_likelihood(places)).exp() for step in torch.tensor(betas).diff()]
derivation(
    Line(r"\log \mathbb{E} \, w", "all paths of three places", ((((f[0] * ratio[0]) @ k[1]) * ratio[1] @ k[2]) * ratio[2]).sum().log()),
    Line(r"\log \int f_2(z_1) \, k_2(z_1 \to z_2) \, \tfrac{f_3(z_2)}{f_2(z_2)}", "the first move leaves f₁ as it is",
         ((f[1] * ratio[1]) @ k[2] * ratio[2]).sum().log()),
    Line(r"\log \int f_3(z_2) \, dz_2", "the second move leaves f₂ as it is", f[3].sum().log()),
    Line(r"\log p(x)", "closed form", boat.log_evidence()),
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# It *is* importance sampling, of whole paths. The proposal makes a path forwards. The target makes it backwards: $z_{T-1}$
# from the posterior, then $z_{t-1}$ from the reversed move $\tilde k_t(z_t \to z_{t-1}) = f_t(z_{t-1}) \, k_t(z_{t-1} \to
# z_t) / f_t(z_t)$, which integrates to one because $k_t$ leaves $f_t$ as it is. Divide the one by the other: the $k_t$
# cancel, and with $p(x)$ times the target above, the product of ratios remains,
#
# $$\frac{f_T(z_{T-1}) \prod_{t<T} \tilde k_t(z_t \to z_{t-1})}{f_0(z_0) \prod_{t<T} k_t(z_{t-1} \to z_t)}
# = \prod_{t=1}^{T} \frac{f_t(z_{t-1})}{f_{t-1}(z_{t-1})} = w.$$
#
# **The code, first version**: a loop, and Metropolis moves. **Second version**: better moves, by the library
# ([Hamiltonian](13_approximate_inference.ipynb#Walk-with-a-map:-Langevin-and-Hamilton); all that counts here is that
# they leave $f_t$ as it is). It equals the library's
# annealing.

# %% slideshow={"slide_type": "fragment"}
def anneal(z, temperatures, move):
    log_w = torch.zeros(len(z))
    for beta, step in zip(temperatures[1:], temperatures.diff(), strict=True):
        log_w = log_w + step * log_likelihood(z)  # weigh first,
        z = move(lambda z, beta=beta: log_prior(z) + beta * log_likelihood(z), z)  # then move
    return log_w


g = rng.seeded(2)  # what both moves draw from


def metropolis(log_density, z):
    proposed = z + 0.3 * rng.randn(z.shape, g, z)
    accepted = rng.uniform((len(z),), g, z).log() < log_density(proposed) - log_density(z)
    return torch.where(accepted[:, None], proposed, z)


def hamiltonian(log_density, z):
    return moves.hamiltonian_step(log_density, leapfrog.evaluate(log_density, z), g, 0.15, 10).point.z

# %% slideshow={"slide_type": "fragment"}
start, temperatures = rng.randn((500, 1), rng.seeded(1), x), torch.linspace(0, 1, 21)
for move in (metropolis, hamiltonian):
    g = rng.seeded(2)
    log_w = anneal(start, temperatures, move)
    made = importance.Weighted(start, log_w)
    print(f"{move.__name__:11s}: log p(x) = {made.log_evidence:.3f} ± {made.standard_error:.3f}, truth {boat.log_evidence():.3f}")
*_, last = annealing.annealed_importance_sampling(
    boat.log_prior, boat.log_joint, start, rng.seeded(2), temperatures=temperatures, step_size=0.15, leapfrog_steps=10)
torch.testing.assert_close(last.log_weights, log_w)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: watch annealing
#
# 1. With $T = 1$ nothing moves before it is weighed. What method is that?
# 2. With $T = 20$, step on: from which temperature does no chain pass the buoy any more?
# 3. At the end, compare the chains east of the buoy with their weight. Why is the estimate right although the moves fail?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Naive Monte Carlo: $w = p(x \mid z_0)$.
# 2. From 0.1 or 0.2 on, by the seed: the share of the chains stands still. For a chain in the east the valley at the
#    buoy is nearly two nats deep at 0.1, and it deepens fast.
# 3. Too many chains are there, but they weigh little. Annealing forgives bad moves *on average*; with few chains the
#    average is luck.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.watch_annealing()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Find the bug
#
# A colleague's annealing needs surprisingly few steps: "after 20 I am *above* the truth". An average weight may be, by
# luck. But an invariant holds for every $T$: the mean of $w / p(x)$ is one. `recorded` keeps $\log p(x \mid z_t)$ of
# every chain for $t = 0, \dots, T$; the colleague's weights are made from that table:
#
# ```python
# def colleagues_log_weights(log_likelihoods, temperatures):  # (T + 1, S) and (T + 1,)
#     return (temperatures.diff()[:, None] * log_likelihoods[1:]).sum(0)
# ```

# %% slideshow={"slide_type": "fragment"}
suspect = colleagues_log_weights  # later, put your own here
for T in (2, 5, 20):
    ladder = torch.linspace(0, 1, T + 1)
    table = recorded(ladder, 2000, rng.seeded(1))
    ratios = (suspect(table, ladder) - boat.log_evidence()).exp()
    value, error = metrics.estimate(ratios)
    print(f"T = {T:2d}: mean of w / p(x) = {value:.2f} ± {error:.2f}, {(value - 1) / error:+.1f} standard errors from one")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 5: annealing_log_weights
#
# *7 minutes, ★★☆.* Write it correctly: from the same table $(T + 1, S)$ and `temperatures` $(T + 1,)$, return $\log w$ of
# every chain, $(S,)$. When it passes, set `suspect = annealing_log_weights` above and run that cell again.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def annealing_log_weights(log_likelihoods, temperatures):
    raise NotImplementedError


check.annealing_log_weights(annealing_log_weights)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Estimate against truth: a sandwich
#
# Jensen makes $\log \hat p$ too low on average: a **stochastic lower bound**. Walk the same path *down*, from an exact
# draw of the posterior to the prior: by the ratio above, read upside down, the average weight estimates $1 / p(x)$, and
# minus its log is too *high* on average. Where the two meet, the answer is known without a closed form (Grosse,
# Ghahramani and Adams 2015). PPCA's posterior is a known Gaussian, so exact draws are to be had here; and for a picture
# that a model itself made, the $z$ that made it is such a draw.
#
# The second figure puts all methods on one budget: 8,192 evaluations of $\log p(x \mid z)$ or its gradient, six repeats.
# *Draws near the posterior* come from the posterior widened 1.2 times.

# %% slideshow={"slide_type": "fragment"}
steps = [10, 30, 100, 300]
bounds = [experiments.bounds(digit[32], (8, 16), T, rng.seeded(T)) for T in steps]  # 8 chains a run, 16 runs
for T, bound in zip(steps, bounds):
    lower, upper = (metrics.estimate(values - digit[32].log_evidence) for values in bound)
    print(f"T = {T:3d}: lower {lower}, upper {upper} nats from log p(x)")
relative = [annealing.Sandwich(*(values - digit[32].log_evidence for values in bound)) for bound in bounds]
plots.show(pictures.sandwich(steps, relative),
           alt=f"With 32 latents the bounds close from {relative[0].lower.mean():.0f} and {relative[0].upper.mean():+.0f} nats at T = 10 "
           f"to {relative[-1].lower.mean():.1f} and {relative[-1].upper.mean():+.1f} at T = 300.")

# %% slideshow={"slide_type": "subslide"}
errors = {m: experiments.within_a_budget(digit[m], 8192, 6, rng.seeded(m)) for m in digit}
rms = {m: {name: values.square().mean().sqrt() for name, values in row.items()} for m, row in errors.items()}
said = [f"{m} latents: " + ", ".join(f"{name} {value:.2g}" for name, value in row.items()) for m, row in rms.items()]
print("\n".join(said))
plots.show(pictures.budget(errors), alt=f"Root mean square errors in nats with 8,192 evaluations. {'; '.join(said[::2])}.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# In two dimensions nothing beats the grid. From four on annealing does, and its lead grows to a factor of a hundred and more. (Draws
# *near the posterior* know what nobody knows: an ideal for notebooks 13 and 15 to approach.)
#
# ## Real data: the decoder again
#
# Does that ranking hold for a network? Twenty binary digits under notebook 10's decoder, about 1,000 decoded pictures for
# each.

# %% slideshow={"slide_type": "fragment"}
twenty, exact = digits[:20], truth.log_evidence[:20]
grid, _ = oracle.normal_grid(32, 2)
draws_20 = plane.log_likelihoods(decoder, twenty, plane.prior_draws(20_000, rng.seeded(6)))
ways = {
    "grid of 32 × 32": plane.naive_blocks(plane.log_likelihoods(decoder, twenty, grid), 1024),
    "1,000 draws from the prior": plane.naive_blocks(draws_20, 1000),
    "annealing, 4 chains, T = 50": plane.annealed(decoder, twenty, (4, 3), 50, rng.seeded(2)),
    "annealing, 16 chains, T = 12": plane.annealed(decoder, twenty, (16, 3), 12, rng.seeded(2)),
}
for name, found in ways.items():
    error = found - exact  # (repeats, 20)
    print(f"{name:28s} error {metrics.estimate(error.mean(0))} nats, worst {error.min():.1f}, too high at most {error.max():+.1f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** Annealing, the hero of 32 dimensions, is the *worst* in two, with few chains and with more. The
# decoder's posteriors are tiny islands on a rugged plane; a few chains settle early, and often none of them on the right
# one. A thousand scattered draws hit it more often. No method is best: the shape of the posterior decides, and in few dimensions
# brute force is hard to beat.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. A grid costs its number of points an axis *to the power* of the dimension: a dozen dimensions end it, for good.
# 2. $\hat p$ is unbiased, $\log \hat p$ too low; its claimed error never exceeds one nat, whatever the real one.
# 3. Naive draws needed: about $e^{\mathrm{KL}}$ of posterior from prior. More draws hardly help below that.
# 4. A proposal near the posterior mends it; effective sample size and standard error see only what was drawn.
# 5. Annealing keeps exact accounts on the way; up and down together enclose the truth, if an exact draw is to be had.
#
# ## The statements, measured
#
# S28 says "no closed form, no efficient computation". *Not always*: PPCA has both, and two latents are no trouble for a
# grid. It holds where a network stands between $z$ and $x$ and the latents are more than a handful.

# %% slideshow={"slide_type": "fragment"}
evidence.table("11")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# Every good estimate here leaned on the posterior: as a proposal, or as the place to walk to. But the posterior is $p(x,
# z) / p(x)$, with the evidence below the line. [Notebook 12](12_intractable_posteriors.ipynb) looks at it where it can be had, 13 at what to do elsewhere,
# and 15 turns Jensen's gap from a nuisance into a way to learn.
#
# ## In practice
#
# Up to three dimensions: scipy's adaptive quadrature. Beyond: annealing and its relatives in BlackJAX and NumPyro, nested
# sampling in dynesty; ArviZ judges importance weights by their tail (the Pareto $k$ of Vehtari and others), which sees heavy
# tails, but not a missed hump either.

# %% slideshow={"slide_type": "fragment"}
from scipy.integrate import quad

value, error = quad(lambda place: boat.log_joint(torch.tensor([[place]])).exp().item(), -6, 7, points=[-0.5, 1.5, 3.4])
print(f"scipy: log p(x) = {torch.tensor(value).log():.6f}, closed form {boat.log_evidence():.6f}")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@neal2001annealed] The method of this notebook.
# - [@grosse2015sandwiching] Up and down.
# - [@chatterjee2018sample] The $e^{\mathrm{KL}}$ rule, with proof.
# - [@owen2013monte] Chapter 9: importance sampling and its diagnostics.
# - [@kong1992note] The effective sample size.
# - [@tipping1999probabilistic] The model whose truth we know.
# - [@wu2017quantitative] Annealing as the judge of deep decoders.
# - [@vehtari2024pareto] A diagnosis from the tail.
