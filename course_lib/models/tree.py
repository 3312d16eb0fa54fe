"""A tree of pixels: each knows one other, and the best tree is found exactly."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import logsigmoid, pad

from ..errors import require_binary, require_not_negative, require_positive, require_seen
from ..functional import bernoulli_log_prob, log_odds
from ..rng import bernoulli
from .base import Card, Density


class ChowLiuTree(Density):
    r"""Binary vectors in which each value x_d looks at one other, its parent x_{pa(d)}.

    .. math:: p(x) = \prod_{d=1}^{D} p(x_d \mid x_{\mathrm{pa}(d)})

    `maximise` finds the tree: of all trees, the likeliest is the maximum spanning tree of the mutual information
    between pairs. Until then each value looks at the one before it. Because a tree has no loops, what is unseen
    can be summed out, and drawn given the seen, by messages that go up to the root and down again.

    Shapes:     logits (D, 2): the log-odds of x_d = 1 for a parent of 0 and of 1; parent (D,): the number of the
                parent. A root's is D: one more value, which is always 0. x (n, D), floating 0 and 1; seen (n, D)
                or (D,), boolean: what stands where it is False is not looked at, and may be NaN.
    Units:      log_prob in nats.
    Raises:     ValueError if `x` does not have shape (n, D).
    Reference:  Chow and Liu, Approximating discrete probability distributions with dependence trees, IEEE
                Transactions on Information Theory 14 (1968).
    """

    card = Card(
        "Tree of pixels",
        r"$p(x) = \prod_d p(x_d \mid x_{\mathrm{pa}(d)})$",
        evidence="exact, $O(D)$",
        posterior="of unseen pixels: exact, $O(D)$",
        gradient="exact, $O(D)$",
        sampling="$O(D)$",
    )

    def __init__(self, features: int) -> None:
        require_positive("features", features, whole=True)
        super().__init__()
        self.event_shape = (features,)
        self.logits = nn.Parameter(torch.zeros(features, 2))
        self.register_buffer("parent", torch.arange(features).roll(1))
        self.parent[0] = features

    def require_data(self, x: Tensor) -> None:
        """Raise ValueError unless `x` (n, D) holds only 0 and 1."""
        self.require_shape(x)
        require_binary("x", x)

    def log_prob(self, x: Tensor, *, seen: Tensor | None = None) -> Tensor:
        """log p(x) in nats, or of its seen values alone, shape (n,)."""
        self.require_shape(x)
        if seen is not None:
            return self._upward(x, seen)[:, -1, 0]
        above = pad(x, (0, 1))[:, self.parent]  # (n, D)
        return bernoulli_log_prob(x, torch.lerp(self.logits[:, 0], self.logits[:, 1], above)).sum(-1)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws from the root down, shape (n, D)."""
        features = len(self.parent)
        return self._downward(self.logits.new_zeros(n, features + 1, 2), lambda p: bernoulli(p, generator))

    @torch.no_grad()
    def complete(self, x: Tensor, seen: Tensor, generator: Generator) -> Tensor:
        """`x` with what is unseen drawn from p(x_unseen | x_seen), exactly, shape (n, D).

        Raises:     ValueError if a seen value is neither 0 nor 1.
        """
        self._require_seen_data(x, seen)
        return self._downward(self._upward(x, seen), lambda p: bernoulli(p, generator))

    def expected(self, x: Tensor, seen: Tensor) -> Tensor:
        """The probability of a 1 given the seen values of x, exact, shape (n, D); the seen values stay.

        Raises:     ValueError if a seen value is neither 0 nor 1.
        """
        self._require_seen_data(x, seen)
        return self._downward(self._upward(x, seen), lambda p: p)

    @torch.no_grad()
    def maximise(self, x: Tensor, *, smoothing: float = 0.0, edges: Tensor | None = None) -> None:
        """The tree and the probabilities of maximum likelihood, in O(n D^2).

        To every pair of values `smoothing` more observations of each of 00, 01, 10 and 11 are added. Prior knowledge
        may say which pairs can be joined: `edges` (D, D), boolean and symmetric. Parts that it leaves apart stay apart.

        Raises:     ValueError if `edges` is not of that kind.
        """
        self.require_data(x)
        require_not_negative("smoothing", smoothing)
        edges = self._checked_edges(edges)
        both = x.mT @ x + smoothing  # (D, D): how often both are 1
        ones, total = x.sum(0) + 2 * smoothing, len(x) + 4 * smoothing  # (D,)
        weight = mutual_information(both, ones, total).masked_fill(~edges, -1.0)  # no other weight is below 0
        parent = spanning_tree(weight)
        allowed = pad(edges, (0, 1)).gather(1, parent[:, None])[:, 0]  # (D,)
        self.parent.copy_(parent.where(allowed, len(parent)))
        above = pad(ones, (0, 1))[self.parent]  # (D,): how often the parent is 1
        with_above = pad(both, (0, 1)).gather(1, self.parent[:, None])[:, 0]  # (D,): ... and the value too
        off, on = log_odds(ones - with_above, total - above), log_odds(with_above, above)
        self.logits.copy_(torch.stack([off, on], -1))

    def _checked_edges(self, edges: Tensor | None) -> Tensor:
        """`edges`, or all pairs for None."""
        shape = 2 * self.event_shape
        if edges is None:
            return torch.ones(shape, dtype=torch.bool, device=self.logits.device)
        if edges.shape != shape or edges.dtype != torch.bool or not torch.equal(edges, edges.mT):
            raise ValueError(f"`edges` must be a symmetric boolean tensor of shape {shape}; got {edges.dtype} of shape "
                             f"{tuple(edges.shape)}.")
        return edges

    def _require_seen_data(self, x: Tensor, seen: Tensor) -> None:
        self.require_shape(x)
        require_seen("seen", seen, x)
        require_binary("x", torch.where(seen, x, 0.0))

    def _levels(self) -> list[Tensor]:
        """The values at each depth of the tree, the root first."""
        levels = [(self.parent == len(self.parent)).nonzero()[:, 0]]
        while len(levels[-1]):
            levels.append(torch.isin(self.parent, levels[-1]).nonzero()[:, 0])
        return levels[:-1]

    def _upward(self, x: Tensor, seen: Tensor) -> Tensor:
        """log p(the seen values of d and of all below it | x_d = v), shape (n, D + 1, 2).

        Each value tells its parent how likely the seen below are, for either value of the parent.
        """
        require_seen("seen", seen, x)
        clash = torch.stack([seen & (x != 0), seen & (x != 1)], -1)  # (n, D, 2)
        log_p = pad(torch.zeros_like(clash, dtype=x.dtype).masked_fill(clash, -torch.inf), (0, 0, 0, 1))
        table = logsigmoid(torch.stack([-self.logits, self.logits], -1))  # (D, 2, 2): the parent's value, its own
        for nodes in reversed(self._levels()):
            message = (table[nodes] + log_p[:, nodes, None]).logsumexp(-1)  # (n, m, 2)
            log_p = log_p.index_add(1, self.parent[nodes], message)
        return log_p

    def _downward(self, log_p: Tensor, choose: Callable[[Tensor], Tensor]) -> Tensor:
        """Go down from the root: p(x_d = 1 | parent, the seen at d and below), from which `choose` makes x_d."""
        x = log_p.new_zeros(log_p.shape[:2])  # (n, D + 1)
        for nodes in self._levels():
            evidence = log_p[:, nodes, 1] - log_p[:, nodes, 0]  # (n, m)
            p = (self.logits[nodes] + evidence[..., None]).sigmoid()  # (n, m, 2), for a parent of 0 and of 1
            x[:, nodes] = choose(torch.lerp(p[..., 0], p[..., 1], x[:, self.parent[nodes]]))
        return x[:, :-1]


def mutual_information(both: Tensor, ones: Tensor, total: float) -> Tensor:
    r"""Mutual information of every pair of binary values, in nats: H(i) + H(j) - H(i, j).

    Shapes:     both (D, D): how often both are 1; ones (D,): how often each is; of `total` observations -> (D, D).
    """
    only = ones[:, None] - both  # (D, D): how often i is 1 and j is 0
    neither = total - ones[:, None] - only.mT
    cells = torch.stack([both, only, only.mT, neither]).clamp_min(0.0) / total  # (4, D, D)
    single = torch.stack([ones, total - ones]) / total  # (2, D)
    entropy = torch.special.entr(single).sum(0)  # (D,)
    return entropy[:, None] + entropy - torch.special.entr(cells).sum(0)


def spanning_tree(weight: Tensor) -> Tensor:
    """The tree of largest total weight that joins all nodes: the parent of each, shape (D,), and D for the root.

    Grown from node 0: of all edges that lead out of the tree, the heaviest is always part of a best tree.

    Shapes:     weight (D, D), symmetric.
    Reference:  Prim, Shortest connection networks and some generalizations, Bell System Technical Journal 36 (1957).
    """
    outside = torch.ones(len(weight), dtype=torch.bool, device=weight.device)
    parent = torch.full((len(weight),), len(weight), device=weight.device)
    best = torch.full_like(weight[0], -torch.inf)  # (D,): the heaviest edge from the tree to each node
    node = 0
    for _ in range(len(weight)):
        outside[node] = False
        closer = outside & (weight[node] > best)
        best, parent[closer] = torch.where(closer, weight[node], best), node
        node = int(torch.where(outside, best, -torch.inf).argmax())
    return parent
