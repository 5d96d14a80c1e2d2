"""The catalogue of mistakes: what people write in the place of a line of the recurrence, as executable recipes.

>>> from purebp import FLOAT, Batch, Layer, Network
>>> from purebp.oracle.explaining.recipe import planted, run
>>> network = Network([Layer([[2.0]], None, "sigmoid"), Layer([[3.0]], None, "identity")])
>>> forgotten = planted(CATALOGUE["activation derivative missing"], {0})
>>> run(forgotten, network, Batch([[0.0]], [[0.5]]), "half_sse", FLOAT).layers[0].deltas  # 3 for 3 · σ′(0) = 0.75
((3.0,),)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from purebp.number_systems.ball import NORMAL_CDF, NORMAL_PDF
from purebp.oracle.explaining.forwards import forwards
from purebp.oracle.explaining.recipe import (
    BIASES,
    DERIVATIVE,
    LOSS,
    OPERANDS,
    STATE,
    Inapplicable,
    Mistake,
    Place,
    Rows,
    above,
    bias_gradients,
    deltas_of,
    entries,
    error_from_above,
    weight_gradients,
)
from purebp.textbook import backprop
from purebp.textbook.activations import (
    Elementwise,
    Softmax,
    activation,
    gelu,
    identity,
    sigmoid,
    silu,
    tanh,
)
from purebp.textbook.arithmetic import Arithmetic
from purebp.textbook.backprop import error_below
from purebp.textbook.linalg import hadamard, shape, subtract, transpose
from purebp.textbook.losses import binary_cross_entropy, half_sse, sse

SQUARES = (sse.base, half_sse.base)

# Activation derivative: other things in the place of f′(z).


def _slopes(slopes: Callable[[Place, Elementwise], Rows]) -> Callable[[Place], Rows]:
    """error ⊙ what stands in the place of f′(z)."""

    def deltas(p: Place) -> Rows:
        f = p.layer.activation
        if not isinstance(f, Elementwise):
            raise Inapplicable(f"{f.name} has no f′ of each neuron alone")
        return hadamard(p.full_error(), slopes(p, f))

    return deltas


def _from_activation(f: Elementwise, x: Rows, arithmetic: Arithmetic[Any]) -> Rows:
    """f′ as the textbooks write it, in terms of a, at whatever is given in its place."""
    formula = f.from_output
    if formula is None:
        raise Inapplicable(f"{f.name}′ is not written in terms of a")
    return entries(x, lambda v: formula(v, arithmetic))


def _formula_of(name: str) -> Callable[[Place, Elementwise], Rows]:
    """The derivative of another function, in terms of a."""

    def slopes(p: Place, f: Elementwise) -> Rows:
        other = activation(name)
        if f == other or not isinstance(other, Elementwise):
            raise Inapplicable("it is the same function")
        return _from_activation(other, p.a, p.arithmetic)

    return slopes


_FACTORS = {
    silu: (sigmoid.value, sigmoid.derivative),
    gelu: (NORMAL_CDF, NORMAL_PDF),
}  # of z in f(z), and its derivative


def _first_term(p: Place, f: Elementwise) -> Rows:
    if f not in _FACTORS:
        raise Inapplicable("there is no product")
    return p.arithmetic.elementwise(_FACTORS[f][0], p.z)


def _second_term_without_z(p: Place, f: Elementwise) -> Rows:
    first = _first_term(p, f)
    second = p.arithmetic.elementwise(_FACTORS[f][1], p.z)
    return [[x + y for x, y in zip(*rows)] for rows in zip(first, second)]


def _one_sided(p: Place, below: Callable[[Any, Any], Any]) -> Rows:
    """1 where z > 0, elsewhere a function of z and a."""
    one = p.arithmetic.one

    def slope(z: Any, a: Any) -> Any:
        return p.arithmetic.choose(z, 0, below=lambda: below(z, a), at=lambda: below(z, a), above=lambda: one)

    return [[slope(z, a) for z, a in zip(*rows)] for rows in zip(p.z, p.a)]


def _derivative_of(name: str) -> Callable[[Place, Elementwise], Rows]:
    """The derivative of another function."""

    def slopes(p: Place, f: Elementwise) -> Rows:
        other = activation(name)
        if f == other or not isinstance(other, Elementwise):
            raise Inapplicable("it is the same function")
        return p.arithmetic.elementwise(other.derivative, p.z)

    return slopes


def _only_for(*names: str) -> Callable[[Callable[[Place], Rows]], Callable[[Place, Elementwise], Rows]]:
    def choose(slopes: Callable[[Place], Rows]) -> Callable[[Place, Elementwise], Rows]:
        def chosen(p: Place, f: Elementwise) -> Rows:
            if f.name.partition("(")[0] not in names:
                raise Inapplicable(f"not a mistake that is made with {f.name}")
            return slopes(p)

        return chosen

    return choose


def _another_layer(step: int) -> Callable[[Place, Elementwise], Rows]:
    """f′ at the z of a neighbouring layer."""

    def slopes(p: Place, f: Elementwise) -> Rows:
        if not 0 <= p.l + step < len(p.network.layers):
            raise Inapplicable("there is no such layer")
        return p.arithmetic.elementwise(f.derivative, p.trace.pre_activations[p.l + step])

    return slopes


def _another_function(step: int) -> Callable[[Place, Elementwise], Rows]:
    """The derivative of the activation of a neighbouring layer, at this z."""

    def slopes(p: Place, f: Elementwise) -> Rows:
        if not 0 <= p.l + step < len(p.network.layers):
            raise Inapplicable("there is no such layer")
        other = p.network.layers[p.l + step].activation
        if other == f or not isinstance(other, Elementwise):
            raise Inapplicable("it is the same function")
        return p.arithmetic.elementwise(other.derivative, p.z)

    return slopes


def _mask(p: Place, rows: Rows, above: bool) -> Rows:
    """1 where a number is above 0, or where it is not, and else 0."""
    inside, outside = (p.arithmetic.one, p.arithmetic.zero)[:: 1 if above else -1]
    return entries(
        rows, lambda x: p.arithmetic.choose(x, 0, below=lambda: outside, at=lambda: outside, above=lambda: inside)
    )


def _clipped_slope(p: Place) -> Rows:
    """a (1 − a), where a is at least 0.01 and at most 0.99."""
    low, high = p.arithmetic.number(0.01), p.arithmetic.number(0.99)
    edge = low * high
    slopes = p.arithmetic.elementwise(sigmoid.derivative, p.z)

    def clipped(a: Any, slope: Any) -> Any:
        def below_high() -> Any:
            return p.arithmetic.choose(a, high, below=lambda: slope, at=lambda: slope, above=lambda: edge)

        return p.arithmetic.choose(a, low, below=lambda: edge, at=lambda: slope, above=below_high)

    return [[clipped(a, slope) for a, slope in zip(*rows)] for rows in zip(p.a, slopes)]


def _extra_slope(p: Place) -> Rows:
    """f′ once more than the chain rule says."""
    f, right = p.layer.activation, deltas_of(p)
    if isinstance(f, Elementwise):
        return hadamard(right, p.arithmetic.elementwise(f.derivative, p.z))
    return hadamard(right, entries(p.a, lambda v: v * (1 - v)))


def _diagonal(p: Place) -> Rows:
    """Softmax as if each output depended on its own z alone."""
    if not isinstance(p.layer.activation, Softmax):
        raise Inapplicable("softmax alone has a full Jacobian")
    return hadamard(p.full_error(), entries(p.a, lambda v: v * (1 - v)))


def _missing_slope(p: Place) -> Rows:
    return p.full_error()


# Operands.


def _handed(deltas: Callable[[Place], Rows]) -> Callable[[Place], Rows]:
    """Something else than δ goes down through the weights."""

    def passed(p: Place) -> Rows:
        upper = above(p)
        return error_below(deltas(upper), upper.weights, p.arithmetic)

    return passed


def _through(weights: Callable[[Place], Rows]) -> Callable[[Place], Rows]:
    """δ goes down through something else than the weights; rows as those of W."""

    def passed(p: Place) -> Rows:
        upper = above(p)
        return error_below(upper.deltas, weights(upper), p.arithmetic)

    return passed


def _square_transposed(rows: Rows) -> Rows:
    if len(rows) != len(rows[0]):
        raise Inapplicable("only a square matrix can be transposed unnoticed")
    if len(rows) == 1:
        raise Inapplicable("a single number is its own transpose")
    return transpose(rows)


def _without_weights(p: Place) -> Rows:
    deltas = above(p).deltas
    sums = p.product(deltas, [[p.arithmetic.one] * len(deltas[0])])
    return [row * len(p.z[0]) for row in sums]


def _entry_by_entry(p: Place) -> Rows:
    deltas = above(p).deltas
    if len(deltas[0]) != len(p.z[0]) or len(p.z[0]) == 1:
        raise Inapplicable("the widths differ")
    return deltas


def _shares(p: Place) -> Rows:
    """Each weight over the sum of its row."""
    sums = p.product(p.weights, [[p.arithmetic.one] * len(p.weights[0])])
    return [[w / total for w in row] for row, (total,) in zip(p.weights, sums)]


def _reshaped(rows: Rows, n: int) -> Rows:
    """The numbers of a matrix row by row, in n rows."""
    if min(shape(rows)) == 1:
        raise Inapplicable("a vector is read in the same order")
    flat = [x for row in rows for x in row]
    width = len(flat) // n
    return [flat[i : i + width] for i in range(0, len(flat), width)]


def _restrided(rows: Rows) -> Rows:
    """The numbers of an n × m matrix row by row, read as one of m × n and transposed back."""
    return transpose(_reshaped(rows, len(rows[0])))


def _piled_up(p: Place) -> Rows:
    """Neuron k gets the errors of the neurons before it as well."""
    return [_prefix_sums(row) for row in error_from_above(p)]


def _prefix_sums(row: Sequence[Any]) -> list[Any]:
    sums = [row[0]]
    for x in row[1:]:
        sums.append(sums[-1] + x)
    return sums


def _of_output(p: Place) -> Rows:
    upper = above(p)
    top = upper
    while top.above is not None:
        top = top.above
    if top is upper:
        raise Inapplicable("it is the layer below the output")
    return error_below(top.deltas, upper.weights, p.arithmetic)


def _kept(rows: Rows, kept: Callable[[int, int], bool], arithmetic: Arithmetic[Any]) -> Rows:
    """The rows for which kept(i, number of rows) holds, zeros in the place of the others."""
    if len(rows) < 2:
        raise Inapplicable("there is one alone")
    return [list(row) if kept(i, len(rows)) else [arithmetic.zero] * len(row) for i, row in enumerate(rows)]


def _blanked(rows: Rows, which: int, arithmetic: Arithmetic[Any]) -> Rows:
    """The rows with zeros in the place of one."""
    return [[arithmetic.zero] * len(row) if i == which else list(row) for i, row in enumerate(rows)]


def _updated(learning_rate: float) -> Callable[[Place], Rows]:
    def weights(p: Place) -> Rows:
        rate = p.arithmetic.number(learning_rate)
        return [[w - rate * g for w, g in zip(*rows)] for rows in zip(p.weights, weight_gradients(p))]

    return weights


def _outer(deltas: Callable[[Place], Rows], below: Callable[[Place], Rows]) -> Callable[[Place], Rows]:
    """Something else in the outer product."""
    return lambda p: backprop.weight_gradients(deltas(p), below(p), p.arithmetic)


def _own(p: Place) -> Rows:
    return p.deltas


def _incoming(p: Place) -> Rows:
    return p.below


def _own_error(p: Place) -> Rows:
    if p.error is None:
        raise Inapplicable("δ is ŷ − y itself")
    return p.error


def _pre_activations_below(p: Place) -> Rows:
    if not p.l:
        raise Inapplicable("below are the inputs")
    return p.trace.pre_activations[p.l - 1]


def _squashed_again(p: Place) -> Rows:
    if not p.l:
        raise Inapplicable("below are the inputs")
    return p.network.layers[p.l - 1].activation.apply(p.below, p.arithmetic)


def _inputs(p: Place) -> Rows:
    if not p.l:
        raise Inapplicable("below are the inputs")
    return p.trace.inputs


def _ones(p: Place) -> Rows:
    return [[p.arithmetic.one] * len(row) for row in p.below]


def _sums(rows: Rows, p: Place) -> list[Any]:
    return backprop.bias_gradients(rows, p.arithmetic)


def _several(p: Place) -> None:
    if p.samples < 2:
        raise Inapplicable("there is one sample")


def _summed_first(p: Place) -> Rows:
    """(Σ δ) (Σ a) in the place of Σ δ a."""
    _several(p)
    return p.product([[d] for d in _sums(p.deltas, p)], [[a] for a in _sums(p.below, p)])


def _running(rows: Rows, p: Place) -> Rows:
    """Sample i counts once for each sample from it on."""
    _several(p)
    return [[(len(rows) - i) * x for x in row] for i, row in enumerate(rows)]


def _sample(which: int) -> Callable[[int, int], bool]:
    return lambda i, n: i == which % n


def _averaged(rows: Rows, p: Place) -> Rows:
    _several(p)
    return entries(rows, lambda x: p.arithmetic.ratio(1, p.samples) * x)


def _zero(p: Place) -> Rows:
    return entries(p.weights, lambda x: p.arithmetic.zero)


def _biases_from(weights: Callable[[Place, Rows], Sequence[Any]]) -> Callable[[Place], Sequence[Any]]:
    return lambda p: weights(p, weight_gradients(p))


def _aliased(p: Place) -> Rows:
    """[[0] * n_in] * n_out: one row, into which all are added."""
    if len(p.z[0]) < 2:
        raise Inapplicable("there is one row")
    return [_sums(weight_gradients(p), p)] * len(p.z[0])


def _neighbour(p: Place) -> Rows:
    return above(p).deltas


# The loss.


def _from_error(change: Callable[[Place, Rows], Rows]) -> Callable[[Place], Rows]:
    """∂loss/∂ŷ turned into something else."""
    return lambda p: change(p, p.full_error())


def _residual(p: Place) -> Rows:
    if p.loss.base not in SQUARES:
        raise Inapplicable("it is a mistake about squares")
    return subtract(p.a, p.targets)


def _last_residual(p: Place) -> Rows:
    if not p.last:
        raise Inapplicable("ŷ − y stands at the output")
    return _residual(p)


def _broadcast(p: Place, error: Rows) -> Rows:
    """(n,) against (n, 1): every output meets every target."""
    if p.samples < 2 or len(error[0]) > 1 or p.loss.base not in SQUARES:
        raise Inapplicable("(n,) against (n, 1) takes several samples of one output")
    loss = p.loss.over(p.samples)
    return [_sums([loss.derivative([row], [y], p.arithmetic)[0] for y in p.targets], p) for row in p.a]


def _across_outputs(p: Place, error: Rows) -> Rows:
    if len(error[0]) < 2:
        raise Inapplicable("there is one output")
    return [row * len(error[0]) for row in p.product(error, [[p.arithmetic.one] * len(error[0])])]


def _across_samples(p: Place, error: Rows) -> Rows:
    _several(p)
    means = [p.arithmetic.ratio(1, p.samples) * x for x in _sums(error, p)]
    return [means for _ in error]


def _across_everything(p: Place, error: Rows) -> Rows:
    """The mean over all entries."""
    n, m = shape(error)
    total = p.product([_sums(error, p)], [[p.arithmetic.ratio(1, n * m)] * m])[0][0]
    return [[total] * m] * n


def _at_pre_activations(p: Place) -> Rows:
    if p.layer.activation == identity or p.loss.base not in SQUARES:
        raise Inapplicable("a is z")
    return p.loss.derivative(p.z, p.targets, p.arithmetic)


def _half_of_entropy(p: Place) -> Rows:
    if p.loss.base != binary_cross_entropy.base:
        raise Inapplicable("it is a mistake about binary cross-entropy")
    factor = p.arithmetic.ratio(1, p.loss.divisor(p.samples, len(p.a[0])))
    return [[-(factor * y / a) for a, y in zip(*rows)] for rows in zip(p.a, p.targets)]


def _signs_of_entropy(p: Place) -> Rows:
    if p.loss.base != binary_cross_entropy.base:
        raise Inapplicable("it is a mistake about binary cross-entropy")
    factor = p.arithmetic.ratio(1, p.loss.divisor(p.samples, len(p.a[0])))
    return [[-(factor * (y / a + (1 - y) / (1 - a))) for a, y in zip(*rows)] for rows in zip(p.a, p.targets)]


def _rolled(y: Rows, arithmetic: Arithmetic[Any]) -> Rows:
    if len(y) < 2:
        raise Inapplicable("there is one sample")
    return [*y[1:], y[0]]


def _at_largest(p: Place) -> Rows:
    """∂loss/∂ŷ with the class that the network finds in the place of the target."""
    if not isinstance(p.layer.activation, Softmax):
        raise Inapplicable("there are no classes")
    targets = [
        [p.arithmetic.ratio(int(j == best), 1) for j in range(len(row))] for row in p.a for best in [_largest(row, p)]
    ]
    return p.loss.derivative(p.a, targets, p.arithmetic)


def _largest(row: Sequence[Any], p: Place) -> int:
    """The place of the first of the largest numbers."""
    best = 0
    for j in range(1, len(row)):
        order = p.arithmetic.order(row[best], row[j])
        if order is None:
            raise Inapplicable("it is not known which class it finds")
        best = j if order == -1 else best
    return best


def _first_target(y: Rows, arithmetic: Arithmetic[Any]) -> Rows:
    if len(y[0]) < 2:
        raise Inapplicable("there is one output")
    return [[row[0]] * len(row) for row in y]


def _columns_rolled(y: Rows, arithmetic: Arithmetic[Any]) -> Rows:
    if len(y[0]) < 2:
        raise Inapplicable("there is one output")
    return [row[::-1] for row in y]


RATES = (1.0, 0.5, 0.1, 0.01, -1.0, -0.5, -0.1, -0.01)  # tried where no learning rate was declared


def updated_weights(rate: float) -> Mistake:
    """The mistake of passing the error down through weights that took their step already; added where rate < 0."""
    name = f"updated weights pass the error down (learning rate {abs(rate):g}{', added' if rate < 0 else ''})"
    sentence = (
        "The error is passed down {where} through weights that were updated already: keep the old ones until all "
        "gradients are there."
    )
    return Mistake(name, STATE, sentence, "passed", _through(_updated(rate)), output=False)


# Tables: name, family and sentence, then the line and what stands in its place. One row reads in one piece.
# fmt: off
def _catalogue() -> Iterator[Mistake]:
    """Name, family, sentence, step, change, and where it can be made."""

    def slope(
        name: str,
        sentence: str,
        change: Callable[[Place, Elementwise], Rows],
        output: bool = True,
        lowest: int = 0,
    ) -> Mistake:
        return Mistake(name, DERIVATIVE, sentence, "deltas", _slopes(change), output, lowest)

    yield Mistake("activation derivative missing", DERIVATIVE, "f′(z) is missing {where}: multiply the error by the "
                  "derivative of the activation to get δ.", "deltas", _missing_slope)
    yield Mistake("raw error passed down", DERIVATIVE, "What is passed down {where} is the error of the layer above, "
                  "without its f′(z): pass down δ, the error times f′(z).", "passed",
                  _handed(lambda p: p.full_error()), output=False)
    yield Mistake("activation derivative missing in own gradients", DERIVATIVE, "The gradient of the weights {where} is "
                  "made from the error, without f′(z): use δ, the error times f′(z).", "weights",
                  _outer(_own_error, _incoming))
    yield slope("squashed twice", "f′ is evaluated at a instead of z {where}: the derivative squashes its argument once "
                "more. Give it z, or write it in terms of a.", lambda p, f: p.arithmetic.elementwise(f.derivative, p.a))
    yield slope("derivative for activations applied to z", "The derivative is written in terms of the activation, such "
                "as a (1 − a), but is given z {where}: give it a = f(z).",
                lambda p, f: _from_activation(f, p.z, p.arithmetic))
    yield slope("the function itself", "The derivative {where} is f(z) itself: use f′(z).", lambda p, f: p.a)
    yield slope("z in place of the derivative", "The derivative {where} is z: use f′(z).", lambda p, f: p.z)
    yield slope("1 − a in place of a (1 − a)", "The derivative {where} is 1 − a: for the sigmoid it is a (1 − a), for "
                "tanh 1 − a².", _only_for("sigmoid", "tanh")(lambda p: entries(p.a, lambda v: 1 - v)))
    yield slope("a² in place of the derivative", "The derivative {where} is a²: for tanh it is 1 − a².",
                _only_for("sigmoid", "tanh")(lambda p: entries(p.a, lambda v: v * v)))
    yield slope("a clipped before the derivative", "The activation is clipped to 0.01 … 0.99 before its derivative a (1 − a) "
                "is taken {where}: where the neuron is saturated, that is too large. Take a as it is.",
                _only_for("sigmoid")(_clipped_slope))
    yield slope("a (1 + a) in place of a (1 − a)", "The derivative {where} is a (1 + a): for the sigmoid it is "
                "a (1 − a).", _only_for("sigmoid")(lambda p: entries(p.a, lambda v: v * (1 + v))))
    yield slope("1 + a² in place of 1 − a²", "The derivative {where} is 1 + a²: for tanh it is 1 − a².",
                _only_for("tanh")(lambda p: entries(p.a, lambda v: 1 + v * v)))
    yield slope("1 − z in place of the derivative", "The derivative {where} is 1 − z: for the sigmoid it is a (1 − a), for "
                "tanh 1 − a².", _only_for("sigmoid", "tanh")(lambda p: entries(p.z, lambda v: 1 - v)))
    for other, formula in (("sigmoid", "a (1 − a)"), ("tanh", "1 − a²")):
        yield slope(f"{formula}, the derivative of {other}", f"The derivative {{where}} is {formula}, which belongs to "
                    f"{other}: take that of the activation of the layer.", _formula_of(other))
    yield slope("product rule cut short", "The derivative {where} leaves out a term of the product rule: (z σ(z))′ is "
                "σ(z) + z σ′(z), (z Φ(z))′ is Φ(z) + z φ(z).", _first_term)
    yield slope("product rule without the factor z", "The derivative {where} leaves out the factor z of the second term: "
                "(z σ(z))′ is σ(z) + z σ′(z), (z Φ(z))′ is Φ(z) + z φ(z).", _second_term_without_z)
    yield slope("tanh of the square", "The square of the derivative {where} stands inside, 1 − tanh(z²): it is "
                "1 − (tanh z)².", _only_for("tanh")(lambda p: entries(p.arithmetic.elementwise(tanh.value, entries(p.z, lambda v: v * v)),
                                                                 lambda v: 1 - v)))
    yield slope("a (1 − z) in place of a (1 − a)", "The derivative {where} is a (1 − z): both factors are made of the "
                "activation, a (1 − a).", _only_for("sigmoid")(
                    lambda p: hadamard(p.a, entries(p.z, lambda v: 1 - v))))
    yield slope("slope times z", "The derivative {where} is the slope times z where z < 0: it is the slope alone.",
                _only_for("leaky_relu")(lambda p: _one_sided(p, lambda z, a: a)))
    yield slope("a in place of a + α", "The derivative {where} is a where z < 0: it is a + α.",
                _only_for("elu")(lambda p: _one_sided(p, lambda z, a: a)))
    for name in ("sigmoid", "tanh", "relu", "leaky_relu(0.01)", "softplus"):
        yield slope(f"derivative of {name}", f"The derivative {{where}} is that of {name}: take that of the activation "
                    "of the layer.", _derivative_of(name))
    yield slope("derivative of the next layer's activation", "The derivative {where} is that of the activation of the "
                "layer above: each layer has its own f′.", _another_function(1), output=False)
    yield slope("derivative of the previous layer's activation", "The derivative {where} is that of the activation of "
                "the layer below: each layer has its own f′.", _another_function(-1), lowest=1)
    yield slope("derivative at z of the layer above", "f′ is evaluated at z of the layer above {where}: take the z of "
                "the layer itself.", _another_layer(1), output=False)
    yield slope("derivative at z of the layer below", "f′ is evaluated at z of the layer below {where}: take the z of "
                "the layer itself.", _another_layer(-1), lowest=1)
    yield slope("derivative at the error", "f′ is evaluated at the incoming error {where}: evaluate it at z.",
                lambda p, f: p.arithmetic.elementwise(f.derivative, p.full_error()))
    yield slope("derivative at the incoming activations", "f′ is evaluated at what comes into the layer {where}: "
                "evaluate it at z.", lambda p, f: p.arithmetic.elementwise(f.derivative, p.below))
    yield slope("derivative of a taken at the error", "The derivative, written in terms of a, is given the error ŷ − y "
                "{where}: give it a.", lambda p, f: _from_activation(f, _last_residual(p), p.arithmetic))
    yield slope("derivative with the opposite sign", "f′ has the wrong sign {where}.",
                lambda p, f: entries(p.arithmetic.elementwise(f.derivative, p.z), lambda v: -v))
    yield slope("ReLU mask turned round", "The mask {where} lets through where z < 0: the derivative is 1 where z > 0.",
                _only_for("relu")(lambda p: _mask(p, p.z, above=False)))
    yield slope("ReLU mask from the error", "The mask {where} is taken from the sign of the error: take it from z.",
                _only_for("relu")(lambda p: _mask(p, p.full_error(), above=True)))
    yield Mistake("activation derivative twice", DERIVATIVE, "f′(z) is multiplied in once too often {where}. (Where the "
                  "loss is a cross-entropy, ŷ − y is δ already.)", "deltas", _extra_slope)
    yield Mistake("softmax Jacobian taken as diagonal", DERIVATIVE, "The derivative of softmax is taken as a (1 − a) "
                  "{where}: every output depends on every z, so the whole Jacobian is needed.", "deltas", _diagonal)
    yield Mistake("bias gradient averaged", BIASES, "The gradient of the biases {where} is divided by the number of "
                  "samples, that of the weights is not: reduce both in the same way.", "biases",
                  lambda p: _averaged([bias_gradients(p)], p)[0])
    yield Mistake("bias gradient of one sample", BIASES, "The gradient of the biases {where} is the δ of the last "
                  "sample alone: sum δ over the samples.", "biases",
                  lambda p: _sums(_kept(p.deltas, _sample(-1), p.arithmetic), p))
    yield Mistake("bias gradient of the first sample", BIASES, "The gradient of the biases {where} is the δ of the "
                  "first sample alone: sum δ over the samples.", "biases",
                  lambda p: _sums(_kept(p.deltas, _sample(0), p.arithmetic), p))
    yield Mistake("biases never updated", BIASES, "The gradient of the biases {where} is 0: it is Σ δ over the "
                  "samples.", "biases", lambda p: [p.arithmetic.zero] * len(p.z[0]))
    yield Mistake("bias gradient summed over all axes", BIASES, "The gradient of the biases {where} is one sum over "
                  "samples and neurons: sum over the samples only, each neuron has its own.", "biases",
                  lambda p: _summed_over_all(p, mean=False))
    yield Mistake("bias gradient averaged over all axes", BIASES, "The gradient of the biases {where} is one mean over "
                  "samples and neurons: sum over the samples only, each neuron has its own.", "biases",
                  lambda p: _summed_over_all(p, mean=True))
    yield Mistake("bias gradient with the wrong sign", BIASES, "The gradient of the biases {where} has the wrong sign.",
                  "biases", lambda p: [-x for x in bias_gradients(p)])
    yield Mistake("bias gradient from the gradient of the weights", BIASES, "The gradient of the biases {where} is the "
                  "gradient of the weights summed over its rows: it is Σ δ over the samples.", "biases",
                  _biases_from(lambda p, g: [row[0] for row in p.product(g, [[p.arithmetic.one] * len(g[0])])]))
    yield Mistake("bias gradient is a column of the gradient of the weights", BIASES, "The gradient of the biases "
                  "{where} is the first column of that of the weights: it is Σ δ over the samples.", "biases",
                  _biases_from(lambda p, g: [row[0] for row in g]))
    yield Mistake("bias gradient is the last column of the gradient of the weights", BIASES, "The gradient of the "
                  "biases {where} is the last column of that of the weights: it is Σ δ over the samples.", "biases",
                  _biases_from(lambda p, g: [row[-1] for row in g]))
    yield Mistake("bias gradient without the activation derivative", BIASES, "The gradient of the biases {where} is the "
                  "sum of the error without f′(z): sum δ.", "biases", lambda p: _sums(_own_error(p), p))
    yield Mistake("bias gradient of the layer above", BIASES, "The gradient of the biases {where} is made from δ of the "
                  "layer above: sum the layer's own δ.", "biases", lambda p: _sums(_neighbour(p), p), output=False)
    yield Mistake("bias gradient times the bias", BIASES, "The gradient of the biases {where} is multiplied by the "
                  "biases: it is Σ δ alone.", "biases",
                  lambda p: [g * b for g, b in zip(bias_gradients(p), p.arithmetic.lift([p.layer.biases or ()])[0])])
    yield Mistake("bias gradient once per input", BIASES, "The gradient of the biases {where} is added once for every "
                  "input of the neuron: take it out of the loop over the inputs.", "biases",
                  lambda p: [len(p.below[0]) * g for g in bias_gradients(p)])
    yield Mistake("bias gradient times the activation", BIASES, "The gradient of the biases {where} is Σ δ a: it is "
                  "Σ δ alone.", "biases", lambda p: _sums(hadamard(p.deltas, p.a), p))
    yield Mistake("bias gradient accumulated too often", STATE, "The gradient of the biases {where} counts early "
                  "samples again with every later one: add each sample's once.", "biases",
                  lambda p: _sums(_running(p.deltas, p), p))
    yield Mistake("W transposed on the way down", OPERANDS, "The error is passed down {where} through W transposed (a "
                  "square matrix hides it): δ W, not δ Wᵀ.", "passed",
                  _through(lambda p: _square_transposed(p.weights)), output=False)
    yield Mistake("passed down without the weights", OPERANDS, "The error is passed down {where} without the weights: "
                  "multiply δ of the layer above by its W.", "passed", _without_weights, output=False)
    yield Mistake("delta passed down entry by entry", OPERANDS, "δ of the layer above is passed down {where} as it is, "
                  "without the weights: multiply it by the W of the layer above.", "passed", _entry_by_entry, output=False)
    yield Mistake("error sum not reset for each sample", STATE, "The error passed down {where} is not set to 0 for each "
                  "sample: it still holds that of the samples before.", "passed",
                  lambda p: transpose([_prefix_sums(column) for column in transpose(error_from_above(p))]), output=False)
    yield Mistake("error split by shares of the weights", OPERANDS, "The error passed down {where} is split in "
                  "proportion to the weights, W over the sum of its row: multiply by W itself.", "passed",
                  _through(_shares), output=False)
    yield Mistake("flat weights read with the wrong stride", OPERANDS, "The error is passed down {where} through W read "
                  "row by row as if it had n_in rows: the weight from k to i stands at k · n_in + i.", "passed",
                  _through(lambda p: _restrided(p.weights)), output=False)
    yield Mistake("error sum not reset for each neuron", STATE, "The error passed down {where} is not set to 0 for each "
                  "neuron: it still holds that of the neurons before.", "passed", _piled_up, output=False)
    yield Mistake("weights of the wrong layer on the way down", OPERANDS, "The error is passed down {where} through the "
                  "layer's own weights: take those of the layer above.", "passed",
                  lambda p: p.product(above(p).deltas, transpose(p.weights)), output=False)
    yield Mistake("activations passed down", OPERANDS, "What is passed down {where} is the activation of the layer "
                  "above: pass down its δ.", "passed", _handed(lambda p: p.a), output=False)
    yield Mistake("output delta passed to every layer", OPERANDS, "The δ of the output layer is passed down {where}: "
                  "pass down the δ of the layer just above.", "passed", _of_output, output=False)
    yield Mistake("gradient passed down in place of the weights", OPERANDS, "The error is passed down {where} through "
                  "∂loss/∂W: use W itself.", "passed", _through(weight_gradients), output=False)
    yield Mistake("error averaged over the layer above", OPERANDS, "The error passed down {where} is divided by the "
                  "width of the layer above: it is a sum, not a mean.", "passed",
                  lambda p: entries(error_from_above(p), lambda x: p.arithmetic.ratio(1, len(above(p).z[0])) * x), output=False)
    yield Mistake("elementwise product in place of a dot product", OPERANDS, "The error passed down {where} multiplies δ "
                  "and W elementwise: it is a dot product, summed over the neurons of the layer above.", "passed",
                  lambda p: [[d * w[i] for i, (d, w) in enumerate(zip(row, _square(above(p).weights)))]
                             for row in above(p).deltas], output=False)
    yield Mistake("error overwritten instead of accumulated", STATE, "The error passed down {where} comes from the last "
                  "neuron of the layer above alone: add up all of them (+=, not =).", "passed",
                  _through(lambda p: _kept(p.weights, _sample(-1), p.arithmetic)), output=False)
    yield Mistake("error of the first neuron alone", OPERANDS, "The error passed down {where} comes from the first "
                  "neuron of the layer above alone: add up all of them.", "passed",
                  _through(lambda p: _kept(p.weights, _sample(0), p.arithmetic)), output=False)
    yield from map(updated_weights, RATES)

    yield Mistake("z in place of a in the outer product", OPERANDS, "The gradient of the weights {where} takes z of the "
                  "layer below: take its activations a = f(z).", "weights", _outer(_own, _pre_activations_below), lowest=1)
    yield Mistake("the layer's own activation in the outer product", OPERANDS, "The gradient of the weights {where} "
                  "takes the layer's own activations: take those that come in from below.", "weights",
                  _outer(_own, lambda p: p.a))
    yield Mistake("inputs in every outer product", OPERANDS, "The gradient of the weights {where} takes the inputs of "
                  "the network: take the activations of the layer below.", "weights", _outer(_own, _inputs),
                  lowest=1)
    yield Mistake("each neuron's own activation in its gradient", OPERANDS, "The gradient of the weights {where} "
                  "multiplies δ of a neuron by the activation of the same neuron: take those that come in from below.",
                  "weights", lambda p: [[x] * len(p.below[0]) for x in _sums(hadamard(p.deltas, p.a), p)])
    yield Mistake("rows that share one list", STATE, "All rows of the gradient of the weights {where} are the same list, "
                  "which adds up all of them: make a new list for each row.", "weights", _aliased)
    yield Mistake("weights in the outer product", OPERANDS, "The gradient of the weights {where} is multiplied by the "
                  "weights: it is δᵀ a alone.", "weights", lambda p: hadamard(weight_gradients(p), p.weights))
    yield Mistake("squashed again in the outer product", OPERANDS, "The gradient of the weights {where} squashes the "
                  "activations of the layer below once more: take a as it is.", "weights",
                  _outer(_own, _squashed_again), lowest=1)
    yield Mistake("outer product transposed", OPERANDS, "The gradient of the weights {where} is transposed (a square "
                  "matrix hides it): row j belongs to neuron j.", "weights",
                  lambda p: _square_transposed(weight_gradients(p)))
    yield Mistake("outer product the wrong way round", OPERANDS, "The gradient of the weights {where} is the product of "
                  "inputs with δ instead of δ with inputs, brought into shape: transpose it, do not reshape it.", "weights",
                  lambda p: _reshaped(transpose(weight_gradients(p)), len(p.weights)))
    yield Mistake("input missing", OPERANDS, "The gradient of the weights {where} is δ alone: multiply by what comes in "
                  "from below.", "weights", _outer(_own, _ones))
    yield Mistake("delta of the layer above in the outer product", OPERANDS, "The gradient of the weights {where} takes "
                  "δ of the layer above: take the layer's own.", "weights", _outer(_neighbour, _incoming), output=False)
    yield Mistake("activation in place of delta in the outer product", OPERANDS, "The gradient of the weights {where} "
                  "multiplies activations with activations: one factor must be δ.", "weights",
                  _outer(lambda p: p.a, _incoming))
    yield Mistake("summed over the samples before the outer product", OPERANDS, "The gradient of the weights {where} is "
                  "(Σ δ)(Σ a): multiply sample by sample, then add up.", "weights", _summed_first)
    yield Mistake("averaged over the samples before the outer product", OPERANDS, "The gradient of the weights {where} "
                  "is (Σ δ) times the mean of a: multiply sample by sample, then add up.", "weights",
                  lambda p: _averaged(_summed_first(p), p))
    yield Mistake("weight gradient of the last sample", STATE, "The gradient of the weights {where} is that of the last "
                  "sample alone: add up all samples (+=, not =).", "weights",
                  _outer(lambda p: _kept(p.deltas, _sample(-1), p.arithmetic), _incoming))
    yield Mistake("weight gradient of the first sample", STATE, "The gradient of the weights {where} is that of the "
                  "first sample alone: add up all samples.", "weights",
                  _outer(lambda p: _kept(p.deltas, _sample(0), p.arithmetic), _incoming))
    yield Mistake("accumulated too often", STATE, "The gradient of the weights {where} counts early samples again with "
                  "every later one: add each sample's once, and start from 0.", "weights",
                  _outer(lambda p: _running(p.deltas, p), _incoming))
    yield Mistake("weight gradient averaged", LOSS, "The gradient of the weights {where} is divided by the number of "
                  "samples once more than the loss says.", "weights", lambda p: _averaged(weight_gradients(p), p))
    yield Mistake("weights never updated", STATE, "The gradient of the weights {where} is 0: it is δᵀ a.", "weights",
                  _zero)

    yield Mistake("last sample alone", STATE, "Only the last sample counts: add up the gradients of all samples "
                  "(+=, not =), and keep the backward pass inside the loop over the samples.", "error",
                  _from_error(lambda p, e: _kept(e, _sample(-1), p.arithmetic)))
    yield Mistake("first sample alone", STATE, "Only the first sample counts: add up the gradients of all samples.",
                  "error", _from_error(lambda p, e: _kept(e, _sample(0), p.arithmetic)))
    yield Mistake("first sample left out", STATE, "The first sample is left out: begin the loop over the samples at 0.",
                  "error", _from_error(lambda p, e: _blanked(e, 0, p.arithmetic)))
    yield Mistake("last sample left out", STATE, "The last sample is left out: end the loop over the samples after it.",
                  "error", _from_error(lambda p, e: _blanked(e, len(e) - 1, p.arithmetic)))
    yield Mistake("error squared", LOSS, "The loss itself, (ŷ − y)², stands where its derivative belongs: it is "
                  "2 (ŷ − y).", "error", lambda p: hadamard(_residual(p), _residual(p)))
    yield Mistake("absolute error", LOSS, "The error has lost its sign, |ŷ − y|: keep ŷ − y.", "error",
                  lambda p: entries(p.full_error(), lambda x: p.arithmetic.choose(
                      x, 0, below=lambda: -x, at=lambda: x, above=lambda: x)))
    yield Mistake("(n,) minus (n, 1)", LOSS, "Every output is compared with every target, as when an array of shape (n,) "
                  "meets one of shape (n, 1): give both the same shape.", "error", _from_error(_broadcast))
    yield Mistake("error summed over the outputs", LOSS, "Every output gets the error of all outputs together: each has "
                  "its own.", "error", _from_error(_across_outputs))
    yield Mistake("mean error for every sample", LOSS, "Every sample gets the mean error of the batch: each has its "
                  "own.", "error", _from_error(_across_samples))
    yield Mistake("mean error for every output and sample", LOSS, "Every output of every sample gets the mean of all "
                  "errors: each has its own.", "error",
                  _from_error(_across_everything))
    yield Mistake("error at z instead of a", LOSS, "The targets are compared with z of the output layer: compare them "
                  "with ŷ = f(z).", "error", _at_pre_activations)
    yield Mistake("half of the cross-entropy", LOSS, "The term (1 − y) / (1 − ŷ) of the derivative of binary "
                  "cross-entropy is missing.", "error", _half_of_entropy)
    yield Mistake("signs of binary cross-entropy", LOSS, "Both terms of the derivative of binary cross-entropy have the "
                  "same sign: it is −y/ŷ + (1 − y)/(1 − ŷ).", "error", _signs_of_entropy)
    yield Mistake("targets of the next sample", LOSS, "Each output is compared with the target of the next sample.",
                  "targets", _rolled)
    yield Mistake("target of the first output for all", LOSS, "Every output is compared with the target of the first "
                  "one: each has its own.", "targets", _first_target)
    yield Mistake("largest output taken for the target", LOSS, "The 1 is subtracted at the largest output: subtract it "
                  "at the class of the target.", "error", _at_largest)
    yield Mistake("targets reshaped", LOSS, "The targets are brought into shape by reshaping, which mixes samples and "
                  "outputs: transpose them.", "targets", lambda y, arithmetic: _restrided(y))
    yield Mistake("targets in reverse", LOSS, "The targets of each sample are read in reverse order.", "targets",
                  _columns_rolled)
    yield Mistake("targets missing", LOSS, "The derivative of the loss is taken as if all targets were 0.", "targets",
                  lambda y, arithmetic: entries(y, lambda v: arithmetic.zero))

    yield from forwards()
# fmt: on


def _square(rows: Rows) -> Rows:
    if len(rows) != len(rows[0]) or len(rows) == 1:
        raise Inapplicable("the widths differ")
    return rows


def _summed_over_all(p: Place, mean: bool) -> list[Any]:
    if len(p.z[0]) < 2:
        raise Inapplicable("there is one neuron")
    sums = bias_gradients(p)
    total = p.product([sums], [[p.arithmetic.ratio(1, len(sums) * p.samples if mean else 1)] * len(sums)])[0][0]
    return [total] * len(sums)


CATALOGUE: dict[str, Mistake] = {mistake.name: mistake for mistake in _catalogue()}
"""Every mistake by its name."""

# fmt: off
REPORTS: dict[str, tuple[int, tuple[str, ...]]] = {  # the first that begins a name counts
    "only in the propagated or only in the own gradient": (0, ("activation derivative missing in own",)),
    "raw error passed down": (9, ("raw error passed down",)),
    "squashed twice": (9, ("squashed twice",)),
    "in terms of a, applied to z": (2, ("derivative for activations applied to z",)),
    "missing": (4, ("activation derivative missing",)),
    "evaluated on the error, the input or the incoming gradient": (
        4,
        ("derivative at the error", "derivative at the incoming", "derivative of a taken at"),
    ),
    "another layer's or another function's": (
        5,
        ("a (1 − a), the", "1 − a², the", "derivative of ", "derivative at z of"),
    ),
    "wrong formula, the function itself": (
        6,
        ("the function itself", "z in place of the", "1 − a in", "a² in", "a (1 + a)", "1 + a²", "1 − z in", "product rule",
         "tanh of the square", "a (1 − z)", "slope times z", "a in place of a + α"),
    ),
    "ReLU mask": (2, ("ReLU mask",)),
    "softmax Jacobian taken as diagonal": (7, ("softmax Jacobian",)),
    "softmax over the wrong axis": (5, ("softmax over",)),
    "extra σ′ with cross-entropy": (1, ("activation derivative twice",)),
    "biases not summed over the batch": (6, ("bias gradient of one sample", "bias gradient of the first sample")),
    "biases summed over all axes": (2, ("bias gradient summed over all", "bias gradient averaged over all")),
    "biases reduced otherwise": (5, ("bias gradient averaged",)),
    "biases never updated": (4, ("biases never updated",)),
    "sign of the biases": (1, ("bias gradient with the wrong sign",)),
    "biases from the gradient of the weights": (1, ("bias gradient from the gradient",)),
    "the wrong column stripped": (1, ("bias gradient is",)),
    "elementwise in place of a dot product": (7, ("elementwise product", "delta passed down entry by entry")),
    "the wrong layer's activation, or the weights, in the outer product": (
        4,
        ("z in place of a in the outer", "the layer's own activation", "inputs in every", "weights in the outer",
         "squashed again", "each neuron's own"),
    ),
    "outer product or W transposed": (3, ("W transposed", "outer product")),
    "wrong tensor propagated": (
        2,
        ("activations passed down", "output delta passed", "gradient passed down", "weights of the wrong layer"),
    ),
    "input missing": (1, ("input missing",)),
    "updated weights used for the layer below": (7, ("updated weights",)),
    "in place, aliased, stale": (7, ("rows that share", "activations of the", "inputs and activations of the")),
    "accumulated twice, not reset": (6, ("accumulated too often", "bias gradient accumulated", "error sum not reset")),
    "overwritten instead of accumulated": (
        3,
        ("error overwritten", "weight gradient of the last", "last sample alone"),
    ),
    "wrong loss derivative": (
        4,
        ("error squared", "absolute error", "half of the", "signs of binary", "error at z"),
    ),
    "1/m twice": (3, ("weight gradient averaged",)),
    "(n,) minus (n, 1)": (2, ("(n,) minus",)),
    "wrong target": (2, ("targets", "target of", "largest output taken")),
}
"""What is known of 125 collected reports of wrong hand-written backpropagation: how many of each kind, and its names."""
# fmt: on


def seen(mistake: Mistake) -> int:
    """In how many of the reports a mistake of this kind was found; 0 if in none.

    >>> seen(CATALOGUE["squashed twice"])
    9
    """
    return next((count for count, names in REPORTS.values() if mistake.name.startswith(names)), 0)
