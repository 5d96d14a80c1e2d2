"""Budgets hold whatever a right arrangement may be off by, and see what is not right."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp.number_systems.ball import ball
from purebp.number_systems.formats import BINARY32, BINARY64
from purebp.number_systems.traced import Tape
from purebp.programs import trace
from purebp.programs.budget import budgets
from purebp.programs.sweeps import gradients, values
from purebp.textbook.arithmetic import FLOAT
from tests.programs.random_programs import program

seeds = st.integers(0, 10**6)


@given(seeds, st.integers(1, 80), st.sampled_from([BINARY64, BINARY32]))
def test_a_sweep_in_floats_lies_inside(seed: int, operations: int, format: object) -> None:
    """Of random programs; what is computed in doubles lies in the budgets of binary32 as well."""
    unit = format.storage  # type: ignore[attr-defined]
    x = [Random(seed).uniform(-1, 1) for _ in range(3)]
    traced = trace(program(seed, operations), {"x": x})
    (out,) = traced.outputs[""].indices
    near = gradients(traced.tape, traced.tape.values, {out: 1.0}, FLOAT)
    bars = budgets(traced.tape, {out: 1.0}, unit)
    for index in traced.inputs["x"].indices:
        bar = bars[index]
        assert (bar is None) == (near[index] is None)
        if bar is not None and bar.value.is_finite():
            assert abs(Fraction(near[index]) - Fraction(bar.value)) <= Fraction(bar.radius)


@given(seeds, st.integers(1, 60))
def test_the_values_are_those_of_balls(seed: int, operations: int) -> None:
    x = [Random(seed).uniform(-1, 1) for _ in range(3)]
    traced = trace(program(seed, operations), {"x": x})
    (out,) = traced.outputs[""].indices
    balls = ball(None)
    exact = gradients(traced.tape, values(traced.tape, balls), {out: balls.one}, balls)
    for index, bar in enumerate(budgets(traced.tape, {out: 1.0}, 2.0**-53)):
        if bar is not None and traced.tape.steps[index].kind == "input":
            assert float(bar.value) == pytest.approx(float(exact[index].midpoint), rel=1e-15, abs=1e-30)


@given(st.lists(st.floats(-100, 100).filter(lambda v: abs(v) > 1e-3), min_size=2, max_size=40), st.randoms())
def test_sums_in_any_order_and_tree_lie_inside(terms: list[float], random: Random) -> None:
    """Σ x w by w: the terms added one by one, in pairs, from the end; also where they cancel."""
    tape = Tape()
    w = tape.input(0.7)
    total = sum(w * x for x in terms)
    (bar,) = (b for i, b in enumerate(budgets(tape, {total.index: 1.0}, 2.0**-53)) if tape.steps[i].kind == "input")
    assert bar is not None
    shuffled = list(terms)
    random.shuffle(shuffled)
    while len(shuffled) > 1:  # a random tree
        i = random.randrange(len(shuffled) - 1)
        shuffled[i : i + 2] = [shuffled[i] + shuffled[i + 1]]
    for found in (sum(terms), sum(reversed(terms)), shuffled[0]):
        assert abs(Fraction(found) - Fraction(bar.value)) <= Fraction(bar.radius)


def test_a_wrong_digit_lies_outside_and_the_second_tier_is_wider() -> None:
    tape = Tape()
    x = tape.input(3.0)
    y = (x - 1000).square() / 7
    narrow, wide = (budgets(tape, {y.index: 1.0}, 2.0**-53, expanded)[x.index] for expanded in (False, True))
    assert narrow is not None and wide is not None and narrow.value == wide.value
    assert 0 < narrow.radius <= wide.radius < abs(float(narrow.value)) * 1e-12


def test_what_has_no_bound_is_infinite() -> None:
    tape = Tape()
    x = tape.input(1.0)
    y = 1 / (x * 1e-300 - 1e-300 * (1 + 2.0**-52))
    bar = budgets(tape, {y.index: 1.0}, 2.0**-24)[x.index]
    assert bar is not None and not bar.radius < abs(float(bar.value))
