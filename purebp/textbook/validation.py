"""Validation at the edge: a matrix as it is stored, a tuple of equally long tuples of numbers."""

from __future__ import annotations

from numbers import Integral, Rational, Real
from typing import Any

from purebp.textbook.arithmetic import Matrix, N, PurebpError


def matrix(name: str, rows: Matrix[N]) -> tuple[tuple[N, ...], ...]:
    """Rows as a tuple of tuples, integers as floats; an error unless they are equally long and hold numbers.

    >>> matrix("weights", [[1, 2.5]])
    ((1.0, 2.5),)
    """
    try:
        result = tuple(map(tuple, rows))
    except TypeError:
        raise PurebpError(f"{name}: a list of rows, each a list of numbers, is wanted, not {rows!r:.60}") from None
    if not result or not result[0]:
        raise PurebpError(f"{name} are empty: at least one row with one number is wanted")
    for i, row in enumerate(result):
        if len(row) != len(result[0]):
            raise PurebpError(f"{name} are ragged: row 0 has {len(result[0])} numbers, row {i} has {len(row)}")
    if all(set(map(type, row)) == {float} for row in result):
        return result
    return tuple(tuple(_number(f"{name}[{i}][{j}]", x) for j, x in enumerate(row)) for i, row in enumerate(result))


def _number(place: str, x: Any) -> Any:
    """Integers and real scalars of other libraries become floats; other number systems stay what they are."""
    if "bool" in type(x).__name__ or getattr(x, "shape", ()) != () or not hasattr(x, "__truediv__"):
        raise PurebpError(f"{place} is {x!r:.60}: a number is wanted")
    if isinstance(x, Integral) or (isinstance(x, Real) and not isinstance(x, Rational)):
        try:
            return float(x)
        except OverflowError:
            raise PurebpError(f"{place} is an integer too large for a float") from None
    return x
