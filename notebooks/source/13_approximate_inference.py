# %% [markdown] slideshow={"slide_type": "slide"}
# # 13 · Approximate inference
#
# **Question.** What can we do instead, and what does it cost?
#
# **You will be able to**
#
# 1. put a Gaussian on a posterior, by its curvature or by a bound ([exercise 1](#Exercise-1:-laplace_covariance),
#    [exercise 2](#Exercise-2:-mean_field_elbo))
# 2. say in advance where such a Gaussian is too sure of itself ([exercise 3](#Exercise-3:-overconfident))
# 3. write a Markov chain that settles on a density known up to a constant ([exercise 4](#Exercise-4:-metropolis),
#    [exercise 5](#Exercise-5:-leapfrog_step))
# 4. find a fault in a sampler, and know what its diagnostics cannot see ([exercise 4](#Exercise-4:-metropolis))
#
# **You need** notebook 08's bound and its gap, notebook 10's decoder, expectations, the **Hessian** (the matrix of
# second derivatives). Notation: $x$ is a picture, $z$ its latent cause, $q(z)$ an approximation of the posterior
# $p(z \mid x)$; $\log$ is natural, in nats. All words and signs: [glossary](glossary.ipynb).
#
# **Time.** 80 minutes to read and explore, 30 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 42 s, 588 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import metrics, plots, rng
from course_lib.classroom import Line, derivation, evidence
from course_lib.inference import annealing, chains, diagnostics, importance, laplace, leapfrog, oracle, variational
from course_lib.inference.approximation import GaussianApproximation
from course_lib.lessons.n13_approximate_inference import Banana, Race, bets, check, experiments, explorers, pictures, weights
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Three complaints
#
# A posterior needs an integral that nobody can do, so one *approximates*. Of the traditional ways it is said that they
# are slow, that they need an optimisation for each data point, and that what comes out is poor. Is that so? We can do
# what is seldom done: put the exact answer beside each of them. Notebook 10's digits have two latent numbers, so a fine
# grid knows their posteriors. The methods will not be told.
#
# **The model** is that of notebook 10. Nature draws $z$ from a standard normal; a network turns it into the log-odds
# $a_d(z)$ of each pixel; each pixel is tossed:
#
# $$p(x, z) = \mathcal{N}(z; 0, I) \; \prod_{d=1}^{784} \mathrm{Bernoulli}\big(x_d; \sigma(a_d(z))\big), \qquad
# p(z \mid x) = \frac{p(x, z)}{p(x)}.$$
#
# All nine methods below ask for one thing only: $\log p(x, z)$ wherever they like, and perhaps its gradient. **The
# denominator never appears.**

# %% slideshow={"slide_type": "fragment"}
model = weights.trained(weights.PLANE).float()  # the shipped decoder; single precision is enough, and twice as fast
x = weights.digits()[1][:50].float()  # 50 digits that it has never seen


def log_joint(z):  # z (..., 50, 2): one place for each digit
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    return prior + torch.distributions.Bernoulli(logits=model.decoder(z)).log_prob(x).sum(-1)


z = torch.randn(3, 50, 2, generator=rng.seeded(1)).float()
torch.testing.assert_close(log_joint(z), model.log_joint(x, z))
figure, ax = plots.figure(height=1.6, width=4)
plots.graph(ax, {"$z$": (0, 0), "$x$": (1.6, 0)}, [("$z$", "$x$")], observed=["$x$"], plate=(-0.5, -0.5, 2.6, 1.0), repeats="$n$")
plots.show(figure, alt=f"Graphical model: an arrow from the latent z to the picture x, for each of {len(x)} pictures.")
model.card

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A yardstick: 36 cells
#
# How good is an approximation? Cut each exact posterior into 36 **cells of equal mass**: six strips across its longest
# axis, six pieces each. Every method hands over 1,000 draws (or as many as it has); $q_c$ is the share that falls into
# cell $c$, and
#
# $$\mathrm{KL}(q \,\|\, p) = \sum_{c=1}^{36} q_c \log \frac{q_c}{1/36}.$$
#
# One convention for all, with two ends. All draws in one cell: $\log 36$. Exact draws do not reach 0, for their counts
# jitter: write $q_c = (1 + \delta_c) / 36$. To second order the sum is $\tfrac{1}{72} \sum \delta_c^2$, and the counts of
# $S$ draws have $\mathbb{E}\, \delta_c^2 = 35 / S$, so about $35 / (2 S)$ remains. That is the **floor** for
# independent draws, and few draws have a high one. (Cells do not see what happens inside them, so the full divergence
# of $q$ is larger.)

# %% slideshow={"slide_type": "fragment"}
race = Race(model, x)  # finds the 50 exact posteriors; keeps the time and counts how often the decoder is asked
g = rng.seeded(13)
floor = metrics.estimate(race.cells.divergence(race.truth.sample(1000, g)))
print(f"exact draws: {floor} nats; predicted 35 / 2000 = {35 / 2000}; a single point: log 36 = {torch.tensor(36).log():.3f}")
deviations = race.truth.covariance.diagonal(dim1=-2, dim2=-1).sqrt()
print(f"half of the posteriors' standard deviations lie below {deviations.median():.3f}; the prior's is 1")

# %% slideshow={"slide_type": "fragment"}
bets.typical()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask which of the three complaints the room believes. Then the bet, by a show of hands. Stress that the
# grid is the luxury of two dimensions: with ten latents nobody could mark this homework.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Climb: the mode, and Laplace's Gaussian
#
# **MAP**, the maximum a posteriori: climb $\log p(x, z)$ and report where you end. Posteriors are narrow, so first look
# around: 2,000 draws from the prior, decoded once for all digits; each digit begins at its best.
#
# A point has no width. **Laplace** reads it off the curvature. Let $H$ be the Hessian of $\log p(x, z)$ at the mode
# $\hat z$, where the gradient is zero, and $\delta = z - \hat z$. Taylor to second order, then the exponential, then
# the Gaussian integral $\int e^{-\delta^\top A \delta / 2} d\delta = (2 \pi)^{d/2} |A|^{-1/2}$ with $A = -H$:
#
# $$\begin{aligned}
# \log p(x, z) &\approx \log p(x, \hat z) + \tfrac12 \, \delta^\top H \, \delta
# \quad \Rightarrow \quad p(z \mid x) \approx \mathcal{N}\big(z; \hat z, (-H)^{-1}\big), \\
# \log p(x) = \log \int p(x, z) \, dz &\approx \log p(x, \hat z) + \tfrac{d}{2} \log 2 \pi - \tfrac12 \log |{-H}|.
# \end{aligned}$$
#
# Only Taylor's step is approximate; what follows from it is exact. So this method gives **both**: a posterior
# *and* $p(x)$.

# %% slideshow={"slide_type": "fragment"}
def climb(log_joint, start, steps=150, lr=0.03):
    z = start.clone().requires_grad_()
    update = torch.optim.Adam([z], lr=lr)
    for step in range(steps):
        update.param_groups[0]["lr"] = lr * (1 - step / steps)
        update.zero_grad()
        (-log_joint(z).sum()).backward()  # a sum: no digit feels another
        update.step()
    return z.detach()


starts, look = race.look_around(g)  # (4, 50, 2): four places a digit, each the best of 500; and what this cost
best = starts[race.log_joint(starts).argmax(0), torch.arange(50)]  # (50, 2)
race.begin(look)
mode = climb(race.log_joint, best)
race.enter("MAP", mode.expand(1000, 50, 2))
fitted = laplace.laplace(race.log_joint, mode)  # the Hessian by automatic differentiation, and the two formulas
race.enter("Laplace", fitted.approximation.sample(1000, g), log_evidence=fitted.log_evidence)

# %% slideshow={"slide_type": "fragment"}
double = weights.trained(weights.PLANE)  # one digit alone is worth double precision


def first(z):  # log p(x, z) of the first digit: (m, 2) -> (m,)
    return double.log_joint(x[:1].double(), z[:, None])[:, 0]


peak = mode[:1].double()
H = laplace.hessian(first, peak)[0]
offsets, log_cell = oracle.grid(-0.4, 0.4, 400, dimensions=2)
parabola = first(peak) + 0.5 * (offsets @ H * offsets).sum(-1)
by_hand = first(peak)[0] + torch.tensor(2 * torch.pi).log() - 0.5 * torch.logdet(-H)
print(f"Laplace's log p(x) {by_hand:.3f}, truth {race.truth.log_evidence[0]:.3f} nats")
derivation(
    Line(r"\log \int e^{\log p(x, \hat z) + \delta^\top H \delta / 2} d\delta", "a fine grid", (parabola + log_cell).logsumexp(0)),
    Line(r"\log p(x, \hat z) + \tfrac{d}{2} \log 2 \pi - \tfrac12 \log |{-H}|", "the Gaussian integral", by_hand),
    Line(r"\mathrm{laplace}(\cdot)", "the library", laplace.laplace(first, peak).log_evidence[0]),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 1: laplace_covariance
#
# *5 minutes, ★☆☆.* Given a function `log_joint` of one `z` of shape $(d,)$ and its `mode` $(d,)$, return the covariance
# $(d, d)$ of Laplace's Gaussian. `torch.autograd.functional.hessian` makes the Hessian. Stuck? Run
# `check.laplace_covariance.hint()`; `check.laplace_covariance.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def laplace_covariance(log_joint, mode):
    raise NotImplementedError


check.laplace_covariance(laplace_covariance)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Fit: variational inference
#
# Laplace looks at one point. **Variational inference** looks wherever $q$ has mass: of all Gaussians it chooses the one
# with the smallest $\mathrm{KL}(q \,\|\, p(z \mid x))$. But that contains the unknown posterior! Notebook 08's bound
# comes to the rescue, now with an integral. For any density $q$:
#
# $$\begin{aligned}
# \log p(x) &= \mathbb{E}_q \big[ \log p(x) \big] && \text{a constant is its own mean} \\
# &= \mathbb{E}_q \big[ \log p(x, z) - \log p(z \mid x) \big] && \text{product rule} \\
# &= \underbrace{\mathbb{E}_q \big[ \log p(x, z) - \log q(z) \big]}_{\text{ELBO}}
# + \underbrace{\mathbb{E}_q \big[ \log q(z) - \log p(z \mid x) \big]}_{\mathrm{KL}(q \| p)} && \text{add and subtract } \log q \\
# &\ge \text{ELBO} && \mathrm{KL} \ge 0
# \end{aligned}$$
#
# The first part is the **evidence lower bound**, ELBO. The left side does not know $q$: whoever **raises the evidence
# lower bound lowers the divergence by as much**, and the
# bound needs only the joint. Here every line, for Laplace's $q$ of the first digit:

# %% slideshow={"slide_type": "fragment"}
q = GaussianApproximation(peak[0], fitted.approximation.scale_tril[0].double())
noise, log_w = oracle.gauss_hermite(60, 2)  # a rule for means under a standard normal: z = mu + L e
places, w = q.transform(noise), log_w.exp()
joint, log_q, log_p = first(places), q.log_prob(places), race.truth.log_evidence[0]
posterior = joint - log_p  # log p(z | x), which only the grid knows
bound, gap = w @ (joint - log_q), w @ (log_q - posterior)
derivation(
    Line(r"\log p(x)", "the grid", log_p),
    Line(r"\mathbb{E}_q [\log p(x, z) - \log p(z \mid x)]", "product rule", w @ (joint - posterior)),
    Line(r"\text{ELBO} + \mathrm{KL}(q \| p)", "add and subtract log q", bound + gap),
    Line(r"\text{ELBO}", "KL ≥ 0", bound, ">="),
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# **How to climb it.** Draws depend on the parameters of $q$, so write them as $z = \mu + \sigma \varepsilon$ with
# $\varepsilon \sim \mathcal{N}(0, I)$: now the noise knows nothing of $\mu$ and $\sigma$, and the gradient goes
# through. (This is the **reparameterisation**; notebook 15 returns to it.) If $q$ has independent coordinates, which
# is called **mean field**, its entropy is known: $-\mathbb{E}_q \log q = \sum_i \tfrac12 \log 2 \pi e \sigma_i^2$,
# because $-\log q = \tfrac12 \log 2 \pi \sigma^2 + \tfrac12 \varepsilon^2$ and $\mathbb{E}\, \varepsilon^2 = 1$. With
# independent coordinates it is all a dozen lines. The library does the same, and also with a **full covariance**.

# %% slideshow={"slide_type": "fragment"}
def mean_field(log_joint, start, generator, steps=200, lr=0.03, draws=4):
    mu, log_sigma = start.clone().requires_grad_(), torch.full_like(start, 0.05).log().requires_grad_()
    update = torch.optim.Adam([mu, log_sigma], lr=lr)
    for step in range(steps):
        update.param_groups[0]["lr"] = lr * (1 - step / steps)
        z = mu + log_sigma.exp() * torch.randn(draws, *start.shape, generator=generator).float()
        entropy = (log_sigma + 0.5 * torch.tensor(2 * torch.pi * torch.e).log()).sum(-1)
        elbo = log_joint(z).mean(0) + entropy  # (50,)
        update.zero_grad()
        (-elbo.sum()).backward()
        update.step()
    return GaussianApproximation(mu.detach(), torch.diag_embed(log_sigma.detach().exp()))


# %% slideshow={"slide_type": "fragment"}
found = {"Laplace": fitted.approximation}
for name, shape in (("mean field", "diagonal"), ("full covariance", "full")):
    race.begin(look)
    process = variational.variational(
        race.log_joint, GaussianApproximation.around(best, 0.05), g, steps=200, lr=0.03, draws=4, covariance=shape)
    for step in race.watch(name, process, 200):
        if step.index in (25, 50, 100):
            race.enter(name, step.approximation.sample(1000, g))
    found[name] = step.approximation
    bound = variational.elbo(race.log_joint, found[name], 200, g)
    race.enter(name, found[name].sample(1000, g), log_evidence=bound.value)

ours = mean_field(log_joint, best, rng.seeded(2))  # other noise, the same answer
bounds = [variational.elbo(race.log_joint, q, 500, rng.seeded(3)).value for q in (ours, found["mean field"])]
torch.testing.assert_close(bounds[0].mean(), bounds[1].mean(), atol=0.05, rtol=0)
print(f"bound by hand minus the library's: {metrics.estimate(bounds[0] - bounds[1])} nats a digit")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: mean_field_elbo
#
# *5 minutes, ★☆☆.* From `log_joint_values`, $\log p(x_i, z_s)$ of shape $(S, n)$ at draws from $q$, and `log_scale`,
# $\log \sigma$ of shape $(n, d)$, estimate each digit's bound, $(n,)$, with the closed entropy.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def mean_field_elbo(log_joint_values, log_scale):
    raise NotImplementedError


check.mean_field_elbo(mean_field_elbo)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: be the optimiser
#
# A real digit's posterior. Drag your Gaussian's centre and its axes.
#
# 1. How small can you make the divergence? Where does the best $q$ lie: on the peak, or between?
# 2. Press *The posterior's own mean and covariance*. Is that the best $q$?
# 3. Shrink $q$ onto the darkest spot. Which of the two terms, mean of the log-joint or entropy, stops you?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. About 0.21 nats: long, tilted, over both ends.
# 2. No, it reaches 0.26. The best is a little narrower: $\mathrm{KL}(q \| p)$ asks $q$ to stay where $p$ is, not to cover
#    all of it.
# 3. The entropy: halving both axes costs $2 \log 2 = 1.4$ nats, and the log-joint can pay only so much.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.be_the_optimiser()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Too sure of itself
#
# Let the posterior be a Gaussian with precision $\Lambda = \Sigma^{-1}$, and fit a mean-field $q$ with the right mean.
# What depends on $\sigma_i$ in the bound is
#
# $$-\tfrac12 \, \mathbb{E}_q \big[ (z - \mu)^\top \Lambda (z - \mu) \big] + \sum_i \log \sigma_i
# = \sum_i \Big( -\tfrac12 \Lambda_{ii} \sigma_i^2 + \log \sigma_i \Big),
# \qquad \text{so} \quad \sigma_i^2 = 1 / \Lambda_{ii}.$$
#
# (The mixed terms vanish, since $q$'s coordinates are independent; then the derivative is set to zero.) But
# $1 / \Lambda_{ii}$ is the variance of $z_i$ *when the other coordinates are held still*. With correlation $\rho$ it is
# $(1 - \rho^2) \, \Sigma_{ii}$: too small, always. **"A small $\mathrm{KL}(q \| p)$ means that $q$ covers $p$"** is a
# misconception: this direction punishes $q$ for being where $p$ is not, and hardly for missing what $p$ has.
#
# ### Explorer: mean field against a banana
#
# 1. Press *The best q* at bend 0, 1 and 2. What happens to the share of $p$ inside the ring?
# 2. Now enlarge $q$ until the ring holds 95 % of $p$. What does that do to the two divergences?
# 3. Which thickness makes even bend 2 harmless?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. It falls from 95 % to one half: $q$ hides in the bottom of the banana.
# 2. $\mathrm{KL}(q \| p)$ grows, $\mathrm{KL}(p \| q)$ shrinks: they disagree about what is good.
# 3. None here; the bend beside the thickness counts, and thicker is better.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.mean_field_banana()

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: overconfident
#
# *6 minutes, ★★☆, a reverse exercise.* Make mean field overconfident: return a posterior covariance, $(2, 2)$, for which
# both standard deviations of the best mean-field Gaussian are too small by `factor`, 3 for example.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def overconfident(factor):
    raise NotImplementedError


check.overconfident(overconfident)

# %% slideshow={"slide_type": "subslide"}
shown = [22, 15, 7, 33]
plots.show(pictures.four_posteriors(race, shown, found),
           alt="Four exact posteriors, each with the rings of Laplace, mean field and full covariance. Divergences in nats: " + "; ".join(
               f"digit {digit}: " + ", ".join(f"{name} {race.last(name).divergence[digit]:.2f}" for name in found) for digit in shown))
typical = race.last("full covariance").divergence.median().item()
bets.typical.settle(sum(typical > limit for limit in (0.05, 0.2, 1)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Four ways to fail. **Digit 22** is an ellipse, and only mean field, which cannot tilt, misses it. **Digit 15** has
# *creases*: our network is made of straight pieces (ReLU), so the log-joint has edges and small hills. The climb ended on
# one, and Laplace describes the hill, not the mountain beside it. **Digit 7** is a dumb-bell: Laplace describes one end
# of it; full covariance covers both ends, and too much of what lies between. **Digit 33** has two modes: each of these
# Gaussians describes one, and knows nothing of the other. More steps would not help: they lead to the best *Gaussian*
# nearby, not to the truth.

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Before the figure, let the room draw on the board what a Gaussian will do with a banana and with two
# humps. Then the misconception: "with more steps variational inference reaches the posterior".

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Walk: Markov chains
#
# Now we give up the family of Gaussians. A **Markov chain**, a random walk in which each step depends on the present
# place only, wanders over the plane so that the share of time spent at each place becomes
# $\pi(z) = p(z \mid x)$. Propose $z'$ from $g(z' \mid z)$, and accept it with probability $a(z, z')$, else **stay, and count the old place
# once more**. If for all pairs of places as much probability flows there as back, which is called **detailed balance**,
# $\pi$ stays as it is. Choose $a = \min(1, r)$ with $r = \frac{\pi(z') \, g(z \mid z')}{\pi(z) \, g(z' \mid z)}$.
# Then the flow there is
#
# $$\pi(z) \, g(z' \mid z) \min(1, r) = \min \big( \pi(z) \, g(z' \mid z), \; \pi(z') \, g(z \mid z') \big)
# = \pi(z') \, g(z \mid z') \min(1, 1/r).$$
#
# First $\pi(z) \, g(z' \mid z)$ is moved into the minimum. What stands there does not change if $z$ and $z'$ are
# exchanged. Then $\pi(z') \, g(z \mid z')$ is taken out, and what remains is the flow back. In the ratio $p(x)$
# cancels. For a random walk $g$ is symmetric and cancels too. Two places of the first digit's posterior, in logs:

# %% slideshow={"slide_type": "fragment"}
here, there = peak, peak + torch.tensor([[0.05, -0.03]])
log_r = (first(there) - first(here))[0]
log_pi, log_g = (lambda z: (first(z) - log_p)[0]), torch.distributions.Normal(here, 0.04).log_prob(there).sum()
zero = torch.zeros(())
derivation(
    Line(r"\log \pi(z) \, g(z' | z) \min(1, r)", "the flow there", log_pi(here) + log_g + torch.minimum(zero, log_r)),
    Line(r"\log \min(\pi(z) \, g(z' | z), \pi(z') \, g(z | z'))", "move the factor inside", torch.minimum(log_pi(here), log_pi(there)) + log_g),
    Line(r"\log \pi(z') \, g(z | z') \min(1, 1/r)", "the flow back", log_pi(there) + log_g + torch.minimum(zero, -log_r)),
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# With a random walk this is notebook 11's Metropolis, in a few lines. The library's chain, with the same draws, goes
# the same way:

# %% slideshow={"slide_type": "fragment"}
def metropolis_chain(log_density, z, generator, step_size, length):
    kept = []
    for _ in range(length):
        proposal = z + step_size * torch.randn(z.shape, generator=generator)
        log_ratio = log_density(proposal) - log_density(z)
        accepted = torch.rand(log_ratio.shape, generator=generator).log() < log_ratio
        z = torch.where(accepted[..., None], proposal, z)  # where not: the old place, once more
        kept.append(z)
    return torch.stack(kept)


mine = metropolis_chain(first, peak.expand(4, 2), rng.seeded(5), 0.04, 200)
library = chains.collect(chains.metropolis(first, peak.expand(4, 2), rng.seeded(5), step_size=0.04), 200)
torch.testing.assert_close(mine, library.z)
print(f"{library.accepted.double().mean():.0%} accepted, mean {mine.mean((0, 1)).tolist()}, truth {race.truth.mean[0].tolist()}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 4: metropolis
#
# *8 minutes, ★★☆.* One step for all chains: from `z` and `proposal`, both $(\text{chains}, d)$, functions `log_prior` and
# `log_likelihood` that give one number a chain, and `u` $(\text{chains},)$, uniform on $[0, 1)$, return where each chain
# stands after the step. Some likelihoods of the test are $e^{-2000}$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def metropolis(z, proposal, log_prior, log_likelihood, u):
    raise NotImplementedError


check.metropolis(metropolis)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Walk with a map: Langevin and Hamilton
#
# A random walk does not know where uphill is. **Langevin** proposes a step uphill and noise, $z' = z +
# \tfrac{\epsilon^2}{2} \nabla \log \pi(z) + \epsilon \xi$ with $\xi \sim \mathcal{N}(0, I)$. So $g(z' \mid z) =
# \mathcal{N}\big(z'; z + \tfrac{\epsilon^2}{2} \nabla \log \pi(z), \epsilon^2 I\big)$, which is no longer symmetric and
# stays in the ratio. **Hamiltonian Monte Carlo**, HMC, gives $z$ a random momentum $v$, standard normal, and lets it
# roll, in **leapfrog** steps:
#
# $$v \leftarrow v + \tfrac{\epsilon}{2} \nabla \log \pi(z), \qquad z \leftarrow z + \epsilon v, \qquad
# v \leftarrow v + \tfrac{\epsilon}{2} \nabla \log \pi(z).$$
#
# The ratio is $e^{E(z, v) - E(z', v')}$ with the energy $E = -\log \pi(z) + \tfrac12 v^\top v$. That no further factor
# appears has two reasons. **Volume**: a kick shifts $v$ by a function of $z$ alone; its Jacobian has ones on the diagonal
# and zeros above it, so its determinant is 1; a drift likewise. **The way back**: turn $v$ round and step again, and each
# kick and drift is undone, last first: the proposal is its own inverse. The energy's error stays of order
# $\epsilon^2$. On a banana:

# %% slideshow={"slide_type": "fragment"}
bent = Banana(bend=1.0, thickness=0.5)


def leap(both):  # (4,): z and v together, one step of 0.2, written out
    z, v = both[:2], both[2:]
    slope = torch.func.grad(bent.log_density)
    v = v + 0.1 * slope(z)
    z = z + 0.2 * v
    return torch.cat([z, v + 0.1 * slope(z)])


begin = torch.tensor([0.8, -0.3, 0.5, -1.0])
after = leap(begin)
point, momentum = leapfrog.leapfrog(bent.log_density, leapfrog.evaluate(bent.log_density, begin[None, :2]), begin[None, 2:], 0.2, 1)
torch.testing.assert_close(after, torch.cat([point.z, momentum], -1)[0])
turned = after * torch.tensor([1.0, 1.0, -1.0, -1.0])
back = leap(turned) * torch.tensor([1.0, 1.0, -1.0, -1.0])
volume = torch.linalg.det(torch.autograd.functional.jacobian(leap, begin))
print(f"volume is multiplied by {volume:.12f}; there and back again misses by {(back - begin).abs().max():.1e}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 5: leapfrog_step
#
# *6 minutes, ★★☆.* One leapfrog step: from `z`, `momentum`, both $(\text{chains}, d)$, a function `gradient` that gives
# $\nabla \log \pi$ at a `z`, and `step_size`, return `(z, momentum)`.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def leapfrog_step(z, momentum, gradient, step_size):
    raise NotImplementedError


check.leapfrog_step(leapfrog_step)

# %% [markdown] slideshow={"slide_type": "slide"}
# Two numbers tell how chains fare. $\hat R$ compares the spread of all chains together with that within each. For chains
# of $n$ draws, let $W$ be the mean variance within a chain, and $B / n$ the variance of the chains' means:
#
# $$\hat R = \sqrt{\Big( \frac{n - 1}{n} W + \frac{1}{n} B \Big) \Big/ W}.$$
#
# It is 1 if they agree; above 1.01 do not trust them. (The library cuts each chain in half, and takes ranks in place
# of the values.) The effective sample size, ESS, now of draws that resemble each other, says how many independent ones
# would tell as much.
#
# ### Explorer: watch chains
#
# 1. *An ellipse*, Metropolis. Find the step with the largest effective sample size at frame 39. What share is accepted
#    there? And at the step that accepts the most?
# 2. Step 0.02, *all far away*: do four chains make the walk to the hill shorter than one?
# 3. *Two modes*, any sampler, begun *apart*, then *all on the peak*. When does $\hat R$ raise an alarm, when not?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Between 0.1 and 0.15, where about a fifth is accepted. Tiny steps are nearly all accepted and go nowhere.
#    **Acceptance of 100 % is no goal.**
# 2. No. **More chains do not replace burn-in**: each has to walk by itself, and that part, the **burn-in**, is thrown
#    away.
# 3. Apart: it mostly does, for hardly a chain crosses. On the peak: it comes down towards 1, though more than a third
#    of the posterior stays unseen.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.watch_chains()

# %% slideshow={"slide_type": "fragment"}
# Each runs four chains a digit, from the four starts; the first half of all draws is thrown away. This takes some seconds.
race.begin(look)
race.walk("Metropolis", chains.metropolis(race.log_joint, starts, g, step_size=0.04), at=(125, 250, 500, 1000))
race.begin(look)
race.walk("Langevin", chains.langevin(race.log_joint, starts, g, step_size=0.03), at=(100, 200, 400))
race.begin(look)
process = chains.hamiltonian(race.log_joint, starts, g, step_size=0.03, leapfrog_steps=4, warm_up=30)  # learns its steps
race.walk("Hamiltonian", process, at=(60, 120, 180))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Weigh: importance sampling, once and in small steps
#
# Chains never tell $p(x)$: it has cancelled. Draws from a known $q$ do, with weights $w = p(x, z) / q(z)$, whose mean
# estimates $p(x)$ and whose shares make the draws a posterior (notebook 11). As $q$ we take Laplace's Gaussian, half as
# wide again, for a $q$ that is too narrow has weights without bound. AIS, annealed importance sampling (also notebook
# 11), needs no $q$: it walks from prior to posterior through densities between them and weighs the way.

# %% slideshow={"slide_type": "fragment"}
wide = GaussianApproximation(mode, 1.5 * fitted.approximation.scale_tril)
laplace_costs = race.last("Laplace")
for draws in (100, 1000):
    race.begin((50 * laplace_costs.seconds, 50 * laplace_costs.evaluations))  # the proposal has its price
    made = importance.importance_sampling(race.log_joint, wide, draws, g)
    race.enter("importance sampling", made.z, made.log_weights, made.log_evidence)
for length in (25, 100):
    race.begin()
    ladder = torch.linspace(0, 1, length + 1) ** 4  # temperatures, crowded near the prior
    sizes = 0.6 / (1 + ladder / 0.03**2).sqrt()  # steps as wide as the density at each temperature
    start = torch.randn(10, 50, 2, generator=g).float()
    process = annealing.annealed_importance_sampling(
        model.log_prior, race.log_joint, start, g, temperatures=ladder, step_size=sizes, leapfrog_steps=2)
    *_, step = race.watch("AIS", process, length)
    race.enter("AIS", step.z, step.log_weights, step.weighted.log_evidence)
two = metrics.estimate(race.cells.divergence(race.truth.sample(2, rng.seeded(2))))
print(f"AIS: of 10 chains {step.weighted.effective_sample_size.mean():.1f} count, on average; two exact draws come to {two} nats")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The whole race
#
# The same 50 digits, in one batch, one yardstick. Seconds are this machine's; printed below are the evaluations
# of the decoder for a digit (a look around is decoded once for all 50, so each pays a fiftieth), the draws that it got,
# and how far so many *exact* draws are from the truth. Whiskers: two standard errors over digits.

# %% slideshow={"slide_type": "fragment"}
methods = list(pictures.LOOKS)
plots.show(pictures.the_race(race.entries, floor.value, methods),
           alt="Mean divergence over the digits at the largest budget, in nats, and milliseconds a digit: " + "; ".join(
               f"{name} {race.last(name).divergence.mean():.2f} in {1e3 * race.last(name).seconds:.0f} ms" for name in methods))
for name in methods:
    last = race.last(name)
    exact = race.cells.divergence(race.truth.sample(last.draws, rng.seeded(13)))
    print(f"{name:19s} {last.evaluations:5.0f} evaluations, {last.draws:4d} draws (exact: {exact.mean():.3f}): mean "
          f"{metrics.estimate(last.divergence)}, median {last.divergence.median():.3f}, worst {last.divergence.max():.2f} nats")

# %% [markdown] slideshow={"slide_type": "subslide"}
# **The honest result.** For the *typical* digit the complaint "poor" is unfounded: a full covariance is within
# hundredths of a nat of exact draws. Poor is the **tail**: a few digits have two modes, and every method that began at
# one of them stays there, chains included. These few rule the means. Mean field loses on tilted ellipses. The point has
# no width and pays all. Hamilton's 360 draws pay mostly for being so few. So does AIS, often the safest in many
# dimensions: it comes all the way from a prior some 25 times as wide as the posterior, its budget is spent on ten
# chains, of which about two count in the end, and two *exact* draws would be no better. And a look around with 2,000
# draws works only in two dimensions.
#
# Which of them know $p(x)$? (The two bounds lie below the truth; a dot above it is the noise of 200 draws.)

# %% slideshow={"slide_type": "fragment"}
knows = ["Laplace", "mean field", "full covariance", "importance sampling", "AIS"]
off = {name: race.last(name).log_evidence - race.truth.log_evidence for name in knows}
plots.show(pictures.evidence_errors(race, knows),
           alt="How far the estimates of log p(x) are off, median of the absolute errors: " + "; ".join(
               f"{name} {values.abs().median():.3f} nats" for name, values in off.items()))
for name, values in off.items():
    print(f"{name:20s} estimate minus truth: {metrics.estimate(values)} nats, median of |error| {values.abs().median():.3f}")
weighed = off["importance sampling"].abs().median()
evidence("S31", "p(x) by importance sampling: median error of log p(x)", weighed, expect=(0.005, 0.05), unit="nats")
evidence("S31", "p(z | x) by a full-covariance Gaussian: median KL in 36 cells", typical, expect=(0.018, 0.05), unit="nats")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The price of one more digit
#
# "It needs an optimisation for each data point." Does nothing carry over? Give each digit the Gaussian that was fitted to
# its *nearest neighbour* on the plane. And how do seconds grow, if digits come one after another?

# %% slideshow={"slide_type": "fragment"}
other = experiments.nearest_other(race.truth.mean)
borrowed = GaussianApproximation(*(part[other] for part in found["full covariance"]))
neighbour = metrics.estimate(race.cells.divergence(borrowed.sample(1000, g)))
sizes = [1, 4, 16]
alone = experiments.seconds_one_by_one(model, x, best, sizes)
race.begin()
experiments.fit_gaussian(race.log_joint, best, rng.seeded(0))
at_once, evaluations = race.stop()
slope = torch.tensor(alone).log().diff().sum() / torch.tensor(sizes).log().diff().sum()
plots.show(pictures.growth(sizes, alone, (50, at_once)),
           alt=f"Seconds against digits on logarithmic axes: slope {slope:.1f} one after another. For 60,000 digits that "
               f"makes {alone[-1] / sizes[-1] * 60_000 / 3600:.1f} hours on this machine, {at_once / 50 * 60_000 / 3600:.1f} in batches.")
print(f"a neighbour's answer: {neighbour} nats; 100 steps for 60,000 digits: {60_000 * evaluations / 50:,.0f} evaluations")
point = race.last("Laplace").divergence
cheapest = min(entry.evaluations for entry in race.entries if entry.divergence.median() < 0.05)
evidence("S32", "slow: evaluations of the decoder for one digit until the median KL is below 0.05 nats", cheapest, expect=(200, 1500))
evidence("S32", "for each data point: KL of the nearest digit's answer", neighbour.value, expect=(2.7, 3.59), unit="nats")
evidence("S32", "poor: mean KL of Laplace, in floors of exact draws", point.mean() / floor.value, expect=(5, 20))
evidence("S32", "and yet: median KL of a full covariance, in floors", typical / floor.value, expect=(1, 2.5))

# %% [markdown] slideshow={"slide_type": "fragment"}
# A neighbour's answer is nearly as bad as a point: the posteriors hardly overlap. What does carry over is not the answer
# but the *way to find it*, and a network can learn that: notebook 15.
#
# ## Break it: a mode on the edge
#
# Laplace can fail altogether where the mode lies at a **boundary**. You count $k \sim \mathrm{Poisson}(r)$ events, and
# the rate $r \ge 0$ has the prior $e^{-r}$. So $p(k, r) = r^k e^{-2r} / k!$, with the mode at $k / 2$, and exactly $p(k) = 2^{-(k+1)}$. If no event
# came, the mode lies on the edge $r = 0$. There the gradient is $-2$, not zero, and the curvature is zero: Laplace has
# no Gaussian to offer. For small $k$ a part of its Gaussian lies on negative rates. The cure is to take $u = \log r$,
# which has no edge (and $dr = e^u du$):

# %% slideshow={"slide_type": "fragment"}
def over_rate(r):  # log p(k, r), for the k of the loop below
    return (k * r.log() - 2 * r)[..., 0] - (k + 1).lgamma()


for k in torch.tensor([0.0, 1.0, 5.0]):
    truth = -(k + 1) * torch.tensor(2.0).log()
    said = f"{k:.0f} events: over log r, log p(k) is off by "
    said += f"{laplace.laplace(lambda u: over_rate(u.exp()) + u[..., 0], ((k + 1) / 2).log()[None]).log_evidence - truth:.3f} nats"
    if k > 0:  # else the mode is the edge
        fit = laplace.laplace(over_rate, (k / 2)[None])
        negative = torch.special.ndtr(-fit.approximation.loc / fit.approximation.scale_tril[0]).item()
        said += f"; over r by {fit.log_evidence - truth:.3f}, and {negative:.1%} of the Gaussian lies below 0"
    print(said)

# %% [markdown] slideshow={"slide_type": "fragment"}
# ### The diagnostics that see nothing
#
# Digit 33 has two modes. Four Hamiltonian chains, begun two and two, or all in one.

# %% slideshow={"slide_type": "fragment"}
bets.chains()

# %% slideshow={"slide_type": "fragment"}
modes = experiments.two_parts(race.truth, 33)
begins = {"begun apart": modes.centres[[0, 1, 0, 1]], "begun together": modes.centres[[0, 0, 0, 0]]}
runs = {name: experiments.chains_from(model, x[33], start, seed=1) for name, start in begins.items()}

# %% slideshow={"slide_type": "fragment"}
r_hat = {name: diagnostics.r_hat(z).max() for name, z in runs.items()}
worth = {name: diagnostics.effective_sample_size(z).min() for name, z in runs.items()}
verdicts = {name: f"R-hat {r_hat[name]:.3f}, ESS {worth[name]:.0f} of {z[..., 0].numel()}" for name, z in runs.items()}
plots.show(pictures.traces(runs, modes.centres, verdicts),
           alt=f"Traces of four chains. The first mode holds {modes.masses[0]:.0%} of the posterior; chains "
               + ", chains ".join(f"{name} give it {modes.share(z):.0%}: {verdicts[name]}" for name, z in runs.items()))
bets.chains.settle(sum(r_hat["begun together"].item() > limit for limit in (1.01, 1.1, 1.5)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# For the chains begun apart the alarm is loud. For those begun together every number is perfect, although a large part of
# the posterior has never been seen. $\hat R = 1$ means "the chains agree", not "the chains are right". And even the
# alarmed chains give each mode the share of chains that *began* there: an alarm is no repair.
#
# ## Find the bug
#
# A colleague's Langevin sampler accepts fewer proposals than yours. Its proposal reads
# `z - 0.5 * step**2 * gradient + step * noise`: the sign before the gradient is wrong, and since the ratio uses the same
# function, it is wrong there as well.

# %% slideshow={"slide_type": "fragment"}
bets.sign()

# %% [markdown] slideshow={"slide_type": "fragment"}
# Two tests. *Acceptance*, at the same step size. *Detailed balance*: begin 20,000 chains with *exact* draws from a
# banana, make one step, and count how many went from cell $i$ to cell $j$ and how many back, for 16 cells of equal mass:
# $\chi^2 = \sum_{i<j} (n_{ij} - n_{ji})^2 / (n_{ij} + n_{ji})$, shown as standard deviations from what balance predicts.
# (Your own model gives exact draws, too: draw $z$ from the prior, then $x$ given $z$. That $z$ is an exact draw from
# $p(z \mid x)$.) Five seeds, for one is an anecdote. A third suspect has the wrong sign in the proposal *only*.

# %% slideshow={"slide_type": "fragment"}
suspects = {"right": (1, 1), "wrong in both": (-1, -1), "wrong in the proposal": (-1, 1)}  # signs: proposal, ratio
imbalance, settled = {}, {}
for name, signs in suspects.items():
    step = experiments.langevin_with(*signs)
    tests = [experiments.inspect(step, 0.5, seed) for seed in range(5)]
    accepted = metrics.estimate(torch.tensor([test.acceptance for test in tests]))
    imbalance[name] = max(abs(test.imbalance) for test in tests)
    share = torch.bincount(bent.cell(experiments.settle(step, 0.5, 400, seed=0)), minlength=16) / 2000
    settled[name] = torch.special.xlogy(share, 16 * share).sum().item()
    print(f"{name:22s} accepted {accepted}; imbalance at most {imbalance[name]:5.1f} standard deviations; "
          f"400 steps from (0, 0): {settled[name]:.3f} nats from the banana")

# %% slideshow={"slide_type": "fragment"}
right = settled["wrong in both"] < 0.05 and imbalance["wrong in both"] < 5
bets.sign.settle(2 if right else 1)

# %% [markdown] slideshow={"slide_type": "fragment"}
# With the wrong sign in both places detailed balance holds: it is a valid sampler with a silly proposal, and **only its
# acceptance gives it away**. With the sign wrong in one place the balance test raises the alarm. So test both: balance
# finds what is wrong, acceptance finds what is wasted.

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Most rooms bet on "another density". Let somebody explain why the ratio does not care where a
# proposal comes from. Then: which test would find a wrong log-density? (Balance, for its draws are exact for the right
# one. Acceptance would not.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. All approximations need only $\log p(x, z)$; the denominator cancels, or is estimated on the way.
# 2. Laplace reads a Gaussian off the curvature at the mode; variational inference raises a bound, whose gap is the
#    divergence. Without correlations it is too sure of itself.
# 3. Chains keep the posterior because flows balance; they need no family, but they need to get around.
# 4. For one-humped posteriors a Gaussian with a full covariance is nearly exact. Two modes defeat every method that
#    begins in one of them, and $\hat R = 1$ does not see it.
# 5. Every digit has to be solved anew, and the bill grows in proportion.
#
# ## The statements, measured
#
# S31 holds for Laplace and for methods that weigh or bound; chains give the posterior only. S32 holds with its *or*: what
# is quick can be poor, what is good can be slow. But "poor" is not the rule here; it is the exception, made of modes and correlations.

# %% slideshow={"slide_type": "fragment"}
evidence.table("13")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# With 60,000 digits and a model that changes at every training step, nobody can afford to solve each one anew.
# And $\theta$ itself has a posterior, in thousands of dimensions: [notebook 14](14_posteriors_over_parameters.ipynb) goes there. Notebook 15 pays for inference once:
# a network that answers for every digit.
#
# ## In practice
#
# For real work: PyMC, NumPyro or Stan sample with a self-tuning Hamiltonian method (NUTS), ArviZ has the diagnostics. A
# mode with its curvature takes one call of scipy, whose BFGS builds an *approximate* inverse Hessian on the way:

# %% slideshow={"slide_type": "fragment"}
from scipy.optimize import minimize


def loss(place):  # minus log p(x, z) and its gradient, as numpy wants them
    point = leapfrog.evaluate(first, torch.tensor(place)[None])
    return -point.log_density.item(), -point.gradient[0].numpy()


theirs = minimize(loss, peak[0].numpy() + 0.05, jac=True, method="BFGS")
print(f"mode: scipy {theirs.x.round(3)}, ours {peak[0].numpy().round(3)}; standard deviations: scipy "
      f"{theirs.hess_inv.diagonal().__pow__(0.5).round(3)}, ours {torch.linalg.inv(-H).diagonal().sqrt().numpy().round(3)}")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@metropolis1953equation] The walk.
# - [@hastings1970monte] The ratio for proposals that are not symmetric.
# - [@roberts1996exponential] Langevin steps, with and without the correction.
# - [@neal2011mcmc] Leapfrog, volumes, and practice.
# - [@neal2001annealed] Annealing, from notebook 11.
# - [@mackay2003information] Chapters 27 to 33: Laplace, chains, and variational methods.
# - [@blei2017variational] Variational methods in one place.
# - [@vehtari2021rank] When chains agree.
