"""Files of test vectors, made anew: what is given, what is expected, and what is allowed (docs/wire-format.md).

A `Vector` holds what is given; `expected` computes the rest. So files are made, and so any file is verified.

>>> document("forward")["numberOfTests"], as_test(vectors("refused")[0])["expected"]
(40, {'error': 'shape'})
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from purebp import __version__
from purebp.oracle.vectors.about import ABOUT, FORMULAS, LOSS_FORMULAS, NOTES
from purebp.oracle.vectors.drawn import drawn
from purebp.oracle.vectors.expected import expected
from purebp.oracle.vectors.files import SCHEMA
from purebp.oracle.vectors.refused import refused
from purebp.oracle.vectors.vector import Vector


def vectors(family: str) -> tuple[Vector, ...]:
    """All vectors of a family, as they are built in.

    >>> len(vectors("gradients"))
    52
    """
    return tuple(refused() if family == "refused" else drawn(family))


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
