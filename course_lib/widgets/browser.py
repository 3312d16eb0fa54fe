"""Explorers that the browser computes: Python gives the state, hears of it, and can leave without stopping them."""

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets
from matplotlib.figure import Figure

from .explorer import _described
from .picture import Picture
from .scripts import text

CSS = text("explorer.css", "live.css")
OFFLINE = text("offline.js")
ALIVE = """<div id="{place}"></div><script type="module">
{script}
{offline}
render({{ model: offline(JSON.parse({values}, unpacked)), el: document.getElementById("{place}") }});
</script>"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>body {{ font-family: sans-serif; }}
{css}</style></head><body><main>{alive}</main></body></html>
"""


class BrowserExplorer(anywidget.AnyWidget):
    """An explorer whose pictures are made in the browser; its state lies in traits that both sides change.

    A subclass gives its `_esm` (see `scripts.module`), `state`, `alt`, `figure()`, and `_checked(name, value)`: the
    traits that a new value of the state comes to, or a ValueError. Its traits are the state, but for those in `FIXED`.
    While nobody listens, Python hears of a new state once the hand rests; otherwise at most ten times a second.
    """

    FIXED: ClassVar[set[str]] = {"face", "listening", "error"}
    _css = CSS
    face = traitlets.Dict().tag(sync=True)  # what the browser builds once
    listening = traitlets.Bool(False).tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._callbacks: list[Callable] = []
        self.listening = False  # nobody does yet: while it is made, a widget observes itself

    @property
    def state(self) -> dict[str, Any]:
        """All values that `set` takes."""
        raise NotImplementedError

    @property
    def alt(self) -> str:
        """What the explorer shows, in words."""
        raise NotImplementedError

    def figure(self) -> Figure:
        """What the explorer shows, as a figure: it stands where no widget can be shown."""
        raise NotImplementedError

    def _checked(self, name: str, value: Any) -> dict[str, Any]:
        raise NotImplementedError

    def set(self, **values: Any) -> None:
        """Change some values of the state, in every view.

        Raises: ValueError for an unknown name or a value that does not fit; then nothing has changed.
        """
        changes: dict[str, Any] = {}
        for name, value in values.items():
            if name not in self.state:
                raise ValueError(f"`{name}` must be one of the values {list(self.state)}.")
            changes |= self._checked(name, value)
        with self.hold_sync(), self.hold_trait_notifications():  # one message; a listener sees all that is new
            for name, value in changes.items():
                setattr(self, name, value)

    def observe(self, handler: Callable, names: Any = traitlets.All, type: str = "change") -> None:
        """Call `handler(change)` when a trait changes; from now on the browser tells of it at once."""
        super().observe(handler, names, type)
        self.listening = True

    def on_change(self, callback: Callable[[dict], Any]) -> None:
        """Call `callback(state)` whenever the state changes; an exception of it is shown in the explorer."""
        if not self._callbacks:
            self.observe(self._tell, [name for name in self._own() if name not in self.FIXED])
        self._callbacks.append(callback)

    def _tell(self, _change: dict) -> None:
        problem = ""
        for callback in self._callbacks:
            try:
                callback(self.state)
            except Exception as error:  # shown to the reader in the explorer
                problem = problem or _described(error)
        self.error = problem

    def to_html(self, path: str | Path) -> None:
        """Write one file that is alive in any browser: no kernel, and nothing is fetched."""
        alive = alive_html("explorer", self._esm, self._portable())
        page = PAGE.format(title=html.escape(self.face["title"]), css=CSS, alive=alive)
        Path(path).write_text(page, encoding="utf-8")

    def _own(self) -> list[str]:
        """The names of the explorer's own traits."""
        names = self.traits(sync=True).keys() - anywidget.AnyWidget.class_traits(sync=True).keys()
        return sorted(name for name in names if not name.startswith("_"))

    def _portable(self) -> dict[str, Any]:
        """All that a page needs."""
        return {name: getattr(self, name) for name in self._own()}

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**options)
        source = base64.b64encode(Picture(self.figure()).png()).decode()
        data["text/plain"] = self.alt
        data["text/html"] = f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{source}">'
        return data, metadata


def alive_html(place: str, script: str, values: dict[str, Any]) -> str:
    """A piece of a page that shows an explorer without a kernel.

    It needs the module's `script`, all the explorer's `values`, and a `place`: an id that the page has only once.
    """
    packed = json.dumps(json.dumps(values, default=_packed)).replace("<", "\\u003c")  # no tag may begin in a script
    return ALIVE.format(place=place, script=script, offline=OFFLINE, values=packed)


def _packed(content: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(content).decode()}
