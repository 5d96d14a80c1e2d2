"""Files hold the same numbers as bit patterns."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from purebp.cli import main
from purebp.oracle.vectors.files import SCHEMA, shipped, text
from tests.oracle.vectors.samples import FILES, numbers


def test_bits_hold_the_same_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from purebp.oracle.asking.wire import from_bits

    assert main(["vectors", "export", str(tmp_path), "--floats", "bits"]) == 0
    found = json.loads((tmp_path / "step.json").read_text(encoding="utf-8"))
    Draft202012Validator(json.loads(shipped(SCHEMA))).validate(found)
    for test, same in zip(found["tests"], FILES["step"]["tests"], strict=True):
        texts = re.findall(r'"([0-9a-f]{16})"', json.dumps([test["given"], test["expected"], test["budget"]]))
        assert list(map(from_bits, texts)) == numbers([same["given"], same["expected"], same["budget"]])
    capsys.readouterr()


def test_the_text_of_a_file_holds_the_file() -> None:
    for file in FILES.values():
        assert json.loads(text(file)) == file
        assert all(len(line) <= 120 or '"' in line for line in text(file).splitlines())
