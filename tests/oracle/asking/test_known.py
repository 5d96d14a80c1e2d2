"""Operations are known by their numbers, in any order of their parents; names count where numbers say nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from purebp.graphs.nodes import Input
from purebp.graphs.tensors import Tensor, entries, entrywise
from purebp.oracle.asking.known import (
    KNOWN,
    MATRICES,
    NUMBERS,
    VECTORS,
    Known,
    Match,
    drawn,
    meant,
    named_otherwise,
    near,
    recognised,
    reference,
    surely,
)

EACH = [(row, holds) for row in KNOWN for holds in row.shapes]


@pytest.mark.parametrize(("row", "holds"), EACH, ids=[f"{row.name} {holds}" for row, holds in EACH])
def test_each_operation_is_recognised_by_its_own_numbers(row: Known, holds: str) -> None:
    found = recognised(lambda given: reference(row, given), len(row.parents), (holds,))
    assert found is not None
    values = drawn(found, 7)
    assert near(reference(found.known, values), reference(row, values))


def test_each_way_of_its_parents_is_found() -> None:
    row = next(each for each in KNOWN if each.name == "linear" and len(each.parents) == 3)
    for places in ((0, 1, 2), (1, 0, 2), (2, 1, 0)):
        for turned in (True, False):
            match = Match(row, MATRICES, places, turned)

            def compute(given: Sequence[Tensor], match: Match = match) -> Tensor:
                return reference(row, match.taken(given))

            assert recognised(compute, 3, (MATRICES,)) == match


def test_what_is_given_comes_back() -> None:
    match = Match(next(row for row in KNOWN if row.weighed == 1), MATRICES, (2, 0, 1), True)
    values = [[[1.0, 2.0]], [[3.0, 4.0]], [5.0]]
    assert match.given(values) == [[5.0], [[1.0, 2.0]], [[3.0], [4.0]]]
    assert match.taken(match.given(values)) == values


def test_what_raises_or_is_another_function_is_not_recognised() -> None:
    assert recognised(lambda given: 1 / 0, 1, (NUMBERS,)) is None
    assert recognised(lambda given: entrywise(lambda x: x**5 + 1, given[0]), 1, (MATRICES, VECTORS, NUMBERS)) is None


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("Sigmoid", "sigmoid"),
        ("ActivationTanh", "tanh"),
        ("LeakyReLU", "leaky_relu(0.01)"),
        ("ReLU", "relu"),
        ("MeanSquaredError", "sse/samples"),
        ("CrossEntropyLoss", "cross_entropy/entries"),
    ],
)
def test_names_say_what_is_meant(name: str, operation: str) -> None:
    found = meant(name)
    assert found is not None
    wanted = next(row for row in KNOWN if row.name == operation)
    assert found.kin == wanted.kin or found.called == wanted.called


def test_a_name_counts_against_the_numbers_if_it_is_the_whole_name() -> None:
    sigmoid, tanh = KNOWN[0], KNOWN[1]
    assert named_otherwise(tanh, sigmoid, "SigmoidLayer") and not named_otherwise(tanh, sigmoid, "Sigmoidish")
    found = surely("Tanh_Layer")
    assert found is tanh and surely("TanhNet") is None


def test_numbers_are_drawn_as_an_operation_takes_them() -> None:
    for row, holds in EACH:
        values = drawn(Match(row, holds, tuple(range(len(row.parents)))), 3)
        if row.drawn == "positive":
            assert all(x > 0 for x in entries(values[0]))
        if row.drawn in ("binary", "one_hot"):
            assert set(entries(values[0])) <= {0.0, 1.0} and all(0 < x < 1 for x in entries(values[1]))


def test_the_graph_of_each_is_of_its_parents() -> None:
    for row in KNOWN:
        leaves = [Input(name) for name in row.parents]
        node = row.build(*leaves)
        assert set(node.parents) & set(leaves) or all(leaf in {*node.parents[0].parents} for leaf in leaves)
