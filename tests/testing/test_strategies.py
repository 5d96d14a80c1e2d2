"""What the strategies promise, and what is smallest among what they draw."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import Batch, PurebpError, backpropagation, evaluate
from purebp.number_systems.formats import BFLOAT16, is_exact
from purebp.oracle import judge
from purebp.oracle.cases import Case
from purebp.testing import batches, cases, losses, networks
from purebp.testing.strategies import LARGEST_SUM
from tests.testing.slips import NOTHING, Smallest, first, smallest


@given(cases())
def test_cases_are_of_numbers_with_few_bits_and_of_neurons_with_small_sums_of_weights(case: Case) -> None:
    rows = [row for layer in case.network.layers for row in layer.weights]
    numbers = [*case.network.parameters(), *(x for row in (*case.batch.inputs, *case.batch.targets) for x in row)]
    assert all(is_exact(x, BFLOAT16) for x in numbers)  # of eight bits; the other formats have more
    assert all(sum(map(abs, row)) <= LARGEST_SUM for row in rows)


@given(cases())
def test_the_oracle_has_budgets_for_every_case(case: Case) -> None:
    """Undecided are ReLUs whose pre-activation is exactly 0."""
    loss = "cross_entropy" if case.network.layers[-1].activation.name == "softmax" else "mse"
    report = judge(case.network, case.batch, backpropagation(case.network, case.batch, loss), loss)
    assert report.verdict in ("correct", "undecided")


@given(cases(["relu", "tanh", "sigmoid"], sizes=[3, 2, 4, 1], biases=False, batch=2))
def test_what_is_declared_is_held_to(case: Case) -> None:
    assert [layer.activation.name for layer in case.network.layers] == ["relu", "tanh", "sigmoid"]
    assert case.network.sizes == (3, 2, 4, 1) and len(case.batch.inputs) == 2
    assert all(layer.biases is None for layer in case.network.layers)


@pytest.mark.parametrize("last", ["sigmoid", "softmax"])
@given(st.data())
def test_targets_suit_the_loss(last: str, data: st.DataObject) -> None:
    loss = data.draw(losses())
    case = data.draw(cases(["tanh", last], loss=loss))
    if last == "softmax" or loss.base == "cross_entropy":
        assert all(sorted(row) == [0.0] * (len(row) - 1) + [1.0] for row in case.batch.targets)
    elif loss.base == "binary_cross_entropy":
        assert {x for row in case.batch.targets for x in row} <= {0.0, 1.0}
    assert evaluate(case.network, case.batch, loss) < inf


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_single_name_is_for_networks_of_any_depth(activation: str) -> None:
    network = first(networks(activation), lambda network: len(network.layers) == 4)
    assert {layer.activation.name for layer in network.layers} == {activation}


SMALLEST: list[tuple[str, Callable[[Case], bool], Smallest]] = [
    ("case", lambda case: True, ((1, 1), [0.0], NOTHING)),
    ("of two layers", lambda case: len(case.network.layers) > 1, ((1, 1, 1), [0.0, 0.0], NOTHING)),
    (
        "with a square layer",
        lambda case: case.network.sizes[0] == case.network.sizes[1] > 1,
        ((2, 2), [0.0] * 4, Batch([[0.0, 0.0]], [[0.0, 0.0]])),
    ),
    ("with a weight above 1.2", lambda case: max(case.network.layers[0].weights[0]) > 1.2, ((1, 1), [2.0], NOTHING)),
    ("with a negative input", lambda case: min(case.batch.inputs[0]) < 0, ((1, 1), [0.0], Batch([[-1.0]], [[0.0]]))),
    ("with two samples", lambda case: len(case.batch.inputs) > 1, ((1, 1), [0.0], Batch([[0.0]] * 2, [[0.0]] * 2))),
]


@pytest.mark.parametrize(("condition", "expected"), [row[1:] for row in SMALLEST], ids=[row[0] for row in SMALLEST])
def test_the_smallest_case(condition: Callable[[Case], bool], expected: Smallest) -> None:
    assert smallest(first(cases(), condition)) == expected


def test_sizes_that_do_not_fit_are_refused() -> None:
    for sizes in ([2], [2, 3], []):
        with pytest.raises(PurebpError, match="widths|width more"):
            first(networks(["tanh", "identity"], sizes=sizes), lambda network: True)
    assert first(batches(2, 1, batch=3), lambda batch: True) == Batch([[0.0, 0.0]] * 3, [[0.0]] * 3)
