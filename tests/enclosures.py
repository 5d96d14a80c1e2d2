"""What number systems are held against each other with: exact values, enclosures, and wild cases.

Wild cases have saturated units, exact kinks, zeros, tiny and huge weights; ordinary ones come from `strategies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import strategies as st

from purebp import FLOAT, Layer, Network, backpropagation
from purebp.number_systems.ball import Ball
from purebp.number_systems.decimals import decimal
from purebp.number_systems.formats import Format
from purebp.textbook.activations import Elementwise, activation
from purebp.textbook.arithmetic import Arithmetic, Bounds, Function, N
from purebp.textbook.losses import Loss, huber, mae, of_error
from studies.conforming import Exercise, wild_case
from tests.strategies import ACTIVATIONS

RATIONAL = ["identity", "relu", "leaky_relu(0.25)"]
SQUARES = ["sse", "half_sse", "mse", "half_mse"]
EXACT = decimal(200)

# Made as anybody makes their own, each in one object.
BELL = Elementwise(
    "bell",
    Function(
        "bell",
        lambda x, arithmetic: arithmetic.exp(-x * x),
        Bounds(
            lambda x, arithmetic: -2 * x * arithmetic.exp(-x * x),
            peaks=(-(0.5**0.5), 0.5**0.5),
            intermediate=lambda magnitude: 1.0,
        ),
    ),
    Function(
        "bell′",
        lambda x, arithmetic: -2 * x * arithmetic.exp(-x * x),
        Bounds(
            lambda x, arithmetic: (4 * x * x - 2) * arithmetic.exp(-x * x),
            peaks=(-(1.5**0.5), 0.0, 1.5**0.5),
            intermediate=lambda magnitude: 1.0,
        ),
    ),
    title="Bell",
    definition="e^(-z^2)",
)
QUARTIC = of_error(
    "quartic",
    Function("e⁴", lambda e, arithmetic: e * e * e * e, Bounds(lambda e, arithmetic: 4 * e * e * e, peaks=(0.0,))),
    Function("4e³", lambda e, arithmetic: 4 * e * e * e, Bounds(lambda e, arithmetic: 12 * e * e, peaks=(0.0,))),
    base_title="Quartic",
    base_definition="mean over all entries of (output - target)^4",
    words="fourth powers",
)
E4M3 = Format("e4m3", 4, -6, 7, accumulate_bits=24)

wild_cases = (
    st.integers(0, 2**32)
    .map(lambda seed: wild_case(Random(seed), widest=4, deepest=3))
    # Over softmax it divides by 1 − p, and p can be 1 to all digits: decimals refuse that.
    .filter(
        lambda case: (case.loss.base, case.network.layers[-1].activation.name) != ("binary_cross_entropy", "softmax")
    )
)


def ends(x: Ball) -> tuple[Fraction, Fraction]:
    """The ends of a ball with a radius, exactly."""
    assert x.spread is not None
    unit = Fraction(2) ** x.exponent
    return (x.mantissa - x.spread) * unit, (x.mantissa + x.spread) * unit


def holds(x: Ball, value: Fraction | Decimal, accuracy: Fraction = Fraction(0)) -> bool:
    """The ball holds the value, which is itself known to that accuracy, relatively or absolutely."""
    if x.spread is None:
        return True
    (low, high), exact = ends(x), Fraction(value)
    room = accuracy * max(Fraction(1), abs(exact))
    return low - room <= exact <= high + room


def within(x: Ball, y: Ball, room: Fraction = Fraction(0)) -> bool:
    """x is a part of y, made larger by so much."""
    if x.spread is None or y.spread is None:
        return y.spread is None
    return ends(y)[0] - room <= ends(x)[0] and ends(x)[1] <= ends(y)[1] + room


def one_neuron(name: str, weight: float, bias: float | None = None) -> Network:
    return Network([Layer([[weight]], None if bias is None else [bias], name)])


def gradients(case: Exercise | Exercise, on: Arithmetic[N]) -> list[N]:
    return backpropagation(case.network, case.batch, case.loss, on).parameters()


def functions_of(loss: Loss) -> list[Function]:
    """The functions of one number that its formulas use."""
    met: list[Function] = []

    def elementwise(function: Function, rows: Sequence[Sequence[float]]) -> list[list[float]]:
        met.append(function)
        return FLOAT.elementwise(function, rows)

    for formula in (loss.summand, loss.slope):
        formula(1.0, 0.0, replace(FLOAT, elementwise=elementwise))
    return met


ROWS = [f for name in (*ACTIVATIONS, "elu(2.0)") for f in [activation(name)] if isinstance(f, Elementwise)]
BOUNDED = {
    function.name: function
    for functions in (*((f.value, f.derivative) for f in ROWS), *map(functions_of, (mae, huber(0.5))))
    for function in (*functions, functions[1].derivative)
    if function is not None
}
