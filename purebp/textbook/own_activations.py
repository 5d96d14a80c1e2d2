"""Activations of one's own: two plain functions, a table, or one in fixed point. Each is taken as it is declared.

| given | is |
| --- | --- |
| `(value, derivative)` | two functions of z, or of z and an arithmetic |
| `[(x, y), ...]` | a table: linear between its points, constant beyond them |
| `("sigmoid", 1 / 256)` | an activation whose value is rounded to whole multiples of a step |

>>> cube = read((lambda z: z * z * z, lambda z: 3 * z * z))
>>> cube(2.0), cube.derivative(2.0)
(8.0, 12.0)
>>> ramp = read([(-1.0, 0.0), (1.0, 1.0)])
>>> ramp(0.5), ramp.derivative(0.5), ramp(3.0), ramp.kinks
(0.75, 0.5, 1.0, (-1.0, 1.0))
>>> read(("sigmoid", 1 / 16))(1.0)
0.75
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from inspect import Parameter, signature
from itertools import pairwise
from math import exp, expm1, inf, isfinite
from numbers import Real
from typing import Any

from purebp.textbook.activations import Activation, Elementwise, activation
from purebp.textbook.arithmetic import FLOAT, Arithmetic, Bounds, Formula, Function, N, PurebpError

WANTED = (
    "a name, an Activation, a pair (value, derivative) of functions, a table [(x, y), ...], or (activation, step) for "
    "fixed point is wanted"
)
WRITTEN = (
    "to be enclosed, its functions must be written with + − × ÷, comparisons and whole powers, and with exp, expm1, log, "
    "log1p and tanh of the arithmetic that they are given as a second argument: def value(z, arithmetic): return "
    "z / (1 + arithmetic.exp(-z))"
)
MOST_WAYS = 64  # that the comparisons of a function may go
LARGEST_POWER = 709.782712893384  # log of the largest float, rounded down
FARTHEST = 2**60  # steps from 0
AS_WRITTEN = Bounds(formulas="as it is written")  # over balls, the formula itself is run


def read(given: Any) -> Activation:
    """An activation from what may be declared of one."""
    if isinstance(given, (str, Activation)):
        return activation(given)
    items = list(given) if isinstance(given, (list, tuple)) else []
    if len(items) == 2 and all(map(callable, items)) and not any(isinstance(item, Activation) for item in items):
        return of_functions(*items)
    if len(items) == 2 and _is_number(items[1]):
        return fixed_point(read(items[0]), items[1])
    if items and all(
        isinstance(item, (list, tuple)) and len(item) == 2 and all(map(_is_number, item)) for item in items
    ):
        return table(items)
    raise PurebpError(f"unknown activation {given!r:.60}: {WANTED}")


def of_functions(value: Callable[..., Any], derivative: Callable[..., Any], name: str = "") -> Elementwise:
    """The activation with that value and that derivative, which is taken as right.

    >>> of_functions(lambda z: z if z > 0 else 0.5 * z, lambda z: 1.0 if z > 0 else 0.5, "half")(-3.0)
    -1.5
    """
    called = name or getattr(value, "__name__", "own").replace("<lambda>", "own")
    return Elementwise(
        called,
        Function(called, _formula(called, value), AS_WRITTEN),
        Function(f"{called}′", _formula(f"{called}′", derivative), AS_WRITTEN),
    )


def table(points: Sequence[Sequence[float]], name: str = "") -> Elementwise:
    """Linear between the points, constant beyond the first and the last."""
    xs, ys = ([float(p[i]) for p in points] for i in (0, 1))
    if len(xs) < 2 or not all(map(isfinite, xs + ys)) or any(a >= b for a, b in pairwise(xs)):
        raise PurebpError("a table wants two points (x, y) at least, of finite numbers, with x from left to right")
    slopes = [Fraction(0), *_slopes(xs, ys), Fraction(0)]  # of each piece, those beyond the ends among them
    steepest = float(max(map(abs, slopes)))
    farthest, highest = max(map(abs, xs)), max(map(abs, ys))

    def piece(z: N, arithmetic: Arithmetic[N]) -> int:
        return next((i for i, x in enumerate(xs) if arithmetic.less(z, arithmetic.number(x))), len(xs))

    def slope(z: N, arithmetic: Arithmetic[N]) -> N:
        return _constant(slopes[piece(z, arithmetic)], arithmetic)

    def value(z: N, arithmetic: Arithmetic[N]) -> N:
        i = piece(z, arithmetic)
        near = max(0, i - 1)
        rise = (z - arithmetic.number(xs[near])) * _constant(slopes[i], arithmetic)
        return arithmetic.number(ys[near]) + rise

    def reached(magnitude: float) -> float:  # by y, a (z − x), and a z and a x apart
        return 2 * highest + steepest * (farthest + min(magnitude, farthest))

    called = name or f"table of {len(xs)} points"
    sides: Any = [(x, left, right) for x, left, right in zip(xs, slopes, slopes[1:])]
    corners = tuple((x, y, y) for x, y in zip(xs, ys))
    return Elementwise(
        called,
        Function(called, value, Bounds(slope, kinks=corners, intermediate=reached)),
        Function(f"{called}′", slope, Bounds(kinks=tuple(sides))),
    )


def _slopes(xs: Sequence[float], ys: Sequence[float]) -> Iterator[Fraction]:
    for (x, y), (x1, y1) in pairwise(zip(map(Fraction, xs), map(Fraction, ys))):
        yield (y1 - y) / (x1 - x)


def fixed_point(of: str | Activation, step: float, slopes: float | None = None) -> Elementwise:
    """An activation whose value is the nearest whole multiple of the step; so is f′, if `slopes` is its step.

    >>> half = fixed_point("tanh", 0.5, slopes=0.25)
    >>> half(0.4), half(1.0), half.derivative(0.5)
    (0.5, 1.0, 0.75)
    """
    exact = activation(of)
    if not isinstance(exact, Elementwise):
        raise PurebpError(f"{exact.name} is not computed entry by entry: it has no fixed point here")
    name = f"{exact.name} in steps of {_positive(step):g}"
    derivative = exact.derivative
    if slopes is not None:
        derivative = Function(f"{name}′", _rounded(exact.derivative, _positive(slopes)), AS_WRITTEN)
    return Elementwise(name, Function(name, _rounded(exact.value, step), AS_WRITTEN), derivative, exact.kinks)


def _positive(step: Any) -> float:
    if not _is_number(step) or not 0 < step < FARTHEST:
        raise PurebpError(f"{step!r:.40} is no step of a fixed point: a positive number is wanted, such as 1/256")
    return float(step)


def _rounded(of: Function, step: float) -> Formula:
    def formula(z: N, arithmetic: Arithmetic[N]) -> N:
        return to_steps(arithmetic.elementwise(of, [[z]])[0][0], step, arithmetic)

    return formula


def to_steps(y: N, step: float, arithmetic: Arithmetic[N]) -> N:
    """The nearest multiple of the step; the hull of all that are nearest to some number of an enclosure, ties to both.

    >>> to_steps(0.3, 0.25, FLOAT)
    0.25
    """
    unit = Fraction(step)

    def side(twice: int) -> int | None:
        """Where y lies beside so many halves of a step."""
        return arithmetic.order(y, _constant(unit * twice / 2, arithmetic))

    low = _first(lambda k: side(2 * k + 1) != 1)  # y may be below the upper end of what is rounded to k
    high = (
        None if low is None else _first(lambda k: side(2 * k + 1) == -1, low)
    )  # and for all further ones, it is below
    if low is None or high is None:
        return y  # without bound
    return arithmetic.hull([_constant(k * unit, arithmetic) for k in (low, max(low, high))])


def _first(holds: Callable[[int], bool], near: int = 0) -> int | None:
    """The first whole number from which on it holds, looked for around another; None if that is farther than anything."""
    reach = 1
    while not holds(near + reach) or holds(near - reach):
        reach *= 2
        if reach > FARTHEST:
            return None
    low, high = near - reach, near + reach
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _constant(x: Fraction, arithmetic: Arithmetic[N]) -> N:
    near = float(x)
    return arithmetic.number(near) if near == x else arithmetic.ratio(*x.as_integer_ratio())


def _is_number(x: Any) -> bool:
    return isinstance(x, Real) and not isinstance(x, bool)


# Plain functions over other numbers than floats.


def _formula(name: str, function: Callable[..., Any]) -> Formula:
    """A plain function as a formula for every number system."""
    if not callable(function):
        raise PurebpError(f"{name}: {function!r:.40} cannot be called")
    wanted = _takes_two(function)

    def formula(z: Any, arithmetic: Any) -> Any:
        try:
            if arithmetic is FLOAT:
                return float(function(z, _Floats) if wanted else function(z))
            return enclosed(function, z, arithmetic, wanted)
        except PurebpError:
            raise
        except (ArithmeticError, ValueError, TypeError, AttributeError) as error:
            at = f" at {z!r}" if arithmetic is FLOAT else ""
            advice = "" if arithmetic is FLOAT else f": {WRITTEN}"
            raise PurebpError(
                f"{name} cannot be computed{at}: {type(error).__name__}: {error!s:.100}{advice}"
            ) from None

    return formula


class _Floats:
    """The functions of an arithmetic of floats; a power that is too large is ∞, so that 1/(1 + e⁻ᶻ) is 0."""

    log, log1p, tanh = staticmethod(FLOAT.log), staticmethod(FLOAT.log1p), staticmethod(FLOAT.tanh)

    @staticmethod
    def exp(x: float) -> float:
        return exp(x) if x <= LARGEST_POWER else inf

    @staticmethod
    def expm1(x: float) -> float:
        return expm1(x) if x <= LARGEST_POWER else inf


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        given = signature(function).parameters.values()
    except (TypeError, ValueError):  # there is no telling, as of functions written in C
        return False
    return sum(p.default is Parameter.empty and p.kind is not Parameter.VAR_POSITIONAL for p in given) == 2


def enclosed(function: Callable[..., Any], z: N, arithmetic: Arithmetic[N], with_arithmetic: bool = False) -> N:
    """What a plain function gives over other numbers: the hull over all ways that its comparisons may go.

    >>> from purebp.number_systems.rational import FRACTION
    >>> enclosed(lambda z: z * z if z > 1 else 2 * z, Fraction(1, 2), FRACTION)
    Fraction(1, 1)
    """
    found, waiting = list[N](), [list[bool]()]
    while waiting:
        way = Way(arithmetic, waiting.pop())
        known = len(way.script)
        seen = function(Seen(z, way), way) if with_arithmetic else function(Seen(z, way))
        found.append(way.number(seen))
        waiting += [[*way.script[:i], not way.script[i]] for i in range(known, len(way.script))]
        if len(found) > MOST_WAYS:
            raise PurebpError(f"its comparisons may go more than {MOST_WAYS} ways: {WRITTEN}")
    return found[0] if len(found) == 1 else arithmetic.hull(found)


class Way:
    """One way through a function: how the comparisons go that an enclosure does not decide; and its functions."""

    def __init__(self, arithmetic: Arithmetic[Any], script: list[bool]) -> None:
        self.arithmetic, self.script, self.place = arithmetic, script, 0

    def number(self, x: Any) -> Any:
        """What a function computes with, as a number of the arithmetic."""
        if hasattr(x, "item"):  # of an array
            x = x.item()
        if isinstance(x, Seen):
            return x.number
        if _is_number(x):
            return _constant(Fraction(x), self.arithmetic)
        raise PurebpError(f"a number is wanted, and {x!r:.40} is none: {WRITTEN}")

    def decided(self, order: int | None, orders: tuple[int, ...]) -> bool:
        """Whether the order is one of these; where that is not known, as the script has it."""
        if order is not None:
            return order in orders
        if self.place == len(self.script):
            self.script.append(True)
        self.place += 1
        return self.script[self.place - 1]

    def exp(self, x: Any) -> Seen:
        return self._of(self.arithmetic.exp, x)

    def expm1(self, x: Any) -> Seen:
        return self._of(self.arithmetic.expm1, x)

    def log(self, x: Any) -> Seen:
        return self._of(self.arithmetic.log, x)

    def log1p(self, x: Any) -> Seen:
        return self._of(self.arithmetic.log1p, x)

    def tanh(self, x: Any) -> Seen:
        return self._of(self.arithmetic.tanh, x)

    def _of(self, function: Callable[[Any], Any], x: Any) -> Seen:
        return Seen(function(self.number(x)), self)


class Seen:
    """A number as a plain function sees it: it computes, and compares, and is no float."""

    def __init__(self, number: Any, way: Way) -> None:
        self.number, self.way = number, way

    def _with(self, other: Any, compute: Callable[[Any, Any], Any]) -> Seen:
        return Seen(compute(self.number, self.way.number(other)), self.way)

    def __add__(self, other: Any) -> Seen:
        return self._with(other, lambda x, y: x + y)

    def __radd__(self, other: Any) -> Seen:
        return self._with(other, lambda x, y: y + x)

    def __sub__(self, other: Any) -> Seen:
        return self._with(other, lambda x, y: x - y)

    def __rsub__(self, other: Any) -> Seen:
        return self._with(other, lambda x, y: y - x)

    def __mul__(self, other: Any) -> Seen:
        return self._with(other, lambda x, y: x * y)

    def __rmul__(self, other: Any) -> Seen:
        return self._with(other, lambda x, y: y * x)

    def __truediv__(self, other: Any) -> Seen:
        return self._with(other, lambda x, y: x / y)

    def __rtruediv__(self, other: Any) -> Seen:
        return self._with(other, lambda x, y: y / x)

    def __neg__(self) -> Seen:
        return Seen(-self.number, self.way)

    def __pos__(self) -> Seen:
        return self

    def __abs__(self) -> Seen:
        return self if self >= 0 else -self

    def __pow__(self, exponent: Any) -> Seen:
        if not isinstance(exponent, int) or not 0 < abs(exponent) <= 64:
            raise PurebpError(f"a power to {exponent!r:.20}: {WRITTEN}")
        product = self
        for _ in range(abs(exponent) - 1):
            product = product * self
        return product if exponent > 0 else 1 / product

    def __float__(self) -> float:
        raise PurebpError(f"a float is wanted of it, as by math.exp: {WRITTEN}")

    def _compared(self, other: Any, *orders: int) -> bool:
        return self.way.decided(self.way.arithmetic.order(self.number, self.way.number(other)), orders)

    def __lt__(self, other: Any) -> bool:
        return self._compared(other, -1)

    def __le__(self, other: Any) -> bool:
        return self._compared(other, -1, 0)

    def __gt__(self, other: Any) -> bool:
        return self._compared(other, 1)

    def __ge__(self, other: Any) -> bool:
        return self._compared(other, 0, 1)

    def __eq__(self, other: object) -> bool:
        return self._compared(other, 0)

    def __ne__(self, other: object) -> bool:
        return self._compared(other, -1, 1)

    __hash__ = None  # type: ignore[assignment]  # equal numbers of an enclosure need not be the same

    def __bool__(self) -> bool:
        return self != 0

    def exp(self) -> Seen:
        """What numpy.exp asks of an object; likewise the others."""
        return self.way.exp(self)

    def expm1(self) -> Seen:
        return self.way.expm1(self)

    def log(self) -> Seen:
        return self.way.log(self)

    def log1p(self) -> Seen:
        return self.way.log1p(self)

    def tanh(self) -> Seen:
        return self.way.tanh(self)
