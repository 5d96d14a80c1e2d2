"""Dual numbers x + x′ε with ε² = 0: forward mode, the derivative carried along with the value.

`DUAL` is over floats; `dual(arithmetic)` is over any number system, also over duals themselves, which
gives second derivatives: with (x + vε₁) + wε₂, the coefficient of ε₁ε₂ is vᵀ H w.

At a kink they follow the branch that the value takes, and give another of the one-sided derivatives than
`backpropagation` does: 1 for relu at 0. And 1 − tanh² is formed as (1 − y)(1 + y), which is 0 where y rounds to 1.
Over balls there is no branch to follow: there f(x + x′ε) is f(x) + f′(x) x′ε with the rows of f and of f′, which hold
the values of both sides of a kink.

>>> from purebp import Batch, Layer, Network, evaluate
>>> network = Network([Layer([[Dual(2.0, 1.0)]], None, "identity")])  # ∂/∂w at w = 2
>>> evaluate(network, Batch([[1.0]], [[5.0]]), "sse", DUAL)
Dual(value=9.0, slope=-6.0)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

from purebp.textbook.arithmetic import FLOAT, Arithmetic, Function, Matrix, N, PurebpError, Vector


@dataclass(frozen=True, slots=True)
class Dual(Generic[N]):
    """value + slope ε."""

    value: N
    slope: N

    def __add__(self, other: Dual[N] | int) -> Dual[N]:
        if isinstance(other, int):
            return Dual(self.value + other, self.slope)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: Dual[N] | int) -> Dual[N]:
        return self + -other

    def __mul__(self, other: Dual[N] | int) -> Dual[N]:
        if isinstance(other, int):
            return Dual(self.value * other, self.slope * other)
        return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)

    def __truediv__(self, other: Dual[N] | int) -> Dual[N]:
        if isinstance(other, int):
            return Dual(self.value / other, self.slope / other)
        quotient = self.value / other.value
        return Dual(quotient, (self.slope - quotient * other.slope) / other.value)

    def __rtruediv__(self, other: int) -> Dual[N]:
        quotient = other / self.value
        return Dual(quotient, -(quotient * self.slope) / self.value)

    def __rsub__(self, other: int) -> Dual[N]:
        return -self + other

    def __neg__(self) -> Dual[N]:
        return Dual(-self.value, -self.slope)

    __radd__ = __add__
    __rmul__ = __mul__


def dual(arithmetic: Arithmetic[N]) -> Arithmetic[Dual[N]]:
    """The dual numbers over another number system.

    >>> second = dual(DUAL)
    >>> x = Dual(Dual(3.0, 1.0), Dual(1.0, 0.0))
    >>> (x * x * x).slope.slope  # (x³)″ = 6 x
    18.0
    """

    zero = arithmetic.zero
    depth = _depth(zero) + 1

    def lift_one(x: Any) -> Dual[N]:
        return x if _depth(x) == depth else Dual(arithmetic.lift([[x]])[0][0], zero)

    def inner(a: Matrix[Dual[N]], b: Matrix[Dual[N]], biases: Vector[Dual[N]] | None = None) -> list[list[Dual[N]]]:
        values, slopes = _split(a), _split(b)
        offsets = _split([biases]) if biases is not None else None
        products = arithmetic.inner(values[0], slopes[0], offsets[0][0] if offsets else None)
        # The product rule as one longer product: a·b′ + a′·b is the product of [a, a′] with [b′, b].
        left = [[*x, *dx] for x, dx in zip(*values)]
        right = [[*dy, *y] for y, dy in zip(*slopes)]
        derivatives = arithmetic.inner(left, right, offsets[1][0] if offsets else None)
        return [[Dual(x, dx) for x, dx in zip(*rows)] for rows in zip(products, derivatives)]

    def rule(f: Callable[[N], N], derivative: Callable[[N, N], N]) -> Callable[[Dual[N]], Dual[N]]:
        """f(x + x′ε) = f(x) + f′(x) x′ ε, where f′ is a function of x and f(x)."""

        def apply(x: Dual[N]) -> Dual[N]:
            y = f(x.value)
            return Dual(y, derivative(x.value, y) * x.slope)

        return apply

    def elementwise(function: Function, rows: Matrix[Dual[N]]) -> list[list[Dual[N]]]:
        bends = arithmetic.encloses and (function.bounds is None or function.bounds.kinks)
        if function.derivative is None and bends:  # a formula takes one side of a kink
            advice = "give its Function bounds=Bounds(...) and derivative=Function(...)"
            raise PurebpError(f"nothing is known about the derivative of {function.name}: {advice}")
        if function.derivative is None or not arithmetic.encloses:
            return [[function.formula(x, system) for x in row] for row in rows]
        values, slopes = _split(rows)
        y, steep = (arithmetic.elementwise(f, values) for f in (function, function.derivative))
        return [[Dual(x, s * dx) for x, s, dx in zip(*numbers)] for numbers in zip(y, steep, slopes)]

    system: Arithmetic[Dual[N]] = Arithmetic(
        name=f"dual({arithmetic.name})",
        lift=lambda rows: [[lift_one(x) for x in row] for row in rows],
        ratio=lambda p, q: Dual(arithmetic.ratio(p, q), zero),
        inner=inner,
        elementwise=elementwise,
        exp=rule(arithmetic.exp, lambda x, y: y),
        expm1=rule(arithmetic.expm1, lambda x, y: arithmetic.exp(x)),
        log=rule(arithmetic.log, lambda x, y: 1 / x),
        log1p=rule(arithmetic.log1p, lambda x, y: 1 / (1 + x)),
        tanh=rule(arithmetic.tanh, lambda x, y: (1 - y) * (1 + y)),
        normal_cdf=rule(arithmetic.normal_cdf, lambda x, y: arithmetic.normal_pdf(x)),
        normal_pdf=rule(arithmetic.normal_pdf, lambda x, y: -x * y),
        less=lambda x, y: arithmetic.less(_value(x), _value(y)),
        hull=lambda xs: Dual(arithmetic.hull([x.value for x in xs]), arithmetic.hull([x.slope for x in xs])),
    )
    return system


def _depth(x: Any) -> int:
    return 1 + _depth(x.value) if isinstance(x, Dual) else 0


def _value(x: Dual[N] | int) -> N | int:
    return x if isinstance(x, int) else x.value


def _split(rows: Matrix[Dual[N]]) -> tuple[list[list[N]], list[list[N]]]:
    return [[x.value for x in row] for row in rows], [[x.slope for x in row] for row in rows]


DUAL = dual(FLOAT)
