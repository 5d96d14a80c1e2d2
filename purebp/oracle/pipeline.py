"""From answers to a report, the same way for every question: evidence, convention, reasons, verdict, report.

No step looks back. What layers and graphs do each in their own way is a `Question`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, Protocol

from purebp.number_systems.formats import Format
from purebp.oracle.answer import Answer, Claim, Finding
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.state import Changed
from purebp.oracle.conventions import Convention
from purebp.oracle.evidence import (
    Budgets,
    Entry,
    Evidence,
    gathered,
    over_cases,
    regathered,
    rounded_anew,
    undecided_tensors,
    worst_entry,
)
from purebp.oracle.explaining.diagnosis import Diagnosis
from purebp.oracle.reasons import Reasons
from purebp.oracle.reports.report import CaseReport, Report
from purebp.oracle.verdict import Facts, Verdict, reached

ROUNDED_ANEW = (
    "Not reproducible bit by bit: asked the same again, it gives other numbers, as threads or atomic sums do; they "
    "differ by no more than their error budgets allow."
)


GOES_ON = "Asked the same again, it goes on with the velocity that it had, and its further steps are right as well."


class Question(Protocol):
    """What is asked, and what is known of its answers."""

    @property
    def declared(self) -> Declared: ...

    @property
    def usual(self) -> Convention:
        """What answers follow where nothing else was declared."""

    def enclose(self, case: Any, convention: Convention, format: Format | str, claim: Claim) -> Budgets:
        """The budgets of all that is claimed of a case."""

    def follows(self, evidence: Sequence[Evidence]) -> Convention | None:
        """What the answers follow, if that is found, and is not what is usual."""

    def departure(self, evidence: Sequence[Evidence], convention: Convention) -> Sequence[Diagnosis]:
        """In what right answers depart from what was declared."""

    def reasons(self, evidence: Sequence[Evidence], convention: Convention, findings: Sequence[Finding]) -> Reasons:
        """Why some answer is wrong."""

    def relevant(
        self, evidence: Sequence[Evidence], convention: Convention
    ) -> tuple[Sequence[Evidence], Sequence[str]]:
        """Without what was given unasked and is not judged; and the notes that say so."""

    def goes_on(self, claims: Sequence[Claim], piece: Evidence, convention: Convention) -> bool:
        """Whether what is given when asked again is what follows the first answer, as with momentum it may."""

    def missing(self, evidence: Sequence[Evidence], convention: Convention) -> Finding | None:
        """What is left out of what must be given."""

    def remarks(self, evidence: Sequence[Evidence], convention: Convention) -> list[str]:
        """What is said of right answers."""

    def located(self, evidence: Sequence[Evidence], convention: Convention, reasons: Reasons) -> list[str]:
        """Which step to look at, where answers are wrong."""

    def shown(self, piece: Evidence, convention: Convention) -> str:
        """The numbers of a case."""


def judged(
    question: Question,
    cases: Sequence[Any],
    answers: Sequence[Answer],
    name: str,
    *,
    state: Sequence[Changed] = (),
    known: Convention | None = None,
    explained: bool = True,
) -> Report:
    """The report on answers to cases.

    state: what changed when asked again. known: what the answers to most of the cases follow. Further cases are judged
    where the simple ones before them are answered rightly: what is wrong is explained from the simplest.
    """
    declared = question.declared
    evidence, found = _under_its_convention(question, cases, answers, known)
    convention = found or question.usual
    relevant, passed_over = question.relevant(evidence, convention)
    missing = question.missing(evidence, convention) if explained else None
    unlike = [changed for changed in state if not rounded_anew(changed.claims, evidence[changed.index])]
    onward = [changed for changed in unlike if question.goes_on(changed.claims, evidence[changed.index], convention)]
    kept = [changed.finding for changed in unlike if changed not in onward][:1]
    findings = (*_first_of_each_kind([piece.answer for piece in relevant]), *kept, *([missing] if missing else []))
    facts = Facts(relevant, findings, found is not None, convention.fits(declared))
    if explained and facts.right and not facts.fits:
        facts = replace(facts, reasons=Reasons(tuple(question.departure(relevant, convention))))
    elif explained and not facts.right and not facts.broken:
        facts = replace(facts, reasons=question.reasons(evidence, convention, findings))
        meant = None if known or facts.conventional else facts.reasons.convention
        if meant is not None and meant != convention and meant.fits(declared):
            found = convention = meant
            under = facts.reasons.evidence or regathered(relevant, convention, declared.format, question.enclose)
            facts = replace(facts, evidence=under, found=True)
    verdict = reached(facts)
    notes = _notes(question, facts, convention, verdict) if explained or facts.right else ()
    anew = () if kept or not state else (GOES_ON,) if onward else (ROUNDED_ANEW,)
    return _report(question, facts, found, name, verdict, (*notes, *anew, *passed_over))


def _under_its_convention(
    question: Question, cases: Sequence[Any], answers: Sequence[Answer], known: Convention | None
) -> tuple[tuple[Evidence, ...], Convention | None]:
    """The answers beside their budgets under the convention that they follow; and that one, if it was found."""
    format, usual = question.declared.format, known or question.usual
    simple = sum(1 for _ in takewhile(lambda case: not case.further, cases))
    evidence = gathered(cases[:simple], answers[:simple], usual, format, question.enclose)
    found = known or question.follows(evidence)
    convention = found or usual
    if convention != usual:
        evidence = regathered(evidence, convention, format, question.enclose)
    if all(piece.passed for piece in evidence):
        others = gathered(cases[simple:], answers[simple:], convention, format, question.enclose)
        evidence = (*evidence, *others)
    return evidence, found


def _first_of_each_kind(answers: Sequence[Answer]) -> list[Finding]:
    found: dict[str, Finding] = {}
    for finding in (finding for answer in answers for finding in answer.findings):
        found.setdefault(finding.kind, finding)
    return list(found.values())


def _notes(question: Question, facts: Facts, convention: Convention, verdict: Verdict) -> tuple[str, ...]:
    if undecided := undecided_tensors(facts.evidence) if facts.right else []:
        return (f"The budgets of {', '.join(undecided)} are wider than half the values on every case: no evidence.",)
    if facts.right:
        return tuple(question.remarks(facts.evidence, convention))
    if verdict.name == "imprecise":
        return (facts.reasons.approximation,)
    if verdict.name == "wrong":
        return tuple(question.located(facts.evidence, convention, facts.reasons))
    return ()


def _report(
    question: Question,
    facts: Facts,
    found: Convention | None,
    name: str,
    verdict: Verdict,
    notes: tuple[str, ...],
) -> Report:
    diagnoses, evidence = facts.reasons.diagnoses, facts.evidence
    failing = next((piece for piece in evidence if not piece.passed), None)
    convention = found or question.usual
    if verdict.name == "correct-under-convention":
        found = next((d.convention for d in diagnoses if d.convention), convention)
    cases = (
        CaseReport(piece.case.name, piece.case.sizes, piece.case.samples, piece.tensors, piece.answer.fatal)
        for piece in evidence
    )
    return Report(
        candidate=name,
        verdict=verdict.name,
        conforms=verdict.name in ("correct", "correct-under-convention") and not diagnoses and facts.fits,
        convention=found if found and found.loss else None,  # of a graph, the diagnosis says it
        explanations=diagnoses,
        findings=tuple(facts.findings),
        notes=notes,
        tensors=over_cases(evidence),
        worst=_in_its_layout(worst_entry(evidence), question.declared),
        cases=tuple(cases),
        format=str(question.declared.format),
        smallest="" if failing is None else question.shown(failing, convention),
    )


def _in_its_layout(entry: Entry | None, declared: Declared) -> Entry | None:
    """Row and column as the candidate has them."""
    if entry is None or declared.weights == "out_in" or "W" not in entry.tensor:
        return entry
    return replace(entry, row=entry.column, column=entry.row)
