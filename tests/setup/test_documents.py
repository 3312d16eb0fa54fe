"""The top-level documents agree with the project and with each other."""

import re
from pathlib import Path

import course_lib

import torch
import yaml

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_version_stands_in_every_place():
    assert str(yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]) == course_lib.__version__
    assert f"## {course_lib.__version__} " in (ROOT / "CHANGELOG.md").read_text()


def test_readme_lists_sixteen_notebooks_and_links_those_that_are_ready():
    rows = re.findall(r"^\| (\d\d) \| (.+?) \| .+ \| (ready|to come) \|$", README, re.M)
    assert [number for number, _, _ in rows] == [f"{number:02}" for number in range(16)]
    ready = {re.search(r"\((.+)\)", title)[1] for _, title, state in rows if state == "ready"}
    assert ready == {str(path.relative_to(ROOT)) for path in ROOT.glob("notebooks/[0-9]*.ipynb")}


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
