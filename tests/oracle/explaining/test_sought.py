"""What is looked for in the candidate's own code: what a mistake makes, and not what is right."""

from __future__ import annotations

import pytest

from purebp import Batch, Network
from purebp.oracle.answer import as_claim
from purebp.oracle.cases import Case
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.sought import as_answered, sought
from purebp.textbook import losses
from purebp.textbook.backprop import backpropagation

NETWORK = Network.random([2, 3, 2], seed=5)
ONE = Case("", NETWORK, Batch([[0.5, -1.0]], [[1.0, 0.0]]))


@pytest.mark.parametrize(
    "name, layer, lengths",
    [
        ("squashed twice", 0, {3}),
        ("raw error passed down", 0, {3}),
        ("input missing", 1, {6}),
        ("biases never updated", 0, {3}),
        ("error squared", None, {2}),
        ("activation applied twice in the hidden layers", None, {3}),
    ],
)
def test_what_a_mistake_makes_is_looked_for(name: str, layer: int | None, lengths: set[int]) -> None:
    made = ((CATALOGUE[name], frozenset({layer} if layer is not None else ())),)
    found = list(sought(made, ONE, losses.mse))
    assert {len(form) for one in found for form in one.forms} == lengths
    assert all(one.sized == (name in ("input missing", "biases never updated")) for one in found)


def test_nothing_is_looked_for_where_nothing_changes() -> None:
    made = ((CATALOGUE["last sample alone"], frozenset[int]()),)  # of one sample
    assert not list(sought(made, ONE, losses.mse))
    turned = ((CATALOGUE["derivative with the opposite sign"], frozenset({0})),)
    assert not list(sought(turned, ONE, losses.mse))


def test_what_was_answered_is_looked_for_where_nothing_explains_it() -> None:
    claim = as_claim(backpropagation(NETWORK, ONE.batch, "mse"))
    found = list(as_answered([("deltas", 1), ("weights", 0), ("forward", 0)], ONE, claim))
    assert [len(one.forms[0]) for one in found] == [2, 6, 3]
    two = Case("", NETWORK, Batch([[0.5, -1.0]] * 2, [[1.0, 0.0]] * 2))
    assert not list(as_answered([("deltas", 1)], two, claim))
