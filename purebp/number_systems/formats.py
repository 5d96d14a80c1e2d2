"""Floating-point formats as data, with the bits that count in the three roundoffs of an implementation in them.

| bits | roundoff of |
| --- | --- |
| `precision` | a result, when it is written |
| `accumulate_bits` | an addition inside a sum |
| `operand_bits` | an operand, when a tensor core reads it |

The unit roundoff u of p significant bits is 2⁻ᵖ (IEEE 754-2019, table 3.5; TF32: NVIDIA A100 white paper, 2020;
bfloat16: Intel's hardware numerics definition, 2018).

>>> BINARY32.storage, BINARY32.smallest_normal, BINARY32.largest == (2 - 2.0**-23) * 2.0**127
(5.960464477539063e-08, 1.1754943508222875e-38, True)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, ldexp

from purebp.textbook.arithmetic import PurebpError


@dataclass(frozen=True, slots=True)
class Format:
    """Significant bits and exponent range of a binary format; its numbers are |x| = m 2ᵉ with m < 2^precision.

    Whatever takes the name of a format takes a format of one's own as well.

    >>> from purebp.number_systems.ball import ball
    >>> ball(Format("e4m3", 4, -6, 7, 24)).ratio(1, 3)
    Ball(0.33333333333333333 ± 0.1)
    """

    name: str
    precision: int  # significant bits of a stored number
    emin: int  # exponent of the smallest normal number, 2^emin
    emax: int  # exponent of the largest finite number, (2 − 2^(1−precision)) 2^emax
    accumulate_bits: int  # significant bits of a running sum
    operand_bits: int = 0  # significant bits of an operand of a matrix product; 0: all of them
    dtype: str = ""  # of the arrays that hold its numbers, as NumPy, PyTorch and JAX call it
    strict: bool = False  # whether formulas that cancel are ruled out where there are stable ones
    kept: Format | None = None  # in which results are stored once, after all has been computed in this one

    def __str__(self) -> str:
        return self.name + ", stored once" * (self.kept is not None) + ", strict" * self.strict

    @property
    def of_numbers(self) -> Format:
        """The format that what is given, and what is returned, is in."""
        return self.kept or self

    @property
    def storage(self) -> float:
        """Unit roundoff of a stored result."""
        return 2.0**-self.precision

    @property
    def smallest_normal(self) -> float:
        return ldexp(1.0, self.emin)

    @property
    def largest(self) -> float:
        return ldexp(2 - 2.0 ** (1 - self.precision), self.emax)


BINARY64 = Format("binary64", 53, -1022, 1023, 53, dtype="float64")
BINARY32 = Format("binary32", 24, -126, 127, 24, dtype="float32")
TF32 = Format("tf32", 24, -126, 127, 24, 11, dtype="float32")
BFLOAT16 = Format("bfloat16", 8, -126, 127, 24, dtype="bfloat16")
BINARY16 = Format("binary16", 11, -14, 15, 24, dtype="float16")
FORMATS = {format.name: format for format in (BINARY64, BINARY32, TF32, BFLOAT16, BINARY16)}


def format_named(name: str | Format) -> Format:
    """The format of that name.

    >>> format_named("binary32") is BINARY32
    True
    """
    if isinstance(name, Format):
        return name
    if name not in FORMATS:
        raise PurebpError(f"unknown format {name!r}; known are {', '.join(FORMATS)}")
    return FORMATS[name]


def stored_once(format: Format) -> Format:
    """That everything is computed in binary32 at least, from numbers of a narrower format, and its results are rounded to it.

    >>> str(stored_once(BFLOAT16)), stored_once(BFLOAT16).precision, stored_once(BFLOAT16).of_numbers.precision
    ('bfloat16, stored once', 24, 8)
    """
    if format.precision >= BINARY32.precision:
        raise PurebpError(f"results of {format.name} are not stored once: a narrower format than binary32 is wanted")
    return replace(BINARY32, name=format.name, dtype=format.dtype, strict=format.strict, kept=format)


def rounds_to(x: float | Fraction, format: Format) -> float:
    """x rounded to the nearest number of the format, ties to even; ±inf beyond the largest. Subnormals are kept.

    >>> rounds_to(0.1, BINARY32), rounds_to(1.00390625, BFLOAT16), rounds_to(1e39, BINARY32)
    (0.10000000149011612, 1.0, inf)
    """
    if x != x or x in (0, inf, -inf):
        return float(x)
    p, q = x.as_integer_ratio()
    p, exponent = abs(p), p.bit_length() - q.bit_length()
    exponent -= p << max(0, -exponent) < q << max(0, exponent)  # now 2^exponent ≤ |x| < 2^(exponent + 1)
    unit = max(exponent, format.emin) - format.precision + 1  # the last place counts 2^unit
    q <<= max(0, unit)
    whole, rest = divmod(p << max(0, -unit), q)
    whole += 2 * rest > q or (2 * rest == q and whole % 2)
    magnitude = inf if whole.bit_length() + unit > format.emax + 1 else ldexp(whole, unit)
    return magnitude if x > 0 else -magnitude


def is_exact(x: float, format: Format) -> bool:
    """Whether x is 0 or a normal number of the format.

    >>> is_exact(0.1, BINARY64), is_exact(0.1, BINARY32), is_exact(5e-324, BINARY64)
    (True, False, False)
    """
    mantissa, denominator = abs(x).as_integer_ratio()
    trailing = (mantissa & -mantissa).bit_length() - 1
    exponent = mantissa.bit_length() - denominator.bit_length()
    return not x or (mantissa.bit_length() - trailing <= format.precision and format.emin <= exponent <= format.emax)
