"""`check_graph`: what is right passes, for every kind of graph; what cannot be judged or asked is said."""

from __future__ import annotations

from inspect import signature
from math import tanh
from typing import Any

import pytest
from hypothesis import given

from purebp import PurebpError, backpropagation
from purebp.graph import (
    MSE,
    Add,
    BinaryCrossEntropy,
    Constant,
    HalfSSE,
    Input,
    Linear,
    Log,
    Mean,
    Node,
    Parameter,
    Sigmoid,
    SoftmaxCrossEntropy,
    Sum,
    Tanh,
    backward_graph,
    to_graph,
    topological_order,
)
from purebp.graphs.tensors import Tensor, entries, entrywise
from purebp.oracle import check, check_graph
from purebp.oracle.reports import render
from purebp.textbook.linalg import transpose
from tests.oracle.samples import Feed, GraphCandidate, by_hand, of_engine, residual
from tests.strategies import Exercise, cases


def test_a_right_residual_block_is_correct() -> None:
    report = check(by_hand, graph=residual())
    assert (report.verdict, report.conforms, report.exit_status) == ("correct", True, 0)
    assert [tensor.name for tensor in report.tensors] == [f"∂loss/∂{name}" for name in ("A", "a", "W1", "b1", "V")]
    assert all(tensor.resolution < 1e-12 for tensor in report.tensors)


def test_adding_in_place_product_by_product_is_not_accused() -> None:
    assert check(lambda feed: by_hand(feed, in_place=True), graph=residual()).verdict == "correct"


def test_many_uses_take_no_longer_than_their_terms() -> None:
    """A vector that is squared and averaged, and a number that is used five hundred times: seconds, not minutes."""
    p, s = Parameter("p", (1000,)), Parameter("s", ())
    total: Node = Constant(0.0)
    for k in range(500):
        total = total + s * float(k % 7)
    for graph in (Mean(p * p), total):
        names = [n.name for n in topological_order(graph) if n.trained]
        report = check(of_engine(graph), graph=graph)
        assert (report.verdict, [t.name for t in report.tensors]) == ("correct", [f"∂loss/∂{n}" for n in names])
    assert check(of_engine(total, factor=1.001), graph=total).verdict == "wrong"


@given(cases(activations=["tanh", "sigmoid", "softplus"], losses_from=["mse", "half_sse"]))
def test_layers_are_right_for_the_lowered_network(case: Exercise) -> None:
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


def test_what_the_engine_returns_is_an_answer() -> None:
    graph = residual()
    assert check(lambda feed: backward_graph(graph, feed), graph=graph).verdict == "correct"


# What is no answer.


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
def test_what_cannot_be_judged_is_a_finding(candidate: GraphCandidate, kind: str, words: str) -> None:
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


def test_a_row_that_comes_back_as_a_column_is_a_wrong_shape() -> None:
    graph = HalfSSE(Input("y", (None, 1)), Linear(Input("x", (None, 3)), Parameter("W", (1, 3))))

    def turned(feed: Feed) -> dict[str, Any]:
        return {"W": transpose(backward_graph(graph, feed)["W"])}

    report = check(turned, graph=graph)
    assert (report.verdict, report.findings[0].kind) == ("wrong", "wrong shape")


def test_graphs_that_cannot_be_asked_are_refused() -> None:
    p3, nameless = Parameter("p", (3,)), Sum(Parameter("", (2,)))
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
    with pytest.raises(TypeError, match="unexpected keyword argument 'widths'"):
        check(by_hand, graph=residual(), widths=(1, 1))
    with pytest.raises(PurebpError, match="a function of one dictionary"):
        check({}, graph=residual())  # type: ignore[arg-type]


def test_a_report_on_a_graph_has_every_form() -> None:
    report = check(lambda feed: by_hand(feed, overwrite=True), graph=residual(), name="mine")
    for text in (str(report), report.to_json(), report.to_junit(), render([report], "html")):
        assert "overwritten instead of accumulated" in text
    assert "2 samples" in report.to_junit()


def test_what_is_not_said_means_the_same_for_layers_and_for_graphs() -> None:
    layers, graphs = (signature(question).parameters for question in (check, check_graph))
    for name in set(graphs) - {"graph"}:
        assert graphs[name].default == layers[name].default, name
    assert graphs["seed"].default == 0


def test_a_graph_is_held_to_stable_formulas_where_that_is_claimed() -> None:
    w, x, y = Parameter("w", (1, 1)), Input("x", (None, 1)), Input("y", (None, 1))
    graph = HalfSSE(y, Tanh(8 * Linear(x, w)))

    def gradients(feed: dict[str, Any]) -> dict[str, Any]:
        (((w,),), xs, ys), total = (feed[name] for name in "wxy"), 0.0
        for (x,), (y,) in zip(xs, ys):
            a = tanh(8 * (w * x))
            total += 8 * (a - y) * (1 - a * a) * x
        return {"w": [[total]]}

    report = check_graph(gradients, graph)
    assert report.verdict == "correct"
    report = check_graph(gradients, graph, strict=True)
    assert (report.verdict, report.format) == ("imprecise", "binary64, strict")
    assert check_graph(lambda feed: backward_graph(graph, feed), graph, strict=True).verdict == "correct"
