"""Files of vectors in the line dialect, for programs that do not read JSON (docs/wire-format.md)."""

from __future__ import annotations

from typing import Any

from purebp.oracle.asking.wire import in_words
from purebp.oracle.vectors.expected import BUDGETED
from purebp.oracle.vectors.vector import read


def lines(document: dict[str, Any], bits: bool = False) -> str:
    """The tests of a file in the line dialect: the request, what is expected, and the budgets.

    >>> lines({"family": "loss", "tests": []})
    ''
    """
    found = []
    for vector, test in zip(read(document), document["tests"]):
        if vector.family != "refused":  # shapes that do not fit have no form in words
            found.append(vector.request.in_words(vector.id, bits))
            found.append("expected " + in_words(vector.id, test["expected"], bits))
            found += [f"{name} {in_words(vector.id, test['budget'][name], bits)}" for name in BUDGETED]
    return "\n".join([*found, ""])
