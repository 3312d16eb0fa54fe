# %% [markdown] slideshow={"slide_type": "slide"}
# # 10 · Deep latent variable models
#
# **Question.** How far do two simple pieces reach?
#
# **You will be able to**
#
# 1. write the log-likelihood of a picture given its latent cause, so that a sure network cannot break it ([exercise
#    1](#Exercise-1:-log_likelihood_table))
# 2. turn the integral over the cause into a sum, and say how good the sum is ([exercise
#    2](#Exercise-2:-equal_mass_points), [exercise 3](#Exercise-3:-log_evidence))
# 3. find the place of a picture on the latent plane ([exercise 4](#Exercise-4:-posterior_mean))
# 4. build a number that claims to be the evidence and is not ([exercise 5](#Exercise-5:-flattering_rule))
#
# **You need** Bayes' rule, expectations, notebook 08's *evidence* and *posterior*, and a network as a function with
# many parameters. Notation: $x$ is a picture of $D$ pixels, $z$ its latent cause, $y$ its label, $\theta$ the
# network's weights; $\log$ is natural, in nats. All words and signs: [glossary](glossary.ipynb).
#
# **Time.** 75 minutes to read and explore, 30 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 27 s, 846 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import datasets, metrics, models, plots, rng, training
from course_lib.classroom import Line, derivation, evidence
from course_lib.inference import oracle
from course_lib.lessons.n10_deep_latent_variable_models import bets, check, experiments, explorers, pictures, weights
from tqdm.auto import tqdm
import torch

torch.set_default_dtype(torch.float64)  # exact sums; training will use single precision
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Two numbers, one digit
#
# Here is notebook 00's plane again, now with images to choose and a pad to draw on. Drag the orange point. Two numbers
# go in, 784 pixels come out: a network in your browser computes them. It has learnt from 4,000 handwritten digits, and
# nobody told it what a digit is.
#
# 1. Where do the ten digits live? Which of them are neighbours, and does that make sense?
# 2. Choose an image, and press *To the posterior's mode* (a **mode** is a peak). What does the network leave out?
# 3. Walk from one image to another. At which share does the one become the other? Is there anything *between*?
# 4. Draw a 4, then something that is no digit. What happens to the blue cloud, and to $\log p(x)$?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. 4, 7 and 9 share a region, and so do 3, 5 and 8: what looks alike lies together.
# 2. The style of single strokes. Two numbers hold which digit, its slant, its width, and little more.
# 3. The change is quick but not sudden; between a 4 and a 9 lie pictures that could be either.
# 4. The cloud is the posterior: where on the plane the cause may have been. It stays small even for nonsense;
#    $\log p(x)$ can drop by hundreds of nats. (An empty pad gets more than most digits: probable is not typical.)
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.the_latent_plane()

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Bet before you read on.** The four models of this bet are honest: each gives every binary picture a probability,
# and these add up to one. The winner gives the most to digits that it has never seen.

# %% slideshow={"slide_type": "fragment"}
bets.rivals()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Let somebody steer while the room calls out digits. Then ask for a picture that is *not* reachable.
# Take the bet by a show of hands; write it on the board.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The model: a point, then pixels
#
# **The story.** Nature draws two numbers $z$ from a standard normal. A network, the decoder, turns them into 784
# numbers, one for each pixel: the log-odds $a_d(z) = \log \frac{p}{1 - p}$ of ink. Then each pixel is tossed on its
# own.
#
# **The factorisation**: the simplest prior there is, times the simplest likelihood there is.
#
# $$p_\theta(x, z) = \underbrace{\mathcal{N}(z; 0, I)}_{\text{prior}} \;
# \underbrace{\prod_{d=1}^{D} \mathrm{Bernoulli}\big(x_d; \sigma(a_d(z))\big)}_{\text{likelihood}}, \qquad
# a(z) = \mathrm{NN}_\theta(z), \quad \sigma(a) = \frac{1}{1 + e^{-a}}.$$
#
# With a network in it, it is called a **deep latent variable model**. The prior has no parameters here; all of $\theta$
# sits in the network. (Below the graph stands the model's card; what its *grid* is, you will see under *The evidence*.)

# %% slideshow={"slide_type": "fragment"}
x, y = datasets.mnist()
x = datasets.binarise(x, threshold=0.5)  # a pixel is ink or paper
x, x_new, y, y_new = datasets.split(x, y, held_out=1000, generator=rng.seeded(10))
figure, ax = plots.figure(height=1.6, width=4)
plots.graph(ax, {"$z$": (0, 0), "$x$": (1.6, 0)}, [("$z$", "$x$")], observed=["$x$"], plate=(-0.5, -0.5, 2.6, 1.0), repeats="$n$")
plots.show(figure, alt=f"Graphical model: an arrow from the latent point z to the picture x, repeated for {len(x)} pictures.")
models.DeepLatentVariableModel.card

# %% [markdown] slideshow={"slide_type": "subslide"}
# **The code**, in the same symbols: three lines for three factors. The decoder is the one under your hand above: two
# hidden layers of 240 units. The library's class is a place to keep it, and the assert holds the two together.

# %% slideshow={"slide_type": "fragment"}
plane = weights.trained(weights.PLANE)  # the library's model, with the weights that come with the course
decoder = plane.decoder  # z (..., 2) -> logits (..., 784)


def log_prior(z):
    return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)


def log_likelihood(x, z):
    return torch.distributions.Bernoulli(logits=decoder(z)).log_prob(x).sum(-1)


z = torch.randn(len(x_new), 2, generator=rng.seeded(1))  # one cause for each new digit
gap = (plane.log_joint(x_new, z) - (log_prior(z) + log_likelihood(x_new, z))).abs().max()
evidence("S27", "largest gap between log p(x, z) and log prior + log likelihood", gap, expect=(0, 1e-10), unit="nats")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 1: log_likelihood_table
#
# *8 minutes, ★★☆.* Soon we shall need every picture with every point of the plane. From binary `x` of shape $(n, D)$
# and `logits` of shape $(m, D)$, a row $a(z_j)$ for each point, compute $\log p(x_i \mid z_j)$ for all pairs, shape
# $(n, m)$. Some logits of the test are ±900: there $\sigma(a)$ is 0 or 1 to the last digit.
# Stuck? Run `check.log_likelihood_table.hint()`, and again for more; `check.log_likelihood_table.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def log_likelihood_table(x, logits):
    raise NotImplementedError


check.log_likelihood_table(log_likelihood_table)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Simple times simple, yet not simple
#
# The prior is one hump. The likelihood is one hump. Why should the marginal $p(x) = \int p(z)\,p(x \mid z)\,dz$ be
# anything else? Look at the smallest case: $z$ is one number, $x$ is one number, and
# $p(x \mid z) = \mathcal{N}(x; f(z), \sigma^2)$. If $f$ is a **straight line**, $x$ is a Gaussian plus a Gaussian: one
# hump, always. If $f$ is **bent**, the prior's mass piles up wherever $f$ is nearly level. This $f$ is a network with
# random weights; it has learnt nothing.

# %% slideshow={"slide_type": "fragment"}
z_line, _ = oracle.normal_grid(2000, 1)  # 2,000 points of equal prior mass
x_line = torch.linspace(-4, 4, 801)
bent = experiments.bent_line(seed=0, bend=4.0)  # a network with two hidden layers of 20 units
lines = {"straight": z_line[:, 0], "bent by a network": bent(z_line)[:, 0]}
densities = {name: experiments.marginal(x_line, f, noise=0.15) for name, f in lines.items()}
modes = {name: experiments.count_modes(p) for name, p in densities.items()}
plots.show(pictures.two_marginals(x_line, z_line, lines, densities),
           alt=f"Left: a straight and a bent line. Right: their marginals, with {modes['straight']} mode and "
               f"{modes['bent by a network']} modes.")
evidence("S26", "modes of the marginal when the line is bent (straight: 1)", modes["bent by a network"], expect=(2, 9))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: bend a line
#
# 1. How many modes can you make? Which control makes most of them?
# 2. Find a setting where the line is strongly bent and the marginal still has one mode. What hides the others?
# 3. Put the bend at 0.1 and try all networks. Can you get two modes? Why not?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Bend makes them, small noise shows them; eleven can be had. (A bump below 2 % of the highest is not counted.)
# 2. A noise near 1: the likelihood is as wide as everything else and washes the humps together.
# 3. No: nearly straight is nearly Gaussian.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.bend_a_line()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The evidence: from an integral to a sum
#
# To learn, we need $p_\theta(x)$. No algebra will do the integral: $z$ sits inside a network. But $z$ has only two
# dimensions, so we can walk over all of the plane. First, in one dimension, the substitution that makes the walk
# cheap. With $\Phi$ the distribution function of the prior and $u = \Phi(z)$, $du = p(z)\,dz$:
#
# $$p_\theta(x) = \int p(x, z) \, dz = \int p(z) \, p(x \mid z) \, dz = \mathbb{E}_{z \sim p(z)} \, p(x \mid z)
# = \int_0^1 p\big(x \mid \Phi^{-1}(u)\big) \, du \approx \frac1m \sum_{j=1}^{m} p(x \mid z_j).$$
#
# The last step cuts $(0, 1)$ into $m$ equal pieces and takes the middle of each: pieces of the line that carry
# **equal mass** of the prior. In two dimensions take all pairs of such points: $m^2$ points of weight $1/m^2$ each.
# Far out, where the prior hardly ever goes, no point is wasted. In logs:
#
# $$\log p_\theta(x) \approx \underset{j}{\mathrm{logsumexp}} \big( \log w_j + \log p(x \mid z_j) \big),
# \qquad w_j = \tfrac1m.$$
#
# Every line with its value, for the bent line at $x = -0.6$:

# %% slideshow={"slide_type": "fragment"}
def log_p_given(z):  # log p(x = -0.6 | z) on the bent line
    return torch.distributions.Normal(bent(z)[:, 0], 0.15).log_prob(torch.tensor(-0.6))


steps, log_width = oracle.grid(-8, 8, 8000)  # z from -8 to 8 in steps of 0.002
z_j, log_w = oracle.normal_grid(20_000, 1)
joint = torch.distributions.Normal(0.0, 1.0).log_prob(steps[:, 0]) + log_p_given(steps)
u = (torch.arange(50_000) + 0.5) / 50_000
derivation(
    Line(r"\log \int p(x, z) \, dz", "marginal; steps of 0.002", (joint + log_width).logsumexp(0)),
    Line(r"\log \int_0^1 p(x \mid \Phi^{-1}(u)) \, du", "substitute u = Φ(z); 50,000 steps in u", log_p_given(torch.special.ndtri(u)[:, None]).exp().mean().log()),
    Line(r"\log \sum_j w_j \, p(x \mid z_j)", "points of equal mass", (log_w.exp() * log_p_given(z_j).exp()).sum().log()),
    Line(r"\mathrm{logsumexp}_j (\log w_j + \log p(x \mid z_j))", "stay in logs", (log_w + log_p_given(z_j)).logsumexp(0)),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: equal_mass_points
#
# *4 minutes, ★☆☆.* Return the `m` points of the rule in one dimension, a tensor of shape $(m,)$, in rising order.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def equal_mass_points(m):
    raise NotImplementedError


check.equal_mass_points(equal_mass_points)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: log_evidence
#
# *5 minutes, ★☆☆.* From `table`, $\log p(x_i \mid z_j)$ of shape $(n, m)$, and `log_weights`, $(m,)$, compute
# $\log p(x_i)$, shape $(n,)$. The weights of the test are not equal, and some pictures are very improbable.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def log_evidence(table, log_weights):
    raise NotImplementedError


check.log_evidence(log_evidence)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Learning: the gradient is a posterior average
#
# The sum can be differentiated, term by term. Write $p_j = w_j \, p(x \mid z_j)$ and use $\partial p = p \,
# \partial \log p$, as in notebook 08. The weights do not contain $\theta$, and $p_j / \sum_k p_k$ is $p(z_j \mid
# x)$ by Bayes' rule:
#
# $$\partial_\theta \log p_\theta(x) = \frac{\sum_j \partial_\theta \, p_j}{\sum_j p_j}
# = \sum_j \frac{p_j}{\sum_k p_k} \, \partial_\theta \log p_j
# = \sum_j p(z_j \mid x) \; \partial_\theta \log p_\theta(x \mid z_j).$$
#
# Every point of the plane is taught to draw $x$, and the *posterior* decides how seriously. Take the bias $b_d$
# that the last layer adds to the log-odds of pixel $d$. Since $\partial [x_d a_d - \log(1 + e^{a_d})] / \partial
# a_d = x_d - \sigma(a_d)$, we get $\partial \log p(x) / \partial b_d = x_d - \sum_j p(z_j \mid x) \,
# \sigma(a_d(z_j))$: ink that was seen minus ink that was expected. (Notebook 12 makes much of this.)

# %% slideshow={"slide_type": "fragment"}
digit, d = x_new[:1], 4 * 28 + 15  # one new digit, a pixel at the top of its stroke
bias = decoder[-1].bias.requires_grad_()
(gradient,) = torch.autograd.grad(plane.evidence(digit).log_evidence.sum(), bias)
bias.requires_grad_(False)
posterior = plane.evidence(digit).log_posterior[0].exp()  # (900,): the masses on the grid of 30 × 30 points
expected = posterior @ plane.decode(plane.points).sigmoid()  # (784,)
derivation(
    Line(r"\partial \log p(x) / \partial b_d", "automatic differentiation", gradient[d]),
    Line(r"x_d - \sum_j p(z_j \mid x) \, \sigma(a_d(z_j))", "a posterior average", digit[0, d] - expected[d]),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# So a training loop is six lines, with no [encoder](15_amortised_inference.ipynb#Learn-to-guess) and no bound (notebook
# 15 has both): minibatch, log-sum-exp, gradient, step. The library's `gradient_descent` is this loop; the assert
# compares all weights after ten steps.

# %% slideshow={"slide_type": "fragment"}
def train(model, x, generator, steps, batch_size, lr):
    update = torch.optim.Adam(model.parameters(), lr=lr)
    for rows in torch.randperm(len(x), generator=generator).split(batch_size)[:steps]:
        loss = -model.evidence(x[rows]).log_evidence.mean()
        update.zero_grad()
        loss.backward()
        update.step()


def start(points):
    return models.DeepLatentVariableModel(784, 2, hidden=weights.HIDDEN, points=points, generator=rng.seeded(0))


mine, library = start(points=5), start(points=5)
train(mine, x, rng.seeded(1), steps=10, batch_size=128, lr=1e-3)
training.fit(training.gradient_descent(library, x, rng.seeded(1), steps=10, batch_size=128, lr=1e-3))
torch.testing.assert_close(list(mine.parameters()), list(library.parameters()))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Now in earnest: 400 steps on 256 digits each, with a grid of 12 × 12 points. (The weights that come with the course
# took 3,000 steps on 30 × 30 points; `python -m course_lib.lessons.weights` makes them again.)

# %% slideshow={"slide_type": "fragment"}
def learn(model, steps, lr):
    process = training.gradient_descent(
        model.float(), x.float(), rng.seeded(1), steps=steps, batch_size=256, lr=lr,
        schedule=lambda update: torch.optim.lr_scheduler.CosineAnnealingLR(update, steps))
    history = training.fit(tqdm(process, total=steps))
    model.double().requires_grad_(False)
    return history


ours = start(points=12)
history = learn(ours, steps=400, lr=8e-3)
print(f"log p(x) of the minibatches, nats a digit: {-history['loss'][0]:.0f} at first, {-history['loss'][-1]:.0f} at last; "
      f"new digits: {metrics.estimate(ours.evidence(x_new).log_evidence)}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: watch a plane learn
#
# A smaller decoder, from the first step on, eight steps a frame.
#
# 1. What does the whole plane show after the first frames? Which model without a latent is that?
# 2. In which order do the digits come apart?
# 3. Does another start give the same plane? Is one of them wrong?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. The same grey mean digit everywhere: independent pixels. $z$ does nothing yet.
# 2. With start 0: the rounds from the strokes (0, 1, 9) first, then 3 and 7, late 2 and 6; 4 hardly leaves 9.
# 3. Turned, mirrored, rearranged. The prior has no preferred direction, so nothing says where a digit must live.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.watch_training()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The plane as a map
#
# Where would each *new* digit come from? Its posterior has a mean, $\mathbb{E}[z \mid x] = \sum_j p(z_j \mid x) \,
# z_j$. Left, what the decoder draws at points of equal mass; right, the posterior means of the new digits, each
# shown by its label, which the model has never seen. (The digits that stand in line at ±2.4 sit on the outermost points
# of the grid: further out it cannot look.)

# %% slideshow={"slide_type": "fragment"}
grid_60 = oracle.normal_grid(60, 2)
fine = plane.evidence(x_new, grid_60)  # log p(x), (1000,), and log p(z_j | x), (1000, 3600)
mean = fine.log_posterior.exp() @ grid_60[0]  # (1000, 2)
square = fine.log_posterior.exp() @ grid_60[0].square()
distance = torch.cdist(mean, mean).fill_diagonal_(torch.inf)
same = (y_new[distance.argmin(-1)] == y_new).double().mean()
deviation = (square - mean.square()).clamp_min(0).sqrt().mean(-1)  # (1000,)
plots.show(pictures.map_of_the_plane(experiments.plane_tiles(plane), mean, y_new),
           alt=f"Left a map of pictures, right {len(y_new)} digits: for {same:.0%} of them the nearest other one has the same label. Half of the posteriors have a standard "
               f"deviation below {deviation.median():.2f}, about as small as these points can resolve.")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 4: posterior_mean
#
# *5 minutes, ★★☆.* From `table` $(n, m)$, `log_weights` $(m,)$ and `points` $(m, d)$ compute $\mathbb{E}[z \mid
# x_i]$, shape $(n, d)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def posterior_mean(table, log_weights, points):
    raise NotImplementedError


check.posterior_mean(posterior_mean)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How far: the rivals
#
# All on the same digits. **Discrete rivals** give probabilities of binary pictures directly: independent pixels, a
# mixture of ten averaged digits (and of a hundred), notebook 03's tree, in which each pixel looks at one other, and our
# own model with its network replaced by a **straight line**: same prior, same likelihood.

# %% slideshow={"slide_type": "fragment"}
pixels, tree = models.IndependentPixels(784), models.ChowLiuTree(784)
pixels.maximise(x, smoothing=0.1)
tree.maximise(x, smoothing=0.1)
mixture = models.BernoulliMixture(10, 784).start_at(x, rng.seeded(1))
training.fit(training.expectation_maximisation(mixture, x, steps=25, smoothing=0.1))
hundred = models.BernoulliMixture(100, 784).start_at(x, rng.seeded(1))
training.fit(training.expectation_maximisation(hundred, x, steps=25, smoothing=0.1))
straight = models.DeepLatentVariableModel(784, 2, hidden=(), points=12, generator=rng.seeded(0))
learn(straight, steps=400, lr=0.1)
rivals = {"independent pixels": pixels, "mixture of 10": mixture, "mixture of 100": hundred, "tree of pixels": tree}
with torch.no_grad():
    nats = {name: model.log_prob(x_new) for name, model in rivals.items()}  # (1000,) each
nats["straight line, 2 latents"] = straight.evidence(x_new, grid_60).log_evidence
nats["network, 2 latents, trained here"] = ours.evidence(x_new, grid_60).log_evidence
nats["network, 2 latents"] = fine.log_evidence

# %% [markdown] slideshow={"slide_type": "subslide"}
# **A Gaussian gives densities**, and a density must not be compared with a probability. So spread each binary pixel
# evenly over an interval of length one, $v = x + u$, and fit the Gaussian to $v$. The probability of the picture is
# then the mass of its cell, and Jensen bounds it from below:
#
# $$\log P(x) = \log \int_{[0,1)^D} p(x + u) \, du \;\ge\; \mathbb{E}_u \log p(x + u).$$
#
# No factor appears because a cell has volume one. The bound is loose: it charges the Gaussian for not being level
# inside a cell. For PPCA (notebook 09: the straight line, with equal Gaussian noise on all pixels) with two latents
# we can do the integral, and see how much that is. What lies outside all cells is wasted even then. So a last rung
# cuts at one half: a pixel is ink where the Gaussian draws more. These are honest probabilities. Bits a pixel are
# $-$nats$/(784 \log 2)$.

# %% slideshow={"slide_type": "fragment"}
v, v_new = experiments.spread(x, rng.seeded(2)), experiments.spread(x_new, rng.seeded(3))
dense = {"one Gaussian (bound)": models.Gaussian(784, covariance="full"),
         "PPCA, 2 latents (bound)": models.ProbabilisticPCA(784, 2),
         "PPCA, 50 latents (bound)": models.ProbabilisticPCA(784, 50)}
with torch.no_grad():
    for name, model in dense.items():
        model.maximise(v)
        nats[name] = model.log_prob(v_new)
    nats["PPCA, 2 latents"] = experiments.cell_log_prob(dense["PPCA, 2 latents (bound)"], x_new)
cut = models.ProbabilisticPCA(784, 2)
cut.maximise(x)
nats["PPCA, 2 latents, cut at ½"] = experiments.cut_log_prob(cut, x_new)
slack = metrics.estimate(nats["PPCA, 2 latents"] - nats["PPCA, 2 latents (bound)"])
print(f"With two latents the bound takes {slack} nats from PPCA.")

# %% slideshow={"slide_type": "fragment"}
log_2 = torch.tensor(2.0).log().item()
scores = {name: metrics.estimate(values) for name, values in nats.items()}
for name, (value, error) in sorted(scores.items(), key=lambda item: -item[1].value):
    print(f"{name:34s} {value:7.1f} ± {error:.1f} nats a digit, {-value / 784 / log_2:.3f} bits a pixel")
winner = max(scores, key=lambda name: scores[name].value)
plots.show(pictures.ladder(scores, set(dense)), alt=f"Best: {winner}, {scores[winner].value:.1f} nats a digit; the network "
           f"with two latents reaches {scores['network, 2 latents'].value:.1f}, independent pixels {scores['independent pixels'].value:.1f}.")
answers = {"tree of pixels": 3, "network, 2 latents": 1, "straight line, 2 latents": 2, "mixture of 10": 0}
bets.rivals.settle(answers[winner])

# %% [markdown] slideshow={"slide_type": "subslide"}
# **What the numbers say.** Bending the line is worth dozens of nats, even with as many training steps (the next cell
# measures it). A mixture of ten averaged digits stands far below the shipped network, a mixture of a hundred closely
# below. Read as densities over cells, the Gaussians stand below even independent pixels; cut at one half, PPCA rises
# above them. (One Gaussian has 307,720 variances and covariances to learn from 4,000 digits, and **overfits**, fits
# their chance features too: PPCA with
# 50 latents is better.) All other models add up to one over the binary pictures, the network too: on its 3,600 points
# it is an honest mixture of 3,600 pictures, so the ladder is fair whatever the integral. *And* a tree with no latent
# at all beats the network. "Highly expressive" does not mean "better than everything".
#
# What, then, does $z$ buy? Ask only for every second pixel in each direction, where neighbours are no longer
# neighbours. The network sums the others out; its rival is a tree fitted anew to just these pixels, which is harder
# to beat than the old one.

# %% slideshow={"slide_type": "fragment"}
decoder_nats = nats["network, 2 latents"]
gain = metrics.estimate(nats["network, 2 latents, trained here"] - nats["straight line, 2 latents"])
evidence("S26", "held-out gain from bending the line, in as many steps", gain.value, expect=(30, 45), unit="nats a digit")
for rival, name in (("straight line, 2 latents", "a straight line"), ("mixture of 10", "a mixture of ten")):
    gain = metrics.estimate(decoder_nats - nats[rival])
    evidence("S26", f"held-out gain of the network over {name}", gain.value, expect=(25, 65), unit="nats a digit")
gain = metrics.estimate(decoder_nats - nats["tree of pixels"])
evidence("S26", "held-out gain of the network over a tree of pixels (it loses)", gain.value, expect=(-12, -3), unit="nats a digit")
for stride in (1, 2, 3, 4):
    asked = experiments.every(stride)  # (784,): which pixels
    small = models.ChowLiuTree(int(asked.sum()))
    small.maximise(x[:, asked], smoothing=0.1)
    with torch.no_grad():
        ours_minus_tree = experiments.part_log_prob(plane, x_new, asked) - small.log_prob(x_new[:, asked])
    print(f"one pixel in {stride} each way, {int(asked.sum()):3d} in all: network minus tree {metrics.estimate(ours_minus_tree)} nats")
    if stride == 2:
        evidence("S26", "the same on every second pixel, the tree fitted anew", ours_minus_tree.mean(), expect=(5, 10), unit="nats a digit")

# %% [markdown] slideshow={"slide_type": "subslide"}
# A tree knows where a stroke ends once its neighbour is known, and forgets over the distance; $z$ knows what the whole
# thing is, and nothing of the edges. Nats are spent mostly on edges. Samples show the same:

# %% slideshow={"slide_type": "fragment"}
g = rng.seeded(5)
rows = {"data": x_new[:16], "mixture of 10": mixture.sample(16, g), "tree": tree.sample(16, g)}
rows["network's p(ink)"] = plane.decode(torch.randn(16, 2, generator=rng.seeded(6))).sigmoid()  # at 16 draws of z
rows["network"] = rng.bernoulli(rows["network's p(ink)"], g)  # at the same z: every pixel is tossed
ink = ", ".join(f"{name} {picture.mean():.0%}" for name, picture in rows.items())
plots.show(plots.rows_of_pictures(rows), alt="Sixteen pictures a row. The mixture's are noisy averages of digits. The tree's are made of short clean pieces of strokes and are no digits; many of the "
           f"network's are digits, with frayed edges. Share of ink: {ink}.")

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Before the samples: ask which model the room would rather own, the one with more nats or the one with
# better digits. Then: what would have to change so that one model has both?

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Estimate against truth: how good is the sum?
#
# Is the sum over 30 × 30 points *the* evidence? Nobody can do the integral, but we can do finer sums, and one of
# another kind: a square from −4 to 4 with 80 × 80 equal cells, where the prior enters as a factor.

# %% slideshow={"slide_type": "fragment"}
sizes = [6, 10, 15, 20, 30, 60]


def log_p(rule):  # in parts of 250 digits: a table of all digits and all points would fill the memory
    return torch.cat([plane.evidence(rows, rule).log_evidence for rows in x_new.split(250)])


finest = log_p(oracle.normal_grid(80, 2))  # 6,400 points
errors = torch.stack([log_p(oracle.normal_grid(size, 2)) - finest for size in sizes])
cells, log_width = oracle.grid(-4, 4, 80, dimensions=2)
other = log_p((cells, log_width + plane.log_prior(cells)))
for size, row in zip(sizes, errors):
    print(f"{size:3d} × {size:<3d} {metrics.estimate(row)} nats, worst digits {row.min():.1f} and {row.max():+.1f}, too low for {(row < 0).double().mean():.0%}")
print(f"another kind of rule with 80 × 80 points: {metrics.estimate(other - finest)}")

# %% slideshow={"slide_type": "fragment"}
worst = int(errors[4].argmin())
far = mean.norm(dim=-1) > mean.norm(dim=-1).median()
plots.show(pictures.grid_error(sizes, errors, mean, errors[4]),
           alt=f"The mean error falls from {-errors[0].mean():.0f} nats with 6 × 6 points to {-errors[4].mean():.1f} with 30 × 30 and "
               f"{-errors[5].mean():.2f} with 60 × 60. With 30 × 30 it is {-errors[4][~far].mean():.2f} for the inner half of the digits, "
               f"{-errors[4][far].mean():.2f} for the outer; the worst digit, a {y_new[worst]}, lies at radius {mean[worst].norm():.1f}.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Break it, first way: too few points.** Half of the posteriors have a standard deviation below 0.04, while the cells
# of 30 × 30 points are 0.08 wide in the centre and wider outside. A posterior that falls between the points is hardly
# noticed; one that sits on a point is counted too high, by a few nats at most: it is counted as if it filled its cell.
# So with coarse rules the largest errors are **downwards**, and they do not average out. The two rules with 6,400
# points differ by a quarter of a nat on average, for the cells of the square are 0.1 wide in the centre, too. Notebook
# 11 comes back to this.
#
# ## Break it, second way: train where you do not look
#
# What if we *train* on 6 × 6 points? Then nothing is asked of the decoder between the 36. Does it draw nonsense there?

# %% slideshow={"slide_type": "fragment"}
bets.coarse()

# %% slideshow={"slide_type": "fragment"}
coarse = start(points=6)
learn(coarse, steps=400, lr=8e-3)
on_36, on_3600 = coarse.evidence(x_new).log_evidence, coarse.evidence(x_new, grid_60).log_evidence

# %% slideshow={"slide_type": "fragment"}
change = metrics.estimate(on_3600 - on_36)
print(f"trained on 6 × 6 points: {metrics.estimate(on_36)} nats a digit by these points, {metrics.estimate(on_3600)} by 60 × 60")
print(f"change: {change}; trained on 12 × 12 points it reaches {scores['network, 2 latents, trained here'].value:.1f}")
bets.coarse.settle(sum(change.value > limit for limit in (-5, -1, 1)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# We had expected nonsense, and were wrong. A mixture of 36 independent pictures would know nothing between its
# components. This one is drawn by a smooth network, and its in-betweens are digits too. That is what a *continuous* $z$
# buys over a choice; what the coarse training costs is the distance to the model trained on 12 × 12 points.
#
# ### Exercise 5: flattering_rule
#
# *6 minutes, ★★☆, a reverse exercise.* A rule whose weights are not the prior's masses can claim anything up to
# $\max_z \log p(x \mid z)$. You get the `points` $(3600, 2)$ of the fine grid and a digit's `log_posterior` $(3600,)$.
# Return a rule of your own, `(points, log_weights)`, of at most 100 points, with weights that add up to one. It must
# overstate this digit's $\log p(x)$ by at least 5 nats.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def flattering_rule(points, log_posterior):
    raise NotImplementedError


check.flattering_rule(flattering_rule)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## With a context: $p_\theta(x, z \mid y)$
#
# Give the decoder the label as ten more inputs, a one at the place of $y$ and zeros elsewhere. The rest stays:
#
# $$p_\theta(x, z \mid y) = \mathcal{N}(z; 0, I) \prod_d \mathrm{Bernoulli}\big(x_d; \sigma(a_d(z, y))\big), \qquad
# p_\theta(x \mid y) = \int p_\theta(x, z \mid y) \, dz.$$
#
# How much can a label help? Under the *true* distribution
# $\mathbb{E}[\log p(x \mid y) - \log p(x)] = \mathbb{E}[\log p(y \mid x) - \log p(y)]$, which is the mutual
# information of label and picture. It is at most $\log 10$, because $\log p(y \mid x) \le 0$ and $-\mathbb{E}
# \log p(y) \le \log 10$: reached if the ten are equally frequent and each can be read without doubt.

# %% slideshow={"slide_type": "fragment"}
bets.label()

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: the same place, another label
#
# 1. Choose a place and switch the label. What stays the same?
# 2. Which direction turns the digits, which one makes them narrow? Is that the same for all labels?
# 3. Choose the image of a 7 and switch to other labels. How many nats does the best wrong label cost?
# 4. Label 1, and $z_2$ near −2: is that a 1? What does the model tell you by drawing such a thing?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. The style: the label took over *what* is written, so that $z$ holds *how*.
# 2. $z_1$ turns, $z_2$ makes narrow, for nearly all of them, though nobody asked for it: the ten planes share layers.
# 3. Read $\log p(x \mid y)$: more than sixty nats (to a 9), so that Bayes' rule has no doubt.
# 4. No 1 is so wide. Where no data of that label ever lay, the decoder was taught nothing.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.same_place_every_label()

# %% slideshow={"slide_type": "fragment"}
labelled = weights.trained(weights.LABELLED)  # as large, and as the other: shipped
each = experiments.log_prob_each_label(labelled, x_new)  # (1000, 10), log p(x | y) for every y
given = each.gather(-1, y_new[:, None])[:, 0]
log_10 = torch.tensor(10.0).log().item()
summed_out = each.logsumexp(-1) - log_10  # log of the mean over ten equally frequent labels
gain, information = metrics.estimate(given - fine.log_evidence), metrics.estimate(given - summed_out)
evidence("S25", "what a held-out digit gains from its label", gain.value, expect=(6, 11), unit="nats")
evidence("S25", "of which information: log p(y | x) − log p(y)", information.value, expect=(0.3, 1.6), unit="nats")
print(f"gain {gain}, information {information}; without the label this model reaches {metrics.estimate(summed_out)}")
print(f"it minus the tree of pixels: {metrics.estimate(summed_out - nats['tree of pixels'])}")
print(f"read by Bayes' rule, {(each.argmax(-1) == y_new).double().mean():.1%} of the new digits get the right label")

# %% slideshow={"slide_type": "fragment"}
gains = given - fine.log_evidence
means = torch.stack([gains[y_new == digit].mean() for digit in range(10)])
plots.show(pictures.by_label(gains, y_new, log_10),
           alt=f"The label {means.argmax()} gains most, {means.max():.1f} nats, the label {means.argmin()} least, {means.min():.1f}; "
               f"{int((means > log_10).sum())} of 10 lie above log 10 = {log_10:.1f}.")
bets.label.settle(sum(gain.value > limit for limit in (log_10, 5, 12)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** The gain is far more than a label can tell. So most of it is no information about *this*
# digit: it is **room**. One plane had to hold ten digits; now each has a plane of its own. (The information itself
# stays below $\log 10$ because some digits are misread, a few of them with great confidence.) Sum the label out, and a
# model with one more latent, a choice of ten, reaches the tree (it was shown the labels while it learnt). A hidden
# choice *and* two hidden numbers do together what neither does alone: expressiveness grows with what is hidden, if it
# can be learnt.
#
# One more honest line. If the upper half of a digit is seen, the lower half should become easier:

# %% slideshow={"slide_type": "fragment"}
upper = torch.arange(784) < 392
with torch.no_grad():
    for name, part in (("network", lambda seen: experiments.part_log_prob(plane, x_new, seen)),
                       ("tree", lambda seen: tree.log_prob(x_new, seen=seen))):
        change = part(upper | ~upper) - part(upper) - part(~upper)  # log p(lower | upper) - log p(lower)
        print(f"{name}: seeing the upper half changes log p of the lower by {metrics.estimate(change)} nats")
    own = plane.sample(1000, rng.seeded(7))  # pictures that the network itself has drawn
    change = experiments.part_log_prob(plane, own, upper | ~upper) - sum(
        experiments.part_log_prob(plane, own, half) for half in (upper, ~upper))
    print(f"network, on its own pictures: {metrics.estimate(change)} nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# For the network it becomes *harder*. Given $z$ it takes neighbouring pixels for independent witnesses, so half a digit
# already makes it far too sure of a $z$ that is slightly wrong. On its own pictures the model gains, as it must:
# the loss on real digits is a measured misfit, and a warning for everything that will be built on such posteriors.

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask before the last cell: can more data ever hurt a Bayesian? On average only one with a wrong
# model; a single unlucky datum can hurt anybody. Collect ideas for a repair: more latents, an observation model with
# neighbours, a wider likelihood.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. The joint is prior times likelihood, and both can be as simple as a normal and a row of coins.
# 2. With Gaussian noise a straight decoder gives one hump, always, and a bent one many. With coins a straight one
#    gains some nats over independent pixels, a bent one far more.
# 3. In two dimensions the evidence is a log-sum-exp over a grid of equal mass, its gradient a posterior average.
# 4. Too few points make the evidence far too low for some pictures and a little too high for others, too low on
#    average; a rule that forgets the prior can make it far too high.
# 5. Latents hold what is common to far pixels. A tree of neighbours still wins in nats until the latents get more room.
#
# ## The statements, measured
#
# S25 and S27 hold as they stand. S26, that the marginal is *highly expressive*, holds against a straight line and a
# choice of ten (a choice of a hundred comes close), and fails against a tree of neighbouring pixels.

# %% slideshow={"slide_type": "fragment"}
evidence.table("10")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# Two latents cost $30^2 = 900$ decoded pictures a step. Ten latents would cost $30^{10}$, six hundred million million.
# The trick of this notebook ends here, and [notebook 11](11_intractable_evidence.ipynb) measures how fast; 12 looks at the posterior itself, 13 and
# 15 at what to do instead.
#
# ## In practice
#
# On its grid our model is nothing but a mixture of 900 components that share one network. PyTorch's own distributions
# know such mixtures. For real work with many latents: Pyro builds on these objects, NumPyro on their like in JAX.

# %% slideshow={"slide_type": "fragment"}
from torch.distributions import Bernoulli, Categorical, Independent, MixtureSameFamily

components = Independent(Bernoulli(logits=plane.decode(plane.points)), 1)
theirs = MixtureSameFamily(Categorical(logits=plane.log_weights), components).log_prob(x_new[:5])
print(f"largest gap to torch.distributions: {(theirs - plane.evidence(x_new[:5]).log_evidence).abs().max():.1e} nats")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@mackay1995bayesian] A network over a latent space, trained by its marginal likelihood.
# - [@bishop1998gtm] The grid of latent points, with EM.
# - [@kingma2014auto] The same model without a grid: notebook 15.
# - [@chow1968approximating] The rival that won.
# - [@lecun1998gradient] The digits.
# - [@theis2016note] The bound that makes densities comparable.
