"""What backpropagation needs of a number, and floats, which have it.

The textbook modules never ask what a number is. They add, subtract, multiply and divide with the ordinary
operators (small integers may be mixed in), and take everything else from an `Arithmetic`:

| field | meaning |
| --- | --- |
| `lift(rows)` | the matrix, with doubles turned into numbers of this system |
| `ratio(p, q)` | the number p / q of two integers, such as the 1/n of a mean; `one` and `zero` are 1/1 and 0/1 |
| `inner(A, B, biases=None)` | Σₖ A[i][k] B[j][k] + biases[j], the one product of the whole recurrence |
| `elementwise(function, rows)` | f(x) for every entry |
| `exp` … `normal_pdf` | the elementary functions; Φ and φ are those of the standard normal distribution |
| `less(x, y)` | x < y: on which side of a kink a number lies; `Undecided` where what is known of them does not say |
| `hull(numbers)` | a number that stands for them all, where it is not known which one it is; asked for by `choose` alone |
| `either(x, other)` | x, or other(), which is another formula for it; where the errors of all are bounded, what holds both |
| `encloses` | whether a number is a set, which holds the exact value |

>>> FLOAT.inner([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]], [0.5, 0.25])
[[11.5, 17.25]]
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import add, itemgetter, lt, mul, truediv
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    # With a default, `Network` alone means `Network[float]` (PEP 696, in typing from Python 3.13 on).
    from typing_extensions import TypeVar

    N = TypeVar("N", bound="Number", default=float)
else:
    from typing import TypeVar

    N = TypeVar("N")

Vector = Sequence[N]
Matrix = Sequence[Sequence[N]]


class PurebpError(ValueError):
    """What was given cannot be worked with; the message says what, what was wanted, what to do."""


class Undecided(PurebpError):
    """It is not known which of two numbers is less: of each there is an interval, and these overlap."""


class Number(Protocol):
    """The four operations; float, complex, Fraction and Decimal have them."""

    def __add__(self, other: Self | int, /) -> Self: ...
    def __radd__(self, other: int, /) -> Self: ...
    def __sub__(self, other: Self | int, /) -> Self: ...
    def __rsub__(self, other: int, /) -> Self: ...
    def __mul__(self, other: Self | int, /) -> Self: ...
    def __rmul__(self, other: int, /) -> Self: ...
    def __truediv__(self, other: Self | int, /) -> Self: ...
    def __rtruediv__(self, other: int, /) -> Self: ...
    def __neg__(self) -> Self: ...


class Formula(Protocol):
    """A function of one number, written once for every number system."""

    def __call__(self, x: N, arithmetic: Arithmetic[N], /) -> N: ...


class Inner(Protocol[N]):
    """Dot products of rows with rows, plus biases; `purebp.inner` is this with the shapes checked."""

    def __call__(self, a: Matrix[N], b: Matrix[N], biases: Vector[N] | None = None, /) -> list[list[N]]: ...


class Bounds(NamedTuple):
    """What a number system that bounds errors must know of a function g: how steep it is, where it breaks, what cancels.

    Without a slope, g is piecewise linear and made of + − × alone. |g′| has no local maximum but at the peaks. A kink is
    a point where the pieces of g meet, with its value on the left and on the right; between kinks, g is monotone.
    `signed` says that the formula adds terms of both signs, so that it cancels near a root. `intermediate` is the
    largest intermediate result, by |z|, of any of `formulas`: the ways of computing g that an error budget holds. Those
    that do not cancel are `stable`.
    """

    slope: Formula | None = None
    peaks: tuple[float, ...] = ()
    kinks: tuple[tuple[float, float, float], ...] = ()
    signed: bool = False
    intermediate: Callable[[float], float] = lambda magnitude: 0.0
    formulas: str = ""
    stable: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """A formula, its name, what bounds its errors (without that, balls refuse it), and its derivative for second order.

    >>> Function("square", lambda x, arithmetic: x * x)(3.0)
    9.0
    """

    name: str
    formula: Formula = field(compare=False, repr=False)
    bounds: Bounds | None = field(default=None, compare=False, repr=False)
    derivative: Function | None = field(default=None, compare=False, repr=False)

    def __call__(self, x: N, arithmetic: Arithmetic[N] | None = None) -> N:
        chosen: Any = FLOAT if arithmetic is None else arithmetic
        result: N = self.formula(x, chosen)
        return result


def _first(x: N, other: Callable[[], N]) -> N:
    return x


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic(Generic[N]):
    """A number system, as the operations that the textbook code takes from it (table above)."""

    name: str
    lift: Callable[[Matrix[float | N]], Matrix[N]]
    ratio: Callable[[int, int], N]
    inner: Inner[N]
    elementwise: Callable[[Function, Matrix[N]], list[list[N]]]
    exp: Callable[[N], N]
    expm1: Callable[[N], N]
    log: Callable[[N], N]
    log1p: Callable[[N], N]
    tanh: Callable[[N], N]
    normal_cdf: Callable[[N], N]
    normal_pdf: Callable[[N], N]
    less: Callable[[N | int, N | int], bool]
    hull: Callable[[list[N]], N] = itemgetter(0)
    either: Callable[[N, Callable[[], N]], N] = _first
    encloses: bool = False

    @property
    def one(self) -> N:
        """1."""
        return self.ratio(1, 1)

    @property
    def zero(self) -> N:
        """0."""
        return self.ratio(0, 1)

    def order(self, x: N | int, y: N | int) -> int | None:
        """−1, 0 or 1, as x is below y, at it or above it; None if that is not known.

        >>> FLOAT.order(1.0, 2), FLOAT.order(2.0, 2)
        (-1, 0)
        """
        try:
            return self.less(y, x) - self.less(x, y)
        except Undecided:
            return None

    def choose(
        self, x: N | int, y: N | int, *, below: Callable[[], N], at: Callable[[], N], above: Callable[[], N]
    ) -> N:
        """What is to be taken as x is below y, at it or above it; if that is not known, what stands for all three.

        >>> FLOAT.choose(-2.0, 0, below=lambda: 2.0, at=lambda: 0.0, above=lambda: -2.0)
        2.0
        """
        order = self.order(x, y)
        return self.hull([below(), at(), above()]) if order is None else (at, above, below)[order]()

    def number(self, x: float) -> N:
        """One double, lifted."""
        return self.lift([[x]])[0][0]


def _inner(a: Matrix, b: Matrix, biases: Vector | None = None) -> list[list[float]]:
    """inner with the fastest kernel that this interpreter has."""
    if sys.version_info >= (3, 12):
        products = [[math.sumprod(row, other) for other in b] for row in a]
    else:  # from 0.0 on, not 0, sum adds floats from the first
        products = [[sum(map(mul, row, other), 0.0) for other in b] for row in a]
    return products if biases is None else [list(map(add, row, biases)) for row in products]


def _logarithm(log: Callable[[float], float], pole: float) -> Callable[[float], float]:
    return lambda x: -math.inf if x == pole else log(x)


FLOAT: Arithmetic[float] = Arithmetic(
    name="float",
    lift=lambda rows: rows,
    ratio=truediv,
    inner=_inner,
    elementwise=lambda function, rows: [[function.formula(x, FLOAT) for x in row] for row in rows],
    exp=math.exp,
    expm1=math.expm1,
    log=_logarithm(math.log, 0.0),
    log1p=_logarithm(math.log1p, -1.0),
    tanh=math.tanh,
    normal_cdf=lambda x: math.erfc(-x / math.sqrt(2)) / 2,
    normal_pdf=lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    less=lt,
)
DEFAULT: Any = (
    FLOAT  # what a parameter `arithmetic: Arithmetic[N]` is by default; a type checker then takes N for float
)
