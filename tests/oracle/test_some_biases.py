"""Biases in some layers only: declared, or found where a candidate gives none for the others."""

from __future__ import annotations

from math import tanh
from typing import Any

import pytest

from purebp import Batch, Gradients, backpropagation
from purebp.oracle import Report, check
from purebp.oracle.asking.declared import Declared
from purebp.testing.explore import counterexample
from tests.oracle.samples import Candidate, flat, lists, name_of, rebuilt

TANHS = ("tanh", "identity")
DECLARED: dict[str, Any] = {"activations": TANHS, "loss": "half_sse", "returns": "gradients"}


def by_hand(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
    """A hidden layer of tanh without biases, in plain loops."""
    (w1, w2), (_, b2) = weights, biases
    g1, g2, gb = [[0.0] * len(r) for r in w1], [[0.0] * len(r) for r in w2], [0.0] * len(b2)
    for x, y in zip(inputs, targets):
        h = [tanh(sum(w * v for w, v in zip(r, x))) for r in w1]
        d = [sum(w * v for w, v in zip(r, h)) + b - t for r, b, t in zip(w2, b2, y)]
        for k, e in enumerate(d):
            gb[k] += e
            for j, v in enumerate(h):
                g2[k][j] += e * v
        for j, v in enumerate(h):
            e = sum(d[k] * w2[k][j] for k in range(len(d))) * (1 - v * v)
            for i, u in enumerate(x):
                g1[j][i] += e * u
    return [g1, g2], [None, gb]


def having(some: tuple[bool, ...], names: Any = TANHS, nothing: Any = None, factor: float = 1.0) -> Candidate:
    """With biases in some layers, whatever is given for the others."""

    def gradients(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        kept = [b if has else None for b, has in zip(biases, some)]
        network = rebuilt(weights, kept, names)
        found: Gradients = backpropagation(network, Batch(inputs, targets), "half_sse")
        of_weights, of_biases = lists(found)
        of_weights[0][0][0] *= factor
        return of_weights, [nothing if b is None else b for b in of_biases]

    return gradients


def keys(report: Report) -> set[str]:
    return {tensor.name for tensor in report.tensors}


def test_a_hidden_layer_without_biases_is_right_declared_or_not() -> None:
    declared = check(by_hand, **DECLARED, biases=[False, True])
    assert declared.verdict == "correct" and not declared.notes
    found = check(by_hand, **DECLARED)
    assert found.verdict == "correct" and keys(found) == keys(declared) == {"∂loss/∂W¹", "∂loss/∂W²", "∂loss/∂b²"}
    assert found.notes == ("The hidden layer has no biases: declare biases=(False, True), or --biases no,yes.",)


@pytest.mark.parametrize(
    ("some", "names", "told"),
    [
        ((True, False), TANHS, "The output layer has no biases: declare biases=(True, False), or --biases yes,no."),
        ((False, True, True), ("tanh", *TANHS), "Layer 1 has no biases"),
        ((False, False, True), ("tanh", *TANHS), "Layers 1 and 2 have no biases"),
    ],
)
@pytest.mark.parametrize("nothing", [None, []])
def test_the_layers_that_have_none_are_named(some: tuple[bool, ...], names: Any, told: str, nothing: Any) -> None:
    report = check(having(some, names, nothing), activations=names, loss="half_sse", returns="gradients")
    assert report.verdict == "correct" and told in flat(report)
    assert check(having(some, names), activations=names, loss="half_sse", returns="gradients", biases=some).conforms


def test_biases_in_some_layers_are_found_with_the_activations() -> None:
    report = check(by_hand)
    assert report.conforms and "The hidden layer has no biases" in flat(report)
    assert "activations=('tanh', 'identity')" in flat(report)


def test_a_wrong_one_without_biases_in_a_layer_stays_wrong() -> None:
    report = check(having((False, True), factor=1.001), **DECLARED)
    assert report.verdict == "wrong" and "The hidden layer has no biases" not in name_of(report)
    assert not check(having((False, True), factor=1.001), **DECLARED, biases=(False, True)).conforms


def test_a_layer_that_has_biases_and_gives_no_gradients_of_them_is_not_acquitted() -> None:
    def forgets(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        of_weights, of_biases = lists(
            backpropagation(rebuilt(weights, [list(b) for b in biases], TANHS), Batch(inputs, targets), "half_sse")
        )
        return of_weights, [None, of_biases[1]]

    report = check(forgets, **DECLARED)
    assert report.verdict == "undecided" and "∂loss/∂b¹ was not given" in flat(report)


def test_none_is_found_by_exploring_where_only_some_layers_have_biases() -> None:
    declared = Declared(TANHS, "half_sse", biases=(False, True), returns="gradients")
    assert counterexample(by_hand, declared) is None
    found = counterexample(having((False, True), factor=1.001), declared)
    assert found is not None and [layer.biases is None for layer in found.network.layers] == [True, False]
