"""What every format tells: the same sentences, and the same numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp.oracle.evidence import TensorReport
from purebp.oracle.reports.report import Report
from purebp.oracle.reports.story import COLUMNS, ending, headline, number, smallest_visible_error, story, tensor_table
from tests.oracle.reports.samples import SIZES, reports, tensors


@given(tensors())
def test_the_smallest_visible_error_is_twice_the_resolution_or_undecided(tensor: TensorReport) -> None:
    shown = smallest_visible_error(tensor)
    if tensor.undecided:
        assert shown == "undecided"
    else:
        assert float(shown) == pytest.approx(2 * tensor.resolution, rel=0.5)


@given(st.lists(tensors(), max_size=3))
def test_the_table_has_a_heading_and_a_row_per_tensor(shown: list[TensorReport]) -> None:
    table = tensor_table(shown)
    assert len(table) == (len(shown) + 1 if shown else 0)
    assert all(len(row) == len(COLUMNS) for row in table)


@given(reports())
def test_the_story_has_every_finding_and_note_and_three_explanations_at_most(report: Report) -> None:
    told = story(report)
    assert all(note in told for note in report.notes)
    assert all(any(finding.sentence in line for line in told) for finding in report.findings)
    assert sum(line.startswith("Or, which the cases cannot tell apart: ") for line in told) <= 2


@given(reports())
def test_what_conforms_has_no_worst_entry(report: Report) -> None:
    told = any(line.startswith("The worst entry: ") for line in ending(report))
    assert told == (report.worst is not None and not report.conforms)


@given(st.lists(reports(), max_size=3))
def test_the_headline_of_several_counts_those_that_conform(shown: list[Report]) -> None:
    if len(shown) == 1:
        assert headline(shown) == shown[0].headline
    else:
        assert headline(shown).startswith(f"{sum(report.conforms for report in shown)} of {len(shown)} candidate")


@given(SIZES)
def test_a_number_is_short(x: float) -> None:
    assert len(number(x)) <= 6
