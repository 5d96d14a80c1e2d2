"""What is said of a wrong gradient that no mistake explains: where it is wrong, and what it looks like."""

from __future__ import annotations

from math import inf, pi

import pytest

from purebp.number_systems.ball import ball
from purebp.number_systems.formats import format_named
from purebp.oracle.explaining.localisation import pattern, stored

RIGHT = [[1.0, -2.0], [0.5, 4.0]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[1.0, inf], [0.5, 4.0]], "holds ∞: something overflows, or is divided by 0"),
        ([[0.0, 0.0], [0.0, 0.0]], "is 0 throughout"),
        ([[1.0, 0.5], [-2.0, 4.0]], "holds the right numbers in the wrong places"),
        ([[1.0, 2.0], [0.5, -4.0]], "is right but for signs"),
        ([[3.0, -6.0], [1.5, 12.0]], "is 3 times what it should be"),
        ([[1.0, -2.0], [0.5, 4.5]], ""),
    ],
)
def test_a_wrong_tensor_is_told_by_its_look(given: list[list[float]], said: str) -> None:
    assert pattern(given, ball("binary64").lift(RIGHT)) == said


def test_a_single_number_or_one_beside_zeros_has_no_look() -> None:
    assert pattern([[3.0]], ball("binary64").lift([[1.0]])) == ""
    assert pattern([[3.0, 1.0]], ball("binary64").lift([[0.0, 0.0]])) == ""


def test_numbers_are_stored_in_a_format_where_each_of_them_is() -> None:
    assert stored({("weights", 0): RIGHT}, format_named("bfloat16"))
    assert not stored({("weights", 0): RIGHT, ("biases", 0): [[pi]]}, format_named("binary32"))
    assert not stored({("weights", 0): [[inf]]}, format_named("binary32"))
