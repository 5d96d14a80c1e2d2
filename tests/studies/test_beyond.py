"""Mistakes without a name are explained, or localised, and none of them falsely."""

from __future__ import annotations

from collections import Counter

import pytest

from studies.beyond import drawn, main, outcome


def test_edits_are_explained_and_none_falsely() -> None:
    counts = Counter(outcome(planting, s, s.check(planting.answer(s))) for planting, s in drawn(12, seed=1))
    assert not counts.keys() & {"falsely", "missed"}
    assert counts["explained"] >= 8


def test_the_command_says_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    main(["2", "--seed", "4", "--show"])
    *each, last = capsys.readouterr().out.splitlines()
    assert len(each) == 4 and last.startswith("2 edits: ")
