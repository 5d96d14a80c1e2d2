"""Validation: a matrix comes in as floats and numbers of other systems, or is refused with the place of what is wrong."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given

from purebp import Batch, Layer, PurebpError
from purebp.textbook.validation import matrix
from tests.strategies import Rows, matrices


@given(matrices(2, 3))
def test_a_matrix_is_stored_as_tuples_and_left_as_it_was(rows: Rows) -> None:
    before = [list(row) for row in rows]
    stored = matrix("weights", rows)
    assert stored == tuple(map(tuple, rows)) and rows == before
    assert matrix("weights", stored) == stored


def test_integers_become_floats_and_numbers_of_other_systems_stay() -> None:
    rows: Any = [[1, Fraction(1, 3), Decimal(1)], [2**1000, 0.5, 0.5]]
    (integer, fraction, number), (large, *_) = matrix("weights", rows)
    assert [type(integer), type(fraction), type(number)] == [float, Fraction, Decimal]
    assert large == 2.0**1000


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "weights are empty: at least one row with one number is wanted"),
        ([[]], "weights are empty: at least one row with one number is wanted"),
        ([[1.0], [1.0, 2.0]], "weights are ragged: row 0 has 1 numbers, row 1 has 2"),
        ([[1.0, 10**400]], r"weights\[0\]\[1\] is an integer too large for a float"),
        ([[1.0], [True]], r"weights\[1\]\[0\] is True: a number is wanted"),
    ],
)
def test_what_is_wrong_is_named(rows: Any, message: str) -> None:
    with pytest.raises(PurebpError, match=message):
        matrix("weights", rows)


@pytest.mark.parametrize("entry", ["2", None, True, [1.0], 10**400, object()])
def test_what_is_no_number_is_refused_with_its_place(entry: Any) -> None:
    with pytest.raises(PurebpError, match=r"weights\[0\]\[1\] is"):
        Layer([[1.0, entry]], None, "relu")


@pytest.mark.parametrize("rows", [1.0, [1.0, 2.0], None])
def test_what_is_no_matrix_is_refused(rows: Any) -> None:
    with pytest.raises(PurebpError, match="inputs: a list of rows, each a list of numbers, is wanted"):
        Batch(rows, [[1.0]])
