"""Losses as operations of targets and outputs: a number, and ∂loss/∂y and ∂loss/∂ŷ times ȳ.

>>> from purebp.graphs.nodes import Input
>>> MSE(Input("y"), Input("p")), Cost(Input("y"), Input("p"), "huber(0.5)/samples")
(MSE(y, p), Huber(0.5)/samples(y, p))
"""

from __future__ import annotations

from operator import neg
from typing import Any

from purebp.graphs.functions import titled
from purebp.graphs.nodes import Node, Operation
from purebp.graphs.shapes import squeezed
from purebp.graphs.tensors import Shape, Tensor, arranged, as_rows, dimensions, entries, entrywise
from purebp.textbook import activations, losses
from purebp.textbook.activations import Activation
from purebp.textbook.arithmetic import Arithmetic, PurebpError
from purebp.textbook.backprop import output_deltas, output_error
from purebp.textbook.linalg import shape as shape_of
from purebp.textbook.losses import Loss

__all__ = [
    "MAE",
    "MSE",
    "SSE",
    "BinaryCrossEntropy",
    "Cost",
    "CrossEntropy",
    "HalfMSE",
    "HalfSSE",
    "Huber",
    "SigmoidBinaryCrossEntropy",
    "SoftmaxCrossEntropy",
]


def _operation(loss: Loss, f: Activation | None = None) -> Operation:
    """The loss of outputs, or of f(z) for the z before them, in the fused form if there is one."""

    def shape(targets: Shape, outputs: Shape) -> Shape:
        if None not in targets + outputs and squeezed(targets) != squeezed(outputs):
            raise PurebpError(
                "targets and outputs must be as many numbers, in the same order. An (n,) and an (n, 1) are, and are "
                "taken as pairs: never as the n × n differences that libraries make of them by broadcasting"
            )
        by_rows = loss.targets == "one_hot" or loss.reduction in ("samples", "outputs")
        if by_rows and len(targets) + len(outputs) == 3 and max(targets, outputs, key=len)[0] not in (1, None):
            raise PurebpError(
                f"{loss.name} depends on what a sample is: a vector is one, a matrix has one in each row. Give targets "
                "and outputs the same shape, with Reshape"
            )
        return ()

    def value(arithmetic: Arithmetic[Any], targets: Tensor, outputs: Tensor) -> Any:
        y, z = _paired(targets, outputs)
        return loss(z, y, arithmetic) if f is None else loss.at(f, z, f.apply(z, arithmetic), y, arithmetic)

    def by_targets(arithmetic: Arithmetic[Any], g: Any, value: Any, targets: Tensor, outputs: Tensor) -> Tensor:
        y, z = _paired(targets, outputs)
        return _times(g, _slopes_by_targets(loss, f, z, y, arithmetic), targets)

    def by_outputs(arithmetic: Arithmetic[Any], g: Any, value: Any, targets: Tensor, outputs: Tensor) -> Tensor:
        y, z = _paired(targets, outputs)
        if f is None:
            return _times(g, output_error(loss, z, y, arithmetic), outputs)
        return _times(g, output_deltas(loss, f, z, f.apply(z, arithmetic), y, arithmetic), outputs)

    title = titled(loss) if f is None else titled(f) + titled(loss)
    return Operation(title, shape, value, (by_targets, by_outputs), loss=loss)


def _paired(targets: Tensor, outputs: Tensor) -> tuple[list[list[Any]], list[list[Any]]]:
    """Both as samples × outputs, in the shape of the one that is a matrix; two vectors are one sample."""
    size = dimensions(outputs if len(dimensions(outputs)) == 2 else as_rows(targets))
    return arranged(entries(targets), size), arranged(entries(outputs), size)


def _times(g: Any, slopes: Tensor, parent: Tensor) -> Tensor:
    return arranged((g * slope for row in slopes for slope in row), dimensions(parent))


def _slopes_by_targets(loss: Loss, f: Activation | None, z: Tensor, y: Tensor, arithmetic: Arithmetic[Any]) -> Tensor:
    """∂loss/∂y: a function of the error ŷ − y turns the sign; a cross-entropy is linear in y, its slope a difference."""
    p = z if f is None else f.apply(z, arithmetic)
    if loss.of_error:
        return entrywise(neg, output_error(loss, p, y, arithmetic))
    if not loss.linear_in_targets:
        raise PurebpError(f"how {loss.name} depends on its targets is not known")
    fusion = None if f is None else loss.fused_with(f)

    def summands(target: Any) -> Tensor:
        same = [[target] * len(row) for row in y]
        if fusion:
            return fusion.summands(z, same, arithmetic)
        return entrywise(lambda pi, ti: loss.summand(pi, ti, arithmetic), p, same)

    share = arithmetic.ratio(1, loss.divisor(*shape_of(y)))
    return entrywise(lambda one, zero: share * (one - zero), summands(arithmetic.one), summands(arithmetic.zero))


def Cost(
    targets: Node | Tensor,
    outputs: Node | Tensor,
    loss: Loss | str = "mse",
    after: Activation | str | None = None,
    name: str = "",
) -> Node:
    """Any loss of purebp; with `after`, of f(z) where z is given in place of the outputs, without ever dividing.

    Two vectors are one sample, a matrix has a row for each.

    >>> from purebp.graphs.nodes import Input
    >>> Cost(Input("y"), Input("z"), "binary_cross_entropy/sum", after="sigmoid")
    SigmoidBinaryCrossEntropy/sum(y, z)
    """
    f = None if after is None else activations.activation(after)
    return _operation(losses.loss(loss), f)(targets, outputs, name=name)


MSE = _operation(losses.mse)
HalfMSE = _operation(losses.half_mse)
SSE = _operation(losses.sse)
HalfSSE = _operation(losses.half_sse)
MAE = _operation(losses.mae)
BinaryCrossEntropy = _operation(losses.binary_cross_entropy)
CrossEntropy = _operation(losses.cross_entropy)
SigmoidBinaryCrossEntropy = _operation(losses.binary_cross_entropy, activations.sigmoid)
SoftmaxCrossEntropy = _operation(losses.cross_entropy, activations.softmax)


def Huber(targets: Node | Tensor, outputs: Node | Tensor, delta: float = 1.0, name: str = "") -> Node:
    """½ e² for |e| ≤ delta, delta (|e| − ½ delta) beyond, as a mean over all entries.

    >>> from purebp.graphs.nodes import Input
    >>> Huber(Input("y"), Input("p"))
    Huber(1.0)(y, p)
    """
    return Cost(targets, outputs, losses.huber(delta), name=name)
