"""Duals: derivatives without backpropagation."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebp import Batch, Gradients, Layer, Network, backpropagation, evaluate
from purebp.number_systems.ball import ball
from purebp.number_systems.dual import DUAL, Dual, dual
from purebp.number_systems.rational import FRACTION
from purebp.textbook.activations import Elementwise, activation
from purebp.textbook.arithmetic import Arithmetic, Bounds, Function, N, PurebpError
from tests import laws
from tests.enclosures import BOUNDED, EXACT, holds, one_neuron
from tests.strategies import ACTIVATIONS, LOSSES, Exercise, cases

BALLS = ball()


def directions(case: Exercise, random: Random) -> list[list[float]]:
    """Along one parameter, and along all of them."""
    n = len(case.network.parameters())
    k = random.randrange(n)
    return [[float(i == k) for i in range(n)], [random.uniform(-1, 1) for _ in range(n)]]


def slopes_along(case: Exercise, v: Sequence[float]) -> Dual[float]:
    x = case.network.parameters()
    return evaluate(case.network.with_parameters(map(Dual, x, v)), case.batch, case.loss, DUAL)


def hold_duals(strategy: st.SearchStrategy[Exercise]) -> None:
    @settings(max_examples=15)
    @given(strategy, st.randoms(use_true_random=False))
    def run(case: Exercise, random: Random) -> None:
        g = backpropagation(*case).parameters()
        for v in directions(case, random):
            found = slopes_along(case, v)
            scale = 1 + sum(abs(a * b) for a, b in zip(g, v))
            laws.assert_close([found.value, found.slope], [case.value(), sum(a * b for a, b in zip(g, v))], scale=scale)

    run()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derivative_in_every_direction_is_the_gradient_times_it_for_every_activation(name: str) -> None:
    hold_duals(cases(with_activation=name))


@pytest.mark.parametrize("name", LOSSES)
def test_the_derivative_in_every_direction_is_the_gradient_times_it_for_every_loss(name: str) -> None:
    hold_duals(cases(losses_from=[name]))


@given(cases(), st.randoms(use_true_random=False))
def test_nested_duals_are_the_differences_of_gradients(case: Exercise, random: Random) -> None:
    """vᵀHw three ways: nested duals, duals through backpropagation, and (∇(x + hw) − ∇(x − hw)) / 2h."""
    x, (w, v) = case.network.parameters(), directions(case, random)
    nested = case.network.with_parameters(Dual(Dual(a, b), Dual(c, 0.0)) for a, b, c in zip(x, v, w))
    curvature = evaluate(nested, case.batch, case.loss, dual(DUAL)).slope.slope
    through: Gradients[Dual[float]] = backpropagation(
        case.network.with_parameters(map(Dual, x, w)), case.batch, case.loss, DUAL
    )
    products = [number.slope for number in through.parameters()]
    h = 2.0**-17
    moved = (case.network.with_parameters(a + s * b for a, b in zip(x, w)) for s in (h, -h))
    above, below = (backpropagation(network, case.batch, case.loss).parameters() for network in moved)
    scale = 1 + case.value() + max(map(abs, [*above, *products]))
    laws.assert_close(products, [(p - q) / (2 * h) for p, q in zip(above, below)], 1e-7, scale)
    laws.assert_close([curvature], [sum(a * b for a, b in zip(v, products))], 1e-10, scale * len(x))


def test_duals_over_fractions_and_decimals_are_as_exact_as_these() -> None:
    network, batch = one_neuron("identity", 0.5), Batch([[0.1]], [[0.7]])
    (exact,) = backpropagation(network, batch, "sse", FRACTION).parameters()
    assert slope_over(FRACTION, batch) == exact
    assert abs(Fraction(slope_over(EXACT, batch)) - exact) < Fraction(10) ** -190


def slope_over(on: Arithmetic[N], batch: Batch) -> N:
    system = dual(on)
    moving = Network([Layer([[Dual(on.ratio(1, 2), on.ratio(1, 1))]], None, "identity")])
    lifted = Batch(system.lift(batch.inputs), system.lift(batch.targets))
    return evaluate(moving, lifted, "sse", system).slope


@pytest.mark.parametrize("function", [f for f in BOUNDED.values() if f.derivative], ids=lambda f: f.name)
@given(st.floats(-6, 6).filter(lambda x: all(abs(x - kink) > 1e-3 for kink in (-0.5, 0.0, 0.5))))
@settings(max_examples=20)
def test_the_derivative_of_a_function_is_the_slope_of_its_formula(function: Function, x: float) -> None:
    """Of f, and of f′: by two hundred digits, from the formula alone, and over balls from the row of the derivative."""
    assert function.derivative is not None
    on = dual(EXACT)
    slope = function.formula(Dual(EXACT.number(x), EXACT.one), on).slope
    assert abs(slope - function.derivative.formula(EXACT.number(x), EXACT)) < Decimal(10) ** -150
    over = dual(BALLS)
    ((found,),) = over.elementwise(function, [[Dual(BALLS.number(x), BALLS.one)]])
    assert holds(found.slope, Fraction(slope), Fraction(1, 10**100)) and found.slope.radius < 1e-30


@pytest.mark.parametrize("name", ["tanh", "gelu", "normal_cdf", "normal_pdf"])
def test_formulas_of_ones_own_run_over_duals_of_balls(name: str) -> None:
    row = activation(name) if name in ("tanh", "gelu") else None
    formula: Any = row.value.formula if isinstance(row, Elementwise) else lambda x, on: getattr(on, name)(x)
    found = formula(Dual(BALLS.number(0.75), BALLS.one), dual(BALLS))
    exact = formula(Dual(EXACT.number(0.75), EXACT.one), dual(EXACT))
    for ball_of, number in ((found.value, exact.value), (found.slope, exact.slope)):
        assert holds(ball_of, Fraction(number), Fraction(1, 10**100)) and ball_of.radius < 1e-30


def test_a_formula_that_bends_is_refused_over_balls_without_a_row_of_its_derivative() -> None:
    """It would take one side of its kink."""
    bent = Function("bent", lambda z, on: z if on.less(0, z) else z / 2, Bounds(kinks=((0.0, 0.0, 0.0),)))
    for function in (bent, Function("unknown", bent.formula)):
        with pytest.raises(
            PurebpError, match=f"nothing is known about the derivative of {function.name}: give its Function"
        ):
            dual(BALLS).elementwise(function, [[Dual(BALLS.zero, BALLS.one)]])
        assert dual(EXACT).elementwise(function, [[Dual(EXACT.one, EXACT.one)]]) == [[Dual(EXACT.one, EXACT.one)]]
