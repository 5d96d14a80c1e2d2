"""The line dialect holds the same numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from purebp.cli import main
from purebp.oracle.vectors.vector import FAMILIES
from tests.oracle.vectors.samples import FILES, numbers


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
