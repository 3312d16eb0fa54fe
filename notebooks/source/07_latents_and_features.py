# %% [markdown] slideshow={"slide_type": "slide"}
# # 07 · Latents and features
#
# **Question.** What is hidden behind a picture?
#
# **You will be able to**
#
# 1. run a renderer backwards for one cause ([exercise 2](#Exercise-2:-light_of)), and say which causes no one can
#    recover ([exercise 3](#Exercise-3:-same_picture))
# 2. compute a feature from pixels alone ([exercise 1](#Exercise-1:-orientation))
# 3. change all latents of a model without changing its $p(x)$ ([exercise 4](#Exercise-4:-turned))
# 4. measure which causes a code has recovered ([exercise 5](#Exercise-5:-r_squared))
#
# **You need** Bayes' rule, least squares, eigenvectors, and the Gaussian density. Notation: $x$ is a picture of $D$
# pixels, $z$ its latent causes, $M$ their number, $W$ a matrix $(D, M)$, $R$ a rotation; $\log$ is natural, in nats.
# All words and signs: [glossary](glossary.ipynb).
#
# **Time.** 75 minutes to read and explore, 35 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 22 s, 817 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import datasets, metrics, models, plots, rng
from course_lib.classroom import Line, derivation, evidence
from course_lib.inference import oracle
from course_lib.lessons.n07_latents_and_features import bets, check, experiments, explorers, features, galaxies, inverting, pictures, sprites, unseen
from time import perf_counter
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Six numbers, four hundred pixels
#
# Until now every variable was in the data. But what *made* the data is seldom in them: nobody writes the light, the
# distance or the pose onto a photograph. In this notebook, for once, we know. We draw small pictures, **sprites**,
# from six causes, hide the causes, and see who finds them again.

# %% slideshow={"slide_type": "fragment"}
causes, x = experiments.pictures_of(4000, seed=1)  # causes: shape (4000,), numbers (4000, 5); x (4000, 400)
new, x_new = experiments.pictures_of(1000, seed=2)  # to judge on
plots.show(pictures.gallery(x[:24]), alt=f"{24} noisy pictures of {sprites.WIDTH} × {sprites.WIDTH} pixels: discs, ellipses, triangles "
           f"and squares of many sizes, angles, places and lights.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Bet before you read on.** A principal component is a fixed pattern of pixels; a picture is the mean plus a weighted
# sum of patterns. The best patterns are the eigenvectors of the covariance. Take the pictures without their noise:

# %% slideshow={"slide_type": "fragment"}
bets.axes()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Cover the code. Ask: how many numbers would you send over a telephone so that somebody else could
# draw this picture? Somebody says six; ask how they would *get* the six from the pixels.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The model: causes, then a picture
#
# **The story.** Nature draws six causes $z$, each on its own and evenly over its range: one of four shapes, size, angle,
# two coordinates of the place, light. A **renderer** turns them into a clean picture. A camera adds Gaussian noise.
#
# $$p(x, z) = \underbrace{p(\text{shape}) \, p(\text{size}) \cdots p(\text{light})}_{\text{prior } p(z)} \;
# \underbrace{\mathcal{N}\big(x; \mathrm{render}(z), \sigma^2 I\big)}_{\text{likelihood } p(x \mid z)}$$
#
# The model card below lists what the model can be asked, and the price of each answer: drawing is cheap; all
# else needs a sum over every possible cause.

# %% slideshow={"slide_type": "fragment"}
figure, ax = plots.figure(height=2.3, width=7.5)
names = ("shape", "size", "angle", "right", "down", "light")
nodes = {name: (1.1 * place, 1.3) for place, name in enumerate(names)} | {"$x$": (2.75, 0)}
plots.graph(ax, nodes, [(name, "$x$") for name in names], observed=["$x$"], plate=(-0.6, -0.5, 6.7, 2.4), repeats="$n$")
plots.show(figure, alt=f"Graphical model: arrows from {len(names)} latent causes, {', '.join(names)}, to the observed picture x.")
sprites.CARD

# %% [markdown] slideshow={"slide_type": "subslide"}
# **The renderer in the open**, for a disc. First version: a pixel is lit if its distance from the outline is negative.
# That is jagged, and useless for a gradient: a small move changes nothing, then a whole pixel. Second version: the edge
# fades over a third of a pixel. The library's renderer knows the outlines of the three other shapes too.

# %% slideshow={"slide_type": "fragment"}
def disc(size, right, down, light):
    axis = torch.arange(20) - 9.5
    distance = ((axis - right) ** 2 + (axis[:, None] - down) ** 2).sqrt() - size  # (20, 20), negative inside
    jagged = light * (distance < 0)
    return jagged, light * (-distance / sprites.BLUR).sigmoid()


theirs = sprites.render(torch.tensor([0]), torch.tensor([[3.0, 0.0, 1.2, -0.7, 0.8]]))[0].reshape(20, 20)
torch.testing.assert_close(disc(3.0, 1.2, -0.7, 0.8)[1], theirs, atol=1e-6, rtol=0)
moved = [(a - b).abs().sum() for a, b in zip(disc(3.0, 1.2, -0.7, 0.8), disc(3.0, 1.21, -0.7, 0.8))]
print(f"move it by 0.01 pixel: the jagged picture changes by {moved[0]:.3f}, the soft one by {moved[1]:.3f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: the renderer
#
# Left the picture; right nine features, numbers measured in it (the next section says how).
#
# 1. Set the noise to 0. Which causes can you move without moving the ink?
# 2. Which two causes can you trade for each other so that the ink stays? Which feature betrays the trade?
# 3. Turn a triangle once round. Does any feature tell its angle? And for an ellipse?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Shape, angle and place: the ink is (nearly) area times light.
# 2. Size against light; area and peak betray it.
# 3. None, beyond the pixels' own unevenness. An ellipse's angle drives both leans, twice round.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.the_renderer()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Features: computed from x
#
# A feature is a *function of the picture*: ink (the sum of all pixels), area, brightest pixels, edges (squared
# differences of neighbours), and moments. For these take the pixels for masses: their centre, and around it
# $\mu_{xx}$, $\mu_{yy}$, $\mu_{xy}$, the mean of (distance right)², (distance down)² and their product. No model stands
# behind them, and nothing is uncertain about them: same picture, same features.
#
# Where does a thin stick at angle $\alpha$ lean? Its points lie at $t \, (\cos\alpha, \sin\alpha)$, with mean of
# $t$ zero and mean of $t^2$ equal to $s^2$. So $\mu_{xx} = s^2 \cos^2\alpha$, $\mu_{yy} = s^2 \sin^2\alpha$, $\mu_{xy}
# = s^2 \sin\alpha \cos\alpha$, and by the formulas for the double angle
#
# $$\mu_{xx} - \mu_{yy} = s^2 \cos 2\alpha, \qquad 2 \mu_{xy} = s^2 \sin 2\alpha.$$
#
# The double angle is no accident: half a turn gives the same stick. Divided by the *spread* $\mu_{xx} + \mu_{yy}$, these
# two are the features *lean 0°* and *lean 45°*.
#
# ### Exercise 1: orientation
#
# *10 minutes, ★★☆.* From clean pictures `x` (no pixel below 0) of shape $(n, H, W)$ return the angle of the long axis, $(n,)$, in radians between
# $-\pi/2$ and $\pi/2$, from the right and clockwise (rows count downwards). Stuck? Run `check.orientation.hint()`, and
# again for more; `check.orientation.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def orientation(x):
    raise NotImplementedError


check.orientation(orientation)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Latents: what made x
#
# A latent needs a *model*, and its value is **inferred**, not computed: Bayes' rule reasons back from $x$. The simplest
# case has everything known but the light $a$. If $m$ is the sprite at full light, $\mathrm{render}(z) = a \, m$, and
# $\log p(x \mid a) = -\tfrac{1}{2 \sigma^2} \sum_d (x_d - a \, m_d)^2 + \text{const}$.
#
# ### Exercise 2: light_of
#
# *6 minutes, ★☆☆.* Return the light that makes each picture most likely, $(n,)$, from `x` and `mask`, both $(n, D)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def light_of(x, mask):
    raise NotImplementedError


check.light_of(light_of)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The evidence, by brute force
#
# Usually *nothing* is known. Then the probability of a picture adds up over all causes that could have made it: the
# **marginal likelihood**, or **evidence**. (The function `evidence`, which records a measurement, is another thing.) Cut
# each range into equal pieces. That makes $N$ cells; the prior gives each
# the same mass, so the integral becomes an average of $N$ likelihoods. Bayes' rule says the same in another way:
#
# $$p(x) = \sum_{\text{shape}} \int p(x, z) \, dz \;\approx\; \frac{1}{N} \sum_{j=1}^{N} p(x \mid z_j), \qquad
# p(x) = \frac{p(x, z)}{p(z \mid x)} \text{ for any } z.$$
#
# Take one small, dim triangle. To keep the sum affordable, we give away where it lies, and sum over the other four
# causes.

# %% slideshow={"slide_type": "fragment"}
truth = torch.tensor([2.6, 0.5, 0.7, -0.4, 0.45])  # size, angle, right, down, light
picture = sprites.sample(sprites.Causes(torch.tensor([2]), truth[None]), rng.seeded(2))[0]
points = {"size": 40, "angle": 180, "light": 40}
fine = inverting.brute_force(picture, truth, (0, 1, 2, 3), points)
half = inverting.brute_force(picture, truth, (0, 1, 2, 3), {name: size // 2 for name, size in points.items()})
evidence("S22", "log p(x) of a sprite on a grid, minus the same with half the points", fine.log_evidence - half.log_evidence, expect=(-0.2, 0.2), unit="nats")
print("p(shape | x):", ", ".join(f"{name} {p:.2g}" for name, p in zip(sprites.SHAPES, fine.masses.sum((1, 2, 3, 4, 5)))))

# %% [markdown] slideshow={"slide_type": "subslide"}
# Every line with its value; the last takes one single $z$, the most probable cell, and divides by its posterior.
# (Its posterior is normalised by the same sum, so the line tests how cells become densities, not how fine the grid is:
# that was the number above.)

# %% slideshow={"slide_type": "fragment"}
best = fine.masses.flatten().argmax()
shape, i, j, _, _, k = torch.unravel_index(best, fine.masses.shape)
ranges = (sprites.UPPER - sprites.LOWER)[[0, 1, 4]]
z = truth.clone()
z[[0, 1, 4]] = sprites.LOWER[[0, 1, 4]] + ranges * (torch.stack([i, j, k]) + 0.5) / torch.tensor([40, 180, 40])
log_prior = -torch.tensor(4.0).log() - ranges.log().sum()  # a density in size, angle and light
log_joint = log_prior + sprites.log_likelihood(picture, sprites.render(shape[None], z[None]))[0]
log_cell = (ranges / torch.tensor([40, 180, 40])).log().sum()
log_posterior = fine.masses.flatten()[best].log() - log_cell  # a density too
derivation(
    Line(r"\log \tfrac{1}{N} \sum_j p(x \mid z_j)", "every cell has the same prior mass", fine.log_evidence),
    Line(r"\log p(x, z) - \log p(z \mid x)", "Bayes' rule, at one z", log_joint - log_posterior),
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# What does not knowing cost? Two prices. In nats: each unknown cause spreads the bet over pictures that did not come. In
# seconds: **each cause multiplies the number of pictures to draw** (the light does not: one picture, scaled, serves for
# all).

# %% slideshow={"slide_type": "fragment"}
known = sprites.log_likelihood(picture, sprites.render(torch.tensor([2]), truth[None]))[0]
print(f"all known: log p(x | z) = {known:.1f} nats, one picture")
for names, shapes in ((["angle"], (2,)), (["angle", "size"], (2,)), (["angle", "size", "light"], (2,)), (list(points), (0, 1, 2, 3))):
    begin = perf_counter()
    found = inverting.brute_force(picture, truth, shapes, {name: points[name] for name in names})
    seconds = perf_counter() - begin
    unknown = names + ["shape"] * (len(shapes) > 1)
    print(f"unknown: {', '.join(unknown):26s} {found.log_evidence:.1f} nats, {found.rendered:6,d} pictures, {seconds:.2f} s")
hours = seconds * 60 * 60 / 3600
print(f"with the place unknown too, 60 points each way: {found.rendered * 3600:,} pictures, about {hours:.1f} hours for one x")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Which causes can be known at all?
#
# Now only the angle is hidden, in four bright sprites. The posterior $p(\text{angle} \mid x)$ has as many humps as the shape
# has **symmetries**: no data, no model and no computer can tell an angle that leaves no trace.

# %% slideshow={"slide_type": "fragment"}
same = sprites.Causes(torch.arange(4), torch.tensor([3.5, 0.9, 0.7, -0.4, 0.8]).repeat(4, 1))
four = sprites.sample(same, rng.seeded(2))
angle, masses = inverting.angle_posterior(four, same)
humps = inverting.count_peaks(masses)
plots.show(pictures.angles(four, angle, masses, truth=experiments.degrees(same.numbers[0, 1])),
           alt="Humps of the posterior of the angle: " + ", ".join(f"{name} {n}" for name, n in zip(sprites.SHAPES, humps.tolist()))
           + ". The disc's is level. The dotted line is the true angle.")
evidence("S20", "humps of the posterior of a triangle's angle", humps[2], expect=(3, 3))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: same_picture
#
# *5 minutes, ★☆☆, a reverse exercise.* From `shape` $(n,)$, 0 to 3 for disc, ellipse, triangle, square, and `numbers`
# $(n, 5)$, with the angle in column 1, return numbers with *another* angle (by 0.2 or more) that render exactly the same
# pictures.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def same_picture(shape, numbers):
    raise NotImplementedError


check.same_picture(same_picture)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: which causes could have made it?
#
# The posterior over shape and angle, all else known.
#
# 1. A triangle: raise the noise until another shape gets a tenth. Is that the same noise for the square?
# 2. Instead lower the light. Is it noise or light that counts, or their ratio?
# 3. Find a setting where the most probable shape is wrong. Is the model broken?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. No: at the size and angle it starts with, the square gives way at half that noise; its corners are blunter.
# 2. The ratio, light over noise.
# 3. Easy where the light is low. It is not broken: it says itself how unsure it is.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.which_causes()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask for the number of humps before showing the figure; the disc splits the room ("one", "none",
# "infinitely many"). Then: is the triangle's angle "uncertain"? It is known to a degree, up to a symmetry.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## When nobody gives you the renderer
#
# Then it must be learnt, and the simplest is a straight line: **probabilistic PCA**, PPCA. $M$ standard normal latents,
# a matrix, noise:
#
# $$x = \mu + W z + \sigma \epsilon, \qquad z \sim \mathcal{N}(0, I_M), \quad \epsilon \sim \mathcal{N}(0, I_D).$$
#
# $x$ is a linear map of Gaussians, so it is Gaussian. Its mean is $\mu$; its covariance, since $z$ and $\epsilon$ are
# independent with covariance $I$ each,
#
# $$\mathbb{E}\big[(W z + \sigma \epsilon)(W z + \sigma \epsilon)^\top\big] = W \, \mathbb{E}[z z^\top] \, W^\top + \sigma^2 \,
# \mathbb{E}[\epsilon \epsilon^\top] = W W^\top + \sigma^2 I.$$
#
# The evidence has a closed form! Maximum likelihood has one too: the columns of $W$ are the $M$ eigenvectors of the
# data's covariance with the largest eigenvalues, each times $\sqrt{\text{eigenvalue} - \sigma^2}$, and $\sigma^2$ is the
# mean of the eigenvalues that are left (notebook 09 derives it).

# %% slideshow={"slide_type": "fragment"}
values, vectors = torch.linalg.eigh(torch.cov(x.mT, correction=0))  # rising
variance = values[:-9].mean()
weight = vectors[:, -9:].flip(1) * (values[-9:].flip(0) - variance).sqrt()  # (400, 9)
nine, fifty = experiments.ppca(x, 9), experiments.ppca(x, 50)
torch.testing.assert_close(weight @ weight.mT, nine.weight @ nine.weight.mT)
torch.testing.assert_close(variance.sqrt(), nine.log_scale.exp())
print(f"noise: true {sprites.NOISE}, PPCA with 9 latents {nine.log_scale.exp():.3f}, with 50 {fifty.log_scale.exp():.3f}")
models.ProbabilisticPCA.card

# %% slideshow={"slide_type": "subslide"}
share = experiments.share_of_axes(sprites.render(*causes))  # of the pictures without noise
needed = int((share < 0.95).sum()) + 1
plots.show(pictures.axes_needed(share), alt=f"Six principal components hold {share[5]:.0%} of the variance; 95 % takes {needed}.")
bets.axes.settle(sum(needed > limit for limit in (6, 15, 40)))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Turn the latents: nothing happens
#
# (The assert above compared $W W^\top$, not $W$. Here is why.) Let $R$ be a rotation, $R^\top R = I$. For *any*
# **decoder** $f$, a function that makes a picture out of a standard normal $z$, put $z = R^\top z'$:
#
# $$\begin{aligned}
# p(x) &= \int \mathcal{N}(z; 0, I) \; p\big(x \mid f(z)\big) \, dz && \text{evidence} \\
# &= \int \mathcal{N}(R^\top z'; 0, I) \; p\big(x \mid f(R^\top z')\big) \, |\det R| \, dz' && \text{substitute} \\
# &= \int \mathcal{N}(z'; 0, I) \; p\big(x \mid f(R^\top z')\big) \, dz' && |\det R| = 1, \; \|R^\top z'\| = \|z'\|
# \end{aligned}$$
#
# So the decoder $f(R^\top z)$ has other latents and the same $p(x)$. For PPCA it is the matrix $W R^\top$; for a network,
# its first layer takes the $R^\top$. In numbers, for one new picture and two latents:

# %% slideshow={"slide_type": "fragment"}
two = experiments.ppca(x, 2)
R = experiments.rotation(2, rng.seeded(4))
turned_two = models.ProbabilisticPCA(400, 2)
turned_two.requires_grad_(False).load_state_dict(two.state_dict() | {"weight": two.weight @ R.mT})
one, cells = x_new[:1], oracle.grid(-6, 6, 300, dimensions=2)
covariance = two.weight @ two.weight.mT + two.log_scale.exp() ** 2 * torch.eye(400)
by_sum = oracle.quadrature(lambda z: turned_two.log_joint(one, z), *cells, at_once=2000)
derivation(
    Line(r"\log p_W(x)", "the library's closed form", two.log_prob(one)[0]),
    Line(r"\log \mathcal{N}(x; \mu, W W^\top + \sigma^2 I)", "the covariance above", torch.distributions.MultivariateNormal(two.loc, covariance).log_prob(one)[0]),
    Line(r"\log p_{W R^\top}(x)", "turned latents", turned_two.log_prob(one)[0]),
    Line(r"\log \int p_{W R^\top}(x, z) \, dz", "sum over 90,000 cells of the plane", by_sum.log_evidence[0]),
)

# %% slideshow={"slide_type": "subslide"}
evidence("S22", "closed form of log p(x) minus the integral by brute force", two.log_prob(one)[0] - by_sum.log_evidence[0], expect=(-1e-6, 1e-6), unit="nats")
shift = (two.posterior(x_new).loc - turned_two.posterior(x_new).loc).norm(dim=-1).mean()
evidence("S21", "how far the latents move when they are turned", shift, expect=(0.9, 1.5), unit="standard deviations of the prior")
gap = (two.log_prob(x_new) - turned_two.log_prob(x_new)).abs().max()
evidence("S21", "largest change of log p(x) over 1,000 new pictures", gap, expect=(0, 1e-6), unit="nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# A *feature* cannot be turned: it is tied to the pixels. A learnt latent is tied to nothing outside its model. *A common
# slip*: "latent 3 is the light". If it is, then by luck, or because somebody put more into the model than data.
#
# ### Exercise 4: turned
#
# *5 minutes, ★★☆.* From `weight` $(D, M)$, latents `z` $(n, M)$ and a `rotation` $R$, $(M, M)$, return the pair
# `(weight, z)` in which every row has become $R z_i$ and every picture $W z_i$ is what it was.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def turned(weight, z, rotation):
    raise NotImplementedError


check.turned(turned)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Has a code recovered the causes?
#
# Comparing latent 1 with the light is now pointless. Ask instead whether *some linear map* of the whole code gives the
# cause: that does not change when the latents turn. Score it on new pictures,
#
# $$R^2 = 1 - \frac{\sum_i (y_i - \hat y_i)^2}{\sum_i (y_i - \bar y)^2} \qquad \text{(1: told exactly; 0: as good as the mean).}$$
#
# For the angle $\alpha$ of a shape that looks the same $k$ times in a turn, $y$ is the point $(\cos k\alpha, \sin
# k\alpha)$: equal pictures, equal points.
#
# ### Exercise 5: r_squared
#
# *8 minutes, ★★☆.* Fit a linear map with intercept from `z` $(n, k)$ to `y` $(n,)$; return its $R^2$ on `z_new`, `y_new`.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def r_squared(z, y, z_new, y_new):
    raise NotImplementedError


check.r_squared(r_squared)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A sentence, tested
#
# "Features help us see, while latents help the model understand." Let us not repeat it but test it. **Seeing**: which code
# tells the causes? **Understanding**: which can make a picture again, and imagine one that never was? Four codes: nine
# features; nine and fifty latents that PPCA has learnt; and the latents of the true model, inferred by running the
# renderer backwards: guess 4,000 times, take the best of each shape, and improve it by least squares on the picture's
# straight-line approximation. No labels are used. (Least squares, because the noise is Gaussian and the prior is the
# same everywhere.)

# %% slideshow={"slide_type": "fragment"}
bets.seeing()

# %% slideshow={"slide_type": "fragment"}
codes = {"9 features": (features.measure(x), features.measure(x_new))}  # each (train, new)
for name, model in (("9 latents, PPCA", nine), ("50 latents, PPCA", fifty)):
    codes[name] = model.posterior(x).loc, model.posterior(x_new).loc
table = {name: experiments.seen_by(code, (causes, new)) for name, code in codes.items()}
few = sprites.Causes(new.shape[:300], new.numbers[:300])
inverted = inverting.invert(x_new[:300], rng.seeded(3))
table["renderer, inverted"] = experiments.seen_by_inverting(inverted, few)
print(f"shapes named rightly by inverting: {experiments.right_shapes(inverted, few)}")
bare = experiments.r_squared(*(experiments.on_circle(part.numbers[:, 1], 1) for part in (inverted, few)))
print(f"R² of the angle itself, symmetries ignored: {bare}")

# %% slideshow={"slide_type": "subslide"}
def value(name, cause):
    return table[name][cause].value


plots.show(pictures.seen(table), alt="R squared on new pictures. " + "; ".join(f"{name}: " + ", ".join(f"{cause} {score.value:.2f}" for cause, score in row.items()) for name, row in table.items()))
light, triangle = (value("9 features", cause) > value("50 latents, PPCA", cause) for cause in ("light", "angle: triangle"))
bets.seeing.settle({(True, True): 0, (True, False): 1, (False, True): 2, (False, False): 3}[light, triangle])
evidence("S20", "lowest R² of a cause when the true model is inverted", min(one.value for one in table["renderer, inverted"].values()), expect=(0.7, 1))
evidence("S21", "R² of the light: nine features minus fifty latents", value("9 features", "light") - value("50 latents, PPCA", "light"), expect=(0.3, 0.6))

# %% [markdown] slideshow={"slide_type": "fragment"}
# (The angle itself has a negative $R^2$, printed above: inverting finds *one* of the equal angles, by chance. Only the point on
# the circle can be known.)
#
# Now make pictures. *Again*: the share of the clean pictures' variance that a linear map from the code to the pixels keeps
# (for the inverted renderer we render instead). *New*: draw a code, make its picture with its noise, and let the renderer
# judge it by its **misfit**, the mean squared difference a pixel from the nearest sprite, divided by $\sigma^2$; a real
# picture has about 1. (Features have no $p$ to draw from, so we lend them a Gaussian.)

# %% slideshow={"slide_type": "fragment"}
clean, g = sprites.render(*new), rng.seeded(4)
to_pixels = experiments.linear_map(codes["9 features"][0], x)
again = {"9 features": experiments.remade(experiments.predict(to_pixels, codes["9 features"][1]), clean)}
imagined = {"9 features": experiments.imagined_from_features(x, 150, g)}
for name, model in (("9 latents, PPCA", nine), ("50 latents, PPCA", fifty)):
    again[name] = experiments.remade(codes[name][1] @ model.weight.mT + model.loc, clean)
    imagined[name] = model.sample(150, g)
again["renderer, inverted"] = experiments.remade(sprites.render(*inverted), clean[:300])
imagined["the renderer"] = sprites.sample(sprites.sample_causes(150, g), g)
misfits = {name: experiments.misfit(made, rng.seeded(5)) for name, made in imagined.items()}
for name, one in zip(misfits, again.values()):
    print(f"{name:18s} made again {one}   misfit of new ones {misfits[name]}")

# %% slideshow={"slide_type": "subslide"}
plots.show(pictures.rows_of({name: made[:10] for name, made in imagined.items()}),
           alt="Ten imagined pictures a row. Only the renderer's are sprites; the others are clouds. Misfits: "
           + ", ".join(f"{name} {one.value:.2f}" for name, one in misfits.items()))

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The verdict.** Features do help *us* see: the nine tell size, light and place better than fifty learnt latents. But only
# what somebody thought of: the angle of a triangle is in none of them, and PPCA has caught a good part of it. Latents do help to
# make pictures again. "Understand", though, must be earned: PPCA's latents are neither the causes, nor do they imagine
# sprites. The latents of the *true* model win every column. **What helps is not being latent, but being the latents of
# a good model.** (And all this is for linear maps; a network could read more from any code.)

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Let the room defend the sentence first. Then ask who paid: the inverted renderer used no labels, but
# somebody wrote the renderer. That is prior knowledge (notebook 03's ladder again).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Break it: combinations never seen
#
# "To truly generalise, the model needs patterns that go beyond what it has seen." A small world: squares with two free causes,
# size and place. One corner, *large and far right*, is held out: the models see large squares, and squares far right, never
# both. One model is a **network** with two latents, learnt as in notebook 10: the integral over $z$ is a sum over a grid.

# %% slideshow={"slide_type": "fragment"}
bets.unseen()

# %% slideshow={"slide_type": "fragment"}
world = unseen.world(("size", "right"), seed=3)
network = unseen.learn_to_decode(world.x, seed=0)  # 400 steps
rule = oracle.normal_grid(60, 2)
code, code_seen = (network.evidence(part, rule).log_posterior.exp() @ rule[0] for part in (world.x, world.x_seen))
straight = experiments.ppca(world.x, 2)
codes_2 = {"network": (code, code_seen), "PPCA": (straight.posterior(world.x).loc, straight.posterior(world.x_seen).loc)}
for name, (z, z_seen) in codes_2.items():
    told = [experiments.r_squared(experiments.predict(experiments.linear_map(z, world.y[:, [k]]), z_seen), world.y_seen[:, [k]]) for k in (0, 1)]
    print(f"{name}, 2 latents: R² of size {told[0]}, of place {told[1]}")
before = network.evidence(world.x_seen, rule).log_evidence
network.network[0].weight.copy_(network.network[0].weight @ R.mT)  # the turn, in the first layer
after = network.evidence(world.x_seen, (rule[0] @ R.mT, rule[1])).log_evidence  # the rule turns along
network.network[0].weight.copy_(network.network[0].weight @ R)  # and back
torch.testing.assert_close(after, before, atol=1e-6, rtol=0)
print(f"the network's latents turned: log p(x) changes by {(after - before).abs().max():.1e} nats at most")

# %% [markdown] slideshow={"slide_type": "subslide"}
# In a world with just two causes, latents *can* find them. Now the corner. The rivals: a **memory**, which holds every
# training picture, blurred (nearest neighbours with a density); PPCA; the network; and the renderer. All have a $p(x)$, so
# all are judged in the same nats. Beside it a second world, with *light* in place of size.

# %% slideshow={"slide_type": "fragment"}
def judged(world, network):
    logs = unseen.judged(world, network)
    return {name: tuple(metrics.estimate(part) for part in parts) for name, parts in logs.items()}


other = unseen.world(("light", "right"), seed=3)
worlds = {"size and place": judged(world, network),
          "light and place": judged(other, unseen.learn_to_decode(other.x, seed=0))}
for title, rows in worlds.items():
    for name, (seen, new_ones) in rows.items():
        print(f"{title}: {name:18s} seen {seen}   unseen {new_ones}   lost {seen.value - new_ones.value:6.1f}")
likeliest = [(found.log_evidence + (found.log_posterior - rule[1]).amax(-1)).mean()  # log p(x | z) at the best z
             for found in (network.evidence(part, rule) for part in (world.x_seen, world.x_unseen))]
print(f"size and place: the network, with the best z for each picture, loses {likeliest[0] - likeliest[1]:.1f}")

# %% slideshow={"slide_type": "subslide"}
lost = {title: {name: a.value - b.value for name, (a, b) in rows.items()} for title, rows in worlds.items()}
plots.show(pictures.kept_and_lost(worlds), alt="Nats a picture lost on unseen combinations. " + "; ".join(
    f"{title}: " + ", ".join(f"{name} {nats:.0f}" for name, nats in row.items()) for title, row in lost.items()))
bets.unseen.settle(sum(lost["size and place"]["network, 2 latents"] > limit for limit in (5, 20, 50)))
evidence("S20", "nats lost on unseen combinations by the renderer", lost["size and place"]["the renderer"], expect=(-3, 3), unit="nats a picture")
evidence("S20", "the same by a network that has learnt its two latents", lost["size and place"]["network, 2 latents"], expect=(65, 110), unit="nats a picture")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** On what it has seen the network comes near the renderer. On the corner it loses as much as the
# memory does: two latents that tell size and place almost perfectly are *not* two latents that combine. It is not
# that its prior ruled the corner out: even with the best $z$ for each picture it loses about as much, as it cannot *draw*
# such a square. (Each network was trained once.) Only the renderer loses nothing: it holds the causes apart by construction. Light is easier, and for PPCA easiest: light *multiplies* a
# picture, which a linear model happens to know. So the promise to "generate what it hasn't explicitly
# seen" holds where the model's structure is that of the world. Having latents is not enough.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Real data: 457 galaxies
#
# Cut from a Hubble deep field, with a catalogue: area, flux, ellipticity, orientation, the ratio of red to blue, and the
# place on the sky. First, measure the features again from the pixels, to see that they *are* functions of $x$. Then PPCA on
# the pictures, halved to 14 × 14 × 3 numbers.

# %% slideshow={"slide_type": "fragment"}
sky = datasets.hubble()
listed = galaxies.catalogue(sky)  # (457, 5)
ours = features.measure_galaxies(sky.x)
agree = galaxies.correlations(ours, listed).diagonal()
print("ours against the catalogue, correlation:", ", ".join(f"{name} {r:.2f}" for name, r in zip(features.OF_GALAXIES, agree)))
small = galaxies.shrink(sky.x)  # (457, 588)
z = experiments.ppca(small, 10).posterior(small).loc  # (457, 10)
everything = torch.cat([listed, torch.stack([sky.row, sky.column], -1)], 1)
names = [*features.OF_GALAXIES, *galaxies.PLACE]
for name, score in zip([*names, "ellipticity"], galaxies.told(z, torch.cat([everything, sky.ellipticity[:, None]], 1))):
    print(f"R² from ten latents, new galaxies: {name:20s} {score}")

# %% slideshow={"slide_type": "subslide"}
r = galaxies.correlations(z[:, :6], everything)
plots.show(pictures.heat(r, [f"latent {k + 1}" for k in range(6)], names),
           alt=f"Correlations of six latents with seven features. Latent 1 goes with flux ({r[0, 1]:+.2f}) and area ({r[0, 0]:+.2f}); "
               f"with the place on the sky no latent correlates by more than {r[:, 5:].abs().max():.2f}.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The first latent is mostly "how much light", and ten tell flux and area. Lean and colour are spread over several latents:
# these may be turned, so nothing keeps a cause on one axis. Ellipticity is a *length* in the plane of the two leans, and
# no linear map computes a length. The place on the
# sky is a feature of the *catalogue*, not of the picture: nothing can find it.
#
# ### Explorer: a galaxy's features beside its latents
#
# 1. Turn the first two latents. What moves, and what does not?
# 2. With ten latents, galaxies 436 and 184 have the largest squared errors of all. What went into their latents instead?
# 3. Galaxy 29: how many latents before you see its size? Its lean?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Two bars. Neither the picture nor the features.
# 2. The neighbours at the edges. The features look at the middle only: somebody told them what to look at.
# 3. One for the size; the lean comes with later ones, a little in each.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.a_galaxy()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask what a galaxy's *causes* would be: mass, age, dust, distance. Which of them could ever be read from
# one picture, and up to which symmetry? (Small and near against large and far.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. A feature is a function of $x$; a latent belongs to a model, and is inferred.
# 2. The evidence adds up all causes; by brute force each cause multiplies the work.
# 3. Symmetries of the renderer are humps of the posterior: no method removes them.
# 4. Latents can be turned and $p(x)$ stays, so a learnt latent has no name.
# 5. Learnt latents remake what was seen; unseen combinations need the right structure.
#
# ## The statements, measured

# %% slideshow={"slide_type": "fragment"}
evidence.table("07")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# With six causes, brute force is slow for one single picture, and learning asks for many pictures, many times. Two ways out are exact: causes that are a *choice* among few ([notebook 08](08_mixtures.ipynb)), and
# integrals that have a closed form (notebook 09). When neither helps: part IV.
#
# ## In practice
#
# scikit-learn's `PCA` is the workhorse; its `score` is PPCA's mean log-likelihood (with $n - 1$ in place of $n$). `FactorAnalysis(rotation="varimax")` picks one
# of all equal rotations, by a rule for readability, not by evidence.

# %% slideshow={"slide_type": "fragment"}
from sklearn.decomposition import PCA

score = PCA(9).fit(x.numpy()).score(x_new.numpy())
print(f"scikit-learn {score:.2f}, ours {nine.log_prob(x_new).mean():.2f} nats a picture")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@tipping1999probabilistic] The model, its closed form, and the rotation.
# - [@yuille2006vision] The renderer run backwards.
# - [@locatello2019challenging] Latents of any form can be mixed without changing $p(x)$: the turn, made general.
# - [@matthey2017dsprites] Where the idea of sprites with known causes comes from.
# - [@hu1962visual] Moments as features.
# - [@illingworth2013hst] The galaxies.
