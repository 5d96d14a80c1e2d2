"""`make test-all` does not pass where there is nothing to test on."""

from __future__ import annotations

import pytest

from studies import interpreters


def test_no_interpreter_is_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(interpreters, "found", lambda: ({}, ["CPython 3.9.2"]))
    assert interpreters.main() == 1
    assert "nothing was tested; too old: CPython 3.9.2" in capsys.readouterr().out
