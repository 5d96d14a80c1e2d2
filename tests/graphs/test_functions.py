"""Activations as operations: each is its row of the textbook, and remembers it."""

from __future__ import annotations

import pytest

from purebp import activation, elu, graph, leaky_relu
from purebp.graph import (
    ELU,
    MSE,
    Activate,
    Input,
    LeakyReLU,
    Multiply,
    Operation,
    Softmax,
    SoftmaxCrossEntropy,
    forward_graph,
)
from purebp.textbook.activations import Elementwise
from purebp.textbook.arithmetic import Function

FIXED = ("identity", "sigmoid", "tanh", "relu", "softplus", "silu", "gelu", "softmax")


def test_an_operation_knows_the_activation_that_it_applies() -> None:
    found = [each.activation for each in map(vars(graph).get, graph.__all__) if isinstance(each, Operation)]
    assert sorted(f.name for f in found if f) == sorted(FIXED)
    for name in (*FIXED, "leaky_relu(0.5)", "elu(0.5)"):
        operation = Activate(Input("x"), name).operation
        assert operation and operation.activation == activation(name) and operation.kinks == activation(name).kinks
    for made, row in ((LeakyReLU(Input("x"), 0.5), leaky_relu(0.5)), (ELU(Input("x"), 0.5), elu(0.5))):
        assert made.operation and made.operation.activation == row


def test_what_applies_none_knows_of_none() -> None:
    """A cost before whose outputs an activation stands is a cost."""
    assert (Multiply.activation, MSE.activation, SoftmaxCrossEntropy.activation) == (None, None, None)
    assert (Multiply.loss, Softmax.loss) == (None, None)


def test_an_activation_of_one_s_own_is_an_operation() -> None:
    double = Elementwise(
        "double", Function("double", lambda x, arithmetic: 2 * x), Function("double′", lambda x, arithmetic: x / x + 1)
    )
    node = Activate(Input("x"), double, name="a")
    assert node.operation and node.operation.activation is double
    assert forward_graph(node, {"x": [[1.0, 3.0]]})["a"] == [[2.0, 6.0]]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_what_works_entry_by_entry_takes_any_shape(shape: tuple[int, ...]) -> None:
    node = Activate(Input("x", shape), "tanh")
    assert node.operation and node.operation.shape(shape) == shape
