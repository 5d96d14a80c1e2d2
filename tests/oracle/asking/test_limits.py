"""What a candidate does not take is said, and not held against it; what is wrong stays wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from purebp import Batch, Layer, Network, backpropagation
from purebp.oracle import check
from purebp.oracle.asking.candidate import ask
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.limits import limits
from purebp.textbook.linalg import transpose

Refusal = Callable[[Network, Batch], bool]
REFUSALS: dict[str, tuple[Refusal, dict[str, Any], str]] = {
    "one output": (lambda n, b: n.sizes[-1] != 1, {"outputs": 1}, "It takes one output. With more it raises"),
    "one sample": (
        lambda n, b: len(b.inputs) != 1,
        {"batch": 1},
        "It takes one sample at a time. With several it raises",
    ),
    "2-3-1": (
        lambda n, b: n.sizes != (2, 3, 1),
        {"sizes": (2, 3, 1)},
        "It takes networks of the widths 2-3-1. With others",
    ),
    "both": (
        lambda n, b: n.sizes[-1] != 1 or len(b.inputs) != 1,
        {"outputs": 1, "batch": 1},
        "It takes one output. With more it raises",
    ),
}


def candidate(refuses: Refusal, wrong: bool = False) -> Callable[..., Any]:
    """Right, or with a factor of 2 in ∂loss/∂W¹; an error for what it refuses."""

    def mine(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        layers = [Layer(w, b, f) for w, b, f in zip(weights, biases, ("tanh", "sigmoid"), strict=True)]
        network, batch = Network(layers), Batch(inputs, targets)
        if refuses(network, batch):
            raise ValueError("not that")
        found = backpropagation(network, batch).layers
        matrices = [
            [[x * (2 if wrong and l == 0 else 1) for x in row] for row in g.weights] for l, g in enumerate(found)
        ]
        return matrices, [g.biases for g in found]

    return mine


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("declared", [{}, {"activations": ("tanh", "sigmoid")}])
def test_who_is_right_on_what_it_takes_is_right(name: str, declared: dict[str, Any]) -> None:
    refuses, taken, sentence = REFUSALS[name]
    report = check(candidate(refuses), **declared)
    assert report.verdict == "correct", str(report)
    assert any(note.startswith(sentence) for note in report.notes)
    assert all(case.passed for case in report.cases) and len(report.cases) > 10
    assert {case.samples for case in report.cases} == {1} or "batch" not in taken
    assert {case.sizes[-1] for case in report.cases} == {1} or name == "one sample"


@pytest.mark.parametrize("name", REFUSALS)
def test_who_is_wrong_on_what_it_takes_is_wrong(name: str) -> None:
    report = check(candidate(REFUSALS[name][0], wrong=True))
    assert report.verdict == "wrong" and report.explanations[0].name == "factor 2 in ∂loss/∂W¹"


@pytest.mark.parametrize("name", REFUSALS)
def test_the_limits_are_those_that_were_set(name: str) -> None:
    refuses, taken, _ = REFUSALS[name]
    declared = Declared(("tanh", "sigmoid"))
    found = list(limits(lambda case, tried: ask(candidate(refuses), case, tried), declared))
    assert {key: x for limit in found for key, x in limit.options.items()} == taken
    assert not list(limits(lambda case, tried: ask(candidate(refuses), case, tried), replace(declared, **taken)))


def test_who_takes_everything_has_no_limits() -> None:
    declared = Declared(("tanh", "sigmoid"))
    assert not list(limits(lambda case, tried: ask(candidate(lambda n, b: False), case, tried), declared))


def test_who_answers_nothing_is_not_called_wrong() -> None:
    report = check(candidate(lambda network, batch: True))
    assert (report.verdict, report.exit_status, report.conforms) == ("undecided", 5, False)
    assert "in no way that was tried did it give an answer" in report.headline
    assert "not that" in str(report)


def test_who_answers_nothing_that_was_declared_is_wrong() -> None:
    declared: dict[str, Any] = {
        "activations": ("tanh", "sigmoid"),
        "weights": "out_in",
        "samples": "rows",
        "sizes": [4, 2, 1],
    }
    assert check(candidate(lambda network, batch: True), **declared).verdict == "wrong"


def one_layer(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
    """Softmax and cross-entropy of one layer; targets are the numbers of the classes."""
    n_out = len(weights[0])
    rows = [[float(j == label) for j in range(n_out)] for label in targets]
    if any(type(label) is not int for label in targets):
        raise TypeError("labels are wanted")
    found = backpropagation(Network([Layer(weights[0], biases[0], "softmax")]), Batch(inputs, rows))
    return [found.layers[0].weights], [found.layers[0].biases]


def test_labels_are_found_and_can_be_declared() -> None:
    report = check(one_layer)
    assert report.verdict == "correct" and any("targets='labels'" in note for note in report.notes)
    assert check(one_layer, activations=["softmax"], targets="labels").verdict == "correct"


@pytest.mark.parametrize(("inputs", "fits"), [("whole", lambda x: x == int(x) >= 0), ("binary", lambda x: x in (0, 1))])
def test_whole_numbers_are_found_and_can_be_declared(inputs: str, fits: Callable[[float], bool]) -> None:
    mine = candidate(lambda network, batch: not all(fits(x) for row in batch.inputs for x in row))
    report = check(mine)
    assert report.verdict == "correct" and any(f"inputs='{inputs}'" in note for note in report.notes)
    assert check(mine, activations=("tanh", "sigmoid"), inputs=inputs).verdict == "correct"


@pytest.mark.parametrize("targets", ["one_hot", "binary"])
def test_targets_are_those_that_were_declared(targets: str) -> None:
    seen = set[Any]()

    def mine(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        seen.update(map(tuple, targets))
        return candidate(lambda network, batch: False)(weights, biases, inputs, targets)

    assert check(mine, activations=("tanh", "sigmoid"), loss="mse", targets=targets).verdict == "correct"
    assert {x for row in seen for x in row} == {0.0, 1.0}
    assert all(sum(row) == 1 for row in seen) == (targets == "one_hot")


def test_a_wrong_shape_is_a_refusal_only_where_others_are_answered() -> None:
    """The gradients of several samples not summed: it takes one sample, and the report says what it gives for more."""

    def unsummed(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        found = backpropagation(Network([Layer(weights[0], biases[0], "identity")]), Batch(inputs, targets), "half_sse")
        return [found.layers[0].weights], [found.layers[0].deltas]

    report = check(unsummed, loss="half_sse")
    assert report.verdict == "correct"
    (note,) = [note for note in report.notes if note.startswith("It takes one sample")]
    assert "it is not summed over the samples" in note


def test_transposed_gradients_are_no_limit() -> None:
    def turned(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        matrices, offsets = candidate(lambda network, batch: False)(weights, biases, inputs, targets)
        return [transpose(rows) for rows in matrices], offsets

    report = check(turned)
    assert not report.conforms and "transposed" in str(report)
