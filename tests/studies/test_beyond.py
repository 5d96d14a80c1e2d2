"""Mistakes without a name are explained, or localised, and none of them falsely."""

from __future__ import annotations

from collections import Counter
from runpy import run_path

import pytest

from purebp.oracle.check import check
from studies.beyond import Tried, drawn, main, of_programs, outcome, page
from studies.edits import HERE, PROGRAMS
from studies.power import DOCS


def test_edits_are_explained_and_none_falsely() -> None:
    counts = Counter(outcome(planting, s, s.check(planting.answer(s))) for planting, s in drawn(12, seed=1))
    assert not counts.keys() & {"falsely", "missed"}
    assert counts["explained"] >= 8


def test_the_command_says_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    main(["2", "--seed", "4", "--show", "--only", "recurrence"])
    *each, last = capsys.readouterr().out.splitlines()
    assert len(each) == 4 and last.startswith("the recurrence | 2 | ")


def test_edits_of_programs_are_explained_or_localised_and_none_falsely() -> None:
    counts = Counter(one.outcome for one in of_programs(20, seed=3))
    assert not counts.keys() & {"falsely", "missed"}
    assert counts["explained"] >= 10 and counts["elsewhere"] <= 2


def test_the_programs_are_right_before_they_are_edited() -> None:
    for name, setting in PROGRAMS.items():
        space = run_path(str(HERE / f"{name}.py"))
        report = check(space["gradients"], activations=setting.names, loss=setting.loss, returns="gradients")
        assert report.verdict == "correct", str(report)


def test_the_page_is_of_the_command() -> None:
    text = page(
        {
            "the recurrence": [Tried("x → y", "explained", "", 0.1)],
            "three programs": [Tried("a → b", "elsewhere", "", 0.3)],
        }
    )
    written = (DOCS / "beyond.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in written.splitlines() if line.startswith("#")
    ]
    assert "* `a → b`" in text and "| the recurrence | 1 | 100.0% |" in text
