"""Difference quotients are told by kind, scale and step; nothing else is taken for one."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from purebp import Batch, Layer, Network, backpropagation, evaluate
from purebp.oracle import judge
from purebp.oracle.asking.candidate import ask
from purebp.oracle.asking.declared import Declared
from purebp.oracle.layers import Layers
from purebp.oracle.pipeline import judged
from purebp.oracle.reports.report import Report
from tests.oracle.samples import Candidate, Pair, lists_of, rebuilt, right, single

SCALES: dict[str, Callable[[float], float]] = {
    "": lambda w: 1.0,
    " |w|": abs,
    " max(1, |w|)": lambda w: max(1.0, abs(w)),
}


def quotients(kind: str, h: float, scale: str, names: tuple[str, ...], loss: str) -> Candidate:
    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        network = rebuilt(weights, biases, names)
        parameters, batch, found = network.parameters(), Batch(inputs, targets), []

        def at(i: int, step: float) -> float:
            return evaluate(
                network.with_parameters([w + step if i == j else w for j, w in enumerate(parameters)]), batch, loss
            )

        for i, w in enumerate(parameters):
            s = h * SCALES[scale](w)
            above, below = at(i, s if kind != "backward" else 0.0), at(i, -s if kind != "forward" else 0.0)
            found.append((above - below) / (2 * s if kind == "central" else s))
        return lists_of(network.with_parameters(found))

    return candidate


def of_simple_cases(candidate: Candidate, names: tuple[str, ...], loss: str) -> Report:
    declared = Declared(names, loss, returns="gradients")
    cases = declared.ladder()[:3]
    return judged(Layers(declared), cases, [ask(candidate, case, declared) for case in cases], "mine")


COMBINED = [(h, kind, "") for h in (0.1, 1e-4, 1e-7, 1e-13) for kind in ("forward", "backward", "central")]
COMBINED += [
    (h, kind, scale) for scale, h in ((" |w|", 1e-2), (" max(1, |w|)", 1e-6)) for kind in ("forward", "central")
]


@pytest.mark.parametrize(("h", "kind", "scale"), COMBINED)
def test_a_difference_quotient_is_told_with_its_step(h: float, kind: str, scale: str) -> None:
    """Where rounding is all that is seen, the kind may stay open, and the step is that of one of the kinds."""
    names, loss = (("tanh", "sigmoid"), "mse") if scale else (("sigmoid", "softmax"), "cross_entropy")
    report = of_simple_cases(quotients(kind, h, scale, names, loss), names, loss)
    assert report.verdict == "imprecise" and "finite difference with a step of" in report.notes[0]
    if h > 1e-6:
        assert f"{kind} finite difference with a step of {h:g}{scale}:" in report.notes[0]


@pytest.mark.parametrize(
    "change",
    [single, lambda x: x * (1 + 1e-9), lambda x: x + 1e-9, lambda x, random=Random(1): x * (1 + random.gauss(0, 1e-7))],
    ids=["binary32", "a factor", "a summand", "noise"],
)
def test_other_errors_are_no_differences(change: Callable[[float], float]) -> None:
    def candidate(*given: Any) -> Pair:
        weights, biases = right("mse", names=("tanh", "sigmoid"))(*given)
        return [[[change(x) for x in row] for row in m] for m in weights], [[change(x) for x in b] for b in biases]

    report = of_simple_cases(candidate, ("tanh", "sigmoid"), "mse")
    assert not report.conforms and not any("finite difference" in note for note in report.notes)


def test_a_loss_that_is_not_defined_beside_the_parameters_is_no_obstacle() -> None:
    """The cross-entropy of an output near 0, which a step makes negative."""
    network, batch = Network([Layer([[0.01, 0.02]], [0.001], "identity")]), Batch([[0.1, -0.05]], [[1.0]])
    (layer,) = backpropagation(network, batch, "cross_entropy").layers
    off = [[[1.001 * g for g in row] for row in layer.weights]], [[1.002 * g for g in layer.biases or ()]]
    assert judge(network, batch, off, "cross_entropy").verdict == "wrong"
    more = Network([Layer([[0.01, 0.02], [0.5, 0.25]], [0.001, 0.25], "identity")])
    (layer,) = backpropagation(more, Batch(batch.inputs, [[1.0, 1.0]]), "cross_entropy").layers
    off = [[[1.001 * g for g in row] for row in layer.weights]], [[1.002 * g for g in layer.biases or ()]]
    assert judge(more, Batch(batch.inputs, [[1.0, 1.0]]), off, "cross_entropy").verdict == "wrong"
