"""What a page complains of: console errors, uncaught exceptions, requests to outside."""

from playwright.sync_api import Page

HARMLESS = ()  # beginnings of console errors that JupyterLab itself makes


class Complaints(list):
    """What went wrong on a page: console errors, uncaught exceptions, requests to outside."""

    def listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.append(f"uncaught exception: {error}"))
        page.on("request", self._request)

    def _console(self, message) -> None:
        if message.type == "error" and not message.text.startswith(HARMLESS):
            self.append(f"console error: {message.text}")

    def _request(self, request) -> None:
        inside = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:", "file:")
        if not request.url.startswith(inside):
            self.append(f"request to outside: {request.url}")
