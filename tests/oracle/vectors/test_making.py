"""Files are made anew to the same bytes by every Python, and follow their schema; what is broken in one is found, and named."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from purebp.oracle.vectors.drawn import vectors
from purebp.oracle.vectors.files import SCHEMA, shipped
from purebp.oracle.vectors.making import digest, verify
from purebp.oracle.vectors.vector import FAMILIES, Vector
from tests import ROOT
from tests.oracle.vectors.samples import FILES


def pythons() -> list[str]:
    """The interpreters at hand: on the path, and those that pyenv has."""
    found = {}
    home = Path(os.path.expanduser("~"))  # which is the place itself where nobody has a home
    for minor in range(11, 20):
        name = f"python3.{minor}"
        for path in [shutil.which(name), *map(str, home.glob(f".pyenv/versions/3.{minor}.*/bin/{name}"))]:
            if path and minor not in found and subprocess.run([path, "-V"], capture_output=True).returncode == 0:
                found[minor] = path
    return list(found.values()) or [sys.executable]


def ran(python: str, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [python, *words], cwd=ROOT, check=True, capture_output=True, encoding="utf-8", env=environment
    )
    return done.stdout


def test_the_files_are_those_that_are_made(tmp_path: Path) -> None:
    ran(sys.executable, "-m", "purebp", "vectors", "export", str(tmp_path), "--anew")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [*(f"{family}.json" for family in FAMILIES), SCHEMA]
    )
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (ROOT / "purebp/data/vectors/v1" / path.name).read_bytes(), (
            f"make vectors: {path.name}"
        )


MADE = """
from purebp.oracle.vectors.files import text
from purebp.oracle.vectors.making import document
print(text(document("gradients")), end="")
"""


@pytest.mark.parametrize("python", pythons())
def test_every_python_makes_the_same_bytes(python: str) -> None:
    """Of gradients, for which all else is computed on the way; `make test-all` makes all families in each."""
    assert ran(python, "-c", MADE) == shipped("gradients.json")


@pytest.mark.parametrize("family", FAMILIES)
def test_files_follow_their_schema(family: str) -> None:
    schema = json.loads(shipped(SCHEMA))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(FILES[family])
    broken = copy.deepcopy(FILES[family])
    broken["tests"][0]["given"]["remark"] = "a key that the schema does not have"
    assert not Draft202012Validator(schema).is_valid(broken)
    for flag in (flag for test in FILES[family]["tests"] for flag in test["flags"]):
        assert FILES[family]["notes"][flag]["mistake"].endswith(".")


def test_the_hash_tells_what_is_asked_and_nothing_else() -> None:
    vector = vectors("loss")[0]
    renamed = Vector("other", "another title", vector.family, vector.given)
    assert digest(renamed) == digest(vector) == FILES["loss"]["tests"][0]["hash"]
    assert digest(Vector(vector.id, vector.title, "forward", vector.given)) != digest(vector)
    assert digest(Vector(vector.id, vector.title, "loss", {**vector.given, "loss": "sse"})) != digest(vector)


def test_a_file_that_was_changed_does_not_verify() -> None:
    """Whole files are made anew above."""
    random = Random(0)
    for family in FAMILIES:
        short = {**FILES[family], "tests": FILES[family]["tests"][:2], "numberOfTests": 2}
        assert list(verify(short)) == []
        for _ in range(12):
            broken = copy.deepcopy(short)
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
