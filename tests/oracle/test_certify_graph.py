"""Certificates of graphs: those of the layers that are lowered to them, by node and by name."""

from __future__ import annotations

import pytest
from hypothesis import given

from purebp import Loss, PurebpError
from purebp.graph import (
    Add,
    Cost,
    CrossEntropy,
    Exp,
    Input,
    Log,
    Multiply,
    Operation,
    Parameter,
    Subtract,
    Sum,
    Tanh,
    to_feed,
    to_graph,
)
from purebp.graphs.tensors import entries, entrywise
from purebp.oracle import certified_gradients, certified_graph
from tests.strategies import Exercise, cases


@given(cases())
def test_certified_gradients_of_graph_and_layers_are_the_same(case: Exercise) -> None:
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


def test_a_target_next_to_0_is_no_target_of_0() -> None:
    """t = tanh(x + 1e-60) − tanh(x), about 7.9e-61, is 0 in the first 38 digits: of −t log(p w), ∂/∂w = −t/w."""
    w, x, e = Parameter("w", (1,)), Input("x", (1,)), Input("e", (1,))
    cost = CrossEntropy(Subtract(Tanh(Add(x, e)), Tanh(x)), Multiply(w, 1e-300))
    for digits in (38, 100):
        entry = certified_graph(cost, {w: [1.0], x: [0.5], e: [1e-60]}, digits)[w][0]
        assert (entry.value, entry.rounded) == (-7.864477329659274e-61, True)


def test_an_output_next_to_0_is_not_refused_for_its_midpoint() -> None:
    """½ + 1e-60 − ½ − 1e-61 is above 0, which takes more than 38 digits to see; the loss −log(w p) has the slope −1/w."""
    x, y, e, f, w = (Parameter(name, (1,)) for name in "xyefw")
    cost = CrossEntropy([1.0], Multiply(w, Add(Add(x, e), Add(y, f))))
    entry = certified_graph(cost, {x: [0.5], e: [1e-60], y: [-0.5], f: [-1e-61], w: [1.0]})[w][0]
    assert (entry.value, entry.rounded) == (-1.0, True)
    with pytest.raises(PurebpError, match="outputs from 0 to 1"):
        certified_graph(cost, {x: [0.5], e: [1e-61], y: [-0.5], f: [-1e-60], w: [1.0]})


def test_an_operation_of_ones_own_compares_with_as_many_digits_as_it_takes() -> None:
    """max(0, ·) of x + e − x, with a plain comparison."""
    above = Operation(
        "Above",
        lambda x: x,
        lambda arithmetic, x: entrywise(lambda v: arithmetic.zero if arithmetic.less(v, 0) else v, x),
        (lambda arithmetic, g, y, x: entrywise(lambda d, v: arithmetic.zero if arithmetic.less(v, 0) else d, g, x),),
    )
    x, e = Parameter("x", (1,)), Parameter("e", (1,))
    cost = Sum(above(Subtract(Add(x, e), x)))
    for tiny, slope in ((1e-60, 1.0), (-1e-60, 0.0)):
        entry = certified_graph(cost, {x: [0.5], e: [tiny]})[e][0]
        assert (entry.value, entry.rounded) == (slope, True)
