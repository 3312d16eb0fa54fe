"""Penguins of the Palmer Archipelago."""

from typing import NamedTuple

from torch import Tensor

from .tables import codes, numbers, read_table

SPECIES = ("Adelie", "Chinstrap", "Gentoo")
ISLANDS = ("Biscoe", "Dream", "Torgersen")
SEXES = ("female", "male")


class Penguins(NamedTuple):
    """One bird in each row, (n,).

    species, island, sex:                       positions in SPECIES, ISLANDS, SEXES; -1 if not known
    bill_length, bill_depth, flipper_length:    mm; NaN if not measured
    body_mass:                                  g; NaN if not measured
    year:                                       2007 to 2009
    """

    species: Tensor
    island: Tensor
    bill_length: Tensor
    bill_depth: Tensor
    flipper_length: Tensor
    body_mass: Tensor
    sex: Tensor
    year: Tensor


def penguins() -> Penguins:
    """344 penguins of three species; the measurements of 2 birds and the sex of 11 are missing.

    Reference:  Gorman, Williams and Fraser, Ecological sexual dimorphism and environmental variability within a
                community of Antarctic penguins (genus Pygoscelis), PLoS ONE 9 (2014).
    """
    table = read_table("penguins.csv")
    sizes = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
    return Penguins(
        codes(table["species"], SPECIES),
        codes(table["island"], ISLANDS),
        *(numbers(table[name]) for name in sizes),
        codes(table["sex"], SEXES),
        numbers(table["year"]).long(),
    )
