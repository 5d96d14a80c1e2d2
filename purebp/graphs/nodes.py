"""Nodes, what they are made of, and the six operations that +, −, ×, ÷ and @ between nodes stand for.

A node y = f(x₁, …, xₖ) adds to the gradient of each xᵢ the product ȳ ∂f/∂xᵢ, where ȳ = ∂cost/∂y is its own gradient,
of the shape of y. The Jacobian ∂f/∂xᵢ is never formed: a rule of each operation says what the product with it is. That
is all that backpropagation knows of an operation (`purebp.graphs.engine`).

| operation | value | vector–Jacobian products |
| --- | --- | --- |
| `Add`, `Subtract`, `Negative` | x + y, x − y, −x | z̄ and z̄, z̄ and −z̄, −z̄ |
| `Multiply`, `Divide` | x ⊙ y, x ⊘ y | z̄ ⊙ y and z̄ ⊙ x, z̄ ⊘ y and −z̄ ⊙ z ⊘ y |
| `MatMul` | A B | C̄ Bᵀ, Aᵀ C̄ |

What a node holds is a number, a vector (n,) or a matrix (n, m).

>>> x, y = Input("x"), Input("y")
>>> cost = Multiply(Add(x, y), x, name="cost")
>>> cost, cost.parents
(cost = Multiply(Add, x), (Add(x, y), x = Input()))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from inspect import signature
from operator import add, mul, neg, sub
from typing import Any, NoReturn

from purebp.graphs.shapes import fits, together
from purebp.graphs.tensors import Shape, Tensor, dimensions, entries, entrywise, lifted
from purebp.textbook.activations import Activation
from purebp.textbook.arithmetic import FLOAT, Arithmetic, PurebpError
from purebp.textbook.linalg import total, transpose
from purebp.textbook.losses import Loss

__all__ = [
    "Add",
    "Constant",
    "Divide",
    "Input",
    "MatMul",
    "Multiply",
    "Negative",
    "Node",
    "Operation",
    "Parameter",
    "Subtract",
]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    """An operation and the nodes it is applied to, or without one an input. Nodes are equal if they are the same.

    +, −, ×, ÷ and @ between nodes, or a node and a number, are `Add`, `Subtract`, `Multiply`, `Divide` and `MatMul`;
    x**3 is x x x.

    >>> x = Input("x")
    >>> 2 * x - 1
    Subtract(Multiply, Constant)
    """

    operation: Operation | None
    parents: tuple[Node, ...] = ()
    name: str = ""
    shape: Shape | None = None
    trained: bool = False

    @property
    def kind(self) -> str:
        """The name of the operation, or "Input" or "Parameter"."""
        return self.operation.name if self.operation else "Parameter" if self.trained else "Input"

    def __repr__(self) -> str:
        parents = ", ".join(parent.name or parent.kind for parent in self.parents)
        shape = "" if self.shape is None else str(self.shape)
        return f"{f'{self.name} = ' if self.name else ''}{self.kind}({parents or shape})"

    def __reduce__(self) -> NoReturn:
        raise PurebpError(f"{self!r:.60} cannot be pickled or copied: operations are functions; build the graph again")

    def __add__(self, other: Node | Tensor) -> Node:
        return Add(self, other)

    def __radd__(self, other: Tensor) -> Node:
        return Add(other, self)

    def __sub__(self, other: Node | Tensor) -> Node:
        return Subtract(self, other)

    def __rsub__(self, other: Tensor) -> Node:
        return Subtract(other, self)

    def __mul__(self, other: Node | Tensor) -> Node:
        return Multiply(self, other)

    def __rmul__(self, other: Tensor) -> Node:
        return Multiply(other, self)

    def __truediv__(self, other: Node | Tensor) -> Node:
        return Divide(self, other)

    def __rtruediv__(self, other: Tensor) -> Node:
        return Divide(other, self)

    def __neg__(self) -> Node:
        return Negative(self)

    def __matmul__(self, other: Node | Tensor) -> Node:
        return MatMul(self, other)

    def __rmatmul__(self, other: Tensor) -> Node:
        return MatMul(other, self)

    def _is_no_operation(self, *given: object) -> NoReturn:
        raise PurebpError(
            "graphs have no indices, comparisons, abs, or functions of NumPy: purebp.graph has Exp, Log, Activate, Reshape, "
            "Concatenate, ...; a program that needs more is traced as it is by purebp.oracle.check_backward (docs/programs.md)"
        )

    __getitem__ = __abs__ = __lt__ = __le__ = __gt__ = __ge__ = __float__ = __mod__ = _is_no_operation
    exp = log = sqrt = tanh = _is_no_operation

    def __pow__(self, exponent: int) -> Node:
        if not isinstance(exponent, int) or exponent < 1:
            raise PurebpError(f"to the power of {exponent!r:.40}: a whole number above 0 is wanted")
        return reduce(Multiply, [self] * exponent)

    def __array_ufunc__(self, ufunc: Any, method: str, *given: Any, **options: Any) -> Node:
        """`array * node` is left to the node by NumPy, and so is what is no operation of graphs."""
        found = _REFLECTED.get(ufunc.__name__)
        if found is None or len(given) != 2 or given[1] is not self:
            self._is_no_operation()
        made: Node = getattr(self, found)(given[0])
        return made


_REFLECTED = {
    "add": "__radd__",
    "subtract": "__rsub__",
    "multiply": "__rmul__",
    "divide": "__rtruediv__",
    "true_divide": "__rtruediv__",
    "matmul": "__rmatmul__",
}


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A function of nodes, as data; called with nodes, or numbers in their place, it makes a node.

    shape: from the shapes of the parents, in which None is a dimension not known yet, to that of the value.
    value: from the arithmetic and the values of the parents.
    products: for each parent, from the arithmetic, the gradient of the node, its value and the values of the parents to
    what the node adds to the gradient of that parent, in the shape of that parent.
    folds: whether f(x, y, z) stands for f(f(x, y), z).
    activation, loss: the one that it applies, if it is made of one.
    kinks: of a function entry by entry of one parent, where its derivative jumps; the oracle asks on both sides of them.

    >>> Square = Operation(
    ...     "Square",
    ...     shape=lambda x: x,
    ...     value=lambda arithmetic, x: entrywise(lambda xi: xi * xi, x),
    ...     products=(lambda arithmetic, gradient, value, x: entrywise(lambda g, xi: 2 * xi * g, gradient, x),),
    ... )
    >>> Square(Input("x"), name="y")
    y = Square(x)
    """

    name: str
    shape: Callable[..., Shape] = field(repr=False)
    value: Callable[..., Tensor] = field(repr=False)
    products: Sequence[Callable[..., Tensor]] = field(repr=False)
    folds: bool = field(default=False, repr=False)
    activation: Activation | None = field(default=None, repr=False)
    loss: Loss | None = field(default=None, repr=False)
    kinks: tuple[float, ...] = field(default=(), repr=False)

    def __call__(self, *parents: Node | Tensor, name: str = "", **named: Node | Tensor) -> Node:
        if named:  # as in MSE(targets=y, outputs=p): the names are those of the value
            wanted = [*signature(self.value).parameters][1 + len(parents) :]
            if sorted(named) != sorted(wanted):
                raise PurebpError(
                    f"{self.name} was given {', '.join(named)}: it takes {', '.join(wanted) or 'no more'}"
                )
            parents += tuple(named[each] for each in wanted)
        while self.folds and len(parents) > 2:
            parents = (self(*parents[:2]), *parents[2:])
        if len(parents) != len(self.products):
            raise PurebpError(f"{self.name} is of {len(self.products)} nodes, and was given {len(parents)}")
        return Node(self, tuple(p if isinstance(p, Node) else Constant(p) for p in parents), name)


def Input(name: str = "", shape: Sequence[int | None] | None = None) -> Node:
    """What is fed to a graph; None in its shape is free, such as the number of samples.

    >>> Input("x", (None, 3))
    x = Input((None, 3))
    """
    return Node(None, (), *_declared(name, shape))


def Parameter(name: str = "", shape: Sequence[int | None] | None = None) -> Node:
    """What is fed to a graph, and trained.

    >>> Parameter("W", (2, 3))
    W = Parameter((2, 3))
    """
    return Node(None, (), *_declared(name, shape), trained=True)


def _declared(name: str, shape: Sequence[int | None] | None) -> tuple[str, Shape | None]:
    if not isinstance(name, str):
        raise PurebpError(f"an input is called {name!r:.60}: its name, a text, comes first and its shape second")
    try:
        size = None if shape is None else tuple(shape)
    except TypeError:
        size = (-1,)
    if size is not None and not (len(size) <= 2 and all(n is None or (isinstance(n, int) and n > 0) for n in size)):
        wanted = "(), (n,) or (n, m) is wanted, with None for a dimension that is free"
        raise PurebpError(f"{name or 'an input'} is declared with the shape {shape!r:.60}: {wanted}")
    return name, size


def Constant(value: Tensor, name: str = "") -> Node:
    """A number, a list or a list of rows that is part of the graph.

    >>> Constant([1, 2]).shape
    (2,)
    """
    held = lifted("a constant", value, FLOAT)
    shape = dimensions(held)
    constant = Operation("Constant", lambda: shape, lambda arithmetic: lifted("a constant", held, arithmetic), ())
    return Node(constant, (), name, shape)


# What the operators of `Node` stand for. They are here because a node cannot be defined before them, nor they before it.


def _onto(parent: Tensor, gradient: Tensor, arithmetic: Arithmetic[Any]) -> Tensor:
    """A number that stood in every place gets the sum over all places."""
    return total(entries(gradient), arithmetic) if dimensions(gradient) and not dimensions(parent) else gradient


def reciprocal(x: Tensor) -> Tensor:
    """1/x, entry by entry.

    >>> reciprocal([2.0, 4.0])
    [0.5, 0.25]
    """
    return entrywise(lambda xi: 1 / xi, x)


def _product_shape(a: Shape, b: Shape) -> Shape:
    if len(a) != 2 or len(b) != 2 or not fits(a[1:], b[:1]):
        raise PurebpError("wanted are matrices n × k and k × m")
    return a[0], b[1]


Add = Operation(
    "Add",
    together,
    lambda arithmetic, x, y: entrywise(add, x, y),
    (
        lambda arithmetic, g, z, x, y: _onto(x, g, arithmetic),
        lambda arithmetic, g, z, x, y: _onto(y, g, arithmetic),
    ),
    folds=True,
)
Subtract = Operation(
    "Subtract",
    together,
    lambda arithmetic, x, y: entrywise(sub, x, y),
    (
        lambda arithmetic, g, z, x, y: _onto(x, g, arithmetic),
        lambda arithmetic, g, z, x, y: entrywise(neg, _onto(y, g, arithmetic)),
    ),
)
Negative = Operation(
    "Negative",
    together,
    lambda arithmetic, x: entrywise(neg, x),
    (lambda arithmetic, g, z, x: entrywise(neg, g),),
)
Multiply = Operation(
    "Multiply",
    together,
    lambda arithmetic, x, y: entrywise(mul, x, y),
    (
        lambda arithmetic, g, z, x, y: _onto(x, entrywise(mul, g, y), arithmetic),
        lambda arithmetic, g, z, x, y: _onto(y, entrywise(mul, g, x), arithmetic),
    ),
    folds=True,
)
# z = x/y. The product with 1 leaves room, in an error budget, for x · y⁻¹. ∂z/∂x = 1/y, and ∂z/∂y = −x/y² = −z/y.
Divide = Operation(
    "Divide",
    together,
    lambda arithmetic, x, y: entrywise(lambda xi, yi: xi * 1 / yi, x, y),
    (
        lambda arithmetic, g, z, x, y: _onto(x, entrywise(mul, g, reciprocal(y)), arithmetic),
        lambda arithmetic, g, z, x, y: _onto(
            y, entrywise(lambda gi, zi, ri: -(gi * zi * ri), g, z, reciprocal(y)), arithmetic
        ),
    ),
)
# cᵢⱼ = Σₖ aᵢₖ bₖⱼ. So āᵢₖ = Σⱼ c̄ᵢⱼ bₖⱼ, and b̄ₖⱼ = Σᵢ aᵢₖ c̄ᵢⱼ; `inner` takes rows with rows.
MatMul = Operation(
    "MatMul",
    _product_shape,
    lambda arithmetic, a, b: arithmetic.inner(a, transpose(b)),
    (
        lambda arithmetic, g, c, a, b: arithmetic.inner(g, b),
        lambda arithmetic, g, c, a, b: arithmetic.inner(transpose(a), transpose(g)),
    ),
)
