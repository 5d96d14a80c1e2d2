"""Derivatives without calculus: finite differences, Richardson extrapolation, the complex step.

They know nothing of backpropagation and work on any function of a flat list, so they can bear witness to it.

| method | error | needs |
| --- | --- | --- |
| `central_differences` | about ε^⅔ of f, some ten digits | f smooth between x − h and x + h |
| `richardson` | far less, and estimated | the same, over a wider step |
| `complex_step` | none but rounding | f analytic, written for complex numbers too |

>>> cube = lambda x: x[0] * x[0] * x[0]
>>> [round(value, 8) for value in central_differences(cube, [2.0])], complex_step(cube, [2.0])
([12.0], [12.0])
"""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from purebp.textbook.arithmetic import FLOAT, Arithmetic, Matrix, PurebpError, Vector
from purebp.textbook.backprop import evaluate, forward
from purebp.textbook.losses import Loss, mse
from purebp.textbook.network import Batch, Gradients, Layer, LayerGradients, Network


def central_differences(f: Callable[[Sequence[float]], float], x: Sequence[float]) -> list[float]:
    """(f(x + h eᵢ) − f(x − h eᵢ)) / 2h for every i, with h = ε^⅓ max(1, |xᵢ|).

    That step balances the truncation error h² f‴/6 against the rounding error ε f/h (Press et al.,
    Numerical Recipes, section 5.7).

    >>> [round(value, 9) for value in central_differences(lambda x: x[0] * x[1], [2.0, 5.0])]
    [5.0, 2.0]
    """
    return [_central(f, x, i, math.ulp(1.0) ** (1 / 3) * max(1.0, abs(xi)))[0] for i, xi in enumerate(x)]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A derivative, and an estimate (no bound) of its absolute error."""

    value: float
    error: float


def richardson(f: Callable[[Sequence[float]], float], x: Sequence[float], levels: int = 10) -> list[Estimate]:
    """Central differences with h, h/2, h/4 … extrapolated to h = 0, per entry the best of the tableau.

    The error of a central difference is a series in h², so D(h/2) + (D(h/2) − D(h)) / (4ᵏ − 1) is free of
    its k-th term (Ridders, Advances in Engineering Software 4, 1982). The step begins at 1/16, within which f
    has to be smooth; where it is not, look at x in other units.

    >>> estimate = richardson(lambda x: math.exp(x[0]), [1.0])[0]
    >>> abs(estimate.value - math.e) <= 10 * estimate.error < 1e-9
    True
    """
    if levels < 2:
        raise PurebpError(f"{levels} levels: at least 2 are wanted, for one to be compared with the other")
    return [_ridders(f, x, i, levels) for i in range(len(x))]


def complex_step(f: Callable[[Sequence[Any]], Any], x: Sequence[float]) -> list[float]:
    """Im f(x + i h eᵢ) / h with a tiny h: nothing is subtracted, so nothing cancels.

    f must be analytic, and written in operations that take complex numbers (Squire and Trapp, SIAM Review 40, 1998).

    >>> complex_step(lambda x: cmath.exp(x[0]) * x[1], [0.0, 3.0])
    [3.0, 1.0]
    """
    h = 2.0**-100
    return [f([*x[:i], complex(xi, h), *x[i + 1 :]]).imag / h for i, xi in enumerate(x)]


def numerical_gradients(network: Network, batch: Batch, loss: Loss | str = mse, method: str = "central") -> Gradients:
    """The gradients of the loss, with weights, biases and deltas as `backpropagation` returns them, by differences.

    method is "central", "richardson" or "complex" (over `COMPLEX`, where the activations are analytic). It
    takes two, sixteen or one passes per parameter: meant for small networks.

    >>> network = Network([Layer([[2.0]], None, "identity")])
    >>> numerical_gradients(network, Batch([[1.0]], [[5.0]]), "sse", "complex").layers[0]
    LayerGradients(weights=((-6.0,),), biases=None, deltas=((-6.0,),))
    """
    if method not in _METHODS:
        raise PurebpError(f"unknown method {method!r}; known are {', '.join(_METHODS)}")
    differentiate, arithmetic = _METHODS[method]
    found = network.with_parameters(
        differentiate(lambda x: evaluate(network.with_parameters(x), batch, loss, arithmetic), network.parameters())
    )
    layers = []
    for l, (layer, z) in enumerate(zip(found.layers, forward(network, batch.inputs).pre_activations)):
        # δ = ∂loss/∂z is the gradient by the inputs of the network that begins with this layer's activation.
        width = len(z[0])
        unit = [[float(i == j) for j in range(width)] for i in range(width)]
        rest = Network([Layer(unit, None, layer.activation), *network.layers[l + 1 :]])

        def of_z(x: Sequence[Any], rest: Network = rest, width: int = width) -> Any:
            return evaluate(rest, Batch(_rows(x, width), batch.targets), loss, arithmetic)

        deltas = differentiate(of_z, [x for row in z for x in row])
        layers.append(LayerGradients(layer.weights, layer.biases, _rows(deltas, width)))
    return Gradients(tuple(layers))


def _rows(x: Sequence[Any], width: int) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(x[start : start + width]) for start in range(0, len(x), width))


def _central(f: Callable[[Sequence[float]], float], x: Sequence[float], i: int, h: float) -> tuple[float, float]:
    """The central difference, and what rounding f to doubles contributes to its error."""
    above, below = x[i] + h, x[i] - h  # their difference, not 2h, is the step that was really taken
    right, left = f([*x[:i], above, *x[i + 1 :]]), f([*x[:i], below, *x[i + 1 :]])
    return (right - left) / (above - below), math.ulp(1.0) * (abs(right) + abs(left)) / (above - below)


def _ridders(f: Callable[[Sequence[float]], float], x: Sequence[float], i: int, levels: int) -> Estimate:
    best, previous, h = Estimate(math.nan, math.inf), list[float](), max(2.0**-4, abs(x[i]) * 2.0**-20)
    for level in range(levels):
        difference, rounding = _central(f, x, i, h / 2**level)
        row = [difference]
        for k, coarser in enumerate(previous, start=1):
            row.append(row[-1] + (row[-1] - coarser) / (4**k - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - coarser), rounding)
            if error < best.error:
                best = Estimate(row[-1], error)
        previous = row
    return best


def _complex_inner(
    a: Matrix[complex], b: Matrix[complex], biases: Vector[complex] | None = None
) -> list[list[complex]]:
    offsets = [0j] * len(b) if biases is None else biases
    return [[sum(map(operator.mul, row, other), bias) for other, bias in zip(b, offsets)] for row in a]


def _normal_pdf(z: complex) -> complex:
    return cmath.exp(-z * z / 2) / math.sqrt(2 * math.pi)


# The complex numbers, for the complex step: a kink is looked at along the real axis, and Φ is taken to first
# order in the imaginary part, which is all that a step of 2⁻¹⁰⁰ can see.
COMPLEX: Arithmetic[complex] = Arithmetic(
    name="complex",
    lift=lambda rows: [[complex(x) for x in row] for row in rows],
    ratio=lambda p, q: complex(p / q),
    inner=_complex_inner,
    elementwise=lambda function, rows: [[function.formula(z, COMPLEX) for z in row] for row in rows],
    exp=cmath.exp,
    expm1=lambda z: complex(math.expm1(z.real), cmath.exp(z).imag),
    log=cmath.log,
    log1p=lambda z: complex(math.log1p(z.real), cmath.log(1 + z).imag),
    tanh=cmath.tanh,
    normal_cdf=lambda z: FLOAT.normal_cdf(z.real) + _normal_pdf(z) * complex(0.0, z.imag),
    normal_pdf=_normal_pdf,
    less=lambda x, y: x.real < y.real,
)
_METHODS: dict[
    str, tuple[Callable[[Callable[[Sequence[Any]], Any], Sequence[float]], list[float]], Arithmetic[Any]]
] = {
    "central": (central_differences, FLOAT),
    "richardson": (lambda f, x: [estimate.value for estimate in richardson(f, x)], FLOAT),
    "complex": (complex_step, COMPLEX),
}
