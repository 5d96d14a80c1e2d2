"""The files of vectors that come with this package, and how such a file is laid out: as JSON, or in the line dialect."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from purebp.oracle.asking.wire import in_words
from purebp.oracle.vectors.vector import BUDGETED, Vector, read
from purebp.textbook.serialization import parsed

SCHEMA = "vectors.schema.json"


def load(family: str) -> list[Vector]:
    """The vectors of a family in the file that comes with this package.

    >>> len(load("gradients"))
    52
    """
    return read(parsed(shipped(f"{family}.json")))


def shipped(name: str) -> str:
    """The text of a file of vectors, or of their schema.

    >>> shipped("loss.json").startswith("{")
    True
    """
    return resources.files("purebp").joinpath("data", "vectors", "v1", name).read_text(encoding="utf-8")


def text(document: Any) -> str:
    """JSON with short things on one line.

    >>> print(text({"id": "a", "weights": [[1.0, 2.0], [3.0, 4.0]]}), end="")
    {"id": "a", "weights": [[1.0, 2.0], [3.0, 4.0]]}
    """
    return _text(document, "") + "\n"


def _text(x: Any, indent: str) -> str:
    whole = json.dumps(x, ensure_ascii=False)
    if len(indent) + len(whole) <= 120 or not isinstance(x, (dict, list)):
        return whole
    deeper = indent + " "
    items = (
        [f"{json.dumps(key)}: {_text(value, deeper)}" for key, value in x.items()]
        if isinstance(x, dict)
        else [_text(item, deeper) for item in x]
    )
    start, end = "{}" if isinstance(x, dict) else "[]"
    return f"{start}\n{deeper}" + f",\n{deeper}".join(items) + f"\n{indent}{end}"


def lines(document: dict[str, Any], bits: bool = False) -> str:
    """The tests of a file in the line dialect (docs/wire-format.md): the request, what is expected, and the budgets.

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
