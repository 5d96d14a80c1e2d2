"""Files of test vectors, made anew and verified: what is given, what is expected, and what is allowed (docs/wire-format.md).

A `Vector` holds what is given; `expected` computes the rest. So files are made, and so any file is verified.

>>> document("forward")["numberOfTests"], as_test(vectors("refused")[0])["expected"]
(40, {'error': 'shape'})
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from purebp import __version__
from purebp.oracle.asking.wire import mapped
from purebp.oracle.vectors.about import ABOUT, FORMULAS, LOSS_FORMULAS, NOTES
from purebp.oracle.vectors.drawn import vectors
from purebp.oracle.vectors.expected import expected
from purebp.oracle.vectors.files import SCHEMA
from purebp.oracle.vectors.vector import Vector, read
from purebp.textbook.arithmetic import PurebpError


def document(family: str) -> dict[str, Any]:
    """The file of a family, as JSON has it.

    >>> document("refused")["notes"].keys()
    dict_keys(['Shapes'])
    """
    chosen = vectors(family)
    flags = dict.fromkeys(flag for vector in chosen for flag in vector.flags)
    return {
        "schema": SCHEMA,
        "about": ABOUT if family != "refused" else [*ABOUT[:3], NOTES["Shapes"][1]],
        "activations": FORMULAS,
        "losses": LOSS_FORMULAS,
        "source": {"name": "purebp", "version": __version__},
        "family": family,
        "numberOfTests": len(chosen),
        "notes": {flag: dict(zip(("mistake", "description"), NOTES[flag])) for flag in flags},
        "tests": [as_test(vector) for vector in chosen],
    }


def as_test(vector: Vector) -> dict[str, Any]:
    """A vector as JSON has it: what is given, and what is expected.

    >>> list(as_test(vectors("loss")[0]))
    ['id', 'hash', 'title', 'flags', 'given', 'intermediate', 'expected', 'budget']
    """
    head = {"id": vector.id, "hash": digest(vector), "title": vector.title, "flags": list(vector.flags)}
    return {**head, "given": vector.given, **expected(vector)}


def digest(vector: Vector) -> str:
    """SHA-256 of what is asked: family and given, as JSON with sorted keys and without spaces.

    >>> digest(Vector("", "", "loss", {}))[:16]
    '96416190bffa208a'
    """
    canonical = json.dumps({"given": vector.given, "op": vector.family}, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()


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
