"""JUnit XML is XML, and its counts add up."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from purebp.oracle.reports.as_junit import render
from purebp.oracle.reports.report import Report
from tests.oracle.reports.samples import CASES, reports


@given(st.lists(reports(), max_size=3))
def test_counts_are_those_of_the_elements(shown: list[Report]) -> None:
    root = ElementTree.fromstring(render(shown).encode())
    for suite, report in zip(root, shown, strict=True):
        failures = suite.findall("testcase/failure")
        assert len(suite.findall("testcase")) == int(suite.attrib["tests"]) == max(1, len(report.cases))
        assert len(failures) == int(suite.attrib["failures"])
        assert suite.attrib["errors"] == suite.attrib["skipped"] == "0"
        assert (not failures) == report.conforms
        assert all(failure.attrib["type"] == report.verdict for failure in failures)
        assert [failure.text for failure in failures[1:]] == ["see the first failure"] * (len(failures) - 1)


@given(st.text(st.characters(), max_size=5), CASES.map(lambda case: (case,)))
def test_any_name_is_shown_in_xml(name: str, cases: tuple[object]) -> None:
    report = Report(name, "crash", False, None, (), (), (), (), None, cases)  # type: ignore[arg-type]  # a tuple of one
    (suite,) = ElementTree.fromstring(render([report]).encode())
    assert len(suite.attrib["name"]) == len(name)


def test_characters_that_xml_lacks_are_question_marks() -> None:
    report = Report("a\x00\ufffe\ud800\r\U0001f600b", "crash", False, None, (), (), (), (), None, ())
    (suite,) = ElementTree.fromstring(render([report]).encode())
    assert suite.attrib["name"] == "a????\U0001f600b"
