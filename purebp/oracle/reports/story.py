"""What a report tells, in the order in which it is told: sentences, the table of tensors, the worst entry."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from purebp.oracle.answer import LOCAL, Finding
from purebp.oracle.evidence import TensorReport
from purebp.textbook.text import counted

if TYPE_CHECKING:  # it shows itself by these formats
    from purebp.oracle.reports.report import Report

COLUMNS = ("tensor", "entries", "wrong", "undecided", "err/allowed", "ulps", "smallest visible error")
EXPLAINED = 3  # explanations that the cases cannot tell apart


def headline(reports: Sequence[Report]) -> str:
    """The verdict on one candidate, or how many of several conform.

    >>> headline([])
    '0 of 0 candidates conform'
    """
    if len(reports) == 1:
        return reports[0].headline
    good = sum(report.conforms for report in reports)
    return f"{good} of {counted(len(reports), 'candidate')} conform{'s' if good == 1 else ''}"


def story(report: Report) -> list[str]:
    """The convention, explanations, findings and notes, a paragraph each.

    >>> from purebp.oracle import Report
    >>> story(Report("mine", "correct", True, None, (), (Finding("prints", "it prints"),), ("A note.",), (), None, ()))
    ['it prints.', 'A note.']
    """
    lines = []
    if report.convention is not None:
        lines.append(f"{_as_often_as_it_does(report)} {report.convention.sentence}.")
    for number, found in enumerate(report.explanations[:EXPLAINED]):
        lines.append(("" if number == 0 else "Or, which the cases cannot tell apart: ") + found.sentence)
        if number == 0 and found.line:
            lines.append(f"The line{'s' * ('; ' in found.line)}: {found.line}")
    return [*lines, *map(_sentence, report.findings), *report.notes]


def tensor_table(tensors: Sequence[TensorReport]) -> list[list[str]]:
    """The cells of a heading and of one row per tensor; nothing without tensors.

    >>> tensor_table([TensorReport("ŷ", "outputs", -1, 6, 0, 0.25, 1.5, 2e-13, None, ())])[1]
    ['ŷ', '6', '.', '.', '0.25', '1.50', '4e-13']
    """
    rows = [
        [
            *(t.name, str(t.entries), str(t.wrong or "."), str(t.open or ".")),
            *(number(t.share), number(t.ulps), smallest_visible_error(t)),
        ]
        for t in tensors
    ]
    return [list(COLUMNS), *rows] if rows else []


def smallest_visible_error(tensor: TensorReport) -> str:
    """The relative error from which on any error is seen: twice the resolution (docs/error-budget.md).

    >>> smallest_visible_error(TensorReport("ŷ", "outputs", -1, 6, 0, 0.25, 1.5, 0.75, None, ()))
    'undecided'
    """
    return "undecided" if tensor.undecided else f"{2 * tensor.resolution:.0e}"


def ending(report: Report) -> list[str]:
    """The worst entry, the smallest case that shows it, and the command that asks again.

    >>> from purebp.oracle import Report
    >>> ending(Report("mine", "correct", True, None, (), (), (), (), None, (), replay="purebp check mine.py"))
    ['Again: purebp check mine.py']
    """
    lines = [f"The worst entry: {report.worst}"] if report.worst is not None and not report.conforms else []
    if report.smallest:
        lines += ["The smallest case that shows it:", report.smallest]
    if report.replay:
        lines.append(f"Again: {report.replay}")
    return lines


def number(x: float) -> str:
    """A share, or an error in units in the last place, in few digits.

    >>> number(0.5), number(123456.0), number(float("nan"))
    ('0.50', '1e+05', '∞')
    """
    if not isfinite(x):
        return "∞"
    return f"{x:.2f}" if x < 100 else f"{x:.0e}"


def _as_often_as_it_does(report: Report) -> str:
    """Whether gradients are those of the convention on all cases, on some or on none."""
    answered = [case for case in report.cases if case.tensors]
    right = sum(not any(tensor.wrong for tensor in case.tensors if tensor.kind in LOCAL) for case in answered)
    if report.verdict != "wrong" or right == len(answered):
        return "It returns"
    return f"On {right} of {len(answered)} cases it returns" if right else "What is wanted is"


def _sentence(finding: Finding) -> str:
    place = f"On the case “{finding.case}” " if finding.case else ""
    return f"{place}{finding.sentence}{'' if chr(10) in finding.sentence else '.'}"
