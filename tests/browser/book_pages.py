"""What is wrong with a book, page by page; `python tests/browser/book_pages.py build/book` looks at a whole one."""

import sys
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from complaints import Complaints
from playwright.sync_api import Browser, Page

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
TYPESET = "async () => { if (window.MathJax) await MathJax.startup.promise; await document.fonts.ready; }"
# Every fault that can be seen on one page; formulas are typeset by now.
FAULTS = r"""() => {
  const found = [], article = document.querySelector("article");
  const texts = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  const unread = "pre, code, script, style, noscript, mjx-container";
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.parentElement.closest(unread) && /\$|\\[(\[]/.test(text.data))
      found.push(`not typeset: ${text.data.trim().slice(0, 80)}`);
  }
  for (const error of article.querySelectorAll("[data-mml-node=merror]"))
    found.push(`no formula: ${error.textContent}`);
  for (const image of document.images) {
    if (!image.alt.trim()) found.push(`no alternative text: ${image.outerHTML.slice(0, 80)}`);
    if (image.complete && !image.naturalWidth) found.push(`no picture: ${image.alt.slice(0, 80)}`);
  }
  for (const canvas of article.querySelectorAll("canvas[role=img]"))
    if (!canvas.ariaLabel) found.push("no alternative text: canvas");
  return found;
}"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults(browser: Browser, pages: Iterable[Path]) -> list[str]:
    """What is wrong with pages that are opened as files, with the network cut."""
    found = []
    context = browser.new_context(viewport=DESK, offline=True)
    for path in pages:
        page, complaints = context.new_page(), Complaints()
        complaints.listen(page)
        page.goto(path.as_uri())
        found += [f"{path.name}: {fault}" for fault in [*page_faults(page), *complaints]]
        page.close()
    context.close()
    return found


def page_faults(page: Page) -> list[str]:
    """What is wrong with an open page."""
    page.evaluate(TYPESET)
    found = page.evaluate(FAULTS)
    page.set_viewport_size(PHONE)
    if wider := page.evaluate(OVERFLOW):
        found.append(f"{wider} pixels wider than a phone")
    page.set_viewport_size(DESK)
    return found


class Places(HTMLParser):
    """The links of a page, and the places that a link can lead to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors = {""}
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        found = dict(attributes)
        self.anchors.add(found.get("id", ""))
        if tag == "a" and "href" in found:
            self.links.append(found["href"])


def broken_links(book: Path) -> list[str]:
    """The links that lead to no page of the book, or to no place of one; links out of the book are not followed."""
    pages = {path.name: Places(path.read_text(encoding="utf-8")) for path in sorted(book.glob("*.html"))}
    broken = []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            target = pages.get(parts.path or name)
            if not parts.scheme and (target is None or unquote(parts.fragment) not in target.anchors):
                broken.append(f"{name}: leads nowhere: {link}")
    return broken


if __name__ == "__main__":
    from conftest import CHROMIUM, SWITCHES
    from playwright.sync_api import sync_playwright

    book = Path(sys.argv[1]).resolve()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        sys.exit("\n".join(broken_links(book) + faults(chromium, sorted(book.glob("*.html")))) or None)
