"""Nodes of a graph, and the operations that make them: each a value and its vector–Jacobian products, side by side.

A node y = f(x₁, …, xₖ) adds to the gradient of each xᵢ the product ȳ ∂f/∂xᵢ, where ȳ = ∂cost/∂y is its own gradient,
of the shape of y. The Jacobian ∂f/∂xᵢ is never formed: a rule of each operation says what the product with it is. That
is all that backpropagation knows of an operation (`purebp.graph`).

| operations | value | vector–Jacobian products |
| --- | --- | --- |
| `Add`, `Subtract`, `Negative` | x + y, x − y, −x | ȳ and ȳ, ȳ and −ȳ, −ȳ |
| `Multiply`, `Divide` | x ⊙ y, x ⊘ y | z̄ ⊙ y and z̄ ⊙ x, z̄ ⊘ y and −z̄ ⊙ z ⊘ y |
| `Exp`, `Log` | e^x, log x | ȳ ⊙ y, ȳ ⊘ x |
| `Linear(x, weights, biases)` | x Wᵀ + b | z̄ W, z̄ᵀ x, Σ z̄ over the samples |
| `MatMul(a, b)` | A B | C̄ Bᵀ, Aᵀ C̄ |
| `Transpose`, `Reshape(x, shape)`, `Concatenate(x, …, axis=)` | the same numbers elsewhere | ȳ, put back |
| `Sum(x, axis=None)`, `Mean(x, axis=None)` | Σ x, 1/n Σ x | ȳ, and 1/n ȳ, in every place |
| `Sigmoid`, `Tanh`, `ReLU`, …, `Softmax` | f(x) of `purebp.textbook.activations` | ȳ ⊙ f′(x), or times the Jacobian |
| `MSE(targets, outputs)`, …, `Cost` | the loss of `purebp.textbook.losses` | ȳ ∂loss/∂ŷ |

What a node holds is a number, a vector (n,) or a matrix (n, m). Entry by entry, equal shapes go together, and a number
with anything. Nothing else is stretched to fit: that is how (n,) minus (n, 1) becomes n × n elsewhere.

>>> x, y = Input("x"), Input("y")
>>> cost = Multiply(Add(x, y), x, name="cost")
>>> cost, cost.parents
(cost = Multiply(Add, x), (Add(x, y), x = Input()))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from inspect import signature
from math import prod
from operator import add, mul, neg, sub
from typing import Any, NoReturn

from purebp.graphs.tensors import Shape, Tensor, arranged, as_rows, dimensions, entries, entrywise, lifted, like
from purebp.textbook import activations, losses
from purebp.textbook.activations import Activation
from purebp.textbook.arithmetic import FLOAT, Arithmetic, PurebpError
from purebp.textbook.backprop import output_deltas
from purebp.textbook.linalg import total, transpose
from purebp.textbook.losses import Loss

__all__ = [
    "ELU",
    "GELU",
    "MAE",
    "MSE",
    "SSE",
    "Activate",
    "Add",
    "BinaryCrossEntropy",
    "Concatenate",
    "Constant",
    "Cost",
    "CrossEntropy",
    "Divide",
    "Exp",
    "HalfMSE",
    "HalfSSE",
    "Huber",
    "Identity",
    "Input",
    "LeakyReLU",
    "Linear",
    "Log",
    "MatMul",
    "Mean",
    "Multiply",
    "Negative",
    "Node",
    "Operation",
    "Parameter",
    "ReLU",
    "Reshape",
    "SiLU",
    "Sigmoid",
    "SigmoidBinaryCrossEntropy",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Softplus",
    "Subtract",
    "Sum",
    "Tanh",
    "Transpose",
]

On = Arithmetic[Any]


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

    def __pow__(self, exponent: int) -> Node:
        if not isinstance(exponent, int) or exponent < 1:
            raise PurebpError(f"to the power of {exponent!r:.40}: a whole number above 0 is wanted")
        return reduce(Multiply, [self] * exponent)

    __array_ufunc__ = None  # so that an array of NumPy leaves `array * node` to the node


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A function of nodes, as data; called with nodes, or numbers in their place, it makes a node.

    shape: from the shapes of the parents, in which None is a dimension not known yet, to that of the value.
    value: from the arithmetic and the values of the parents.
    products: for each parent, from the arithmetic, the gradient of the node, its value and the values of the parents to
    what the node adds to the gradient of that parent, in the shape of that parent.
    folds: whether f(x, y, z) stands for f(f(x, y), z).
    kinks: of a function entry by entry of one parent, where its derivative jumps; the oracle asks on both sides of them.

    >>> Square = Operation(
    ...     "Square",
    ...     shape=lambda x: x,
    ...     value=lambda on, x: entrywise(lambda xi: xi * xi, x),
    ...     products=(lambda on, gradient, value, x: entrywise(lambda g, xi: 2 * xi * g, gradient, x),),
    ... )
    >>> Square(Input("x"), name="y")
    y = Square(x)
    """

    name: str
    shape: Callable[..., Shape] = field(repr=False)
    value: Callable[..., Tensor] = field(repr=False)
    products: Sequence[Callable[..., Tensor]] = field(repr=False)
    folds: bool = field(default=False, repr=False)
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
    return Node(Operation("Constant", lambda: shape, lambda on: lifted("a constant", held, on), ()), (), name, shape)


# Shapes.


def _fits(one: Shape, other: Shape) -> bool:
    """Whether they may be the same; a free dimension may be any."""
    return len(one) == len(other) and all(a is None or b is None or a == b for a, b in zip(one, other))


def _merged(one: Shape, other: Shape) -> Shape:
    return tuple(b if a is None else a for a, b in zip(one, other))


def _squeezed(shape: Shape) -> Shape:
    return tuple(n for n in shape if n != 1)


def _broadcast(one: Shape, other: Shape) -> str:
    """What becomes elsewhere of two shapes that do not go together."""
    if len(one) + len(other) == 3 and _fits(*(shape[-1:] for shape in (one, other))):
        return ". Biases are added to every row by Linear(x, weights, biases)"
    if len(one) + len(other) != 3 or not _fits(_squeezed(one), _squeezed(other)):
        return ""
    (n, *_) = (*_squeezed(one), 1)
    return f". Libraries that broadcast would make {n} × {n} numbers of these, silently: Reshape one of them"


def _together(*shapes: Shape) -> Shape:
    """The shape of what is made entry by entry; a number goes with anything."""
    result: Shape = ()
    for shape in shapes:
        if shape and result and not _fits(shape, result):
            raise PurebpError(f"entry by entry, the shapes must be equal{_broadcast(result, shape)}")
        result = _merged(result, shape) if result and shape else result or shape
    return result


def _of_rank(*ranks: int) -> Callable[[Shape], Shape]:
    """The shape unchanged, if its rank is one of these."""

    def shape(x: Shape) -> Shape:
        if len(x) not in ranks:
            raise PurebpError(f"wanted is {' or '.join(('a number', 'a vector', 'a matrix')[rank] for rank in ranks)}")
        return x

    return shape


# Entry by entry.


def _onto(on: On, gradient: Tensor, parent: Tensor) -> Tensor:
    """A number that stood in every place gets the sum over all places."""
    return total(entries(gradient), on) if dimensions(gradient) and not dimensions(parent) else gradient


def _reciprocal(x: Tensor) -> Tensor:
    return entrywise(lambda xi: 1 / xi, x)


Add = Operation(
    "Add",
    _together,
    lambda on, x, y: entrywise(add, x, y),
    (lambda on, g, z, x, y: _onto(on, g, x), lambda on, g, z, x, y: _onto(on, g, y)),
    folds=True,
)
Subtract = Operation(
    "Subtract",
    _together,
    lambda on, x, y: entrywise(sub, x, y),
    (lambda on, g, z, x, y: _onto(on, g, x), lambda on, g, z, x, y: entrywise(neg, _onto(on, g, y))),
)
Negative = Operation("Negative", _together, lambda on, x: entrywise(neg, x), (lambda on, g, z, x: entrywise(neg, g),))
Multiply = Operation(
    "Multiply",
    _together,
    lambda on, x, y: entrywise(mul, x, y),
    (
        lambda on, g, z, x, y: _onto(on, entrywise(mul, g, y), x),
        lambda on, g, z, x, y: _onto(on, entrywise(mul, g, x), y),
    ),
    folds=True,
)
# z = x/y. The product with 1 leaves room, in an error budget, for x · y⁻¹. ∂z/∂x = 1/y, and ∂z/∂y = −x/y² = −z/y.
Divide = Operation(
    "Divide",
    _together,
    lambda on, x, y: entrywise(lambda xi, yi: xi * 1 / yi, x, y),
    (
        lambda on, g, z, x, y: _onto(on, entrywise(mul, g, _reciprocal(y)), x),
        lambda on, g, z, x, y: _onto(on, entrywise(lambda gi, zi, ri: -(gi * zi * ri), g, z, _reciprocal(y)), y),
    ),
)
Exp = Operation("Exp", _together, lambda on, x: entrywise(on.exp, x), (lambda on, g, y, x: entrywise(mul, g, y),))
Log = Operation(
    "Log", _together, lambda on, x: entrywise(on.log, x), (lambda on, g, y, x: entrywise(mul, g, _reciprocal(x)),)
)

# Products.


def _linear_shape(x: Shape, weights: Shape, biases: Shape | None = None) -> Shape:
    if len(x) not in (1, 2) or len(weights) not in (1, 2) or not _fits(x[-1:], weights[-1:]):
        raise PurebpError(
            "wanted are samples × n_in, or one sample of n_in numbers, and weights n_out × n_in; where they are "
            "n_in × n_out, Transpose them"
        )
    if biases is not None:
        column = len(biases) == 2 and not _fits(biases[1:], weights[:-1])
        if column or not _fits(_squeezed(biases), _squeezed(weights[:-1])):
            raise PurebpError("wanted is one bias for each row of the weights, as a vector or one row")
    return *x[:-1], *weights[:-1]


def _affine(on: On, x: Tensor, weights: Tensor, biases: Tensor = None) -> Tensor:
    z = on.inner(as_rows(x), as_rows(weights), None if biases is None else entries(biases))
    shape = *dimensions(x)[:-1], *dimensions(weights)[:-1]
    return z if len(shape) == 2 else arranged(entries(z), shape)


def _errors(g: Tensor, weights: Tensor) -> list[list[Any]]:
    """z̄ as samples × n_out, whatever shape the sample and the weights give it."""
    if len(dimensions(g)) == 2:
        return list(g)
    n_out, numbers = len(as_rows(weights)), entries(g)
    return list(arranged(numbers, (len(numbers) // n_out, n_out)))


# z = x Wᵀ + b, entry by entry zᵢⱼ = Σₖ xᵢₖ Wⱼₖ + bⱼ. So x̄ᵢₖ = Σⱼ z̄ᵢⱼ Wⱼₖ, W̄ⱼₖ = Σᵢ z̄ᵢⱼ xᵢₖ and b̄ⱼ = Σᵢ z̄ᵢⱼ.
_LINEAR = (
    lambda on, g, z, x, weights, *biases: like(x, on.inner(_errors(g, weights), transpose(as_rows(weights)), None)),
    lambda on, g, z, x, weights, *biases: like(
        weights, on.inner(transpose(_errors(g, weights)), transpose(as_rows(x)), None)
    ),
    lambda on, g, z, x, weights, biases: like(
        biases, on.inner([[on.ratio(1, 1)] * len(as_rows(x))], transpose(_errors(g, weights)), None)
    ),
)
_WITH_BIASES = Operation("Linear", _linear_shape, _affine, _LINEAR)
_WITHOUT_BIASES = Operation("Linear", _linear_shape, _affine, _LINEAR[:2])


def Linear(x: Node | Tensor, weights: Node | Tensor, biases: Node | Tensor | None = None, name: str = "") -> Node:
    """z = x Wᵀ + b: x samples × n_in or one sample, weights n_out × n_in (row j feeds neuron j), biases n_out.

    >>> Linear(Input("x"), Parameter("W"), Parameter("b"))
    Linear(x, W, b)
    """
    return _WITHOUT_BIASES(x, weights, name=name) if biases is None else _WITH_BIASES(x, weights, biases, name=name)


def _product_shape(a: Shape, b: Shape) -> Shape:
    if len(a) != 2 or len(b) != 2 or not _fits(a[1:], b[:1]):
        raise PurebpError("wanted are matrices n × k and k × m")
    return a[0], b[1]


# cᵢⱼ = Σₖ aᵢₖ bₖⱼ. So āᵢₖ = Σⱼ c̄ᵢⱼ bₖⱼ, and b̄ₖⱼ = Σᵢ aᵢₖ c̄ᵢⱼ; `inner` takes rows with rows.
MatMul = Operation(
    "MatMul",
    _product_shape,
    lambda on, a, b: on.inner(a, transpose(b), None),
    (
        lambda on, g, c, a, b: on.inner(g, b, None),
        lambda on, g, c, a, b: on.inner(transpose(a), transpose(g), None),
    ),
)

# The same numbers in other places; what comes back goes to where it came from.

Transpose = Operation(
    "Transpose",
    lambda x: _of_rank(2)(x)[::-1],
    lambda on, x: transpose(x),
    (lambda on, g, y, x: transpose(g),),
)


def Reshape(x: Node | Tensor, shape: Sequence[int] | int, name: str = "") -> Node:
    """The same numbers, row by row, in another shape; −1 stands for what is left over.

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
        lambda on, x: arranged(entries(x), resolved(dimensions(x))),  # type: ignore[arg-type]  # nothing is free here
        (lambda on, g, y, x: arranged(entries(g), dimensions(x)),),
    )(x, name=name)


def Concatenate(*parts: Node | Tensor, axis: int = -1, name: str = "") -> Node:
    """Vectors one after the other, or matrices side by side; one below the other along axis 0.

    >>> Concatenate(Input("x"), Input("y"), axis=0)
    Concatenate(axis=0)(x, y)
    """
    if not parts:
        raise PurebpError("Concatenate is of one node at least")

    def joined(*shapes: Shape) -> Shape:
        first, place = shapes[0], _axis(shapes[0], axis)
        if not all(
            len(s) == len(first) and _fits(s[:place] + s[place + 1 :], first[:place] + first[place + 1 :])
            for s in shapes
        ):
            raise PurebpError(f"along axis {axis}, shapes must be equal but for that axis")
        lengths = [s[place] for s in shapes]
        length = None if None in lengths else sum(n for n in lengths if n is not None)
        return *first[:place], length, *first[place + 1 :]

    def value(on: On, *values: Tensor) -> Tensor:
        if _runs_down(values[0], axis):
            return [list(row) for rows in values for row in rows]
        return like(values[0], [sum(rows, []) for rows in zip(*map(as_rows, values))])

    def back(position: int, on: On, g: Tensor, y: Tensor, *values: Tensor) -> Tensor:
        place = _axis(dimensions(y), axis)
        start = sum(dimensions(v)[place] for v in values[:position])
        kept = slice(start, start + dimensions(values[position])[place])
        return g[kept] if _runs_down(y, axis) else like(y, [row[kept] for row in as_rows(g)])

    products = [partial(back, position) for position in range(len(parts))]
    return Operation(f"Concatenate(axis={axis})", joined, value, products)(*parts, name=name)


def _axis(shape: Shape, axis: int) -> int:
    """The axis, counted from the front."""
    if not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
        raise PurebpError(f"there is no axis {axis!r:.40} of {shape}")
    return axis % len(shape)


def _runs_down(x: Tensor, axis: int | None) -> bool:
    """Whether the axis runs down the columns of a matrix."""
    return axis in (0, -2) and len(dimensions(x)) == 2


# Sums.


def _summed(name: str, x: Node | Tensor, axis: int | None, is_mean: bool, node_name: str) -> Node:
    def shape(x: Shape) -> Shape:
        if axis is None:
            return ()
        place = _axis(x, axis)
        return x[:place] + x[place + 1 :]

    def groups(x: Tensor) -> list[list[Any]]:
        """What is summed, each sum a row."""
        if axis is None:
            return [entries(x)]
        return transpose(x) if _runs_down(x, axis) else as_rows(x)

    def scaled(on: On, y: Tensor, x: Tensor) -> Tensor:
        share = on.ratio(1, len(groups(x)[0]))
        return entrywise(lambda yi: yi * share, y) if is_mean else y

    def value(on: On, x: Tensor) -> Tensor:
        sums = [total(group, on) for group in groups(x)]
        return scaled(on, arranged(sums, shape(dimensions(x))), x)  # type: ignore[arg-type]  # nothing is free here

    def back(on: On, g: Tensor, y: Tensor, x: Tensor) -> Tensor:
        spread = [[gi] * len(group) for gi, group in zip(entries(scaled(on, g, x)), groups(x))]
        return arranged(entries(transpose(spread) if _runs_down(x, axis) else spread), dimensions(x))

    title = name if axis is None else f"{name}(axis={axis})"
    return Operation(title, shape, value, (back,))(x, name=node_name)


def Sum(x: Node | Tensor, axis: int | None = None, name: str = "") -> Node:
    """Σ x over all entries, or along an axis.

    >>> Sum(Input("x"))
    Sum(x)
    """
    return _summed("Sum", x, axis, False, name)


def Mean(x: Node | Tensor, axis: int | None = None, name: str = "") -> Node:
    """1/n Σ x over all n entries, or along an axis.

    >>> Mean(Input("x"))
    Mean(x)
    """
    return _summed("Mean", x, axis, True, name)


# Activations and losses, from their own modules.

_NAMES = {
    "identity": "Identity",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "softplus": "Softplus",
    "silu": "SiLU",
    "gelu": "GELU",
    "softmax": "Softmax",
    "mse": "MSE",
    "half_mse": "HalfMSE",
    "sse": "SSE",
    "half_sse": "HalfSSE",
    "mae": "MAE",
    "huber": "Huber",
    "binary_cross_entropy": "BinaryCrossEntropy",
    "cross_entropy": "CrossEntropy",
}


def _titled(name: str) -> str:
    """leaky_relu(0.5) → LeakyReLU(0.5)."""
    (end, *_) = [i for i, c in enumerate(name) if c in "(/"] or [len(name)]
    return _NAMES.get(name[:end], name[:end]) + name[end:]


def _activation(f: Activation) -> Operation:
    """ȳ times the Jacobian of f, which for all but softmax is diagonal: ȳ ⊙ f′(x)."""
    return Operation(
        _titled(f.name),
        _of_rank(1, 2) if f.name == "softmax" else _together,
        lambda on, x: like(x, f.apply(as_rows(x), on)),
        (lambda on, g, y, x: like(x, f.backward(as_rows(g), as_rows(x), as_rows(y), on)),),
        kinks=f.kinks,
    )


def Activate(x: Node | Tensor, activation: Activation | str, name: str = "") -> Node:
    """f(x) for any activation of purebp, or one of your own; softmax is of each row.

    >>> Activate(Input("x"), "leaky_relu(0.5)")
    LeakyReLU(0.5)(x)
    """
    return _activation(activations.activation(activation))(x, name=name)


Identity = _activation(activations.identity)
Sigmoid = _activation(activations.sigmoid)
Tanh = _activation(activations.tanh)
ReLU = _activation(activations.relu)
Softplus = _activation(activations.softplus)
SiLU = _activation(activations.silu)
GELU = _activation(activations.gelu)
Softmax = _activation(activations.softmax)


def LeakyReLU(x: Node | Tensor, slope: float = 0.01, name: str = "") -> Node:
    """x for x > 0, slope · x otherwise.

    >>> LeakyReLU(Input("x"), 0.5)
    LeakyReLU(0.5)(x)
    """
    return Activate(x, activations.leaky_relu(slope), name)


def ELU(x: Node | Tensor, alpha: float = 1.0, name: str = "") -> Node:
    """x for x > 0, alpha (e^x − 1) otherwise.

    >>> ELU(Input("x"))
    ELU(1.0)(x)
    """
    return Activate(x, activations.elu(alpha), name)


def _loss(loss: Loss, f: Activation | None = None) -> Operation:
    """The loss of outputs, or of f(z) for the z before them, in the fused form if there is one."""

    def shape(targets: Shape, outputs: Shape) -> Shape:
        if None not in targets + outputs and _squeezed(targets) != _squeezed(outputs):
            raise PurebpError(
                "targets and outputs must be as many numbers, in the same order. An (n,) and an (n, 1) are, and are "
                "taken as pairs: never as the n × n differences that libraries make of them by broadcasting"
            )
        by_rows = loss.base == "cross_entropy" or loss.reduction in ("samples", "outputs")
        if by_rows and len(targets) + len(outputs) == 3 and max(targets, outputs, key=len)[0] not in (1, None):
            raise PurebpError(
                f"{loss.name} depends on what a sample is: a vector is one, a matrix has one in each row. Give targets "
                "and outputs the same shape, with Reshape"
            )
        return ()

    def pair(targets: Tensor, outputs: Tensor) -> tuple[list[list[Any]], list[list[Any]]]:
        """Both as samples × outputs, in the shape of the one that is a matrix; two vectors are one sample."""
        matrix = outputs if len(dimensions(outputs)) == 2 else as_rows(targets)
        wanted = dimensions(matrix)
        return arranged(entries(targets), wanted), arranged(entries(outputs), wanted)

    def value(on: On, targets: Tensor, outputs: Tensor) -> Any:
        y, p = pair(targets, outputs)
        return loss(p, y, on) if f is None else loss.at(f, p, f.apply(p, on), y, on)

    def scaled(g: Any, slopes: Sequence[Sequence[Any]], parent: Tensor) -> Tensor:
        return arranged((g * slope for row in slopes for slope in row), dimensions(parent))

    def of_outputs(on: On, g: Any, value: Any, targets: Tensor, outputs: Tensor) -> Tensor:
        y, p = pair(targets, outputs)
        slopes = loss.derivative(p, y, on) if f is None else output_deltas(loss, f, p, f.apply(p, on), y, on)
        return scaled(g, slopes, outputs)

    def of_targets(on: On, g: Any, value: Any, targets: Tensor, outputs: Tensor) -> Tensor:
        """Losses of the error ŷ − y turn the sign; cross-entropies are linear in y, their slope a difference."""
        y, z = pair(targets, outputs)
        p = z if f is None else f.apply(z, on)
        if "cross_entropy" not in loss.base:
            if loss.base.partition("(")[0] not in ("sse", "half_sse", "mae", "huber"):
                raise PurebpError(f"how {loss.name} depends on its targets is not known")
            return scaled(-g, loss.derivative(p, y, on), targets)
        zero, one = ([[on.ratio(bit, 1)] * len(row) for row in y] for bit in (0, 1))
        factor = on.ratio(1, loss.divisor(len(y), len(y[0])))
        fusion = None if f is None else loss.fused_with(f)
        at = [
            fusion.summands(z, t, on) if fusion else entrywise(lambda pi, ti: loss.summand(pi, ti, on), p, t)
            for t in (one, zero)
        ]
        return scaled(g, [[factor * (x - x0) for x, x0 in zip(*rows)] for rows in zip(*at)], targets)

    return Operation(
        ("" if f is None else _titled(f.name)) + _titled(loss.name), shape, value, (of_targets, of_outputs)
    )


def Cost(
    targets: Node | Tensor,
    outputs: Node | Tensor,
    loss: Loss | str = "mse",
    after: Activation | str | None = None,
    name: str = "",
) -> Node:
    """Any loss of purebp; with `after`, of f(z) where z is given in place of the outputs, without ever dividing.

    Two vectors are one sample, a matrix has a row for each.

    >>> Cost(Input("y"), Input("z"), "binary_cross_entropy/sum", after="sigmoid")
    SigmoidBinaryCrossEntropy/sum(y, z)
    """
    f = None if after is None else activations.activation(after)
    return _loss(losses.loss(loss), f)(targets, outputs, name=name)


MSE = _loss(losses.mse)
HalfMSE = _loss(losses.half_mse)
SSE = _loss(losses.sse)
HalfSSE = _loss(losses.half_sse)
MAE = _loss(losses.mae)
BinaryCrossEntropy = _loss(losses.binary_cross_entropy)
CrossEntropy = _loss(losses.cross_entropy)
SigmoidBinaryCrossEntropy = _loss(losses.binary_cross_entropy, activations.sigmoid)
SoftmaxCrossEntropy = _loss(losses.cross_entropy, activations.softmax)


def Huber(targets: Node | Tensor, outputs: Node | Tensor, delta: float = 1.0, name: str = "") -> Node:
    """½ e² for |e| ≤ delta, delta (|e| − ½ delta) beyond, as a mean over all entries.

    >>> Huber(Input("y"), Input("p"))
    Huber(1.0)(y, p)
    """
    return Cost(targets, outputs, losses.huber(delta), name=name)


def _made(*nodes: Node) -> tuple[Operation, ...]:
    return tuple(node.operation for node in nodes if node.operation is not None)


_X, _Y = Input(), Input()
# All of them, those with parameters by example: what the laws of the tests are run over.
OPERATIONS: tuple[Operation, ...] = (
    Add,
    Subtract,
    Negative,
    Multiply,
    Divide,
    Exp,
    Log,
    _WITH_BIASES,
    _WITHOUT_BIASES,
    MatMul,
    Transpose,
    *_made(Reshape(_X, (-1,)), Reshape(_X, (3, -1))),
    *_made(Concatenate(_X, _Y), Concatenate(_X, _Y, _X, axis=0)),
    *_made(Sum(_X), Sum(_X, axis=0), Sum(_X, axis=1), Mean(_X), Mean(_X, axis=0), Mean(_X, axis=1)),
    Identity,
    Sigmoid,
    Tanh,
    ReLU,
    Softplus,
    SiLU,
    GELU,
    Softmax,
    *_made(LeakyReLU(_X, 0.25), ELU(_X, 0.5)),
    MSE,
    HalfMSE,
    SSE,
    HalfSSE,
    MAE,
    *_made(Huber(_X, _Y, 0.5), Cost(_X, _Y, "half_sse/samples")),
    *_made(Cost(_X, _Y, "mse", after="tanh"), Cost(_X, _Y, "cross_entropy", after="sigmoid")),
    BinaryCrossEntropy,
    CrossEntropy,
    SigmoidBinaryCrossEntropy,
    SoftmaxCrossEntropy,
)
