"""Finite differences, Richardson extrapolation and the complex step, on functions whose derivatives are known."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import (
    Batch,
    Layer,
    Network,
    PurebpError,
    activation,
    central_differences,
    complex_step,
    numerical_gradients,
    richardson,
)
from purebp.textbook.activations import Elementwise
from purebp.textbook.differences import COMPLEX
from tests import laws
from tests.laws import assert_close, deltas
from tests.strategies import ACTIVATIONS

KNOWN: dict[str, tuple[Callable[[float], float], Callable[[complex], complex], Callable[[float], float]]] = {
    "sin": (math.sin, cmath.sin, math.cos),
    "exp": (math.exp, cmath.exp, math.exp),
    "cube": (lambda x: x**3, lambda x: x**3, lambda x: 3 * x * x),
    "constant": (lambda x: 5.0, lambda x: 5.0 + 0j, lambda x: 0.0),
    "line": (lambda x: 3 * x - 1, lambda x: 3 * x - 1, lambda x: 3.0),
}


@pytest.mark.parametrize("name", KNOWN)
@given(x=st.floats(-3, 3))
def test_known_derivatives_are_found(name: str, x: float) -> None:
    f, analytic, derivative = KNOWN[name]
    expected, scale = derivative(x), 1 + abs(f(x))
    assert complex_step(lambda v: analytic(v[0]), [x]) == pytest.approx([expected], rel=1e-14, abs=1e-14)
    assert central_differences(lambda v: f(v[0]), [x]) == pytest.approx([expected], abs=1e-9 * scale)
    (estimate,) = richardson(lambda v: f(v[0]), [x])
    assert abs(estimate.value - expected) <= 2 * estimate.error + 1e-15 * scale
    assert estimate.error <= 1e-11 * scale


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=5))
def test_every_entry_has_its_own_derivative(x: list[float]) -> None:
    """f = Σ k xₖ²; the given list is not changed, and f never sees it."""
    before = list(x)

    def f(v: Sequence[float]) -> float:
        assert v is not x
        return sum(k * vk * vk for k, vk in enumerate(v))

    expected = [2 * k * xk for k, xk in enumerate(x)]
    scale = 1 + f(list(x))
    assert central_differences(f, x) == pytest.approx(expected, abs=1e-9 * scale)
    assert [estimate.value for estimate in richardson(f, x)] == pytest.approx(expected, abs=1e-11 * scale)
    assert complex_step(f, x) == pytest.approx(expected)
    assert x == before


def test_central_differences_are_exact_on_parabolas_but_for_rounding() -> None:
    assert central_differences(lambda v: v[0] * v[0], [0.0]) == [0.0]


def test_richardson_needs_no_more_than_it_says() -> None:
    """Two values for every level."""
    calls: list[float] = []

    def f(v: Sequence[float]) -> float:
        calls.append(v[0])
        return math.exp(v[0])

    richardson(f, [1.0], levels=4)
    assert sorted(calls) == sorted(1 + side / 2**level for level in (4, 5, 6, 7) for side in (-1, 1))


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "softmax"])
@given(z=st.floats(-20, 20).filter(lambda z: abs(z) > 1e-3))
def test_over_complex_numbers_every_activation_carries_its_derivative(name: str, z: float) -> None:
    f = activation(name)
    assert isinstance(f, Elementwise)
    assert f(complex(z), COMPLEX).real == pytest.approx(f(z), rel=1e-12, abs=1e-15)
    assert f.derivative.bounds is not None
    for function, slope in ((f.value, f.derivative), (f.derivative, f.derivative.bounds.slope)):
        if slope is not None:
            (found,) = complex_step(lambda v: function(v[0], COMPLEX), [z])
            assert found == pytest.approx(complex(slope(complex(z), COMPLEX)).real, rel=1e-9, abs=1e-13)


def test_numerical_gradients_have_the_shapes_of_the_network() -> None:
    laws.hold(partial(numerical_gradients, method="complex"), laws.has_the_shapes_of_the_network, share=0.4)


def test_the_three_methods_agree_on_a_smooth_network() -> None:
    network, batch = (
        Network.random([2, 3, 2], ["tanh", "softmax"], seed=1),
        Batch([[0.5, -1.0], [1.0, 2.0]], [[0.0, 1.0], [1.0, 0.0]]),
    )
    exact = numerical_gradients(network, batch, "cross_entropy", "complex")
    for method, tolerance in (("central", 1e-9), ("richardson", 1e-12)):
        found = numerical_gradients(network, batch, "cross_entropy", method)
        assert_close(found.parameters(), exact.parameters(), tolerance)
        assert_close(deltas(found), deltas(exact), tolerance)


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PurebpError, match="unknown method 'forward'; known are central, richardson, complex"):
        numerical_gradients(Network([Layer([[1.0]], None, "relu")]), Batch([[1.0]], [[1.0]]), method="forward")


def test_a_complex_number_is_compared_by_its_real_part() -> None:
    """At 0 relu takes its branch z, as dual numbers do."""
    network, batch = Network([Layer([[0.0]], None, "relu")]), Batch([[1.0]], [[-1.0]])
    (layer,) = numerical_gradients(network, batch, "half_sse", "complex").layers
    assert layer.weights == ((1.0,),)


def test_one_level_cannot_be_compared() -> None:
    with pytest.raises(PurebpError, match="1 levels: at least 2 are wanted"):
        richardson(lambda x: x[0], [1.0], levels=1)
