"""`purebp judge`: whatever a file of answers holds, it is judged, or one line says what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from purebp.cli import main
from tests.oracle.asking.test_wire import SEEDS, mutated


@pytest.mark.parametrize("report", ["text", "json", "junit"])
def test_judge_on_the_command_line_says_what_is_wrong(
    report: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random, file = Random(report), tmp_path / "answers.json"
    for _ in range(25):
        content = mutated(random, random.choice(SEEDS[:4])).encode("utf-8", "surrogateescape")
        if random.random() < 0.2:
            content = content[: len(content) // 2] + b"\xff\xfe" + content[len(content) // 2 :]
        file.write_bytes(content)
        status = main(["judge", str(file), "--report", report])
        out, err = capsys.readouterr()
        assert (status in (0, 1, 5) and out and not err) or (status == 2 and not out and err.count("\n") == 1), content


def test_what_is_too_large_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "answers.json"
    with file.open("wb") as stream:
        stream.truncate(70 << 20)
    assert main(["judge", str(file)]) == 2
    assert "is larger than 64 MiB" in capsys.readouterr().err
