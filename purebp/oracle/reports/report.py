"""The report: frozen data, and the same as text, JSON, JUnit XML and HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import inf, isfinite, log10
from textwrap import fill
from typing import Any

from purebp.oracle.answer import LOCAL, Finding
from purebp.oracle.conventions import Convention
from purebp.oracle.evidence import Entry, TensorReport
from purebp.oracle.explaining.diagnosis import Diagnosis

VERDICTS = (
    "correct",
    "correct-under-convention",
    "imprecise",
    "wrong",
    "undecided",
    "crash",
    "timeout",
    "malformed",
    "flaky",
    "skipped",
    "not-loaded",
)
HEADLINES = {
    "correct": "correct: every number lies inside its error budget",
    "correct-under-convention": "correct under another convention",
    "imprecise": "imprecise",
    "wrong": "wrong",
    "undecided": "undecided: the error budgets are too wide to tell",
    "crash": "no verdict: the candidate's process ended",
    "timeout": "no verdict: it took too long",
    "malformed": "no verdict: what it says is no answer",
    "skipped": "no verdict: it skips every case",
    "not-loaded": "no verdict: there is nothing to ask",
    "flaky": "flaky: the same case was answered differently",
}


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One case: what it was, and how each tensor of the answer lies in its budget; no tensors if there is no answer."""

    name: str
    sizes: tuple[int, ...]
    samples: int
    tensors: tuple[TensorReport, ...]
    finding: Finding | None = None

    @property
    def size(self) -> str:
        """Widths, where the case is of a network, and samples."""
        return ", ".join(filter(None, ("-".join(map(str, self.sizes)), _counted(self.samples, "sample"))))

    @property
    def passed(self) -> bool:
        return self.finding is None and not any(tensor.wrong for tensor in self.tensors)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found; `str()` is the text for people.

    score: 1 for a candidate that conforms; else the share of the tensors (∂loss/∂W and ∂loss/∂b of every layer, on
    every case) that lie wholly inside their budgets, a case without an answer counting as none.
    """

    candidate: str
    verdict: str
    conforms: bool
    convention: Convention | None
    explanations: tuple[Diagnosis, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    tensors: tuple[TensorReport, ...]
    worst: Entry | None
    cases: tuple[CaseReport, ...]
    format: str = "binary64"
    smallest: str = ""
    replay: str = ""

    @property
    def exit_status(self) -> int:
        """0 conforms, 1 does not, 5 nothing was decided."""
        return 5 if self.verdict in ("undecided", "skipped") else 0 if self.conforms else 1

    @property
    def score(self) -> float:
        if self.conforms:
            return 1.0
        most = max((len(case.tensors) for case in self.cases), default=0)
        whole = sum(len(case.tensors) or most for case in self.cases)
        right = sum(not tensor.wrong for case in self.cases for tensor in case.tensors)
        return min(right / whole, 0.99) if whole else 0.0

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        name = self.explanations[0].name if self.explanations and not self.conforms else ""
        if self.verdict == "correct-under-convention" and not self.conforms:
            return f"{self.candidate}: not as declared" + (f": {name}" if name else "")
        if self.verdict == "undecided" and self.tensors and not any(tensor.undecided for tensor in self.tensors):
            return f"{self.candidate}: undecided: not all gradients were given"
        return f"{self.candidate}: {HEADLINES[self.verdict]}" + (
            f": {name}" if name and self.verdict != "correct" else ""
        )

    def __str__(self) -> str:
        return "\n".join([self.headline, "", *self._told(), *self._table(), *self._ending()]).rstrip()

    def _story(self) -> list[str]:
        lines = []
        if self.convention is not None:
            lines.append(f"{self._as_often_as_it_does()} {self.convention.sentence}.")
        for number, found in enumerate(self.explanations):
            lines.append(("" if number == 0 else "Or, which the cases cannot tell apart: ") + found.sentence)
            if number == 0 and found.line:
                lines.append(f"The line: {found.line}")
            if number == 2:
                break
        lines += [_sentence(found) for found in self.findings]
        return [*lines, *self.notes]

    def _as_often_as_it_does(self) -> str:
        """Whether gradients are those of the convention on all cases, on some or on none."""
        answered = [case for case in self.cases if case.tensors]
        right = sum(not any(tensor.wrong for tensor in case.tensors if tensor.kind in LOCAL) for case in answered)
        if self.verdict != "wrong" or right == len(answered):
            return "It returns"
        return f"On {right} of {len(answered)} cases it returns" if right else "What is wanted is"

    def _told(self) -> list[str]:
        lines = [line if "\n" in line else fill(line, 100, break_long_words=False) for line in self._story()]
        return [*lines, ""] if lines else []

    def _table(self) -> list[str]:
        if not self.tensors:
            return []
        rows = [["tensor", "entries", "wrong", "err/allowed", "ulps", "would see"]]
        for t in self.tensors:
            seen = "undecided" if t.undecided else f"{2 * t.resolution:.0e}"
            rows.append(
                [t.name, str(t.entries), str(t.wrong) if t.wrong else ".", _short(t.share), _short(t.ulps), seen]
            )
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
        skipped = sum(not case.tensors and case.finding is None for case in self.cases)
        over = _counted(len(self.cases) - skipped, "case") + (f", {skipped} skipped" if skipped else "")
        return [*lines, f"(over {over}; {self.format})", ""]

    def _ending(self) -> list[str]:
        lines = [f"The worst entry: {self.worst}"] if self.worst is not None and not self.conforms else []
        if self.smallest:
            lines += ["The smallest case that shows it:", self.smallest]
        if self.replay:
            lines.append(f"Again: {self.replay}")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "candidate": self.candidate,
            "verdict": self.verdict,
            "conforms": self.conforms,
            "score": self.score,
            "format": self.format,
            "convention": self.convention
            and {
                "loss": self.convention.loss_name,
                "returns": self.convention.returns,
                "sentence": self.convention.sentence,
            },
            "explanations": [
                {"name": e.name, "family": e.family, "sentence": e.sentence, "line": e.line, "changes": list(e.changes)}
                for e in self.explanations
            ],
            "findings": [{"kind": f.kind, "sentence": f.sentence, "case": f.case} for f in self.findings],
            "notes": list(self.notes),
            "tensors": [_tensor(t) for t in self.tensors],
            "worst": self.worst and _entry(self.worst),
            "cases": [
                {
                    "name": c.name,
                    "sizes": list(c.sizes),
                    "samples": c.samples,
                    "passed": c.passed,
                    "finding": c.finding and c.finding.sentence,
                    "tensors": [_tensor(t) for t in c.tensors],
                }
                for c in self.cases
            ],
            "smallest": self.smallest,
            "replay": self.replay,
        }

    def to_json(self) -> str:
        """The same as JSON; numbers that JSON does not have are null."""
        return json.dumps(_finite(self.as_dict()), ensure_ascii=False, indent=1)

    def to_junit(self) -> str:
        """JUnit XML."""
        return junit([self])

    def to_html(self) -> str:
        """A self-contained page."""
        return html([self])


def junit(reports: Sequence[Report]) -> str:
    """One test suite per candidate, one test per case; the report is the message of the first failure."""
    from xml.etree import ElementTree  # only here, for it takes as long to load as all of the report

    root = ElementTree.Element("testsuites", name="purebp")
    for report in reports:
        failed = [case for case in report.cases if not case.passed]
        count = max(1, len(report.cases))
        bad = 0 if report.conforms else max(1, len(failed))
        suite = ElementTree.SubElement(
            root, "testsuite", name=_xml(report.candidate), tests=str(count), failures=str(bad), errors="0", skipped="0"
        )
        told = False
        for case in report.cases or (None,):
            name = "start" if case is None else f"{case.name}, {case.size}"
            test = ElementTree.SubElement(suite, "testcase", classname=_xml(report.candidate), name=name)
            wrong = not report.conforms and (case is None or not case.passed or (not failed and not told))
            if wrong:
                failure = ElementTree.SubElement(test, "failure", message=_xml(report.headline), type=report.verdict)
                failure.text = "see the first failure" if told else _xml(str(report))
                told = True
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


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


def html(reports: Sequence[Report]) -> str:
    """All reports on one page that needs nothing else: verdicts, sentences, tables, and a heat map per tensor."""
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>purebp: {escape(reports[0].headline if len(reports) == 1 else f'{len(reports)} candidates')}</title>",
        f"<style>{STYLE}</style>\n</head>\n<body>",
    ]
    for report in reports:
        parts.append(f'<h1 class="{"ok" if report.conforms else "bad"}">{escape(report.headline)}</h1>')
        parts += [
            f"<p>{escape(line)}</p>" if "\n" not in line else f"<pre>{escape(line)}</pre>"
            for line in report._story()
            if line
        ]
        if report.tensors:
            head = "".join(
                f"<th>{name}</th>" for name in ("tensor", "entries", "wrong", "err/allowed", "ulps", "resolution")
            )
            rows = "".join(
                f"<tr><td>{escape(t.name)}</td><td>{t.entries}</td><td>{t.wrong}</td><td>{_short(t.share)}</td>"
                f"<td>{_short(t.ulps)}</td><td>{t.resolution:.0e}</td></tr>"
                for t in report.tensors
            )
            parts.append(f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>')
        shown = next((case for case in report.cases if not case.passed and case.tensors), None) or next(
            (case for case in report.cases if case.tensors), None
        )
        if shown is not None:
            parts.append(f"<h2>{escape(shown.name)}: {shown.size}</h2>")
            parts.append("<p>One square per entry: the error as a share of what is allowed; red is outside.</p>")
            parts += [_heat_map(tensor) for tensor in shown.tensors]
        ending = report._ending()
        if ending:
            parts.append(f"<pre>{escape(chr(10).join(ending))}</pre>")
    return "\n".join([*parts, "</body>\n</html>\n"])


def _heat_map(tensor: TensorReport) -> str:
    rows = "".join(
        "<tr>" + "".join(f'<td style="background:{_colour(x)}" title="{_short(x)}"></td>' for x in row) + "</tr>"
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


def _tensor(t: TensorReport) -> dict[str, Any]:
    return {
        "name": t.name,
        "kind": t.kind,
        "layer": t.layer,
        "entries": t.entries,
        "wrong": t.wrong,
        "share": t.share,
        "ulps": t.ulps,
        "resolution": t.resolution,
        "worst": t.worst and _entry(t.worst),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "tensor": entry.tensor,
        "row": entry.row,
        "column": entry.column,
        "given": entry.given,
        "expected": entry.expected,
        "allowed": entry.allowed,
        "share": entry.share,
    }


def _finite(x: Any) -> Any:
    if isinstance(x, float):
        return x if isfinite(x) else None
    if isinstance(x, dict):
        return {key: _finite(value) for key, value in x.items()}
    return [_finite(item) for item in x] if isinstance(x, list) else x


def _xml(text: str) -> str:
    """Without the characters that XML does not have."""
    return "".join(c if c in "\t\n" or ord(c) >= 32 else "?" for c in text)


def _sentence(finding: Finding) -> str:
    return (
        (f"On the case “{finding.case}” " if finding.case else "")
        + finding.sentence
        + ("" if "\n" in finding.sentence else ".")
    )


def _short(x: float) -> str:
    if x == inf or x != x:
        return "∞"
    return f"{x:.2f}" if x < 100 else f"{x:.0e}"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
