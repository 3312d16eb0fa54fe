"""The data: their shapes, their sums, and that the files are the ones whose provenance is written down."""

import hashlib
import time
from importlib.resources import files

from course_lib import datasets
from course_lib.datasets.seismology import REGIONS
from course_lib.datasets.silhouettes import ANIMALS
from course_lib.datasets.tables import MISSING, read_columns
from course_lib.rng import seeded

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SHA256 = {
    "LICENSE-animal-mnist.txt": "f544c0d8f978b587f6a611f62f3dd13b6af1a9f891c306c2b052e05320bdfbff",
    "LICENSE-pgmpy.txt": "89171dcc8977530b0c101fbbb1c1d34caee998fc7def9eded629753cd2616a15",
    "animal_silhouettes_28x28.npz": "e3c728265e1abb3a96b03529f52c466d0186aafc45d8eebd5f1d09e29515382f",
    "bayes_nets.json": "5b09170421ea1f610685ef8a510b74d75f1252f1c0f6f3b17219afa6f1622ad1",
    "earthquakes_ridgecrest_2019.csv": "69c74e13ba1c30e1fb761d6b738e42b1e994d53476954750e1fc22124534e1af",
    "earthquakes_usgs_week_2018.csv": "fb616a7b3467680d84e76067d1e7bcaf368edf43ccba384a8e6233d1853ee7eb",
    "galaxies_82.csv": "08d631624e4e866abe2c4f2afc43d266fa2bb35e251ab2ff2eb0d55532bfcfed",
    "hubble_xdf_galaxies_28x28.npz": "e117de68915f287ba3d8926cf458a553aee0378674e1e364820947d634ad982c",
    "mnist_28x28.npz": "458f1ccd72e6b1fb77f331e7100b7fed0c04b5a813d21022a9a49a28d55cd816",
    "nhefs_smoking.csv": "bad1d588ca4719a896224594c27a1c1a92e775014d523c33dd38c5f98bfe9d2b",
    "old_faithful.csv": "b90df6d56c6571e9e9ff035ec3e7decdbcde1d25729ceaf86d8360ac961e1a1e",
    "optdigits_8x8.npz": "555fd77ed94e66f3d9c53855fada7cd865b66711026a859856b0378aa5355b92",
    "penguins.csv": "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93",
    "uci_tabular.npz": "60fd64c02d0115a306b232e253c5f4c82aa585e45a38c28d76b3444a0437344a",
    "weather_seattle_newyork_2012_2015.csv": "27219f1ca8dbd94c9b6f4b9f4f52ab2f1eb33dfdcf719cd9fc6481ed50b74549",
}
NUMBERS = {"spambase": 57, "magic": 10, "ionosphere": 33, "sonar": 60, "heart": 13, "wdbc": 30}
CODES = {"housevotes": 16, "mushroom": 22, "breast": 9, "splice": 60}
ROWS = {"spambase": 4597, "magic": 19020, "ionosphere": 351, "sonar": 208, "heart": 270, "wdbc": 569,
        "housevotes": 232, "mushroom": 5644, "breast": 277, "splice": 1535}
ONES = {"spambase": 1812, "magic": 12332, "ionosphere": 225, "sonar": 111, "heart": 120, "wdbc": 212,
        "housevotes": 124, "mushroom": 2156, "breast": 81, "splice": 767}  # as published, less the rows left out


def test_files_are_the_ones_described():
    folder = files("course_lib.datasets") / "data"
    found = {item.name for item in folder.iterdir() if item.name != "README.md"}
    assert found == set(SHA256)
    description = (folder / "README.md").read_text(encoding="utf-8")
    for name, digest in SHA256.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert f"`{name}`" in description


@pytest.mark.alone
@pytest.mark.parametrize("name", datasets.__all__)
def test_reading_takes_no_time_and_gives_the_default_dtype(name):
    """The goal is 50 ms on a quiet machine: the best of three readings is looked at, with room for a busy one."""
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        table = getattr(datasets, name)()
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 0.2
    columns = [column for column in ([table] if isinstance(table, torch.Tensor) else table)
               if isinstance(column, torch.Tensor)]
    assert {column.dtype for column in columns} <= {torch.float64, torch.long}
    assert len({len(column) for column in columns}) == (0 if name == "bayesian_network" else 1)


@pytest.mark.oracle("published mean", "datasets.old_faithful")
def test_old_faithful():
    x = datasets.old_faithful()
    assert x.shape == (272, 2) and x.dtype == torch.get_default_dtype()
    assert x.mean(0).tolist() == pytest.approx([3.48778, 70.89706], abs=1e-4)


@pytest.mark.oracle("the two versions that are in circulation", "datasets.galaxies")
def test_galaxies_have_the_78th_velocity_put_right():
    x = datasets.galaxies()
    assert x.shape == (82, 1)
    assert x[77].item() == pytest.approx(26.960)
    assert read_columns("galaxies_82.csv", "velocity_in_R_MASS")[77].item() == 26690


@pytest.mark.oracle("sklearn.datasets.load_digits", "datasets.optical_digits")
def test_the_digits_of_the_new_writers_are_those_of_scikit_learn():
    x, y = datasets.optical_digits()
    assert x.shape == (5620, 64)
    assert y.bincount().min() > 500
    theirs, (new, labels) = load_digits(), datasets.optical_digits("new")
    mine = {(*(16 * row).int().tolist(), label) for row, label in zip(new, labels.tolist())}
    assert mine == {(*row.astype(int).tolist(), label) for row, label in zip(theirs.data, theirs.target)}
    training = datasets.optical_digits("training")
    assert (len(training.x), len(new)) == (3823, 1797)
    with pytest.raises(ValueError, match=r"`writers` must be one of 'all', 'training', 'new'; got 'me'\."):
        datasets.optical_digits("me")


@pytest.mark.oracle("nearest neighbours of scikit-learn read them", "datasets.mnist")
def test_mnist_is_embedded_shuffled_and_legible():
    x, y = datasets.mnist()
    assert x.shape == (5000, 784) and x.min() == 0 and x.max() == 1
    assert y.bincount().tolist() == [500] * 10
    assert y[:500].bincount(minlength=10).min() > 25
    assert len(x.unique(dim=0)) == 5000
    assert KNeighborsClassifier(3).fit(x[:4000], y[:4000]).score(x[4000:], y[4000:]) > 0.9


@pytest.mark.oracle("the names in the file", "datasets.silhouettes")
def test_silhouettes():
    x, y = datasets.silhouettes()
    assert x.shape == (5000, 784) and x.min() == 0 and x.max() == 1
    assert y.bincount().tolist() == [500] * 10
    with (files("course_lib.datasets") / "data" / "animal_silhouettes_28x28.npz").open("rb") as file:
        assert tuple(np.load(file)["classes"]) == ANIMALS


@pytest.mark.oracle("the names in the file; flux and colour measured again", "datasets.hubble")
def test_hubble_measures_what_the_pictures_show():
    table = datasets.hubble()
    assert table.x.shape == (457, 28, 28, 3) and table.x.min() >= 0 and table.x.max() <= 1
    light = (table.x.mean(-1) - table.x.mean(-1).median()).clamp_min(0).sum((1, 2))
    assert np.corrcoef(light.log(), table.flux.log())[0, 1] > 0.8
    centre = table.x[:, 11:17, 11:17].mean((1, 2))
    assert np.corrcoef((centre[:, 0] / centre[:, 2]).log2(), table.red_over_blue)[0, 1] > 0.8
    assert table.ellipticity.min() >= 0 and table.ellipticity.max() <= 1 and table.orientation.abs().max() < 1.58
    with (files("course_lib.datasets") / "data" / "hubble_xdf_galaxies_28x28.npz").open("rb") as file:
        names = tuple(np.load(file)["names"])
    assert names == ("row", "col", "area_px", "flux", "ellipticity", "orientation_rad", "red_over_blue_log2")


@pytest.mark.oracle("counts in the file", "datasets.usgs_week")
def test_the_week_of_earthquakes_has_no_blasts():
    week = datasets.usgs_week()
    assert len(week.magnitude) == 1679
    assert (week.time.diff() >= 0).all() and week.time[0] == 0 and 166 < week.time[-1] < 168
    california = datasets.usgs_week("california_nevada")
    assert california.latitude.min() >= 32 and california.longitude.max() <= -114
    alaska = datasets.usgs_week("alaska_inland", "alaska_south")
    assert len(alaska.time) == 237 + 83 and set(alaska.region.tolist()) == {1, 2}
    assert sum(len(datasets.usgs_week(region).time) for region in REGIONS) == 1679
    with pytest.raises(ValueError, match=r"`regions` must be one of 'california_nevada', .*; got 'mars'\."):
        datasets.usgs_week("mars")


@pytest.mark.oracle("Omori's law: aftershocks die away", "datasets.ridgecrest")
def test_ridgecrest_are_aftershocks():
    quakes = datasets.ridgecrest()
    assert len(quakes.magnitude) == 829 and quakes.magnitude.min() == 2.5
    assert 0 < quakes.time[0] < 0.1 and quakes.time[-1] < 168
    by_day = (quakes.time / 24).long().bincount()
    assert by_day[0] > 3 * by_day[-1] and (quakes.region == 0).all()


@pytest.mark.oracle("the calendar", "datasets.weather")
@pytest.mark.parametrize("city", ["Seattle", "New York"])
def test_weather_is_four_whole_years(city):
    days = datasets.weather(city)
    assert days.year.bincount()[2012:].tolist() == [366, 365, 365, 365]
    assert all(days.day[days.year == year].tolist() == list(range(366 if year == 2012 else 365))
               for year in range(2012, 2016))
    assert (days.precipitation >= 0).all() and (days.warmest >= days.coldest).all()


def test_another_city_is_refused():
    with pytest.raises(ValueError, match=r"`city` must be one of 'Seattle', 'New York'; got 'Rome'\."):
        datasets.weather("Rome")


@pytest.mark.oracle("published counts", "datasets.penguins")
def test_penguins_say_what_is_missing():
    birds = datasets.penguins()
    assert birds.species.bincount().tolist() == [152, 68, 124]
    assert birds.island.bincount().tolist() == [168, 124, 52]
    assert (birds.sex == MISSING).sum() == 11 and birds.sex.max() == 1
    sizes = torch.stack([birds.bill_length, birds.bill_depth, birds.flipper_length, birds.body_mass])
    assert sizes.isnan().sum(-1).tolist() == [2, 2, 2, 2]
    assert birds.year.unique().tolist() == [2007, 2008, 2009]


@pytest.mark.oracle("published effects (Hernán and Robins)", "datasets.smokers")
def test_smokers_show_the_published_effects():
    table = datasets.smokers()
    quit, gain = table.quit.bool(), table.weight_change
    assert (gain[quit].mean() - gain[~quit].mean()).item() == pytest.approx(2.54, abs=0.01)
    numbers = torch.stack([table.age, table.weight, table.cigarettes, table.years_of_smoking], -1)
    kinds = [torch.nn.functional.one_hot(column)[:, 1:] for column in
             (table.sex, table.race, table.education, table.exercise, table.activity)]
    x = torch.cat([table.quit[:, None], numbers, numbers**2, *kinds], -1)
    assert LinearRegression().fit(x, gain).coef_[0] == pytest.approx(3.46, abs=0.01)


@pytest.mark.oracle("naive Bayes of scikit-learn beats the larger class", "datasets.spambase", "datasets.magic",
                    "datasets.ionosphere", "datasets.sonar", "datasets.heart", "datasets.wdbc")
@pytest.mark.parametrize("name", NUMBERS)
def test_tables_of_numbers(name):
    x, y = getattr(datasets, name)()
    assert x.shape == (ROWS[name], NUMBERS[name]) and x.isfinite().all()
    assert y.bincount().tolist() == [ROWS[name] - ONES[name], ONES[name]]
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    accuracy = cross_val_score(make_pipeline(StandardScaler(), GaussianNB(var_smoothing=0.05)), x, y, cv=folds).mean()
    assert accuracy > max(y.double().mean(), 1 - y.double().mean()) + 0.02


@pytest.mark.oracle("sklearn.datasets.load_breast_cancer", "datasets.wdbc")
def test_wdbc_calls_the_malignant_ones_1():
    table = load_breast_cancer()
    assert np.array_equal(table.target_names[1 - datasets.wdbc().y.numpy()], table.target_names[table.target])
    assert table.target_names[0] == "malignant"


@pytest.mark.oracle("the largest code is the last level", "datasets.housevotes", "datasets.mushroom",
                    "datasets.breast", "datasets.splice")
@pytest.mark.parametrize("name", CODES)
def test_tables_of_codes(name):
    x, y, levels = getattr(datasets, name)()
    assert x.shape == (ROWS[name], CODES[name]) and len(levels) == CODES[name]
    assert (x.amax(0) + 1).tolist() == [len(column) for column in levels] and x.min() == 0
    assert y.bincount().tolist() == [ROWS[name] - ONES[name], ONES[name]]


@pytest.mark.oracle("published mean and deviation", "datasets.heart")
def test_heart_has_its_decimal_points():
    """A copy in circulation writes 24 for a depression of 2.4 mm, 2 for one of 0.2 and for one of 2."""
    oldpeak = datasets.heart().x[:, 9]
    assert oldpeak.max().item() == pytest.approx(6.2)
    assert (oldpeak.mean().item(), oldpeak.std().item()) == pytest.approx((1.05, 1.1452), abs=1e-4)


@pytest.mark.oracle("what is known of each", "datasets.spambase", "datasets.housevotes", "datasets.mushroom")
def test_ones_are_what_they_are_said_to_be():
    """Spam does not call its reader George; foul mushrooms are poisonous; republicans froze the physicians' fees."""
    x, y = datasets.spambase()
    assert x[y == 0, 26].mean() > 100 * x[y == 1, 26].mean()
    x, y, levels = datasets.mushroom()
    assert (y[x[:, 4] == levels[4].index("f")] == 1).all()
    x, y, levels = datasets.housevotes()
    votes = (x[:, 3] == levels[3].index("y")).double()
    assert votes[y == 0].mean() > 0.95 and votes[y == 1].mean() < 0.1


@pytest.mark.oracle("what introns begin and end with", "datasets.splice")
def test_introns_begin_with_gt():
    """Column 30 is the first base after the splice; an intron begins with GT and ends with AG."""
    x, y, levels = datasets.splice()
    assert (x[y == 1][:, 30] == levels[30].index("G")).double().mean() > 0.99
    assert (x[y == 0][:, 29] == levels[29].index("G")).double().mean() > 0.99


@pytest.mark.oracle("probabilities add up to one; message pinned", "datasets.bayesian_network")
@pytest.mark.parametrize("name", ["asia", "cancer", "earthquake", "survey"])
def test_networks_are_whole(name):
    network = datasets.bayesian_network(name)
    for node in network.values():
        combinations = 1
        for parent in node["parents"]:
            combinations *= len(network[parent]["states"])
        assert len(node["cpt"]) == combinations
        for key, probabilities in node["cpt"].items():
            assert len(probabilities) == len(node["states"]) and sum(probabilities) == pytest.approx(1)
            states = key.split(",") if key else []
            assert all(state in network[parent]["states"] for parent, state in zip(node["parents"], states))


def test_an_unknown_network_is_named():
    with pytest.raises(ValueError, match=r"`name` must be one of 'asia', 'cancer', 'earthquake', 'survey'; got 'x'\."):
        datasets.bayesian_network("x")


def test_an_unknown_column_is_named():
    with pytest.raises(ValueError, match=r"`columns` must be among .*; got \['depth'\]\."):
        read_columns("galaxies_82.csv", "depth")


@pytest.mark.oracle("by hand", "datasets.binarise")
def test_binarise():
    x = torch.tensor([0.0, 0.5, 0.51, 1.0], dtype=torch.float32)
    assert torch.equal(datasets.binarise(x), torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float32))
    assert torch.equal(datasets.binarise(x, 0.2), torch.tensor([0.0, 1.0, 1.0, 1.0], dtype=torch.float32))
    with pytest.raises(ValueError, match=r"`x` must hold floating-point numbers; got torch\.int64\."):
        datasets.binarise(torch.tensor([1, 2]))
    with pytest.raises(ValueError, match=r"`x` must be finite; got 1 NaN or infinite values, the first at \(1,\)\."):
        datasets.binarise(torch.tensor([1.0, torch.nan]))  # not white


@pytest.mark.oracle("every row once, in step", "datasets.split")
def test_split_keeps_rows_together_and_loses_none():
    x = torch.arange(10.0)[:, None]
    x_train, x_rest, y_train, y_rest = datasets.split(x, torch.arange(10), held_out=3, generator=seeded(0))
    assert len(x_train) == len(y_train) == 7 and len(x_rest) == len(y_rest) == 3
    assert torch.equal(x_train[:, 0].long(), y_train) and torch.equal(x_rest[:, 0].long(), y_rest)
    assert sorted(y_train.tolist() + y_rest.tolist()) == list(range(10))
    again = datasets.split(x, held_out=3, generator=seeded(0))
    assert torch.equal(again[0], x_train) and y_train.tolist() != sorted(y_train.tolist())


@pytest.mark.parametrize(("tensors", "held_out", "message"), [
    ([3, 4], 1, r"`tensors` must be one or more, with the same number of rows; got \[3, 4\]\."),
    ([], 1, r"`tensors` must be one or more, .*; got \[\]\."),
    ([3], 0, r"`held_out` must be a whole number >= 1; got 0\."),
    ([3], 0.5, r"`held_out` must be a whole number >= 1; got 0\.5\."),
    ([3], 3, r"`held_out` must be less than the number of rows, 3; got 3\."),
])
def test_sizes_that_cannot_be_split_are_named(tensors, held_out, message):
    with pytest.raises(ValueError, match=message):
        datasets.split(*map(torch.zeros, tensors), held_out=held_out, generator=seeded(0))
