"""Mistakes on graphs: each changes a gradient, begins at the nodes that it names, and leaves the other uses alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import tanh
from typing import Any

import pytest
from hypothesis import given

from purebp.graph import (
    MSE,
    SSE,
    Add,
    Cost,
    HalfSSE,
    Input,
    Linear,
    Multiply,
    Node,
    Parameter,
    Sigmoid,
    Softmax,
    Sum,
    Tanh,
    backward_graph,
    forward_graph,
    topological_order,
)
from purebp.graphs.engine import labels
from purebp.graphs.tensors import dimensions, entries
from purebp.number_systems.ball import ball
from purebp.oracle.evidence import share
from purebp.oracle.explaining.graph_mistakes import SLIPS, GraphMistake, mistakes
from purebp.oracle.explaining.recipe import BIASES, DERIVATIVE, LOSS, OPERANDS, STATE
from purebp.oracle.graph_cases import graph_cases
from tests.graph_laws import Recipe, recipes
from tests.laws import assert_close


def layer(x: Node, n_in: int, n_out: int, name: str) -> Node:
    return Linear(x, Parameter(f"W{name}", (n_out, n_in)), Parameter(f"b{name}", (n_out,)), name=f"Z{name}")


H0 = Tanh(layer(Input("x0", (None, 2)), 2, 3, "0"), name="H0")
H1 = Add(H0, Tanh(layer(H0, 3, 3, "1"), name="T1"), name="H1")
H2 = Add(H1, Sigmoid(layer(H1, 3, 3, "2"), name="T2"), name="H2")
S0 = Tanh(Parameter("q0", (3,)), name="S0")
GRAPHS = {
    "two skip connections": HalfSSE(Input("y0", (None, 2)), layer(H2, 3, 2, "3"), name="L0"),
    "softmax": Cost(Input("y0", (None, 3)), Softmax(layer(Input("x0", (None, 3)), 3, 3, "0"), name="A0"), "sse"),
    "three uses": Sum(Add(Add(Sigmoid(Parameter("p0", (3,)), name="S1"), S0, name="A1"), Add(S0, Sigmoid(S0)))),
    "one output": MSE(Input("y0", (None, 1)), layer(Input("x0", (None, 2)), 2, 1, "0"), name="L0"),
}
CASES = {graph: list(graph_cases(graph)) for graph in GRAPHS.values()}
EVERY = [(graph, mistake) for graph in GRAPHS.values() for mistake in mistakes(graph)]
EACH = pytest.mark.parametrize(("graph", "mistake"), EVERY, ids=[mistake.name for _, mistake in EVERY])


def changed(graph: Node, mistake: GraphMistake, feed: Any) -> set[Node]:
    """The nodes whose gradient is another one, by more than roundoff."""
    right, wrong = backward_graph(graph, feed), mistake.backward(forward_graph(graph, feed))
    order = [node for node in topological_order(graph) if node in wrong and (node.parents or node.trained)]
    pairs = {node: zip(entries(right[node]), entries(wrong[node]), strict=True) for node in order}
    return {node for node in order if any(abs(x - y) > 1e-9 for x, y in pairs[node])}


def named(graph: Node, sentence: str) -> set[Node]:
    """The nodes of which a sentence speaks."""
    known = labels(topological_order(graph)).items()
    return {node for node, name in known if re.search(rf"(?<![\w#]){re.escape(name)}(?![\w#])", sentence)}


@EACH
def test_a_mistake_changes_the_gradient_of_a_parameter(graph: Node, mistake: GraphMistake) -> None:
    assert any(node.trained for case in CASES[graph] for node in changed(graph, mistake, case.feed))


@EACH
def test_a_mistake_begins_at_the_nodes_that_it_names_and_nowhere_else(graph: Node, mistake: GraphMistake) -> None:
    """Where all gradients that a node is computed from are right, its own is, unless the mistake is made there."""
    there = named(graph, mistake.sentence)
    first = set[Node]()
    for case in CASES[graph]:
        off = changed(graph, mistake, case.feed)
        first |= off - {node for child in off for node in child.parents}
    assert first and there
    slip = next((slip for slip in SLIPS if slip.name == mistake.name), None)
    if slip is not None:
        assert first <= {node.parents[slip.position] for node in there}
    elif mistake.name == "passed on before it is complete":
        assert first <= {parent for node in there for parent in node.parents}
    else:
        assert first <= there


@EACH
def test_a_mistake_over_floats_lies_in_its_own_budget(graph: Node, mistake: GraphMistake) -> None:
    feed = CASES[graph][1].feed  # of two samples
    allowed = mistake.backward(forward_graph(graph, feed, ball("binary64")))
    found = mistake.backward(forward_graph(graph, feed))
    for node in topological_order(graph):
        if node.trained:
            assert all(share(x, b) <= 1 for x, b in zip(entries(found[node]), entries(allowed[node]), strict=True))


@EACH
def test_a_mistake_says_what_a_teacher_says(graph: Node, mistake: GraphMistake) -> None:
    assert mistake.sentence.endswith(".") and not re.search(r"[{}]|  ", mistake.sentence)
    assert mistake.family in (STATE, DERIVATIVE, OPERANDS, BIASES, LOSS)
    assert "̄" in mistake.line or "∂" in mistake.line


def test_every_slip_is_made_somewhere() -> None:
    assert {slip.name for slip in SLIPS} <= {mistake.name for _, mistake in EVERY}


@given(recipes(most=12))
def test_every_mistake_can_be_made_on_every_graph(recipe: Recipe) -> None:
    graph, inputs = recipe.built()
    values = forward_graph(graph, recipe.feed(inputs))
    for mistake in mistakes(graph):
        found = mistake.backward(values)
        assert entries(found[graph]) == [1.0]
        assert all(dimensions(found[x]) == dimensions(values[x]) for x in values if x in found)


# Uses.


def gradient(graph: Node, name: str, leaf: Node, feed: Any) -> list[list[float]]:
    """What the mistakes of that name make of a gradient, in the order in which they come."""
    values = forward_graph(graph, feed)
    return [entries(found.backward(values)[leaf]) for found in mistakes(graph) if found.name == name]


OVERWRITTEN, LEFT_OUT, EARLY = (
    "overwritten instead of accumulated",
    "one use is not counted",
    "passed on before it is complete",
)


def test_of_several_uses_one_counts_where_the_gradient_is_overwritten() -> None:
    p, q = Input("p"), Input("q")
    product = Multiply(p, q)
    graph = Add(product, Multiply(p, 10.0))
    found = gradient(graph, OVERWRITTEN, p, {p: 3.0, q: 5.0})
    assert sorted(found) == [[5.0], [10.0]]  # in place of 15
    assert gradient(graph, OVERWRITTEN, q, {p: 3.0, q: 5.0}) == [[3.0], [3.0]]


def test_of_three_uses_each_is_left_out_in_turn() -> None:
    p = Input("p")
    graph = Add(Add(Multiply(p, 1.0), Multiply(p, 10.0)), Multiply(p, 100.0))
    assert sorted(gradient(graph, LEFT_OUT, p, {p: 3.0})) == [[11.0], [101.0], [110.0]]
    assert gradient(Add(Multiply(p, 1.0), Multiply(p, 10.0)), LEFT_OUT, p, {p: 3.0}) == []  # that is overwriting


def test_depth_first_a_node_passes_on_what_it_has_every_time() -> None:
    p = Input("p")
    square = Multiply(p, 2.0)
    graph = Add(Multiply(square, 1.0), Multiply(square, 10.0))
    for found, first in zip(gradient(graph, EARLY, p, {p: 3.0}), (1.0, 10.0), strict=True):
        assert found == [2.0 * first + 2.0 * (1.0 + 10.0)]  # in place of 22


def test_what_is_used_once_has_no_mistake_of_accumulation() -> None:
    p = Parameter("p", ())
    assert [mistake.name for mistake in mistakes(Multiply(p, 2.0))] == []
    assert [mistake.name for mistake in mistakes(p)] == []
    assert {mistake.family for mistake in mistakes(Tanh(p))} == {DERIVATIVE}


def test_what_no_parameter_depends_on_is_no_place_for_a_mistake() -> None:
    x = Tanh(Input("x"), name="X1")
    graph = Add(Multiply(x, x), Tanh(Parameter("p", ()), name="P1"))
    assert all("X1" not in mistake.sentence for mistake in mistakes(graph))
    assert any("P1" in mistake.sentence for mistake in mistakes(graph))


def test_a_graph_with_too_many_paths_is_not_walked_along_all_of_them() -> None:
    node: Node = Tanh(Parameter("p", ()))
    for _ in range(12):
        node = Add(node, node)
    assert EARLY not in {mistake.name for mistake in mistakes(node)}


def test_everywhere_at_once_comes_first() -> None:
    first, *others = (named(GRAPHS["two skip connections"], mistake.sentence) for mistake in of(OVERWRITTEN))
    assert all(nodes <= first for nodes in others) and any(nodes < first for nodes in others)
    first, *others = (named(GRAPHS["two skip connections"], mistake.sentence) for mistake in of(SLIPS[0].name))
    assert {node.name for node in first} == {"H0", "T1", "T2"}
    assert [{node.name for node in nodes} for nodes in others] == [{"H0"}, {"T1"}, {"T2"}]


def of(name: str) -> Sequence[GraphMistake]:
    return [mistake for mistake in mistakes(GRAPHS["two skip connections"]) if mistake.name == name]


# Products.


def test_a_derivative_is_left_out_or_taken_at_the_output() -> None:
    p = Input("p")
    assert gradient(Tanh(p), "activation derivative missing", p, {p: 0.5}) == [[1.0]]
    assert_close(gradient(Tanh(p), "squashed twice", p, {p: 0.5})[0], [1 - tanh(tanh(0.5)) ** 2])


def test_what_comes_back_is_left_out_where_it_is_not_1() -> None:
    p = Input("p")
    name = "what comes back is left out"
    assert_close(gradient(Multiply(Tanh(p), 5.0), name, p, {p: 0.5})[0], [1 - tanh(0.5) ** 2])
    assert gradient(Sum(Add(Tanh(p), 1.0)), name, p, {p: 0.5}) == []


def test_the_formula_for_the_output_is_given_the_input() -> None:
    p = Input("p")
    name = "formula for the output given the input"
    assert gradient(Tanh(p), name, p, {p: 0.5}) == [[0.75]]
    assert gradient(Sigmoid(p), name, p, {p: 0.5}) == [[0.25]]


def test_softmax_with_a_diagonal_jacobian() -> None:
    z = Input("z")
    graph = Sum(Multiply(Softmax(z), [1.0, 2.0, 3.0]))
    (found,) = gradient(graph, "softmax Jacobian taken as diagonal", z, {z: [0.0, 0.0, 0.0]})
    assert_close(found, [g * 2 / 9 for g in (1.0, 2.0, 3.0)])


LINEAR = Linear(x := Input("x", (None, 2)), w := Input("W", (2, 2)), b := Input("b", (2,)))
FEED = {x: [[1.0, 2.0], [3.0, 4.0]], w: [[1.0, 2.0], [3.0, 5.0]], b: [0.0, 0.0]}
WEIGHTED = Sum(Multiply(LINEAR, [[1.0, 10.0], [100.0, 1000.0]]))  # z̄


def test_weights_are_transposed_on_the_way_down_where_they_are_square() -> None:
    assert entries(backward_graph(WEIGHTED, FEED)[x]) == [31.0, 52.0, 3100.0, 5200.0]
    assert gradient(WEIGHTED, "weights transposed", x, FEED) == [[21.0, 53.0, 2100.0, 5300.0]]
    oblong = Sum(Linear(Input("x", (None, 2)), Input("W", (3, 2))))
    assert "weights transposed" not in {mistake.name for mistake in mistakes(oblong)}


def test_the_gradient_of_square_weights_is_transposed() -> None:
    assert entries(backward_graph(WEIGHTED, FEED)[w]) == [301.0, 402.0, 3010.0, 4020.0]
    assert gradient(WEIGHTED, "weight gradient transposed", w, FEED) == [[301.0, 3010.0, 402.0, 4020.0]]


def test_biases_are_averaged_or_those_of_the_last_sample() -> None:
    assert entries(backward_graph(WEIGHTED, FEED)[b]) == [101.0, 1010.0]
    assert gradient(WEIGHTED, "bias gradient averaged", b, FEED) == [[50.5, 505.0]]
    assert gradient(WEIGHTED, "bias gradient of one sample", b, FEED) == [[100.0, 1000.0]]
    assert gradient(WEIGHTED, "bias gradient of one sample", w, FEED) == [entries(backward_graph(WEIGHTED, FEED)[w])]


def test_every_output_meets_every_target() -> None:
    y, p = Input("y", (None, 1)), Input("p", (None, 1))
    feed = {y: [[1.0], [2.0], [6.0]], p: [[0.0], [1.0], [4.0]]}
    summed, mean = gradient(SSE(y, p), "(n,) minus (n, 1)", p, feed)
    assert_close(summed, [2 * sum(a - t for t in (1.0, 2.0, 6.0)) for a in (0.0, 1.0, 4.0)])
    assert_close(mean, [g / 3 for g in summed])


def test_a_node_that_is_used_twice_keeps_its_other_use() -> None:
    p = Input("p")
    graph = Add(Multiply(Tanh(p), 3.0), Multiply(p, 7.0))
    assert_close(gradient(graph, "activation derivative missing", p, {p: 0.5})[0], [3.0 + 7.0])
