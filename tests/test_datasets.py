"""The data: their shapes, their sums, and that the files are the ones whose provenance is written down."""

import hashlib
from importlib.resources import files

from course_lib import datasets
from course_lib.datasets.tables import read_columns

import pytest
import torch
from sklearn.datasets import load_digits

SHA256 = {
    "galaxies_82.csv": "08d631624e4e866abe2c4f2afc43d266fa2bb35e251ab2ff2eb0d55532bfcfed",
    "old_faithful.csv": "b90df6d56c6571e9e9ff035ec3e7decdbcde1d25729ceaf86d8360ac961e1a1e",
    "optdigits_8x8.npz": "555fd77ed94e66f3d9c53855fada7cd865b66711026a859856b0378aa5355b92",
}


def test_files_are_the_ones_described():
    folder = files("course_lib.datasets") / "data"
    found = {item.name for item in folder.iterdir() if item.name != "README.md"}
    assert found == set(SHA256)
    description = (folder / "README.md").read_text(encoding="utf-8")
    for name, digest in SHA256.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert f"`{name}`" in description


def test_old_faithful():
    x = datasets.old_faithful()
    assert x.shape == (272, 2) and x.dtype == torch.get_default_dtype()
    assert x.mean(0).tolist() == pytest.approx([3.48778, 70.89706], abs=1e-4)


def test_galaxies_have_the_78th_velocity_put_right():
    x = datasets.galaxies()
    assert x.shape == (82, 1)
    assert x[77].item() == pytest.approx(26.960)
    assert read_columns("galaxies_82.csv", "velocity_in_R_MASS")[77].item() == 26690


def test_optical_digits_hold_those_of_scikit_learn():
    x, y = datasets.optical_digits()
    assert x.shape == (5620, 64)
    assert y.bincount().min() > 500
    theirs = load_digits()
    mine = {(*(16 * row).int().tolist(), label) for row, label in zip(x, y.tolist(), strict=True)}
    assert {(*row.astype(int).tolist(), label) for row, label in zip(theirs.data, theirs.target, strict=True)} <= mine


def test_an_unknown_column_is_named():
    with pytest.raises(ValueError, match=r"`columns` must be among .*; got \['depth'\]\."):
        read_columns("galaxies_82.csv", "depth")
