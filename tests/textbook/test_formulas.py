"""The formulas: each is the derivative of the one before, by two hundred digits; and they overflow for no float."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT
from purebp.number_systems.dual import Dual, dual
from purebp.textbook import formulas
from purebp.textbook.arithmetic import Formula
from tests.enclosures import EXACT

CHAINS: dict[str, tuple[Formula, ...]] = {
    "sigmoid": (formulas.sigmoid, formulas.sigmoid_derivative, formulas.sigmoid_second, formulas.sigmoid_third),
    "tanh": (lambda z, arithmetic: arithmetic.tanh(z), formulas.tanh_derivative, formulas.tanh_second),
    "softplus": (formulas.softplus, formulas.sigmoid),
    "silu": (formulas.silu_derivative, formulas.silu_second, formulas.silu_third),
    "gelu": (formulas.gelu_derivative, formulas.gelu_second, formulas.gelu_third),
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
@given(st.floats(-30, 30))
def test_each_is_the_derivative_of_the_one_before(chain: tuple[Formula, ...], z: float) -> None:
    for f, following in zip(chain, chain[1:]):
        slope = f(Dual(EXACT.number(z), EXACT.one), dual(EXACT)).slope
        assert abs(slope - following(EXACT.number(z), EXACT)) < Decimal(10) ** -150


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
@given(st.floats(-1e100, 1e100))
def test_they_are_finite(chain: tuple[Formula, ...], z: float) -> None:
    assert all(abs(f(z, FLOAT)) <= max(1.0, abs(z)) * 1.4 for f in chain)


def test_intermediate_results_reach_one_or_more() -> None:
    assert (formulas.reaching(2.0)(7.0), formulas.reaching_z(0.5), formulas.reaching_z(3.0)) == (2.0, 1.0, 3.0)


def test_one_side_is_scaled() -> None:
    f = formulas.one_sided(0.5, formulas.one, lambda z, arithmetic: z)
    assert (f(2.0, FLOAT), f(-2.0, FLOAT), f(0.0, FLOAT), formulas.zero(3.0, FLOAT)) == (1.0, -1.0, 0.0, 0.0)
