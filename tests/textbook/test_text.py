"""Plain text: numbers agree with their nouns, names stay on one line, and columns stay columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from purebp.textbook.text import aligned, counted, short

TABLES = st.integers(1, 4).flatmap(
    lambda n: st.lists(
        st.lists(st.text("ab cδ0.", max_size=6).map(str.strip), min_size=n, max_size=n), min_size=1, max_size=5
    )
)


@given(st.integers(-3, 10**6))
def test_only_one_is_counted_in_the_singular(n: int) -> None:
    assert counted(n, "epoch") == f"{n} {'epoch' if n == 1 else 'epochs'}"
    assert counted(n, "entry", "entries") == f"{n} {'entry' if n == 1 else 'entries'}"


@given(st.text(), st.integers(1, 20))
def test_a_short_name_fits_on_its_line(name: str, most: int) -> None:
    found = short(name, most)
    assert found.isprintable() and len(found) == min(len(name), most)
    assert all(x in (y, "?") for x, y in zip(found if len(name) <= most else found[:-1], name))
    assert found.endswith("~") or len(name) <= most


@given(st.text("abcδ ", max_size=12))
def test_a_name_that_is_short_already_stays(name: str) -> None:
    assert short(name, 12) == name


@given(TABLES)
def test_cells_of_a_column_stand_below_each_other(rows: list[list[str]]) -> None:
    lines = aligned(rows).split("\n")
    widths = [max(map(len, column)) for column in zip(*rows)]
    assert {len(line) for line in lines} == {sum(widths) + 2 * (len(widths) - 1)}
    for row, line in zip(rows, lines, strict=True):
        for j, (cell, width) in enumerate(zip(row, widths)):
            there, line = line[:width], line[width:]
            assert there == (cell.rjust(width) if j else cell.ljust(width))
            assert line[:2].strip() == "" and (line or j == len(row) - 1)
            line = line[2:]
