# %% [markdown] slideshow={"slide_type": "slide"}
# # 03 · Images from an unknown distribution
#
# **Question.** How can you draw from a distribution that nobody knows?
#
# **You will be able to**
#
# 1. count images in bits, and say why no store can hold them ([exercise 1](#Exercise-1:-count_in_bits))
# 2. show that maximum likelihood makes a divergence small, and compute it ([exercise 2](#Exercise-2:-empirical_kl))
# 3. tell the two directions of that divergence apart ([exercise 3](#Exercise-3:-match_moments), [exercise
#    4](#Exercise-4:-mode_dropper))
# 4. judge a model of images in bits a pixel, with an error bar ([exercise 5](#Exercise-5:-bits_per_pixel)), and find out
#    whether its samples are copies
#
# **You need** probability, expectations, logarithms and derivatives. Notation: $x$ is an image of $D$ pixels, $x_d$ one
# of them, $x_i$ the $i$-th of $n$ images; $p^*$ is nature's distribution, $p_\theta$ ours; $\log$ is natural, in nats.
# All words and signs: [glossary](glossary.ipynb).
#
# **Time.** 75 minutes to read and explore, 25 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 25 s, 785 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import datasets, functional, metrics, models, plots, rng, training
from course_lib.classroom import Line, derivation, evidence
from course_lib.lessons.n03_images_from_an_unknown_distribution import bets, check, compression, divergence, experiments, explorers, pictures
from tqdm.auto import tqdm
import math
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The library of all images
#
# If you had stored every possible image, you would never need to make one: whatever is asked for, a dog behind a tree,
# you would go and fetch it. Let us try, with the smallest images that still show something: 28 × 28 pixels, each ink or
# paper. Above, twelve images picked blindly from that store; below, twelve handwritten digits. They are in it too.
#
# Below the figure stands a bet.

# %% slideshow={"slide_type": "fragment"}
x, x_new = experiments.digits()  # 4,000 binary digits to learn from, 1,000 held out: (n, 784)
blind = rng.bernoulli(torch.full((12, 784), 0.5), rng.seeded(0))
plots.show(plots.rows_of_pictures({"picked\nblindly": blind, "digits": x[:12]}),
           alt=f"Above twelve images of even noise, {blind.mean():.0%} ink; below twelve handwritten digits, {x[:12].mean():.0%} ink.")

# %% slideshow={"slide_type": "fragment"}
bets.atoms()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask for a show of hands, then let the room double on paper: 2, 4, 8, … ten doublings are a thousand.
# Thirty seconds of doubling do more than the formula.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Counting the images
#
# A value that can take $L$ levels multiplies the number of images by $L$. With $V$ values an image,
#
# $$\text{number} = L^V, \qquad \log_2 \text{number} = V \log_2 L \ \text{bits}.$$
#
# **Bits** count questions: so many yes-or-no questions single out one image. One bit is $\log 2 = 0.69$ nats. Python's
# whole numbers have no largest one,
# so here is the count itself.

# %% slideshow={"slide_type": "fragment"}
number = 2**784
print(f"2^784 = {str(number)[:20]}…, {len(str(number))} digits")
large = experiments.large_numbers()
for name, exponent in large.items():
    print(f"10^{exponent:<5.1f} {name}")

# %% slideshow={"slide_type": "fragment"}
pixels = large["atoms in the observable universe"] / math.log10(2)
side = math.ceil(math.sqrt(pixels))
print(f"{pixels:.0f} pixels have as many images as there are atoms: {side} × {side} pixels are enough.")
bets.atoms.settle(sum(side >= limit for limit in (20, 100, 1000)))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 1: count_in_bits
#
# *3 minutes, ★☆☆.* Return log2 of the number of images with `height` × `width` pixels, each with `channels` values of
# `levels` levels. Stuck? `check.count_in_bits.hint()`, and again for more; `check.count_in_bits.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def count_in_bits(height, width, channels, levels):
    raise NotImplementedError


check.count_in_bits(count_in_bits)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: how many images?
#
# 1. With 8 bits a channel, which is the smallest image that outnumbers the atoms?
# 2. What adds more digits: twice the side, or 8 bits in place of 1?
# 3. Find a colour image of 8 bits with about as many possibilities as 28 × 28 of ink and paper. How large is it?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Grey: 6 × 6. Colour: 4 × 4.
# 2. Eight bits: the exponent times eight. Twice the side: times four.
# 3. 6 × 6: each of its pixels has 24 bits, and 784 / 24 = 33 of them will do.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.how_many_images()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Picking out of a store
#
# Nobody needs *all* images, you may say: store the real ones, and pick what fits. Test it. The store holds 4,000 digits.
# We ask for an image that agrees at $k$ random pixels with a digit that is *not* in the store: something that can
# be, and was not foreseen.
#
# If each fixed pixel shuts out a constant share of what is left, the store that is needed grows exponentially: its log2
# is a straight line in $k$. (The errors come from leaving out one of 12 choices of pixels at a time, the
# **jackknife**.)

# %% slideshow={"slide_type": "fragment"}
bets.store()

# %% slideshow={"slide_type": "fragment"}
ks, sets = [8, 12, 16, 20, 24, 28, 32], 12  # pixels asked for; choices of these pixels
sizes = 2.0 ** torch.linspace(0, math.log2(len(x)), 60)  # of stores: random parts of ours
asked = x_new[:400].float()
hits = {k: experiments.hits(asked, x.float(), k, sizes, sets=sets, seed=0) for k in tqdm([*ks, 64, 128, 256])}
for k, hit in hits.items():
    print(f"{k:3d} pixels asked for: {metrics.estimate(hit[:, -1])} of the questions have an answer among {len(x):,}")

# %% slideshow={"slide_type": "fragment"}
table = torch.stack([hits[k] for k in ks])  # (7, sets, sizes)
needed, slope = experiments.doubling(table, ks, sizes)
left_out = [experiments.doubling(table[:, torch.arange(sets) != out], ks, sizes) for out in range(sets)]
errors, slope_error = (experiments.jackknife(torch.stack(part)) for part in zip(*left_out))
plots.show(pictures.asking_a_store({k: hits[k] for k in (8, 16, 32, 64, 128)}, sizes, ks, needed, errors, slope.item()),
           alt=f"Left: the more pixels are asked for, the larger the store for the same share of answers. Right: log2 of the size needed rises "
               f"by {slope:.2f} ± {slope_error:.2f} for each pixel: the store must double every {1 / slope:.1f} pixels.")
for what, value, expect in [
    ("bits by which the store must grow for each further pixel asked for", slope, (0.28, 0.42)),
    ("share of questions about 256 pixels that 4,000 digits can answer", hits[256][:, -1].mean(), (0, 0.02)),
]:
    evidence("S8", what, value, expect=expect)
bets.store.settle(sum(hits[64][:, -1].mean().item() > limit for limit in (0.05, 0.3, 0.6)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# So "picking from a store is impossible" is true under a condition. Picking works well while the constraint is weak ("some
# seven", a few pixels), and fails exponentially fast as it becomes exact. What would always answer is a machine that
# *makes* an image that fits.
#
# ## The model: nature draws, and so do we
#
# **The story.** Nature draws images, independently, from a distribution $p^*(x)$. Nobody knows it; all we have are draws.
# We choose a family of distributions $p_\theta(x)$ that we *can* draw from, and look for the parameters $\theta$ with
# $p_\theta \approx p^*$. Then we draw from $p_\theta$.
#
# **Two families.** In the first no pixel knows of another. In the second each pixel looks at *one* other, its
# **parent** $\mathrm{pa}(d)$, so that the pixels form a **tree**. (One pixel, the root, has no parent; its factor is
# $p(x_d)$.)
#
# $$p_\theta(x) = \prod_{d=1}^{D} p(x_d), \qquad p_\theta(x) = \prod_{d=1}^{D} p(x_d \mid x_{\mathrm{pa}(d)}).$$
#
# The model card says what a family can do exactly. To draw, start at the root and toss a coin for each pixel, with
# the odds that its parent's colour asks for.

# %% slideshow={"slide_type": "fragment"}
models.ChowLiuTree.card

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Choosing the tree
#
# Start with one coin. With $n_1$ heads and $n_0$ tails, $\partial_p [n_1 \log p + n_0 \log(1 - p)] = n_1 / p - n_0 / (1 -
# p) = 0$ gives $p = n_1 / (n_0 + n_1)$: the share that was counted. So for a given tree all $p(x_d \mid
# x_{\mathrm{pa}(d)})$ are shares $\hat p$ counted in the data. With $\hat{\mathbb{E}}$ the mean over the data,
#
# $$\begin{aligned}
# \tfrac1n \sum_i \log p_\theta(x_i) &= \sum_d \hat{\mathbb{E}} \log \hat p(x_d \mid x_{\mathrm{pa}(d)})
# && \text{log of a product; shares} \\
# &= \sum_d \hat{\mathbb{E}} \log \frac{\hat p(x_d, x_{\mathrm{pa}(d)})}{\hat p(x_d) \, \hat p(x_{\mathrm{pa}(d)})}
# + \sum_d \hat{\mathbb{E}} \log \hat p(x_d) && \text{conditional; times } \hat p(x_d) / \hat p(x_d) \\
# &= \sum_d \hat I(x_d; x_{\mathrm{pa}(d)}) - \sum_d \hat H(x_d) && \text{names}
# \end{aligned}$$
#
# $\hat H$ is the **entropy**, the mean of $-\log \hat p$; $\hat I$ is the **mutual information**, what two pixels tell
# of each other (0 for the root). Only the first sum knows the tree. The best of all trees is the one with the largest total: a *maximum
# spanning tree* (Chow and Liu 1968). Counts that are zero would give probabilities that are zero; so we add $s$
# imagined observations to each of the four cells of a pair: notebook 01's smoothing.

# %% slideshow={"slide_type": "fragment"}
def mutual_information(x, s):
    total, information = len(x) + 4 * s, 0.0
    for a in (x, 1 - x):
        for b in (x, 1 - x):
            both = (a.mT @ b + s) / total  # (D, D): p(x_d = a, x_e = b)
            apart = ((a.sum(0) + 2 * s) / total)[:, None] * ((b.sum(0) + 2 * s) / total)
            information = information + torch.xlogy(both, both / apart)
    return information


def best_tree(weight):  # grown from pixel 0: take the heaviest edge that leads out, again and again
    parent, best = torch.zeros(len(weight), dtype=torch.long), weight[0].clone()  # the heaviest edge to each pixel
    outside = torch.arange(len(weight)) > 0
    while outside.any():
        node = torch.where(outside, best, -torch.inf).argmax()
        outside[node] = False
        closer = outside & (weight[node] > best)
        best[closer], parent[closer] = weight[node, closer], node
    return parent  # of pixel 0, the root: itself

# %% slideshow={"slide_type": "fragment"}
s, information = 0.1, mutual_information(x, 0.1)
parent = best_tree(information)
above = x[:, parent]  # (4000, 784): what each pixel's parent is
on = ((x * above).sum(0) + s) / (above.sum(0) + 2 * s)  # p(x_d = 1 | parent 1)
off = ((x * (1 - above)).sum(0) + s) / ((1 - above).sum(0) + 2 * s)  # p(x_d = 1 | parent 0)
on[0] = off[0] = (x[:, 0].sum() + 2 * s) / (len(x) + 4 * s)  # the root looks at nobody


def log_prob(x):
    p = torch.where(x[:, parent] == 1, on, off)
    return torch.where(x == 1, p, 1 - p).log().sum(-1)


tree, pixels = models.ChowLiuTree(784), models.IndependentPixels(784)
tree.maximise(x, smoothing=s)
pixels.maximise(x, smoothing=s)
with torch.no_grad():
    torch.testing.assert_close(log_prob(x_new), tree.log_prob(x_new))
print("held-out log p(x), nats a digit: tree", metrics.mean_log_prob(tree, x_new), "independent", metrics.mean_log_prob(pixels, x_new))

# %% slideshow={"slide_type": "subslide"}
child = torch.arange(1, 784)
tell = information[child, parent[1:]] > 0.005  # nats; the other edges, on the empty margin, say nothing
touching = experiments.neighbours(28)[child, parent[1:]][tell].double().mean()
plots.show(pictures.tree_of_pixels(child[tell], parent[1:][tell], x.mean(0)),
           alt=f"Left: a small tree of five pixels. Right: the {tell.sum()} edges that tell something, over the mean digit. Nobody said "
               f"which pixels are neighbours, yet {touching:.0%} of them join pixels that share a side.")

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: ask the store, or make it
#
# Because a tree has no loops, what is not asked for can be drawn given what is, exactly: whatever is asked, the models
# answer. The second maker is a mixture: a hundred averaged digits, of which one is chosen, and then each pixel tossed
# on its own (notebook 08 shows how they are learnt).
#
# 1. How many pixels can you ask for until the store has nothing left? Does the choice of pixels matter?
# 2. Which maker draws the better digits with nothing asked for? What does the other lack?
# 3. From how many pixels on is the answer of both a digit that you can read? Who did the work then?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. For a typical digit some 50; for a plain stroke hundreds, for an odd one a dozen. Yes, by tens: pixels on the empty
#    margin ask for nothing.
# 2. The mixture: it knows styles. The tree knows edges, and forgets over the distance what the whole should be.
# 3. Often some 200, more for a thin stroke. The question did: most of the answer was in it.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.ask_the_store()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How far from nature
#
# What does $p_\theta \approx p^*$ mean? Measure it with the **Kullback–Leibler divergence**, KL for short. Call $-\log
# p_\theta(x)$ your surprise at $x$ if you believe in $p_\theta$. How much larger than necessary is it on average, when
# nature draws?
#
# $$\begin{aligned}
# \mathrm{KL}(p^* \,\|\, p_\theta) &= \sum_x p^*(x) \log \frac{p^*(x)}{p_\theta(x)} && \text{definition} \\
# &= \sum_x p^*(x) \log p^*(x) - \sum_x p^*(x) \log p_\theta(x) && \text{log of a quotient} \\
# &= -H(p^*) - \mathbb{E}_{p^*} \log p_\theta(x) && \text{names}
# \end{aligned}$$
#
# It is never negative, and zero only if the two agree, because $\log t \le t - 1$, with equality only at $t = 1$. With
# sums over the $x$ that nature can draw,
#
# $$\mathrm{KL}(p^* \,\|\, p_\theta) = -\sum_x p^* \log \frac{p_\theta}{p^*} \ge \sum_x p^* \Big( 1 - \frac{p_\theta}{p^*} \Big)
# = 1 - \sum_{x:\, p^*(x) > 0} p_\theta(x) \ge 0.$$
#
# To see numbers, take a world so small that we may know $p^*$: patches of 3 × 3 pixels, of which there are 512. Let
# nature's table be how often each stands in the middle of our 5,000 digits. Our model is a tree fitted to 300 draws.

# %% slideshow={"slide_type": "fragment"}
p_star = torch.bincount(divergence.patch_numbers(torch.cat([x, x_new])), minlength=512) / 5000.0  # (512,)
counts = divergence.draw(p_star, 300, 1, seed=5)[0]  # (512,): how often each came up in 300 draws
log_p = divergence.fit_tree(counts)  # (512,): log p_theta of each patch
p, q = p_star[p_star > 0], log_p[p_star > 0].exp()
derivation(
    Line(r"\sum_x p^* \log (p^* / p_\theta)", "definition", (p * (p / q).log()).sum()),
    Line(r"\sum_x p^* \log p^* - \sum_x p^* \log p_\theta", "log of a quotient", (p * p.log()).sum() - (p * q.log()).sum()),
    Line(r"-H(p^*) - \mathbb{E}_{p^*} \log p_\theta", "names", -torch.special.entr(p_star).sum() - p_star @ log_p),
    Line(r"1 - \sum_{x:\, p^* > 0} p_\theta", "log t ≤ t − 1", 1 - q.sum(), ">="),
    Line("0", "probabilities add up to at most one", 0.0, ">="),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why maximum likelihood
#
# Of real images we do not know $p^*$, but we have $n$ draws. Put the **empirical distribution** in its place,
# $\hat p(x)$ = the share of the draws that are $x$:
#
# $$\mathrm{KL}(\hat p \,\|\, p_\theta) = -H(\hat p) - \sum_x \hat p(x) \log p_\theta(x)
# = -H(\hat p) - \frac1n \sum_{i=1}^{n} \log p_\theta(x_i).$$
#
# (The last step: each $x$ stands $n \hat p(x)$ times among the draws.) $H(\hat p)$ does not contain $\theta$. Therefore
#
# $$\arg\min_\theta \mathrm{KL}(\hat p \,\|\, p_\theta) = \arg\max_\theta \sum_i \log p_\theta(x_i):$$
#
# **maximum likelihood is the smallest divergence from the data.** And on new draws, **held out** from learning, the
# mean of $\log p_\theta$ is an **unbiased** estimate of $\mathbb{E}_{p^*} \log p_\theta$, right on average; the
# unknown $H(p^*)$ is the same for all models. So held-out nats rank
# models by their divergence from nature, although nobody knows nature.

# %% slideshow={"slide_type": "fragment"}
drawn = torch.arange(512).repeat_interleave(counts.long())  # (300,): the draws themselves, as patch numbers
p_hat = counts / counts.sum()
derivation(
    Line(r"\mathrm{KL}(\hat p \,\|\, p_\theta)", "definition", functional.categorical_kl(p_hat, log_p)),
    Line(r"-H(\hat p) - \sum_x \hat p(x) \log p_\theta(x)", "as above", -torch.special.entr(p_hat).sum() - p_hat @ log_p),
    Line(r"-H(\hat p) - \tfrac1n \sum_i \log p_\theta(x_i)", "a sum over the draws", -torch.special.entr(p_hat).sum() - log_p[drawn].mean()),
)

# %% slideshow={"slide_type": "fragment"}
log_pixels = divergence.fit_pixels(counts)  # the same 300 draws, pixels independent
held_out = torch.arange(512).repeat_interleave(divergence.draw(p_star, 1000, 1, seed=9)[0].long())
estimated = metrics.estimate((log_p - log_pixels)[held_out])
exact = functional.categorical_kl(p_star, log_pixels) - functional.categorical_kl(p_star, log_p)
print(f"The tree is nearer to nature by {estimated} nats, estimated from 1,000 new draws; the truth is {exact:.3f}.")
evidence("S10", "held-out gain minus the true difference of the divergences, in standard errors", (estimated.value - exact) / estimated.error, expect=(-3, 3))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: empirical_kl
#
# *6 minutes, ★★☆.* From `counts` of $K$ outcomes and the model's `log_p`, both $(K,)$, compute $\mathrm{KL}(\hat p \,\|\,
# p_\theta)$ in nats. Some outcomes never came up; $0 \log 0$ is 0, its limit.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def empirical_kl(counts, log_p):
    raise NotImplementedError


check.empirical_kl(empirical_kl)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Flexible, or well informed?
#
# Nature is known here, so the divergence is exact: a sum over 512 patches. Three models learn from $n$ draws: independent
# pixels, the tree, and a **full table** with a probability for each patch, the most flexible model there can be. Each has, at
# each $n$, that one of five smoothings which suits it best; otherwise a badly smoothed table would lose for the wrong reason.
# Means of 20 repetitions:

# %% slideshow={"slide_type": "fragment"}
ns = [10, 30, 100, 300, 1000, 3000, 10_000, 30_000]
curves = divergence.learning_curves(p_star, ns, repeats=20, seed=0)  # each (8, 20), in nats
gain = {n: metrics.estimate(curves["full table"][i] - curves["tree"][i]) for i, n in enumerate(ns)}
plots.show(pictures.learning_curves(ns, curves),
           alt="Divergence from nature against the number of examples. "
               + " ".join(f"{name}: from {rows[0].mean():.2f} to {rows[-1].mean():.3f} nats." for name, rows in curves.items()))
for statement, what, value, expect in [
    ("S10", "divergence between nature and the full table after 30,000 draws", curves["full table"][-1].mean(), (0.003, 0.006)),
    ("S11", f"what the tree's prior knowledge is worth against the table with 10 draws (± {gain[10].error:.2f})", gain[10].value, (0.05, 0.35)),
    ("S11", f"the same with 100 draws: the table has caught up (± {gain[100].error:.2f})", gain[100].value, (-0.16, 0)),
    ("S11", "the same with 30,000 draws: the table's flexibility wins", gain[30_000].value, (-0.56, -0.53)),
]:
    evidence(statement, what, value, expect=expect, unit="nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# *A model must be flexible, and let prior knowledge in*: both halves can be seen. Too rigid a model stops at a floor that
# no amount of data moves. Too flexible a one needs data to learn what could have been said before. Here some tens of draws
# make up for that, because nine pixels show few patterns. For 28 × 28 pixels the full table would have $2^{784}$ rows:
# **prior knowledge is not a luxury, it is the only way to begin.**
#
# ## The other direction
#
# KL is not symmetric. The **forward divergence**, $\mathrm{KL}(p \,\|\, q)$, averages over what nature does: it
# punishes $q$ for having too little anywhere that $p$ goes. The **reverse divergence**, $\mathrm{KL}(q \,\|\, p)$,
# averages over what the model does: it punishes $q$ for going where $p$ does not. Let $q$ be a Gaussian
# $\mathcal{N}(\mu, \sigma^2)$, and $m$, $v$ the mean and variance of $p$:
#
# $$\mathrm{KL}(p \,\|\, q) = -H(p) + \log \sigma + \tfrac12 \log 2 \pi + \frac{v + (m - \mu)^2}{2 \sigma^2},$$
#
# because $\mathbb{E}_p (x - \mu)^2 = v + (m - \mu)^2$. Setting both derivatives to zero,
#
# $$\frac{\partial}{\partial \mu}: \ \frac{\mu - m}{\sigma^2} = 0, \qquad
# \frac{\partial}{\partial \sigma}: \ \frac1\sigma - \frac{v + (m - \mu)^2}{\sigma^3} = 0
# \quad \Rightarrow \quad \mu = m, \ \sigma^2 = v.$$
#
# Forward matches the *moments*, whatever $p$ looks like. Reverse has no such formula: let descent find it.

# %% slideshow={"slide_type": "fragment"}
humps = divergence.two_humps(weight=0.35, distance=6.0)  # log p on a line of points, (5121,)
line, step = divergence.LINE, divergence.STEP
m = step * (humps.exp() @ line)
v = step * (humps.exp() @ (line - m) ** 2)
entropy = -step * (humps.exp() @ humps)
derivation(
    Line(r"\mathrm{KL}(p \,\|\, q)", "integrated, at μ = 0.5, σ = 2", divergence.both(humps, divergence.gaussian(0.5, math.log(2)))[0]),
    Line(r"-H(p) + \log \sigma + \tfrac12 \log 2 \pi + \frac{v + (m - \mu)^2}{2 \sigma^2}", "the formula",
         -entropy + math.log(2) + 0.5 * math.log(2 * math.pi) + (v + (m - 0.5) ** 2) / 8),
)

# %% slideshow={"slide_type": "fragment"}
for forward, name in ((True, "forward"), (False, "reverse")):
    for start in (-4.0, 0.5, 4.0):
        mean, sd = divergence.descend(humps, start, 1.0, forward=forward)
        values = divergence.both(humps, divergence.gaussian(mean, math.log(sd)))
        print(f"{name} from {start:4.1f}: mean {mean:5.2f}, sd {sd:.2f}; forward KL {values[0]:6.3f}, reverse KL {values[1]:.3f}")
print(f"mean and standard deviation of p: {m:.2f}, {v.sqrt():.2f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: two divergences by hand
#
# Drag the Gaussian by its mean and its width (or focus a handle and use the arrow keys). The areas, counted with their sign,
# are the divergences. (The picture cuts them off at 3; the numbers do not.)
#
# 1. Find the best forward $q$. Between the humps, where $p$ has nearly nothing: why does forward not mind?
# 2. Put $q$ on one hump. Which divergence explodes? What, in one sentence, did you tell the model not to care about?
# 3. Reverse, they say, picks one hump. Move the humps together: from which distance on is that false?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Its average is taken under $p$, which is never there.
# 2. Forward. The other hump: 35 % or 65 % of what nature does.
# 3. At 3 (with the weight at 0.5) reverse covers both, from every start; at 4 it depends on the start; at 6 it picks,
#    unless you start wide and exactly in the middle.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.kl_by_hand()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask before pressing: where will forward end, where reverse? Then ask which of them a maker of images
# would want. (Forward: blurred, but nobody is left out. Reverse: sharp, and whole groups may be missing.) Maximum
# likelihood has chosen for us: forward.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: match_moments
#
# *5 minutes, ★☆☆.* From points `x` and probabilities `p` that add up to one, both $(m,)$, return `(mean, standard
# deviation)` of the Gaussian with the smallest forward divergence.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def match_moments(x, p):
    raise NotImplementedError


check.match_moments(match_moments)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 4: mode_dropper
#
# *6 minutes, ★★☆, a reverse exercise.* Break it on purpose: from a table `p` of $K$ probabilities make a table `q` with
# $\mathrm{KL}(q \,\|\, p)$ below 0.1 nats, and $\mathrm{KL}(p \,\|\, q)$ infinite. (A maker of images that never draws a
# certain kind of person can look excellent in reverse.)

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def mode_dropper(p):
    raise NotImplementedError


check.mode_dropper(mode_dropper)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A ladder of models
#
# $-\log_2 p_\theta(x)$ is more than a score: it is, up to one bit, how long $x$ becomes in the best code for $p_\theta$
# (Shannon 1948). So models compete with *compressors* on the same scale: bits for a digit that was never seen. The
# compressors (PNG for pictures, zlib and LZMA for anything) get the same pixels, eight to a byte. A PNG file of one digit is
# half wrapping; so they may also pack a hundred digits together, and LZMA may look back at all the training digits, as
# the models did.

# %% slideshow={"slide_type": "fragment"}
bets.rungs()

# %% [markdown] slideshow={"slide_type": "fragment"}
# ### Exercise 5: bits_per_pixel
#
# *4 minutes, ★☆☆.* From `log_prob`, nats of $n$ images, $(n,)$, and the number of `pixels` of one image return the mean bits
# a pixel and its standard error.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def bits_per_pixel(log_prob, pixels):
    raise NotImplementedError


check.bits_per_pixel(bits_per_pixel)

# %% slideshow={"slide_type": "subslide"}
def ladder(x, x_new):
    rungs = {"independent pixels": models.IndependentPixels(x.shape[1]), "tree": models.ChowLiuTree(x.shape[1])}
    for model in rungs.values():
        model.to(x.dtype).maximise(x, smoothing=0.1)
    for k in (10, 100):
        rungs[f"mixture of {k}"] = models.BernoulliMixture(k, x.shape[1]).to(x.dtype).start_at(x, rng.seeded(1))
        process = training.expectation_maximisation(rungs[f"mixture of {k}"], x, steps=25, smoothing=0.1)
        training.fit(tqdm(process, total=25, leave=False))
    return rungs, {name: experiments.total_bits(model, x_new) for name, model in rungs.items()}


rungs, bits = ladder(x.float(), x_new.float())  # bits: (1000,) for each model
packed = compression.bits(x, x_new)  # ± over digits, or over groups of a hundred
small, small_new = datasets.split(datasets.binarise(datasets.optical_digits().x), held_out=1000, generator=rng.seeded(10))
_, small_bits = ladder(small, small_new)  # other digits, 8 × 8
everyone = {name: metrics.estimate(values) for name, values in bits.items()} | packed
for name, (value, error) in sorted(everyone.items(), key=lambda item: item[1].value):
    print(f"{name:36s} {value:6.1f} ± {error:.1f} bits a digit, {value / 784:.3f} ± {error / 784:.3f} a pixel")

# %% slideshow={"slide_type": "fragment"}
small_scores = {name: metrics.estimate(values) for name, values in small_bits.items()}
plots.show(pictures.ladders({"28 × 28": everyone, "8 × 8": small_scores}, set(packed)),
           alt=f"28 × 28: the tree needs {everyone['tree'].value:.0f} bits, the mixture of 100 {everyone['mixture of 100'].value:.0f}. "
               f"8 × 8: the tree {small_scores['tree'].value:.1f}, the mixture of 100 {small_scores['mixture of 100'].value:.1f}: the order is reversed.")
rivals = ("PNG, one digit a file", "tree", "mixture of 100", "LZMA, 100 after the training digits")
bets.rungs.settle(rivals.index(min(rivals, key=lambda name: everyone[name].value)))
for what, better, worse, table, expect in [
    ("that one neighbour saves, 28 × 28", "tree", "independent pixels", bits, (110, 135)),
    ("that a hundred styles save, 28 × 28", "mixture of 100", "independent pixels", bits, (85, 115)),
    ("by which the styles beat the neighbour, 28 × 28 (they lose)", "mixture of 100", "tree", bits, (-27, -16)),
    ("by which the styles beat the neighbour, 8 × 8", "mixture of 100", "tree", small_bits, (4, 8)),
]:
    saved = metrics.estimate(table[worse] - table[better])
    evidence("S11", f"bits an image {what} (± {saved.error:.1f})", saved.value, expect=expect)

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** A general compressor that has seen the training digits beats all our models. (It can copy whole
# stretches of rows, while the tree looks at one pixel: this is our explanation, not a measurement.) Which *model* wins
# depends on the resolution: the order of tree and mixture is reversed. Plausibly with fine pixels most bits go into edges,
# and a neighbour knows an edge; with coarse ones the style decides. No ladder without its resolution. Notebooks 05 and
# 10 add rungs.
#
# ## Prior knowledge, measured in nats
#
# The tree had to find out which pixels touch. Tell it: allow only edges between pixels that share a side. What is that
# sentence worth?

# %% slideshow={"slide_type": "fragment"}
few = [20, 50, 100, 300, 2000]
little = torch.stack([experiments.held_out_with_little(x.float(), x_new.float(), n, repeats=5, seed=n) for n in tqdm(few)])  # (5, 5, 3)
told = [metrics.estimate(row) for row in little[..., 2] - little[..., 1]]
plots.show(pictures.little_data(few, little),
           alt="Told which pixels touch, the tree gains " + ", ".join(f"{g.value:.1f} ± {g.error:.1f} nats with {n} digits" for n, g in zip(few, told)) + ".")
for n, g, expect in ((20, told[0], (25, 75)), (2000, told[-1], (-0.6, 0.1))):
    evidence("S11", f"a digit's gain from knowing which pixels touch, {n} digits to learn from (± {g.error:.2f})", g.value, expect=expect, unit="nats")
raw = models.ChowLiuTree(784)
raw.maximise(x)  # no smoothing: what was never seen is (all but) impossible
print(f"smoothing is worth {metrics.gain(tree, raw, x_new)} nats a digit")

# %% [markdown] slideshow={"slide_type": "fragment"}
# True knowledge is worth most where data are few. With many data it is worth nothing; it may even cost a little, because it
# forbids the few long edges that would help.
#
# ## How much of the space is real?
#
# A model answers the first question of this notebook. Probabilities add up to one, so at most $2^b$ images can have $p_\theta(x)
# \ge 2^{-b}$. If 95 % of *new* digits need at most $b$ bits, then at most $2^b$ images hold 95 % of new digits, a
# share of $2^{b - 784}$. And since $-\mathbb{E}_{p^*} \log p_\theta = H(p^*) + \mathrm{KL}$, the mean bits bound nature's own
# entropy from above.

# %% slideshow={"slide_type": "fragment"}
low, b, high = bits["tree"].quantile(torch.tensor([0.936, 0.95, 0.964]))  # 0.014 is two errors of a share among 1,000
print(f"H(p*) is at most {everyone['tree']} bits (by LZMA {packed[rivals[3]]}), of 784")
print(f"95 % of new digits need at most {b:.0f} bits ({low:.0f} to {high:.0f}): a share of 2^{b - 784:.0f} of all images, at most")
evidence("S8", "log2 of the share of all images that holds 95 % of new digits, at most", b - 784, expect=(-570, -530))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Break it: fewer than no bits
#
# A colleague treats the same pixels as real numbers, fits a Gaussian to each, and reports bits a pixel *below zero*. On the
# training digits a smaller smallest width makes them better and better.

# %% slideshow={"slide_type": "fragment"}
for smallest in (0.1, 0.01, 0.001):
    density = torch.distributions.Normal(x.mean(0), (x.var(0) + smallest**2).sqrt())
    trained, new = (metrics.estimate(-density.log_prob(part).sum(-1) / 784 / math.log(2)) for part in (x, x_new))
    print(f"smallest standard deviation {smallest:<5}: {trained} 'bits' a pixel on training digits, {new} on new ones")

# %% [markdown] slideshow={"slide_type": "fragment"}
# No message is shorter than nothing. A **density** is probability *per unit of length*: it may exceed one, it grows without
# limit on a pixel that never changed in training (and punishes the first that does), and it depends on the units. Densities and probabilities do not stand on one
# ladder. (Notebook 10 puts a Gaussian on it fairly.)
#
# ## New, or a copy
#
# A model that merely repeats its training images would be no maker. So look for the nearest training image of each sample.
# How near is too near? Ask honest new digits: the held-out ones, against the same 4,000. That is the **null distribution**.

# %% slideshow={"slide_type": "fragment"}
bets.copies()

# %% slideshow={"slide_type": "fragment"}
g, null = rng.seeded(4), experiments.nearest_two(x_new, x)  # distance; its ratio to the second nearest
samples = {"tree": tree.sample(1000, g), "mixture of 100": rungs["mixture of 100"].sample(1000, g).to(x)}
samples |= {f"copies, {flips:.0%} flipped": experiments.copies(x, 1000, flips, g) for flips in (0.01, 0.05)}
found = {name: experiments.nearest_two(sample, x) for name, sample in samples.items()}
for name, (distance, ratio) in {"honest new digits": null, **found}.items():
    alarms = [experiments.caught(ours, honest) for ours, honest in zip((distance, ratio), null)]
    print(f"{name:22s} distance {metrics.estimate(distance)} pixels, ratio {metrics.estimate(ratio)}; "
          f"alarm by distance {alarms[0]}, by ratio {alarms[1]}")
beyond = (found["tree"][0] > null[0].quantile(0.95)).double().mean()
print(f"{beyond:.0%} of the tree's samples lie farther off than 95 % of the honest new digits")

# %% slideshow={"slide_type": "fragment"}
by_distance, by_ratio = (experiments.caught(ours, honest).value for ours, honest in zip(found["copies, 5% flipped"], null))
plots.show(pictures.new_or_copied(null, found),
           alt=f"Left, by distance: copies with 5 % of the pixels flipped lie where honest digits lie; the alarm catches {by_distance:.0%}. "
               f"Right, by the ratio to the second nearest, it catches {by_ratio:.0%}.")
for what, value, expect in [
    ("samples of the tree that equal a training image, of 1,000", (found["tree"][0] < 0.5).sum(), (0, 0)),
    ("pixels by which they lie farther from the training digits than new digits do", found["tree"][0].mean() - null[0].mean(), (35, 50)),
    ("share of the tree's samples that lie farther off than 95 % of new digits", beyond, (0.7, 0.9)),
    ("share of copies with 5 % flipped that the ratio catches", by_ratio, (0.85, 0.95)),
]:
    evidence("S9", what, value, expect=expect)
bets.copies.settle(sum(by_distance > limit for limit in (0.05, 0.5, 0.9)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# *New is not far.* Flipped copies are far away, and copies all the same; what betrays them is that *one* training image is
# so much nearer than all others. (Copies of a digit that the store holds twice would escape the ratio too.) And *far is
# not good*: the tree's samples are new, but most lie farther off than nearly all digits, because they are none. So the
# promise "learn patterns, then make new, realistic images" is half kept: new images, from learnt patterns; realistic ones
# have to wait for better models.
#
# Is it the likelihood that tells? Give the copier its density: a mixture of 4,000 components, one for each training image.

# %% slideshow={"slide_type": "fragment"}
copier = experiments.learnt_by_heart(x.float(), flips=0.05)
for name, model in {**rungs, "copier, 5 % flips": copier}.items():
    dtype = model.logits.dtype
    seen, unseen = (metrics.mean_log_prob(model, part.to(dtype)) for part in (x[:1000], x_new))
    print(f"{name:20s} nats a digit: training {seen}, held out {unseen}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Not by itself. The copier even beats independent pixels on *new* digits: a high held-out likelihood does not prove that
# nothing was learnt by heart, nor does copying make it low. What tells is the *gap* between training and held-out, and the
# neighbours.
#
# ### Explorer: samples beside their nearest neighbours
#
# An alarm rings where a mark falls left of the dashed line.
#
# 1. How many per cent must copies flip so that most escape the distance? And the ratio? Would *your eye* still catch them?
# 2. *New digits* are honest: how often do they set off an alarm?
# 3. Which model (tree, mixture, independent pixels) lies farthest from the training digits? Is it the best?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. About 2 %; about 12 %. Yes.
# 2. One in twenty, by construction: an alarm for a single image proves nothing; many do.
# 3. Independent pixels. No.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.beside_their_neighbours()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Real systems are tested in this way: large image models do return some training images nearly unchanged
# (Carlini and others 2023). Ask the room what a fair null distribution would be for a model trained on the whole web.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. The number of images is exponential in the pixels, and so is the store that an exact constraint needs.
# 2. Learn $p_\theta \approx p^*$ from draws, then draw from $p_\theta$: maximum likelihood minimises
#    $\mathrm{KL}(\hat p \,\|\, p_\theta)$.
# 3. Forward KL covers, reverse KL avoids; they are different wishes.
# 4. A model is a code: held-out bits compare models, compressors and prior knowledge on one scale, at one resolution.
# 5. New is not far, far is not good; a null distribution says what is too near.
#
# ## The statements, measured
#
# Each number stands with the range in which the course expects it.

# %% slideshow={"slide_type": "fragment"}
evidence.table("03")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# The tree was learnt in closed form because each pixel looks at one other. Let it look at *all* pixels before it, and a
# table of $2^{783}$ rows is needed. [Notebook 04](04_neural_conditionals.ipynb) puts a neural network in the table's place; notebook 05 makes a model of
# images of it.
#
# ## In practice
#
# For divergences of tables take `scipy.stats.entropy`, for a spanning tree `scipy.sparse.csgraph`, for neighbours
# `sklearn.neighbors`. They find what we found:

# %% slideshow={"slide_type": "fragment"}
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.stats import entropy as scipy_entropy
from sklearn.neighbors import NearestNeighbors

print(f"KL: scipy {scipy_entropy(p_star, log_p.exp()):.6f}, ours {functional.categorical_kl(p_star, log_p):.6f} nats")
print(f"tree: scipy {-minimum_spanning_tree(-information.triu(1).numpy()).sum():.4f}, ours {information[child, parent[1:]].sum():.4f} nats of mutual information")
nearest = NearestNeighbors(n_neighbors=1, metric="manhattan").fit(x).kneighbors(x_new[:50])[0].mean()
print(f"mean distance of 50 new digits: scikit-learn {nearest:.2f}, ours {null[0][:50].mean():.2f} pixels")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@chow1968approximating] The tree.
# - [@shannon1948mathematical] Entropy, and codes.
# - [@kullback1951information] The divergence.
# - [@mackay2003information] Models as codes.
# - [@theis2016note] Likelihood, samples and neighbours need not agree.
# - [@meehan2020non] A test for copies.
# - [@carlini2023extracting] Copies, at full size.
# - [@planckcollaboration2020results] The atoms.
# - [@idc2020global] The disks.
# - [@borges1941library] The store, with its readers.
