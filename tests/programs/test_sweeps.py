"""The gradient along a tape is that of dual numbers, of differences, and over fractions the exact one."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT, Batch, Layer, Network, backpropagation
from purebp.number_systems.ball import ball
from purebp.number_systems.rational import FRACTION
from purebp.number_systems.traced import Tape, traced
from purebp.programs import trace
from purebp.programs.sweeps import gradients, values
from tests.programs.random_programs import program

seeds = st.integers(0, 10**6)


def swept(run: object, x: list[float]) -> tuple[float, list[float]]:
    """The value, and the gradient by each number of x."""
    traced_ = trace(run, {"x": x})  # type: ignore[arg-type]
    found = values(traced_.tape, FLOAT)
    (out,) = traced_.outputs[""].indices
    bars = gradients(traced_.tape, found, {out: 1.0}, FLOAT)
    return found[out], [bars[i] or 0.0 for i in traced_.inputs["x"].indices]


@given(seeds, st.integers(1, 60))
def test_the_value_is_that_of_the_program_bit_by_bit(seed: int, operations: int) -> None:
    x = [Random(seed).uniform(-1, 1) for _ in range(3)]
    run = program(seed, operations)
    assert swept(run, x)[0] == run(x)


@given(seeds, st.integers(1, 60))
def test_the_gradient_is_that_of_differences(seed: int, operations: int) -> None:
    x = [Random(seed).uniform(-1, 1) for _ in range(3)]
    run = program(seed, operations)
    _, gradient = swept(run, x)
    for i, g in enumerate(gradient):
        h = 1e-5
        up, down = ([v + s * h * (i == j) for j, v in enumerate(x)] for s in (1, -1))
        assert g == pytest.approx((run(up) - run(down)) / (2 * h), rel=1e-4, abs=1e-6)


@given(seeds, st.integers(1, 40))
def test_over_fractions_it_is_exact(seed: int, operations: int) -> None:
    """p(x + h) − p(x − h) over 2 h, at an h so small that what is left is beyond 60 digits."""
    x = [Fraction(Random(seed).randint(-8, 8), 8) for _ in range(3)]
    run = program(seed, operations, rational=True)
    program_ = trace(run, {"x": list(map(float, x))})
    (out,) = program_.outputs[""].indices
    bars = gradients(program_.tape, values(program_.tape, FRACTION), {out: FRACTION.one}, FRACTION)
    h = Fraction(1, 10**40)
    for i, index in enumerate(program_.inputs["x"].indices):
        up, down = ([v + s * h * (i == j) for j, v in enumerate(x)] for s in (1, -1))
        difference = (run(up) - run(down)) / (2 * h)
        assert abs((bars[index] or 0) - difference) <= Fraction(1, 10**60) * max(1, abs(difference))


def test_the_recurrence_of_the_layers_is_traced_and_differentiated_as_it_is() -> None:
    """The textbook's forward pass and loss over traced numbers: the gradient of that program is backpropagation."""
    from purebp import evaluate

    network, batch = Network.random([2, 3, 2], "tanh", seed=3), Batch([[0.5, -1.0]], [[0.25, 1.0]])
    tape = Tape()
    numbers = [tape.input(w) for w in network.parameters()]
    cost = evaluate(network.with_parameters(numbers), batch, "mse", traced(tape))
    bars = gradients(tape, tape.values, {cost.index: 1.0}, FLOAT)
    expected = backpropagation(network, batch, "mse").parameters()
    assert [bars[x.index] for x in numbers] == pytest.approx(expected, rel=1e-14)
    assert isinstance(network.layers[0], Layer)


@given(seeds)
def test_a_ball_holds_the_value_and_the_gradient(seed: int) -> None:
    x = [Random(seed).uniform(-1, 1) for _ in range(3)]
    program_ = trace(program(seed, 30), {"x": x})
    (out,) = program_.outputs[""].indices
    balls, floats = ball(None), FLOAT
    tape = program_.tape
    wide = gradients(tape, values(tape, balls), {out: balls.one}, balls)
    near = gradients(tape, values(tape, floats), {out: 1.0}, floats)
    for index in program_.inputs["x"].indices:
        if near[index]:
            assert float(wide[index].midpoint) == pytest.approx(near[index], rel=1e-9, abs=1e-12)
