"""A matplotlib figure as pixels, of which only the moving artists are drawn anew and sent."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class Picture:
    """The present picture of `figure`.

    All but the `moving` artists is drawn once and kept; they, and what they touch of what lies above them in their
    axes, are drawn at every call. All is drawn anew when the resolution or an axes' limits change, and at every call
    without `moving`.
    """

    def __init__(self, figure: Figure, moving: Any = None) -> None:
        self._figure, self._canvas = figure, FigureCanvasAgg(figure)
        self._layers = [] if moving is None else list(_layers(list(_flat(moving))))
        self._kept_for, self._below, self._whole, self._whole_runs = None, None, None, b""
        self.size = [int(number) for number in figure.bbox.size]
        self._dpi = figure.dpi

    def draw(self) -> tuple[bytes, bytes]:
        """The figure as it stands: the runs of what is kept, and of what differs from it (see `encode_runs`)."""
        if self._layers:
            self._draw_layers()
        else:
            self._canvas.draw()
        return self._whole_runs, encode_runs(self._pixels(), self._whole)

    def png(self) -> bytes:
        """The figure as it stands, in PNG format."""
        return encode_png(decode_runs(*self.draw()))

    def sharpen(self) -> None:
        """Draw at twice the resolution from now on, for a screen with small pixels."""
        self._figure.set_dpi(2 * self._dpi)

    def _pixels(self) -> np.ndarray:
        return np.asarray(self._canvas.buffer_rgba())  # (height, width, 4), the canvas's own

    def _draw_layers(self) -> None:
        setting = (self._figure.dpi, [axes.viewLim.bounds for axes in self._figure.axes])
        if self._kept_for != setting:
            self._keep()
            self._kept_for = setting
        pixels = self._pixels()
        pixels[:] = self._below
        for artists, above in self._layers:
            self._draw(artists)
            free = [artist for artist in above if self._is_free(pixels, self._boxes[artist])]
            self._draw(artist for artist in above if artist not in free)
            for artist in free:
                pixels[self._boxes[artist]] = self._whole[self._boxes[artist]]

    def _draw(self, artists: Iterable[Artist]) -> None:
        for artist in artists:
            artist.draw(self._canvas.renderer)

    def _is_free(self, pixels: np.ndarray, box: tuple[slice, slice]) -> bool:
        """Whether nothing that moves has come there."""
        return np.array_equal(pixels[box], self._below[box])

    def _keep(self) -> None:
        """Draw and keep what lies below the moving artists, and the whole figure without them."""
        layers = [artist for artists, above in self._layers for artist in artists + above]
        for artist in layers:
            artist.set_animated(True)  # an animated artist is left out by the figure's own draw
        self._canvas.draw()
        for artist in layers:
            artist.set_animated(False)
        self._below = self._pixels().copy()
        above = [artist for _, above in self._layers for artist in above]
        self._boxes = {artist: self._box(artist) for artist in above}
        self._pixels()[:] = self._below
        self._draw(above)
        self._whole = self._pixels().copy()
        self._whole_runs = encode_runs(self._whole)

    def _box(self, artist: Artist) -> tuple[slice, slice]:
        """The rows and columns that an artist covers."""
        self._canvas.renderer.clear()
        self._draw([artist])
        covered = self._pixels()[:, :, 3] > 0
        spans = [np.flatnonzero(covered.any(axis)) for axis in (1, 0)]
        return tuple(slice(span[0], span[-1] + 1) if span.size else slice(0) for span in spans)


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
    if isinstance(moving, (list, tuple)):
        for part in moving:
            yield from _flat(part)
    elif isinstance(moving, Artist) and moving.axes and moving in moving.axes.get_children():
        yield moving
    else:
        raise ValueError(f"`moving` must hold artists that axes draw, such as lines; got {moving!r}.")


def _layers(moving: list[Artist]) -> Iterator[tuple[list[Artist], list[Artist]]]:
    """For each axes, the artists from the first that moves to the last, and those above them."""
    for axes in dict.fromkeys(artist.axes for artist in moving):
        drawn = sorted((part for part in axes.get_children() if part is not axes.patch), key=Artist.get_zorder)
        places = [drawn.index(artist) for artist in moving if artist.axes is axes]
        between, above = drawn[min(places):max(places) + 1], drawn[max(places) + 1:]
        yield tuple([part for part in parts if not _is_outside(part)] for parts in (between, above))


def _is_outside(part: Artist) -> bool:
    """Ticks and their labels, the slowest things to draw, are left of and below what moves, unless there is a grid."""
    if not isinstance(part, Axis):
        return False
    ticks = part.get_tick_params()
    return ticks.get("direction", "out") == "out" and not ticks.get("gridOn", False)
