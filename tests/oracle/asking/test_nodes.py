"""Classes of nodes, values and layers are found by their shape, whatever they are called; and nothing else is."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

import purebp
from purebp.oracle.asking.nodes import nodes_in
from tests.oracle.learners import FLOW, LAYERS, RIGHT, VALUE, namespace_of

pytest.importorskip("numpy")
KINDS = {"nodes": "node classes", "values": "a class of values", "layers": "layers"}


@pytest.mark.parametrize("kind", RIGHT)
def test_each_is_found_as_what_it_is(kind: str) -> None:
    nodes = nodes_in(namespace_of(RIGHT[kind]))
    assert nodes is not None
    assert nodes.kind.startswith(KINDS[kind.split()[0]]) and nodes.sentence.startswith(f"Found {nodes.kind}: ")


@pytest.mark.parametrize("module", [json, math, purebp], ids=["json", "math", "purebp"])
def test_other_modules_have_none(module: Any) -> None:
    assert nodes_in(vars(module)) is None


@pytest.mark.parametrize("methods", ["feedforward backprop", "forward backward"])
def test_a_network_that_is_given_targets_is_none(methods: str) -> None:
    source = """
import numpy as np
class SigmoidNetwork:
    def __init__(self, n_in, n_out):
        self.weights = np.ones((n_in, n_out))
    def forward(self, x):
        return 1 / (1 + np.exp(-x @ self.weights))
    def backward(self, x, y):
        return x.T @ (self.forward(x) - y)
class Reluctant(SigmoidNetwork):
    def backward(self, y):
        return self.weights
"""
    for old, new in zip(("forward", "backward"), methods.split(), strict=True):
        source = source.replace(old, new)
    assert nodes_in(namespace_of(source)) is None


def test_functions_and_classes_of_another_kind_are_none() -> None:
    source = """
class Network:
    def __init__(self, sizes):
        self.sizes = sizes
    def feedforward(self, x):
        return x
    def backprop(self, x, y):
        return [], []

def backpropagation(weights, biases, inputs, targets):
    return weights, biases
"""
    assert nodes_in(namespace_of(source)) is None


def test_no_name_but_those_of_the_methods_counts() -> None:
    source = FLOW
    for old, new in {
        "inbound_nodes": "comes_from",
        "outbound_nodes": "goes_to",
        "gradients": "slopes",
        "value": "held",
        "Input": "Leaf",
        "Sigmoid": "S",
        "Linear": "L",
        "MSE": "Cost",
    }.items():
        source = source.replace(old, new)
    nodes = nodes_in(namespace_of(source))
    assert nodes is not None
    told = "Leaf (input), S (sigmoid), Add (add), L (linear), Cost (mse), topological_sort"
    assert told in nodes.sentence


def test_what_nobody_knows_is_said() -> None:
    source = (
        LAYERS
        + """
class Odd:
    def forward(self, x):
        self.x = x
        return x ** 5 + 1

    def backward(self, grad, learning_rate):
        return grad * 5 * self.x ** 4
"""
    )
    nodes = nodes_in(namespace_of(source))
    assert nodes is not None and nodes.sentence.endswith("; what Odd computes is not known.")


def test_a_base_class_is_no_class_of_its_own() -> None:
    nodes = nodes_in(namespace_of(FLOW))
    assert nodes is not None and not nodes.unknown and "Node " not in nodes.sentence


def test_trials_come_from_the_simplest_to_a_network() -> None:
    for source, last in ((FLOW, "sgd_update"), (VALUE, "Value.backward"), (LAYERS, "a network of Dense, ReLU, mse")):
        nodes = nodes_in(namespace_of(source))
        assert nodes is not None
        assert nodes.trials[0].how in ("alone", "of a value alone") and nodes.trials[-1].subject == last
