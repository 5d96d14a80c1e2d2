"""The mistakes that can be made on a graph: each changes the gradient of a parameter."""

from __future__ import annotations

from purebp.graph import HalfSSE, Input, Linear, Parameter, Tanh, backward_graph, forward_graph
from purebp.graphs.nodes import Node
from purebp.oracle.explaining.graph_mistakes import mistakes

A, V = Parameter("A", (2, 2)), Parameter("V", (1, 2))
FEED = {
    "x": [[1.0, -0.5], [0.25, 2.0]],
    "y": [[1.0], [-1.0]],
    "A": [[0.5, -0.75], [0.3, 1.25]],
    "V": [[0.6, -0.4]],
}


def residual() -> Node:
    """tanh(A x) + x, so that x and its layer have two ways to the loss."""
    x = Linear(Input("x", (None, 2)), A)
    return HalfSSE(Linear(Tanh(x) + x, V), Input("y", (None, 1)))


def test_every_mistake_changes_some_gradient() -> None:
    loss = residual()
    right, values = backward_graph(loss, FEED), forward_graph(loss, FEED)
    for mistake in mistakes(loss):
        wrong = mistake.backward(values)
        assert any(wrong[node] != right[node] for node in (A, V)), mistake.name


def test_a_node_of_two_uses_is_overwritten_by_either_and_passed_on_too_early() -> None:
    assert [mistake.name for mistake in mistakes(residual())] == [
        "overwritten instead of accumulated",
        "overwritten instead of accumulated",
        "passed on before it is complete",
        "passed on before it is complete",
        "activation derivative missing",
        "squashed twice",
    ]


def test_a_graph_in_which_each_node_has_one_use_has_no_mistake_of_the_sum() -> None:
    x = Input("x", (None, 2))
    chain = HalfSSE(Linear(Tanh(Linear(x, A)), V), Input("y", (None, 1)))
    assert [mistake.name for mistake in mistakes(chain)] == ["activation derivative missing", "squashed twice"]
