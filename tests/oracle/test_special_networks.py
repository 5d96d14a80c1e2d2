"""Networks at special points: what they are brought to, and that nothing else is changed."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from purebp import Layer, Network, forward
from purebp.oracle.special_networks import at_kink, at_kinks, reaching, saturated


@example(weight=64, bias=0, halvings=0)  # 8 exactly
@given(st.integers(-160, 160).filter(bool), st.integers(-64, 64), st.integers(0, 12))
def test_a_neuron_is_saturated_by_as_few_doublings_as_it_takes(weight: int, bias: int, halvings: int) -> None:
    """Of its weights, until |z| is 8 or more; after twelve it is left as it is."""
    w, b = weight / 16 / 2**halvings, bias / 8
    changed = saturated(Network([Layer([[w], [1.0]], [b, 0.0], "sigmoid")]), [[1.0]]).layers[0]
    doublings = log2(changed.weights[0][0] / w)
    z = [abs(w * 2**k + b) for k in range(13)]
    assert changed.biases == (b, 0.0) and changed.weights[1] == (1.0,)
    assert doublings == next((k for k in range(12) if z[k] >= 8), 12)


@pytest.mark.parametrize("biases", [True, False])
def test_a_kink_is_met_by_the_bias_or_else_by_the_weights(biases: bool) -> None:
    network = Network([Layer([[0.5, 0.25], [1.0, -1.0]], [0.125, 0.0] if biases else None, "relu")])
    changed, sample = at_kink(network, [1.5, -0.5]), [1.5, -0.5]
    assert forward(changed, [sample]).pre_activations[0][0][0] == 0.0
    assert changed.layers[0].weights[1] == network.layers[0].weights[1]
    assert (changed.layers[0].weights == network.layers[0].weights) == biases
    assert at_kink(network, [1.0]) == network


def test_every_layer_with_kinks_and_biases_meets_one() -> None:
    layers = [Layer([[0.5], [1.0]], [0.25, 0.25], f) for f in ("relu", "tanh")]
    network = Network([layers[0], Layer([[1.0, -0.5]], [0.5], "tanh"), Layer([[2.0]], None, "relu")])
    changed = at_kinks(network, [1.0])
    assert [layer.biases for layer in changed.layers] == [(-0.5, 0.25), (0.5,), None]


def test_two_neurons_reach_a_z_of_either_sign() -> None:
    network = Network([Layer([[0.5], [0.25], [1.0]], [0.5, -0.5, 0.0], "tanh")])
    changed = reaching(network, [[1.0], [0.5]], 40.0)
    first, second, third = zip(*forward(changed, [[1.0], [0.5]]).pre_activations[0])
    assert (max(first, key=abs), max(second, key=abs)) == (40.0, -39.75)
    assert third == (1.0, 0.5)
