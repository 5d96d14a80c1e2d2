"""Cases that ask for more than is usual: who does not answer them is told so, and who answers wrongly is wrong."""

from __future__ import annotations

from math import exp, inf
from struct import pack, unpack
from typing import Any

import pytest

from purebp import Batch, Layer, Network, backpropagation
from purebp.oracle import check, judge
from purebp.oracle.reports.report import Report
from purebp.textbook.linalg import transpose
from tests.oracle.samples import Candidate, Pair, flat, lists, rebuilt

Rows = list[list[float]]


def one_layer(squash: Any, slope: Any = lambda error, a: error, read: Any = float) -> Candidate:
    """A layer and half the sum of squares, in loops; `read` is what is done to each number that comes in."""

    def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        (w,), (b,) = [[[read(x) for x in row] for row in m] for m in weights], [[read(x) for x in v] for v in biases]
        xs, ys = ([[read(x) for x in row] for row in rows] for rows in (inputs, targets))
        outputs = [[squash(sum(p * q for p, q in zip(row, x)) + c) for row, c in zip(w, b)] for x in xs]
        deltas = [[slope(a - y, a) for a, y in zip(*rows)] for rows in zip(outputs, ys)]
        columns = transpose(deltas)
        return [[[sum(d * x[k] for d, x in zip(c, xs)) for k in range(len(xs[0]))] for c in columns]], [
            [sum(c) for c in columns]
        ]

    return candidate


def judged(candidate: Candidate, f: str, loss: str = "half_sse") -> Report:
    return check(candidate, activations=[f], loss=loss, returns="gradients")


def test_a_power_that_overflows_is_told_and_not_wrong() -> None:
    report = judged(one_layer(lambda z: 1 / (1 + exp(-z)), lambda e, a: e * a * (1 - a)), "sigmoid")
    assert report.verdict == "correct" and report.conforms and not report.findings
    assert "gives no number: it raises OverflowError: math range error (e^z overflows beyond z = 709" in flat(report)
    assert "That is not held against it." in flat(report)


def test_infinities_and_nan_are_told_as_what_raises_is() -> None:
    for nothing in (inf, inf - inf):
        report = judged(one_layer(lambda z, x=nothing: x if abs(z) > 100 else z), "identity")
        assert report.verdict == "correct" and "Where |z| is 8" in flat(report)


@pytest.mark.parametrize("limit", [30.0, 5.0])
def test_what_is_clipped_is_wrong(limit: float) -> None:
    report = judged(one_layer(lambda z: max(-limit, min(limit, z))), "identity")
    assert report.verdict == "wrong" and "cases only" in flat(report)


def test_whole_numbers_must_not_be_cut_and_may_be_refused() -> None:
    def floats_alone(x: Any) -> float:
        if not isinstance(x, float):
            raise TypeError("floats are wanted")
        return x

    report = judged(one_layer(float, read=floats_alone), "identity")
    assert report.verdict == "correct" and "Where whole numbers come as integers it gives no number" in flat(report)

    right = one_layer(float)

    def like_what_is_given(weights: Any, *rest: Any) -> Pair:
        """Written into copies of the weights, as in arrays of integers."""
        kind = type(weights[0][0][0])
        found, offsets = right(weights, *rest)
        return [[[kind(x / 2) * 2 if kind is int else x for x in row] for row in m] for m in found], offsets

    assert judged(like_what_is_given, "identity").verdict == "wrong"


def test_classes_are_enough_for_a_cross_entropy() -> None:
    def of_classes(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        hot = [[float(j == row.index(max(row))) for j in range(len(row))] for row in targets]
        network = rebuilt(weights, biases, ("tanh", "softmax"))
        return lists(backpropagation(network, Batch(inputs, hot), "cross_entropy"))

    report = check(of_classes, activations=["tanh", "softmax"], loss="cross_entropy", returns="gradients")
    assert report.verdict == "correct" and "It is right where targets are 0 or 1, and not between." in flat(report)
    open_one = check(of_classes, activations=["tanh", "softmax"])
    assert open_one.conforms and "not between" in flat(open_one)


def test_it_is_not_said_to_be_right_for_classes_where_it_is_wrong_elsewhere() -> None:
    def clipped(weights: Any, biases: Any, inputs: Any, targets: Any) -> Pair:
        hot = [[float(j == row.index(max(row))) for j in range(len(row))] for row in targets]
        found = backpropagation(rebuilt(weights, biases, ("relu", "softmax")), Batch(inputs, hot), "cross_entropy")
        return lists(found, lambda g: max(-5.0, min(5.0, g)))

    report = check(clipped, activations=["relu", "softmax"], loss="cross_entropy", returns="gradients")
    assert report.verdict == "wrong" and "not between" not in flat(report)


def test_numbers_beyond_a_shorter_format_are_not_read_in_it() -> None:
    network, batch = Network([Layer([[1e5, 2.0]], [0.125], "identity")]), Batch([[1e-5, 0.5]], [[1.0]])
    (layer,) = backpropagation(network, batch).layers
    off = [[[1.001 * g for g in row] for row in layer.weights]], [list(layer.biases or ())]
    assert judge(network, batch, off).verdict == "wrong"


def cut(x: float) -> float:
    """To bfloat16, towards 0."""
    found: float = unpack(">f", pack(">f", x)[:2] + b"\0\0")[0]
    return found


def to_half(x: float) -> float:
    found: float = unpack("e", pack("e", x))[0]
    return found


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (cut, "bfloat16"),
        (to_half, "binary16"),
        (lambda x: unpack("f", pack("f", x))[0], "binary32"),
        (lambda x: round(x, 4), "decimals"),
        (lambda x: round(x * 127) / 127, "bfloat16"),
    ],
)
def test_numbers_that_are_rounded_when_they_are_read_are_seen(read: Any, name: str) -> None:
    report = judged(one_layer(float, read=read), "identity")
    assert report.verdict == "imprecise" and name in report.notes[0]
