"""Fractions: exact, and what decimals and balls are held against."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given

from purebp import Batch, PurebpError, backpropagation
from purebp.number_systems.ball import Ball, ball
from purebp.number_systems.rational import FRACTION
from tests.enclosures import EXACT, RATIONAL, SQUARES, gradients, holds, one_neuron
from tests.strategies import Exercise, cases


def all_three(case: Exercise, digits: int = 38) -> tuple[list[Fraction], list[Decimal], list[Ball]]:
    return gradients(case, FRACTION), gradients(case, EXACT), gradients(case, ball(None, digits))


@given(cases(activations=RATIONAL, losses_from=SQUARES))
def test_fractions_decimals_and_balls_agree(case: Exercise) -> None:
    for exact, number, x in zip(*all_three(case), strict=True):
        assert abs(Fraction(number) - exact) <= Fraction(10) ** -190 * max(Fraction(1), abs(exact))
        assert abs(Fraction(x.midpoint) - exact) <= Fraction(10) ** -36 * max(Fraction(1), abs(exact))
        assert holds(x, exact)


@given(cases(activations=RATIONAL, losses_from=["sse", "half_sse"]))
def test_without_a_division_all_three_are_exact(case: Exercise) -> None:
    summed = case._replace(loss=case.loss.reduced("sum"))
    for exact, number, x in zip(*all_three(summed, digits=100), strict=True):
        assert Fraction(number) == exact == Fraction(x.midpoint)
        assert x.radius == 0


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "elu(1.0)", "silu", "gelu", "softmax"])
def test_fractions_refuse_what_is_irrational_and_say_what_to_do(name: str) -> None:
    with pytest.raises(PurebpError, match=r"of a fraction is irrational.*decimal\(digits\)"):
        backpropagation(one_neuron(name, -1.0), Batch([[1.0]], [[0.0]]), "sse", FRACTION)
