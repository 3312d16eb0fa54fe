"""Smoking and weight."""

from typing import NamedTuple

from torch import Tensor

from .tables import numbers, read_table


class Smokers(NamedTuple):
    """One person in each row, (n,). Categories are whole numbers.

    quit:               1 = stopped smoking between 1971 and 1982
    weight_change:      kg from 1971 to 1982
    sex:                0 = male, 1 = female
    age:                years in 1971
    race:               0 = white, 1 = black or other
    education:          1 (least) to 5 (most)
    cigarettes:         a day in 1971
    years_of_smoking:   until 1971
    exercise:           0 = much, 1 = moderate, 2 = little or none
    activity:           0 = very active, 1 = moderately, 2 = inactive
    weight:             kg in 1971
    died:               1 = by 1992
    """

    quit: Tensor
    weight_change: Tensor
    sex: Tensor
    age: Tensor
    race: Tensor
    education: Tensor
    cigarettes: Tensor
    years_of_smoking: Tensor
    exercise: Tensor
    activity: Tensor
    weight: Tensor
    died: Tensor


CATEGORIES = ("qsmk", "sex", "race", "education", "exercise", "active", "death")


def smokers() -> Smokers:
    """1,566 smokers of the follow-up to the first US health and nutrition survey (NHEFS), those without gaps.

    Reference:  Hernán and Robins, Causal Inference: What If (2020), chapter 12.
    """
    table = read_table("nhefs_smoking.csv")
    columns = {name: numbers(cells) for name, cells in table.items()}
    return Smokers(*(column.long() if name in CATEGORIES else column for name, column in columns.items()))
