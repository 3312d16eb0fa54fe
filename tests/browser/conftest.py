"""Real JupyterLab in a real browser: one server and one Chromium for all tests of this folder."""

import shutil
from pathlib import Path

import pytest
from complaints import Complaints
from lab_server import Lab
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parents[1] / "notebooks"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-quic", "--disable-gpu",  # without a graphics card its emulation is slower than none
]


def pytest_collection_modifyitems(items):
    here = [item for item in items if HERE in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.browser)
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="no Chromium here: install `chromium` to run the browser tests"))


@pytest.fixture(scope="session")
def start_lab(tmp_path_factory):
    """A function that starts a JupyterLab on a copy of the notebooks; all are stopped at the end."""
    labs = []

    def start(*options: str) -> Lab:
        folder = tmp_path_factory.mktemp("lab")
        shutil.copytree(NOTEBOOKS, folder / "notebooks")
        labs.append(Lab(folder, list(options)))
        return labs[-1]

    yield start
    for lab in labs:
        lab.stop()


@pytest.fixture(scope="session")
def lab(start_lab) -> Lab:
    """JupyterLab as `make lab` starts it; but kernels whose page was closed end, to free their memory."""
    return start_lab("--MappingKernelManager.cull_idle_timeout=20", "--MappingKernelManager.cull_interval=10")


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


PATIENCE = 120_000  # ms that a page may be busy, with all the explorers of a notebook on a shared machine


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(chromium, complaints):
    """A fresh page; the test fails if the page had anything to complain of."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints.listen(page)
    yield page
    context.close()
    assert not complaints, "\n".join(complaints)
