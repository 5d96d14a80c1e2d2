"""Certified gradients of programs: correctly rounded, of vectors too, and of second order."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import Batch, Network
from purebp.oracle import certified_backward, certified_gradients, certified_hessian_product
from purebp.programs import exp, tanh
from purebp.textbook.arithmetic import PurebpError
from tests.programs.random_programs import program


def test_every_entry_is_the_nearest_double() -> None:
    found = certified_backward(lambda x, y: x * y / 3, {"x": 0.1, "y": 0.7})
    assert found["x"].value == float(Fraction(0.7) / 3) and found["x"].rounded
    assert found["y"].value == float(Fraction(0.1) / 3)


@given(st.integers(0, 10**6))
def test_of_rational_programs_it_is_that_of_fractions(seed: int) -> None:
    from purebp.number_systems.rational import FRACTION
    from purebp.programs import trace
    from purebp.programs.sweeps import gradients, values

    x, run = [Random(seed).randint(-8, 8) / 8 for _ in range(3)], program(seed, 25, rational=True)
    traced = trace(run, {"x": x})
    (out,) = traced.outputs[""].indices
    exact = gradients(traced.tape, values(traced.tape, FRACTION), {out: FRACTION.one}, FRACTION)
    for entry, index in zip(certified_backward(run, {"x": x})["x"], traced.inputs["x"].indices):
        assert entry.rounded and entry.value == float(exact[index] or 0)


def test_it_is_that_of_the_layers() -> None:
    network, batch = Network.random([2, 2, 1], "tanh", seed=2), Batch([[0.5, -1.0], [1.5, 0.25]], [[0.25], [1.0]])

    def loss(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        total = 0.0
        for x, (y,) in zip(batch.inputs, batch.targets):
            h = [tanh(sum(w * v for w, v in zip(row, x)) + b) for row, b in zip(w1, b1)]
            o = tanh(sum(w * v for w, v in zip(w2[0], h)) + b2[0])
            total = total + (o - y) * (o - y) / 2
        return total

    first, second = network.layers
    inputs: dict[str, Any] = {"w1": first.weights, "b1": first.biases, "w2": second.weights, "b2": second.biases}
    found = certified_backward(loss, inputs)
    expected = certified_gradients(network, batch, "half_sse").layers
    assert [[e.value for e in row] for row in found["w1"]] == [[e.value for e in row] for row in expected[0].weights]
    assert [e.value for e in found["b2"]] == [e.value for e in expected[1].biases or ()]


def test_an_upstream_gradient_is_multiplied_in() -> None:
    found = certified_backward(lambda x: [2 * v for v in x], {"x": [1.0, 2.0]}, [10.0, 0.5])
    assert [entry.value for entry in found["x"]] == [20.0, 1.0]
    parts = certified_backward(lambda x: {"a": x, "b": x * x}, {"x": 3.0}, {"b": 2.0})
    assert parts["x"].value == 12.0
    assert certified_backward(lambda x: (x, x * x), {"x": 3.0}, (1.0, 2.0))["x"].value == 13.0


@pytest.mark.parametrize("upstream", [None, [1.0], {"z": 1.0}])
def test_an_upstream_gradient_of_another_shape(upstream: Any) -> None:
    with pytest.raises(PurebpError, match="upstream"):
        certified_backward(lambda x: [2 * v for v in x], {"x": [1.0, 2.0]}, upstream)


def test_second_order() -> None:
    hv = certified_hessian_product(lambda x, y: exp(x) * y * y, {"x": 0.5, "y": 3.0}, {"x": 1.0, "y": 0.5})
    assert hv["x"].value == pytest.approx(math.exp(0.5) * 9 + math.exp(0.5) * 6 * 0.5, rel=1e-15)
    assert hv["y"].value == pytest.approx(math.exp(0.5) * 6 + math.exp(0.5) * 2 * 0.5, rel=1e-15)
    assert hv["x"].rounded and hv["y"].rounded


@given(st.integers(0, 10**5))
def test_second_order_is_the_difference_of_first_orders(seed: int) -> None:
    x, run, h = [Random(seed).uniform(-1, 1) for _ in range(3)], program(seed, 15), 1e-6
    direction = [1.0, -0.5, 0.25]
    product = certified_hessian_product(run, {"x": x}, {"x": direction})["x"]
    up, down = (certified_backward(run, {"x": [v + s * h * d for v, d in zip(x, direction)]})["x"] for s in (1, -1))
    for entry, a, b in zip(product, up, down):
        assert entry.value == pytest.approx((a.value - b.value) / (2 * h), rel=1e-4, abs=1e-5)


def test_second_order_of_what_is_no_number() -> None:
    with pytest.raises(PurebpError, match="one number"):
        certified_hessian_product(lambda x: [x, x], {"x": 1.0}, {"x": 1.0})
    with pytest.raises(PurebpError, match="no real input"):
        certified_hessian_product(lambda x: x * x, {"x": 1.0}, {"z": 1.0})
    zero = certified_hessian_product(lambda x, y: x * x + y, {"x": 1.0, "y": 2.0}, {"x": 1.0})
    assert (zero["x"].value, zero["y"].value) == (2.0, 0.0)
