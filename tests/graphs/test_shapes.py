"""Shapes are known before anything is computed, and are those of what is computed then."""

from __future__ import annotations

from itertools import product

import pytest

from purebp import PurebpError
from purebp.graph import Add, Concatenate, Input, Linear, Operation, Subtract, forward_graph, topological_order
from purebp.graphs.engine import shapes
from purebp.graphs.shapes import axis_of, fits, of_rank, squeezed, together
from purebp.graphs.tensors import Shape, dimensions
from tests import graph_laws as graphs
from tests.graph_laws import OPERATIONS, SHAPES

FREE: list[Shape] = [*SHAPES, (None,), (None, 3), (2, None)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=graphs.named)
def test_the_shape_of_a_value_is_the_one_announced(operation: Operation) -> None:
    for cost, feed in graphs.examples(operation):
        values = forward_graph(cost, feed)
        announced = shapes(topological_order(cost), {x: dimensions(value) for x, value in feed.items()})
        assert {node: dimensions(values[node]) for node in values} == announced


@pytest.mark.parametrize("operation", OPERATIONS, ids=graphs.named)
def test_where_a_dimension_is_free_the_shape_fits_the_one_announced(operation: Operation) -> None:
    """Whatever is refused with a free dimension is refused for every number in its place."""
    for known, shape in graphs.accepted(operation, SHAPES):
        free = [(None, *s[1:]) if s else s for s in known]
        assert fits(operation.shape(*free), shape)


def test_shapes_go_together_in_any_order() -> None:
    for one, other in product(FREE, repeat=2):
        assert fits(one, other) == fits(other, one)
        if not one or not other or fits(one, other):
            assert together(one, other) == together(other, one)
            assert together(one, one) == one
        else:
            for pair in ((one, other), (other, one)):
                with pytest.raises(PurebpError, match="the shapes must be equal"):
                    together(*pair)


def test_a_free_dimension_takes_the_other_one() -> None:
    assert together((None, 3), (2, None)) == (2, 3)
    assert together((), (None,), (4,)) == (4,)
    assert together((None,), (None,)) == (None,)
    with pytest.raises(PurebpError):
        together((None,), (2,), (3,))


def test_only_what_is_one_is_squeezed() -> None:
    assert [squeezed(shape) for shape in ((), (1,), (3, 1), (1, 1), (None, 1))] == [(), (), (3,), (), (None,)]


def test_ranks_and_axes_that_there_are_not_are_refused() -> None:
    assert [axis_of((2, 3), axis) for axis in (-2, -1, 0, 1)] == [0, 1, 0, 1]
    for axis in (-3, 2):
        with pytest.raises(PurebpError, match=rf"there is no axis {axis} of \(2, 3\)"):
            axis_of((2, 3), axis)
    with pytest.raises(PurebpError, match="a number or a matrix"):
        of_rank(0, 2)((3,))


def test_what_libraries_would_make_of_two_shapes_is_said() -> None:
    n, column, row, matrix = Input("n", (3,)), Input("c", (3, 1)), Input("r", (1, 3)), Input("m", (2, 3))
    for node, words in (
        (Subtract(n, column), r"3 × 3 numbers of these, silently: Reshape one of them$"),
        (Subtract(column, n), r"3 × 3 numbers of these"),
        (Subtract(Input("f", (None, 1)), n), r"3 × 3 numbers of these"),
        (Add(matrix, n), r"the shapes must be equal\. Biases are added to every row by Linear\(x, weights, biases\)$"),
        (Add(n, row), r"Biases are added to every row"),
        (Add(matrix, column), r"the shapes must be equal$"),
        (Add(n, Input("o", (2,))), r"the shapes must be equal$"),
    ):
        order = topological_order(node)
        with pytest.raises(PurebpError, match=words):
            shapes(order, {leaf: leaf.shape for leaf in order})


def test_one_operand_of_another_rank_is_refused_for_its_shape() -> None:
    """Along axis 1, which the first has and the second has not."""
    matrix, vector = Input("m", (2, 3)), Input("v", (3,))
    for parts in ((matrix, vector), (matrix, matrix, vector)):
        order = topological_order(Concatenate(*parts, axis=1))
        with pytest.raises(PurebpError, match="along axis 1, shapes must be equal but for that axis"):
            shapes(order, {leaf: leaf.shape for leaf in order})


def test_what_is_not_known_is_not_guessed() -> None:
    x, w = Input("x", (None, 3)), Input("w")
    order = topological_order(Linear(x, w))
    assert [*shapes(order, {x: x.shape, w: None}).values()] == [(None, 3), None, None]
