"""The table of promises, whole: the cards of all models, and of what the field went on to."""

from dataclasses import dataclass

from ... import models
from ...classroom.face import Table
from ...models import Card

HEAD = ("family", "p(x)", "p(z given x)", "gradient of log p(x)", "one sample")


SIGNS = ("exact", "a sum", "a lower bound", "intractable", "says nothing")  # how the entries for p(x) begin


def cards() -> list[Card]:
    """The card of every family of the course, once: the exact ones first, those that are no models of x last."""
    found = (getattr(getattr(models, name), "card", None) for name in models.__all__)
    known = {card.family: card for card in found if isinstance(card, Card)}
    return sorted(known.values(), key=lambda card: (_place(card), card.family))


def _place(card: Card) -> int:
    """Which of SIGNS the card's entry for p(x) begins with."""
    return [card.evidence.startswith(sign) for sign in SIGNS].index(True)


def table() -> Table:
    """Every family of the course, one row each."""
    rows = [(f"**{card.family}**", card.evidence, card.posterior, card.gradient, card.sampling) for card in cards()]
    return Table(f"The table of promises: {len(rows)} families", HEAD, rows)


@dataclass(frozen=True)
class Road:
    """Where the field went: a family's promises, and what it gives up for them."""

    card: Card
    gives_up: str


ROADS = (
    Road(Card("Normalising flow", r"$p(x) = p(z) \, |\det \partial z / \partial x|, \quad z = f^{-1}(x)$",
              "exact, one pass", "a point: $z = f^{-1}(x)$", "exact, one pass", "one pass"),
         "freedom of the network: $f$ must be invertible with a cheap determinant, and $z$ as large as $x$; no "
         "discrete $x$ without a detour"),
    Road(Card("Diffusion", r"$p(x_0, \dots, x_T) = p(x_T) \prod_t p(x_{t-1} \mid x_t)$",
              "a lower bound, $T$ passes",
              "approximated by a fixed encoder, which adds noise step by step",
              "of the bound: unbiased, one step drawn", "$T$ passes, tens to a thousand"),
         "a small $z$ that means something, and quick samples"),
    Road(Card("Autoregressive transformer", r"$p(x) = \prod_d p(x_d \mid x_{<d})$",
              "exact, one pass of $O(D^2)$", "no latent variable", "exact, one pass", "$D$ passes, one after another"),
         "any latent at all, symmetry (an order must be chosen), and parallel sampling"),
    Road(Card("Generative adversarial network", r"$x = g(z)$",
              "none", "none", "none: a critic's gradient in its place", "one pass"),
         "the likelihood, hence every number of this notebook"),
)


def roads() -> Table:
    """The families beyond the course."""
    rows = [(f"**{road.card.family}**", road.card.evidence, road.card.posterior, road.card.gradient, road.card.sampling,
             road.gives_up) for road in ROADS]
    return Table("Where the field went, and what each gives up", (*HEAD, "gives up"), rows)
