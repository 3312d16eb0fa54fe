"""Learning curves: naive Bayes against logistic regression on five data sets, all random splits of one size at once."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import one_hot, softplus

from ... import datasets, rng
from ...functional import bernoulli_log_prob

SPLITS = {"spambase": 30, "wdbc": 200, "heart": 200, "splice": 30, "digits 2 v 3": 50}  # fewer where one is dear
LEARNERS = ("naive Bayes", "logistic regression", "naive Bayes, own variances", "logistic regression, penalised")
SIZES = (10, 20, 40, 80, 160, 320, 640, 1280)
TEST = 500  # rows at most that judge each split
LETTERS = "ACGT"
RIDGE, PENALTY = 1e-3, 1.0  # "almost unpenalised", and the strength that scikit-learn takes by default


class Race(NamedTuple):
    """The test errors of the learners: sizes (m,) in labels, errors[learner] (m, splits), features and rows in all."""

    sizes: Tensor
    errors: dict[str, Tensor]
    features: int
    rows: int

    def gap(self, generative: str = LEARNERS[0], discriminative: str = LEARNERS[1]) -> tuple[Tensor, Tensor]:
        """Error of the generative minus that of the discriminative learner: mean over splits and its standard error."""
        gaps = self.errors[generative] - self.errors[discriminative]  # (m, splits)
        return gaps.mean(-1), gaps.std(-1) / gaps.shape[-1] ** 0.5


def table(name: str) -> tuple[Tensor, Tensor, str]:
    """Features x (n, D), labels y (n,) of 0 and 1, and what x holds: numbers, bits, or letters in four columns each."""
    if name == "splice":
        codes = datasets.splice()
        letter = torch.stack([torch.tensor([LETTERS.find(word) for word in levels])[column]
                              for column, levels in zip(codes.x.mT, codes.levels)], -1)  # (n, 60), -1 if not sure
        sure = (letter >= 0).all(-1)
        return one_hot(letter[sure], 4).flatten(1).to(torch.get_default_dtype()), codes.y[sure], "letters"
    if name == "digits 2 v 3":
        x, y = datasets.optical_digits()
        chosen = (y == 2) | (y == 3)
        return datasets.binarise(x[chosen]), (y[chosen] == 3).long(), "bits"
    return *getattr(datasets, name)(), "numbers"


def race(name: str, *, splits: int, seed: int = 0) -> Race:
    """Every learner on `splits` random splits of every size; at least 100 rows, and two fifths of all, judge."""
    x, y, kind = table(name)
    most = min(len(y) - 100, 3 * len(y) // 5, 320 if kind == "letters" else 1280)  # letters have 240 columns: slow
    sizes = [size for size in SIZES if size <= most]
    columns = [torch.stack(list(_errors(x, y, kind, size, splits, rng.seeded(seed + size)))) for size in sizes]
    errors = torch.stack(columns, 1)  # (learners, m, splits)
    return Race(torch.tensor(sizes), dict(zip(LEARNERS, errors)), x.shape[1], len(y))


def _errors(x: Tensor, y: Tensor, kind: str, size: int, splits: int, generator: Generator) -> Iterator[Tensor]:
    """The share of wrong answers of each learner on each split, (splits,)."""
    train, test = random_splits(y, size, splits, generator)
    x_train, x_test, y_train, y_test = x[train], x[test], y[train], y[test]
    if kind == "numbers":
        x_train, x_test = standardised(x_train, x_test)
    bayes = {"numbers": gaussian_naive_bayes, "letters": categorical_naive_bayes, "bits": bernoulli_naive_bayes}[kind]
    design, design_test = with_ones(x_train), with_ones(x_test)
    penalised = logistic_regression(design, y_train, ridge=PENALTY)
    free = logistic_regression(design, y_train, ridge=RIDGE, start=penalised)
    own = {"tied": False, "floor": 1e-2} if kind == "numbers" else {}
    scores = (
        bayes(x_train, y_train, x_test),
        (design_test @ free[..., None])[..., 0],
        bayes(x_train, y_train, x_test, **own),
        (design_test @ penalised[..., None])[..., 0],
    )
    for log_odds in scores:  # (splits, tests)
        yield ((log_odds > 0) != (y_test == 1)).to(x.dtype).mean(-1)


def random_splits(y: Tensor, size: int, splits: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Rows to learn from, (splits, size), with both classes among them, and other rows to judge by."""
    learn, judge = [], []
    while len(learn) < splits:
        order = rng.rows(len(y), len(y), generator)
        if 0 < y[order[:size]].sum() < size:
            learn.append(order[:size])
            judge.append(order[max(size, len(y) - TEST):])
    return torch.stack(learn), torch.stack(judge)


def standardised(x: Tensor, x_test: Tensor) -> tuple[Tensor, Tensor]:
    """Mean 0 and variance 1 by what was learnt from: (splits, n, D); a column that does not vary is only centred."""
    mean, scale = x.mean(1, keepdim=True), x.std(1, correction=0, keepdim=True)
    scale = torch.where(scale > 1e-9 * (1 + mean.abs()), scale, 1.0)
    return (x - mean) / scale, (x_test - mean) / scale


def with_ones(x: Tensor) -> Tensor:
    """A column of ones beside the features, for the intercept."""
    return torch.cat([x, torch.ones_like(x[..., :1])], -1)


def gaussian_naive_bayes(x: Tensor, y: Tensor, x_test: Tensor, *, tied: bool = True, floor: float = 1e-6) -> Tensor:
    """The log-odds (splits, tests) of Gaussians with independent features; `floor` is added to every variance."""
    r, counts = _shares(x, y)
    loc = r.mT @ x / counts[..., None]  # (splits, 2, D)
    variance = (r.mT @ x.square() / counts[..., None] - loc.square()).clamp_min(0)
    if tied:
        variance = ((counts[..., None] * variance).sum(1, keepdim=True) / x.shape[1]).expand_as(loc)
    variance = variance + floor
    constant = -0.5 * (loc.square() / variance + variance.log()).sum(-1) + counts.log()  # (splits, 2)
    return _difference(x_test.square() @ (-0.5 / variance).mT + x_test @ (loc / variance).mT + constant[:, None])


def bernoulli_naive_bayes(x: Tensor, y: Tensor, x_test: Tensor, *, smoothing: float = 1.0) -> Tensor:
    """The log-odds (splits, tests) of independent bits."""
    r, counts = _shares(x, y)
    p = (r.mT @ x + smoothing) / (counts[..., None] + 2 * smoothing)  # (splits, 2, D)
    constant = bernoulli_log_prob(torch.zeros_like(p), p.logit()).sum(-1) + counts.log()
    return _difference(x_test @ p.logit().mT + constant[:, None])


def categorical_naive_bayes(x: Tensor, y: Tensor, x_test: Tensor, *, smoothing: float = 1.0) -> Tensor:
    """The log-odds (splits, tests) of independent letters, each given as four one-hot columns."""
    r, counts = _shares(x, y)
    p = (r.mT @ x + smoothing) / (counts[..., None] + 4 * smoothing)  # (splits, 2, D)
    return _difference(x_test @ p.log().mT + counts.log()[:, None])


def logistic_regression(
    x: Tensor, y: Tensor, *, ridge: float, start: Tensor | None = None, steps: int = 30, tolerance: float = 1e-2
) -> Tensor:
    r"""The weights (splits, D) that minimise the loss by Newton's method, halving any step that would not descend.

    .. math:: -\sum_i \log p(y_i \mid x_i) + \tfrac{\lambda}{2} \lVert w \rVert^2

    Each step is a least-squares fit with weights h = p (1 - p), in the smaller of the two spaces, D or n. It ends when
    no split's loss falls by more than `tolerance` nats.

    Shapes:     x (splits, n, D), with a column of ones; y (splits, n), whole numbers 0 and 1.
    """
    sign = 2.0 * y.to(x) - 1
    small = x @ x.mT if x.shape[1] <= x.shape[2] else None  # (splits, n, n)
    w = x.new_zeros(len(x), x.shape[2]) if start is None else start

    def loss(w: Tensor) -> Tensor:
        return softplus(-sign * (x @ w[..., None])[..., 0]).sum(-1) + 0.5 * ridge * w.square().sum(-1)

    before = loss(w)
    for _ in range(steps):
        w = _descend(loss, w, before, _newton_target(x, y, w, ridge, small))
        after = loss(w)
        if (before - after).max() < tolerance:
            break
        before = after
    return w


def _newton_target(x: Tensor, y: Tensor, w: Tensor, ridge: float, small: Tensor | None) -> Tensor:
    a = (x @ w[..., None])[..., 0]  # (splits, n)
    p = a.sigmoid()
    h = (p * (1 - p)).clamp_min(1e-9)
    aim = a + (y - p) / h
    if small is not None:  # X' (X X' + lambda / H)^-1 aim
        factor = torch.linalg.cholesky(small + torch.diag_embed(ridge / h))
        return (x.mT @ torch.cholesky_solve(aim[..., None], factor))[..., 0]
    identity = torch.eye(x.shape[2], dtype=x.dtype)
    factor = torch.linalg.cholesky((x.mT * h[:, None]) @ x + ridge * identity)
    return torch.cholesky_solve(x.mT @ (h * aim)[..., None], factor)[..., 0]


def _descend(loss: Callable[[Tensor], Tensor], w: Tensor, before: Tensor, target: Tensor) -> Tensor:
    """From w towards the target, as far as the loss falls: each split halves its own step."""
    length = torch.ones_like(before)
    for _ in range(12):
        there = w + length[:, None] * (target - w)
        uphill = loss(there) > before
        if not uphill.any():
            return there
        length = torch.where(uphill, length / 2, length)
    return torch.where(uphill[:, None], w, there)


def _shares(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """One-hot labels (splits, n, 2), and how many there are of each class (splits, 2)."""
    r = one_hot(y, 2).to(x)
    return r, r.sum(1)


def _difference(scores: Tensor) -> Tensor:
    """Log p(y = 1, x) minus log p(y = 0, x): (splits, tests, 2) -> (splits, tests)."""
    return scores[..., 1] - scores[..., 0]
