"""Certificates of graphs: those of the layers that are lowered to them, by node and by name."""

from __future__ import annotations

import pytest
from hypothesis import given

from purebp import Loss, PurebpError
from purebp.graph import Cost, Exp, Input, Log, to_feed, to_graph
from purebp.graphs.tensors import entries
from purebp.oracle import certified_gradients
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
