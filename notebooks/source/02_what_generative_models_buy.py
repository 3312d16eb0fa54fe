# %% [markdown] slideshow={"slide_type": "slide"}
# # 02 · What generative models buy
#
# **Question.** Why bother, when prediction is all I need?
#
# **You will be able to**
#
# 1. fit a law of nature with its error bar, carry it to another place, and choose your data dishonestly ([exercise
#    1](#Exercise-1:-b_value), [exercise 2](#Exercise-2:-steep_completeness))
# 2. say what an intervention would do, from data in which nobody intervened ([exercise
#    3](#Exercise-3:-adjusted_effect))
# 3. exchange one mechanism of a model and keep the others ([exercise 4](#Exercise-4:-new_prior))
# 4. learn from data without labels, and know when they hurt ([exercise 5](#Exercise-5:-e_step))
#
# **You need** Bayes' rule and naive Bayes (notebook 01), derivatives, logarithms. Notation: $x$ is data, $y$ a label
# or an outcome, $t$ a treatment, $\theta$ the parameters; $\log$ is natural, in nats. All words and signs:
# [glossary](glossary.ipynb).
#
# **Time.** 75 minutes to read and explore, 30 for the exercises; as a lecture 60.
#
# **Measured.** *Run all*: 22 s, 561 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
from course_lib import datasets, metrics, models, plots, rng
from course_lib.classroom import Line, derivation, evidence
from course_lib.lessons.n02_what_generative_models_buy import bets, check, digits, earthquakes, effects, explorers
from course_lib.lessons.n02_what_generative_models_buy import fitting, galaxies, pictures, weather
import math
import torch

torch.set_default_dtype(torch.float64)  # few data, exact sums
torch.set_num_threads(1)  # on one thread every run rounds alike

# %% [markdown] slideshow={"slide_type": "slide"}
# ## One question, two places
#
# How many earthquakes of each magnitude come in a week? With California's catalogue any regression will answer. Now
# you are sent to Alaska.

# %% slideshow={"slide_type": "fragment"}
places = earthquakes.places()  # name: magnitudes (n,), rounded to bins of 0.1
california, alaska = places["California"], places["all of Alaska"]
plots.show(pictures.two_places(california, alaska, ("California", "all of Alaska")),
           alt=f"One week of 2018, earthquakes in each bin of magnitude, logarithmic: {len(california)} in California, most of "
               f"them near {california.mode().values:.1f}; {len(alaska)} in Alaska, most near {alaska.mode().values:.1f}. Towards "
               "large magnitudes both fall; towards small ones both fall as well.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# A discriminative model learns the *curve*. A generative model says where the curve comes from, as a product of
# **mechanisms**: first the ground shakes, then a network of instruments notices or not.
#
# $$p(m, s) = \underbrace{p(m)}_{\text{the ground}} \; \underbrace{p(s \mid m)}_{\text{the instruments}}, \qquad
# s = 1 \text{ if the earthquake is in the catalogue.}$$
#
# What you buy is **parts** that mean something, that stay when others move, and that can be exchanged. (A regression's
# coefficients stand for nothing in the world.)
#
# The ground's part is known. Gutenberg and Richter (1944): one magnitude lower, earthquakes are $10^b$ times as
# frequent.

# %% slideshow={"slide_type": "fragment"}
bets.alaska()

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Let the room extend both curves to magnitude 6 with a finger. Ask: which side of each curve is
# geology, which is engineering? Then the bet.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The model: a law above a cut
#
# **The story.** From the **completeness** $m_c$ on, the instruments miss nothing: $p(s = 1 \mid m) = 1$. There the law
# alone decides. If the number from $m$ on is proportional to $10^{-b m} = e^{-\beta m}$ with $\beta = b \ln 10$, then
# $p(m) = \beta e^{-\beta (m - m_c)}$: an exponential. Catalogues round magnitudes to bins of width $w$. So from here on
# $m_c$ is the centre of the lowest complete bin, and $k = (m - m_c) / w = 0, 1, 2, \dots$ numbers the bins. With $u$
# counted from the lower edge of bin 0, and $q = e^{-\beta w}$:
#
# $$P(k) = \int_{kw}^{(k + 1) w} \beta e^{-\beta u} \, du = q^k - q^{k + 1} = (1 - q) \, q^k .$$
#
# In the graph $m$ is shaded, for it is seen where $s = 1$; $d$ are the instruments.

# %% slideshow={"slide_type": "fragment"}
figure, ax = plots.figure(height=1.7, width=5)
nodes = {"$m$": (0, 0), "$s$": (1.6, 0), "$d$": (3.2, 0)}
plots.graph(ax, nodes, [("$m$", "$s$"), ("$d$", "$s$")], observed=["$m$", "$s$"], plate=(-0.5, -0.5, 2.6, 1.0), repeats="$n$")
plots.show(figure, alt=f"Graph: the magnitude m and the detector d, outside the box, both point to s, being in the catalogue. "
           f"The box repeats for n = {len(california)} earthquakes in California.")
models.GutenbergRichter.card

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Maximum likelihood, line by line.** For $n$ earthquakes with mean $\bar k$,
#
# $$\log p(\mathcal{D}) = \sum_i \log P(k_i) = n \log (1 - q) + n \bar k \log q
# \qquad \text{(independent, given the law)}$$
# $$\frac{\partial \log p(\mathcal{D})}{\partial \beta}
# = \frac{\partial q}{\partial \beta} \Big( \frac{n \bar k}{q} - \frac{n}{1 - q} \Big)
# = n w \Big( \frac{q}{1 - q} - \bar k \Big), \qquad \text{because } \frac{\partial q}{\partial \beta} = -w q .$$
#
# It is zero where $q = \bar k / (1 + \bar k)$, so $\hat\beta = \frac1w \ln (1 + 1 / \bar k)$. And how sure is that? Near
# its top the log-likelihood is a parabola, $-\tfrac12 I (\beta - \hat\beta)^2$ plus a constant, the log of a Gaussian of
# variance $1 / I$. $I$, the **observed information**, is the curvature:
#
# $$I = -\frac{\partial^2 \log p(\mathcal{D})}{\partial \beta^2} = \frac{n w^2 q}{(1 - q)^2}
# = n \Big( \frac{w / 2}{\sinh (\beta w / 2)} \Big)^2, \qquad \text{error of } \hat\beta = 1 / \sqrt{I}.$$
#
# The last step uses $2 \sinh(\beta w / 2) = q^{-1/2} - q^{1/2} = (1 - q) / \sqrt q$. Here is each line with its value in
# California: the slope at $b = 1$, then the curvature at the top.

# %% slideshow={"slide_type": "fragment"}
m_c, w = 1.6, earthquakes.WIDTH
x = earthquakes.above(california, m_c)  # (n, 1)
k = ((x - m_c) / w).round()


def log_p(beta):
    return (torch.log(-torch.expm1(-beta * w)) - beta * w * k).sum()  # n log(1 - q) + sum of k log q


one = torch.tensor(math.log(10), requires_grad=True)
(slope,) = torch.autograd.grad(log_p(one), one)
q = torch.exp(-one * w)
derivation(
    Line(r"\partial_\beta \log p(\mathcal{D}) \text{ at } b = 1", "automatic differentiation", slope),
    Line(r"\partial_\beta q \, (n \bar k / q - n / (1 - q))", "chain rule", -w * q * (k.sum() / q - len(k) / (1 - q))),
    Line(r"n w (q / (1 - q) - \bar k)", "multiplied out", len(k) * w * (q / (1 - q) - k.mean())),
)

# %% slideshow={"slide_type": "fragment"}
beta = torch.log1p(1 / k.mean()) / w  # where the slope is zero
q = torch.exp(-beta * w)
information = -torch.autograd.functional.hessian(log_p, beta)
law = earthquakes.law(california, m_c)  # the library's GutenbergRichter, fitted
torch.testing.assert_close(law.b_value, beta / math.log(10))
torch.testing.assert_close(law.standard_error(x), 1 / information.sqrt() / math.log(10))
print(f"California, from {m_c} on: b = {law.b_value:.3f} ± {law.standard_error(x):.3f} from {len(x)} earthquakes")
derivation(
    Line(r"I = -\partial_\beta^2 \log p(\mathcal{D})", "automatic differentiation", information),
    Line(r"n w^2 q / (1 - q)^2", "derivative of the slope", len(k) * w**2 * q / (1 - q) ** 2),
    Line(r"n \, ((w / 2) / \sinh(\beta w / 2))^2", "definition of sinh", len(k) * (w / 2 / torch.sinh(beta * w / 2)) ** 2),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 1: b_value
#
# *5 minutes, ★☆☆.* From `magnitudes` $(n,)$ in bins of `width` compute $b$ of those in and above the bin of
# `completeness`, a tensor of shape $()$. Stuck? Run `check.b_value.hint()`, and again for more;
# `check.b_value.solution()` shows one.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def b_value(magnitudes, completeness, width):
    raise NotImplementedError


check.b_value(b_value)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Explorer: choose a completeness
#
# 1. Where does California's $b$ settle, and why does it fall to the left? Why must you not simply cut further right?
# 2. Ridgecrest lists the aftershocks of one great shock, from 2.5 on. Compare *all* with *later* at 3.0. What was wrong
#    in the first hours?
# 3. Where does *all of Alaska* seem to settle? Does the law's line then go through the dots?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. From 1.6 to 2.0. Left of it small earthquakes are missing, so the line is too flat. To the right few are left: the
#    error grows, and chance moves $b$.
# 2. Small shocks were drowned in the signals of large ones: the detector was another one.
# 3. Near 0.45, between 1.5 and 2.2. But the line misses the dots, and $b$ climbs again: a plateau proves nothing. Two
#    regions are mixed, with different instruments.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.choose_a_completeness()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Carry it
#
# The rival is a regression, $\log(\text{expected count of a bin}) = c_0 + c_1 m + c_2 m^2$, fitted to *all* bins of its
# home: it learns law and instruments as one curve. A second regression gets complete bins only. All are judged
# elsewhere, above the other place's completeness, by $\log P$ of the bin of each earthquake. (A regression's $P$ is its
# curve, divided by its sum over those bins.) "Later": from the hour on at which a published rule calls Ridgecrest
# complete above 3.0 again (Helmstetter and others 2006). At home, none has seen what it is judged on.

# %% slideshow={"slide_type": "fragment"}
complete_from = {"California": 1.6, "Alaska, inland": 1.8, "Ridgecrest, later": 3.0}
bs, lost, gained, fair = [], {}, {}, {}
for home, cut in complete_from.items():
    its_law, complete = earthquakes.law(places[home], cut), earthquakes.above(places[home], cut)
    rivals = earthquakes.CountRegression(places[home]), earthquakes.CountRegression(complete[:, 0])
    bs.append(metrics.Estimate(its_law.b_value.item(), its_law.standard_error(complete).item()))
    at_home = earthquakes.at_home(places[home], cut, folds=10, generator=rng.seeded(0))
    print(f"{home}: b = {bs[-1]}; at home the law gains {metrics.estimate(at_home)} nats an earthquake over the regression")
    for away in complete_from.keys() - {home}:
        there = earthquakes.above(places[away], complete_from[away])
        moved = earthquakes.carried(its_law, complete_from[away]).log_prob(there)
        lost[home, away] = metrics.estimate(earthquakes.law(places[away], complete_from[away]).log_prob(there) - moved)
        gained[home, away], fair[home, away] = (metrics.estimate(moved - r.log_prob(there, complete_from[away])) for r in rivals)
print(f"{'law, nats an earthquake':36s}{'loses to one fitted there':27s}{'gains on regression':21s}on that of complete bins")
for way in sorted(lost):
    print(f"{' → '.join(way):36s}{lost[way]!s:27s}{gained[way]!s:21s}{fair[way]}")
way = "California", "Alaska, inland"
evidence("S5", "what California's law loses in inland Alaska, an earthquake", lost[way].value, expect=(0, 0.05), unit="nats")
evidence("S5", "what it gains there over California's regression", gained[way].value, expect=(0.1, 0.45), unit="nats")

# %% [markdown] slideshow={"slide_type": "fragment"}
# At home there is little between them. Away from home the law wins in all six directions, in some by less than two
# standard errors. What has travelled? The last column says it. Out of California and Alaska, a regression that knows
# *which bins belong to the ground* is nearly as good as the law. Out of Ridgecrest it fails all the same: its parabola,
# learnt above 3, bends where the law stays straight. (A *straight* line through complete bins would be the law itself.)
# So two pieces of knowledge travel: which part is the ground, and its form.
#
# **A parameter that means something.** $b$ says: for each earthquake of some magnitude there are $10^b$ of one magnitude
# less. Take California's number, and predict elsewhere. And are the three $b$ one number? If so, their squared distances
# from their mean, in standard errors, add up to a draw from $\chi^2$, the distribution of a sum of squared standard
# normal numbers (here two, its **degrees of freedom**: the mean was fitted). The chance of a draw at least as large
# is the **p-value**; a small one speaks against "one number".

# %% slideshow={"slide_type": "fragment"}
b, b_error = law.b_value.item(), law.standard_error(x).item()
scores = []
for away in ("Alaska, inland", "Ridgecrest, later"):
    low, high = (len(earthquakes.above(places[away], complete_from[away] + step)) for step in (0, 1))
    expected = low * 10**-b
    error = math.hypot(math.sqrt(expected * (1 - 10**-b)), expected * math.log(10) * b_error)  # chance, and b's own error
    scores.append((high - expected) / error)
    print(f"{away}: of {low} earthquakes from the cut on, {expected:.1f} ± {error:.1f} should be a magnitude above it; there are {high}")
same = fitting.one_number(*torch.tensor(bs).mT)
print(f"Are the three b one number? chi-square {same.statistic:.1f} with {same.degrees} degrees of freedom, p = {same.p_value:.2f}")
evidence("S6", "largest miss of California's b in two other places", max(map(abs, scores)), expect=(0, 3), unit="standard errors")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Break it: all of Alaska
#
# California's number passes in both places. Yet the p-value is below 5 %: the *form* of the law travels better than its
# number. Now fit one law to two regions in one catalogue. What could go wrong?

# %% slideshow={"slide_type": "fragment"}
for cut in (1.0, 1.5, 2.0):
    trap = earthquakes.law(alaska, cut)
    print(f"all of Alaska from {cut} on: b = {trap.b_value:.2f} ± {trap.standard_error(earthquakes.above(alaska, cut)):.2f}: "
          f"one earthquake in {10**trap.b_value:.1f} a whole magnitude larger")
bets.alaska.settle(sum(earthquakes.law(alaska, 1.0).b_value.item() > limit for limit in (0.6, 0.8, 1.0)))

# %% [markdown] slideshow={"slide_type": "subslide"}
# No large region is known to be like that. That 1.5 and 2.0 agree is no help, and the error bars know nothing of it: they
# take the model for granted. The remedy of a generative modeller is not to cut harder but to **model the detector**
# (Ogata and Katsura 1993): a network notices magnitude $m$ with probability $\Phi((m - \mu) / \sigma)$, half of them at
# $\mu$. What we see is $p(m \mid s = 1)$, law times detector over their integral:
#
# $$\int \beta e^{-\beta m} \, \Phi\Big(\frac{m - \mu}{\sigma}\Big) dm
# = \Big[ -e^{-\beta m} \Phi \Big]_{-\infty}^{\infty} + \int e^{-\beta m} \, \mathcal{N}(m; \mu, \sigma^2) \, dm
# = 0 + e^{-\beta \mu + \beta^2 \sigma^2 / 2},$$
#
# by parts, and then completing the square. (Towards $-\infty$, $\Phi$ falls faster than $e^{-\beta m}$ grows.) No cut any
# more: every earthquake counts.

# %% slideshow={"slide_type": "fragment"}
def log_seen(m, beta, mu, sigma):  # log p(m | in the catalogue)
    return beta.log() - beta * (m - mu) - (beta * sigma).square() / 2 + torch.special.log_ndtr((m - mu) / sigma)


inland, south, west = (datasets.usgs_week(region).magnitude for region in ("alaska_inland", "alaska_south", "california_nevada"))


def fit_detectors(*groups):  # theta: log beta, then mu and log sigma of each group
    def log_likelihood(theta):
        detectors = theta[1:].reshape(-1, 2)
        return sum(log_seen(m, theta[0].exp(), mu, s.exp()).sum() for m, (mu, s) in zip(groups, detectors))

    start = [0.8] + [number for m in groups for number in (m.quantile(0.3).item(), -1.0)]
    return fitting.maximum_likelihood(log_likelihood, torch.tensor(start))


m = torch.linspace(-10, 20, 30_001)  # a density must integrate to one
torch.testing.assert_close(torch.trapezoid(log_seen(m, one.detach(), 1.7, torch.tensor(0.5)).exp(), m), torch.tensor(1.0))
single, double = fit_detectors(torch.cat([inland, south])), fit_detectors(inland, south)

# %% slideshow={"slide_type": "subslide"}
grid = torch.linspace(0.01, 5, 300)
curves = [len(m) * w * log_seen(grid, t[0].exp(), t[1], t[2].exp()).exp()
          for m, t in ((alaska, single.theta), (inland, double.theta[:3]), (south, double.theta[[0, 3, 4]]))]


def b_of(fit):  # b and its error, which is the error of log b, times b
    return metrics.Estimate(b := fit.theta[0].exp().item() / math.log(10), b * fit.errors[0].item())


plots.show(pictures.detectors({"inland": places["Alaska, inland"], "south": places["Alaska, south"]}, curves[0], curves[1:], grid),
           alt=f"Left: one detector for all of Alaska, b = {b_of(single)}. Right: one law and two detectors, half-way "
               f"points {double.theta[1]:.1f} inland and {double.theta[3]:.1f} in the south: b = {b_of(double)}, and "
               f"{double.log_likelihood - single.log_likelihood:.0f} nats more for two more parameters.")
evidence("S5", "Alaska's b once each region has a detector of its own", b_of(double).value, expect=(0.8, 1.25))
print(f"California, all magnitudes, one detector: b = {b_of(fit_detectors(west))}; above the cut it was {law.b_value:.2f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The slope comes back. Nothing about the *ground* was changed; the other mechanism was put right. (The south has too few
# earthquakes to tell its law from its detector: it borrows the slope from inland.) A warning: *one* detector for all of
# California, where three networks report, gives too low a $b$. It is the same trap, only smaller: the detector is a
# model too.
#
# ### Exercise 2: steep_completeness
#
# *6 minutes, ★☆☆, a reverse exercise.* You would like to announce a steep California. Return a completeness, from 1.6
# on, with at least 15 earthquakes above it, that gives $b > 1.5$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def steep_completeness(magnitudes):
    raise NotImplementedError


check.steep_completeness(steep_completeness)

# %% [markdown] slideshow={"slide_type": "fragment"}
# Easy, wasn't it? Now let the model catch you. Draw 1,000 catalogues from the law fitted above 1.6, so that the true $b$ is
# known, and search each for a steep cut. The search finds one several times as often as a cut that was fixed
# beforehand does. Whoever reports a cut should say how many were tried.

# %% slideshow={"slide_type": "fragment"}
cuts = [round(1.6 + 0.1 * step, 1) for step in range(15)]
fakes = law.sample(1000 * len(x), rng.seeded(1)).reshape(1000, -1)  # 1,000 catalogues that obey the law
single_cut = earthquakes.picked(fakes, [2.3], least=1) > 1.5
search = earthquakes.picked(fakes, cuts) > 1.5
print(f"b above 1.5 although it is {b:.2f}: at the cut 2.3 fixed beforehand in {single_cut.double().mean():.1%} of the catalogues, "
      f"somewhere in the search in {search.double().mean():.1%}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Weather: which part moved?
#
# A simulator with two mechanisms (Richardson 1981). **Whether** it rains depends on the season and on yesterday; **how
# much**, if it does, on the season. The gamma distribution gives positive numbers, mostly small, now and then large. With
# $w_t = 1$ on a wet day:
#
# $$p(x) = p(w_1) \prod_{t > 1} \underbrace{p(w_t \mid w_{t - 1}, \text{season})}_{\text{whether}}
# \prod_{t: w_t = 1} \underbrace{\mathrm{Gamma}(x_t; \alpha, \alpha / \mu_t)}_{\text{how much, of mean } \mu_t}.$$
#
# Because it is a product, its log is a sum, and each mechanism is fitted on its own: two logistic regressions and a
# gamma regression. Discriminative models, put together, make a generative one.

# %% slideshow={"slide_type": "fragment"}
bets.moved()

# %% slideshow={"slide_type": "fragment"}
records = {city: datasets.weather(city) for city in ("Seattle", "New York")}
simulators = {city: weather.generator_of(record) for city, record in records.items()}
rain = records["Seattle"].precipitation
wet = (rain > 0).double()
parts = weather.mechanisms(records["Seattle"])  # each: inputs (n, 3), answers (n,), kind
heights = {name: weather.fit_mechanism(part).log_likelihood for name, part in parts.items()}
model = simulators["Seattle"]
first = torch.distributions.Bernoulli(model.rain_after_dry(torch.tensor(0)) / (
    model.rain_after_dry(torch.tensor(0)) + 1 - model.rain_after_wet(torch.tensor(0)))).log_prob(wet[0])
torch.testing.assert_close(model.log_prob(rain[None])[0], first + sum(heights.values()))  # the library's log p(x)
print({name: round(height, 1) for name, height in heights.items()}, "nats; and the first day", round(first.item(), 2))

# %% [markdown] slideshow={"slide_type": "subslide"}
# **The test.** Fit a mechanism to both cities together, and to each on its own. If it is the same in both, twice the gain
# in log-likelihood is, with many data, a draw from $\chi^2$, with as many degrees of freedom as parameters were added
# (Wilks 1938). As a control: the years 2012 and 2013 of one city against 2014 and 2015, where nothing should have moved.

# %% slideshow={"slide_type": "fragment"}
seattle, new_york = records.values()


def compare(title, first, second):
    tests = {name: weather.has_moved(part, second[name]) for name, part in first.items()}
    print(f"{title:32s}", "; ".join(f"{name}: p = {test.p_value:.1g}" for name, test in tests.items()))
    return [test.p_value for test in tests.values()]


for city, record in records.items():
    compare(f"{city}, control", *(weather.mechanisms(record, days=half) for half in (record.year < 2014, record.year >= 2014)))
p_dry, p_wet, p_amount = compare("Seattle → New York", weather.mechanisms(seattle), weather.mechanisms(new_york))
for title, months in (("the same, December to February", (334, 59)), ("the same, June to August", (151, 243))):
    days = [(r.day >= months[0]) | (r.day < months[1]) if months[0] > 300 else (r.day >= months[0]) & (r.day < months[1])
            for r in (seattle, new_york)]
    compare(title, *(weather.mechanisms(r, days=d, seasons=False) for r, d in zip((seattle, new_york), days)))
bets.moved.settle(1 * (min(p_dry, p_wet) < 0.01) + 2 * (p_amount < 0.01))

# %% slideshow={"slide_type": "subslide"}
day = torch.tensor([15, 196])  # the middle of January and of July
told = {city: [f"{curve(day)[0]:.2f} and {curve(day)[1]:.2f}" for curve in (m.rain_after_dry, m.rain_after_wet, m.mean_amount)]
        for city, m in simulators.items()}
plots.show(pictures.seasons(simulators), alt="In the middle of January and of July: " + "; ".join(
    f"{city}: rain after a dry day {a}, after a wet day {b_}, mean amount {c} mm" for city, (a, b_, c) in told.items()))

# %% [markdown] slideshow={"slide_type": "fragment"}
# We had hoped for one part that moved and one that stayed. **Over the whole year all moved**, while none of the six
# controls falls below 1 %. In winter alone the hope comes true: *whether* moved, by the persistence of wet weather, and
# *how much* shows no difference. In summer both moved, but of *whether* only the chance of rain after a dry day. "No
# difference" is not "the same": with so few days only large moves can be seen.
#
# ### Explorer: simulate a year
#
# 1. Make Seattle's 2013: wet days, their spells (runs of wet days), millimetres. Which slider do you set from which numbers?
# 2. Keep the share of wet days: try the chances 0.28 and 0.60, then 0.42 and 0.42, each with several draws. What does
#    memory change?
# 3. What does the real year have that no setting gives you?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. Mean rain: millimetres over wet days. Each wet spell ends once, so the chance of rain after a wet day is 1 − spells /
#    wet days; and each begins once, so after a dry day it is spells / dry days.
# 2. With memory (0.60 after a wet day) about as many wet days come in fewer and longer spells.
# 3. Seasons: Seattle's dry summer. These sliders know no month.
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.simulate_a_year()

# %% [markdown] slideshow={"slide_type": "slide"}
# **Is it understanding?** Ask the fitted simulator, seasons and all, for things that nobody fitted: 1,000 times four
# years of Seattle, beside the four that happened.

# %% slideshow={"slide_type": "fragment"}
simulated = simulators["Seattle"].sample(1000, rng.seeded(2))  # (1000, 1461), mm
theirs, ours = (weather.checks(record, seattle.year) for record in (simulated, rain[None]))
for name, values in theirs.items():
    low, high = values.quantile(torch.tensor([0.025, 0.975]))
    print(f"{name:38s} record {ours[name].item():6.1f}, simulations {low:5.1f} to {high:5.1f}", "" if low <= ours[name] <= high else "✗")
miss = ours["rain after exactly one dry day (%)"].item() - theirs["rain after exactly one dry day (%)"].mean()
caught = sum(low <= ours[name] <= high for name, values in theirs.items() for low, high in [values.quantile(torch.tensor([0.025, 0.975]))])
evidence("S4", "unfitted facts of Seattle's rain that the simulator gets right, of six", caught, expect=(3, 5))

# %% slideshow={"slide_type": "subslide"}
dry = [1, 2, 3, 4, 5, 6, 7]
spells = [weather.rain_after(rain[None] > 0, n).item() for n in dry]  # after n dry days or more
simulated_spells = torch.stack([weather.rain_after(simulated > 0, n) for n in dry])  # (7, 1000)
bands = simulated_spells.quantile(torch.tensor([0.025, 0.5, 0.975]), dim=1)
plots.show(pictures.memory(dry, torch.tensor(spells), simulated_spells.std(1), bands),
           alt=f"Chance of rain in Seattle after at least n dry days. After one: {spells[0]:.2f} on record; after seven {spells[-1]:.2f}, "
               f"the simulations {bands[0, -1]:.2f} to {bands[2, -1]:.2f}. After exactly one dry day it rains {miss:.0f} points more often "
               "than the simulator thinks.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# It gets totals and extremes right, the longest dry spell only just. Two facts it gets wrong, *and we can say which part
# is to blame*: the memory. A single dry day is often a mere pause; but the chain looks back one day only, and has
# forgotten that it was raining before. A black box would not tell us what to mend.
#
# ## Galaxies: the same idea, other parts
#
# An astronomer's simulator: a disc whose light falls off exponentially, of some brightness and size, seen at a slant,
# turned, over an even sky. Seven numbers make a picture (two say where). A statistician's model does the same: draw
# hidden numbers, then turn them into a picture. In a mixture the number says *which* of a few typical pictures it is;
# in a **principal component analysis** (PCA) the numbers are weights, of fixed pictures (the components) that are added
# to a mean picture. The one difference is what the numbers *mean*.

# %% slideshow={"slide_type": "fragment"}
hubble = datasets.hubble()
x_sky, angle = hubble.x[::2].mean(-1).float(), hubble.orientation[::2].float()  # every second galaxy: (229, 28, 28), grey
theta = galaxies.fit(x_sky, angle)  # (229, 7), least squares, each picture on its own
fixed = galaxies.fit(x_sky, angle, place=False)  # five numbers: the disc sits in the middle
guesses = {"disc, 7": galaxies.render(theta), "components, 7": galaxies.principal(x_sky, 7),  # learnt on other galaxies
           "disc, 5": galaxies.render(fixed), "components, 5": galaxies.principal(x_sky, 5)}
total = galaxies.misfit(x_sky, x_sky.mean(0).expand_as(x_sky)).mean().double()
left = {name: galaxies.misfit(x_sky, guess) / total for name, guess in guesses.items()}  # (229,) each
print("share of the variance explained:", {name: round(1 - value.mean().item(), 3) for name, value in left.items()})
advantage = metrics.estimate(left["components, 7"] - left["disc, 7"])
evidence("S4", "variance that seven numbers with a meaning explain more than seven without", advantage.value, expect=(0.01, 0.05))
shown = hubble.flux[::2].argsort(descending=True)[10:100:9]  # ten, from bright to faint
turned, farther = theta[shown].clone(), theta[shown].clone()
turned[:, 3] += math.pi / 2
farther[:, 1] -= math.log(2)  # half the size on the sky, a quarter of the light
rows = {"data": x_sky[shown], "disc, 7": guesses["disc, 7"][shown], "components, 7": guesses["components, 7"][shown],
        "disc, turned": galaxies.render(turned), "twice as far": galaxies.render(farther)}
plots.show(pictures.galleries(rows), alt=f"Ten galaxies; fitted discs without their clumps and neighbours; seven components, blotchy; then the "
           f"discs turned by 90 degrees, and at twice the distance. The disc explains {advantage} more of the variance.")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The two explain about as much; who is ahead depends on how many numbers they may have. But turn a galaxy, or put it
# twice as far away: the disc has a number for that. The components have not; they only know pictures.

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Which component "is" the angle? What would a simulator need to make spirals, what the components? (A
# parameter; more data.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Seeing and doing
#
# To turn a galaxy was an **intervention**: one mechanism is replaced by a fixed value, all others stay. Now take a
# network where smoking $s$ causes bronchitis $b$, and smoking causes lung cancer $l$:
#
# $$p(s, b, l) = p(s) \, p(b \mid s) \, p(l \mid s) \quad \xrightarrow{\; do(b) \;} \quad p(s) \, p(l \mid s), \qquad
# p(l \mid do(b)) = \sum_s p(s) \, p(l \mid s, b).$$
#
# Doing strikes $p(b \mid s)$ out. *Seeing* bronchitis keeps it, and so tells something about smoking:
# $p(l \mid b) = \sum_s p(s \mid b) \, p(l \mid s, b)$. One factor differs. The sum with $p(s)$ is
# the **back-door** sum: it closes the way from $b$ back through $s$ to $l$. The numbers are from a textbook network
# (Lauritzen and Spiegelhalter 1988).

# %% slideshow={"slide_type": "fragment"}
asia = models.BayesianNetwork(datasets.bayesian_network("asia"))


def cancer(evidence_seen, network=asia):
    return network.posterior(evidence_seen)["lung"][asia.states["lung"].index("yes")]


smokes = dict(zip(asia.states["smoke"], asia.posterior({})["smoke"]))
back_door = sum(p * cancer({"smoke": s, "bronc": "yes"}) for s, p in smokes.items())
print(f"p(lung cancer | bronchitis seen) = {cancer({'bronc': 'yes'}):.4f}")
derivation(
    Line(r"p(l \mid do(b))", "the network without p(b | s)", cancer({"bronc": "yes"}, asia.intervene("bronc", "yes"))),
    Line(r"\sum_s p(s) \, p(l \mid s, b)", "the back-door sum", back_door),
    Line(r"p(l)", "bronchitis does not cause cancer", cancer({})),
)

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 3: adjusted_effect
#
# *8 minutes, ★★☆.* A **confounder** is a common cause of treatment and outcome, as smoking was above. From treatments `t`
# (0 or 1), outcomes `y` and a discrete confounder `x`, all $(n,)$, compute
# $\sum_x p(x) \, \big( \mathbb{E}[y \mid t = 1, x] - \mathbb{E}[y \mid t = 0, x] \big)$.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def adjusted_effect(t, y, x):
    raise NotImplementedError


check.adjusted_effect(adjusted_effect)

# %% [markdown] slideshow={"slide_type": "slide"}
# **Real people.** Of 1,566 smokers some stopped, and later weighed more. What would stopping *do*? Those who stopped
# differed from the beginning. Below, $x$ holds nine facts about them. Two ways round: a linear model of the weight
# change in each group, averaged over everybody; or the weight $1 / p(t \mid x)$ for each person, because
#
# $$\mathbb{E}\Big[ \frac{[t = 1] \, y}{p(t = 1 \mid x)} \Big] = \sum_x p(x) \, \frac{p(t = 1 \mid x)}{p(t = 1 \mid x)} \,
# \mathbb{E}[y \mid t = 1, x],$$
#
# the back-door sum again. Error bars are from the **bootstrap**: draw as many people with replacement, estimate again,
# and take the spread of 200 such estimates.

# %% slideshow={"slide_type": "fragment"}
people = datasets.smokers()
covariates, t, y = effects.covariates(people), people.quit.double(), people.weight_change
estimators = {"naive difference": effects.naive, "averaged regressions": effects.standardised, "weighting": effects.weighted}
resampled = effects.bootstrap(estimators, covariates, t, y, rng.seeded(3), draws=200)
for name, group in (("stopped", t == 1), ("went on", t == 0)):
    print(f"{name}: {int(group.sum())} people, mean age {people.age[group].mean():.1f}, {people.cigarettes[group].mean():.1f} cigarettes a day")
found = {name: metrics.Estimate(estimate(covariates, t, y).item(), resampled[name].std().item()) for name, estimate in estimators.items()}
plots.show(pictures.effects(found), alt="Left: the facts x point to stopping t and to the weight change y; t points to y; what nobody measured, u, "
           "points to y and, we must assume, not to t. Right: " + "; ".join(f"{name}: {value} kg" for name, value in found.items()))
shift = resampled["averaged regressions"] - resampled["naive difference"]  # on the same resampled people
change = found["averaged regressions"].value - found["naive difference"].value
print(f"adjusted minus naive: {change:.2f} ± {shift.std():.2f} kg; chance of stopping given x: "
      f"{effects.propensity(covariates, t).min():.2f} to {effects.propensity(covariates, t).max():.2f}")
evidence("S6", "kg that doing differs from seeing", change, expect=(0.4, 1.4), unit="kg")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Two unlike methods agree, and both differ from what is seen. (The bars overlap, but all use the same people: the
# difference has a smaller error.) The data cannot say whether the graph is right. The arrow that is *missing* from $u$ to
# $t$ is the **assumption of no unmeasured confounding**. A second one is **overlap**: everybody might have decided
# otherwise. Whoever reads the naive difference as an effect assumes even more.
#
# ## Exchange the prior
#
# A classifier $p(y \mid x)$ was built where the classes have the frequencies $p(y)$. Elsewhere they have others, but what a class looks like, $p(x \mid y)$, has stayed. By Bayes' rule $p(x \mid y) \propto p(y \mid x) / p(y)$, so
#
# $$p_\text{new}(y \mid x) \propto \frac{p_\text{new}(y)}{p(y)} \; p(y \mid x).$$
#
# ### Exercise 4: new_prior
#
# *5 minutes, ★☆☆.* From `posterior` $(n, K)$ and the priors `old` and `new`, $(K,)$, compute the new posterior.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def new_prior(posterior, old, new):
    raise NotImplementedError


check.new_prior(new_prior)

# %% slideshow={"slide_type": "fragment"}
pixels, classes = digits.pictures()  # 5,620 handwritten digits, 8 × 8: (5620, 64) ink or paper; (5620,)
known, test = digits.deal(classes, labels=100, draws=10, generator=rng.seeded(5))  # ten times
answers = digits.log_joint(pixels, digits.learn(pixels, known.where(known >= 0, -2), steps=0)).softmax(-1)  # naive Bayes
there = torch.tensor([0.02, 0.18] * 5)  # the new place writes mostly odd digits
weight = there[classes] * test  # (10, 5620): a test digit counts as often as it would come there
moved = answers * there / 0.1
right = [((table.argmax(-1) == classes) * weight).sum(-1) / weight.sum(-1) for table in (answers, moved)]
print(f"right where nine digits of ten are odd: old prior {metrics.estimate(right[0])}, new prior {metrics.estimate(right[1])}, "
      f"gain {metrics.estimate(right[1] - right[0])}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A few labels, many pictures
#
# $p(x, y) = p(y) \, p(x \mid y)$ has a use for a digit whose label nobody wrote: sum the label out.
#
# $$\log p(\mathcal{D}) = \sum_{\text{labelled}} \log p(x_i, y_i) \; + \sum_{\text{unlabelled}} \log \sum_y p(x_i, y).$$
#
# A model of $p(y \mid x)$ alone has no second term: $\sum_y p(y \mid x) = 1$, whatever its parameters. **EM** climbs
# this sum by turns. **E-step**: give every digit **responsibilities** $r_{iy}$, certainty where the label is known, the
# model's own posterior $p(y \mid x_i)$ where not. **M-step**: naive Bayes by counting, where a digit with $r_{iy} =
# 0.3$ counts 0.3 in class $y$. (Half a count is added everywhere, so that no probability is 0. Notebook 08 proves that
# EM never goes down.)

# %% slideshow={"slide_type": "fragment"}
known, test = digits.deal(classes, labels=1, draws=1, generator=rng.seeded(0))  # -1: label hidden
seen, told = pixels[~test[0]].double(), known[0][~test[0]]
bayes = models.BernoulliMixture(10, 64)
bayes.maximise_labelled(seen[told >= 0], told[told >= 0], smoothing=0.5)  # from ten labels alone
posterior = bayes.log_joint(seen).softmax(-1)
certain = torch.nn.functional.one_hot(told.clamp_min(0), 10).double()
r = torch.where(told[:, None] >= 0, certain, posterior)  # (4010, 10)
torch.testing.assert_close(r, bayes.expectation(seen, told)[1])  # the library's E-step
print(f"{int((told >= 0).sum())} labels, {int((told < 0).sum())} digits without; tested on {int(test.sum())} others")

# %% [markdown] slideshow={"slide_type": "slide"}
# ### Exercise 5: e_step
#
# *6 minutes, ★★☆.* The same in general: from `log_joint` $(n, K)$ and labels `y` $(n,)$, with −1 for hidden, compute the
# responsibilities $(n, K)$. Some log-joints of the test are near −2,000.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def e_step(log_joint, y):
    raise NotImplementedError


check.e_step(e_step)

# %% slideshow={"slide_type": "subslide"}
bets.labels()

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: let labels spread
#
# 1. One label a class: play, and watch the ten faces sharpen. Compare the deals 0, 4 and 7. Which go wrong, and how can
#    you see it in the faces?
# 2. Now 100 labels a class. Which of the two curves rises, which falls?
# 3. With 100 labels, find a weight of the unlabelled digits that does no harm. Is it any use with one label?
#
# <details><summary>Answers, after you have tried</summary>
#
# 1. 4 and 7. A labelled digit was unusual, and its face has turned into another digit: with deal 4 that of class 5 shows
#    a 2. All digits of that shape now get the wrong name.
# 2. $\log p(x)$ of new digits rises, right answers fall: a better model of pictures, a worse classifier.
# 3. With 0.05 the loss is half a point or less in most deals. With one label 0.05 still helps. But who has labels enough
#    to choose a weight?
#
# </details>

# %% slideshow={"slide_type": "fragment"}
explorers.let_labels_spread()

# %% [markdown] slideshow={"slide_type": "slide"}
# The experiment in full: ten deals of labels, unlabelled digits and test for each point. (The deals share digits, so the
# errors are a little too small.) Then a richer model, with
# *three* naive Bayes **components** a class (three ways to write a digit). And last, "digits that obey", *drawn from*
# naive Bayes itself: the model is right by construction. "Light" means: a digit without label counts a twentieth (Nigam
# and others 2000).

# %% slideshow={"slide_type": "fragment"}
counts = {"naive Bayes": [1, 3, 10, 30, 100], "three components a class": [1, 10, 100], "digits that obey": [1, 10, 100]}
obedient = digits.obedient(pixels, classes, rng.seeded(4))
panels = {}
for (name, labels), (x_, y_), components in zip(counts.items(), ((pixels, classes), (pixels, classes), obedient), (1, 3, 1)):
    panels[name] = digits.curve(x_, y_, labels, components=components, title=name)

# %% slideshow={"slide_type": "subslide"}
gains = {name: dict(zip(counts[name], panel["gain"])) for name, panel in panels.items()}
plots.show(pictures.learning(panels, counts), alt="Gain in right answers from 4,000 unlabelled digits: " + "; ".join(
    f"{name}: " + ", ".join(f"{100 * value:+.1f} points with {labels}" for labels, (value, _) in gain.items()) for name, gain in gains.items()))
helped, hurt = gains["naive Bayes"][1], gains["naive Bayes"][100]
evidence("S7", "points gained from 4,000 unlabelled digits, 1 label a class", 100 * helped.value, expect=(10, 19), unit="points")
evidence("S7", "points gained with 100 labels a class (it hurts)", 100 * hurt.value, expect=(-3.5, -1), unit="points")
bets.labels.settle(sum(hurt.value > limit for limit in (-0.01, 0.01, 0.05)))
for name, panel in panels.items():
    print(f"{name:26s}", "; ".join(f"{labels} a class: {heavy}, light {light}"
                                   for labels, heavy, light in zip(counts[name], panel["gain"], panel["light gain"])))

# %% [markdown] slideshow={"slide_type": "fragment"}
# **The honest result.** With one label a class the unlabelled digits are worth a great deal. Beyond about ten labels they
# *hurt*. The reason is in the third panel: where the model is right, they do not. Pixels of real digits are not
# independent given the class, so the parameters that describe pictures best are not those that separate classes best; with
# 4,000 unlabelled against 1,000 labelled digits the pictures win (Cozman and Cohen 2002). A less wrong model, in the middle,
# puts the harm off; a light weight nearly takes it away.
#
# The *world* matters too: here the class causes the picture. Where $x$ causes $y$, $p(x)$ and $p(y \mid x)$ are two
# mechanisms; the one says nothing about the other, and nothing is gained (Schölkopf and others 2012).

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Show the explorer with 100 labels: log p rises while right answers fall. Ask which of the two
# numbers maximum likelihood promises. Then: who would notice, in practice, without test labels?

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. A generative model is a product of mechanisms; what you buy is parts.
# 2. A part that belongs to the world travels; one that belongs to the instruments does not. Model both.
# 3. An error bar takes its model for granted, and a search over cuts finds what it looks for.
# 4. Seeing keeps all mechanisms, doing strikes one out; which arrows are missing is an assumption, not a result.
# 5. Unlabelled data help a model that is right, or has few labels. They hurt one that is wrong and has many.
#
# ## The statements, measured
#
# S5 holds for the form of the law, once the detector is modelled; its number is only nearly the same. S7 holds for few
# labels and fails for many, where the model is wrong. S4 and S6 hold with the flaws that the table and the text name.

# %% slideshow={"slide_type": "fragment"}
evidence.table("02")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# Every hidden thing here could be summed or integrated by hand: ten classes, one Gaussian detector. A galaxy's spiral arms
# would need many hidden numbers, and nobody can sum over all their values. [Notebook 03](03_images_from_an_unknown_distribution.ipynb) asks how to draw from a
# distribution that nobody knows.
#
# ## In practice
#
# For earthquake catalogues use SeismoStats or ZMAP; for interventions DoWhy, which asks for your graph first. Semi-supervised
# learning is in scikit-learn. Its self-training is a cheap cousin of EM: whenever the model is surer than a threshold, its
# guess becomes a label.

# %% slideshow={"slide_type": "fragment"}
from sklearn.naive_bayes import BernoulliNB
from sklearn.semi_supervised import SelfTrainingClassifier

cousin = SelfTrainingClassifier(BernoulliNB(alpha=0.5), threshold=0.9).fit(seen.numpy(), told.numpy())
model_em = digits.learn(pixels, known, steps=15)
print(f"one label a class, this deal: self-training {cousin.score(pixels[test[0]].numpy(), classes[test[0]].numpy()):.3f}, "
      f"EM {digits.accuracy(pixels, classes, test, model_em).item():.3f}")

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - [@gutenberg1944frequency] The law.
# - [@aki1965maximum] Its slope, from the mean magnitude.
# - [@ogata1993analysis] The detector.
# - [@helmstetter2006comparison] When a catalogue is complete again.
# - [@richardson1981stochastic] The weather generator.
# - [@wilks1938large] The test of two models, one inside the other.
# - [@lauritzen1988local] The textbook network.
# - [@pearl2009causality] Seeing and doing.
# - [@hernan2020causal] Chapters 12 and 13: the smokers.
# - [@nigam2000text] Learning from labels and from data without labels.
# - [@cozman2002unlabeled] When data without labels do harm.
# - [@scholkopf2012causal] Why the direction of cause and effect matters for that.
