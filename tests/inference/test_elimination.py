"""Variable elimination, held against the whole joint table."""

import itertools
from string import ascii_lowercase

from course_lib.inference.elimination import Factor, eliminate, elimination_order
from course_lib.rng import seeded

import pytest
import torch

SIZES = {"a": 2, "b": 3, "c": 2, "d": 4, "e": 2}
SCOPES = [("a", "b"), ("c", "b"), ("d",), ("c", "d", "a"), ("e", "d"), ("a",)]


def tables(seed=0):
    generator = seeded(seed)
    return [Factor(scope, torch.randn([SIZES[name] for name in scope], generator=generator)) for scope in SCOPES]


def joint(factors):
    """The product of all tables at once, by einsum over probabilities: one axis for each of a to e."""
    spelled = ",".join("".join(names) for names, _ in factors)
    return torch.einsum(f"{spelled}->abcde", *(log_table.exp() for _, log_table in factors))


@pytest.mark.oracle("einsum over the whole joint", "inference.elimination.eliminate")
@pytest.mark.parametrize(("keep", "evidence"), [
    ("", {}), ("a", {}), ("db", {}), ("edcba", {}), ("", {"b": 2}), ("eca", {"b": 2}), ("ae", {"d": 3, "b": 0}),
])
def test_elimination_is_the_sum_over_the_joint(keep, evidence):
    factors = tables()
    index = tuple(evidence.get(name, slice(None)) for name in SIZES)
    left = "".join(name for name in SIZES if name not in evidence)
    table = torch.einsum(f"{left}->{keep}", joint(factors)[index])
    answer = eliminate(factors, keep, evidence)
    torch.testing.assert_close(answer.log_evidence.exp(), table.sum())
    torch.testing.assert_close(answer.probabilities, table / table.sum())


@pytest.mark.oracle("autograd: log p(e) by a log table gives its marginal", "inference.elimination.eliminate")
def test_the_gradient_of_the_log_evidence_is_the_posterior():
    names, log_table = tables()[3]
    log_table.requires_grad_()
    factors = [*tables()[:3], Factor(names, log_table), *tables()[4:]]
    evidence = {"b": 1, "e": 0}
    eliminate(factors, (), evidence).log_evidence.backward()
    torch.testing.assert_close(log_table.grad, eliminate(factors, names, evidence).probabilities.detach())


def test_long_chains_do_not_underflow():
    """300 tables whose product, exp(-900), is below the smallest double."""
    names = [f"x{i}" for i in range(301)]
    factors = [Factor(pair, torch.full((2, 2), -3.0)) for pair in itertools.pairwise(names)]
    answer = eliminate(factors, ["x300"])
    torch.testing.assert_close(answer.log_evidence, torch.tensor(2.0).log() * 301 - 900)
    torch.testing.assert_close(answer.probabilities, torch.tensor([0.5, 0.5]))


def width(scopes, order):
    """The most variables that a table has on the way."""
    scopes, widest = [set(scope) for scope in scopes], 0
    for name in order:
        merged = set().union(*(scope for scope in scopes if name in scope))
        widest = max(widest, len(merged))
        scopes = [scope for scope in scopes if name not in scope] + [merged - {name}]
    return widest


@pytest.mark.oracle("all orders of six variables", "inference.elimination.elimination_order")
@pytest.mark.parametrize("scopes", [
    ["ab", "bc", "cd", "de", "ef"],                                        # a chain
    ["ab", "ac", "ad", "ae", "af"],                                        # a star
    ["ab", "bc", "cd", "de", "ef", "fa"],                                  # a ring
    ["abc", "cd", "de", "ef", "fb", "ad"],
])
def test_the_order_is_as_good_as_the_best(scopes):
    order = elimination_order(scopes)
    assert sorted(order) == list("abcdef")
    assert width(scopes, order) == min(width(scopes, other) for other in itertools.permutations("abcdef"))
    assert sorted(elimination_order(scopes, keep="be")) == list("acdf")


def test_a_chain_is_as_quick_as_it_is_long():
    """Two links a table, whatever the length: the joint of 26 variables would have 4 ** 26 entries."""
    factors = [Factor(pair, torch.randn(4, 4, generator=seeded(1))) for pair in itertools.pairwise(ascii_lowercase)]
    answer = eliminate(factors, ["m"])
    left = right = torch.ones(4)
    for _ in range(12):
        left = left @ factors[0].log_table.exp()
    for _ in range(13):
        right = factors[0].log_table.exp() @ right
    torch.testing.assert_close(answer.probabilities, left * right / (left * right).sum())


@pytest.mark.oracle("message pinned", "inference.elimination.eliminate")
@pytest.mark.parametrize(("keep", "evidence", "message"), [
    (["z"], {}, r"`keep` must name variables out of a, b, c, d, e; got 'z'\."),
    (["a"], {"z": 0}, r"`evidence` must name variables out of a, b, c, d, e; got 'z'\."),
    (["a", "a"], {}, r"`keep` must name each variable once, and none of the evidence; got \['a', 'a'\]\."),
    (["a"], {"a": 0}, r"`keep` must name each variable once, and none of the evidence; got \['a'\]\."),
    (["a"], {"b": 3}, r"`evidence` for 'b' must be an index from 0 to 2; got 3\."),
    (["a"], {"b": True}, r"`evidence` for 'b' must be an index from 0 to 2; got True\."),
    (["a"], {"b": "yes"}, r"`evidence` for 'b' must be an index from 0 to 2; got 'yes'\."),
])
def test_a_bad_query_is_named(keep, evidence, message):
    with pytest.raises(ValueError, match=message):
        eliminate(tables(), keep, evidence)


def test_bad_tables_are_named():
    with pytest.raises(ValueError, match=r"must agree on how many values 'b' has; got 3 and 2\."):
        eliminate([*tables(), Factor(("b",), torch.zeros(2))])
    with pytest.raises(ValueError, match=r"one axis for each name; got \('a', 'b'\) and shape \(2,\)\."):
        eliminate([Factor(("a", "b"), torch.zeros(2))])
    with pytest.raises(ValueError, match="one axis for each name"):
        eliminate([Factor(("a", "a"), torch.zeros(2, 2))])
    with pytest.raises(ValueError, match="`factors` must hold at least one table"):
        eliminate([])


def test_evidence_of_probability_zero_is_named():
    factors = [(("a", "b"), torch.tensor([[1.0, 0.0], [0.0, 1.0]]).log())]
    with pytest.raises(ValueError, match=r"`evidence` must be possible; b as given"):
        eliminate([*factors, (("b", "c"), torch.tensor([[0.0], [1.0]]).log())], ["a"], {"b": 0})
    assert eliminate(factors, (), {"a": 0, "b": 1}).log_evidence == -torch.inf
