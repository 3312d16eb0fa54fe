# %% [markdown] slideshow={"slide_type": "slide"}
# # 04 · Neural conditionals
#
# **Question.** How does a network say "I am not sure"?
#
# **You will be able to**
#
# 1. turn a network's numbers into probabilities without overflow ([exercise 1](#Exercise-1:-log_sum_exp)), and derive
#    the gradient that trains it ([exercise 2](#Exercise-2:-logits_gradient))
# 2. measure whether 99 % means 99 %, and mend it with one number ([exercise 3](#Exercise-3:-fit_temperature))
# 3. build a classifier that is always right and badly calibrated ([exercise 4](#Exercise-4:-badly_calibrated))
# 4. write the loss of a network that predicts a number *and* its uncertainty ([exercise 5](#Exercise-5:-gaussian_nll))
#
# **You need** the chain rule, the Gaussian density, and a network as layers of weighted sums with
# $\mathrm{relu}(h) = \max(0, h)$ between them. Notation: $x$ is what the network sees, $y$ what it predicts, $a_k$ its
# **logit** (raw score) for class $k$ of $C$, $p_k$ the probability made of it; $\log$ is natural, in nats. All words
# and signs: [glossary](glossary.ipynb).
#
# **Time.** 70 minutes to read and explore, 30 for the exercises; as a lecture 55.
#
# **Measured.** *Run all*: 19 s, 639 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import datasets, metrics, models, plots, rng, training
from course_lib.classroom import Line, derivation, evidence
from course_lib.lessons.n04_neural_conditionals import bets, calibration, check, experiments, explorers, pictures, weather
from tqdm.auto import tqdm
import torch

torch.set_default_dtype(torch.float64)  # sums to ten digits; the training uses single precision
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Four digits, four degrees of doubt
#
# A network has learnt from 2,000 handwritten digits. Here it is shown digits that it has never seen. It does not
# answer "a 4"; it answers with ten probabilities. The four pictures are picked by rule: right and most sure, right and
# least sure, wrong and least sure, wrong and most sure. The triangle points at the truth.

# %% slideshow={"slide_type": "fragment"}
x, y = datasets.mnist()  # (5000, 784) from 0 (paper) to 1 (ink), (5000,)
learn, validate, test = rng.rows(5000, 5000, rng.seeded(4)).split([2000, 1000, 2000])
network = experiments.classifier()  # 784 pixels -> 128 units -> 128 units -> 10 logits
process = training.gradient_descent(network, (x[learn].float(), y[learn]), rng.seeded(1), steps=1500, batch_size=100, lr=2e-3)
history = training.fit(tqdm(process, total=1500))
network.double().requires_grad_(False)

# %% slideshow={"slide_type": "fragment"}
x_new, y_new = x[test], y[test]
p = network.probabilities(x_new)  # (2000, 10)
sure, right = calibration.top(p, y_new)  # the largest probability of each picture; 1 where that class is right
wrong = 1 - right
# adding `wrong`, or multiplying by `right`, leaves the other kind out of the search
extremes = torch.stack([(sure * right).argmax(), (sure + wrong).argmin(), (sure + right).argmin(), (sure * wrong).argmax()])
figure = pictures.digits_with_answers(x_new[extremes], p[extremes], y_new[extremes])
words = ", ".join(f"a {y_new[i]} taken for a {p[i].argmax()} with {sure[i]:.1%}" for i in extremes)
plots.show(figure, alt=f"Four held-out digits with ten probabilities each: {words}.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Doubt is possible, then, and so is certainty in error. Can such numbers be believed? **Bet before you read on.**

# %% slideshow={"slide_type": "fragment"}
bets.sure()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask what the last picture "should" have got. Collect the bet by a show of hands. Then ask what "70 %
# sure" could possibly mean for one picture, which is a 4 or is not. Keep the answers for the reliability diagram.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The model: a network, then a draw
#
# **The story.** Somebody hands you a picture $x$; where it came from is not asked. A network turns it into $C$
# numbers, the logits $a = \mathrm{NN}_\theta(x)$. **Softmax** turns these into probabilities, and the label is drawn:
#
# $$p_\theta(y \mid x) = \mathrm{Categorical}(y; p), \qquad
# p_k = \mathrm{softmax}(a)_k = \frac{e^{a_k}}{\sum_j e^{a_j}}, \qquad
# p_\theta(y_{1:n} \mid x_{1:n}) = \prod_{i=1}^{n} p_\theta(y_i \mid x_i).$$
#
# Why this shape? A network's outputs may be any numbers. The exponential makes them positive, the division makes them
# add up to one. Then $\log (p_k / p_j) = a_k - a_j$: a *difference* of logits is the log of the odds between two
# classes. Only differences count: adding $c$ to all multiplies numerator and denominator by $e^c$. **Logits are defined
# up to a constant.**
#
# In the graph both are seen, but no arrow enters $x$:
# the model card says what that means.

# %% slideshow={"slide_type": "fragment"}
figure, ax = plots.figure(height=1.6, width=4)
plots.graph(ax, {"$x$": (0, 0), "$y$": (1.6, 0)}, [("$x$", "$y$")], observed=["$x$", "$y$"], plate=(-0.5, -0.5, 2.6, 1.0), repeats="$n$")
plots.show(figure, alt=f"Graphical model: an arrow from the picture x to its label y, both seen, repeated for {len(learn)} pictures.")
models.ConditionalCategorical.card

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Softmax, first as written
#
# The formula, typed as it stands, works until a logit passes 709 (in single precision, 88).

# %% slideshow={"slide_type": "fragment"}
def naive_softmax(a):
    return a.exp() / a.exp().sum(-1, keepdim=True)


a = network.logits(x_new[extremes[1:2]])[0]  # the ten logits of the second picture above
print("as it is: ", *(f"{value:.3f}" for value in naive_softmax(a)))
print("plus 1000:", *(f"{value:.3f}" for value in naive_softmax(a + 1000)), "although softmax must not change")
print("plus 1000:", *(f"{value:.3f}" for value in (a + 1000).softmax(-1)), "in torch")

# %% [markdown] slideshow={"slide_type": "fragment"}
# $e^{1000}$ is infinite in floating point, and $\infty / \infty$ is not a number. The cure stays in logs. What we need is
# $\log p_k = a_k - \mathrm{LSE}(a)$, with **log-sum-exp** $\mathrm{LSE}(a) = \log \sum_j e^{a_j}$. Take out the
# largest logit, $m = \max_j a_j$:
#
# $$\begin{aligned}
# \mathrm{LSE}(a) &= \log \sum_j e^{m} \, e^{a_j - m} && \text{since } e^{u + v} = e^u e^v \\
# &= \log \Big( e^{m} \sum_j e^{a_j - m} \Big) && e^m \text{ is common to all terms} \\
# &= m + \log \sum_j e^{a_j - m} && \text{the log of a product}
# \end{aligned}$$
#
# Now every exponent is at most 0, so nothing overflows; one of them *is* 0, so the sum lies between 1 and $C$, and its log
# between 0 and $\log C$. Each line at the logits of that picture:

# %% slideshow={"slide_type": "fragment"}
m = a.max()
derivation(
    Line(r"\log \sum_j e^{a_j}", "definition", a.exp().sum().log()),
    Line(r"\log \sum_j e^{m} e^{a_j - m}", "exponents add", (m.exp() * (a - m).exp()).sum().log()),
    Line(r"\log ( e^{m} \sum_j e^{a_j - m} )", "a common factor", (m.exp() * (a - m).exp().sum()).log()),
    Line(r"m + \log \sum_j e^{a_j - m}", "log of a product", m + (a - m).exp().sum().log()),
    Line(r"a_k - \log p_k, \; k = 0", "definition of log-softmax", a[0] - a.log_softmax(-1)[0]),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 1: log_sum_exp
#
# *5 minutes, ★☆☆.* From `a` of shape $(n, C)$ compute the log-sum-exp of each row, $(n,)$, with `max`, `exp`, `sum` and
# `log` only. One row of the test lies near 1000, one near −2000, one is wide. Stuck? Run `check.log_sum_exp.hint()`, and again for more;
# `check.log_sum_exp.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def log_sum_exp(a):
    raise NotImplementedError


check.log_sum_exp(log_sum_exp)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: logits and temperature
#
# Softmax of $(a + c) / T$: a constant $c$, and a **temperature** $T$ that divides all logits.
#
# 1. Move the constant through its range. What changes on the right?
# 2. Set $T$ to 0.1, then to 10. What do the three probabilities become, and what never changes?
# 3. At $T = 1$ give cat and dog probabilities of 9 to 1. Which *difference* of logits does that take? And at $T = 2$?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Nothing: the bars on the left move together, and only their differences count.
# 2. Nearly (1, 0, 0), and nearly a third each. The order never changes: temperature moves doubt, not decisions.
# 3. $\log 9 \approx 2.2$; twice that.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.logits_and_temperature()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The loss is a negative log-likelihood
#
# Maximum likelihood makes $\sum_i \log p_\theta(y_i \mid x_i)$ large. Deep learning makes a **cross-entropy** small:
# $-\sum_k t_k \log p_k$, where $t$ is the label as a row of zeros with a single one, **one-hot**. Only the label's term
# survives:
#
# $$-\sum_k t_k \log p_k = -\log p_y = \mathrm{LSE}(a) - a_y = -\log p_\theta(y \mid x).$$
#
# Two names, one number. The code below is the whole model in the open, and the library's `ConditionalCategorical`
# must agree with it.

# %% slideshow={"slide_type": "fragment"}
def scores(x, layers):
    for weight, bias in layers[:-1]:
        x = (x @ weight.mT + bias).relu()  # .mT transposes; (n, 128)
    weight, bias = layers[-1]
    return x @ weight.mT + bias  # (n, 10)


def log_prob(y, x, layers):
    a = scores(x, layers)
    return a.gather(-1, y[:, None])[:, 0] - a.logsumexp(-1)


layers = [(layer.weight, layer.bias) for layer in network.network[::2]]  # every second one is the relu
ours = log_prob(y_new, x_new, layers)
torch.testing.assert_close(ours, network.log_prob(y_new, x_new))
theirs = torch.nn.functional.cross_entropy(network.logits(x_new), y_new, reduction="none")
evidence("S12", "largest gap between cross-entropy and -log p(y | x)", (theirs + ours).abs().max(), expect=(0, 1e-10), unit="nats")

# %% [markdown] slideshow={"slide_type": "subslide"}
# What is a nat worth? A network that knows nothing says 1/10 each time and pays $\log 10 = 2.30$. And the *same*
# network, on the digits that it learnt from, pays almost nothing (± is one standard error here, and throughout):

# %% slideshow={"slide_type": "fragment"}
seen, unseen = (metrics.estimate(-network.log_prob(y[rows], x[rows])) for rows in (learn, test))
gain = torch.tensor(10.0).log() - unseen.value
evidence("S12", "nats that the network gains on 1/10 each, held out", gain, expect=(1.5, 2.1), unit="nats a digit")
print(f"loss, nats a digit: {seen.value:.1e} on those learnt from, {unseen} held out; right: {metrics.estimate(right)} of the held-out ones")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The gradient is p - y
#
# How should the logits of one picture move? With $L = \mathrm{LSE}(a) - a_y$ and the one-hot $t$:
#
# $$\frac{\partial L}{\partial a_k}
# = \frac{1}{\sum_j e^{a_j}} \, \frac{\partial}{\partial a_k} \sum_j e^{a_j} - \frac{\partial a_y}{\partial a_k}
# = \frac{e^{a_k}}{\sum_j e^{a_j}} - t_k = p_k - t_k.$$
#
# First the chain rule for the log; then only the $k$-th term of the sum knows $a_k$, and $a_y$ is $a_k$ only for
# $k = y$; then the definition of softmax. In words: what was said minus what happened. The gradient is zero only if the
# label's probability is exactly 1, and finite logits never give that. So even when every training picture is right, the
# push towards more certainty goes on. Remember this.

# %% slideshow={"slide_type": "fragment"}
worst = extremes[3]  # wrong and most sure
k, a = p[worst].argmax(), network.logits(x_new[worst][None])[0].requires_grad_()
(gradient,) = torch.autograd.grad(a.logsumexp(-1) - a[y_new[worst]], a)
total = a.exp().sum()
(d_total,) = torch.autograd.grad(total, a)
derivation(
    Line(r"\partial L / \partial a_k", "automatic differentiation", gradient[k]),
    Line(r"\tfrac{1}{\sum_j e^{a_j}} \, \partial_{a_k} \sum_j e^{a_j} - 0", "chain rule; k is not the label", d_total[k] / total),
    Line(r"p_k - t_k", "definition of softmax", p[worst, k]),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 2: logits_gradient
#
# *6 minutes, ★★☆.* A step of training uses a **minibatch**, a few of the pictures. From `logits`, $(n, C)$, and labels
# `y`, $(n,)$, compute the gradient of the **mean** cross-entropy, $(n, C)$, without automatic differentiation.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def logits_gradient(logits, y):
    raise NotImplementedError


check.logits_gradient(logits_gradient)

# %% [markdown] slideshow={"slide_type": "slide"}
# The other layers get their gradients by the chain rule, which is what automatic differentiation does. So this is all
# there is to the training above: minibatch, loss, gradient, step. (**Adam** is a
# gradient step that adapts its length for
# each weight; notebook 06 is about such steps.) The library's loop must come to the same weights.

# %% slideshow={"slide_type": "fragment"}
def train(layers, x, y, generator, steps, batch_size, lr):
    update = torch.optim.Adam([part for layer in layers for part in layer], lr=lr)
    for rows in torch.randperm(len(x), generator=generator).split(batch_size)[:steps]:
        loss = -log_prob(y[rows], x[rows], layers).mean()
        update.zero_grad()
        loss.backward()
        update.step()


mine, library = (experiments.classifier().double() for _ in range(2))
train([(layer.weight, layer.bias) for layer in mine.network[::2]], x[learn], y[learn], rng.seeded(1), 10, 100, 2e-3)
training.fit(training.gradient_descent(library, (x[learn], y[learn]), rng.seeded(1), steps=10, batch_size=100, lr=2e-3))
torch.testing.assert_close(list(mine.parameters()), list(library.parameters()))

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: decision regions while a network learns
#
# Three species of penguin, told apart by the bill. Colours are decisions, paler means less sure, and where the colour
# makes a step to dark the network is surer than 99 %.
#
# 1. Play. When is the held-out loss lowest? From then to the end, how much worse does it get, and how many more
#    held-out birds are wrong?
# 2. At the last frame, where far from all penguins is the network unsure? Now find two ways to make it unsure on more
#    than half of the far plane.
# 3. Put the units to 0: no hidden layer. What happens to the held-out curve, to the dark part near the birds, and to
#    the dark part far away?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. After 25 to 40 steps. The loss then grows several-fold, while only a few more of the 120 birds are wrong: the
#    network forgets how to doubt, not how to decide.
# 2. Only along the boundaries. It is unsure in the very first frames, before it has learnt much; and with a single unit,
#    which is too little to tell three species apart.
# 3. It falls to the end, and less than half of the near plane is dark. Straight lines cannot separate the training
#    birds, so too much certainty would cost it dearly on some of them. Far away it is sure all the same.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.watch_regions()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Stop at the lowest held-out loss and let the room predict both curves. The far view is the picture to
# remember: certainty nearly everywhere, data nearly nowhere.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Calibration: what 99 per cent should mean
#
# A network is **calibrated** if, among all pictures on which it is 80 % sure, 80 % are right. Nobody can check that for
# one picture; for many one can. Sort them by confidence $c_i$, the largest probability, into $B$ bins of equal width.
# With $r_i = 1$ where the decision is right, compare what was expected with what happened, and sum up as the **expected
# calibration error**:
#
# $$\mathrm{ECE} = \sum_{b=1}^{B} \frac{n_b}{n} \, \big| \mathrm{accuracy}_b - \mathrm{confidence}_b \big|
# = \frac1n \sum_{b=1}^{B} \Big| \sum_{i \in b} (r_i - c_i) \Big|.$$
#
# But beware. Even a perfectly calibrated network gets an ECE above 0: in each bin chance moves the share a little, and the
# absolute value keeps these deviations from cancelling. How much is chance? *Simulate*: keep the confidences, draw every $r_i$ with just
# the probability $c_i$, and compute the ECE of that make-believe, 2,000 times.

# %% slideshow={"slide_type": "fragment"}
def calibration_error(confidence, right, bins=15):
    place = (confidence * bins).long().clamp(max=bins - 1)  # (n,)
    return sum((right - confidence)[place == b].sum().abs() for b in range(bins)) / len(right)


before = calibration_error(sure, right)
torch.testing.assert_close(before, calibration.calibration_error(sure, right))
chance = calibration.errors_if_calibrated(sure, 2000, rng.seeded(0))  # (2000,)
evidence("S12", "expected calibration error, held-out digits", before, expect=(0.04, 0.075))
print(f"the same confidences, calibrated: {chance.mean():.4f} on average, below {chance.quantile(0.95):.4f} in 95 % of the draws")
certain = metrics.estimate(right[sure >= 0.99])
print(f"at least 99 % sure: {(sure >= 0.99).sum()} of {len(sure)} digits; right among them: {certain}")
bets.sure.settle(sum(certain.value < limit for limit in (0.995, 0.985, 0.96)))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One number that mends it
#
# Too sure means: logits too large. So divide them all by a temperature $T$, fitted by maximum likelihood on pictures
# that the network has **not** learnt from. (On those it learnt from, it is right to be so sure.) With $b = 1 / T$:
#
# $$\frac{d}{d b} \big[ \mathrm{LSE}(b a) - b \, a_y \big] = \sum_k p_k a_k - a_y, \qquad
# \frac{d^2}{d b^2} = \sum_k p_k a_k^2 - \Big( \sum_k p_k a_k \Big)^2 \ge 0.$$
#
# The first is the chain rule, with $p = \mathrm{softmax}(b a)$; the second follows from $\partial p_k / \partial b = p_k
# (a_k - \sum_j p_j a_j)$, and is the variance of the logits under $p$. So there is one minimum and no trap: where the mean
# of the *expected* logit equals the mean of the *label's* logit.

# %% slideshow={"slide_type": "fragment"}
logits, b = network.logits(x[validate]), torch.tensor(1.0, requires_grad=True)
loss = torch.nn.functional.cross_entropy(b * logits, y[validate])
(slope,) = torch.autograd.grad(loss, b)
label_logit = logits.gather(-1, y[validate, None])[:, 0]
derivation(
    Line(r"d L / d b \text{ at } b = 1", "automatic differentiation", slope),
    Line(r"\mathrm{mean} (\sum_k p_k a_k - a_y)", "by hand", ((logits.softmax(-1) * logits).sum(-1) - label_logit).mean()),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: fit_temperature
#
# *7 minutes, ★☆☆.* From `logits`, $(n, C)$, and `y`, $(n,)$, find the temperature between 0.1 and 10 with the smallest
# mean cross-entropy, to 2 %. Any search will do.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def fit_temperature(logits, y):
    raise NotImplementedError


check.fit_temperature(fit_temperature)

# %% [markdown] slideshow={"slide_type": "fragment"}
# Fitted on the second part of the digits, judged on the third, which neither weights nor temperature have seen:

# %% slideshow={"slide_type": "fragment"}
T = calibration.best_temperature(logits, y[validate])
cooled = network.probabilities(x_new, temperature=T)
sure_T, right_T = calibration.top(cooled, y_new)
assert torch.equal(right, right_T)  # no temperature changes a decision
won = metrics.estimate((cooled.log() - p.log()).gather(-1, y_new[:, None])[:, 0])
after, chance_T = calibration_error(sure_T, right), calibration.errors_if_calibrated(sure_T, 2000, rng.seeded(0))
print(f"T = {T:.2f}; gained on the third part: {won} nats a digit")
print(f"calibration error {after:.4f}; calibrated it would be {chance_T.mean():.4f} on average, below {chance_T.quantile(0.95):.4f} in 95 %")
left = (after - chance_T.mean()) / (before - chance.mean())  # of the error above what chance makes
evidence("S12", "share of the calibration error above chance that one temperature removes", 1 - left, expect=(0.6, 1.1))

# %% slideshow={"slide_type": "subslide"}
bins = [calibration.reliability(confidence, right) for confidence in (sure, sure_T)]
names = {"as trained": (before, chance), f"T = {T:.2f}": (after, chance_T)}
figure = pictures.reliability_and_error(*bins, names)
low = [(part.accuracy < part.confidence).sum().item() for part in bins]
plots.show(figure, alt=f"Left: share that is right against confidence, with intervals of 95 % after Wilson. As trained {low[0]} bins of {(bins[0].count > 0).sum()} "
           f"lie below the diagonal; at T = {T:.2f}, {low[1]} of {(bins[1].count > 0).sum()}. Right: the calibration error falls from {before:.3f} to {after:.3f}, "
           f"{'within' if after < chance_T.quantile(0.95) else 'still above'} the range in which 95 % of calibrated networks lie.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The whiskers are Wilson's intervals: all probabilities from which the share lies less than 1.96 standard deviations
# away. Mind what happened: no decision changed, and most of the error is gone. **Accuracy is not calibration.** Is the
# rest mere chance? Here it may be; but split the digits in another way (put `rng.seeded(11)` where they are split), and
# more is left than chance explains. One number bends all logits alike. It cannot mend everything.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 4: badly_calibrated
#
# *5 minutes, ★☆☆.* A reverse exercise: given the labels `y`, $(n,)$, return logits $(n, 10)$ whose decisions are
# **all right**, and whose calibration error is at least 0.5.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def badly_calibrated(y):
    raise NotImplementedError


check.badly_calibrated(badly_calibrated)

# %% [markdown] slideshow={"slide_type": "subslide"}
# It happens by accident, too. A colleague's network ends in a softmax; its output goes into `cross_entropy`, which
# applies softmax **again**. Nothing crashes, and the accuracy looks fine. What gives it away? Numbers between 0 and 1 are
# poor logits: at best 1 for the label and 0 for the others, so the loss can never fall below
# $-\log \frac{e}{e + 9} = \log(1 + 9 / e)$.

# %% slideshow={"slide_type": "fragment"}
faulty, losses = experiments.train_with_softmax_twice(x[learn].float(), y[learn], steps=400)
floor = (1 + 9 / torch.tensor(1.0).exp()).log()
q = faulty.double().probabilities(x_new).softmax(-1).detach()  # as the colleague's loss reads it
print(f"loss in the last 20 steps: {sum(losses[-20:]) / 20:.3f} nats; it cannot fall below {floor:.3f}")
print(f"right: {metrics.estimate(calibration.top(q, y_new)[1])}; mean confidence {calibration.top(q, y_new)[0].mean():.3f}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Break it: something that is no digit
#
# The temperature was fitted on digits, and judged on digits. What if the next picture is none?

# %% slideshow={"slide_type": "fragment"}
bets.animals()

# %% slideshow={"slide_type": "fragment"}
animals = datasets.silhouettes().x[:2000]  # 28 × 28 as well
on_animals = network.probabilities(animals).max(-1).values
factors = torch.tensor([0.1, 0.3, 1.0, 3.0, 10.0, 100.0])
noise = rng.uniform((500, 784), rng.seeded(5), x)
along = {name: experiments.confidence_along_a_ray(network, part, factors)
         for name, part in {"digits": x_new[:500], "animals": animals[:500], "noise": noise}.items()}
ends = ", ".join(f"{name} {values[-1]:.3f}" for name, values in along.items())
plots.show(pictures.off_the_data(sure, on_animals, factors, along),
           alt=f"Left: the largest probability on digits, mean {sure.mean():.3f}, and on animals, mean {on_animals.mean():.3f}, both piled up "
               f"near 1. Right: it rises as pictures are made brighter; at a hundred times: {ends}.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The right panel is no accident. Move along a ray $s x$. Beyond some $s$ no relu changes sides any more, so each logit
# is a straight line, $a_k = s \alpha_k + \beta_k$. The differences of the logits grow with $s$, and softmax goes to
# certainty (unless the two largest slopes are equal). **Softmax probabilities are not confidence off the data**: they answer "which of the ten?", and $p(y \mid
# x)$ has no word for "none", because it says nothing about $p(x)$. A model that does, here the simplest one of images,
# [probabilistic PCA](07_latents_and_features.ipynb#When-nobody-gives-you-the-renderer), tells animals from digits far
# better. (Not every density does: deep ones have been
# caught giving strange pictures a *higher* $p(x)$.)

# %% slideshow={"slide_type": "fragment"}
density = models.ProbabilisticPCA(784, 50)
density.maximise(x[learn])
by_density = experiments.area_under_curve(density.log_prob(animals).detach(), density.log_prob(x_new).detach())
at_T = network.probabilities(animals, temperature=T).max(-1).values
print("probability that a digit scores higher than an animal:")
print(f"largest p(y | x): {experiments.area_under_curve(on_animals, sure):.3f}; at T = {T:.2f}: "
      f"{experiments.area_under_curve(at_T, sure_T):.3f} (mean on animals {at_T.mean():.3f}); log p(x): {by_density:.3f}")
bets.animals.settle(sum(on_animals.mean().item() > limit for limit in (0.3, 0.6, 0.85)))

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Ask for remedies. "Add a class for none": from which pictures should it learn? "Threshold the
# confidence": read the first number of the last cell. Notebook 14 asks what a posterior over weights can do.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Regression: the same idea with another head
#
# If $y$ is a number, let the network give the parameters of a density. The last layer that does so is called a
# **head**. Three heads, from stiff to flexible:
#
# $$\mathcal{N}(y; \mu(x), \sigma^2), \qquad \mathcal{N}(y; \mu(x), \sigma(x)^2), \qquad
# \sum_{k=1}^{2} \pi_k(x) \, \mathcal{N}(y; \mu_k(x), \sigma_k(x)^2).$$
#
# Scales must be positive, so the network gives $\log \sigma$; weights must add up to one, so they are a softmax. The
# loss is again $-\log p(y \mid x)$; for one Gaussian
#
# $$-\log \mathcal{N}(y; \mu, \sigma^2) = \frac{(y - \mu)^2}{2 \sigma^2} + \log \sigma + \tfrac12 \log 2 \pi.$$
#
# With $\sigma$ constant and known this is squared error, up to a factor and a constant. With $\sigma(x)$ learnt, the
# first term asks for a large $\sigma$ and the second for a small one. The derivative $1 / \sigma - (y - \mu)^2 /
# \sigma^3$, averaged, is zero where $\sigma^2$ is the mean squared error: doubt is paid for, and must be earned.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 5: gaussian_nll
#
# *5 minutes, ★☆☆.* From `y`, `mean` and `log_scale` $= \log \sigma$, all $(n,)$, compute $-\log \mathcal{N}$ of each
# row, in nats.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def gaussian_nll(y, mean, log_scale):
    raise NotImplementedError


check.gaussian_nll(gaussian_nll)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Real data, in both directions
#
# 1,461 days in New York. **Forward**: the day of the year gives the temperature, roughly. **Inverse**: the temperature
# gives the day, but which? 15 °C comes in April and in November. Inverse problems are like this: many causes, one effect.

# %% slideshow={"slide_type": "fragment"}
bets.two_seasons()

# %% [markdown] slideshow={"slide_type": "fragment"}
# First the mixture head in the open, against the library's: its $\log p$ is a log-sum-exp again, of $\log \pi_k + \log
# \mathcal{N}_k$. Then each head learns from two of the four years and is judged on the other two, both ways round. Days in
# a row are alike, so the error bars come from means over blocks of 15 days. A density has a unit (1/°C, 1/day): compare
# heads within one direction, never across.

# %% slideshow={"slide_type": "fragment"}
mixture, t, day = weather.fitted("temperature to day", "mixture of two").model, torch.linspace(-2, 2, 9)[:, None], torch.linspace(1, -1, 9)
weight_logits, loc, log_scale = mixture.network(t).split(2, -1)  # one hidden layer of 20 units; (9, 2) each
terms = weight_logits.log_softmax(-1) + torch.distributions.Normal(loc, log_scale.exp()).log_prob(day[:, None])
torch.testing.assert_close(mixture.log_prob(day, t), terms.logsumexp(-1))
results = {name: weather.held_out(name) for name in weather.DIRECTIONS}  # log p(y | x), (1461,) for each head


def nats(values):
    return metrics.estimate(weather.blocks(values))


for name, heads in results.items():
    constant, learnt, two = heads.values()
    print(name, *(f"{head}: {nats(values)}" for head, values in heads.items()), sep="; ")
    print(f"   gained by a learnt variance: {nats(learnt - constant)}; by a second Gaussian: {nats(two - learnt)}; "
          f"the dearest single day: {constant.min():.0f}, {learnt.min():.0f}, {two.min():.0f}")

# %% slideshow={"slide_type": "subslide"}
directions = [weather.direction(name) for name in weather.DIRECTIONS]
fitted = [{head: weather.fitted(name, head) for head in weather.HEADS} for name in weather.DIRECTIONS]
scores_of = [{head: nats(values) for head, values in results[name].items()} for name in weather.DIRECTIONS]
gained = nats(two - learnt)  # of the inverse direction, the last of the loop
plots.show(pictures.three_heads(directions, fitted, weather.later(), scores_of),
           alt=f"Shades of p(y | x) under the days of {weather.HALVES[1]}, which no head has seen. Forward, one ribbon in all three. Inverse, one Gaussian is a broad cloud "
               f"over the summer; the mixture has two branches, spring and autumn, and gains {gained} nats a day.")
evidence("S12", "nats a day gained by a second Gaussian, inverse", gained.value, expect=(0.4, 0.85), unit="nats")
forward = nats(results[weather.DIRECTIONS[0]]["mixture of two"] - results[weather.DIRECTIONS[0]]["learnt variance"])
evidence("S12", "and forward, in standard errors", forward.value / forward.error, expect=(-2.5, 2.5))
bets.two_seasons.settle(sum(gained.value > limit for limit in (0.0, 0.3, 0.8)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** Flexibility pays where the world has that shape. Forward, a learnt variance gains a little
# (New York's winters vary more than its summers), and a second Gaussian nothing that the error bar can tell from zero.
# Inverse, the second one gains most of all. More flexibility has its own risk: read the dearest single day of the
# inverse direction above. A head that can be very sure will one day be very sure and wrong.

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: which day was it?
#
# 1. At 15 °C: around which day does one Gaussian have its peak? How many days of that month had 15 °C?
# 2. From which temperature on is one Gaussian, with learnt variance, as good as two? (Its mean log density stands at
#    the top right, in the order of the legend.)
# 3. Go to 5 °C. Days lie at both ends of the year, because *we* cut it at New Year. Where are the peaks?
# 4. Go to 42 °C, beyond all data. Does any head become less sure?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Early July, which has none. The mean of two right answers is a wrong one.
# 2. From about 27 °C, where both branches meet in summer.
# 3. The mixture has a hump at each end; one Gaussian has its peak in late May. (A density on a circle would need no
#    cut.)
# 4. No. The constant variance stays as it is; the other two are surer than ever, and leave the picture at the top. Off
#    the data a network goes on along straight lines, as the classifier did.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.predictive_density()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A variance can hide a bad mean
#
# The gradient of the loss with respect to the mean is $(\mu - y) / \sigma^2$. Where a network has once called its error
# *noise*, by a large $\sigma$, it hardly learns the mean there. Below, waves whose truth we know,
# $y = \sin 6 x + 0.05 \, \varepsilon$ with $\varepsilon$ standard normal: both heads start from the same weights and see the
# same data, twelve times.

# %% slideshow={"slide_type": "fragment"}
waves = experiments.learn_waves()
worse, richer = (metrics.estimate(part[1] - part[0]) for part in (waves.miss, waves.nats))
evidence("S12", "distance from the true mean that a learnt variance adds", worse.value, expect=(0.1, 0.4))
shown = int(waves.miss[1].argsort()[6])  # of twelve pairs the one in the middle
scale, off = waves.log_scale[1, shown].exp(), (waves.mean[1, shown] - experiments.wave(waves.x)).abs() > 0.2
print(f"distance of the mean from the truth: constant {metrics.estimate(waves.miss[0])}, learnt {metrics.estimate(waves.miss[1])}, difference {worse}")
print(f"log p(y | x) of new data, nats: constant {metrics.estimate(waves.nats[0])}, learnt {metrics.estimate(waves.nats[1])}, difference {richer}")
plots.show(pictures.hidden_mean(waves, shown),
           alt=f"With a constant variance the mean follows the wave to within {waves.miss[0, shown]:.2f}. With a learnt one it misses it by "
               f"{waves.miss[1, shown]:.2f}; where it is off by more than 0.2, its band is {scale[off].mean() / scale[~off].mean():.0f} times as wide as elsewhere.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# After these steps the two heads are even in nats, within the error; but the mean of one is much farther off, under a
# wide band. A likelihood
# does not ask whether the doubt is in the world or in the network. So look at the mean as well, and compare with the
# stiffer head.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. A network gives the parameters of $p(y \mid x)$; softmax, exponential and mixture weights make any output legal.
# 2. Cross-entropy is $-\log p(y \mid x)$; computed by log-sum-exp it cannot overflow; its gradient is $p - y$.
# 3. Accuracy is not calibration: a network trained to the end is too sure, and one temperature, fitted on other data,
#    mends most of that on data of the same kind.
# 4. Off the data it is sure of nonsense: $p(y \mid x)$ is silent about $p(x)$.
# 5. In regression choose a head that has the shape of the answer; a learnt variance may hide a bad mean.
#
# ## The statements, measured
#
# Softmax ensures that probabilities are positive and *add up to one*. Whether they are true is another matter, and is
# measured here.

# %% slideshow={"slide_type": "fragment"}
evidence.table("04")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# Nothing was hidden here: $x$ and $y$ were both seen, so $\log p(y \mid x)$ was exact, one pass. But nothing was said
# about $x$ either. [Notebook 05](05_fully_observed_models.ipynb) gives *all* variables a probability, by chaining such conditionals, and stays exact.
#
# ## In practice
#
# Write heads as `torch.distributions`: parameters in, `log_prob` out, stable and tested. The mixture above in two lines:

# %% slideshow={"slide_type": "fragment"}
from torch.distributions import Categorical, MixtureSameFamily, Normal

head = MixtureSameFamily(Categorical(logits=weight_logits), Normal(loc, log_scale.exp()))
print(f"largest gap to this notebook's: {(head.log_prob(day) - terms.logsumexp(-1)).abs().max():.1e} nats")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@bishop2006pattern] Chapters 4 and 5: softmax, cross-entropy, networks.
# - [@blanchard2021accurately] How many digits are left.
# - [@guo2017calibration] The temperature.
# - [@brocker2007increasing] What a calibrated forecast would show, simulated.
# - [@wilson1927probable] The interval of the diagram.
# - [@hein2019relu] Certain, far from all data.
# - [@nalisnick2019deep] A higher $p(x)$ for strange pictures.
# - [@nix1994estimating] A network for the mean and the variance.
# - [@bishop1994mixture] With an inverse problem.
# - [@seitzer2022pitfalls] The hidden mean, and a remedy.
