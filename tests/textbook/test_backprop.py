"""The equations one by one: what each is by itself, and that the recurrence is their composition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT, Batch, Layer, Network, PurebpError, backpropagation, forward, hadamard, inner, loss
from purebp.number_systems.rational import FRACTION
from purebp.textbook.arithmetic import Matrix
from purebp.textbook.backprop import (
    bias_gradients,
    deltas_of,
    error_below,
    frozen,
    output_deltas,
    output_error,
    weight_gradients,
)
from purebp.textbook.network import lifted
from tests.strategies import Exercise, Rows, cases, matrices


def frobenius(a: Matrix, b: Matrix) -> float:
    """⟨A, B⟩ = Σ Aᵢⱼ Bᵢⱼ."""
    return sum(sum(row) for row in hadamard(a, b))


@st.composite
def layers(draw: st.DrawFn) -> tuple[Rows, Rows, Rows]:
    """δ, samples × n_out; W, n_out × n_in; a, samples × n_in."""
    samples, n_out, n_in = (draw(st.integers(1, 5)) for _ in range(3))
    return draw(matrices(samples, n_out)), draw(matrices(n_out, n_in)), draw(matrices(samples, n_in))


@given(layers())
def test_the_error_below_is_the_adjoint_of_the_layer(given_: tuple[Rows, Rows, Rows]) -> None:
    """⟨δ W, a⟩ = ⟨δ, a Wᵀ⟩: what goes up through W comes back through W."""
    deltas, weights, a = given_
    assert frobenius(error_below(deltas, weights), a) == frobenius(deltas, inner(a, weights))


@given(layers())
def test_the_gradient_of_the_weights_is_the_adjoint_in_the_weights(given_: tuple[Rows, Rows, Rows]) -> None:
    """⟨δᵀ a, W⟩ = ⟨δ, a Wᵀ⟩: z is linear in W, too."""
    deltas, weights, a = given_
    assert frobenius(weight_gradients(deltas, a), weights) == frobenius(deltas, inner(a, weights))


@given(layers())
def test_a_bias_is_the_weight_of_an_input_of_one(given_: tuple[Rows, Rows, Rows]) -> None:
    deltas, _, _ = given_
    assert [[g] for g in bias_gradients(deltas)] == weight_gradients(deltas, [[1.0]] * len(deltas))


@given(cases())
def test_the_recurrence_is_the_equations_one_after_the_other(case: Exercise) -> None:
    """To the last bit."""
    network, batch, of = case
    trace, expected = forward(network, batch.inputs), backpropagation(network, batch, of)
    deltas: Matrix = []
    for l in reversed(range(len(network.layers))):
        f, z, a = network.layers[l].activation, trace.pre_activations[l], trace.activations[l]
        if l == len(network.layers) - 1:
            deltas = output_deltas(of, f, z, a, batch.targets)
        else:
            deltas = deltas_of(error_below(deltas, network.layers[l + 1].weights), f, z, a)
        found = expected.layers[l]
        assert frozen(deltas) == found.deltas
        assert frozen(weight_gradients(deltas, trace.activations[l - 1] if l else trace.inputs)) == found.weights
        assert found.biases is None or tuple(bias_gradients(deltas)) == found.biases


@given(cases(losses_from=["sse", "mse", "mae", "huber(0.5)"]))
def test_without_a_closed_form_the_deltas_come_from_the_error(case: Exercise) -> None:
    network, batch, of = case
    trace, f = forward(network, batch.inputs), network.layers[-1].activation
    z, a = trace.pre_activations[-1], trace.outputs
    error = output_error(of, a, batch.targets)
    assert error == of.derivative(a, batch.targets)
    assert output_deltas(of, f, z, a, batch.targets) == deltas_of(error, f, z, a)


@given(cases(activations=["relu", "identity"], losses_from=["sse"]))
def test_every_parameter_is_lifted_once(case: Exercise) -> None:
    entries: list[float | Fraction] = []

    def lift(rows: Matrix[float | Fraction]) -> Matrix[Fraction]:
        entries.extend(x for row in rows for x in row)
        return FRACTION.lift(rows)

    found = backpropagation(*case, replace(FRACTION, lift=lift))
    batch = [x for row in (*case.batch.inputs, *case.batch.targets) for x in row]
    assert sorted(entries) == sorted([*case.network.parameters(), *batch])
    assert found == backpropagation(*case, FRACTION)


def test_what_an_arithmetic_makes_of_a_number_is_not_validated_again() -> None:
    """A real number of another library, which would become a float where it comes in."""

    class Real(Fraction):
        __slots__ = ()

    network = Network([Layer([[0.5]], [1.0], "identity")])
    own = replace(FRACTION, lift=lambda rows: [[Real(x) for x in row] for row in rows])
    assert {type(x) for x in lifted(network, own).parameters()} == {Real}
    assert lifted(network, FLOAT) == network


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: error_below([[1.0, 2.0]], [[1.0]]), r"inner of \(1, 2\) and \(1, 1\)"),
        (lambda: weight_gradients([[1.0]], [[1.0], [2.0]]), r"inner of \(1, 1\) and \(1, 2\)"),
        (lambda: output_error(loss("mse"), [[1.0]], [[1.0, 2.0]]), r"outputs are \(1, 1\), targets \(1, 2\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_shapes(call: Callable[[], object], message: str) -> None:
    with pytest.raises(PurebpError, match=message):
        call()


def test_backpropagation_changes_nothing_that_it_is_given() -> None:
    network, batch = Network.random([2, 3, 1], seed=1), Batch([[0.5, 1.0]], [[1.0]])
    before = network.parameters(), batch
    backpropagation(network, batch)
    assert (network.parameters(), batch) == before
