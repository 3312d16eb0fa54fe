"""What axe-core finds on a page that would keep somebody from reading or using it."""

from pathlib import Path

import nbformat
from axe_playwright_python.sync_playwright import Axe
from nbconvert import HTMLExporter
from playwright.sync_api import Page

OURS = [[".jp-RenderedMarkdown"], [".jp-OutputArea-output"]]  # JupyterLab's own frame is its authors'
THEIRS = {"link-in-text-block": {"enabled": False}}  # whether links are underlined is the theme's choice


def barriers(page: Page) -> list[str]:
    """Return every serious or critical finding in the course's texts, figures and explorers, with its element."""
    options = {"resultTypes": ["violations"], "rules": THEIRS}
    found = Axe().run(page, context={"include": OURS}, options=options).response
    return [
        f"{rule['id']}: {node['failureSummary']} {node['html'][:300]}" for rule in found["violations"]
        if rule["impact"] in ("serious", "critical") for node in rule["nodes"]
    ]


def barriers_when_exported(page: Page, notebook: Path) -> list[str]:
    """Save the notebook that JupyterLab shows, export it, and return its barriers: axe sees contrast only there."""
    with page.expect_response(lambda response: response.request.method == "PUT" and notebook.name in response.url):
        page.keyboard.press("Control+s")
    exported = page.context.new_page()
    exported.route("**/*", lambda route: route.abort())
    html, _ = HTMLExporter().from_notebook_node(nbformat.read(notebook, as_version=4))
    exported.set_content(html, wait_until="domcontentloaded")
    try:
        return barriers(exported)
    finally:
        exported.close()
