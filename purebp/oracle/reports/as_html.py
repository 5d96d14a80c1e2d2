"""HTML for a browser: one page that needs nothing else, with a heat map per tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import isfinite, log10
from typing import TYPE_CHECKING

from purebp.oracle.evidence import TensorReport
from purebp.oracle.reports.story import ending, number, story, tensor_table

if TYPE_CHECKING:  # it shows itself by these formats
    from purebp.oracle.reports.report import CaseReport, Report

STYLE = """
:root { color-scheme: light dark; --ok: #1a7f37; --bad: #c4314b; --line: #8886; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; } h1.ok { color: var(--ok); } h1.bad { color: var(--bad); }
table { border-collapse: collapse; } td, th { padding: .2rem .4rem; text-align: right; white-space: nowrap; font-size: .9rem; border-bottom: 1px solid var(--line); }
td:first-child, th:first-child { text-align: left; } .scroll { overflow-x: auto; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid var(--line); font-size: .85rem; }
.map { display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; } .map figcaption { font-size: .85rem; }
.map td { width: 1.1rem; height: 1.1rem; padding: 0; border: 1px solid var(--line); }
"""


def render(reports: Sequence[Report]) -> str:
    """All reports on one page: verdicts, sentences, tables, and heat maps of one case each.

    >>> from purebp.oracle import Report
    >>> '<h1 class="bad">mine: wrong</h1>' in render([Report("mine", "wrong", False, None, (), (), (), (), None, ())])
    True
    """
    title = reports[0].headline if len(reports) == 1 else f"{len(reports)} candidates"
    head = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>purebp: {escape(title)}</title>",
        f"<style>{STYLE}</style>\n</head>\n<body>",
    ]
    return "\n".join([*head, *(part for report in reports for part in _report(report)), "</body>\n</html>\n"])


def _report(report: Report) -> Iterator[str]:
    yield f'<h1 class="{"ok" if report.conforms else "bad"}">{escape(report.headline)}</h1>'
    for line in filter(None, story(report)):
        yield f"<p>{escape(line)}</p>" if "\n" not in line else f"<pre>{escape(line)}</pre>"
    if report.tensors:
        head, *rows = tensor_table(report.tensors)
        table = _row("th", head) + "".join(_row("td", row) for row in rows)
        yield f'<div class="scroll"><table>{table}</table></div>'
    if (case := _shown(report.cases)) is not None:
        yield f"<h2>{escape(case.name)}: {case.size}</h2>"
        yield "<p>One square per entry: the error as a share of what is allowed; red is outside.</p>"
        yield from map(_heat_map, case.tensors)
    if lines := ending(report):
        yield f"<pre>{escape(chr(10).join(lines))}</pre>"


def _row(cell: str, texts: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{cell}>{escape(text)}</{cell}>" for text in texts) + "</tr>"


def _shown(cases: Sequence[CaseReport]) -> CaseReport | None:
    """The first case with an error to look at, else the first with an answer."""
    answered = [case for case in cases if case.tensors]
    return min(answered, key=lambda case: case.passed, default=None)


def _heat_map(tensor: TensorReport) -> str:
    rows = "".join(
        "<tr>" + "".join(f'<td style="background:{_colour(x)}" title="{number(x)}"></td>' for x in row) + "</tr>"
        for row in tensor.shares
    )
    caption = (
        f"{tensor.name}: {tensor.wrong} of {tensor.entries} outside" if tensor.wrong else f"{tensor.name}: all inside"
    )
    return f'<figure class="map"><table>{rows}</table><figcaption>{escape(caption)}</figcaption></figure>'


def _colour(share: float) -> str:
    """Green inside, paler the closer to the edge; outside red, deeper with each power of ten."""
    if share <= 1:
        return f"hsl(140 60% {35 + 35 * share:.0f}%)"
    return f"hsl(350 75% {max(25.0, 65 - 4 * (log10(share) if isfinite(share) else 12)):.0f}%)"
