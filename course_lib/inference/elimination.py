"""Exact answers by variable elimination: a product of tables is summed over one variable after another."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Factor(NamedTuple):
    """A table over some variables: the log of its entries, one axis for each name."""

    names: tuple[str, ...]
    log_table: Tensor


class Marginal(NamedTuple):
    """What elimination knows: p(kept variables | evidence), one axis for each, and log p(evidence), shape ()."""

    probabilities: Tensor
    log_evidence: Tensor


def eliminate(
    factors: Iterable[Factor], keep: Sequence[str] = (), evidence: Mapping[str, int] | None = None
) -> Marginal:
    r"""Sum a product of tables over every variable that is neither kept nor seen.

    .. math:: p(a \mid e) \propto \sum_{h} \prod_j f_j(a, h, e), \qquad
              \sum_{h} f(a) \, g(a, h) \, g'(h) = f(a) \sum_{h} g(a, h) \, g'(h)

    A sum needs only the tables that name its variable; the order decides how large they grow, not the answer.

    Shapes:     factors are pairs (names, log table), with one axis for each name; `keep` gives the axes of the result.
                `evidence` holds the index of each variable that was seen.
    Units:      log tables and log evidence in nats, up to the factors' own scale.
    Cost:       exponential in the number of variables of the largest table on the way (the order's width + 1).
    Raises:     ValueError for an unknown variable, an index out of range, tables that disagree, or evidence of
                probability zero when something is kept (without `keep` its log evidence is minus infinity).
    Reference:  Koller and Friedman, Probabilistic Graphical Models (2009), chapter 9.
    """
    factors, evidence = [Factor(*factor) for factor in factors], dict(evidence or {})
    _require_query(_sizes(factors), keep, evidence)
    factors = [_observe(factor, evidence) for factor in factors]
    for name in elimination_order([factor.names for factor in factors], keep):
        touched = [factor for factor in factors if name in factor.names]
        factors = [factor for factor in factors if name not in factor.names]
        factors.append(_sum_out(_product(touched), name))
    log_table = _align(_product(factors), keep)
    log_evidence = _log_sum_exp(log_table.flatten(), 0)
    if keep and log_evidence == -torch.inf:
        raise ValueError(f"`evidence` must be possible; {', '.join(evidence)} as given have probability zero together.")
    return Marginal((log_table - log_evidence).exp(), log_evidence)


def elimination_order(scopes: Iterable[Iterable[str]], keep: Iterable[str] = ()) -> list[str]:
    """In which order to sum out: next comes the variable whose neighbours lack the fewest links (min-fill).

    Two variables are neighbours if a table holds both; to sum one out makes neighbours of all its neighbours.
    The best order is hard to find (NP-hard); this greedy one is a good one. Of equals the first named goes first.

    Reference:  Koller and Friedman, Probabilistic Graphical Models (2009), section 9.4.
    """
    neighbours: dict[str, set[str]] = {}
    for scope in map(tuple, scopes):
        for name in scope:
            neighbours.setdefault(name, set()).update(set(scope) - {name})

    def fill(name: str) -> int:
        near = neighbours[name]
        return sum(len(near - neighbours[other]) - 1 for other in near)  # each missing link twice

    waiting, order = [name for name in neighbours if name not in set(keep)], []
    while waiting:
        order.append(min(waiting, key=fill))
        waiting.remove(order[-1])
        near = neighbours.pop(order[-1])
        for name in near:
            neighbours[name] = (neighbours[name] | near) - {name, order[-1]}
    return order


def _align(factor: Factor, names: Sequence[str]) -> Tensor:
    """The log table with its axes in the order of `names`; an axis of length 1 for each that it lacks."""
    table = factor.log_table.permute([factor.names.index(name) for name in names if name in factor.names])
    return table[tuple(slice(None) if name in factor.names else None for name in names)]


def _product(factors: list[Factor]) -> Factor:
    names = tuple(dict.fromkeys(name for factor in factors for name in factor.names))
    return Factor(names, sum(_align(factor, names) for factor in factors))


def _sum_out(factor: Factor, name: str) -> Factor:
    axis = factor.names.index(name)
    return Factor(factor.names[:axis] + factor.names[axis + 1 :], _log_sum_exp(factor.log_table, axis))


def _log_sum_exp(log_table: Tensor, axis: int) -> Tensor:
    """torch's logsumexp with a gradient of zero, in place of NaN, where all the entries are minus infinity."""
    empty = (log_table == -torch.inf).all(axis, keepdim=True)
    return torch.where(empty, 0.0, log_table).logsumexp(axis).masked_fill(empty.squeeze(axis), -torch.inf)


def _observe(factor: Factor, evidence: Mapping[str, int]) -> Factor:
    """The part of the table that agrees with the evidence."""
    index = tuple(evidence.get(name, slice(None)) for name in factor.names)
    return Factor(tuple(name for name in factor.names if name not in evidence), factor.log_table[index])


def _sizes(factors: list[Factor]) -> dict[str, int]:
    """How many values each variable has.

    Raises:     ValueError if there is no table, one has not one axis a name, or two disagree.
    """
    if not factors:
        raise ValueError("`factors` must hold at least one table; got none.")
    sizes: dict[str, int] = {}
    for names, table in factors:
        if len(set(names)) != table.ndim or len(names) != table.ndim:
            raise ValueError(f"`factors` must have one axis for each name; got {names} and shape {tuple(table.shape)}.")
        for name, size in zip(names, table.shape):
            if sizes.setdefault(name, size) != size:
                raise ValueError(f"`factors` must agree on how many values {name!r} has; got {sizes[name]} and {size}.")
    return sizes


def _require_query(sizes: Mapping[str, int], keep: Sequence[str], evidence: Mapping[str, int]) -> None:
    for argument, names in (("keep", keep), ("evidence", evidence)):
        for name in names:
            if name not in sizes:
                raise ValueError(f"`{argument}` must name variables out of {', '.join(sizes)}; got {name!r}.")
    if len(set(keep)) < len(keep) or set(keep) & set(evidence):
        raise ValueError(f"`keep` must name each variable once, and none of the evidence; got {list(keep)}.")
    for name, index in evidence.items():
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < sizes[name]:
            raise ValueError(f"`evidence` for {name!r} must be an index from 0 to {sizes[name] - 1}; got {index!r}.")
