"""Discrete Bayesian networks: the joint is a product of tables, one for each variable given its parents."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import product

import torch
from torch import Generator, Tensor, nn

from ..errors import require_choice, require_labels, require_not_negative, require_probabilities, require_rows
from ..inference.elimination import Factor, eliminate
from ..rng import categorical
from .base import Card, Density


class BayesianNetwork(Density):
    r"""A Bayesian network over V discrete variables, built from plain tables.

    .. math:: p(x) = \prod_{v=1}^{V} p(x_v \mid x_{\mathrm{parents}(v)})

    `tables` maps each variable to {"states": names of its values, "parents": names of variables, "cpt": {...}}, and
    "cpt" maps the parents' states, joined by commas, to the probabilities in the order of "states".

    Shapes:     x (n, V), integer codes, columns in the order of `tables`; logits: for each variable a tensor
                (levels of its parents ..., levels), the last axis up to a constant the log of the probabilities.
    Units:      log-probabilities in nats.
    Zeros:      a probability of zero is a logit of minus infinity. Its gradient is zero, so training by gradient
                never moves it; `maximise` does. Data that it forbids have log_prob minus infinity.
    Raises:     ValueError for a cycle, an unknown parent, a missing or unknown row of a table, probabilities that
                do not add up to one, and for `x` not of shape (n, V).
    Reference:  Koller and Friedman, Probabilistic Graphical Models (2009), chapters 3 and 17.
    """

    card = Card(
        "Bayesian network",
        r"$p(x) = \prod_v p(x_v \mid x_{\mathrm{parents}(v)})$",
        evidence="exact, $O(V)$; of a part of $x$ exponential in the width",
        posterior="exact for any variables given any others, exponential in the width",
        gradient="exact, $O(V)$",
        sampling="$O(V)$",
    )

    def __init__(self, tables: Mapping[str, Mapping]) -> None:
        _require_graph(tables)
        super().__init__()
        self.event_shape = (len(tables),)
        self.names = tuple(tables)
        self.states = {name: tuple(table["states"]) for name, table in tables.items()}
        self.parents = {name: tuple(table["parents"]) for name, table in tables.items()}
        self.logits = nn.ParameterList(self._read(name, table["cpt"]).log() for name, table in tables.items())

    def _read(self, name: str, cpt: Mapping[str, list[float]]) -> Tensor:
        """The table of `name` as a tensor of probabilities (levels of its parents ..., levels)."""
        shape = [len(self.states[other]) for other in (*self.parents[name], name)]
        keys, where = self._keys(name), f'tables["{name}"]["cpt"]'
        if set(keys) != set(cpt):
            raise ValueError(
                f"`{where}` must have the {len(keys)} rows {', '.join(map(repr, keys))}; "
                f"got {', '.join(map(repr, cpt))}."
            )
        for key in keys:
            if len(cpt[key]) != shape[-1]:
                raise ValueError(f"`{where}` must hold {shape[-1]} probabilities for {key!r}; got {len(cpt[key])}.")
        rows = torch.tensor([cpt[key] for key in keys], dtype=torch.get_default_dtype())
        require_probabilities(where, rows)
        return rows.reshape(shape)

    def _keys(self, name: str) -> list[str]:
        return [",".join(states) for states in product(*(self.states[parent] for parent in self.parents[name]))]

    def tables(self) -> dict[str, dict]:
        """The network as plain tables: what the constructor takes."""
        rows = [logits.softmax(-1).reshape(-1, logits.shape[-1]).tolist() for logits in self.logits]
        return {
            name: {
                "states": list(self.states[name]),
                "parents": list(self.parents[name]),
                "cpt": dict(zip(self._keys(name), table)),
            }
            for name, table in zip(self.names, rows)
        }

    def factors(self) -> list[Factor]:
        """log p(x_v | parents) of every variable, as `inference.elimination.eliminate` takes them."""
        return [Factor((*self.parents[name], name), a.log_softmax(-1)) for name, a in zip(self.names, self.logits)]

    def require_shape(self, x: Tensor) -> None:
        """The quick part of `require_data`: shape, dtype and device."""
        require_rows("x", x, self.event_shape, whole=True, like=self.logits[0])

    def require_data(self, x: Tensor) -> None:
        """Look at all codes once: raise ValueError for one that is out of range, or a row that cannot happen."""
        self._require_codes(x)
        impossible = (self.log_prob(x) == -torch.inf).nonzero()
        if len(impossible):
            raise ValueError(
                f"`x` must have a probability above zero to be learnt by gradient; row {impossible[0].item()} has not: "
                "a zero in a table forbids it. `maximise` learns from such data."
            )

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, shape (n,)."""
        self.require_shape(x)
        x = x.where(x >= 0, 1 << 62)  # out of range, for torch to refuse it: a -1 would be taken for the last state
        return sum(log_table[self._columns(x, names)] for names, log_table in self.factors())

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """`n` draws, parents before children (ancestral sampling), shape (n, V)."""
        x = torch.empty(n, len(self.names), dtype=torch.long, device=self.logits[0].device)
        for name in TopologicalSorter(self.parents).static_order():
            v = self.names.index(name)
            logits = self.logits[v][self._columns(x, self.parents[name])]  # (n, levels); without parents (levels,)
            x[:, v] = categorical(logits.expand(n, -1), 1, generator)[:, 0]
        return x

    def posterior(self, evidence: Mapping[str, str]) -> dict[str, Tensor]:
        """p(variable | evidence) of every variable that was not seen, in the order of its `states`.

        Raises:     ValueError for an unknown variable or state, or evidence of probability zero.
        """
        codes, factors = self._codes("evidence", evidence), self.factors()
        return {name: eliminate(factors, [name], codes).probabilities for name in self.names if name not in codes}

    def log_evidence(self, evidence: Mapping[str, str]) -> Tensor:
        """log p(evidence) in nats, the rest of the variables summed out, shape ()."""
        return eliminate(self.factors(), (), self._codes("evidence", evidence)).log_evidence

    def intervene(self, name: str, state: str) -> "BayesianNetwork":
        """The mutilated network, do(name = state): the variable is set from outside and listens to no parent.

        Seeing changes what we believe about causes; doing does not: only effects follow.

        Reference:  Pearl, Causality (2009), section 1.3.
        """
        require_choice("name", name, self.names)
        require_choice("state", state, self.states[name])
        certain = [float(other == state) for other in self.states[name]]
        forced = {"states": self.states[name], "parents": [], "cpt": {"": certain}}
        return BayesianNetwork(self.tables() | {name: forced}).to(self.logits[0])

    @torch.no_grad()
    def maximise(self, x: Tensor, smoothing: float = 0.0) -> None:
        r"""Set the tables to their maximum-likelihood values: relative frequencies.

        .. math:: p(x_v = k \mid u) = \frac{n_{uk} + \alpha}{\sum_{k'} (n_{uk'} + \alpha)}

        A smoothing :math:`\alpha > 0` counts every state so often beforehand. Without it, a row whose parents' states
        :math:`u` never occur in `x` stays as it was.

        Raises:     ValueError for codes out of range, or smoothing < 0.
        """
        self._require_codes(x)
        require_not_negative("smoothing", smoothing)
        for (names, _), logits in zip(self.factors(), self.logits):
            counts = torch.full_like(logits, smoothing)
            counts.index_put_(self._columns(x, names), torch.ones_like(x[:, 0], dtype=counts.dtype), accumulate=True)
            seen = counts.sum(-1, keepdim=True) > 0
            logits.copy_(torch.where(seen, (counts / counts.sum(-1, keepdim=True)).log(), logits))

    def encode(self, rows: Iterable[Mapping[str, str]]) -> Tensor:
        """The codes of rows that map each variable to the name of its state, shape (n, V)."""
        codes = []
        for number, row in enumerate(rows):
            if set(row) != set(self.names):
                raise ValueError(f"`rows` must give {', '.join(self.names)}; row {number} gives {', '.join(row)}.")
            found = self._codes("rows", row)
            codes.append([found[name] for name in self.names])
        return torch.tensor(codes, dtype=torch.long, device=self.logits[0].device).reshape(-1, *self.event_shape)

    def decode(self, x: Tensor) -> list[dict[str, str]]:
        """The names of the states in `x`, one dictionary a row: the inverse of `encode`."""
        self._require_codes(x)
        return [{name: self.states[name][code] for name, code in zip(self.names, row)} for row in x.tolist()]

    def _columns(self, x: Tensor, names: Iterable[str]) -> tuple[Tensor, ...]:
        return tuple(x[:, self.names.index(name)] for name in names)

    def _codes(self, argument: str, states: Mapping[str, str]) -> dict[str, int]:
        for name, state in states.items():
            if name not in self.names:
                raise ValueError(f"`{argument}` must name variables out of {', '.join(self.names)}; got {name!r}.")
            require_choice(f'{argument}["{name}"]', state, self.states[name])
        return {name: self.states[name].index(state) for name, state in states.items()}

    def _require_codes(self, x: Tensor) -> None:
        self.require_shape(x)
        for v, name in enumerate(self.names):
            require_labels(f"x[:, {v}]", x[:, v], len(x), len(self.states[name]))


def _require_graph(tables: Mapping[str, Mapping]) -> None:
    """Raise ValueError unless `tables` describe a directed graph without cycles, and the states of each variable."""
    if not isinstance(tables, Mapping) or not tables:
        raise ValueError(f"`tables` must map variables to their tables; got {tables!r}.")
    for name, table in tables.items():
        if not isinstance(table, Mapping) or not {"states", "parents", "cpt"} <= set(table):
            raise ValueError(f'`tables["{name}"]` must have "states", "parents" and "cpt"; got {table!r}.')
        for key in ("states", "parents"):
            strings = all(isinstance(each, str) for each in table[key])
            if not strings or len(set(table[key])) < len(table[key]) or (key == "states" and not table[key]):
                raise ValueError(f'`tables["{name}"]["{key}"]` must be different names; got {list(table[key])}.')
        for parent in table["parents"]:
            if parent not in tables:
                raise ValueError(f'`tables["{name}"]["parents"]` must name variables of the network; got {parent!r}.')
    try:
        TopologicalSorter({name: table["parents"] for name, table in tables.items()}).prepare()
    except CycleError as error:
        raise ValueError(f"`tables` must have no cycle; got {' -> '.join(error.args[1])}.") from None
