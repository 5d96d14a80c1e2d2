"""Text for people: the whole report on one candidate, a table of several."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from purebp.oracle.reports.story import ending, headline, story, tensor_table
from purebp.textbook.text import aligned, counted, short

if TYPE_CHECKING:  # it shows itself by these formats
    from purebp.oracle.reports.report import Report

WIDTH = 100  # of a paragraph
WIDEST = 72  # of what the table says of a candidate


def render(reports: Sequence[Report]) -> str:
    """The report, or a table of several: candidate, score, verdict, and what the report says first.

    >>> from purebp.oracle import Report
    >>> render([Report("mine", "wrong", False, None, (), (), ("A note.",), (), None, ())])
    'mine: wrong\\n\\nA note.'
    """
    return _report(reports[0]) if len(reports) == 1 else _table(reports)


def _report(report: Report) -> str:
    told = [line if "\n" in line else fill(line, WIDTH, break_long_words=False) for line in story(report)]
    lines = [report.headline, "", *told, *[""] * bool(told)]
    if report.tensors:
        lines += [aligned(tensor_table(report.tensors)), f"(over {_cases(report)}; {report.format})", ""]
    return "\n".join([*lines, *ending(report)]).rstrip()


def _cases(report: Report) -> str:
    skipped = sum(not case.tensors and case.finding is None for case in report.cases)
    return counted(len(report.cases) - skipped, "case") + (f", {skipped} skipped" if skipped else "")


def _table(reports: Sequence[Report]) -> str:
    rows = [(r.candidate, f"{r.score:.2f}", r.verdict, _gist(r)) for r in reports]
    rows = [("candidate", "score", "verdict", ""), *rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, "", headline(reports)])


def _gist(report: Report) -> str:
    """What the report says first, on one line."""
    told = [finding.sentence.partition("\n")[0] for finding in report.findings]
    if not report.conforms:
        told = [found.name for found in report.explanations] + told + list(report.notes)
    elif report.convention is not None:
        told = [report.convention.sentence]
    return short(told[0], WIDEST) if told else ""
