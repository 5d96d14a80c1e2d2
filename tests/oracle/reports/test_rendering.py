"""Every format is found by its name, loaded when asked for, and another comes in one object."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import PurebpError
from purebp.oracle.reports import ReportFormat, render, report_formats
from purebp.oracle.reports.report import Report
from tests import ROOT
from tests.oracle.reports.samples import reports


@pytest.mark.parametrize("format", report_formats())
@given(st.lists(reports(), max_size=3))
def test_every_format_shows_every_report(format: str, shown: list[Report]) -> None:
    text = render(shown, format)
    assert text == import_module(f"purebp.oracle.reports.as_{format}").render(shown)
    assert text.encode()


def test_the_built_in_formats_are_these() -> None:
    assert set(report_formats()) == {"text", "json", "junit", "html"}


@given(st.lists(reports(), max_size=3))
def test_a_format_from_outside_is_one_object(shown: list[Report]) -> None:
    def lines(of: Sequence[Report]) -> str:
        return "\n".join(f"{report.candidate!r}: {report.verdict}" for report in of)

    assert render(shown, ReportFormat("lines", lines)) == lines(shown)


def test_an_unknown_format_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(PurebpError, match="unknown report format 'pdf'; known are .*junit"):
        render([], "pdf")


@given(reports())
def test_a_report_says_the_same_by_itself(report: Report) -> None:
    assert str(report) == render([report]) == render([report], "text")
    assert report.to_json() == render([report], "json")
    assert report.to_junit() == render([report], "junit")


def test_a_format_is_loaded_when_it_is_asked_for() -> None:
    program = """if True:
        import sys
        import purebp.cli.check
        from purebp.oracle import Report
        str(Report("mine", "correct", True, None, (), (), (), (), None, ()))
        print(*sys.modules)"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "purebp.oracle.reports.as_text" in loaded
    assert loaded.isdisjoint(
        {"html", "xml", *(f"purebp.oracle.reports.as_{name}" for name in ("html", "junit", "json"))}
    )
