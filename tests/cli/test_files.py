"""Files are read with one line about what is wrong, and written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from purebp import PurebpError
from purebp.cli.files import check_apart, check_writable, read_text, write_whole


def test_a_failing_replacement_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "n.json").write_text("old")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_whole(str(tmp_path / "n.json"), "new")
    assert [("n.json", "old")] == [(path.name, path.read_text()) for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no file 'a.txt': give a file"),
        (b"one\ntwo \xe9\n", "'a.txt' is not UTF-8 text, line 2: save it as UTF-8"),
        (b"x" * 17, "'a.txt' is larger than 0 MiB: give it in parts"),
    ],
)
def test_what_cannot_be_read_is_said(
    content: bytes | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("a.txt").write_bytes(content)
    with pytest.raises(PurebpError) as refused:
        read_text("a.txt", "give a file", 16)
    assert str(refused.value) == told


def test_what_is_read_has_no_mark_and_what_is_written_is_read(tmp_path: Path) -> None:
    name = str(tmp_path / "a.txt")
    Path(name).write_bytes(b"\xef\xbb\xbfa\r\n")
    assert read_text(name, "") == "a\r\n"
    check_writable(name)
    write_whole(name, "δ\n")
    assert read_text(name, "", 3) == "δ\n" and [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_that_is_read_is_not_overwritten(tmp_path: Path) -> None:
    name = str(tmp_path / "a.txt")
    check_apart("--output", name, str(tmp_path / "b.txt"), None)
    check_apart("--output", None, name)
    with pytest.raises(PurebpError, match="--output would overwrite"):
        check_apart("--output", str(tmp_path / "." / "a.txt"), name)
