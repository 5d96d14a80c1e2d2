"""What is not of this package: an activation, a loss, an operation, a format, a report, each one object, through `check`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import exp
from typing import Any

import pytest

from purebp import Batch, Layer, Network, backpropagation
from purebp.graph import HalfSSE, Input, Linear, Operation, Parameter
from purebp.graphs.tensors import entrywise
from purebp.number_systems.formats import Format, rounds_to
from purebp.oracle import check, check_graph
from purebp.oracle.reports import ReportFormat, render
from purebp.textbook.losses import Loss
from tests.enclosures import BELL, QUARTIC

Rows = Sequence[Sequence[float]]

CUBE = Operation(
    "Cube",
    shape=lambda x: x,
    value=lambda arithmetic, x: entrywise(lambda xi: xi * xi * xi, x),
    products=(lambda arithmetic, g, y, x: entrywise(lambda gi, xi: 3 * xi * xi * gi, g, x),),
)
PXR24 = Format("pxr24", precision=16, emin=-126, emax=127, accumulate_bits=24)


def one_layer(slope: float = -2.0, power: int = 1, factor: float = 1.0, rounded: Format | None = None) -> Any:
    """a = e^(−z²), and factor · e^power as the derivative of the loss, in plain loops."""

    def gradients(weights: Sequence[Rows], biases: Sequence[Sequence[float]], x: Rows, y: Rows) -> Any:
        (w,), (b,) = weights, biases
        gw, gb = [[0.0] * len(row) for row in w], [0.0] * len(b)
        for xs, ys in zip(x, y):
            for j, (row, bias, t) in enumerate(zip(w, b, ys)):
                z = sum(wi * xi for wi, xi in zip(row, xs)) + bias
                a = exp(-z * z)
                delta = factor * (a - t) ** power * slope * z * a
                gb[j] += delta
                for k, xk in enumerate(xs):
                    gw[j][k] += delta * xk
        if rounded:
            gw, gb = [[rounds_to(g, rounded) for g in row] for row in gw], [rounds_to(g, rounded) for g in gb]
        return [gw], [gb]

    return gradients


def test_an_activation_from_outside_is_checked() -> None:
    declared: dict[str, Any] = {"activations": [BELL], "loss": "half_sse", "returns": "gradients"}
    assert check(one_layer(), **declared).verdict == "correct"
    wrong = check(one_layer(slope=-1.99), **declared)
    assert wrong.verdict == "wrong" and not wrong.conforms
    assert check(one_layer(), activations=[BELL]).convention is not None  # half_sse is found


def test_an_activation_of_any_depth_from_outside_is_checked() -> None:
    def gradients(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
        network = Network(Layer(w, b, BELL) for w, b in zip(weights, biases))
        return backpropagation(network, Batch(inputs, targets), "half_sse")

    report = check(gradients, activations=BELL, loss="half_sse")
    assert report.verdict == "correct" and {len(case.sizes) for case in report.cases} == {2, 3, 4, 6, 10}


def test_a_loss_from_outside_is_checked() -> None:
    declared: dict[str, Any] = {"activations": [BELL], "loss": QUARTIC.reduced("sum"), "returns": "gradients"}
    assert check(one_layer(power=3, factor=4.0), **declared).verdict == "correct"
    found = check(one_layer(power=3, factor=2.0), **declared)
    assert (found.verdict, found.conforms) == ("correct-under-convention", False)
    assert check(one_layer(power=2, factor=4.0), **declared).verdict == "wrong"


def test_a_loss_by_its_summand_and_slope_is_checked() -> None:
    own = Loss("halves", "sum", lambda p, t, on: (p - t) * (p - t) / 2, lambda p, t, on: p - t)
    assert check(one_layer(), activations=[BELL], loss=own, returns="gradients").verdict == "correct"


@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_an_operation_from_outside_is_checked(factor: float) -> None:
    cost = HalfSSE(Input("y", (None, 2)), CUBE(Linear(Input("x", (None, 3)), Parameter("W", (2, 3)))))

    def gradients(feed: dict[str, Any]) -> dict[str, Any]:
        total = [[0.0] * 3 for _ in range(2)]
        for xs, ys in zip(feed["x"], feed["y"]):
            for j, (row, t) in enumerate(zip(feed["W"], ys)):
                z = sum(w * x for w, x in zip(row, xs))
                for k, x in enumerate(xs):
                    total[j][k] += (z**3 - t) * 3 * z**2 * (factor if j else 1.0) * x
        return {"W": total}

    assert check_graph(gradients, cost).conforms == (factor == 1)


def test_a_format_from_outside_is_checked() -> None:
    declared: dict[str, Any] = {"activations": [BELL], "loss": "half_sse", "returns": "gradients"}
    coarse = one_layer(rounded=PXR24)
    assert check(coarse, format=PXR24, **declared).verdict == "correct"
    assert check(coarse, **declared).verdict != "correct"
    assert check(one_layer(slope=-1.98), format=PXR24, **declared).verdict == "wrong"
    assert check(coarse, format=PXR24, **declared).format == "pxr24"
    assert rounds_to(Fraction(1, 3), PXR24) != 1 / 3


def test_a_format_of_reports_from_outside_is_rendered() -> None:
    markdown = ReportFormat("markdown", lambda reports: "\n".join(f"* **{r.candidate}**: {r.verdict}" for r in reports))
    report = check(one_layer(), activations=[BELL], loss="half_sse", returns="gradients", name="mine")
    assert render([report, report], markdown) == "* **mine**: correct\n* **mine**: correct"
