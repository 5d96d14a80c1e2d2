"""What is broken in a file of vectors is found, and named."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from purebp.oracle.vectors.vector import FAMILIES
from purebp.oracle.vectors.verifying import verify
from tests.oracle.vectors.samples import FILES


def test_a_file_that_was_changed_does_not_verify() -> None:
    random = Random(0)
    for family in FAMILIES:
        assert list(verify(FILES[family])) == []
        for _ in range(12):
            broken = copy.deepcopy(FILES[family])
            broken["tests"] = broken["tests"][:2]
            broken["numberOfTests"] = 2
            assert list(verify(broken)) == []
            spoilt = spoil(random, random.choice(broken["tests"]))
            assert list(verify(broken)), spoilt


def spoil(random: Random, test: dict[str, Any]) -> str:
    """Change one number, or the hash, of a test."""
    places: list[tuple[Any, Any]] = [(test, "hash")]

    def collect(x: Any) -> None:
        for key, value in x.items() if isinstance(x, dict) else enumerate(x):
            if isinstance(value, float):
                places.append((x, key))
            elif isinstance(value, (dict, list)):
                collect(value)

    collect(test)
    where, key = random.choice(places)
    where[key] = "0" * 64 if key == "hash" else where[key] + 0.5
    return f"{key} of {where!r:.80}"


def test_a_file_with_another_count_does_not_verify() -> None:
    file = {**FILES["loss"], "tests": [], "numberOfTests": 3}
    assert list(verify(file)) == ["numberOfTests is 3, and there are 0"]
