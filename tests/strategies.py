"""Hypothesis strategies: networks, batches and losses in which every number is well scaled.

Weights, biases, inputs and targets are dyadic (multiples of a power of two), and the weights of a neuron add up
to at most 1 in absolute value: so no layer saturates, and nothing overflows. No pre-activation and no error of an
output lies within `MARGIN` of a corner, a point where the value, f′ or f″ of an activation or a loss jumps:
`_away` moves what is about to fall there. The tests therefore need no tolerance for corners.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from purebp import Batch, Layer, Network, forward
from purebp.testing.strategies import ACTIVATIONS as ACTIVATIONS
from purebp.testing.strategies import LOSSES as LOSSES
from purebp.testing.strategies import losses as losses
from purebp.textbook.losses import REDUCTIONS as REDUCTIONS
from studies.conforming import Exercise as Exercise

CORNERS = {
    "relu": [0.0],
    "leaky_relu(0.25)": [0.0],
    "elu(1.0)": [0.0],
    "elu(0.5)": [0.0],
    "mae": [0.0],
    "huber(0.5)": [-0.5, 0.5],
}
MARGIN = 1 / 32
SMALLEST = 1 / 4  # a column is big where no entry is closer to 0
Rows = list[list[float]]


@st.composite
def matrices(draw: st.DrawFn, rows: int, columns: int) -> Rows:
    """Multiples of 1/8 in [−2, 2]."""
    return _matrix(draw, rows, columns)


@st.composite
def cases(
    draw: st.DrawFn,
    with_activation: str | None = None,
    activations: Sequence[str] = ACTIVATIONS,
    losses_from: Sequence[str] = LOSSES,
) -> Exercise:
    """Depth 1–4, widths 1–6, batches of 1–5; one layer at least has the activation asked for."""
    chosen = draw(losses(losses_from))
    wants_probabilities = "cross_entropy" in chosen.base
    last = ["sigmoid", "softmax"] if wants_probabilities else activations
    names = [*draw(st.lists(st.sampled_from(activations), max_size=3)), draw(st.sampled_from(last))]
    if with_activation in last and draw(st.booleans()):
        names[-1] = str(with_activation)
    elif with_activation and with_activation not in names:
        names = [with_activation, *names[-3:]]
    inputs = _matrix(draw, draw(st.integers(1, 5)), draw(st.integers(1, 6)))
    layers: list[Layer] = []
    outputs: Sequence[Sequence[float]] = inputs
    for name in names:
        # A softmax of one neuron is 1 exactly, where binary cross-entropy has no derivative.
        least = 2 if name == "softmax" and wants_probabilities else 1
        layers.append(_layer(draw, outputs, draw(st.integers(least, 6)), name))
        outputs = forward(Network(layers[-1:]), outputs).outputs
    largest, sign = (8, 1) if wants_probabilities else (16, -1)
    targets = _matrix(draw, len(inputs), len(outputs[0]), largest, sign)
    for row, others in zip(targets, outputs):
        for j, output in enumerate(others):
            row[j] -= _away([output - row[j]], [1.0], CORNERS.get(chosen.base, []))
    return Exercise(Network(layers), Batch(inputs, targets), chosen)


def _layer(draw: st.DrawFn, inputs: Sequence[Sequence[float]], n_out: int, name: str) -> Layer:
    """A layer on these inputs, with or without biases, none of whose pre-activations is near a corner.

    What is moved are the biases; without them, the weights by a column of inputs that is big throughout. Where
    there is no such column, the layer has biases.
    """
    n_in, corners = len(inputs[0]), CORNERS.get(name, [])
    weights = _matrix(draw, n_out, n_in, 8, unit=2.0 ** -(3 + (n_in - 1).bit_length()))
    big = [k for k in range(n_in) if min(abs(row[k]) for row in inputs) >= SMALLEST]
    has_biases = draw(st.booleans()) or (corners and not big)
    biases = _matrix(draw, 1, n_out, 8)[0] if has_biases else None
    for j, z in enumerate(zip(*forward(Network([Layer(weights, biases, "identity")]), inputs).outputs)):
        if biases is not None:
            biases[j] += _away(z, [1.0] * len(z), corners)
        elif corners:
            weights[j][big[0]] += _away(z, [row[big[0]] for row in inputs], corners)
    return Layer(weights, biases, name)


def _away(values: Sequence[float], column: Sequence[float], corners: Sequence[float]) -> float:
    """The least shift t that puts every vᵢ + t cᵢ at least MARGIN away from every corner, given |cᵢ| ≥ SMALLEST.

    Each pair of a value and a corner forbids an open interval of t no longer than 2 MARGIN / SMALLEST, which
    holds at most one multiple of that length: among one more of them than there are pairs, one is allowed.
    """
    for k in range(len(values) * len(corners) + 1):
        shift = (k + 1) // 2 * (1, -1)[k % 2] * 2 * MARGIN / SMALLEST
        if all(abs(v + shift * c - corner) >= MARGIN for v, c in zip(values, column) for corner in corners):
            return shift
    raise AssertionError("the pigeonhole principle does not hold")


def _matrix(draw: st.DrawFn, rows: int, columns: int, largest: int = 16, sign: int = -1, unit: float = 1 / 8) -> Rows:
    """Multiples k of the unit with |k| ≤ largest, and k ≥ 0 where sign is 1; drawn as bytes, which is fast."""
    drawn = draw(st.binary(min_size=rows * columns, max_size=rows * columns))
    ks = [(byte % (2 * largest + 1) + 1) // 2 * sign**byte for byte in drawn]
    return [[k * unit for k in ks[i * columns : (i + 1) * columns]] for i in range(rows)]
