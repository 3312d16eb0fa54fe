"""The experiments of lesson 05: a network of tables, what counting learns, and the orders of pixels."""

from collections.abc import Callable, Mapping

import torch
from torch import Generator, Tensor

from ...functional import bernoulli_log_prob, categorical_kl
from ...models import MADE, BayesianNetwork

# Networks of tables --------------------------------------------------------------------------------------------------


@torch.no_grad()
def blank(network: BayesianNetwork) -> BayesianNetwork:
    """The same graph with tables that know nothing: in every row all states are equally probable."""
    made = BayesianNetwork(network.tables())
    for logits in made.logits:
        logits.zero_()
    return made


def all_states(network: BayesianNetwork) -> Tensor:
    """Every row that there is, (product of the levels, V)."""
    return torch.cartesian_prod(*(torch.arange(len(network.states[name])) for name in network.names))


def counts(network: BayesianNetwork, x: Tensor) -> list[Tensor]:
    """n_vuk: how often variable v is in state k while its parents are in states u; shaped as the tables are."""
    found = []
    for (names, _), logits in zip(network.factors(), network.logits, strict=True):
        columns = tuple(x[:, network.names.index(name)] for name in names)
        found.append(torch.zeros_like(logits).index_put(columns, torch.ones(len(x)), accumulate=True).detach())
    return found


def arrow(network: BayesianNetwork, first: str, second: str) -> BayesianNetwork:
    """Two of the network's variables joined by an arrow first -> second, with even tables."""
    states = {name: list(network.states[name]) for name in (first, second)}
    even = {name: [1 / len(names)] * len(names) for name, names in states.items()}
    return BayesianNetwork({
        first: {"states": states[first], "parents": [], "cpt": {"": even[first]}},
        second: {"states": states[second], "parents": [first], "cpt": dict.fromkeys(states[first], even[second])},
    })


def aligned(network: BayesianNetwork) -> list[Tensor]:
    """The tables p(x_v | parents) as probabilities, each with one axis for every variable (of length 1 if unused)."""
    tables = []
    for names, log_table in network.factors():
        axes = sorted(range(len(names)), key=lambda i: network.names.index(names[i]))
        shape = [len(network.states[name]) if name in names else 1 for name in network.names]
        tables.append(log_table.detach().permute(axes).reshape(shape).exp())
    return tables


def clamp(tables: list[Tensor], seen: Mapping[int, int], done: Mapping[int, int]) -> tuple[list[Tensor], float]:
    """p(x_v | what is seen, what is done) for every variable, and p(what is seen | what is done).

    `tables` are those of `aligned`. To do something removes the variable's own table; to see something keeps all
    tables and drops the rows that disagree. If what is seen cannot happen, the marginals are NaN.
    """
    joint = torch.ones(())
    for v, table in enumerate(tables):
        joint = joint * (torch.ones_like(table) if v in done else table)
    for v, state in {**seen, **done}.items():
        keep = torch.zeros(joint.shape[v]).index_fill(0, torch.tensor(state), 1.0)
        joint = joint * keep.reshape([-1 if axis == v else 1 for axis in range(joint.ndim)])
    total = joint.sum()
    axes = range(joint.ndim)
    return [joint.sum([axis for axis in axes if axis != v]) / total for v in axes], total.item()


def conditional_on_all_before(network: BayesianNetwork, row: Mapping[str, str]) -> list[Tensor]:
    """log p(x_v | all variables before v), by elimination, which sums over all that is not asked."""
    seen: dict[str, str] = {}
    terms = []
    for name in network.names:
        before = network.log_evidence(seen)
        seen[name] = row[name]
        terms.append(network.log_evidence(seen) - before)
    return terms


@torch.no_grad()
def distance(network: BayesianNetwork, target: BayesianNetwork) -> tuple[float, float]:
    """The largest difference of two networks' probabilities: in rows of the target without a zero, and in the rest."""
    inside, edge = [0.0], [0.0]
    for ours, theirs in zip(network.logits, target.logits, strict=True):
        p, q = (logits.softmax(-1).reshape(-1, logits.shape[-1]) for logits in (ours, theirs))  # (rows, levels)
        gaps, whole = (p - q).abs().amax(-1), (q > 0).all(-1)
        inside += gaps[whole].tolist()
        edge += gaps[~whole].tolist()
    return max(inside), max(edge)


@torch.no_grad()
def divergence(truth: BayesianNetwork, learnt: Tensor, states: Tensor) -> tuple[float, float]:
    """KL(truth || learnt) in nats, and the share of the truth that the learnt model calls impossible; both exact.

    Shapes:     learnt (S,): log-probabilities of all `states` (S, V).
    """
    p = truth.log_prob(states).exp()  # (S,)
    return categorical_kl(p, learnt).item(), p[learnt == -torch.inf].sum().item()


@torch.no_grad()
def whole_table(x: Tensor, states: Tensor, smoothing: float) -> Tensor:
    """log of the frequencies of whole rows: one table over all `states` (S, V), without any factorisation, (S,)."""
    counts = (x[:, None] == states).all(-1).sum(0) + smoothing
    return (counts / counts.sum()).log()


@torch.no_grad()
def smoothing_curves(truth: BayesianNetwork, n: int, smoothings: list[float], sets: int, generator: Generator) -> dict:
    """KL and impossible share after counting `n` rows, for `sets` data sets: name -> (sets, smoothings, 2)."""
    states, learnt = all_states(truth), blank(truth)
    names = ("factorised", "one large table")
    rows: dict[str, list] = {name: [] for name in names}
    for _ in range(sets):
        x = truth.sample(n, generator)
        found: dict[str, list] = {name: [] for name in names}
        for smoothing in smoothings:
            learnt.load_state_dict(blank(truth).state_dict())  # a row that was not seen stays as it was: even
            learnt.maximise(x, smoothing)
            found[names[0]].append(divergence(truth, learnt.log_prob(states), states))
            found[names[1]].append(divergence(truth, whole_table(x, states, smoothing), states))
        for name in names:
            rows[name].append(found[name])
    return {name: torch.tensor(values) for name, values in rows.items()}


@torch.no_grad()
def finite_differences(value: Callable[[], Tensor], parameter: Tensor, step: float) -> Tensor:
    """Central differences of `value()` in every entry of `parameter`: two evaluations an entry."""
    gradient = torch.zeros_like(parameter)
    flat = parameter.view(-1)
    for i in range(len(flat)):
        before = flat[i].item()
        flat[i] = before + step
        up = value()
        flat[i] = before - step
        gradient.view(-1)[i] = (up - value()) / (2 * step)
        flat[i] = before
    return gradient


def perturbed(network: BayesianNetwork, size: float, generator: Generator) -> BayesianNetwork:
    """The network with normal noise of standard deviation `size` on every logit that is finite."""
    made = BayesianNetwork(network.tables())
    with torch.no_grad():
        for logits in made.logits:
            logits.add_(size * torch.randn(logits.shape, generator=generator))
    return made


# Orders of pixels ----------------------------------------------------------------------------------------------------


def orders(side: int, generator: Generator) -> dict[str, Tensor]:
    """Three orders in which to write side × side pixels: their numbers, (side * side,) each."""
    rows = torch.arange(side * side)
    return {
        "row by row": rows,
        "column by column": rows.reshape(side, side).mT.flatten(),
        "shuffled": torch.randperm(side * side, generator=generator),
    }


def near_sighted(model: MADE, window: int) -> MADE:
    """The same model (one without hidden layers) with pixel d hearing only the `window` pixels before it."""
    mask = model.output.mask
    with torch.no_grad():
        mask.copy_(mask.triu(-window))
    return model


@torch.no_grad()
def nats_by_pixel(model: MADE, x: Tensor) -> Tensor:
    """-log p(x_d | x_<d) for every pixel, (n, D): what each costs when its turn comes."""
    return -bernoulli_log_prob(x, model.conditionals(x))


@torch.no_grad()
def completions(model: MADE, x: Tensor, seen: Tensor, times: int, generator: Generator) -> Tensor:
    """Each picture of x (n, D) completed `times` times: (n, times, D)."""
    return model.complete(x.repeat_interleave(times, 0), seen, generator).unflatten(0, (-1, times))


def pairwise_distance(pictures: Tensor) -> Tensor:
    """The mean number of pixels in which two different pictures of a group differ: (..., m, D) -> (...)."""
    m = pictures.shape[-2]
    ones = pictures.sum(-2)  # (..., D): how many have ink there
    return (2 * ones * (m - ones)).sum(-1) / (m * (m - 1))


def leaky(model: MADE) -> MADE:
    """The planted fault of the lab: `>=` in place of `>` in the output's mask, so each pixel hears itself."""
    with torch.no_grad():
        model.output.mask[:, : model.event_shape[0]].fill_diagonal_(1.0)
    return model
