"""Linear algebra on plain lists: a vector is a list of numbers, a matrix a list of rows.

>>> transpose(hadamard([[1.0, 2.0], [3.0, 4.0]], [[2.0, 2.0], [0.5, 0.5]]))
[[2.0, 1.5], [4.0, 2.0]]
"""

from __future__ import annotations

from operator import mul, sub

from purebp.textbook.arithmetic import DEFAULT, Arithmetic, Matrix, N, PurebpError, Vector

__all__ = ["Matrix", "Vector", "dot", "hadamard", "inner", "shape", "subtract", "total", "transpose"]


def shape(a: Matrix[N]) -> tuple[int, int]:
    """(rows, columns); (0, 0) without rows, an error if the rows are not equally long.

    >>> shape([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    (2, 3)
    """
    if len(set(map(len, a))) > 1:
        raise PurebpError(f"the matrix is ragged: its rows have {', '.join(map(str, map(len, a)))} entries")
    return (len(a), len(a[0])) if len(a) else (0, 0)


def transpose(a: Matrix[N]) -> list[list[N]]:
    """Aᵀ: rows become columns.

    >>> transpose([[1.0, 2.0, 3.0]])
    [[1.0], [2.0], [3.0]]
    """
    try:
        return list(map(list, zip(*a, strict=True)))
    except ValueError:
        widths = ", ".join(map(str, map(len, a)))
        raise PurebpError(f"transpose of a ragged matrix: its rows have {widths} entries") from None


def inner(
    a: Matrix[N],
    b: Matrix[N],
    biases: Vector[N] | None = None,
    arithmetic: Arithmetic[N] = DEFAULT,
) -> list[list[N]]:
    """Dot products of rows with rows: A Bᵀ, n × m from n × k and m × k, plus biases[j] in column j.

    >>> inner([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]])
    [[11.0, 17.0]]
    """
    (n, k), (m, columns) = shape(a), shape(b)
    if n and m and k != columns:
        raise PurebpError(f"inner of {shape(a)} and {shape(b)}: the rows of both must be equally long")
    if biases is not None and len(biases) != m:
        raise PurebpError(f"inner of {shape(a)} and {shape(b)} needs {m} biases, not {len(biases)}")
    return arithmetic.inner(a, b, biases)


def dot(x: Vector[N], y: Vector[N], arithmetic: Arithmetic[N] = DEFAULT) -> N:
    """x · y = Σₖ x[k] y[k].

    >>> dot([1.0, 2.0], [3.0, 4.0])
    11.0
    """
    return inner([x], [y], None, arithmetic)[0][0]


def total(x: Vector[N], arithmetic: Arithmetic[N] = DEFAULT) -> N:
    """Σₖ x[k], as the product with a vector of ones.

    >>> total([1.0, 2.0])
    3.0
    """
    return dot(x, [arithmetic.one] * len(x), arithmetic)


def hadamard(a: Matrix[N], b: Matrix[N]) -> list[list[N]]:
    """A ⊙ B: the product entry by entry.

    >>> hadamard([[1.0, 2.0]], [[3.0, 4.0]])
    [[3.0, 8.0]]
    """
    _same_shape(a, b)
    return [list(map(mul, row, other)) for row, other in zip(a, b)]


def subtract(a: Matrix[N], b: Matrix[N]) -> list[list[N]]:
    """A − B, entry by entry.

    >>> subtract([[1.0, 2.0]], [[3.0, 5.0]])
    [[-2.0, -3.0]]
    """
    _same_shape(a, b)
    return [list(map(sub, row, other)) for row, other in zip(a, b)]


def _same_shape(a: Matrix[N], b: Matrix[N]) -> None:
    if shape(a) != shape(b):
        raise PurebpError(f"entry by entry, {shape(a)} and {shape(b)} do not go together: the shapes must agree")
