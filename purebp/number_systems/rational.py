"""Exact arithmetic: the textbook code over fractions, for identity, relu, leaky_relu, and losses without logarithms.

>>> from purebp import Batch, Layer, Network, backpropagation
>>> network = Network([Layer([[1.0, 0.5]], None, "relu")])
>>> backpropagation(network, Batch([[1.0, 3.0], [1.0, 0.0], [0.0, 2.0]], [[0.0], [0.0], [0.5]]), "mse", FRACTION).layers[0].weights
((Fraction(7, 3), Fraction(17, 3)),)
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction

from purebp.textbook.arithmetic import Arithmetic, Matrix, PurebpError, Vector


def _inner(a: Matrix[Fraction], b: Matrix[Fraction], biases: Vector[Fraction] | None = None) -> list[list[Fraction]]:
    offsets = [Fraction(0)] * len(b) if biases is None else biases
    return [[sum(map(operator.mul, row, other), bias) for other, bias in zip(b, offsets)] for row in a]


def _irrational(name: str) -> Callable[[Fraction], Fraction]:
    def refuse(x: Fraction) -> Fraction:
        raise PurebpError(
            f"{name} of a fraction is irrational: over FRACTION only identity, relu and leaky_relu, and losses "
            "without logarithms, can be computed; decimal(digits) computes them all"
        )

    return refuse


def _lift(rows: Matrix[float | Fraction]) -> Matrix[Fraction]:
    try:
        return [[Fraction(x) for x in row] for row in rows]
    except (OverflowError, ValueError):
        raise PurebpError("an infinite number or NaN is no fraction") from None


FRACTION: Arithmetic[Fraction] = Arithmetic(
    name="fraction",
    lift=_lift,
    ratio=Fraction,
    inner=_inner,
    elementwise=lambda function, rows: [[function.formula(x, FRACTION) for x in row] for row in rows],
    exp=_irrational("exp"),
    expm1=_irrational("expm1"),
    log=_irrational("log"),
    log1p=_irrational("log1p"),
    tanh=_irrational("tanh"),
    normal_cdf=_irrational("normal_cdf"),
    normal_pdf=_irrational("normal_pdf"),
    less=operator.lt,
)
