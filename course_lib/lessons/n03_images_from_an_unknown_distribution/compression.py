"""What general compressors need for binary images, in bits an image."""

import lzma
import struct
import zlib

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ... import metrics

SMALLEST = {"preset": 6 | lzma.PRESET_EXTREME, "id": lzma.FILTER_LZMA2}  # a larger window would find no more here


def packed(x: Tensor) -> bytes:
    """Binary images (n, 784), eight pixels a byte, each row of 28 pixels padded to 4 bytes."""
    return np.packbits(x.numpy().astype(bool).reshape(-1, 28), axis=1).tobytes()


def png(x: Tensor) -> bytes:
    """One PNG file, one bit a pixel, of binary images (n, 784) on top of one another."""
    rows = np.frombuffer(packed(x), np.uint8).reshape(-1, 4)
    header = struct.pack(">IIBBBBB", 28, len(rows), 1, 0, 0, 0, 0)  # width, height, 1 bit, grey
    data = zlib.compress(np.insert(rows, 0, 0, axis=1).tobytes(), 9)  # each row opens with its filter: none
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks)


def smallest(data: bytes) -> bytes:
    """`data` as LZMA packs it best, without a header."""
    return lzma.compress(data, lzma.FORMAT_RAW, filters=[SMALLEST])


def bits(x: Tensor, x_new: Tensor, group: int = 100) -> dict[str, metrics.Estimate]:
    """Bits an image of `x_new` (n, 784) for each compressor, with the standard error over images or groups."""
    groups = x_new.split(group)
    known = len(smallest(packed(x)))
    joined = tqdm([packed(torch.cat([x, part])) for part in groups], desc="LZMA", leave=False)
    lengths = {
        "PNG, one digit a file": [len(png(image[None])) for image in x_new],
        f"PNG, {group} digits a file": [len(png(part)) / group for part in groups],
        f"zlib, {group} digits": [len(zlib.compress(packed(part), 9)) / group for part in groups],
        f"LZMA, {group} digits": [len(smallest(packed(part))) / group for part in groups],
        f"LZMA, {group} after the training digits": [(len(smallest(data)) - known) / group for data in joined],
    }
    return {name: metrics.estimate(8 * torch.tensor(values, dtype=torch.float64)) for name, values in lengths.items()}
