"""Nodes and operations as data: what makes a node, what is refused, and operations from outside the package."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from purebp import PurebpError
from purebp.graph import (
    MSE,
    Add,
    Concatenate,
    Input,
    Multiply,
    Operation,
    Reshape,
    Subtract,
    Sum,
    Tanh,
    backward_graph,
    forward_graph,
)
from purebp.graphs.nodes import Node
from purebp.graphs.tensors import entrywise
from purebp.number_systems.rational import FRACTION
from tests import graph_laws as graphs

X, Y, A = Input("x", (None, 3)), Input("y", (3,)), Input("a")


CUBE = Operation(
    "Cube",
    shape=lambda x: x,
    value=lambda arithmetic, x: entrywise(lambda xi: xi * xi * xi, x),
    products=(lambda arithmetic, gradient, value, x: entrywise(lambda g, xi: 3 * xi * xi * g, gradient, x),),
)


@pytest.mark.parametrize("law", graphs.LAWS, ids=lambda law: law.__name__)
def test_an_operation_from_outside_needs_nothing_but_itself(law: graphs.Law) -> None:
    law(CUBE)
    x = Input("x")
    assert backward_graph(Sum(CUBE(x)), {"x": [1.0, 2.0]})["x"] == [3.0, 12.0]
    assert backward_graph(CUBE(x), {"x": Fraction(1, 3)}, FRACTION)[x] == Fraction(1, 3)


def test_an_operation_is_shown_by_its_name() -> None:
    assert repr(CUBE) == "Operation(name='Cube')" and repr(Tanh) == "Operation(name='Tanh')"


def test_powers_and_products_of_nodes() -> None:
    a, A, B = Input("a"), Input("A"), Input("B")
    assert backward_graph(a**3, {a: 2.0})[a] == 12.0
    assert forward_graph(A @ B, {A: [[1, 2]], B: [[3], [4]]})["MatMul#3"] == [[11.0]]
    for exponent in (0, -1, 0.5):
        with pytest.raises(PurebpError, match="a whole number above 0"):
            a**exponent  # type: ignore[operator]  # what is tried


def test_a_matrix_may_stand_on_the_left() -> None:
    x = Input("x")
    product = [[1.0, 2.0]] @ x
    assert forward_graph(product, {x: [[3.0], [4.0]]})[product] == [[11.0]]


def test_add_and_multiply_take_any_number_of_nodes() -> None:
    """Udacity's MiniFlow has Add(x, y, z)."""
    x, y, z = Input("x"), Input("y"), Input("z")
    feed = {x: 4.0, y: 5.0, z: 10.0}
    assert forward_graph(Add(x, y, z, name="f"), feed)["f"] == 19.0
    assert backward_graph(Multiply(x, y, z), feed)[y] == 40.0


def test_losses_take_their_nodes_by_name() -> None:
    y, p = Input("y"), Input("p")
    cost = MSE(targets=y, outputs=p, name="loss")
    assert cost.parents == (y, p) and MSE(y, outputs=p).parents == (y, p)
    misnamed: list[dict[str, Any]] = [{"target": y, "outputs": p}, {"outputs": p}]
    for wrong in misnamed:
        with pytest.raises(PurebpError, match="it takes targets, outputs"):
            MSE(**wrong)


def test_an_operation_says_of_how_many_nodes_it_is() -> None:
    with pytest.raises(PurebpError, match="Subtract is of 2 nodes, and was given 3"):
        Subtract(X, Y, A)
    with pytest.raises(PurebpError, match="one node at least"):
        Concatenate()
    with pytest.raises(PurebpError, match="at most two dimensions"):
        Reshape(X, (1, 1, 3))


@pytest.mark.parametrize("shape", [5, "ab", (-1,), (2.5,), (2, 3, 4), (0,)])
def test_shapes_that_are_none_are_refused_where_they_are_declared(shape: Any) -> None:
    with pytest.raises(PurebpError, match="is declared with the shape"):
        Input("x", shape)
    with pytest.raises(PurebpError, match="its name, a text, comes first"):
        Input(shape if isinstance(shape, tuple) else 5)  # type: ignore[arg-type]  # what is tried


@pytest.mark.parametrize(
    "use",
    [lambda x: x[0], abs, lambda x: x > 0, lambda x: x <= x, float, lambda x: x % 2, lambda x: x.exp(), list],
    ids=["index", "abs", "above", "at most", "float", "rest", "exp", "iteration"],
)
def test_what_is_no_operation_names_what_takes_any_program(use: Callable[[Node], object]) -> None:
    with pytest.raises(PurebpError, match="check_backward"):
        use(Input("x", (2,)))


def test_numpy_on_a_node_says_so_as_well() -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(PurebpError, match="check_backward"):
        numpy.exp(Input("x", (2,)))
    assert (numpy.float64(2.0) * Input("x")).kind == "Multiply"
