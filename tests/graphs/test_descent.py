"""A step on the parameters of a graph is that on the network."""

from __future__ import annotations

import math

import pytest

from purebp import Batch, Network, PurebpError, backpropagation, sgd_step
from purebp.graph import (
    backward_graph,
    to_feed,
    to_graph,
)
from purebp.graphs.tensors import entries


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


def test_a_step_wants_gradients_in_the_shape_of_the_parameters() -> None:
    for value, slope in (([[1.0, 2.0]], [[1.0]]), (1.0, [1.0, 2.0]), ([1.0, 2.0], 1.0)):
        with pytest.raises(PurebpError, match="its gradient .* the shapes must agree"):
            sgd_step({"W": value}, {"W": slope}, 0.1)
