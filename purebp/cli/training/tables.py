"""CSV text as a table of cells that knows the line of each row, so that a wrong cell can be pointed at.

>>> table = parse_table("size,colour\\n1.5,red\\n2.5,blue\\n", "balls.csv")
>>> table.columns, table.numbers(0)
(('size', 'colour'), [1.5, 2.5])
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from math import isfinite

from purebp.textbook.arithmetic import PurebpError


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a CSV text, with the line in which each row ends; `header` tells whether the names were in it."""

    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    header: bool

    def numbers(self, column: int) -> list[float]:
        """The column as finite numbers.

        >>> parse_table("size,price\\n1,2.5\\n2,n/a\\n", "houses.csv").numbers(1)
        Traceback (most recent call last):
          ...
        purebp.textbook.arithmetic.PurebpError: houses.csv, line 3, column 'price': 'n/a' is not a finite number; \
correct it, or leave out the row or the column
        """
        found = [number(row[column]) for _, row in self.rows]
        for (line, row), x in zip(self.rows, found):
            if x is None or not isfinite(x):
                what = f"{row[column]!r:.40} is not a finite number" if row[column] else "empty where a number belongs"
                place = f"{self.source}, line {line}, column {self.columns[column]!r:.40}"
                raise PurebpError(f"{place}: {what}; correct it, or leave out the row or the column")
        return [x for x in found if x is not None]


def parse_table(text: str, source: str) -> Table:
    """Cells separated by commas, semicolons or tabs; a first line that has a number in it is no header.

    >>> parse_table("1;2\\n3;4\\n", "plain.csv").columns
    ('c0', 'c1')
    """
    delimiter = max(",;\t", key=text.lstrip().partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        rows = [(reader.line_num, tuple(map(str.strip, row))) for row in reader]
    except csv.Error as error:
        raise PurebpError(f"{source}, line {reader.line_num}: not CSV: {error}") from None
    rows = [(line, row) for line, row in rows if row not in ((), ("",))]
    if not rows:
        raise PurebpError(f"{source} is empty: a CSV table with one sample per line is wanted")
    first, names = rows[0]
    header = all(number(name) is None for name in names)
    columns = tuple(name if header and name else f"c{i}" for i, name in enumerate(names))
    for i, name in enumerate(columns):
        if name in columns[:i]:
            twice = f"column {name!r:.40} stands twice, at {columns.index(name) + 1} and {i + 1}"
            raise PurebpError(f"{source}, line {first}: {twice}; rename one")
    for line, row in rows:
        if len(row) != len(columns):
            raise PurebpError(f"{source}, line {line}: the row has {len(row)} cells, line {first} has {len(columns)}")
    if header and len(rows) == 1:
        raise PurebpError(f"{source} has a header and no rows: one sample per line is wanted")
    return Table(source, columns, tuple(rows[header:]), header)


def number(cell: str) -> float | None:
    """What the cell says, if that is a number; "nan" and "inf" are.

    >>> number("2.50"), number("wide"), number("1_000")
    (2.5, None, None)
    """
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None
