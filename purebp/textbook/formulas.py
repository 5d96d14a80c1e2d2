"""The formulas of the activations, their derivatives, and what bounds need: the stable ones, which overflow for no float.

σ′ = e^−|z| / (1 + e^−|z|)² where the textbook's a (1 − a) cancels; with t = tanh(z/2), σ″ = −t σ′ and
σ‴ = σ′ (3 t² − 1) / 2. Those of tanh are 4 σ′, 8 σ″ and 16 σ‴ at 2z, for tanh z = 2 σ(2z) − 1.

>>> from purebp.textbook.arithmetic import FLOAT
>>> sigmoid(0.0, FLOAT), sigmoid_derivative(0.0, FLOAT), sigmoid_second(0.0, FLOAT), sigmoid_third(0.0, FLOAT)
(0.5, 0.25, -0.0, -0.125)
"""

from __future__ import annotations

from collections.abc import Callable

from purebp.textbook.arithmetic import Arithmetic, Formula, N


def zero(z: N, arithmetic: Arithmetic[N]) -> N:
    return arithmetic.zero


def one(z: N, arithmetic: Arithmetic[N]) -> N:
    return arithmetic.one


def sigmoid(z: N, arithmetic: Arithmetic[N]) -> N:
    if arithmetic.less(z, 0):
        power = arithmetic.exp(z)
        return power / (1 + power)
    return 1 / (1 + arithmetic.exp(-z))


def sigmoid_derivative(z: N, arithmetic: Arithmetic[N]) -> N:
    power = arithmetic.exp(z if arithmetic.less(z, 0) else -z)
    return power / (1 + power) / (1 + power)


def sigmoid_second(z: N, arithmetic: Arithmetic[N]) -> N:
    return -arithmetic.tanh(z / 2) * sigmoid_derivative(z, arithmetic)


def sigmoid_third(z: N, arithmetic: Arithmetic[N]) -> N:
    t = arithmetic.tanh(z / 2)
    return sigmoid_derivative(z, arithmetic) * (3 * t * t - 1) / 2


def tanh_derivative(z: N, arithmetic: Arithmetic[N]) -> N:
    return 4 * sigmoid_derivative(2 * z, arithmetic)


def tanh_second(z: N, arithmetic: Arithmetic[N]) -> N:
    return 8 * sigmoid_second(2 * z, arithmetic)


def softplus(z: N, arithmetic: Arithmetic[N]) -> N:
    if arithmetic.less(z, 0):
        return arithmetic.log1p(arithmetic.exp(z))
    return z + arithmetic.log1p(arithmetic.exp(-z))


def silu_derivative(z: N, arithmetic: Arithmetic[N]) -> N:
    return sigmoid(z, arithmetic) * (1 + z * sigmoid(-z, arithmetic))


def silu_second(z: N, arithmetic: Arithmetic[N]) -> N:
    return sigmoid_derivative(z, arithmetic) * (2 - z * arithmetic.tanh(z / 2))


def silu_third(z: N, arithmetic: Arithmetic[N]) -> N:
    return 3 * sigmoid_second(z, arithmetic) + z * sigmoid_third(z, arithmetic)


def gelu_derivative(z: N, arithmetic: Arithmetic[N]) -> N:
    return arithmetic.normal_cdf(z) + z * arithmetic.normal_pdf(z)


def gelu_second(z: N, arithmetic: Arithmetic[N]) -> N:
    return (2 - z * z) * arithmetic.normal_pdf(z)


def gelu_third(z: N, arithmetic: Arithmetic[N]) -> N:
    return z * (z * z - 4) * arithmetic.normal_pdf(z)


def reaching(constant: float) -> Callable[[float], float]:
    """Intermediate results reach that constant, as 1 − a reaches 1 (and a square has twice the error of its root)."""
    return lambda magnitude: constant


def reaching_z(magnitude: float) -> float:
    """Intermediate results reach 1 or |z|."""
    return max(1.0, magnitude)


def one_sided(scale: float, above: Formula, below: Formula) -> Formula:
    """above(z) for z > 0, scale · below(z) otherwise."""

    def formula(z: N, arithmetic: Arithmetic[N]) -> N:
        return above(z, arithmetic) if arithmetic.less(0, z) else arithmetic.number(scale) * below(z, arithmetic)

    return formula
