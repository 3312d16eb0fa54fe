# %% [markdown] slideshow={"slide_type": "slide"}
# # 09 · Infinite mixtures
#
# **Question.** What if the hidden cause is a number?
#
# **You will be able to**
#
# 1. integrate a hidden number out, and recognise the density that is left ([exercise
#    1](#Exercise-1:-log_negative_binomial))
# 2. read the tail of $p(x)$ off the mixing density ([exercise 2](#Exercise-2:-tail_power))
# 3. build a tail to order, and say why no finite mixture has it ([exercise 3](#Exercise-3:-heavy_prior))
# 4. predict hidden pixels from seen ones, with an honest covariance ([exercise 4](#Exercise-4:-ppca_predictive))
#
# **You need** notebook 08's *marginal*, *posterior* and EM; the gamma function,
# $\Gamma(a) = \int_0^\infty t^{a-1} e^{-t} dt$; eigenvectors. $x$ is data, $z$ latent, $\log$ natural, in nats. All
# words and signs: [glossary](glossary.ipynb).
#
# **Time.** 80 minutes to read and explore, 40 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 14 s, 649 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import datasets, functional, metrics, models, plots, rng
from course_lib.classroom import Line, derivation, evidence
from course_lib.inference import oracle
from course_lib.lessons.n09_infinite_mixtures import bets, check, earthquakes, experiments, explorers, pictures
from course_lib.training import expectation_maximisation, fit
import torch

torch.set_default_dtype(torch.float64)  # exact integrals: double precision costs nothing here
torch.set_num_threads(1)  # and a second thread gains nothing

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A few people whom no Gaussian expects
#
# In 1971 a survey of the United States weighed its people, in 1982 it weighed them again. Here are those who smoked at
# the beginning: how much had each gained or lost?

# %% slideshow={"slide_type": "fragment"}
change = datasets.smokers().weight_change[:, None]  # (1566, 1), kg
gaussian = models.Gaussian(1).requires_grad_(False)
gaussian.maximise(change)
student = experiments.fitted_student(change)
deviations = ((change - gaussian.loc) / gaussian.log_scale.exp()).abs()
beyond, expected = int((deviations > 4).sum()), len(change) * torch.special.erfc(torch.tensor(8.0).sqrt()).item()
plots.show(pictures.heavy_tails(change, {"Gaussian": gaussian, "the model of this notebook": student}),
           alt=f"Two views of {len(change)} changes of weight. {beyond} people lie more than four standard deviations from the "
               f"mean, where the Gaussian expects {expected:.2f}; it is also too low in the middle, and too high at its shoulders.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# These are not errors of the scales. People differ in *how much* their lives shake their weight: illness, pregnancy,
# a new job. That is a hidden cause too, but it is no choice among two or three moods; it is a **number**. Give each
# person one, integrate it out, and see what is left.
#
# **Bet before you read on.**

# %% slideshow={"slide_type": "fragment"}
bets.people()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask: throw the eight people out as outliers? Usual answer: yes. Then ask what the model will say of
# the ninth. Keep the word "outlier" for the end of the section on EM, where the posterior defines it.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The model: first a number, then another
#
# **The story.** Nature draws a **precision** $z > 0$, one over a variance, from a gamma density with mean 1. Then it
# draws $x$ from a Gaussian of that precision. You see $x$ only. The factorisation, in the symbols of the code:
#
# $$p_\theta(x, z) = \underbrace{\mathrm{Gamma}\big(z; \tfrac{\nu}{2}, \tfrac{\nu}{2}\big)}_{\text{prior}} \;
# \underbrace{\mathcal{N}(x; \mu, \sigma^2 / z)}_{\text{likelihood}}, \qquad
# \mathrm{Gamma}(z; a, b) = \frac{b^a}{\Gamma(a)} \, z^{a-1} e^{-b z}, \quad \theta = (\mu, \sigma, \nu).$$
#
# The prior of a scale, a rate or a shift is also called the **mixing density**, and the marginal a **compound**:
#
# $$p_\theta(x) = \sum_{k=1}^{K} \pi_k \, p_\theta(x \mid z_k) \quad \longrightarrow \quad
# p_\theta(x) = \int p_\theta(z) \, p_\theta(x \mid z) \, dz .$$

# %% slideshow={"slide_type": "fragment"}
figure, ax = plots.figure(height=1.6, width=4)
plots.graph(ax, {"$z$": (0, 0), "$x$": (1.6, 0)}, [("$z$", "$x$")], observed=["$x$"], plate=(-0.5, -0.5, 2.6, 1.0), repeats="$n$")
plots.show(figure, alt=f"Graphical model: an arrow from the latent precision z to the observed x, repeated for {len(change)} people.")
models.StudentT.card

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The integral, line by line
#
# Take $\mu = 0$ and $\sigma = 1$ (else put $(x - \mu) / \sigma$ for $x$, and divide by $\sigma$).
#
# $$\begin{aligned}
# p(x) &= \int_0^\infty \mathrm{Gamma}\big(z; \tfrac{\nu}{2}, \tfrac{\nu}{2}\big) \, \mathcal{N}(x; 0, \tfrac1z) \, dz
#   && \text{the marginal is an integral} \\
# &= \frac{(\nu/2)^{\nu/2}}{\Gamma(\nu/2) \sqrt{2 \pi}} \int_0^\infty z^{\frac{\nu+1}{2} - 1} e^{-z (\nu + x^2)/2} \, dz
#   && \text{collect the powers of } z \\
# &= \frac{(\nu/2)^{\nu/2}}{\Gamma(\nu/2) \sqrt{2 \pi}} \; \Gamma\big(\tfrac{\nu+1}{2}\big) \Big(\frac{\nu + x^2}{2}\Big)^{-\frac{\nu+1}{2}}
#   && \text{substitute } t = z (\nu + x^2) / 2 \\
# &= \frac{\Gamma(\frac{\nu+1}{2})}{\Gamma(\frac{\nu}{2}) \sqrt{\pi \nu}} \Big(1 + \frac{x^2}{\nu}\Big)^{-\frac{\nu+1}{2}}
#   && \text{take } (\nu/2)^{-\frac{\nu+1}{2}} \text{ out}
# \end{aligned}$$
#
# This is **Student's t** with $\nu$ *degrees of freedom*. The second line gives the posterior for nothing: seen as a
# function of $z$, its integrand is an unnormalised gamma, of the prior's own family (such a pair is called
# **conjugate**), so
# $p(z \mid x) = \mathrm{Gamma}\big(z; \tfrac{\nu+1}{2}, \tfrac{\nu + x^2}{2}\big)$. Each line with its value, at $x = 3$
# and $\nu = 4$:

# %% slideshow={"slide_type": "fragment"}
def gamma_density(z, a, b):
    return (a * b.log() - a.lgamma() + (a - 1) * z.log() - b * z).exp()


nu, x = torch.tensor(4.0), torch.tensor(3.0)
z, step = oracle.grid(0, 60, 200_000)[0][:, 0], 60 / 200_000  # midpoints
joint = gamma_density(z, nu / 2, nu / 2) * (z / (2 * torch.pi)).sqrt() * (-z * x**2 / 2).exp()
front = (nu / 2) ** (nu / 2) / ((nu / 2).lgamma().exp() * (2 * torch.pi) ** 0.5)
a, b = (nu + 1) / 2, (nu + x**2) / 2
derivation(
    Line(r"\int p(z) \, p(x \mid z) \, dz", "the marginal is an integral", joint.sum() * step),
    Line(r"c \int z^{a - 1} e^{-b z} dz", "collect the powers of z", front * (z ** (a - 1) * (-b * z).exp()).sum() * step),
    Line(r"c \, \Gamma(a) \, b^{-a}", "substitute t = b z", front * a.lgamma().exp() * b**-a),
    Line(r"\text{Student's } t", "the library's log_prob", experiments.student(4.0).log_prob(x.reshape(1, 1)).exp()[0]),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One compound, three ways
#
# **The closed form** you have. **Sampling** needs no calculus: draw $z$, then $x$. And **$K$ components**: cut the
# mixing density into $K$ shares of equal mass and let the middle of each, in probability, stand for it: $z_k = F^{-1}\big((k - \tfrac12)/K\big)$, with
# $F$ the distribution function of $z$. The asserts hold the open code and the library together.

# %% slideshow={"slide_type": "fragment"}
g, t4 = rng.seeded(0), experiments.student(4.0)
z = rng.gamma(torch.full((50_000,), 2.0), g) / 2  # first a precision ...
sampled = rng.randn((50_000,), g, z) / z.sqrt()  # ... then x

K, x_line = 6, torch.linspace(-8, 8, 201)
z_k = t4.prior.quantiles((torch.arange(K) + 0.5) / K)  # (K,)
p_K = functional.normal_log_prob(x_line[:, None], torch.zeros(K), -z_k.log() / 2).exp().mean(-1)  # (201, K) -> (201,)
torch.testing.assert_close(p_K, t4.finite_log_prob(x_line[:, None], K).exp())

rule = oracle.quadrature(lambda z: student.log_joint(change[:20], z), *oracle.grid(0, 20, 50_000), at_once=5000)
gap = (rule.log_evidence - student.log_prob(change[:20])).abs().max()
evidence("S24", "largest gap between the closed form and an integral over z, Student's t", gap, expect=(0, 1e-6), unit="nats")

# %% slideshow={"slide_type": "subslide"}
at_3 = (sampled.abs() > 3).double()
line = torch.linspace(-3, 3, 6001)
exact_3 = 1 - torch.trapezoid(t4.log_prob(line[:, None]).exp(), line).item()
plots.show(pictures.three_ways(t4, sampled, torch.stack([z_k, torch.full((K,), 1 / K)], -1)),
           alt=f"On a logarithmic axis the histogram of {len(sampled)} draws follows the closed form; {K} components follow it in the "
               f"middle and fall below it in the tails. Beyond 3 lie {metrics.estimate(at_3)} of the draws, {exact_3:.3f} by the closed form.")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: K to infinity
#
# 1. $\nu = 4$: where does $p_K$ still fail at $K = 64$? Which single component decides that?
# 2. Double $K$ a few times. What happens to the gap? Is it the same at $\nu = 30$?
# 3. Choose $\nu = 1$. Why is there no gap to show?
# 4. *Random draws* in place of equal shares: how many do you need to match 8 well-placed ones?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. In the tails, beyond the widest component: any finite mixture ends like a Gaussian.
# 2. It halves, nearly; with $\nu = 30$ it falls faster, as the tail hardly matters yet.
# 3. Beyond the widest component $-\log p_K(x)$ grows like $x^2$, and the mean of $x^2$ is infinite for $\nu \le 2$: so
#    is the gap, for every $K$.
# 4. With these draws at $\nu = 4$ about five times as many; with others it is a matter of luck.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.k_to_infinity()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## How fast? Theory first, then the ruler
#
# This is the hardest page of the notebook, and nothing later needs it. On a first reading bet, and look at the figure.

# %% slideshow={"slide_type": "fragment"}
bets.doubling()

# %% [markdown] slideshow={"slide_type": "fragment"}
# With $u = F(z)$ the compound is $\int_0^1 f(u) \, du$, $f(u) = p(x \mid F^{-1}(u))$, and equal shares are the midpoint
# rule: in each of $K$ cells, $1/K$ wide, it takes $f$ in the middle. Expand $f$ around the middle: the linear term cancels, the quadratic
# one leaves $f'' / (24 K^3)$ in each cell. So a smooth $f$ has an error $\propto K^{-2}$. But near 0,
# $F(z) \propto z^{\nu/2}$, so that $z \propto u^{2/\nu}$ and $f \propto \sqrt{z} \propto u^{1/\nu}$: its slope at 0 is infinite, for $\nu > 1$. The first
# cell alone, $1/K$ wide and $K^{-1/\nu}$ high, errs by
#
# $$|p_K(x) - p(x)| \propto K^{-(1 + 1/\nu)} \qquad (|x| > 1; \text{ nearer to 0 the other end of } u \text{ is worse}).$$
#
# **In nats**, the mean of $\log p(x) - \log p_K(x)$ under $p$, it is worse still. The widest component has $z_1 \propto K^{-2/\nu}$, a standard deviation
# $\propto K^{1/\nu}$. Beyond that the t still holds a mass $\propto (K^{1/\nu})^{-\nu} = 1/K$, and all of it pays:
# $\mathrm{KL}(p, p_K) \propto 1/K$, for $\nu > 2$.
#
# **Better places.** Gauss's rules choose nodes and weights at once. With $z^{\nu/2 - 1} e^{-\nu z / 2}$ as their weight,
# $\sqrt{z}\, e^{-z x^2/2}$ is left to integrate: the root is no polynomial at 0. Move the root into the weight,
# and the rest is analytic: then the error falls faster than any power. For random $z_k$ it falls like $K^{-1/2}$.

# %% slideshow={"slide_type": "fragment"}
few, many = [2, 4, 8, 16, 32, 64], [2**k for k in range(4, 15)]
random = experiments.random_error(t4, 3.0, many[:8], 400, rng.seeded(1))
curves = {
    "random draws": (many[:8], random.square().mean(-1).sqrt()),
    "equal shares": (many, experiments.quantile_error(t4, 3.0, many)),
    "Gauss–Laguerre, root left": (few, experiments.gauss_error(4.0, 3.0, few, absorbed=False)),
    "Gauss–Laguerre, root in the weight": (few[:5], experiments.gauss_error(4.0, 3.0, few[:5], absorbed=True)),
}
gaps = torch.tensor([experiments.gap(t4, count) for count in many[1:6]])
power = experiments.slope(many[1:6], gaps)
print(f"power of K at x = 3: random draws {experiments.slope_of_groups(many[:8], random, 20)}, theory −0.5; "
      f"equal shares {experiments.slope(many[-5:], curves['equal shares'][1][-5:])}, theory −1.25")
evidence("S24", "power of K in the gap in nats (theory: −1)", power.value, expect=(-1.08, -0.98))

# %% slideshow={"slide_type": "subslide"}
last = curves["Gauss–Laguerre, root in the weight"][1][-1]
plots.show(pictures.convergence(curves, (many[1:6], gaps), -1),
           alt=f"Left: at x = 3 random draws are worst, equal shares better, a Gauss rule better still; with the root in its weight it "
               f"errs by {last:.0e} with {few[4]} nodes. Right: the gap in nats falls with the power {power} of K, from {gaps[0]:.4f} to {gaps[-1]:.5f}.")
left = (gaps[-1] / gaps[-2]).item()
bets.doubling.settle(0 if left > 0.6 else 1 if left > 0.4 else 2 if left > 0.15 else 3)

# %% [markdown] slideshow={"slide_type": "fragment"}
# The standard errors are those of a straight line through the logs (for random draws: of 20 repetitions). The lines
# bend a little still: the powers creep towards their limits. The lesson: *infinite* is not large. No finite mixture of Gaussians has this tail.
#
# ### Exercise 1: log_negative_binomial
#
# *10 minutes, ★★☆.* Now do the integral yourself, for counts: $z \sim \mathrm{Gamma}(r, r/m)$, which has mean $m$, and
# $x \mid z \sim \mathrm{Poisson}(z)$, $p(x \mid z) = z^x e^{-z} / x!$. Return $\log p(x)$ for `x` of shape $(n,)$; `r` and
# `m` are tensors of shape (). (Stuck? `check.log_negative_binomial.hint()`.)

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def log_negative_binomial(x, r, m):
    raise NotImplementedError


check.log_negative_binomial(log_negative_binomial)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## EM: the posterior is a weight
#
# As in notebook 08, the E-step takes the posterior, here a gamma for each person; the M-step maximises
# $\mathbb{E}[\log p(x, z)]$, an average of logs, where every factor stands alone: $z$ enters through $z (x - \mu)^2$, $\log z$ and $z$ only. With $w_i = \mathbb{E}[z \mid x_i]$, $\ell_i = \mathbb{E}[\log z \mid x_i]$ and $h = \nu/2$, what depends on $\theta$ is
#
# $$\sum_i \Big[ -\frac{w_i (x_i - \mu)^2}{2 \sigma^2} - \log \sigma + h \log h - \log \Gamma(h) + h (\ell_i - w_i) \Big].$$
#
# Set the three derivatives to zero, with $\psi = (\log \Gamma)'$:
#
# $$\mu = \frac{\sum_i w_i x_i}{\sum_i w_i}, \qquad \sigma^2 = \frac1n \sum_i w_i (x_i - \mu)^2, \qquad
# \log h + 1 - \psi(h) + \frac1n \sum_i (\ell_i - w_i) = 0 .$$
#
# A gamma $(a, b)$ has $\mathbb{E}[z] = a/b$ and $\mathbb{E}[\log z] = \psi(a) - \log b$ (differentiate
# $\int z^{a-1} e^{-bz} dz = \Gamma(a) \, b^{-a}$ with respect to $a$, and divide by it). So, $d_i$ being the distance from $\mu$ in units of $\sigma$,
#
# $$w_i = \frac{\nu + 1}{\nu + d_i^2} :$$
#
# a weighted mean, in which far people count little. The last equation has no closed
# solution; one step of Newton for $\log h$ each time is enough, as EM need only climb.

# %% slideshow={"slide_type": "fragment"}
def em(x, steps):
    mu, variance, h = x.median(), x.var(), torch.tensor(2.5)
    for _ in range(steps):
        a, b = h + 0.5, h + (x - mu) ** 2 / (2 * variance)  # E-step: p(z | x) is Gamma(a, b), b (n,)
        w, log_z = a / b, torch.digamma(a) - b.log()
        mu = (w * x).sum() / w.sum()  # M-step
        variance = (w * (x - mu) ** 2).mean()
        slack = h.log() + 1 - torch.digamma(h) + (log_z - w).mean()
        h = h * (slack / (h * torch.polygamma(1, h) - 1)).exp()  # Newton on log h
    return mu, variance.sqrt(), 2 * h


mu, sigma, nu = em(change[:, 0], 300)
library = (student.loc, student.log_scale.exp(), student.log_freedom.exp())  # climbed to by the gradient
torch.testing.assert_close(torch.stack([mu, sigma, nu]), torch.stack(library), rtol=1e-4, atol=1e-4)
print(f"mu = {mu:.2f} kg, sigma = {sigma:.2f} kg, nu = {nu:.2f}; the Gaussian's standard deviation: {gaussian.log_scale.exp().item():.2f} kg")

# %% slideshow={"slide_type": "subslide"}
a, b = student.posterior(change)
w = a / b
plots.show(pictures.weights_and_quantiles(change, student, gaussian),
           alt=f"Left: the weight of a person falls from {w.max():.2f} in the middle to {w.min():.2f} for the most extreme. Right: the "
               f"data's quantiles, up to {change.max():.0f} kg, lie along the t's but for the outermost few; the Gaussian's bend away at both ends.")
gain = metrics.estimate(experiments.held_out_gain(change, 10, rng.seeded(0)))  # ten folds
evidence("S24", "held-out gain of Student's t over a Gaussian, a person", gain.value, expect=(0.03, 0.1), unit="nats")
print(f"gain {gain} nats a person, {gain.value * len(change):.0f} in all, for one parameter more")
bets.people.settle(0 if gain.value < 0 else 1 if gain.value < 0.03 else 2 if gain.value < 0.1 else 3)

# %% [markdown] slideshow={"slide_type": "fragment"}
# The right panel sorts the people and sets each beside the value that a model expects at that rank: where they agree, the
# points lie on the line. At the very ends the t expects even wilder people than came.
#
# Nobody was thrown out. The posterior took the extreme people's weight away by itself, because in this model their
# $z$ is probably small: that is what "outlier" can mean. As $\nu \to \infty$ all weights become 1, and the t the Gaussian.
# (Honest doubt: heavy tails may also come from groups. Those who quit smoking gained more on average; in each group
# alone $\nu$ stays below ten, so that is not all.)

# %% slideshow={"slide_type": "fragment"}
quit_smoking = datasets.smokers().quit.bool()
for name, who in (("went on", ~quit_smoking), ("quit", quit_smoking)):
    alone = experiments.fitted_student(change[who])
    print(f"{name:8s} n = {int(who.sum())}: mu = {alone.loc.item():.2f} kg, nu = {alone.log_freedom.exp():.1f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Three things that are not so
#
# *A mixture is not a sum of random variables*: the average of two Gaussian draws is a Gaussian; a draw from one of two
# is not. *Averaging densities is not averaging parameters*: the plug-in, $p(x \mid \mathbb{E}[z])$, is another density.
# *A heavy tail is no large variance*: make both variances 1, and the t holds *more* in its middle. (**Kurtosis** is the mean fourth
# power of the distance from the mean, in standard deviations: a measure of tails.)

# %% slideshow={"slide_type": "fragment"}
draws = rng.randn((100_000, 2), rng.seeded(2), z) * torch.tensor([1.0, 4.0])
one_of_two = torch.where(rng.uniform((100_000,), rng.seeded(3), z) < 0.5, draws[:, 0], draws[:, 1])
for name, value in (("the average of two", draws.mean(-1)), ("one of two", one_of_two)):
    fourth = ((value - value.mean()) / value.std()) ** 4
    print(f"{name:19s} kurtosis {metrics.estimate(fourth)} (Gaussian: 3)")
at = torch.tensor([[6.0]])
plug_in, compound = experiments.plug_in_and_compound(t4, at)
print(f"log p(6): plug-in {plug_in.item():.1f}, compound {compound.item():.1f} nats")
middle, unit = torch.linspace(-1, 1, 4001), experiments.student(4.0, scale=0.5**0.5)  # variance sigma² nu / (nu - 2) = 1
inside = torch.trapezoid(unit.log_prob(middle[:, None]).exp(), middle)
print(f"variance 1, within one standard deviation: t {inside:.3f}, Gaussian {torch.special.erf(torch.tensor(0.5).sqrt()):.3f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: draw the mixing density
#
# Drag nine bars: how often which standard deviation. (A bar has a width, so even one is a small mixture.)
#
# 1. How large can you make the excess kurtosis (kurtosis − 3)? With few bars or many?
# 2. Can you make the tails *lighter* than the Gaussian's, or a hole at $x = 0$?
# 3. Press *One bar*, then raise the bar at 4 from 0 to a tenth. What happens near $x = 0$, and at $x = 8$?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. With two: the narrowest bar at the top, the widest barely above 0. It comes near 200 with one wild draw
#    in about 250.
# 2. Neither. $\mathbb{E}[x^4] = 3 \, \mathbb{E}[s^4] \ge 3 \, \mathbb{E}[s^2]^2$ (the mean of a square), and every component
#    is highest at 0.
# 3. Almost nothing near 0; at 8 many orders of magnitude. The tail belongs to the widest.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.draw_the_mixing_density()

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: tail_power
#
# *10 minutes, ★★☆.* The tail belongs to tiny precisions. If $p(z) \approx c \, z^{a-1}$ near 0, then
# $p(x) \propto |x|^{-b}$ for large $|x|$. Which $b$? Derive it, and write a function that finds $b$, to four digits, from a function
# `log_prior(z)`, which takes a tensor. (*Near 0*: how tiny must your $z$ be?)

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def tail_power(log_prior):
    raise NotImplementedError


check.tail_power(tail_power)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Exercise 3: heavy_prior
#
# *8 minutes, ★★☆, a reverse exercise.* Invent a mixing density of your own, which integrates to 1, such that the compound
# has a *heavier* tail than Student's t with 2 degrees of freedom. Return its log, one value for each entry of `z`, of shape
# $(m,)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def heavy_prior(z):
    raise NotImplementedError


check.heavy_prior(heavy_prior)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Real data: a rate that varies
#
# Earthquakes an hour. If they came independently at a steady rate, counts would be Poisson, with variance equal to the
# mean. If the rate is a hidden number, $z \sim \mathrm{Gamma}(r, r/m)$, the count is **negative binomial** (exercise 1), with variance
# $m + m^2/r$: the Poisson's own, $\mathbb{E}[z] = m$, and that of $z$. Hours that are neighbours are alike, so an hour whose neighbours were
# learnt from is not really *unseen*: we hold out blocks of 12 hours, and take blocks, not hours, as the units of the error.

# %% slideshow={"slide_type": "fragment"}
bets.weeks()

# %% slideshow={"slide_type": "fragment"}
weeks = {"the world, 2018": earthquakes.counts(datasets.usgs_week()), "Ridgecrest, 2019": earthquakes.counts(datasets.ridgecrest())}
negative_binomials = {name: earthquakes.fitted_counts(x) for name, x in weeks.items()}
gains = {name: earthquakes.held_out_gains(x) for name, x in weeks.items()}  # every block of 12 hours held out in turn
for name, x in (weeks | {"California, 2018": earthquakes.counts(datasets.usgs_week("california_nevada"))}).items():
    chance = earthquakes.dispersion_of_poisson(x.mean().item(), 2000, rng.seeded(4)) >= earthquakes.dispersion(x)
    print(f"{name}: mean {x.mean():.2f}, variance / mean {earthquakes.dispersion(x):.2f} (as much in {int(chance.sum())} of "
          f"2,000 Poisson weeks), correlation of neighbours {earthquakes.neighbours(x):.2f}; held out {earthquakes.by_blocks(earthquakes.held_out_gains(x))} nats an hour")
first = gains["Ridgecrest, 2019"][: earthquakes.BLOCK].sum() / gains["Ridgecrest, 2019"].sum()
print(f"the first {earthquakes.BLOCK} hours make {first:.0%} of Ridgecrest's gain")
world, shock = (earthquakes.by_blocks(gains[name]).value for name in weeks)
evidence("S24", "held-out gain of the negative binomial an hour, the world's week", world, expect=(-0.03, 0.03), unit="nats")
evidence("S24", "held-out gain of the negative binomial an hour, Ridgecrest", shock, expect=(0.3, 2), unit="nats")

# %% slideshow={"slide_type": "subslide"}
plots.show(pictures.two_weeks(weeks, negative_binomials),
           alt=f"The world's counts, up to {int(weeks['the world, 2018'].max())}, follow both curves, which are alike. Ridgecrest's go from "
               f"{int(weeks['Ridgecrest, 2019'].min())} to {int(weeks['Ridgecrest, 2019'].max())}: the Poisson misses both ends.")
bets.weeks.settle({(True, True): 0, (False, True): 1, (True, False): 2, (False, False): 3}[world > 0.05, shock > 0.05])

# %% [markdown] slideshow={"slide_type": "fragment"}
# The world is Poisson, up to chance: many faults that know nothing of one another add up to a steady rate.
# California alone, with fewer faults, is less steady, too little to gain anything on new hours. At Ridgecrest
# the gain is large, but so is its error, although the excess variance itself is beyond all doubt: the first block decides.
#
# **What does the gamma stand for?** Not for fate rolling dice each hour: neighbouring hours are alike. After a shock the
# rate dies away by **Omori's law**, $\lambda(t) = \kappa (t + c)^{-p}$. Pick an hour at random, and *its* rate is a random
# number: that is the mixing density. The gamma is an approximation to it, blind to time. Give the Poisson the rates of that law in random order,
# and you have a compound made of physics; give it each hour's own rate, and nothing is hidden any more:

# %% slideshow={"slide_type": "fragment"}
x = weeks["Ridgecrest, 2019"]
omori = earthquakes.fitted(earthquakes.Omori(), earthquakes.with_hours(x))
rate = omori.rate(torch.arange(len(x)).to(x))
knows = earthquakes.poisson_log_prob(x, rate)
print("nats an hour, on the hours that were fitted: Poisson", f"{earthquakes.poisson_log_prob(x, x.mean()).mean():.2f}, negative binomial",
      f"{negative_binomials['Ridgecrest, 2019'].log_prob(x).mean():.2f}, Omori's rates in random order",
      f"{earthquakes.mixed_log_prob(x, rate).mean():.2f}, Omori's law {knows.mean():.2f}")
residual = (x[:, 0] - rate) / rate.sqrt()
print(f"left when the rate is taken out: variance / mean {residual.square().mean():.2f}, correlation {earthquakes.neighbours(residual[:, None]):.2f}")
more = earthquakes.held_out_gains(x, omori=True) - gains["Ridgecrest, 2019"]
print(f"held out, Omori's law minus the negative binomial: {earthquakes.by_blocks(more)} nats an hour")

# %% slideshow={"slide_type": "subslide"}
plots.show(pictures.rate_in_time(x, rate, negative_binomials["Ridgecrest, 2019"]),
           alt=f"Left: Omori's rate falls from {rate[0]:.0f} to {rate[-1]:.1f} earthquakes an hour, through the counts. Right: by that law no "
               f"hour has a rate below {rate.min():.1f}; the fitted gamma goes down to far less.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** A compound describes the hours of this week as a heap. Who knows *when* does better; the
# difference in the first line, Omori's law minus its rates in random order, is what the clock tells of the count. That the variance over the mean, with the rate taken out, stays over 1 is
# probably the work of aftershocks that have their own aftershocks. A hidden number needs a story of its own:
# "gamma" is convenience, until the data say where $z$ comes from.

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask before the Omori cell: if I shuffle the 167 hours, which of the models notices? Only the one with
# a clock. Then: overdispersion alone never tells a varying rate from contagion, where one event makes the next.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Many dimensions: PPCA in full
#
# Let $z$ be a *vector* of $M$ standard normals that moves $x$ along a plane: $x = W z + \mu + \sigma \epsilon$, with
# noise $\epsilon \sim \mathcal{N}(0, I_D)$ on all $D$ dimensions: probabilistic PCA. **The evidence** was derived in
# notebook 07: $x$ is Gaussian, with mean $\mu$ and covariance $C = W W^\top + \sigma^2 I$.
#
# **The posterior**: as a function of $z$, minus the log of prior times likelihood is
#
# $$\tfrac12 \|z\|^2 + \tfrac{1}{2 \sigma^2} \|x - \mu - W z\|^2 = \tfrac12 \, z^\top \big(I + \tfrac{1}{\sigma^2} W^\top W \big) z -
# \tfrac{1}{\sigma^2} z^\top W^\top (x - \mu) + \dots,$$
#
# a quadratic form: $p(z \mid x)$ is Gaussian, with the bracket as its precision (the inverse covariance). The slope is zero at its mean,
# $(I + \tfrac{1}{\sigma^2} W^\top W)^{-1} W^\top (x - \mu) / \sigma^2$.

# %% slideshow={"slide_type": "fragment"}
models.ProbabilisticPCA.card

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Maximum likelihood in closed form**, for $n$ data with covariance $S$ around their mean, which is the best $\mu$
# for any $C$:
#
# 1. $L = -\tfrac12 \big( D \log 2\pi + \log |C| + \mathrm{tr}(C^{-1} S) \big)$, the mean log-likelihood.
# 2. $\partial L / \partial W = C^{-1} S C^{-1} W - C^{-1} W = 0$, from $d \log |C| = \mathrm{tr}(C^{-1} dC)$ and
#    $d(C^{-1}) = -C^{-1} \, dC \, C^{-1}$. So $S C^{-1} W = W$.
# 3. Write $W = U \, \mathrm{diag}(l) \, V^\top$ with orthonormal columns $u_j$. Then $C u_j = (l_j^2 + \sigma^2) u_j$, and line 2 says
#    $S u_j = (l_j^2 + \sigma^2) u_j$ wherever $l_j \ne 0$: $u_j$ is an **eigenvector** of $S$, and $l_j^2 = \lambda_j - \sigma^2$. $V$ is
#    free: a rotation of $z$.
# 4. Put that in: $L = -\tfrac12 \big( D \log 2\pi + \sum_{\text{kept}} \log \lambda_j + (D - M) \log \sigma^2 + M + \tfrac{1}{\sigma^2} \sum_{\text{left}} \lambda_j \big)$.
#    Its derivative is zero at $\sigma^2 = \frac{1}{D - M} \sum_{\text{left}} \lambda_j$, the **mean of the eigenvalues left out**.
# 5. Which to keep? As $\sum \log \lambda$ over all is fixed, what counts is the log of the mean minus the mean of the
#    logs of those left out: the smaller, the better. $l_j^2 \ge 0$ keeps only $\lambda_j \ge \sigma^2$. Were one left out that is larger
#    than one kept, exchange them: the larger one was above their mean, moves towards it, and the difference falls. So keep the $M$ **largest**.

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Let the room do line 2 with $D = M = 1$ first: $C = w^2 + \sigma^2$. Line 5 is the one that books skip.

# %% slideshow={"slide_type": "fragment"}
digits, _ = datasets.optical_digits("training")  # (3823, 64), pixels from 0 to 1
ppca = models.ProbabilisticPCA(64, 2).requires_grad_(False)
ppca.maximise(digits)
S, noise = torch.cov(digits.mT, correction=0), (2 * ppca.log_scale).exp()
C = ppca.weight @ ppca.weight.mT + noise * torch.eye(64)
values = torch.linalg.eigvalsh(S).flip(0)  # falling
constant, normal = 64 * torch.tensor(2 * torch.pi).log(), torch.distributions.MultivariateNormal(ppca.loc, C)
kept = [values[[i, j]].log().sum() + 62 * ((values.sum() - values[[i, j]].sum()) / 62).log() for i, j in ((0, 1), (0, 2))]
print(f"line 2 holds up to {(S @ torch.linalg.solve(C, ppca.weight) - ppca.weight).abs().max():.0e}")
derivation(
    Line(r"\tfrac1n \sum_i \log \mathcal{N}(x_i; \mu, C)", "the marginal", normal.log_prob(digits).mean()),
    Line(r"-\tfrac12 (D \log 2\pi + \log |C| + \mathrm{tr}\, C^{-1} S)", "line 1", -0.5 * (constant + C.logdet() + torch.linalg.solve(C, S).trace())),
    Line(r"\text{in eigenvalues}", "lines 3 and 4", -0.5 * (constant + kept[0] + 64)),
    Line(r"\text{keep the 1st and 3rd}", "line 5", -0.5 * (constant + kept[1] + 64), ">="),
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Three checks that know nothing of the derivation: an integral over the plane of $z$, EM from a random start, and EM
# from a bad one.

# %% slideshow={"slide_type": "fragment"}
rule = oracle.quadrature(lambda z: ppca.log_joint(digits[:20], z), *oracle.grid(-7, 7, 120, 2), at_once=1200)
evidence("S24", "largest gap between PPCA's closed form and an integral over two latents",
         (rule.log_evidence - ppca.log_prob(digits[:20])).abs().max(), expect=(0, 1e-6), unit="nats")
ends = {}
for name, weight in (("a random start", 0.1 * rng.randn((64, 2), rng.seeded(5), digits)), ("W = (e₁, e₂)", torch.eye(64, 2))):
    model = models.ProbabilisticPCA(64, 2).requires_grad_(False)
    model.weight.copy_(weight)
    fit(expectation_maximisation(model, digits, steps=200))
    outer = (model.weight @ model.weight.mT - ppca.weight @ ppca.weight.mT).abs().max()
    print(f"EM from {name:14s} ends {(ppca.log_prob(digits) - model.log_prob(digits)).mean():.1e} nats lower; W Wᵀ differs by {outer:.0e}, "
          f"sigma by {(model.log_scale.exp() - ppca.log_scale.exp()).abs():.0e}, W by {(model.weight - ppca.weight).abs().max():.2f}")
print("the first pixel is ink in", int((digits[:, 0] > 0).sum()), "digits")

# %% [markdown] slideshow={"slide_type": "fragment"}
# From a random start EM finds the same $W W^\top$, but not the same $W$: the rotation of line 3. The second start shows
# what line 2 allows: the first pixel is never inked, so the first column of $W$ dies at $l_1 = 0$, and EM rests at a stationary point
# that is no maximum. *EM never goes down* is no promise to arrive.
#
# ### Exercise 4: ppca_predictive
#
# *12 minutes, ★★★.* Half of a picture is hidden. From `x_seen` $(n, S)$, `seen`, a mask $(D,)$ of booleans, `weight`, `loc` and the number `scale`
# ($W$, $\mu$, $\sigma$), return the pair `mean, covariance`, $(n, H)$ and $(H, H)$, of the hidden pixels given the seen ones.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def ppca_predictive(x_seen, seen, weight, loc, scale):
    raise NotImplementedError


check.ppca_predictive(ppca_predictive)

# %% slideshow={"slide_type": "subslide"}
new, _ = datasets.optical_digits("new")  # (1797, 64), by writers never seen
seen = torch.arange(64) < 32  # the upper half
for latents in (2, 8, 32):
    model = models.ProbabilisticPCA(64, latents).requires_grad_(False)
    model.maximise(digits)
    filled = experiments.fill(model, new, seen)
    learnt = model.log_prob(new) - experiments.part_log_prob(model, new, seen) - experiments.part_log_prob(model, new, ~seen)
    error, plain = ((new[:, ~seen] - guess).square().mean().sqrt() for guess in (filled.mean, model.loc[~seen]))
    print(f"M = {latents:2d}: the upper half tells {metrics.estimate(learnt)} nats of the lower; error a pixel {error:.3f} (the mean: {plain:.3f}); "
          f"inside 95 % bars: {experiments.coverage(filled, new[:, ~seen])}")

# %% slideshow={"slide_type": "subslide"}
plots.show(pictures.filled_in(new, seen, filled),
           alt=f"Eight new digits with {latents} latents: the upper half seen, the mean of the rest, which is blurred, one draw, which is speckled, and the "
               f"truth. The mean errs by {error:.2f} a pixel.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# With few latents seeing half *harms*: the model is too sure of them, as notebook 10's network will be. With 32 it
# helps, and the bars keep their word, on average over pixels. The draws do not look like strokes, for pixels given $z$ are independent, and a
# Gaussian knows no edges. One hump in 64 dimensions is all that a straight $W z$ can make.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. When the cause is a number, the marginal is an integral: a compound, an infinite mixture.
# 2. With conjugate pairs the integral closes, and the posterior comes with it: gamma and Gaussian, gamma and Poisson.
# 3. $K$ components approach the compound, in nats like $1/K$, and never reach its tail; the tail sits at $z \to 0$.
# 4. The posterior of a precision is a weight: extreme data count less, and nobody is thrown out.
# 5. PPCA's evidence, maximum and predictive are exact; $W$ is known up to a rotation.
#
# ## The statements, measured
#
# A continuous $z$ makes an infinite mixture. It buys nats where the hidden number is real, and none where the rate is steady.

# %% slideshow={"slide_type": "fragment"}
evidence.table("09")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# We chose our pairs with care. Change the gamma to a log-normal, or $W z$ to a curve, and the integral has no closed
# form. [Notebook 10](10_deep_latent_variable_models.ipynb) bends the line: a network gives $p(x \mid z)$, and for two
# numbers $z$ a grid still counts them all. Notebook 11 asks what happens when it cannot.
#
# ## In practice
#
# SciPy fits Student's t in one line; scikit-learn's `PCA` has PPCA's likelihood in `score`. statsmodels regresses counts with the negative binomial.

# %% slideshow={"slide_type": "fragment"}
from scipy import stats
from sklearn.decomposition import PCA

theirs = stats.t.fit(change[:, 0].numpy())
print("scipy: nu {:.3f}, mu {:.3f}, sigma {:.3f};".format(*theirs), f"here {nu:.3f}, {mu:.3f}, {sigma:.3f}")
score = PCA(32).fit(digits.numpy()).score(new.numpy())
print(f"scikit-learn {score:.3f}, here {model.log_prob(new).mean():.3f} nats a new digit (it divides by n − 1)")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@student1908probable] The t, from another side.
# - [@greenwood1920inquiry] The gamma of accident-prone people, and the warning against contagion.
# - [@andrews1974scale] The normals of many scales.
# - [@lange1989robust] EM with weights.
# - [@tipping1999probabilistic] Many dimensions, mixed over a few latents.
# - [@utsu1995centenary] How aftershocks die down.
# - [@hernan2020causal] The survey of smokers, in another use.
