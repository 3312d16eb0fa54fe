"""Bayesian networks, held against enumeration of the whole joint, in all four networks of the course."""

import itertools
import json

from course_lib.datasets import bayesian_network
from course_lib.models import BayesianNetwork
from course_lib.rng import seeded

import pytest
import torch

NETWORKS = ["asia", "cancer", "earthquake", "survey"]
SMALL = {  # noise in the order: the child comes first
    "grass": {"states": ["dry", "wet"], "parents": ["rain"], "cpt": {"no": [0.8, 0.2], "yes": [0.1, 0.9]}},
    "rain": {"states": ["no", "yes"], "parents": [], "cpt": {"": [0.6, 0.4]}},
}


@pytest.fixture(params=NETWORKS)
def network(request):
    return BayesianNetwork(bayesian_network(request.param))


def every_value(network):
    """All values of x with their probability, multiplied up from the plain tables: the joint by hand."""
    tables = network.tables()
    codes = itertools.product(*(range(len(states)) for states in network.states.values()))
    x = torch.tensor(list(codes))
    p = []
    for row in network.decode(x):
        factors = (
            table["cpt"][",".join(row[parent] for parent in table["parents"])][table["states"].index(row[name])]
            for name, table in tables.items()
        )
        p.append(torch.tensor(list(factors)).prod())
    return x, torch.stack(p)


def changed(node, **parts):
    return SMALL | {node: SMALL[node] | parts}


@pytest.mark.oracle(
    "the product of the plain tables", "models.BayesianNetwork.log_prob", "models.BayesianNetwork.factors")
def test_log_prob_is_the_product_of_the_tables(network):
    x, p = every_value(network)
    torch.testing.assert_close(network.log_prob(x).exp(), p)
    assert p.sum().item() == pytest.approx(1, abs=1e-12)
    assert sum(table.exp().sum().item() for _, table in network.factors()) == pytest.approx(
        sum(len(table["cpt"]) for table in network.tables().values()))


@pytest.mark.oracle("enumeration", "models.BayesianNetwork.posterior", "models.BayesianNetwork.log_evidence")
def test_every_posterior_is_enumeration(network):
    """Every evidence on up to two variables, and everything else asked for."""
    x, p = every_value(network)
    pairs = itertools.combinations(network.names, 2)
    for names in [(), *((name,) for name in network.names), *pairs]:
        for states in itertools.product(*(network.states[name] for name in names)):
            evidence = dict(zip(names, states))
            agree = torch.ones(len(x), dtype=torch.bool)
            for name, state in evidence.items():
                agree &= x[:, network.names.index(name)] == network.states[name].index(state)
            torch.testing.assert_close(network.log_evidence(evidence).exp(), p[agree].sum())
            if p[agree].sum() == 0:
                continue
            answer = network.posterior(evidence)
            assert list(answer) == [name for name in network.names if name not in evidence]
            for name, probabilities in answer.items():
                column = x[agree, network.names.index(name)]
                exact = torch.zeros_like(probabilities).index_add_(0, column, p[agree]) / p[agree].sum()
                torch.testing.assert_close(probabilities, exact)


@pytest.mark.oracle("autograd through enumeration", "models.BayesianNetwork.log_evidence")
@pytest.mark.parametrize("evidence", [{"xray": "yes"}, {"lung": "yes", "dysp": "no"}, {}])
def test_the_gradient_passes_by_what_cannot_happen(evidence):
    """asia's table of "either" has zeros: a sum over nothing but zeros must not give a NaN."""
    network, other = (BayesianNetwork(bayesian_network("asia")) for _ in range(2))
    network.log_evidence(evidence).backward()
    x, p = every_value(other)
    agree = p > 0
    for name, state in evidence.items():
        agree &= x[:, other.names.index(name)] == other.states[name].index(state)
    other.log_prob(x[agree]).logsumexp(0).backward()
    for one, exact in zip(network.logits, other.logits):
        torch.testing.assert_close(one.grad, exact.grad)


def test_explaining_away():
    """An earthquake explains the alarm: the burglar becomes less likely again."""
    network = BayesianNetwork(bayesian_network("earthquake"))
    burglar = {seen: network.posterior(dict.fromkeys(seen, "True"))["Burglary"][0].item()
               for seen in [(), ("Alarm",), ("Alarm", "Earthquake")]}
    assert burglar[()] < burglar[("Alarm", "Earthquake")] < burglar[("Alarm",)]


@pytest.mark.oracle("sums over the joint without the cut table", "models.BayesianNetwork.intervene")
def test_doing_is_not_seeing():
    network = BayesianNetwork(bayesian_network("asia"))
    x, p = every_value(network)
    column = {name: x[:, v] for v, name in enumerate(network.names)}
    lung = network.tables()["lung"]["cpt"]
    table = torch.tensor([lung[state] for state in network.states["smoke"]])
    truncated = torch.where(column["lung"] == 0, p / table[column["smoke"], column["lung"]], 0.0)
    done = network.intervene("lung", "yes")
    for name, probabilities in done.posterior({}).items():
        exact = torch.zeros_like(probabilities).index_add_(0, column[name], truncated)
        torch.testing.assert_close(probabilities, exact)
    torch.testing.assert_close(done.posterior({})["smoke"], torch.tensor([0.5, 0.5]))
    assert network.posterior({"lung": "yes"})["smoke"][0] > 0.9
    torch.testing.assert_close(done.posterior({})["xray"], network.posterior({"lung": "yes"})["xray"])
    assert network.tables()["lung"]["parents"] == ["smoke"]


def test_the_mutilated_network_has_the_dtype_of_the_network():
    done = BayesianNetwork(SMALL).float().intervene("rain", "yes")
    assert done.log_evidence({"grass": "wet"}).dtype == torch.float32


@pytest.mark.oracle("frequencies over the joint, by z-score", "models.BayesianNetwork.sample")
def test_samples_have_the_probabilities_of_the_joint(network):
    x, p = every_value(network)
    n, keep = 20_000, p > 1e-3
    drawn = network.sample(n, seeded(3))
    counts = torch.stack([(drawn == row).all(-1).sum() for row in x[keep]])
    z = (counts - n * p[keep]) / (n * p[keep] * (1 - p[keep])).sqrt()
    assert z.abs().max() < 5
    assert network.log_prob(drawn).isfinite().all()


@pytest.mark.oracle("counts by hand", "models.BayesianNetwork.maximise")
@pytest.mark.parametrize(("smoothing", "wet", "no_rain"), [(0.0, [1 / 4, 3 / 4], 0), (2.0, [3 / 8, 5 / 8], 2 / 8)])
def test_counts_are_the_maximum_likelihood(smoothing, wet, no_rain):
    network = BayesianNetwork(SMALL)
    rows = [("wet", "yes")] * 3 + [("dry", "yes")]
    x = network.encode({"grass": grass, "rain": rain} for grass, rain in rows)
    network.maximise(x, smoothing)
    tables = network.tables()
    assert tables["grass"]["cpt"]["yes"] == pytest.approx(wet)
    never_seen = [0.5, 0.5] if smoothing else [0.8, 0.2]
    assert tables["grass"]["cpt"]["no"] == pytest.approx(never_seen)
    assert tables["rain"]["cpt"][""] == pytest.approx([no_rain, 1 - no_rain])


@pytest.mark.oracle("gradient descent on the loss", "models.BayesianNetwork.maximise")
@pytest.mark.parametrize("name", ["asia", "survey"])
def test_the_gradient_finds_the_counts(name):
    """asia's table of "either" is certain: its zeros stay zeros, and its gradient is zero."""
    tables = bayesian_network(name)
    x = BayesianNetwork(tables).sample(2000, seeded(5))
    counted, climbed = BayesianNetwork(tables), BayesianNetwork(tables)
    counted.maximise(x)
    with torch.no_grad():
        for logits in climbed.logits:
            logits.mul_(0.5)                                                 # another start, with the same zeros
    optimiser = torch.optim.LBFGS(
        [logits for logits in climbed.logits if logits.isfinite().all()], max_iter=1000, history_size=50,
        tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe",
    )

    def closure():
        optimiser.zero_grad()
        loss = climbed.loss(x, seeded(0)).mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    assert all(logits.grad.isfinite().all() for logits in climbed.logits)
    torch.testing.assert_close(climbed.log_prob(x).mean(), counted.log_prob(x).mean(), rtol=1e-8, atol=0)
    for (names, one), (_, other) in zip(climbed.factors(), counted.factors()):
        parents = tuple(x[:, climbed.names.index(parent)] for parent in names[:-1])
        torch.testing.assert_close(one[parents].exp(), other[parents].exp(), rtol=0, atol=1e-4)


def test_adam_leaves_zeros_alone():
    network = BayesianNetwork(changed("grass", cpt={"no": [1.0, 0.0], "yes": [0.1, 0.9]}))
    x = network.sample(200, seeded(0))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        network.loss(x, seeded(0)).mean().backward()
        optimiser.step()
    counted = BayesianNetwork(SMALL)
    counted.maximise(x)
    assert network.tables()["grass"]["cpt"]["no"] == [1.0, 0.0]
    for name in network.names:
        for key, row in counted.tables()[name]["cpt"].items():
            assert network.tables()[name]["cpt"][key] == pytest.approx(row, abs=1e-3)


@pytest.mark.oracle("the constructor", "models.BayesianNetwork.tables")
def test_tables_go_round(network):
    again = BayesianNetwork(json.loads(json.dumps(network.tables())))
    x = network.sample(50, seeded(0))
    torch.testing.assert_close(again.log_prob(x), network.log_prob(x))
    assert again.states == network.states and again.parents == network.parents


@pytest.mark.oracle("each other", "models.BayesianNetwork.encode", "models.BayesianNetwork.decode")
def test_codes_and_names_go_round(network):
    x = network.sample(30, seeded(1))
    assert torch.equal(network.encode(network.decode(x)), x)
    assert network.decode(torch.zeros(1, len(network.names), dtype=torch.long)) == [
        {name: states[0] for name, states in network.states.items()}]


@pytest.mark.parametrize(("tables", "message"), [
    ({}, r"`tables` must map variables to their tables; got \{\}\."),
    (changed("rain", parents=["grass"]), r"`tables` must have no cycle; got (rain -> )?grass -> rain( -> grass)?\."),
    (changed("rain", parents=["rain"]), r"`tables` must have no cycle; got rain -> rain\."),
    (changed("rain", parents=["snow"]), r"\[\"rain\"\]\[\"parents\"\]` must name variables of the network; got 'snow'"),
    (changed("grass", parents=["rain", "rain"]), r"\[\"parents\"\]` must be different names; got \['rain', 'rain'\]"),
    (changed("rain", states=[]), r"`tables\[\"rain\"\]\[\"states\"\]` must be different names; got \[\]"),
    (changed("rain", states=[0, 1]), r"`tables\[\"rain\"\]\[\"states\"\]` must be different names; got \[0, 1\]"),
    (changed("rain", cpt={"": [0.6, 0.5]}), r"\[\"rain\"\]\[\"cpt\"\]` must be >= 0 and add up to 1 .* sum of 1\.1"),
    (changed("rain", cpt={"": [1.5, -0.5]}), r"must be >= 0 and add up to 1 .* a smallest value of -0\.5"),
    (changed("rain", cpt={"": [float("nan"), 1.0]}), r"\[\"cpt\"\]` must be finite; got 1 NaN"),
    (changed("rain", cpt={"": [0.6, 0.3, 0.1]}), r"\[\"cpt\"\]` must hold 2 probabilities for ''; got 3\."),
    (changed("grass", cpt={"no": [0.8, 0.2]}), r"\[\"cpt\"\]` must have the 2 rows 'no', 'yes'; got 'no'\."),
    (changed("grass", cpt={"no": [0.8, 0.2], "maybe": [0.8, 0.2]}), r"rows 'no', 'yes'; got 'no', 'maybe'\."),
    (SMALL | {"rain": {"states": ["no", "yes"]}}, r"\[\"rain\"\]` must have \"states\", \"parents\" and \"cpt\""),
])
def test_a_bad_network_is_named(tables, message):
    with pytest.raises(ValueError, match=message):
        BayesianNetwork(tables)


@pytest.mark.oracle("a planted fault is caught", "models.BayesianNetwork.log_prob")
@pytest.mark.parametrize("column", [0, 1])
def test_an_unknown_value_is_never_taken_for_the_last_state(column):
    """As in the loss of a decoder it is torch that refuses it, since a look at the codes would make a GPU wait."""
    x = torch.tensor([[0, 0], [1, 1]])
    x[1, column] = -1
    with pytest.raises(IndexError, match="out of bounds"):
        BayesianNetwork(SMALL).log_prob(x)


@pytest.mark.parametrize(("call", "message"), [
    (lambda n: n.posterior({"snow": "yes"}), r"`evidence` must name variables out of grass, rain; got 'snow'\."),
    (lambda n: n.posterior({"rain": "maybe"}), r"`evidence\[\"rain\"\]` must be one of 'no', 'yes'; got 'maybe'\."),
    (lambda n: n.log_evidence({"rain": 1}), r"`evidence\[\"rain\"\]` must be one of 'no', 'yes'; got 1\."),
    (lambda n: n.intervene("rain", "yes").posterior({"rain": "no"}), r"`evidence` must be possible; rain as given"),
    (lambda n: n.intervene("snow", "yes"), r"`name` must be one of 'grass', 'rain'; got 'snow'\."),
    (lambda n: n.intervene("rain", 1), r"`state` must be one of 'no', 'yes'; got 1\."),
    (lambda n: n.encode([{"rain": "yes"}]), r"`rows` must give grass, rain; row 0 gives rain\."),
    (lambda n: n.encode([{"rain": "yes", "grass": "red"}]), r"`rows\[\"grass\"\]` must be one of 'dry', 'wet'"),
    (lambda n: n.decode(torch.tensor([[0, 2]])), r"`x\[:, 1\]` must hold 1 whole numbers from 0 to 1"),
    (lambda n: n.maximise(torch.tensor([[0, -1]])), r"`x\[:, 1\]` must hold 1 whole .* values -1 to -1"),
    (lambda n: n.maximise(torch.tensor([[0, 1]]), smoothing=-1.0), r"`smoothing` must be a finite number >= 0; got -1"),
    (lambda n: n.intervene("rain", "yes").require_data(torch.tensor([[0, 1], [1, 0]])),
     r"`x` must have a probability above zero to be learnt by gradient; row 1 has not"),
])
@pytest.mark.oracle("message pinned", "models.BayesianNetwork.require_data", "models.BayesianNetwork.require_shape")
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(BayesianNetwork(SMALL))
