"""Decimal arithmetic at any precision, every elementary function within 10^(1 − digits) of the truth, relatively.

The standard library's decimal rounds +, −, ×, ÷, exp and ln correctly. The other functions are built from them
with `GUARD` more digits than asked for, and with as many again as a subtraction is known to cancel:

| function | formula | why it is accurate |
| --- | --- | --- |
| expm1(x) | e^x − 1 | for ǀxǀ < ½ the result is about x: as many more digits as x has zeros after the point |
| log1p(x) | ln(1 + x) | likewise, and 1 + x is then exact to those digits |
| tanh(x) | s / (s + 2), s = expm1(2 ǀxǀ) | no subtraction at all |
| φ(x) | e^(−x²/2) / √(2π) | x² is exact to twice the digits of x: with them, its absolute error stays small |
| Φ(x) | ½ + Σ, or a continued fraction in the tail | below |

Φ(x) = ½ + φ(x) (x + x³/3 + x⁵/15 + …) has positive terms (Abramowitz and Stegun 26.2.11); for x < 0 it cancels
against ½, by at most x²/2 · log₁₀e + 2 digits, which are added. From x² > 5 · digits on, Φ(−x) = φ(x) / (x + 1/(x +
2/(x + 3/(x + …)))) (26.2.14), whose convergents lie alternately above and below: it ends when two agree.

Each operation adds at most ½ · 10^(1 − digits − GUARD), relatively, and a function takes far fewer than 10^GUARD of
them; rounding the result to its digits adds ½ · 10^(1 − digits). Together that is below 10^(1 − digits). Exponents
reach ±10^17 and more; what lies beyond, such as e^(−10^300), is 0.

What the textbook code makes of these functions is not as accurate where it subtracts: silu′ near its root, for one.
The balls, which run over these decimals, count that in.

The numbers carry their own context: they are `Decimal`s whose operators neither read nor change the caller's.

>>> THIRTY = decimal(30)
>>> THIRTY.tanh(THIRTY.lift([[1e-20]])[0][0])
Decimal('9.99999999999999945153271454210E-21')
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation
from fractions import Fraction
from functools import lru_cache

from purebp.textbook.arithmetic import Arithmetic, Matrix, PurebpError, Vector

GUARD = 10
LONGEST = 999_999_999


def context(digits: int) -> Context:
    """A decimal context of that many digits, with the widest exponents, that rounds half to even.

    >>> context(5).divide(Decimal(2), Decimal(3))
    Decimal('0.66667')
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= LONGEST:
        raise PurebpError(f"{digits!r} digits: a whole number above 0 is wanted, at most {LONGEST:,}")
    return Context(digits, ROUND_HALF_EVEN, MIN_EMIN, MAX_EMAX, traps=[InvalidOperation, DivisionByZero])


def decimal(digits: int) -> Arithmetic[Decimal]:
    """The number system of decimals with that many significant digits.

    >>> from purebp import Batch, Network, backpropagation
    >>> network = Network.random([1, 1], "identity").with_parameters([0.5, 0.25])
    >>> backpropagation(network, Batch([[1.0], [1.0], [2.0]], [[0.0], [1.0], [1.0]]), "mse", decimal(12)).layers[0].biases
    (Decimal('0.500000000000'),)
    """
    own = context(digits)

    class Number(Decimal):
        """A Decimal whose operators round to `digits`."""

        def __add__(self, other: Decimal | int) -> Decimal:
            return Number(own.add(self, other))

        def __sub__(self, other: Decimal | int) -> Decimal:
            return Number(own.subtract(self, other))

        def __mul__(self, other: Decimal | int) -> Decimal:
            return Number(own.multiply(self, other))

        def __truediv__(self, other: Decimal | int) -> Decimal:
            return Number(own.divide(self, other))

        def __rsub__(self, other: Decimal | int) -> Decimal:
            return Number(own.subtract(other, self))

        def __rtruediv__(self, other: Decimal | int) -> Decimal:
            return Number(own.divide(other, self))

        def __neg__(self) -> Decimal:
            return Number(self.copy_negate())

        __radd__ = __add__
        __rmul__ = __mul__

    def function(f: Callable[[Decimal, int], Decimal]) -> Callable[[Decimal], Decimal]:
        return lambda x: Number(own.plus(f(Decimal(x), digits + GUARD)))

    def lift_one(x: float | Decimal | Fraction) -> Decimal:
        try:
            number = own.divide(x.numerator, x.denominator) if isinstance(x, Fraction) else own.create_decimal(x)
        except TypeError:
            raise PurebpError(f"{x!r:.60} is no decimal number: a real number is wanted") from None
        if not number.is_finite():
            raise PurebpError(f"{x} is no decimal number: only finite numbers can be lifted")
        return Number(number)

    def inner(a: Matrix[Decimal], b: Matrix[Decimal], biases: Vector[Decimal] | None = None) -> list[list[Decimal]]:
        offsets = [Number(0)] * len(b) if biases is None else biases
        return [[sum(map(operator.mul, row, other), bias) for other, bias in zip(b, offsets)] for row in a]

    system: Arithmetic[Decimal] = Arithmetic(
        name=f"decimal({digits})",
        lift=lambda rows: [[x if isinstance(x, Number) else lift_one(x) for x in row] for row in rows],
        ratio=lambda p, q: Number(own.divide(p, q)),
        inner=inner,
        elementwise=lambda function, rows: [[function.formula(x, system) for x in row] for row in rows],
        exp=lru_cache(1 << 12)(lambda x: Number(own.exp(x))),  # f and f′ take the same power
        expm1=function(_expm1),
        log=lambda x: Number(own.ln(x)),
        log1p=function(_log1p),
        tanh=function(_tanh),
        normal_cdf=function(_normal_cdf),
        normal_pdf=function(_normal_pdf),
        less=operator.lt,
    )
    return system


def _expm1(x: Decimal, work: int) -> Decimal:
    zeros = max(0, -x.adjusted())
    if not x or zeros > work:
        on = context(work)
        return on.multiply(x, on.add(1, on.divide(x, 2)))  # the next term is x²/6 of this
    on = context(work + zeros + 1)
    return on.subtract(on.exp(x), 1)


def _log1p(x: Decimal, work: int) -> Decimal:
    zeros = max(0, -x.adjusted())
    if not x or zeros > work:
        on = context(work)
        return on.multiply(x, on.subtract(1, on.divide(x, 2)))  # the next term is x²/3 of this
    on = context(work + zeros + 1)
    return on.ln(on.add(1, x))


def _tanh(x: Decimal, work: int) -> Decimal:
    on, magnitude = context(work), x.copy_abs()
    if magnitude > 2 * work:
        return Decimal(1).copy_sign(x)  # 1 − tanh = 2 / (e^2x + 1) < 10^−work
    s = _expm1(on.multiply(2, magnitude), work)
    return on.divide(s, on.add(s, 2)).copy_sign(x)


def _normal_pdf(x: Decimal, work: int) -> Decimal:
    on = context(work)
    square = context(2 * work).multiply(x, x)  # exact
    return on.divide(on.exp(context(2 * work).divide(square, -2)), on.sqrt(on.multiply(2, _pi(work))))


def _normal_cdf(x: Decimal, work: int) -> Decimal:
    if x > 0:
        return context(work).subtract(1, _normal_cdf(x.copy_negate(), work))
    y = x.copy_abs()
    square = context(work).multiply(y, y)
    if square > 5 * work:
        return _upper_tail(y, work)
    on = context(work + int(square) // 4 + 6)  # y²/2 · log₁₀e < y²/4
    term = series = y
    k = 1
    while term > on.scaleb(series, -on.prec):
        k += 2
        term = on.divide(on.multiply(on.multiply(term, y), y), k)
        series = on.add(series, term)
    return on.subtract(on.divide(1, 2), on.multiply(_normal_pdf(y, on.prec), series))


def _upper_tail(y: Decimal, work: int) -> Decimal:
    """φ(y) / (y + 1/(y + 2/(y + …))): numerators and denominators both follow A ← y A + n A₋₁, all positive."""
    on = context(work)
    above, over, below, under = Decimal(1), Decimal(0), y, Decimal(1)
    fraction, n = on.divide(above, below), 1
    while True:
        above, over = on.add(on.multiply(y, above), on.multiply(n, over)), above
        below, under = on.add(on.multiply(y, below), on.multiply(n, under)), below
        previous, fraction, n = fraction, on.divide(above, below), n + 1
        if on.abs(on.subtract(fraction, previous)) <= on.scaleb(fraction, 1 - work):
            return on.multiply(_normal_pdf(y, work), fraction)


def _pi(digits: int) -> Decimal:
    """π = 16 arctan(1/5) − 4 arctan(1/239) (Machin 1706), in integers with ten digits to spare.

    >>> _pi(20)
    Decimal('3.1415926535897932385')
    """
    one = 10 ** (digits + 10)

    def arctan_of_inverse(n: int) -> int:
        total, power, k = 0, one // n, 1
        while power:
            total += power // k if k % 4 == 1 else -(power // k)
            power, k = power // (n * n), k + 2
        return total

    scaled = 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239)
    return context(digits).divide(scaled, one)
