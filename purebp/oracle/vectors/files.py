"""The files of vectors that come with this package, and how such a file is laid out."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from purebp.oracle.vectors.vector import Vector, read
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
