"""Hypothesis strategies: networks, batches, cases and losses, to test an implementation on what they draw.

All numbers are dyadic fractions with few bits, exact in every format, and no sum of weights is large, so that layers
are seldom saturated and nothing overflows. What is drawn shrinks: to few layers, narrow ones, few samples, and numbers
to 0 or to the next whole ones.

>>> from hypothesis import find
>>> case = find(cases("tanh"), lambda case: min(case.batch.inputs[0]) < -1.2)
>>> case.network.sizes, case.network.parameters(), case.batch
((1, 1), [0.0], Batch(inputs=((-2.0,),), targets=((0.0,),)))
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, repeat

from hypothesis import strategies as st

from purebp.oracle.cases import Case, default_loss
from purebp.textbook.activations import Activation, activation
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.losses import REDUCTIONS, Loss, loss
from purebp.textbook.network import Batch, Layer, Network

ACTIVATIONS = ["identity", "sigmoid", "tanh", "relu", "leaky_relu(0.25)", "softplus", "elu(1.0)", "elu(0.5)"]
ACTIVATIONS += ["silu", "gelu", "softmax"]
LOSSES = ["sse", "half_sse", "mse", "half_mse", "mae", "huber(0.5)", "binary_cross_entropy", "cross_entropy"]
LARGEST_SUM = 4.0  # of the |weights| of a neuron
Rows = list[list[float]]


def numbers(largest: int) -> list[float]:
    """Quarters in ±largest, the simplest first, which is what Hypothesis shrinks to: 0, or the next whole number.

    >>> numbers(1), numbers(2)[9:13]
    ([0.0, 1.0, -1.0, 0.75, -0.75, 0.5, -0.5, 0.25, -0.25], [2.0, -2.0, 1.75, -1.75])
    """
    sizes = [whole - k / 4 for whole in range(1, largest + 1) for k in range(4)]
    return [0.0, *(x for size in sizes for x in (size, -size))]


VALUES, WEIGHTS, INPUTS = numbers(2), numbers(3), numbers(4)


@st.composite
def losses(draw: st.DrawFn, names: Sequence[str] = LOSSES) -> Loss:
    """Every loss, or those named, with every reduction.

    >>> from hypothesis import find
    >>> find(losses(), lambda loss: loss.reduction == "samples").name
    'sse/samples'
    """
    return loss(draw(st.sampled_from(names))).reduced(draw(st.sampled_from(REDUCTIONS)))


@st.composite
def networks(
    draw: st.DrawFn,
    activations: Sequence[str | Activation] | Activation | str | None = None,
    *,
    sizes: Sequence[int] | None = None,
    biases: bool | Sequence[bool] | None = None,
    widest: int = 6,
    deepest: int = 4,
) -> Network:
    """Networks; what is None is drawn.

    activations: one per layer, or a single name for networks of any depth. sizes: the widths, inputs first.
    biases: whether the layers have them, or each of them. A softmax at the end has two outputs at least, unless sizes says otherwise.

    >>> from hypothesis import find
    >>> find(networks(["relu", "identity"]), lambda network: network.layers[0].biases is not None).parameters()
    [0.0, 0.0, 0.0]
    """
    least, most = (1, deepest) if sizes is None else (len(sizes) - 1, len(sizes) - 1)
    if least < 1:
        raise PurebpError(f"sizes {sizes!r}: at least two widths are wanted")
    if activations is None:
        names = draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=least, max_size=most))
        functions = list(map(activation, names))
    elif isinstance(activations, (str, Activation)):
        functions = [activation(activations)] * draw(st.integers(least, most))
    else:
        functions = list(map(activation, activations))
    if not functions or (sizes is not None and len(sizes) != len(functions) + 1):
        raise PurebpError(
            f"{len(functions)} activations, and sizes {sizes!r}: give one activation per layer, "
            "and one width more than layers"
        )
    if sizes is None:
        sizes = [draw(st.integers(1, widest)) for _ in functions]
        sizes.append(draw(st.integers(min(2, widest) if functions[-1].distribution else 1, widest)))
    layers = []
    chosen = repeat(biases) if biases is None or isinstance(biases, bool) else biases
    for (n_in, n_out), f, has in zip(pairwise(sizes), functions, chosen):
        weights = [_tamed(row) for row in _matrix(draw, n_out, n_in, WEIGHTS)]
        has_biases = draw(st.booleans()) if has is None else has
        layers.append(Layer(weights, _matrix(draw, 1, n_out)[0] if has_biases else None, f))
    return Network(layers)


@st.composite
def batches(
    draw: st.DrawFn,
    n_in: int,
    n_out: int,
    *,
    loss: Loss | str = "mse",
    batch: int | None = None,
    most: int = 4,
) -> Batch:
    """Batches for networks with so many inputs and outputs; batch is the number of samples, at most `most` if None.

    Targets suit the loss: one 1 and else 0 in each sample for cross_entropy, 0 or 1 for binary_cross_entropy.

    >>> from hypothesis import find
    >>> find(batches(1, 3, loss="cross_entropy"), lambda batch: batch.targets[0][0] == 0)
    Batch(inputs=((0.0,),), targets=((0.0, 1.0, 0.0),))
    """
    samples = draw(st.integers(1, most)) if batch is None else batch
    inputs = _matrix(draw, samples, n_in, INPUTS)
    suited = _loss(loss).targets
    if suited == "one_hot":
        classes = [draw(st.integers(0, n_out - 1)) for _ in range(samples)]
        return Batch(inputs, [[float(j == c) for j in range(n_out)] for c in classes])
    values = [0.0, 1.0] if suited == "binary" else VALUES
    return Batch(inputs, _matrix(draw, samples, n_out, values))


@st.composite
def cases(
    draw: st.DrawFn,
    activations: Sequence[str | Activation] | Activation | str | None = None,
    *,
    loss: Loss | str | None = None,
    sizes: Sequence[int] | None = None,
    biases: bool | Sequence[bool] | None = None,
    batch: int | None = None,
    widest: int = 6,
    deepest: int = 4,
    most: int = 4,
) -> Case:
    """Cases of the oracle: a network and a batch for it, with targets that suit the loss.

    Where the loss is None, it is cross_entropy after softmax, and else mse, as in `purebp.oracle.check`.

    >>> from hypothesis import given
    >>> from purebp import backpropagation
    >>> from purebp.oracle import judge
    >>> @given(cases(["sigmoid", "identity"]))
    ... def test_mine(case):  # of backpropagation, say
    ...     assert judge(case.network, case.batch, backpropagation(case.network, case.batch)).conforms
    >>> test_mine()
    """
    network = draw(networks(activations, sizes=sizes, biases=biases, widest=widest, deepest=deepest))
    last = network.layers[-1].activation
    suited = "cross_entropy" if last.distribution else default_loss([last], loss)
    n_in, *_, n_out = network.sizes
    return Case("drawn", network, draw(batches(n_in, n_out, loss=suited, batch=batch, most=most)))


def _matrix(draw: st.DrawFn, rows: int, columns: int, entries: Sequence[float] = VALUES) -> Rows:
    """Entries of the list, the first of them the simplest; drawn as bytes, which is fast and shrinks well."""
    drawn = draw(st.binary(min_size=rows * columns, max_size=rows * columns))
    chosen = [entries[byte % len(entries)] for byte in drawn]
    return [chosen[i * columns : (i + 1) * columns] for i in range(rows)]


def _tamed(row: list[float]) -> list[float]:
    """The weights of a neuron, halved until their magnitudes add up to little: so they stay dyadic."""
    while sum(map(abs, row)) > LARGEST_SUM:
        row = [w / 2 for w in row]
    return row


_loss = loss  # the function, where a parameter has its name
