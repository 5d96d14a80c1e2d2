"""Activations of one's own before the oracle: judged by what they declare."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from purebp import Batch, PurebpError, backpropagation
from purebp.oracle import check
from purebp.oracle.asking.declared import declaration
from purebp.oracle.asking.task import Task
from purebp.oracle.examination import examine
from purebp.textbook.own_activations import fixed_point
from tests.oracle.samples import Candidate, rebuilt

Rows = list[list[float]]


def with_hidden(f: Callable[[float], float], slope: Callable[[float], float], factor: float = 1.0) -> Candidate:
    """A hidden layer of f and a linear output, for half the sum of squares, in plain loops."""

    def gradients(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        (w1, w2), (b1, b2) = weights, biases
        g1, g2 = ([[0.0] * len(row) for row in w] for w in weights)
        c1, c2 = [0.0] * len(b1), [0.0] * len(b2)
        for x, y in zip(inputs, targets):
            z = [sum(w * v for w, v in zip(row, x)) + b for row, b in zip(w1, b1)]
            h = [f(v) for v in z]
            d2 = [sum(w * v for w, v in zip(row, h)) + b - t for row, b, t in zip(w2, b2, y)]
            d1 = [factor * sum(d * row[j] for d, row in zip(d2, w2)) * slope(z[j]) for j in range(len(h))]
            for d, g, c, below in ((d2, g2, c2, h), (d1, g1, c1, x)):
                for j, e in enumerate(d):
                    c[j] += e
                    for i, v in enumerate(below):
                        g[j][i] += e * v
        return [g1, g2], [c1, c2]

    return gradients


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z > -700 else 0.0


def swish(z: float) -> float:
    return z * sigmoid(z)


def interpolated(z: float) -> float:
    points = [(-2.0, -0.5), (-0.5, -0.25), (0.75, 1.0), (2.5, 1.5)]
    if z <= -2 or z >= 2.5:
        return -0.5 if z <= -2 else 1.5
    (x, y), (x1, y1) = next(pair for pair in zip(points, points[1:]) if z <= pair[1][0])
    t = (z - x) / (x1 - x)
    return y * (1 - t) + y1 * t


OWN: dict[str, tuple[Any, Callable[[float], float], Callable[[float], float]]] = {
    "functions of z": ((lambda z: z * z * z / 4, lambda z: 3 * z * z / 4), lambda z: z**3 / 4, lambda z: 0.75 * z**2),
    "with a comparison": (
        (lambda z: z if z > 0 else z / 8, lambda z: 1 if z > 0 else 0.125),
        lambda z: max(z, 0.125 * z),
        lambda z: 1.0 if z >= 0 else 0.125,
    ),
    "with exp": (
        (
            lambda z, on: z / (1 + on.exp(-z)),
            lambda z, on: 1 / (1 + on.exp(-z)) + z * on.exp(-z) / ((1 + on.exp(-z)) * (1 + on.exp(-z))),
        ),
        swish,
        lambda z: sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z)),
    ),
    "another slope than that of its value": ((lambda z: 2 * z, lambda z: 3), lambda z: 2 * z, lambda z: 3.0),
    "a table": (
        [(-2, -0.5), (-0.5, -0.25), (0.75, 1), (2.5, 1.5)],
        interpolated,
        lambda z: 0.0 if not -2 <= z < 2.5 else 0.25 / 1.5 if z < -0.5 else 1.0 if z < 0.75 else 0.5 / 1.75,
    ),
    "fixed point": (
        ("sigmoid", 1 / 256),
        lambda z: math.floor(sigmoid(z) * 256 + 0.5) / 256,
        lambda z: sigmoid(z) * (1 - sigmoid(z)),
    ),
    "fixed point, its slopes too": (
        fixed_point("sigmoid", 1 / 256, slopes=1 / 64),
        lambda z: round(sigmoid(z) * 256) / 256,
        lambda z: round(sigmoid(z) * (1 - sigmoid(z)) * 64) / 64,
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_an_activation_of_ones_own_is_judged_by_what_it_declares(name: str) -> None:
    own, value, slope = OWN[name]
    declared: dict[str, Any] = {"activations": [own, "identity"], "loss": "half_sse", "returns": "gradients"}
    report = check(with_hidden(value, slope), **declared)
    assert report.verdict == "correct" and not any(tensor.undecided for tensor in report.tensors), str(report)
    declared |= {"batch": 2}  # that what is wrong is seen takes few samples
    for off in (1.001, -1.0):
        assert not check(with_hidden(value, slope, off), **declared).conforms
    assert not check(with_hidden(value, lambda z: slope(z) + 0.01), **declared).conforms
    assert not check(with_hidden(lambda z: value(z) + 0.01, slope), **declared).conforms


def test_functions_of_floats_alone_are_refused_with_advice() -> None:
    with pytest.raises(PurebpError, match="activations=.*arithmetic.exp"):
        check(with_hidden(swish, swish), activations=[(swish, swish), "identity"])


def test_a_file_declares_activations_of_its_own(tmp_path: Path) -> None:
    text = (
        "def value(z, arithmetic):\n    return z / (1 + arithmetic.exp(-z))\n"
        "def derivative(z, arithmetic):\n    s = 1 / (1 + arithmetic.exp(-z))\n    return s + z * s * (1 - s)\n"
        "PUREBP = {'activations': [(value, derivative)], 'loss': 'half_sse', 'returns': 'gradients'}\n"
        "import math\n"
        "class on: exp = math.exp\n"
        "def gradients(weights, biases, inputs, targets):\n"
        "    (w,), (b,) = weights, biases\n"
        "    g, c = [[0.0] * len(r) for r in w], [0.0] * len(b)\n"
        "    for x, y in zip(inputs, targets):\n"
        "        for j, (r, bj, t) in enumerate(zip(w, b, y)):\n"
        "            z = sum(p * q for p, q in zip(r, x)) + bj\n"
        "            e = (value(z, on) - t) * derivative(z, on)\n"
        "            c[j] += e\n"
        "            for i, v in enumerate(x): g[j][i] += e * v\n"
        "    return [g], [c]\n"
    )
    file = tmp_path / "mine.py"
    file.write_text(text)
    report = examine(Task(str(file), None, {}, source=text)).report
    assert report is not None and report.verdict == "correct", str(report)


def test_it_may_stand_in_every_layer_and_at_any_depth() -> None:
    cube = declaration("activations", [(lambda z: z * z / 4, lambda z: z / 2), "..."])

    def gradients(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        return backpropagation(rebuilt(weights, biases, [cube] * len(weights)), Batch(inputs, targets), "half_sse")

    report = check(gradients, activations=cube, loss="half_sse")
    assert report.verdict == "correct" and len({len(case.sizes) for case in report.cases}) > 3
