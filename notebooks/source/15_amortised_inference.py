# %% [markdown] slideshow={"slide_type": "slide"}
# # 15 · Amortised inference
#
# **Question.** Can one network answer for every data point?
#
# **You will be able to**
#
# 1. write the bound that trains a variational autoencoder, and say how far below the truth it lies ([exercise
#    1](#Exercise-1:-elbo), [exercise 3](#Exercise-3:-iwae_bound))
# 2. send a gradient through a draw ([exercise 2](#Exercise-2:-reparameterised))
# 3. kill a latent variable, and bring it back to life ([exercise 4](#Exercise-4:-kill_the_latent))
# 4. learn from pictures whose label nobody wrote ([exercise 5](#Exercise-5:-unlabelled_bound))
#
# **You need** Jensen's inequality and the Kullback–Leibler divergence (notebook 08), notebook 10's decoder, importance
# weights and annealing (11), variational inference (13). Notation: $x$ is a picture, $z$ its latent cause,
# $q_\phi(z \mid x)$ a network's guess of the posterior, $\phi$ that network's weights, $\theta$ the decoder's; $\log$
# is natural, in nats. All words and signs: [glossary](glossary.ipynb).
#
# **Time.** 75 minutes to read and explore, 30 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 51 s, 831 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import metrics, models, plots, rng, training
from course_lib.classroom import Line, derivation, evidence
from course_lib.inference import oracle
from course_lib.lessons.n15_amortised_inference import bets, bits, check, collapse, explorers, gaps, gradients, labels, ladder, pictures, promises, weights
from tqdm.auto import tqdm
import torch

torch.set_default_dtype(torch.float64)  # exact sums; training will use single precision
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Learn to guess
#
# Notebook 13 found a posterior by optimising: it began anew with every picture and forgot it
# afterwards. You do better: shown a handwritten 3, you know it at once, for you have seen many. Let a network do the same: from $x$ directly
# to a Gaussian over $z$, in one pass. The effort of learning is paid once and shared by all pictures to come, as
# the price of a machine is shared by everything that it makes: inference is **amortised**.
#
# Here are two networks that come trained: an **encoder** guesses eight numbers from a digit, a decoder draws from
# them. No grid of eight dimensions could have trained them.
#
# 1. Choose a digit and *ask the encoder*. What does the decoder leave out? Is it less than two numbers left out?
# 2. Move one slider after another over its whole length. Does any do nothing?
# 3. *Draw from q* ten times, then *from the prior* ten times. Which draws are worse digits, and what is missing there?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Frayed edges; but slant, loops and strokes are there, of which two numbers kept only the coarsest.
# 2. None: all bars are narrow beside the prior's ± 2. An idle coordinate's bar would be as wide as the prior.
# 3. Those of the prior: the encoder's guesses of all digits together leave holes in the prior, where the decoder has
#    learnt nothing.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.eight_latents()

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Bet before you read on.** A network's guess can be poor in two ways: the shape, a Gaussian, does not fit, or it is
# not the best Gaussian.

# %% slideshow={"slide_type": "fragment"}
bets.gap()

# %% slideshow={"slide_type": "fragment"}
bets.variance()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask who has ever *computed* a posterior when reading a digit. Then: what does a network lose that
# never gets to try again? Collect answers; the section *The gap, in two parts* measures them.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The model, and its guess
#
# **The story** is notebook 10's: nature draws $z$, a decoder turns it into log-odds $a_d(z)$, each pixel is tossed.
# What is new is no part of the model: a second network that guesses backwards.
#
# $$p_\theta(x, z) = \mathcal{N}(z; 0, I) \prod_d \mathrm{Bernoulli}\big(x_d; \sigma(a_d(z))\big), \qquad
# q_\phi(z \mid x) = \mathcal{N}\big(z; \mu(x), \mathrm{diag}\, \sigma(x)^2\big).$$
#
# Both together are a **variational autoencoder**, a VAE (Kingma and Welling 2014). *A common slip*: the encoder **is
# not the posterior**. The posterior is what Bayes' rule says; the encoder is a guess.

# %% slideshow={"slide_type": "fragment"}
x, x_new, y, y_new = weights.digits()  # notebook 10's 4,000 digits to learn from, 1,000 others; ink or paper
figure, ax = plots.figure(height=1.6, width=4)
plots.graph(ax, {"$z$": (0, 0), "$x$": (1.6, 0)}, [("$z$", "$x$")], observed=["$x$"], plate=(-0.5, -0.5, 2.6, 1.0), repeats="$n$")
plots.show(figure, alt=f"Graphical model: an arrow from the latent z to the picture x, for each of {len(x)} pictures; the encoder is no part of it.")
models.VAE.card

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The bound, once more
#
# Take *any* density $q(z)$, which may depend on $x$:
#
# $$\begin{aligned}
# \log p(x) &= \log \int p(x, z) \, dz && \text{the marginal} \\
# &= \log \mathbb{E}_q \, \frac{p(x, z)}{q(z)} && \text{multiply and divide by } q \\
# &\ge \mathbb{E}_q \log \frac{p(x, z)}{q(z)} \;=:\; \text{ELBO} && \text{Jensen} \\
# &= \mathbb{E}_q \log p(x \mid z) - \mathrm{KL}\big(q(z) \,\|\, p(z)\big) && p(x, z) = p(z) \, p(x \mid z) \\
# &= \log p(x) - \mathrm{KL}\big(q(z) \,\|\, p(z \mid x)\big) && p(x, z) = p(x) \, p(z \mid x)
# \end{aligned}$$
#
# The fourth line says what to *compute*: how well $x$ is drawn again, minus what it costs to leave the prior. The
# fifth says what it *means*. *A common slip*: **the ELBO is not the log-likelihood**; between them lies a divergence
# that differs from picture to picture and from model to model. For one coordinate, with $z = \mu + \sigma
# \varepsilon$,
#
# $$\mathrm{KL} = \mathbb{E} \big[ \log q(z) - \log p(z) \big] = \mathbb{E} \big[ -\log \sigma - \tfrac12 \varepsilon^2 + \tfrac12
# (\mu + \sigma \varepsilon)^2 \big] = \tfrac12 (\mu^2 + \sigma^2 - 1) - \log \sigma,$$
#
# since $\mathbb{E}\,\varepsilon = 0$ and $\mathbb{E}\,\varepsilon^2 = 1$. Below stands the value of every line, for a new digit and
# notebook 10's trained decoder; $q$ is a Gaussian placed a little beside the posterior's peak. Expectations are sums over a
# fine grid around the peak. Only the divergence of the fourth line comes from the formula.

# %% slideshow={"slide_type": "fragment"}
plane, digit = weights.trained(weights.PLANE), x_new[:1]
peak = plane.points[plane.evidence(digit).log_posterior[0].argmax()]
mu, sigma = peak + torch.tensor([0.02, -0.03]), torch.tensor([0.06, 0.05])
points, log_cell = oracle.grid(-0.6, 0.6, 100, dimensions=2)
z = peak + points  # (10000, 2)
joint = plane.log_likelihood_table(digit, z)[0] + plane.log_prior(z)
log_q = torch.distributions.Normal(mu, sigma).log_prob(z).sum(-1)
mass = (log_q + log_cell).exp()  # q's mass in each cell
log_p = (joint + log_cell).logsumexp(0)
bound = mass @ (joint - log_q)
prior_kl = (0.5 * (mu**2 + sigma**2 - 1) - sigma.log()).sum()
posterior_kl = mass @ (log_q - (joint - log_p))
derivation(
    Line(r"\log \int p(x, z) \, dz", "marginal; grid", log_p),
    Line(r"\log \mathbb{E}_q \, p(x, z) / q(z)", "multiply and divide by q; grid", (mass.log() + joint - log_q).logsumexp(0)),
    Line(r"\mathbb{E}_q \log p(x, z) / q(z)", "Jensen; grid", bound, ">="),
    Line(r"\mathbb{E}_q \log p(x \mid z) - \mathrm{KL}(q \| p(z))", "product rule; grid, closed form", mass @ (joint - plane.log_prior(z)) - prior_kl),
    Line(r"\log p(x) - \mathrm{KL}(q \| p(z \mid x))", "Bayes' rule; grid", log_p - posterior_kl),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 1: elbo
#
# *6 minutes, ★★☆.* The fourth line for a minibatch, with one draw of $z$: from binary `x` and the `logits` $a(z)$, both
# $(n, D)$, and `mu`, `log_sigma` of $q$, both $(n, d)$, compute the bound of each row, $(n,)$. Stuck? Run
# `check.elbo.hint()`, and again for more; `check.elbo.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def elbo(x, logits, mu, log_sigma):
    raise NotImplementedError


check.elbo(elbo)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A gradient through a draw
#
# The bound is an expectation under $q_\phi$, and $\phi$ is what we want to change. How does one differentiate an
# average when the *draws* depend on the parameter? Two ways. With $\partial q = q \, \partial \log q$,
#
# $$\partial_\mu \mathbb{E}_q f(z) = \int f(z) \, \partial_\mu q(z) \, dz = \mathbb{E}_q \big[ f(z) \, \partial_\mu \log q(z) \big]
# = \mathbb{E} \Big[ f(z) \, \frac{\varepsilon}{\sigma} \Big],$$
#
# for $\partial_\mu \log q(z) = (z - \mu) / \sigma^2 = \varepsilon / \sigma$. This derivative is called the **score function**; the method only
# needs values of $f$. Or reparameterise, as in notebook 13: the noise knows nothing of $\mu$, so the derivative may go
# inside,
#
# $$\partial_\mu \mathbb{E}_q f(z) = \mathbb{E} \big[ \partial_\mu f(\mu + \sigma \varepsilon) \big] = \mathbb{E} \big[ f'(z) \big], \qquad
# \partial_\sigma \mathbb{E}_q f(z) = \mathbb{E} \big[ f'(z) \, \varepsilon \big].$$
#
# It needs $f'$, which automatic differentiation gives. The values for $f(z) = \cos 2z$, whose mean is known, $\mathbb{E} \cos
# \omega z = \cos(\omega \mu) \, e^{-\omega^2 \sigma^2 / 2}$ (the real part of a Gaussian's characteristic function):

# %% slideshow={"slide_type": "fragment"}
e, log_w = oracle.gauss_hermite(60)  # a rule for means under a standard normal
score, through = (log_w.exp() @ values for values in gradients.wave_gradients(0.0, 2.0, 0.4, e[:, 0]))
derivation(
    Line(r"\partial_\mu \mathbb{E}_q f(z)", "closed form", gradients.wave_gradient(2.0, 0.4)),
    Line(r"\mathbb{E} [f(z) \, \varepsilon / \sigma]", "score function", score),
    Line(r"\mathbb{E} [f'(z)]", "reparameterised", through),
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: two gradients of one number
#
# 1. Move the level, a constant added to $f$. Which histogram answers? Should it?
# 2. Make $q$ narrow. What happens to the score, and why must that hurt a posterior?
# 3. Find a setting where the score wins.
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. The score's: it multiplies its noise by the level. A constant has no gradient, so all of that is noise. (Take a
#    **baseline** off $f$ first.)
# 2. $\varepsilon / \sigma$ explodes, and posteriors are narrow.
# 3. Level 0, high frequency, wide $q$: $f'$ is then large and says little. "Through $z$" is better for *smooth* $f$.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.two_gradients()

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: reparameterised
#
# *3 minutes, ★☆☆.* From `mu`, `log_sigma` and standard normal `noise`, all $(n, d)$, make the draws, $(n, d)$. The
# check looks at the gradients too.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def reparameterised(mu, log_sigma, noise):
    raise NotImplementedError


check.reparameterised(reparameterised)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The VAE in a dozen lines
#
# Encode, draw, decode, compare. The library's class is a place to keep the two networks. First its bound is ours; then
# ten steps of a plain loop give the same weights as the library's `gradient_descent`. There is *one* loop: the encoder
# climbs the bound towards the posterior while the decoder climbs it towards the data.

# %% slideshow={"slide_type": "fragment"}
def bound_of(vae, x, generator):
    mu, log_sigma = vae.encoder(x).chunk(2, -1)  # (n, 2) each
    z = mu + log_sigma.exp() * torch.randn(mu.shape, generator=generator)
    log_likelihood = torch.distributions.Bernoulli(logits=vae.decoder(z)).log_prob(x).sum(-1)
    kl = (0.5 * (mu**2 + (2 * log_sigma).exp() - 1) - log_sigma).sum(-1)
    return log_likelihood - kl  # (n,)


def untrained():
    return models.VAE(784, 2, hidden=(64, 128), generator=rng.seeded(15))


mine, library, g = untrained(), untrained(), rng.seeded(1)
torch.testing.assert_close(bound_of(mine, x[:50], rng.seeded(0)), library.elbo(x[:50], rng.seeded(0)))

# %% slideshow={"slide_type": "fragment"}
update = torch.optim.Adam(mine.parameters(), lr=5e-3)
for rows in torch.randperm(len(x), generator=g).split(64)[:10]:
    loss = -bound_of(mine, x[rows], g).mean()
    update.zero_grad()
    loss.backward()
    update.step()
training.fit(training.gradient_descent(library, x, rng.seeded(1), steps=10, batch_size=64, lr=5e-3))
torch.testing.assert_close(list(mine.parameters()), list(library.parameters()))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Now in earnest, with two latents, so that a grid can say the truth.

# %% slideshow={"slide_type": "fragment"}
vae = untrained().float()
process = training.gradient_descent(
    vae, x.float(), rng.seeded(15), steps=1500, batch_size=64, lr=5e-3,
    schedule=lambda update: torch.optim.lr_scheduler.CosineAnnealingLR(update, 1500))
history = training.fit(tqdm(process, total=1500), every=100)
vae.requires_grad_(False)
digits = x_new.float()
print(f"bound of the minibatches: {-history['loss'][0]:.0f} nats a digit at first, {-history['loss'][-1]:.0f} at last; new digits: "
      f"{metrics.estimate(vae.elbo(digits, rng.seeded(0)))}")

# %% slideshow={"slide_type": "fragment"}
eight, g = weights.trained(weights.EIGHT).float(), rng.seeded(3)
shown = digits[:16]
rows = {"data": shown, "VAE, 2 latents, p(ink)": vae.reconstruct(shown), "VAE, 8 latents, p(ink)": eight.reconstruct(shown)}
rows["8 latents, tossed"] = rng.bernoulli(rows["VAE, 8 latents, p(ink)"], g)
rows["8 latents, of the prior"] = eight.decode(torch.randn(16, 8, generator=g).float()).sigmoid()
right = {name: ((rows[name] > 0.5) == (shown > 0.5)).double().mean() for name in list(rows)[1:3]}
plots.show(plots.rows_of_pictures(rows), alt="Sixteen digits a row: new ones; decoded from the encoder's mean with two latents, blurred, and with eight, closer; pixels "
           f"tossed; draws of the prior. Pixels right: {', '.join(f'{name[:14]} {share:.1%}' for name, share in right.items())}.")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Which gradient?
#
# For 20 new digits we draw each gradient 400 times, in all four parameters of $q$. Are both unbiased? The exact one
# comes from a rule with 40 × 40 points. And how do their variances compare? A third candidate takes a baseline, the mean of
# $\log p(x \mid z)$, off the score's weights.

# %% slideshow={"slide_type": "fragment"}
found = gradients.bound_gradients(vae, digits[:20], 400, rng.seeded(0))
for name in ("score", "baseline", "reparameterised"):
    draws = getattr(found, name)
    z_scores = (draws.mean(0) - found.exact) / (draws.std(0) / 20)
    ratio = metrics.estimate((found.score.var(0) / draws.var(0)).log10().mean(-1))  # over digits
    print(f"{name:16s} z-scores: root mean square {z_scores.square().mean().sqrt():.2f}, largest {z_scores.abs().max():.1f}; "
          f"variance of the score / its own: 10^({ratio.value:.2f} ± {ratio.error:.2f})")
bets.variance.settle(sum(ratio.value > power for power in (1, 2, 3)))
evidence("S19", "log10 of the variance of the score gradient over the reparameterised one", ratio.value, expect=(3, 5))

# %% [markdown] slideshow={"slide_type": "fragment"}
# (80 z-scores of an unbiased gradient have a root mean square near 1.) All are right on average. The ratio of
# variances is the ratio of draws that are needed for the same noise; a baseline mends most of it, not all. The score
# remains the way where $z$ is discrete, or where $f$ has no derivative.
#
# ## The gap, in two parts
#
# With two latents a fine grid on a disc of radius 7 knows $\log p(x)$ (the encoder sends
# some digits far out). Between the network's bound and the truth lies the bound of the best $q$, notebook 13's:
#
# $$\log p(x) - \text{ELBO}_{\text{network}} = \underbrace{\log p(x) - \text{ELBO}_{\text{best } q}}_{\text{approximation gap}} \; +
# \; \underbrace{\text{ELBO}_{\text{best } q} - \text{ELBO}_{\text{network}}}_{\text{amortisation gap}}.$$
#
# The **approximation gap** is the shape's fault, the **amortisation gap** the guess's. The best $q$ of the same shape
# (independent coordinates) is found by 13's mean-field inference, 150 steps for each
# picture. We start twice, at the network's guess and at the posterior's highest point on a grid, and keep the better end,
# since a single start may end on a lesser hump. Bounds are taken by a rule of 16 × 16 points, so no draw disturbs them.

# %% slideshow={"slide_type": "fragment"}
hundred = digits[:100]
exact = gaps.grid_evidence(vae, hundred)
network, refined = gaps.network_fit(vae, hundred), gaps.best_gaussian(vae, hundred, "diagonal")
best = gaps.better(vae, hundred, refined.q, gaps.best_gaussian(vae, hundred, "diagonal", loc=gaps.peaks(vae, hundred)).q)
bounds = [gaps.exact_elbo(vae, hundred, q) for q in (network.q, best)]
stuck = bounds[1] - gaps.exact_elbo(vae, hundred, refined.q)
approximation, amortisation = exact - bounds[1], bounds[1] - bounds[0]
share = (amortisation.mean() / (exact - bounds[0]).mean()).item()
print(f"log p(x) {metrics.estimate(exact)}; gap: approximation {metrics.estimate(approximation)}, amortisation {metrics.estimate(amortisation)}")
print(f"medians {approximation.median():.2f} and {amortisation.median():.2f}; from the guess alone {(stuck > 1).sum()} pictures get stuck, up to {stuck.max():.0f} nats below the best")
seen = x[:100].float()
print(f"on digits it learnt from, the whole gap: {metrics.estimate(gaps.grid_evidence(vae, seen, 280) - gaps.exact_elbo(vae, seen, gaps.network_gaussian(vae, seen)))}")

# %% slideshow={"slide_type": "fragment"}
plots.show(pictures.two_gaps(approximation, amortisation),
           alt=f"Of 100 new digits the gap is {(exact - bounds[0]).mean():.1f} nats on average, at most {(exact - bounds[0]).max():.0f}; the amortisation gap is "
           f"{share:.0%} of it, and larger for {(amortisation > approximation).double().mean():.0%} of the digits.")
evidence("S32", "share of the gap that an optimisation for each data point would close", share, expect=(0.9, 1))
faster = refined.seconds / network.seconds
print(f"a picture takes the network {1e3 * network.seconds:.3f} ms, its own optimisation {1e3 * refined.seconds:.1f} ms: {faster:,.0f} times as long")
bets.gap.settle(sum(share > limit for limit in (0.25, 0.5, 0.75)))

# %% [markdown] slideshow={"slide_type": "subslide"}
# So the complaint of notebook 13, one optimisation for each data point, is answered, and the answer has a price: the
# shape is nearly blameless, the *guess* is not. The network is quicker by the factor just printed, and pays in nats. (It learnt from 4,000 digits
# only; the gap on those is the smaller one.)
#
# ### Explorer: refine a guess
#
# The network's guess as a start: 0 to 80 steps of optimisation for a single picture.
#
# 1. Find a picture where the network's $q$ hardly touches the posterior. What does that cost?
# 2. How many steps does most of the gain take? Is the network a good start?
# 3. Find a picture whose gap stays, whatever you do. What does its posterior look like?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. More than twenty nats (picture 18): a $q$ pays for all its mass that lies where the posterior has none.
# 2. Twenty or so. Guess first, then refine: *semi-amortised* inference.
# 3. Picture 17: its posterior has two humps, and the steps ended on the lesser one. From the other hump the gap would be
#    smaller; part of it would stay, for one Gaussian cannot cover two humps: that is the approximation gap.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.refine_a_guess(vae, digits)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## More draws, tighter bound
#
# Put notebook 11's average of weights inside the logarithm. This is the bound of the **importance weighted autoencoder**,
# IWAE (Burda, Grosse and Salakhutdinov 2016): with $w_k = p(x, z_k) / q(z_k \mid x)$,
#
# $$L_K = \mathbb{E} \log \frac1K \sum_{k=1}^{K} w_k \;\le\; \log \mathbb{E} \, \frac1K \sum_{k=1}^{K} w_k = \log p(x), \qquad L_1 =
# \text{ELBO}.$$
#
# It cannot fall with $K$: a mean of $K$ weights is the mean, over all ways to leave one out, of means of $K - 1$, so Jensen
# gives
#
# $$L_K = \mathbb{E} \log \frac1K \sum_{i=1}^{K} \Big( \frac{1}{K-1} \sum_{k \ne i} w_k \Big) \;\ge\; \frac1K \sum_{i=1}^{K} \mathbb{E} \log
# \frac{1}{K-1} \sum_{k \ne i} w_k = L_{K-1}.$$
#
# ### Exercise 3: iwae_bound
#
# *4 minutes, ★☆☆.* From `log_joint`, $\log p(x, z_k)$, and `log_q`, both $(K, n)$, compute the bound of each picture,
# $(n,)$. Some logs of the test are near −1500.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def iwae_bound(log_joint, log_q):
    raise NotImplementedError


check.iwae_bound(iwae_bound)

# %% [markdown] slideshow={"slide_type": "fragment"}
# Does it reach the truth? And do more draws help to *learn*? On the right: $|\text{mean}| / \text{standard deviation}$ of a gradient
# over 60 repeats, in the encoder's $\mu$ and in the decoder's last bias; errors are over digits.

# %% slideshow={"slide_type": "fragment"}
sizes, forty, truth = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512], hundred[:40], exact[:40]
proposals = {"the network's q": gaps.network_gaussian(vae, forty), "the best q": gaps.GaussianApproximation(best.loc[:40], best.scale_tril[:40])}
tables = {name: ladder.log_weights(vae, forty, 2048, rng.seeded(1), q) for name, q in proposals.items()}
below = {name: torch.stack([truth - ladder.in_blocks(table, K).mean(0) for K in sizes]) for name, table in tables.items()}
signals = {K: gradients.signal_to_noise(vae, digits[:20], K, 60, rng.seeded(K)) for K in (1, 4, 16, 64)}
left = {name: metrics.estimate(rows[-1]) for name, rows in below.items()}
change = {side: metrics.estimate(getattr(signals[64], side) - getattr(signals[1], side)) for side in ("encoder", "decoder")}
plots.show(pictures.more_draws(sizes, below, signals),
           alt=f"The bound rises with K: {below['the network' + chr(39) + 's q'][0].mean():.1f} nats below log p(x) at K = 1; at 512 {left['the network' + chr(39) + 's q']} with the "
           f"network's q, {left['the best q']} with the best. From K = 1 to 64 log signal to noise changes by {change['decoder']} (decoder), {change['encoder']} (encoder).")
evidence("S28", "nats that the bound with 512 draws of the network's q leaves", left["the network's q"].value, expect=(0.2, 2), unit="nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# It rises in every step, as it must, and from the network's $q$ it rises slowly: where the guess misses the posterior, most
# of its 512 draws miss it too. From the best $q$ it is nearly there at once. *Common slips*: **a better bound is not a better model** (nothing was
# learnt here, only measured), and **more draws do not always help the encoder**. With large $K$ the bound cares less and less
# which $q$ it is: the decoder's signal grows clearly, the encoder's sinks (its bars are wide, so believe the direction only). Rainforth and others (2018) prove $\sqrt K$ and $1 /
# \sqrt K$ in the limit; from $K = 1$ to 64 that would be $\pm \log 8 = \pm 2.1$. We are not there yet, but on the way.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The bound ladder
#
# Ways of four notebooks to estimate the same $\log p(x)$, for the same 40 digits, with error bars and the time they
# take, beside the exact value.

# %% slideshow={"slide_type": "fragment"}
rungs = ladder.gaussian_rungs(vae, forty, truth)
rungs += ladder.iwae_rungs(vae, forty, truth, sizes, rng.seeded(2))
rungs += ladder.naive_rungs(vae, forty, truth, [100, 1000, 10_000], rng.seeded(3))
rungs += ladder.annealed_rungs(vae, forty, truth, [10, 30, 100], rng.seeded(4))
said = ", ".join(f"{rung.name} {rung.estimate.value:+.2f}" for rung in rungs)
plots.show(pictures.bound_ladder(rungs), alt=f"Mean estimates minus exact log p(x) of {len(forty)} digits, in nats: {said}.")
evidence("S31", "nats from log p(x) by annealing, T = 100", rungs[-1].estimate.value, expect=(-0.6, 0.2), unit="nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Read it from above: one pass of the network, optimisations (without the time to score them), draws from the network's
# guess, draws from the prior, and annealing's walk. What is cheap is loose. In *two*
# dimensions ten thousand draws of the prior, decoded once for all digits, are a good buy; notebook 11 measured what becomes
# of them in 32, while a guess costs the same in any dimension. In the mean no rung can lie
# above the truth: each is a bound, or the log of an unbiased estimate (Jensen). A single digit's draw can. (The error bars
# are those of a mean over digits. All digits share the prior's draws, whose luck these bars leave out.)

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* This is the picture of Parts IV and V. Let the room name for each rung the notebook it comes from, and what it would
# cost with 100 latents.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Break it: the latent variable that died
#
# Give the decoder ears: let every pixel also hear *all pixels before it*, through notebook 05's masked network $b_d$,
#
# $$p(x \mid z) = \prod_d \mathrm{Bernoulli}\big(x_d; \sigma(a_d(z) + b_d(x_{<d}))\big).$$
#
# This can only make the model richer. Digits of 8 × 8 pixels, two latents, 300 steps.

# %% slideshow={"slide_type": "fragment"}
bets.autopsy()

# %% slideshow={"slide_type": "fragment"}
treatments = {"plain VAE": {"hears": 0}, "plain, β = 8": {"hears": 0, "beta": 8.0}, "hears 128 units": {"hears": 128},
              "hears, β rises from 0 to 1": {"hears": 128, "warm_up": 0.5}, "hears, 1 nat each is free": {"hears": 128, "free_nats": 1.0}}
patients = {name: collapse.treated(**how) for name, how in treatments.items()}
for name, patient in patients.items():
    kl, log_p = patient.signs
    print(f"{name:28s} KL(q‖prior) {kl}, log p(x) {log_p}")

# %% slideshow={"slide_type": "fragment"}
dead, healed = patients["hears 128 units"], patients["hears, β rises from 0 to 1"]
said = "; ".join(f"{name}: KL {patient.kl.mean():.2f}, log p(x) {patient.log_evidence.mean():.1f}" for name, patient in patients.items())
plots.show(pictures.collapse(patients), alt=f"Five treatments by divergence and log-likelihood. {said}.")
print(f"healed minus dead: log p(x) {metrics.estimate(healed.log_evidence - dead.log_evidence)}, bound {metrics.estimate(healed.bound - dead.bound)} nats")
evidence("S20", "KL(q‖prior) of a latent beside a decoder that hears the pixels before", dead.kl.mean(), expect=(0, 0.2), unit="nats")
bets.autopsy.settle(sum(dead.kl.mean().item() < limit for limit in (1, 0.2)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Posterior collapse**: $q(z \mid x)$ is nearly the prior for every $x$; the model is far *better* than the plain one, and its
# latent variable says next to nothing. No bug: early on $z$ is noise and costs divergence, while the pixels before are
# free; it is switched off before it can be of use. That is a trap, not the optimum: with $z$ alive even the *bound* is
# higher (printed above). Two cures: let the divergence's weight $\beta$ rise from 0 (**warm-up**), or charge only what
# exceeds a nat a coordinate (**free bits**). Both wake $z$, and the likelihood hardly notices: whoever wants latents that
# *mean* something must ask for that.
#
# The weight $\beta$ has a reputation: "larger β **disentangles**" (gives each cause a coordinate of its own), "the
# blur comes from the KL". Two measurements:

# %% slideshow={"slide_type": "fragment"}
for beta in (0.1, 0.5, 1.0, 2.0, 4.0):
    patient = collapse.treated(0, beta=beta)
    print(f"β = {beta:3}: KL {metrics.estimate(patient.kl)}, log p(x) {metrics.estimate(patient.log_evidence)}, entropy of the decoded pixels "
          f"{metrics.estimate(patient.blur)} nats a digit")

# %% [markdown] slideshow={"slide_type": "fragment"}
# A $\beta$ above 1 is **not free**: it costs nats of $\log p(x)$. And most of the blur stays when the divergence hardly
# counts (a heavy one adds to it): two numbers cannot say where each stroke ends, and a likelihood of separate coins shows
# its doubt as grey. (The row *tossed* above is what such a model really draws.)
#
# ### Exercise 4: kill_the_latent
#
# *8 minutes, ★★☆, a reverse exercise.* Return `(hears, beta)`: hidden units of the network that hears (0 to 256), and
# the divergence's weight (above 0, at most 10). After 300 steps KL(q‖prior) must be below 0.05 nats, *and* $\log p(x)$ no worse
# than the plain VAE's.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def kill_the_latent():
    raise NotImplementedError


check.kill_the_latent(kill_the_latent)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A circle closes: few labels
#
# Notebook 02 summed unknown labels out with EM. Now the label $y$ is a second latent, a choice, beside a
# continuous $z$: $p(x, y, z) = \tfrac1{10} \, p(z) \, p(x \mid y, z)$ (Kingma and others 2014). With $L(x, y)$ the bound on
# $\log p(x, y)$ and a classifier $q(y \mid x)$, the same trick as above, now with a sum that can be done exactly:
#
# $$\log p(x) \ge \sum_y q(y \mid x) \big[ L(x, y) - \log q(y \mid x) \big].$$
#
# A digit with a label counts $L(x, y)$, which does not train $q(y \mid x)$; so its cross-entropy is added, ten times.
#
# ### Exercise 5: unlabelled_bound
#
# *4 minutes, ★☆☆.* From `bounds`, $L(x, y)$ for every label, and `log_q`, both $(n, C)$, compute it for each row, $(n,)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def unlabelled_bound(bounds, log_q):
    raise NotImplementedError


check.unlabelled_bound(unlabelled_bound)

# %% slideshow={"slide_type": "fragment"}
counts = [1, 10, 100]
shares = labels.curve(counts, deals=3)
for name in ("gain of EM", "gain of the VAE", "VAE minus EM"):
    print(f"{name:16s}" + "; ".join(f"{count:3d} labels: {value:+.1f} ± {error:.1f} points" for count, (value, error) in zip(counts, shares[name])))
plots.show(pictures.few_labels(counts, shares), alt="Right answers on new digits, in per cent, with 1, 10 and 100 labels a class. " + "; ".join(
    f"{name}: " + ", ".join(f"{share.value:.0f}" for share in values) for name, values in shares.items() if name.startswith("n")))
evidence("S7", "points that a VAE gains from 4,000 unlabelled digits, 10 labels a class", shares["gain of the VAE"][1].value, expect=(1, 7), unit="points")
evidence("S7", "the same by notebook 02's EM, 100 labels a class (it hurts)", shares["gain of EM"][2].value, expect=(-5, -1), unit="points")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** With one label a class the simple model wins by far: its ten averaged faces leave little
# to guess, while a network can attach ten labels to anything. With ten the VAE gains and EM no longer does; with
# a hundred EM *hurts*, as notebook 02 found, and the VAE does not. A likely reason: given the label its pixels are no longer
# independent, so the model is less wrong, and more pictures no longer outvote the labels. (From three deals, which
# share digits, an error bar is itself a rough guess.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Fifteen notebooks, one picture
#
# The course's models that give a 28 × 28 digit a probability, on the same 1,000 new digits (notebook 10 lists a few weaker
# ones more). Notebook 05's regressions and its network, MADE, learn here for five epochs, there for ten and eight, and
# come out a little better there. The VAE with eight latents has a *bound*, with 128 draws.

# %% slideshow={"slide_type": "fragment"}
nats = bits.counted(x.float(), digits) | bits.autoregressive(x.float(), digits, epochs=5) | bits.shipped(digits)
nats["VAE, 2 latents, trained here (15)"] = gaps.grid_evidence(vae, digits, 200)
scores = {name: bits.from_nats(values) for name, values in nats.items()} | {"PNG, 100 digits a file (03)": bits.compressed(digits)}
hidden = {name for name in scores if any(word in name for word in ("latent", "mixture"))}
order = sorted(scores, key=lambda name: scores[name].value)
plots.show(pictures.bits_ladder(scores, hidden), alt="Bits a pixel: " + ", ".join(f"{name} {scores[name].value:.3f}" for name in order) + ".")
gain = metrics.estimate(nats["VAE, 8 latents, a bound (15)"] - nats["tree of pixels (03)"])
evidence("S26", "held-out gain of a VAE with 8 latents over a tree of pixels, at least", gain.value, expect=(10, 20), unit="nats a digit")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Notebook 10 asked how far two simple pieces reach, and lost to a tree of neighbours. With eight latents they win by far: what
# could not be *computed* there can be *bounded* here. With two, notebook 10's decoder is the better one. It had the exact
# gradient, but it is also larger and trained longer: the picture cannot say which of these helped. And the two that hear every
# pixel before are best, at a price that stands in their row below: they draw one pixel after another, and know no cause.
#
# ## The table of promises
#
# What can a model answer exactly, and at what cost? Every family of the course, by its card:

# %% slideshow={"slide_type": "fragment"}
promises.table()

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Where the field went.** No row promises everything: exact $p(x)$, a latent that means something, a cheap gradient,
# quick samples. Every later family chooses what to give up. A **flow** bends $z$ into $x$ by a map that can be undone,
# so that the change of variables replaces the integral. **Diffusion** is a deep latent variable model whose encoder is
# fixed to adding noise: what is left to learn is to remove a little of it, with the bound of this notebook. A
# **transformer** is notebook 05's product with **attention**, weights that the network computes from the content
# itself, in place of masked ones. (Text goes one way, pictures mostly another, many systems both.)

# %% slideshow={"slide_type": "fragment"}
promises.roads()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Close with the question of notebook 01: what do you know when you know how data are made? Let everybody choose the row they would
# buy, and say what they lose.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. One network can answer for every data point, in one pass; what it pays is the amortisation gap, the larger part of the gap.
# 2. ELBO = reconstruction − divergence from the prior = log p(x) − divergence from the posterior.
# 3. Reparameterised gradients are quieter by orders of magnitude, where $f$ is smooth and $z$ continuous.
# 4. More draws tighten the bound, not the model, and they drown the encoder's signal.
# 5. Beside a decoder that can do without it a latent may die; likelihood hardly minds.
#
# ## The statements, measured
#
# No statement of the text is this notebook's own: it adds to earlier ones. Here is the whole ledger, as far as
# you have run the course.

# %% slideshow={"slide_type": "skip"}
evidence.table()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# $\log p(x)$ of a deep model with more than a few latents: all we have is bounds, and how tight they are we know only where we do not
# need them. Causes that *mean* something: no likelihood asks for them. And $p^*$, which nobody will ever know.
#
# ## In practice
#
# Pyro and NumPyro take any model with latents and any guess. In plain PyTorch, `rsample` reparameterises, and
# `kl_divergence` knows the closed forms:

# %% slideshow={"slide_type": "fragment"}
from torch.distributions import Bernoulli, Normal, kl_divergence

torch.manual_seed(0)  # torch.distributions draws from the global generator
mu, log_sigma = vae.posterior_approximation(hundred)
q = Normal(mu, log_sigma.exp())
kl = kl_divergence(q, Normal(torch.zeros(()), torch.ones(()))).sum(-1)
theirs = torch.stack([Bernoulli(logits=vae.decode(q.rsample())).log_prob(hundred).sum(-1) - kl for _ in range(200)])
z_score = (theirs.mean(0) - bounds[0]) / (theirs.std(0) / 200**0.5)
print(f"PyTorch's bound against ours, 100 digits: z-scores with root mean square {z_score.square().mean().sqrt():.2f}")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@kingma2014auto] The VAE.
# - [@rezende2014stochastic] The VAE, in the same year.
# - [@williams1992simple] The score function.
# - [@cremer2018inference] The gap in two parts.
# - [@burda2016importance] The bounds with $K$ draws.
# - [@rainforth2018tighter] What more draws do to the encoder.
# - [@bowman2016generating] Collapse, and warm-up.
# - [@kingma2016improved] Free bits.
# - [@kingma2014semi] Few labels.
# - [@higgins2017beta] The weight on the KL.
# - [@ho2020denoising] Diffusion.
