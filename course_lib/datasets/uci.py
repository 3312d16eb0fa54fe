"""Tables with two classes from the UCI Machine Learning Repository; rows with gaps are left out."""

from typing import NamedTuple

import torch
from torch import Tensor

from .tables import Labelled, read_arrays


class Coded(NamedTuple):
    """Rows of categories: x (n, D) and y (n,), whole numbers; levels[d][code] is what a code in column d stands for."""

    x: Tensor
    y: Tensor
    levels: tuple[tuple[str, ...], ...]


def spambase() -> Labelled:
    """4,597 e-mails: x (4597, 57), y = 1 for spam.

    Columns:    frequencies of 48 words and 6 characters, in percent; the average, the longest and the total length
                of runs of capital letters.
    """
    return _numbers("spambase")


def magic() -> Labelled:
    """19,020 simulated showers in a Cherenkov telescope: x (19020, 10), y = 1 for a gamma ray, 0 for a hadron.

    Columns:    fLength, fWidth (mm); fSize (log10 of photons); fConc, fConc1; fAsym, fM3Long, fM3Trans (mm);
                fAlpha (degrees); fDist (mm).
    """
    return _numbers("magic")


def ionosphere() -> Labelled:
    """351 radar returns: x (351, 33) from -1 to 1, y = 1 for one that shows structure in the ionosphere."""
    return _numbers("ionosphere")


def sonar() -> Labelled:
    """208 sonar echoes: x (208, 60), energies in 60 bands from 0 to 1, y = 1 for a mine, 0 for a rock."""
    return _numbers("sonar")


def heart() -> Labelled:
    """270 patients: x (270, 13), y = 1 for heart disease.

    Columns:    age (years), sex, kind of chest pain, resting blood pressure (mm Hg), cholesterol (mg/dl), blood sugar
                above 120 mg/dl, electrocardiogram, highest heart rate (1/min), angina by exercise, oldpeak (how far
                the ST segment sinks by exercise, mm), slope, vessels, thal.
    """
    return _numbers("heart")


def wdbc() -> Labelled:
    """569 tumours of the breast (Wisconsin): x (569, 30), measures of cell nuclei, y = 1 for a malignant one."""
    from sklearn.datasets import load_breast_cancer  # takes a while to import

    table = load_breast_cancer()
    x = torch.from_numpy(table.data).to(torch.get_default_dtype())
    return Labelled(x, torch.from_numpy(table.target == 0).long())


def housevotes() -> Coded:
    """232 members of the US House of Representatives of 1984: x (232, 16), votes no and yes, y = 1 for a democrat."""
    return _codes("housevotes")


def mushroom() -> Coded:
    """5,644 mushrooms: x (5644, 22), y = 1 for a poisonous one."""
    return _codes("mushroom")


def breast() -> Coded:
    """277 patients after cancer of the breast (Ljubljana): x (277, 9), y = 1 where it came back."""
    return _codes("breast")


def splice() -> Coded:
    """1,535 places where DNA is spliced: x (1535, 60), bases, y = 1 from exon to intron, 0 from intron to exon."""
    return _codes("splice")


def _numbers(name: str) -> Labelled:
    x, y = read_arrays("uci_tabular.npz", f"{name}_x", f"{name}_y")
    return Labelled(torch.from_numpy(x).to(torch.get_default_dtype()), torch.from_numpy(y).long())


def _codes(name: str) -> Coded:
    x, y, levels = read_arrays("uci_tabular.npz", f"{name}_x", f"{name}_y", f"{name}_levels")
    named = tuple(tuple(str(column).split("|")) for column in levels)
    return Coded(torch.from_numpy(x).long(), torch.from_numpy(y).long(), named)
