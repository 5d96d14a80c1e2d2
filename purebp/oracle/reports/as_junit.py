"""JUnit XML for build servers: one test suite per candidate, one test per case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:  # it shows itself by these formats
    from purebp.oracle.reports.report import Report


def render(reports: Sequence[Report]) -> str:
    """The reports as test suites; the text of a report is the message of its first failure.

    >>> from purebp.oracle import Report
    >>> print(render([Report("mine", "correct", True, None, (), (), (), (), None, ())]), end="")
    <?xml version="1.0" encoding="utf-8"?>
    <testsuites name="purebp">
      <testsuite name="mine" tests="1" failures="0" errors="0" skipped="0">
        <testcase classname="mine" name="start" />
      </testsuite>
    </testsuites>
    """
    root = Element("testsuites", name="purebp")
    for report in reports:
        _suite(root, report)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, report: Report) -> None:
    """A candidate that does not conform has a failure, be it that none of its cases has one, or that it has no cases."""
    tests = [(f"{case.name}, {case.size}", not case.passed) for case in report.cases] or [("start", True)]
    if not any(failed for _, failed in tests):
        tests[0] = (tests[0][0], True)
    failures = 0 if report.conforms else sum(failed for _, failed in tests)
    counts = {"tests": str(len(tests)), "failures": str(failures), "errors": "0", "skipped": "0"}
    suite = SubElement(root, "testsuite", {"name": _xml(report.candidate), **counts})
    text = _xml(str(report))
    for name, failed in tests:
        test = SubElement(suite, "testcase", classname=_xml(report.candidate), name=_xml(name))
        if failed and not report.conforms:
            failure = SubElement(test, "failure", message=_xml(report.headline), type=report.verdict)
            failure.text, text = text, "see the first failure"


def _xml(text: str) -> str:
    """Without the characters that XML does not have (XML 1.0, production 2); a lone \\r would be read as \\n."""
    return re.sub("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
