"""Numbers, vectors and matrices alike: what a node of a graph holds is one of the three, as plain lists.

>>> entrywise(lambda x, y: x + y, [[1.0, 2.0], [3.0, 4.0]], 10.0)
[[11.0, 12.0], [13.0, 14.0]]
>>> arranged(entries([[1.0, 2.0], [3.0, 4.0]]), (4,))
[1.0, 2.0, 3.0, 4.0]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice, repeat
from typing import Any

from purebp.textbook.arithmetic import Arithmetic, PurebpError
from purebp.textbook.validation import matrix

Tensor = Any  # a number, a list of numbers or a list of rows; the shape is checked where it enters a graph
Shape = tuple[int | None, ...]  # None is a dimension that is still free


def dimensions(tensor: Tensor) -> tuple[int, ...]:
    """() of a number, (n,) of a vector, (n, m) of a matrix.

    >>> dimensions(1.0), dimensions([1.0, 2.0]), dimensions([[1.0], [2.0]])
    ((), (2,), (2, 1))
    """
    if not isinstance(tensor, list):
        return ()
    return (len(tensor), *dimensions(tensor[0]))


def entries(tensor: Tensor) -> list[Any]:
    """All numbers, row by row.

    >>> entries(1.0), entries([[1.0, 2.0], [3.0, 4.0]])
    ([1.0], [1.0, 2.0, 3.0, 4.0])
    """
    return [x for row in as_rows(tensor) for x in row]


def arranged(numbers: Iterable[Any], shape: tuple[int, ...]) -> Tensor:
    """The numbers, row by row, in that shape.

    >>> arranged([1.0, 2.0], (2, 1)), arranged([1.0], ())
    ([[1.0], [2.0]], 1.0)
    """
    given = iter(numbers)
    if len(shape) < 2:
        return list(given) if shape else next(given)
    return [list(islice(given, shape[1])) for _ in range(shape[0])]


def as_rows(tensor: Tensor) -> list[list[Any]]:
    """As a matrix: a vector is one row, a number one row with one entry.

    >>> as_rows([1.0, 2.0]), as_rows(1.0)
    ([[1.0, 2.0]], [[1.0]])
    """
    rows: list[list[Any]] = [[[tensor]], [tensor], tensor][len(dimensions(tensor))]
    return rows


def like(tensor: Tensor, rows: list[list[Any]]) -> Tensor:
    """What `as_rows` made rows of, again: a matrix, a vector or a number, as the tensor is.

    >>> like([0.0, 0.0], [[1.0, 2.0]]), like(0.0, [[1.0]])
    ([1.0, 2.0], 1.0)
    """
    rank = len(dimensions(tensor))
    return rows if rank == 2 else rows[0] if rank == 1 else rows[0][0]


def entrywise(f: Callable[..., Any], *tensors: Tensor) -> Tensor:
    """f of the entries that stand in the same place; a number stands in every place.

    >>> entrywise(max, [1.0, 5.0], [2.0, 3.0])
    [2.0, 5.0]
    """
    ranks = [len(dimensions(tensor)) for tensor in tensors]
    if not any(ranks):
        return f(*tensors)
    length = len(tensors[ranks.index(max(ranks))])
    columns = [tensor if rank else repeat(tensor, length) for tensor, rank in zip(tensors, ranks)]
    if max(ranks) == 1:
        return list(map(f, *columns))
    return [entrywise(f, *row) for row in zip(*columns)]


def runs_down(tensor: Tensor, axis: int | None) -> bool:
    """Whether the axis runs down the columns of a matrix.

    >>> runs_down([[1.0, 2.0]], 0), runs_down([1.0, 2.0], 0)
    (True, False)
    """
    return axis in (0, -2) and len(dimensions(tensor)) == 2


def copied(tensor: Tensor) -> Tensor:
    """The same numbers in lists of their own: whoever changes those changes nothing else.

    >>> x = [[1.0, 2.0]]
    >>> copied(x) == x, copied(x)[0] is x[0]
    (True, False)
    """
    return list(map(copied, tensor)) if isinstance(tensor, list) else tensor


def paired(name: str, value: Tensor, gradient: Tensor, arithmetic: Arithmetic[Any]) -> tuple[Tensor, Tensor]:
    """A parameter, lifted, and its gradient; an error unless they have one shape."""
    held, slope = lifted(name, value, arithmetic), lifted(f"the gradient of {name}", gradient, arithmetic)
    if dimensions(held) != dimensions(slope):
        raise PurebpError(f"{name} is {dimensions(held)}, its gradient {dimensions(slope)}: the shapes must agree")
    return held, slope


def lifted(name: str, value: Tensor, arithmetic: Arithmetic[Any]) -> Tensor:
    """A number, a list or a list of rows (tuples and arrays too), checked and lifted; a copy.

    >>> from purebp import FLOAT
    >>> lifted("x", (1, 2), FLOAT)
    [1.0, 2.0]
    """
    plain = value.tolist() if hasattr(value, "tolist") else value

    def is_number(x: Any) -> bool:  # a Ball is a tuple as well
        return hasattr(x, "__truediv__")

    if is_number(plain):
        return arithmetic.lift(matrix(name, [[plain]]))[0][0]
    if not isinstance(plain, (list, tuple)):
        raise PurebpError(f"{name} is {value!r:.60}: a number, a list of numbers or a list of rows is wanted")
    if plain and is_number(plain[0]):
        return list(arithmetic.lift(matrix(name, [plain]))[0])
    return list(map(list, arithmetic.lift(matrix(name, plain))))
