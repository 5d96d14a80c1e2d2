"""Plain text: things counted, names made short, columns aligned."""

from __future__ import annotations

from collections.abc import Sequence

from purebp.textbook.names import printable


def counted(n: int, one: str, more: str | None = None) -> str:
    """The number and what it counts.

    >>> counted(1, "epoch"), counted(2, "epoch"), counted(2, "entry", "entries")
    ('1 epoch', '2 epochs', '2 entries')
    """
    return f"{n} {one if n == 1 else more or one + 's'}"


def short(name: str, most: int) -> str:
    """The name on one line and not too long.

    >>> short("a very long\\nname", 12)
    'a very long~'
    """
    plain = printable(name)
    return plain if len(plain) <= most else plain[: most - 1] + "~"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width, the first flush left and the others flush right.

    >>> print(aligned([["", "loss"], ["training", "0.1"]]))
              loss
    training   0.1
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows)
    return "\n".join("  ".join(cells) for cells in lines)
