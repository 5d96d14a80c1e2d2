"""Activations as operations: f(x) of `purebp.textbook.activations`, and ȳ times its Jacobian, most often ȳ ⊙ f′(x).

>>> from purebp.graphs.nodes import Input
>>> Tanh(Input("x")), Activate(Input("x"), "elu(0.5)")
(Tanh(x), ELU(0.5)(x))
"""

from __future__ import annotations

import re

from purebp.graphs.nodes import Node, Operation
from purebp.graphs.shapes import of_rank, together
from purebp.graphs.tensors import Tensor, as_rows, like
from purebp.textbook import activations
from purebp.textbook.activations import Activation, Elementwise
from purebp.textbook.losses import Loss

__all__ = [
    "ELU",
    "GELU",
    "Activate",
    "Identity",
    "LeakyReLU",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]


def titled(row: Activation | Loss) -> str:
    """The title of a row, with parameter and reduction as in its name.

    >>> titled(activations.leaky_relu(0.5))
    'LeakyReLU(0.5)'
    """
    word = re.split("[(/]", row.name, maxsplit=1)[0]
    return (row.title or word) + row.name.removeprefix(word)


def _operation(f: Activation) -> Operation:
    """What works on each number alone takes any shape; what works on rows must be given one at least."""
    return Operation(
        titled(f),
        together if isinstance(f, Elementwise) else of_rank(1, 2),
        lambda arithmetic, x: like(x, f.apply(as_rows(x), arithmetic)),
        (lambda arithmetic, g, y, x: like(x, f.backward(as_rows(g), as_rows(x), as_rows(y), arithmetic)),),
        activation=f,
        kinks=f.kinks,
    )


def Activate(x: Node | Tensor, activation: Activation | str, name: str = "") -> Node:
    """f(x) for any activation of purebp, or one of your own; softmax is of each row.

    >>> from purebp.graphs.nodes import Input
    >>> Activate(Input("x"), "leaky_relu(0.5)")
    LeakyReLU(0.5)(x)
    """
    return _operation(activations.activation(activation))(x, name=name)


Identity = _operation(activations.identity)
Sigmoid = _operation(activations.sigmoid)
Tanh = _operation(activations.tanh)
ReLU = _operation(activations.relu)
Softplus = _operation(activations.softplus)
SiLU = _operation(activations.silu)
GELU = _operation(activations.gelu)
Softmax = _operation(activations.softmax)


def LeakyReLU(x: Node | Tensor, slope: float = 0.01, name: str = "") -> Node:
    """x for x > 0, slope · x otherwise.

    >>> from purebp.graphs.nodes import Input
    >>> LeakyReLU(Input("x"), 0.5)
    LeakyReLU(0.5)(x)
    """
    return Activate(x, activations.leaky_relu(slope), name)


def ELU(x: Node | Tensor, alpha: float = 1.0, name: str = "") -> Node:
    """x for x > 0, alpha (e^x − 1) otherwise.

    >>> from purebp.graphs.nodes import Input
    >>> ELU(Input("x"))
    ELU(1.0)(x)
    """
    return Activate(x, activations.elu(alpha), name)
