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

from purebp.textbook.arithmetic import DEFAULT, Arithmetic, Formula, Function, Matrix, N, PurebpError, Vector
from purebp.textbook.linalg import dot, hadamard, total
from purebp.textbook.names import look_up


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
    kinks: tuple[float, ...] = field(default=(), repr=False)

    def __call__(self, z: N, arithmetic: Arithmetic[N] = DEFAULT) -> N:
        return arithmetic.elementwise(self.value, [[z]])[0][0]

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

    def __call__(self, z: Vector[N], arithmetic: Arithmetic[N] = DEFAULT) -> list[N]:
        _, powers, total = exponentials(z, arithmetic)
        return [power / total for power in powers]

    value = __call__

    def derivative(self, z: Vector[N], arithmetic: Arithmetic[N] = DEFAULT) -> list[list[N]]:
        """The Jacobian ∂aᵢ/∂zⱼ = aᵢ ([i = j] − aⱼ)."""
        a = self(z, arithmetic)
        return [[ai * (1 - aj) if i == j else -(ai * aj) for j, aj in enumerate(a)] for i, ai in enumerate(a)]

    def apply(self, z: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        return [self(row, arithmetic) for row in z]

    def backward(self, error: Matrix[N], z: Matrix[N], a: Matrix[N], arithmetic: Arithmetic[N]) -> list[list[N]]:
        """The Jacobian is symmetric, so ∂loss/∂zⱼ = aⱼ (errorⱼ − Σₖ errorₖ aₖ)."""
        means = [dot(row, other, arithmetic) for row, other in zip(error, a)]
        return [[aj * (ej - mean) for aj, ej in zip(row, errors)] for row, errors, mean in zip(a, error, means)]


def exponentials(z: Vector[N], arithmetic: Arithmetic[N] = DEFAULT) -> tuple[N, list[N], N]:
    """m = max z, the powers e^(zⱼ − m), and their sum: log Σ e^zⱼ is m + log of that sum.

    >>> exponentials([1000.0, 1000.0])
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
    return power / (1 + power) / (1 + power)


def _softplus(z: N, arithmetic: Arithmetic[N]) -> N:
    if arithmetic.less(z, 0):
        return arithmetic.log1p(arithmetic.exp(z))
    return z + arithmetic.log1p(arithmetic.exp(-z))


def _silu_derivative(z: N, arithmetic: Arithmetic[N]) -> N:
    return _sigmoid(z, arithmetic) * (1 + z * _sigmoid(-z, arithmetic))


def _one(z: N, arithmetic: Arithmetic[N]) -> N:
    return arithmetic.one


def _elementwise(name: str, value: Formula, derivative: Formula, *kinks: float) -> Elementwise:
    return Elementwise(name, Function(name, value), Function(f"{name}′", derivative), kinks)


identity = _elementwise("identity", lambda z, arithmetic: z, _one)
sigmoid = _elementwise("sigmoid", _sigmoid, _sigmoid_derivative)
tanh = _elementwise(
    "tanh", lambda z, arithmetic: arithmetic.tanh(z), lambda z, arithmetic: 4 * _sigmoid_derivative(2 * z, arithmetic)
)
softplus = _elementwise("softplus", _softplus, _sigmoid)
silu = _elementwise("silu", lambda z, arithmetic: z * _sigmoid(z, arithmetic), _silu_derivative)
gelu = _elementwise(
    "gelu",
    lambda z, arithmetic: z * arithmetic.normal_cdf(z),
    lambda z, arithmetic: arithmetic.normal_cdf(z) + z * arithmetic.normal_pdf(z),
)
relu = _elementwise(
    "relu",
    lambda z, arithmetic: arithmetic.ratio(0, 1) if arithmetic.less(z, 0) else z,  # NaN stays NaN
    lambda z, arithmetic: arithmetic.ratio(1 if arithmetic.less(0, z) else 0, 1),
    0.0,
)
softmax = Softmax()


def leaky_relu(slope: float = 0.01) -> Elementwise:
    """f(z) = z for z > 0, slope · z otherwise.

    >>> leaky_relu(0.5).name, leaky_relu(0.5)(-2.0)
    ('leaky_relu(0.5)', -1.0)
    """
    return _one_sided("leaky_relu", slope, lambda z, arithmetic: z, _one)


def elu(alpha: float = 1.0) -> Elementwise:
    """f(z) = z for z > 0, alpha · (e^z − 1) otherwise; without a kink where alpha is 1.

    >>> elu(1.0)(-1e308), elu(1.0).kinks, elu(0.5).kinks
    (-1.0, (), (0.0,))
    """
    return _one_sided("elu", alpha, lambda z, arithmetic: arithmetic.expm1(z), lambda z, arithmetic: arithmetic.exp(z))


def _one_sided(name: str, scale: float, value: Formula, derivative: Formula) -> Elementwise:
    """f(z) = z for z > 0, and scale · value(z) otherwise, where value′(0) = 1."""
    if not isfinite(scale):
        raise PurebpError(f"{name}({scale}): the parameter must be a finite number")
    return _elementwise(
        f"{name}({float(scale)!r})",
        lambda z, arithmetic: z if arithmetic.less(0, z) else arithmetic.number(scale) * value(z, arithmetic),
        lambda z, arithmetic: (
            arithmetic.ratio(1, 1) if arithmetic.less(0, z) else arithmetic.number(scale) * derivative(z, arithmetic)
        ),
        *(() if scale == 1 else (0.0,)),
    )


_PLAIN: dict[str, Activation] = {f.name: f for f in (identity, sigmoid, tanh, relu, softplus, silu, gelu, softmax)}


def activation(name: str | Activation) -> Activation:
    """The activation of that name, such as "tanh", "leaky_relu(0.01)" or "elu" with its default.

    >>> activation("elu(1.0)") == elu(1.0)
    True
    """
    if isinstance(name, Activation):
        return name
    return look_up("activation", name, _PLAIN, {"leaky_relu": leaky_relu, "elu": elu})
