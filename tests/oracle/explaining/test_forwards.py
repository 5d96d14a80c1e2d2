"""Other forward passes, as their authors write them, and the factor before an activation, which is solved for."""

from __future__ import annotations

from fractions import Fraction
from math import exp
from typing import Any

import pytest

from purebp.oracle.check import check
from purebp.oracle.explaining.forwards import forwards, steeper
from purebp.textbook.arithmetic import Matrix


def softmax(z: list[float]) -> list[float]:
    shares = [exp(x - max(z)) for x in z]
    return [x / sum(shares) for x in shares]


def sigmoid(z: list[float]) -> list[float]:
    return [1 / (1 + exp(-x)) if x > 0 else exp(x) / (1 + exp(x)) for x in z]


OUTPUTS = {"softmax": softmax, "sigmoid": sigmoid}


def classifier(output: str, before: float = 1.0, in_hidden: float = 1.0, again: bool = False) -> Any:
    """A sigmoid layer and an output with its cross-entropy, δ = ŷ − y; z is multiplied before, or f taken again."""
    f = OUTPUTS[output]

    def candidate(w: list[Matrix], b: list[list[float]], inputs: Matrix, targets: Matrix) -> Any:
        (w1, w2), (b1, b2), n = w, b, len(inputs) * (len(targets[0]) if output == "sigmoid" else 1)
        gradients = [[[0.0] * len(r) for r in m] for m in w], [[0.0] * len(v) for v in b]
        for x, y in zip(inputs, targets):
            hidden = sigmoid([in_hidden * (sum(map(float.__mul__, x, row)) + c) for row, c in zip(w1, b1)])
            outputs = f([before * (sum(map(float.__mul__, hidden, row)) + c) for row, c in zip(w2, b2)])
            outputs = f(outputs) if again else outputs
            d2 = [(o - t) / n for o, t in zip(outputs, y)]
            error = [sum(d * row[j] for d, row in zip(d2, w2)) for j in range(len(hidden))]
            d1 = [e * a * (1 - a) for e, a in zip(error, hidden)]
            for l, (deltas, below) in enumerate(((d1, x), (d2, hidden))):
                for i, d in enumerate(deltas):
                    gradients[1][l][i] += d
                    for j, a in enumerate(below):
                        gradients[0][l][i][j] += d * a
        return gradients

    return candidate


LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}


def first_name(candidate: Any, output: str) -> str:
    report = check(candidate, activations=("sigmoid", output), loss=LOSSES[output], returns="gradients")
    return report.explanations[0].name if report.explanations else str(report)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    "factor, said",
    [(2.0, "multiplied by 2"), (1 / 3, "divided by 3"), (0.7, "multiplied by 0.7"), (0.1, "divided by 10")],
)
def test_a_temperature_is_solved_for(output: str, factor: float, said: str) -> None:
    assert first_name(classifier(output, factor), output) == f"z {said} at the output"


@pytest.mark.parametrize("output", OUTPUTS)
def test_so_is_a_steepness_in_every_layer(output: str) -> None:
    assert first_name(classifier(output, 0.25, 0.25), output) == "z divided by 4 in every layer"


@pytest.mark.parametrize("output", OUTPUTS)
def test_an_activation_that_is_applied_twice_is_named(output: str) -> None:
    assert first_name(classifier(output, again=True), output) == "activation applied twice at the output"


def test_without_any_of_it_it_is_right() -> None:
    for output in OUTPUTS:
        report = check(classifier(output), activations=("sigmoid", output), loss=LOSSES[output], returns="gradients")
        assert report.verdict == "correct", str(report)


def test_each_forward_pass_has_its_own_name() -> None:
    names = [mistake.name for mistake in forwards()]
    assert len(set(names)) == len(names)
    assert {mistake.step for mistake in forwards()} == {"forward", "model"}
    assert steeper(Fraction(1, 3), everywhere=True).name == "z divided by 3 in every layer"
