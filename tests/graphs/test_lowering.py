"""The graph of a network and its layers: two derivations of the same gradients."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from purebp import FLOAT, Batch, Loss, Network, backpropagation, evaluate
from purebp.graph import (
    backward_graph,
    to_feed,
    to_graph,
)
from purebp.graphs.tensors import entries
from purebp.number_systems.ball import ball
from purebp.number_systems.rational import FRACTION
from purebp.oracle.evidence import share
from tests.strategies import Exercise, cases

RATIONAL = ["identity", "relu", "leaky_relu(0.25)"]


def of_graph(network: Network, batch: Batch, loss: Loss, arithmetic: Any = FLOAT) -> tuple[Any, list[Any]]:
    """The loss and the gradients, in the order of network.parameters()."""
    cost = to_graph(network, loss)
    gradients = backward_graph(cost, to_feed(network, batch), arithmetic)
    return gradients.values[cost], [x for name in to_feed(network) for x in entries(gradients[name])]


@given(cases(activations=RATIONAL, losses_from=["mse", "half_sse", "mae", "huber(0.5)"]))
def test_over_fractions_graph_and_layers_agree_bit_by_bit(case: Exercise) -> None:
    loss, gradients = of_graph(*case, FRACTION)
    assert loss == evaluate(*case, FRACTION)
    assert gradients == backpropagation(*case, FRACTION).parameters()


@given(cases())
def test_over_floats_graph_and_layers_lie_within_each_others_budgets(case: Exercise) -> None:
    (loss, gradients), layers = of_graph(*case), backpropagation(*case).parameters()
    budget, allowed = of_graph(*case, ball("binary64"))
    other = backpropagation(*case, ball("binary64")).parameters()
    assert share(evaluate(*case), budget) <= 1
    assert share(loss, evaluate(*case, ball("binary64"))) <= 1
    assert len(gradients) == len(layers)
    assert all(share(g, b) <= 1 for g, b in zip(gradients, other))
    assert all(share(g, b) <= 1 for g, b in zip(layers, allowed))
