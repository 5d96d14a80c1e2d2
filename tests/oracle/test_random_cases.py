"""Cases at random: of every kind, as large as is wanted, and the same for the same seed."""

from __future__ import annotations

from typing import Any

import pytest

from purebp.number_systems.formats import BFLOAT16, BINARY16, Format, is_exact, stored_once
from purebp.oracle.cases import ladder, wanted
from purebp.oracle.random_cases import another, independent, kinds


@pytest.mark.parametrize("names", ["softmax", ("relu", "tanh")])
def test_another_case_of_every_kind_has_the_widths_that_are_given(names: Any) -> None:
    chosen = wanted(names)
    found = [another(chosen, k, [1, 4, 1, 3, 2, 2, 2, 2, 2, 1], 5).name for k in range(kinds(chosen))]
    assert found == [case.name for case in ladder(names)]
    for k in range(kinds(chosen)):
        case = another(chosen, k, [40] * 10, 40, seed=k)
        assert case == another(chosen, k, [40] * 10, 40, seed=k) != another(chosen, k, [40] * 10, 40, seed=k + 1)
        assert set(case.sizes) == {40} and 1 <= case.samples <= 40
        assert case.samples * len(case.network.parameters()) < 60_000


def test_what_is_fixed_stays_so_and_a_distribution_has_two_outputs() -> None:
    fixed = another(wanted(["tanh", "relu"], sizes=(2, 2, 3), batch=2), 3, [9] * 10, 9)
    assert (fixed.sizes, fixed.samples) == ((2, 2, 3), 2)
    assert another(wanted("softmax"), 0, [1] * 10, 1).sizes == (1, 1, 2)
    assert another(wanted(["tanh", "softmax"]), 0, [1, 5, 1], 1).sizes == (1, 5, 2)


@pytest.mark.parametrize("format", [BFLOAT16, BINARY16, stored_once(BFLOAT16)], ids=str)
def test_independent_cases_are_of_one_sample_with_the_digits_of_the_format(format: Format) -> None:
    cases = list(independent(wanted(["tanh"], format=format), 30))
    numbers = {x for case in cases for x in (*case.network.parameters(), *case.batch.inputs[0])}
    assert all(is_exact(x, format.of_numbers) for x in numbers) and {case.samples for case in cases} == {1}
    assert len(numbers) > 100 and not any(case.long for case in cases)
    assert cases == list(independent(wanted(["tanh"], format=format), 30))
    assert cases[0] != next(independent(wanted(["tanh"], format=format), 1, seed=1))
