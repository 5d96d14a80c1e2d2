"""A network of layers as a graph, and what is fed to it: the same gradients, derived a second time.

>>> from purebp.graphs.engine import backward_graph
>>> network = Network.random([1, 1], "identity", biases=False).with_parameters([2.0])
>>> backward_graph(to_graph(network, "sse"), to_feed(network, Batch([[1.0]], [[5.0]])))["W1"]
[[-6.0]]
"""

from __future__ import annotations

from typing import Any

from purebp.graphs.costs import Cost
from purebp.graphs.functions import Activate
from purebp.graphs.nodes import Input, Node, Parameter
from purebp.graphs.operations import Linear
from purebp.graphs.tensors import Tensor, dimensions
from purebp.textbook import losses
from purebp.textbook.losses import Loss, mse
from purebp.textbook.network import Batch, Network

__all__ = ["to_feed", "to_graph"]


def to_graph(network: Network[Any], loss: Loss | str = mse) -> Node:
    """The network and its loss as a graph: inputs, targets, W1, b1, z1, a1, … and the loss, each under that name.

    Where loss and last activation have a closed form together, the loss is that form of the last z.

    >>> to_graph(Network.random([2, 3, 1], "tanh"), "half_sse")
    loss = HalfSSE(targets, a2)
    """
    chosen = losses.loss(loss)
    n_in, *_, n_out = network.sizes
    below, targets = Input("inputs", (None, n_in)), Input("targets", (None, n_out))
    for l, layer in enumerate(network.layers, start=1):
        weights = Parameter(f"W{l}", dimensions(list(map(list, layer.weights))))
        biases = None if layer.biases is None else Parameter(f"b{l}", (len(layer.biases),))
        z = Linear(below, weights, biases, name=f"z{l}")
        if l == len(network.layers) and chosen.fused_with(layer.activation):
            return Cost(targets, z, chosen, after=layer.activation, name="loss")
        below = Activate(z, layer.activation, name=f"a{l}")
    return Cost(targets, below, chosen, name="loss")


def to_feed(network: Network[Any], batch: Batch[Any] | None = None) -> dict[str, Tensor]:
    """The parameters of the network by their names in `to_graph`, and the inputs and targets of a batch.

    >>> to_feed(Network.random([1, 1], biases=False).with_parameters([0.5]))
    {'W1': ((0.5,),)}
    """
    feed: dict[str, Tensor] = {}
    for l, layer in enumerate(network.layers, start=1):
        feed[f"W{l}"] = layer.weights
        if layer.biases is not None:
            feed[f"b{l}"] = layer.biases
    return feed if batch is None else feed | {"inputs": batch.inputs, "targets": batch.targets}
