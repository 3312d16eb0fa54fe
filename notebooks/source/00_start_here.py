# %% [markdown] slideshow={"slide_type": "slide"}
# # 00 · Start here
#
# **Question.** How does this course work?
#
# **You will be able to**
#
# 1. place a bet in probabilities and be scored in nats ([exercise 1](#Exercise-1:-log_score))
# 2. let a check tell you which mistake you made ([exercise 1](#Exercise-1:-log_score))
# 3. find hints, solutions, your progress, and the next notebook ([exercise 1](#Exercise-1:-log_score))
#
# **You need** Python with functions and arrays, some calculus, and probability as far as Bayes' rule.
#
# **Time.** 10 minutes, in which you move, bet and solve for the first time.
#
# **Measured.** *Run all*: 9 s, 404 MiB (2 CPU cores, no GPU).

# %% slideshow={"slide_type": "skip"}
import math

from course_lib import lessons
from course_lib.classroom import dashboard, evidence
from course_lib.doctor import doctor
from course_lib.lessons.n00_start_here import bets, check, explorers

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Two numbers, one digit
#
# No theory yet. Click into the cell of code above, and press Shift and Enter together: it runs, and the next cell is
# chosen. Press them again until a picture appears below. Then **drag the orange point** (or focus it and use the arrow
# keys).

# %% slideshow={"slide_type": "fragment"}
explorers.two_numbers_one_digit()

# %% [markdown] slideshow={"slide_type": "fragment"}
# The picture under your hand has 784 pixels and is made from **two** numbers, by a network that has seen 4,000
# handwritten digits. Nobody told it what a 6 is, and yet the plane has a region of 6s, one of 0s, and between them lie
# pictures that could be either. These two numbers are **latent variables**, latents for short: never measured, but
# assumed to lie behind what was measured. The rings show where they are likely: a point is drawn inside the first ring
# four times out of ten, and outside the third about once in ninety times.
#
# That is the theme of the course: **describe how data could have been made, with something hidden inside, and then
# reason backwards**. The network came with the course; in [notebook 10](10_deep_latent_variable_models.ipynb) you
# build it and train it yourself, and ask it where *your* handwriting comes from.

# %% [markdown] slideshow={"slide_type": "notes"}
# *Speaker notes.* Let somebody from the audience drag the point blindly and let the room shout what digit it is. Ask:
# how many pictures of this size are there? Then the bet.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Is everything here?
#
# The doctor looks at versions, device, memory, and whether widgets can work. A line with a problem says what to do.
# No GPU is needed; where there is one, training uses it.

# %% slideshow={"slide_type": "fragment"}
doctor()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Bets
#
# Before a result is shown you will often be asked to bet. You do not pick an answer: you **spread your belief** over
# all of them, give each a weight, and press the button. When the result is there, your score is the natural logarithm
# of the probability that you gave to what happened. Its unit is the **nat**.
#
# $$\text{score} = \log p(\text{what happened})$$
#
# Who is sure and right loses nothing, $\log 1 = 0$; who spreads evenly over four answers loses $\log 4$ whatever
# happens; who is sure and wrong loses a lot. Over the course your bets become a probabilistic model, and the sum of
# their scores is its **log-likelihood**, the logarithm of the probability that it gave to all that happened: exactly
# what the course is about, with you as the model.

# %% slideshow={"slide_type": "fragment"}
bets.pictures()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Exercises
#
# An exercise is a function to write. Its **check** answers in one of three ways: *not attempted yet*, *passed*, or
# *not yet* together with **the name of your mistake**, because it knows the usual wrong answers too. Try one of them
# here on purpose: return `-math.log(probability)`, or forget the `return`. Nothing you do in an exercise can break
# the notebook, *Run all* works with everything unsolved, and an endless loop is cut off.
#
# ### Exercise 1: log_score
#
# *2 minutes, ★☆☆.* Write the score of a bet, in nats, for a `probability` above 0. Stuck? Make a new cell and run
# `check.log_score.hint()`; run it again for a stronger hint. `check.log_score.solution()` shows a tested answer.

# %% tags=["exercise"] slideshow={"slide_type": "fragment"}
def log_score(probability):
    raise NotImplementedError


check.log_score(log_score)

# %% [markdown] slideshow={"slide_type": "slide"}
# Now the result of the bet. Two choices for each of 784 pixels:

# %% slideshow={"slide_type": "fragment"}
digits_of_the_count = 784 * math.log10(2)
print(f"2 to the power of 784 has {int(digits_of_the_count) + 1} decimal digits")
bets.pictures.settle(sum(digits_of_the_count > limit for limit in (9, 80, 200)))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Your progress, and lectures
#
# What you bet and solve is kept in one small file on this computer, outside the course's folder; nothing is ever sent
# anywhere. An update of the course does not touch it. Come back to this cell from time to time: it shows what is done,
# your bets as the probabilistic model that they are (do they beat chance? do seven answers in ten happen when you say
# 70 %?), and which exercises to solve once more, 2, 7 and 21 days after you first passed them.

# %% slideshow={"slide_type": "fragment"}
dashboard(lessons.every())

# %% [markdown] slideshow={"slide_type": "fragment"}
# With `from course_lib.classroom import progress`, `progress.export("mine.json")` writes all of it to a file,
# `progress.restore("mine.json")` takes such a file over on another computer, and `progress.reset()` begins anew; the last
# two keep a copy of what was there. For a projector, `from course_lib.classroom import lecture` and then `lecture()`
# enlarges the type and folds the code; `lecture(False)` goes back.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The map
#
# | part | notebook | its question |
# | --- | --- | --- |
# | I Why model how data is made | [01 Two ways to model](01_two_ways_to_model.ipynb) | What is the difference between knowing the answer and knowing the process? |
# | | [02 What generative models buy](02_what_generative_models_buy.ipynb) | Why bother, when prediction is all I need? |
# | | [03 Images from an unknown distribution](03_images_from_an_unknown_distribution.ipynb) | How can you draw from a distribution that nobody knows? |
# | II Learning when everything is seen | [04 Neural conditionals](04_neural_conditionals.ipynb) | How does a network say "I am not sure"? |
# | | [05 Fully observed models](05_fully_observed_models.ipynb) | What if nothing is hidden? |
# | | [06 Stochastic gradients](06_stochastic_gradients.ipynb) | How can a guess from 64 examples replace a sum over 60,000? |
# | III What the data do not show | [07 Latents and features](07_latents_and_features.ipynb) | What is hidden behind a picture? |
# | | [08 Mixtures](08_mixtures.ipynb) | What if the hidden cause is a choice? |
# | | [09 Infinite mixtures](09_infinite_mixtures.ipynb) | What if the hidden cause is a number? |
# | | [10 Deep latent variable models](10_deep_latent_variable_models.ipynb) | How far do two simple pieces reach? |
# | IV What cannot be computed | [11 The intractable evidence](11_intractable_evidence.ipynb) | Why can't we just do the integral? |
# | | [12 The intractable posterior](12_intractable_posteriors.ipynb) | Which causes could have made this picture? |
# | | [13 Approximate inference](13_approximate_inference.ipynb) | What can we do instead, and what does it cost? |
# | | [14 Posteriors over parameters](14_posteriors_over_parameters.ipynb) | What do we know about the parameters themselves? |
# | V Beyond | [15 Amortised inference](15_amortised_inference.ipynb) | Can one network answer for every data point? |
#
# **Notation.** $x$ data, of shape $(n, D)$ · $z$ what is latent · $\theta$ parameters · $p$ the model, $q$ an
# approximation · $\log$ the natural logarithm, in nats · after ± one
# **standard error**: how far chance alone typically moves the number before it. All words and signs of the course
# stand in the [glossary](glossary.ipynb), which every notebook links to.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What you learnt
#
# 1. Latent numbers can stand behind a picture, and moving them moves the picture.
# 2. A bet spreads probability; its score is the logarithm of what happened, in nats.
# 3. A check names your mistake; hints come in two strengths; a solution is one call away.
#
# ## The statements, measured
#
# The course teaches 33 statements, S1 to S33, and lets you *measure* each: every number that
# a notebook claims is computed in it, stands beside the range where it is expected, and is held to that range
# whenever the course is tested. This is where yours gather, from every notebook that you have run; those of a run of
# the whole course stand in the [ledger](ledger.ipynb).

# %% slideshow={"slide_type": "fragment"}
evidence.table()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Still intractable
#
# Almost everything: how the plane above was learnt, why two numbers and not three, what a *good* picture is, and how
# probable each one. Go on with [01, Two ways to model](01_two_ways_to_model.ipynb).
#
# ## In practice
#
# The keys that you need in JupyterLab: Shift+Enter runs a cell, Esc then B makes a new one below, Esc then Z undoes;
# the menu *Run* has *Run All Cells*; *Kernel* has *Restart* if all else fails.
#
# *No Kernel* at the top right means that Python was ended because it had nothing to do for long. *Kernel*, *Restart Kernel
# and Run All Cells…* goes on; your answers stand in their cells, and your progress is kept. Binder ends Python after ten
# idle minutes, and soon all that was yours is gone: before a pause, keep the notebook (*File*, *Download*) and what
# `progress.export` wrote (in the list of files, right click, *Download*); later upload both and call `progress.restore`.
#
# ## References
#
# The works of all notebooks stand in [one list](references.ipynb).
#
# - [@lecun1998gradient] The digits.
# - [@good1952rational] The logarithmic score.
