"""Wrong versions of backpropagation, each rejected by the law that is meant for it.

`Recurrence` is backpropagation once more, in plain loops and in parts; a bug is a recurrence with one part wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from purebp import FLOAT, Activation, Batch, Gradients, Loss, Network, backpropagation, forward, sse
from purebp.textbook.activations import Elementwise, Softmax
from purebp.textbook.network import LayerGradients
from tests import laws
from tests.strategies import Exercise, cases

Vector = Sequence[float]
Matrix = Sequence[Sequence[float]]


def times_slope(f: Activation, error: Vector, z: Vector) -> Vector:
    """The error of one sample times f′(z), a matrix for softmax."""
    if isinstance(f, Softmax):
        return [sum(e * slope for e, slope in zip(error, row)) for row in f.derivative(z)]
    assert isinstance(f, Elementwise)
    return [e * f.derivative(x) for e, x in zip(error, z)]


def outer_products(deltas: Matrix, below: Matrix) -> Matrix:
    """Σ over the samples of δ aᵀ."""
    return [
        [sum(d[j] * a[k] for d, a in zip(deltas, below)) for k in range(len(below[0]))] for j in range(len(deltas[0]))
    ]


@dataclass(frozen=True)
class Recurrence:
    """Backpropagation in parts. z_below and a_below are those of the layer below, or the inputs."""

    output_error: Callable[[Loss, Matrix, Matrix], Matrix] = lambda loss, a, y: loss.derivative(a, y)
    output_delta: Callable[[Activation, Vector, Vector], Vector] = times_slope
    hidden_delta: Callable[[Activation, Vector, Vector], Vector] = times_slope
    weight_gradient: Callable[[Matrix, Matrix, Matrix], Matrix] = lambda deltas, a_below, z_below: outer_products(
        deltas, a_below
    )
    bias_gradient: Callable[[Matrix], Vector] = lambda deltas: [sum(column) for column in zip(*deltas)]
    passing_weights: Callable[[Matrix, Matrix], Matrix] = lambda weights, gradient: weights
    error_below: Callable[[Matrix, Vector], Vector] = lambda weights, delta: [
        sum(w * d for w, d in zip(column, delta)) for column in zip(*weights)
    ]

    def __call__(self, network: Network, batch: Batch, loss: Loss) -> Gradients:
        trace = forward(network, batch.inputs)
        below = list(zip([batch.inputs, *trace.activations], [batch.inputs, *trace.pre_activations]))
        error, of_layer, result = self.output_error(loss, trace.outputs, batch.targets), self.output_delta, []
        for layer, z, (a_below, z_below) in zip(network.layers[::-1], trace.pre_activations[::-1], below[-2::-1]):
            deltas = [of_layer(layer.activation, *rows) for rows in zip(error, z)]
            weights = self.weight_gradient(deltas, a_below, z_below)
            result.append(LayerGradients(weights, None if layer.biases is None else self.bias_gradient(deltas), deltas))
            passing = self.passing_weights(layer.weights, weights)
            error, of_layer = [self.error_below(passing, delta) for delta in deltas], self.hidden_delta
        return Gradients(tuple(result[::-1]))


def scaled(factor: float, rows: Matrix) -> Matrix:
    return [[factor * x for x in row] for row in rows]


def moved(weights: Matrix, gradient: Matrix, rate: float = 1.0) -> Matrix:
    return [[w - rate * g for w, g in zip(*rows)] for rows in zip(weights, gradient)]


def applied(f: Activation, z: Vector) -> Vector:
    return f.apply([z], FLOAT)[0]


def times_slope_at_a(f: Activation, error: Vector, z: Vector) -> Vector:
    return times_slope(f, error, applied(f, z))


def times_z_times_one_minus_z(f: Activation, error: Vector, z: Vector) -> Vector:
    """The slip of the lessons: σ′ = a (1 − a), but with z in the place of a."""
    return [e * x * (1 - x) for e, x in zip(error, z)] if f.name == "sigmoid" else times_slope(f, error, z)


def times_diagonal(f: Activation, error: Vector, z: Vector) -> Vector:
    """Softmax taken for a function of each neuron alone."""
    return [e * a * (1 - a) for e, a in zip(error, f(z))] if isinstance(f, Softmax) else times_slope(f, error, z)


def transposed_if_square(rows: Matrix) -> Matrix:
    return list(zip(*rows)) if len(rows) == len(rows[0]) else rows


BUGS: dict[str, tuple[Recurrence, laws.Law]] = {
    "the sign is turned": (
        Recurrence(output_error=lambda loss, a, y: scaled(-1, loss.derivative(a, y))),
        laws.descends,
    ),
    "the factor 2 is forgotten": (
        Recurrence(output_error=lambda loss, a, y: scaled(0.5, loss.derivative(a, y))),
        laws.lies_within_the_error_of_richardson,
    ),
    "the loss is taken for sse": (
        Recurrence(output_error=lambda loss, a, y: sse.derivative(a, y)),
        laws.is_linear_in_the_loss,
    ),
    "the mean is taken twice": (
        Recurrence(output_error=lambda loss, a, y: scaled(1 / len(y), loss.derivative(a, y))),
        laws.sums_over_the_samples,
    ),
    "every reduction is a sum": (
        Recurrence(output_error=lambda loss, a, y: loss.reduced("sum").derivative(a, y)),
        laws.divides_by_what_the_reduction_says,
    ),
    "f′ is missing at the output": (
        Recurrence(output_delta=lambda f, error, z: error),
        laws.equals_the_complex_step,
    ),
    "f′ is missing at the hidden layers": (
        Recurrence(hidden_delta=lambda f, error, z: error),
        laws.equals_the_complex_step,
    ),
    "f′ is taken at a": (
        Recurrence(hidden_delta=times_slope_at_a),
        laws.equals_central_differences,
    ),
    "σ′ is z (1 − z)": (
        Recurrence(output_delta=times_z_times_one_minus_z, hidden_delta=times_z_times_one_minus_z),
        laws.equals_central_differences,
    ),
    "softmax has a diagonal Jacobian": (
        Recurrence(output_delta=times_diagonal, hidden_delta=times_diagonal),
        laws.equals_the_complex_step,
    ),
    "square weights are not transposed": (
        Recurrence(passing_weights=lambda weights, gradient: transposed_if_square(weights)),
        laws.permutes_with_the_hidden_neurons,
    ),
    "updated weights pass the error down": (
        Recurrence(passing_weights=moved),
        laws.is_linear_in_the_loss,
    ),
    "square gradients are transposed": (
        Recurrence(weight_gradient=lambda deltas, a, z: transposed_if_square(outer_products(deltas, a))),
        laws.permutes_with_the_hidden_neurons,
    ),
    "all gradients are transposed": (
        Recurrence(weight_gradient=lambda deltas, a, z: list(zip(*outer_products(deltas, a)))),
        laws.has_the_shapes_of_the_network,
    ),
    "the outer product takes z of the layer below": (
        Recurrence(weight_gradient=lambda deltas, a, z: outer_products(deltas, z)),
        laws.equals_the_complex_step,
    ),
    "only the last sample counts": (
        Recurrence(weight_gradient=lambda deltas, a, z: outer_products(deltas[-1:], a[-1:])),
        laws.ignores_the_order_of_the_samples,
    ),
    "biases take the mean": (
        Recurrence(bias_gradient=lambda deltas: [sum(column) / len(column) for column in zip(*deltas)]),
        laws.sums_over_the_samples,
    ),
    "biases take the first sample": (
        Recurrence(bias_gradient=lambda deltas: deltas[0]),
        laws.ignores_the_order_of_the_samples,
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_law_meant_for_it_rejects(bug: str) -> None:
    wrong, law = BUGS[bug]
    with pytest.raises(AssertionError):
        laws.hold(wrong, law, share=8, shrink=False)  # it ends at the first


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_without_a_bug_no_law_rejects(law: laws.Law) -> None:
    laws.hold(Recurrence(), law, share=0.4)


def test_no_law_is_without_a_bug_that_it_rejects() -> None:
    assert {law for _, law in BUGS.values()} == set(laws.LAWS)


def test_the_recurrence_in_loops_equals_backpropagation() -> None:
    def equals(recurrence: laws.Backpropagation, case: Exercise) -> None:
        laws.assert_close(recurrence(*case).parameters(), backpropagation(*case).parameters())

    laws.hold(Recurrence(), equals, cases())
