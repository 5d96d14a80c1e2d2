"""What else may stand in an equation: products of what is in reach there, made by rule where the catalogue has no name.

Each is a `Mistake` like those of the catalogue, with its expression for a name, and a sentence made of it.

>>> grammar = {mistake.name for step in ("passed", "deltas", "weights", "biases") for mistake in products(step)}
>>> {"|W| in place of W", "f′(a below) in place of f′(z)", "z in place of δ", "1 ⊗ own a in place of δ ⊗ a below"} <= grammar
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from purebp.oracle.explaining.recipe import (
    BIASES,
    DERIVATIVE,
    LOSS,
    OPERANDS,
    Inapplicable,
    Mistake,
    Place,
    Rows,
    above,
    entries,
)
from purebp.textbook import backprop
from purebp.textbook.activations import Activation, Elementwise, activation
from purebp.textbook.backprop import error_below
from purebp.textbook.linalg import hadamard, shape, subtract, transpose

Operand = Callable[[Place], Rows]
Operands = Mapping[str, Operand]


def _like(rows: Rows, number: int, p: Place) -> Rows:
    return entries(rows, lambda x: p.arithmetic.ratio(number, 1))


def _as_wide(rows: Rows, p: Place) -> Rows:
    if shape(rows) != shape(p.z):
        raise Inapplicable("the widths differ")
    return rows


def _next_to(p: Place, step: int) -> Rows:
    if not 0 <= p.l + step < len(p.network.layers):
        raise Inapplicable("there is no such layer")
    return _as_wide(p.trace.pre_activations[p.l + step], p)


def _elementwise(p: Place) -> Elementwise:
    if not isinstance(p.layer.activation, Elementwise):
        raise Inapplicable("it has no f′ of each neuron alone")
    return p.layer.activation


def _raw(p: Place) -> Rows:
    if p.error is None:
        raise Inapplicable("δ is ŷ − y itself")
    return p.error


def _biases(p: Place) -> Rows:
    if p.layer.biases is None:
        raise Inapplicable("there are no biases")
    return [p.layer.biases] * p.samples


POINTS: Operands = {  # where a slope may be taken
    "z": lambda p: p.z,
    "a": lambda p: p.a,
    "a below": lambda p: _as_wide(p.below, p),
    "the error": lambda p: p.full_error(),
    "z of the layer above": lambda p: _next_to(p, 1),
    "z of the layer below": lambda p: _next_to(p, -1),
    "b": _biases,
}
OTHERS = ("sigmoid", "tanh", "relu", "leaky_relu(0.01)", "softplus", "silu", "gelu", "elu(1.0)")
POLYNOMIALS: dict[str, Callable[[Any], Any]] = {
    "{}": lambda v: v,
    "1 − {}": lambda v: 1 - v,
    "{0} (1 − {0})": lambda v: v * (1 - v),
    "{0} (1 + {0})": lambda v: v * (1 + v),
    "1 − {}²": lambda v: 1 - v * v,
    "1 + {}²": lambda v: 1 + v * v,
    "1 + {}": lambda v: 1 + v,
    "{}²": lambda v: v * v,
    "(1 − {})²": lambda v: (1 - v) * (1 - v),
    "{0}² (1 − {0})": lambda v: v * v * (1 - v),
}


def _derivative(point: Operand, other: str, p: Place) -> Rows:
    f = _elementwise(p) if not other else activation(other)
    assert isinstance(f, Elementwise)
    return p.arithmetic.elementwise(f.derivative, point(p))


def _value(point: Operand, p: Place) -> Rows:
    return p.arithmetic.elementwise(_elementwise(p).value, point(p))


def _polynomial(point: Operand, f: Callable[[Any], Any], p: Place) -> Rows:
    return entries(point(p), f)


def _mask(point: Operand, positive: bool, p: Place) -> Rows:
    one, zero = (p.arithmetic.one, p.arithmetic.zero)[:: 1 if positive else -1]
    return entries(
        point(p), lambda x: p.arithmetic.choose(x, 0, below=lambda: zero, at=lambda: zero, above=lambda: one)
    )


@cache
def slopes() -> Operands:
    """What may stand in the place of f′(z)."""
    found: dict[str, Operand] = {"1": lambda p: _like(p.z, 1, p)}
    for name, point in POINTS.items():
        found[f"f′({name})"] = partial(_derivative, point, "")
        for form, f in POLYNOMIALS.items():
            found[form.format(name)] = partial(_polynomial, point, f)
        found[f"f({name})"] = partial(_value, point)
        found[f"[{name} > 0]"], found[f"[{name} ≤ 0]"] = partial(_mask, point, True), partial(_mask, point, False)
        found |= {f"{other}′({name})": partial(_derivative, point, other) for other in OTHERS}
    del found["f(z)"]  # a
    return found


# What goes down.

SENT: Operands = {
    "δ": lambda p: p.deltas,
    "the error of the layer above": _raw,
    "a of the layer above": lambda p: p.a,
    "z of the layer above": lambda p: p.z,
    "1": lambda p: _like(p.z, 1, p),
}


def _square(rows: Rows) -> Rows:
    if len(rows) != len(rows[0]) or len(rows) == 1:
        raise Inapplicable("only a square matrix can be transposed unnoticed")
    return rows


def _absolute(x: Any, p: Place) -> Any:
    return p.arithmetic.choose(x, 0, below=lambda: -x, at=lambda: x, above=lambda: x)


def _own_weights(p: Place) -> Rows:
    below = p.network.layers[p.l - 1].weights
    if shape(below) != shape(p.weights):
        raise Inapplicable("the shapes differ")
    return below


def _incoming_weights(p: Place) -> Rows:
    """Of each neuron below those that come in, in the place of those that go out."""
    below = p.network.layers[p.l - 1].weights
    if len(below[0]) < len(p.weights):
        raise Inapplicable("fewer numbers come in")
    return [[row[j] for row in below] for j in range(len(p.weights))]


ORDERS: dict[str, Callable[[list[Any], Any], list[Any]]] = {  # of columns, and columns left out
    "in reverse": lambda row, zero: row[::-1],
    "shifted by one": lambda row, zero: [*row[1:], row[0]],
    "shifted back by one": lambda row, zero: [row[-1], *row[:-1]],
    "without the first": lambda row, zero: [zero, *row[1:]],
    "without the last": lambda row, zero: [*row[:-1], zero],
    "with the first alone": lambda row, zero: [row[0], *[zero] * (len(row) - 1)],
    "with the last alone": lambda row, zero: [*[zero] * (len(row) - 1), row[-1]],
}


def ordered(rows: Rows, order: str, p: Place) -> Rows:
    """The columns in another order, or some of them."""
    if len(rows[0]) < 2:
        raise Inapplicable("there is one column")
    return [ORDERS[order](list(row), p.arithmetic.zero) for row in rows]


MATRICES: Operands = {  # in the place of the weights above, rows as theirs
    "W": lambda p: p.weights,
    "|W|": lambda p: entries(p.weights, lambda w: _absolute(w, p)),
    "Wᵀ": lambda p: transpose(_square(p.weights)),
    "W ⊙ W": lambda p: hadamard(p.weights, p.weights),
    "W of the layer itself": _own_weights,
    "the layer's own weights, neuron by neuron": _incoming_weights,
    "[W b] without its first column": lambda p: [[*row[1:], b] for row, b in zip(p.weights, _biases(p)[0])],
    "without W": lambda p: _like(p.weights, 1, p),
    "∂loss/∂W": lambda p: backprop.weight_gradients(p.deltas, p.below, p.arithmetic),
    **{
        f"W ({order})": lambda p, order=order: ordered(p.weights, order, p)  # type: ignore[misc]
        for order in ORDERS
    },
    **{
        f"W (rows {order})": lambda p, order=order: transpose(ordered(transpose(p.weights), order, p))  # type: ignore[misc]
        for order in ORDERS
    },
}  # fmt: skip


PASSED = [(q, m) for q in SENT for m in MATRICES if (q, m) != ("δ", "W")]


def passed_down(sent: Operand, through: Operand, p: Place) -> Rows:
    upper = above(p)
    return error_below(sent(upper), through(upper), p.arithmetic)


# The outer product.

LEFT: Operands = {
    "δ": lambda p: p.deltas,
    "the error": _raw,
    "a": lambda p: p.a,
    "z": lambda p: p.z,
    "1": lambda p: _like(p.z, 1, p),
    "δ of the layer above": lambda p: _as_wide(above(p).deltas, p),
    "δ f′(z)": lambda p: hadamard(p.deltas, _derivative(POINTS["z"], "", p)),
    "|δ|": lambda p: entries(p.deltas, lambda x: _absolute(x, p)),
    **{f"δ ({order})": lambda p, order=order: ordered(p.deltas, order, p) for order in ORDERS},  # type: ignore[misc]
}


def _below(p: Place) -> tuple[Activation, Rows]:
    """The activation and z of the layer below."""
    if not p.l:
        raise Inapplicable("below are the inputs")
    return p.network.layers[p.l - 1].activation, p.trace.pre_activations[p.l - 1]


def _slopes_below(p: Place) -> Rows:
    f, z = _below(p)
    if not isinstance(f, Elementwise):
        raise Inapplicable("it has no f′ of each neuron alone")
    return p.arithmetic.elementwise(f.derivative, z)


def _fitting(rows: Rows, p: Place) -> Rows:
    if shape(rows) != shape(p.below):
        raise Inapplicable("the widths differ")
    return rows


RIGHT: Operands = {
    "a below": lambda p: p.below,
    "1": lambda p: _like(p.below, 1, p),
    "z below": lambda p: _below(p)[1],
    "f′(z) below": _slopes_below,
    "a below, squashed again": lambda p: _below(p)[0].apply(p.below, p.arithmetic),
    "f of what comes in": lambda p: _elementwise(p).apply(p.below, p.arithmetic),
    "the inputs": lambda p: _fitting(p.trace.inputs, p),
    "own a": lambda p: _fitting(p.a, p),
    "own z": lambda p: _fitting(p.z, p),
    "a below squared": lambda p: hadamard(p.below, p.below),
    "1 − a below": lambda p: entries(p.below, lambda v: 1 - v),
    "|a below|": lambda p: entries(p.below, lambda v: _absolute(v, p)),
    **{f"a below ({order})": lambda p, order=order: ordered(p.below, order, p) for order in ORDERS},  # type: ignore[misc]
}


def _outer(left: Operand, right: Operand, p: Place) -> Rows:
    return backprop.weight_gradients(left(p), right(p), p.arithmetic)


WEIGHTS: Operands = {  # what is no outer product
    "W": lambda p: p.weights,
    "sign of W": lambda p: subtract(_signs(p.weights, p, 1), _signs(p.weights, p, -1)),
    "δ ⊗ a below ⊙ W": lambda p: hadamard(_outer(LEFT["δ"], RIGHT["a below"], p), p.weights),
    "(δ ⊗ a below)ᵀ": lambda p: transpose(_square(_outer(LEFT["δ"], RIGHT["a below"], p))),
    "(δ ⊗ a below)²": lambda p: hadamard(*[_outer(LEFT["δ"], RIGHT["a below"], p)] * 2),
    "|δ ⊗ a below|": lambda p: entries(_outer(LEFT["δ"], RIGHT["a below"], p), lambda v: _absolute(v, p)),
}  # fmt: skip


def _signs(rows: Rows, p: Place, side: int) -> Rows:
    one, zero = p.arithmetic.one, p.arithmetic.zero
    return entries(
        rows, lambda x: p.arithmetic.choose(side * x, 0, below=lambda: zero, at=lambda: zero, above=lambda: one)
    )


# Gradients of biases.


def _of_weights(summed: Callable[[list[Any]], list[Any]], p: Place) -> Rows:
    rows = _outer(LEFT["δ"], RIGHT["a below"], p)
    return [[x for row in rows for x in summed(list(row))]]


SUMMED: Operands = {
    **LEFT,
    "δ a": lambda p: hadamard(p.deltas, p.a),
    "δ z": lambda p: hadamard(p.deltas, p.z),
    "δ b": lambda p: hadamard(p.deltas, _biases(p)),
    "b": lambda p: [p.layer.biases or ()],
    "f′(z)": lambda p: _derivative(POINTS["z"], "", p),
    "the error": _raw,
    "δ²": lambda p: hadamard(p.deltas, p.deltas),
    "the first column of ∂loss/∂W": lambda p: _of_weights(lambda row: row[:1], p),
    "the last column of ∂loss/∂W": lambda p: _of_weights(lambda row: row[-1:], p),
}


def _sum(operand: Operand, p: Place) -> list[Any]:
    return backprop.bias_gradients(operand(p), p.arithmetic)


# Outputs.

ERRORS: Operands = {  # in the place of ∂loss/∂ŷ
    "ŷ − y": lambda p: subtract(p.a, p.targets),
    "(ŷ − y)²": lambda p: hadamard(*[subtract(p.a, p.targets)] * 2),
    "z − y": lambda p: subtract(p.z, p.targets),
    "ŷ": lambda p: p.a,
    "y": lambda p: p.targets,
    "ŷ + y": lambda p: [[a + y for a, y in zip(*rows)] for rows in zip(p.a, p.targets)],
    "1": lambda p: _like(p.a, 1, p),
    "1 − ŷ": lambda p: entries(p.a, lambda v: 1 - v),
    "ŷ y": lambda p: hadamard(p.a, p.targets),
    "|∂loss/∂ŷ|": lambda p: entries(p.full_error(), lambda v: _absolute(v, p)),
    **{f"∂loss/∂ŷ ({order})": lambda p, order=order: ordered(p.full_error(), order, p) for order in ORDERS},  # type: ignore[misc]
}

RIGHT_SIDES = {  # of each step: the family, what should stand there, and how it is said that something else does
    "error": (LOSS, "∂loss/∂ŷ", "{} stands in the place of {} at the output."),
    "passed": (OPERANDS, "δ W", "What goes down {{where}} has {} in the place of {}: pass down δ of the layer above, times its weights."),
    "deltas": (DERIVATIVE, "f′(z)", "δ {{where}} has {} in the place of {}: it is the error times f′(z)."),
    "weights": (OPERANDS, "δ ⊗ a below", "The gradient of the weights {{where}} has {} in the place of {}: it is δ ⊗ a, with a of the layer below."),
    "biases": (BIASES, "δ", "The gradient of the biases {{where}} has {} in the place of {}: it is δ, summed over the samples."),
}  # fmt: skip


def made(step: str, text: str, change: Callable[..., Any], place: str = "") -> Mistake:
    """An expression that stands in the place of the right one, or of a part of it."""
    family, whole, sentence = RIGHT_SIDES[step]
    right = place or whole
    told = sentence.format(text, right)
    return Mistake(f"{text} in place of {right}", family, told, step, change, output=step != "passed")


def _product(
    step: str, pair: tuple[str, str], usual: tuple[str, str], joined: str, change: Callable[..., Any]
) -> Mistake:
    """Of two factors those that are not as usual."""
    other = [(mine, right) for mine, right in zip(pair, usual) if mine != right]
    mine, right = (joined.join(words) for words in zip(*other))
    return made(step, mine, change, right)


@cache
def products(step: str) -> tuple[Mistake, ...]:
    """All that may stand in the place of one step of the recurrence, plainest first."""
    return tuple(_products(step))


def _products(step: str) -> Iterator[Mistake]:
    if step == "error":
        yield from (made(step, text, operand) for text, operand in ERRORS.items())
    elif step == "passed":
        for q, m in PASSED:
            yield _product(step, (q, m), ("δ", "W"), " ", partial(passed_down, SENT[q], MATRICES[m]))
    elif step == "targets":
        return
    elif step == "deltas":
        for text, slope in slopes().items():
            if text != "f′(z)":
                yield made(step, text, lambda p, slope=slope: hadamard(p.full_error(), slope(p)))
        yield made(
            step,
            "f′(z)²",
            lambda p: hadamard(p.full_error(), entries(_derivative(POINTS["z"], "", p), lambda v: v * v)),
        )
    elif step == "weights":
        both = ((left, right) for left in LEFT for right in RIGHT if (left, right) != ("δ", "a below"))
        for left, right in both:
            change = partial(_outer, LEFT[left], RIGHT[right])
            yield _product(step, (left, right), ("δ", "a below"), " ⊗ ", change)
        yield from (made(step, text, operand) for text, operand in WEIGHTS.items())
    elif step == "biases":
        yield from (made(step, text, partial(_sum, operand)) for text, operand in SUMMED.items() if text != "δ")
