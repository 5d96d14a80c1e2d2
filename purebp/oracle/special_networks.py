"""Networks brought to where code goes wrong: a neuron at its kink, one that is saturated, one whose z is large.

Weights and biases are changed, as little as it takes; numbers stay short.

>>> network = Network([Layer([[0.5]], [0.25], "relu")])
>>> at_kinks(network, [1.0]).layers[0].biases
(-0.5,)
"""

from __future__ import annotations

from collections.abc import Sequence

from purebp.textbook.arithmetic import Matrix
from purebp.textbook.backprop import forward
from purebp.textbook.network import Layer, Network


def _with_layer(network: Network, l: int, layer: Layer) -> Network:
    return Network([*network.layers[:l], layer, *network.layers[l + 1 :]])


def reaching(network: Network, inputs: Matrix, reach: float) -> Network:
    """The first neuron of every layer, and the second, reach that z and its negative: whole numbers of times what it was."""
    for l, layer in enumerate(network.layers):
        columns = list(zip(*forward(network, inputs).pre_activations[l]))
        weights, biases = [list(row) for row in layer.weights], list(layer.biases or [])
        for j, side in zip(range(len(columns)), (1, -1)):
            z = max(columns[j], key=abs)
            times = side * (max(1.0, reach // abs(z)) if z else 1.0) * (1 if z > 0 else -1)
            weights[j] = [times * w for w in weights[j]]
            if biases:
                biases[j] *= times
        network = _with_layer(network, l, Layer(weights, biases or None, layer.activation))
    return network


def at_kinks(network: Network, sample: Sequence[float]) -> Network:
    """The first neuron of every layer that has kinks and biases meets one, on that sample."""
    for l, layer in enumerate(network.layers):
        if layer.activation.kinks:
            network = _biased_to_kink(network, l, sample)
    return network


def _biased_to_kink(network: Network, l: int, sample: Sequence[float]) -> Network:
    """The first neuron of the layer, which has kinks, meets one on that sample, if there are biases."""
    layer = network.layers[l]
    if layer.biases is None:
        return network
    z = forward(network, [sample]).pre_activations[l][0][0]
    biases = (layer.biases[0] + layer.activation.kinks[0] - z, *layer.biases[1:])
    return _with_layer(network, l, Layer(layer.weights, biases, layer.activation))


def saturated(network: Network, inputs: Matrix) -> Network:
    """σ′ is small for a sample: of the first neuron of the first layer that can, and of the first of several outputs."""
    able = [l for l, layer in enumerate(network.layers) if layer.activation.saturates]
    last = [l for l in able if l == len(network.layers) - 1 and network.sizes[-1] > 1]
    for l in sorted({*able[:1], *last}):
        layer = network.layers[l]
        bias = layer.biases[0] if layer.biases else 0.0
        product = max((row[0] - bias for row in forward(network, inputs).pre_activations[l]), key=abs)
        factor = next((2.0**k for k in range(12) if abs(2.0**k * product + bias) >= 8), 2.0**12)
        weights = [[factor * w for w in layer.weights[0]], *layer.weights[1:]]
        network = _with_layer(network, l, Layer(weights, layer.biases, layer.activation))
    return network


def at_kink(network: Network, sample: Sequence[float]) -> Network:
    """The first neuron of the first layer that has kinks meets one exactly, on that sample, if inputs reach it exactly."""
    layer = network.layers[0]
    if not layer.activation.kinks or len(sample) < 2:
        return network
    if layer.biases is not None:
        return _biased_to_kink(network, 0, sample)
    weights = [[sample[1], -sample[0], *[0.0] * (len(sample) - 2)], *layer.weights[1:]]
    at_zero = layer.activation.kinks[0] == 0
    return _with_layer(network, 0, Layer(weights, None, layer.activation)) if at_zero else network
