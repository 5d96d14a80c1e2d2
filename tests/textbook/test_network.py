"""Networks, batches and gradients: frozen, validated, and made by chance that a seed decides."""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Callable
from copy import deepcopy
from dataclasses import FrozenInstanceError, fields
from fractions import Fraction
from math import sqrt
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import Batch, Layer, Network, PurebpError, backpropagation, forward, mse, train
from tests.strategies import Exercise, cases

NETWORK = Network([Layer([[0.5, -1.0]], [0.25], "tanh"), Layer([[2.0], [1.0]], None, "softmax")])
BATCH = Batch([[1.0, 2.0]], [[0.0, 1.0]])
FROZEN: list[Any] = [
    NETWORK,
    NETWORK.layers[0],
    NETWORK.layers[0].activation,
    NETWORK.layers[1].activation,
    BATCH,
    mse,
    forward(NETWORK, BATCH.inputs),
    backpropagation(NETWORK, BATCH),
    backpropagation(NETWORK, BATCH).layers[0],
    next(train(NETWORK, BATCH)),
]


@pytest.mark.parametrize("data", FROZEN, ids=lambda data: type(data).__name__)
def test_frozen_means_frozen(data: Any) -> None:
    for field in fields(data):
        with pytest.raises(FrozenInstanceError):
            setattr(data, field.name, None)
        assert not isinstance(getattr(data, field.name), (list, dict, set))


def test_what_was_given_may_change_afterwards() -> None:
    weights, biases, inputs = [[1.0, 2.0]], [3.0], [[4.0, 5.0]]
    layer, batch = Layer(weights, biases, "relu"), Batch(inputs, [[6.0]])
    weights[0][0] = biases[0] = inputs[0][0] = 0.0
    assert (layer.weights, layer.biases, batch.inputs) == (((1.0, 2.0),), (3.0,), ((4.0, 5.0),))


def test_any_sequences_of_any_real_numbers_are_taken_and_stored_as_tuples_of_floats() -> None:
    layer = Layer([range(2), array("f", [0.5, 1.5])], (1, True + 1), "relu")
    assert repr((layer.weights, layer.biases)) == "(((0.0, 1.0), (0.5, 1.5)), (1.0, 2.0))"
    assert Layer([[Fraction(1, 3)]], None, "relu").weights == ((Fraction(1, 3),),)


@given(cases())
def test_parameters_are_put_back_where_they_were(case: Exercise) -> None:
    network = case.network
    assert network.with_parameters(network.parameters()) == network
    changed = network.with_parameters(w + 1 for w in network.parameters())
    assert changed.parameters() == [w + 1 for w in network.parameters()]
    assert changed.sizes == network.sizes and changed != network


@pytest.mark.parametrize("count", [0, 2, 3, 4, 6, 9])
def test_with_parameters_wants_as_many_as_there_are(count: int) -> None:
    with pytest.raises(PurebpError, match="5"):
        NETWORK.with_parameters([1.0] * count)


@given(cases())
def test_copies_and_pickles_are_equal(case: Exercise) -> None:
    for thing in (case.network, case.batch):
        assert deepcopy(thing) == thing
        assert pickle.loads(pickle.dumps(thing)) == thing


@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.integers(), st.sampled_from(["xavier", "he", "uniform"]))
def test_the_seed_decides(sizes: list[int], seed: int, scheme: str) -> None:
    network = Network.random(sizes, "tanh", seed, scheme=scheme)
    assert (
        network
        == Network.random(sizes, "tanh", seed, scheme=scheme)
        != Network.random(sizes, "tanh", seed + 1, scheme=scheme)
    )
    assert network.sizes == tuple(sizes)
    assert all(layer.biases == (0.0,) * len(layer.weights) for layer in network.layers)


@pytest.mark.parametrize(
    ("scheme", "deviation", "bound"),
    [("xavier", sqrt(2 / 150), sqrt(6 / 150)), ("he", sqrt(2 / 50), 1.5), ("uniform", sqrt(1 / 150), sqrt(1 / 50))],
)
def test_initial_weights_have_the_spread_of_their_scheme(scheme: str, deviation: float, bound: float) -> None:
    """Glorot and Bengio 2010: variance 2 / (n_in + n_out); He et al. 2015: 2 / n_in; uniform: 1 / 3 n_in."""
    weights = [w for row in Network.random([50, 100], seed=3, scheme=scheme).layers[0].weights for w in row]
    assert fmean(weights) == pytest.approx(0.0, abs=0.1 * deviation)
    assert sqrt(fmean(w * w for w in weights)) == pytest.approx(deviation, rel=0.03)
    assert max(map(abs, weights)) <= bound


def test_activations_and_biases_are_for_all_layers_or_one_for_each() -> None:
    network = Network.random([2, 3, 1], ["relu", "identity"], biases=[False, True])
    assert [(layer.activation.name, layer.biases is None) for layer in network.layers] == [
        ("relu", True),
        ("identity", False),
    ]
    assert all(layer.biases is None for layer in Network.random([2, 3, 1], biases=False).layers)


def layer(n_out: int, n_in: int) -> Layer:
    return Layer([[1.0] * n_in] * n_out, None, "relu")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Layer([[1.0, 2.0]], [1.0, 2.0], "relu"), r"weights are \(1, 2\), biases \(2,\)"),
        (lambda: Network([layer(3, 2), layer(1, 4)]), r"weights \(3, 2\) in layer 0, \(1, 4\) in layer 1"),
        (lambda: Batch([[1.0]], [[1.0], [2.0]]), r"inputs are \(1, 1\), targets \(2, 1\)"),
        (lambda: Batch([[1.0, 2.0], [1.0]], [[1.0], [2.0]]), "inputs are ragged: row 0 has 2 numbers, row 1 has 1"),
        (lambda: forward(NETWORK, [[1.0]]), r"inputs are \(1, 1\), the network takes samples × 2"),
        (lambda: backpropagation(NETWORK, Batch([[1.0, 2.0]], [[1.0]])), r"outputs are \(1, 2\), targets \(1, 1\)"),
        (lambda: forward(NETWORK, [[1.0, 2.0], [3.0]]), "inputs"),
        (lambda: forward(NETWORK, []), "inputs are empty"),
        (lambda: Network([]), "at least one layer"),
        (lambda: Layer([], None, "relu"), "weights are empty"),
        (lambda: Layer([[]], None, "relu"), "weights are empty"),
        (lambda: Layer([[1.0]], [], "relu"), "biases are empty"),
        (lambda: Layer([[1.0]], None, "rely"), "unknown activation 'rely'; known are identity"),
        (lambda: Network.random([2]), r"sizes \[2\]: at least two widths"),
        (lambda: Network.random([2, 0, 1]), r"sizes \[2, 0, 1\]: .* a whole number above 0"),
        (lambda: Network.random([2, 1], scheme="glorot"), "unknown scheme 'glorot'; known are xavier, he, uniform"),
        (lambda: Network.random([2, 3, 1], ["relu"]), r"make 2 layers, but there are 1 activations, 2 biases"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_shapes(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PurebpError, match=message):
        make()
