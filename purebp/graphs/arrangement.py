"""Operations that put the same numbers in other places; what comes back to them goes to where they came from.

>>> from purebp.graphs.nodes import Input
>>> Concatenate(Transpose(Input("x")), Reshape(Input("y"), (-1, 1)))
Concatenate(axis=-1)(Transpose, Reshape(-1, 1))
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

from purebp.graphs.nodes import Node, Operation
from purebp.graphs.shapes import axis_of, fits, of_rank
from purebp.graphs.tensors import Shape, Tensor, arranged, as_rows, dimensions, entries, like, runs_down
from purebp.textbook.arithmetic import Arithmetic, PurebpError
from purebp.textbook.linalg import transpose

__all__ = ["Concatenate", "Reshape", "Transpose"]

Transpose = Operation(
    "Transpose",
    lambda x: of_rank(2)(x)[::-1],
    lambda arithmetic, x: transpose(x),
    (lambda arithmetic, g, y, x: transpose(g),),
)


def Reshape(x: Node | Tensor, shape: Sequence[int] | int, name: str = "") -> Node:
    """The same numbers, row by row, in another shape; −1 stands for what is left over.

    >>> from purebp.graphs.nodes import Input
    >>> Reshape(Input("x"), (-1, 1))
    Reshape(-1, 1)(x)
    """
    wanted = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if not all(isinstance(n, int) for n in wanted):
        raise PurebpError(f"Reshape to {shape!r:.60}: whole numbers are wanted")
    known = prod(n for n in wanted if n != -1)
    if len(wanted) > 2 or wanted.count(-1) > 1 or known < 1:
        raise PurebpError(f"Reshape to {wanted}: at most two dimensions are wanted, at most one of them −1")

    def resolved(x: Shape) -> Shape:
        free = None in x
        size = prod(n for n in x if n is not None)
        if not free and (size % known if -1 in wanted else size != known):
            raise PurebpError(f"{size} numbers do not have the shape {wanted}")
        return tuple((None if free else size // known) if n == -1 else n for n in wanted)

    return Operation(
        f"Reshape{wanted}",
        resolved,
        lambda arithmetic, x: arranged(entries(x), resolved(dimensions(x))),  # type: ignore[arg-type]  # nothing is free here
        (lambda arithmetic, g, y, x: arranged(entries(g), dimensions(x)),),
    )(x, name=name)


def Concatenate(*parts: Node | Tensor, axis: int = -1, name: str = "") -> Node:
    """Vectors one after the other, or matrices side by side; one below the other along axis 0.

    >>> from purebp.graphs.nodes import Input
    >>> Concatenate(Input("x"), Input("y"), axis=0)
    Concatenate(axis=0)(x, y)
    """
    if not parts:
        raise PurebpError("Concatenate is of one node at least")

    def joined(*shapes: Shape) -> Shape:
        first, place = shapes[0], axis_of(shapes[0], axis)
        if not all(
            len(s) == len(first) and fits(s[:place] + s[place + 1 :], first[:place] + first[place + 1 :])
            for s in shapes
        ):
            raise PurebpError(f"along axis {axis}, shapes must be equal but for that axis")
        lengths = [s[place] for s in shapes]
        length = None if None in lengths else sum(n for n in lengths if n is not None)
        return *first[:place], length, *first[place + 1 :]

    def value(arithmetic: Arithmetic[Any], *values: Tensor) -> Tensor:
        if runs_down(values[0], axis):
            return [list(row) for rows in values for row in rows]
        return like(values[0], [sum(rows, []) for rows in zip(*map(as_rows, values))])

    def back(position: int, arithmetic: Arithmetic[Any], g: Tensor, y: Tensor, *values: Tensor) -> Tensor:
        place = axis_of(dimensions(y), axis)
        start = sum(dimensions(v)[place] for v in values[:position])
        kept = slice(start, start + dimensions(values[position])[place])
        return g[kept] if runs_down(y, axis) else like(y, [row[kept] for row in as_rows(g)])

    products = [partial(back, position) for position in range(len(parts))]
    return Operation(f"Concatenate(axis={axis})", joined, value, products)(*parts, name=name)
