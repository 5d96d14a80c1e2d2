"""Text: one report whole, several in a table."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from purebp.oracle.reports.as_text import render
from purebp.oracle.reports.report import Report
from purebp.oracle.reports.story import tensor_table
from tests.oracle.reports.samples import reports


@given(reports())
def test_the_text_begins_with_the_headline_and_has_every_row(report: Report) -> None:
    text = render([report])
    assert text.startswith(report.headline.rstrip())
    rows = [line.split() for line in text.split("\n")]
    assert all(" ".join(row).split() in rows for row in tensor_table(report.tensors))


@given(st.lists(reports(), min_size=2, max_size=4))
def test_several_reports_are_a_row_each(shown: list[Report]) -> None:
    table = render(shown).split("\n\n")[-1]
    assert table == f"{sum(r.conforms for r in shown)} of {len(shown)} candidates conform" + "s" * (
        sum(r.conforms for r in shown) == 1
    )
    for report in shown:
        assert report.verdict in render(shown) and f"{report.score:.2f}" in render(shown)


def test_a_table_of_candidates() -> None:
    right = Report("right.py", "correct", True, None, (), (), (), (), None, ())
    ended = Report("ended.py", "crash", False, None, (), (), ("It ended.",), (), None, ())
    assert (
        render([right, ended])
        == """\
candidate  score  verdict
right.py   1.00   correct
ended.py   0.00   crash    It ended.

1 of 2 candidates conforms"""
    )
