"""A report: frozen data of what was found; `str()` is its text, and `render` has every format of several."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from purebp.oracle.answer import Finding
from purebp.oracle.conventions import Convention
from purebp.oracle.evidence import Entry, TensorReport
from purebp.oracle.explaining.diagnosis import Diagnosis
from purebp.oracle.reports import render
from purebp.oracle.verdict import VERDICTS
from purebp.textbook.text import counted


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
        return ", ".join(filter(None, ("-".join(map(str, self.sizes)), counted(self.samples, "sample"))))

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
        return VERDICTS[self.verdict].exit_status(self.conforms)

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
        if self.verdict == "undecided" and self.findings and not self.tensors:
            return f"{self.candidate}: undecided: in no way that was tried did it give an answer"
        if self.verdict == "undecided" and any(tensor.wrong for tensor in self.tensors):
            return f"{self.candidate}: undecided: it is right for whole numbers alone"
        if self.verdict == "undecided" and self.tensors and not any(tensor.undecided for tensor in self.tensors):
            return f"{self.candidate}: undecided: not all gradients were given"
        return f"{self.candidate}: {VERDICTS[self.verdict].headline}" + (
            f": {name}" if name and self.verdict != "correct" else ""
        )

    def __str__(self) -> str:
        return render([self], "text")

    def to_json(self) -> str:
        """The report as JSON."""
        return render([self], "json")

    def to_junit(self) -> str:
        """The report as JUnit XML."""
        return render([self], "junit")

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
            "tensors": [_plain(t) for t in self.tensors],
            "worst": self.worst and _plain(self.worst),
            "cases": [
                {
                    "name": c.name,
                    "sizes": list(c.sizes),
                    "samples": c.samples,
                    "passed": c.passed,
                    "finding": c.finding and c.finding.sentence,
                    "tensors": [_plain(t) for t in c.tensors],
                }
                for c in self.cases
            ],
            "smallest": self.smallest,
            "replay": self.replay,
        }


def _plain(of: TensorReport | Entry) -> dict[str, Any]:
    """Its fields by name, without the share of every entry."""
    found = {field.name: getattr(of, field.name) for field in fields(of) if field.name != "shares"}
    return {name: _plain(value) if isinstance(value, Entry) else value for name, value in found.items()}
