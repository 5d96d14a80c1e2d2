"""Activations as data: a name, the value a = f(z), the derivative f′(z), and the kinks of f′.

Every formula is the stable one: it overflows for no finite float, and is relatively accurate where
the textbook form cancels, as σ′ = a(1 − a) does for a near 1. At a kink the derivative takes the
value that PyTorch gives it: relu′(0) = 0, leaky_relu′(0) = slope, elu′(0) = alpha.

>>> sigmoid(0.0), sigmoid.derivative(0.0), sigmoid(-1000.0)
(0.5, 0.25, 0.0)
>>> activation("leaky_relu(0.5)")(-3.0), relu.kinks
(-1.5, (0.0,))
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite

from purebp.arithmetic import FLOAT, Arithmetic, Formula, Function, Matrix, N, PurebpError, Vector, nothing
from purebp.linalg import dot, hadamard, total
from purebp.names import look_up


class Activation(ABC):
    """What a layer does to its pre-activations z, row by row, and how a gradient passes back."""

    name: str
    kinks: tuple[float, ...] = ()

    @abstractmethod
    def apply(self, z: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        """The activations a = f(z); samples × n_out."""

    @abstractmethod
    def backward(self, error: Matrix[N], z: Matrix[N], a: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        """∂loss/∂z from error = ∂loss/∂a: the error times the Jacobian of f; samples × n_out."""

    def __reduce__(self) -> tuple[Callable[[str], Activation], tuple[str]]:
        return activation, (self.name,)  # formulas do not pickle; the name finds them again


@dataclass(frozen=True)
class Elementwise(Activation):
    """An activation that works on each neuron alone: aⱼ = f(zⱼ), and backward error ⊙ f′(z)."""

    name: str
    value: Function = field(repr=False)
    derivative: Function = field(repr=False)

    def __call__(self, z: N, arithmetic: Arithmetic[N] = FLOAT) -> N:  # type: ignore[assignment]  # N is float when left out
        return self.value(z, arithmetic)

    @property
    def kinks(self) -> tuple[float, ...]:  # type: ignore[override]  # read-only here
        return tuple(point for point, _, _ in self.derivative.kinks)

    def apply(self, z: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        return arithmetic.elementwise(self.value, z)

    def backward(self, error: Matrix[N], z: Matrix[N], a: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        return hadamard(error, arithmetic.elementwise(self.derivative, z))


@dataclass(frozen=True)
class Softmax(Activation):
    """aⱼ = e^zⱼ / Σₖ e^zₖ over each row, shifted by the largest z so that nothing overflows.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    >>> softmax.derivative([0.0, 0.0])
    [[0.25, -0.25], [-0.25, 0.25]]
    """

    name: str = "softmax"

    def __call__(self, z: Vector[N], arithmetic: Arithmetic[N] = FLOAT) -> list[N]:  # type: ignore[assignment]  # as above
        _, powers, total = exponentials(z, arithmetic)
        return [power / total for power in powers]

    def derivative(self, z: Vector[N], arithmetic: Arithmetic[N] = FLOAT) -> list[list[N]]:  # type: ignore[assignment]  # as above
        """The Jacobian ∂aᵢ/∂zⱼ = aᵢ ([i = j] − aⱼ)."""
        a = self(z, arithmetic)
        return [[ai * (1 - aj) if i == j else -(ai * aj) for j, aj in enumerate(a)] for i, ai in enumerate(a)]

    def apply(self, z: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        return [self(row, arithmetic) for row in z]

    def backward(self, error: Matrix[N], z: Matrix[N], a: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        """The Jacobian is symmetric, so ∂loss/∂zⱼ = aⱼ (errorⱼ − Σₖ errorₖ aₖ)."""
        means = [dot(row, other, arithmetic) for row, other in zip(error, a)]
        return [[aj * (ej - mean) for aj, ej in zip(row, errors)] for row, errors, mean in zip(a, error, means)]


def exponentials(z: Vector[N], arithmetic: Arithmetic[N]) -> tuple[N, list[N], N]:
    """m = max z, the powers e^(zⱼ − m), and their sum: log Σ e^zⱼ is m + log of that sum.

    >>> exponentials([1000.0, 1000.0], FLOAT)
    (1000.0, [1.0, 1.0], 2.0)
    """
    largest = z[0]
    for candidate in z:
        largest = candidate if arithmetic.less(largest, candidate) else largest
    powers = [arithmetic.exp(x - largest) for x in z]
    return largest, powers, total(powers, arithmetic)


def _sigmoid(z: N, arithmetic: Arithmetic[N]) -> N:
    if arithmetic.less(z, 0):
        power = arithmetic.exp(z)
        return power / (1 + power)
    return 1 / (1 + arithmetic.exp(-z))


def _sigmoid_derivative(z: N, arithmetic: Arithmetic[N]) -> N:
    power = arithmetic.exp(z if arithmetic.less(z, 0) else -z)
    return power / ((1 + power) * (1 + power))


def _softplus(z: N, arithmetic: Arithmetic[N]) -> N:
    if arithmetic.less(z, 0):
        return arithmetic.log1p(arithmetic.exp(z))
    return z + arithmetic.log1p(arithmetic.exp(-z))


def _sigmoid_second(z: N, arithmetic: Arithmetic[N]) -> N:
    return -arithmetic.tanh(z / 2) * _sigmoid_derivative(z, arithmetic)


def _silu_derivative(z: N, arithmetic: Arithmetic[N]) -> N:
    return _sigmoid(z, arithmetic) * (1 + z * _sigmoid(-z, arithmetic))


def _silu_second(z: N, arithmetic: Arithmetic[N]) -> N:
    return _sigmoid_derivative(z, arithmetic) * (2 - z * arithmetic.tanh(z / 2))


def _elementwise(
    name: str,
    formulas: tuple[Formula, Formula, Formula],
    peaks: tuple[tuple[float, ...], tuple[float, ...]] = ((), ()),
    intermediates: tuple[Callable[[float], float], Callable[[float], float]] = (nothing, nothing),
    signed: bool = False,
    kinks: tuple[tuple[float, float, float], ...] = (),
) -> Elementwise:
    """From f, f′ and f″, the points between which |f′| and |f″| are monotone, and the largest intermediates."""
    f, df, ddf = formulas
    value = Function(name, f, df, peaks[0], intermediate=intermediates[0])
    slope = Function(f"{name}′", df, ddf, peaks[1], kinks, signed=signed, intermediate=intermediates[1])
    return Elementwise(name, value, slope)


def _piecewise_linear(name: str, value: Formula, derivative: Formula, *sides: float) -> Elementwise:
    corner, jump = (((0.0, 0.0, 0.0),), ((0.0, sides[0], sides[1]),)) if sides else ((), ())
    f = Function(name, value, kinks=corner, rational=True)
    return Elementwise(name, f, Function(f"{name}′", derivative, kinks=jump, rational=True))


def _unit(magnitude: float) -> float:
    return 1.0


def _at_least_one(magnitude: float) -> float:
    return max(1.0, magnitude)


def _one(z: N, arithmetic: Arithmetic[N]) -> N:
    return arithmetic.ratio(1, 1)


identity = _piecewise_linear("identity", lambda z, on: z, _one)
relu = _piecewise_linear(
    "relu",
    lambda z, on: z if on.less(0, z) else on.ratio(0, 1),
    lambda z, on: on.ratio(1 if on.less(0, z) else 0, 1),
    *(0.0, 1.0),
)
sigmoid = _elementwise(
    "sigmoid",
    (_sigmoid, _sigmoid_derivative, _sigmoid_second),
    ((0.0,), (-1.3169578969248166, 1.3169578969248166)),  # ± log(2 + √3)
    (_unit, _unit),
)
tanh = _elementwise(
    "tanh",
    (
        lambda z, on: on.tanh(z),
        lambda z, on: 4 * _sigmoid_derivative(2 * z, on),
        lambda z, on: 8 * _sigmoid_second(2 * z, on),
    ),
    ((0.0,), (-0.6584789484624084, 0.6584789484624084)),  # ± artanh(1/√3)
    (_unit, lambda magnitude: 2.0),  # a² and cosh² z have twice the relative error of a and cosh z
)
softplus = _elementwise("softplus", (_softplus, _sigmoid, _sigmoid_derivative), ((), (0.0,)), (_at_least_one, _unit))
silu = _elementwise(
    "silu",
    (lambda z, on: z * _sigmoid(z, on), _silu_derivative, _silu_second),
    ((-2.3993572805205468, 0.0, 2.3993572805205468), (-3.4358409935135107, 0.0, 3.4358409935135107)),
    (_at_least_one, _at_least_one),
    signed=True,
)
gelu = _elementwise(
    "gelu",
    (
        lambda z, on: z * on.normal_cdf(z),
        lambda z, on: on.normal_cdf(z) + z * on.normal_pdf(z),
        lambda z, on: (2 - z * z) * on.normal_pdf(z),
    ),
    ((-1.4142135623730951, 0.0, 1.4142135623730951), (-2.0, 0.0, 2.0)),
    (_at_least_one, _at_least_one),
    signed=True,
)
softmax = Softmax()


def leaky_relu(slope: float = 0.01) -> Elementwise:
    """f(z) = z for z > 0, slope · z otherwise.

    >>> leaky_relu(0.5).name, leaky_relu(0.5)(-2.0)
    ('leaky_relu(0.5)', -1.0)
    """
    name, rows = _parameter("leaky_relu", slope)
    return _piecewise_linear(
        name,
        lambda z, on: z if on.less(0, z) else on.lift(rows)[0][0] * z,
        lambda z, on: on.ratio(1, 1) if on.less(0, z) else on.lift(rows)[0][0],
        *(slope, 1.0),
    )


def elu(alpha: float = 1.0) -> Elementwise:
    """f(z) = z for z > 0, alpha · (e^z − 1) otherwise; without a kink where alpha is 1.

    >>> elu(1.0)(-1e308), elu(1.0).kinks, elu(0.5).kinks
    (-1.0, (), (0.0,))
    """
    name, rows = _parameter("elu", alpha)
    return _elementwise(
        name,
        (
            lambda z, on: z if on.less(0, z) else on.lift(rows)[0][0] * on.expm1(z),
            lambda z, on: on.ratio(1, 1) if on.less(0, z) else on.lift(rows)[0][0] * on.exp(z),
            lambda z, on: on.ratio(0, 1) if on.less(0, z) else on.lift(rows)[0][0] * on.exp(z),
        ),
        ((0.0,), (0.0,)),
        (lambda magnitude: max(1.0, abs(alpha)),) * 2,  # alpha e^z − alpha, and a + alpha for the derivative
        kinks=() if alpha == 1 else ((0.0, alpha, 1.0),),
    )


def _parameter(name: str, value: float) -> tuple[str, list[list[float]]]:
    if not isfinite(value):
        raise PurebpError(f"{name}({value}): the parameter must be a finite number")
    return f"{name}({float(value)!r})", [[float(value)]]


_PLAIN: dict[str, Activation] = {
    f.name: f for f in (identity, sigmoid, tanh, relu, softplus, silu, gelu, softmax)
}


def activation(name: str | Activation) -> Activation:
    """The activation of that name, such as "tanh", "leaky_relu(0.01)" or "elu" with its default.

    >>> activation("elu(1.0)") == elu(1.0)
    True
    """
    if isinstance(name, Activation):
        return name
    return look_up("activation", name, _PLAIN, {"leaky_relu": leaky_relu, "elu": elu})
