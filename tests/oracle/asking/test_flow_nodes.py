"""Node classes: what is seen of them, and the networks that are made of them."""

from __future__ import annotations

import pytest

from purebp.graphs.engine import topological_order
from purebp.oracle.asking.flow_nodes import Flow, find_flow, networks
from tests.oracle.learners import FLOW, LAYERS, PLAIN_FLOW, PUSHED, VALUE, namespace_of

pytest.importorskip("numpy")


def flow(source: str) -> Flow:
    found = find_flow(namespace_of(source))
    assert found is not None
    return found


def test_attributes_are_seen_and_not_assumed() -> None:
    seen = flow(FLOW).attributes
    assert (seen.value, seen.children, seen.gradients, seen.keyed) == ("value", "outbound_nodes", "gradients", True)
    seen = flow(PLAIN_FLOW).attributes
    assert (seen.value, seen.children, seen.gradients, seen.keyed) == ("out", "children", "grads", True)
    seen = flow(PUSHED).attributes
    assert (seen.value, seen.children, seen.gradients, seen.keyed) == ("value", "", "grad", False)


def test_drivers_of_the_module_are_found() -> None:
    found = flow(FLOW).drivers
    assert [f.__name__ for f in (found.sort, found.run, found.update)] == [
        "topological_sort",
        "forward_and_backward",
        "sgd_update",
    ]
    assert found.by_feed and not flow(PLAIN_FLOW).drivers.by_feed


def test_networks_are_of_what_is_there() -> None:
    (net,) = networks(flow(FLOW).found)
    assert [step.found.name for step in net.steps] == ["Linear", "Sigmoid", "Linear", "MSE"]
    order = topological_order(net.graph(net.trained))
    assert [node.name for node in order if node.trained] == list(net.trained)
    (net,) = networks(flow(PLAIN_FLOW).found)
    assert [step.found.name for step in net.steps] == ["Sum", "Product"]
    assert list(networks(())) == []


def test_classes_of_another_kind_are_none() -> None:
    assert find_flow(namespace_of(VALUE)) is None and find_flow(namespace_of(LAYERS)) is None


def test_code_that_always_raises_is_none() -> None:
    broken = namespace_of(FLOW.replace("        self.inbound_nodes = list(inbound_nodes)\n", "        1 / 0\n"))
    assert find_flow(broken) is None
