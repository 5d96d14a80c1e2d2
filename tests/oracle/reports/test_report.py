"""A report is data: what it is worth, what it is called, and the same as plain data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from purebp.oracle.reports.report import Report
from purebp.oracle.verdict import VERDICTS
from tests.oracle.reports.samples import reports


@given(reports())
def test_the_score_is_a_share_and_one_for_what_conforms_alone(report: Report) -> None:
    assert 0 <= report.score <= 1
    assert (report.score == 1) == report.conforms == (report.exit_status == 0)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_its_headline(verdict: str) -> None:
    report = Report("mine", verdict, verdict == "correct", None, (), (), (), (), None, ())
    assert report.headline.startswith("mine: ")
    assert report.headline != replace(report, verdict="imprecise" if verdict == "wrong" else "wrong").headline


@given(reports())
def test_plain_data_is_plain_and_complete(report: Report) -> None:
    data = report.as_dict()
    assert plain(data)
    assert [case["passed"] for case in data["cases"]] == [case.passed for case in report.cases]
    shown = [*report.tensors, *(tensor for case in report.cases for tensor in case.tensors)]
    told = [*data["tensors"], *(tensor for case in data["cases"] for tensor in case["tensors"])]
    for tensor, found in zip(shown, told, strict=True):
        assert found.keys() == set(tensor.__dataclass_fields__) - {"shares"}
        assert found["entries"] == tensor.entries and found["wrong"] == tensor.wrong


def plain(x: Any) -> bool:
    if isinstance(x, dict):
        return all(isinstance(key, str) and plain(value) for key, value in x.items())
    return all(map(plain, x)) if isinstance(x, list) else x is None or type(x) in (str, int, float, bool)
