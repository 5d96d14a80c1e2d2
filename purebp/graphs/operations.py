"""Operations: elementary functions, layers and sums, each a value and its vector–Jacobian products, side by side.

| operations | value | vector–Jacobian products |
| --- | --- | --- |
| `Exp`, `Log` | e^x, log x | ȳ ⊙ y, ȳ ⊘ x |
| `Linear(x, weights, biases)` | x Wᵀ + b | z̄ W, z̄ᵀ x, Σ z̄ over the samples |
| `Sum(x, axis=None)`, `Mean(x, axis=None)` | Σ x, 1/n Σ x | ȳ, and 1/n ȳ, in every place |

+, −, ×, ÷ and @ are in `purebp.graphs.nodes`, what moves numbers to other places in `purebp.graphs.arrangement`,
activations in `purebp.graphs.functions`, losses in `purebp.graphs.costs`.

>>> from purebp.graphs.nodes import Input
>>> Sum(Exp(Input("x")), name="total")
total = Sum(Exp)
"""

from __future__ import annotations

from operator import mul
from typing import Any

from purebp.graphs.nodes import Node, Operation, reciprocal
from purebp.graphs.shapes import axis_of, fits, together
from purebp.graphs.tensors import Shape, Tensor, arranged, as_rows, dimensions, entries, entrywise, like, runs_down
from purebp.textbook.arithmetic import Arithmetic, PurebpError
from purebp.textbook.backprop import bias_gradients, error_below, weight_gradients
from purebp.textbook.linalg import total, transpose

__all__ = ["Exp", "Linear", "Log", "Mean", "Sum"]

Exp = Operation(
    "Exp",
    together,
    lambda arithmetic, x: entrywise(arithmetic.exp, x),
    (lambda arithmetic, g, y, x: entrywise(mul, g, y),),
)
Log = Operation(
    "Log",
    together,
    lambda arithmetic, x: entrywise(arithmetic.log, x),
    (lambda arithmetic, g, y, x: entrywise(mul, g, reciprocal(x)),),
)


def _linear_shape(x: Shape, weights: Shape, biases: Shape | None = None) -> Shape:
    if len(x) not in (1, 2) or len(weights) not in (1, 2) or not fits(x[-1:], weights[-1:]):
        raise PurebpError(
            "wanted are samples × n_in, or one sample of n_in numbers, and weights n_out × n_in; where they are "
            "n_in × n_out, Transpose them"
        )
    if biases is not None and not fits((1, 1, *biases)[-2:], (1, 1, *weights[:-1])[-2:]):
        raise PurebpError("wanted is one bias for each row of the weights, as a vector or one row")
    return *x[:-1], *weights[:-1]


def _affine(arithmetic: Arithmetic[Any], x: Tensor, weights: Tensor, biases: Tensor = None) -> Tensor:
    z = arithmetic.inner(as_rows(x), as_rows(weights), None if biases is None else entries(biases))
    shape = *dimensions(x)[:-1], *dimensions(weights)[:-1]
    return z if len(shape) == 2 else arranged(entries(z), shape)


def _deltas(g: Tensor, weights: Tensor) -> list[list[Any]]:
    """z̄ as samples × n_out, whatever shape the sample and the weights give it."""
    if len(dimensions(g)) == 2:
        return list(g)
    n_out, numbers = len(as_rows(weights)), entries(g)
    return list(arranged(numbers, (len(numbers) // n_out, n_out)))


# z = x Wᵀ + b, entry by entry zᵢⱼ = Σₖ xᵢₖ Wⱼₖ + bⱼ. So x̄ᵢₖ = Σⱼ z̄ᵢⱼ Wⱼₖ, W̄ⱼₖ = Σᵢ z̄ᵢⱼ xᵢₖ and b̄ⱼ = Σᵢ z̄ᵢⱼ.
_LINEAR = (
    lambda arithmetic, g, z, x, weights, *biases: like(
        x, error_below(_deltas(g, weights), as_rows(weights), arithmetic)
    ),
    lambda arithmetic, g, z, x, weights, *biases: like(
        weights, weight_gradients(_deltas(g, weights), as_rows(x), arithmetic)
    ),
    lambda arithmetic, g, z, x, weights, biases: like(biases, [bias_gradients(_deltas(g, weights), arithmetic)]),
)
_WITH_BIASES = Operation("Linear", _linear_shape, _affine, _LINEAR)
_WITHOUT_BIASES = Operation("Linear", _linear_shape, _affine, _LINEAR[:2])


def Linear(x: Node | Tensor, weights: Node | Tensor, biases: Node | Tensor | None = None, name: str = "") -> Node:
    """z = x Wᵀ + b: x samples × n_in or one sample, weights n_out × n_in (row j feeds neuron j), biases n_out.

    >>> from purebp.graphs.nodes import Input, Parameter
    >>> Linear(Input("x"), Parameter("W"), Parameter("b"))
    Linear(x, W, b)
    """
    return _WITHOUT_BIASES(x, weights, name=name) if biases is None else _WITH_BIASES(x, weights, biases, name=name)


def _sums(name: str, axis: int | None, is_mean: bool) -> Operation:
    def shape(x: Shape) -> Shape:
        if axis is None:
            return ()
        place = axis_of(x, axis)
        return x[:place] + x[place + 1 :]

    def groups(x: Tensor) -> list[list[Any]]:
        """What is summed, each sum a row."""
        if axis is None:
            return [entries(x)]
        return transpose(x) if runs_down(x, axis) else as_rows(x)

    def scaled(y: Tensor, x: Tensor, arithmetic: Arithmetic[Any]) -> Tensor:
        if not is_mean:
            return y
        share = arithmetic.ratio(1, len(groups(x)[0]))
        return entrywise(lambda yi: yi * share, y)

    def value(arithmetic: Arithmetic[Any], x: Tensor) -> Tensor:
        sums = [total(group, arithmetic) for group in groups(x)]
        return scaled(arranged(sums, shape(dimensions(x))), x, arithmetic)  # type: ignore[arg-type]  # nothing is free here

    def back(arithmetic: Arithmetic[Any], g: Tensor, y: Tensor, x: Tensor) -> Tensor:
        spread = [[gi] * len(group) for gi, group in zip(entries(scaled(g, x, arithmetic)), groups(x))]
        return arranged(entries(transpose(spread) if runs_down(x, axis) else spread), dimensions(x))

    return Operation(name if axis is None else f"{name}(axis={axis})", shape, value, (back,))


def Sum(x: Node | Tensor, axis: int | None = None, name: str = "") -> Node:
    """Σ x over all entries, or along an axis.

    >>> from purebp.graphs.nodes import Input
    >>> Sum(Input("x"))
    Sum(x)
    """
    return _sums("Sum", axis, is_mean=False)(x, name=name)


def Mean(x: Node | Tensor, axis: int | None = None, name: str = "") -> Node:
    """1/n Σ x over all n entries, or along an axis.

    >>> from purebp.graphs.nodes import Input
    >>> Mean(Input("x"))
    Mean(x)
    """
    return _sums("Mean", axis, is_mean=True)(x, name=name)
