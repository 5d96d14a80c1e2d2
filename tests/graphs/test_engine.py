"""Graphs: laws of every operation and of random graphs, published numbers, planted mistakes, errors that name nodes."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from purebp import FLOAT, Batch, Loss, Network, PurebpError, backpropagation, evaluate, sgd_step
from purebp.graphs.engine import (
    MSE,
    Add,
    Concatenate,
    Constant,
    Cost,
    CrossEntropy,
    Divide,
    Exp,
    Input,
    Linear,
    MatMul,
    Multiply,
    Node,
    Operation,
    Parameter,
    ReLU,
    Reshape,
    Sigmoid,
    SigmoidBinaryCrossEntropy,
    Softmax,
    SoftmaxCrossEntropy,
    Subtract,
    Sum,
    Tanh,
    Transpose,
    accumulated,
    backward_graph,
    forward_graph,
    labels,
    to_feed,
    to_graph,
    topological_order,
    uses_of,
)
from purebp.graphs.operations import OPERATIONS
from purebp.graphs.tensors import dimensions, entries, entrywise
from purebp.number_systems.ball import ball
from purebp.number_systems.rational import FRACTION
from purebp.oracle.evidence import share
from purebp.textbook.losses import REDUCTIONS
from tests import graph_laws as graphs
from tests.graph_laws import SLIPS, Recipe, recipes
from tests.laws import assert_close
from tests.strategies import Case, cases

RATIONAL = ["identity", "relu", "leaky_relu(0.25)"]


# Every operation.


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
    wrong = graphs.with_product(OPERATIONS[0], 0, lambda on, g, z, x, y: [g])
    with pytest.raises(AssertionError):
        graphs.has_the_shapes_of_the_parents(wrong)


def test_a_value_outside_the_model_leaves_its_budget() -> None:
    coarse = graphs.with_product(
        OPERATIONS[3],
        0,
        lambda on, g, z, x, y: entrywise(lambda gi, yi: round(gi * yi, 8) if isinstance(gi, float) else gi * yi, g, y),
    )
    with pytest.raises(AssertionError):
        graphs.lies_within_its_budget(coarse)


CUBE = Operation(
    "Cube",
    shape=lambda x: x,
    value=lambda on, x: entrywise(lambda xi: xi * xi * xi, x),
    products=(lambda on, gradient, value, x: entrywise(lambda g, xi: 3 * xi * xi * g, gradient, x),),
)


@pytest.mark.parametrize("law", graphs.LAWS, ids=lambda law: law.__name__)
def test_an_operation_from_outside_needs_nothing_but_itself(law: graphs.Law) -> None:
    law(CUBE)
    x = Input("x")
    assert backward_graph(Sum(CUBE(x)), {"x": [1.0, 2.0]})["x"] == [3.0, 12.0]
    assert backward_graph(CUBE(x), {"x": Fraction(1, 3)}, FRACTION)[x] == Fraction(1, 3)


# Whole graphs.


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
    found, allowed = (backward_graph(cost, recipe.feed(inputs), on) for on in (FLOAT, ball("binary64")))
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


# The graph and the layers.


def of_graph(network: Network, batch: Batch, loss: Loss, arithmetic: Any = FLOAT) -> tuple[Any, list[Any]]:
    """The loss and the gradients, in the order of network.parameters()."""
    cost = to_graph(network, loss)
    gradients = backward_graph(cost, to_feed(network, batch), arithmetic)
    return gradients.values[cost], [x for name in to_feed(network) for x in entries(gradients[name])]


@given(cases(activations=RATIONAL, losses_from=["mse", "half_sse", "mae", "huber(0.5)"]))
def test_over_fractions_graph_and_layers_agree_bit_by_bit(case: Case) -> None:
    loss, gradients = of_graph(*case, FRACTION)
    assert loss == evaluate(*case, FRACTION)
    assert gradients == backpropagation(*case, FRACTION).parameters()


@given(cases())
def test_over_floats_graph_and_layers_lie_within_each_others_budgets(case: Case) -> None:
    (loss, gradients), layers = of_graph(*case), backpropagation(*case).parameters()
    budget, allowed = of_graph(*case, ball("binary64"))
    other = backpropagation(*case, ball("binary64")).parameters()
    assert share(evaluate(*case), budget) <= 1
    assert share(loss, evaluate(*case, ball("binary64"))) <= 1
    assert len(gradients) == len(layers)
    assert all(share(g, b) <= 1 for g, b in zip(gradients, other))
    assert all(share(g, b) <= 1 for g, b in zip(layers, allowed))


@pytest.mark.parametrize("base", ["binary_cross_entropy", "cross_entropy"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_fused_and_plain_cost_agree_by_targets_and_outputs(base: str, reduction: str) -> None:
    """∂/∂z of the fused form is that through the activation, and ∂/∂y is the same."""
    y, z = Input("y"), Input("z")
    feed = {y: [[0.25, 0.75, 0.5], [1.0, 0.0, 0.125]], z: [[0.5, -1.0, 0.25], [2.0, 0.0, -0.5]]}
    activation, after = (Sigmoid, "sigmoid") if base[0] == "b" else (Softmax, "softmax")
    plain = backward_graph(Cost(y, activation(z), f"{base}/{reduction}"), feed)
    fused = backward_graph(Cost(y, z, f"{base}/{reduction}", after=after), feed)
    for x in (y, z):
        assert_close(entries(plain[x]), entries(fused[x]))


def test_the_fused_costs_do_not_overflow() -> None:
    y, z = Input("y"), Input("z")
    for cost in (SigmoidBinaryCrossEntropy(y, z), SoftmaxCrossEntropy(y, z)):
        gradients = backward_graph(cost, {y: [0.0, 1.0], z: [1000.0, -1000.0]})
        assert gradients.values[cost] in (1000.0, 2000.0)
        assert gradients[z] in ([0.5, -0.5], [1.0, -1.0])


def test_a_step_on_parameters_is_that_on_the_network() -> None:
    network, batch = Network.random([2, 3, 1], "tanh", seed=1), Batch([[0.5, -1.0]], [[1.0]])
    parameters = to_feed(network)
    gradients = backward_graph(to_graph(network), to_feed(network, batch))
    stepped = sgd_step(parameters, gradients, 0.5)
    expected = to_feed(sgd_step(network, backpropagation(network, batch), 0.5))
    assert {name: entries(value) for name, value in stepped.items()} == {
        name: [x for row in ((value,) if isinstance(value[0], float) else value) for x in row]
        for name, value in expected.items()
    }
    with pytest.raises(PurebpError, match="learning rate"):
        sgd_step(parameters, gradients, math.nan)


# Published numbers.


def test_the_readme_of_micrograd() -> None:
    """github.com/karpathy/micrograd, README, "Example usage"."""
    a, b = Input("a"), Input("b")
    c = a + b
    d = a * b + b * b * b
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = d + (d * 2 + ReLU(b + a))
    d = d + (3 * d + ReLU(b - a))
    e = c - d
    f = e * e
    g = f / 2.0
    g = g + 10.0 / f
    gradients = backward_graph(g, {a: -4.0, b: 2.0})
    assert gradients.values[g] == pytest.approx(24.70408163265306, rel=1e-15)
    assert gradients[a] == pytest.approx(138.83381924198252, rel=1e-15)
    assert gradients[b] == pytest.approx(645.5772594752186, rel=1e-15)


def test_the_neuron_of_the_lecture_on_micrograd() -> None:
    """Karpathy, "The spelled-out intro to neural networks and backpropagation", 2022: tanh, then tanh by exp."""
    x1, x2, w1, w2, b = (Input(name) for name in ("x1", "x2", "w1", "w2", "b"))
    n = x1 * w1 + x2 * w2 + b
    e = Exp(2 * n)
    feed = {x1: 2.0, x2: 0.0, w1: -3.0, w2: 1.0, b: 6.8813735870195432}
    for output in (Tanh(n), (e - 1) / (e + 1)):
        gradients = backward_graph(output, feed)
        found = [gradients.values[output], *(gradients[node] for node in (x1, w1, x2, w2))]
        assert found == pytest.approx([0.7071067811865476, -1.5, 1.0, 0.5, 0.0], abs=1e-15)


def test_the_examples_of_miniflow() -> None:
    """Udacity, Deep Learning Foundation, "MiniFlow": Linear, Sigmoid, MSE, gradients; what is W there is Wᵀ here."""
    x, W, b, y = Input("x"), Parameter("W"), Parameter("b"), Input("y")
    z = Linear(x, W, b)
    feed = {x: [[-1.0, -2.0], [-1.0, -2.0]], W: [[2.0, 2.0], [-3.0, -3.0]], b: [-3.0, -5.0]}
    assert forward_graph(z, feed)[z] == [[-9.0, 4.0], [-9.0, 4.0]]
    assert forward_graph(Sigmoid(z, name="a"), feed)["a"][0] == pytest.approx([1.23394576e-04, 9.82013790e-01])
    a = Input("a")
    cost = MSE(y, a)
    assert forward_graph(cost, {y: [1, 2, 3], a: [4.5, 5, 10]})[cost] == pytest.approx(23.4166666667)
    cost = MSE(y, Sigmoid(z))
    gradients = backward_graph(cost, {x: feed[x], W: [[2, 3]], b: [-3], y: [1, 2]})
    expected = [[-3.34017280e-05, -5.01025919e-05], [-6.68040138e-05, -1.00206021e-04]]
    assert entries(gradients[x]) == pytest.approx(entries(expected))
    assert gradients[y] == pytest.approx([0.9999833, 1.9999833])
    assert gradients[W][0] == pytest.approx([5.01028709e-05, 1.00205742e-04])
    assert gradients[b] == pytest.approx([-5.01028709e-05])


def test_the_circuits_of_cs231n() -> None:
    """Stanford CS231n, "Backpropagation, Intuitions": f = (x + y) z, and a neuron of two inputs."""
    x, y, z = Input("x"), Input("y"), Input("z")
    f = (x + y) * z
    gradients = backward_graph(f, {x: -2, y: 5, z: -4})
    assert [gradients.values[f], gradients[x], gradients[y], gradients[z]] == [-12.0, -4.0, -4.0, 3.0]
    w, v = Input("w"), Constant([-1.0, -2.0, 1.0])
    gradients = backward_graph(1 / (1 + Exp(-Sum(w * v))), {w: [2.0, -3.0, -3.0]})
    assert [round(g, 2) for g in gradients[w]] == [-0.2, -0.39, 0.2]
    assert [round(g, 2) for g in gradients[v]] == [0.39, -0.59, -0.59]


def test_weights_of_miniflow_are_transposed() -> None:
    x, W, b = Input("x"), Parameter("W"), Parameter("b")
    feed = {x: [[-1.0, -2.0], [-1.0, -2.0]], W: [[2.0, -3.0], [2.0, -3.0]], b: [-3.0, -5.0]}
    for z in (Linear(x, Transpose(W), b), x @ W + [[-3.0, -5.0]] * 2):
        assert forward_graph(z, feed)[z] == [[-9.0, 4.0], [-9.0, 4.0]]
    with pytest.raises(PurebpError, match="n_in × n_out, Transpose them"):
        forward_graph(Linear(x, W, b), feed | {W: [[2.0], [3.0]], b: [-3.0]})
    with pytest.raises(PurebpError, match="Biases are added to every row by Linear"):
        forward_graph(x @ W + b, feed)


@pytest.mark.parametrize(
    ("weights", "biases"),
    [([[1.0, 2.0]], 3.0), ([[1.0, 2.0]], [3.0]), ([[1.0, 2.0]], [[3.0]]), ([1.0, 2.0], 3.0), ([1.0, 2.0], [3.0])]
    + [([[1.0, 2.0], [0.0, 1.0]], [3.0, 4.0]), ([[1.0, 2.0], [0.0, 1.0]], [[3.0, 4.0]])],
)
def test_biases_are_a_vector_or_a_row_or_a_number(weights: Any, biases: Any) -> None:
    x, W, b = Input("x"), Parameter("W"), Parameter("b")
    gradients = backward_graph(Sum(Linear(x, W, b)), {x: [[1.0, 1.0], [2.0, 1.0]], W: weights, b: biases})
    assert dimensions(gradients[b]) == dimensions(biases) and set(entries(gradients[b])) == {2.0}
    first = gradients.values["Linear#4"][0]
    assert (first[0] if isinstance(first, list) else first) == 6.0


def test_a_matrix_may_stand_on_the_left() -> None:
    x = Input("x")
    product = [[1.0, 2.0]] @ x
    assert forward_graph(product, {x: [[3.0], [4.0]]})[product] == [[11.0]]


def test_a_cross_entropy_is_told_what_a_sample_is() -> None:
    y, z = Input("y"), Input("z")
    for cost in (SoftmaxCrossEntropy(y, z), CrossEntropy(y, Softmax(z)), Cost(y, z, "half_sse/samples")):
        row = forward_graph(cost, {y: [[0.0, 1.0, 0.0]], z: [0.5, 1.1, 1.7]})[cost]
        assert row == forward_graph(cost, {y: [0.0, 1.0, 0.0], z: [0.5, 1.1, 1.7]})[cost] > 0
        for feed in ({y: [[0.0], [1.0], [0.0]], z: [0.5, 1.1, 1.7]}, {y: [0.0, 1.0, 0.0], z: [[0.5], [1.1], [1.7]]}):
            with pytest.raises(PurebpError, match="depends on what a sample is"):
                forward_graph(cost, feed)


def test_what_is_computed_is_not_fed() -> None:
    x = Input("x")
    s = Add(x, 1.0, name="s")
    for feed in ({"x": 1.0, "s": 100.0}, {x: 1.0, s: 100.0}):
        with pytest.raises(PurebpError, match="s is computed by the graph"):
            forward_graph(s * s, feed)
    with pytest.raises(PurebpError, match="x is fed twice"):
        forward_graph(s, {x: 1.0, "x": 5.0})
    assert forward_graph(s, {x: 1.0, "of a larger graph": 2.0})[s] == 2.0


# Form, depth, errors.


def test_a_node_used_twice_accumulates() -> None:
    x = Input("x")
    assert backward_graph(x + x, {x: 1.0})[x] == 2.0
    assert backward_graph(Multiply(x, x), {x: 3.0})[x] == 6.0
    assert backward_graph(Sum(Concatenate(x, x, x)), {x: [1.0, 2.0]})[x] == [3.0, 3.0]


def test_add_and_multiply_take_any_number_of_nodes() -> None:
    """Udacity's MiniFlow has Add(x, y, z)."""
    x, y, z = Input("x"), Input("y"), Input("z")
    feed = {x: 4.0, y: 5.0, z: 10.0}
    assert forward_graph(Add(x, y, z, name="f"), feed)["f"] == 19.0
    assert backward_graph(Multiply(x, y, z), feed)[y] == 40.0


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


def test_a_feed_may_hold_more_and_inputs_may_be_tuples_or_arrays() -> None:
    x, W = Input("x"), Parameter("W")

    class Array:
        def tolist(self) -> list[float]:
            return [1.0, 2.0]

    z = Sum(Linear(x, W))
    assert forward_graph(z, {"x": Array(), "W": ((1, 2), (3, 4)), "elsewhere": 1.0})[z] == 16.0


def test_what_is_fed_is_not_what_is_returned() -> None:
    x = Input("x")
    given = [1.0, 2.0]
    values = forward_graph(Sum(x), {x: given})
    values[x].append(3.0)
    assert given == [1.0, 2.0]


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


def test_an_operation_says_of_how_many_nodes_it_is() -> None:
    with pytest.raises(PurebpError, match="Subtract is of 2 nodes, and was given 3"):
        Subtract(X, Y, A)
    with pytest.raises(PurebpError, match="one node at least"):
        Concatenate()
    with pytest.raises(PurebpError, match="at most two dimensions"):
        Reshape(X, (1, 1, 3))


def test_what_is_not_in_the_graph_has_no_value_and_no_gradient() -> None:
    gradients = backward_graph(Sum(Y), {Y: [1, 2, 3]})
    for key in (A, "a", "Sum#3"):
        with pytest.raises(PurebpError, match="does not have it"):
            gradients[key]
    assert (gradients["y"], gradients["Sum#2"], gradients.values["Sum#2"]) == ([1.0, 1.0, 1.0], 1.0, 6.0)


def test_the_targets_of_a_loss_of_ones_own_have_no_gradient() -> None:
    own = Loss("own", "sum", lambda p, t, on: p * t * t, lambda p, t, on: t * t)
    gradients = backward_graph(Cost(Y, A, own), {Y: [1, 2, 3], A: [1, 1, 1]})
    assert gradients[A] == [1.0, 4.0, 9.0]
    with pytest.raises(PurebpError, match="targets is not known"):
        gradients[Y]


def test_a_vector_goes_with_a_column_and_never_becomes_a_square() -> None:
    """(n,) and (n, 1): n pairs, whichever of the two is the vector."""
    for targets, outputs in (([1, 2, 3], [[4], [6], [8]]), ([[1], [2], [3]], [4, 6, 8])):
        gradients = backward_graph(MSE(Y_ := Input("y"), A), {Y_: targets, A: outputs})
        assert gradients.values["MSE#3"] == pytest.approx((9 + 16 + 25) / 3)
        assert entries(gradients[A]) == pytest.approx([2.0, 8 / 3, 10 / 3])
        assert len(gradients[A]) == 3 and isinstance(gradients[A][0], list) == isinstance(outputs[0], list)


def test_every_operation_is_computed_once_forwards_and_once_backwards() -> None:
    """Counted, not clocked (studies/benchmarks/graph.py does that)."""
    for n in (10, 10_000):
        calls = [0]

        def counted(on: Any, x: Any, *given: Any, calls: list[int] = calls) -> Any:
            calls[0] += 1
            return x

        step = Operation("Step", lambda x: x, counted, (counted,))
        x = Input("x")
        y: Node = x
        for _ in range(n):
            y = step(y)
        backward_graph(y, {x: 1.0})[x]
        assert calls == [2 * n]


# What fresh users tried.


def test_losses_take_their_nodes_by_name() -> None:
    y, p = Input("y"), Input("p")
    cost = MSE(targets=y, outputs=p, name="loss")
    assert cost.parents == (y, p) and MSE(y, outputs=p).parents == (y, p)
    misnamed: list[dict[str, Any]] = [{"target": y, "outputs": p}, {"outputs": p}]
    for wrong in misnamed:
        with pytest.raises(PurebpError, match="it takes targets, outputs"):
            MSE(**wrong)


def test_powers_and_products_of_nodes() -> None:
    a, A, B = Input("a"), Input("A"), Input("B")
    assert backward_graph(a**3, {a: 2.0})[a] == 12.0
    assert forward_graph(A @ B, {A: [[1, 2]], B: [[3], [4]]})["MatMul#3"] == [[11.0]]
    for exponent in (0, -1, 0.5):
        with pytest.raises(PurebpError, match="a whole number above 0"):
            a**exponent  # type: ignore[operator]  # what is tried


def test_what_is_returned_is_one_s_own() -> None:
    a, b = Parameter("a", (2,)), Parameter("b", (2,))
    gradients = backward_graph(Sum(a + b), {a: [1.0, 2.0], b: [3.0, 4.0]})
    gradients["a"][0] *= 0.5
    gradients.values["a"][0] = 7.0
    assert (gradients["a"], gradients["b"], gradients.values["a"]) == ([1.0, 1.0], [1.0, 1.0], [1.0, 2.0])
    assert (
        "a" in gradients and a in gradients and "c" not in gradients and repr(gradients).startswith("GraphGradients(a")
    )


def test_a_step_wants_gradients_in_the_shape_of_the_parameters() -> None:
    for value, slope in (([[1.0, 2.0]], [[1.0]]), (1.0, [1.0, 2.0]), ([1.0, 2.0], 1.0)):
        with pytest.raises(PurebpError, match="its gradient .* the shapes must agree"):
            sgd_step({"W": value}, {"W": slope}, 0.1)


@pytest.mark.parametrize("shape", [5, "ab", (-1,), (2.5,), (2, 3, 4), (0,)])
def test_shapes_that_are_none_are_refused_where_they_are_declared(shape: Any) -> None:
    with pytest.raises(PurebpError, match="is declared with the shape"):
        Input("x", shape)
    with pytest.raises(PurebpError, match="its name, a text, comes first"):
        Input(shape if isinstance(shape, tuple) else 5)  # type: ignore[arg-type]  # what is tried


@pytest.mark.parametrize("axis", ["a", (0, 1), 2, None])
def test_an_axis_that_is_none_is_refused(axis: Any) -> None:
    x = Input("x")
    with pytest.raises(PurebpError, match="there is no axis|two nodes|Concatenate"):
        forward_graph(Concatenate(x, x, axis=axis), {x: [[1.0]]})


def test_what_cannot_be_computed_says_of_what() -> None:
    x = Input("x")
    with pytest.raises(PurebpError, match=r"q cannot be computed of Constant#1 = 1.0 and x = 0.0: .*division by zero"):
        forward_graph(Divide(1.0, x, name="q"), {x: 0.0})
