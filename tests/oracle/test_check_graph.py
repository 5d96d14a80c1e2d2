"""The oracle on graphs: right candidates pass, mistakes have their name, and what is off is located."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import exp, inf, tanh
from random import Random
from struct import pack, unpack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT, Loss, PurebpError, backpropagation
from purebp.graph import (
    MSE,
    Add,
    BinaryCrossEntropy,
    Constant,
    Cost,
    CrossEntropy,
    Exp,
    HalfSSE,
    Identity,
    Input,
    LeakyReLU,
    Linear,
    Log,
    Mean,
    Multiply,
    Negative,
    Node,
    Parameter,
    ReLU,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Sum,
    Tanh,
    Transpose,
    backward_graph,
    forward_graph,
    to_feed,
    to_graph,
    topological_order,
)
from purebp.graphs.engine import accumulated, uses_of
from purebp.graphs.tensors import Tensor, entries, entrywise
from purebp.number_systems.ball import ball
from purebp.oracle import Report, certified_gradients, check
from purebp.oracle.conventions import ONE, Convention, Factor
from purebp.oracle.evidence import share
from purebp.oracle.explaining.graph_mistakes import GraphMistake, mistakes
from purebp.oracle.graph_cases import continued, graph_cases, quantities
from purebp.oracle.reports import render
from purebp.textbook.linalg import transpose
from tests.strategies import Case, cases

Feed = Mapping[str, Any]
Candidate = Callable[[Feed], dict[str, Any]]


def residual(width: int = 3, blocks: int = 1) -> Node:
    """h = tanh(x A + a); h = h + tanh(h W + b) for each block; half_sse of a last linear layer."""
    h = Tanh(Linear(Input("x", (None, 2)), Parameter("A", (width, 2)), Parameter("a", (width,)), name="z"), name="h")
    for k in range(1, blocks + 1):
        z = Linear(h, Parameter(f"W{k}", (width, width)), Parameter(f"b{k}", (width,)), name=f"z{k}")
        h = Add(h, Tanh(z, name=f"t{k}"), name=f"h{k}")
    outputs = Linear(h, Parameter("V", (2, width)), name="outputs")
    return HalfSSE(Input("y", (None, 2)), outputs, name="loss")


Rows = list[list[float]]


def dot(a: Rows, b: Rows) -> Rows:
    """A B, in loops."""
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def by_hand(feed: Feed, *, overwrite: bool = False, in_place: bool = False) -> dict[str, Any]:
    """`residual()` with one block, written out, with nothing of this package in it."""

    def affine(a: Rows, w: Rows, b: Sequence[float]) -> Rows:
        return [[z + bj for z, bj in zip(row, b)] for row in dot(a, transpose(w))]

    def through(error: Rows, a: Rows) -> Rows:
        return [[e * (1 - x * x) for e, x in zip(*rows)] for rows in zip(error, a)]

    h = [[tanh(z) for z in row] for row in affine(feed["x"], feed["A"], feed["a"])]
    t = [[tanh(z) for z in row] for row in affine(h, feed["W1"], feed["b1"])]
    h1 = [[x + y for x, y in zip(*rows)] for rows in zip(h, t)]
    outputs = dot(h1, transpose(feed["V"]))
    delta = [[p - y for p, y in zip(*rows)] for rows in zip(outputs, feed["y"])]
    d_h1 = dot(delta, feed["V"])
    d_z1 = through(d_h1, t)
    if in_place:  # += into the buffer of the skip connection, product by product
        d_h = [row[:] for row in d_h1]
        for i, row in enumerate(d_z1):
            for j, d in enumerate(row):
                for k, w in enumerate(feed["W1"][j]):
                    d_h[i][k] += d * w
    else:
        d_h = dot(d_z1, feed["W1"])
        if not overwrite:
            d_h = [[x + y for x, y in zip(*rows)] for rows in zip(d_h, d_h1)]
    d_z = through(d_h, h)
    return {
        "A": dot(transpose(d_z), feed["x"]),
        "a": [sum(column) for column in zip(*d_z)],
        "W1": dot(transpose(d_z1), h),
        "b1": [sum(column) for column in zip(*d_z1)],
        "V": dot(transpose(delta), h1),
    }


def of_engine(graph: Node, mistake: GraphMistake | None = None, factor: float = 1.0) -> Candidate:
    """The backward pass of this package in floats, with a mistake in it."""

    def candidate(feed: Feed) -> dict[str, Any]:
        values = forward_graph(graph, feed)
        gradients = mistake.backward(values) if mistake else accumulated(values, uses_of(values))
        return {n.name: entrywise(lambda g: factor * g, gradients[n]) for n in values if n.trained}

    return candidate


def name_of(report: Report) -> str:
    return report.explanations[0].name if report.explanations else ""


# What is right.


def test_a_right_residual_block_is_correct() -> None:
    report = check(by_hand, graph=residual())
    assert (report.verdict, report.conforms, report.exit_status) == ("correct", True, 0)
    assert [tensor.name for tensor in report.tensors] == [f"∂loss/∂{name}" for name in ("A", "a", "W1", "b1", "V")]
    assert all(tensor.resolution < 1e-12 for tensor in report.tensors)


def test_adding_in_place_product_by_product_is_not_accused() -> None:
    assert check(lambda feed: by_hand(feed, in_place=True), graph=residual()).verdict == "correct"


def test_the_budget_holds_sums_that_are_continued_in_another_buffer() -> None:
    """1 comes back by the skip, and a hundred products of little more than half an ulp are added to it one by one.

    Each is rounded up to an ulp of 1. As sums of their own, which are added when they are whole, they come to half.
    """
    n, little = 100, 2.0**-53 * (1 + 2.0**-10)
    p = Parameter("p", (1, 1))
    graph = Add(Sum(p), Sum(Linear(p, Constant([[little]] * n))), name="loss")

    def continued(feed: Feed) -> dict[str, Any]:
        buffer = 1.0
        for _ in range(n):
            buffer += little
        return {"p": [[buffer]]}

    strict = backward_graph(graph, {p: [[1.0]]}, ball("binary64"))[p][0][0]
    assert share(continued({})["p"][0][0], strict) > 10
    assert check(continued, graph=graph).verdict == "correct"
    assert check(lambda feed: {"p": [[1.0 + n * little]]}, graph=graph).verdict == "correct"
    assert not check(lambda feed: {"p": [[1.0 + 3 * n * little]]}, graph=graph).conforms


def test_a_buffer_may_be_that_of_several_nodes() -> None:
    """Through views: 8.5 is there first, and 0.6 ulps of it are added twenty times, each rounded up to one."""
    W, c = Parameter("W", (1, 2)), 0.6 * 2.0**-49
    node, graph = W, Sum(Multiply(W, Constant([[8.5, 8.5]])))
    for _ in range(20):
        node = Transpose(node)
        graph = graph + Sum(node * c)

    def through_views(feed: Feed) -> dict[str, Any]:
        buffer = 8.5
        for _ in range(20):
            buffer += c
        return {"W": [[buffer, buffer]]}

    strict = backward_graph(graph, {W: [[1.0, 1.0]]}, ball("binary64"))[W][0][0]
    assert share(through_views({})["W"][0][0], strict) > 1
    assert check(through_views, graph=graph).verdict == "correct"
    assert not check(lambda feed: {"W": [[8.5 + 100 * c] * 2]}, graph=graph).conforms


@given(
    st.lists(st.tuples(st.sampled_from([Transpose, Negative, Identity, ReLU]), st.floats(0.5, 0.75)), min_size=8),
    st.randoms(use_true_random=False),
)
def test_terms_may_meet_in_one_buffer_in_any_order(
    links: list[tuple[Callable[[Node], Node], float]], random: Random
) -> None:
    """Little more than half an ulp of 8.5 each, as above, from nodes that pass on their gradient in different ways."""
    p = node = Parameter("p", (1, 1))
    graph, feed, terms, sign = Sum(p * 8.5), {"p": [[1.0]]}, list[float](), 1.0
    for operation, ulps in links:
        sign = -sign if operation is Negative else sign
        if operation is not ReLU or sign > 0:
            node, little = operation(node), ulps * 2.0**-49
            graph, terms = graph + Sum(node * (sign * little)), [*terms, little]
    random.shuffle(terms)
    buffer = 8.5
    for term in terms:
        buffer += term
    assert (
        share(buffer, backward_graph(graph, feed, ball("binary64", extra_terms=continued(graph, feed)))["p"][0][0]) <= 1
    )


def test_many_uses_take_no_longer_than_their_terms() -> None:
    """A vector that is squared and averaged, and a number that is used a thousand times: seconds, not minutes."""
    p, s = Parameter("p", (2000,)), Parameter("s", ())
    total: Node = Constant(0.0)
    for k in range(1000):
        total = total + s * float(k % 7)
    for graph in (Mean(p * p), total):
        names = [n.name for n in topological_order(graph) if n.trained]
        report = check(of_engine(graph), graph=graph)
        assert (report.verdict, [t.name for t in report.tensors]) == ("correct", [f"∂loss/∂{n}" for n in names])
    assert check(of_engine(total, factor=1.001), graph=total).verdict == "wrong"


@given(cases(activations=["tanh", "sigmoid", "softplus"], losses_from=["mse", "half_sse"]))
def test_layers_are_right_for_the_lowered_network(case: Case) -> None:
    def layers(feed: Feed) -> dict[str, Any]:
        pairs = [(feed[f"W{l}"], feed.get(f"b{l}")) for l in range(1, len(case.network.layers) + 1)]
        network = case.network.with_parameters(x for w, b in pairs for row in (*w, b or ()) for x in row)
        batch = type(case.batch)(feed["inputs"], feed["targets"])
        found = backpropagation(network, batch, case.loss).layers
        biases = {f"b{l}": layer.biases for l, layer in enumerate(found, 1) if layer.biases is not None}
        return {f"W{l}": layer.weights for l, layer in enumerate(found, 1)} | biases

    assert check(layers, graph=to_graph(case.network, case.loss)).verdict == "correct"


@pytest.mark.parametrize(
    "graph",
    [
        SoftmaxCrossEntropy(Input("y", (None, 3)), Linear(Input("x", (None, 2)), Parameter("W", (3, 2)))),
        BinaryCrossEntropy(Input("y", (None, 3)), Sigmoid(Linear(Input("x", (None, 2)), Parameter("W", (3, 2))))),
        Sum(Log(Input("x", (4,)))),
        MSE(Input("y", (5,)), Parameter("p", (5,))),
        residual(blocks=3),
    ],
    ids=repr,
)
def test_the_engine_is_right_for_every_kind_of_graph(graph: Node) -> None:
    names = [n.name for n in topological_order(graph) if n.trained] or ["x"]

    def candidate(feed: Feed) -> dict[str, Any]:
        gradients = backward_graph(graph, feed)
        return {name: gradients[name] for name in names} | {"loss": gradients.values[graph]}

    report = check(candidate, graph=graph)
    assert report.verdict == "correct", str(report)
    assert len(report.tensors) == len(names) + 1


# Conventions.


def test_a_turned_sign_is_a_convention_unless_declared() -> None:
    negative = of_engine(residual(), factor=-1.0)
    report = check(negative, graph=residual())
    assert (report.verdict, report.conforms) == ("correct-under-convention", True)
    assert "to be added" in str(report)
    assert check(negative, graph=residual(), returns="descent").verdict == "correct"
    report = check(negative, graph=residual(), returns="gradients")
    assert (report.conforms, name_of(report)) == (False, "sign turned")
    report = check(of_engine(residual()), graph=residual(), returns="descent")
    assert (report.verdict, report.conforms, name_of(report)) == ("correct-under-convention", False, "sign turned")


@pytest.mark.parametrize(("factor", "name"), [(2.0, "factor 2"), (-0.5, "factor ½")])
def test_a_constant_factor_is_recognised(factor: float, name: str) -> None:
    report = check(of_engine(residual(), factor=factor), graph=residual())
    assert (report.verdict, report.conforms, name_of(report)) == ("correct-under-convention", False, name)


def test_a_factor_of_the_samples_is_recognised() -> None:
    def averaged(feed: Feed) -> dict[str, Any]:
        return {name: entrywise(lambda g: g / len(feed["x"]), g) for name, g in by_hand(feed).items()}

    assert name_of(check(averaged, graph=residual())) == "factor 1 / n"
    report = check(
        lambda feed: {name: entrywise(lambda g: g / 2, g) for name, g in averaged(feed).items()}, graph=residual()
    )
    assert name_of(report) == "factor ½ / n"


def test_a_factor_of_the_outputs_is_recognised() -> None:
    graph = HalfSSE(Input("y", (None, 3)), Linear(Input("x", (None, 2)), Parameter("W", (3, 2))))
    assert name_of(check(of_engine(graph, factor=1 / 3), graph=graph)) == "factor 1 / m"


def test_a_step_is_judged_as_one() -> None:
    def step(feed: Feed) -> dict[str, Any]:
        return {name: entrywise(lambda w, g: w - 0.25 * g, feed[name], g) for name, g in by_hand(feed).items()}

    assert check(step, graph=residual(), returns="step", learning_rate=0.25).verdict == "correct"
    report = check(step, graph=residual(), returns="step", learning_rate=0.5)
    assert report.verdict == "wrong" and report.smallest.endswith("\n  learning rate 0.5")
    names = [f"{name} after the step" for name in ("A", "a", "W1", "b1", "V")]
    assert [tensor.name for tensor in report.tensors] == names


# Mistakes.


def test_overwritten_instead_of_accumulated() -> None:
    """The classical mistake for graphs: = instead of +=, so that only the last of the uses counts."""
    report = check(lambda feed: by_hand(feed, overwrite=True), graph=residual())
    assert (report.verdict, name_of(report)) == ("wrong", "overwritten instead of accumulated")
    assert "uses of h " in report.explanations[0].sentence and "+=" in report.explanations[0].sentence
    assert [tensor.name for tensor in report.tensors if tensor.wrong] == ["∂loss/∂A", "∂loss/∂a"]


def test_passed_on_before_it_is_complete() -> None:
    """Backwards by recursion, as one writes it first: every visit passes on all that has come back so far."""

    def recursive(feed: Feed) -> dict[str, Any]:
        values = forward_graph(residual(blocks=2), feed)
        found: dict[Node, Any] = {}

        def visit(node: Node) -> None:
            for parent, product in zip(node.parents, node.operation.products if node.operation else ()):
                part = product(FLOAT, found[node], values[node], *(values[p] for p in node.parents))
                found[parent] = entrywise(lambda x, y: x + y, found[parent], part) if parent in found else part
                visit(parent)

        *_, cost = values
        found[cost] = 1.0
        visit(cost)
        return {node.name: found[node] for node in values if node.trained}

    report = check(recursive, graph=residual(blocks=2))
    assert name_of(report) == "passed on before it is complete"
    assert "reverse topological order" in str(report)


GRAPHS = {
    "residual, two blocks": residual(blocks=2),
    "softmax": Cost(
        Input("y", (None, 3)),
        Softmax(Linear(Input("x", (None, 3)), Parameter("W", (3, 3)), Parameter("b", (3,)))),
        "sse",
    ),
    "three uses": Sum(
        Add(
            Add(Sigmoid(Parameter("p", (3,)), name="s"), node := Tanh(Parameter("q", (3,)), name="t")),
            Add(node, Sigmoid(node)),
        )
    ),
}


@pytest.mark.parametrize(
    ("graph", "mistake"),
    [(graph, mistake) for graph in GRAPHS.values() for mistake in mistakes(graph)],
    ids=lambda part: part.name if isinstance(part, GraphMistake) else "",
)
def test_every_mistake_is_caught_and_named(graph: Node, mistake: GraphMistake) -> None:
    report = check(of_engine(graph, mistake), graph=graph)
    assert report.verdict == "wrong"
    assert mistake.name in {found.name for found in report.explanations}


x3, y2 = Input("x", (3,)), Input("y", (2,))
W43, b4, V24 = Parameter("W", (4, 3)), Parameter("b", (4,)), Parameter("V", (2, 4))
KINKED = {
    "a number": ReLU(Parameter("p", ())),
    "one sample, half_sse": HalfSSE(y2, Linear(ReLU(Linear(x3, W43, b4)), V24)),
    "one sample, softmax": SoftmaxCrossEntropy(y2, Linear(ReLU(Linear(x3, W43, b4)), V24)),
    "one neuron": HalfSSE(
        Input("y", (None, 1)),
        ReLU(Linear(Input("x", (None, 3)), Parameter("W", (1, 3)), Parameter("b", (1,)))),
    ),
    "leaky": HalfSSE(y2, Linear(LeakyReLU(Linear(x3, W43, b4), 0.25), V24)),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("graph", KINKED.values(), ids=KINKED)
def test_a_missing_mask_is_seen_also_of_a_single_sample(graph: Node, seed: int) -> None:
    (missing, *_) = (mistake for mistake in mistakes(graph) if mistake.name == "activation derivative missing")
    assert check(of_engine(graph), graph=graph, seed=seed).verdict == "correct"
    assert name_of(check(of_engine(graph, missing), graph=graph, seed=seed)) == "activation derivative missing"


@pytest.mark.parametrize("size", [(None,), (None, 1)])
@pytest.mark.parametrize("mean", [False, True])
def test_outputs_that_meet_every_target_are_named(size: tuple[int | None, ...], mean: bool) -> None:
    """ŷ − y of shapes (n, 1) and (n,), as NumPy computes it."""
    graph = HalfSSE(Input("y", size), Linear(Input("x", (None, 2)), Parameter("W", (1, 2)), Parameter("b", (1,))))

    def candidate(feed: Feed) -> dict[str, Any]:
        outputs = [sum(w * v for w, v in zip(feed["W"][0], row)) + feed["b"][0] for row in feed["x"]]
        targets = entries(feed["y"])
        errors = [sum(p - t for t in targets) / (len(targets) if mean else 1) for p in outputs]
        return {"W": dot([errors], feed["x"]), "b": [sum(errors)]}

    assert name_of(check(candidate, graph=graph)) == "(n,) minus (n, 1)"


def test_what_has_no_name_is_located() -> None:
    def off(feed: Feed) -> dict[str, Any]:
        right = by_hand(feed)
        return right | {name: entrywise(lambda g: g * g + 0.5, right[name]) for name in ("A", "a")}

    report = check(off, graph=residual())
    assert report.verdict == "wrong" and not report.explanations
    assert "The gradients of A, a are off." in report.notes[0]
    assert "come through h" in report.notes[1]


def test_a_wrong_value_is_located_in_the_forward_pass() -> None:
    def off(feed: Feed) -> dict[str, Any]:
        return by_hand(feed) | {"outputs": forward_graph(residual(), feed)["h1"], "loss": 1.0}

    report = check(lambda feed: by_hand(feed) | {"loss": 2.0}, graph=residual())
    assert "The value of loss is off already" in str(report)
    assert check(off, graph=residual()).findings[0].kind == "wrong shape"


def single(x: float) -> float:
    """In single precision; what is too large becomes ∞, as it does there."""
    try:
        rounded: float = unpack("f", pack("f", x))[0]
    except OverflowError:
        rounded = inf
    return rounded


def in_single(candidate: Candidate) -> Candidate:
    return lambda feed: {name: entrywise(single, g) for name, g in candidate(feed).items()}


def test_single_precision_is_imprecise() -> None:
    report = check(in_single(by_hand), graph=residual())
    assert report.verdict == "imprecise" and "it was rounded to binary32" in report.notes[0]
    assert check(in_single(by_hand), graph=residual(), format="binary32").verdict == "correct"


def test_what_is_a_little_off_is_imprecise_with_its_size() -> None:
    report = check(of_engine(residual(), factor=1 + 1e-11), graph=residual())
    assert report.verdict == "imprecise"
    ulps, times = max(t.ulps for t in report.tensors), max(t.share for t in report.tensors)
    assert 1e-11 < ulps * 2.0**-52 < 3e-11
    assert report.notes[0].startswith(f"It is off by up to {ulps:.0f} units in the last place") and times > 10
    assert f"{times:.2g} times what is allowed" in report.notes[0]


def test_difference_quotients_are_imprecise() -> None:
    W = Parameter("W", (1, 2))
    graph = HalfSSE(Input("y", (None, 1)), Tanh(Linear(Input("x", (None, 2)), W)))

    def quotients(feed: Feed) -> dict[str, Any]:
        def at(k: int, h: float) -> float:
            moved = [[w + h * (i == k) for i, w in enumerate(feed["W"][0])]]
            loss: float = forward_graph(graph, {**feed, "W": moved})[graph]
            return loss

        return {"W": [[(at(k, 1e-5) - at(k, -1e-5)) / 2e-5 for k in range(2)]]}

    report = check(quotients, graph=graph)
    assert report.verdict == "imprecise" and "such as a difference quotient" in report.notes[0]


# Numbers are asked for that have a budget.

p3, y3, z3 = Parameter("p", (3,)), Input("y", (None, 3)), Parameter("z", (2, 3))
STEEP = [
    Log(Sum(Exp(p3 * 60.0))),
    Sum(Exp(z3 * 300.0)),
    BinaryCrossEntropy(Input("y", (2, 3)), Sigmoid(z3 * 30.0)),
    CrossEntropy(Input("y", (2, 3)), Softmax(z3 * 30.0)),
]


@pytest.mark.parametrize("format", ["binary64", "binary32"])
@pytest.mark.parametrize("graph", STEEP, ids=repr)
def test_numbers_are_such_that_nothing_overflows_in_the_format(graph: Node, format: str) -> None:
    right = of_engine(graph)
    report = check(in_single(right) if format == "binary32" else right, graph=graph, format=format)
    assert report.verdict == "correct", str(report)
    for case in graph_cases(graph, format=format):
        found = backward_graph(graph, case.feed, ball(format))
        balls = [x for node in found if node.parents for x in entries(found[node]) + entries(found.values[node])]
        assert all(x.spread is not None for x in balls)


def test_what_overflows_in_single_precision_alone_is_not_asked() -> None:
    """The right formula in single precision, where e^89 is ∞ and ∞/∞ NaN."""

    def candidate(feed: Feed) -> dict[str, Any]:
        powers = [single(exp(single(60 * x))) for x in feed["p"]]
        total = single(sum(powers))
        return {"p": [single(60 * single(power / total)) for power in powers]}

    assert candidate({"p": [1.5, 0.0, 0.0]})["p"][0] != candidate({"p": [1.5, 0.0, 0.0]})["p"][0]
    assert check(candidate, graph=STEEP[0], format="binary32").verdict == "correct"


def test_without_such_numbers_nothing_is_decided() -> None:
    graph = Sum(p3 * Exp(Constant(100.0)))
    report = check(in_single(of_engine(graph)), graph=graph, format="binary32")
    assert (report.verdict, report.conforms, report.cases) == ("undecided", False, ())
    assert "has a budget in binary32" in str(report)
    assert check(of_engine(graph), graph=graph).verdict == "correct"


def test_what_is_above_zero_only_is_asked_with_such_numbers() -> None:
    graph = Sum(Log(Parameter("p", (4, 6))))
    assert check(of_engine(graph), graph=graph).verdict == "correct"


# Gradients in the place of values.


def of_all_nodes(graph: Node, mistake: GraphMistake | None = None) -> Candidate:
    """Gradients of whatever has a name, as libraries give them."""

    def candidate(feed: Feed) -> dict[str, Any]:
        values = forward_graph(graph, feed)
        gradients = mistake.backward(values) if mistake else accumulated(values, uses_of(values))
        return {n.name: gradients[n] for n in values if n.name and (n.trained or n.operation)}

    return candidate


def test_gradients_of_inner_nodes_are_passed_over() -> None:
    report = check(of_all_nodes(residual()), graph=residual())
    assert report.verdict == "correct", str(report)
    assert "Of t1 the gradient is given, where its value is wanted: it is not judged." in report.notes
    assert {tensor.name for tensor in report.tensors} == {f"∂loss/∂{name}" for name in ("A", "a", "W1", "b1", "V")}
    turned = check(
        lambda feed: {k: entrywise(lambda g: -g, v) for k, v in of_all_nodes(residual())(feed).items()},
        graph=residual(),
    )
    assert (turned.verdict, turned.conforms) == ("correct-under-convention", True)


def test_mistakes_have_their_name_with_gradients_of_inner_nodes_too() -> None:
    graph = residual()
    overwritten = next(mistakes(graph))
    report = check(of_all_nodes(graph, overwritten), graph=graph)
    assert (report.verdict, name_of(report)) == ("wrong", overwritten.name)


def test_what_is_neither_value_nor_gradient_is_wrong() -> None:
    report = check(lambda feed: by_hand(feed) | {"h": entrywise(lambda x: 2 * x, feed["x"])}, graph=residual(2))
    assert report.verdict == "wrong"
    graph = residual()

    def with_values(feed: Feed, factor: float = 1.0) -> dict[str, Any]:
        values = forward_graph(graph, feed)
        given = {name: values[name] for name in ("outputs", "loss")}
        return by_hand(feed) | given | {"t1": entrywise(lambda x: factor * x, values["t1"])}

    report = check(lambda feed: with_values(feed, 2.0), graph=graph)
    assert report.verdict == "wrong" and "The value of t1 is off already" in str(report)
    report = check(with_values, graph=graph)
    assert report.verdict == "correct" and {"t1", "loss"} < {tensor.name for tensor in report.tensors}


@pytest.mark.parametrize("units", [3, 10, 30, 100])
def test_a_factor_that_is_1_in_every_case_explains_nothing(units: int) -> None:
    """With one output, 1/m of a gradient is that gradient, and must not be held to a wider budget than it."""
    graph = HalfSSE(Input("y", (None, 1)), Linear(Input("x", (None, 2)), Parameter("W", (1, 2))))
    report = check(of_engine(graph, factor=1 + units * 2.0**-52), graph=graph)
    assert report.verdict in ("correct", "imprecise") and not report.explanations
    case = next(graph_cases(graph))
    on, keys = ball("binary64"), [("∂loss/∂W", 0)]
    plain, divided = (quantities(case, on, Convention(None, f), keys) for f in (ONE, Factor(outputs=-1)))
    assert plain == divided


def test_what_is_kept_between_calls_is_found() -> None:
    kept: dict[str, Tensor] = {}

    def growing(feed: Feed) -> dict[str, Any]:
        for name, g in by_hand(feed).items():
            same = name in kept and len(entries(kept[name])) == len(entries(g))
            kept[name] = entrywise(lambda x, y: x + y, kept[name], g) if same else g
        return dict(kept)

    report = check(growing, graph=residual())
    assert (report.verdict, report.conforms) == ("wrong", False)
    assert any(finding.kind == "keeps state" for finding in report.findings)


@pytest.mark.parametrize(
    ("candidate", "kind", "words"),
    [
        (lambda feed: 1 / 0, "raises", "ZeroDivisionError"),
        (lambda feed: [1.0], "not understood", "a dictionary from names"),
        (lambda feed: {}, "not understood", "it returns dict {}: a dictionary from names to gradients is wanted"),
        (lambda feed: {"Q": 1.0}, "not understood", "'Q'"),
        (lambda feed: {"A": [[1.0]]}, "wrong shape", "∂loss/∂A has shape (1, 1), (3, 2) is wanted"),
        (lambda feed: {"A": float("nan")}, "NaN", "∂loss/∂A"),
    ],
)
def test_what_cannot_be_judged_is_a_finding(candidate: Candidate, kind: str, words: str) -> None:
    report = check(candidate, graph=residual())
    assert (report.verdict, report.findings[0].kind) == ("wrong", kind)
    assert words in str(report)


def test_a_case_without_an_answer_is_wrong_where_the_others_are_right() -> None:
    report = check(lambda feed: by_hand(feed) if len(feed["x"]) < 4 else 1 / 0, graph=residual())
    assert (report.verdict, report.findings[0].kind, report.notes) == ("wrong", "raises", ())


def test_a_gradient_that_is_missing_is_not_correct() -> None:
    report = check(lambda feed: {"V": by_hand(feed)["V"]}, graph=residual())
    assert (report.verdict, report.conforms) == ("undecided", False)
    assert report.findings[0].kind == "not given" and "A, a, W1, b1 was not given" in report.findings[0].sentence


def test_what_the_engine_returns_is_an_answer() -> None:
    graph = residual()
    assert check(lambda feed: backward_graph(graph, feed), graph=graph).verdict == "correct"


def test_a_row_that_comes_back_as_a_column_is_a_wrong_shape() -> None:
    graph = HalfSSE(Input("y", (None, 1)), Linear(Input("x", (None, 3)), Parameter("W", (1, 3))))

    def turned(feed: Feed) -> dict[str, Any]:
        return {"W": transpose(backward_graph(graph, feed)["W"])}

    report = check(turned, graph=graph)
    assert (report.verdict, report.findings[0].kind) == ("wrong", "wrong shape")


@pytest.mark.parametrize("first", [True, False])
def test_targets_of_two_losses_are_those_of_the_stricter(first: bool) -> None:
    x, y = Input("x", (None, 3)), Input("y", (None, 4))
    squares = HalfSSE(y, Linear(x, Parameter("V", (4, 3))))
    entropy = SoftmaxCrossEntropy(y, Linear(x, Parameter("W", (4, 3))))
    for case in graph_cases(squares + entropy if first else entropy + squares):
        assert all(sorted(row) == [0.0, 0.0, 0.0, 1.0] for row in case.feed["y"])


def test_graphs_that_cannot_be_asked_are_refused() -> None:
    nameless = Sum(Parameter("", (2,)))
    shapeless = Sum(Parameter("p"))
    for graph, word in (
        (nameless, "name of its own"),
        (shapeless, "a shape"),
        (Log(Sum(Constant([-1.0]))), "no numbers were found.* Log"),
        (Add(Sum(p3), Sum(Tanh(p3, name="p"))), "'p': several nodes have this name"),
        (Add(Sum(Tanh(p3, name="h")), Sum(Tanh(p3, name="h"))), "'h': several nodes have this name"),
        (Add(Sum(p3), Sum(Tanh(p3, name="loss"))), '"loss" is the name of the value'),
        (Sum(Parameter("loss", (3,))), '"loss" is the name of the value'),
        (Tanh(p3), r"is \(3,\): the cost must be one number"),
        (Sum(Add(p3, Input("x", (4,)))), r"Add#3 of p \(3,\) and x \(4,\)"),
    ):
        with pytest.raises(PurebpError, match=word):
            check(by_hand, graph=graph)
    with pytest.raises(PurebpError, match="is for layers, and does not go"):
        check(by_hand, graph=residual(), sizes=(1, 1))
    for_layers: list[dict[str, Any]] = [{"weights": "in_out"}, {"samples": "columns"}, {"activations": "tanh"}]
    for other in [*for_layers, {"biases": False}]:
        with pytest.raises(PurebpError, match="is for layers, and does not go"):
            check(by_hand, graph=residual(), **other)


def test_a_report_on_a_graph_has_every_form() -> None:
    report = check(lambda feed: by_hand(feed, overwrite=True), graph=residual(), name="mine")
    for text in (str(report), report.to_json(), report.to_junit(), render([report], "html")):
        assert "overwritten instead of accumulated" in text
    assert "2 samples" in report.to_junit()


# Certificates.


@given(cases())
def test_certified_gradients_of_graph_and_layers_are_the_same(case: Case) -> None:
    layers = certified_gradients(*case).parameters()
    of_graph = certified_gradients(to_graph(case.network, case.loss), to_feed(case.network, case.batch))
    found = [x for name in to_feed(case.network) for x in entries(of_graph[name])]
    both = [(x, y) for x, y in zip(found, layers, strict=True) if x.rounded and y.rounded]
    assert all(x.value == y.value for x, y in both)
    assert all(x.lower <= y.upper and y.lower <= x.upper for x, y in zip(found, layers))


def test_certified_gradients_do_without_the_range_of_floats() -> None:
    x, y = Input("x"), Input("y")
    assert not certified_gradients(Log(Exp(x)), {x: 1000.0})[x].rounded  # balls have no such e^x either
    entry = certified_gradients(x * x / (y * y), {x: 1e-200, y: 1e-200})[x]
    assert entry.rounded and entry.value == 2e200
    with pytest.raises(PurebpError, match="a graph has its own loss"):
        certified_gradients(x * x, {x: 1.0}, loss="sse")  # type: ignore[call-overload]  # that is what is tested


def test_certified_gradients_are_by_node_and_by_name() -> None:
    x = Input("x")
    certified = certified_gradients(x * x * x, {x: 0.1})
    assert certified[x] == certified["x"]
    assert (certified[x].value, certified[x].rounded) == (0.030000000000000002, True)  # 3/100 of what 0.1 is in binary
    own = Cost(Input("y"), x, Loss("own", "sum", lambda p, t, on: p * t, lambda p, t, on: t))
    assert certified_gradients(own, {"x": [1.0], "y": [3.0]})["x"][0].value == 3.0
