# %% [markdown] slideshow={"slide_type": "slide"}
# # 05 · Fully observed models
#
# **Question.** What if nothing is hidden?
#
# **You will be able to**
#
# 1. factorise a joint distribution along a graph and score data with it ([exercise 1](#Exercise-1:-score))
# 2. derive why counting is maximum likelihood, and mend what counting breaks ([exercise
#    2](#Exercise-2:-table_from_counts))
# 3. build a network that knows no future ([exercise 3](#Exercise-3:-masked_logits)), and prove that nothing leaks
#    ([exercise 5](#Exercise-5:-who_hears_whom))
# 4. complete a picture exactly, pixel by pixel ([exercise 4](#Exercise-4:-complete))
#
# **You need** the product rule, a Lagrange multiplier, softmax and logistic regression (notebook 04), and
# $\mathrm{KL}(q \,\|\, p) \ge 0$ (notebook 03). Notation: $x_i$ is the $i$-th of $n$ rows, $v$ one of $V$ variables,
# $d$ one of $D$ pixels, $\sigma(a) = 1 / (1 + e^{-a})$; $\log$ is natural, in nats. All words and signs:
# [glossary](glossary.ipynb).
#
# **Time.** 80 minutes to read and explore, 35 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 31 s, 699 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import datasets, metrics, models, plots, rng, training
from course_lib.classroom import Line, derivation, evidence
from course_lib.lessons.n05_fully_observed_models import bets, check, experiments, explorers, pictures
from tqdm.auto import tqdm
import torch

torch.set_default_dtype(torch.float64)  # exact sums; training on pictures will use single precision
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Short of breath
#
# A patient comes to a chest clinic, short of breath (*dyspnoea*, `dysp`). Bronchitis does that; so do tuberculosis and
# lung cancer. An X-ray cannot tell these two apart, so the story has a variable *either*: tuberculosis or cancer.
# Smoking makes cancer and bronchitis more likely, a visit to Asia tuberculosis. Lauritzen and Spiegelhalter (1988) put
# this small story, with invented numbers, into a graph of eight yes-or-no variables. You met three of them in notebook
# 02: smoking, bronchitis and lung cancer. An arrow leads from a variable to
# one that depends on it directly. All are shaded: here everything is seen.

# %% slideshow={"slide_type": "fragment"}
network = models.BayesianNetwork(datasets.bayesian_network("asia"))
arrows = sum(len(parents) for parents in network.parents.values())
plots.show(pictures.network(network),
           alt=f"A graph of {len(network.names)} variables and {arrows} arrows: asia to tub, smoke to lung and bronc, "
           "tub and lung to either, either to xray, either and bronc to dysp.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Bet before you read on.**

# %% slideshow={"slide_type": "fragment"}
bets.away()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Let the room bet by hands. Those who say "it stays" will argue that no arrow joins X-ray and
# bronchitis. Keep the argument; the explorer below settles it.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The model: each variable asks its parents
#
# **The story.** Nature walks down the arrows. Each variable looks at its parents, where its arrows come from, and
# is drawn from the row of a table that belongs to their states.
#
# **The factorisation.**
#
# $$p_\theta(x) = \prod_{v=1}^{V} p(x_v \mid x_1, \dots, x_{v-1})
# = \prod_{v=1}^{V} p_\theta(x_v \mid x_{\mathrm{pa}(v)}), \qquad \theta_{vuk} = p_\theta(x_v = k \mid x_{\mathrm{pa}(v)} = u).$$
#
# The first step is the product rule, $V$ times: it holds for *every* distribution, in *every* order. For the second,
# number the variables so that parents come before children. Then the graph claims: of all that came before, a variable
# needs its parents only. **The code** looks eight numbers up. Below, each line of the formula has its value. (The line
# in the middle needs the probability of some variables without the rest; the library sums the rest out.)

# %% slideshow={"slide_type": "fragment"}
patient = dict.fromkeys(network.names, "no") | {"smoke": "yes", "bronc": "yes", "dysp": "yes"}
tables, looked_up = network.tables(), []
for name, state in patient.items():
    given = {parent: patient[parent] for parent in network.parents[name]}
    looked_up.append(tables[name]["cpt"][",".join(given.values())][network.states[name].index(state)])
    said = ", ".join(f"{parent} = {value}" for parent, value in given.items()) or "nothing"
    print(f"p({name} = {state} | {said}) = {looked_up[-1]:.2f}")
chain = experiments.conditional_on_all_before(network, patient)  # log p(x_v | all before v), by elimination
derivation(
    Line(r"\log p(x)", "the library's", network.log_prob(network.encode([patient]))[0]),
    Line(r"\sum_v \log p(x_v \mid x_1, \dots, x_{v-1})", "product rule", sum(chain)),
    Line(r"\sum_v \log p(x_v \mid x_{\mathrm{pa}(v)})", "the graph", torch.tensor(looked_up).log().sum()),
)

# %% slideshow={"slide_type": "subslide"}
states = experiments.all_states(network)  # (256, 8)
total = network.log_prob(states).exp().sum()
evidence("S13", "the clinic's p(x) summed over all its states, minus 1", total - 1, expect=(-1e-12, 1e-12))
free = sum(logits[..., 1:].numel() for logits in network.logits)
print(f"one table for all variables at once: {len(states) - 1} free numbers; eight small tables: {free}")
models.BayesianNetwork.card

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 1: score
#
# *8 minutes, ★★☆.* Compute $\log p(x_i)$, shape $(n,)$, from codes `x` of shape $(n, V)$. A code is the number of a
# state: 0 for the first, 1 for the second, and so on. `parents[v]` lists the columns of $v$'s parents; `tables[v]` holds
# probabilities, with one axis for each parent in that order and the last for $v$ itself. One case has 400 variables.
# Stuck? Run `check.score.hint()`; `check.score.solution()` shows one way.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def score(x, parents, tables):
    raise NotImplementedError


check.score(score)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Draw forwards, reason backwards
#
# **Ancestral sampling** is the story itself: parents first, then children. **Reasoning** goes against the arrows too.
# Clamp (hold fast) what was seen, and sum the joint over everything else:
# $p(\text{bronc} \mid \text{seen}) = p(\text{bronc}, \text{seen}) / p(\text{seen})$. With 256 states that is exact.
# (With more, sum out one variable after the other: the card's *width* says how many then stand in one table.)
# Here it stands beside an estimate: among sampled patients who show the same signs, the share with bronchitis. In the
# code, state 0 is *yes*.

# %% slideshow={"slide_type": "fragment"}
def sample(network, n, g):
    x = torch.zeros(n, len(network.names), dtype=torch.long)
    for v, (names, log_table) in enumerate(network.factors()):  # in this list parents stand before their children
        rows = log_table[tuple(x[:, network.names.index(parent)] for parent in names[:-1])]  # (n, 2), or (2,)
        x[:, v] = rng.categorical(rows.expand(n, -1), 1, g)[:, 0]
    return x


patients = sample(network, 200_000, rng.seeded(1))
belief = []
for seen in ({}, {"dysp": "yes"}, {"dysp": "yes", "xray": "yes"}, {"dysp": "yes", "xray": "yes", "lung": "yes"}):
    alike = torch.stack([patients[:, network.names.index(name)] == 0 for name in seen] or [patients[:, 0] >= 0]).all(0)
    found = metrics.estimate((patients[alike][:, network.names.index("bronc")] == 0).double())
    belief.append(network.posterior(seen)["bronc"][0].item())
    print(f"p(bronc = yes | {', '.join(seen) or 'nothing'}) = {belief[-1]:.4f}, share among {int(alike.sum())} alike: "
          f"{found}, off by {(found.value - belief[-1]) / found.error:+.1f} standard errors")
bets.away.settle(3 - sum(belief[2] - belief[1] > limit for limit in (-0.25, -0.05, 0.05)))

# %% [markdown] slideshow={"slide_type": "slide"}
# Two causes that nothing else joins are independent until their effect is seen. Then, if either alone would suffice,
# each makes the other less needed. That is **explaining away**. It will come back in notebook 12, where the causes are
# never seen.
#
# ### Explorer: see, or set, any variable
#
# 1. See *short of breath*, then *positive X-ray*. What rises, what falls? Now see *lung cancer* as well: what becomes
#    of tuberculosis?
# 2. Start again. Does seeing *smoker* move tuberculosis? See *tub. or cancer* first and try once more.
# 3. Compare a positive X-ray that is **seen** with one that is **set** (somebody swapped the films). What happens to
#    lung cancer, and why?
# 4. See tuberculosis, but not *tub. or cancer*. What does the model say?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. The X-ray raises both chest diseases and smoking, and lowers bronchitis. Cancer, once known, explains everything:
#    tuberculosis falls back to where it began.
# 2. Not at first: no open way joins them. Once their common effect is known, it falls: explaining away.
# 3. Set, it changes nothing above it: the arrows into a set variable are cut.
# 4. That cannot happen. Bayes' rule would divide by zero.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.clamp_a_node()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## An arrow is a dependence, not yet a cause
#
# The product rule works in every order, so $p(\text{smoke}) \, p(\text{bronc} \mid \text{smoke})$ and
# $p(\text{bronc}) \, p(\text{smoke} \mid \text{bronc})$ are one and the same distribution. No number of patients whom we
# only watch can tell them apart. *Seeing* gives the same answer in both; *doing*, setting a variable from outside, does
# not:

# %% slideshow={"slide_type": "fragment"}
x = patients[:2000]
for cause, effect in (("smoke", "bronc"), ("bronc", "smoke")):
    pair = experiments.arrow(network, cause, effect)
    both = x[:, [network.names.index(cause), network.names.index(effect)]]
    pair.maximise(both)
    see = pair.posterior({"smoke": "yes"})["bronc"][0]
    do = pair.intervene("smoke", "yes").posterior({})["bronc"][0]
    print(f"{cause} → {effect}: log p(D) = {pair.log_prob(both).sum():.6f}, p(bronc | see smoke) = {see:.3f}, "
          f"p(bronc | do smoke) = {do:.3f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# So a graph fitted to data says how to *predict*. That its arrows are causes is a further claim, which somebody has to
# make and defend (notebook 02).
#
# ## Learning: a sum over rows
#
# Independent rows multiply, so their logs add:
#
# $$\log p_\theta(\mathcal{D}) = \log \prod_{i=1}^{n} p_\theta(x_i) = \sum_{i=1}^{n} \log p_\theta(x_i).$$
#
# *A common slip* is to compute the product first. And *independent* is a promise: the last line below enters every
# patient twice. The sum doubles and the error bar of the mean shrinks, though nothing was learnt.

# %% slideshow={"slide_type": "fragment"}
rows = network.log_prob(x).detach()  # (2000,)
product = rows.exp().cumprod(0)  # of the first i rows
gap = (product[299].log() - rows[:300].sum()).abs()
evidence("S14", "log of the product minus sum of the logs, 300 rows", gap, expect=(0, 1e-9), unit="nats")
print(f"the product of {len(x)} rows is {product[-1]}, zero from row {int((product > 0).sum()) + 1} on; the sum is {rows.sum():.1f} nats")
print(f"log p of a row: {metrics.estimate(rows)} nats; every patient entered twice: {metrics.estimate(rows.repeat(2))}")

# %% slideshow={"slide_type": "fragment"}
bets.impossible()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Counting is maximum likelihood
#
# Write $n_{vuk}$ for how many rows have $x_v = k$ while the parents of $v$ are in state $u$. Collect equal terms:
#
# $$\log p_\theta(\mathcal{D}) = \sum_i \sum_v \log p_\theta(x_{iv} \mid x_{i, \mathrm{pa}(v)})
# = \sum_v \sum_u \sum_k n_{vuk} \log \theta_{vuk}.$$
#
# The data enter through counts only, and every row $(v, u)$ of a table is a problem of its own: maximise
# $\sum_k n_k \log \theta_k$ under $\sum_k \theta_k = 1$, with a Lagrange multiplier $\lambda$:
#
# $$\frac{\partial}{\partial \theta_k} \Big[ \sum_j n_j \log \theta_j + \lambda \big( 1 - \sum_j \theta_j \big) \Big]
# = \frac{n_k}{\theta_k} - \lambda = 0 \;\Rightarrow\; \theta_k = \frac{n_k}{\lambda}, \quad
# 1 = \sum_k \theta_k = \frac{\sum_k n_k}{\lambda} \;\Rightarrow\; \hat\theta_k = \frac{n_k}{\sum_j n_j}.$$
#
# (For $n_k > 0$; a state that never occurs only takes probability from the others, so its $\hat\theta_k$ is 0.) Is it the
# top? For any other $\theta$, with $n_{vu} = \sum_k n_{vuk}$ and $0 \log 0 = 0$,
#
# $$\log p_{\hat\theta}(\mathcal{D}) - \log p_\theta(\mathcal{D}) = \sum_{vuk} n_{vuk} \log \frac{\hat\theta_{vuk}}{\theta_{vuk}}
# = \sum_{vu} n_{vu} \, \mathrm{KL}\big(\hat\theta_{vu} \,\|\, \theta_{vu}\big) \ge 0.$$

# %% slideshow={"slide_type": "fragment"}
counted = experiments.blank(network)  # the same graph, tables that know nothing
counted.maximise(x)
n = experiments.counts(network, x)  # one tensor a variable, shaped like its table
theta = [logits.detach().softmax(-1) for logits in counted.logits]
n_yes, n_no = n[4][0]  # bronchitis among smokers: yes, no
derivation(
    Line(r"n_\text{yes} / \hat\theta_\text{yes}", "bronchitis among smokers", n_yes / theta[4][0, 0]),
    Line(r"n_\text{no} / \hat\theta_\text{no}", "both are λ", n_no / theta[4][0, 1]),
    Line(r"\sum_k n_k", "the constraint", n_yes + n_no),
)

# %% slideshow={"slide_type": "fragment"}
true = [logits.detach().softmax(-1) for logits in network.logits]
xlogy = torch.special.xlogy  # x log y, where 0 log 0 = 0
by_counts = sum((xlogy(a, p) - xlogy(a, q)).sum() for a, p, q in zip(n, theta, true))
kl = [(xlogy(p, p) - xlogy(p, q)).sum(-1) for p, q in zip(theta, true)]  # one value a row of each table
by_rows = sum((a.sum(-1) * b)[a.sum(-1) > 0].sum() for a, b in zip(n, kl))  # of the rows that occur
derivation(
    Line(r"\log p_{\hat\theta}(\mathcal{D}) - \log p_\theta(\mathcal{D})", "θ: the tables that made the data", counted.log_prob(x).sum() - rows.sum()),
    Line(r"\sum_{vuk} n_{vuk} \log (\hat\theta_{vuk} / \theta_{vuk})", "collect equal terms", by_counts),
    Line(r"\sum_{vu} n_{vu} \, \mathrm{KL}(\hat\theta_{vu} \,\|\, \theta_{vu})", "definition of KL", by_rows),
    Line("0", "KL is never negative", 0, ">="),
)
evidence("S15", "log p(D) with counted tables minus log p(D) with those that made the data", by_counts, expect=(0, 25), unit="nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# So on its own data the learnt model beats even the *true* one, which made them. Do not be flattered: it is the
# maximum, and it bent towards the noise.
#
# ## The gradient by hand, and by machine
#
# Counting works for tables. For networks we shall need the gradient, so meet it where it can be checked. Let a row of a
# table be $\theta = \mathrm{softmax}(a)$, so that $\log \theta_j = a_j - \log \sum_l e^{a_l}$:
#
# $$\frac{\partial}{\partial a_k} \sum_j n_j \log \theta_j = \sum_j n_j \Big( [j = k] - \frac{e^{a_k}}{\sum_l e^{a_l}} \Big)
# = n_k - \theta_k \sum_j n_j.$$
#
# **Seen minus expected.** Automatic differentiation gives the same number from the code of $\log p$ alone: it notes
# every operation and applies the chain rule backwards. A **finite difference**, $[f(a + h) - f(a - h)] / 2h$, knows no
# calculus at all.

# %% slideshow={"slide_type": "fragment"}
start = experiments.perturbed(experiments.blank(network), 1.0, rng.seeded(3))  # somewhere, but not at the top
automatic = torch.autograd.grad(start.log_prob(x).sum(), list(start.logits))
hand = [a - a.sum(-1, keepdim=True) * logits.detach().softmax(-1) for a, logits in zip(n, start.logits)]
gap = max((a - b).abs().max() for a, b in zip(automatic, hand))
evidence("S16", "largest gap between autograd and seen minus expected", gap, expect=(0, 1e-8), unit="nats")

(exact,), errors = torch.autograd.grad(start.log_prob(x[:200]).sum(), [start.logits[7]]), []
for h in (1e-1, 1e-3, 1e-5, 1e-7, 1e-9, 1e-11):
    numeric = experiments.finite_differences(lambda: start.log_prob(x[:200]).sum(), start.logits[7], h)
    errors.append(((numeric - exact).abs().max() / exact.abs().max()).item())
    print(f"finite differences with h = {h:.0e}: relative error {errors[-1]:.0e}")
evidence("S16", "smallest relative error of finite differences", min(errors), expect=(0, 1e-7))

# %% [markdown] slideshow={"slide_type": "fragment"}
# The error first falls as $h^2$ (the next term of the Taylor series), then rises again: rounding, divided by a tiny $h$.
# And a finite difference needs two evaluations for *each* parameter. Autograd needs one walk back for all of them:
# that is what makes networks trainable.
#
# ## Gradient ascent finds the counts
#
# From blank tables, uphill on $\log p(\mathcal{D})$, all rows in every step. (Uphill on $\log p$ is downhill on the loss
# $-\log p$. Notebook 06 opens `gradient_descent` and its step lengths, Adam's.) Where does it arrive?

# %% slideshow={"slide_type": "fragment"}
climber = experiments.blank(network)
ascent = training.gradient_descent(climber, x, rng.seeded(0), steps=600, lr=0.3)
history = training.fit(ascent, every=5, inside=lambda: experiments.distance(climber, counted)[0],
                       edge=lambda: experiments.distance(climber, counted)[1])
inside, edge = experiments.distance(climber, counted)
evidence("S15", "largest gap to the counts, rows without a zero count", inside, expect=(0, 1e-6))
plots.show(pictures.arrival(history), alt=f"After {history['step'][-1]:.0f} steps the tables agree with the counts to {inside:.0e} where no count is zero; "
           f"where one is, {edge:.0e} is left, and it shrinks ever more slowly.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Same tables, as they must: $\log \theta_k = a_k - \log \sum_l e^{a_l}$ is concave in $a$, so $\log p(\mathcal{D})$, a sum
# of such terms, has no second top to get stuck on. But look at the other curve. Where a count is zero, the top lies at
# $\theta_k = 0$, that is $a_k \to -\infty$: no walk of finite length gets there. It is an early warning.
#
# ## Break it: what never happened
#
# A count of zero says: *impossible*. One future patient to whom it happens has $\log p = -\infty$, and with her the
# whole sum over the data. The mend is smoothing again (notebook 01): count each state $\alpha$ times beforehand.
#
# $$\hat\theta_k = \frac{n_k + \alpha}{\sum_j (n_j + \alpha)}.$$
#
# How much? Below is the exact $\mathrm{KL}(\text{truth} \,\|\, \text{learnt})$, summed over all 256 states. The rival has
# no graph: it counts whole patients in one large table. Look for two things: how little smoothing is enough, and what
# the graph is worth. (Without smoothing, a row of a table whose parents' states never occur stays even.)

# %% slideshow={"slide_type": "fragment"}
alphas = [0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
curves = experiments.smoothing_curves(network, 300, alphas, sets=20, generator=rng.seeded(1))  # (20, alphas, 2) each
lost = {name: metrics.estimate(values[:, 0, 1]) for name, values in curves.items()}  # share called impossible
for name, (value, error) in lost.items():
    print(f"{name}: without smoothing it calls {100 * value:.2f} ± {100 * error:.2f} % of all future patients impossible")
best = {name: alphas[1 + int(values[:, 1:, 0].mean(0).argmin())] for name, values in curves.items()}
large, factorised = (curves[name][..., 0].mean(0) for name in ("one large table", "factorised"))
plots.show(pictures.smoothing(alphas[1:], {name: values[:, 1:, 0] for name, values in curves.items()}),
           alt=f"KL against the smoothing, 20 data sets of 300 patients. The factorised model is best at {best['factorised']:g}, one large table at "
               f"{best['one large table']:g}; its KL is {(large / factorised)[1:].min():.0f} to {(large / factorised)[1:].max():.0f} times as large. "
               f"Without smoothing the means are {factorised[0]:g} and {large[0]:g}.")
share = lost["factorised"].value
bets.impossible.settle(0 if share == 0 else 1 + sum(share > limit for limit in (0.001, 0.01)))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: table_from_counts
#
# *6 minutes, ★☆☆.* From codes `child` and `parent`, both $(n,)$, make the table $p(\text{child} \mid \text{parent})$ of
# the given `shape`: (number of the parent's states, number of the child's). Count every state `smoothing` times
# beforehand.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def table_from_counts(child, parent, shape, smoothing):
    raise NotImplementedError


check.table_from_counts(table_from_counts)

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* A good place for a break. Ask: what is α = 1 the posterior mean of? (Of θ under a uniform prior: the
# answer waits in notebook 14.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## From tables to networks
#
# Now 784 variables: the pixels of a handwritten digit, ink or paper. Nobody knows a graph for them. So take the product
# rule as it stands, every pixel listening to *all* pixels before it:
#
# $$p_\theta(x) = \prod_{d=1}^{D} p_\theta(x_d \mid x_1, \dots, x_{d-1}).$$
#
# Such a model is called **autoregressive**. A table for the last pixel would have $2^{783}$ rows. Replace it by a
# logistic regression, $p(x_d = 1 \mid x_{<d}) = \sigma(a_d)$ with $a_d = b_d + \sum_{j<d} w_{dj} x_j$, and the
# table shrinks to $d$ numbers. *First version*: one regression after the other. *Second*: all in one product, with a
# **mask** that keeps the weights below the diagonal.

# %% slideshow={"slide_type": "fragment"}
digits, labels = datasets.mnist()
digits, new, labels, new_labels = datasets.split(datasets.binarise(digits), labels, held_out=1000, generator=rng.seeded(10))
digits, new = digits.float(), new.float()  # single precision: training is twice as fast


def one_by_one(x, w, b):  # version 1, the logits a_d: (n, D)
    return torch.stack([b[d] + x[:, :d] @ w[d, :d] for d in range(x.shape[1])], -1)


def masked(x, w, b):  # version 2
    return x @ w.tril(-1).mT + b


w, b = 0.1 * torch.randn(784, 784, generator=rng.seeded(4)), torch.randn(784, generator=rng.seeded(5))
torch.testing.assert_close(masked(new[:9].double(), w, b), one_by_one(new[:9].double(), w, b))
print(f"weights and biases: {784 * 783 // 2 + 784:,}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The gradient is an old friend. With $\log p(x_d \mid x_{<d}) = x_d a_d - \log (1 + e^{a_d})$, whose derivative in $a_d$
# is $x_d - \sigma(a_d)$,
#
# $$\frac{\partial \log p_\theta(\mathcal{D})}{\partial w_{dj}} = \sum_i \big( x_{id} - \sigma(a_{id}) \big) \, x_{ij}
# \quad (j < d):$$
#
# seen minus expected, wherever pixel $j$ is ink.

# %% slideshow={"slide_type": "fragment"}
some, w = new[:50].double(), w.requires_grad_()
a = masked(some, w, b)
(automatic,) = torch.autograd.grad(torch.distributions.Bernoulli(logits=a).log_prob(some).sum(), w)
hand = ((some - a.sigmoid()).mT @ some).tril(-1)
torch.testing.assert_close(automatic, hand)
print(f"{len(hand)} regressions: the weights' gradients reach {hand.abs().max():.1f}, the largest gap is {(automatic - hand).abs().max():.0e}")

# %% [markdown] slideshow={"slide_type": "slide"}
# **Third version: a hidden layer.** How can 784 outputs share hidden units, and yet none see its own pixel? Give every
# hidden unit a **degree** $m$ from 1 to $D - 1$: it hears pixels 1 to $m$ and no other. Output $d$ hears the units with
# $m < d$, strictly, and the pixels before $d$ directly. Along every path the numbers can only rise, and the last step
# is strict, so nothing arrives from pixel $d$ or later. This is MADE (Germain and others 2015). The assert holds our
# five lines and the library's class together.

# %% slideshow={"slide_type": "fragment"}
def degrees_of(hidden, pixels):
    return 1 + torch.arange(hidden) * (pixels - 1) // hidden  # evenly spread


def made_logits(x, w_in, b_in, w_out, b_out):
    number, degrees = torch.arange(1, x.shape[1] + 1), degrees_of(len(b_in), x.shape[1])
    h = (x @ (w_in * (degrees[:, None] >= number)).mT + b_in).relu()  # (n, H)
    heard = torch.cat([number, degrees])  # by the outputs: pixels directly, then hidden units
    return torch.cat([x, h], -1) @ (w_out * (number[:, None] > heard)).mT + b_out


small = models.MADE(12, (20,), generator=rng.seeded(0))
pictures_12 = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 12)  # all 4,096 pictures of 3 × 4 pixels
logits = made_logits(pictures_12, small.hidden[0].weight, small.hidden[0].bias, small.output.weight, small.output.bias)
torch.testing.assert_close(logits, small.conditionals(pictures_12))
tiny = models.MADE(6, (8,), generator=rng.seeded(0))
layers = [tiny.hidden[0].mask, tiny.output.mask[:, 6:]]
plots.show(pictures.masks(layers), alt=f"Masks of a network with 6 pixels and 8 hidden units. Their product is zero on and above the diagonal: "
           f"{int((layers[1] @ layers[0] > 0).sum())} of 36 pairs are joined by a path.")
models.MADE.card

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: masked_logits
#
# *6 minutes, ★★☆.* Write the output layer without the direct part: from hidden units `h` $(n, H)$, `weight` $(D, H)$,
# `bias` $(D,)$ and `degrees` $(H,)$ compute the logits, $(n, D)$. Pixels and degrees count from 1.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def masked_logits(h, weight, bias, degrees):
    raise NotImplementedError


check.masked_logits(masked_logits)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Exact, in one pass
#
# All $D$ conditionals come out of *one* pass, because while we learn or judge, all pixels are known. No integral, no
# bound. Two checks: the probabilities of all 4,096 small pictures add up to one, and one pass agrees with a walk that
# hands the network a pixel at a time.

# %% slideshow={"slide_type": "fragment"}
with torch.no_grad():
    evidence("S13", "p(x) summed over 4,096 pictures, minus 1", small.log_prob(pictures_12).exp().sum() - 1, expect=(-1e-12, 1e-12))
    walk = torch.zeros(4096)
    for d in range(12):
        prefix = pictures_12 * (torch.arange(12) < d)  # what comes later is blotted out
        walk += torch.distributions.Bernoulli(logits=small.conditionals(prefix)[:, d]).log_prob(pictures_12[:, d])
evidence("S13", "largest gap between one pass and pixel by pixel", (walk - small.log_prob(pictures_12)).abs().max(), expect=(0, 1e-10), unit="nats")

# %% slideshow={"slide_type": "fragment"}
bets.order()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Real digits: the next rung
#
# 4,000 digits to learn from, 1,000 to judge. Minibatches, and a **learning rate** (the length of a step) that falls to
# zero. The biases start at the counted log-odds of every pixel, smoothed: a margin pixel that is never ink need not
# walk to $-\infty$.

# %% slideshow={"slide_type": "fragment"}
def learn(model, x, epochs, batch_size, lr):
    model.output.bias.data = torch.logit((x.sum(0) + 0.1) / (len(x) + 0.2)).to(model.output.bias)
    steps = epochs * (len(x) // batch_size)
    process = training.gradient_descent(
        model.float(), x, rng.seeded(1), epochs=epochs, batch_size=batch_size, lr=lr,
        schedule=lambda update: torch.optim.lr_scheduler.CosineAnnealingLR(update, steps))
    training.fit(tqdm(process, total=steps), every=steps)
    return model.requires_grad_(False)


made = learn(models.MADE(784, (200,), generator=rng.seeded(0)), digits, epochs=8, batch_size=50, lr=0.02)

# %% slideshow={"slide_type": "fragment"}
orders = experiments.orders(28, rng.seeded(2))  # row by row, column by column, shuffled: which pixel is written when
regressions = {}
for name, order in orders.items():
    regressions[name] = learn(models.MADE(784, (), generator=rng.seeded(0)), digits[:, order], epochs=10, batch_size=100, lr=0.05)

# %% slideshow={"slide_type": "fragment"}
pixels, tree = models.IndependentPixels(784).float(), models.ChowLiuTree(784).float()
pixels.maximise(digits, smoothing=0.1)
tree.maximise(digits, smoothing=0.1)
mixture = models.BernoulliMixture(100, 784).float().start_at(digits, rng.seeded(1))
training.fit(training.expectation_maximisation(mixture, digits, steps=25, smoothing=0.1))
rivals = {"independent pixels": pixels, "mixture of 100": mixture, "tree: one pixel before": tree,
          "regressions: every pixel before": regressions["row by row"], "network: every pixel before": made}
scores = {name: metrics.mean_log_prob(model, new) for name, model in rivals.items()}
for name, (value, error) in scores.items():
    print(f"{name:32s} {value:7.1f} ± {error:.1f} nats a digit, {-value / 784 / torch.tensor(2.0).log():.3f} bits a pixel")
gain, step = metrics.gain(made, tree, new), metrics.gain(made, regressions["row by row"], new)
print(f"network minus regressions: {step}; on the digits it learnt from it reaches {metrics.mean_log_prob(made, digits)}")
evidence("S13", "held-out gain of the network, learnt by its exact gradient, over the tree", gain.value, expect=(34, 43), unit="nats a digit")
plots.show(pictures.ladder(scores), alt=f"Best: the network, {scores['network: every pixel before'].value:.1f} nats a digit; the tree "
           f"{scores['tree: one pixel before'].value:.1f}, independent pixels {scores['independent pixels'].value:.1f}.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Most of the gain over the tree comes from hearing *every* pixel before; the smaller part is the network's. It knows the
# digits it learnt from better than new ones, so it lacks data rather than size: 500 hidden units or twice the steps
# bring little (we tried), more digits should bring more (`datasets.mnist(full=True)` has 70,000).
#
# ## Pixel by pixel
#
# Judging takes one pass. **Sampling takes $D$ steps**, one after the other: a pixel cannot be drawn before those that it
# hears. Our version makes a whole pass in each step. The library computes each unit once, when all that it hears is
# known, so its $D$ steps together cost one pass. Compare the last two rows: a better score means that *real* digits
# surprise the model less, not that each draw is beautiful.

# %% slideshow={"slide_type": "fragment"}
@torch.no_grad()
def draw(model, noise):  # noise (n, D), uniform
    x = torch.zeros_like(noise)
    for d in range(x.shape[1]):
        x[:, d] = (noise[:, d] < model.conditionals(x)[:, d].sigmoid()).to(x.dtype)
    return x


noise = torch.rand(14, 784, generator=rng.seeded(3), dtype=torch.float32)
drawn = {"digits": new[:14], "tree": tree.sample(14, rng.seeded(3)),
         "regressions": regressions["row by row"].sample(14, rng.seeded(3)), "network": draw(made, noise)}
same = (drawn["network"] == made.sample(14, rng.seeded(3))).double().mean()  # the library computes each unit once
ink = ", ".join(f"{name} {picture.mean():.1%}" for name, picture in drawn.items())
plots.show(plots.rows_of_pictures(drawn), alt=f"Fourteen pictures a row; the tree's are loose pieces, those of regressions and network are strokes, and few of them clear digits. Share of ink: {ink}. "
           f"The library's sampler draws the same network pictures in {same:.2%} of all pixels.")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: pixel by pixel
#
# Three times 784 regressions, in three orders.
#
# 1. Row by row: from which frame on can *you* tell the digit? Where does the curve fall steeply, where not at all?
# 2. Shuffled: where does the curve fall fastest now, and why there?
# 3. Find a draw that turns out as no digit. At which frame did it go wrong, and could it have been mended later?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Paper at the margins is free; each *edge* of a stroke costs. A draw that becomes a digit can mostly be told half-way.
# 2. At the beginning, in most draws. Later pixels have neighbours already: at the end the model only fills holes.
# 3. One bad stroke is often the beginning. It cannot be mended: what is drawn stays, and all later pixels have to live
#    with it.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.pixel_by_pixel({name: (regressions[name], orders[name]) for name in orders})

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Does the order matter?
#
# Not for exactness: each order is a product of normalised conditionals. For the *model class* it may. If all conditionals
# are logistic regressions in one order, those of another order are in general none. We train three orders, each with its
# own regressions. And what if a pixel hears only the 28 that were written just before it?

# %% slideshow={"slide_type": "fragment"}
by_order = {name: -experiments.nats_by_pixel(model, new[:, orders[name]]).sum(-1) for name, model in regressions.items()}
loss = {name: metrics.estimate(by_order["row by row"] - values) for name, values in by_order.items() if name != "row by row"}
near = {}
for name in ("row by row", "shuffled"):
    blinkered = experiments.near_sighted(models.MADE(784, (), generator=rng.seeded(0)), window=28)
    learn(blinkered, digits[:, orders[name]], epochs=4, batch_size=100, lr=0.05)
    near[name] = blinkered.log_prob(new[:, orders[name]])
print("all pixels before: row by row minus", "; minus ".join(f"{name} {value}" for name, value in loss.items()), "nats a digit")
print("only 28 before: row by row minus shuffled", metrics.estimate(near["row by row"] - near["shuffled"]), "nats a digit")
paid = {name: experiments.nats_by_pixel(model, new[:, orders[name]]) for name, model in regressions.items()}
half = {name: nats[:, :392].sum(-1).mean() / nats.sum(-1).mean() for name, nats in paid.items()}
plots.show(pictures.where_the_nats_fall(paid), alt="Nats paid against pixels written. The curves end close together, but the first half of the pixels "
           f"takes {half['row by row']:.0%} of the bill row by row and {half['shuffled']:.0%} shuffled.")
bets.order.settle(3 - sum(loss["shuffled"].value > limit for limit in (1, 5, 20)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** We had expected shuffling to ruin the model. It hardly hurts, as long as everything before may
# be heard; the bill is only spread differently. Order matters as soon as a model cannot hear everything, as with a small
# window (a convolution) or a short memory.
#
# ### Exercise 4: complete
#
# *8 minutes, ★★☆.* Given `conditionals(x)`, which returns $p(x_d = 1 \mid x_{<d})$ for all $d$, $(n, D)$, pictures `x`
# whose pixels are known where `seen` $(D,)$ is True (all seen ones come first), and uniform `noise` $(n, D)$: draw the
# rest. Pixel $d$ becomes ink, 1, where `noise[:, d]` is below its probability. What stands in the unseen pixels of `x`
# is not to be used.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def complete(conditionals, x, seen, noise):
    raise NotImplementedError


check.complete(complete)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The lower half, many times
#
# Show the network the upper half of a digit that it has never seen and let it go on. Each completion is an exact draw
# from $p(\text{lower} \mid \text{upper})$. How much is left open? The entropy of the lower half tells: minus the mean
# log-probability of the completions themselves. If the model is right, the *true* lower halves cost as much on average.
# (*Strangers* in the printout: two digits drawn from the data.)

# %% slideshow={"slide_type": "fragment"}
upper = torch.arange(784) < 392
halves = experiments.completions(made, new[:100], upper, 12, rng.seeded(4))  # (100, 12, 784)


def lower_nats(x):
    return experiments.nats_by_pixel(made, x)[:, ~upper].sum(-1)


open_nats, true_nats = lower_nats(halves.flatten(0, 1)).reshape(100, 12).mean(-1), lower_nats(new[:100])
differ, strangers = experiments.pairwise_distance(halves), (new[:500, ~upper] != new[500:, ~upper]).sum(-1).double()
print(f"left open {metrics.estimate(open_nats)} nats, the true halves cost {metrics.estimate(true_nats)}, difference {metrics.estimate(true_nats - open_nats)}")
print(f"two completions differ in {metrics.estimate(differ)} pixels, lower halves of two strangers in {metrics.estimate(strangers)}")
with torch.no_grad():
    by_tree = tree.log_prob(new) - tree.log_prob(new, seen=upper)
print(f"log p(lower | upper) of all new digits: tree {metrics.estimate(by_tree)}, network {metrics.estimate(-lower_nats(new))}")
most, least = open_nats.argsort(descending=True)[:3], open_nats.argsort()[:3]
shown = torch.cat([most, least])
plots.show(pictures.completions(new[shown], upper, halves[shown, :8]),
           alt=f"Six digits, their upper halves, eight completions each. The first three leave most open, {open_nats[most[0]]:.0f} nats and less, and are "
               f"completed in different ways; the last three least, {open_nats[least[0]]:.0f} nats and more.")

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: complete a digit
#
# 1. Show 6 rows of the 8, then 10, 14, 18. When does the last wrong digit vanish from the completions?
# 2. Which digit leaves most nats open after 14 rows, which least? Why that one?
# 3. Go down to 2 rows, then change the digit. Do the completions still belong to it? What do two empty rows say?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. After 6 and 10 rows you see 3s, 6s and 9s: the same arch begins them all. After 14 the upper loop is known, after 18
#    only the end of the lower one is open, and not every completion closes it.
# 2. Least the 1, by far: one straight stroke, and its direction is known. Most the digits with a wide lower half: 0, 2, 8.
# 3. No: two empty rows say almost nothing, so these are plain samples, digits of all kinds and some of none.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.complete_a_digit(made, torch.stack([new[new_labels == digit][0] for digit in range(10)]))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Find the bug
#
# A colleague trains 784 logistic regressions too, and is proud of this held-out score:

# %% slideshow={"slide_type": "fragment"}
suspect = learn(experiments.leaky(models.MADE(784, (), generator=rng.seeded(0))), digits, epochs=6, batch_size=100, lr=0.2)
patches = digits.reshape(-1, 28, 28)[:, 12:15, 12:16].flatten(1)  # 12 pixels: small enough to try all pictures
on_patches = learn(experiments.leaky(models.MADE(12, (), generator=rng.seeded(0))), patches, epochs=5, batch_size=100, lr=0.2)
print(f"the colleague: {metrics.mean_log_prob(suspect, new)} nats a digit")
print(f"on 12 pixels, p(x) summed over all pictures: {on_patches.log_prob(pictures_12.float()).exp().sum():.1f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Too good: the "probabilities" of 12-pixel pictures add up to far more than one, so this is no distribution. **Break a
# promise, and the score means nothing.** With 784 pixels nobody can add up. Another **invariant**, something that must
# always hold, can be tested at any size: whoever flips pixel $j$ must not change the outputs 1 to $j$.
#
# ### Exercise 5: who_hears_whom
#
# *8 minutes, ★★☆.* From a function `conditionals`, $(n, D) \to (n, D)$, and pictures `x` return booleans $(D, D)$: entry
# $[d, j]$ says whether output $d$ changes, in any of the pictures, when pixel $j$ is flipped. Then try it on
# `on_patches.conditionals` with `patches[:200]`, and name the fault.
#
# <details><summary>Answer, after you have tried</summary>
#
# The triangle below the diagonal is as it should be, but the diagonal is full too: each pixel hears itself, and copies
# what it should predict. In the output's mask, `>=` stands where `>` belongs.
#
# </details>

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def who_hears_whom(conditionals, x):
    raise NotImplementedError


check.who_hears_whom(who_hears_whom)

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask before the sum is printed: how would you notice? Typical answers: look at samples (snow), a score
# that is too good, a test set. Only the invariants *prove* it. The fault is `>=` for `>` in the output's mask.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. Any joint is a product of conditionals, in any order; a graph says which parents suffice, not what causes what.
# 2. With nothing hidden, $\log p(\mathcal{D})$ is a plain sum, and each conditional can be learnt by itself. Its gradient
#    at the logits is seen minus expected.
# 3. For tables, counting is the maximum, and gradient ascent arrives there; a count of zero needs smoothing.
# 4. Masks make one network out of 784 regressions: exact $\log p(x)$ in one pass, one sample in $D$ steps.
# 5. The order spreads the bill; it changes the sum by much only for models that cannot hear everything.
#
# ## The statements, measured
#
# S14 holds for independent rows only. And where a count is zero, gradient ascent never quite reaches S15's maximum.

# %% slideshow={"slide_type": "fragment"}
evidence.table("05")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# Ask the network for the *upper* half given the *lower* one: it would have to sum over $2^{392}$ pictures. Its order
# fixes which questions are cheap. And hide one column of the clinic's data, say who smokes: then $\log p$ of a row is the
# log of a *sum* over what is hidden. There is nothing left to count, and the tables can no longer be learnt one by one.
# That is Part III. First, [notebook 06](06_stochastic_gradients.ipynb) asks how to climb when even the plain sum over rows is too long.
#
# ## In practice
#
# For networks of tables there is pgmpy, from which this graph's file comes. One conditional of an autoregressive model
# is what scikit-learn calls `LogisticRegression`. Here it is for one pixel, beside our regression:

# %% slideshow={"slide_type": "fragment"}
from sklearn.linear_model import LogisticRegression

d = 14 * 28 + 14  # a pixel in the middle, given all above it
theirs = LogisticRegression(C=0.1, max_iter=300).fit(digits[:, :d].numpy(), digits[:, d].numpy())
log_p = torch.from_numpy(theirs.predict_log_proba(new[:, :d].numpy())).gather(-1, new[:, d:d + 1].long())[:, 0]
print(f"log p of the middle pixel: scikit-learn {metrics.estimate(log_p)}, ours {metrics.estimate(-paid['row by row'][:, d])} nats")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@lauritzen1988local] The chest clinic.
# - [@pearl2009causality] Seeing and doing.
# - [@koller2009probabilistic] Chapters 3, 9 and 17: graphs, elimination, counting.
# - [@frey1998graphical] A logistic regression for every pixel.
# - [@larochelle2011neural] A network in their place.
# - [@germain2015made] The masks.
# - [@uria2016neural] Many orders at once.
# - [@lecun1998gradient] The digits.
