"""The tree of pixels: held against enumeration of all images, of all trees, and scipy's spanning tree."""

import itertools

from course_lib import datasets
from course_lib.models import ChowLiuTree, IndependentPixels
from course_lib.models.tree import mutual_information, spanning_tree
from course_lib.rng import randn, seeded, uniform
from tests.models.specimens import binary, collect

import pytest
import torch
from scipy.sparse.csgraph import minimum_spanning_tree
from sklearn.metrics import mutual_info_score

D = 5
POINTS = binary(D)[0].double()
PATTERNS = [torch.tensor(pattern) for pattern in itertools.product([True, False], repeat=D)]


def some_data(n=60, seed=0):
    """Binary rows whose values depend on each other in no simple way."""
    generator, like = seeded(seed), torch.zeros(())
    mix = 2 * randn((D, D), generator, like)
    return ((randn((n, D), generator, like) @ mix + randn((n, D), generator, like)) > 0.3).double()


@pytest.fixture
def fitted():
    model = ChowLiuTree(D)
    model.maximise(some_data(), smoothing=0.5)
    return model


def hide(x, seen):
    return torch.where(seen, x, torch.nan)


def all_trees(nodes):
    """The edges of every tree on so many nodes, from its Prüfer code: nodes ** (nodes - 2) of them."""
    for code in itertools.product(range(nodes), repeat=nodes - 2):
        degree = [1 + code.count(node) for node in range(nodes)]
        edges = []
        for node in code:
            leaf = degree.index(1)
            edges.append((leaf, node))
            degree[leaf] -= 1
            degree[node] -= 1
        yield [*edges, tuple(node for node in range(nodes) if degree[node] == 1)]


def by_hand(tree, x):
    """log p(x), one value of one row at a time."""
    p = tree.logits.sigmoid()
    total = 0.0
    for d, parent in enumerate(tree.parent.tolist()):
        one = p[d, int(x[parent]) if parent < len(x) else 0]
        total = total + (one if x[d] == 1 else 1 - one).log()
    return total


@pytest.mark.oracle("a loop over values", "models.ChowLiuTree.log_prob")
def test_log_prob_is_the_product_of_conditionals(fitted):
    for model in (fitted, collect()["tree-star"].model(), collect()["tree-chain"].model()):
        points = binary(len(model.parent))[0]
        torch.testing.assert_close(model.log_prob(points), torch.stack([by_hand(model, x) for x in points]))


@pytest.mark.oracle("enumeration of what is unseen", "models.ChowLiuTree.log_prob", "models.ChowLiuTree.expected")
def test_messages_sum_out_every_pattern(fitted):
    p = fitted.log_prob(POINTS).exp()
    for seen in PATTERNS:
        agree = ((POINTS[:, None] == POINTS) | ~seen).all(-1).double()  # (32, 32)
        torch.testing.assert_close(fitted.log_prob(hide(POINTS, seen), seen=seen).exp(), agree @ p)
        mean = (agree * p) @ POINTS / (agree @ p)[:, None]
        torch.testing.assert_close(fitted.expected(hide(POINTS, seen), seen), mean)
    mixed = torch.stack(PATTERNS)
    single = torch.cat([fitted.log_prob(row[None], seen=seen) for row, seen in zip(POINTS, mixed)])
    torch.testing.assert_close(fitted.log_prob(hide(POINTS, mixed), seen=mixed), single)


@pytest.mark.oracle("frequencies against enumeration, by z-score", "models.ChowLiuTree.complete")
def test_completions_follow_the_conditional(fitted):
    n = 10_000
    p = fitted.log_prob(POINTS).exp().detach()
    for seen in PATTERNS[::3]:
        row = POINTS[13]
        given = p * ((row == POINTS) | ~seen).all(-1)
        given = given / given.sum()
        drawn = fitted.complete(hide(row, seen).expand(n, -1), seen, seeded(1))
        share = (drawn[:, None] == POINTS).all(-1).double().mean(0)
        assert share.sum().item() == pytest.approx(1)
        assert ((share - given) / (given * (1 - given) / n).sqrt().clamp_min(1e-12)).abs().max() < 5


@pytest.mark.oracle("a planted fault is caught", "models.ChowLiuTree.complete")
def test_a_completion_without_messages_is_caught_by_that_test(fitted):
    """Going down with the seen value put in, but without what it says about the values above it."""
    n, p = 10_000, fitted.log_prob(POINTS).exp().detach()
    given = p * (POINTS[:, 4] == 1)
    drawn = fitted.sample(n, seeded(1))
    drawn[:, 4] = 1.0
    share = (drawn[:, None] == POINTS).all(-1).double().mean(0)
    given = given / given.sum()
    assert ((share - given) / (given * (1 - given) / n).sqrt().clamp_min(1e-12)).abs().max() > 5


@pytest.mark.oracle("brute force over all 125 trees", "models.ChowLiuTree.maximise")
@pytest.mark.parametrize("seed", range(3))
def test_no_other_tree_is_likelier(seed):
    x = some_data(seed=seed)
    model = ChowLiuTree(D)
    model.maximise(x)
    best = -torch.inf
    for edges in all_trees(D):
        single = torch.stack([x.mean(0), 1 - x.mean(0)])
        total = -len(x) * torch.special.entr(single).sum()
        for i, j in edges:
            total = total + len(x) * mutual_info_score(x[:, i].numpy(), x[:, j].numpy())
        best = max(best, total.item())
    assert model.log_prob(x).sum().item() == pytest.approx(best, abs=1e-9)


@pytest.mark.oracle("scikit-learn's mutual_info_score", "models.ChowLiuTree.maximise")
def test_mutual_information_is_scikit_learns():
    x = some_data()
    ours = mutual_information(x.mT @ x, x.sum(0), len(x))
    theirs = [[mutual_info_score(a.numpy(), b.numpy()) for b in x.mT] for a in x.mT]
    torch.testing.assert_close(ours, torch.tensor(theirs), rtol=0, atol=1e-12)


@pytest.mark.oracle("scipy's minimum_spanning_tree", "models.ChowLiuTree.maximise")
def test_spanning_tree_is_scipys():
    weight = uniform((40, 40), seeded(0), torch.zeros(()))
    weight = weight + weight.mT
    parent = spanning_tree(weight)
    theirs = (1 / minimum_spanning_tree((1 / weight).numpy()).tocoo().data).sum()  # the order of 1 / w is w's, reversed
    own = sum(weight[d, p] for d, p in enumerate(parent.tolist()) if p < 40)
    assert own.item() == pytest.approx(theirs)
    assert (parent == 40).sum() == 1


@pytest.mark.oracle("scipy's minimum_spanning_tree", "models.ChowLiuTree.maximise")
@pytest.mark.parametrize("apart", [False, True])
def test_only_allowed_edges_are_used_and_the_best_of_them(apart):
    x = some_data(seed=4)
    allowed = torch.tensor([[abs(i - j) in (1, 2) for j in range(D)] for i in range(D)])
    if apart:
        allowed[:2, 2:] = allowed[2:, :2] = False  # two parts with nothing between them
    model = ChowLiuTree(D)
    model.maximise(x, edges=allowed)
    joined = [(d, parent) for d, parent in enumerate(model.parent.tolist()) if parent < D]
    assert all(allowed[pair] for pair in joined)
    assert len(joined) == D - 1 - apart
    weight = mutual_information(x.mT @ x, x.sum(0), len(x))
    theirs = minimum_spanning_tree(torch.where(allowed, -weight, 0.0).numpy())
    assert sum(weight[pair].item() for pair in joined) == pytest.approx(-theirs.sum())
    assert model.log_prob(POINTS).exp().sum().item() == pytest.approx(1)


@pytest.mark.oracle("the smoothed counts of pairs", "models.ChowLiuTree.maximise")
def test_the_tree_keeps_the_counts_of_its_pairs():
    """Chow and Liu's tree has, on its edges, exactly the pair distributions of the (smoothed) data."""
    x, smoothing = some_data(), 0.7
    model = ChowLiuTree(D)
    model.maximise(x, smoothing=smoothing)
    p = model.log_prob(POINTS).exp()
    for d, parent in enumerate(model.parent.tolist()):
        if parent < D:
            for a, b in itertools.product([0, 1], repeat=2):
                count = ((x[:, d] == a) & (x[:, parent] == b)).sum()
                share = p[(POINTS[:, d] == a) & (POINTS[:, parent] == b)].sum()
                torch.testing.assert_close(share, (count + smoothing) / (len(x) + 4 * smoothing))


@pytest.mark.oracle("autograd: the gradient is zero at the maximum", "models.ChowLiuTree.maximise",
                    "models.ChowLiuTree.log_prob")
def test_the_fit_is_stationary_also_with_messages(fitted):
    x = some_data()
    fitted.maximise(x)
    for seen in (None, torch.ones(D, dtype=torch.bool)):
        fitted.zero_grad()
        fitted.log_prob(x, seen=seen).sum().backward()
        torch.testing.assert_close(fitted.logits.grad, torch.zeros(D, 2), rtol=0, atol=1e-6)


@pytest.mark.oracle("better than independent pixels on held-out digits", "models.ChowLiuTree.maximise")
def test_on_digits_the_tree_beats_independent_pixels():
    x = (datasets.optical_digits().x > 0.5).double()
    train, test = x[:4000], x[4000:]
    scores = []
    for model in (IndependentPixels(64), ChowLiuTree(64)):
        model.maximise(train, smoothing=0.5)
        scores.append(model.log_prob(test).mean().item())
    assert scores[1] > scores[0] + 3


@pytest.mark.oracle("message pinned", "models.ChowLiuTree.require_data", "models.ChowLiuTree.maximise",
                    "models.ChowLiuTree.complete", "models.ChowLiuTree.expected")
def test_wrong_arguments_are_named(fitted):
    with pytest.raises(ValueError, match=r"`x` must hold only 0 and 1; got 0.5 at \(0, 0\)\."):
        fitted.maximise(torch.full((3, D), 0.5))
    with pytest.raises(ValueError, match=r"`smoothing` must be a finite number >= 0; got inf\."):
        fitted.maximise(some_data(), smoothing=float("inf"))
    for edges in (torch.ones(D, D), torch.ones(2, 2).bool(), torch.ones(D, D).tril().bool()):
        with pytest.raises(ValueError, match=r"`edges` must be a symmetric boolean tensor of shape \(5, 5\); got"):
            fitted.maximise(some_data(), edges=edges)
    with pytest.raises(ValueError, match=r"`seen` must have shape \(3, 5\) or \(5,\); got \(4,\)\."):
        fitted.complete(torch.zeros(3, D), torch.tensor([True] * 4), seeded(0))
    with pytest.raises(ValueError, match=r"`features` must be a whole number >= 1; got 0\."):
        ChowLiuTree(0)
    seen = torch.arange(D) < 3
    for bad in (0.5, torch.nan):
        x = torch.full((1, D), torch.nan)
        x[:, :3] = torch.tensor([0.0, bad, 1.0])
        for method, more in ((fitted.complete, (seeded(0),)), (fitted.expected, ())):
            with pytest.raises(ValueError, match=rf"`x` must hold only 0 and 1; got {bad} at \(0, 1\)\."):
                method(x, seen, *more)
