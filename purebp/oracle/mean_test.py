"""Whether errors lean one way: where everything is stored in a narrow format, each number alone shows little.

Over n independent cases, tᵢ is the mean of sign(y) err / allowed over the entries of a case, in [−1, 1] inside the
budgets. By the empirical Bernstein inequality (Maurer and Pontil 2009, theorem 4) their mean is further from its
expectation than √(2 V ln(4/α) / n) + 14 ln(4/α) / (3 (n − 1)) with a probability of at most α, V being the variance of
the sample. Rounding to nearest errs either way, so that the expectation is near 0: below `ALLOWED`.

>>> right = Mean(tuple(Lean(0.1 if i % 2 else -0.1, 20.0) for i in range(CASES)))
>>> wrong = Mean((Lean(0.5, 20.0),) * CASES)
>>> right.conforms, wrong.conforms
(True, False)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import copysign, inf, log, sqrt
from statistics import fmean, variance
from typing import NamedTuple, TypeVar

from purebp.oracle.answer import Answer, Claim
from purebp.oracle.certify import nearest_double
from purebp.oracle.evidence import UNDECIDED, Budgets, inside
from purebp.oracle.pipeline import Question
from purebp.oracle.reports.report import Report

C = TypeVar("C")  # a case

CASES = 1024
ALPHA = 1e-9  # the probability of accusing a candidate whose errors lean by no more than is allowed
ALLOWED = 0.02  # of the budgets: what rounding to nearest may lean by


class Lean(NamedTuple):
    """Of one case: the mean of sign(y) err / allowed, and that of |y| / allowed, by which a factor moves it."""

    share: float
    sensitivity: float


def lean(claim: Claim, budgets: Budgets) -> Lean:
    """How far, and to which side, the entries of an answer lie in their budgets; those expected to be 0 aside."""

    shares, sensitivities = [0.0], [0.0]
    for key, rows in claim.items():
        for x, b in ((x, b) for pair in zip(rows, budgets[key]) for x, b in zip(*pair)):
            y = nearest_double(b.mantissa, b.exponent)
            if y and b.spread:
                shares.append((x - y) / copysign(b.radius, y))
                sensitivities.append(abs(y) / b.radius)
    return Lean(fmean(shares), fmean(sensitivities))


@dataclass(frozen=True, slots=True)
class Mean:
    """What the leans of independent cases say together."""

    leans: tuple[Lean, ...]

    @property
    def mean(self) -> float:
        return fmean(share for share, _ in self.leans)

    @property
    def threshold(self) -> float:
        """From which on a mean is beyond what rounding may do."""
        n, shares = len(self.leans), [share for share, _ in self.leans]
        return ALLOWED + sqrt(2 * variance(shares) * log(4 / ALPHA) / n) + 14 * log(4 / ALPHA) / (3 * (n - 1))

    @property
    def conforms(self) -> bool:
        return abs(self.mean) <= self.threshold

    @property
    def smallest_visible_error(self) -> float:
        """The relative error everywhere that moves the mean as far as that."""
        sensitivity = fmean(lean.sensitivity for lean in self.leans)
        return self.threshold / sensitivity if sensitivity else inf

    @property
    def sentence(self) -> str:
        """What is told."""
        told = (
            f"Over {len(self.leans):,} independent cases the errors lean by {self.mean:+.3f} of what is allowed; from "
            f"{self.threshold:.3f} on that would not be rounding (α = {ALPHA:g})"
        )
        if self.conforms:
            return f"{told}. An error of {self.smallest_visible_error:.0%} everywhere would show."
        return f"{told}, and is not: look for a factor, an epsilon, or a term that is left out."


def unbiased(
    question: Question, report: Report, cases: Iterable[C], ask: Callable[[C], Answer]
) -> tuple[Report, tuple[C, Answer] | None]:
    """The report on what was found right, or undecided, with what the mean of the errors over independent cases says.

    If one of them is answered wrongly, that is what is returned with it.
    """
    if not (report.conforms or report.verdict == "undecided") or report.findings:
        return report, None
    format, convention, leans = question.declared.format, report.convention or question.usual, list[Lean]()
    for case in cases:
        answer = ask(case)
        allowed = question.enclose(case, convention, format, answer.claim)
        if answer.fatal or not inside(answer.claim, allowed):
            return report, (case, answer)
        leans.append(lean(answer.claim, allowed))
    found = Mean(tuple(leans))
    report = replace(report, notes=(*report.notes, found.sentence))
    if not found.conforms:
        return replace(report, verdict="imprecise", conforms=False), None
    if report.verdict == "undecided" and found.smallest_visible_error <= UNDECIDED:
        return replace(report, verdict="correct", conforms=True), None
    return report, None
