"""Tables of numbers from text."""

from __future__ import annotations

from hypothesis import given

from purebp.cli.training.tables import parse_table
from tests.cli.training.matrices import matrices


@given(matrices())
def test_floats_come_back_as_the_same_bits(rows: list[list[float]]) -> None:
    table = parse_table("\n".join(",".join(map(repr, row)) for row in rows), "t")
    assert [list(column) for column in zip(*rows)] == [table.numbers(j) for j in range(len(rows[0]))]
