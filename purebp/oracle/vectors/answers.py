"""A file of answers to the test vectors, judged.

>>> found = judge_answers('{"id": "loss-tanh-identity-mse-zeros", "loss": 0.5}')
>>> [(report.candidate, report.verdict) for report in found.reports]
[('loss: tanh, identity; mse', 'wrong')]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from purebp.oracle.answer import Answer, Finding, Key, as_claim
from purebp.oracle.asking.candidate import NoAnswer, ask, quoted
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.wire import as_candidate, in_object, read_hello, read_words
from purebp.oracle.layers import Layers
from purebp.oracle.pipeline import judged
from purebp.oracle.reports.report import CaseReport, Report
from purebp.oracle.vectors.files import load
from purebp.oracle.vectors.vector import ASKED_FOR, FAMILIES, FORWARDS, Vector
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.serialization import parsed


@dataclass(frozen=True, slots=True)
class Judged:
    """The reports, one for each family, activations and loss; and how many vectors of each family there are."""

    reports: tuple[Report, ...]
    tests: dict[str, int]

    @property
    def exit_status(self) -> int:
        """0 all that was answered is right, 1 it is not, 5 nothing was answered, or something left open."""
        statuses = {report.exit_status for report in self.reports}
        left_open = statuses <= {5} or any(report.verdict == "undecided" for report in self.reports)
        return 1 if 1 in statuses else 5 if left_open else 0

    def counts(self) -> Iterator[tuple[str, int, int, int]]:
        """Of each family: its tests, those answered, and those answered right."""
        for family, tests in self.tests.items():
            cases = [case for report in self.reports if _family(report) == family for case in report.cases]
            answered = [case for case in cases if case.tensors or case.finding or family == "refused"]  # not skipped
            yield family, tests, len(answered), sum(case.passed for case in answered)


def judge_answers(text: str, format: str = "binary64") -> Judged:
    """Judge answers, in the forms of the protocol: a list of objects, or lines of JSON or of words.

    Those to vectors of a family with the same activations and loss are judged together, as those to the cases of
    `check` are, so that a convention or a mistake shows.
    """
    known = {vector.id: vector for family in FAMILIES for vector in load(family)}
    groups: dict[str, list[tuple[Vector, Any]]] = {}
    for number, answer in read(text, known):
        groups.setdefault(_group(known[number]), []).append((known[number], answer))
    ordered = [name for name in dict.fromkeys(map(_group, known.values())) if name in groups]
    reports = tuple(_report(name, groups[name], format) for name in ordered)
    families = [vector.family for vector in known.values()]
    return Judged(reports, {family: families.count(family) for family in FAMILIES})


def _group(vector: Vector) -> str:
    if vector.family == "refused":
        return vector.family
    return f"{vector.family}: {', '.join(vector.declared['activations'])}; {vector.given['loss']}"


def _family(report: Report) -> str:
    return report.candidate.partition(":")[0]


def read(text: str, known: dict[str, Vector]) -> Iterator[tuple[str, Any]]:
    """Ids of known vectors, with quantities or with the `NoAnswer` that says why there are none."""
    seen = set()
    bits, items = _items(text)
    for place, item in items:
        number = item.get("id") if isinstance(item, dict) else item.partition(" ")[0]
        if not isinstance(number, str) or number not in known:
            raise PurebpError(
                f"{place} has the id {quoted(number)}: that of a test vector is wanted; see purebp vectors list"
            )
        if number in seen:
            raise PurebpError(f"{place} is the second answer to {number}: one is wanted")
        seen.add(number)
        try:
            if isinstance(item, dict):
                yield number, in_object(item, bits)
            elif known[number].family == "refused":
                raise PurebpError(f"{place} is in words, in which {number} cannot be asked: answer it in JSON")
            else:
                yield number, read_words(item, number, known[number].request, bits)
        except NoAnswer as none:
            yield number, none


def _items(text: str) -> tuple[bool, Iterator[tuple[str, dict[str, Any] | str]]]:
    """Whether numbers are bit patterns; and objects, and lines of words, with the place where each stands."""
    rows = [(f"line {n}", line.strip()) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    try:
        hello = read_hello(rows[0][1])  # a program that was sent requests from a file begins with it
    except (NoAnswer, IndexError):
        return False, _in_rows(rows)
    return hello.bits, _in_rows(rows[1:])


def _in_rows(rows: list[tuple[str, str]]) -> Iterator[tuple[str, dict[str, Any] | str]]:
    none = PurebpError("there are no answers: lines of JSON or of words are wanted, or a list of objects")
    if not rows:
        raise none
    try:
        whole = parsed("\n".join(line for _, line in rows)) if rows[0][1][0] in "[{" else None
    except PurebpError:
        if not rows[0][1].endswith("}"):  # one document, not one in each line
            raise
        whole = None
    if whole is not None:
        items = whole.get("answers", [whole]) if isinstance(whole, dict) else whole
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise PurebpError('a list of answers, or {"answers": [...]}, is wanted, each an object with an "id"')
        if not items:
            raise none
        yield from ((f"answer {n}", item) for n, item in enumerate(items, start=1))
        return
    for place, line in rows:
        try:
            yield place, parsed(line) if line.startswith("{") else line
        except PurebpError as error:
            raise PurebpError(f"{place}: {error}") from None


def _report(name: str, answered: Sequence[tuple[Vector, Any]], format: str) -> Report:
    if name == "refused":
        return refusals(answered)
    declared = Declared(**answered[0][0].declared, format=format)
    answers = [_asked(vector, answer, declared) for vector, answer in answered]
    vectors = [vector for vector, _ in answered]
    return complete(judged(Layers(declared), [vector.case for vector in vectors], answers, name), vectors)


def complete(report: Report, vectors: Sequence[Vector]) -> Report:
    """The report, in which an answer without what its vector asks for is not right."""
    cases, missing = list(report.cases), list[Finding]()
    for i, (vector, case) in enumerate(zip(vectors, cases)):
        given = {(tensor.kind, tensor.layer) for tensor in case.tensors}
        if case.finding is None and given and _wanted(vector) - given:
            sentence = f"it is asked for {ASKED_FOR[vector.family][-1]}, and does not give all of that"
            missing.append(Finding("not given", sentence, vector.id))
            cases[i] = replace(case, finding=missing[-1])
    if not missing:
        return report
    verdict = "undecided" if report.conforms else report.verdict
    findings = (*report.findings, missing[0])
    return replace(report, verdict=verdict, conforms=False, cases=tuple(cases), findings=findings)


def _wanted(vector: Vector) -> set[Key]:
    if vector.family in FORWARDS:
        return {(ASKED_FOR[vector.family][-1], -1)}
    if vector.family == "deltas":
        return {("deltas", l) for l in range(len(vector.given["layers"]))}
    return set(as_claim(vector.case.network))


def _asked(vector: Vector, answer: Any, declared: Declared) -> Answer:
    def candidate(*given: Any) -> Any:
        if isinstance(answer, NoAnswer):
            raise answer
        return as_candidate(answer, declared.returns)

    return ask(candidate, vector.case, declared)


def refusals(answered: Sequence[tuple[Vector, Any]]) -> Report:
    """Of what makes no sense: only a declared error is right."""
    cases = []
    for vector, answer in answered:
        said = answer.kind if isinstance(answer, NoAnswer) else "numbers"
        sentence = f"it answers with {said}, where an error is wanted: {vector.title}"
        cases.append(
            CaseReport(vector.title, (), 0, (), None if said == "error" else Finding("accepts", sentence, vector.id))
        )
    findings = tuple(case.finding for case in cases if case.finding is not None)
    verdict = "wrong" if findings else "correct"
    return Report("refused", verdict, not findings, None, (), findings, (), (), None, tuple(cases))
