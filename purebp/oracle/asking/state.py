"""Asking once more: whether an answer depends on what was asked before, or on chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from purebp.oracle.answer import BROKEN, Answer, Claim, Finding, same
from purebp.oracle.asking.candidate import NOT_ASKED


@dataclass(frozen=True, slots=True)
class Changed:
    """A case, by its index, that was answered otherwise when asked again; and what to say if it is more than rounding."""

    index: int
    claims: tuple[Claim, ...]  # when asked again
    finding: Finding


def stateful(cases: Sequence[Any], answers: Sequence[Answer], again: Callable[[Any], Answer]) -> Iterator[Changed]:
    """Ask some cases once more: answers that change were kept from an earlier call, drawn by chance, or rounded anew."""
    for index, (case, first) in enumerate(zip(cases[:2], answers)):
        if not first.claim:
            continue
        second, third = again(case), again(case)
        if same(first.claim, second.claim) and same(second.claim, third.claim):
            continue
        if any(finding.kind in (*BROKEN, NOT_ASKED) for answer in (second, third) for finding in answer.findings):
            continue
        kind = "keeps state"
        if _same_steps(second.claim, third.claim, again(case).claim):
            sentence = (
                "its answer grows from call to call by the same amount: gradients are added to those of earlier calls, "
                "and never reset to 0"
            )
        elif same(second.claim, third.claim):
            sentence = "its answer depends on what was asked before: something of an earlier call is kept"
        else:
            kind = "flaky"
            sentence = (
                "asked the same three times, it gives different answers: something is drawn by chance, or kept from "
                "call to call"
            )
        yield Changed(index, (second.claim, third.claim), Finding(kind, sentence, case.name))


def _same_steps(a: Claim, b: Claim, c: Claim) -> bool:
    """Whether c − b = b − a, entry by entry and nearly, and not 0."""
    if not (a.keys() == b.keys() == c.keys()):
        return False
    steps = [(z - y, y - x) for key in a for rows in zip(a[key], b[key], c[key]) for x, y, z in zip(*rows)]
    largest = max((abs(s) for pair in steps for s in pair), default=0.0)
    return largest > 0 and all(abs(s - t) <= 1e-6 * largest for s, t in steps)
