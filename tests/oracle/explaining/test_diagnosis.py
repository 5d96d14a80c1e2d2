"""Diagnosis: what explains an answer, found from the answer alone."""

from __future__ import annotations

import pytest

from purebp import Batch, Gradients, Network, backpropagation
from purebp.oracle.answer import as_claim
from purebp.oracle.cases import Case
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.diagnosis import Observation, diagnose, explanations, where
from purebp.textbook.network import LayerGradients

NETWORK = Network.random([3, 4, 2], ["tanh", "identity"], seed=3).with_parameters([k % 7 / 8 - 0.3 for k in range(26)])
BATCH = Batch([[1.0, -0.5, 0.25], [0.5, 2.0, -1.0], [-1.5, 0.75, 1.0]], [[1.0, 0.0], [0.5, -1.0], [0.0, 2.0]])
RIGHT = backpropagation(NETWORK, BATCH, "half_sse")


def scaled(factor: float) -> Gradients:
    layers = NETWORK.with_parameters([factor * x for x in RIGHT.parameters()]).layers
    return Gradients(tuple(LayerGradients(layer.weights, layer.biases, ()) for layer in layers))


@pytest.mark.parametrize(
    ("factor", "names"),
    [
        (2.0, ["factor m", "factor 2", "factor 4 / m"]),
        (0.5, ["factor 1 / m", "factor ½", "factor ¼ m"]),
        (3.0, ["factor n", "factor ½ n m", "factor 2 n / m"]),
        (-1.0, ["sign turned", "derivative with the opposite sign"]),
    ],
)
def test_what_one_case_cannot_tell_apart_stands_side_by_side(factor: float, names: list[str]) -> None:
    """Three samples of two outputs: 2 is m as well, and 3 is n."""
    assert [found.name for found in diagnose(NETWORK, BATCH, scaled(factor), "half_sse")] == names


def test_no_explanation_is_looked_for_in_numbers_that_are_none() -> None:
    observed = Observation(Case("", NETWORK, BATCH), as_claim(scaled(float("nan"))))
    assert explanations([observed], "half_sse") == []


@pytest.mark.parametrize(
    ("name", "layers", "depth", "said"),
    [
        ("squashed twice", {1}, 2, "at the output layer"),
        ("squashed twice", {0}, 3, "in layer 1"),
        ("squashed twice", {0, 1}, 3, "in the hidden layers"),
        ("squashed twice", {0, 1, 2}, 3, "in every layer"),
        ("squashed twice", {0, 2}, 4, "in layers 1, 3"),
        ("raw error passed down", {0}, 3, "to layer 1"),
    ],
)
def test_layers_are_said_in_words(name: str, layers: set[int], depth: int, said: str) -> None:
    assert where(CATALOGUE[name], frozenset(layers), depth) == said
