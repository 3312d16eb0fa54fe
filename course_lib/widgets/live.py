"""A matplotlib figure that stays on the page and is redrawn in place."""

import base64
import html
import threading
from typing import Any

import anywidget
import traitlets
from matplotlib.figure import Figure

from .picture import Picture, decode_runs, encode_png
from .scripts import module, text


class LiveFigure(anywidget.AnyWidget):
    """A persistent figure; `refresh(alt)` shows it as it now stands, with its alternative text.

    Make `figure` with matplotlib.figure.Figure, not with pyplot. `moving` holds the artists that change
    between refreshes (None: everything is drawn anew). Where no widget can be shown (nbconvert) the
    picture itself is left.

    Raises: ValueError if the alternative text is empty.
    """

    _esm = module("renderExplorer", "knobs", "explorer")
    _css = text("explorer.css")
    face = traitlets.Dict().tag(sync=True)  # what the browser builds once: title, size, controls
    below = traitlets.Bytes().tag(sync=True)  # the part of the picture that seldom changes
    picture = traitlets.Bytes().tag(sync=True)  # what is laid over it
    answer = traitlets.Dict().tag(sync=True)  # what comes with each picture: alt, error, state, ...

    def __init__(self, figure: Figure, alt: str, *, title: str = "", moving: Any = None) -> None:
        self.figure = figure
        self._picture = Picture(figure, moving)
        self._lock = threading.RLock()  # the browser is answered beside the main thread
        super().__init__(face={"title": title, "size": self._picture.size, "controls": {}})
        self.refresh(alt)

    @property
    def alt(self) -> str:
        """The alternative text of the present picture."""
        return self.answer["alt"]

    def png(self) -> bytes:
        """The present picture, in PNG format."""
        return encode_png(decode_runs(self.below, self.picture))

    def refresh(self, alt: str) -> None:
        """Show the figure as it now stands."""
        with self._lock:
            checked = checked_text(alt)
            self._publish(self._picture.draw(), alt=checked, error="")

    def _publish(self, layers: tuple[bytes, bytes], **news: Any) -> None:
        """Send a picture and what is new about it in one message, so that all views stay in step."""
        with self.hold_sync():
            self.below, self.picture = layers
            self.answer = self.answer | news

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**options)
        source = base64.b64encode(self.png()).decode()
        data["text/plain"] = self.alt
        data["text/html"] = f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{source}">'
        return data, metadata


def checked_text(alt: str) -> str:
    """The text `alt`, or a ValueError if it is empty."""
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"`alt` must be the picture's alternative text, not empty; got {alt!r}.")
    return alt
