"""Whole graphs: laws of random ones, accumulation, depth, and errors that name nodes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from purebp import FLOAT, PurebpError
from purebp.graph import (
    MSE,
    Add,
    Concatenate,
    Divide,
    Exp,
    Input,
    Linear,
    MatMul,
    Multiply,
    Node,
    Operation,
    Reshape,
    Softmax,
    Subtract,
    Sum,
    Tanh,
    backward_graph,
    forward_graph,
    topological_order,
)
from purebp.graphs.engine import accumulated, labels, uses_of
from purebp.graphs.tensors import entries, entrywise
from purebp.number_systems.ball import ball
from purebp.number_systems.rational import FRACTION
from purebp.oracle.evidence import share
from tests import graph_laws as graphs
from tests.graph_laws import Recipe, recipes
from tests.laws import assert_close


@given(recipes(graphs.RATIONAL), st.data())
def test_over_fractions_the_gradient_is_that_of_dual_numbers_exactly(recipe: Recipe, data: st.DataObject) -> None:
    cost, inputs = recipe.built()
    feed = recipe.feed(inputs)
    directions = {x: entrywise(lambda _: data.draw(st.integers(-3, 3)) / 4, value) for x, value in feed.items()}
    assume(graphs.away_from_kinks(forward_graph(cost, feed)))
    expected = graphs.directional(cost, feed, directions, FRACTION)
    assert graphs.along(backward_graph(cost, feed, FRACTION), directions) == expected


@given(recipes())
def test_over_floats_the_gradient_is_that_of_dual_numbers(recipe: Recipe) -> None:
    cost, inputs = recipe.built()
    feed = recipe.feed(inputs)
    gradients = backward_graph(cost, feed)
    assume(graphs.away_from_kinks(gradients.values))
    for x in feed:
        assert_close(entries(gradients[x]), graphs.slopes(cost, feed, x), 1e-9)


@given(recipes())
def test_every_gradient_and_value_lies_in_its_budget(recipe: Recipe) -> None:
    """At kinks too, where the budget holds both sides."""
    cost, inputs = recipe.built()
    found, allowed = (backward_graph(cost, recipe.feed(inputs), arithmetic) for arithmetic in (FLOAT, ball("binary64")))
    for node in found:
        assert all(share(g, b) <= 1 for g, b in zip(entries(found[node]), entries(allowed[node])))
        assert all(share(x, b) <= 1 for x, b in zip(entries(found.values[node]), entries(allowed.values[node])))


@given(recipes())
def test_the_order_of_construction_changes_nothing(recipe: Recipe) -> None:
    (cost, inputs), (other, other_inputs) = recipe.built(), recipe.built(backwards=True)
    one, two = backward_graph(cost, recipe.feed(inputs)), backward_graph(other, recipe.feed(other_inputs))
    assert list(labels(tuple(one)).values()) == list(labels(tuple(two)).values())
    assert [one[node] for node in one] == [two[node] for node in two]


@given(
    st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=2, max_size=9).flatmap(
        lambda numbers: st.tuples(st.just(numbers), st.permutations(numbers))
    )
)
def test_several_uses_may_be_added_in_any_order(given: tuple[list[float], list[float]]) -> None:
    """x is used once per number c, in c x: its gradient is their sum."""
    numbers, shuffled = given
    x = Input("x")
    cost = Multiply(numbers[0], x)
    for number in numbers[1:]:
        cost = Add(cost, Multiply(number, x))
    allowed = backward_graph(cost, {x: 1.0}, ball("binary64"))[x]
    added = 0.0
    for number in shuffled:
        added += number
    assert share(added, allowed) <= 1


@pytest.mark.parametrize("kept", [slice(1), slice(-1, None)], ids=["the first use", "the last use"])
def test_a_pass_that_overwrites_is_rejected_by_dual_numbers(kept: slice) -> None:
    @given(recipes())
    @settings(phases=[Phase.generate])
    def overwritten(recipe: Recipe) -> None:
        cost, inputs = recipe.built()
        feed = recipe.feed(inputs)
        values = forward_graph(cost, feed)
        assume(graphs.away_from_kinks(values))
        gradients = accumulated(values, {node: uses[kept] for node, uses in uses_of(values).items()})
        for x in feed:
            assert_close(entries(gradients[x]), graphs.slopes(cost, feed, x), 1e-9)

    with pytest.raises(AssertionError):
        overwritten()


@given(recipes())
def test_the_drawn_graphs_are_what_they_are_meant_to_be(recipe: Recipe) -> None:
    cost, inputs = recipe.built()
    order = topological_order(cost)
    assert len(order) <= 30 and set(inputs) <= set(order)


def test_what_is_computed_is_not_fed() -> None:
    x = Input("x")
    s = Add(x, 1.0, name="s")
    for feed in ({"x": 1.0, "s": 100.0}, {x: 1.0, s: 100.0}):
        with pytest.raises(PurebpError, match="s is computed by the graph"):
            forward_graph(s * s, feed)
    with pytest.raises(PurebpError, match="x is fed twice"):
        forward_graph(s, {x: 1.0, "x": 5.0})
    assert forward_graph(s, {x: 1.0, "of a larger graph": 2.0})[s] == 2.0


def test_a_node_used_twice_accumulates() -> None:
    x = Input("x")
    assert backward_graph(x + x, {x: 1.0})[x] == 2.0
    assert backward_graph(Multiply(x, x), {x: 3.0})[x] == 6.0
    assert backward_graph(Sum(Concatenate(x, x, x)), {x: [1.0, 2.0]})[x] == [3.0, 3.0]


def test_ten_thousand_nodes_are_no_deeper_than_ten() -> None:
    x = Input("x", ())
    y: Node = x
    for _ in range(10_000):
        y = Add(y, 0.5)
    gradients = backward_graph(y, {x: 1.0})
    assert (gradients.values[y], gradients[x], len(gradients)) == (5001.0, 1.0, 20_001)
    assert repr(y) == "Add(Add, Constant)"
    assert len({y, x, y}) == 2
    with pytest.raises(PurebpError, match="cannot be pickled"):
        import pickle

        pickle.dumps(y)
    del gradients, y


def test_many_paths_are_walked_once() -> None:
    """Sixty doublings have 2⁶⁰ paths from the cost to x."""
    x = Input("x")
    y: Node = x
    for _ in range(60):
        y = y + y
    assert backward_graph(y, {x: 1.0})[x] == 2.0**60


def in_a_circle() -> Node:
    x = Input("x")
    inner = Add(x, x, name="inner")
    outer = Tanh(inner, name="outer")
    object.__setattr__(inner, "parents", (x, outer))
    return outer


X, Y, A = Input("x", (None, 3)), Input("y", (3,)), Input("a")


@pytest.mark.parametrize(
    ("node", "feed", "words"),
    [
        (in_a_circle(), {"x": 1.0}, ["cycle", "outer", "inner"]),
        (Add(X, A, name="s"), {"x": [[1, 2, 3]]}, ["no value for a", "'x'"]),
        (Add(X, Y), {}, ["no value for x, y", "nothing"]),
        (X, {"x": [[1, 2]]}, ["x is declared (None, 3)", "(1, 2)"]),
        (X, {"x": 1.0}, ["x is declared (None, 3)", "()"]),
        (X, {"x": [[1, 2], [3]]}, ["x are ragged"]),
        (X, {"x": "text"}, ["x is 'text'"]),
        (X, [1.0], ["the feed is [1.0]"]),
        (Add(X, A), {"x": [[1, 2, 3]], "a": [[1, 2]]}, ["Add#3 of x (1, 3) and a (1, 2)", "equal"]),
        (Subtract(A, Y), {"a": [[1], [2], [3]], "y": [1, 2, 3]}, ["Subtract#3", "3 × 3", "Reshape"]),
        (Linear(X, A, name="z"), {"x": [[1, 2, 3]], "a": [[1, 2]]}, ["z of x (1, 3) and a (1, 2)", "n_out × n_in"]),
        (Linear(X, [[1, 2, 3]], [1, 2]), {"x": [[1, 2, 3]]}, ["Linear#4", "one bias for each row"]),
        (MatMul(X, X), {"x": [[1, 2, 3]]}, ["MatMul#2", "n × k and k × m"]),
        (Reshape(X, (2, -1)), {"x": [[1, 2, 3]]}, ["Reshape(2, -1)#2", "3 numbers"]),
        (Concatenate(X, A), {"x": [[1, 2, 3]], "a": [1]}, ["Concatenate(axis=-1)#3", "but for that axis"]),
        (Sum(Y, axis=1), {"y": [1, 2, 3]}, ["Sum(axis=1)#2", "no axis 1"]),
        (Softmax(A), {"a": 1.0}, ["Softmax#2 of a ()", "a vector or a matrix"]),
        (MSE(Y, A), {"y": [1, 2, 3], "a": [[1, 2]]}, ["MSE#3 of y (3,) and a (1, 2)", "(n,) and an (n, 1)", "n × n"]),
        (1 / A, {"a": 0.0}, ["Divide#3", "division by zero"]),
        (Exp(A), {"a": 1000.0}, ["Exp#2"]),
        (Add(Input("x"), Input("x")), {"x": 1.0}, ["'x' is the name of several"]),
        ("x", {}, ["'x' is no node"]),
    ],
)
def test_an_error_names_the_nodes(node: Any, feed: Any, words: list[str]) -> None:
    with pytest.raises(PurebpError) as caught:
        forward_graph(node, feed)
    for word in words:
        assert word in str(caught.value)


def test_a_cost_must_be_a_number() -> None:
    with pytest.raises(PurebpError, match=r"Tanh#2 is \(3,\): the cost must be one number"):
        backward_graph(Tanh(Y), {Y: [1, 2, 3]})


def test_what_is_not_in_the_graph_has_no_value_and_no_gradient() -> None:
    gradients = backward_graph(Sum(Y), {Y: [1, 2, 3]})
    for key in (A, "a", "Sum#3"):
        with pytest.raises(PurebpError, match="does not have it"):
            gradients[key]
    assert (gradients["y"], gradients["Sum#2"], gradients.values["Sum#2"]) == ([1.0, 1.0, 1.0], 1.0, 6.0)


def test_every_operation_is_computed_once_forwards_and_once_backwards() -> None:
    """Counted, not clocked (studies/benchmarks/graph.py does that)."""
    for n in (10, 10_000):
        calls = [0]

        def counted(arithmetic: Any, x: Any, *given: Any, calls: list[int] = calls) -> Any:
            calls[0] += 1
            return x

        step = Operation("Step", lambda x: x, counted, (counted,))
        x = Input("x")
        y: Node = x
        for _ in range(n):
            y = step(y)
        backward_graph(y, {x: 1.0})[x]
        assert calls == [2 * n]


def test_what_cannot_be_computed_says_of_what() -> None:
    x = Input("x")
    with pytest.raises(PurebpError, match=r"q cannot be computed of Constant#1 = 1.0 and x = 0.0: .*division by zero"):
        forward_graph(Divide(1.0, x, name="q"), {x: 0.0})
