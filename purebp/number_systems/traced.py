"""Numbers that remember how they were made: a program that is run on them leaves a tape of its operations.

A tape is a straight line: constants, inputs, sums, products, quotients and elementary functions, each with its operands
and the line of the program that it came from. Loops are unrolled, branches are those that were taken. What it computes,
and its gradient, are runs over the tape, in any number system: `purebp.programs.sweeps`.

A traced number has the operators, and the methods that NumPy calls on the elements of an object array, so that functions
of lists and of NumPy arrays run on it as they are. A comparison is decided by the double that it carries, and kept with
the margin by which it was decided.

>>> tape = Tape()
>>> x, y = tape.input(3.0), tape.input(2.0)
>>> (x * y + x.exp()).value
26.085536923187668
>>> [step.kind for step in tape.steps]
['input', 'input', '*', 'exp', '+']
"""

from __future__ import annotations

import math
import os
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from types import CodeType, FrameType
from typing import Any, NamedTuple, NoReturn

from purebp.textbook.arithmetic import FLOAT, Arithmetic, Matrix, PurebpError, Vector

BINARY = {
    "+": float.__add__,
    "−": float.__sub__,
    "*": float.__mul__,
    "/": float.__truediv__,
}
UNARY: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "expm1": math.expm1,
    "log": FLOAT.log,
    "log1p": FLOAT.log1p,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "normal_cdf": FLOAT.normal_cdf,
    "normal_pdf": FLOAT.normal_pdf,
}
_LIBRARIES = tuple(
    os.path.realpath(path) + os.sep
    for path in (
        os.path.dirname(os.path.dirname(__file__)),
        *(sysconfig.get_path(of) for of in ("stdlib", "purelib", "platlib")),
    )
)


def is_library(file: str) -> bool:
    """Whether code stands in purebp, the standard library or what is installed, and is nobody's own.

    >>> is_library(os.__file__), is_library("mine.py")
    (True, False)
    """
    made_up = file.startswith("<") and not file.startswith("<doctest")
    return made_up or os.path.realpath(file).startswith(_LIBRARIES)


class CannotTrace(PurebpError, TypeError):
    """The program leaves what can be traced; the message says where, and what to write in its place."""


class Step(NamedTuple):
    """An operation on one or two earlier numbers, −1 where there is none; and the code and line that it came from.

    outer: the line of the program's main function from which that was called; the same where it is in it.
    """

    kind: str  # "input", "constant", one of BINARY or UNARY, or "neg"
    left: int
    right: int
    code: CodeType | None
    line: int
    outer: int = 0


class Decision(NamedTuple):
    """A comparison: of which numbers, how near they were, relative to the larger, and where."""

    left: int
    right: int
    margin: float
    line: int


@dataclass(eq=False)
class Tape:
    """What was done, in its order; values are doubles, as the program itself would have computed them."""

    steps: list[Step] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    constants: dict[float, Traced] = field(default_factory=dict)
    own: dict[CodeType, bool] = field(default_factory=dict)  # is it the program's, or a library's
    main: CodeType | None = None  # of the function that is traced

    def input(self, value: float) -> Traced:
        """A number that the program is given."""
        return self._kept(Step("input", -1, -1, None, 0), value)

    def constant(self, value: float) -> Traced:
        """A number that stands in the program."""
        if value not in self.constants or (value == 0 and math.copysign(1, value) < 0):
            self.constants[value] = self._kept(Step("constant", -1, -1, None, 0), value)
        return self.constants[value]

    def made(self, kind: str, value: float, left: int, right: int = -1) -> Traced:
        """What an operation makes of numbers."""
        frame = self._own_frame(sys._getframe(2))
        return self._kept(Step(kind, left, right, frame.f_code, frame.f_lineno, self._outer(frame)), value)

    def _outer(self, frame: FrameType) -> int:
        """The line of the main function on which a frame is, or below which it was called; its own, if below none."""
        above: FrameType | None = frame
        while above is not None and above.f_code is not self.main:
            above = above.f_back
        return frame.f_lineno if above is None else above.f_lineno

    def decided(self, left: Traced, right: Traced) -> None:
        """A comparison was made."""
        x, y = left.value, right.value
        margin = abs(x - y) / max(abs(x), abs(y), 1e-300)
        line = self._own_frame(sys._getframe(2)).f_lineno
        self.decisions.append(Decision(left.index, right.index, margin, line))

    def _kept(self, step: Step, value: float) -> Traced:
        self.steps.append(step)
        self.values.append(value)
        return Traced(self, len(self.values) - 1, value)

    def _own_frame(self, frame: FrameType) -> FrameType:
        """The frame, or the nearest one above it, that is in the program's own code."""
        while frame.f_back is not None:
            code = frame.f_code
            if code not in self.own:
                self.own[code] = not is_library(code.co_filename)
            if self.own[code]:
                break
            frame = frame.f_back
        return frame


class Traced:
    """A number on a tape."""

    __slots__ = ("index", "tape", "value")

    def __init__(self, tape: Tape, index: int, value: float) -> None:
        self.tape, self.index, self.value = tape, index, value

    # The four operations.

    def __add__(self, other: Any) -> Any:
        if (y := self._operand(other)) is None:
            return NotImplemented
        return self.tape.made("+", self.value + y.value, self.index, y.index)

    def __radd__(self, other: Any) -> Any:
        if (y := self._operand(other)) is None:
            return NotImplemented
        if y.value == 0:  # where a sum begins
            return self
        return self.tape.made("+", y.value + self.value, y.index, self.index)

    def __sub__(self, other: Any) -> Any:
        if (y := self._operand(other)) is None:
            return NotImplemented
        return self.tape.made("−", self.value - y.value, self.index, y.index)

    def __rsub__(self, other: Any) -> Any:
        if (y := self._operand(other)) is None:
            return NotImplemented
        return self.tape.made("−", y.value - self.value, y.index, self.index)

    def __mul__(self, other: Any) -> Any:
        if (y := self._operand(other)) is None:
            return NotImplemented
        return self.tape.made("*", self.value * y.value, self.index, y.index)

    def __rmul__(self, other: Any) -> Any:
        if (y := self._operand(other)) is None:
            return NotImplemented
        return self.tape.made("*", y.value * self.value, y.index, self.index)

    def __truediv__(self, other: Any) -> Any:
        if (y := self._operand(other)) is None:
            return NotImplemented
        return self.tape.made("/", self.value / y.value, self.index, y.index)

    def __rtruediv__(self, other: Any) -> Any:
        if (y := self._operand(other)) is None:
            return NotImplemented
        return self.tape.made("/", y.value / self.value, y.index, self.index)

    def __neg__(self) -> Traced:
        return self.tape.made("neg", -self.value, self.index)

    def __pos__(self) -> Traced:
        return self

    def __abs__(self) -> Traced:
        return -self if self < 0 else self

    def __pow__(self, power: Any) -> Any:
        if isinstance(power, Traced):
            return (power * self.log()).exp()
        if not isinstance(power, Real):
            return NotImplemented
        exponent = float(power)
        if exponent < 0:
            return 1 / self**-exponent
        if exponent == 0.5:
            return self.sqrt()
        if not exponent.is_integer():
            whole = math.floor(exponent)
            return (self**whole * self.sqrt()) if exponent - whole == 0.5 else (exponent * self.log()).exp()
        found: Any = None
        square = self
        for digit in reversed(f"{int(exponent):b}"):
            if digit == "1":
                found = square if found is None else found * square
            square = square * square if int(exponent) > 1 else square
        return self.tape.constant(1.0) if found is None else found

    def __rpow__(self, base: Any) -> Any:
        return (self * math.log(base)).exp() if isinstance(base, Real) else NotImplemented

    # Comparisons, which are decided.

    def __lt__(self, other: Any) -> Any:
        return self._compared(other, float.__lt__)

    def __le__(self, other: Any) -> Any:
        return self._compared(other, float.__le__)

    def __gt__(self, other: Any) -> Any:
        return self._compared(other, float.__gt__)

    def __ge__(self, other: Any) -> Any:
        return self._compared(other, float.__ge__)

    def __eq__(self, other: Any) -> Any:
        return self._compared(other, float.__eq__)

    def __ne__(self, other: Any) -> Any:
        return self._compared(other, float.__ne__)

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __hash__(self) -> int:
        return id(self)

    # Functions, called so by NumPy on the elements of an array, and by purebp.programs.

    def exp(self) -> Traced:
        return self._function("exp")

    def expm1(self) -> Traced:
        return self._function("expm1")

    def log(self) -> Traced:
        return self._function("log")

    def log1p(self) -> Traced:
        return self._function("log1p")

    def sqrt(self) -> Traced:
        return self._function("sqrt")

    def tanh(self) -> Traced:
        return self._function("tanh")

    def normal_cdf(self) -> Traced:
        return self._function("normal_cdf")

    def normal_pdf(self) -> Traced:
        return self._function("normal_pdf")

    def exp2(self) -> Any:
        return (self * math.log(2)).exp()

    def log2(self) -> Any:
        return self.log() / math.log(2)

    def log10(self) -> Any:
        return self.log() / math.log(10)

    def sinh(self) -> Any:
        return (self.exp() - (-self).exp()) / 2

    def cosh(self) -> Any:
        return (self.exp() + (-self).exp()) / 2

    def square(self) -> Any:
        return self * self

    def reciprocal(self) -> Any:
        return 1 / self

    def conjugate(self) -> Traced:
        return self

    @property
    def real(self) -> Traced:
        return self

    # What would forget how it was made.

    def __float__(self) -> NoReturn:
        raise CannotTrace(
            "float(x), math.exp(x) and the like, or a write into an array of floats, forget how a number was made: write "
            "purebp.programs.exp(x) (or log, sqrt, tanh …), or np.exp(x), and make arrays with dtype=object, or like an "
            "input (np.zeros_like(x))"
        )

    def __int__(self) -> NoReturn:
        raise CannotTrace(
            "int(x) has no gradient, and is not traced: give whole numbers as inputs of their own, integers(n)"
        )

    __index__ = __int__

    def __complex__(self) -> NoReturn:
        raise CannotTrace("complex numbers are not traced: write real and imaginary parts")

    def __floordiv__(self, other: Any) -> NoReturn:
        raise CannotTrace("x // y and x % y are not traced: give whole numbers as inputs of their own, integers(n)")

    __mod__ = __rfloordiv__ = __rmod__ = __floordiv__

    def __repr__(self) -> str:
        return f"Traced({self.value!r})"

    def _operand(self, other: Any) -> Traced | None:
        if other.__class__ is Traced:
            found: Traced = other
            return found
        return self.tape.constant(float(other)) if isinstance(other, Real) else None

    def _compared(self, other: Any, order: Callable[[float, float], bool]) -> Any:
        if (y := self._operand(other)) is None:
            return NotImplemented
        self.tape.decided(self, y)
        return order(self.value, y.value)

    def _function(self, name: str) -> Traced:
        return self.tape.made(name, UNARY[name](self.value), self.index)


def traced(tape: Tape) -> Arithmetic[Traced]:
    """The number system of traced numbers: what runs over it is on the tape.

    >>> tape = Tape()
    >>> traced(tape).tanh(tape.input(0.5)).value
    0.4621171572600097...
    """

    def lift(rows: Matrix[float | Traced]) -> Matrix[Traced]:
        return [[x if isinstance(x, Traced) else tape.constant(float(x)) for x in row] for row in rows]

    def inner(a: Matrix[Traced], b: Matrix[Traced], biases: Vector[Traced] | None = None) -> list[list[Traced]]:
        products = [[sum((x * y for x, y in zip(row, other)), tape.constant(0.0)) for other in b] for row in a]
        return products if biases is None else [[x + c for x, c in zip(row, biases)] for row in products]

    return Arithmetic(
        name="traced",
        lift=lift,
        ratio=lambda p, q: tape.constant(float(p)) / tape.constant(float(q)),
        inner=inner,
        elementwise=lambda function, rows: [[function.formula(x, traced(tape)) for x in row] for row in rows],
        exp=Traced.exp,
        expm1=Traced.expm1,
        log=Traced.log,
        log1p=Traced.log1p,
        tanh=Traced.tanh,
        normal_cdf=Traced.normal_cdf,
        normal_pdf=Traced.normal_pdf,
        less=lambda x, y: bool(x < y),
    )
