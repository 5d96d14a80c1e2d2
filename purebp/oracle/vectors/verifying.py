"""A file of vectors held against what is computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from purebp.oracle.asking.wire import mapped
from purebp.oracle.vectors.making import as_test
from purebp.oracle.vectors.vector import read
from purebp.textbook.arithmetic import PurebpError


def verify(document: Any) -> Iterator[str]:
    """What is wrong with a file of vectors, computed anew; nothing if all is right.

    >>> list(verify({"family": "loss", "numberOfTests": 1, "tests": []}))
    ['numberOfTests is 1, and there are 0']
    """
    found = read(document)
    if document.get("numberOfTests") != len(found):
        yield f"numberOfTests is {document.get('numberOfTests')!r:.20}, and there are {len(found)}"
    for vector, told in zip(found, document["tests"]):
        try:
            right = as_test(vector)
        except (PurebpError, ArithmeticError, TypeError, KeyError, AttributeError) as error:
            yield f"{vector.id}: what is given cannot be computed: {error!s:.200}"
            continue
        for key in right:
            if told.get(key) != mapped(right[key], lambda x: x):
                yield f"{vector.id}: {key} is not what it should be"
