"""`purebp smoke`: the conversation is shown, and whether it is one."""

from __future__ import annotations

import pytest

from tests.subjects.asked import told


def test_smoke_shows_the_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = told(capsys, "smoke", "is right")
    assert status == 0
    assert [line[:2] for line in out.splitlines()[:4]] == ["> ", "< ", "> ", "< "]
    assert out.endswith("(end of input: its process ends, with exit status 0)\nis right speaks the protocol\n")
    for how, problem in (
        ("prints noise", "it writes 'now in epoch 1'"),
        ("ends with status 3", "its process ends, with exit status 3: exit status 0 is wanted"),
        ("does not end", "its process does not end: exit status 0 is wanted"),
    ):
        status, out, _ = told(capsys, "smoke", how)
        assert status == 1 and problem in out and out.endswith(f"{how} does not speak the protocol\n")


def test_smoke_leaves_numbers_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "smoke", "is wrong")[0] == 0
