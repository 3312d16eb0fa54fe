"""A matplotlib figure as pixels, of which only the moving artists are drawn anew and sent."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class Picture:
    """The present picture of `figure`.

    What lies below the `moving` artists is drawn once and kept; they, and what lies above them in their
    axes, are drawn at every call. It is drawn anew when the resolution or an axes' limits change. Without
    `moving` all is drawn at every call.
    """

    def __init__(self, figure: Figure, moving: Any = None) -> None:
        self._figure, self._canvas = figure, FigureCanvasAgg(figure)
        self._layer = [] if moving is None else _layer(list(_flat(moving)))
        self._kept, self._kept_for = None, None
        self._below, self._below_pixels = b"", None
        self.size = [int(number) for number in figure.bbox.size]
        self._dpi = figure.dpi

    def draw(self) -> tuple[bytes, bytes]:
        """The figure as it stands: the runs of what is kept, and of what differs from it (see `encode_runs`)."""
        if self._layer:
            self._draw_layer()
        else:
            self._canvas.draw()
        return self._below, encode_runs(self._pixels(), self._below_pixels)

    def png(self) -> bytes:
        """The figure as it stands, in PNG format."""
        return encode_png(decode_runs(*self.draw()))

    def _pixels(self) -> np.ndarray:
        return np.asarray(self._canvas.buffer_rgba())  # (height, width, 4)

    def sharpen(self) -> None:
        """Draw at twice the resolution from now on, for a screen with small pixels."""
        self._figure.set_dpi(2 * self._dpi)

    def _draw_layer(self) -> None:
        setting = (self._figure.dpi, [axes.viewLim.bounds for axes in self._figure.axes])
        if self._kept_for != setting:
            self._draw_below()
            self._kept_for = setting
        self._canvas.restore_region(self._kept)
        for artist in self._layer:
            artist.draw(self._canvas.renderer)

    def _draw_below(self) -> None:
        for artist in self._layer:
            artist.set_animated(True)  # an animated artist is left out by the figure's own draw
        self._canvas.draw()
        for artist in self._layer:
            artist.set_animated(False)
        self._kept, self._below_pixels = self._canvas.copy_from_bbox(self._figure.bbox), self._pixels().copy()
        self._below = encode_runs(self._below_pixels)


def encode_runs(pixels: np.ndarray, below: np.ndarray | None = None) -> bytes:
    """Runs of equal pixels, row after row; pixels (height, width, 4) that equal `below` are left transparent.

    The result is little-endian 32-bit numbers: width, height, where each run ends, then the colour of each run.
    A browser lays them down thirty times as fast as it decodes a PNG.
    """
    height, width, _ = pixels.shape
    colours = pixels.view("<u4").ravel()  # (height * width,)
    if below is not None:
        colours = np.where(colours == below.view("<u4").ravel(), 0, colours)
    ends = np.append(np.flatnonzero(colours[1:] != colours[:-1]) + 1, colours.size)
    return np.concatenate([[width, height], ends, colours[ends - 1]]).astype("<u4").tobytes()


def decode_runs(*layers: bytes) -> np.ndarray:
    """The pixels (height, width, 3) of runs that are laid over each other; an empty layer is left out."""
    seen = 0
    for layer in filter(None, layers):
        (width, height), runs = np.split(np.frombuffer(layer, "<u4"), [2])
        ends, colours = np.split(runs, 2)
        colours = np.repeat(colours, np.diff(ends, prepend=np.uint32(0)))
        seen = np.where(colours == 0, seen, colours)
    return seen.view(np.uint8).reshape(height, width, 4)[:, :, :3]


def encode_png(pixels: np.ndarray) -> bytes:
    """PNG of pixels (height, width, 3), uint8: three times as fast as a general encoder on plots.

    Every row is stored as its difference from the row above, and runs of equal bytes are shortened.
    """
    height, width, _ = pixels.shape
    flat = pixels.reshape(height, 3 * width)
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    rows[:, 0], rows[:, 1:] = 2, flat  # each row opens with its filter: 2 is "difference from above"
    rows[1:, 1:] -= flat[:-1]
    deflate = zlib.compressobj(1, strategy=zlib.Z_RLE)
    data = deflate.compress(rows.tobytes()) + deflate.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits a channel, RGB
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _flat(moving: Any) -> Iterator[Artist]:
    """The artists in nested lists and containers of artists."""
    if isinstance(moving, Artist):
        yield moving
    elif isinstance(moving, (list, tuple)):
        for part in moving:
            yield from _flat(part)
    else:
        raise ValueError(f"`moving` must hold artists; got {moving!r}.")


def _layer(moving: list[Artist]) -> list[Artist]:
    """The moving artists and, in each of their axes, all that is drawn after the first of them."""
    layer = []
    for axes in dict.fromkeys(artist.axes for artist in moving):
        drawn = sorted((part for part in axes.get_children() if part is not axes.patch), key=Artist.get_zorder)
        above = drawn[min(drawn.index(artist) for artist in moving if artist.axes is axes):]
        layer += [part for part in above if not _is_outside(part)]
    return layer


def _is_outside(part: Artist) -> bool:
    """Ticks and their labels, the slowest things to draw, are left of and below what moves, unless there is a grid."""
    if not isinstance(part, Axis):
        return False
    ticks = part.get_tick_params()
    return ticks.get("direction", "out") == "out" and not ticks.get("gridOn", False)
