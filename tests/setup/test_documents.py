"""The top-level documents agree with the project and with each other."""

import re
from itertools import pairwise
from pathlib import Path

import course_lib

import pytest
import torch
import yaml

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
NOTEBOOKS = sorted(ROOT.glob("notebooks/[0-9]*.ipynb"))


def source(notebook: Path) -> str:
    """Return the text from which a notebook is built."""
    return (ROOT / "notebooks" / "source" / f"{notebook.stem}.py").read_text(encoding="utf-8")


def test_version_stands_in_every_place():
    assert str(yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]) == course_lib.__version__
    assert f"## {course_lib.__version__} " in (ROOT / "CHANGELOG.md").read_text()


def test_readme_lists_all_notebooks_in_order():
    rows = re.findall(r"^\| (\d\d) \| \[.+?\]\((.+?)\) \| .+\? \|$", README, re.M)
    assert rows == [(path.name[:2], str(path.relative_to(ROOT))) for path in NOTEBOOKS]


def test_the_first_notebook_has_a_map_of_all_others():
    mapped = re.findall(r"^# \|.*\| \[\d\d .+\]\((\d\d_.+\.ipynb)\) \|", source(NOTEBOOKS[0]), re.M)
    assert mapped == [path.name for path in NOTEBOOKS[1:]]


@pytest.mark.parametrize(("path", "following"), list(pairwise(NOTEBOOKS)), ids=lambda path: path.stem)
def test_each_notebook_ends_with_a_link_to_the_next(path, following):
    assert f"]({following.name})" in source(path).partition("## Still intractable")[2]


def test_readme_has_the_place_for_measured_figures():
    assert README.count("<!-- measured:begin -->") == README.count("<!-- measured:end -->") == 1


def test_pre_commit_uses_the_project_s_own_tools():
    (source,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert source["repo"] == "local"
    assert all(hook["entry"].startswith(".venv/bin/") for hook in source["hooks"])


def test_licence_covers_code_and_text():
    licence = (ROOT / "LICENSE").read_text()
    assert "The MIT License (the code)" in licence
    assert "Creative Commons Attribution 4.0 International (the text)" in licence


def test_the_example_in_the_readme_runs(capsys):
    (code,) = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
    torch.set_default_dtype(torch.float32)
    exec(code, {})
    assert float(capsys.readouterr().out.split(" ± ")[0]) < -100          # nats an image
