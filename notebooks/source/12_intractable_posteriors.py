# %% [markdown] slideshow={"slide_type": "slide"}
# # 12 · The intractable posterior
#
# **Question.** Which causes could have made this picture?
#
# **You will be able to**
#
# 1. compute a posterior on a grid, numerator and denominator apart ([exercise 1](#Exercise-1:-grid_posterior))
# 2. predict what is covered, from all causes that fit ([exercise 2](#Exercise-2:-predictive)), and hide exactly so
#    much of a digit that two causes remain ([exercise 5](#Exercise-5:-two_modes))
# 3. say why two causes that had nothing to do with each other compete once their effect is seen ([exercise
#    3](#Exercise-3:-explaining_away))
# 4. derive Fisher's identity, and say what a wrong posterior teaches ([exercise 4](#Exercise-4:-fisher_gradient))
#
# **You need** notebook 10's decoder and grid, notebook 08's KL divergence, notebook 05's network of a clinic.
# Notation: $x$ is a picture, $s$ the part of it that is seen, $z$ its cause on the plane, $z_j$ a point of a grid,
# $q$ any distribution over $z$; $\log$ is natural, in nats. All words and signs: [glossary](glossary.ipynb). After ±
# stands one standard error.
#
# **Time.** 80 minutes to read and explore, 35 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 25 s, 772 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import datasets, metrics, models, plots, rng
from course_lib.classroom import Line, derivation, evidence
from course_lib.inference import elimination, oracle
from course_lib.lessons.n12_intractable_posteriors import bets, check, experiments, explorers, learning, pictures, weights
from tqdm.auto import tqdm
import torch

torch.set_default_dtype(torch.float64)  # exact sums; the large tables are kept in single precision
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Half a digit
#
# Notebook 10 asked what picture a cause makes. Now turn round: here is a picture, or a part of one. Which points of the
# plane could have made it? The blue cloud is the answer, the posterior. Choose an image or draw one, then take the
# tool *cover* and hide some of it: what is orange has not been seen.
#
# 1. Cover a digit slowly. Does the cloud grow evenly?
# 2. Cover all but the bow at the top of image 10 (the last). How many clouds can you get?
# 3. Uncover single pixels with *uncover*. Can the cloud grow when you see *more*?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. No. Blank corners tell little, so hiding them changes little. A few pixels at the end of a stroke can change
#    everything.
# 2. Two, with an empty plane between them: a 0, or a 3 whose bow looks the same. One row more or less decides.
# 3. It can. Hold on to that for the bet.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.draw_and_cover()

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Bet before you read on.** The *entropy* of the posterior is the mean of $-\log p(z \mid s)$, in nats: roughly the
# logarithm of the area of the plane that is still in question. The larger it is, the less we know of the cause.

# %% slideshow={"slide_type": "fragment"}
bets.surprise()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Let somebody draw, somebody else cover. Ask before each stroke of the brush: will the cloud grow,
# split, or stay? Take the bet by a show of hands, and ask somebody who says "none" for the reason.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Easy above the line, hard below
#
# **The story** is notebook 10's: a cause $z$ from a standard normal; a network turns it into log-odds $a_d(z)$; each
# pixel is tossed alone. **The posterior** goes against the arrow. Bayes' rule:
#
# $$p_\theta(z \mid x) = \frac{p_\theta(x, z)}{p_\theta(x)}
# = \frac{p(z) \, \prod_d p_\theta(x_d \mid z)}{\int p(z') \, \prod_d p_\theta(x_d \mid z') \, dz'}.$$
#
# The numerator looks at **one** cause. The denominator looks at **all** of them, though only one number comes out. In
# the card below this is the $O(m^d)$: with $m$ points along each of $d$ latents, a grid has $m^d$ points.

# %% slideshow={"slide_type": "fragment"}
figure, ax = plots.figure(height=2.0, width=4)
plots.graph(ax, {"$z$": (0, 0), "$s$": (1.6, 0.5), "rest": (1.6, -0.5)}, [("$z$", "$s$"), ("$z$", "rest")], observed=["$s$"])
_, x_new, _, y_new = weights.digits()  # 1,000 digits that the decoder has never seen
x_new = x_new.double()
plots.show(figure, alt=f"Graphical model: arrows from the cause z to what is seen of a picture, s, shaded, and to the rest of it; {len(x_new)} held-out pictures.")
models.DeepLatentVariableModel.card

# %% [markdown] slideshow={"slide_type": "subslide"}
# **In the open**, for one whole digit: the joint at every point of a grid, then the sum, then the division. The library
# has it as `evidence`; the last lines assert that both give the same masses. Then two maps are drawn: log numerator and
# log posterior. They are one and the same surface, moved up by $-\log p(x)$.

# %% slideshow={"slide_type": "fragment"}
model = weights.trained(weights.PLANE)
z, log_area = oracle.grid(-3, 3, 61, 2)  # (3721, 2): a square grid, all cells equally large
digit = x_new[295]
with torch.no_grad():
    numerator = model.log_prior(z) + torch.distributions.Bernoulli(logits=model.decode(z)).log_prob(digit).sum(-1)
log_p = (numerator + log_area).logsumexp(0)  # the denominator
masses = (numerator + log_area - log_p).exp()  # the posterior's masses, (3721,)
library = model.evidence(digit[None], (z, model.log_prior(z) + log_area))
torch.testing.assert_close(masses, library.log_posterior[0].exp())
print(f"on this grid log p(x) = {log_p:.2f} nats; the masses add up to {masses.sum():.12f}")

# %% slideshow={"slide_type": "subslide"}
plane = experiments.tabulate(model.float(), size=101)  # [-3.6, 3.6]^2, every point decoded once
whole = experiments.log_joint(plane, digit[None], experiments.rows(28))[0]
area_95 = int((whole.softmax(0).sort(descending=True).values.cumsum(0) < 0.95).sum() + 1) * plane.area
plots.show(pictures.numerator_and_posterior(plane, whole),
           alt=f"Two maps of the plane with the same shape; the numerator's highest value is {whole.max() - torch.tensor(plane.area).log():.0f} nats, "
               f"the posterior's {whole.log_softmax(0).max() - torch.tensor(plane.area).log():.1f}; 95 % of the posterior's mass lie on {area_95:.3f} square units.")

for kind, some in (("digits", x_new[:200]), ("the same, mirrored", x_new[:200].unflatten(-1, (28, 28)).flip(-1).flatten(1))):
    joint = experiments.log_joint(plane, some.float(), experiments.rows(28))
    print(f"{kind}: entropy {metrics.estimate(experiments.entropy(plane, joint))} nats, log p(x) {metrics.estimate(joint.logsumexp(-1))}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Two consequences. **Ratios are free**: $p(z \mid x) / p(z' \mid x) = p(x, z) / p(x, z')$, the denominator cancels.
# Notebook 13 builds whole samplers on this fact. **And the denominator is no mere constant**: it does not depend on
# $z$, but it does depend on $x$ and on $\theta$. Mirrored digits, printed above, have posteriors that are even surer
# (a lower entropy). Only $p(x)$ shows that they are strange pictures. And $p(x)$ is what learning climbs.
#
# What does it cost? Below, the grid gets finer until $\log p(x)$ is within a nat, on average over 200 digits, of what
# a grid of 80 × 80 points gives. Then we assume that each further latent needs as many points along its own axis.

# %% slideshow={"slide_type": "fragment"}
model.double()
i, j = masses.argsort(descending=True)[[0, 5]]
gap = (numerator[i] - numerator[j]) - (library.log_posterior[0, i] - library.log_posterior[0, j])
evidence("S29", "log ratio of two posteriors minus that of their numerators", gap, expect=(-1e-9, 1e-9), unit="nats")
finest = model.evidence(x_new[:200], oracle.normal_grid(80, 2)).log_evidence
per_point = sum(layer.weight.numel() for layer in model.decoder if hasattr(layer, "weight")) + 784
for size in (10, 20, 30, 40, 50):
    error = (model.evidence(x_new[:200], oracle.normal_grid(size, 2)).log_evidence - finest).abs()
    print(f"denominator from {size:2d} × {size} points: off by {metrics.estimate(error)} nats, {per_point * size**2:.1e} multiplications")
    if error.mean() < 1:
        break
print(f"numerator: {per_point} multiplications; the denominator, to within a nat, at 10^12 multiplications a second:")
print(", ".join(f"{latents} latents {per_point * float(size)**latents / 1e12 / 3.156e7:.1g} years" for latents in (2, 10, 20)))
evidence("S29", "log10 of (denominator : numerator) in multiplications, 20 latents", 20 * torch.tensor(float(size)).log10(), expect=(28, 36))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 1: grid_posterior
#
# *6 minutes, ★☆☆.* From `log_likelihood` $\log p(x_i \mid z_j)$, $(n, m)$, `log_prior` $\log p(z_j)$, a *density*,
# $(m,)$, and each cell's `area`, $(m,)$, return $\log p(x_i)$, $(n,)$, and the posterior's masses, $(n, m)$. The cells
# are not equally large, and some pictures are very improbable. Stuck? `check.grid_posterior.hint()`, and again for more;
# `check.grid_posterior.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def grid_posterior(log_likelihood, log_prior, area):
    raise NotImplementedError


check.grid_posterior(grid_posterior)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What is not seen drops out
#
# A covered pixel may be ink or paper. Sum over both: given $z$ the pixels are independent, and each covered one brings a
# factor of one.
#
# $$p(s, z) = \sum_{x_d \,\text{covered}} p(z) \prod_d p(x_d \mid z)
# = p(z) \prod_{d \in s} p(x_d \mid z) \prod_{d \notin s} \underbrace{\sum_{x_d = 0, 1} p(x_d \mid z)}_{1}.$$
#
# *A common slip*: to take a covered pixel for paper. Below, three pixels of the left stroke are covered, at the digit's
# most probable cause. The first line of the table adds up all eight pictures that they may hide.

# %% slideshow={"slide_type": "fragment"}
covered, cause = torch.tensor([399, 400, 401]), z[masses.argmax()][None]
eight = digit.repeat(8, 1)
eight[:, covered] = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
seen = torch.ones(784, dtype=torch.bool).index_fill(0, covered, False)
pixels = torch.distributions.Bernoulli(logits=model.decode(cause)[0]).log_prob(digit)
as_paper = torch.distributions.Bernoulli(logits=model.decode(cause)[0]).log_prob(digit * seen)
print(f"the slip, covered = paper, gives {model.log_prior(cause)[0] + as_paper.sum():.4f}")
derivation(
    Line(r"\log \sum_{x_d} p(x, z)", "all eight pictures", model.log_joint(eight, cause).logsumexp(0)),
    Line(r"\log p(z) + \sum_{d \in s} \log p(x_d \mid z)", "covered pixels sum to one", model.log_prior(cause)[0] + pixels[seen].sum()),
)

# %% slideshow={"slide_type": "subslide"}
wide = experiments.tabulate(model.float(), size=141)  # whole digits have narrow posteriors: a finer grid
by_rows = experiments.entropy_by_rows(wide, x_new[:100])  # (29, 100)
row, which = divmod(int(by_rows.diff(dim=0).argmax()), 100)  # the row that raises the entropy most, and in which picture
slow = torch.arange(28 * (row - 1), 28 * (row + 2))  # these three rows pixel by pixel
per_pixel = x_new[which, slow].float()[:, None] * wide.logits[:, slow].mT + wide.log_paper[:, slow].mT
before = experiments.log_joint(wide, x_new[[which]], experiments.rows(row - 1))
one_by_one = experiments.entropy(wide, torch.cat([before, before + per_pixel.cumsum(0)]))
del wide, per_pixel
mean_entropy = by_rows.mean(-1)
plots.show(pictures.entropy_curves(by_rows, one_by_one, first=28 * (row - 1)),
           alt=f"Entropy against rows seen: on average it falls from {mean_entropy[0]:.2f} nats to {mean_entropy[28]:.2f}; single pictures go up at times, "
               f"one by {by_rows.diff(dim=0).max():.2f} in one row. Right: that picture pixel by pixel; one pixel raises it by {one_by_one.diff().max():.2f} nats.")
up = (by_rows.diff(dim=0) > 0.01).double().mean(0)
print(f"rows that raise the entropy of their picture: {up.mean():.1%}; pictures with at least one such row: {(up > 0).double().mean():.0%}")
print(f"after 28 rows: {metrics.estimate(by_rows[28])} nats, an area of {mean_entropy[28].exp():.3f}; the prior: {mean_entropy[0].exp():.1f}")
evidence("S29", "entropy that a whole digit takes away, mean of 100 digits", mean_entropy[0] - mean_entropy[28], expect=(6, 7.5), unit="nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# How it is measured: a grid of 141 × 141 cells of area $h^2$, with masses $w_j$ and so densities $w_j / h^2$:
#
# $$H = -\sum_j w_j \log \frac{w_j}{h^2} = \log h^2 - \sum_j w_j \log w_j,$$
#
# negative once less than one square unit is left.
#
# ### Explorer: cover a digit
#
# 1. *another 0*, from the top: compare nine, ten and eleven rows. What does the tenth do?
# 2. Find a setting where × lies where no draw lies. What is its picture? What is the mean of all pictures?
# 3. Four rows from the bottom: which digit has the lowest entropy? Is it the digit that the draws show?
# 4. Digit 4, eight to ten rows from the bottom: which two digits are left?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. It raises the entropy: it brings a second region back, and the eleventh row takes one away again.
# 2. *another 0* with ten rows: × draws a kind of 5, the mean of pictures is a 0 with a 3 in it. Neither is likely.
# 3. The 9, since its tail hangs so low. But most draws show a 7: to be sure is not to be right.
# 4. A 9 and a 4, in two regions. They share the stem; only the rows above can tell.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.cover_a_digit()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask for the picture of × before you show it. Then: would you send this picture to a customer as "our
# best reconstruction"? Three answers (mode, mean of pictures, a draw) answer three different questions.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Two causes, nothing between
#
# Among 400 held-out digits with ten rows seen, search for posteriors with two separate regions of at least 35 % each
# (a region: neighbouring cells above 5 % of the highest), and take the one whose *mean* is least probable.

# %% slideshow={"slide_type": "fragment"}
ten_rows = experiments.rows(10)
chosen, candidates = experiments.widest_gap(plane, x_new[:400], ten_rows)
x_two = x_new[[chosen]].float()
joint = experiments.log_joint(plane, x_two, ten_rows)  # (1, 10201)
q = joint[0].softmax(0)
places = [plane.points[(q * region).argmax()] for region in experiments.regions(q, plane.size)[:2]]
places = torch.stack([*places, q @ plane.points])  # mode A, mode B, mean
with torch.no_grad():
    implied = [*model.float().decode(places).sigmoid(), q @ plane.logits.sigmoid()]
heavy = experiments.region_masses(plane, x_two[0], ten_rows)
drop = experiments.log_ratio_at_mean(plane, q)
plots.show(pictures.two_causes(plane, x_two[0], ten_rows, q, places, implied),
           alt=f"Held-out digit {chosen}, a {y_new[chosen]}, ten rows seen: two regions of mass {heavy[0]:.2f} and {heavy[1]:.2f}, and their pictures; "
               f"the mean lies between them, where the posterior is {-drop:.0f} nats lower than at its highest point.")
print(f"{candidates} of 400 digits qualify; log p(mean | s) - log p(mode | s) = {drop:.0f} nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The mean of the posterior need not be a likely cause**: here it draws a digit that neither mode draws. **The mode is
# not the posterior**: whoever reports A alone keeps silent about B. **The mean of the pictures need not be a likely
# picture**: it is the best guess for each pixel alone, not for all of them together.
#
# To measure the last point, make pictures in two ways: draw one cause and toss all covered pixels from its picture, or
# toss every covered pixel from the mean of the pictures. How probable does the model find them?

# %% slideshow={"slide_type": "fragment"}
g = rng.seeded(2)
from_causes = rng.bernoulli(plane.logits[experiments.draws(q, 300, g)].sigmoid(), g)
from_mean = rng.bernoulli(implied[3].expand(300, -1), g)
everything = experiments.rows(28)
for name, made in (("one cause, then pixels", from_causes), ("mean of the pictures, then pixels", from_mean)):
    made[:, ten_rows] = x_two[:, ten_rows]
    log_p_rest = experiments.log_joint(plane, made, everything).logsumexp(-1) - joint.logsumexp(-1)
    print(f"{name}: log p(rest | seen) = {metrics.estimate(log_p_rest)} nats")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: predictive
#
# *10 minutes, ★★☆.* Fill a picture in. `x` $(D,)$ is binary, `seen` $(D,)$ boolean; `points` $(m, d)$ carry prior
# masses `exp(log_weights)`; `decode(points)` gives log-odds $(m, D)$. Return $p(\text{ink})$ of every pixel given the
# seen ones, $(D,)$; a seen pixel is known. (`x` also holds what is covered. Do not peek.)

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def predictive(x, seen, points, log_weights, decode):
    raise NotImplementedError


check.predictive(predictive)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One more pixel
#
# Let $w_j$ be the masses now, and $w_j^v$ those after pixel $d$ turned out to be $v$. How does the entropy change **on
# average** over what the pixel may be, $p(v) = \sum_j w_j \, p(x_d = v \mid z_j)$?
#
# $$\begin{aligned}
# H(z) - \sum_v p(v) \, H(z \mid v)
# &= -\sum_j w_j \log w_j + \sum_v p(v) \sum_j w_j^v \log w_j^v && \text{entropies; the area cancels} \\
# &= \sum_v p(v) \sum_j w_j^v \log \frac{w_j^v}{w_j} && w_j = \textstyle\sum_v p(v) \, w_j^v \\
# &= \sum_v p(v) \, \mathrm{KL}(w^v \,\|\, w) \;\ge\; 0 && \text{a KL is never negative}
# \end{aligned}$$
#
# The reason in the second line is Bayes' rule summed over $v$: what we believe now is the average of what we may come
# to believe. The sum is the mutual information of pixel and cause. So on average a pixel cannot harm. But a single
# $v$ can: only the average is known to be positive, not each single $H(z) - H(z \mid v)$.

# %% slideshow={"slide_type": "fragment"}
def H(w):  # up to the area
    return -torch.special.xlogy(w, w).sum(-1)


one = experiments.one_more_pixel(plane, joint)  # the same for every pixel, by three matrix products
change = one.happens(x_two)[0] - one.now[0]
w, d = joint[0].double().softmax(0), int(change.masked_fill(ten_rows, 0.0).argmax())  # the pixel that raises it most
p_ink = plane.logits[:, d].double().sigmoid()
values = torch.stack([1 - p_ink, p_ink])  # (2, m): p(x_d = v | z_j)
p_v = values @ w  # (2,)
w_v = values * w / p_v[:, None]  # (2, m)
print(f"pixel {d}: paper has p = {p_v[0]:.3f} and changes H by {H(w_v[0]) - H(w):+.3f}; ink {p_v[1]:.3f} and {H(w_v[1]) - H(w):+.3f}")
derivation(
    Line(r"H(z) - \sum_v p(v) \, H(z \mid v)", "entropies", H(w) - p_v @ H(w_v)),
    Line(r"\sum_v p(v) \sum_j w_j^v \log (w_j^v / w_j)", "now = mean of later", p_v @ (torch.special.xlogy(w_v, w_v) - torch.special.xlogy(w_v, w)).sum(-1)),
    Line("0", "a KL is never negative", 0.0, ">="),
)

# %% slideshow={"slide_type": "subslide"}
best = int((one.now[:, None] - one.expected)[0].masked_fill(ten_rows, 0.0).argmax())
plots.show(pictures.one_more_pixel(x_two[0], ten_rows, one),
           alt=f"Left, the ten rows that are seen. Middle: every covered pixel would lower the entropy on average, the one in row {best // 28}, column {best % 28} most, "
               f"by {one.now[0] - one.expected[0, best]:.2f} nats. Right, as it happens: from {change[~ten_rows].min():+.2f} to {change[~ten_rows].max():+.2f} nats.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The middle map is a list of good questions: it asks for the pixels in which the two causes differ. Now the bet, over
# 300 digits:

# %% slideshow={"slide_type": "fragment"}
some = x_new[:300].float()
many = experiments.one_more_pixel(plane, experiments.log_joint(plane, some, ten_rows))
happens = (many.happens(some) - many.now[:, None])[:, ~ten_rows]  # (300, 504)
expected = (many.expected - many.now[:, None])[:, ~ten_rows]
matters, rises = happens.abs() > 0.01, happens > 0.01
share = metrics.estimate(rises.sum(-1) / matters.sum(-1).clamp_min(1))
print(f"share of pixels that matter and raise the entropy: {share}; largest rise {happens.max():.2f} nats")
print(f"largest expected change: {expected.max():.1e} nats (single precision)")
print(f"mean change: by the model {metrics.estimate(expected.mean(-1))}, on real digits {metrics.estimate(happens.mean(-1))} nats")
bets.surprise.settle(sum(share.value > limit for limit in (0, 0.1, 0.25)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Read the last line again. The guarantee is about pictures that the **model** draws. Real digits teach less than the
# model promises itself: it is wrong, and does not know.
#
# ## Explaining away
#
# Why do posteriors get so entangled, when priors are so simple? Notebook 05's clinic has the smallest case. Tuberculosis
# and lung cancer are independent: nothing joins them but what they cause. Hide both, and see a positive X-ray:

# %% slideshow={"slide_type": "fragment"}
clinic = models.BayesianNetwork(datasets.bayesian_network("asia"))
with torch.no_grad():
    for seen in ({}, {"xray": "yes"}, {"xray": "yes", "lung": "yes"}):
        print(f"p(tuberculosis | {', '.join(seen) or 'nothing'}) = {clinic.posterior(seen)['tub'][0]:.4f}")
    for seen in ({}, {"xray": 0}):  # 0 is yes
        pair = elimination.eliminate(clinic.factors(), ["tub", "lung"], seen).probabilities
        apart = pair.sum(1)[0] * pair.sum(0)[0]
        print(f"given {'a positive X-ray' if seen else 'nothing'}: p(both) = {pair[0, 0]:.5f}, as if independent {apart:.5f}; "
              f"they share {experiments.mutual_information(pair):.5f} nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The X-ray makes each disease more probable, and one of them, once known, makes the other superfluous: it is explained
# away. So the posterior of two causes is no longer two numbers but a table. In general, twenty causes of
# one effect need a table of $2^{20}$ entries. That is an intractable posterior without any neural network or integral.
# And a decoder's latents are causes of 784 effects at once.
#
# ### Explorer: one effect, many causes
#
# 1. Nothing seen: what do *tuberculosis and lung cancer* share? What do *lung cancer and bronchitis*, and why?
# 2. Positive X-ray: which of the four entries differs from the product (*apart*) by the largest factor?
# 3. X-ray yes, smoker yes, then smoker no. What happens to tuberculosis?
# 4. Only *short of breath* seen: which pair shares most?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Nothing; a little, because smoking causes both: a common *cause* binds too.
# 2. *Both*: about nine times less probable than the product says.
# 3. It more than doubles: a smoker's X-ray is explained by cancer, a non-smoker's leaves room.
# 4. Lung cancer and bronchitis: either would do.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.one_effect_many_causes()

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: explaining_away
#
# *6 minutes, ★☆☆.* Two independent causes with probabilities `p_a` and `p_b`, and `p_effect[a, b]` $= p(e = 1 \mid a,
# b)$, $(2, 2)$. Return $p(a = 1 \mid e = 1)$ and $p(a = 1 \mid e = 1, b = 1)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def explaining_away(p_a, p_b, p_effect):
    raise NotImplementedError


check.explaining_away(explaining_away)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Fisher's identity: learning asks the posterior
#
# So far $\theta$ was fixed. To learn, we climb $\log p_\theta(x)$, the denominator. Write $\partial$ for the derivative
# by any one parameter:
#
# $$\begin{aligned}
# \partial \log p(x) &= \frac{1}{p(x)} \, \partial p(x) && \text{derivative of a log} \\
# &= \frac{1}{p(x)} \sum_j \partial p(x, z_j) && \text{the marginal is a sum} \\
# &= \sum_j \frac{p(x, z_j)}{p(x)} \, \partial \log p(x, z_j) && \partial p = p \, \partial \log p \\
# &= \sum_j p(z_j \mid x) \; \partial \log p(x, z_j) && \text{Bayes' rule}
# \end{aligned}$$
#
# This is **Fisher's identity**. Every cause $z_j$ votes on how to change the parameter: its vote is $\partial \log p(x,
# z_j)$, and it is weighted by how probable the cause is, now that $x$ is seen. One vote alone would not do. Since $\log
# p(x, z) = \log p(x) + \log p(z \mid x)$, the vote of *one* cause differs from what we want by $\partial \log p(z \mid
# x)$: to climb the numerator is not to climb the evidence. Here are the values of the four lines, for one weight of the
# first layer and the ten rows of the digit above, so with $s$ in the place of $x$:

# %% slideshow={"slide_type": "fragment"}
model.double()
z, log_weights = model.points, model.log_weights  # notebook 10's 900 points of equal mass
name, s = "0.weight", x_two.double()[:, ten_rows]
parameters = dict(model.decoder.named_parameters())
direction = torch.zeros_like(parameters[name]).index_put((torch.tensor(7), torch.tensor(1)), torch.tensor(1.0))


def log_terms(weight):  # log of w_j p(s | z_j), (900,)
    logits = torch.func.functional_call(model.decoder, parameters | {name: weight}, (z,))[:, ten_rows]
    return log_weights + torch.distributions.Bernoulli(logits=logits, validate_args=False).log_prob(s).sum(-1)


log_terms_j, votes = torch.func.jvp(log_terms, (parameters[name],), (direction,))  # votes: d log p(s, z_j)
terms, slopes = torch.func.jvp(lambda weight: log_terms(weight).exp(), (parameters[name],), (direction,))  # d p(s, z_j)
log_p_s, step = log_terms_j.logsumexp(0), 1e-5 * direction
derivation(
    Line(r"\partial \log p(s)", "finite differences", (log_terms(parameters[name] + step).logsumexp(0) - log_terms(parameters[name] - step).logsumexp(0)) / 2e-5),
    Line(r"\tfrac{1}{p(s)} \sum_j \partial p(s, z_j)", "the marginal is a sum", slopes.sum() / terms.sum()),
    Line(r"\sum_j \tfrac{p(s, z_j)}{p(s)} \, \partial \log p(s, z_j)", r"∂p = p ∂ log p", (terms / terms.sum()) @ votes),
    Line(r"\sum_j p(z_j \mid s) \, \partial \log p(s, z_j)", "Bayes' rule", (log_terms_j - log_p_s).exp() @ votes),
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now for all weights at once, in two ways: automatic differentiation of $\log p(x)$ through the whole sum, and the
# average of the votes under a posterior that is **held fixed** (`detach`: it is not differentiated).

# %% slideshow={"slide_type": "fragment"}
model.requires_grad_(True)
table = model.log_weights + model.log_likelihood_table(x_new[:20], model.points)  # log p(x, z_j) of 20 digits, (20, 900)
weight_list = list(model.decoder.parameters())
through = torch.autograd.grad(table.logsumexp(-1).mean(), weight_list, retain_graph=True)
posterior = table.detach().softmax(-1)
by_votes = torch.autograd.grad((posterior * table).sum(-1).mean(), weight_list)
flat, flat_votes = (torch.cat([part.flatten() for part in parts]) for parts in (through, by_votes))
error = (flat - flat_votes).norm() / flat.norm()
evidence("S30", f"Fisher's identity, relative error over {len(flat):,} weights", error, expect=(0, 1e-6))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 4: fisher_gradient
#
# *5 minutes, ★☆☆.* From $\log p(x \mid z_j)$ and $\log w_j$ (prior masses), both $(m,)$, and the votes
# $\partial \log p(x, z_j)$ for $P$ parameters, $(m, P)$, compute $\partial \log p(x)$, $(P,)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def fisher_gradient(log_likelihood, log_weights, gradients):
    raise NotImplementedError


check.fisher_gradient(fisher_gradient)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Break it: a wrong posterior teaches something else
#
# Put any $q(z)$ in the posterior's place, and hold it fixed while the decoder makes a step. Then we climb $\sum_j q_j
# \log p(x, z_j)$. Up to the entropy of $q$, a constant, this is notebook 08's bound $F = \log p(x) - \mathrm{KL}(q \,\|\,
# p(z \mid x))$: climbing it pulls $p(x)$ up *and* pulls the posterior towards $q$. The bet names four ways to be wrong.
# After it comes the angle between the gradient that each gives and the true one, over all weights of notebook 10's
# decoder, for six batches of 25 digits. "Covered" pixels are chosen at random here.

# %% slideshow={"slide_type": "fragment"}
bets.teachers()

# %% slideshow={"slide_type": "fragment"}
posteriors = {
    "exact": lambda table: table.softmax(-1),
    "too narrow": lambda table: (4 * table).softmax(-1),
    "one point": learning.one_point,
    "too wide": lambda table: (table / 2).softmax(-1),
    "shifted": lambda table: learning.shifted(table.softmax(-1)),
}
model.float()
g = rng.seeded(3)
for name, hidden in (("all pixels seen", 0.0), ("three quarters covered", 0.75)):
    seen = torch.rand(150, 784, generator=g) >= hidden
    angles = torch.tensor([learning.angles(model, posteriors, x_new[rows].float(), seen[rows]) for rows in torch.arange(150).split(25)])
    print(f"{name}, degrees: " + ", ".join(f"{q} {a.value:.1f} ± {a.error:.1f}" for q, a in zip(posteriors, map(metrics.estimate, angles.mT))))

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: teach with a wrong posterior
#
# Here the gradient can be *seen*: for the last layer's biases it is seen ink minus ink expected under $q$ (notebook 10),
# one number a pixel.
#
# 1. Digit 5, sharpness 2 (a $q$ that is too narrow): is the angle larger with 6 rows seen or with 28?
# 2. 28 rows, sharpness −6: what does the picture of $q$'s gradient show? Which average is being subtracted?
# 3. 28 rows, sharpness 0, shift 0.3: along the diagonal of the 5, on which side is more ink taken away (orange) than
#    under the true posterior?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. With 6 rows: there the posterior is wide, and the narrow $q$ leaves most of it out. With 28 it is nearly a point.
# 2. The digit itself, minus the grey mean of very many digits.
# 3. On the right: there the shifted causes draw ink, and are taught a picture that is not theirs.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.wrong_posterior()

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Learn with it
#
# Real 8 × 8 digits, a small decoder (two layers of 64 units), a grid of 15 × 15 causes. There are two settings: all
# pixels seen, and three quarters of them covered at random. In each, a decoder first learns with the exact posterior.
# Then five copies of it go on learning, one with each posterior above. All ten run side by side. They are judged by
# $\log p(x)$ of *whole* new pictures, on a finer grid.

# %% slideshow={"slide_type": "fragment"}
small, _ = datasets.optical_digits()
small, small_new = datasets.split(datasets.binarise(small).float(), held_out=1000, generator=rng.seeded(12))
g = rng.seeded(0)
seen = torch.stack([(torch.rand(small.shape, generator=g) >= hidden).float() for hidden in (0.0, 0.75)])
both = learning.Decoders(64, g).float().copies([0, 0])
for _ in tqdm(learning.train(both, [posteriors["exact"]] * 2, small, seen, g, steps=1200, lr=6e-3), total=1200):
    pass
print("learnt exactly:", *(f"{metrics.estimate(values)} nats" for values in learning.held_out(both, small_new)))


def points_in_doubt(decoders, seen):  # exp of the entropy: how many of the 225 points share the posterior
    with torch.no_grad():
        table = decoders.table(small[:500], seen[:, :500], oracle.normal_grid(learning.CELLS, 2)[0].float())
    return H(table.softmax(-1)).exp().mean(-1).tolist()


print("points in doubt, all pixels seen and three quarters covered:", *(f"{n:.1f}" for n in points_in_doubt(both, seen)))

# %% slideshow={"slide_type": "fragment"}
setting = [0] * 5 + [1] * 5
ten = both.copies(setting)
steps, scores = [0], [learning.held_out(ten, small_new)]  # (10, 1000) each
process = learning.train(ten, list(posteriors.values()) * 2, small, seen[setting], g, steps=400, lr=3e-3)
for step in tqdm(process, total=400):
    if step % 100 == 0:
        steps.append(step)
        scores.append(learning.held_out(ten, small_new))
final = scores[-1].unflatten(0, (2, 5))
losses = {name: [metrics.estimate(final[k, i] - final[k, 0]) for k in range(2)] for i, name in enumerate(posteriors)}
curves = {name: [score[5 + i].mean().item() for score in scores] for i, name in enumerate(posteriors)}

# %% slideshow={"slide_type": "fragment"}
plots.show(pictures.learnt_with(curves, steps, losses),
           alt="Beside the exact posterior, in nats on new pictures, learnt from three quarters covered: "
               + ", ".join(f"{name} {loss[1].value:+.2f} ± {loss[1].error:.2f}" for name, loss in losses.items() if name != "exact")
               + "; learnt from whole pictures: " + ", ".join(f"{name} {loss[0].value:+.2f} ± {loss[0].error:.2f}" for name, loss in losses.items() if name != "exact") + ".")
evidence("S30", "too narrow, three quarters covered", losses["too narrow"][1].value, expect=(-1.6, -0.5), unit="nats")
evidence("S30", "too wide, three quarters covered", losses["too wide"][1].value, expect=(-5.5, -2.5), unit="nats")
evidence("S30", "shifted by one cell, all pixels seen", losses["shifted"][0].value, expect=(-5.5, -2.5), unit="nats")
evidence("S30", "too narrow, all pixels seen: hardly any loss", losses["too narrow"][0].value, expect=(-0.06, 0.06), unit="nats")
wrong_ones = list(posteriors)[1:]
after = dict(zip(posteriors, points_in_doubt(ten, seen[setting])[5:]))
print("points in doubt at the end, three quarters covered: " + ", ".join(f"{name} {n:.1f}" for name, n in after.items()))
worst = min(range(4), key=lambda i: losses[wrong_ones[i]][1].value)
assert wrong_ones[worst] == "too wide"  # by far, and what follows explains why
bets.teachers.settle(worst)

# %% [markdown] slideshow={"slide_type": "fragment"}
# **So S30 needs a condition.** A wrong posterior costs as much as it changes the average of the votes. Whole pictures
# leave few points in doubt, and these draw nearly the same, so one of them teaches nearly as well as all. Where much is
# hidden, a narrow $q$ costs. A shift costs in both settings: it lets the wrong causes vote. And with three quarters
# covered *too wide* ends worst, although on the large decoder its angle was small. Its error feeds on itself:
# causes that did not make $x$ learn to draw it, so the next posterior is wider still (see the points in doubt). A small
# error at each step, always in the same direction, leads far away. (The error bars count the new pictures only. The
# training was run once, and another start would move the losses too.)

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Compare the table of angles with the final losses before you give the reason. Then ask: which of the
# four faults does MAP have, which a mean-field Gaussian, which a sampler stopped too early? (Notebook 13.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 5: two_modes
#
# *8 minutes, ★★☆, a reverse exercise.* You get a 5, `x` $(784,)$, and `region_masses(seen)`: the masses of the
# posterior's separate regions, heaviest first. Return a boolean mask `seen` $(784,)$ that keeps at least 200 pixels
# visible and leaves two regions, the lighter with more than 0.25.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def two_modes(x, region_masses):
    raise NotImplementedError


check.two_modes(two_modes)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One honest result: exact, and still wrong
#
# Everything here was exact *for the model*. Notebook 10 ended on a warning; ask it once more. Does the exact posterior
# from the upper half help to predict the lower half of real digits? How many nats it gains is
# $\log p(\text{lower} \mid \text{upper}) - \log p(\text{lower})$, which is
# $\log p(x) - \log p(\text{upper}) - \log p(\text{lower})$:

# %% slideshow={"slide_type": "fragment"}
upper = experiments.rows(14)


def gain(x):
    parts = [experiments.log_joint(plane, x.float(), mask).logsumexp(-1) for mask in (everything, upper, ~upper)]
    return metrics.estimate(parts[0] - parts[1] - parts[2])


print(f"real digits: {gain(x_new[:300])} nats; digits drawn by the model: {gain(model.sample(300, rng.seeded(7)))} nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# On pictures that the model drew, conditioning helps: on average it must, this is a mutual information again. On real
# ones it **harms**. Given the cause, the model takes neighbouring pixels for independent witnesses, so half a digit makes
# it far too sure. An exact posterior is exact *given the model*, and no better than the model.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. The numerator looks at one cause, the denominator at all: ratios are cheap, masses are not.
# 2. Covered pixels drop out. On average each pixel seen takes entropy away; a single one may add some.
# 3. A posterior can have two modes. Its mean, its mode and the mean picture answer different questions.
# 4. Independent causes depend on each other once their effect is seen: explaining away.
# 5. $\partial \log p(x)$ is a posterior average. A wrong posterior teaches a worse model, unless little was in doubt.
#
# ## The statements, measured
#
# S29 holds: one numerator is cheap, and the denominator grows exponentially with the latents. S30's identity holds to
# rounding; that learning *requires* the posterior holds where the posterior is wide or the replacement lies elsewhere.

# %% slideshow={"slide_type": "fragment"}
evidence.table("12")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# All of it stood on a grid over two latents. With ten there is no grid, and nobody hands us the cloud. What can be done
# with numerators alone? [Notebook 13](13_approximate_inference.ipynb) tries: modes, bounds, chains.
#
# ## In practice
#
# A posterior on a list of causes is a categorical distribution; PyTorch's knows entropies, draws and divergences. For
# networks of tables there are pgmpy and pyAgrum; ArviZ shows posteriors that others have drawn.

# %% slideshow={"slide_type": "fragment"}
from torch.distributions import Categorical, kl_divergence

posterior, prior_masses = Categorical(logits=joint[0].double()), Categorical(logits=plane.log_prior.double())
ours = experiments.entropy(plane, joint)[0] - torch.tensor(plane.area).log()
print(f"entropy of the masses: {posterior.entropy():.5f} nats, ours {ours:.5f}; "
      f"KL from the prior, all that the ten rows told: {kl_divergence(posterior, prior_masses):.3f} nats")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@fisher1925theory] The identity is traced back to it.
# - [@dempster1977maximum] EM rests on the same average.
# - [@lindley1956measure] What one more pixel tells on average.
# - [@pearl1988probabilistic] Explaining away.
# - [@lauritzen1988local] The clinic.
# - [@cooper1990computational] Exact posteriors in networks are hard in general.
# - [@alpaydin1998cascading] The 8 × 8 digits.
