"""The reverse exercise of lesson 15: kill the latent variable, and leave the likelihood alive."""

from ...classroom import Exercise, Mistake
from .collapse import treated

DEAD, MOST_UNITS, MOST_BETA = 0.05, 256, 10.0  # nats of divergence; hidden units; times the divergence


def kill_the_latent():
    """Hidden units of the decoder's network that hears the pixels before, and how often the divergence counts."""
    return 128, 2.0


def _judge(treatment) -> str | None:
    problem = _not_a_treatment(treatment)
    if problem:
        return problem
    hears, beta = treatment
    (kl, _), log_p = treated(hears, beta=float(beta)).signs
    healthy = treated(0).signs[1].value
    if kl >= DEAD:
        return (f"The latent variable **still lives**: KL(q‖prior) is {kl:.3g} nats a digit, and {DEAD:g} is dead. "
                f"(log p(x) is {log_p}.) What would make $z$ superfluous, what would make it dear?")
    if log_p.value < healthy:
        return (f"$z$ is dead (KL {kl:.2g} nats), but **so is the patient**: log p(x) is {log_p}, below the "
                f"{healthy:.1f} of the healthy VAE. Somebody else must do the work of $z$.")
    return None


def _not_a_treatment(treatment) -> str | None:
    if len(treatment) != 2 or not all(isinstance(part, (int, float)) for part in treatment):
        return "Return **two numbers**, `(hears, beta)`."
    hears, beta = treatment
    if not isinstance(hears, int) or not 0 <= hears <= MOST_UNITS:
        return f"`hears` must be a **whole number from 0 to {MOST_UNITS}**; yours is {hears}."
    if not 0 < beta <= MOST_BETA:
        return (f"`beta` must be **above 0 and at most {MOST_BETA:g}**; yours is {beta:g}. (At 0 nothing holds $q$ to "
                "the prior: that is no bound.)")
    return None


KILL_THE_LATENT = Exercise(
    kill_the_latent,
    lambda: [()],
    judge=lambda treatment: _judge(treatment),
    mistakes=(
        Mistake(lambda: (0, 1.0), "The latent variable **still lives**: KL(q‖prior) is 2"),
        Mistake(lambda: (16, 1.0), "The latent variable **still lives**"),
        Mistake(lambda: (0, 8.0), "**so is the patient**"),
        Mistake(lambda: (128, 0.0), "**above 0 and at most 10**"),
        Mistake(lambda: (1000, 1.0), "**whole number from 0 to 256**"),
        Mistake(lambda: (128.0, 1.0), "**whole number from 0 to 256**; yours is 128"),
        Mistake(lambda: (128,), "Return **two numbers**"),
    ),
    hints=(
        "A dear $z$ dies, but takes log p(x) along. Who else could know what the pixels have in common?",
        "Let the decoder hear the pixels before, with many units, and make the divergence count twice.",
    ),
    minutes=8,
    difficulty=2,
    seconds=30.0,
)
