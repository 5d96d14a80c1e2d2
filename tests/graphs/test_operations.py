"""Laws of every operation, and mistakes in each that the laws must reject."""

from __future__ import annotations

from typing import Any

import pytest

from purebp.graph import (
    Add,
    Input,
    Linear,
    Mean,
    Multiply,
    Operation,
    Parameter,
    Sum,
    backward_graph,
    forward_graph,
)
from purebp.graphs.tensors import dimensions, entries, entrywise
from tests import graph_laws as graphs
from tests.graph_laws import OPERATIONS, SLIPS


@pytest.mark.parametrize("operation", OPERATIONS, ids=graphs.named)
@pytest.mark.parametrize("law", graphs.LAWS, ids=lambda law: law.__name__)
def test_every_operation_obeys_every_law(operation: Operation, law: graphs.Law) -> None:
    law(operation)


@pytest.mark.parametrize(
    ("operation", "position"),
    [(operation, position) for operation in OPERATIONS for position in range(len(operation.products))],
    ids=lambda part: graphs.named(part) if isinstance(part, Operation) else str(part),
)
def test_a_product_that_is_off_by_a_thousandth_is_rejected(operation: Operation, position: int) -> None:
    wrong = graphs.off_by_a_little(operation, position)
    for law in (graphs.equals_dual_numbers, graphs.equals_central_differences):
        with pytest.raises(AssertionError):
            law(wrong)


@pytest.mark.parametrize("operation", OPERATIONS, ids=graphs.named)
def test_the_classical_slip_is_rejected(operation: Operation) -> None:
    wrong = (SLIPS.get(operation.name) or SLIPS[graphs.plain_name(operation)])(operation)
    with pytest.raises(AssertionError):
        graphs.equals_dual_numbers(wrong)


def test_a_product_of_the_wrong_shape_is_rejected() -> None:
    wrong = graphs.with_product(Add, 0, lambda arithmetic, g, z, x, y: [g])
    with pytest.raises(AssertionError):
        graphs.has_the_shapes_of_the_parents(wrong)


def test_a_value_outside_the_model_leaves_its_budget() -> None:
    coarse = graphs.with_product(
        Multiply,
        0,
        lambda arithmetic, g, z, x, y: entrywise(
            lambda gi, yi: round(gi * yi, 8) if isinstance(gi, float) else gi * yi, g, y
        ),
    )
    with pytest.raises(AssertionError):
        graphs.lies_within_its_budget(coarse)


@pytest.mark.parametrize(
    ("weights", "biases"),
    [([[1.0, 2.0]], 3.0), ([[1.0, 2.0]], [3.0]), ([[1.0, 2.0]], [[3.0]]), ([1.0, 2.0], 3.0), ([1.0, 2.0], [3.0])]
    + [([1.0, 2.0], [[3.0]])]
    + [([[1.0, 2.0], [0.0, 1.0]], [3.0, 4.0]), ([[1.0, 2.0], [0.0, 1.0]], [[3.0, 4.0]])],
)
def test_biases_are_a_vector_or_a_row_or_a_number(weights: Any, biases: Any) -> None:
    x, W, b = Input("x"), Parameter("W"), Parameter("b")
    gradients = backward_graph(Sum(Linear(x, W, b)), {x: [[1.0, 1.0], [2.0, 1.0]], W: weights, b: biases})
    assert dimensions(gradients[b]) == dimensions(biases) and set(entries(gradients[b])) == {2.0}
    first = gradients.values["Linear#4"][0]
    assert (first[0] if isinstance(first, list) else first) == 6.0


MATRIX = [[1.0, 2.0, 6.0], [4.0, 0.0, -1.0]]


@pytest.mark.parametrize(
    ("axis", "sums"),
    [(None, 12.0), (0, [5.0, 2.0, 5.0]), (-2, [5.0, 2.0, 5.0]), (1, [9.0, 3.0]), (-1, [9.0, 3.0])],
)
def test_a_sum_is_over_all_or_along_an_axis_and_a_mean_is_divided_by_what_is_summed(
    axis: int | None, sums: Any
) -> None:
    x = Input("x")
    terms = {None: 6, 0: 2, -2: 2, 1: 3, -1: 3}[axis]
    for node, wanted in ((Sum(x, axis), sums), (Mean(x, axis), entrywise(lambda total: total / terms, sums))):
        found = forward_graph(node, {x: MATRIX})[node]
        assert dimensions(found) == dimensions(wanted)
        assert entries(found) == pytest.approx(entries(wanted))
