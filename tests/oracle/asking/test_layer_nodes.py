"""Layers: their layouts, where gradients are found, and the losses beside them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp.oracle.asking.layer_nodes import LAYOUTS, Layer, Layers, find_layers, from_user, to_user
from tests.oracle.learners import (
    COLUMNS,
    FLOW,
    LAYERS,
    MINUS,
    PLAIN_LAYERS,
    SHARED,
    STORED,
    VALUE,
    namespace_of,
)

pytest.importorskip("numpy")


def layers(source: str) -> Layers:
    found = find_layers(namespace_of(source))
    assert found is not None
    return found


def dense(source: str) -> Layer:
    return next(layer for layer in layers(source).layers if layer.weights)


@given(st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=1, max_size=4))
def test_layouts_have_their_way_back(rows: list[list[float]]) -> None:
    for layout in LAYOUTS:
        samples = rows if layout in ("rows", "columns") else rows[:1]
        assert from_user(to_user(samples, layout), layout) == samples


@pytest.mark.parametrize(
    ("source", "layout", "stepped"),
    [
        (LAYERS, "rows", True),
        (COLUMNS, "column", True),
        (STORED, "rows", False),
        (SHARED, "rows", False),
        (MINUS, "rows", True),
        (PLAIN_LAYERS, "vector", True),
    ],
)
def test_the_layout_and_what_becomes_of_gradients_are_found(source: str, layout: str, stepped: bool) -> None:
    found = dense(source)
    assert (found.layout, found.stepped) == (layout, stepped)


def test_gradients_are_found_in_attributes_and_dictionaries() -> None:
    stored, shared = dense(STORED), dense(SHARED)
    assert stored.weights is not None and shared.weights is not None
    assert stored.weights.gradient == ("attribute", ("dweights",)) and stored.inputs == ("attribute", ("dinputs",))
    assert shared.weights.held == ("params", "W") and shared.weights.gradient == ("attribute", ("grads", "W"))


def test_gradients_that_are_returned_are_found() -> None:
    source = STORED.replace(
        "        self.dinputs = np.dot(dvalues, self.weights.T)\n",
        "        return np.dot(dvalues, self.weights.T), self.dweights, self.dbiases\n",
    ).replace("self.dweights = ", "self.dweights = ")
    assert dense(source).inputs == ("returned", 0)


def test_a_layer_with_its_activation_inside_is_known() -> None:
    source = LAYERS.replace(
        "        return x @ self.weights + self.bias",
        "        self.a = np.tanh(x @ self.weights + self.bias)\n        return self.a",
    ).replace("        below = grad", "        grad = grad * (1 - self.a ** 2)\n        below = grad")
    assert dense(source).known.name == "tanh of linear"


def test_losses_are_pairs_of_functions_or_classes() -> None:
    for source, name, targets in ((LAYERS, "mse", 0), (STORED, "cross_entropy/samples", 1), (MINUS, "half_sse", 0)):
        (loss,) = layers(source).losses
        assert (loss.match.known.name, loss.targets) == (name, targets)


def test_classes_of_another_kind_are_none() -> None:
    assert find_layers(namespace_of(FLOW)) is None and find_layers(namespace_of(VALUE)) is None
