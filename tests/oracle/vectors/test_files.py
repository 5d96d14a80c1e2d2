"""Files hold the same numbers as bit patterns, and in the line dialect."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from purebp.cli import main
from purebp.oracle.vectors.files import SCHEMA, shipped, text
from purebp.oracle.vectors.vector import FAMILIES
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


def test_lines_hold_the_same_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vectors", "export", str(tmp_path), "--lines"]) == 0
    for family in FAMILIES[:-1]:
        lines = (tmp_path / f"{family}.txt").read_text().splitlines()
        for (run, *told), test in zip(zip(*[iter(lines)] * 4), FILES[family]["tests"], strict=True):
            assert run.startswith(f"run {test['id']} {len(test['given']['layers'])} ")
            for line, head in zip(told, ("expected", "binary64", "binary32")):
                values = [float(word) for word in line.split() if re.match(r"-?\d", word)]
                assert line.startswith(f"{head} {test['id']} ")
                assert values == numbers(test["expected"] if head == "expected" else test["budget"][head])
    capsys.readouterr()
