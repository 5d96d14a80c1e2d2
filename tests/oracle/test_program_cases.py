"""The cases on which a backward function is asked, and the balls in which right answers lie."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from purebp.number_systems.ball import Rules
from purebp.number_systems.formats import BINARY32, BINARY64, is_exact
from purebp.number_systems.traced import CannotTrace
from purebp.oracle.program_cases import as_balls, as_rows, cases, key_of, name_of_key, program_budgets
from purebp.programs.budget import Bar
from purebp.programs.drawing import specified
from purebp.programs.tracing import Part, entries


def scaled(x: Any, w: Any) -> Any:
    return [w * v for v in x]


def test_sizes_vary_and_letters_hold_together() -> None:
    found = list(cases(lambda x, y: [a * b for a, b in zip(x, y)], specified("x: n, y: n"), BINARY64))
    lengths = {(len(case.inputs["x"]), len(case.inputs["y"])) for case in found}
    assert len(found) >= 6 and len(lengths) >= 4 and all(a == b for a, b in lengths)
    assert [case.name for case in found] == list(dict.fromkeys(case.name for case in found))


def test_numbers_are_those_of_the_format() -> None:
    for case in cases(scaled, specified("x: n, w:"), BINARY32):
        numbers = [*case.inputs["x"], case.inputs["w"], *entries(next(iter(case.upstream.values())))[0]]
        assert all(is_exact(x, BINARY32) for x in numbers)


def test_a_comparison_that_rounding_decides_is_drawn_again_or_refused() -> None:
    with pytest.raises(CannotTrace, match="decided by rounding"):
        list(cases(lambda x: x if x > x * 1.0 else -x, specified("x:"), BINARY64))


def test_sizes_that_are_refused_are_left_out() -> None:
    def halves(x: Any) -> Any:
        if len(x) % 2:
            raise ValueError("an even number is wanted")
        return [a * b for a, b in zip(x[::2], x[1::2])]

    found = list(cases(halves, specified("x: n"), BINARY64))
    assert found and all(len(case.inputs["x"]) % 2 == 0 for case in found)
    with pytest.raises(CannotTrace, match="an even number is wanted"):
        list(cases(halves, specified("x: 3"), BINARY64))


def test_what_overflows_is_refused() -> None:
    with pytest.raises(CannotTrace, match="OverflowError|overflows"):
        list(cases(lambda x: (x * x * 1e12).exp(), specified("x: "), BINARY64))


def test_balls_hold_the_value_and_the_radius() -> None:
    from decimal import Decimal

    rules = Rules(BINARY64, 38)
    ((ball,),) = as_balls(Part((), (0,)), [Bar(Decimal("0.1"), 1e-17)], rules, 2.0**-53)
    assert abs(Fraction(ball.mantissa) * Fraction(2) ** ball.exponent - Fraction(1, 10)) < Fraction(1, 10**30)
    assert 1e-17 < ball.radius < 1e-17 + 0.2 * 2.0**-53
    ((nothing,),) = as_balls(Part((), (0,)), [None], rules, 2.0**-53)
    assert (nothing.mantissa, nothing.spread) == (0, 0)
    ((open_,),) = as_balls(Part((), (0,)), [Bar(Decimal(1), float("inf"))], rules, 2.0**-53)
    assert open_.spread is None


def test_rows_and_keys() -> None:
    assert as_rows([1, 2, 3, 4, 5, 6], (1, 3, 2)) == [[1, 2], [3, 4], [5, 6]] and as_rows([1], ()) == [[1]]
    case = next(iter(cases(scaled, specified("x: n, w:"), BINARY64)))
    budgets = program_budgets(case, BINARY64, {key_of("w"): [[0.0]]})
    assert list(map(name_of_key, budgets)) == ["w"]
    assert case.sizes == (3, 2) and (case.samples, case.outputs) == (1, 1)
