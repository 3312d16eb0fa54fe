"""Handwritten digits."""

import gzip
import os
from pathlib import Path

import numpy as np
import torch
from platformdirs import user_cache_path

from ..errors import require_choice
from .download import fetch
from .tables import Labelled, pixels, read_arrays

WRITERS = ("all", "training", "new")
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist")
SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
REMEDY = "Remedy: look at the network and try again, or use the 5,000 digits that come with the course: mnist()."


def optical_digits(writers: str = "all") -> Labelled:
    """5,620 digits by 43 writers, 8 × 8 pixels with 0 (paper) to 1 (ink) in steps of 1/16: x (5620, 64), y (5620,).

    With writers="training" the 3,823 digits by 30 of them; with "new" the 1,797 by the 13 others: a test on people
    never seen.

    Raises:     ValueError for other `writers`.
    Reference:  Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998).
    """
    require_choice("writers", writers, WRITERS)
    x, y, new = read_arrays("optdigits_8x8.npz", "x", "y", "in_sklearn")
    if writers != "all":
        keep = new if writers == "new" else ~new
        x, y = x[keep], y[keep]
    return Labelled(pixels(x, 16).flatten(1), torch.from_numpy(y).long())


def mnist(full: bool = False, *, folder: str | Path | None = None) -> Labelled:
    """Digits of 28 × 28 pixels with 0 (paper) to 1 (ink) in steps of 1/255: x (n, 784), y (n,).

    The 5,000 that come with the course, 500 of each digit, shuffled; or the full set of 70,000, of which the last
    10,000 are the usual test set, by other writers. The full set (11.6 MB) is fetched once, into `folder` or
    the user's cache; the environment variable COURSE_MNIST names another address to fetch it from.

    Raises:     DownloadError if the full set cannot be fetched whole.
    Reference:  LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition,
                Proceedings of the IEEE 86 (1998).
    """
    if not full:
        x, y = read_arrays("mnist_28x28.npz", "x", "y")
        return Labelled(pixels(x, 255).flatten(1), torch.from_numpy(y).long())
    folder = Path(folder) if folder else user_cache_path("generative-ai-from-first-principles") / "mnist"
    address = os.environ.get("COURSE_MNIST")
    addresses = (address,) if address else MIRRORS
    paths = [fetch(name, sha256, folder, addresses, REMEDY) for name, sha256 in SHA256.items()]
    train_x, train_y, test_x, test_y = map(_read_idx, paths)
    x, y = np.concatenate([train_x, test_x]), np.concatenate([train_y, test_y])
    return Labelled(pixels(x, 255).flatten(1), torch.from_numpy(y).long())


def _read_idx(path: Path) -> np.ndarray:
    """The bytes of an IDX file: its fourth byte counts the axes, and four bytes for the length of each follow."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
