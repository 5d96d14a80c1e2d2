"""Balls: a midpoint at high precision, and a radius that holds every value a correct implementation may return.

`ball(format)` is the number system of docs/error-budget.md: run over it, the textbook code computes for each number
an interval that contains the exact value and whatever any conforming implementation in that format returns.
`ball(None)` has no candidate in mind: its balls enclose the exact value alone.

Midpoint and radius are integers on a common power of two, (mantissa ± spread) · 2^exponent. Products and sums of
integers are exact, so a radius can neither underflow nor become NaN, and the only error of the reference itself is
that of rounding a mantissa to `digits`, and of the elementary functions. A radius without bound is `None` inside, and
`inf` outside.

>>> sharp = ball("binary32")
>>> third = sharp.ratio(1, 3)
>>> round(third.midpoint, 12), third.radius
(Decimal('0.333333333333'), 7.947285970052084e-08)
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, Inexact
from struct import iter_unpack
from typing import NamedTuple

from purebp.number_systems.decimals import GUARD, context, decimal
from purebp.number_systems.formats import Format, format_named, is_exact
from purebp.textbook.activations import tanh
from purebp.textbook.arithmetic import FLOAT, Arithmetic, Bounds, Function, Matrix, N, PurebpError, Undecided, Vector

if sys.version_info >= (3, 12):
    sumprod: Callable[[Sequence[int], Sequence[int]], int] = math.sumprod  # type: ignore[assignment]  # of integers, one
else:

    def sumprod(a: Sequence[int], b: Sequence[int]) -> int:
        """Exact for integers, as math.sumprod is, which is faster."""
        return sum(map(operator.mul, a, b))


new = tuple.__new__  # for balls in bulk: the __new__ of a NamedTuple is a Python function, and takes twice as long
K = 8  # roundoffs of an elementary function, its formula included; docs/error-budget.md counts them
K_STRICT = 12  # those of a stable formula, relative to its result
WIDEST = 1 << 8  # bytes of a field in `products`
FEW = 8  # rows or columns, which are multiplied sooner than packed
DEEPEST = 1 << 14  # bits below which a number in a row is truncated, its rest going into the radius


class Ball(NamedTuple):
    """(mantissa ± spread) · 2^exponent; spread None is a radius without bound.

    A tuple, because a frozen dataclass takes four times as long to make; its + and × are those of numbers.
    """

    mantissa: int
    exponent: int
    spread: int | None
    rules: Rules

    @property
    def midpoint(self) -> Decimal:
        """The reference value."""
        return exact_decimal(self.mantissa, self.exponent)

    @property
    def radius(self) -> float:
        """The radius, rounded upwards."""
        return math.inf if self.spread is None else float_above(self.spread, self.exponent)

    def __repr__(self) -> str:
        """Short: a mantissa can have more digits than Python agrees to print."""
        return f"Ball({self.midpoint:.17g} ± {self.radius:.1g})"

    def __add__(self, other: Ball | int) -> Ball:  # type: ignore[override]  # a sum, not a concatenation
        return self.rules.sum(self, other)

    def __sub__(self, other: Ball | int) -> Ball:
        return self.rules.sum(self, -other)

    def __rsub__(self, other: int) -> Ball:
        return self.rules.sum(-self, other)

    def __mul__(self, other: Ball | int) -> Ball:  # type: ignore[override]  # a product, not a repetition
        return self.rules.product(self, other)

    def __truediv__(self, other: Ball | int) -> Ball:
        return self.rules.quotient(self, other)

    def __rtruediv__(self, other: int) -> Ball:
        return self.rules.quotient(other, self)

    def __neg__(self) -> Ball:
        return Ball(-self.mantissa, self.exponent, self.spread, self.rules)

    def __radd__(self, other: int) -> Ball:
        return self.rules.sum(self, other)

    def __rmul__(self, other: int) -> Ball:  # type: ignore[override]  # as above
        return self.rules.product(self, other)


@dataclass(frozen=True, slots=True)
class Rules:
    """How balls are combined, for a format (None: no roundoff but the reference's own) and a precision.

    extra_terms: by how many more terms a dot product may be continued in the buffer that holds it.
    """

    format: Format | None
    digits: int
    extra_terms: int = 0
    bits: int = field(init=False)  # of a mantissa: 2^−bits is below 10^−digits / 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "bits", int(self.digits * math.log2(10)) + 2)

    @property
    def kept(self) -> Format | None:
        """The format in which results are stored once, if they are."""
        return self.format.kept if self.format else None

    def exact(self, mantissa: int, exponent: int = 0) -> Ball:
        return Ball(mantissa, exponent, 0, self)

    def stored(self, mantissa: int, spread: int | None, exponent: int, roundoffs: int = 1) -> Ball:
        """The result of one operation, with the error of storing it, (|m| + r) u + η, and the reference's own."""
        if spread is not None and self.format is not None:
            mantissa, spread, exponent = self.refined(mantissa, spread, exponent)
            spread += (roundoffs * (abs(mantissa) + spread) >> self.format.precision) + 1 + self.eta(exponent)
            if self.overflows(abs(mantissa) + spread, exponent):
                spread = None
        return self.trimmed(mantissa, spread, exponent)

    def rounded(self, x: Ball, roundoffs: int) -> Ball:
        return self.stored(x.mantissa, x.spread, x.exponent, roundoffs)

    def trimmed(self, mantissa: int, spread: int | None, exponent: int) -> Ball:
        """The mantissa cut to the digits of the reference; what is cut off goes into the radius."""
        excess = mantissa.bit_length() - self.bits
        if spread and spread.bit_length() > excess + 8 * self.bits:
            excess = spread.bit_length() - 8 * self.bits
        if excess > 0:
            whole, mantissa = mantissa, mantissa >> excess
            if spread is not None:
                spread = -(-spread >> excess) + (whole != mantissa << excess)
            exponent += excess
        return Ball(mantissa, exponent, spread, self)

    def refined(self, mantissa: int, spread: int, exponent: int) -> tuple[int, int, int]:
        """The same on a unit so fine that one more of it is nothing beside the ball."""
        shift = self.spare(max(abs(mantissa), spread), exponent)
        return mantissa << shift, spread << shift, exponent - shift

    def spare(self, magnitude: int, exponent: int) -> int:
        """Bits by which to shift a number of that magnitude, so that a unit is at most 2^(1 − bits) of it, or below η."""
        if magnitude:
            return max(0, self.bits - magnitude.bit_length())
        return max(0, exponent - self.format.emin) if self.format is not None else 0

    def eta(self, exponent: int) -> int:
        """Twice the smallest normal number, for the 2 of a square may come last; in units of 2^exponent, rounded upwards."""
        return 1 << max(0, self.format.emin + 1 - exponent) if self.format is not None else 0

    def overflows(self, magnitude: int, exponent: int) -> bool:
        return self.format is not None and magnitude.bit_length() + exponent > self.format.emax + 1

    def unbounded(self, x: Ball) -> Ball:
        """The same midpoint, of which nothing more is known."""
        return Ball(x.mantissa, x.exponent, None, self)

    def of(self, x: Ball | int) -> Ball:
        return self.exact(x) if isinstance(x, int) else x

    def sum(self, x: Ball, other: Ball | int) -> Ball:
        y = self.of(other)
        exponent, (m, n), radii = _aligned((x, y))
        return self.stored(m + n, None if radii is None else sum(radii), exponent)

    def product(self, x: Ball, other: Ball | int) -> Ball:
        """Four roundoffs: δ = ŷ − y may also be (y · (1/ŷ)) · ŷ, a division and a factor that undoes it."""
        y = self.of(other)
        m, n, r, s = x.mantissa, y.mantissa, x.spread, y.spread
        spread = None if r is None or s is None else abs(m) * s + r * (abs(n) + s)
        return self.stored(m * n, spread, x.exponent + y.exponent, roundoffs=4)

    def quotient(self, dividend: Ball | int, divisor: Ball | int) -> Ball:
        """|x/y − m/n| ≤ (r + |m/n| s) / (|n| − s)."""
        x, y = self.of(dividend), self.of(divisor)
        if not y.mantissa:
            if y.spread == 0:
                raise ZeroDivisionError("division by zero")
            return self.unbounded(x)
        n, m = abs(y.mantissa), x.mantissa if y.mantissa > 0 else -x.mantissa
        shift = self.bits + n.bit_length() + 2
        q, remainder = divmod(m << shift, n)
        if x.spread is None or y.spread is None or y.spread >= n:
            return self.trimmed(q, None, x.exponent - y.exponent - shift)
        spread = -(-((x.spread << shift) + (abs(q) + 1) * y.spread) // (n - y.spread)) + bool(remainder)
        return self.stored(q, spread, x.exponent - y.exponent - shift)

    def ratio(self, p: int, q: int) -> Ball:
        """p/q: a factor such as 1/n may be applied at the start, at the end or in parts, hence four roundoffs."""
        if q == 1:
            return self.exact(p)
        shift = self.bits + q.bit_length()
        mantissa, remainder = divmod(p << shift, q)
        return self.stored(mantissa, int(remainder != 0), -shift, roundoffs=4)

    def lift(self, rows: Matrix[float | Ball]) -> list[list[Ball]]:
        """Doubles exactly; where the format must round them, with that error."""
        return [[x if isinstance(x, Ball) else self.lift_one(x) for x in row] for row in rows]

    def lift_one(self, x: float) -> Ball:
        try:
            mantissa, denominator = x.as_integer_ratio()
        except (AttributeError, ValueError, OverflowError):
            raise PurebpError(f"{x!r:.60} cannot be enclosed: networks and batches must hold finite numbers") from None
        exponent, spread = 1 - denominator.bit_length(), 0
        if denominator & (denominator - 1):  # a Fraction or a Decimal that is no dyadic number
            exponent -= self.bits
            mantissa, spread = (mantissa << -exponent) // denominator, 1
        elif self.format is None or is_exact(x, self.format):
            return new(Ball, (mantissa, exponent, 0, self))
        return self.stored(mantissa, spread, exponent)

    def inner(self, a: Matrix[Ball], b: Matrix[Ball], biases: Vector[Ball] | None = None) -> list[list[Ball]]:
        """Dot products of rows, summed in any order; a bias is one more term, times 1."""
        if biases is not None:
            a = [[*row, self.exact(1)] for row in a]
            b = [[*row, bias] for row, bias in zip(b, biases)]
        lefts, rights = list(map(self._row, a)), list(map(self._row, b))
        sums = products([row.mantissas for row in lefts], [row.mantissas for row in rights])
        spreads = products([row.radii for row in lefts], [row.reach for row in rights])
        magnitudes = [row.magnitudes for row in lefts]
        if any(any(row.radii) for row in rights):
            rest = products(magnitudes, [row.radii for row in rights])
            spreads = (list(map(operator.add, *rows)) for rows in zip(spreads, rest))
        if self.format is None:
            return [self._exact(row, rights, *numbers) for row, *numbers in zip(lefts, sums, spreads)]
        sizes = products(magnitudes, [row.magnitudes for row in rights])
        return [
            [self._dot(row, other, biases is not None, *numbers) for other, *numbers in zip(rights, *rows)]
            for row, *rows in zip(lefts, sums, spreads, sizes)
        ]

    def _row(self, row: Sequence[Ball]) -> Row:
        exponent, mantissas, radii = _aligned(row)
        bounded, radii = radii is not None, radii or [0] * len(row)
        if self.format is not None and self.format.operand_bits:
            exponent -= self.bits  # so that a unit is nothing beside a rounded operand
            mantissas, radii = [m << self.bits for m in mantissas], [r << self.bits for r in radii]
            radii = [r + (abs(m) + r >> self.format.operand_bits) + 1 for m, r in zip(mantissas, radii)]
        magnitudes = list(map(abs, mantissas))
        return Row(exponent, mantissas, magnitudes, radii, list(map(operator.add, magnitudes, radii)), bounded)

    def _exact(self, a: Row, rights: Sequence[Row], sums: Sequence[int], spreads: Sequence[int]) -> list[Ball]:
        """The dot products of a row, left exact: a sum over parts of a batch is then the sum over the whole."""
        return [
            new(Ball, (m, a.exponent + b.exponent, r if a.bounded and b.bounded else None, self))
            for b, m, r in zip(rights, sums, spreads)
        ]

    def _dot(self, a: Row, b: Row, with_bias: bool, mantissa: int, spread: int, size: int) -> Ball:
        """From Σ ab, E = Σ r_a (|b| + r_b) + |a| r_b and Σ |a||b|: r = E (1 + γₙ) + γₙ Σ |a||b| + 2 n η (1 + γₙ)."""
        assert self.format is not None
        exponent = a.exponent + b.exponent
        if not (a.bounded and b.bounded):
            return Ball(mantissa, exponent, None, self)
        terms = len(a.mantissas) + self.extra_terms
        room = (1 << self.format.accumulate_bits) - terms  # γₙ = n u / (1 − n u) = terms / room
        if room <= 0:
            return Ball(mantissa, exponent, None, self)
        shift = self.spare(max(size, spread), exponent)
        mantissa, spread, size, exponent = mantissa << shift, spread << shift, size << shift, exponent - shift
        underflow = 2 * terms * self.eta(exponent)
        spread += underflow - (-terms * (spread + size + underflow) // room)
        if self.format.precision < self.format.accumulate_bits:  # the product is stored, then its sum with the bias
            bias = a.magnitudes[-1] * b.magnitudes[-1] << shift if with_bias else 0
            for magnitude in (abs(mantissa) + bias, abs(mantissa)):
                spread += (magnitude + spread >> self.format.precision) + 1 + self.eta(exponent)
        if self.overflows(size + spread, exponent):
            return Ball(mantissa, exponent, None, self)
        return self.trimmed(mantissa, spread, exponent)

    def apply(self, function: Function, x: Ball, system: Arithmetic[Ball], decimals: Arithmetic[Decimal]) -> Ball:
        """f over the ball: by its bounds where it is smooth, else the hull of its ends and its one-sided values."""
        if x.spread is None:
            return self.unbounded(self.apply(function, self.exact(x.mantissa, x.exponent), system, decimals))
        ends = [self.exact(x.mantissa + side * x.spread, x.exponent) for side in (-1, 1)]
        bounds = function.bounds
        if bounds is None:
            advice = "give its Function bounds=Bounds(...)"
            raise PurebpError(f"nothing is known about the error of {function.name}: {advice}")
        points = [(self.lift_one(point), (left, right)) for point, left, right in bounds.kinks]
        within = [(p, sides) for p, sides in points if not self.less(p, ends[0]) and not self.less(ends[1], p)]
        if within:
            inside = [end for end in ends if all(self.less(end, p) or self.less(p, end) for p, _ in within)]
            values = [self.rounded(self.lift_one(side), K) for _, sides in within for side in sides]
            return self.hull([*(self.apply(function, end, system, decimals) for end in inside), *values])
        if bounds.slope is None:
            return function.formula(x, system)
        return self.bounded(function, bounds, x, decimals)

    def bounded(self, function: Function, bounds: Bounds, x: Ball, decimals: Arithmetic[Decimal]) -> Ball:
        """r = L r_x + K u (max(|f(m)|, C) + L r_x) + η + the reference's own, L = sup |f′| over the ball."""
        assert x.spread is not None
        low = -float_above(x.spread - x.mantissa, x.exponent)
        high = float_above(x.spread + x.mantissa, x.exponent)
        lipschitz = steepest(function, bounds, low, high)
        point, inexact = nearest_decimal(x.mantissa, x.exponent, self.digits + GUARD)
        try:
            value = function.formula(decimals.lift([[point]])[0][0], decimals)
        except (ArithmeticError, ValueError):
            return Ball(0, 0, None, self)
        if not value.is_finite():
            return Ball(0, 0, None, self)
        mantissa, exponent = self.dyadic(value)
        magnitude = max(abs(low), abs(high))
        if not math.isfinite(lipschitz) or (self.format is not None and math.isinf(magnitude)):
            return self.trimmed(mantissa, None, exponent)
        exact_zero = not value and not x.mantissa and not x.spread
        input_mantissa, input_spread, input_exponent = self.refined(x.mantissa, x.spread, x.exponent)
        if inexact:
            input_spread += (abs(input_mantissa) >> self.bits) + 1
        spread = scaled(lipschitz, input_spread, input_exponent, exponent)
        if not exact_zero:
            spread += 2  # the formula is accurate to digits + GUARD − 5, and cutting its value to bits loses one unit
        if bounds.signed:
            spread += scaled(4 * lipschitz, 1, -self.bits, exponent)
        if self.format is None:
            return self.trimmed(mantissa, spread, exponent)
        largest, eta = bounds.intermediate(magnitude), self.eta(exponent)
        if self.format.strict and bounds.stable:
            roundoffs = K_STRICT * (abs(mantissa) + spread)
            eta *= math.ceil(largest)  # a factor that underflows is multiplied by the other one
        else:
            roundoffs = K * (max(abs(mantissa), scaled(largest, 1, 0, exponent)) + spread)
        spread += (roundoffs >> self.format.precision) + 1 + eta
        return self.trimmed(mantissa, None if self.overflows(abs(mantissa) + spread, exponent) else spread, exponent)

    def dyadic(self, value: Decimal) -> tuple[int, int]:
        """A decimal as mantissa · 2^exponent, cut to the bits of a mantissa; what is tiny beyond use is 0."""
        if not value or value.adjusted() < -DEEPEST // 4:
            return 0, -DEEPEST // 2
        numerator, denominator = value.as_integer_ratio()
        shift = self.bits + denominator.bit_length() - numerator.bit_length()
        return ((numerator << shift) if shift > 0 else numerator >> -shift) // denominator, -shift

    def hull(self, balls: list[Ball]) -> Ball:
        """The smallest ball that holds them all."""
        exponent, mantissas, radii = _aligned(balls)
        if radii is None:
            return Ball(mantissas[0], exponent, None, self)
        low, high = min(map(operator.sub, mantissas, radii)), max(map(operator.add, mantissas, radii))
        return self.trimmed(low + high, high - low, exponent - 1)

    def less(self, x: Ball | int, y: Ball | int) -> bool:
        """Whether it is so of all their numbers; Undecided if of some alone."""
        a, b = self.of(x), self.of(y)
        low = min(a.exponent, b.exponent)
        gap = (b.mantissa << b.exponent - low) - (a.mantissa << a.exponent - low)
        if a.spread is None or b.spread is None:
            raise Undecided("it is not known which of two numbers is less: of one there is no bound")
        if abs(gap) <= (a.spread << a.exponent - low) + (b.spread << b.exponent - low) > 0:
            raise Undecided("it is not known which of two numbers is less: their intervals overlap")
        return gap > 0


@dataclass(frozen=True, slots=True)
class Row:
    """A row of balls on one exponent; reach is |m| + r. Where one has no bound, none is `bounded`: radii are then 0."""

    exponent: int
    mantissas: list[int]
    magnitudes: list[int]
    radii: list[int]
    reach: list[int]
    bounded: bool


def ball(format: Format | str | None = None, digits: int = 38, extra_terms: int = 0) -> Arithmetic[Ball]:
    """The number system of balls for a format, or of plain enclosures of the exact value for None.

    With extra_terms, a buffer that holds a dot product may be continued by as many terms, in any order.

    >>> from purebp import Batch, Network, backpropagation
    >>> network, batch = Network.random([1, 1], "sigmoid", seed=1), Batch([[1.0]], [[0.0]])
    >>> for system in (ball(None), ball("binary64"), ball("binary32")):
    ...     entry = backpropagation(network, batch, "half_sse", system).parameters()[0]
    ...     print(f"{entry.midpoint:.12f} ± {entry.radius:.1g}")
    0.037704820759 ± 1e-39
    0.037704820759 ± 4e-16
    0.037704820759 ± 2e-07
    """
    context(digits)  # refuses a precision that is none
    rules = Rules(None if format is None else format_named(format), digits, extra_terms)
    decimals = decimal(digits + GUARD)

    def elementary(function: Function) -> Callable[[Ball], Ball]:
        return lambda x: rules.apply(function, x, system, decimals)

    def power(x: Ball) -> Ball:
        """e^x for softmax, where e^(z − (m + log Σ)) takes a logarithm, a sum and a difference before it.

        m + log Σ errs by u |m|; z and m are sums, so that the radius of x = z − m is at least u (|z| + |m|): half of it
        and u |x| make up for that.
        """
        if rules.format is not None and x.spread is not None:
            x = x._replace(spread=x.spread + (x.spread + 1 >> 1))
        return rules.rounded(rules.apply(_EXP, rules.rounded(x, 1), system, decimals), K)

    system: Arithmetic[Ball] = Arithmetic(
        name=f"ball({rules.format.name if rules.format else None}, {digits})",
        lift=rules.lift,
        ratio=rules.ratio,
        inner=rules.inner,
        elementwise=lambda function, rows: [[rules.apply(function, x, system, decimals) for x in row] for row in rows],
        exp=power,
        expm1=elementary(_EXPM1),
        log=elementary(_LOG),
        log1p=elementary(_LOG1P),
        tanh=elementary(tanh.value),
        normal_cdf=elementary(NORMAL_CDF),
        normal_pdf=elementary(NORMAL_PDF),
        less=rules.less,
        hull=rules.hull,
        either=lambda x, other: x if rules.format is None or rules.format.strict else rules.hull([x, other()]),
        encloses=True,
    )
    return system


def _exp(z: N, arithmetic: Arithmetic[N]) -> N:
    return arithmetic.exp(z)


def _reaching_one(magnitude: float) -> float:
    """Intermediate results reach 1, as in 1 + z."""
    return 1.0


_EXP = Function("exp", _exp, Bounds(_exp))
_EXPM1 = Function("expm1", lambda z, arithmetic: arithmetic.expm1(z), Bounds(_exp, intermediate=_reaching_one))
_LOG = Function(
    "log",
    lambda z, arithmetic: arithmetic.log(z),
    Bounds(lambda z, arithmetic: 1 / z, peaks=(0.0,), intermediate=_reaching_one),
)
_LOG1P = Function(
    "log1p",
    lambda z, arithmetic: arithmetic.log1p(z),
    Bounds(lambda z, arithmetic: 1 / (1 + z), peaks=(-1.0,), intermediate=_reaching_one),
)


NORMAL_CDF = Function(
    "Φ",
    lambda z, arithmetic: arithmetic.normal_cdf(z),
    Bounds(lambda z, arithmetic: arithmetic.normal_pdf(z), peaks=(0.0,), intermediate=_reaching_one),
)
NORMAL_PDF = Function(
    "φ",
    lambda z, arithmetic: arithmetic.normal_pdf(z),
    Bounds(lambda z, arithmetic: -(z * arithmetic.normal_pdf(z)), peaks=(-1.0, 1.0)),
)


def products(a: Sequence[Sequence[int]], b: Sequence[Sequence[int]]) -> Iterator[Sequence[int]]:
    """The rows of A Bᵀ, by Kronecker substitution: a column of B becomes one long integer, a field for each row of B.

    The dot product of a row of A with these columns then holds its dot products with all rows of B, side by side. As
    |a · b| < 2^(bits + others + bits of the length) ≤ half, a field to which half was added is not negative and does
    not reach into the next one. The matrix with the longer integers is the one packed, so that the factors are short;
    where fields would be long and mostly empty, as next to a number that is tiny, nothing is, nor where there are few.

    >>> list(products([[1, -2], [3, 4]], [[5, 6], [7, 8], [-9, 0]]))
    [[-7, -9, -9], [39, 53, -27]]
    """
    if min(len(a), len(b), *map(len, a[:1])) < FEW:
        return ([sumprod(row, other) for other in b] for row in a)
    bits, others = (max((max(map(abs, row)) for row in rows), default=0).bit_length() for rows in (a, b))
    if not (bits and others):
        return ([0] * len(b) for _ in a)
    if bits > others:
        return zip(*products(b, a))
    width = (bits + others + len(a[0]).bit_length()) // 8 + 1
    if width > WIDEST:
        return ([sumprod(row, other) for other in b] for row in a)
    half = 1 << 8 * width - 1
    halves = int.from_bytes(half.to_bytes(width) * len(b))

    def unpacked(fields: int) -> list[int]:
        whole = (fields + halves).to_bytes(width * len(b))
        return [int.from_bytes(field) - half for (field,) in iter_unpack(f"{width}s", whole)]

    columns = [int.from_bytes(b"".join([(x + half).to_bytes(width) for x in column])) - halves for column in zip(*b)]
    return (unpacked(sumprod(row, columns)) for row in a)


def _aligned(balls: Sequence[Ball]) -> tuple[int, list[int], list[int] | None]:
    """All on the lowest exponent among them: exponent, mantissas, and radii (None if one has no bound)."""
    mantissas, exponents, spreads, _ = zip(*balls)
    low, high = min(exponents), max(map(operator.add, exponents, map(int.bit_length, mantissas)))
    if high - low > DEEPEST:
        low = high - DEEPEST
        mantissas, exponents, spreads, _ = zip(*[_raised(x, low) for x in balls])
    shifts = [exponent - low for exponent in exponents]
    radii = None if None in spreads else list(map(operator.lshift, spreads, shifts))
    return low, list(map(operator.lshift, mantissas, shifts)), radii


def exact_sum(balls: Sequence[Ball]) -> Ball:
    """Their sum, with nothing rounded."""
    if len(balls) == 1:
        return balls[0]
    exponent, mantissas, radii = _aligned(balls)
    return Ball(sum(mantissas), exponent, None if radii is None else sum(radii), balls[0].rules)


def _raised(x: Ball, exponent: int) -> Ball:
    """x on an exponent that is not lower, what is cut off going into the radius."""
    shift = max(0, exponent - x.exponent)
    spread = None if x.spread is None else (x.spread >> shift) + 2 if shift else x.spread
    return Ball(x.mantissa >> shift, x.exponent + shift, spread, x.rules)


def steepest(function: Function, bounds: Bounds, low: float, high: float) -> float:
    """An upper bound of |f′| on [low, high]: |f′| has no local maximum but its peaks, so the ends and peaks are enough.

    The floats that compute it err by a few roundoffs of |f′|, or of |f| where f′ passes through 0, and underflow. The
    max passes over the NaN of ∞ · 0 in (2 − z²) φ(z) beyond 10^154, where 0 is right.
    """
    assert bounds.slope is not None
    bound, largest = 0.0, 1.7976931348623157e308
    for x in (max(low, -largest), min(high, largest), *(peak for peak in bounds.peaks if low <= peak <= high)):
        try:
            slope, value = bounds.slope(x, FLOAT), function.formula(x, FLOAT)
        except (ArithmeticError, ValueError):
            return math.inf
        bound = max(bound, abs(slope) + 2.0**-40 * (abs(slope) + abs(value)))
    return bound + 2.0**-960


def scaled(x: float, units: int, exponent: int, target: int) -> int:
    """x · units · 2^exponent, in units of 2^target, rounded upwards.

    >>> scaled(0.75, 5, 0, 0)
    4
    """
    numerator, denominator = x.as_integer_ratio()
    shift = exponent - target - (denominator.bit_length() - 1)
    return (numerator * units) << shift if shift >= 0 else -(-(numerator * units) >> -shift)


def float_above(mantissa: int, exponent: int) -> float:
    """The number mantissa · 2^exponent as a float, rounded upwards.

    >>> float_above(3, 0), float_above(1, -2000), float_above(2**60 + 1, -60)
    (3.0, 5e-324, 1.0000000000000002)
    """
    shift = max(0, mantissa.bit_length() - 53)
    rounded = -(-mantissa >> shift)
    try:
        result = math.ldexp(rounded, exponent + shift)
    except OverflowError:
        return math.inf if mantissa > 0 else -1.7976931348623157e308
    return math.nextafter(result, math.inf) if mantissa and abs(result) < 2.0**-1021 else result


def exact_decimal(mantissa: int, exponent: int) -> Decimal:
    """mantissa · 2^exponent without rounding.

    >>> exact_decimal(3, -3)
    Decimal('0.375')
    """
    if not mantissa:
        return Decimal(0)
    zeros = (mantissa & -mantissa).bit_length() - 1
    mantissa, exponent = mantissa >> zeros, exponent + zeros
    if exponent >= 0:
        return Decimal(mantissa << exponent)
    return Decimal(mantissa * 5**-exponent).scaleb(exponent, _EXACT)


def nearest_decimal(mantissa: int, exponent: int, digits: int) -> tuple[Decimal, bool]:
    """mantissa · 2^exponent to that many digits, and whether it had to be rounded."""
    on = context(digits)
    if exponent >= 0:
        return on.create_decimal(mantissa << exponent), bool(on.flags[Inexact])
    return on.divide(mantissa, 1 << -exponent), bool(on.flags[Inexact])


_EXACT = context(999_999_999)
