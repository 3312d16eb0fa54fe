"""Four files name what the course needs: pyproject.toml, constraints.txt, environment.yml, binder/environment.yml."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rattler import MatchSpec, Version, VersionSpec
from rattler.exceptions import InvalidMatchSpecError

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDED = {need.name: need for need in map(Requirement, PROJECT["dependencies"])}
EXTRAS = {extra: list(map(Requirement, needs)) for extra, needs in PROJECT["optional-dependencies"].items()}
LINES = (ROOT / "constraints.txt").read_text().splitlines()
PINS = {canonicalize_name(name): version for name, version in (line.split("==") for line in LINES if line[0] != "#")}
ON_CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
ON_BINDER = ON_CONDA | {"torch": "pytorch-cpu"}
PLATFORM_ONLY = ("nvidia-", "cuda-", "triton")  # torch itself pins the packages of its CUDA builds


def faults(document: dict, names: dict[str, str]) -> list[str]:
    """What is wrong with a conda environment; `names` are conda's names where they differ from pip's."""
    if set(document) != {"name", "channels", "dependencies"} or document["channels"] != ["conda-forge"]:
        return ["it must have a name, the channel conda-forge and dependencies"]
    found, specs = [], {}
    for text in document["dependencies"]:
        try:
            spec = MatchSpec(text)
        except (InvalidMatchSpecError, TypeError):
            found.append(f"{text}: no conda spec")
            continue
        if ";" in text or spec.build is not None:
            found.append(f"{text}: more than a name and a version")
        specs[spec.name.normalized] = spec
    wanted = {names.get(name, name): PINS[name] for name in NEEDED}
    for name, version in wanted.items():
        if name not in specs:
            found.append(f"{name}: missing")
        elif not VersionSpec(specs[name].version).matches(Version(version)):
            found.append(f"{name}: the tested {version} does not fit {specs[name].version}")
    return found + [f"{name}: not needed" for name in sorted(set(specs) - set(wanted) - {"python", "pip"})]


def read(path: str) -> dict:
    return yaml.safe_load((ROOT / path).read_text())


@pytest.mark.parametrize(
    ("path", "names"), [("environment.yml", ON_CONDA), ("binder/environment.yml", ON_BINDER)]
)
def test_conda_environment(path, names):
    assert faults(read(path), names) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("numpy=2.4", "numpy=2.3", "numpy: the tested .* does not fit"),
        ("numpy=2.4", "numpy >==2", "numpy >==2: no conda spec"),
        ("numpy=2.4", "numpy >=2;<3", "more than a name and a version"),
        ("numpy=2.4", "pandas=2.4", "numpy: missing"),
        ("anywidget=0.11\n", "anywidget=0.11\n  - pandas\n", "pandas: not needed"),
        ("numpy=2.4", "pip: [-e .]", "no conda spec"),
        ("conda-forge", "defaults", "the channel conda-forge"),
    ],
)
def test_conda_gate_bites(old, new, fault):
    text = (ROOT / "binder/environment.yml").read_text()
    assert old in text
    with pytest.raises(AssertionError, match=fault):
        assert faults(yaml.safe_load(text.replace(old, new)), ON_BINDER) == []


def test_conda_ranges_are_those_of_the_project():
    ranges = {f"{ON_CONDA.get(name, name)} {need.specifier}" for name, need in NEEDED.items()}
    ours = {str(Requirement(text)) for text in read("environment.yml")["dependencies"]}
    assert ours == {str(Requirement(text)) for text in ranges} | {f"python{PROJECT['requires-python']}", "pip"}


def test_binder_pins_minor_versions():
    assert all(
        text.count("=") == 1 and text.split("=")[1].count(".") == 1
        for text in read("binder/environment.yml")["dependencies"]
        if text != "pip"
    )


@pytest.mark.parametrize("need", [*NEEDED.values(), *EXTRAS["test"], *EXTRAS["hub"]], ids=lambda need: need.name)
def test_direct_dependency_is_pinned_within_its_range(need):
    assert PINS[need.name] in need.specifier


@pytest.mark.parametrize("extra", EXTRAS)
def test_dependencies_of_dependencies_are_pinned(extra):
    if extra == "hub":
        pytest.importorskip("jupyterhub", reason="the extra hub is not installed")
    reached, waiting = set(), [*NEEDED.values(), *EXTRAS[extra]]
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        if name in reached or name.startswith(PLATFORM_ONLY) or (need.marker and not need.marker.evaluate()):
            continue
        reached.add(name)
        waiting += map(Requirement, importlib.metadata.requires(name) or ())
    assert reached - set(PINS) - {"setuptools"} == set()


def test_the_tests_make_the_book():
    assert set(PROJECT["optional-dependencies"]["book"]) <= set(PROJECT["optional-dependencies"]["test"])


def test_constraints_fit_every_build():
    assert PINS["torch"] == "2.13.0"
    assert not [version for version in PINS.values() if "+" in version or "hash" in version or "@" in version]


def test_repo2docker_takes_the_binder_folder(tmp_path):
    for name in ("binder", "environment.yml", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Building conda environment for python=3.12" in done.stdout + done.stderr
    assert '--file "binder/environment.yml"' in done.stdout + done.stderr
    assert "RUN ./binder/postBuild" in done.stdout + done.stderr
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in done.stdout + done.stderr


def test_binder_installs_the_course_without_its_dependencies():
    assert os.access(ROOT / "binder/start", os.X_OK)
    script = ROOT / "binder/postBuild"
    assert os.access(script, os.X_OK)
    assert "\npython -m pip install --no-deps --editable .\n" in script.read_text()


def test_binder_s_versions_are_those_that_are_tested_here():
    pinned = {ON_BINDER.get(name, name): name for name in NEEDED}
    specs = dict(text.split("=") for text in read("binder/environment.yml")["dependencies"] if "=" in text)
    for spec, version in specs.items():
        if spec in pinned:
            installed = importlib.metadata.version(pinned[spec]).partition("+")[0]
            assert VersionSpec(f"={version}").matches(Version(installed)), f"{spec}: {installed} does not fit {version}"
