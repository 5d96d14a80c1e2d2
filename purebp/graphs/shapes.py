"""Which shapes go together, before anything is computed: (), (n,) or (n, m), where None is a dimension still free.

Entry by entry, equal shapes go together, and a number with anything. Nothing else is stretched to fit: that is how (n,)
minus (n, 1) becomes n × n elsewhere.

>>> together((None, 3), (2, None)), together((), (2,))
((2, 3), (2,))
"""

from __future__ import annotations

from collections.abc import Callable

from purebp.graphs.tensors import Shape
from purebp.textbook.arithmetic import PurebpError

RANKS = ("a number", "a vector", "a matrix")


def fits(one: Shape, other: Shape) -> bool:
    """Whether they may be the same; a free dimension may be any.

    >>> fits((None, 3), (2, 3)), fits((2,), (2, 1))
    (True, False)
    """
    return len(one) == len(other) and all(a is None or b is None or a == b for a, b in zip(one, other))


def squeezed(shape: Shape) -> Shape:
    """The shape without its dimensions of 1.

    >>> squeezed((1, 3))
    (3,)
    """
    return tuple(n for n in shape if n != 1)


def together(*shapes: Shape) -> Shape:
    """The shape of what is made entry by entry; a number goes with anything."""
    result: Shape = ()
    for shape in shapes:
        if shape and result and not fits(shape, result):
            raise PurebpError(f"entry by entry, the shapes must be equal{_broadcast(result, shape)}")
        both = shape and result
        result = tuple(b if a is None else a for a, b in zip(result, shape)) if both else result or shape
    return result


def _broadcast(one: Shape, other: Shape) -> str:
    """What becomes elsewhere of two shapes that do not go together."""
    if len(one) + len(other) != 3:
        return ""
    if fits(one[-1:], other[-1:]):
        return ". Biases are added to every row by Linear(x, weights, biases)"
    if not fits(squeezed(one), squeezed(other)):
        return ""
    n = together(squeezed(one), squeezed(other))[0]
    return f". Libraries that broadcast would make {n} × {n} numbers of these, silently: Reshape one of them"


def of_rank(*ranks: int) -> Callable[[Shape], Shape]:
    """The rule that leaves a shape as it is if its rank is one of these.

    >>> of_rank(1, 2)((2, 3))
    (2, 3)
    """

    def shape(x: Shape) -> Shape:
        if len(x) not in ranks:
            raise PurebpError(f"wanted is {' or '.join(RANKS[rank] for rank in ranks)}")
        return x

    return shape


def axis_of(shape: Shape, axis: int) -> int:
    """The axis, counted from the front.

    >>> axis_of((2, 3), -1)
    1
    """
    if not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
        raise PurebpError(f"there is no axis {axis!r:.40} of {shape}")
    return axis % len(shape)
